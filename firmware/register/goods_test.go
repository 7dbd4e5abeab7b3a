package register

import (
	"slices"
	"strings"
	"testing"
	"time"

	"regi/drivers"
	"regi/firmware/catalog"
	"regi/firmware/till"
)

// Rows of two books, of which the catalogue lists the second.
const (
	novelUpper, novelLower = "9784000000017", "1920193004304"
	diaryUpper, diaryLower = "9784101092058", "1920095012001"
)

func bookshop(t *testing.T) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Parse([]byte(`{"version":"1","items":[{"gtin":"4901234567894","name":"ノート","price":110,"rate":"standard"},{"gtin":"` + diaryUpper + `","name":"坊っちゃん","price":1320,"rate":"standard"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestBookRows: each step is a label, and what becomes of it; + is a second
// later, and - eleven.
func TestBookRows(t *testing.T) {
	prices := bookshop(t)
	const sold, listed, lower, upper, done = "書籍 C0193", "坊っちゃん", till.ProblemLowerRow, till.ProblemUpperRow, till.ProblemBookDone
	for name, steps := range map[string][][2]string{
		"upper first":                  {{novelUpper, lower}, {novelLower, sold}},
		"lower first":                  {{novelLower, upper}, {novelUpper, sold}},
		"a good between them":          {{novelUpper, lower}, {"4901234567894", "ノート"}, {novelLower, sold}},
		"a misread between them":       {{novelUpper, lower}, {"4901234567895", till.ProblemCheckDigit}, {novelLower, sold}},
		"one row twice":                {{novelLower, upper}, {novelLower, upper}, {novelUpper, sold}},
		"two books":                    {{novelUpper, lower}, {novelLower, sold}, {novelLower, upper}, {novelUpper, sold}},
		"too late":                     {{novelUpper, lower}, {"-", ""}, {novelLower, upper}, {novelUpper, sold}},
		"a key between them":           {{novelUpper, lower}, {"key", ""}, {novelLower, upper}},
		"listed, upper first":          {{diaryUpper, listed}, {diaryLower, done}},
		"listed, lower first":          {{diaryLower, upper}, {diaryUpper, listed}},
		"listed, upper only, twice":    {{diaryUpper, listed}, {diaryUpper, listed}},
		"listed, two whole":            {{diaryUpper, listed}, {diaryLower, done}, {diaryUpper, listed}, {diaryLower, done}},
		"listed, not taken":            {{diaryUpper, listed}, {"refused", ""}, {diaryLower, upper}, {diaryUpper, listed}},
		"listed, then another":         {{diaryUpper, listed}, {novelUpper, lower}, {novelLower, sold}},
		"listed, key, another's lower": {{diaryUpper, listed}, {"key", ""}, {novelLower, upper}, {novelUpper, sold}},
	} {
		b, now := newBooks(), time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
		var last till.Event
		for i, step := range steps {
			now = now.Add(time.Second)
			switch step[0] {
			case "-":
				now = now.Add(bookWindow)
				continue
			case "key":
				b.pair(now, till.Key{Name: "CLEAR"}, prices)
				continue
			case "refused":
				b.handled(last, []till.Effect{till.Record{}, till.Beep{}, till.Notice{}})
				continue
			}
			last = b.pair(now, identify(drivers.Scan{Label: step[0]}, prices), prices)
			b.handled(last, []till.Effect{till.Record{}, till.Show{}})
			e, _ := last.(till.Scanned)
			got := e.Problem
			if got == "" && e.Item != nil {
				got = e.Item.Name
			}
			if got != step[1] {
				t.Errorf("%s: step %d is %q, want %q", name, i+1, got, step[1])
			}
			if got == sold && (e.Said != catalog.Said{Price: 430, Untaxed: true} || e.GTIN != "0"+novelUpper || !e.Book) {
				t.Errorf("%s: step %d: %+v", name, i+1, e)
			}
		}
	}
}

// TestBookOnDisk: a pair is sold once, and after a cut from its event once more.
func TestBookOnDisk(t *testing.T) {
	s := newShop(t)
	s.Prices = bookshop(t)
	r := s.open(t)
	for _, e := range append(keys("1", "OPEN"), s.scan(novelLower), s.scan("4901234567894"), s.scan(novelUpper), s.scan(diaryUpper), s.scan(diaryLower)) {
		if err := r.handle(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	want := asJSON(t, r.till.State().Sale)
	for _, part := range []string{`"Description":"書籍 C0193","Quantity":1,"RegularSalesUnitPrice":473,`, `"PriceVersion":"label"`, `"RegularSalesUnitPrice":1320,`, `"Total":1903,`} {
		if !strings.Contains(want, part) {
			t.Errorf("the sale lacks %s:\n%s", part, want)
		}
	}
	if err := r.ledger.close(); err != nil {
		t.Fatal(err)
	}
	again := s.open(t)
	if got := asJSON(t, again.till.State().Sale); got != want {
		t.Errorf("after a restart\n got %s\nwant %s", got, want)
	}
	if err := again.ledger.close(); err != nil {
		t.Fatal(err)
	}
}

// TestRefusedItem: the scan of an item that is listed wrongly says that, and not
// that it is unknown.
func TestRefusedItem(t *testing.T) {
	c, err := catalog.Parse([]byte(`{"version":"1","items":[{"gtin":"4901234567894","name":"x","price":110,"rate":"standard"},{"gtin":"4912345678904","name":"","price":1,"rate":"standard"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	scan := identify(drivers.Scan{Label: "4912345678904"}, c)
	if scan.Problem != till.ProblemRefused || scan.Item != nil {
		t.Fatalf("%+v", scan)
	}
	tl := till.New(till.Config{Store: "0001", Register: "01", Currency: "JPY", Locale: "en"}, till.State{})
	now := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	for _, e := range keys("1", "OPEN") {
		tl.Handle(now, e)
	}
	effects := tl.Handle(now, scan)
	if !slices.ContainsFunc(effects, func(e till.Effect) bool { n, _ := e.(till.Notice); return n.Code == "S19" }) || tl.State().Sale != nil {
		t.Errorf("%+v", effects)
	}
}
