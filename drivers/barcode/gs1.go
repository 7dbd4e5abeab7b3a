package barcode

import "strings"

// Element is an application identifier and its value.
type Element struct{ AI, Value string }

// gs1Set are the characters of a value (GS1 AI encodable character set 82).
const gs1Set = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"

// GS1 limits.
const (
	gs1Max     = 48 // characters of a GS1-128
	valueMax   = 90
	gtinDigits = 14
)

// fixed is the length of values that need no separator behind them, by the
// first two digits of the identifier (GS1 General Specifications, figure
// 7.8.5-2).
func fixed(ai string) int {
	switch ai[:2] {
	case "00":
		return 18
	case "01", "02", "03":
		return gtinDigits
	case "04":
		return 16
	case "11", "12", "13", "14", "15", "16", "17", "18", "19":
		return 6
	case "20":
		return 2
	case "31", "32", "33", "34", "35", "36":
		return 6
	case "41":
		return 13
	}
	return 0
}

// Variable says whether the value needs a separator if another follows.
func (e Element) Variable() bool { return fixed(e.AI) == 0 }

// elements reads (01)04901234567894(10)A.
func elements(s string) ([]Element, error) {
	var got []Element
	length := 0
	for s != "" {
		ai, rest, ok := strings.Cut(strings.TrimPrefix(s, "("), ")")
		if s[0] != '(' || !ok || len(ai) < 2 || len(ai) > 4 || !digits(ai) {
			return nil, ErrData
		}
		value := rest
		// A value may hold brackets: the next identifier is one in digits.
		s = ""
		for i := range len(rest) {
			if rest[i] == '(' && identifier(rest[i:]) {
				value, s = rest[:i], rest[i:]
				break
			}
		}
		if err := check(ai, value); err != nil {
			return nil, err
		}
		got = append(got, Element{ai, value})
		length += len(ai) + len(value)
	}
	if length > gs1Max {
		return nil, ErrData
	}
	return got, nil
}

func identifier(s string) bool {
	ai, _, ok := strings.Cut(s[1:], ")")
	return ok && len(ai) >= 2 && len(ai) <= 4 && digits(ai)
}

func check(ai, value string) error {
	if value == "" || len(value) > valueMax {
		return ErrData
	}
	if n := fixed(ai); n > 0 && (len(value) != n || !digits(value)) {
		return ErrData
	}
	switch ai {
	case "00", "01", "02", "03":
		if _, err := checked(value, len(value)); err != nil {
			return err
		}
	}
	return only(value, gs1Set)
}

// dataBar takes a GTIN, as 13 or 14 digits or (01) and 14, or elements for the
// expanded form.
func dataBar(s string) (string, []Element, error) {
	if s[0] != '(' {
		gtin, err := checked(s, gtinDigits)
		return gtin, nil, err
	}
	es, err := elements(s)
	if err == nil && len(es) == 1 && es[0].AI == "01" {
		return es[0].Value, nil, nil
	}
	return s, es, err
}
