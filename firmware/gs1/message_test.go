package gs1_test

import (
	"errors"
	"strings"
	"testing"

	"regi/firmware/gs1"
)

func TestElements(t *testing.T) {
	m, err := gs1.ParseElements("^010490123456789410A(1)^17261231|^99X", gs1.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range m.Elements() {
		b.WriteString(e.AI + " " + e.Title() + " " + e.Value + "; ")
	}
	got := b.String()
	if want := "01 GTIN 04901234567894; 10 BATCH/LOT A(1); 17 USE BY or EXPIRY 261231; 99 INTERNAL X; "; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if m.Composite() != 3 {
		t.Errorf("the composite component begins at %d", m.Composite())
	}
	if got, want := string(m.AppendBracketed(nil)), `(01)04901234567894(10)A\(1)(17)261231|(99)X`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := string(m.AppendElementString(nil, '^')); got != "^010490123456789410A(1)^17261231|^99X" {
		t.Errorf("%s", got)
	}
	if g, ok := m.GTIN(); !ok || g.String() != "04901234567894" {
		t.Errorf("%v", g)
	}
}

// An error says which AI, where, and what to do, and nothing of the label.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		in   string
		kind error
		text string
	}{
		{"^010490123456789510A", gs1.ErrCheckDigit, "gs1: AI (01) at byte 16: The numeric check digit is incorrect.: the label breaks the rules of its AI: key the number in"},
		{"^10A~B", gs1.ErrValue, "gs1: AI (10) at byte 4: A non-CSET 82 character was found where a CSET 82 character is expected.: the label breaks the rules of its AI: key the number in"},
		{"^8005123", gs1.ErrValue, "gs1: AI (8005) at byte 5: the value is too short: the label breaks the rules of its AI: key the number in"},
		{"^0104901234567894^8912", gs1.ErrUnknownAI, "gs1: at byte 18: no AI begins like this: unknown Application Identifier: key the number in"},
		{"^3199000001", gs1.ErrUnknownAI, "gs1: AI (3199) at byte 1: no such AI: unknown Application Identifier: key the number in"},
		{"0104901234567894", gs1.ErrSyntax, "gs1: at byte 0: FNC1 is missing in front: malformed: scan again, then key the number in"},
		{"^", gs1.ErrSyntax, "gs1: at byte 1: there is no element: malformed: scan again, then key the number in"},
		{"^99A|99B", gs1.ErrSyntax, "gs1: at byte 5: FNC1 is missing in front of the composite component: malformed: scan again, then key the number in"},
		{"^" + strings.Repeat("99A^", 65), gs1.ErrTooLong, "gs1: AI (99) at byte 259: more elements than a message may have: longer than any label: scan again"},
		{strings.Repeat("^", gs1.DataMax+1), gs1.ErrTooLong, "gs1: at byte 8191: element string: longer than any label: scan again"},
	} {
		_, err := gs1.ParseElements(c.in, gs1.Options{})
		if !errors.Is(err, c.kind) || err.Error() != c.text {
			t.Errorf("%.20q: %v\nwant %s", c.in, err, c.text)
		}
	}
}

// What the vectors do not touch of unknown AIs.
func TestUnknownAIs(t *testing.T) {
	permit := gs1.Options{UnknownAIs: true}
	for _, c := range []struct {
		in   string
		want string // "": refused
	}{
		{"(89)ABC(99)X", "^89ABC^99X"},
		{"(89123)ABC", ""},
		{"(011)ABC", ""}, // AIs that begin with 01 have two digits
		{"(8099)ABC", "^8099ABC"},
		{"(809)ABC", ""},
		{"(04)1234567890123456(99)X", "^04123456789012345699X"}, // of predefined length for all times
		{"(04)123(99)X", ""},
		{"(3199)123456(99)X", "^319912345699X"},
		{"(419)1234567890123(99)X", "^419123456789012399X"},
		{"(99)A|(98)B|(97)C", ""},
		{"(99)A|", ""},
		{"|(99)A", ""},
		{"(89)" + strings.Repeat("A", 91), ""},
	} {
		m, err := gs1.ParseBracketed(c.in, permit)
		got := ""
		if err == nil {
			got = string(m.AppendElementString(nil, '^'))
		}
		if got != c.want {
			t.Errorf("%.30s: %q, %v; want %q", c.in, got, err, c.want)
		}
		if _, err := gs1.ParseBracketed(c.in, gs1.Options{}); !errors.Is(err, gs1.ErrUnknownAI) && !errors.Is(err, gs1.ErrSyntax) && !errors.Is(err, gs1.ErrValue) {
			t.Errorf("%.30s without permission: %v", c.in, err)
		}
	}
	if m, err := gs1.ParseElements("^8099ABC^99X", permit); err != nil || len(m.Elements()) != 2 {
		t.Errorf("%v", err)
	}
}

