package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

const shop = `{"version":"2026-11-24.1","items":[
 {"gtin":"4901234567894","name":"ノート A5","kana":"ﾉｰﾄ A5","price":110,"rate":"standard"},
 {"gtin":"4912345678904","name":"おにぎり　鮭","kana":"ｵﾆｷﾞﾘ ｻｹ","price":108,"rate":"reduced"},
 {"gtin":"49123456","name":"袋","kana":"","price":0,"rate":"standard"}]}`

func TestParse(t *testing.T) {
	c, err := Parse([]byte(shop))
	if err != nil {
		t.Fatal(err)
	}
	if c.Version() != "2026-11-24.1" || c.Len() != 3 {
		t.Errorf("version %q, %d items", c.Version(), c.Len())
	}
	item, ok := c.Lookup("04912345678904")
	want := Item{GTIN: "04912345678904", Name: "おにぎり　鮭", Kana: "ｵﾆｷﾞﾘ ｻｹ", Price: 108, Rate: RateReduced, Version: "2026-11-24.1"}
	if !ok || *item != want {
		t.Errorf("got %+v, want %+v", item, want)
	}
	if item, ok := c.Lookup("00000049123456"); !ok || item.Kana != "49123456" || item.Price != 0 {
		t.Errorf("got %+v", item)
	}
	if _, ok := c.Lookup("4912345678904"); ok {
		t.Error("found by something else than its GTIN-14")
	}
}

func TestParseRefuses(t *testing.T) {
	item := func(change string) string {
		fields := map[string]string{"gtin": `"4901234567894"`, "name": `"x"`, "kana": `"x"`, "price": "1", "rate": `"standard"`}
		key, value, _ := strings.Cut(change, "=")
		if fields[key] = value; value == "" {
			delete(fields, key)
		}
		rows := make([]string, 0, len(fields))
		for k, v := range fields {
			rows = append(rows, fmt.Sprintf("%q:%s", k, v))
		}
		return `{"version":"1","items":[{"gtin":"4912345678904","name":"a","kana":"a","price":1,"rate":"reduced"},{` + strings.Join(rows, ",") + "}]}"
	}
	for _, c := range []struct{ name, in, says string }{
		{"no JSON", "x", "byte"},
		{"an array", "[]", "byte"},
		{"two snapshots", shop + shop, "follows"},
		{"no version", `{"items":[]}`, "version"},
		{"a version with a slash", `{"version":"../1","items":[]}`, "version"},
		{"an unknown field", item(`colour="red"`), "colour"},
		{"the item names its version", item(`version="1"`), "version"},
		{"wrong check digit", item(`gtin="4901234567895"`), "item 2, line 1 (gtin \"4901234567895\")"},
		{"no GTIN", item(`gtin="ABC"`), "item 2"},
		{"twice", item(`gtin="4912345678904"`), "twice"},
		{"twice, padded", item(`gtin="04912345678904"`), "twice"},
		{"no name", item(`name=" "`), "empty"},
		{"a control character in the name", item(`name="a\u001bp"`), "U+001B"},
		{"a bad byte in the name", item("name=\"a\xff\""), "U+FFFD"},
		{"a long name", item(`name="` + strings.Repeat("長", 65) + `"`), "195 bytes"},
		{"full-width kana", item(`kana="カナ"`), "U+30AB"},
		{"a long kana", item(`kana="` + strings.Repeat("ｱ", 41) + `"`), "40 columns"},
		{"no price", item("price="), "price"},
		{"a negative price", item("price=-1"), "price"},
		{"a price of nine digits", item("price=100000000"), "price"},
		{"a price with decimals", item("price=1.5"), "price"},
		{"no rate", item("rate="), "rate"},
		{"another rate", item(`rate="5"`), "rate"},
		{"another unit", item(`unit="stone"`), "kg"},
		{"a price on the label and here", item(`unit="label"`), "on the label"},
		{"a measure without a price", `{"version":"1","items":[{"gtin":"4912345678904","name":"a","unit":"kg","rate":"reduced"}]}`, "price"},
	} {
		got, err := Parse([]byte(c.in))
		if !strings.Contains(c.in, `"items":[{"gtin":"4912345678904"`) || strings.HasPrefix(c.name, "twice") || strings.HasPrefix(c.name, "a measure") {
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v; want ErrInvalid that says %q", c.name, err, c.says)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v; want the other item", c.name, err)
			continue
		}
		refused, count := got.Refused()
		if _, sold := got.Lookup("04912345678904"); !sold || got.Len() != 1 || count != 1 || len(refused) != 1 || !strings.Contains(refused[0].String(), c.says) {
			t.Errorf("%s: refused %v; want one that says %q", c.name, refused, c.says)
		}
	}
	if _, err := Parse(make([]byte, BytesMax+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a huge file: %v", err)
	}
}

