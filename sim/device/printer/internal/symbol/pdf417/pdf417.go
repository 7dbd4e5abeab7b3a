// Package pdf417 makes PDF417 symbols, by ISO/IEC 15438.
package pdf417

import (
	_ "embed" // the patterns
	"encoding/binary"

	"regi/sim/device/printer/internal/symbol"
)

// Limits of a symbol.
const (
	columnsMax = 30
	rowsMin    = 3
	rowsMax    = 90
	wordsMax   = 928
	levelMax   = 8
)

// Widths in modules.
const (
	startWidth = 17
	stopWidth  = 18
	wordWidth  = 17
)

// Options of a symbol.
type Options struct {
	// Columns and Rows of data words; 0 is chosen.
	Columns, Rows int
	// Level of correction, 0 to 8.
	Level int
	// Ratio, if it is not 0, chooses the level: check words for Ratio × 10 % of
	// the data words.
	Ratio int
	// Truncated leaves out the right row indicator and most of the stop pattern.
	Truncated bool
	// ModulesMax bounds the width of a symbol whose columns are chosen; 0 does not.
	ModulesMax int
	// RowModules is how high a row will be, for the shape of a symbol.
	RowModules int
}

//go:embed data/clusters.bin
var clusters []byte

// pattern is the 17 modules of a word in a row's cluster.
func pattern(row, word int) int {
	return 1<<16 | int(binary.BigEndian.Uint16(clusters[(row%3*929+word)*2:]))
}

// Encode makes a symbol; each row is one module high.
func Encode(data []byte, o Options) (*symbol.Matrix, error) {
	if len(data) == 0 || len(data) > 3*wordsMax {
		return nil, symbol.ErrData
	}
	words := compact(data)
	if o.Ratio > 0 {
		o.Level = levelFor(len(words) * o.Ratio / 10)
	}
	check := 2 << min(o.Level, levelMax)
	columns, rows, ok := o.shape(1 + len(words) + check)
	if !ok {
		return nil, symbol.ErrData
	}
	n := columns*rows - check // words before the check words, their number first
	all := append([]int{n}, words...)
	for len(all) < n {
		all = append(all, latchText) // pads
	}
	all = append(all, checkWords(all, check)...)
	return o.draw(all, columns, rows), nil
}

// levelFor is Epson's choice for so many wanted check words.
func levelFor(check int) int {
	for level, most := range []int{0, 3, 10, 20, 45, 100, 200, 400} {
		if level > 0 && check <= most {
			return level
		}
	}
	return levelMax
}

// shape chooses columns and rows for so many words.
func (o Options) shape(words int) (columns, rows int, ok bool) {
	fits := func(c, r int) bool { return r >= rowsMin && r <= rowsMax && c*r <= wordsMax && c*r >= words }
	need := func(c int) int { return max(rowsMin, (words+c-1)/c) }
	switch {
	case o.Columns > 0 && o.Rows > 0:
		return o.Columns, o.Rows, fits(o.Columns, o.Rows)
	case o.Columns > 0:
		return o.Columns, need(o.Columns), fits(o.Columns, need(o.Columns))
	}
	best := 0
	for c := 1; c <= columnsMax; c++ {
		r := need(c)
		if o.Rows > 0 {
			r = o.Rows
		}
		if !fits(c, r) || o.ModulesMax > 0 && o.width(c) > o.ModulesMax {
			continue
		}
		// About twice as wide as high.
		off := o.width(c) - 2*r*max(1, o.RowModules)
		if off = max(off, -off); columns == 0 || off < best {
			columns, rows, best = c, r, off
		}
	}
	return columns, rows, columns > 0
}

// width of a symbol in modules.
func (o Options) width(columns int) int {
	if o.Truncated {
		return startWidth + wordWidth*(columns+1) + 1
	}
	return startWidth + wordWidth*(columns+2) + stopWidth
}

// checkWords are the words of Reed and Solomon over the integers modulo 929.
func checkWords(data []int, n int) []int {
	const p = 929
	generator := make([]int, n) // without its leading 1, highest power first
	generator[n-1] = 1
	root := 3
	for range n {
		for j := range n {
			generator[j] = generator[j] * (p - root) % p
			if j+1 < n {
				generator[j] = (generator[j] + generator[j+1]) % p
			}
		}
		root = root * 3 % p
	}
	rest := make([]int, n)
	for _, d := range data {
		lead := (d + rest[0]) % p
		copy(rest, rest[1:])
		rest[n-1] = 0
		for j, g := range generator {
			rest[j] = (rest[j] + (p-g)*lead) % p
		}
	}
	for j := range rest {
		rest[j] = (p - rest[j]) % p
	}
	return rest
}

// draw sets start, row indicators, words and stop.
func (o Options) draw(words []int, columns, rows int) *symbol.Matrix {
	m := symbol.NewMatrix(o.width(columns), rows)
	level := 0
	for 2<<level < len(words)-words[0] {
		level++
	}
	for y := range rows {
		about := [3]int{(rows - 1) / 3, level*3 + (rows-1)%3, columns - 1}
		left, right := y/3*30+about[y%3], y/3*30+about[(y+2)%3]
		x := m.Run(0, y, true, 8, 1, 1, 1, 1, 1, 1, 3)
		x = put(m, x, y, left)
		for _, w := range words[y*columns : (y+1)*columns] {
			x = put(m, x, y, w)
		}
		if o.Truncated {
			m.Set(x, y, true)
			continue
		}
		x = put(m, x, y, right)
		m.Run(x, y, true, 7, 1, 1, 3, 1, 1, 1, 2, 1)
	}
	return m
}

func put(m *symbol.Matrix, x, y, word int) int {
	for bit := wordWidth - 1; bit >= 0; bit-- {
		m.Set(x, y, pattern(y, word)>>bit&1 == 1)
		x++
	}
	return x
}
