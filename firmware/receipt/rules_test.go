package receipt

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"regi/drivers"
	"regi/firmware/record"
	"regi/firmware/sale"
)

const cols = 42

// A receipt that lacks what its country demands is refused, and the error names
// what it is.
func TestDemands(t *testing.T) {
	type damage = func(*sale.Receipt)
	noName := func(r *sale.Receipt) { r.Issuer.Name = " " }
	noDate := func(r *sale.Receipt) { r.EndDateTime = time.Time{} }
	noGoods := func(r *sale.Receipt) { r.LineItem[0].Description = "\x00" }
	number := func(s string) damage { return func(r *sale.Receipt) { r.Issuer.RegistrationNumber = s } }
	original := func(o sale.Original) damage { return func(r *sale.Receipt) { r.Original = &o } }
	for _, c := range []struct {
		locale, what string
		damage       damage
	}{
		{"ja-JP", "issuer's name", noName},
		{"ja-JP", "registration number", number("")},
		{"ja-JP", "registration number", number("T123")},
		{"ja-JP", "date", noDate},
		{"ja-JP", "goods", noGoods},
		{"ja-JP", "original sale", original(sale.Original{})},
		{"ja-JP", "original sale", original(sale.Original{SequenceNumber: 1, BusinessDayDate: "yesterday"})},
		{"de-DE", "supplier", noName},
		{"de-DE", "VAT number", number("")},
		{"de-DE", "VAT number", number("T1180301018771")},
		{"de-DE", "date", noDate},
		{"de-DE", "goods", noGoods},
		{"en-IE", "initial invoice", original(sale.Original{})},
		{"en-US", "seller", noName},
		{"en-US", "date", noDate},
		{"en-US", "goods", noGoods},
	} {
		r := cash(some(t, c.locale), 99_999_999)
		c.damage(r)
		_, err := New(c.locale, nil).Receipt(r, Paper{Columns: cols})
		if !errors.Is(err, ErrIncomplete) || !strings.Contains(err.Error(), c.what) {
			t.Errorf("%s: %s: %v", c.locale, c.what, err)
		}
	}
	r := cash(mixed(t), 30_000)
	r.Issuer.RegistrationNumber = "T1234567890123" // perhaps a sole trader's: a warning elsewhere
	if _, err := jp.Receipt(r, Paper{Columns: cols}); err != nil {
		t.Error(err)
	}
	r.Issuer.RegistrationNumber, r.TrainingModeFlag = "", true // it is no document of anything
	if _, err := jp.Receipt(r, Paper{Columns: cols}); err != nil {
		t.Error(err)
	}
}

func some(t testing.TB, locale string) *sale.Receipt {
	t.Helper()
	switch locale {
	case "de-DE":
		return bakery(t)
	case "en-IE":
		return pharmacy(t)
	case "en-US":
		return drugstore(t)
	}
	return mixed(t)
}

// The check looks at the paper, not at the blocks: leave any one out, and what
// the law wants is missing. Needed are the blocks by their place.
func TestDemandsNoticeAMissingBlock(t *testing.T) {
	back := given(returned(t))
	for _, c := range []struct {
		name   string
		layout *layout
		r      *sale.Receipt
		blocks []block
		rules  []rule
		needed []int
	}{
		{"Japan", layoutOf("ja-JP"), cash(mixed(t), 30_000), japan.receipt, japan.demands, []int{2, 6, 7, 9, 10, 13}},
		{"a return in Japan", layoutOf("ja-JP"), back, japan.receipt, japan.demands, []int{2, 5, 6, 7, 9, 10, 13}},
		{"領収書", layoutOf("ja-JP"), card(mixed(t)), japan.addressed, japan.addressedDemands, []int{2, 3, 4, 5, 6, 7, 10}},
		{"Germany", layoutOf("de-DE"), cash(bakery(t), 6_000), europe.receipt, europe.demands, []int{2, 6, 7, 10, 12}},
		{"Ireland", layoutOf("en-IE"), cash(pharmacy(t), 6_000), europe.receipt, europe.demands, []int{2, 6, 7, 10, 12}},
		{"United States", layoutOf("en-US"), cash(drugstore(t), 6_000), unitedStates.receipt, unitedStates.demands, []int{2, 6, 7, 9, 10}},
	} {
		for skip := range c.blocks {
			p := &paper{Paper: Paper{Columns: cols}, layout: c.layout, sale: c.r}
			for i, block := range c.blocks {
				if i != skip {
					block(p)
				}
			}
			if err := demand(c.rules, p); (err != nil) != slices.Contains(c.needed, skip) {
				t.Errorf("%s without block %d: %v", c.name, skip, err)
			}
		}
	}
}

