// Package datamatrix makes Data Matrix symbols ECC 200, by ISO/IEC 16022.
//
// Of the standard's ways to write characters it uses ASCII, C40, Text and
// Base 256, one for the whole of the data, whichever is shortest.
package datamatrix

import (
	"regi/sim/device/printer/internal/symbol"
	"regi/sim/device/printer/internal/symbol/field"
)

// Encode makes the smallest square symbol, or rectangle, that holds the data;
// w and h ask for one size, 0 is any.
func Encode(data []byte, rectangle bool, w, h int) (*symbol.Matrix, error) {
	if len(data) == 0 || len(data) > 3116 {
		return nil, symbol.ErrData
	}
	for _, s := range sizes {
		if rectangle != (s.w != s.h) || w != 0 && w != s.w || h != 0 && h != s.h {
			continue
		}
		for _, write := range []func([]byte, int) []int{ascii, c40, text, base256} {
			if words := write(data, s.data); words != nil && len(words) <= s.data {
				return s.build(pad(words, s.data)), nil
			}
		}
	}
	return nil, symbol.ErrData
}

// pad fills up; the pads after the first are shuffled by their place.
func pad(words []int, n int) []int {
	for first := true; len(words) < n; first = false {
		v := 129
		if !first {
			if v += 149*(len(words)+1)%253 + 1; v > 254 {
				v -= 254
			}
		}
		words = append(words, v)
	}
	return words
}

// build adds the check words and draws the symbol.
func (s size) build(words []int) *symbol.Matrix {
	f := field.New(256, 0x12D)
	n := s.check / s.blocks
	all := append(words, make([]int, s.check)...)
	for b := range s.blocks {
		var part []int
		for i := b; i < s.data; i += s.blocks {
			part = append(part, words[i])
		}
		for i, c := range f.Check(part, n, 1) {
			all[s.data+i*s.blocks+b] = c
		}
	}
	m := symbol.NewMatrix(s.w, s.h)
	rw, rh := s.w/s.across-2, s.h/s.down-2 // of a region's inside
	place(rw*s.across, rh*s.down, func(x, y, word, bit int) {
		dark := word < 0 && bit == 1 || word >= 0 && all[word]>>(7-bit)&1 == 1
		m.Set(x/rw*(rw+2)+1+x%rw, y/rh*(rh+2)+1+y%rh, dark)
	})
	for y := range s.h {
		for x := range s.w {
			switch cx, cy := x%(rw+2), y%(rh+2); {
			case cx == 0 || cy == rh+1:
				m.Set(x, y, true)
			case cy == 0:
				m.Set(x, y, cx%2 == 0)
			case cx == rw+1:
				m.Set(x, y, cy%2 == 1)
			}
		}
	}
	return m
}

// place gives each module of the joined regions its word and bit (0 is the
// highest), as Annex F does; word -1 is a fixed module, dark if bit is 1.
func place(w, h int, set func(x, y, word, bit int)) {
	p := placing{w: w, h: h, done: make([]bool, w*h), set: set}
	for x, y := 0, 4; x < w || y < h; x, y = x+1, y+3 {
		p.corners(x, y)
		for again := true; again; again = x < w && y >= 0 { // up to the right
			p.utah(x, y)
			x, y = x+2, y-2
		}
		x, y = x+3, y+1
		for again := true; again; again = x >= 0 && y < h { // down to the left
			p.utah(x, y)
			x, y = x-2, y+2
		}
	}
	if !p.done[w*h-1] { // the corner that no word reaches
		set(w-1, h-1, -1, 1)
		set(w-2, h-2, -1, 1)
		set(w-2, h-1, -1, 0)
		set(w-1, h-2, -1, 0)
	}
}

type placing struct {
	w, h int
	word int
	done []bool
	set  func(x, y, word, bit int)
}

// module sets one bit; what leaves on one side comes in on the other.
func (p *placing) module(x, y, bit int) {
	if y < 0 {
		y, x = y+p.h, x+4-(p.h+4)%8
	}
	if x < 0 {
		x, y = x+p.w, y+4-(p.w+4)%8
	}
	p.done[y*p.w+x] = true
	p.set(x, y, p.word, bit)
}

// utah is the usual shape of a word, its last bit at x, y.
func (p *placing) utah(x, y int) {
	if x < 0 || x >= p.w || y < 0 || y >= p.h || p.done[y*p.w+x] {
		return
	}
	for bit, at := range [8][2]int{{-2, -2}, {-1, -2}, {-2, -1}, {-1, -1}, {0, -1}, {-2, 0}, {-1, 0}, {0, 0}} {
		p.module(x+at[0], y+at[1], bit)
	}
	p.word++
}

// corners are the words broken at the corners.
func (p *placing) corners(x, y int) {
	w, h := p.w, p.h
	var at [8][2]int
	switch {
	case y == h && x == 0:
		at = [8][2]int{{0, h - 1}, {1, h - 1}, {2, h - 1}, {w - 2, 0}, {w - 1, 0}, {w - 1, 1}, {w - 1, 2}, {w - 1, 3}}
	case y == h-2 && x == 0 && w%4 != 0:
		at = [8][2]int{{0, h - 3}, {0, h - 2}, {0, h - 1}, {w - 4, 0}, {w - 3, 0}, {w - 2, 0}, {w - 1, 0}, {w - 1, 1}}
	case y == h-2 && x == 0 && w%8 == 4:
		at = [8][2]int{{0, h - 3}, {0, h - 2}, {0, h - 1}, {w - 2, 0}, {w - 1, 0}, {w - 1, 1}, {w - 1, 2}, {w - 1, 3}}
	case y == h+4 && x == 2 && w%8 == 0:
		at = [8][2]int{{0, h - 1}, {w - 1, h - 1}, {w - 3, 0}, {w - 2, 0}, {w - 1, 0}, {w - 3, 1}, {w - 2, 1}, {w - 1, 1}}
	default:
		return
	}
	for bit, a := range at {
		p.module(a[0], a[1], bit)
	}
	p.word++
}
