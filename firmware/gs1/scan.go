package gs1

import "strings"

// Symbology is a kind of bar code.
type Symbology uint8

// The carriers of GS1 data (General Specifications 5). What scanners tell apart
// by their identifier is less: UPC-A is an EAN-13, all DataBars are one.
const (
	None Symbology = iota
	EAN13
	EAN8
	UPCA
	UPCE
	AddOn // alone, as ]E1 and ]E2
	ITF14
	GS1128A // GS1-128 with CC-A or CC-B, or without
	GS1128C // GS1-128 with CC-C
	DataBarOmni
	DataBarTruncated
	DataBarStacked
	DataBarStackedOmni
	DataBarLimited
	DataBarExpanded
	DataMatrix
	QR
	DotCode

	symbologies = iota
)

// String is the name that GS1's syntax engine uses.
func (s Symbology) String() string { return symbols[s].name }

// symbol is what there is to know of a symbology.
type symbol struct {
	name      string
	digits    int    // of the number that it holds; 0: it holds none
	lead      string // identifier, and what a reader sends in front of the digits
	text      string // identifier when it holds text; "": it cannot
	elements  string // identifier when it holds an element string; "": it cannot
	composite string // in front of a composite component
	linear    bool   // takes a composite component
}

var symbols = [symbologies]symbol{ //nolint:gochecknoglobals // a constant table
	None:               {name: "NONE"},
	EAN13:              {name: "EAN13", digits: 13, lead: "]E0", composite: "|]e0", linear: true},
	EAN8:               {name: "EAN8", digits: 8, lead: "]E4", composite: "|]e0", linear: true},
	UPCA:               {name: "UPCA", digits: 12, lead: "]E00", composite: "|]e0", linear: true},
	UPCE:               {name: "UPCE", digits: 12, lead: "]E00", composite: "|]e0", linear: true},
	AddOn:              {name: "AddOn"},
	ITF14:              {name: "ITF14", digits: 14, lead: "]I1"},
	GS1128A:            {name: "GS1_128_CCA", elements: "]C1", linear: true},
	GS1128C:            {name: "GS1_128_CCC", elements: "]C1", linear: true},
	DataBarOmni:        {name: "DataBarOmni", digits: 14, lead: "]e001", linear: true},
	DataBarTruncated:   {name: "DataBarTruncated", digits: 14, lead: "]e001", linear: true},
	DataBarStacked:     {name: "DataBarStacked", digits: 14, lead: "]e001", linear: true},
	DataBarStackedOmni: {name: "DataBarStackedOmni", digits: 14, lead: "]e001", linear: true},
	DataBarLimited:     {name: "DataBarLimited", digits: 14, lead: "]e001", linear: true},
	DataBarExpanded:    {name: "DataBarExpanded", elements: "]e0", linear: true},
	DataMatrix:         {name: "DM", text: "]d1", elements: "]d2"},
	QR:                 {name: "QR", text: "]Q1", elements: "]Q3"},
	DotCode:            {name: "DotCode", text: "]J0", elements: "]J1"},
}

// Kind is what scan data turned out to be.
type Kind uint8

// Kinds of scan data.
const (
	Number   Kind = iota // an EAN/UPC or ITF number, and perhaps an add-on
	Elements             // an element string
	Link                 // a Digital Link
	Text                 // something else in a carrier of GS1 data
)

// Scan is what one pull of the trigger says. The zero value is ready for Parse.
// A number is no element, except beside a composite component, where it stands
// as AI 01 so that Associations see it; GTIN knows it in both cases.
type Scan struct {
	Message
	Symbology Symbology
	Kind      Kind
	AddOn     string // two or five digits beside or without a number

	gtin GTIN   // of a number
	data string // scan data, or what is in front of a composite component
}

// GTIN is the trade item: the number, or what Message.GTIN finds.
func (s *Scan) GTIN() (GTIN, bool) {
	if s.gtin != (GTIN{}) {
		return s.gtin, true
	}
	return s.Message.GTIN()
}