// No more of a card than its last four digits, whatever a block does.
func TestCardNumberIsRefused(t *testing.T) {
	for _, locale := range sale.Locales() {
		r := card(some(t, locale))
		p := &paper{Paper: Paper{Columns: cols}, layout: layoutOf(locale), sale: r}
		for _, block := range p.layout.receipt {
			block(p)
		}
		if err := demand(p.layout.demands, p); err != nil {
			t.Error(err)
		}
		for _, word := range []string{"411111******1111", "4111 11 1111"} {
			bad := *p
			bad.items = slices.Clone(p.items)
			bad.text(word, drivers.Left)
			if err := demand(p.layout.demands, &bad); !errors.Is(err, ErrIncomplete) || strings.Contains(err.Error(), "411111") {
				t.Errorf("%s: %q: %v", locale, word, err)
			}
		}
		r.Tender[0].Card.Last4 = "411111111111"
		doc, err := New(locale, nil).Receipt(r, Paper{Columns: cols})
		if err != nil || strings.Contains(draw(t, doc, cols), "4111") {
			t.Errorf("%s: twelve digits of a card: %v", locale, err)
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
		"rates swapped":  func(r *sale.Receipt) { r.Tax[0], r.Tax[1] = r.Tax[1], r.Tax[0] },
		"half included":  func(r *sale.Receipt) { r.Tax[1].Included = false },
		"discount":       func(r *sale.Receipt) { r.DiscountAmount = 1 },
		"line discount":  func(r *sale.Receipt) { r.LineItem[0].DiscountAmount = 1 },
		"share":          func(r *sale.Receipt) { r.Tax[0].DiscountAmount = 1 },
		"total":          func(r *sale.Receipt) { r.Total-- },
		"subtotal":       func(r *sale.Receipt) { r.Subtotal-- },
		"not paid":       func(r *sale.Receipt) { r.Tender = nil },
		"change":         func(r *sale.Receipt) { r.Tender[0].ChangeDue++ },
		"change by card": func(r *sale.Receipt) { r.Tender[0].TenderType = sale.CreditDebit },
		"money back": func(r *sale.Receipt) {
			r.Tender = append(r.Tender, sale.Tender{TenderType: sale.Cash, Amount: -1, Tendered: -1}, sale.Tender{TenderType: sale.Cash, Amount: 1, Tendered: 1})
		},
	} {
		r := cash(mixed(t), 30_000)
		damage(r)
		for form, layout := range map[string]func(*sale.Receipt, Paper) (drivers.Document, error){"receipt": jp.Receipt, "addressed": jp.Addressed} {
			if _, err := layout(r, Paper{Columns: cols}); !errors.Is(err, ErrSum) {
				t.Errorf("%s: %s: %v", form, name, err)
			}
		}
	}
}

func TestColumns(t *testing.T) {
	r := cash(mixed(t), 30_000)
	for _, n := range []int{-1, 0, 31, 65} {
		on := Paper{Columns: n}
		_, one := jp.Receipt(r, on)
		_, two := jp.Report(report(), on)
		_, three := jp.Order(r, on)
		_, four := jp.Continuation(r, n)
		for _, err := range []error{one, two, three, four} {
			if !errors.Is(err, ErrColumns) {
				t.Errorf("%d columns: %v", n, err)
			}
		}
	}
}

func TestAddressedIsForSalesInJapan(t *testing.T) {
	on := Paper{Columns: cols}
	if _, err := New("de-DE", nil).Addressed(cash(bakery(t), 6_000), on); !errors.Is(err, ErrForm) {
		t.Error(err)
	}
	if _, err := jp.Addressed(given(returned(t)), on); !errors.Is(err, ErrForm) {
		t.Error(err)
	}
	practice := cash(mixed(t), 30_000)
	practice.TrainingModeFlag = true
	if _, err := jp.Addressed(practice, on); !errors.Is(err, ErrForm) {
		t.Error(err)
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
		for form, layout := range map[string]func(*sale.Receipt, Paper) (drivers.Document, error){"receipt": jp.Receipt, "addressed": jp.Addressed} {
			for _, plain := range []bool{false, true} {
				doc, err := layout(r, Paper{Columns: cols, Plain: plain})
				if err != nil {
					t.Fatal(err)
				}
				if got := strings.Contains(draw(t, doc, cols), box); got != c.want {
					t.Errorf("%s: %s: stamp %v, want %v", form, c.name, got, c.want)
				}
			}
		}
	}
	back := sold(t, true, good{"カメラ", 60_000, -1, sale.Standard})
	back.Original = &sale.Original{SequenceNumber: 1, BusinessDayDate: "2026-11-24"}
	doc, err := jp.Receipt(given(back), Paper{Columns: cols})
	if err != nil || strings.Contains(draw(t, doc, cols), box) {
		t.Errorf("a return with a stamp, %v", err)
	}
}

// What a printer of text only gets is text.
func TestPlain(t *testing.T) {
	l := New("ja-JP", &drivers.Picture{Gray: make([]byte, 8), Width: 8})
	r := cash(sold(t, true, good{"カメラ", 60_000, 1, sale.Standard}), 60_000)
	for _, plain := range []bool{false, true} {
		on := Paper{Columns: cols, Code: code, Plain: plain}
		one, err := l.Receipt(r, on)
		if err != nil {
			t.Fatal(err)
		}
		two, err := l.Addressed(r, on)
		if err != nil {
			t.Fatal(err)
		}
		others := map[string]int{}
		for _, item := range append(one.Items, two.Items...) {
			if _, text := item.(drivers.TextLine); !text {
				others[fmt.Sprintf("%T", item)]++
			}
		}
		if plain && len(others) != 0 || !plain && len(others) != 3 {
			t.Errorf("plain %v: %v", plain, others)
		}
	}
}

// figures are the amounts on the paper after a label, as numbers.
func figures(doc drivers.Document, label string) (all []sale.Money) {
	for _, line := range texts(doc) {
		left, right, _ := strings.Cut(line.Text, "¥")
		if !strings.HasPrefix(strings.TrimLeft(left, " "), label) {
			continue
		}
		var m sale.Money
		for _, c := range right {
			if c >= '0' && c <= '9' {
				m = 10*m + sale.Money(c-'0')
			}
		}
		if strings.HasSuffix(left, "-") {
			m = -m
		}
		all = append(all, m)
	}
	return all
}

// Whatever the names, amounts stay whole, lines fit, no control character is let
// through, and the sums on the paper are those of the sale.
func TestHostileText(t *testing.T) {
	locales := sale.Locales()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{32, 42, 48, rapid.IntRange(ColumnsMin, ColumnsMax).Draw(t, "cols")}).Draw(t, "paper")
		name := rapid.OneOf(
			rapid.StringN(1, 64, 192),
			rapid.SampledFrom([]string{
				"\x1bp0", "a\u202eb", "か\u3099", "\x10\x14\x01", "麵①㈱髙", "😀👨‍👩‍👧", strings.Repeat("長", 100), "\xff\xfe",
				strings.Repeat("x", 300), strings.Repeat("word ", 60), "ーーーーーーーー", "¥1", "\r\n\t", "Ä€ß", "Kid’s “5°” – …",
			}),
		).Draw(t, "name")
		r := hostile(t, name)
		locale := rapid.SampledFrom(locales).Draw(t, "locale")
		doc, err := New(locale, nil).Receipt(r, Paper{Columns: n, Reprint: rapid.Bool().Draw(t, "reprint")})
		if err != nil {
			if !errors.Is(err, ErrIncomplete) {
				t.Fatal(err)
			}
			return // a name of nothing but blanks, a number that is none
		}
		for _, line := range texts(doc) {
			w := script(doc.Latin).width(line.Text)
			if line.Wide {
				w *= 2
			}
			if w > n || strings.ContainsFunc(line.Text, func(c rune) bool { return unicode.IsControl(c) || unicode.Is(unicode.Cf, c) }) {
				t.Fatalf("%d columns of %d: %q", w, n, line.Text)
			}
		}
		if locale != "ja-JP" || strings.Contains(name, "¥") {
			return
		}
		if got := figures(doc, "小計"); !slices.Equal(got, []sale.Money{r.Subtotal}) {
			t.Fatalf("subtotal %v, want %d", got, r.Subtotal)
		}
		if got := figures(doc, "合計"); !slices.Equal(got, []sale.Money{r.Total}) {
			t.Fatalf("total %v, want %d", got, r.Total)
		}
		var rates, taxes []sale.Money
		for _, tax := range r.Tax {
			rates = append(rates, figures(doc, p(tax.Percent)+"対象")...)
			taxes = append(taxes, figures(doc, "内消費税等"+p(tax.Percent))...)
			if rates[len(rates)-1] != tax.TaxableAmount || taxes[len(taxes)-1] != tax.Amount {
				t.Fatalf("%+v is %v, %v on the paper", tax, rates, taxes)
			}
		}
		if len(rates) != len(r.Tax) {
			t.Fatalf("%v for %+v", rates, r.Tax)
		}
	})
}

