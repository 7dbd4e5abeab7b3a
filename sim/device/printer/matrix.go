package printer

import (
	"fmt"
	"maps"

	"regi/sim/device/printer/internal/symbol"
	"regi/sim/device/printer/internal/symbol/databar"
	"regi/sim/device/printer/internal/symbol/datamatrix"
	"regi/sim/device/printer/internal/symbol/pdf417"
	"regi/sim/device/printer/internal/symbol/qr"
)

// cn of GS ( k.
const (
	codePDF417     = 48
	codeQR         = 49
	codeMaxiCode   = 50
	codeDataBar    = 51
	codeComposite  = 52
	codeAztec      = 53
	codeDataMatrix = 54
)

// The functions that all kinds have.
const (
	fnData  = 80
	fnPrint = 81
	fnSize  = 82
)

// codeDataMax is the longest data of a code: digits in a QR Code.
const codeDataMax = 7089

// matrices are the settings of GS ( k, by kind and function: the bytes after fn.
// What is not set has its default in the kind's drawing.
type matrices map[[2]byte][]byte

// matrixCode is GS ( k: n bytes cn fn ….
func (it *interpreter) matrixCode(n int) error {
	if n < 3 || n > codeDataMax+3 {
		return it.skip(n)
	}
	b, err := it.take(n)
	if err != nil {
		return err
	}
	cn, fn, a := b[0], b[1], b[2:]
	k, known := matrixKinds[cn]
	switch {
	case !known:
		return nil
	case fn == fnData && a[0] == '0':
		it.keep(cn, fn, a[1:])
	case fn == fnPrint && a[0] == '0':
		return it.printMatrix(cn, k)
	case fn == fnSize && a[0] == '0':
		return it.matrixSize(cn, k)
	case fn >= 65 && fn < fnData:
		if k.allows == nil || k.allows(fn, a) {
			it.keep(cn, fn, a)
		}
	}
	return nil
}

// keep copies the settings before it changes them: ESC @ compares nothing, but
// a macro may hold the old ones.
func (it *interpreter) keep(cn, fn byte, a []byte) {
	next := maps.Clone(it.matrices)
	if next == nil {
		next = matrices{}
	}
	next[[2]byte{cn, fn}] = a
	it.matrices = next
}

// number is the byte i of a setting, or what it is if nobody set it.
func (m matrices) number(cn, fn byte, i, unset int) int {
	if a := m[[2]byte{cn, fn}]; i < len(a) {
		return int(a[i])
	}
	return unset
}

// matrixKind is how one kind is drawn.
type matrixKind struct {
	name string
	// allows tells whether a setting may be; nil is all.
	allows func(fn byte, a []byte) bool
	// encode makes the symbol, dots wide at most; nil is parsed but not drawn.
	encode func(m matrices, data []byte, dots int) (s *symbol.Matrix, name string, err error)
	// module is the size of one module.
	module func(m matrices) (w, h int)
	// identifier answers fn 82; 0 does not.
	identifier byte
}

//nolint:gochecknoglobals // a constant table
var matrixKinds = map[byte]matrixKind{
	codePDF417: {
		name: "pdf417", allows: allowsPDF417, encode: encodePDF417, identifier: 0x2F,
		module: func(m matrices) (int, int) {
			w := m.number(codePDF417, 67, 0, 3)
			return w, w * m.number(codePDF417, 68, 0, 3)
		},
	},
	codeQR: {
		name: "qr", allows: allowsQR, encode: encodeQR, identifier: 0x36,
		module: func(m matrices) (int, int) { return square(m.number(codeQR, 67, 0, 3)) },
	},
	codeDataMatrix: {
		name: "datamatrix", allows: allowsDataMatrix, encode: encodeDataMatrix,
		module: func(m matrices) (int, int) { return square(m.number(codeDataMatrix, 67, 0, 3)) },
	},
	codeDataBar: {
		name: "databar-stacked", allows: func(fn byte, a []byte) bool { return fn != 67 || between(a, 2, 8) }, encode: encodeDataBar,
		module: func(m matrices) (int, int) { return square(m.number(codeDataBar, 67, 0, 2)) },
	},
	codeMaxiCode:  {name: "maxicode"},
	codeComposite: {name: "composite"},
	codeAztec:     {name: "aztec"},
}

func square(n int) (int, int) { return n, n }

// between: one byte, within limits.
func between(a []byte, least, most byte) bool {
	return len(a) == 1 && a[0] >= least && a[0] <= most
}

func allowsQR(fn byte, a []byte) bool {
	switch fn {
	case 65: // model
		return len(a) == 2 && a[0] >= 49 && a[0] <= 51
	case 67: // module
		return between(a, 1, 16)
	case 69: // level
		return between(a, 48, 51)
	}
	return false
}

// encodeQR: model 51 is a Micro QR Code. Model 1 is drawn as model 2: nothing
// sold today reads it, and printers of today print it so rarely that no second
// opinion could be had.
func encodeQR(m matrices, data []byte, _ int) (*symbol.Matrix, string, error) {
	level := qr.Level(m.number(codeQR, 69, 0, 48) - 48)
	if m.number(codeQR, 65, 0, 50) == 51 {
		s, err := qr.Micro(data, level)
		return s, "micro-qr", err
	}
	s, err := qr.Encode(data, level)
	return s, "qr", err
}

