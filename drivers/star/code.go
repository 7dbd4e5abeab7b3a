package star

import (
	"errors"
	"fmt"
	"strings"

	"regi/drivers"
)

// linear is how one symbology is printed by ESC b n1 n2 n3 n4 d… RS.
type linear struct {
	name string
	kind byte // n1
	// modes are n3 for a narrowest part of 2, 3 and 4 dots.
	modes string
	// data checks the data and returns what is sent.
	data func(string) (string, error)
	// dots is the widest that n bytes can be, with quiet zones, for a module.
	dots func(n, module int) int
}

// Widths and modes: Line Mode appendix 1, "Bar code specification"; the modes of
// wide and narrow bars as receiptline sends them (2:5, 3:8 or 3:9, 4:10).
//
//nolint:gochecknoglobals // a constant table
var linears = map[drivers.Symbology]linear{
	drivers.UPCE:    {"UPC-E", '0', "123", upceData, fixed(51)},
	drivers.UPCA:    {"UPC-A", '1', "123", gtinData(12), fixed(95)},
	drivers.EAN8:    {"EAN-8", '2', "123", gtinData(8), fixed(67)},
	drivers.EAN13:   {"EAN-13", '3', "123", gtinData(13), fixed(95)},
	drivers.Code39:  {"Code 39", '4', "456", code39Data, func(n, m int) int { return (n + 2) * (6*m + 3*wide(m) + m) }},
	drivers.ITF:     {"ITF", '5', "182", itfData, func(n, m int) int { return n*(3*m+2*wide(m)) + 9*m }},
	drivers.Code128: {"Code 128", '6', "123", code128Data, func(n, m int) int { return (11*n + 35) * m }},
	drivers.Codabar: {"Codabar", '8', "456", codabarData, func(n, m int) int { return n * (5*m + 3*wide(m)) }},
}

// quietModules stand blank on both sides of a linear code; fixed codes count
// theirs by the same figure.
const quietModules = 10

func fixed(modules int) func(int, int) int {
	return func(_, module int) int { return modules * module }
}

// wide is a wide bar beside a narrow one, at most.
func wide(narrow int) int { return 3 * narrow }

// Modules in dots, and heights: 8 dots are a millimetre.
const (
	moduleLeast, modulePreferred, moduleMost = 2, 3, 4

	dotsPerMM       = 8
	heightPreferred = 10
	heightDotsMax   = 255
)

var errData = errors.New("data that the symbology cannot hold")

func (e *encoder) barcode(c drivers.Barcode) error {
	if len(c.Data) == 0 || len(c.Data) > drivers.BarcodeBytesMax {
		return fmt.Errorf("a code of %d bytes, 1 to %d: %w", len(c.Data), drivers.BarcodeBytesMax, drivers.ErrTooLong)
	}
	if c.Symbology == drivers.QRCode {
		return e.qr(c)
	}
	if c.Symbology == drivers.PDF417 {
		return e.pdf417(c)
	}
	l, ok := linears[c.Symbology]
	if !ok { // also GS1-128, DataBar and DataMatrix
		return fmt.Errorf("symbology %d: %w", c.Symbology, drivers.ErrUnsupported)
	}
	data, err := l.data(c.Data)
	if err != nil {
		return fmt.Errorf("%s: %w", l.name, err)
	}
	module, err := e.module(c, len(data), l)
	if err != nil {
		return fmt.Errorf("%s: %w", l.name, err)
	}
	height := c.Height
	if height <= 0 {
		height = heightPreferred
	}
	hri := byte('1') // n2: feed after it, without and with its characters
	if c.Text {
		hri = '2'
	}
	e.style(drivers.TextLine{Align: c.Align})
	e.command(esc, 'b', l.kind, hri, l.modes[module-moduleLeast], byte(min(height*dotsPerMM, heightDotsMax)))
	e.put(data)
	e.command(rs)
	e.printed(string(rune(rs)), blockBytes)
	return nil
}