func p(r sale.Rate) string { return r.String() + "%" }

// hostile is a sale, or a return, that bears the name wherever it can.
func hostile(t *rapid.T, name string) *sale.Receipt {
	r := &sale.Receipt{
		EndDateTime: time.Date(2026, 1, 2, 3, 4, 5, 0, jst), Issuer: shop,
		RetailStoreID: name, WorkstationID: name, TransactionID: name, OperatorID: name, BusinessDayDate: name,
	}
	r.Issuer.Name, r.Issuer.Address, r.Issuer.Tel = name, name, name
	back := rapid.IntRange(0, 3).Draw(t, "back") == 0
	for range rapid.IntRange(1, 5).Draw(t, "lines") {
		quantity := rapid.Int64Range(1, 9).Draw(t, "quantity")
		if back {
			quantity = -quantity
		}
		price := sale.Money(rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, 999_999)).Draw(t, "price"))
		line := sale.Line{
			Description: name, Quantity: quantity, RegularSalesUnitPrice: price, ExtendedAmount: price * sale.Money(quantity),
			TaxRate: rapid.SampledFrom([]sale.Rate{sale.Reduced, sale.Standard}).Draw(t, "rate"),
		}
		line.DiscountAmount = line.ExtendedAmount * sale.Money(rapid.IntRange(0, 4).Draw(t, "off")) / 4
		r.LineItem = append(r.LineItem, line)
		r.Subtotal += line.Net()
	}
	if back {
		r.Original = &sale.Original{SequenceNumber: 1, BusinessDayDate: "2026-01-01"}
	} else {
		r.DiscountAmount = sale.Money(rapid.Int64Range(0, int64(r.Subtotal)).Draw(t, "discount"))
	}
	if err := r.Sum(true, rapid.SampledFrom([]sale.Rounding{sale.Floor, sale.HalfUp, sale.Ceil}).Draw(t, "rounding")); err != nil {
		t.Fatal(err)
	}
	r.Tender = []sale.Tender{{TenderType: sale.CreditDebit, Amount: r.Total, Tendered: r.Total, Card: &record.CardRead{Last4: name}, Authorization: &record.AuthReply{Approval: name}}}
	if back {
		r.Tender[0] = sale.Tender{TenderType: sale.Cash, Amount: r.Total, Tendered: r.Total}
	}
	return r
}

