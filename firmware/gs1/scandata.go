package gs1

import "strings"

// AppendScan appends what a scanner sends, identifier first, when it reads a
// symbol that holds data: digits for the EAN/UPC and DataBar families, an
// element string with "^" for FNC1, or text (QR, DataMatrix, DotCode; a leading
// "^" that is text is written "\^"). A composite component follows "|^". A
// number may stand as its element "^01..."; without its check digit only if
// addCheckDigit.
func AppendScan(dst []byte, sym Symbology, data string, addCheckDigit bool, o Options) ([]byte, error) {
	if len(data) > DataMax {
		return dst, fail(ErrTooLong, "", DataMax, "data")
	}
	switch sym {
	case QR:
		return appendMatrix(dst, data, "]Q1", "]Q3", o)
	case DataMatrix:
		return appendMatrix(dst, data, "]d1", "]d2", o)
	case DotCode:
		return appendMatrix(dst, data, "]J0", "]J1", o)
	case GS1128A, GS1128C, DataBarExpanded:
		return appendLinear(dst, sym, data, o)
	}
	if numberLength(sym) == 0 {
		return dst, fail(ErrCarrier, "", 0, "symbology")
	}
	return appendNumber(dst, sym, data, addCheckDigit, o)
}

// appendMatrix is for the symbols that take text as well.
func appendMatrix(dst []byte, data, text, elements string, o Options) ([]byte, error) {
	var m Message
	switch {
	case strings.HasPrefix(data, "^"):
		if err := m.ParseElements(data, o); err != nil {
			return dst, err
		}
		if m.composite > 0 {
			return dst, fail(ErrSyntax, "", 0, "a matrix symbol has no composite component")
		}
		return appendFNC1(append(dst, elements...), data[1:], '^', gs), nil
	case isLink(data):
		if err := m.ParseDigitalLink(data, o); err != nil {
			return dst, err
		}
	case isEscaped(data):
		data = data[1:]
	}
	return append(append(dst, text...), data...), nil
}

// appendLinear is for the symbols that hold an element string.
func appendLinear(dst []byte, sym Symbology, data string, o Options) ([]byte, error) {
	var m Message
	if err := m.ParseElements(data, o); err != nil {
		return dst, err
	}
	linear, composite, has := strings.Cut(data, "|")
	if !has && sym != DataBarExpanded {
		return appendFNC1(append(dst, "]C1"...), linear[1:], '^', gs), nil
	}
	dst = appendFNC1(append(dst, "]e0"...), linear[1:], '^', gs)
	if !has {
		return dst, nil
	}
	if last := dst[len(dst)-1]; last != gs && !m.elements[m.composite-1].entry.fixed {
		dst = append(dst, gs) // readers send both parts as one message
	}
	return appendFNC1(dst, composite[1:], '^', gs), nil
}

// numberLength is that of the number in a symbol; 0: it holds none.
func numberLength(sym Symbology) int {
	switch sym {
	case EAN13:
		return 13
	case UPCA, UPCE:
		return 12
	case EAN8:
		return 8
	case ITF14, DataBarOmni, DataBarTruncated, DataBarStacked, DataBarStackedOmni, DataBarLimited:
		return 14
	}
	return 0
}

// appendNumber is for the symbols that hold a GTIN.
func appendNumber(dst []byte, sym Symbology, data string, addCheckDigit bool, o Options) ([]byte, error) {
	primary, composite, has := strings.Cut(data, "|")
	gtin, err := primaryNumber(sym, primary, addCheckDigit)
	if err != nil {
		return dst, err
	}
	number := gtin.String()[len(gtin)-numberLength(sym):]
	switch sym {
	case EAN13:
		dst = append(append(dst, "]E0"...), number...)
	case UPCA, UPCE:
		dst = append(append(dst, "]E00"...), number...)
	case EAN8:
		dst = append(append(dst, "]E4"...), number...)
	case ITF14:
		dst = append(append(dst, "]I1"...), number...)
	default:
		dst = append(append(dst, "]e001"...), number...)
	}
	if !has {
		return dst, nil
	}
	var m Message
	if err := m.ParseElements(composite, o); err != nil {
		return dst, err
	}
	switch sym {
	case ITF14:
		return dst, fail(ErrSyntax, "", len(primary), "an ITF symbol has no composite component")
	case EAN13, UPCA, UPCE, EAN8:
		dst = append(dst, "|]e0"...)
	}
	return appendFNC1(dst, composite[1:], '^', gs), nil
}

// primaryNumber reads the number and holds it against what the symbol can hold.
func primaryNumber(sym Symbology, primary string, addCheckDigit bool) (GTIN, error) {
	var g GTIN
	want := numberLength(sym)
	digits, isElement := strings.CutPrefix(primary, "^01")
	if isElement {
		want = len(g)
	}
	if addCheckDigit && !isElement {
		want--
	}
	if len(digits) != want || !allDigits(digits) {
		return g, fail(ErrSyntax, "", 0, "the symbol holds another count of digits")
	}
	if addCheckDigit && !isElement {
		digits += string(CheckDigit(digits))
	}
	g.pad(digits)
	if g[13] != g.checkDigit() {
		return g, fail(ErrCheckDigit, "01", 0, "scan again")
	}
	if strings.Trim(string(g[:len(g)-numberLength(sym)]), "0") != "" || sym == DataBarLimited && g[0] > '1' {
		return g, fail(ErrValue, "01", 0, "the number is too large for the symbol")
	}
	if _, short := g.UPCE(); sym == UPCE && !short {
		return g, fail(ErrValue, "01", 0, "the number has not enough zeros for a UPC-E")
	}
	return g, nil
}
