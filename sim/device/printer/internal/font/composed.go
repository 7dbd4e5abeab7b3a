package font

import (
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/unicode/norm"
)

// NEC's extensions of row 13 are letters, kana and kanji in a ring, in brackets
// or in one place: they are put together from the glyphs that there are. The
// kanji of NEC's and IBM's rows (髙) are in no parts: see Extension.

// necRow is the row of the signs.
const necRow = 13

// cell is a place in a glyph: from x0, y0 up to and without x1, y1.
type cell struct{ x0, y0, x1, y1 int }

// composed is the glyph of a sign of row 13.
func (f *fonts) composed(row, column int) (Glyph, bool) {
	if row != necRow {
		return Glyph{}, false
	}
	b, err := japanese.EUCJP.NewDecoder().Bytes([]byte{byte(row + 0xA0), byte(column + 0xA0)}) //nolint:gosec // 1 to 94
	if err != nil {
		return Glyph{}, false
	}
	sign := []rune(string(b))
	parts := []rune(norm.NFKC.String(string(b)))
	if len(sign) != 1 || sign[0] == '\uFFFD' || len(parts) == 0 || parts[0] == sign[0] {
		return Glyph{}, false
	}
	places, ringed := layOut(sign[0], parts)
	var g Glyph
	if ringed {
		g = ring()
	}
	for i, place := range places {
		part, width, ok := f.part(parts[i])
		if !ok {
			return Glyph{}, false
		}
		g.put(part, width, place)
	}
	return g, true
}

// layOut says where the parts of a sign stand, and whether there is a ring.
func layOut(sign rune, parts []rune) (places []cell, ringed bool) {
	const half = FullWidth / 2
	switch n := len(parts); {
	case sign >= '①' && sign <= '⑳' && n == 1:
		return []cell{{6, 3, 18, 21}}, true
	case sign >= '①' && sign <= '⑳':
		return []cell{{4, 5, 12, 19}, {12, 5, 20, 19}}, true
	case sign >= '㊤' && sign <= '㊨':
		return []cell{{5, 5, 19, 19}}, true
	case n == 3 && parts[0] == '(':
		return []cell{{0, 0, 5, Height}, {4, 2, 20, 22}, {19, 0, FullWidth, Height}}, false
	case n == 1:
		return []cell{{half / 2, 0, half + half/2, Height}}, false
	case n == 2:
		return []cell{{0, 0, half, Height}, {half, 0, FullWidth, Height}}, false
	case n == 3 && parts[0] < 0x80:
		return []cell{{0, 2, 8, 22}, {8, 2, 16, 22}, {16, 2, FullWidth, 22}}, false
	default: // kana in two rows
		across := (n + 1) / 2
		for i := range n {
			x, y := i%across, i/across*half
			places = append(places, cell{x * FullWidth / across, y, (x + 1) * FullWidth / across, y + half})
		}
		return places, false
	}
}

// part is the glyph of one part, and how wide it is.
func (f *fonts) part(r rune) (g Glyph, width int, ok bool) {
	if r < 0x80 {
		g, ok = f.latin[code(0, int(r))]
		return g, HalfWidth, ok
	}
	jis, err := japanese.EUCJP.NewEncoder().Bytes([]byte(string(r)))
	if err != nil || len(jis) != 2 {
		return Glyph{}, 0, false
	}
	g, ok = f.kanji[code(int(jis[0]&0x7F), int(jis[1]&0x7F))]
	return g, FullWidth, ok
}

// put draws src, so many dots wide, into a place: a dot is black if any that
// falls on it is.
func (g *Glyph) put(src Glyph, width int, to cell) {
	for y, row := range src {
		for x := range width {
			if row<<x>>31 == 1 {
				dx, dy := to.x0+x*(to.x1-to.x0)/width, to.y0+y*(to.y1-to.y0)/Height
				g[dy] |= span(dx, dx+1)
			}
		}
	}
}

// ring is a circle of one and a half dots, as wide as a kanji.
func ring() (g Glyph) {
	const middle, outer, inner = FullWidth - 1, 24 * 24, 21 * 21 // in half dots
	for y := range Height {
		for x := range FullWidth {
			across, down := 2*x-middle, 2*y-middle
			if d := across*across + down*down; d <= outer && d >= inner {
				g[y] |= span(x, x+1)
			}
		}
	}
	return g
}
