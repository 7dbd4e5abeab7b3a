package linear

import (
	"strings"

	"regi/sim/device/printer/internal/symbol"
)

//nolint:gochecknoglobals // a constant table
var code128 = strings.Fields(`
	212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222
	123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321
	232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121
	313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224
	111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111
	111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113
	114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112`)

// Values of Code 128 that are no characters.
const (
	fnc3     = 96
	fnc2     = 97
	shift128 = 98
	codeC    = 99
	codeB    = 100
	codeA    = 101
	fnc1     = 102
	startA   = 103
	stop128  = 106
)

// code128Max bounds the symbol characters; no paper is wide enough for more.
const code128Max = 520

// Code128 takes data that begins with {A, {B or {C and may hold {A {B {C {S {1
// to {4 and {{. In set C each byte, 0 to 99, is a pair of digits.
func Code128(data []byte) (symbol.Bars, error) {
	if len(data) < 3 || data[0] != '{' || data[1] < 'A' || data[1] > 'C' {
		return symbol.Bars{}, symbol.ErrData
	}
	e := encoder128{set: data[1], values: []int{startA + int(data[1]-'A')}}
	for i := 2; i < len(data); i++ {
		c := data[i]
		if c == '{' {
			i++
			if i == len(data) || !e.special(data[i]) {
				return symbol.Bars{}, symbol.ErrData
			}
			continue
		}
		if !e.put(c) {
			return symbol.Bars{}, symbol.ErrData
		}
	}
	return e.bars()
}

// encoder128 collects symbol characters.
type encoder128 struct {
	set     byte // 'A', 'B' or 'C'
	shifted bool
	values  []int
	text    strings.Builder
}

// special is what stands behind a brace.
func (e *encoder128) special(c byte) bool {
	v := -1
	switch {
	case c == '{':
		return e.put(c)
	case c >= 'A' && c <= 'C':
		if c != e.set {
			v = codeA - int(c-'A')
			e.set = c
		} else {
			return true
		}
	case c == '1':
		v = fnc1
	case e.set == 'C':
	case c == 'S':
		e.shifted, v = true, shift128
	case c == '2':
		v = fnc2
	case c == '3':
		v = fnc3
	case c == '4' && e.set == 'A':
		v = codeA // FNC4 is the switch to the set it is in
	case c == '4':
		v = codeB
	}
	if v >= 0 {
		e.values = append(e.values, v)
	}
	return v >= 0
}

// put is one character of the set.
func (e *encoder128) put(c byte) bool {
	set := e.set
	if e.shifted {
		set = 'A' + 'B' - set
		e.shifted = false
	}
	switch {
	case set == 'C' && c < 100:
		e.values = append(e.values, int(c))
		e.text.Write([]byte{'0' + c/10, '0' + c%10})
		return true
	case set == 'A' && c < 0x20:
		e.values = append(e.values, int(c)+64)
	case set == 'A' && c < 0x60, set == 'B' && c >= 0x20 && c < 0x80:
		e.values = append(e.values, int(c)-0x20)
	default:
		return false
	}
	e.text.WriteString(readable([]byte{c}))
	return true
}

func (e *encoder128) bars() (symbol.Bars, error) {
	if len(e.values) < 2 || len(e.values) > code128Max {
		return symbol.Bars{}, symbol.ErrData
	}
	sum := e.values[0]
	for i, v := range e.values {
		sum += i * v
	}
	b := symbol.Bars{Text: e.text.String()}
	for _, v := range append(e.values, sum%103, stop128) {
		b.Widths = append(b.Widths, widths(code128[v])...)
	}
	return b, nil
}

// Code128Auto takes any ASCII and chooses the sets itself.
func Code128Auto(data []byte) (symbol.Bars, error) {
	return auto128(data, false)
}

// GS1128 is Code 128 with FNC1 in front. Blanks and parentheses are for people
// only; {( {) {* and {{ are the characters themselves, {1 and {3 functions, and
// * is the check digit of the digits since the last parenthesis.
func GS1128(data []byte) (symbol.Bars, error) {
	var out []byte // 0x80|n is FNC n
	var text strings.Builder
	var run []byte
	for i := 0; i < len(data); i++ {
		c := data[i]
		switch {
		case c >= 0x80:
			return symbol.Bars{}, symbol.ErrData
		case c == '{':
			i++
			if i == len(data) {
				return symbol.Bars{}, symbol.ErrData
			}
			switch c = data[i]; c {
			case '1', '3':
				out = append(out, 0x80|(c-'0'))
				run = run[:0]
				continue
			case '(', ')', '*', '{':
			default:
				return symbol.Bars{}, symbol.ErrData
			}
		case c == ' ' || c == '(' || c == ')':
			text.WriteByte(c)
			run = run[:0]
			continue
		case c == '*':
			if !isDigits(run) {
				return symbol.Bars{}, symbol.ErrData
			}
			c = checkDigit(run)
		}
		out, run = append(out, c), append(run, c)
		text.WriteString(readable([]byte{c}))
	}
	b, err := auto128(out, true)
	b.Text = text.String()
	return b, err
}

// auto128 uses set C for four digits and more, A where a control character
// comes before a small letter, and B otherwise.
func auto128(data []byte, gs1 bool) (symbol.Bars, error) {
	if len(data) == 0 {
		return symbol.Bars{}, symbol.ErrData
	}
	e := encoder128{}
	want := func(set byte) {
		switch {
		case e.set == 0:
			e.set, e.values = set, append(e.values, startA+int(set-'A'))
			if gs1 {
				e.values = append(e.values, fnc1)
			}
		case e.set != set:
			e.special(set)
		}
	}
	for i := 0; i < len(data); {
		n := digitRun(data[i:])
		switch c := data[i]; {
		case c&0x80 != 0:
			if e.set == 0 || e.set == 'C' && c != 0x81 {
				want('B')
			}
			if !e.special('0' | c&0x7F) {
				return symbol.Bars{}, symbol.ErrData
			}
			i++
		case n >= 4 && n%2 == 0 || e.set == 'C' && n >= 2 || n >= 2 && e.set == 0 && n == len(data):
			want('C')
			for range n / 2 {
				e.put((data[i]-'0')*10 + data[i+1] - '0')
				i += 2
			}
		default:
			want(letterSet(data[i:]))
			e.put(c)
			i++
		}
	}
	return e.bars()
}

func digitRun(data []byte) int {
	for i, c := range data {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(data)
}

// letterSet is A or B, by what comes first: a control character or a small letter.
func letterSet(data []byte) byte {
	for _, c := range data {
		switch {
		case c < 0x20:
			return 'A'
		case c >= 0x60:
			return 'B'
		}
	}
	return 'B'
}
