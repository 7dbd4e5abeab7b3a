package qr

import (
	"regi/sim/device/printer/internal/symbol"
	"regi/sim/device/printer/internal/symbol/field"
)

// microSymbol is one version and level of Micro QR Code.
type microSymbol struct {
	version int // M1 to M4: 9 + 2 × version modules
	level   Level
	number  int // in the format bits
	bits    int // of data; M1 and M3 end in half a word
	check   int
}

//nolint:gochecknoglobals // a constant table
var microSymbols = []microSymbol{
	{1, L, 0, 20, 2},
	{2, L, 1, 40, 5},
	{2, M, 2, 32, 6},
	{3, L, 3, 84, 6},
	{3, M, 4, 68, 8},
	{4, L, 5, 128, 8},
	{4, M, 6, 112, 10},
	{4, Q, 7, 80, 14},
}

// microHeads are the bits of the counts, by version; 0 is not possible.
//
//nolint:gochecknoglobals // a constant table
var microHeads = [5][modes]int{{}, {3}, {4, 3}, {5, 4, 4, 3}, {6, 5, 5, 4}}

// Micro makes the smallest Micro QR Code that holds the data at this level or,
// for L, with the little that M1 has.
func Micro(data []byte, level Level) (*symbol.Matrix, error) {
	for _, s := range microSymbols {
		if len(data) == 0 || s.level != level {
			continue
		}
		heads := microHeads[s.version]
		for m := range heads {
			if heads[m] > 0 {
				heads[m] += s.version - 1 // bits of the mode
			}
		}
		segments := split(data, heads)
		if segments == nil {
			continue
		}
		var b symbol.Bits
		for _, p := range segments {
			b.Add(int(p.mode), s.version-1)
			b.Add(p.count(), microHeads[s.version][p.mode])
			p.bits(&b)
		}
		if b.Len() <= s.bits {
			return s.build(&b), nil
		}
	}
	return nil, symbol.ErrData
}

// build ends the bits and draws the symbol with the best mask.
func (s microSymbol) build(b *symbol.Bits) *symbol.Matrix {
	b.Add(0, min(2*s.version+1, s.bits-b.Len()))
	b.Add(0, min(-b.Len()&7, s.bits-b.Len()))
	for pad := 0xEC; b.Len()+8 <= s.bits; pad ^= 0xEC ^ 0x11 {
		b.Add(pad, 8)
	}
	b.Add(0, s.bits-b.Len())
	words := make([]int, (s.bits+7)/8)
	for i := range words {
		words[i] = b.At(i*8, min(8, s.bits-i*8))
	}
	var stream symbol.Bits
	for i, c := range words {
		stream.Add(c, min(8, s.bits-i*8))
	}
	if s.bits%8 != 0 { // the half word is the high half for the check words
		words[len(words)-1] <<= 4
	}
	for _, c := range field.New(256, 0x11D).Check(words, s.check, 0) {
		stream.Add(c, 8)
	}
	all := make([]int, (stream.Len()+7)/8)
	for i := range all {
		all[i] = stream.At(i*8, 8)
	}
	var best *symbol.Matrix
	most := -1
	for n, mask := range [4]int{1, 4, 6, 7} {
		d := newDrawing(9 + 2*s.version)
		for i := range d.W {
			d.put(i, 0, i%2 == 0)
			d.put(0, i, i%2 == 0)
		}
		d.finder(3, 3)
		d.microFormat(s.number<<2 | n)
		d.data(all, stream.Len(), mask, 0)
		if score := microScore(d.Matrix); score > most {
			best, most = d.Matrix, score
		}
	}
	return best
}

// microFormat writes symbol number and mask around the finder.
func (d drawing) microFormat(v int) {
	bits := (v<<10 | remainder(v<<10, 0x537, 10)) ^ 0x4445
	for i := range 8 {
		d.put(8, i+1, bits>>i&1 == 1)
	}
	for i := 8; i < 15; i++ {
		d.put(15-i, 8, bits>>i&1 == 1)
	}
}

// microScore counts dark modules on the two sides without a timing pattern.
func microScore(m *symbol.Matrix) int {
	a, b := 0, 0
	for i := 1; i < m.W; i++ {
		if m.Dark(m.W-1, i) {
			a++
		}
		if m.Dark(i, m.H-1) {
			b++
		}
	}
	return min(a, b)*16 + max(a, b)
}