// The longest sale a till accepts is a document a printer accepts; a longer one
// is refused before anything is printed.
func TestLongestSale(t *testing.T) {
	goods := make([]good, 0, sale.LinesMax)
	for range sale.LinesMax {
		goods = append(goods, good{strings.Repeat("長", 64), 108, 2, sale.Reduced})
	}
	r := cash(sold(t, true, goods...), 99_999_999)
	doc, err := jp.Receipt(r, Paper{Columns: 32, Code: code})
	if err != nil || len(doc.Items) > drivers.DocumentItemsMax {
		t.Errorf("%d lines: %v", len(doc.Items), err)
	}
	for i := range r.LineItem { // longer than any catalogue has
		r.LineItem[i].Description = strings.Repeat("長", 100)
	}
	if doc, err = jp.Receipt(r, Paper{Columns: 32}); !errors.Is(err, sale.ErrLimit) || doc.Items != nil {
		t.Errorf("%d lines: %v", len(doc.Items), err)
	}
	for range 100 {
		r.LineItem = append(r.LineItem, r.LineItem[0])
	}
	if _, err := jp.Receipt(r, Paper{Columns: 32}); !errors.Is(err, sale.ErrLimit) {
		t.Errorf("500 lines: %v", err)
	}
}

func BenchmarkReceipt(b *testing.B) {
	goods := make([]good, 0, 30)
	for range 15 {
		goods = append(goods, good{"ノート A5", 110, 1, sale.Standard}, good{"おにぎり 鮭", 108, 2, sale.Reduced})
	}
	r := cash(sold(b, true, goods...), 30_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jp.Receipt(r, Paper{Columns: cols, Code: code}); err != nil {
			b.Fatal(err)
		}
	}
}

// TestSigns: the signs of Europe's type take one column there, and two among
// kanji; the amount stands at the same edge.
func TestSigns(t *testing.T) {
	const name = "Käse ‚alt’ – 5° × 2 …"
	for locale, want := range map[string]int{"de-DE": 21, "en-US": 21, "ja-JP": 26} {
		r := cash(some(t, locale), 99_999_999)
		r.LineItem[0].Description = name
		doc, err := New(locale, nil).Receipt(r, Paper{Columns: 48})
		if err != nil {
			t.Fatal(err)
		}
		line := texts(doc)[slices.IndexFunc(texts(doc), func(l drivers.TextLine) bool { return strings.HasPrefix(l.Text, name) })].Text
		if doc.Latin != (locale != "ja-JP") {
			t.Errorf("%s: the document says Latin %t", locale, doc.Latin)
		}
		if got, full := script(doc.Latin).width(name), script(doc.Latin).width(line); got != want || line != name && full != 48 {
			t.Errorf("%s: %q is %d columns, want %d, in a line of %d", locale, name, got, want, full)
		}
	}
}
