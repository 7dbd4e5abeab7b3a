package escpos

import (
	"errors"
	"fmt"
	"strings"

	"regi/drivers"
	"regi/drivers/barcode"
	"regi/drivers/raster"
)

// GS k m of form B (m n d1…dn), by symbology.
//
//nolint:gochecknoglobals // a constant table
var linearTypes = map[drivers.Symbology]byte{
	drivers.UPCA: 65, drivers.UPCE: 66, drivers.EAN13: 67, drivers.EAN8: 68, drivers.Code39: 69,
	drivers.ITF: 70, drivers.Codabar: 71, drivers.Code128: 73, drivers.GS1128: 74, drivers.DataBar: 75,
}

// dataBarExpanded is GS k 78.
const dataBarExpanded = 78

const (
	moduleMin = 2  // GS w
	charDots  = 12 // of a character below a code
)

// barcode prints a code that was checked and fits, or returns an error.
func (e *encoder) barcode(b drivers.Barcode) error {
	if b.Module < 0 || b.Height < 0 {
		return fmt.Errorf("a bar code of negative size: %w", drivers.ErrUnsupported)
	}
	code, err := barcode.New(b.Symbology, b.Data)
	if err != nil {
		return err
	}
	e.justify(b.Align)
	if matrix(b.Symbology) {
		return e.matrix(b, code)
	}
	return e.linear(b, code)
}

func matrix(s drivers.Symbology) bool {
	return s == drivers.QRCode || s == drivers.PDF417 || s == drivers.DataMatrix
}

func (e *encoder) linear(b drivers.Barcode, code barcode.Code) error {
	module, err := e.model.paper().Linear(b, linearModules(code))
	if err != nil {
		return err
	}
	height := e.model.paper().Height(b)
	command := linearCommand(code)
	native := e.linearAbility(b.Symbology)
	if !native.Has() || module < moduleMin || len(command) > 4+255 || meaning(command) || controls(code) {
		return e.drawn(b, code)
	}
	e.command(gs, 'h', byte(height&0xFF))   // GS h: height in dots
	e.command(gs, 'w', byte(module&0xFF))   // GS w: module width in dots
	e.command(gs, 'f', 0)                   // GS f 0: font A
	e.command(gs, 'H', flag(b.Text, below)) // GS H: characters below
	e.out.Bytes = append(e.out.Bytes, command...)
	e.printed(linesOf(e.model, height) + 1)
	return nil
}

const below = 2

// controls says whether a code holds control characters, which it is drawn for:
// no byte below a space is sent but in a command.
func controls(code barcode.Code) bool {
	return code.Symbology == drivers.Code128 && strings.ContainsFunc(code.Data, func(c rune) bool { return c < ' ' || c == 0x7F })
}

func (e *encoder) linearAbility(s drivers.Symbology) Ability {
	if s == drivers.GS1128 {
		return e.model.GS1128
	}
	if s == drivers.DataBar {
		return e.model.DataBar
	}
	return e.model.Linear
}

// linearModules is the width of a code; those that we cannot draw have one that
// is known (ISO/IEC 24724: omnidirectional 96; expanded at least 102, and 17
// for about two characters).
func linearModules(code barcode.Code) int {
	if bars, ok := code.Modules(); ok {
		return len(bars)
	}
	if code.Elements == nil {
		return 96
	}
	n := 0
	for _, e := range code.Elements {
		n += len(e.AI) + len(e.Value) + 1
	}
	return 102 + 17*n/2
}

// linearCommand is GS k.
func linearCommand(code barcode.Code) []byte {
	m, data := linearTypes[code.Symbology], code.Data
	switch code.Symbology {
	case drivers.Code128:
		data = code128Data(code.Symbols())
	case drivers.GS1128:
		data = gs1Data(code.Elements)
	case drivers.DataBar:
		if code.Elements != nil {
			m, data = dataBarExpanded, gs1Data(code.Elements)
		} else {
			data = data[:13] // the printer makes the check digit
		}
	case drivers.UPCA, drivers.UPCE, drivers.EAN13, drivers.EAN8, drivers.Code39, drivers.ITF, drivers.Codabar,
		drivers.QRCode, drivers.PDF417, drivers.DataMatrix:
	}
	b := append([]byte{gs, 'k', m, byte(len(data) & 0xFF)}, data...)
	if code.Symbology == drivers.Code128 && meaning(b) {
		data = "{B" + strings.ReplaceAll(code.Data, "{", "{{") // pairs of digits are bytes: 1604
		b = append([]byte{gs, 'k', m, byte(len(data) & 0xFF)}, data...)
	}
	return b
}

// code128Data writes symbols as GS k 73 wants them: {A, {B or {C before a change
// of the code set, {1 for FNC1, {{ for {; a pair of digits is one byte.
func code128Data(symbols []barcode.Symbol) string {
	var b strings.Builder
	var set barcode.Set
	for _, s := range symbols {
		if s.Set != set {
			set = s.Set
			b.WriteString("{" + string(rune(set)))
		}
		switch {
		case s.FNC1:
			b.WriteString("{1")
		case s.Set != barcode.SetC && s.Byte == '{':
			b.WriteString("{{")
		default:
			b.WriteByte(s.Byte)
		}
	}
	return b.String()
}

// gs1Data writes elements for GS k 74 and 78: brackets around identifiers are
// for the characters below, {1 is the separator; what would be taken for
// something else is marked by {.
func gs1Data(elements []barcode.Element) string {
	escape := strings.NewReplacer("(", "{(", ")", "{)", "*", "{*")
	var b strings.Builder
	for i, e := range elements {
		b.WriteString("(" + e.AI + ")" + escape.Replace(e.Value))
		if e.Variable() && i < len(elements)-1 {
			b.WriteString("{1")
		}
	}
	return b.String()
}

