// Package symbol holds what a code reader looks at: bars, or a matrix of modules.
package symbol

import "errors"

// ErrData says that a symbology cannot hold the data: an illegal character, a
// wrong check digit, too long.
var ErrData = errors.New("data does not fit the code")

// Thick is the width of a wide element in the codes that know two widths only
// (Code 39, ITF, Codabar); how wide that is belongs to the printer.
const Thick = 0

// Bars is a linear code: the widths of bar, space, bar … in modules.
type Bars struct {
	Widths []int
	// Light: the first width is a space.
	Light bool
	// Text is what stands beside the bars for people to read.
	Text string
}

// Dots is the width when a module is narrow dots wide and a thick element thick.
func (b Bars) Dots(narrow, thick int) int {
	n := 0
	for _, w := range b.Widths {
		n += Wide(w, narrow, thick)
	}
	return n
}

// Wide is the width of one element in dots.
func Wide(w, narrow, thick int) int {
	if w == Thick {
		return thick
	}
	return w * narrow
}

// Matrix is a code of dark and light modules, without a quiet zone.
type Matrix struct {
	W, H int
	dark []bool
}

// NewMatrix is all light.
func NewMatrix(w, h int) *Matrix { return &Matrix{W: w, H: h, dark: make([]bool, w*h)} }

// Dark tells a module; what is outside is light.
func (m *Matrix) Dark(x, y int) bool {
	return x >= 0 && x < m.W && y >= 0 && y < m.H && m.dark[y*m.W+x]
}

// Set makes a module dark or light.
func (m *Matrix) Set(x, y int, dark bool) { m.dark[y*m.W+x] = dark }

// Run sets modules from x on, as widths of dark and light in turn.
func (m *Matrix) Run(x, y int, dark bool, widths ...int) int {
	for _, w := range widths {
		for range w {
			m.Set(x, y, dark)
			x++
		}
		dark = !dark
	}
	return x
}

// Bits is a string of bits in the making, the first one first.
type Bits struct{ bit []bool }

// Add appends the low n bits of v.
func (b *Bits) Add(v, n int) {
	for i := n - 1; i >= 0; i-- {
		b.bit = append(b.bit, v>>i&1 == 1)
	}
}

// Len is how many there are.
func (b *Bits) Len() int { return len(b.bit) }

// Put overwrites one bit.
func (b *Bits) Put(i int, v bool) { b.bit[i] = v }

// At is the n bits from i on, as a number; what is past the end is 0.
func (b *Bits) At(i, n int) int {
	v := 0
	for k := i; k < i+n; k++ {
		v <<= 1
		if k < len(b.bit) && b.bit[k] {
			v |= 1
		}
	}
	return v
}