func TestAssociations(t *testing.T) {
	for in, want := range map[string]string{
		"(01)04901234567894(10)A(17)261231":            "",
		"(01)04901234567894(10)A|(17)261231":           "",
		"(10)A":                                        "gs1: AI (10) it needs 01,02,03,8006,8026 beside it: elements that do not belong together: key the number in",
		"(01)04901234567894(02)04901234567894(37)1":    "gs1: AI (01) it excludes AI (37): elements that do not belong together: key the number in",
		"(01)04901234567894(10)A(10)B":                 "gs1: AI (10) it comes twice with different values: elements that do not belong together: key the number in",
		"(253)4901234567894(8030)AAAA":                 "gs1: AI (253) AI (8030) needs its serial number: elements that do not belong together: key the number in",
		"(01)04901234567894(3103)000500(3102)000500":   "gs1: AI (3103) it excludes AI (3102): elements that do not belong together: key the number in",
		"(01)04901234567894(3103)000500(3103)000500":   "",
		"(01)04901234567894(3922)100(3103)000500":      "",
		"(01)04901234567894(21)1(8040)123456789012345": "",
		"(01)04901234567894(8040)123456789012345":      "gs1: AI (8040) it needs 01+21 beside it: elements that do not belong together: key the number in",
	} {
		m, err := gs1.ParseBracketed(in, gs1.Options{})
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		got := ""
		if err := m.Associations(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestScanKinds(t *testing.T) {
	for _, c := range []struct {
		aim, data string
		kind      gs1.Kind
		symbology gs1.Symbology
		gtin, add string
	}{
		{"]E0", "4901234567894", gs1.Number, gs1.EAN13, "04901234567894", ""},
		{"]E3", "977037859500212", gs1.Number, gs1.EAN13, "09770378595002", "12"},
		{"]E3", "01234567890512", gs1.Number, gs1.UPCA, "00012345678905", "12"},
		{"]E3", "01234567890512345", gs1.Number, gs1.UPCA, "00012345678905", "12345"},
		{"]E3", "0425261412", gs1.Number, gs1.UPCE, "00042100005264", "12"},
		{"]E3", "0425261412345", gs1.Number, gs1.UPCE, "00042100005264", "12345"},
		{"]E3", "491012345126000590", gs1.Number, gs1.EAN13, "", ""}, // wrong check digit
		{"", "491001234126700590", gs1.Number, gs1.EAN13, "04910012341267", "00590"},
		{"]E1", "12", gs1.Number, gs1.AddOn, "", "12"},
		{"]E2", "00590", gs1.Number, gs1.AddOn, "", "00590"},
		{"]E4", "49123456", gs1.Number, gs1.EAN8, "00000049123456", ""},
		{"", "04252614", gs1.Number, gs1.UPCE, "00042100005264", ""},
		{"", "49123456", gs1.Number, gs1.EAN8, "00000049123456", ""},
		{"", "416000336108", gs1.Number, gs1.UPCA, "00416000336108", ""},
		{"]I1", "14901234567891", gs1.Number, gs1.ITF14, "14901234567891", ""},
		{"]E0", "4901234567894|]e010A\x1d17261231", gs1.Number, gs1.EAN13, "04901234567894", ""},
		{"", "\x1d010490123456789410A", gs1.Elements, gs1.GS1128A, "04901234567894", ""},
		{"]d1", "https://example.com/01/04901234567894", gs1.Link, gs1.DataMatrix, "04901234567894", ""},
		{"", "https://example.com/01/04901234567894", gs1.Link, gs1.None, "04901234567894", ""},
		{"]J0", "hello", gs1.Text, gs1.DotCode, "", ""},
	} {
		s, err := gs1.ParseScan(c.aim, c.data, gs1.Options{})
		if err != nil {
			if c.gtin+c.add != "" {
				t.Errorf("%s %q: %v", c.aim, c.data, err)
			}
			continue
		}
		g, _ := s.GTIN()
		if c.gtin == "" {
			g = gs1.GTIN{}
		}
		if s.Kind != c.kind || s.Symbology != c.symbology || s.AddOn != c.add || strings.Trim(g.String(), "\x00") != c.gtin {
			t.Errorf("%s %q: kind %v, %v, %v, add-on %q", c.aim, c.data, s.Kind, s.Symbology, g, s.AddOn)
		}
		if err := s.Associations(); err != nil {
			t.Errorf("%s %q: %v", c.aim, c.data, err)
		}
	}
}

func TestHostileScans(t *testing.T) {
	for _, c := range []struct {
		aim, data string
		err       error
	}{
		{"]X0", "4901234567894", gs1.ErrCarrier},
		{"]C0", "~K:CASH:0000", gs1.ErrCarrier},
		{"]", "4901234567894", gs1.ErrCarrier},
		{"]C\x00", "0104901234567894", gs1.ErrCarrier},
		{"]E0", "", gs1.ErrNotGTIN},
		{"]E0", "4901234567894\x00", gs1.ErrNotGTIN},
		{"]E3", "4901234567894123", gs1.ErrSyntax},
		{"]E1", "1A", gs1.ErrSyntax},
		{"]E1", "12345", gs1.ErrSyntax},
		{"]E0", "4901234567894|99X", gs1.ErrSyntax},
		{"]I1", "14901234567891|]e099X", gs1.ErrSyntax},
		{"]C1", "", gs1.ErrSyntax},
		{"]C1", "0104901234567894^10A", gs1.ErrUnknownAI},
		{"]Q3", "01049012345678948912", gs1.ErrUnknownAI},
		{"]d2", "10" + strings.Repeat("A", 21), gs1.ErrValue},
		{"]Q1", "https://example.com/01/04901234567895", gs1.ErrCheckDigit},
		{"]Q1", strings.Repeat("A", gs1.DataMax+1), gs1.ErrTooLong},
	} {
		if _, err := gs1.ParseScan(c.aim, c.data, gs1.Options{}); !errors.Is(err, c.err) {
			t.Errorf("%s %.30q: %v, want %v", c.aim, c.data, err, c.err)
		}
	}
}

// A scanner that follows ISO/IEC 15424 sends thirteen digits; others send less.
func TestNormalised(t *testing.T) {
	for _, data := range []string{"416000336108", "04252614"} {
		if _, err := gs1.ParseScan("]E0", data, gs1.Options{}); err != nil {
			t.Error(err)
		}
		if _, err := gs1.ParseScan("]E0", data, gs1.Options{Normalised: true}); !errors.Is(err, gs1.ErrSyntax) {
			t.Errorf("%s: %v", data, err)
		}
	}
	if _, err := gs1.ParseScan("", "4901234567894", gs1.Options{Normalised: true}); !errors.Is(err, gs1.ErrCarrier) {
		t.Errorf("without identifier: %v", err)
	}
}

func TestAppendScan(t *testing.T) {
	for _, c := range []struct {
		sym  gs1.Symbology
		data string
		add  bool
		want string
	}{
		{gs1.EAN13, "490123456789", true, "]E04901234567894"},
		{gs1.EAN13, "490123456789", false, ""},
		{gs1.UPCE, "042100005264", false, "]E00042100005264"},
		{gs1.UPCE, "416000336108", false, ""},
		{gs1.ITF14, "14901234567891", false, "]I114901234567891"},
		{gs1.ITF14, "14901234567891|^99X", false, ""},
		{gs1.DataBarStacked, "24012345678905", false, "]e00124012345678905"},
		{gs1.DataBarLimited, "24012345678905", false, ""},
		{gs1.GS1128C, "^010490123456789410A|^99X", false, "]e0010490123456789410A\x1d99X"},
		{gs1.QR, "^99X|^99X", false, ""},
		{gs1.QR, "https://example.com/", false, ""},
		{gs1.AddOn, "12", false, ""},
	} {
		got, err := gs1.AppendScan(nil, c.sym, c.data, c.add, gs1.Options{})
		if err != nil {
			got = nil
		}
		if string(got) != c.want {
			t.Errorf("%v %q: %q, %v; want %q", c.sym, c.data, got, err, c.want)
		}
	}
}
