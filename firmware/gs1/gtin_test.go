package gs1_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"regi/firmware/gs1"
)

func TestGTIN14(t *testing.T) {
	for _, c := range []struct {
		name, label, aim, want string
		err                    error
	}{
		{"EAN-13", "4901234567894", "]E0", "04901234567894", nil},
		{"EAN-13, no identifier", "4912345678904", "", "04912345678904", nil},
		{"EAN-13, one digit wrong", "4901234567895", "]E0", "", gs1.ErrCheckDigit},
		{"EAN-13, two neighbours swapped", "4901234567984", "", "", gs1.ErrCheckDigit},
		{"EAN-8", "49123456", "]E4", "00000049123456", nil},
		{"EAN-8, no identifier", "49123456", "", "00000049123456", nil},
		{"EAN-8 under the EAN-13 identifier", "49123456", "]E0", "", gs1.ErrCheckDigit},
		{"EAN-8, wrong digit", "49123455", "", "", gs1.ErrCheckDigit},
		{"UPC-A", "416000336108", "]E0", "00416000336108", nil},
		{"UPC-A, no identifier", "416000336108", "", "00416000336108", nil},
		{"UPC-A with its zero", "0416000336108", "]E0", "00416000336108", nil},
		{"UPC-E, zeros by 5", "00123457", "]E0", "00001234000057", nil},
		{"UPC-E, expanded by the scanner", "0001234000057", "]E0", "00001234000057", nil},
		{"UPC-E, zeros by 0", "04252614", "]E0", "00042100005264", nil},
		{"UPC-E, no identifier", "04252614", "", "00042100005264", nil},
		{"UPC-E, zeros by 3", "01234531", "]E0", "00012300000451", nil},
		{"UPC-E, zeros by 4", "01234543", "]E0", "00012340000053", nil},
		{"UPC-E, wrong digit", "04252615", "]E0", "", gs1.ErrCheckDigit},
		{"UPC-E that should end in 0", "01204537", "]E0", "", gs1.ErrCheckDigit},
		{"UPC-E, number system 2", "24252614", "]E0", "", gs1.ErrCheckDigit},
		{"ITF-14", "14901234567891", "]I1", "14901234567891", nil},
		{"GTIN-14, no identifier", "14901234567891", "", "14901234567891", nil},
		{"GTIN-14 cannot be under ]E0", "14901234567891", "]E0", "", gs1.ErrNotGTIN},
		{"DataBar", "0104901234567894", "]e0", "04901234567894", nil},
		{"DataBar, wrong digit", "0104901234567895", "]e0", "", gs1.ErrCheckDigit},
		{"GS1-128 with a batch", "010490123456789410A", "]C1", "04901234567894", nil},
		{"GS1 DataMatrix with batch and expiry", "010490123456789410A\x1d17261231", "]d2", "04901234567894", nil},
		{"Digital Link in a QR", "https://example.com/01/04901234567894/10/A?17=261231", "]Q1", "04901234567894", nil},
		{"a weight says how much", "01049012345678943103000500", "]e0", "", gs1.ErrNotGTIN},
		{"a price says how much", "0104901234567894392298", "]e0", "", gs1.ErrNotGTIN},
		{"a price of one kilogram", "01049012345678948005000500", "]C1", "", gs1.ErrNotGTIN},
		{"a case of twelve", "02049012345678943712", "]C1", "", gs1.ErrNotGTIN},
		{"a pallet", "00123456789012345675", "]C1", "", gs1.ErrNotGTIN},
		{"a link to nowhere", "https://example.com/", "]Q1", "", gs1.ErrNotGTIN},
		{"text in a QR", "hello", "]Q1", "", gs1.ErrNotGTIN},
		{"nothing", "", "", "", gs1.ErrNotGTIN},
		{"eleven digits", "12345678901", "", "", gs1.ErrNotGTIN},
		{"add-on", "490123456789412345", "]E3", "", gs1.ErrNotGTIN},
		{"Code 128", "4901234567894", "]C0", "", gs1.ErrNotGTIN},
		{"a letter", "49012345678A4", "]E0", "", gs1.ErrNotGTIN},
		{"full-width digits", "４９０１２", "", "", gs1.ErrNotGTIN},
		{"a control byte", "4901234567\x1d94", "", "", gs1.ErrNotGTIN},
	} {
		got, err := gs1.GTIN14(c.label, c.aim)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: GTIN14(%q, %q) = %q, %v; want %q, %v", c.name, c.label, c.aim, got, err, c.want, c.err)
		}
	}
}

