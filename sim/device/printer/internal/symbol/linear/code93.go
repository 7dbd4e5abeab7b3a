package linear

import (
	"strings"

	"regi/sim/device/printer/internal/symbol"
)

const code93Set = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"

// The four shifts follow the set.
const (
	shiftDollar = 43 + iota
	shiftPercent
	shiftSlash
	shiftPlus
	startStop93
)

//nolint:gochecknoglobals // a constant table
var code93 = strings.Fields(`
	131112 111213 111312 111411 121113 121212 121311 111114 131211 141111
	211113 211212 211311 221112 221211 231111 112113 112212 112311 122112 132111 111123 111222
	111321 121122 131121 212112 212211 211122 211221 221121 222111 112122 112221 122121 123111
	121131 311112 311211 321111 112131 113121 211131 121221 312111 311121 122211 111141`)

// Code93 takes all of ASCII.
func Code93(data []byte) (symbol.Bars, error) {
	var v []int
	for _, c := range data {
		if c > 0x7F {
			return symbol.Bars{}, symbol.ErrData
		}
		v = append(v, values93(c)...)
	}
	if len(v) == 0 {
		return symbol.Bars{}, symbol.ErrData
	}
	v = append(v, weighted(v, 20))
	v = append(v, weighted(v, 15))
	b := symbol.Bars{Text: readable(data), Widths: widths(code93[startStop93])}
	for _, n := range v {
		b.Widths = append(b.Widths, widths(code93[n])...)
	}
	b.Widths = append(b.Widths, widths(code93[startStop93])...)
	b.Widths = append(b.Widths, 1)
	return b, nil
}

// weighted is a check character: weights from the right, 1 to most.
func weighted(v []int, most int) int {
	sum := 0
	for i, n := range v {
		sum += n * ((len(v)-1-i)%most + 1)
	}
	return sum % 47
}

// values93 is a character, with a shift before it where the set has it not.
func values93(c byte) []int {
	if i := strings.IndexByte(code93Set, c); i >= 0 {
		return []int{i}
	}
	letter := func(shift int, c, base byte) []int { return []int{shift, 10 + int(c-base)} }
	switch {
	case c == 0:
		return letter(shiftPercent, 'U', 'A')
	case c <= 26:
		return letter(shiftDollar, c, 1)
	case c <= 31:
		return letter(shiftPercent, c, 27)
	case c <= ',':
		return letter(shiftSlash, c, '!')
	case c == ':':
		return letter(shiftSlash, 'Z', 'A')
	case c <= '?':
		return letter(shiftPercent, c-';'+'F', 'A')
	case c == '@':
		return letter(shiftPercent, 'V', 'A')
	case c <= '_':
		return letter(shiftPercent, c-'['+'K', 'A')
	case c == '`':
		return letter(shiftPercent, 'W', 'A')
	case c <= 'z':
		return letter(shiftPlus, c, 'a')
	}
	return letter(shiftPercent, c-'{'+'P', 'A')
}

// readable is data as it stands beside the bars: a blank for each control
// character.
func readable(data []byte) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7F {
			return ' '
		}
		return r
	}, string(data))
}
