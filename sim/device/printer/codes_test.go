package printer_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"regi/sim/device/printer"
)

func gsk(m byte, data string) string { return "\x1dk" + string([]byte{m, byte(len(data))}) + data }

// gspk is GS ( k with one function.
func gspk(cn, fn byte, data string) string {
	n := len(data) + 2
	return "\x1d(k" + string([]byte{byte(n), byte(n >> 8), cn, fn}) + data
}

func stored(cn byte, data string) string { return gspk(cn, 80, "0"+data) + gspk(cn, 81, "0") }

// printed is what the dump says beside text.
func printed(p *printer.Printer) []string {
	var out []string
	for _, r := range p.Records(0) {
		switch r.Kind {
		case printer.KindText:
		case printer.KindCode:
			out = append(out, r.Code.Symbology+" "+r.Code.Data)
		case printer.KindPicture, printer.KindCut, printer.KindPulse, printer.KindNV, printer.KindRefused:
			out = append(out, string(r.Kind)+" "+r.Why)
		}
	}
	return out
}

// TestRefusedCodes: wrong data prints nothing and moves no paper, and the dump
// says so.
func TestRefusedCodes(t *testing.T) {
	for name, in := range map[string]string{
		"EAN-13, wrong check digit":   gsk(67, "4901234567893"),
		"EAN-13, a letter":            gsk(67, "49012345678A"),
		"EAN-13, too short":           gsk(67, "49012345678"),
		"EAN-13, empty form A":        "\x1dk\x02\x00",
		"EAN-8, wrong check digit":    gsk(68, "49012346"),
		"UPC-A, wrong check digit":    gsk(65, "012345678904"),
		"UPC-E of system 2":           gsk(66, "21234567"),
		"UPC-E that is not short":     gsk(66, "01234567890"),
		"Code 39, a small letter":     gsk(69, "abc"),
		"Code 39, asterisk inside":    gsk(69, "A*B"),
		"ITF, a letter":               gsk(70, "12A4"),
		"ITF, one digit":              gsk(70, "1"),
		"Codabar without ends":        gsk(71, "12345"),
		"Codabar, three ends":         gsk(71, "A12B3C"),
		"Code 93, above ASCII":        gsk(72, "\x80"),
		"Code 128 without a set":      gsk(73, "123"),
		"Code 128, no such function":  gsk(73, "{BA{9"),
		"Code 128, 100 in set C":      gsk(73, "{C\x64"),
		"Code 128, small letter in A": gsk(73, "{Aa"),
		"Code 128, ends in a brace":   gsk(73, "{BA{"),
		"GS1-128, check of a letter":  gsk(74, "(01)A*"),
		"DataBar, twelve digits":      gsk(75, "490123456789"),
		"DataBar Limited, first is 4": gsk(77, "4901234567890"),
		"DataBar Expanded, a tilde":   gsk(78, "(10)~"),
		"wider than the paper":        gsk(69, strings.Repeat("W", 40)),
		"in mid-line":                 "A" + gsk(67, "490123456789"),
		"QR, too much":                stored(49, strings.Repeat("x", 3000)),
		"Aztec":                       stored(53, "not drawn"),
	} {
		p, _ := play(t, printer.Options{}, in)
		got := printed(p)
		if len(got) != 1 || !strings.HasPrefix(got[0], "refused ") || len(got[0]) < 10 {
			t.Errorf("%s: %q", name, got)
		}
		if h := picture(t, p).Bounds().Dy(); h != 32 {
			t.Errorf("%s: %d rows of paper", name, h-32)
		}
	}
}

