package receipt

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regi/drivers"
	"regi/firmware/record"
	"regi/firmware/sale"
)

//nolint:gochecknoglobals // a flag, and constants of the test
var (
	update = flag.Bool("update", false, "write the golden files")

	jst  = time.FixedZone("JST", 9*60*60)
	jp   = New("ja-JP", nil)
	shop = sale.Issuer{Name: "レジ商店 青山本店", Address: "東京都港区南青山一丁目2番3号", Tel: "03-1234-5678", RegistrationNumber: "T1180301018771"}
)

type good struct {
	name     string
	price    sale.Money
	quantity int64
	rate     sale.Rate
}

func sold(t testing.TB, included bool, goods ...good) *sale.Receipt {
	t.Helper()
	r := &sale.Receipt{
		RetailStoreID: "0001", WorkstationID: "01", SequenceNumber: 123, TransactionID: "0001-01-20261124-130",
		BusinessDayDate: "2026-11-24", BeginDateTime: time.Date(2026, 11, 24, 14, 4, 0, 0, jst),
		EndDateTime: time.Date(2026, 11, 24, 14, 5, 0, 0, jst), OperatorID: "7", CurrencyCode: "JPY", Issuer: shop,
	}
	for i, g := range goods {
		amount, err := sale.Extend(g.price, g.quantity)
		if err != nil {
			t.Fatal(err)
		}
		r.LineItem = append(r.LineItem, sale.Line{
			SequenceNumber: i + 1, ItemID: "04901234567894", Description: g.name, Quantity: g.quantity,
			RegularSalesUnitPrice: g.price, ExtendedAmount: amount, TaxRate: g.rate,
		})
	}
	if err := r.Sum(included, sale.Floor); err != nil {
		t.Fatal(err)
	}
	return r
}

func cash(r *sale.Receipt, tendered sale.Money) *sale.Receipt {
	due := r.Due()
	r.Tender = append(r.Tender, sale.Tender{TenderType: sale.Cash, Amount: min(due, tendered), Tendered: tendered, ChangeDue: max(0, tendered-due)})
	return r
}

// given gives everything back.
func given(r *sale.Receipt) *sale.Receipt {
	r.Tender = []sale.Tender{{TenderType: sale.Cash, Amount: r.Total, Tendered: r.Total}}
	return r
}

func card(r *sale.Receipt) *sale.Receipt {
	due := r.Due()
	r.Tender = append(r.Tender, sale.Tender{
		TenderType: sale.CreditDebit, Amount: due, Tendered: due,
		Card: &record.CardRead{BIN: "411111", Last4: "1111"}, Authorization: &record.AuthReply{Approval: "A12345"},
	})
	return r
}

func mixed(t testing.TB) *sale.Receipt {
	t.Helper()
	r := sold(t, true,
		good{"ノート A5", 110, 1, sale.Standard},
		good{"おにぎり 鮭", 108, 2, sale.Reduced},
		good{"取り消した商品", 500, 1, sale.Standard},
		good{"国産小麦使用 石窯焼きカンパーニュ くるみとレーズン入り 大きいサイズ 6枚切り", 1_280, 1, sale.Reduced},
		good{"ﾎﾞｰﾙﾍﾟﾝ 0.5mm", 1_650, 12, sale.Standard},
	)
	r.LineItem[2].Voided = true
	if err := r.Sum(true, sale.Floor); err != nil {
		t.Fatal(err)
	}
	return r
}

// abroad is a shop elsewhere, with the same hands.
func abroad(t testing.TB, currency string, issuer sale.Issuer, included bool, goods ...good) *sale.Receipt {
	t.Helper()
	r := sold(t, included, goods...)
	r.CurrencyCode, r.Issuer = currency, issuer
	if err := r.Sum(included, sale.HalfUp); err != nil {
		t.Fatal(err)
	}
	return r
}

