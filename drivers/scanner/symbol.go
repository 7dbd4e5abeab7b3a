package scanner

import (
	"fmt"
	"strings"

	"regi/drivers"
)

// aimBytes is the length of "]cm".
const aimBytes = 3

// symbol is what is known of a code besides its data; the zero value is nothing.
type symbol struct {
	aim  string
	kind drivers.Symbology
}

// other is a code that is none of a shop's (ISO/IEC 15424, symbology X), so that
// its digits are not taken for an article's.
const other = "]X0"

// Symbols by the names of ISO/IEC 15424. An identifier does not tell UPC-A from
// EAN-13, a code id does.
//
//nolint:gochecknoglobals // a constant table
var (
	upcA       = symbol{"]E0", drivers.UPCA}
	upcE       = symbol{"]E0", drivers.UPCE}
	ean13      = symbol{"]E0", drivers.EAN13}
	ean8       = symbol{"]E4", drivers.EAN8}
	addOn      = symbol{"]E3", 0}
	code39     = symbol{"]A0", drivers.Code39}
	code128    = symbol{"]C0", drivers.Code128}
	gs1128     = symbol{"]C1", drivers.GS1128}
	itf        = symbol{"]I0", drivers.ITF}
	codabar    = symbol{"]F0", drivers.Codabar}
	code93     = symbol{"]G0", 0}
	dataBar    = symbol{"]e0", drivers.DataBar}
	dataMatrix = symbol{"]d1", drivers.DataMatrix}
	gs1Matrix  = symbol{"]d2", drivers.DataMatrix}
	qr         = symbol{"]Q1", drivers.QRCode}
	gs1QR      = symbol{"]Q3", drivers.QRCode}
	pdf417     = symbol{"]L0", drivers.PDF417}
	aztec      = symbol{"]z0", 0}
)

// honeywellIDs are the code ids of Honeywell (Xenon/Granit user's guide,
// appendix A, symbology chart).
//
//nolint:gochecknoglobals // a constant table
var honeywellIDs = map[byte]symbol{
	'd': ean13, 'D': ean8, 'c': upcA, 'E': upcE, 'b': code39, 'a': codabar, 'e': itf, 'i': code93,
	'j': code128, 'I': gs1128, 'y': dataBar, '{': dataBar, '}': dataBar, 's': qr, 'w': dataMatrix, 'r': pdf417, 'z': aztec,
}

// idsOf is how a label is told from its code id; nil for symbology identifiers.
func idsOf(name string) (func(label string) (symbol, string, bool), error) {
	switch name {
	case "", "aim":
		return nil, nil
	case "honeywell":
		return cutHoneywell, nil
	case "datalogic":
		return cutDatalogic, nil
	}
	return nil, fmt.Errorf("scanner: code ids %q are unknown (known: aim, honeywell, datalogic)", name)
}

func cutHoneywell(label string) (symbol, string, bool) {
	if known, ok := honeywellIDs[label[0]]; ok {
		return known, label[1:], true
	}
	return symbol{aim: other}, label[1:], letter(label[0])
}

// cutDatalogic reads the label ids of Datalogic's retail scanners (USA set):
// A UPC-A, E UPC-E, F EAN-13, FF EAN-8.
func cutDatalogic(label string) (symbol, string, bool) {
	if rest, ok := strings.CutPrefix(label, "FF"); ok {
		return ean8, rest, true
	}
	switch label[0] {
	case 'F':
		return ean13, label[1:], true
	case 'A':
		return upcA, label[1:], true
	case 'E':
		return upcE, label[1:], true
	}
	return symbol{aim: other}, label[1:], letter(label[0])
}

