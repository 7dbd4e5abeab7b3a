package till

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"regi/firmware/catalog"
	"regi/firmware/record"
	"regi/firmware/sale"
)

//nolint:gochecknoglobals // constants of the tests
var (
	beef  = catalog.Item{GTIN: "94901234567897", Name: "牛肩ロース", Kana: "ｷﾞｭｳ ｶﾀﾛｰｽ", Price: 298, Unit: "100g", Rate: "reduced", Version: "1"}
	fried = catalog.Item{GTIN: "00212345000007", Name: "コロッケ", Kana: "ｺﾛｯｹ", Unit: catalog.UnitLabel, Rate: "reduced", Version: "1"}
	eggs  = catalog.Item{GTIN: "09490000000004", Name: "卵", Kana: "ﾀﾏｺﾞ", Price: 25, Unit: catalog.UnitCount, Rate: "reduced", Version: "1"}
	novel = catalog.Item{GTIN: "09784000000017", Name: "書籍 C0193", Kana: "ｼｮｾｷ C0193", Unit: catalog.UnitLabel, Rate: "standard"}
)

func labelled(item catalog.Item, said catalog.Said) Scanned {
	return Scanned{Label: "x", GTIN: item.GTIN, Item: &item, Said: said}
}

func grams(n int64) catalog.Said { return catalog.Said{Amount: n * 1000, Code: "KGM"} }

// What a piece costs follows from its label only where the catalogue asks for it.
func TestLabels(t *testing.T) {
	for _, c := range []struct {
		name     string
		rounding string
		item     catalog.Item
		said     catalog.Said
		price    sale.Money
		quantity int64
		version  string
	}{
		{"by weight", "floor", beef, grams(326), 971, 1, "1"},
		{"by weight, rounded up", "ceil", beef, grams(326), 972, 1, "1"},
		{"by weight, half up", "half-up", beef, grams(335), 998, 1, "1"}, // 998.3
		{"weight and price: the price that the customer has read", "floor", beef, catalog.Said{Amount: 326_000, Code: "KGM", Price: 960}, 960, 1, "label"},
		{"weight and unit price", "floor", beef, catalog.Said{Amount: 326_000, Code: "KGM", UnitPrice: 2000}, 652, 1, "label"},
		{"price", "floor", fried, catalog.Said{Price: 540}, 540, 1, "label"},
		{"count", "floor", eggs, catalog.Said{Count: 10}, 25, 10, "1"},
		{"book: its price is without tax", "floor", novel, catalog.Said{Price: 435, Untaxed: true}, 478, 1, "label"},
		{"book, rounded up", "ceil", novel, catalog.Said{Price: 435, Untaxed: true}, 479, 1, "label"},
	} {
		config := shop()
		config.TaxRounding = c.rounding
		k := open(t, config)
		k.on(labelled(c.item, c.said))
		if k.till.State().Sale == nil {
			t.Errorf("%s: nothing sold, %v", c.name, k.codes)
			continue
		}
		line := k.till.State().Sale.Receipt.LineItem[0]
		if line.RegularSalesUnitPrice != c.price || line.Quantity != c.quantity || line.ExtendedAmount != c.price*sale.Money(c.quantity) || line.PriceVersion != c.version || line.ItemID != c.item.GTIN {
			t.Errorf("%s: %+v", c.name, line)
		}
		if int64(line.Measure.Units) != c.said.Amount {
			t.Errorf("%s: %s of it", c.name, line.Measure.Units)
		}
	}
	exclusive := shop()
	exclusive.Prices = "exclusive"
	k := open(t, exclusive)
	k.on(labelled(novel, catalog.Said{Price: 435, Untaxed: true}))
	if r := k.till.State().Sale.Receipt; r.Subtotal != 435 || r.Total != 478 {
		t.Errorf("a book where prices are without tax: %+v", r)
	}
}

// Nothing is sold by a label that does not say, or says what nobody asked.
func TestLabelsRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		item catalog.Item
		said catalog.Said
		code string
	}{
		{"no weight", beef, catalog.Said{}, "S14"},
		{"weight of another measure", beef, catalog.Said{Amount: 326_000, Code: "LBR"}, "S14"},
		{"count of weighed goods", beef, catalog.Said{Count: 3}, "S14"},
		{"no price", fried, catalog.Said{}, "S14"},
		{"no count", eggs, catalog.Said{}, "S14"},
		{"a price of counted goods", eggs, catalog.Said{Price: 1}, "S14"},
		{"a price of goods by the piece", note, catalog.Said{Price: 1}, "S15"},
		{"a weight of goods by the piece", note, grams(326), "S15"},
		{"a count of goods by the piece", note, catalog.Said{Count: 1}, "S15"},
		{"a unit price of goods by the piece", note, catalog.Said{UnitPrice: 1}, "S15"},
		{"more than any sale", beef, catalog.Said{Amount: catalog.AmountMax, Code: "KGM", UnitPrice: catalog.PriceMax}, "L02"},
		{"more pieces than a line has", eggs, catalog.Said{Count: sale.QuantityMax + 1}, "S14"},
		{"an amount that no label has", beef, catalog.Said{Amount: -1, Code: "KGM"}, "S01"},
		{"a price that no label has", fried, catalog.Said{Price: catalog.PriceMax + 1}, "S01"},
		{"a unit that nobody knows", catalog.Item{GTIN: note.GTIN, Name: "x", Rate: "standard", Unit: "stone"}, catalog.Said{}, "S01"},
	} {
		k := open(t, shop())
		k.on(labelled(c.item, c.said))
		k.wantCode(c.code)
		k.wantEffects("Beep")
		if k.till.State().Sale != nil {
			t.Errorf("%s: it was sold", c.name)
		}
	}
}

