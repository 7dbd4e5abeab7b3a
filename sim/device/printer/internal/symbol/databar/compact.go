package databar

import (
	"regi/sim/device/printer/internal/symbol"
)

// encodation is how the next characters are written.
type encodation int

const (
	numeric encodation = iota
	alphanumeric
	iso646
)

// Latches.
const (
	toNumeric  = 0b000   // from the others, 3 bits
	toAlpha    = 0b0000  // from numeric, 4 bits
	toggle646  = 0b00100 // between the others, 5 bits
	fnc1Code   = 0b01111 // in the others, 5 bits; numeric follows
	lastDigits = 6       // bits that hold a single last digit at most
)

// compact writes characters as words of 12 bits: a GTIN in front in 44 bits
// ("1"), the rest by the general rules ("00").
//
// The standard's shorter methods for weights, prices and dates are not used: a
// reader takes the longer ones as well.
func compact(plain []byte, perRow int) []int {
	var b symbol.Bits
	b.Add(0, 1) // no 2D component beside it
	rest := plain
	if isGTIN(plain) {
		b.Add(1, 1)
		b.Add(0, 2) // for the length
		b.Add(int(plain[2]-'0'), 4)
		for i := 3; i < 15; i += 3 {
			b.Add(int(plain[i]-'0')*100+int(plain[i+1]-'0')*10+int(plain[i+2]-'0'), 10)
		}
		rest = plain[16:]
	} else {
		b.Add(0, 2)
		b.Add(0, 2)
	}
	lengthAt := b.Len() - 2
	if len(rest) != len(plain) {
		lengthAt = 2
	}
	w := writer{b: &b, perRow: perRow}
	w.write(rest)
	n := w.chars(b.Len())
	w.pad(n * wordBits)
	b.Put(lengthAt, (n+1)%2 == 1)
	b.Put(lengthAt+1, n+1 > 14)
	out := make([]int, n)
	for i := range out {
		out[i] = b.At(i*wordBits, wordBits)
	}
	return out
}

// isGTIN: (01) with a right check digit.
func isGTIN(p []byte) bool {
	if len(p) < 16 || p[0] != '0' || p[1] != '1' {
		return false
	}
	_, text, err := gtin(p[2:15])
	return err == nil && text[17] == p[15]
}

type writer struct {
	b      *symbol.Bits
	perRow int // characters a row, the check character too
	mode   encodation
}

// chars is how many words so many bits need. In rows, the last row has at least
// two characters.
func (w *writer) chars(bits int) int {
	n := max(charsMin-1, (bits+wordBits-1)/wordBits)
	if w.perRow > 0 && (n+1)%w.perRow == 1 {
		n++
	}
	return n
}

func (w *writer) write(p []byte) {
	for len(p) > 0 {
		if w.mode == numeric {
			p = w.digits(p)
		} else {
			p = w.letters(p)
		}
	}
}

// digits writes pairs of digits and FNC1 in seven bits.
func (w *writer) digits(p []byte) []byte {
	value := func(c byte) int {
		if c == fnc1 {
			return 10
		}
		return int(c - '0')
	}
	isPart := func(c byte) bool { return isDigit(c) || c == fnc1 }
	if len(p) >= 2 && isPart(p[0]) && isPart(p[1]) && (p[0] != fnc1 || p[1] != fnc1) {
		w.b.Add(11*value(p[0])+value(p[1])+8, 7)
		return p[2:]
	}
	if len(p) == 1 && isDigit(p[0]) {
		if left := w.chars(w.b.Len()+4)*wordBits - w.b.Len(); left <= lastDigits {
			w.b.Add(value(p[0])+1, 4)
		} else {
			w.b.Add(11*value(p[0])+10+8, 7)
		}
		return nil
	}
	w.b.Add(toAlpha, 4)
	w.mode = alphanumeric
	return p
}

// letters writes one character, or changes the encodation.
func (w *writer) letters(p []byte) []byte {
	c := p[0]
	code, bits := inAlpha(c)
	switch {
	case c == fnc1:
		w.b.Add(fnc1Code, 5)
		w.mode = numeric
		return p[1:]
	case digitRun(p) >= 6, w.mode == alphanumeric && digitRun(p) >= 4 && digitRun(p) == len(p):
		w.b.Add(toNumeric, 3)
		w.mode = numeric
		return p
	case w.mode == alphanumeric && bits == 0:
		w.b.Add(toggle646, 5)
		w.mode = iso646
		return p
	case w.mode == iso646 && alphaRun(p) >= 10:
		w.b.Add(toggle646, 5)
		w.mode = alphanumeric
		return p
	case w.mode == alphanumeric || isDigit(c):
		w.b.Add(code, bits)
	default:
		n := 7
		if in646(c) >= 232 {
			n = 8
		}
		w.b.Add(in646(c), n)
	}
	return p[1:]
}

func digitRun(p []byte) int {
	for i, c := range p {
		if !isDigit(c) {
			return i
		}
	}
	return len(p)
}

func alphaRun(p []byte) int {
	for i, c := range p {
		if _, bits := inAlpha(c); bits == 0 {
			return i
		}
	}
	return len(p)
}

// pad fills up.
func (w *writer) pad(bits int) {
	if w.mode == numeric {
		w.b.Add(0, min(4, bits-w.b.Len()))
	}
	for w.b.Len() < bits {
		n := min(5, bits-w.b.Len())
		w.b.Add(toggle646>>(5-n), n)
	}
}
