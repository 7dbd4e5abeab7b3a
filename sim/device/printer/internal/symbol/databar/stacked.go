package databar

import "regi/sim/device/printer/internal/symbol"

// Heights in modules.
const (
	upperHeight = 5
	lowerHeight = 7
	omniHeight  = 33
	rowHeight   = 34
)

// stack is rows of modules, each so many modules high.
type stack struct {
	rows    [][]bool
	heights []int
}

func (s *stack) add(row []bool, height int) {
	s.rows, s.heights = append(s.rows, row), append(s.heights, height)
}

func (s *stack) matrix() *symbol.Matrix {
	w, h := 0, 0
	for i, r := range s.rows {
		w, h = max(w, len(r)), h+s.heights[i]
	}
	m := symbol.NewMatrix(w, h)
	y := 0
	for i, r := range s.rows {
		for range s.heights[i] {
			for x, dark := range r {
				m.Set(x, y, dark)
			}
			y++
		}
	}
	return m
}

// modules spells widths out, the first of this colour.
func modules(w []int, dark bool) []bool {
	var out []bool
	for _, n := range w {
		for range n {
			out = append(out, dark)
		}
		dark = !dark
	}
	return out
}

// twoRows are the halves with guards: the upper begins with a space, the lower
// with a bar.
func twoRows(data []byte) (upper, lower []bool, err error) {
	v, _, err := gtin(data)
	if err != nil {
		return nil, nil, err
	}
	left, right := halves(v)
	upper = modules(append(append([]int{1, 1}, left...), 1, 1), false)
	lower = modules(append(append([]int{1, 1}, right...), 1, 1), true)
	return upper, lower, nil
}

// edge modules of a separator are light.
const edge = 4

// Stacked takes 13 digits.
func Stacked(data []byte) (*symbol.Matrix, error) {
	upper, lower, err := twoRows(data)
	if err != nil {
		return nil, err
	}
	between := make([]bool, len(upper))
	for i := 1; i < len(between)-edge; i++ {
		if upper[i] == lower[i] {
			between[i] = !upper[i]
		} else {
			between[i] = !between[i-1]
		}
	}
	clear(between[:edge])
	var s stack
	s.add(upper, upperHeight)
	s.add(between, 1)
	s.add(lower, lowerHeight)
	return s.matrix(), nil
}

// StackedOmnidirectional takes 13 digits.
func StackedOmnidirectional(data []byte) (*symbol.Matrix, error) {
	upper, lower, err := twoRows(data)
	if err != nil {
		return nil, err
	}
	// The finder is 15 modules, behind a guard and a character of 16; in the
	// lower row all is mirrored.
	finder := []int{18}
	var s stack
	s.add(upper, omniHeight)
	s.add(separator(upper, finder, 13), 1)
	s.add(dotted(len(upper)), 1)
	s.add(separator(lower, []int{19}, 13), 1)
	s.add(lower, omniHeight)
	return s.matrix(), nil
}

// separator is the row's complement; beside the finders, where it would look
// like one, light modules alternate.
func separator(row []bool, finders []int, length int) []bool {
	s := make([]bool, len(row))
	for i := range s {
		s[i] = !row[i]
	}
	for _, f := range finders {
		for i := f; i < f+length; i++ {
			s[i] = !row[i] && (row[i-1] || !s[i-1])
		}
	}
	for i := range edge {
		s[i], s[len(s)-1-i] = false, false
	}
	return s
}

// dotted is the middle one of three separators.
func dotted(n int) []bool {
	s := make([]bool, n)
	for i := edge; i < n-edge; i++ {
		s[i] = i%2 == 1
	}
	return s
}

// ExpandedStacked takes what [Expanded] takes, in rows of at most so many modules.
func ExpandedStacked(data []byte, wide int) (*symbol.Matrix, error) {
	// A row is two guards of 2 modules and pairs of characters around a finder.
	pairs := min(11, (wide-4)/(17+15+17))
	if pairs < 1 {
		return nil, symbol.ErrData
	}
	chars, marks, _, err := expanded(data, 2*pairs)
	if err != nil {
		return nil, err
	}
	var s stack
	rows := (len(chars) + 2*pairs - 1) / (2 * pairs)
	full := 0
	for r := range rows {
		row, at := rowOf(chars, marks, r, pairs)
		full = max(full, len(row))
		sep := separator(row, at, 15)
		if pairs%2 == 0 && r%2 == 1 {
			if len(row) < full && len(at)%2 == 1 {
				row, sep = append([]bool{false}, row...), append([]bool{false}, sep...)
			} else {
				row, sep = mirrored(row), mirrored(sep)
			}
		}
		if r > 0 {
			s.add(dotted(full), 1)
			s.add(sep, 1)
		}
		s.add(row, rowHeight)
		if r < rows-1 {
			s.add(sep, 1)
		}
	}
	return s.matrix(), nil
}

func mirrored(row []bool) []bool {
	out := make([]bool, len(row))
	for i, v := range row {
		out[len(row)-1-i] = v
	}
	return out
}

// rowOf is row r with guards, and where its finders' separators begin.
func rowOf(chars, marks [][]int, r, pairs int) (row []bool, finders []int) {
	w := []int{1, 1}
	for i := 2 * pairs * r; i < min(len(chars), 2*pairs*(r+1)); i++ {
		w = append(w, chars[i]...)
		if i%2 == 0 {
			w = append(w, marks[i/2]...)
		}
	}
	row = modules(append(w, 1, 1), pairs%2 == 1 && r%2 == 1)
	for x := 19; x+13 < len(row); x += 49 {
		finders = append(finders, x)
	}
	return row, finders
}
