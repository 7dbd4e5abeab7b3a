package databar

import (
	"strings"

	"regi/sim/device/printer/internal/symbol"
)

// The characters of an expanded symbol: 17 modules, 12 bits.
//
//nolint:gochecknoglobals // constant tables
var (
	wide = []group{
		{0, 12, 5, 7, 2, 4, evenHalf, true, 4},
		{348, 10, 7, 5, 4, 20, evenHalf, true, 4},
		{1388, 8, 9, 4, 5, 52, evenHalf, true, 4},
		{2948, 6, 11, 3, 6, 104, evenHalf, true, 4},
		{3988, 4, 13, 1, 8, 204, evenHalf, true, 4},
	}
	marks = map[byte][]int{
		'A': {1, 8, 4, 1, 1}, 'B': {3, 6, 4, 1, 1}, 'C': {3, 4, 6, 1, 1}, 'D': {3, 2, 8, 1, 1}, 'E': {2, 6, 5, 1, 1}, 'F': {2, 2, 9, 1, 1},
	}
	// sequences of finders, by their number from 2 to 11; a small letter is
	// mirrored.
	sequences = [...]string{"Aa", "AbB", "AcBd", "AeBdC", "AeBdDf", "AeBdEfF", "AaBbCcDd", "AaBbCcDeE", "AaBbCcDeFf", "AaBbCdDeEfF"}
)

// Limits of an expanded symbol.
const (
	charsMin = 4
	charsMax = 22
	wordBits = 12
	// perRow is 0 where there are no rows.
	noRows = 0
)

// Expanded takes element strings. Parentheses are for people only; {( and {)
// are the characters, {1 is FNC1.
func Expanded(data []byte) (symbol.Bars, error) {
	chars, finders, text, err := expanded(data, noRows)
	if err != nil {
		return symbol.Bars{}, err
	}
	w := []int{1, 1}
	for i, c := range chars {
		w = append(w, c...)
		if i%2 == 0 {
			w = append(w, finders[i/2]...)
		}
	}
	return symbol.Bars{Widths: append(w, 1, 1), Light: true, Text: text}, nil
}

// expanded are the characters as they stand, the check character first, and the
// finders between the first and second, third and fourth …
func expanded(data []byte, perRow int) (chars, finders [][]int, text string, err error) {
	plain, text, err := elements(data)
	if err != nil {
		return nil, nil, "", err
	}
	words := compact(plain, perRow)
	n := len(words) + 1
	if n > charsMax {
		return nil, nil, "", symbol.ErrData
	}
	sequence := sequences[(n+1)/2-2]
	check := 0
	for i, v := range words {
		c := character(wide, v)
		// The weights go by the finder beside which the character stands.
		f := sequence[(i+1)/2]
		mirror := f >= 'a'
		place := 2 * int(f&^0x20-'A')
		if mirror {
			place++
		}
		right := i%2 == 0
		row := 2*place - 1
		if right {
			row++
		}
		check += sum(c, 8*row, 211)
		if right { // of the finder: mirrored
			c = reversed(c)
		}
		chars = append(chars, c)
	}
	chars = append([][]int{character(wide, 211*(n-charsMin)+check%211)}, chars...)
	for i := range sequence {
		m := marks[sequence[i]&^0x20]
		if sequence[i] >= 'a' {
			m = reversed(m)
		}
		finders = append(finders, m)
	}
	return chars, finders, text, nil
}

// fnc1 is FNC1 among the characters.
const fnc1 = 0x1D

// elements takes the parentheses out.
func elements(data []byte) (plain []byte, text string, err error) {
	var b strings.Builder
	for i := 0; i < len(data); i++ {
		c := data[i]
		switch c {
		case '(', ')':
			b.WriteByte(c)
			continue
		case '{':
			i++
			if i == len(data) {
				return nil, "", symbol.ErrData
			}
			switch c = data[i]; c {
			case '1':
				plain = append(plain, fnc1)
				continue
			case '(', ')':
			default:
				return nil, "", symbol.ErrData
			}
		}
		if in646(c) == 0 && !isDigit(c) {
			return nil, "", symbol.ErrData
		}
		plain = append(plain, c)
		b.WriteByte(c)
	}
	if len(plain) == 0 {
		return nil, "", symbol.ErrData
	}
	return plain, b.String(), nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// inAlpha is the code of a character, and how many bits it has, in alphanumeric
// encodation; 0 is none.
func inAlpha(c byte) (code, bits int) {
	switch {
	case isDigit(c):
		return int(c-'0') + 5, 5
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 32, 6
	}
	if i := strings.IndexByte("*,-./", c); i >= 0 {
		return i + 58, 6
	}
	return 0, 0
}

// in646 is the code of a character in ISO/IEC 646 encodation; 0 is none. Digits
// have the code of [inAlpha].
func in646(c byte) int {
	switch {
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 64
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 90
	}
	if i := strings.IndexByte("!\"%&'()*+,-./:;<=>?_ ", c); i >= 0 {
		return i + 232
	}
	return 0
}
