// Package databar makes the symbols of the GS1 DataBar family, by ISO/IEC 24724:
// omnidirectional, stacked, limited, expanded.
package databar

import (
	"strconv"

	"regi/sim/device/printer/internal/symbol"
)

// The characters of an omnidirectional symbol: 16 modules outside, 15 inside.
//
//nolint:gochecknoglobals // constant tables
var (
	outside = []group{
		{0, 12, 4, 8, 1, 1, evenHalf, false, 4},
		{161, 10, 6, 6, 3, 10, evenHalf, false, 4},
		{961, 8, 8, 4, 5, 34, evenHalf, false, 4},
		{2015, 6, 10, 3, 6, 70, evenHalf, false, 4},
		{2715, 4, 12, 1, 8, 126, evenHalf, false, 4},
	}
	inside = []group{
		{0, 5, 10, 2, 7, 4, oddHalf, true, 4},
		{336, 7, 8, 4, 5, 20, oddHalf, true, 4},
		{1036, 9, 6, 6, 3, 48, oddHalf, true, 4},
		{1516, 11, 4, 8, 1, 81, oddHalf, true, 4},
	}
	finders = [9][]int{
		{3, 8, 2, 1, 1},
		{3, 5, 5, 1, 1},
		{3, 3, 7, 1, 1},
		{3, 1, 9, 1, 1},
		{2, 7, 4, 1, 1},
		{2, 5, 6, 1, 1},
		{2, 3, 8, 1, 1},
		{1, 5, 7, 1, 1},
		{1, 3, 9, 1, 1},
	}
	limited = []group{
		{0, 17, 9, 6, 3, 28, evenHalf, false, 7},
		{183064, 13, 13, 5, 4, 728, evenHalf, false, 7},
		{820064, 9, 17, 3, 6, 6454, evenHalf, false, 7},
		{1000776, 15, 11, 5, 4, 203, evenHalf, false, 7},
		{1491021, 11, 15, 4, 5, 2408, evenHalf, false, 7},
		{1979845, 19, 7, 8, 1, 1, evenHalf, false, 7},
		{1996939, 7, 19, 1, 8, 16632, evenHalf, false, 7},
	}
)

// gtin reads 13 digits, a GTIN without its check digit, and gives its text.
func gtin(data []byte) (int, string, error) {
	if len(data) != 13 {
		return 0, "", symbol.ErrData
	}
	sum := 0
	for i, c := range data {
		if c < '0' || c > '9' {
			return 0, "", symbol.ErrData
		}
		sum += int(c-'0') * (3 - 2*(i%2))
	}
	v, err := strconv.Atoi(string(data))
	return v, "(01)" + string(data) + string(rune('0'+(10-sum%10)%10)), err //nolint:wrapcheck // 13 digits always are a number
}

// halves are the two sides of an omnidirectional symbol, without guards: the
// left one as it stands, a space first, the right one too, a bar first.
func halves(value int) (left, right []int) {
	const base, inner = 4537077, 1597
	a, b := value/base, value%base
	chars := [4][]int{
		character(outside, a/inner), character(inside, a%inner), character(outside, b/inner), character(inside, b%inner),
	}
	check := 0
	for i, c := range chars {
		check += sum(c, 8*i, 79)
	}
	check %= 79
	if check >= 8 {
		check++
	}
	if check >= 72 {
		check++
	}
	left = append(append(left, chars[0]...), finders[check/9]...)
	left = append(left, reversed(chars[1])...)
	right = append(append(right, chars[3]...), reversed(finders[check%9])...)
	return left, append(right, reversed(chars[2])...)
}

// Omnidirectional takes 13 digits. A truncated symbol is a lower one.
func Omnidirectional(data []byte) (symbol.Bars, error) {
	v, text, err := gtin(data)
	if err != nil {
		return symbol.Bars{}, err
	}
	left, right := halves(v)
	w := append([]int{1, 1}, left...)
	return symbol.Bars{Widths: append(append(w, right...), 1, 1), Light: true, Text: text}, nil
}

// Limited takes 13 digits of which the first is 0 or 1.
func Limited(data []byte) (symbol.Bars, error) {
	v, text, err := gtin(data)
	if err != nil || data[0] > '1' {
		return symbol.Bars{}, symbol.ErrData
	}
	const base = 2013571
	left, right := character(limited, v/base), character(limited, v%base)
	check := checkPattern((sum(left, 0, 89) + sum(right, 14, 89)) % 89)
	w := append([]int{1, 1}, left...)
	w = append(append(w, check...), right...)
	return symbol.Bars{Widths: append(w, 1, 1), Light: true, Text: text}, nil
}

// checkRanges are the patterns that check characters use, out of 21 × 21.
//
//nolint:gochecknoglobals // a constant table
var checkRanges = [][2]int{
	{0, 43},
	{45, 45},
	{52, 52},
	{57, 57},
	{63, 66},
	{73, 79},
	{82, 82},
	{126, 130},
	{132, 132},
	{141, 146},
	{210, 217},
	{220, 220},
	{316, 320},
	{322, 323},
	{326, 326},
	{337, 337},
}

func checkPattern(n int) []int {
	for _, r := range checkRanges {
		if size := r[1] - r[0] + 1; n >= size {
			n -= size
			continue
		}
		n += r[0]
		break
	}
	a, b := widths(n/21, 8, 6, 3, false), widths(n%21, 8, 6, 3, false)
	var out []int
	for i := range a {
		out = append(out, a[i], b[i])
	}
	return append(out, 1, 1)
}
