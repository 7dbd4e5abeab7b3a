package barcode

import (
	"fmt"

	"regi/drivers"
)

// dmSize is a square symbol of Data Matrix ECC 200 (ISO/IEC 16022, table 7).
type dmSize struct{ size, regions, data, check, blocks int }

//nolint:gochecknoglobals // a constant table
var dmSizes = [...]dmSize{
	{10, 1, 3, 5, 1},
	{12, 1, 5, 7, 1},
	{14, 1, 8, 10, 1},
	{16, 1, 12, 12, 1},
	{18, 1, 18, 14, 1},
	{20, 1, 22, 18, 1},
	{22, 1, 30, 20, 1},
	{24, 1, 36, 24, 1},
	{26, 1, 44, 28, 1},
	{32, 2, 62, 36, 1},
	{36, 2, 86, 42, 1},
	{40, 2, 114, 48, 1},
	{44, 2, 144, 56, 1},
	{48, 2, 174, 68, 1},
	{52, 2, 204, 84, 2},
	{64, 4, 280, 112, 2},
	{72, 4, 368, 144, 4},
	{80, 4, 456, 192, 4},
	{88, 4, 576, 224, 4},
	{96, 4, 696, 272, 4},
	{104, 4, 816, 336, 6},
	{120, 6, 1050, 408, 6},
	{132, 6, 1304, 496, 8},
}

// DataMatrix draws bytes (ASCII and base 256 by shift). Its error wraps
// drivers.ErrTooLong.
func DataMatrix(data string) (Matrix, error) {
	words := dmWords(data)
	for _, s := range dmSizes {
		if len(words) > s.data {
			continue
		}
		words = dmFill(words, s.data)
		return s.draw(s.correct(words)), nil
	}
	return Matrix{}, fmt.Errorf("barcode: %d bytes in a Data Matrix: %w", len(data), drivers.ErrTooLong)
}

// Codewords of ASCII encodation.
const (
	dmPad, dmPairs, dmUpper = 129, 130, 235
)

func dmWords(data string) []byte {
	var words []byte
	for data != "" {
		c := data[0]
		switch {
		case digitRun(data) >= 2:
			words = append(words, dmPairs+10*(c-'0')+data[1]-'0')
			data = data[1:]
		case c >= 0x80:
			words = append(words, dmUpper, c-0x80+1)
		default:
			words = append(words, c+1)
		}
		data = data[1:]
	}
	return words
}

// dmFill pads to n words: the first pad is plain, the others scrambled by their
// place.
func dmFill(words []byte, n int) []byte {
	if len(words) < n {
		words = append(words, dmPad)
	}
	for len(words) < n {
		v := dmPad + (149*(len(words)+1))%253 + 1
		if v > 254 {
			v -= 254
		}
		words = append(words, byte(v)) //nolint:gosec // 1 to 254
	}
	return words
}

// correct adds the error correction; blocks are interleaved word by word.
func (s dmSize) correct(words []byte) []byte {
	f := newField(dataMatrixPolynomial)
	each := s.check / s.blocks
	generator := f.generator(each, 1)
	out := append(make([]byte, 0, s.data+s.check), words...)
	out = append(out, make([]byte, s.check)...)
	for b := range s.blocks {
		var part []byte
		for i := b; i < s.data; i += s.blocks {
			part = append(part, words[i])
		}
		for i, c := range f.remainder(part, generator) {
			out[s.data+i*s.blocks+b] = c
		}
	}
	return out
}

// draw places the words in the mapping matrix and frames its regions.
func (s dmSize) draw(words []byte) Matrix {
	inner := s.size - 2*s.regions
	m := mapping{n: inner, words: words, cells: make([]int8, inner*inner)}
	m.place()
	out := newMatrix(s.size)
	region := inner / s.regions
	for y := range s.size {
		for x := range s.size {
			rx, ry := x%(region+2), y%(region+2)
			var black bool
			switch {
			case rx == 0, ry == region+1:
				black = true
			case ry == 0:
				black = rx%2 == 0
			case rx == region+1:
				black = ry%2 == 1
			default:
				black = m.cells[(y/(region+2)*region+ry-1)*inner+x/(region+2)*region+rx-1] == dmBlack
			}
			out.black[y*s.size+x] = black
		}
	}
	return out
}

// Cells of a mapping.
const (
	dmWhite = 1
	dmBlack = 2
)

// mapping is the matrix of ISO/IEC 16022, annex F: words lie in it as L-shaped
// groups of eight along diagonals.
type mapping struct {
	n     int
	words []byte
	cells []int8 // 0 is free
}

func (m *mapping) bit(row, col int, word byte, bit int) {
	if row < 0 {
		row += m.n
		col += 4 - (m.n+4)%8
	}
	if col < 0 {
		col += m.n
		row += 4 - (m.n+4)%8
	}
	m.cells[row*m.n+col] = dmWhite + int8(word>>(7-bit)&1)
}

func (m *mapping) next() (w byte) {
	if len(m.words) > 0 {
		w, m.words = m.words[0], m.words[1:]
	}
	return w
}

// utah is the usual shape, named after the state.
func (m *mapping) utah(row, col int) {
	w := m.next()
	for i, d := range [8][2]int{{-2, -2}, {-2, -1}, {-1, -2}, {-1, -1}, {-1, 0}, {0, -2}, {0, -1}, {0, 0}} {
		m.bit(row+d[0], col+d[1], w, i)
	}
}

// corner is one of four shapes that hang together over the edges; negative
// places count from the far end.
func (m *mapping) corner(at [8][2]int) {
	w := m.next()
	for i, p := range at {
		row, col := p[0], p[1]
		if row < 0 {
			row += m.n
		}
		if col < 0 {
			col += m.n
		}
		m.bit(row, col, w, i)
	}
}

func (m *mapping) free(row, col int) bool { return m.cells[row*m.n+col] == 0 }

func (m *mapping) place() {
	row, col := 4, 0
	for row < m.n || col < m.n {
		m.corners(row, col)
		for ; row >= 0 && col < m.n; row, col = row-2, col+2 {
			if row < m.n && col >= 0 && m.free(row, col) {
				m.utah(row, col)
			}
		}
		row, col = row+1, col+3
		for ; row < m.n && col >= 0; row, col = row+2, col-2 {
			if row >= 0 && col < m.n && m.free(row, col) {
				m.utah(row, col)
			}
		}
		row, col = row+3, col+1
	}
	if last := m.n*m.n - 1; m.cells[last] == 0 {
		m.cells[last], m.cells[last-m.n-1] = dmBlack, dmBlack
	}
}

func (m *mapping) corners(row, col int) {
	switch {
	case row == m.n && col == 0:
		m.corner([8][2]int{{-1, 0}, {-1, 1}, {-1, 2}, {0, -2}, {0, -1}, {1, -1}, {2, -1}, {3, -1}})
	case row == m.n-2 && col == 0 && m.n%4 != 0:
		m.corner([8][2]int{{-3, 0}, {-2, 0}, {-1, 0}, {0, -4}, {0, -3}, {0, -2}, {0, -1}, {1, -1}})
	case row == m.n-2 && col == 0 && m.n%8 == 4:
		m.corner([8][2]int{{-3, 0}, {-2, 0}, {-1, 0}, {0, -2}, {0, -1}, {1, -1}, {2, -1}, {3, -1}})
	case row == m.n+4 && col == 2 && m.n%8 == 0:
		m.corner([8][2]int{{-1, 0}, {-1, -1}, {0, -3}, {0, -2}, {0, -1}, {1, -3}, {1, -2}, {1, -1}})
	}
}
