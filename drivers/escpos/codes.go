package escpos

import (
	"errors"
	"fmt"
	"strings"

	"regi/drivers"
	"regi/drivers/barcode"
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

// Sizes of codes.
const (
	heightDefault = 10 // mm
	heightMax     = 255
	moduleMin     = 2 // GS w
	moduleMax     = 6
	squareMin     = 3 // modules of two-dimensional codes
	squareMax     = 16
	// squareShare is the part of the paper's width, in %, that a matrix code
	// takes if it may choose.
	squareShare = 45
	quietLinear = 20 // modules, both sides together
	quietSquare = 4
	// charDots is the width of a character below a code.
	charDots = 12
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
	module, err := e.module(b, linearModules(code))
	if err != nil {
		return err
	}
	height := e.heightDots(b)
	command := linearCommand(code)
	native := e.linearAbility(b.Symbology)
	if !native.Has() || module < moduleMin || len(command) > 4+255 || meaning(command) || controls(code) {
		return e.drawLinear(b, code, module, height)
	}
	e.command(gs, 'h', byte(height&0xFF))   // GS h: height in dots
	e.command(gs, 'w', byte(module&0xFF))   // GS w: module width in dots
	e.command(gs, 'f', 0)                   // GS f 0: font A
	e.command(gs, 'H', flag(b.Text, below)) // GS H: characters below
	e.out.bytes = append(e.out.bytes, command...)
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

// module is the width of the narrowest part, in dots: the wish, or the widest
// of 3 and 2 that fits; 1 is drawn by the driver only.
func (e *encoder) module(b drivers.Barcode, modules int) (int, error) {
	fits := func(module int) bool { return (modules+quietLinear)*module <= e.model.Dots }
	if b.Module > 0 {
		if b.Module > moduleMax || !fits(b.Module) {
			return 0, fmt.Errorf("a bar code of %d modules of %d dots does not fit: %w", modules, b.Module, drivers.ErrTooLong)
		}
		return b.Module, nil
	}
	for _, module := range []int{3, moduleMin, 1} {
		if fits(module) {
			return module, nil
		}
	}
	return 0, fmt.Errorf("a bar code of %d modules does not fit: %w", modules, drivers.ErrTooLong)
}

func (e *encoder) heightDots(b drivers.Barcode) int {
	const tenthsOfInch = 254
	mm := b.Height
	if mm == 0 {
		mm = heightDefault
	}
	return min(heightMax, min(mm, heightMax)*10*e.model.DPI/tenthsOfInch)
}

// drawLinear prints the bars as a picture, and the characters as a line.
func (e *encoder) drawLinear(b drivers.Barcode, code barcode.Code, module, height int) error {
	bars, ok := code.Modules()
	if !ok {
		return fmt.Errorf("this bar code on model %s: %w", e.model.Name, drivers.ErrUnsupported)
	}
	e.raster(linearDots(bars, module, height))
	if b.Text {
		return e.line(drivers.TextLine{Text: code.Data, Align: b.Align})
	}
	return nil
}

func linearDots(bars []bool, module, height int) dots {
	d := newDots(len(bars)*module, height)
	for i, black := range bars {
		for x := i * module; black && x < (i+1)*module; x++ {
			for y := range height {
				d.set(x, y)
			}
		}
	}
	return d
}

// cn of GS ( k.
const (
	symbolPDF417     = 48
	symbolQR         = 49
	symbolDataMatrix = 54
)

func (e *encoder) matrix(b drivers.Barcode, code barcode.Code) error {
	if b.Module > squareMax {
		return fmt.Errorf("modules of %d dots, at most %d: %w", b.Module, squareMax, drivers.ErrUnsupported)
	}
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
	module, err := e.square(b, size)
	if err != nil {
		return err
	}
	data := symbolStore(cn, code.Data)
	if !native.Has() || meaning(data) {
		m, err := code.Matrix()
		if err != nil {
			return err
		}
		e.raster(matrixDots(m, module))
		return nil
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
	e.command(esc, 'J', byte(quietSquare*module)) //nolint:gosec // ≤ 64
}

// square is the size of a module.
func (e *encoder) square(b drivers.Barcode, size int) (int, error) {
	fits := func(module int) bool { return (size+2*quietSquare)*module <= e.model.Dots }
	module := b.Module
	if module == 0 {
		module = min(squareMin*2, max(squareMin, e.model.Dots*squareShare/100/size))
		for module > 1 && !fits(module) {
			module--
		}
	}
	if !fits(module) {
		return 0, fmt.Errorf("a code of %d modules does not fit: %w", size, drivers.ErrTooLong)
	}
	return module, nil
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
	e.out.bytes = append(e.out.bytes, data...)
	e.symbol(cn, 81, 48)
	e.printed(linesOf(e.model, height))
}

// matrixDots are the modules in their quiet zone.
func matrixDots(m barcode.Matrix, module int) dots {
	side := (m.Size + 2*quietSquare) * module
	d := newDots(side, side)
	for y := range m.Size * module {
		for x := range m.Size * module {
			if m.Black(x/module, y/module) {
				d.set(x+quietSquare*module, y+quietSquare*module)
			}
		}
	}
	return d
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
	width := (17*(columns+4) + 1 + 2*quietSquare) * module
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
