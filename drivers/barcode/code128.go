package barcode

import "strings"

// Symbol values of Code 128.
const (
	toC, toB, toA          = 99, 100, 101
	fnc1                   = 102
	startA, startB, startC = 103, 104, 105
	modulus                = 103
)

// Set is one of Code 128's three code sets.
type Set byte

// The code sets.
const (
	SetA Set = 'A'
	SetB Set = 'B'
	SetC Set = 'C'
)

// Symbol is a character of Code 128 within its code set: a byte of ASCII, in
// set C a pair of digits as 0 to 99, or FNC1.
type Symbol struct {
	Set  Set
	FNC1 bool
	Byte byte
}

// Symbols are those of a Code 128 or GS1-128: digits in pairs where that is
// shorter.
func (c Code) Symbols() []Symbol {
	const gs = '\x1d' // stands for FNC1 as a separator
	if c.Elements == nil {
		return symbols(nil, c.Data, 0)
	}
	var joined strings.Builder
	for i, e := range c.Elements {
		joined.WriteString(e.AI)
		joined.WriteString(e.Value)
		if e.Variable() && i < len(c.Elements)-1 {
			joined.WriteByte(gs)
		}
	}
	text := joined.String()
	first := SetB
	if digitRun(text) >= minPairs {
		first = SetC
	}
	out := []Symbol{{Set: first, FNC1: true}}
	return symbols(out, text, gs)
}

// minPairs is the number of digits from which on set C is shorter.
const minPairs = 4

func digitRun(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

func symbols(out []Symbol, text string, separator byte) []Symbol {
	set := SetB
	if len(out) > 0 {
		set = out[len(out)-1].Set
	}
	for text != "" {
		c := text[0]
		run := digitRun(text)
		switch {
		case separator != 0 && c == separator:
			out, text = append(out, Symbol{Set: set, FNC1: true}), text[1:]
			continue
		case run >= minPairs && run%2 == 1 && set != SetC:
			// the odd digit stays in the set that is on
		case run >= minPairs || run >= 2 && set == SetC:
			set = SetC
			out, text = append(out, Symbol{Set: set, Byte: 10*(c-'0') + text[1] - '0'}), text[2:]
			continue
		}
		switch {
		case c < ' ':
			set = SetA
		case c >= '`' || set == SetC:
			set = SetB
		}
		out, text = append(out, Symbol{Set: set, Byte: c}), text[1:]
	}
	return out
}

// value is the symbol's number.
func (s Symbol) value() int {
	switch {
	case s.FNC1:
		return fnc1
	case s.Set == SetC:
		return int(s.Byte)
	case s.Byte < ' ':
		return int(s.Byte) + 64
	}
	return int(s.Byte) - ' '
}

// patterns128 are the widths of bars and spaces by symbol value.
const patterns128 = "212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222123122123221223211221132221231213212223112312131311222321122321221312212322112322211" +
	"212123212321232121111323131123131321112313132113132311211313231113231311112133112331132131113123113321133121313121211331231131213113213311213131311123311321331121312113312311332111314111" +
	"221411431111111224111422121124121421141122141221112214112412122114122411142112142211241211221114413111241112134111111242121142121241114212124112124211411212421112421211212141214121412121" +
	"111143111341131141114113114311411113411311113141114131311141411131211412211214211232"

const stopPattern = "2331112"

func code128Bars(ss []Symbol) []bool {
	values := []int{map[Set]int{SetA: startA, SetB: startB, SetC: startC}[ss[0].Set]}
	set := ss[0].Set
	for _, s := range ss {
		if s.Set != set {
			set = s.Set
			values = append(values, map[Set]int{SetA: toA, SetB: toB, SetC: toC}[set])
		}
		values = append(values, s.value())
	}
	sum := values[0]
	for i, v := range values[1:] {
		sum += (i + 1) * v
	}
	var m []bool
	for _, v := range append(values, sum%modulus) {
		m = widths(m, patterns128[6*v:6*v+6], true)
	}
	return widths(m, stopPattern, true)
}
