package catalog_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"regi/firmware/catalog"
	"regi/firmware/gs1"
)

const shelf = `{"version":"7","items":[
 {"gtin":"4901234567894","name":"ノート","price":110,"rate":"standard"},
 {"gtin":"012345678905","name":"Soap","price":398,"rate":"standard"},
 {"gtin":"04252614","name":"Gum","price":50,"rate":"reduced"},
 {"gtin":"94901234567897","name":"牛肩ロース","price":298,"unit":"100g","rate":"reduced"},
 {"gtin":"9000000000018","name":"布","price":1500,"unit":"m","rate":"standard"},
 {"gtin":"9490000000004","name":"卵","price":25,"unit":"count","rate":"reduced"},
 {"gtin":"9784101092058","name":"坊っちゃん","price":473,"rate":"standard"},
 {"gtin":"4910542311136","name":"月刊","price":980,"rate":"standard"},
 {"gtin":"0212345000007","name":"コロッケ","unit":"label","rate":"reduced"},
 {"gtin":"2212340000000","name":"まぐろ","unit":"label","rate":"reduced"},
 {"gtin":"2312345000002","name":"豚こま","price":158,"unit":"100g","rate":"reduced"},
 {"gtin":"2512345670000","name":"りんご","price":120,"unit":"count","rate":"reduced"},
 {"gtin":"2900000000018","name":"花","price":300,"rate":"standard"}]}`

func rules() gs1.InStoreRules {
	return gs1.InStoreRules{
		{Layout: "02iiiiivppppc"}, {Layout: "22iiiivpppppc"}, {Layout: "23iiiiiwwwwwc"}, {Layout: "25iiiiiiinnnc"}, {Layout: "29iiiiiiiiiic"},
	}
}

var now = time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC)

func stocked(t testing.TB, l catalog.Labels) *catalog.Catalog {
	t.Helper()
	text := shelf
	for _, digits := range []string{"9490000000004", "2512345670000"} { // their check digits are computed
		text = strings.Replace(text, digits, digits[:12]+string(gs1.CheckDigit(digits[:12])), 1)
	}
	c, err := catalog.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if c, err = c.With(l); err != nil {
		t.Fatal(err)
	}
	return c
}

func completed(digits string) string { return digits + string(gs1.CheckDigit(digits)) }