func TestLabelProblems(t *testing.T) {
	k := open(t, shop())
	for problem, code := range map[string]string{
		ProblemCarrier: "S06", ProblemNoArticle: "S07", ProblemUnknownAI: "S08", ProblemMalformed: "S09", ProblemAddOn: "S12", ProblemMoney: "S13",
	} {
		var texts strings.Builder
		for _, effect := range k.till.Handle(k.now, Scanned{Label: "https://example.com/member/TARO", Problem: problem}) {
			if n, ok := effect.(Notice); ok {
				texts.WriteString(n.Code + n.Text)
			}
		}
		if got := texts.String(); !strings.HasPrefix(got, code) || strings.Contains(got, "TARO") {
			t.Errorf("%s: %s", problem, got)
		}
	}
	k.wantPhase(Idle)
}

// What the label says of the piece stays with its line.
func TestLotAndSerial(t *testing.T) {
	k := open(t, shop())
	said := catalog.Said{Lot: "LOT7", Serial: "S1", Expiry: "2026-12-31"}
	k.on(labelled(note, said))
	k.on(labelled(note, said))
	k.wantCode("S17")
	k.digits("2", "QTY")
	said.Serial = "S2"
	k.on(labelled(note, said))
	k.wantCode("S17")
	k.on(labelled(note, said))
	r := k.till.State().Sale.Receipt
	if len(r.LineItem) != 2 || r.LineItem[0].SerialNumber != "S1" || r.LineItem[1].SerialNumber != "S2" || r.LineItem[1].LotNumber != "LOT7" || r.LineItem[1].ExpirationDate != "2026-12-31" {
		t.Errorf("%+v", r.LineItem)
	}
	k.keys("VOID")
	k.on(labelled(note, said)) // it was taken back, and is sold after all
	if r = k.till.State().Sale.Receipt; len(r.LineItem) != 3 || k.records[len(k.records)-1].Kind != record.LineAdd {
		t.Errorf("%+v", r.LineItem)
	}
	b, err := json.Marshal(k.records[len(k.records)-1].Body)
	if err != nil || !strings.Contains(string(b), `"SerialNumber":"S2","LotNumber":"LOT7","ExpirationDate":"2026-12-31"`) {
		t.Errorf("%s, %v", b, err)
	}
}

// The shop's own day counts: at start it is 23:59 of the 24th in Japan.
func TestExpired(t *testing.T) {
	for expiry, sold := range map[string]bool{
		"": true, "2026-11-24": true, "2026-11-23": false, "2026-11-25": true, "2026-11-24T23:59": true, "2026-11-24T23:58": false, "1999-12-31": false,
	} {
		k := &counter{t: t, till: New(shop(), State{}), now: start.Add(-10 * time.Second)}
		k.keys("1", "OPEN")
		k.now = start
		k.on(labelled(rice, catalog.Said{Expiry: expiry}))
		if got := k.till.State().Sale != nil; got != sold {
			t.Errorf("%q at %v: sold %t", expiry, k.now, got)
		}
		if !sold {
			k.wantCode("S16")
			k.wantEffects("Beep")
		}
	}
	k := &counter{t: t, till: New(shop(), State{}), now: start}
	k.keys("1", "OPEN")
	k.now = start.Add(time.Minute) // midnight
	k.on(labelled(rice, catalog.Said{Expiry: "2026-11-24"}))
	k.wantCode("S16")
}

func TestExpiredBySupervisor(t *testing.T) {
	old := labelled(rice, catalog.Said{Expiry: "2026-11-20"})
	config := shop()
	config.Supervisor = "4711"
	k := open(t, config)
	k.scan(note)
	k.digits("2", "QTY")
	k.on(old)
	k.wantCode("S16")
	k.kinds()
	k.keys("ENTER")
	k.wantCode("K16")
	k.on(labelled(note, catalog.Said{})) // no scan while the number is awaited
	k.wantCode("K16")
	k.digits("1111", "ENTER")
	k.wantCode("K17")
	k.wantKinds("override")
	k.keys("ENTER")
	k.wantCode("K21") // it is dropped
	k.digits("2", "QTY")
	k.on(old)
	k.keys("ENTER")
	k.digits("4711", "ENTER")
	k.wantKinds("override qty line.add")
	if lines := k.till.State().Sale.Receipt.LineItem; len(lines) != 2 || lines[1].Quantity != 2 || lines[1].ExpirationDate != "2026-11-20" {
		t.Errorf("%+v", lines)
	}

	k = open(t, shop()) // with no number set, the word of whoever is at the register
	k.on(old)
	k.kinds()
	k.keys("ENTER")
	k.wantKinds("override sale.open line.add")
	if body, ok := k.till.State().Sale, true; !ok || len(body.Receipt.LineItem) != 1 {
		t.Errorf("%+v", body)
	}
	for name, between := range map[string]Event{
		"another key": Key{Name: "1"}, "CLEAR": Key{Name: "CLEAR"}, "another scan": labelled(note, catalog.Said{}), "a restart": PowerResumed{},
	} {
		k = open(t, shop())
		k.on(old)
		k.on(between)
		k.keys("CLEAR", "ENTER")
		if s := k.till.State().Sale; s != nil && len(s.Receipt.LineItem) > 0 && s.Receipt.LineItem[0].ItemID == rice.GTIN {
			t.Errorf("%s, then ENTER: the old goods were sold", name)
		}
	}
}

