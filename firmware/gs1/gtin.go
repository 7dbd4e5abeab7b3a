package gs1

import (
	"errors"
	"fmt"
)

// GTIN is a trade item number as 14 ASCII digits with leading zeros.
type GTIN [14]byte

func (g GTIN) String() string { return string(g[:]) }

// NormalizeGTIN reads the digits of an EAN-13, UPC-A, EAN-8, UPC-E (8 digits,
// zero-suppressed) or ITF-14, with a check digit that fits. Eight digits that
// are both a right EAN-8 and a right UPC-E are the EAN-8.
func NormalizeGTIN(s string) (GTIN, error) {
	var g GTIN
	if err := g.parse(s, ""); err != nil {
		return GTIN{}, err
	}
	return g, nil
}

// ExpandUPCE undoes the zero suppression of a UPC-E in 8 digits; in 7 without
// its check digit, or in 6 without its number system 0 either, as scanners may
// be set to send it: then a misread digit cannot be found.
func ExpandUPCE(s string) (GTIN, error) {
	const whole = 8
	if len(s) > whole || len(s) < whole-2 || !allDigits(s) {
		return GTIN{}, fmt.Errorf("gs1: a UPC-E has 6 to 8 digits: %w", ErrNotGTIN)
	}
	digits := s
	if len(s) == whole-2 {
		digits = "0" + s
	}
	var g GTIN
	if len(s) < whole {
		digits += "0"
	}
	if !g.expand(digits) {
		return GTIN{}, fmt.Errorf("gs1: no UPC-E is suppressed like this: %w", ErrNotGTIN)
	}
	check := g.checkDigit()
	if len(s) == whole && g[13] != check {
		return GTIN{}, fmt.Errorf("gs1: UPC-E: %w", ErrCheckDigit)
	}
	g[13] = check
	return g, nil
}

// CheckDigit computes the digit that goes behind digits (General Specifications
// 7.9.1: weights 3 and 1 in turn, from the right). They must be digits.
func CheckDigit(digits string) byte {
	sum, weight := 0, 3
	for i := len(digits) - 1; i >= 0; i-- {
		sum += weight * int(digits[i]-'0')
		weight = 4 - weight
	}
	return '0' + byte((10-sum%10)%10)
}

// UPCE suppresses the zeros of a UPC-A (General Specifications 5.2.2.4): eight
// digits with number system and check digit, and false for a number that has
// not enough zeros in one place.
func (g GTIN) UPCE() (string, bool) {
	d := string(g[2:]) // number system, company 5, item 5, check digit
	if g[0] != '0' || g[1] != '0' || d[0] != '0' && d[0] != '1' {
		return "", false
	}
	var six string
	switch {
	case d[3] <= '2' && d[4:8] == "0000":
		six = d[1:3] + d[8:11] + d[3:4]
	case d[4:9] == "00000":
		six = d[1:4] + d[9:11] + "3"
	case d[5:10] == "00000":
		six = d[1:5] + d[10:11] + "4"
	case d[6:10] == "0000" && d[10] >= '5':
		six = d[1:6] + d[10:11]
	default:
		return "", false
	}
	return d[:1] + six + d[11:], true
}

// GTIN14 reads label, the scanner's data without the symbology identifier aim
// ("]E0", ... or "" when the scanner sends none), and returns 14 digits.
// EAN-13, EAN-8, UPC-A, UPC-E (8 digits, zero-suppressed) and ITF-14 are known,
// and element strings.
//
// Eight digits are an EAN-8 under ]E4 and a UPC-E under ]E0. Without an
// identifier the check digit decides, and if it fits both, EAN-8: in Japan a
// UPC-E is the rare one.
//
// Of an element string or a Digital Link the GTIN of AI 01 is taken, unless the
// label also says how much, how many or at what price: such goods need what
// ParseScan returns.
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
const errorLabelMax = 18

func (g *GTIN) parse(label, aim string) error {
	digits, known := payload(label, aim)
	if !known && carrier(aim).elements {
		return g.parseElements(label, aim)
	}
	if !known || !allDigits(digits) {
		return fmt.Errorf("gs1: %+.*q %+.3q: %w", errorLabelMax, label, aim, ErrNotGTIN)
	}
	if len(digits) == 8 {
		return g.eight(digits, aim)
	}
	g.pad(digits)
	if got, want := g[13], g.checkDigit(); got != want {
		return fmt.Errorf("gs1: %+.*q ends in %c, computed %c: %w", errorLabelMax, label, got, want, ErrCheckDigit)
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
	}
	return label, false
}

// parseElements takes the GTIN out of an element string or a link.
func (g *GTIN) parseElements(label, aim string) error {
	var s Scan
	if err := s.Parse(aim, label, Options{}); errors.Is(err, ErrCheckDigit) {
		return err
	} else if err != nil {
		return fmt.Errorf("%w: %w", err, ErrNotGTIN)
	}
	for _, e := range s.Elements() {
		switch e.AI[:2] {
		case "02", "30", "31", "32", "33", "34", "35", "36", "37", "39":
			return fmt.Errorf("gs1: AI (%s) says how much is for sale: %w", e.AI, ErrNotGTIN)
		}
		if e.AI == "8005" {
			return fmt.Errorf("gs1: AI (%s) says at what price: %w", e.AI, ErrNotGTIN)
		}
	}
	gtin, has := s.Value("01")
	if !has {
		return fmt.Errorf("gs1: there is no AI (01): %w", ErrNotGTIN)
	}
	copy(g[:], gtin)
	return nil
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
	once := e[5] != '0' // else it would be suppressed otherwise
	switch e[6] {
	case '0', '1', '2':
		company, item, once = e[1:3]+e[6:7], e[3:6], true
	case '3':
		company, item, once = e[1:4], e[4:6], e[3] > '2'
	case '4':
		company, item, once = e[1:5], e[5:6], e[4] != '0'
	}
	if !once {
		return false
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

// checkDigit computes the last digit from the thirteen before.
func (g *GTIN) checkDigit() byte {
	thrice, once := int(g[12]), 0
	for i := 0; i < 12; i += 2 {
		thrice += int(g[i])
		once += int(g[i+1])
	}
	sum := 3*(thrice-7*'0') + once - 6*'0'
	return '0' + byte((10-sum%10)%10)
}
