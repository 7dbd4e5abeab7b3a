package star

import (
	"fmt"
	"strings"

	"regi/drivers"
	"regi/drivers/barcode"
	"regi/drivers/raster"
)

// linear is how one symbology is printed by ESC b n1 n2 n3 n4 d… RS.
type linear struct {
	kind byte // n1
	// modes are n3 for a narrowest part of 2, 3 and 4 dots.
	modes string
	// dots is the widest that n characters can be for a module.
	dots func(n, module int) int
}

// Widths and modes: Line Mode appendix 1, "Bar code specification"; the modes of
// wide and narrow bars as receiptline sends them (2:5, 3:8 or 3:9, 4:10).
//
//nolint:gochecknoglobals // a constant table
var linears = map[drivers.Symbology]linear{
	drivers.UPCE:    {'0', "123", fixed(51)},
	drivers.UPCA:    {'1', "123", fixed(95)},
	drivers.EAN8:    {'2', "123", fixed(67)},
	drivers.EAN13:   {'3', "123", fixed(95)},
	drivers.Code39:  {'4', "456", func(n, m int) int { return (n + 2) * (6*m + 3*wide(m) + m) }},
	drivers.ITF:     {'5', "182", func(n, m int) int { return n*(3*m+2*wide(m)) + 9*m }},
	drivers.Code128: {'6', "123", func(n, m int) int { return (11*n + 35) * m }},
	drivers.Codabar: {'8', "456", func(n, m int) int { return n * (5*m + 3*wide(m)) }},
}

// quietModules stand blank on both sides of a linear code; fixed codes count
// theirs by the same figure.
const quietModules = 10

func fixed(modules int) func(int, int) int {
	return func(_, module int) int { return modules * module }
}

// wide is a wide bar beside a narrow one, at most.
func wide(narrow int) int { return 3 * narrow }

// The modules of ESC b, in dots.
const moduleLeast, moduleMost = 2, 4

// barcode prints a code that was checked and fits, or returns an error. What
// the printer has no command for is drawn: GS1-128, whose separators ESC b has
// no sign for that all manuals give, and Data Matrix.
func (e *encoder) barcode(b drivers.Barcode) error {
	if b.Module < 0 || b.Height < 0 {
		return fmt.Errorf("a bar code of negative size: %w", drivers.ErrUnsupported)
	}
	code, err := barcode.New(b.Symbology, b.Data)
	if err != nil {
		return err
	}
	switch b.Symbology {
	case drivers.QRCode:
		return e.qr(b, code)
	case drivers.PDF417:
		return e.pdf417(b, code)
	case drivers.DataBar:
		return fmt.Errorf("DataBar on model %s: %w", e.model.Name, drivers.ErrUnsupported)
	case drivers.DataMatrix:
		return e.drawn(b, code)
	case drivers.UPCA, drivers.UPCE, drivers.EAN13, drivers.EAN8, drivers.Code39, drivers.ITF, drivers.Codabar,
		drivers.Code128, drivers.GS1128:
	}
	return e.linear(b, code)
}

func (e *encoder) linear(b drivers.Barcode, code barcode.Code) error {
	bars, _ := code.Modules()
	module, err := e.model.paper().Linear(b, len(bars))
	if err != nil {
		return err
	}
	l, ok := linears[code.Symbology]
	data, can := linearData(code)
	if !ok || !can || module < moduleLeast || module > moduleMost || l.dots(len(data), module)+2*quietModules*module > e.model.Dots {
		return e.drawn(b, code)
	}
	hri := byte('1') // n2: feed after it, without and with its characters
	if b.Text {
		hri = '2'
	}
	e.style(drivers.TextLine{Align: b.Align})
	e.command(esc, 'b', l.kind, hri, l.modes[module-moduleLeast], byte(e.model.paper().Height(b)&0xFF))
	e.put(data)
	e.command(rs)
	e.printed(blockBytes)
	return nil
}

// linearData is what ESC b is given, if it can be: no byte below a space is sent
// but in a command, and UPC-E has number system 0.
func linearData(code barcode.Code) (string, bool) {
	if code.Symbology == drivers.UPCE {
		return code.Data, code.Data[0] == '0' // the printer shortens it again
	}
	if code.Symbology == drivers.Code128 {
		control := strings.ContainsFunc(code.Data, func(c rune) bool { return c < ' ' || c == 0x7F })
		return strings.ReplaceAll(code.Data, "%", "%0"), !control // % begins its own escapes, %0 is one
	}
	return code.Data, true
}

// drawn prints a code as dots, and its characters as a line.
func (e *encoder) drawn(b drivers.Barcode, code barcode.Code) error {
	d, err := e.model.paper().Code(b, code)
	if err != nil {
		return err
	}
	if err := e.dots(d, b.Align); err != nil {
		return err
	}
	if b.Text && b.Symbology < drivers.QRCode {
		return e.text(drivers.TextLine{Text: code.Data, Align: b.Align})
	}
	return nil
}

// codeHead is more than the commands around the data of ESC GS x and y take.
const codeHead = 64

// cellMost is the largest module of ESC GS y.
const cellMost = 8

// qr is ESC GS y: model 2, level M, cells, data, print. Data that holds a
// real-time command is drawn.
func (e *encoder) qr(b drivers.Barcode, code barcode.Code) error {
	size, err := barcode.QRSize(code.Data)
	if err != nil {
		return err
	}
	cell, err := e.model.paper().Square(b, size)
	if err != nil {
		return err
	}
	if meaning(code.Data) || cell > cellMost {
		return e.drawn(b, code)
	}
	e.room(codeHead + len(code.Data))
	e.feed() // a blank line is its quiet zone, before and after it
	e.style(drivers.TextLine{Align: b.Align})
	e.put("\x1b\x1dyS0\x02" + "\x1b\x1dyS1\x01" + "\x1b\x1dyS2")
	e.command(byte(cell & 0xFF))
	e.put("\x1b\x1dyD1\x00") // D 1 0 nL nH d…: the printer finds the kind of data
	e.command(byte(len(code.Data)&0xFF), byte(len(code.Data)>>8&0xFF))
	e.put(code.Data + "\x1b\x1dyP")
	e.printed(blockMost)
	e.feed()
	return nil
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
func (e *encoder) pdf417(b drivers.Barcode, code barcode.Code) error {
	words := (5*len(code.Data)+5)/6 + pdf417Correction + pdf417Overhead
	columns := 1
	for columns < pdf417Columns && (columns*columns*3 < words || columns*pdf417Rows < words) {
		columns++
	}
	dots := max(pdf417Dots, min(b.Module, moduleMost))
	if words > pdf417Most || columns*pdf417Rows < words || (17*columns+69+2*raster.QuietSquare)*dots > e.model.Dots {
		return fmt.Errorf("PDF417: larger than the paper: %w", drivers.ErrTooLong)
	}
	if meaning(code.Data) {
		return fmt.Errorf("PDF417: %w", drivers.ErrControl)
	}
	e.room(codeHead + len(code.Data))
	e.feed()
	e.style(drivers.TextLine{Align: b.Align})
	e.put("\x1b\x1dxS0\x01\x00") // rows as they come
	e.command(byte(columns))
	e.put("\x1b\x1dxS1")
	e.command(pdf417Level)
	e.put("\x1b\x1dxS2")
	e.command(byte(dots))
	e.put("\x1b\x1dxS3\x03\x1b\x1dxD")
	e.command(byte(len(code.Data)&0xFF), byte(len(code.Data)>>8&0xFF))
	e.put(code.Data + "\x1b\x1dxP")
	e.printed(blockMost)
	e.feed()
	return nil
}