func TestRead(t *testing.T) {
	c := stocked(t, catalog.Labels{InStore: rules()})
	for _, x := range []struct {
		name, aim, data string
		item            string
		said            catalog.Said
	}{
		{name: "EAN-13", aim: "]E0", data: "4901234567894", item: "ノート"},
		{name: "EAN-13 without AIM", data: "4901234567894", item: "ノート"},
		{name: "in a case's symbol", aim: "]I1", data: "04901234567894", item: "ノート"},
		{name: "UPC-A", aim: "]E0", data: "012345678905", item: "Soap"},
		{name: "UPC-A with a leading zero", aim: "]E0", data: "0012345678905", item: "Soap"},
		{name: "UPC-E", aim: "]E0", data: "04252614", item: "Gum"},
		{name: "UPC-E expanded", aim: "]E0", data: "042100005264", item: "Gum"},
		{name: "GS1-128", aim: "]C1", data: "0104901234567894" + "17261231" + "10LOT7", item: "ノート", said: catalog.Said{Expiry: "2026-12-31", Lot: "LOT7"}},
		{name: "DataMatrix", aim: "]d2", data: "010490123456789410LOT7\x1d21S1", item: "ノート", said: catalog.Said{Lot: "LOT7", Serial: "S1"}},
		{name: "FNC1 without AIM", data: "\x1d010490123456789410LOT7", item: "ノート", said: catalog.Said{Lot: "LOT7"}},
		{name: "DataBar", aim: "]e0", data: "0104901234567894", item: "ノート"},
		{name: "Digital Link", aim: "]Q1", data: "https://example.com/01/04901234567894/10/LOT7/21/S1?17=261231", item: "ノート", said: catalog.Said{Expiry: "2026-12-31", Lot: "LOT7", Serial: "S1"}},
		{name: "composite", aim: "]E0", data: "4901234567894|]e010LOT7", item: "ノート", said: catalog.Said{Lot: "LOT7"}},
		{name: "the earliest date", aim: "]C1", data: "0104901234567894" + "15261231" + "7003" + "2611301200", item: "ノート", said: catalog.Said{Expiry: "2026-11-30T12:00"}},
		{name: "a minute of the same day", aim: "]C1", data: "0104901234567894" + "17261130" + "7003" + "2611301200", item: "ノート", said: catalog.Said{Expiry: "2026-11-30T12:00"}},
		{name: "the last day of a month", aim: "]C1", data: "0104901234567894" + "17270200", item: "ノート", said: catalog.Said{Expiry: "2027-02-28"}},
		{name: "weighed", aim: "]C1", data: "0194901234567897" + "3103000326", item: "牛肩ロース", said: catalog.Said{Amount: 326_000, Code: "KGM"}},
		{name: "weighed, of two measures", aim: "]C1", data: "0194901234567897" + "3202000072" + "3103000326", item: "牛肩ロース", said: catalog.Said{Amount: 326_000, Code: "KGM"}},
		{name: "weighed finely", aim: "]C1", data: "0194901234567897" + "3105032601", item: "牛肩ロース", said: catalog.Said{Amount: 326_010, Code: "KGM"}},
		{name: "weighed and priced", aim: "]C1", data: "0194901234567897" + "3103000326" + "3920" + "971", item: "牛肩ロース", said: catalog.Said{Amount: 326_000, Code: "KGM", Price: 971}},
		{name: "priced in yen", aim: "]C1", data: "0194901234567897" + "3103000326" + "3930" + "392" + "971", item: "牛肩ロース", said: catalog.Said{Amount: 326_000, Code: "KGM", Price: 971}},
		{name: "price with needless decimals", aim: "]C1", data: "0194901234567897" + "3103000326" + "3922" + "97100", item: "牛肩ロース", said: catalog.Said{Amount: 326_000, Code: "KGM", Price: 971}},
		{name: "priced by the unit", aim: "]C1", data: "0194901234567897" + "3103000326" + "8005" + "002980", item: "牛肩ロース", said: catalog.Said{Amount: 326_000, Code: "KGM", UnitPrice: 2980}},
		{name: "a length", aim: "]C1", data: "0109000000000018" + "3112000150", item: "布", said: catalog.Said{Amount: 1_500_000, Code: "MTR"}},
		{name: "counted", aim: "]C1", data: "010" + completed("949000000000") + "30" + "10", item: "卵", said: catalog.Said{Count: 10}},
		{name: "a case of it", aim: "]C1", data: "020" + completed("949000000000") + "3712" + "\x1d" + "00" + completed("34901234500000001"), item: "卵", said: catalog.Said{Count: 12}},
		{name: "NON-PLU", aim: "]E0", data: completed("021234592875"), item: "コロッケ", said: catalog.Said{Price: 2875}},
		{name: "NON-PLU without its leading zero", aim: "]E0", data: completed("021234592875")[1:], item: "コロッケ", said: catalog.Said{Price: 2875}},
		{name: "five digits of price", aim: "]E0", data: completed("221234614685"), item: "まぐろ", said: catalog.Said{Price: 14_685}},
		{name: "in-store weight", aim: "]E0", data: completed("231234500326"), item: "豚こま", said: catalog.Said{Amount: 326_000, Code: "KGM"}},
		{name: "in-store count", aim: "]E0", data: completed("251234567012"), item: "りんご", said: catalog.Said{Count: 12}},
		{name: "PLU", aim: "]E0", data: "2900000000018", item: "花"},
		{name: "listed magazine", aim: "]E3", data: "491054231113600980", item: "月刊"},
		{name: "listed magazine, its add-on not read", aim: "]E0", data: "4910542311136", item: "月刊"},
		{name: "other magazine", data: completed("491005423117") + "00980", item: "雑誌 05423-11", said: catalog.Said{Price: 980, Untaxed: true}},
		{name: "listed book", data: "9784101092058", item: "坊っちゃん"},
	} {
		r, err := c.Read(now, x.aim, x.data)
		if err != nil || r.Item == nil || r.Item.Name != x.item || r.Said != x.said || r.Item.GTIN != r.GTIN {
			t.Errorf("%s: %+v (%+v), %v; want %s %+v", x.name, r, r.Item, err, x.item, x.said)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	c := stocked(t, catalog.Labels{InStore: rules()})
	for _, x := range []struct {
		name, aim, data string
		gtin            string
		err             error
	}{
		{"a good of another shop", "", "4006381333931", "04006381333931", catalog.ErrUnknown},
		{"in-store without a rule", "", completed("271234567890"), "0" + completed("271234567890"), catalog.ErrUnknown},
		{"in-store with one, not listed", "", completed("021111192875"), "0" + completed("021111100000"), catalog.ErrUnknown},
		{"in-store price misread", "", completed("021234582875"), "", gs1.ErrCheckDigit},
		{"misread", "]E0", "4901234567895", "", gs1.ErrCheckDigit},
		{"misread in an element", "]C1", "0104901234567895", "", gs1.ErrCheckDigit},
		{"lower row", "", "1920193004304", "01920193004304", catalog.ErrUpperRow},
		{"upper row", "", "9784000000017", "09784000000017", catalog.ErrLowerRow},
		{"magazine without its add-on", "]E0", completed("491005423117"), "0" + completed("491005423117"), catalog.ErrAddOn},
		{"magazine with two digits", "]E3", completed("491005423117") + "11", "0" + completed("491005423117"), catalog.ErrAddOn},
		{"add-on alone", "]E2", "00980", "", catalog.ErrAddOn},
		{"another symbology", "]A0", "4901234567894", "", gs1.ErrCarrier},
		{"no symbology", "]!9", "4901234567894", "", gs1.ErrCarrier},
		{"text in a QR code", "]Q1", "hello", "", catalog.ErrNoArticle},
		{"another link", "]Q1", "https://example.com/", "", gs1.ErrLink},
		{"link of no article", "]Q1", "https://example.com/414/4901234567894", "", catalog.ErrNoArticle},
		{"a pallet", "]C1", "00" + completed("34901234500000001"), "", catalog.ErrNoArticle},
		{"text without identifier", "", "hello", "", gs1.ErrNotGTIN},
		{"nothing", "", "", "", gs1.ErrNotGTIN},
		{"unknown AI", "]C1", "0104901234567894" + "89X", "", gs1.ErrUnknownAI},
		{"a date that is none", "]C1", "0104901234567894" + "17269931", "", gs1.ErrValue},
		{"an element cut short", "]C1", "0104901234567894" + "1726", "", gs1.ErrValue},
		{"elements that exclude each other", "]C1", "0104901234567894" + "02049012345678943701", "", gs1.ErrAssociation},
		{"two lots", "]C1", "0104901234567894" + "10A\x1d10B", "", gs1.ErrAssociation},
		{"dollars", "]C1", "0194901234567897" + "3103000326" + "3930" + "840" + "971", "94901234567897", catalog.ErrMoney},
		{"part of a yen", "]C1", "0194901234567897" + "3103000326" + "3922" + "97150", "", catalog.ErrMoney},
		{"a price of ten digits", "]C1", "0194901234567897" + "3103000326" + "3920" + "1000000000", "", catalog.ErrMoney},
		{"too long", "", strings.Repeat("4", 9000), "", gs1.ErrTooLong},
	} {
		r, err := c.Read(now, x.aim, x.data)
		if !errors.Is(err, x.err) {
			t.Errorf("%s: %v, want %v", x.name, err, x.err)
		}
		if x.gtin != "" && r.GTIN != x.gtin {
			t.Errorf("%s: it is %q, want %q", x.name, r.GTIN, x.gtin)
		}
	}
}

// Books by two rows are Japan's: elsewhere an ISBN is a number like any other.
func TestReadAbroad(t *testing.T) {
	c := stocked(t, catalog.Labels{Currency: "EUR", InStore: rules()})
	for data, want := range map[string]error{
		"9784000000017": catalog.ErrUnknown, "1920193004304": catalog.ErrUnknown, completed("491005423117") + "00980": catalog.ErrUnknown,
	} {
		if _, err := c.Read(now, "", data); !errors.Is(err, want) {
			t.Errorf("%s: %v", data, err)
		}
	}
	r, err := c.Read(now, "]C1", "0194901234567897"+"3103000326"+"3932"+"978"+"1250")
	if err != nil || r.Said.Price != 1250 {
		t.Errorf("12.50 euro: %+v, %v", r.Said, err)
	}
	if r, err = c.Read(now, "]C1", "0194901234567897"+"3103000326"+"3921"+"125"); err != nil || r.Said.Price != 1250 {
		t.Errorf("12.5 euro: %+v, %v", r.Said, err)
	}
}

func TestBookItem(t *testing.T) {
	c := stocked(t, catalog.Labels{})
	isbn, err := gs1.ISBN("978-4-00-000001-7")
	if err != nil {
		t.Fatal(err)
	}
	item, said := c.BookItem(&gs1.Book{GTIN: isbn, CCode: "0193", Price: 430})
	if item.Name != "書籍 C0193" || item.GTIN != "09784000000017" || item.Rate != catalog.RateStandard || said != (catalog.Said{Price: 430, Untaxed: true}) {
		t.Errorf("%+v, %+v", item, said)
	}
	listed, err := gs1.ISBN("9784101092058")
	if err != nil {
		t.Fatal(err)
	}
	if item, said = c.BookItem(&gs1.Book{GTIN: listed, CCode: "0193", Price: 430}); item.Name != "坊っちゃん" || said != (catalog.Said{}) {
		t.Errorf("%+v, %+v", item, said)
	}
}

// What can never be found or priced is refused when the prices are read.
func TestWith(t *testing.T) {
	list := func(gtin, unit, price string) *catalog.Catalog {
		c, err := catalog.Parse([]byte(`{"version":"1","items":[{"gtin":"` + gtin + `","name":"a"` + price + `,"unit":"` + unit + `","rate":"reduced"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	const price = `,"price":100`
	for name, x := range map[string]struct {
		c    *catalog.Catalog
		says string
	}{
		"by a label of one piece":    {list(completed("021234592875"), "label", ""), "0212345000007"},
		"price rule, by the piece":   {list("0212345000007", "", price), `"label"`},
		"weight rule, by the piece":  {list("2312345000002", "", price), `"kg"`},
		"weight rule, by the length": {list("2312345000002", "m", price), `"kg"`},
		"count rule, by the piece":   {list(completed("251234567000"), "", price), `"count"`},
		"PLU rule, by weight":        {list("2900000000018", "kg", price), "none"},
		"wrong verifier":             {list(completed("021234512875"), "label", ""), "check digit"},
	} {
		if _, err := x.c.With(catalog.Labels{InStore: rules()}); !errors.Is(err, catalog.ErrInvalid) || !strings.Contains(err.Error(), x.says) {
			t.Errorf("%s: %v, want %q", name, err, x.says)
		}
		if _, err := x.c.With(catalog.Labels{}); err != nil {
			t.Errorf("%s, without rules: %v", name, err)
		}
	}
	if _, err := list("0212345000007", "kg", price).With(catalog.Labels{InStore: rules()}); err != nil {
		t.Errorf("a weighed good with its price in the code: %v", err)
	}
	if _, err := list("0212345000007", "label", "").With(catalog.Labels{Currency: "XXX"}); err == nil {
		t.Error("any currency is taken")
	}
	if _, err := list("0212345000007", "label", "").With(catalog.Labels{InStore: gs1.InStoreRules{{Layout: "49iiiiiiiiiic"}}}); !errors.Is(err, gs1.ErrRule) {
		t.Errorf("a rule for goods of others: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	for _, aim := range []string{"", "]E0", "]E3", "]C1", "]d2", "]Q1", "]e0", "]A0"} {
		for _, data := range []string{
			"4901234567894", "0194901234567897" + "3103000326" + "3930392971", "0104901234567894" + "17261231" + "7003" + "2611301200", "1920193004304",
			"9784101092058", "491054231113600980", completed("021234592875"), completed("231234500326"), "https://example.com/01/04901234567894?17=261231&3103=000500",
			"0194901234567897" + "3103000326" + "3950" + "298", "4901234567894|]e010LOT7",
		} {
			f.Add(aim, data)
		}
	}
	c := stocked(f, catalog.Labels{InStore: rules()})
	f.Fuzz(func(t *testing.T, aim, data string) {
		r, err := c.Read(now, aim, data)
		if r.GTIN != "" {
			if g, bad := gs1.NormalizeGTIN(r.GTIN); bad != nil || g.String() != r.GTIN {
				t.Fatalf("%q is no key of goods: %v", r.GTIN, bad)
			}
		}
		if err != nil {
			if len(err.Error()) > 300 {
				t.Fatalf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		s := r.Said
		if r.Item == nil || r.Item.GTIN != r.GTIN || s.Price < 0 || s.Price > catalog.PriceMax || s.UnitPrice < 0 || s.UnitPrice > catalog.PriceMax ||
			s.Amount < 0 || s.Amount > catalog.AmountMax || s.Count < 0 || s.Count > catalog.CountMax || len(s.Code) > catalog.CodeMax ||
			len(s.Lot) > catalog.TextMax || len(s.Serial) > catalog.TextMax || len(s.Expiry) > catalog.ExpiryMax {
			t.Fatalf("%+v", r)
		}
		if strings.ContainsFunc(s.Lot+s.Serial+s.Expiry+s.Code, func(c rune) bool { return c < ' ' || c > '~' }) {
			t.Fatalf("%+v is not printable", s)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	c := stocked(b, catalog.Labels{InStore: rules()})
	for name, x := range map[string]struct{ aim, data string }{
		"EAN13": {"]E0", "4901234567894"}, "InStore": {"]E0", completed("021234592875")},
		"DataMatrix": {"]d2", "0194901234567897" + "3103000326" + "17261231" + "10LOT7"},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Read(now, x.aim, x.data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