// identify splits a scan. known is what the framing says of it.
func (s *Scanner) identify(data string, known symbol) (drivers.Scan, error) {
	scan := drivers.Scan{Data: data, Label: data, AIM: known.aim, Type: known.kind}
	switch {
	case known.aim != "":
		// An identifier that is of the same kind was sent; another is data.
		if hasAIM(data) && data[1] == known.aim[1] {
			scan.AIM, scan.Label = data[:aimBytes], data[aimBytes:]
		}
	case s.ids != nil:
		id, label, ok := s.ids(data)
		if !ok {
			return drivers.Scan{}, fmt.Errorf("scanner: no code id before the data: %w", drivers.ErrFrame)
		}
		id = beside(id, label)
		scan.Label, scan.AIM, scan.Type = label, id.aim, id.kind
	case hasAIM(data):
		scan.AIM, scan.Label = data[:aimBytes], data[aimBytes:]
	}
	s.complete(&scan, scan.Type != 0)
	return scan, nil
}

// beside is the symbol of a label by its code id: an add-on has none of its own,
// and makes the label two or five digits longer.
func beside(id symbol, label string) symbol {
	length := 0
	switch id {
	case ean13:
		length = 13
	case upcA:
		length = 12
	case upcE:
		length = 8
	}
	if n := len(label) - length; length > 0 && (n == 2 || n == 5) && digits(label) {
		return addOn
	}
	return id
}

// complete adds a check digit that the scanner left out, and the type. told is
// set if the type was sent, not guessed.
func (s *Scanner) complete(scan *drivers.Scan, told bool) {
	label, kind := scan.Label, scan.Type
	if !digits(label) {
		scan.Type = max(kind, typeOf(scan.AIM, label))
		return
	}
	if s.options.AddCheckDigit || told {
		switch short := len(label); {
		case short == 12 && (kind == drivers.EAN13 || !told && (scan.AIM == "" || scan.AIM == "]E0")),
			short == 11 && (kind == drivers.UPCA || !told && (scan.AIM == "" || scan.AIM == "]E0")),
			short == 7 && (kind == drivers.EAN8 || !told && (scan.AIM == "" || scan.AIM == "]E4")):
			scan.Label += string(checkDigit(label))
		}
	}
	if !told {
		scan.Type = typeOf(scan.AIM, scan.Label)
	}
}

// checkDigit is that of a GTIN without it: weights 3, 1, 3 … from the right
// (GS1 General Specifications 7.9.1).
func checkDigit(body string) byte {
	sum, weight := 0, 3
	for i := len(body) - 1; i >= 0; i-- {
		sum += weight * int(body[i]-'0')
		weight = 4 - weight
	}
	return '0' + byte((10-sum%10)%10)
}

// typeOf is the type that an identifier tells, or, without one, a check digit.
func typeOf(aim, label string) drivers.Symbology {
	n := len(label)
	switch aim {
	case "":
		if n < 8 || !digits(label) || checkDigit(label[:n-1]) != label[n-1] {
			return 0
		}
		return articleType(n, drivers.EAN8)
	case "]E0":
		return articleType(n, drivers.UPCE)
	case "]E4":
		return drivers.EAN8
	case "]C1":
		return drivers.GS1128
	}
	return familyType(aim[1])
}

// articleType is the type of so many digits, eight of which are one of two.
func articleType(n int, eight drivers.Symbology) drivers.Symbology {
	switch n {
	case 13:
		return drivers.EAN13
	case 12:
		return drivers.UPCA
	case 8:
		return eight
	}
	return 0
}

// familyType is the type of an identifier's letter.
func familyType(letter byte) drivers.Symbology {
	switch letter {
	case 'A':
		return drivers.Code39
	case 'C':
		return drivers.Code128
	case 'F':
		return drivers.Codabar
	case 'I':
		return drivers.ITF
	case 'L':
		return drivers.PDF417
	case 'Q':
		return drivers.QRCode
	case 'd':
		return drivers.DataMatrix
	case 'e':
		return drivers.DataBar
	}
	return 0
}

// hasAIM reports whether data begins with a symbology identifier.
func hasAIM(data string) bool {
	return len(data) >= aimBytes && data[0] == ']' && letter(data[1]) &&
		(letter(data[2]) || '0' <= data[2] && data[2] <= '9')
}

func letter(c byte) bool { return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' }

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
