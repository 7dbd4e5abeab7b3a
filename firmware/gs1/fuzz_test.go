package gs1_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"regi/firmware/gs1"
)

// seeds are the inputs of the engine cases' kinds, one of each form.
var seeds = []string{
	"", "^", "]E0", "4901234567894", "49123456", "04252614", "416000336108", "0104901234567894", "\x1d010490123456789410A",
	"^010490123456789410A^17261231|^99X", "(01)04901234567894(10)A\\(1)|(99)X", "https://example.com/s/01/04901234567894/10/A%2fB?17=261231&x=%",
	"4901234567894|]e099X\x1d98Y", "^81100123456123456111012321101231123456", "^8013A22", "\\^text", "490123456789҂", "^8099X", "(04)1234567890123456",
}

// options are all settings, by their bits.
func options(bits byte) gs1.Options {
	return gs1.Options{
		UnknownAIs: bits&1 != 0, UnknownAttributes: bits&2 != 0, ShortGTINs: bits&4 != 0, Words: bits&8 != 0, Normalised: bits&16 != 0,
	}
}

// quiet checks that an error holds no byte that a display or log would obey.
func quiet(t *testing.T, err error) {
	t.Helper()
	s := err.Error()
	if len(s) > 300 || strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
		t.Fatalf("error %q", s)
	}
}

func FuzzGTIN14(f *testing.F) {
	for _, aim := range []string{"", "]E0", "]E4", "]C1", "]I1", "]Q3", "]Q1"} {
		for _, label := range seeds {
			f.Add(label, aim)
		}
	}
	f.Fuzz(func(t *testing.T, label, aim string) {
		got, err := gs1.GTIN14(label, aim)
		if err != nil {
			quiet(t, err)
			if got != "" || !errors.Is(err, gs1.ErrNotGTIN) && !errors.Is(err, gs1.ErrCheckDigit) {
				t.Fatalf("%q, %v", got, err)
			}
			return
		}
		again, err := gs1.NormalizeGTIN(got)
		if err != nil || again.String() != got {
			t.Fatalf("%q reads as %v, %v", got, again, err)
		}
	})
}

func FuzzNormalizeGTIN(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		g, err := gs1.NormalizeGTIN(s)
		if err != nil {
			quiet(t, err)
			return
		}
		digits := g.String()
		if gs1.CheckDigit(digits[:13]) != digits[13] || len(s) != 8 && strings.TrimLeft(digits, "0") != strings.TrimLeft(s, "0") {
			t.Fatalf("%q is %s", s, digits)
		}
	})
}

// same checks that a message reads back from both of its written forms.
func same(t *testing.T, m *gs1.Message, o gs1.Options) {
	t.Helper()
	want := string(m.AppendElementString(nil, '^'))
	o.UnknownAIs = true
	bracketed := string(m.AppendBracketed(nil))
	b, err := gs1.ParseBracketed(bracketed, o)
	if err != nil {
		t.Fatalf("%q: %v", bracketed, err)
	}
	if got := string(b.AppendElementString(nil, '^')); got != want {
		t.Fatalf("%q became %q", want, got)
	}
	if len(m.Elements()) > gs1.ElementsMax || m.Composite() > len(m.Elements()) {
		t.Fatal("too many elements")
	}
}

func FuzzParseElements(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, byte(0))
		f.Add(s, byte(1))
	}
	f.Fuzz(func(t *testing.T, s string, bits byte) {
		m, err := gs1.ParseElements(s, options(bits))
		if err != nil {
			quiet(t, err)
			return
		}
		same(t, m, options(bits))
		_ = m.Associations()
		out := string(m.AppendElementString(nil, s[0]))
		again, err := gs1.ParseElements(out, options(bits))
		if err != nil || !slices.EqualFunc(m.Elements(), again.Elements(), func(a, b gs1.Element) bool { return a.AI == b.AI && a.Value == b.Value }) {
			t.Fatalf("%q became %q: %v", s, out, err)
		}
	})
}

func FuzzParseBracketed(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, byte(0))
		f.Add(s, byte(1))
	}
	f.Fuzz(func(t *testing.T, s string, bits byte) {
		m, err := gs1.ParseBracketed(s, options(bits))
		if err != nil {
			quiet(t, err)
			return
		}
		same(t, m, options(bits))
		if err := m.Associations(); err != nil {
			quiet(t, err)
		}
	})
}

