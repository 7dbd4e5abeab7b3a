package escpos

import (
	_ "embed"
	"encoding/binary"
	"sort"
)

// jiskan16 are the 16-dot glyphs of JIS X 0213 that code page 932 lacks, by
// Toshiyuki Imamura and HANATAKA Shinya (public domain); jiskan16.py makes it
// and says how it is laid out.
//
//go:embed jiskan16.bin
var jiskan16 string

// glyphDots is the width and height of a full-width character of font A.
const glyphDots = 24

// glyph is a full-width character: columns from the left, each of 24 dots in
// three bytes, the topmost dot in the highest bit, as FS 2 and ESC * take it.
type glyph [glyphDots * glyphDots / 8]byte

func (g *glyph) set(x, y int) { g[x*glyphDots/8+y/8] |= 0x80 >> (y % 8) }

// drawing makes the glyph of a character that the printer lacks: that of JIS X
// 0213, or else a box with its code point, which can be looked up.
func drawing(c rune) glyph {
	if rows, ok := fontRows(c); ok {
		return enlarge(rows)
	}
	return box(c)
}

const fontDots = 16

func fontRows(c rune) (rows [fontDots]uint16, ok bool) {
	const index, record = 3, 2 * fontDots
	n := int(jiskan16[0])<<8 | int(jiskan16[1])
	at := func(i int) rune {
		b := jiskan16[2+index*i:]
		return rune(b[0])<<16 | rune(b[1])<<8 | rune(b[2])
	}
	i := sort.Search(n, func(i int) bool { return at(i) >= c })
	if i == n || at(i) != c {
		return rows, false
	}
	bits := []byte(jiskan16[2+index*n+record*i:][:record])
	for y := range rows {
		rows[y] = binary.BigEndian.Uint16(bits[2*y:])
	}
	return rows, true
}

// enlarge makes 24 dots of 16: each dot of the glyph covers parts of four
// small ones' thirds, and is black if half of it is.
func enlarge(rows [fontDots]uint16) (g glyph) {
	black := func(x, y int) int { return int(rows[y/3]>>(fontDots-1-x/3)) & 1 }
	for y := range glyphDots {
		for x := range glyphDots {
			if black(2*x, 2*y)+black(2*x+1, 2*y)+black(2*x, 2*y+1)+black(2*x+1, 2*y+1) >= 2 {
				g.set(x, y)
			}
		}
	}
	return g
}

// hexDigits are 4×5 dots, a row a nibble from the top.
//
//nolint:gochecknoglobals // a constant table
var hexDigits = [16]uint32{
	0x69996, 0x26227, 0x6924F, 0xE161E, 0x99F11, 0xF8E1E, 0x68E96, 0xF1244,
	0x69696, 0x69716, 0x69F99, 0xE9E9E, 0x78887, 0xE999E, 0xF8E8F, 0xF8E88,
}

// box is a frame with the code point's four or six hexadecimal digits in two
// rows.
func box(c rune) (g glyph) {
	const last = glyphDots - 1
	for i := range last {
		for _, at := range [][2]int{{i, 0}, {i, last - 1}, {0, i}, {last - 1, i}} {
			g.set(at[0], at[1])
		}
	}
	perRow, widths := 2, []int{2, 2, 2, 2}
	if c > 0xFFFF {
		perRow, widths = 3, []int{2, 1, 1, 2}
	}
	digitDots := 0
	for _, w := range widths {
		digitDots += w
	}
	left := (last - perRow*digitDots - (perRow - 1)) / 2
	for i := range 2 * perRow {
		digit := hexDigits[c>>(4*(2*perRow-1-i))&0xF]
		x := left + i%perRow*(digitDots+1)
		y := 1 + i/perRow*(2*5+1)
		for column, w := range widths {
			for range w {
				for row := range 2 * 5 {
					if digit>>(4*(4-row/2)+3-column)&1 == 1 {
						g.set(x, y+row)
					}
				}
				x++
			}
		}
	}
	return g
}

// User-defined kanji stand at EC40–EC7E and EC80–EC9E (FS 2).
const slotsMax = 94

// slot is the code of the n-th.
func slot(n int) uint16 { return fromOrdinal(0xEC40, n) }

// slots are the characters of a document that are defined in the printer. They
// are lost at ESC @, so each document brings its own.
type slots map[rune]uint16

// define is FS 2 c1 c2 and the dots.
func define(code uint16, g glyph) []byte {
	b := append([]byte{fs, '2', byte(code >> 8), byte(code & 0xFF)}, g[:]...)
	scrub(b)
	return b
}

// inline is ESC * 33 24 0: 24 dots of double density in the line of text, or
// 48 where the letters are wide.
func inline(g glyph, wide bool) []byte {
	times := 1
	if wide {
		times = 2
	}
	b := append(make([]byte, 0, 5+2*len(g)), esc, '*', 33, byte(glyphDots*times), 0)
	for x := range glyphDots {
		for range times {
			b = append(b, g[3*x:3*x+3]...)
		}
	}
	scrub(b)
	return b
}
