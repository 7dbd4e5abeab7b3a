package escpos

import "regi/drivers/glyph"

// define is FS 2 c1 c2 and the dots: a user-defined kanji. It is lost at ESC @,
// so each document brings its own.
func define(code uint16, g glyph.Drawing) []byte {
	b := append([]byte{fs, '2', byte(code >> 8), byte(code & 0xFF)}, g[:]...)
	scrub(b)
	return b
}

// inline is ESC * 33 24 0: 24 dots of double density in the line of text, or
// 48 where the letters are wide.
func inline(g glyph.Drawing, wide bool) []byte {
	times := 1
	if wide {
		times = 2
	}
	b := append(make([]byte, 0, 5+2*len(g)), esc, '*', 33, byte(glyph.Dots*times), 0)
	for x := range glyph.Dots {
		for range times {
			b = append(b, g[3*x:3*x+3]...)
		}
	}
	scrub(b)
	return b
}