// drawn prints a code as a picture, and its characters as a line.
func (e *encoder) drawn(b drivers.Barcode, code barcode.Code) error {
	d, err := e.model.paper().Code(b, code)
	if err != nil {
		return fmt.Errorf("this bar code on model %s: %w", e.model.Name, err)
	}
	e.raster(d)
	if b.Text && !matrix(b.Symbology) {
		return e.line(drivers.TextLine{Text: code.Data, Align: b.Align})
	}
	return nil
}

// cn of GS ( k.
const (
	symbolPDF417     = 48
	symbolQR         = 49
	symbolDataMatrix = 54
)

func (e *encoder) matrix(b drivers.Barcode, code barcode.Code) error {
	if b.Symbology == drivers.PDF417 {
		return e.pdf417(b, code)
	}
	native, cn := e.model.QR, byte(symbolQR)
	if b.Symbology == drivers.DataMatrix {
		native, cn = e.model.DataMatrix, symbolDataMatrix
	}
	size, err := matrixSize(code)
	if err != nil {
		return err
	}
	module, err := e.model.paper().Square(b, size)
	if err != nil {
		return err
	}
	data := symbolStore(cn, code.Data)
	if !native.Has() || meaning(data) {
		return e.drawn(b, code)
	}
	e.quiet(module)
	if cn == symbolQR {
		e.symbol(cn, 65, 50, 0)             // model 2
		e.symbol(cn, 67, byte(module&0xFF)) // dots of a module
		e.symbol(cn, 69, qrLevelM)          // error correction
	} else {
		e.symbol(cn, 66, 0, 0, 0) // square, its size by the data
		e.symbol(cn, 67, byte(module&0xFF))
	}
	e.printSymbol(cn, data, size*module)
	e.quiet(module)
	return nil
}

// matrixSize is how many modules a code has; a printer's own is no larger.
func matrixSize(code barcode.Code) (int, error) {
	if code.Symbology == drivers.QRCode {
		return barcode.QRSize(code.Data)
	}
	m, err := code.Matrix()
	return m.Size, err
}

const qrLevelM = 49

// quiet feeds what must stay white above and below a matrix code.
func (e *encoder) quiet(module int) {
	// ESC J counts dots, or halves of them on a TM-T88V, where the gaps between
	// the lines do the rest.
	e.command(esc, 'J', byte(raster.QuietSquare*module)) //nolint:gosec // ≤ 64
}

// symbol is GS ( k pL pH cn fn and its parameters.
func (e *encoder) symbol(cn, fn byte, parameters ...byte) {
	e.command(gs, '(', 'k', byte(len(parameters)+2), 0, cn, fn) //nolint:gosec // a few
	e.command(parameters...)
}

// symbolStore is GS ( k fn 80: store the data.
func symbolStore(cn byte, data string) []byte {
	n := len(data) + 3
	return append([]byte{gs, '(', 'k', byte(n & 0xFF), byte(n >> 8), cn, 80, 48}, data...) //nolint:gosec // ≤ 1,027
}

// printSymbol stores the data and is GS ( k fn 81: print it.
func (e *encoder) printSymbol(cn byte, data []byte, height int) {
	e.out.Bytes = append(e.out.Bytes, data...)
	e.symbol(cn, 81, 48)
	e.printed(linesOf(e.model, height))
}

// PDF417: what the printer would choose cannot be known before; these columns
// make a code that is not flat, and fits 384 dots with modules of 2.
const (
	pdfColumnsMax = 6
	pdfRowHeight  = 3
	pdfLevel      = 2
	pdfBytesMax   = 500
)

func pdfColumns(n int) int {
	for columns := 2; columns < pdfColumnsMax; columns++ {
		if 3*columns*columns >= n {
			return columns
		}
	}
	return pdfColumnsMax
}

var errPDF417 = errors.New("PDF417 with a real-time command in its data")

func (e *encoder) pdf417(b drivers.Barcode, code barcode.Code) error {
	data := symbolStore(symbolPDF417, code.Data)
	switch {
	case !e.model.PDF417.Has():
		return fmt.Errorf("PDF417 on model %s: %w", e.model.Name, drivers.ErrUnsupported)
	case len(code.Data) > pdfBytesMax:
		return fmt.Errorf("%d bytes in PDF417, at most %d: %w", len(code.Data), pdfBytesMax, drivers.ErrTooLong)
	case meaning(data):
		return fmt.Errorf("%w: %w", errPDF417, drivers.ErrControl)
	}
	module := b.Module
	if module == 0 {
		module = moduleMin
	}
	columns := pdfColumns(len(code.Data))
	width := (17*(columns+4) + 1 + 2*raster.QuietSquare) * module
	if module > 8 || width > e.model.Dots {
		return fmt.Errorf("PDF417 with modules of %d dots does not fit: %w", module, drivers.ErrTooLong)
	}
	e.symbol(symbolPDF417, 65, byte(columns&0xFF))
	e.symbol(symbolPDF417, 66, 0)
	e.symbol(symbolPDF417, 67, byte(module))
	e.symbol(symbolPDF417, 68, pdfRowHeight)
	e.symbol(symbolPDF417, 69, 48, 48+pdfLevel)
	e.symbol(symbolPDF417, 70, 0) // not truncated
	rows := len(code.Data)/columns + 6
	e.printSymbol(symbolPDF417, data, rows*pdfRowHeight*module)
	return nil
}
