package gs1_test

import (
	"errors"
	"strings"
	"testing"

	"regi/firmware/gs1"
)

// Vectors of General Specifications 7.9.3 and 7.9.4, and edges by hand.
func TestPriceCheckDigit(t *testing.T) {
	for digits, want := range map[string]byte{
		"2875": '9', "14685": '6', "0000": '0', "00000": '0', "0100": '6', "1000": '6', "0001": '5',
		// Five digits end with the table of 5- read backwards; labels of shops' scales.
		"00502": '5', "00828": '4', "00782": '0', "00408": '6', "00284": '2', "01336": '6', "00190": '8',
		"": 0, "123": 0, "123456": 0, "12a4": 0,
	} {
		if got := gs1.PriceCheckDigit(digits); got != want {
			t.Errorf("%q: %q, want %q", digits, got, want)
		}
	}
}

// Each of the four or five weights finds every wrong digit.
func TestPriceCheckDigitFindsSlips(t *testing.T) {
	for _, price := range []string{"2875", "14685"} {
		for at := range len(price) {
			seen := map[byte]bool{}
			for d := byte('0'); d <= '9'; d++ {
				b := []byte(price)
				b[at] = d
				seen[gs1.PriceCheckDigit(string(b))] = true
			}
			if len(seen) != 10 {
				t.Errorf("%s: place %d has %d check digits for ten digits", price, at, len(seen))
			}
		}
	}
}

func gtin(t *testing.T, s string) gs1.GTIN {
	t.Helper()
	g, err := gs1.NormalizeGTIN(s)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func completed(t *testing.T, digits string) gs1.GTIN {
	t.Helper()
	return gtin(t, digits+string(gs1.CheckDigit(digits)))
}

func TestInStore(t *testing.T) {
	rules := gs1.InStoreRules{
		{Layout: "21iiiiiippppc"},
		{Layout: "02iiiiivppppc", Scale: 1},
		{Layout: "22iiiivpppppc"},
		{Layout: "23iiiiiwwwwwc"},
		{Layout: "24iiiiixppppc", Scale: 10},
		{Layout: "25iiiiiiinnnc"},
		{Layout: "26iiiiivwwwwc"},
		{Layout: "29iiiiiiiiiic"},
		{Layout: "2iiipppc"},
	}
	if err := rules.Check(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		digits, key, item    string // without check digits
		price, weight, count int64
	}{
		{"211200251500", "211200250000", "120025", 1500, -1, -1},
		{"021234592875", "021234500000", "12345", 2875, -1, -1}, // verifier 9
		{"221234614685", "221234000000", "1234", 14685, -1, -1}, // verifier 6
		{"231234500500", "231234500000", "12345", -1, 500, -1},
		{"241234570150", "241234500000", "12345", 1500, -1, -1},
		{"251234567012", "251234567000", "1234567", -1, -1, 12},
		{"261234592875", "261234500000", "12345", -1, 2875, -1},
		{"291234567890", "291234567890", "1234567890", -1, -1, -1},
		{"2123456", "2123000", "123", 456, -1, -1},
	} {
		in, ok, err := rules.Read(completed(t, c.digits))
		if err != nil || !ok || in.Item != c.item || in.Price != c.price || in.Weight != c.weight || in.Count != c.count {
			t.Errorf("%s: %+v, %v, %v", c.digits, in, ok, err)
		}
		if want := completed(t, c.key); in.Key != want {
			t.Errorf("%s: key %v, want %v", c.digits, in.Key, want)
		}
	}
	if in, _, err := rules.Read(gtin(t, "2112002515005")); err != nil || in.Price != 1500 || in.Item != "120025" {
		t.Errorf("%+v, %v", in, err)
	}
	if _, ok, err := rules.Read(completed(t, "021234582875")); !ok || !errors.Is(err, gs1.ErrCheckDigit) {
		t.Errorf("a wrong verifier: %v, %v", ok, err)
	}
	for _, other := range []string{"4901234567894", "2712345678905", "49123456", "12123456789016"} {
		g, err := gs1.NormalizeGTIN(other)
		if err != nil {
			g = completed(t, other[:len(other)-1])
		}
		if in, ok, err := rules.Read(g); ok || err != nil {
			t.Errorf("%s: %+v, %v", other, in, err)
		}
	}
}

// A rule that Check refuses is not followed either.
func TestForeignRule(t *testing.T) {
	if in, ok, err := (gs1.InStoreRules{{Layout: "49iiiiiippppc"}}).Read(gtin(t, "4901234567894")); ok || err != nil {
		t.Errorf("%+v, %v", in, err)
	}
}

// A UPC-A of number system 2 is the in-store number of prefix 02.
func TestInStoreUPC(t *testing.T) {
	rules := gs1.InStoreRules{{Layout: "02iiiiixppppc"}}
	short, long := completed(t, "21234502875"), completed(t, "021234502875")
	a, ok, err := rules.Read(short)
	if b, _, _ := rules.Read(long); !ok || err != nil || a != b || a.Price != 2875 {
		t.Errorf("%+v, %+v, %v", a, b, err)
	}
}

func TestIsInStore(t *testing.T) {
	for number, want := range map[string]bool{
		"210000000000": true, "290000000000": true, "020000000000": true, "030000000000": false, "490123456789": false, "200000000000": true,
		"2000000": true, "0200000": true, "4912345": false,
	} {
		if got := completed(t, number).IsInStore(); got != want {
			t.Errorf("%s: %v", number, got)
		}
	}
	if completed(t, "1210000000000").IsInStore() {
		t.Error("a case is not in-store")
	}
}

func TestInStoreRules(t *testing.T) {
	for _, bad := range []gs1.InStoreRule{
		{Layout: ""},
		{Layout: "21iiiiiipppp"},
		{Layout: "21iiiiiippppp"},
		{Layout: "21iiciiippppc"},
		{Layout: "21iiiiiizpppc"},
		{Layout: "49iiiiiippppc"},
		{Layout: "iiiiiiiippppc"},
		{Layout: "21pppppppxppc"},
		{Layout: "21ipiiiippppc"},
		{Layout: "21xxxxxxppppc"},
		{Layout: "21iiiiivpppxc"},
		{Layout: "21iiiivvppppc"},
		{Layout: "21ivppppwwwwc"},
		{Layout: "21iiiiiippppc", Scale: -1},
		{Layout: "21iiiiiippppc", Scale: 1_000_001},
	} {
		if err := (gs1.InStoreRules{bad}).Check(); !errors.Is(err, gs1.ErrRule) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	many := make(gs1.InStoreRules, gs1.InStoreRulesMax+1)
	if err := many.Check(); !errors.Is(err, gs1.ErrRule) || !strings.Contains(err.Error(), "at most 64") {
		t.Error(err)
	}
}
