// Package qr makes QR Codes, model 2 and micro, by ISO/IEC 18004.
package qr

import (
	"regi/sim/device/printer/internal/symbol"
	"regi/sim/device/printer/internal/symbol/field"
)

// Level is how much of a damaged symbol can be restored.
type Level int

// The levels: 7, 15, 25 and 30 %.
const (
	L Level = iota
	M
	Q
	H
)

// versionMax is the largest symbol: 177 modules.
const versionMax = 40

// checkWords a block and blocks, by level and version.
//
//nolint:gochecknoglobals // a constant table
var (
	checkWords = [4][versionMax]int{
		{7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30},
		{10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28},
		{13, 22, 18, 26, 18, 24, 18, 22, 20, 24, 28, 26, 24, 20, 30, 24, 28, 28, 26, 30, 28, 30, 30, 30, 30, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30},
		{17, 28, 22, 16, 22, 28, 26, 26, 24, 28, 24, 28, 22, 24, 24, 30, 28, 28, 26, 28, 30, 24, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30},
	}
	blocks = [4][versionMax]int{
		{1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25},
		{1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49},
		{1, 1, 2, 2, 4, 4, 6, 6, 8, 8, 8, 10, 12, 16, 12, 17, 16, 18, 21, 20, 23, 23, 25, 27, 29, 34, 34, 35, 38, 40, 43, 45, 48, 51, 53, 56, 59, 62, 65, 68},
		{1, 1, 2, 4, 4, 4, 5, 6, 8, 8, 11, 11, 16, 16, 18, 16, 19, 21, 25, 25, 25, 34, 30, 32, 35, 37, 40, 42, 45, 48, 51, 54, 57, 60, 63, 66, 70, 74, 77, 81},
	}
)

// Encode makes the smallest symbol of model 2 that holds the data.
func Encode(data []byte, level Level) (*symbol.Matrix, error) {
	if len(data) == 0 {
		return nil, symbol.ErrData
	}
	for _, group := range []struct {
		first, last int
		heads       [modes]int
	}{{1, 9, [modes]int{14, 13, 12, 12}}, {10, 26, [modes]int{16, 15, 20, 14}}, {27, 40, [modes]int{18, 17, 20, 16}}} {
		segments := split(data, group.heads)
		var b symbol.Bits
		for _, s := range segments {
			b.Add(indicators[s.mode], 4)
			b.Add(s.count(), group.heads[s.mode]-4)
			s.bits(&b)
		}
		for v := group.first; v <= group.last; v++ {
			if words := dataWords(v, level); b.Len() <= words*8 {
				return build(v, level, fill(&b, words)), nil
			}
		}
	}
	return nil, symbol.ErrData
}

// fill ends the bits and pads to so many words.
func fill(b *symbol.Bits, words int) []int {
	b.Add(0, min(4, words*8-b.Len()))
	b.Add(0, -b.Len()&7)
	for pad := 0xEC; b.Len() < words*8; pad ^= 0xEC ^ 0x11 {
		b.Add(pad, 8)
	}
	out := make([]int, words)
	for i := range out {
		out[i] = b.At(i*8, 8)
	}
	return out
}

// rawBits is how many modules of a version carry data and check words.
func rawBits(v int) int {
	n := (16*v+128)*v + 64
	if v >= 2 {
		a := v/7 + 2
		n -= (25*a-10)*a - 55
		if v >= 7 {
			n -= 36
		}
	}
	return n
}

func dataWords(v int, l Level) int {
	return rawBits(v)/8 - checkWords[l][v-1]*blocks[l][v-1]
}

// interleave cuts the data into blocks, adds their check words and shuffles all.
func interleave(v int, l Level, data []int) []int {
	f := field.New(256, 0x11D)
	n, check := blocks[l][v-1], checkWords[l][v-1]
	short, firstLong := len(data)/n, n-len(data)%n // from there on blocks have one more
	parts, checks := make([][]int, 0, n), make([][]int, 0, n)
	for i := range n {
		size := short
		if i >= firstLong {
			size++
		}
		parts = append(parts, data[:size])
		checks = append(checks, f.Check(data[:size], check, 0))
		data = data[size:]
	}
	var out []int
	for i := range short + 1 {
		for _, p := range parts {
			if i < len(p) {
				out = append(out, p[i])
			}
		}
	}
	for i := range check {
		for _, c := range checks {
			out = append(out, c[i])
		}
	}
	return out
}

// build draws the symbol with the mask that spoils it least.
func build(v int, l Level, data []int) *symbol.Matrix {
	words := interleave(v, l, data)
	var best *symbol.Matrix
	least := 0
	for mask := range 8 {
		d := newDrawing(17 + 4*v)
		d.patterns(v)
		d.format(formatBits(l, mask))
		d.data(words, rawBits(v), mask, 6)
		if p := penalty(d.Matrix); best == nil || p < least {
			best, least = d.Matrix, p
		}
	}
	return best
}

// formatBits are level and mask with their check bits.
func formatBits(l Level, mask int) int {
	data := [4]int{1, 0, 3, 2}[l]<<3 | mask
	return (data<<10 | remainder(data<<10, 0x537, 10)) ^ 0x5412
}

// remainder of a division by a polynomial of this degree.
func remainder(v, poly, degree int) int {
	for i := 20; i >= degree; i-- {
		if v>>i&1 == 1 {
			v ^= poly << (i - degree)
		}
	}
	return v
}
