package main_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// scanAs sends a label under its symbology identifier.
func (c *counter) scanAs(aim, data string) {
	c.t.Helper()
	c.awaitDevice("scanner")
	c.Post("/api/scan", map[string]string{"data": data, "aim": aim})
}

// day is n days from now, as labels have it.
func day(n int) string { return time.Now().AddDate(0, 0, n).Format("060102") }

// One label of each kind is sold for what it says, on paper and in the cloud.
func TestGoodsByTheirLabels(t *testing.T) {
	t.Parallel()
	c := start(t)
	milk := "01049099900000131" + "7" + day(2) + "10M1126"
	lines := []struct {
		aim, data string
		record    []string
	}{
		{"]E0", "0212345305409", []string{`"ItemID":"00212345000007"`, `"RegularSalesUnitPrice":540`, `"PriceVersion":"label"`}},
		{"]E0", "212345305409", []string{`"ItemID":"00212345000007"`, `"RegularSalesUnitPrice":540`}}, // as UPC-A
		{"", "2312345003263", []string{`"ItemID":"02312345000002"`, `"RegularSalesUnitPrice":515`, `"Units":0.326,"UnitOfMeasureCode":"KGM","UnitPrice":158,"PerUnits":0.1`}},
		{"]C1", "0194901234567897" + "3103000326" + "17" + day(2) + "10LOT7", []string{`"ItemID":"94901234567897"`, `"RegularSalesUnitPrice":971`, `"LotNumber":"LOT7"`}},
		{"]d2", milk + "\x1d21A1", []string{`"ItemID":"04909990000013"`, `"RegularSalesUnitPrice":238`, `"SerialNumber":"A1","LotNumber":"M1126","ExpirationDate":"` + time.Now().AddDate(0, 0, 2).Format(time.DateOnly)}},
		{"]Q1", "https://example.com/01/04909990000013/10/M1126?17=" + day(2), []string{`"ItemID":"04909990000013"`, `"LotNumber":"M1126"`}},
		{"]E3", "491005423117500980", []string{`"ItemID":"04910054231175"`, `"Description":"雑誌 05423-11"`, `"RegularSalesUnitPrice":1078`, `"TaxRate":10`}},
	}
	for i, l := range lines {
		c.scanAs(l.aim, l.data)
		added := c.awaitKind("line.add", i+1)[i]
		for _, part := range l.record {
			if !strings.Contains(added, part) {
				t.Errorf("%s %s: the record lacks %s:\n%s", l.aim, l.data, part, added)
			}
		}
	}
	for i, rows := range [][2]string{{"9784000000017", "1920193004304"}, {"1920193004304", "9784000000017"}} {
		c.scan(rows[0])
		code := []string{"S10", "S11"}[i]
		c.Await("the other row asked for", func() bool { return strings.Contains(c.display(), code) })
		c.scan(rows[1])
		book := c.awaitKind("line.add", len(lines)+i+1)[len(lines)+i]
		for _, part := range []string{`"ItemID":"09784000000017"`, `"Description":"書籍 C0193"`, `"RegularSalesUnitPrice":473`} {
			if !strings.Contains(book, part) {
				t.Errorf("the record lacks %s:\n%s", part, book)
			}
		}
	}
	c.keys("CASH")
	const total = 540 + 540 + 515 + 971 + 238 + 238 + 1078 + 473 + 473
	commit := c.awaitKind("sale.commit", 1)[0]
	if want := fmt.Sprintf(`"Total":%d`, total); !strings.Contains(commit, want) {
		t.Errorf("the sale lacks %s:\n%s", want, commit)
	}
	c.Await("receipt", func() bool { return len(c.soldLocally()) == 1 })
	for _, part := range []string{"コロッケ", "326g (100g ¥158)", "326g (100g ¥298)", "¥971※", "書籍 C0193", "雑誌 05423-11", "¥1,078"} {
		if !strings.Contains(c.Paper(), part) {
			t.Errorf("the paper lacks %s:\n%s", part, c.Paper())
		}
	}
	c.closeDrawer()
	c.settled()
}

// What is no good's label is a message, and nothing is sold by it.
func TestLabelsThatSellNothing(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.scan(notebook)
	c.Await("line", func() bool { return c.till() == "SALE" })
	for _, l := range []struct{ what, aim, data, code string }{
		{"a price that was misread", "]E0", "0212345405406", "S02"},
		{"an in-store number that nobody listed", "]E0", "2712345678902", "S01"},
		{"another kind of code", "]A0", notebook, "S06"},
		{"a member's card", "]Q1", "MEMBER/TARO-YAMADA", "S07"},
		{"a pallet", "]C1", "00349012345000000014", "S07"},
		{"an unknown AI", "]C1", "0104901234567894" + "89X", "S08"},
		{"a date that is none", "]C1", "0104901234567894" + "17269931", "S09"},
		{"a magazine without its price", "]E0", "4910054231175", "S12"},
		{"another currency", "]C1", "0194901234567897" + "3103000326" + "3932840971", "S13"},
		{"no weight", "]C1", "0194901234567897", "S14"},
		{"a price for goods by the piece", "]C1", "0104901234567894" + "3103000326" + "39201", "S15"},
		{"past its date", "]d2", "0104909990000013" + "17" + day(-2) + "10M1121", "S16"},
	} {
		c.scanAs(l.aim, l.data)
		c.Await(l.code+" for "+l.what, func() bool { return strings.Contains(c.display(), l.code) })
		c.keys("CLEAR")
		c.Await("the sale again", func() bool { return !strings.Contains(c.display(), l.code) })
	}
	c.scanAs("]d2", "0104909990000013"+"17"+day(-2)+"10M1121")
	c.Await("past its date", func() bool { return strings.Contains(c.display(), "S16") })
	c.keys("ENTER") // no supervisor's number is set
	c.awaitKind("override", 1)
	c.scan("1920193004304")
	c.Await("the other row asked for", func() bool { return strings.Contains(c.display(), "S11") })
	c.keys("CASH")
	c.Await("the book is missing", func() bool { return strings.Contains(c.display(), "S18") })
	c.keys("CASH")
	commit := c.awaitKind("sale.commit", 1)[0]
	if strings.Count(commit, `"ItemID"`) != 2 || !strings.Contains(commit, `"Total":458`) {
		t.Errorf("something else than a notebook and old milk was sold:\n%s", commit)
	}
	c.closeDrawer()
	c.settled()
	if strings.Contains(c.Log.String(), "TARO") || strings.Contains(string(c.Get("/api/ledger?from=0")), "TARO") {
		t.Error("what was on a member's card is in a log")
	}
}