// ParseScan reads scan data under its symbology identifier ("]E0"; ISO/IEC
// 15424), or "" from a scanner that sends none: then only numbers by their
// length, publications with an add-on, links, and element strings with FNC1 in
// front are known. GS stands for
// FNC1; the composite component of a number follows as "|]e0". What the elements
// say together is not checked: see Associations.
func ParseScan(aim, data string, o Options) (*Scan, error) {
	s := new(Scan) // inlined, it stays on the stack
	return s, s.Parse(aim, data, o)
}

// carriage is what a symbology identifier stands for.
type carriage struct {
	symbology Symbology
	elements  bool // an element string, or text that may be a link
	text      bool
}

func carrier(aim string) carriage {
	if len(aim) != 3 || aim[0] != ']' {
		return carriage{}
	}
	modifier := aim[2]
	switch aim[1] {
	case 'E':
		switch modifier {
		case '0', '3':
			return carriage{symbology: EAN13}
		case '1', '2':
			return carriage{symbology: AddOn}
		case '4':
			return carriage{symbology: EAN8}
		}
	case 'I':
		if modifier == '0' || modifier == '1' || modifier == '3' {
			return carriage{symbology: ITF14}
		}
	case 'C':
		return matrix(GS1128A, modifier, never, '1')
	case 'e':
		return matrix(DataBarExpanded, modifier, never, '0')
	case 'd':
		return matrix(DataMatrix, modifier, '1', '2')
	case 'Q':
		return matrix(QR, modifier, '1', '3')
	case 'J':
		return matrix(DotCode, modifier, '0', '1')
	}
	return carriage{}
}

// never is the modifier of text in symbols that are looked at for elements only.
const never = 0

// matrix tells by the modifier whether a symbol holds text or elements.
func matrix(s Symbology, modifier, text, elements byte) carriage {
	switch {
	case modifier == elements:
		return carriage{s, true, false}
	case modifier == text && text != never:
		return carriage{s, true, true}
	}
	return carriage{}
}

// Parse is ParseScan, into s.
func (s *Scan) Parse(aim, data string, o Options) error {
	s.reset()
	s.Symbology, s.Kind, s.AddOn, s.gtin, s.data = None, Number, "", GTIN{}, data
	if len(data) > DataMax {
		return fail(ErrTooLong, "", DataMax, "scan data")
	}
	c := carrier(aim)
	s.Symbology = c.symbology
	switch {
	case c.symbology == None && aim == "" && !o.Normalised:
		return s.guess(o)
	case c.symbology == None:
		return fail(ErrCarrier, "", 0, "symbology identifier")
	case c.text && isLink(data):
		s.Kind = Link
		return s.ParseDigitalLink(data, o)
	case c.text:
		s.Kind = Text
		return nil
	case c.elements:
		s.Kind = Elements
		return s.run(data, gs, 0, o)
	case c.symbology == AddOn:
		return s.addOnAlone(aim)
	}
	return s.numbered(aim, o)
}

// guess reads data without an identifier.
func (s *Scan) guess(o Options) error {
	if isLink(s.data) {
		s.Kind = Link
		return s.ParseDigitalLink(s.data, o)
	}
	if s.data != "" && s.data[0] == gs {
		s.Kind, s.Symbology = Elements, GS1128A
		s.data = s.data[1:]
		return s.run(s.data, gs, 1, o)
	}
	return s.numbered("", o)
}

// Digits of an EAN-13 and of the two kinds of add-on symbol.
const eanLength, addOnTwo, addOnFive = 13, 2, 5

func (s *Scan) addOnAlone(aim string) error {
	want := addOnTwo
	if aim == "]E2" {
		want = addOnFive
	}
	if len(s.data) != want || !allDigits(s.data) {
		return fail(ErrSyntax, "", 0, "an add-on is two or five digits")
	}
	s.AddOn = s.data
	return nil
}