func allowsPDF417(fn byte, a []byte) bool {
	switch fn {
	case 65: // columns
		return between(a, 0, 30)
	case 66: // rows
		return len(a) == 1 && (a[0] == 0 || a[0] >= 3 && a[0] <= 90)
	case 67, 68: // module, row height
		return between(a, 2, 8)
	case 69: // correction: a level, or a ratio
		return len(a) == 2 && (a[0] == 48 && a[1] >= 48 && a[1] <= 56 || a[0] == 49 && a[1] >= 1 && a[1] <= 40)
	case 70: // truncated
		return between(a, 0, 1)
	}
	return false
}

func encodePDF417(m matrices, data []byte, dots int) (*symbol.Matrix, string, error) {
	w := m.number(codePDF417, 67, 0, 3)
	o := pdf417.Options{
		Columns: m.number(codePDF417, 65, 0, 0), Rows: m.number(codePDF417, 66, 0, 0),
		Truncated:  m.number(codePDF417, 70, 0, 0) == 1,
		ModulesMax: dots / w, RowModules: m.number(codePDF417, 68, 0, 3),
	}
	if m.number(codePDF417, 69, 0, 49) == 48 {
		o.Level = m.number(codePDF417, 69, 1, 48) - 48
	} else {
		o.Ratio = m.number(codePDF417, 69, 1, 1)
	}
	s, err := pdf417.Encode(data, o)
	return s, "pdf417", err
}

func allowsDataMatrix(fn byte, a []byte) bool {
	switch fn {
	case 65: // square or rectangle, and its size
		return len(a) == 3 && (a[0] == 48 || a[0] == 49)
	case 67: // module
		return between(a, 2, 16)
	}
	return false
}

// encodeDataMatrix: of a rectangle, n1 are rows and n2 columns; of a square n1
// are both; 0 is any.
func encodeDataMatrix(m matrices, data []byte, _ int) (*symbol.Matrix, string, error) {
	rows, columns := m.number(codeDataMatrix, 65, 1, 0), m.number(codeDataMatrix, 65, 2, 0)
	rectangle := m.number(codeDataMatrix, 65, 0, 48) == 49
	if !rectangle {
		columns = rows
	}
	s, err := datamatrix.Encode(data, rectangle, columns, rows)
	return s, "datamatrix", err
}

// encodeDataBar: the first byte of the data says which: 72 stacked, 73 stacked
// omnidirectional, 76 expanded stacked, no wider than fn 71 says.
func encodeDataBar(m matrices, data []byte, dots int) (*symbol.Matrix, string, error) {
	if len(data) < 2 {
		return nil, "databar-stacked", symbol.ErrData
	}
	switch kind, data := data[0], data[1:]; kind {
	case 72:
		s, err := databar.Stacked(data)
		return s, "databar-stacked", err
	case 73:
		s, err := databar.StackedOmnidirectional(data)
		return s, "databar-stacked-omni", err
	case 76:
		most := m.number(codeDataBar, 71, 0, 0) | m.number(codeDataBar, 71, 1, 0)<<8
		if most == 0 {
			most = dots
		}
		s, err := databar.ExpandedStacked(data, min(most, dots)/m.number(codeDataBar, 67, 0, 2))
		return s, "databar-expanded-stacked", err
	}
	return nil, "databar-stacked", symbol.ErrData
}

// drawMatrix encodes what is stored.
func (it *interpreter) drawMatrix(cn byte, k matrixKind) (*dots, Record, error) {
	data := it.matrices[[2]byte{cn, fnData}]
	r := Record{Kind: KindCode, Code: newCode(k.name, data)}
	if k.encode == nil {
		return nil, r, fmt.Errorf("not drawn by this simulator") //nolint:perfsprint // a sentence
	}
	width := it.area()
	if it.page != nil {
		width, _ = it.page.extent()
	}
	s, name, err := k.encode(it.matrices, data, width)
	r.Code.Symbology = name
	if err != nil {
		return nil, r, err
	}
	w, h := k.module(it.matrices)
	r.Code.Module = w
	d := newDots(s.W*w, s.H*h)
	for y := range s.H {
		for x := range s.W {
			if s.Dark(x, y) {
				d.fill(x*w, y*h, w, h)
			}
		}
	}
	return d, r, nil
}

// printMatrix is fn 81.
func (it *interpreter) printMatrix(cn byte, k matrixKind) error {
	if len(it.matrices[[2]byte{cn, fnData}]) == 0 {
		return nil
	}
	d, r, err := it.drawMatrix(cn, k)
	if err != nil {
		return it.refuse(r, err.Error())
	}
	return it.block(d, r)
}

// matrixSize is fn 82: the size of what fn 81 would print.
func (it *interpreter) matrixSize(cn byte, k matrixKind) error {
	if k.identifier == 0 || len(it.matrices[[2]byte{cn, fnData}]) == 0 {
		return nil
	}
	w, h, bad := 0, 0, '1'
	if d, _, err := it.drawMatrix(cn, k); err == nil {
		w, h = d.w, d.h
		if d.w <= it.area() {
			bad = '0'
		}
	}
	it.p.m.Send(append(append([]byte{0x37, k.identifier}, fmt.Sprintf("%d\x1f%d\x1f1\x1f%c", w, h, bad)...), 0)...)
	return nil
}
