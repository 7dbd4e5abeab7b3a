package pdf417

import (
	"math/big"
	"strings"
)

// Words that change how the next are read.
const (
	latchText    = 900
	latchBytes   = 901
	latchNumbers = 902
	latchSixes   = 924 // bytes, a multiple of six
)

// How long a run must be to be worth its latch.
const (
	digitsWorth = 13
	textWorth   = 5
	// numberMax digits make one number.
	numberMax = 44
)

// compact turns bytes into words: long runs of digits as numbers, runs of text
// as text, the rest as bytes. A symbol begins with text.
func compact(data []byte) []int {
	var w []int
	first := true
	for i := 0; i < len(data); first = false {
		if n := run(data[i:], isDigit); n >= digitsWorth {
			w = append(append(w, latchNumbers), numbers(data[i:i+n])...)
			i += n
			continue
		}
		if n := textRun(data[i:]); n >= textWorth || n == len(data) {
			if !first {
				w = append(w, latchText)
			}
			w = append(w, text(data[i:i+n])...)
			i += n
			continue
		}
		n := 1
		for i+n < len(data) && run(data[i+n:], isDigit) < digitsWorth && textRun(data[i+n:]) < textWorth {
			n++
		}
		w = append(w, bytes(data[i:i+n])...)
		i += n
	}
	return w
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func run(data []byte, is func(byte) bool) int {
	for i, c := range data {
		if !is(c) {
			return i
		}
	}
	return len(data)
}

// textRun ends where a run of digits is worth numbers.
func textRun(data []byte) int {
	for i := range data {
		if !isText(data[i]) || run(data[i:min(len(data), i+digitsWorth)], isDigit) >= digitsWorth {
			return i
		}
	}
	return len(data)
}

// numbers writes digits to the base of 900, with a 1 in front.
func numbers(d []byte) []int {
	var w []int
	for ; len(d) > 0; d = d[min(numberMax, len(d)):] {
		part := d[:min(numberMax, len(d))]
		v, _ := new(big.Int).SetString("1"+string(part), 10)
		group := make([]int, len(part)/3+1)
		rest := new(big.Int)
		for i := len(group) - 1; i >= 0; i-- {
			v.DivMod(v, big.NewInt(900), rest)
			group[i] = int(rest.Int64())
		}
		w = append(w, group...)
	}
	return w
}

// bytes writes six bytes in five words, and the last ones one by one.
func bytes(d []byte) []int {
	w := []int{latchBytes}
	if len(d)%6 == 0 {
		w[0] = latchSixes
	}
	for ; len(d) >= 6; d = d[6:] {
		v := uint64(0)
		for _, c := range d[:6] {
			v = v<<8 | uint64(c)
		}
		var group [5]int
		for i := 4; i >= 0; i-- {
			group[i] = int(v % 900)
			v /= 900
		}
		w = append(w, group[:]...)
	}
	for _, c := range d {
		w = append(w, int(c))
	}
	return w
}

// The four sets of text; the place in the set is the value.
const (
	alpha = iota
	lower
	mixed
	punctuation
)

//nolint:gochecknoglobals // a constant table
var sets = [4]string{
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ ",
	"abcdefghijklmnopqrstuvwxyz ",
	"0123456789&\r\t,:#-.$/+%*=^\x00 ",
	";<>@[\\]_`~!\r\t,:\n-.$/\"|*()?{}'",
}

// Values that change the set.
const (
	toLower       = 27
	toMixed       = 28 // from alpha and lower
	shiftAlpha    = 27 // from lower, one character
	toAlpha       = 28 // from mixed
	toPunctuation = 25 // from mixed
	fromPunct     = 29 // to alpha
	shiftPunct    = 29 // one character
)

func isText(c byte) bool {
	return c >= 0x20 && c < 0x7F || c == '\r' || c == '\n' || c == '\t'
}

func in(set int, c byte) int {
	if c == 0 {
		return -1
	}
	return strings.IndexByte(sets[set], c)
}

// text writes two values a word.
func text(d []byte) []int {
	var v []int
	set := alpha
	for i, c := range d {
		if in(set, c) < 0 {
			shift, next := turn(set, c, d[i+1:])
			v = append(v, shift...)
			if next < 0 { // for this character only
				v = append(v, in(once(set, c), c))
				continue
			}
			set = next
		}
		v = append(v, in(set, c))
	}
	if len(v)%2 == 1 {
		v = append(v, shiftPunct) // a pad
	}
	w := make([]int, len(v)/2)
	for i := range w {
		w[i] = v[2*i]*30 + v[2*i+1]
	}
	return w
}

// once is the set that a shift reaches for c.
func once(set int, c byte) int {
	if set == lower && in(alpha, c) >= 0 {
		return alpha
	}
	return punctuation
}

// turn says how to reach a set that has c; set -1 is a shift.
func turn(set int, c byte, rest []byte) (values []int, next int) {
	if set == punctuation {
		if in(alpha, c) >= 0 {
			return []int{fromPunct}, alpha
		}
		values, next = turn(alpha, c, rest)
		return append([]int{fromPunct}, values...), next
	}
	switch {
	case in(alpha, c) >= 0:
		if set == lower && (len(rest) == 0 || in(alpha, rest[0]) < 0 || rest[0] == ' ') {
			return []int{shiftAlpha}, -1
		}
		if set == lower {
			return []int{toMixed, toAlpha}, alpha
		}
		return []int{toAlpha}, alpha
	case in(lower, c) >= 0:
		return []int{toLower}, lower
	case in(mixed, c) >= 0:
		return []int{toMixed}, mixed
	case set == mixed && len(rest) > 0 && in(punctuation, rest[0]) >= 0:
		return []int{toPunctuation}, punctuation
	}
	return []int{shiftPunct}, -1
}
