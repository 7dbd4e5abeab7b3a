package gs1

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestGTIN14(t *testing.T) {
	for _, c := range []struct {
		name, label, aim, want string
		err                    error
	}{
		{"EAN-13", "4901234567894", "]E0", "04901234567894", nil},
		{"EAN-13, no identifier", "4912345678904", "", "04912345678904", nil},
		{"EAN-13, one digit wrong", "4901234567895", "]E0", "", ErrCheckDigit},
		{"EAN-13, two neighbours swapped", "4901234567984", "", "", ErrCheckDigit},
		{"EAN-8", "49123456", "]E4", "00000049123456", nil},
		{"EAN-8, no identifier", "49123456", "", "00000049123456", nil},
		{"EAN-8 under the EAN-13 identifier", "49123456", "]E0", "", ErrCheckDigit},
		{"EAN-8, wrong digit", "49123455", "", "", ErrCheckDigit},
		{"UPC-A", "416000336108", "]E0", "00416000336108", nil},
		{"UPC-A, no identifier", "416000336108", "", "00416000336108", nil},
		{"UPC-A with its zero", "0416000336108", "]E0", "00416000336108", nil},
		{"UPC-E, zeros by 5", "00123457", "]E0", "00001234000057", nil},
		{"UPC-E, expanded by the scanner", "0001234000057", "]E0", "00001234000057", nil},
		{"UPC-E, zeros by 0", "04252614", "]E0", "00042100005264", nil},
		{"UPC-E, no identifier", "04252614", "", "00042100005264", nil},
		{"UPC-E, zeros by 3", "01234531", "]E0", "00012300000451", nil},
		{"UPC-E, zeros by 4", "01234543", "]E0", "00012340000053", nil},
		{"UPC-E, wrong digit", "04252615", "]E0", "", ErrCheckDigit},
		{"UPC-E, number system 2", "24252614", "]E0", "", ErrCheckDigit},
		{"ITF-14", "14901234567891", "]I1", "14901234567891", nil},
		{"GTIN-14, no identifier", "14901234567891", "", "14901234567891", nil},
		{"GTIN-14 cannot be under ]E0", "14901234567891", "]E0", "", ErrNotGTIN},
		{"DataBar", "0104901234567894", "]e0", "04901234567894", nil},
		{"GS1-128 with a batch is more than a GTIN", "010490123456789410A", "]C1", "", ErrNotGTIN},
		{"nothing", "", "", "", ErrNotGTIN},
		{"eleven digits", "12345678901", "", "", ErrNotGTIN},
		{"add-on", "490123456789412345", "]E3", "", ErrNotGTIN},
		{"Code 128", "4901234567894", "]C0", "", ErrNotGTIN},
		{"a letter", "49012345678A4", "]E0", "", ErrNotGTIN},
		{"full-width digits", "４９０１２", "", "", ErrNotGTIN},
		{"a control byte", "4901234567\x1d94", "", "", ErrNotGTIN},
	} {
		got, err := GTIN14(c.label, c.aim)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: GTIN14(%q, %q) = %q, %v; want %q, %v", c.name, c.label, c.aim, got, err, c.want, c.err)
		}
	}
}

// TestVectors runs those of GS1's own cases that are about EAN/UPC numbers.
func TestVectors(t *testing.T) {
	f, err := os.Open("testdata/gs1-cases.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // only read
	cases := 0
	for rows := bufio.NewScanner(f); rows.Scan(); {
		var c struct {
			Kind, At, In, Out string
			OK                bool
		}
		if err := json.Unmarshal(rows.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if c.Kind == "licence" {
			continue
		}
		cases++
		label, want, ok := c.In, c.Out, c.OK
		if c.Kind == "scan_generate" && c.OK { // the scan data is the output, the GTIN the input
			label, want = c.Out, strings.TrimPrefix(c.In, "^01")[:14]
		}
		aim := ""
		if strings.HasPrefix(label, "]") {
			aim, label = label[:3], label[3:]
		}
		label, _, _ = strings.Cut(label, "|") // a composite's second half
		want, _, _ = strings.Cut(want, "|")
		got, err := GTIN14(label, aim)
		switch {
		case (err == nil) != ok:
			t.Errorf("%s: GTIN14(%q, %q) = %q, %v; want ok %v", c.At, label, aim, got, err, ok)
		case ok && !strings.HasSuffix(got, want):
			t.Errorf("%s: GTIN14(%q, %q) = %q; want %q", c.At, label, aim, got, want)
		}
	}
	if cases < 15 {
		t.Errorf("%d cases, want at least 15", cases)
	}
}

// Every single wrong digit and every swap of unequal neighbours whose
// difference is not five is found.
func TestCheckDigitFindsSlips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var g GTIN
		g.pad(rapid.StringMatching(`[0-9]{12}0`).Draw(t, "number"))
		g[13] = g.checkDigit()
		good := string(g[1:])
		if got, err := GTIN14(good, "]E0"); err != nil || got != "0"+good {
			t.Fatalf("GTIN14(%q) = %q, %v", good, got, err)
		}
		at := rapid.IntRange(0, 12).Draw(t, "at")
		bad := []byte(good)
		bad[at] = '0' + (bad[at]-'0'+rapid.ByteRange(1, 9).Draw(t, "by"))%10
		if got, err := GTIN14(string(bad), "]E0"); !errors.Is(err, ErrCheckDigit) {
			t.Fatalf("GTIN14(%q) = %q, %v; %q was right", bad, got, err, good)
		}
	})
}

func FuzzGTIN14(f *testing.F) {
	for _, aim := range []string{"", "]E0", "]E4", "]C1", "]I1", "]Q3"} {
		for _, label := range []string{"4901234567894", "49123456", "04252614", "416000336108", "0104901234567894", "", "\x1d\x00"} {
			f.Add(label, aim)
		}
	}
	f.Fuzz(func(t *testing.T, label, aim string) {
		got, err := GTIN14(label, aim)
		if err != nil {
			if got != "" || !errors.Is(err, ErrNotGTIN) && !errors.Is(err, ErrCheckDigit) {
				t.Fatalf("%q, %v", got, err)
			}
			if len(err.Error()) > 200 {
				t.Fatalf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		if len(got) != 14 || !allDigits(got) {
			t.Fatalf("%q", got)
		}
		if again, err := GTIN14(got, ""); err != nil || again != got {
			t.Fatalf("%q reads as %q, %v", got, again, err)
		}
	})
}

func BenchmarkGTIN14(b *testing.B) {
	for _, c := range []struct{ name, label, aim string }{
		{"EAN-13", "4901234567894", "]E0"},
		{"UPC-E", "04252614", "]E0"},
		{"DataBar", "0104901234567894", "]e0"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			odd := 0
			for range b.N { // b.Loop would keep each result alive, and so allocate it
				g, err := GTIN14(c.label, c.aim)
				if err != nil {
					b.Fatal(err)
				}
				odd += int(g[13] & 1)
			}
			if odd > b.N {
				b.Fatal("read more than was given")
			}
		})
	}
}