func bakery(t testing.TB) *sale.Receipt {
	t.Helper()
	r := abroad(
		t, "EUR", sale.Issuer{Name: "Bäckerei Müller & Söhne", Address: "Hauptstraße 12, 10827 Berlin", Tel: "030 1234567", RegistrationNumber: "DE123456789"}, true,
		good{"Roggenmischbrot 1 kg", 489, 1, 7 * sale.Percent},
		good{"Käsebrötchen überbacken", 219, 3, 7 * sale.Percent},
		good{"Kaffee Crème groß", 340, 2, 19 * sale.Percent},
		good{"Geschenkgutschein", 2_500, 1, 0},
	)
	r.LineItem[1].DiscountAmount = 57
	if err := r.Sum(true, sale.HalfUp); err != nil {
		t.Fatal(err)
	}
	return r
}

func pharmacy(t testing.TB) *sale.Receipt {
	t.Helper()
	return abroad(
		t, "EUR", sale.Issuer{Name: "Quay Street Stores", Address: "3 Quay Street, Galway H91 X0X0", Tel: "091 123 456", RegistrationNumber: "IE6388047V"}, true,
		good{"Notebook A5 dotted", 450, 2, 23 * sale.Percent},
		good{"Scone with butter", 295, 1, 13_500},
		good{"Brown bread", 320, 1, 0},
	)
}

func drugstore(t testing.TB) *sale.Receipt {
	t.Helper()
	r := abroad(
		t, "USD", sale.Issuer{Name: "Canal Street Drugs", Address: "101 Canal St, New York, NY 10002", Tel: "212-555-0134"}, false,
		good{"Shampoo 12 oz", 849, 1, 8_875},
		good{"Toothbrush soft", 399, 3, 8_875},
		good{"Orange juice 52 oz", 579, 1, 0},
	)
	r.DiscountAmount = 200
	if err := r.Sum(false, sale.HalfUp); err != nil {
		t.Fatal(err)
	}
	return r
}

// returned is a return of rice balls and pens.
func returned(t testing.TB) *sale.Receipt {
	t.Helper()
	r := sold(t, true, good{"おにぎり 鮭", 108, -1, sale.Reduced}, good{"ﾎﾞｰﾙﾍﾟﾝ 0.5mm", 1_650, -2, sale.Standard})
	r.SequenceNumber = 130
	r.Original = &sale.Original{WorkstationID: "01", SequenceNumber: 98, BusinessDayDate: "2026-11-20"}
	return r
}

func report() *sale.Report {
	return &sale.Report{
		Kind: sale.ReportZ, RetailStoreID: "0001", WorkstationID: "01", Number: 12, BusinessDayDate: "2026-11-24",
		BeginDateTime: time.Date(2026, 11, 24, 9, 0, 0, 0, jst), EndDateTime: time.Date(2026, 11, 24, 22, 1, 0, 0, jst),
		OperatorID: "7", CurrencyCode: "JPY", FirstSequenceNumber: 100, LastSequenceNumber: 341,
		Totals: sale.Totals{
			Sales: sale.Tally{Count: 242, Amount: 1_234_567}, ItemCount: 801,
			Cash: sale.Tally{Count: 200, Amount: 1_000_000}, CreditDebit: sale.Tally{Count: 43, Amount: 234_567},
			Tax: []sale.TaxSummary{
				{Percent: sale.Standard, TaxableAmount: 1_000_000, Amount: 90_909, Included: true},
				{Percent: sale.Reduced, TaxableAmount: 234_567, Amount: 17_375, Included: true},
			},
			VoidedLines: sale.Tally{Count: 3, Amount: 1_200}, VoidedSales: sale.Tally{Count: 1, Amount: 800},
			NoSales: 2, Reprints: 1, CardRefused: 4, DrawerForced: 1,
		},
		GrandTotal:  sale.TotalsMax,
		Count:       &sale.CashCount{Expected: 1_000_000, Counted: 999_500, OverShort: -500},
		JournalHead: "3210 3f9a0c11d2e4b5a6",
	}
}

// texts are the text lines of a document, those in the place of an area too.
func texts(doc drivers.Document) []drivers.TextLine {
	var lines []drivers.TextLine
	for _, item := range doc.Items {
		switch item := item.(type) {
		case drivers.TextLine:
			lines = append(lines, item)
		case drivers.Page:
			lines = append(lines, item.Else...)
		}
	}
	return lines
}