// A UPC-A is one good with and without its zero, as an EAN-13, as a UPC-E, in a
// DataBar and in a link; so is an in-store number of prefix 02.
func TestOneGoodOneKey(t *testing.T) {
	for key, scans := range map[string][][2]string{
		"00042100005264": {
			{"", "042100005264"},
			{"]E0", "0042100005264"},
			{"]E0", "04252614"},
			{"]e0", "0100042100005264"},
			{"]Q1", "https://id.gs1.org/01/00042100005264"},
			{"", "00042100005264"},
			{"]I3", "0004210000526"},
		},
		"00212345678909": {{"", "212345678909"}, {"]E0", "0212345678909"}},
	} {
		for _, scan := range scans {
			s, err := gs1.ParseScan(scan[0], scan[1], gs1.Options{})
			if err != nil {
				t.Errorf("%q: %v", scan, err)
				continue
			}
			if got, ok := s.GTIN(); !ok || got.String() != key {
				t.Errorf("%q is %v, want %v", scan, got, key)
			}
		}
	}
}

// Every single wrong digit is found, and a UPC-E reads as what it suppresses.
func TestCheckDigitFindsSlips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching(`[0-9]{12}`).Draw(t, "number")
		good := number + string(gs1.CheckDigit(number))
		if got, err := gs1.GTIN14(good, "]E0"); err != nil || got != "0"+good {
			t.Fatalf("GTIN14(%q) = %q, %v", good, got, err)
		}
		at := rapid.IntRange(0, 12).Draw(t, "at")
		bad := []byte(good)
		bad[at] = '0' + (bad[at]-'0'+rapid.ByteRange(1, 9).Draw(t, "by"))%10
		if got, err := gs1.GTIN14(string(bad), "]E0"); !errors.Is(err, gs1.ErrCheckDigit) {
			t.Fatalf("GTIN14(%q) = %q, %v; %q was right", bad, got, err, good)
		}
	})
}

func TestUPCE(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		company := rapid.StringMatching(`[01](000|[0-9]{2}[0-2]|[0-9]{3}|[0-9]{5})`).Draw(t, "company")
		item := rapid.StringMatching(`[0-9]{1,3}`).Draw(t, "item")
		if len(company)+len(item) > 11 {
			t.Skip()
		}
		number := company + strings.Repeat("0", 11-len(company)-len(item)) + item
		number += string(gs1.CheckDigit(number))
		g, err := gs1.NormalizeGTIN(number)
		if err != nil {
			t.Fatal(err)
		}
		short, ok := g.UPCE()
		if !ok {
			return
		}
		s, err := gs1.ParseScan("]E0", short, gs1.Options{})
		if err != nil {
			t.Fatalf("%s as %s: %v", number, short, err)
		}
		if got, _ := s.GTIN(); got != g || s.Symbology != gs1.UPCE {
			t.Fatalf("%s as %s reads as %v, %v", number, short, got, s.Symbology)
		}
	})
	for s, want := range map[string]string{
		"04252614": "00042100005264", "0425261": "00042100005264", "425261": "00042100005264", "123453": "00012300000451", "123454": "00012340000053", "012345": "00001234000057",
		"04252615": "", "2425261": "", "120453": "", "123044": "", "123405": "", "42526": "", "042526140": "", "42526A": "", "": "",
	} {
		g, err := gs1.ExpandUPCE(s)
		if err == nil && g.String() != want || err != nil && want != "" {
			t.Errorf("%s: %v, %v; want %q", s, g, err, want)
		}
	}
	for number, want := range map[string]string{
		"042100005264": "04252614", "001234000057": "00123457", "012300000451": "01234531", "012340000053": "01234543", "416000336108": "", "012345678905": "",
	} {
		g, err := gs1.NormalizeGTIN(number)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := g.UPCE(); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v; want %q", number, got, ok, want)
		}
	}
}
