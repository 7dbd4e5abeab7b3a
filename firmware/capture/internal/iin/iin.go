// Package iin names the card brand of an issuer identification number, the
// first six digits of a card number (ISO/IEC 7812-1).
package iin

// Other is the brand of a number in no range.
const Other = "other"

// span is a range of six-digit numbers, both ends included.
type span struct {
	from, to int
	brand    string
}

// The ranges that the brands publish. The first that fits counts.
//
//nolint:gochecknoglobals // a table, never written
var spans = []span{
	{222100, 272099, "mastercard"},
	{300000, 305999, "diners"},
	{309500, 309599, "diners"},
	{340000, 349999, "amex"},
	{352800, 358999, "jcb"},
	{360000, 369999, "diners"},
	{370000, 379999, "amex"},
	{380000, 399999, "diners"},
	{400000, 499999, "visa"},
	{510000, 559999, "mastercard"},
	{601100, 601199, "discover"},
	{620000, 629999, "unionpay"},
	{644000, 659999, "discover"},
	{500000, 509999, "maestro"},
	{560000, 589999, "maestro"},
	{630000, 639999, "maestro"},
	{670000, 679999, "maestro"},
	{810000, 817199, "unionpay"},
}

// Brand is the brand of the six digits, in small letters, or Other.
func Brand(digits []byte) string {
	if len(digits) != 6 {
		return Other
	}
	n := 0
	for _, c := range digits {
		if c < '0' || c > '9' {
			return Other
		}
		n = 10*n + int(c-'0')
	}
	for _, s := range spans {
		if s.from <= n && n <= s.to {
			return s.brand
		}
	}
	return Other
}

// Known reports whether a brand is one that Brand returns.
func Known(brand string) bool {
	if brand == Other {
		return true
	}
	for _, s := range spans {
		if s.brand == brand {
			return true
		}
	}
	return false
}
