// Package gs1 turns what a scanner reads off goods into a GTIN-14, the number
// that everything is keyed on.
//
// Source: GS1 General Specifications, release 24: section 2.1 (EAN/UPC), 5.2
// (UPC-E zero suppression, figure 5.2.2.4-1), 7.9 (check digit); ISO/IEC 15424
// for the symbology identifiers.
package gs1

import (
	"errors"
	"fmt"
)

// Errors of GTIN14.
var (
	// ErrCheckDigit: it has the length of a GTIN, but the last digit is wrong:
	// a misread; scan again.
	ErrCheckDigit = errors.New("wrong check digit")
	// ErrNotGTIN: it is some other code.
	ErrNotGTIN = errors.New("not a GTIN")
)

// GTIN is a trade item number as 14 ASCII digits with leading zeros.
type GTIN [14]byte

// GTIN14 reads label, the scanner's data without the symbology identifier aim
// ("]E0", ... or "" when the scanner sends none), and returns 14 digits.
// EAN-13, EAN-8, UPC-A, UPC-E (8 digits, zero-suppressed) and ITF-14 are known,
// and an element string that holds a GTIN and nothing else.
//
// Eight digits are an EAN-8 under ]E4 and a UPC-E under ]E0. Without an
// identifier the check digit decides, and if it fits both, EAN-8: in Japan a
// UPC-E is the rare one.
//
// It allocates only for an error, or where the caller keeps the string.
func GTIN14(label, aim string) (gtin14 string, err error) {
	// Just small enough to be inlined: that leaves the string on the stack.
	var g GTIN
	if err = g.parse(label, aim); err == nil {
		gtin14 = string(g[:])
	}
	return
}

// errorLabelMax bounds how much of a hostile label an error repeats.
const errorLabelMax = 24

func (g *GTIN) parse(label, aim string) error {
	digits, known := payload(label, aim)
	if !known || !allDigits(digits) {
		return fmt.Errorf("gs1: %.*q %.3q: %w", errorLabelMax, label, aim, ErrNotGTIN)
	}
	if len(digits) == 8 {
		return g.eight(digits, aim)
	}
	g.pad(digits)
	if got, want := g[13], g.checkDigit(); got != want {
		return fmt.Errorf("gs1: %.*q ends in %c, computed %c: %w", errorLabelMax, label, got, want, ErrCheckDigit)
	}
	return nil
}

// payload says which part of the label is the number, and whether a GTIN may
// have its length under this symbology.
func payload(label, aim string) (digits string, known bool) {
	switch aim {
	case "":
		n := len(label)
		return label, n == 8 || n >= 12 && n <= 14
	case "]E0": // EAN-13, UPC-A, UPC-E
		n := len(label)
		return label, n == 8 || n == 12 || n == 13
	case "]E4": // EAN-8
		return label, len(label) == 8
	case "]I0", "]I1", "]I3": // ITF-14
		return label, len(label) == 14
	case "]C1", "]e0", "]d2", "]Q3": // element string: AI 01 and no other
		if len(label) == 16 && label[:2] == "01" {
			return label[2:], true
		}
	}
	return label, false
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// eight reads an EAN-8 or a UPC-E.
func (g *GTIN) eight(digits, aim string) error {
	if aim != "]E0" {
		g.pad(digits)
		if g[13] == g.checkDigit() {
			return nil
		}
	}
	if aim != "]E4" && g.expand(digits) && g[13] == g.checkDigit() {
		return nil
	}
	return fmt.Errorf("gs1: %q: %w", digits, ErrCheckDigit)
}

// expand undoes the zero suppression of a UPC-E: number system, six digits,
// check digit. The sixth digit says where the zeros were.
func (g *GTIN) expand(e string) bool {
	if e[0] != '0' && e[0] != '1' {
		return false // no other number system can be suppressed
	}
	company, item := e[1:6], e[6:7]
	switch e[6] {
	case '0', '1', '2':
		company, item = e[1:3]+e[6:7], e[3:6]
	case '3':
		company, item = e[1:4], e[4:6]
	case '4':
		company, item = e[1:5], e[5:6]
	}
	g.pad("")
	g[2] = e[0]
	copy(g[3:], company)
	copy(g[13-len(item):13], item)
	g[13] = e[7]
	return true
}

// pad puts digits at the end, zeros before.
func (g *GTIN) pad(digits string) {
	*g = GTIN{'0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0'}
	copy(g[len(g)-len(digits):], digits)
}

// checkDigit computes the last digit from the thirteen before: weights 3, 1,
// 3, ... from the left (General Specifications 7.9.1).
func (g *GTIN) checkDigit() byte {
	sum := 0
	for i, c := range g[:13] {
		weight := 3 - 2*(i%2)
		sum += weight * int(c-'0')
	}
	return '0' + byte((10-sum%10)%10)
}
