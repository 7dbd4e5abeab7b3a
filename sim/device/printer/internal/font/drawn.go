package font

import "strings"

// Box drawing and block characters are made of strokes, not of stored dots, so
// that rules of any length join.

// arms are the strokes from the middle of the cell to its edges.
type arms struct{ left, right, up, down stroke }

type stroke uint8

const (
	none stroke = iota
	single
	double
)

// boxes lists the characters of each combination of strokes; in left, right, up,
// down 0 is none, 1 single, 2 double.
//
//nolint:gochecknoglobals // a constant table
var boxes = map[rune]arms{
	'─': {1, 1, 0, 0}, '│': {0, 0, 1, 1}, '┌': {0, 1, 0, 1}, '┐': {1, 0, 0, 1}, '└': {0, 1, 1, 0}, '┘': {1, 0, 1, 0},
	'├': {0, 1, 1, 1}, '┤': {1, 0, 1, 1}, '┬': {1, 1, 0, 1}, '┴': {1, 1, 1, 0}, '┼': {1, 1, 1, 1},
	'╭': {0, 1, 0, 1}, '╮': {1, 0, 0, 1}, '╰': {0, 1, 1, 0}, '╯': {1, 0, 1, 0},
	'═': {2, 2, 0, 0}, '║': {0, 0, 2, 2}, '╔': {0, 2, 0, 2}, '╗': {2, 0, 0, 2}, '╚': {0, 2, 2, 0}, '╝': {2, 0, 2, 0},
	'╠': {0, 2, 2, 2}, '╣': {2, 0, 2, 2}, '╦': {2, 2, 0, 2}, '╩': {2, 2, 2, 0}, '╬': {2, 2, 2, 2},
	'╒': {0, 2, 0, 1}, '╓': {0, 1, 0, 2}, '╕': {2, 0, 0, 1}, '╖': {1, 0, 0, 2}, '╘': {0, 2, 1, 0}, '╙': {0, 1, 2, 0},
	'╛': {2, 0, 1, 0}, '╜': {1, 0, 2, 0}, '╞': {0, 2, 1, 1}, '╟': {0, 1, 2, 2}, '╡': {2, 0, 1, 1}, '╢': {1, 0, 2, 2},
	'╤': {2, 2, 0, 1}, '╥': {1, 1, 0, 2}, '╧': {2, 2, 1, 0}, '╨': {1, 1, 2, 0}, '╪': {2, 2, 1, 1}, '╫': {1, 1, 2, 2},
}

// The blocks that grow: eighths from the bottom, and from the left.
const (
	lowerBlocks = "▁▂▃▄▅▆▇█"
	leftBlocks  = "▏▎▍▌▋▊▉"
)

func drawn(r rune) (Glyph, bool) {
	if a, ok := boxes[r]; ok {
		return a.draw(), true
	}
	if n := index(lowerBlocks, r); n > 0 {
		return fill(0, HalfWidth, Height-Height*n/8, Height), true
	}
	if n := index(leftBlocks, r); n > 0 {
		return fill(0, max(1, HalfWidth*n/8), 0, Height), true
	}
	switch r {
	case '▔':
		return fill(0, HalfWidth, 0, Height/8), true
	case '▕':
		return fill(HalfWidth-2, HalfWidth, 0, Height), true
	case '▀':
		return fill(0, HalfWidth, 0, Height/2), true
	case '▐':
		return fill(HalfWidth/2, HalfWidth, 0, Height), true
	case '■':
		return fill(1, HalfWidth-1, 7, 17), true
	case '░':
		return shade(0x11111111, 0x44444444), true
	case '▒':
		return shade(0x55555555, 0xAAAAAAAA), true
	case '▓':
		return shade(0xEEEEEEEE, 0xBBBBBBBB), true
	}
	return Glyph{}, false
}

// index counts characters from 1; 0 is absent.
func index(set string, r rune) int {
	i := strings.IndexRune(set, r)
	if i < 0 {
		return 0
	}
	return len([]rune(set[:i])) + 1
}

func fill(x0, x1, y0, y1 int) Glyph {
	var g Glyph
	for y := y0; y < y1; y++ {
		g[y] = span(x0, x1)
	}
	return g
}

func shade(even, odd uint32) Glyph {
	g := fill(0, HalfWidth, 0, Height)
	for y := range g {
		if y%2 == 0 {
			g[y] &= even
		} else {
			g[y] &= odd
		}
	}
	return g
}

// draw places strokes 2 dots thick; a double one is two of them, 2 dots apart.
func (a arms) draw() Glyph {
	const midX, midY, gap = HalfWidth / 2, Height / 2, 2
	var g Glyph
	for _, h := range []struct {
		s      stroke
		x0, x1 int
	}{{a.left, 0, midX + gap + 1}, {a.right, midX - gap - 1, HalfWidth}} {
		for _, y := range lanes(h.s, midY, gap) {
			g[y] |= span(h.x0, h.x1)
			g[y+1] |= span(h.x0, h.x1)
		}
	}
	for _, v := range []struct {
		s      stroke
		y0, y1 int
	}{{a.up, 0, midY + gap + 1}, {a.down, midY - gap - 1, Height}} {
		for _, x := range lanes(v.s, midX, gap) {
			for y := v.y0; y < v.y1; y++ {
				g[y] |= span(x, x+2)
			}
		}
	}
	return a.trim(g)
}

// trim takes off what sticks out behind a corner or a T of single strokes.
func (a arms) trim(g Glyph) Glyph {
	const midX, midY = HalfWidth / 2, Height / 2
	wide := a.left == double || a.right == double || a.up == double || a.down == double
	if wide {
		return g
	}
	for y := range g {
		if a.left == none && (y >= midY-1 && y <= midY) {
			g[y] &= span(midX-1, HalfWidth)
		}
		if a.right == none && (y >= midY-1 && y <= midY) {
			g[y] &= span(0, midX+1)
		}
		if a.up == none && y < midY-1 || a.down == none && y > midY {
			g[y] = 0
		}
	}
	return g
}

// lanes are the first dots of the strokes across the middle.
func lanes(s stroke, mid, gap int) []int {
	switch s {
	case single:
		return []int{mid - 1}
	case double:
		return []int{mid - 1 - gap, mid - 1 + gap}
	case none:
	}
	return nil
}