// module is the widest that fits, or the one that is asked for.
func (e *encoder) module(c drivers.Barcode, n int, l linear) (int, error) {
	module := modulePreferred
	if c.Module > 0 {
		module = max(moduleLeast, min(c.Module, moduleMost))
	}
	for ; module >= moduleLeast; module-- {
		if l.dots(n, module)+2*quietModules*module <= e.model.Dots {
			return module, nil
		}
		if c.Module > 0 {
			break
		}
	}
	return 0, fmt.Errorf("wider than the paper: %w", drivers.ErrTooLong)
}

// only checks that s is made of the characters of set.
func only(s, set string) error {
	if strings.Trim(s, set) != "" {
		return errData
	}
	return nil
}

const digits = "0123456789"

// gtinData is a number of n digits, whose last may be left out.
func gtinData(n int) func(string) (string, error) {
	return func(s string) (string, error) {
		if err := only(s, digits); err != nil {
			return "", err
		}
		if len(s) != n && len(s) != n-1 {
			return "", fmt.Errorf("%d digits, not %d: %w", len(s), n, errData)
		}
		with := s[:n-1] + checkDigit(s[:n-1])
		if len(s) == n && s != with {
			return "", fmt.Errorf("check digit: %w", errData)
		}
		return with, nil
	}
}

// checkDigit is that of GS1: weights 3 and 1 from the right.
func checkDigit(s string) string {
	sum := 0
	for i := range len(s) {
		weight := 3 - 2*((len(s)-1-i)%2)
		sum += weight * int(s[i]-'0')
	}
	return string(digits[(10-sum%10)%10])
}

// upceData is the UPC-A that a short one of 6 to 8 digits (number system 0)
// stands for; the printer shortens it again.
func upceData(s string) (string, error) {
	if err := only(s, digits); err != nil {
		return "", err
	}
	if len(s) == 6 {
		s = "0" + s
	}
	if len(s) != 7 && len(s) != 8 || s[0] != '0' {
		return "", fmt.Errorf("6 digits, or 0 and 6: %w", errData)
	}
	var long string
	switch last := s[6]; last {
	case '0', '1', '2':
		long = s[:3] + string(rune(last)) + "0000" + s[3:6]
	case '3':
		long = s[:4] + "00000" + s[4:6]
	case '4':
		long = s[:5] + "00000" + s[5:6]
	default:
		long = s[:6] + "0000" + string(rune(last))
	}
	return gtinData(12)(long + s[7:])
}

// code39Data has no start and stop characters: the printer adds them.
func code39Data(s string) (string, error) {
	return s, only(s, digits+"ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%")
}

func itfData(s string) (string, error) {
	if len(s)%2 != 0 {
		return "", fmt.Errorf("an odd number of digits: %w", errData)
	}
	return s, only(s, digits)
}

func codabarData(s string) (string, error) {
	s = strings.ToUpper(s)
	const frame = "ABCD"
	if len(s) < 3 || only(s[:1], frame) != nil || only(s[len(s)-1:], frame) != nil {
		return "", fmt.Errorf("no start and stop of A to D: %w", errData)
	}
	return s, only(s[1:len(s)-1], digits+"-$:/.+")
}

// code128Data is printable ASCII; % begins the printer's own escapes, %0 is one.
func code128Data(s string) (string, error) {
	for i := range len(s) {
		if s[i] < ' ' {
			return "", drivers.ErrControl
		}
		if s[i] > '~' {
			return "", errData
		}
	}
	return strings.ReplaceAll(s, "%", "%0"), nil
}

// qrBytes is what versions 1 to 27 hold of bytes at level M (ISO/IEC 18004,
// table 7): enough for drivers.BarcodeBytesMax.
//
//nolint:gochecknoglobals // a constant table
var qrBytes = [...]int{
	14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331, 362,
	412, 450, 504, 560, 624, 666, 711, 779, 857, 911, 997, 1059, 1125,
}

const (
	qrCellPreferred, qrCellMost = 5, 8
	qrQuiet                     = 4
	// A block of its own takes a head in the symbol; its number is a byte.
	qrPartHead, qrPartsMax = 3, 255
)