// One wrong item is known by its number, its line and its code, and the others
// are sold.
func TestRefused(t *testing.T) {
	c, err := Parse([]byte("\uFEFF" + `{
 "items": [
  {"gtin":"4901234567894","name":"ノート","price":110,"rate":"standard"},

  {"gtin":"4912345678904","name":"a\u001b@","price":1,"rate":"reduced"},
  {"gtin":"49123456","name":"袋","price":1,
   "rate":"standard"}, {"gtin":"4901234567887","name":"x","price":"1","rate":"standard"},
  {"gtin":"00000049123456","name":"別の袋","price":2,"rate":"standard"}
 ],
 "version": "7"
}`))
	if err != nil {
		t.Fatal(err)
	}
	refused, count := c.Refused()
	var got []string
	for _, r := range refused {
		got = append(got, r.String())
	}
	for i, want := range []string{"item 2, line 5 (gtin \"4912345678904\"): name: U+001B", "item 4, line 7 (gtin \"4901234567887\"): ", "item 3, line 6 (gtin \"00000049123456\"): this article is listed twice", "item 5, line 8 (gtin \"00000049123456\"): this article is listed twice"} {
		if i >= len(got) || !strings.HasPrefix(got[i], want) {
			t.Errorf("refused %q, want %q", got, want)
		}
	}
	if count != 4 || c.Len() != 1 || c.Version() != "7" {
		t.Errorf("%d refused, %d sold", count, c.Len())
	}
	for _, label := range []string{"4912345678904", "49123456"} {
		if r, err := c.Read(time.Time{}, "", label); !errors.Is(err, ErrRefused) || r.Item != nil {
			t.Errorf("%s: %+v, %v", label, r, err)
		}
	}
}

// What a magazine costs is not taken off its label where the catalogue lists it
// wrongly, nor is a book sold by its rows.
func TestRefusedIsNotReadOffTheLabel(t *testing.T) {
	c, err := Parse([]byte(`{"version":"1","items":[{"gtin":"4901234567894","name":"x","price":1,"rate":"standard"},
		{"gtin":"4910542311136","name":"","price":1,"rate":"standard"},{"gtin":"9784101092058","name":"","price":1,"rate":"standard"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, label := range []string{"491054231113600980", "9784101092058"} {
		if r, err := c.Read(time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC), "", label); !errors.Is(err, ErrRefused) || r.Item != nil {
			t.Errorf("%s: %+v, %v", label, r, err)
		}
	}
}

// What nobody sees in a name is taken off, what was meant stays.
func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		" おにぎり\u00a0鮭\u200b": "おにぎり 鮭", "\ufeffノート\r\n": "ノート", "親子 👩\u200d👧": "親子 👩👧", "a\u3000b\u3000": "a\u3000b", "Café\u202eX\tY": "CaféX Y",
	} {
		b, err := json.Marshal(map[string]any{"version": "1", "items": []any{map[string]any{"gtin": " 4901234567894\u00a0", "name": in, "price": 1, "rate": "standard"}}})
		if err != nil {
			t.Fatal(err)
		}
		c, err := Parse(b)
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		if item, ok := c.Lookup("04901234567894"); !ok || item.Name != want {
			t.Errorf("%q: %+v, want %q", in, item, want)
		}
	}
}

// Which rates there are is the shop's setting.
func TestParseRates(t *testing.T) {
	const file = `{"version":"1","items":[{"gtin":"4901234567894","name":"Brot","kana":"Brot","price":249,"rate":"second-reduced"}]}`
	if _, err := Parse([]byte(file)); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "standard, reduced") {
		t.Error(err)
	}
	c, err := Parse([]byte(file), "standard", "second-reduced")
	if err != nil {
		t.Fatal(err)
	}
	if item, ok := c.Lookup("04901234567894"); !ok || item.Rate != "second-reduced" {
		t.Errorf("%+v", item)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(shop))
	f.Add([]byte(`{"version":"1","items":[{"gtin":"04252614","name":"a","kana":"a","price":1,"rate":"reduced"}]}`))
	f.Add([]byte(`{"version":"1","items":null}`))
	f.Add([]byte(`{"version":"1","items":[{"gtin":"0212345000005","name":"a","kana":"a","unit":"label","rate":"reduced"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data)
		if err != nil {
			if c != nil || !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrTooLarge) {
				t.Fatalf("%v, %v", c, err)
			}
			return
		}
		// What was accepted is accepted again when written out.
		type out struct {
			Version string           `json:"version"`
			Items   []map[string]any `json:"items"`
		}
		o := out{Version: c.Version()}
		for gtin, item := range c.items {
			if len(gtin) != 14 || item.GTIN != gtin || item.Price < 0 || item.Price > PriceMax || item.Kana == "" || item.Version != c.version {
				t.Fatalf("%q: %+v", gtin, item)
			}
			if strings.ContainsFunc(item.Name+item.Kana, func(c rune) bool { return c < ' ' || c == 0x7f }) {
				t.Fatalf("control characters in %+v", item)
			}
			out := map[string]any{"gtin": gtin, "name": item.Name, "kana": item.Kana, "price": item.Price, "rate": item.Rate, "unit": item.Unit}
			if item.Unit == UnitLabel {
				delete(out, "price")
			}
			o.Items = append(o.Items, out)
		}
		b, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(b)
		if err != nil || again.Len() != c.Len() {
			t.Fatalf("%s: %v", b, err)
		}
	})
}

func BenchmarkLookup(b *testing.B) {
	c, err := Parse([]byte(shop))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := c.Lookup("04912345678904"); !ok {
			b.Fatal("gone")
		}
	}
}
