package star

import (
	"golang.org/x/text/encoding/charmap"

	"regi/drivers"
	"regi/drivers/glyph"
)

// katakana is code page 2 of ESC GS t.
func katakana() glyph.Page { return glyph.Page{Number: 2} }

// newSet has the alphabets by the pages that the families share.
func newSet(latin bool) *glyph.Set {
	s := glyph.NewSet(
		katakana(),
		glyph.Page{Number: 32, Table: charmap.Windows1252}, glyph.Page{Number: 4, Table: charmap.CodePage858},
		glyph.Page{Number: 5, Table: charmap.CodePage852}, glyph.Page{Number: 10, Table: charmap.CodePage866},
	)
	s.Latin = latin
	return s
}

// define sends the characters that the printer lacks, before all else.
func (e *encoder) define(items []drivers.Item) {
	for _, item := range items {
		switch item := item.(type) {
		case drivers.TextLine:
			e.slots.Define(e.chars, item.Text, e.defineOne)
		case drivers.Page:
			for _, l := range item.Else {
				e.slots.Define(e.chars, l.Text, e.defineOne)
			}
		}
	}
}

// defineOne is ESC r c1 c2 d1…d72: register a download character, in rows from
// the top. It stays until the power goes or another takes its code.
func (e *encoder) defineOne(code uint16, g glyph.Drawing) {
	e.room(4 + len(g))
	e.command(esc, 'r', byte(code>>8), byte(code&0xFF))
	begin := len(e.out.Bytes)
	for y := range glyph.Dots {
		var row [glyph.Dots / 8]byte
		for x := range glyph.Dots {
			if g.Black(x, y) {
				row[x/8] |= 0x80 >> (x % 8)
			}
		}
		e.command(row[:]...)
	}
	scrub(e.out.Bytes[begin:])
}

// text prints one line, and more where it is too long: nothing is lost.
func (e *encoder) text(l drivers.TextLine) error {
	lines, err := e.chars.Layout(l, e.model.Columns)
	if err != nil {
		return err
	}
	e.style(l)
	for line := range lines {
		e.send(line)
		e.feed()
	}
	return nil
}

// geta is 〓, for what the printer lacks and has no room for.
const geta = 0x81AC

// send sends characters.
func (e *encoder) send(text []glyph.Char) {
	for i, c := range text {
		switch c.Kind {
		case glyph.Nothing:
		case glyph.Plain:
			e.command(byte(c.Code & 0xFF))
		case glyph.Backslash:
			e.put(rawBackslash)
		case glyph.Kanji:
			e.double(c.Code)
		case glyph.OnPage:
			e.single(c.Rune, text[i:])
		case glyph.Drawn:
			code, ok := e.slots[c.Rune]
			if !ok {
				code = geta
			}
			e.double(code)
		}
	}
}

func (e *encoder) double(code uint16) {
	e.shiftJIS(true)
	e.command(byte(code>>8), byte(code&0xFF))
}

// single sends a byte of a code page. What comes after it chooses the page.
func (e *encoder) single(c rune, text []glyph.Char) {
	b := e.page.Byte(c)
	if b == 0 {
		e.page = e.chars.Choose(text)
		e.put("\x1b\x1dt") // ESC GS t: code page
		e.command(e.page.Number)
		b = e.page.Byte(c)
	}
	if glyph.Leads(b) {
		e.shiftJIS(false)
	}
	e.command(b)
}

// shiftJIS is ESC $: with it, 80–A0 and E0–FF begin a kanji.
func (e *encoder) shiftJIS(on bool) {
	if e.latin != on {
		return
	}
	e.latin = !on
	e.put("\x1b$")
	e.command('0' + one(on))
}