// qr is ESC GS y: model 2, level M, cells, data, print.
func (e *encoder) qr(c drivers.Barcode) error {
	parts := apart(c.Data)
	if len(parts) > qrPartsMax {
		return fmt.Errorf("QR: %w", drivers.ErrControl)
	}
	version, size := 1, len(c.Data)+qrPartHead*(len(parts)-1)
	for version < len(qrBytes) && qrBytes[version-1] < size {
		version++
	}
	if qrBytes[version-1] < size {
		return fmt.Errorf("QR: %w", drivers.ErrTooLong)
	}
	side := 17 + 4*version + 2*qrQuiet
	cell := min(qrCellPreferred, e.model.Dots/side)
	if c.Module > 0 {
		cell = min(c.Module, qrCellMost)
	}
	if cell < 1 || side*cell > e.model.Dots {
		return fmt.Errorf("QR: wider than the paper: %w", drivers.ErrTooLong)
	}
	e.feed() // a blank line is its quiet zone, before and after it
	e.style(drivers.TextLine{Align: c.Align})
	e.put("\x1b\x1dyS0\x02" + "\x1b\x1dyS1\x01" + "\x1b\x1dyS2")
	e.command(byte(cell))
	e.qrData(c.Data, parts)
	e.put("\x1b\x1dyP")
	e.printed("", pictureBlockBytes)
	e.feed()
	return nil
}

// qrData is ESC GS y D 1 0 nL nH d…: data whose kind the printer finds. Where
// that would hold a real-time command it is ESC GS y D 2: blocks of binary
// data, cut there.
func (e *encoder) qrData(data string, parts []string) {
	if len(parts) == 1 {
		e.put("\x1b\x1dyD1\x00")
		e.command(byte(len(data)&0xFF), byte(len(data)>>8&0xFF))
		e.put(data)
		return
	}
	e.put("\x1b\x1dyD2")
	e.command(byte(len(parts) & 0xFF))
	const binary = 3
	for _, p := range parts {
		e.command(binary, byte(len(p)&0xFF), byte(len(p)>>8&0xFF))
		e.put(p)
	}
}

// PDF417 (ISO/IEC 15438): a symbol of c columns has 17 c + 69 modules, at most
// 90 rows and 928 codewords, of which 6 bytes take 5.
const (
	pdf417Dots       = 2
	pdf417Level      = 2
	pdf417Correction = 2 << pdf417Level
	pdf417Overhead   = 3
	pdf417Most       = 928
	pdf417Columns    = 12
	pdf417Rows       = 90
)

// pdf417 is ESC GS x: size by columns, level, module, data, print.
func (e *encoder) pdf417(c drivers.Barcode) error {
	words := (5*len(c.Data)+5)/6 + pdf417Correction + pdf417Overhead
	columns := 1
	for columns < pdf417Columns && (columns*columns*3 < words || columns*pdf417Rows < words) {
		columns++
	}
	dots := max(pdf417Dots, min(c.Module, moduleMost))
	if words > pdf417Most || columns*pdf417Rows < words || (17*columns+69)*dots > e.model.Dots {
		return fmt.Errorf("PDF417: larger than the paper: %w", drivers.ErrTooLong)
	}
	if len(apart(c.Data)) > 1 {
		return fmt.Errorf("PDF417: %w", drivers.ErrControl)
	}
	e.feed()
	e.style(drivers.TextLine{Align: c.Align})
	e.put("\x1b\x1dxS0\x01\x00") // rows as they come
	e.command(byte(columns))
	e.put("\x1b\x1dxS1")
	e.command(pdf417Level)
	e.put("\x1b\x1dxS2")
	e.command(byte(dots))
	e.put("\x1b\x1dxS3\x03\x1b\x1dxD")
	e.command(byte(len(c.Data)&0xFF), byte(len(c.Data)>>8&0xFF))
	e.put(c.Data + "\x1b\x1dxP")
	e.printed("", pictureBlockBytes)
	e.feed()
	return nil
}
