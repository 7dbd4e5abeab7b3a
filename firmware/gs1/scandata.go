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
	if sym >= symbologies {
		return dst, fail(ErrCarrier, "", 0, "symbology")
	}
	s := &symbols[sym]
	switch {
	case s.text != "":
		return s.appendMatrix(dst, data, o)
	case s.elements != "":
		return s.appendLinear(dst, data, o)
	case s.digits > 0:
		return s.appendNumber(dst, sym, data, addCheckDigit, o)
	}
	return dst, fail(ErrCarrier, "", 0, "symbology")
}

// appendMatrix is for the symbols that take text as well.
func (s *symbol) appendMatrix(dst []byte, data string, o Options) ([]byte, error) {
	var m Message
	switch {
	case strings.HasPrefix(data, "^"):
		if err := m.ParseElements(data, o); err != nil {
			return dst, err
		}
		if m.composite > 0 {
			return dst, fail(ErrSyntax, "", 0, "a matrix symbol has no composite component")
		}
		return appendFNC1(append(dst, s.elements...), data[1:], '^', gs), nil
	case isLink(data):
		if err := m.ParseDigitalLink(data, o); err != nil {
			return dst, err
		}
	case isEscaped(data):
		data = data[1:]
	}
	return append(append(dst, s.text...), data...), nil
}

// appendLinear is for the symbols that hold an element string.
func (s *symbol) appendLinear(dst []byte, data string, o Options) ([]byte, error) {
	var m Message
	if err := m.ParseElements(data, o); err != nil {
		return dst, err
	}
	linear, composite, has := strings.Cut(data, "|")
	if !has {
		return appendFNC1(append(dst, s.elements...), linear[1:], '^', gs), nil
	}
	// Readers send both parts as one message, as of a DataBar.
	dst = appendFNC1(append(dst, symbols[DataBarExpanded].elements...), linear[1:], '^', gs)
	if last := dst[len(dst)-1]; last != gs && !m.elements[m.composite-1].entry.fixed {
		dst = append(dst, gs)
	}
	return appendFNC1(dst, composite[1:], '^', gs), nil
}

// appendNumber is for the symbols that hold a GTIN.
func (s *symbol) appendNumber(dst []byte, sym Symbology, data string, addCheckDigit bool, o Options) ([]byte, error) {
	primary, composite, has := strings.Cut(data, "|")
	gtin, err := s.primary(sym, primary, addCheckDigit)
	if err != nil {
		return dst, err
	}
	dst = append(append(dst, s.lead...), gtin[len(gtin)-s.digits:]...)
	if !has {
		return dst, nil
	}
	if !s.linear {
		return dst, fail(ErrSyntax, "", len(primary), "the symbol has no composite component")
	}
	var m Message
	if err := m.ParseElements(composite, o); err != nil {
		return dst, err
	}
	return appendFNC1(append(dst, s.composite...), composite[1:], '^', gs), nil
}

// primary reads the number and holds it against what the symbol can hold.
func (s *symbol) primary(sym Symbology, number string, addCheckDigit bool) (GTIN, error) {
	var g GTIN
	want := s.digits
	digits, isElement := strings.CutPrefix(number, "^01")
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
	if strings.Trim(string(g[:len(g)-s.digits]), "0") != "" || sym == DataBarLimited && g[0] > '1' {
		return g, fail(ErrValue, "01", 0, "the number is too large for the symbol")
	}
	if _, short := g.UPCE(); sym == UPCE && !short {
		return g, fail(ErrValue, "01", 0, "the number has not enough zeros for a UPC-E")
	}
	return g, nil
}