// draw renders a document as text between rulers, as wide as the paper.
func draw(t testing.TB, doc drivers.Document, cols int) string {
	t.Helper()
	var b strings.Builder
	for i, item := range doc.Items {
		switch item := item.(type) {
		case drivers.TextLine:
			drawLine(t, &b, i, item, cols, script(doc.Latin))
		case drivers.Page:
			fmt.Fprintf(&b, "area of %d lines\n", item.Lines)
			for _, line := range item.Else {
				drawLine(t, &b, i, line, cols, script(doc.Latin))
			}
			b.WriteString("end of area\n")
			checkPage(t, item, cols)
		case drivers.Barcode:
			fmt.Fprintf(&b, "QR %s\n", item.Data)
		case drivers.Picture:
			fmt.Fprintf(&b, "picture %d dots wide\n", item.Width)
		}
	}
	if doc.Cut {
		b.WriteString("cut\n")
	}
	return b.String()
}

// checkPage puts the placed words on the lines that stand in their place; what
// is drawn there, as rules or as dots, is not compared.
func checkPage(t testing.TB, page drivers.Page, cols int) {
	t.Helper()
	if len(page.Else) != page.Lines {
		t.Errorf("an area of %d lines, %d in its place", page.Lines, len(page.Else))
	}
	drawn := make([]string, page.Lines)
	for _, placed := range page.Placed {
		if p, ok := placed.Item.(drivers.Picture); ok {
			if wide := placed.Column + p.Width/12; wide > cols || placed.Line+len(p.Gray)/p.Width/30 >= page.Lines {
				t.Errorf("a picture to column %d of %d, %d dots high", wide, cols, len(p.Gray)/p.Width)
			}
			continue
		}
		text := placed.Item.(drivers.TextLine).Text
		at := &drawn[placed.Line]
		*at += strings.Repeat(" ", placed.Column-kanji.width(*at)) + text
		if kanji.width(*at) > cols {
			t.Errorf("%q is wider than the paper", *at)
		}
	}
	words := func(s string) string {
		return strings.Join(strings.FieldsFunc(s, func(c rune) bool { return c == ' ' || strings.ContainsRune(boxRules, c) }), " ")
	}
	for i, line := range page.Else {
		if words(line.Text) != words(drawn[i]) {
			t.Errorf("the area has %q where the lines have %q", drawn[i], line.Text)
		}
	}
}

func drawLine(t testing.TB, b *strings.Builder, i int, line drivers.TextLine, cols int, as script) {
	t.Helper()
	n := as.width(line.Text)
	marks := ""
	if line.Wide {
		n *= 2
		marks += " wide"
	}
	if line.Tall {
		marks += " tall"
	}
	if line.Bold {
		marks += " bold"
	}
	if n > cols {
		t.Errorf("line %d is %d columns of %d: %q", i+1, n, cols, line.Text)
		n = cols
	}
	before := 0
	switch line.Align {
	case drivers.Left:
	case drivers.Center:
		before = (cols - n) / 2
	case drivers.Right:
		before = cols - n
	}
	text := line.Text
	if line.Wide { // each character stands in twice its width
		var w strings.Builder
		for _, c := range text {
			w.WriteRune(c)
			w.WriteString(strings.Repeat(" ", as.columns(c)))
		}
		text = w.String()
	}
	fmt.Fprintf(b, "|%s%s%s|%s\n", strings.Repeat(" ", before), text, strings.Repeat(" ", cols-n-before), marks)
}

const code = "R1.01.123.261124.ABCDEFGHIJKL"