// One row of a book is not sold, and not forgotten either.
func TestHalfBook(t *testing.T) {
	row := Scanned{Label: "9784000000017", GTIN: novel.GTIN, Problem: ProblemLowerRow}
	both := labelled(novel, catalog.Said{Price: 435, Untaxed: true})
	both.Book = true
	k := open(t, shop())
	k.on(row)
	k.wantCode("S10")
	k.wantEffects("") // it was read well
	k.wantPhase(Idle)
	k.scan(note)
	k.digits("1000", "CASH")
	k.wantCode("S18")
	k.wantPhase(Selling)
	k.keys("CASH") // what was keyed stays
	k.wantPhase(Idle)
	if r := k.last(); r.Change() != 890 {
		t.Errorf("%+v", r)
	}

	k.on(Scanned{Label: "1920193004304", GTIN: "01920193004304", Problem: ProblemUpperRow})
	k.wantCode("S11")
	k.on(both)
	k.keys("CASH")
	if r := k.last(); r.Total != 478 || r.SequenceNumber != 2 || r.LineItem[0].Description != "書籍 C0193" {
		t.Errorf("%+v", r)
	}
	for name, drop := range map[string]Event{"CLEAR": Key{Name: "CLEAR"}, "a restart": PowerResumed{}} {
		k.on(row)
		k.on(drop)
		k.scan(note)
		k.keys("CASH")
		if k.wantPhase(Idle); k.till.State().HalfBook {
			t.Errorf("%s did not drop the row", name)
		}
	}
	k.keys("5")
	k.on(row)
	k.wantCode("K14")
	k.keys("CLEAR")
	k.scan(note)
	k.on(Scanned{Label: "1920193004304", GTIN: "01920193004304", Problem: ProblemBookDone})
	k.wantEffects("")
	if n := len(k.till.State().Sale.Receipt.LineItem); n != 1 {
		t.Errorf("%d lines", n)
	}
}

// Of goods whose pieces differ, the very piece comes back.
func TestReturnsOfPieces(t *testing.T) {
	k := open(t, codes(shop()))
	k.on(labelled(beef, grams(326)))
	k.on(labelled(beef, grams(500)))
	k.on(labelled(fried, catalog.Said{Price: 540}))
	k.on(labelled(fried, catalog.Said{Price: 320}))
	k.on(labelled(eggs, catalog.Said{Count: 10}))
	k.on(labelled(note, catalog.Said{Serial: "S1"}))
	k.keys("CASH")
	last := k.last()
	k.keys("REFUND")
	k.on(Scanned{Label: k.till.code(&last), Problem: ProblemUnknownCode})
	k.on(labelled(beef, grams(400)))
	k.wantCode("F06")
	k.on(labelled(fried, catalog.Said{Price: 1000}))
	k.wantCode("F06")
	k.on(labelled(note, catalog.Said{Serial: "S2"}))
	k.wantCode("F06")
	k.on(labelled(beef, grams(500)))
	k.on(labelled(beef, grams(500))) // there was one
	k.wantCode("F06")
	k.on(labelled(fried, catalog.Said{Price: 320}))
	k.on(labelled(eggs, catalog.Said{Count: 4}))
	k.on(labelled(note, catalog.Said{Serial: "S1"}))
	k.keys("CASH")
	back := k.last()
	if back.Total != -(1490+320+100+110) || back.LineItem[0].Measure.Units != 500_000 || back.LineItem[3].SerialNumber != "S1" {
		t.Errorf("%+v", back)
	}
}

func BenchmarkHandleLabel(b *testing.B) {
	till := New(shop(), State{})
	till.Handle(start, Key{Name: "1"})
	till.Handle(start, Key{Name: "OPEN"})
	now := start
	said := grams(326)
	said.Lot, said.Expiry = "LOT7", "2027-12-31"
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		now = now.Add(time.Second)
		if i%30 == 29 {
			till.Handle(now, Key{Name: "CASH"})
			till.Handle(now, Printed{Job: till.state.Counters.Job})
			continue
		}
		till.Handle(now, labelled(beef, said))
	}
}