func FuzzParseDigitalLink(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, byte(0))
		f.Add(s, byte(15))
	}
	f.Add("https://a/gtin/04901234567894?89=X", byte(15))
	f.Fuzz(func(t *testing.T, s string, bits byte) {
		o := options(bits)
		m, err := gs1.ParseDigitalLink(s, o)
		if err != nil {
			quiet(t, err)
			return
		}
		same(t, m, o)
		link, err := m.AppendDigitalLink(nil, "https://example.com", o)
		if err != nil {
			t.Fatalf("%q cannot be written: %v", s, err)
		}
		again, err := gs1.ParseDigitalLink(string(link), o)
		if err != nil || string(again.AppendBracketed(nil)) != string(m.AppendBracketed(nil)) {
			t.Fatalf("%q became %q: %v", s, link, err)
		}
	})
}

func FuzzParseScan(f *testing.F) {
	for _, aim := range []string{"", "]E0", "]E3", "]E4", "]C1", "]I1", "]Q1", "]Q3", "]e0", "]X0"} {
		for _, data := range seeds {
			f.Add(aim, data, byte(0))
		}
	}
	f.Fuzz(func(t *testing.T, aim, data string, bits byte) {
		o := options(bits)
		s, err := gs1.ParseScan(aim, data, o)
		if err != nil {
			quiet(t, err)
			return
		}
		same2 := s.Kind == gs1.Elements || s.Kind == gs1.Link
		if same2 {
			same(t, &s.Message, o)
		}
		if s.Symbology == gs1.None || s.AddOn != "" || s.Symbology == gs1.UPCE {
			return // no scanner sends these in one piece
		}
		out := string(s.AppendData(nil))
		sent, err := gs1.AppendScan(nil, s.Symbology, out, false, o)
		if err != nil {
			t.Fatalf("%s %q is %q, which cannot be sent: %v", aim, data, out, err)
		}
		again, err := gs1.ParseScan(string(sent[:3]), string(sent[3:]), o)
		if err != nil {
			t.Fatalf("%s %q is sent as %q: %v", aim, data, sent, err)
		}
		g, _ := s.GTIN()
		if h, _ := again.GTIN(); g != h || again.Kind != s.Kind {
			t.Fatalf("%s %q is sent as %q: %v, %v", aim, data, sent, g, h)
		}
	})
}

func FuzzAppendScan(f *testing.F) {
	for _, s := range seeds {
		for sym := gs1.None; sym <= gs1.DotCode; sym++ {
			f.Add(byte(sym), s, true)
			f.Add(byte(sym), s, false)
		}
	}
	f.Fuzz(func(t *testing.T, sym byte, data string, add bool) {
		sent, err := gs1.AppendScan(nil, gs1.Symbology(sym), data, add, gs1.Options{})
		if err != nil {
			quiet(t, err)
			return
		}
		if _, err := gs1.ParseScan(string(sent[:3]), string(sent[3:]), gs1.Options{}); err != nil {
			t.Fatalf("%v %q is sent as %q: %v", gs1.Symbology(sym), data, sent, err)
		}
	})
}