// papers are the documents that stand in testdata.
func papers(t *testing.T) map[string]func(on Paper) (drivers.Document, error) {
	t.Helper()
	de, ie, us := New("de-DE", nil), New("en-IE", nil), New("en-US", nil)
	camera := func() *sale.Receipt {
		r := sold(t, false, good{"カメラ", 50_000, 1, sale.Standard}, good{"お茶", 100, 1, sale.Reduced})
		r.BusinessDayDate = "2026-11-23"
		return cash(r, 60_000)
	}
	discounted := mixed(t)
	discounted.LineItem[0].DiscountAmount, discounted.DiscountAmount = 22, 500
	if err := discounted.Sum(true, sale.Floor); err != nil {
		t.Fatal(err)
	}
	cash(discounted, 50_000)
	practice := cash(mixed(t), 30_000)
	practice.TrainingModeFlag, practice.TransactionID, practice.SequenceNumber = true, "0001-01-20261124-T4", 4
	back := given(returned(t))
	germanBack := given(abroad(t, "EUR", bakery(t).Issuer, true, good{"Kaffee Crème groß", 340, -1, 19 * sale.Percent}))
	germanBack.Original = back.Original
	x := report()
	x.Kind, x.Count, x.JournalHead = sale.ReportX, nil, ""
	x.Totals.Returns, x.Totals.Discounts = sale.Tally{Count: 2, Amount: 3_408}, sale.Tally{Count: 5, Amount: 1_210}
	americanBack := given(abroad(t, "USD", drugstore(t).Issuer, false, good{"Shampoo 12 oz", 849, -1, 8_875}))
	americanBack.Original = back.Original
	order := mixed(t)
	order.SequenceNumber = 0
	return map[string]func(on Paper) (drivers.Document, error){
		"cash": func(on Paper) (drivers.Document, error) {
			on.Code = code
			return jp.Receipt(cash(mixed(t), 30_000), on)
		},
		"reprint": func(on Paper) (drivers.Document, error) {
			on.Reprint = true
			return jp.Receipt(card(cash(mixed(t), 5_000)), on)
		},
		"discount":  func(on Paper) (drivers.Document, error) { return jp.Receipt(discounted, on) },
		"stamp":     func(on Paper) (drivers.Document, error) { return jp.Receipt(camera(), on) },
		"addressed": func(on Paper) (drivers.Document, error) { return jp.Addressed(card(cash(mixed(t), 5_000)), on) },
		"addressed-stamp": func(on Paper) (drivers.Document, error) {
			on.Reprint = true
			return jp.Addressed(camera(), on)
		},
		"return":   func(on Paper) (drivers.Document, error) { return jp.Receipt(back, on) },
		"training": func(on Paper) (drivers.Document, error) { return jp.Receipt(practice, on) },
		"order":    func(on Paper) (drivers.Document, error) { return jp.Order(order, on) },
		"continued": func(on Paper) (drivers.Document, error) {
			items, err := jp.Continuation(cash(mixed(t), 30_000), on.Columns)
			return drivers.Document{Items: items}, err
		},
		"x": func(on Paper) (drivers.Document, error) { return jp.Report(x, on) },
		"z": func(on Paper) (drivers.Document, error) { return jp.Report(report(), on) },
		"de": func(on Paper) (drivers.Document, error) {
			on.Code = code
			return de.Receipt(cash(bakery(t), 6_000), on)
		},
		"de-return": func(on Paper) (drivers.Document, error) { return de.Receipt(germanBack, on) },
		"ie":        func(on Paper) (drivers.Document, error) { return ie.Receipt(card(pharmacy(t)), on) },
		"ie-z":      func(on Paper) (drivers.Document, error) { return ie.Report(report(), on) },
		"us-return": func(on Paper) (drivers.Document, error) { return us.Receipt(americanBack, on) },
		"us-x":      func(on Paper) (drivers.Document, error) { return us.Report(x, on) },
		"us": func(on Paper) (drivers.Document, error) {
			on.Code = code
			return us.Receipt(card(drugstore(t)), on)
		},
	}
}

func TestGolden(t *testing.T) {
	for name, layout := range papers(t) {
		for _, cols := range []int{32, 42, 48} {
			doc, err := layout(Paper{Columns: cols})
			if err != nil {
				t.Errorf("%s at %d: %v", name, cols, err)
				continue
			}
			got := draw(t, doc, cols)
			file := filepath.Join("testdata", fmt.Sprintf("%s-%d.txt", name, cols))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file) //nolint:gosec // a file of the test
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s differs (go test -update writes it)\n%s", file, got)
			}
		}
	}
}