func TestCodeSettings(t *testing.T) {
	const ean = "490123456789"
	size := func(stream string) (w, h int) {
		t.Helper()
		p, _ := play(t, printer.Options{}, stream)
		for _, r := range p.Records(0) {
			if r.Kind == printer.KindCode {
				return r.Code.Width, r.Code.Height
			}
		}
		t.Fatalf("%q prints %q", stream, printed(p))
		return 0, 0
	}
	for _, c := range []struct {
		name, in string
		w, h     int
	}{
		{"as it comes", gsk(67, ean), 95 * 3, 162},
		{"GS w, GS h", "\x1dw\x02\x1dh\x40" + gsk(67, ean), 95 * 2, 64},
		{"GS w 7 is ignored", "\x1dw\x07" + gsk(67, ean), 95 * 3, 162},
		{"text below", "\x1dH\x02\x1dh\x40" + gsk(67, ean), 95 * 3, 64 + 28},
		{"text on both sides, font B", "\x1dH\x03\x1df\x01\x1dh\x40" + gsk(67, ean), 95 * 3, 64 + 2*21},
		{"thick and narrow", "\x1dw\x04\x1dh\x40" + gsk(70, "12"), 4*4 + 4*10 + 6*4 + 10 + 2*4, 64},
		{"ESC @", "\x1dw\x02\x1dh\x40\x1b@" + gsk(67, ean), 95 * 3, 162},
		{"QR", stored(49, "1"), 63, 63},
		{"QR module", gspk(49, 67, "\x05") + stored(49, "1"), 105, 105},
		{"QR module 17 is ignored", gspk(49, 67, "\x11") + stored(49, "1"), 63, 63},
		{"QR level", gspk(49, 69, "3") + stored(49, "12345678901234567890"), 75, 75},
		{"micro QR", gspk(49, 65, "3\x00") + stored(49, "1"), 33, 33},
		{"Data Matrix", stored(54, "123456"), 30, 30},
		{"Data Matrix of 16 rows", gspk(54, 65, "0\x10\x10") + stored(54, "123456"), 48, 48},
		{"PDF417 of 2 columns and 5 rows", gspk(48, 65, "\x02") + gspk(48, 66, "\x05") + stored(48, "A"), (17*4 + 35) * 3, 45},
	} {
		if w, h := size(c.in); w != c.w || h != c.h {
			t.Errorf("%s: %d × %d, want %d × %d", c.name, w, h, c.w, c.h)
		}
	}
}

// TestCodeSize: GS ( k fn 82 says how large fn 81 will be.
func TestCodeSize(t *testing.T) {
	_, answers := play(t, printer.Options{}, gspk(49, 80, "01")+gspk(49, 82, "0")+gspk(48, 82, "0"))
	if want := "\x37\x3663\x1f63\x1f1\x1f0\x00"; answers != want {
		t.Errorf("answers %q, want %q", answers, want)
	}
}

// TestCodeOutlivesItsPrint: what is stored is printed again, until ESC @.
func TestCodeOutlivesItsPrint(t *testing.T) {
	again := gspk(49, 81, "0")
	p, _ := play(t, printer.Options{}, stored(49, "Regi")+again+"\x1b@"+again)
	if got := printed(p); !slices.Equal(got, []string{"qr Regi", "qr Regi"}) {
		t.Errorf("printed %q", got)
	}
}

func sha(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func TestDump(t *testing.T) {
	p, _ := play(t, printer.Options{}, "plain \x1bE\x01bold\x1bE\x00\n\x1d!\x11big\n\x1ba\x01"+stored(49, "\x93\xfa")+
		"\x1dv0\x00\x01\x00\x02\x00\xff\x81"+"\x1bp\x00\x32\xfa"+"\n\n\n\n\x1dV\x00")
	var b bytes.Buffer
	if err := p.Dump(&b); err != nil {
		t.Fatal(err)
	}
	var got []printer.Record
	for l := range strings.Lines(b.String()) {
		var r printer.Record
		if err := json.Unmarshal([]byte(l), &r); err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	if len(got) != 10 || got[9].N != 10 {
		t.Fatalf("%d records:\n%s", len(got), b.String())
	}
	first := got[0].Runs
	if got[0].Text != "plain bold" || len(first) != 2 || first[1].Text != "bold" || !first[1].Style.Bold || first[1].X != 72 || first[0].Style.Bold {
		t.Errorf("the first line is %+v", got[0])
	}
	if s := got[1].Runs[0].Style; s.Wide != 2 || s.Tall != 2 || got[1].Row != 30 {
		t.Errorf("the second line is %+v", got[1])
	}
	if got[2].Code.Hex != "93fa" || got[2].Code.Data != "" || got[2].Row != 78 {
		t.Errorf("the code is %+v %+v", got[2], got[2].Code)
	}
	if pic := got[3].Picture; pic == nil || pic.Width != 8 || pic.Height != 2 || pic.SHA256 != sha("\xff\x81") || got[3].Row != 78+63 {
		t.Errorf("the picture is %+v %+v", got[3], pic)
	}
	if got[4].Pulse == nil || got[4].Pulse.Pin != 2 || got[9].Cut != "full" {
		t.Errorf("the pulse is %+v, the cut %+v", got[4], got[9])
	}
	if after := p.Records(8); len(after) != 2 || after[0].N != 9 {
		t.Errorf("records after 8: %+v", after)
	}
}