func FuzzLint(f *testing.F) {
	names := []string{
		"couponcode", "couponposoffer", "cset39", "cset64", "cset82", "csetnumeric", "csum", "csumalpha", "gcppos1", "gcppos2", "hasnondigit", "hh", "hhmi",
		"hyphen", "iban", "importeridx", "iso3166", "iso3166999", "iso3166alpha2", "iso4217", "iso5218", "latitude", "longitude", "mediatype", "mi",
		"nonzero", "nozeroprefix", "packagetype", "pcenc", "pieceoftotal", "posinseqslash", "ss", "winding", "yesno", "yymmd0", "yymmdd", "yyyymmd0", "yyyymmdd", "zero",
	}
	for i := range names {
		for _, s := range []string{"", "0", "1", "12", "2360", "261231", "20261231", "GB82WEST12345698765432", "012345612345611110123", "%4", "1/2", "99999999999999999999", "\xff"} {
			f.Add(byte(i), s)
		}
	}
	f.Fuzz(func(t *testing.T, i byte, s string) {
		name := names[int(i)%len(names)]
		fault, err := gs1.Lint(name, s)
		if err != nil {
			t.Fatal(err)
		}
		if fault.At < 0 || fault.Len < 0 || fault.At+fault.Len > len(s) {
			t.Fatalf("%s %q: %+v", name, s, fault)
		}
		if fault.Code == gs1.OK && fault != (gs1.Fault{}) || fault.Code != gs1.OK && fault.Code.Name() == "" {
			t.Fatalf("%s %q: %+v", name, s, fault)
		}
		_ = fault.Mark(s, '*')
		if _, err := gs1.LintPrefixes(name, s, func(p string) gs1.Code { _ = p[:0]; return gs1.InvalidGCPPrefix }); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzEscape(f *testing.F) {
	for _, s := range append(seeds, "%", "%4", "%41", "a b+c") {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, query bool) {
		if got := gs1.Unescape(string(gs1.AppendEscaped(nil, s, query)), query); got != s {
			t.Fatalf("%q became %q", s, got)
		}
		_ = gs1.Unescape(s, query)
	})
}

func FuzzInStore(f *testing.F) {
	f.Add("21iiiiiippppc", int64(1), "2112002515005")
	f.Add("02iiiiivppppc", int64(10), "0212345928753")
	f.Add("2iiipppc", int64(0), "21234567")
	f.Fuzz(func(t *testing.T, layout string, scale int64, number string) {
		rules := gs1.InStoreRules{{Layout: layout, Scale: scale}}
		if err := rules.Check(); err != nil {
			quiet(t, err)
			return
		}
		g, err := gs1.NormalizeGTIN(number)
		if err != nil {
			return
		}
		in, ok, err := rules.Read(g)
		if err != nil || !ok {
			return
		}
		if again, err := gs1.NormalizeGTIN(in.Key.String()); err != nil || again != in.Key || in.Price < -1 || in.Weight < -1 || in.Count < -1 || in.Item == "" {
			t.Fatalf("%s %s: %+v, %v", layout, number, in, err)
		}
	})
}

func FuzzISBN(f *testing.F) {
	for _, s := range []string{"4-10-109205-2", "978-4-10-109205-8", "0317-8471", "9770317847001", "080442957X", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if g, err := gs1.ISBN(s); err != nil {
			quiet(t, err)
		} else if again, err := gs1.ISBN(g.String()[1:]); err != nil || again != g {
			t.Fatalf("%q is %v: %v", s, g, err)
		}
		if g, _, err := gs1.ISSN(s); err != nil {
			quiet(t, err)
		} else if again, _, err := gs1.ISSN(g.String()[1:]); err != nil || again != g {
			t.Fatalf("%q is %v: %v", s, g, err)
		}
	})
}

func FuzzExpandUPCE(f *testing.F) {
	for _, s := range []string{"04252614", "0425261", "425261", "123453", "123404", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		g, err := gs1.ExpandUPCE(s)
		if err != nil {
			quiet(t, err)
			return
		}
		short, ok := g.UPCE()
		if !ok || !strings.Contains(short, s) {
			t.Fatalf("%q is %v, which is %q", s, g, short)
		}
	})
}

func FuzzDate(f *testing.F) {
	f.Add("261231", int64(1795608000))
	f.Add("500200", int64(0))
	f.Fuzz(func(t *testing.T, s string, now int64) {
		today := time.Unix(now%(1<<36), 0).UTC()
		if today.Year() < 1 {
			return
		}
		d, err := gs1.Date(s, today)
		if err != nil {
			quiet(t, err)
			return
		}
		if n := d.Year() - today.Year(); n < -49 || n > 50 {
			t.Fatalf("%q is %v on %v", s, d, today)
		}
	})
}

func FuzzReadMagazine(f *testing.F) {
	f.Add("4910012341261", "00590")
	f.Fuzz(func(t *testing.T, number, addOn string) {
		g, err := gs1.NormalizeGTIN(number)
		if err != nil {
			return
		}
		if m, err := gs1.ReadMagazine(g, addOn); err == nil && (len(m.Code) != 5 || m.Issue > 99 || m.Year > 9 || m.Price > 99999) {
			t.Fatalf("%+v", m)
		}
	})
}
