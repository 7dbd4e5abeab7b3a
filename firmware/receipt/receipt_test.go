package receipt

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"regi/drivers"
	"regi/firmware/record"
	"regi/firmware/sale"
)

//nolint:gochecknoglobals // a flag, and constants of the test
var (
	update = flag.Bool("update", false, "write the golden files")

	jst  = time.FixedZone("JST", 9*60*60)
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
		JournalHead: "3f9a0c11d2e4b5a6978877665544332211ffeeddccbbaa99887766554433221100",
	}
}

// draw renders a document as text between rulers, as wide as the paper.
func draw(t testing.TB, doc drivers.Document, cols int) string {
	t.Helper()
	var b strings.Builder
	for i, item := range doc.Items {
		line := item.(drivers.TextLine)
		n := width(line.Text)
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
				w.WriteString(strings.Repeat(" ", columns(c)))
			}
			text = w.String()
		}
		fmt.Fprintf(&b, "|%s%s%s|%s\n", strings.Repeat(" ", before), text, strings.Repeat(" ", cols-n-before), marks)
	}
	if doc.Cut {
		b.WriteString("cut\n")
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	split := mixed(t)
	cash(split, 5_000)
	papers := map[string]func(cols int) (drivers.Document, error){
		"cash":    func(cols int) (drivers.Document, error) { return Layout(cash(mixed(t), 30_000), cols, false) },
		"reprint": func(cols int) (drivers.Document, error) { return Layout(card(split), cols, true) },
		"stamp": func(cols int) (drivers.Document, error) {
			r := sold(t, false, good{"カメラ", 50_000, 1, sale.Standard}, good{"お茶", 100, 1, sale.Reduced})
			r.BusinessDayDate = "2026-11-23"
			return Layout(cash(r, 60_000), cols, false)
		},
		"z": func(cols int) (drivers.Document, error) { return Report(report(), cols, false), nil },
	}
	for name, layout := range papers {
		for _, cols := range []int{32, 42, 48} {
			if name == "reprint" {
				split.Tender = split.Tender[:1]
			}
			doc, err := layout(cols)
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

// A receipt that lacks what Japan demands is refused, and the error names it.
func TestDemands(t *testing.T) {
	for what, damage := range map[string]func(*sale.Receipt){
		"issuer's name":       func(r *sale.Receipt) { r.Issuer.Name = " " },
		"registration number": func(r *sale.Receipt) { r.Issuer.RegistrationNumber = "" },
		"registration":        func(r *sale.Receipt) { r.Issuer.RegistrationNumber = "T123" },
		"date":                func(r *sale.Receipt) { r.EndDateTime = time.Time{} },
		"goods":               func(r *sale.Receipt) { r.LineItem[0].Description = "\x00" },
	} {
		r := cash(mixed(t), 30_000)
		damage(r)
		_, err := Layout(r, 42, false)
		if !errors.Is(err, ErrIncomplete) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	r := cash(mixed(t), 30_000)
	r.Issuer.RegistrationNumber = "T1234567890123" // perhaps a sole trader's: a warning elsewhere
	if _, err := Layout(r, 42, false); err != nil {
		t.Error(err)
	}
}

// The check looks at the paper, not at the blocks: leave any one out, and
// something is missing.
func TestDemandsNoticeAMissingBlock(t *testing.T) {
	r := cash(mixed(t), 30_000)
	needed := map[int]bool{0: true, 2: true, 3: true, 4: true, 8: true} // issuer, when, goods, taxes, legend
	for skip := range japaneseReceipt {
		p := &paper{cols: 42}
		for i, block := range japaneseReceipt {
			if i != skip {
				block(p, r, false)
			}
		}
		if err := demand(japan, r, p.lines); (err != nil) != needed[skip] {
			t.Errorf("without block %d: %v", skip, err)
		}
	}
}

func TestAddsUp(t *testing.T) {
	for name, damage := range map[string]func(*sale.Receipt){
		"line":         func(r *sale.Receipt) { r.LineItem[0].ExtendedAmount++ },
		"price":        func(r *sale.Receipt) { r.LineItem[0].RegularSalesUnitPrice++ },
		"a voided one": func(r *sale.Receipt) { r.LineItem[0].Voided = true },
		"tax":          func(r *sale.Receipt) { r.Tax[0].Amount += 2 },
		"taxable":      func(r *sale.Receipt) { r.Tax[0].TaxableAmount++ },
		"rate left out": func(r *sale.Receipt) {
			r.Tax = r.Tax[:1]
		},
		"total":          func(r *sale.Receipt) { r.Total-- },
		"subtotal":       func(r *sale.Receipt) { r.Subtotal-- },
		"not paid":       func(r *sale.Receipt) { r.Tender = nil },
		"change":         func(r *sale.Receipt) { r.Tender[0].ChangeDue++ },
		"change by card": func(r *sale.Receipt) { r.Tender[0].TenderType = sale.CreditDebit },
	} {
		r := cash(mixed(t), 30_000)
		damage(r)
		if _, err := Layout(r, 42, false); !errors.Is(err, ErrSum) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestColumns(t *testing.T) {
	for _, cols := range []int{-1, 0, 31, 65} {
		if _, err := Layout(cash(mixed(t), 30_000), cols, false); !errors.Is(err, ErrColumns) {
			t.Errorf("%d columns: %v", cols, err)
		}
		draw(t, Report(report(), cols, false), min(max(cols, ColumnsMin), ColumnsMax))
	}
}

func TestStamp(t *testing.T) {
	const box = "印紙"
	for _, c := range []struct {
		name     string
		price    sale.Money
		included bool
		cash     sale.Money // first part, the rest by card; 0: all cash
		want     bool
	}{
		{"49,999 net", 54_998, true, 0, false},
		{"50,000 net", 54_999, true, 0, true},
		{"50,000 with the tax is under", 50_000, true, 0, false},
		{"50,000 and tax on top", 50_000, false, 0, true},
		{"49,999 and tax on top", 49_999, false, 0, false},
		{"all by card", 1_000_000, true, -1, false},
		{"55,000 of it in cash", 110_000, true, 55_000, true},
		{"54,999 of it in cash", 110_000, true, 54_998, false},
	} {
		r := sold(t, c.included, good{"カメラ", c.price, 1, sale.Standard})
		switch {
		case c.cash == 0:
			cash(r, r.Total)
		case c.cash < 0:
			card(r)
		default:
			card(cash(r, c.cash))
		}
		doc, err := Layout(r, 42, false)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(draw(t, doc, 42), box); got != c.want {
			t.Errorf("%s: stamp %v, want %v", c.name, got, c.want)
		}
	}
}

// Whatever the names, amounts stay whole, lines fit, and no control character
// is let through.
func TestHostileText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cols := rapid.IntRange(ColumnsMin, ColumnsMax).Draw(t, "cols")
		name := rapid.OneOf(
			rapid.StringN(1, 64, 192),
			rapid.SampledFrom([]string{"\x1bp0", "a\u202eb", "か\u3099", "\x10\x14\x01", "麵", "😀", strings.Repeat("長", 64), "\xff\xfe"}),
		).Draw(t, "name")
		r := &sale.Receipt{
			EndDateTime: time.Date(2026, 1, 2, 3, 4, 5, 0, jst), Issuer: shop,
			RetailStoreID: name, WorkstationID: name, TransactionID: name, OperatorID: name, BusinessDayDate: name,
		}
		r.Issuer.Name, r.Issuer.Address, r.Issuer.Tel = name, name, name
		price := sale.Money(rapid.Int64Range(0, 9_999_999).Draw(t, "price"))
		quantity := rapid.Int64Range(1, 9).Draw(t, "quantity")
		r.LineItem = []sale.Line{{Description: name, Quantity: quantity, RegularSalesUnitPrice: price, ExtendedAmount: price * sale.Money(quantity), TaxRate: sale.Reduced}}
		if err := r.Sum(true, sale.Ceil); err != nil {
			t.Fatal(err)
		}
		r.Tender = []sale.Tender{{TenderType: sale.CreditDebit, Amount: r.Total, Tendered: r.Total, Card: &record.CardRead{Last4: name}, Authorization: &record.AuthReply{Approval: name}}}
		doc, err := Layout(r, cols, rapid.Bool().Draw(t, "reprint"))
		if err != nil {
			if !errors.Is(err, ErrIncomplete) {
				t.Fatal(err)
			}
			return // a name of nothing but blanks
		}
		amounts := 0
		for _, item := range doc.Items {
			line := item.(drivers.TextLine)
			n := width(line.Text)
			if line.Wide {
				n *= 2
			}
			if n > cols || strings.ContainsFunc(line.Text, func(c rune) bool { return unicode.IsControl(c) || unicode.Is(unicode.Cf, c) }) {
				t.Fatalf("%d columns of %d: %q", n, cols, line.Text)
			}
			if strings.Contains(line.Text, yen(r.Total)) {
				amounts++
			}
		}
		if amounts < 4 { // line, subtotal, taxable, total, card
			t.Fatalf("an amount is cut: %+v", doc)
		}
	})
}

// The longest sale a till accepts is a document a printer accepts.
func TestLongestSale(t *testing.T) {
	goods := make([]good, 0, sale.LinesMax)
	for range sale.LinesMax {
		goods = append(goods, good{strings.Repeat("長", 32), 108, 2, sale.Reduced})
	}
	doc, err := Layout(cash(sold(t, true, goods...), 99_999_999), 32, false)
	if err != nil || len(doc.Items) > drivers.DocumentItemsMax {
		t.Errorf("%d lines: %v", len(doc.Items), err)
	}
}

func BenchmarkLayout(b *testing.B) {
	goods := make([]good, 0, 30)
	for range 15 {
		goods = append(goods, good{"ノート A5", 110, 1, sale.Standard}, good{"おにぎり 鮭", 108, 2, sale.Reduced})
	}
	r := cash(sold(b, true, goods...), 30_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Layout(r, 42, false); err != nil {
			b.Fatal(err)
		}
	}
}
