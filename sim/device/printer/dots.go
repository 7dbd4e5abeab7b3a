package printer

import "regi/sim/device/printer/internal/font"

// dots is a rectangle of dots, eight a byte, the leftmost in bit 7.
type dots struct {
	w, h, stride int
	bits         []byte
}

func newDots(w, h int) *dots {
	stride := (w + 7) / 8
	return &dots{w: w, h: h, stride: stride, bits: make([]byte, stride*h)}
}

func (d *dots) row(y int) []byte { return d.bits[y*d.stride : (y+1)*d.stride] }

func (d *dots) at(x, y int) bool {
	return d.bits[y*d.stride+x/8]&(0x80>>(x%8)) != 0
}

// fill blackens a rectangle, as far as it lies inside.
func (d *dots) fill(x, y, w, h int) {
	for yy := max(0, y); yy < min(d.h, y+h); yy++ {
		for xx := max(0, x); xx < min(d.w, x+w); xx++ {
			d.bits[yy*d.stride+xx/8] |= 0x80 >> (xx % 8)
		}
	}
}

// clear whitens one dot.
func (d *dots) clear(x, y int) { d.bits[y*d.stride+x/8] &^= 0x80 >> (x % 8) }

// trim whitens what is behind the last dot of each row.
func (d *dots) trim() {
	if d.w%8 == 0 {
		return
	}
	for y := range d.h {
		d.bits[(y+1)*d.stride-1] &= 0xFF << (8 - d.w%8)
	}
}

// crop is the same, w dots wide at most.
func (d *dots) crop(w int) *dots {
	if d.w <= w {
		return d
	}
	c := newDots(w, d.h)
	for y := range d.h {
		copy(c.row(y), d.row(y))
	}
	c.trim()
	return c
}

// enlarge makes each dot sx × sy dots.
func (d *dots) enlarge(sx, sy int) *dots {
	if sx == 1 && sy == 1 {
		return d
	}
	e := newDots(d.w*sx, d.h*sy)
	for y := range d.h {
		for x := range d.w {
			if d.at(x, y) {
				e.fill(x*sx, y*sy, sx, sy)
			}
		}
	}
	return e
}

// draw adds the black dots of src at x, y ≥ 0; what falls outside is lost.
func (d *dots) draw(src *dots, x, y int) {
	first, shift := x/8, x%8
	for sy := range min(src.h, d.h-y) {
		to := d.row(y + sy)
		for i, b := range src.row(sy) {
			if at := first + i; at < len(to) {
				to[at] |= b >> shift
			}
			if at := first + i + 1; at < len(to) {
				to[at] |= b << (8 - shift)
			}
		}
	}
}

// invert is white on black.
func (d *dots) invert() {
	last := byte(0xFF) << (d.stride*8 - d.w) // the rest of the byte stays white
	for y := range d.h {
		row := d.row(y)
		for i := range row {
			row[i] ^= 0xFF
		}
		row[len(row)-1] &= last
	}
}

// turn is the same upside down.
func (d *dots) turn() *dots {
	t := newDots(d.w, d.h)
	for y := range d.h {
		for x := range d.w {
			if d.at(x, y) {
				t.fill(d.w-1-x, d.h-1-y, 1, 1)
			}
		}
	}
	return t
}

// look is how one character is drawn.
type look struct {
	w, h          int // of the glyph
	before, after int // blank dots beside it
	sx, sy        int // times as wide and high, the blank too
	bold, reverse bool
	underline     int // dots thick
}

// cell draws a glyph with its surroundings.
func (l look) cell(g font.Glyph) *dots {
	d := newDots((l.before+l.w+l.after)*l.sx, l.h*l.sy)
	strike := 0
	if l.bold {
		strike = 1 // struck a second time, one dot to the right
	}
	for y, row := range g[:min(l.h, len(g))] {
		for x := range l.w {
			if row<<x>>31 == 1 {
				d.fill((l.before+x)*l.sx, y*l.sy, l.sx+strike, l.sy)
			}
		}
	}
	switch {
	case l.reverse: // has no underline
		d.invert()
	case l.underline > 0:
		d.fill(0, d.h-l.underline, d.w, l.underline)
	}
	return d
}

// shrink makes a glyph of font A (12×24) into one of font B (9×17): each dot is
// black if one of those it stands for is.
func shrink(g font.Glyph) font.Glyph {
	var s font.Glyph
	for y := range fontBHeight {
		for yy := y * font.Height / fontBHeight; yy < (y+1)*font.Height/fontBHeight; yy++ {
			for x := range fontBWidth {
				for xx := x * font.HalfWidth / fontBWidth; xx < (x+1)*font.HalfWidth/fontBWidth; xx++ {
					s[y] |= g[yy] << xx >> 31 << (31 - x)
				}
			}
		}
	}
	return s
}

// Font B.
const (
	fontBWidth  = 9
	fontBHeight = 17
)
