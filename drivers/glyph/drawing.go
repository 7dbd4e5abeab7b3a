package glyph

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

// Dots is the width and height of a full-width character.
const Dots = 24

// Drawing is a full-width character: columns from the left, each of 24 dots in
// three bytes, the topmost dot in the highest bit.
type Drawing [Dots * Dots / 8]byte

// Black says whether a dot is.
func (g *Drawing) Black(x, y int) bool { return g[x*Dots/8+y/8]<<(y%8)&0x80 != 0 }

func (g *Drawing) set(x, y int) { g[x*Dots/8+y/8] |= 0x80 >> (y % 8) }

// Draw makes the glyph of a character that the printer lacks: that of JIS X
// 0213, or else a box with its code point, which can be looked up.
func Draw(c rune) Drawing {
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
func enlarge(rows [fontDots]uint16) (g Drawing) {
	black := func(x, y int) int { return int(rows[y/3]>>(fontDots-1-x/3)) & 1 }
	for y := range Dots {
		for x := range Dots {
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
func box(c rune) (g Drawing) {
	const last = Dots - 1
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

// A printer has room for a few characters of others' drawing, in Shift_JIS from
// EC40 on, of Epson's make as of Star's.
const (
	SlotsMax  = 94
	slotFirst = 0xEC40
)

// Slots are the characters of a document that are drawn, by their codes.
type Slots map[rune]uint16

// Define gives a code to each character of text that the printer lacks, while
// there are any, and calls define for each new one.
func (s Slots) Define(set *Set, text string, define func(code uint16, g Drawing)) {
	for _, c := range compose(text) {
		if c < 0x80 || len(s) == SlotsMax {
			continue
		}
		if _, ok := s[c]; ok || set.Char(c).Kind != Drawn {
			continue
		}
		code := fromOrdinal(slotFirst, len(s))
		s[c] = code
		define(code, Draw(c))
	}
}