// numbered reads the number of an EAN/UPC or ITF symbol and what is beside it.
func (s *Scan) numbered(aim string, o Options) error {
	number, composite, has := s.data, "", false
	if len(number) > 14 { // an EAN/UPC number alone is shorter
		number, composite, has = strings.Cut(s.data, "|")
		s.data = number
	}
	if aim == "]E3" || aim == "" && isPublication(number) {
		n := besideAddOn(len(number), o)
		if n == 0 || !allDigits(number) {
			return fail(ErrSyntax, "", 0, "a number and an add-on of two or five digits are needed")
		}
		number, s.AddOn = number[:n], number[n:]
		aim = "]E0"
	}
	if o.Normalised && aim == "]E0" && len(number) != eanLength {
		return fail(ErrSyntax, "", 0, "thirteen digits are needed")
	}
	var g GTIN
	if aim == "]I3" && len(number) == len(g)-1 && allDigits(number) { // the reader keeps the check digit
		copy(g[:], number)
		g[len(g)-1] = CheckDigit(number)
	} else if err := g.parse(number, aim); err != nil {
		return err
	}
	s.gtin = g
	s.Symbology = numberSymbology(s.Symbology, number, g)
	if !has {
		return nil
	}
	const separator = "]e0"
	if !strings.HasPrefix(composite, separator) || s.Symbology == ITF14 {
		return fail(ErrSyntax, "", len(s.data), "a composite component begins with ]e0 behind an EAN/UPC number")
	}
	if err := s.add("01", g.String(), lookupWhole("01", false), 0); err != nil {
		return err
	}
	s.composite = s.n
	return s.run(composite[len(separator):], gs, len(s.data)+1+len(separator), o)
}

// besideAddOn is how many of n digits are the number: the lengths of EAN-13,
// UPC-A and UPC-E with an add-on of two or five are all different. 0: none.
func besideAddOn(n int, o Options) int {
	for _, number := range [...]int{eanLength, 12, 8} {
		if n == number+addOnTwo || n == number+addOnFive {
			return number
		}
		if o.Normalised {
			break
		}
	}
	return 0
}

// isPublication: a book, serial or magazine with an add-on, from a scanner that
// sends no identifier.
func isPublication(s string) bool {
	if len(s) != eanLength+addOnTwo && len(s) != eanLength+addOnFive {
		return false
	}
	switch s[:3] {
	case "491", "977", "978", "979":
		return true
	}
	return false
}

// numberSymbology tells by the identifier, or else by its length, what a number
// stood in.
func numberSymbology(identified Symbology, number string, g GTIN) Symbology {
	switch {
	case identified == ITF14 || len(number) == 14:
		return ITF14
	case len(number) == 13:
		return EAN13
	case len(number) == 12:
		return UPCA
	case identified == EAN8 || identified == None && string(g[:]) == "000000"+number:
		return EAN8
	}
	return UPCE
}

// AppendData appends the message in the notation of the syntax engine: a number
// in digits, an element string with "^" for FNC1, a link or text as it is, with
// "\\" before a leading "^" that is text.
func (s *Scan) AppendData(dst []byte) []byte {
	if s.Kind == Elements {
		return appendFNC1(append(dst, '^'), s.data, gs, '^')
	}
	if s.Kind == Text && isEscaped(s.data) {
		dst = append(dst, '\\')
	}
	if s.Symbology == ITF14 {
		return append(dst, s.gtin[:]...) // the reader may have kept the check digit
	}
	dst = append(dst, s.data...)
	if s.composite > 0 {
		composite := Message{}
		composite.n = copy(composite.elements[:], s.elements[s.composite:s.n])
		dst = composite.AppendElementString(append(dst, '|'), '^')
	}
	return dst
}

// isEscaped: backslashes, if any, and then "^".
func isEscaped(s string) bool {
	return strings.HasPrefix(strings.TrimLeft(s, `\`), "^")
}

func appendFNC1(dst []byte, s string, from, to byte) []byte {
	for i := range len(s) {
		if s[i] == from {
			dst = append(dst, to)
		} else {
			dst = append(dst, s[i])
		}
	}
	return dst
}
