package main

import (
	"errors"
	"strings"

	"regi/firmware/gs1"
)

// testCase is one line of input.
type testCase struct {
	Kind   string          `json:"kind"`
	At     string          `json:"at"`
	In     text            `json:"in"`
	Sym    string          `json:"sym"`
	Stem   string          `json:"stem"`
	Rule   string          `json:"rule"`
	Linter string          `json:"linter"`
	Opts   map[string]bool `json:"opts"`
}

// answer is one line of output.
type answer struct {
	Kind  string `json:"kind"`
	At    string `json:"at,omitempty"`
	OK    bool   `json:"ok"`
	In    text   `json:"in"`
	Out   *text  `json:"out"`
	Sym   string `json:"sym,omitempty"`
	Err   string `json:"err,omitempty"`
	Mark  *text  `json:"mark,omitempty"`
	Path  *text  `json:"path,omitempty"`
	Query *text  `json:"query,omitempty"`
}

func (c *testCase) options() gs1.Options {
	return gs1.Options{
		UnknownAIs:        c.Opts["permitUnknownAIs"],
		UnknownAttributes: c.Opts["unknownAIasDLattr"],
		ShortGTINs:        c.Opts["permitZeroSuppressedGTIN"] || c.Opts["zeroSuppressed"],
		Words:             c.Opts["permitConvenienceAlphas"],
		Normalised:        true,
	}
}

func (c *testCase) answer() answer {
	a := answer{Kind: c.Kind, At: c.At, In: c.In}
	switch c.Kind {
	case "lint":
		c.lint(&a)
	case "ai_linter":
		c.aiLinter(&a)
	case "ai_errmarkup":
		_, err := gs1.ParseBracketed(string(c.In), c.options())
		if e := (*gs1.Error)(nil); errors.As(err, &e) {
			a.result(e.Markup(), nil)
		}
	case "ai_association":
		a.report(c.association())
	case "uri_unescape":
		a.both(gs1.Unescape(string(c.In), false), gs1.Unescape(string(c.In), true))
	case "uri_escape":
		a.both(string(gs1.AppendEscaped(nil, string(c.In), false)), string(gs1.AppendEscaped(nil, string(c.In), true)))
	case "scan_process":
		c.scan(&a)
	default:
		out, err := c.convert()
		a.result(out, err)
	}
	return a
}

// convert answers the kinds that turn one text into another.
func (c *testCase) convert() (string, error) {
	in := string(c.In)
	switch c.Kind {
	case "ai_bracketed":
		return elementString(gs1.ParseBracketed(in, c.options()))
	case "ai_elementstring":
		return elementString(gs1.ParseElements(in, c.options()))
	case "dl_parse":
		return elementString(gs1.ParseDigitalLink(in, c.options()))
	case "dl_generate":
		m, err := gs1.ParseBracketed(in, c.options())
		if err != nil {
			return "", err
		}
		link, err := m.AppendDigitalLink(nil, c.Stem, c.options())
		return string(link), err
	case "scan_generate":
		data, err := gs1.AppendScan(nil, symbology(c.Sym), in, c.Opts["addCheckDigit"], c.options())
		return string(data), err
	case "gtin":
		g, err := gs1.NormalizeGTIN(in)
		return g.String(), err
	case "upce":
		g, err := gs1.ExpandUPCE(in)
		return g.String(), err
	case "isbn":
		g, err := gs1.ISBN(in)
		return g.String(), err
	case "issn":
		g, _, err := gs1.ISSN(in)
		return g.String(), err
	case "check_digit", "price_check_digit":
		return checkDigit(c.Kind, in)
	}
	return "", errors.New("no such kind")
}

func checkDigit(kind, in string) (string, error) {
	if f, err := gs1.Lint("csetnumeric", in); err != nil || f.Code != gs1.OK || in == "" {
		return "", errors.New("not digits")
	}
	d := gs1.CheckDigit(in)
	if kind == "price_check_digit" {
		if d = gs1.PriceCheckDigit(in); d == 0 {
			return "", errors.New("four or five digits are needed")
		}
	}
	return string(d), nil
}

func elementString(m *gs1.Message, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return string(m.AppendElementString(nil, '^')), nil
}

func symbology(name string) gs1.Symbology {
	for s := gs1.None; s <= gs1.DotCode; s++ {
		if s.String() == name {
			return s
		}
	}
	return gs1.None
}

func (c *testCase) lint(a *answer) {
	name, in := strings.TrimPrefix(c.Linter, "gs1_lint_"), string(c.In)
	f, err := gs1.Lint(name, in)
	a.report(err)
	if err != nil || f.Code == gs1.OK {
		return
	}
	a.OK, a.Err = false, "GS1_LINTER_"+f.Code.Name()
	mark := text(f.Mark(in, '*'))
	a.Mark = &mark
}

// aiLinter answers with the sentence of the linter that refuses an element.
func (c *testCase) aiLinter(a *answer) {
	_, err := gs1.ParseBracketed(string(c.In), c.options())
	a.report(err)
	if e := (*gs1.Error)(nil); err == nil {
		a.Err = gs1.OK.String()
	} else if errors.As(err, &e) && e.Code != gs1.OK {
		a.Err = e.Code.String()
	}
}

func (c *testCase) association() error {
	m, err := gs1.ParseBracketed(string(c.In), c.options())
	if err != nil {
		return err
	}
	switch c.Rule {
	case "repeats":
		return m.Repeats()
	case "mutex":
		return m.Exclusions()
	case "requisites":
		return m.Requisites()
	case "digsig":
		return m.Signature()
	}
	return m.Associations()
}

func (c *testCase) scan(a *answer) {
	aim, data := "", string(c.In)
	if strings.HasPrefix(data, "]") && len(data) >= 3 {
		aim, data = data[:3], data[3:]
	}
	s, err := gs1.ParseScan(aim, data, c.options())
	if err == nil {
		err = c.together(s)
	}
	if err != nil {
		a.result("", nil) // the syntax engine's buffer is empty then
		a.Sym = gs1.None.String()
		a.report(err)
		return
	}
	a.result(string(s.AppendData(nil)), nil)
	a.Sym = s.Symbology.String()
}

// together checks what the elements say together.
func (c *testCase) together(s *gs1.Scan) error {
	if !c.Opts["noRequisites"] {
		return s.Associations()
	}
	return errors.Join(s.Repeats(), s.Exclusions(), s.Signature())
}

// result sets what came out, or why nothing did.
func (a *answer) result(out string, err error) {
	a.report(err)
	if err == nil {
		t := text(out)
		a.Out = &t
	}
}

func (a *answer) report(err error) {
	a.OK = err == nil
	if err != nil {
		a.Err = err.Error()
	}
}

func (a *answer) both(path, query string) {
	p, q := text(path), text(query)
	a.OK, a.Path, a.Query = true, &p, &q
}
