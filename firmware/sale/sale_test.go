package sale

import (
	"encoding/json"
	"errors"
	"math/big"
	"math/rand"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The vectors of the tax rules, and the corners around them.
func TestTax(t *testing.T) {
	const in, out = true, false
	for _, c := range []struct {
		name     string
		amount   Money
		rate     Rate
		included bool
		rounding Rounding
		want     Money
	}{
		{"3 × 105 tax-out: 31, not 3 × 10", 315, Standard, out, Floor, 31},
		{"3 × 105 tax-out", 315, Standard, out, HalfUp, 32},
		{"3 × 105 tax-out", 315, Standard, out, Ceil, 32},
		{"1,080 at 8 %", 1080, Reduced, in, Floor, 80},
		{"3,850 at 10 %", 3850, Standard, in, Floor, 350},
		{"398 at 8 %", 398, Reduced, in, Floor, 29},
		{"398 at 8 %: 29.48", 398, Reduced, in, HalfUp, 29},
		{"398 at 8 %", 398, Reduced, in, Ceil, 30},
		{"exact", 110, Standard, in, Ceil, 10},
		{"nothing", 0, Standard, in, Ceil, 0},
		{"one yen", 1, Reduced, in, Floor, 0},
		{"one yen", 1, Reduced, in, Ceil, 1},
		{"half a yen tax-out", 5, Standard, out, HalfUp, 1},
		{"just under half", 4, Standard, out, HalfUp, 0},
		{"a return rounds like its sale", -398, Reduced, in, Floor, -29},
		{"a return rounds like its sale", -315, Standard, out, Ceil, -32},
		{"the largest", TotalsMax, Standard, out, Floor, 99_999_999_999_999},
		{"New York: 99.99 at 8.875 %", 9999, 8_875, out, HalfUp, 887},
		{"New York: 0.79 and 0.80", 79, 8_875, out, HalfUp, 7},
		{"Germany: 11.90 at 19 %", 1190, 19_000, in, HalfUp, 190},
		{"Ireland: 10.00 at 13.5 %", 1000, 13_500, in, HalfUp, 119},
		{"all of it", 200, RateMax, in, Floor, 100},
	} {
		got, err := Tax(c.amount, c.rate, c.included, c.rounding)
		if err != nil || got != c.want {
			t.Errorf("%s: Tax(%d, %d, %v, %v) = %d, %v; want %d", c.name, c.amount, c.rate, c.included, c.rounding, got, err, c.want)
		}
	}
	for _, bad := range []Money{TotalsMax + 1, -TotalsMax - 1} {
		if _, err := Tax(bad, Standard, in, Floor); !errors.Is(err, ErrLimit) {
			t.Errorf("Tax(%d): %v", bad, err)
		}
	}
	if _, err := Tax(1, RateMax+1, in, Floor); !errors.Is(err, ErrLimit) {
		t.Errorf("101 %%: %v", err)
	}
}

// Tax against exact rational arithmetic.
func TestTaxIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := Money(rapid.Int64Range(0, int64(TotalsMax)).Draw(t, "amount"))
		rate := Rate(rapid.Int32Range(0, int32(RateMax)).Draw(t, "rate"))
		included := rapid.Bool().Draw(t, "included")
		divisor := int64(RateMax)
		if included {
			divisor += int64(rate)
		}
		exact := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(int64(amount)), big.NewInt(int64(rate))), big.NewInt(divisor))
		for _, r := range []Rounding{Floor, HalfUp, Ceil} {
			got, err := Tax(amount, rate, included, r)
			if err != nil {
				t.Fatal(err)
			}
			off := new(big.Rat).Sub(new(big.Rat).SetInt64(int64(got)), exact)
			low, high := big.NewRat(-1, 1), big.NewRat(1, 1)
			switch r {
			case Floor:
				high = new(big.Rat)
			case Ceil:
				low = new(big.Rat)
			case HalfUp:
				low, high = big.NewRat(-1, 2), big.NewRat(1, 2)
			}
			if off.Cmp(low) < 0 || off.Cmp(high) > 0 {
				t.Fatalf("Tax(%d, %d, %v, %v) = %d, exactly %v", amount, rate, included, r, got, exact)
			}
		}
	})
}

func drawReceipt(t *rapid.T) Receipt {
	var r Receipt
	for i := range rapid.IntRange(0, 40).Draw(t, "lines") {
		price := Money(rapid.Int64Range(0, 99_999).Draw(t, "price"))
		quantity := rapid.Int64Range(1, 20).Draw(t, "quantity")
		amount, err := Extend(price, quantity)
		if err != nil {
			t.Fatal(err)
		}
		r.LineItem = append(r.LineItem, Line{
			SequenceNumber: i + 1, Quantity: quantity, RegularSalesUnitPrice: price, ExtendedAmount: amount,
			DiscountAmount: amount * Money(rapid.IntRange(0, 4).Draw(t, "off")) / 4,
			TaxRate:        rapid.SampledFrom([]Rate{Standard, Reduced, 0, 8_875}).Draw(t, "rate"), Voided: rapid.IntRange(0, 5).Draw(t, "voided") == 0,
		})
	}
	return r
}

// The parts add up to the total; the order of the lines and lines that were
// voided do not matter.
func TestSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawReceipt(t)
		included := rapid.Bool().Draw(t, "included")
		rounding := rapid.SampledFrom([]Rounding{Floor, HalfUp, Ceil}).Draw(t, "rounding")
		var lines, taxable, tax, off Money
		for _, line := range r.LineItem {
			if !line.Voided {
				lines += line.Net()
			}
		}
		r.DiscountAmount = Money(rapid.Int64Range(0, int64(lines)).Draw(t, "discount"))
		if err := r.Sum(included, rounding); err != nil {
			t.Fatal(err)
		}
		for _, s := range r.Tax {
			taxable += s.TaxableAmount
			off += s.DiscountAmount
			if s.TaxableAmount < 0 || s.DiscountAmount < 0 {
				t.Fatalf("a rate gives more than it has: %+v", s)
			}
			if !s.Included {
				tax += s.Amount
			}
			if once, err := Tax(s.TaxableAmount, s.Percent, included, rounding); err != nil || once != s.Amount {
				t.Fatalf("%+v: the tax is %d, %v", s, once, err)
			}
		}
		if lines != taxable+off || off != r.DiscountAmount || r.Subtotal != lines || r.Total != taxable+tax || r.Due() != r.Total {
			t.Fatalf("lines %d, taxable %d, tax %d: %+v", lines, taxable, tax, r)
		}
		other := Receipt{DiscountAmount: r.DiscountAmount}
		for _, i := range rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed"))).Perm(len(r.LineItem)) { //nolint:gosec // a shuffle
			if !r.LineItem[i].Voided {
				other.LineItem = append(other.LineItem, r.LineItem[i])
			}
		}
		if err := other.Sum(included, rounding); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(other.Tax, r.Tax) || other.Total != r.Total || other.Items() != r.Items() {
			t.Fatalf("shuffled: %+v, before: %+v", other, r)
		}
	})
}

func TestLimits(t *testing.T) {
	for _, c := range []struct {
		price    Money
		quantity int64
		ok       bool
	}{
		{0, 1, true},
		{PriceMax, 1, true},
		{10_000, QuantityMax, true},
		{PriceMax + 1, 1, false},
		{-1, 1, false},
		{1, 0, false},
		{1, -1, true},
		{1, -QuantityMax, true},
		{1, -QuantityMax - 1, false},
		{-1, -1, false},
		{1, QuantityMax + 1, false},
		{10_002, QuantityMax, false},
		{PriceMax, QuantityMax, false},
	} {
		got, err := Extend(c.price, c.quantity)
		if (err == nil) != c.ok || c.ok && got != c.price*Money(c.quantity) || err != nil && !errors.Is(err, ErrLimit) {
			t.Errorf("Extend(%d, %d) = %d, %v", c.price, c.quantity, got, err)
		}
	}
	line := Line{Quantity: 1, ExtendedAmount: AmountMax, TaxRate: Standard}
	full := Receipt{LineItem: []Line{line}}
	if err := full.Sum(true, Floor); err != nil {
		t.Error(err)
	}
	before := full
	for name, bad := range map[string]Receipt{
		"two of them":          {LineItem: []Line{line, line}},
		"tax on top":           {LineItem: []Line{line}},
		"a rate over all":      {LineItem: []Line{{Quantity: 1, TaxRate: RateMax + 1}}},
		"a rate below none":    {LineItem: []Line{{Quantity: 1, TaxRate: -1}}},
		"many rates":           {LineItem: []Line{{TaxRate: 1}, {TaxRate: 2}, {TaxRate: 3}, {TaxRate: 4}, {TaxRate: 5}, {TaxRate: 6}, {TaxRate: 7}}},
		"a large negative":     {LineItem: []Line{{Quantity: 1, ExtendedAmount: -AmountMax - 1, TaxRate: Standard}}},
		"the least int64":      {LineItem: []Line{{Quantity: 1, ExtendedAmount: -1 << 63, TaxRate: Standard}}},
		"more off than on":     {LineItem: []Line{{Quantity: 1, ExtendedAmount: 1, DiscountAmount: 2, TaxRate: Standard}}},
		"a discount that adds": {LineItem: []Line{{Quantity: 1, ExtendedAmount: 1, DiscountAmount: -1, TaxRate: Standard}}},
		"more lines than may":  {LineItem: make([]Line, LinesMax+1)},
	} {
		r := before
		r.LineItem = bad.LineItem
		if err := r.Sum(name != "tax on top", Floor); !errors.Is(err, ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
		if r.Total != before.Total || r.Subtotal != before.Subtotal {
			t.Errorf("%s: the totals were changed", name)
		}
	}
	for _, c := range []struct {
		a, b Money
		ok   bool
	}{
		{TotalsMax, 0, true},
		{TotalsMax, 1, false},
		{-TotalsMax, -1, false},
		{1 << 62, 1 << 62, false},
		{-1 << 63, -1, false},
	} {
		if got, err := Add(c.a, c.b); (err == nil) != c.ok {
			t.Errorf("Add(%d, %d) = %d, %v", c.a, c.b, got, err)
		}
	}
}

func TestRegistrationNumber(t *testing.T) {
	for number, want := range map[string]error{
		"T1180301018771":  nil,
		"T7000012050002":  nil,
		"T8120001060882":  nil,
		"T5010401067252":  nil,
		"T1234567890123":  ErrCorporateDigit,
		"T1180301018772":  ErrCorporateDigit,
		"1180301018771":   ErrRegistration,
		"t1180301018771":  ErrRegistration,
		"T118030101877":   ErrRegistration,
		"T11803010187710": ErrRegistration,
		"T118030101877１":  ErrRegistration,
		"":                ErrRegistration,
	} {
		if err := CheckRegistrationNumber(number); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", number, err, want)
		}
	}
	good := Issuer{Name: "レジ商店", Address: "東京都", Tel: "03-0000-0000", RegistrationNumber: "T1180301018771"}
	if err := good.Check(Japanese); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Issuer){
		"no name":             func(i *Issuer) { i.Name = "　" },
		"a control character": func(i *Issuer) { i.Address = "a\x1bb" },
		"a long number":       func(i *Issuer) { i.Tel = "000000000000000000000000000000000" },
	} {
		bad := good
		change(&bad)
		if err := bad.Check(Japanese); !errors.Is(err, ErrIssuer) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTotals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var totals Totals
		var sum, tax, cash, off Money
		sales := rapid.IntRange(0, 5).Draw(t, "sales")
		for range sales {
			r := drawReceipt(t)
			if err := r.Sum(rapid.Bool().Draw(t, "included"), Floor); err != nil {
				t.Fatal(err)
			}
			for _, line := range r.LineItem {
				if !line.Voided {
					off += line.DiscountAmount
				}
			}
			part := Money(rapid.Int64Range(0, int64(r.Total)).Draw(t, "cash"))
			r.Tender = []Tender{{TenderType: Cash, Amount: part}, {TenderType: CreditDebit, Amount: r.Total - part}}
			if err := totals.Add(&r); err != nil {
				t.Fatal(err)
			}
			sum += r.Total
			cash += part
			for _, s := range r.Tax {
				tax += s.Amount
			}
		}
		var got Money
		for _, s := range totals.Tax {
			got += s.Amount
		}
		if totals.Sales != (Tally{int64(sales), sum}) || got != tax || totals.Cash.Amount != cash || totals.CreditDebit.Amount != sum-cash || totals.Discounts.Amount != off || len(totals.Tax) > 8 {
			t.Fatalf("%+v; want %d sales of %d, tax %d, cash %d", totals, sales, sum, tax, cash)
		}
	})
	full := Totals{Sales: Tally{1, TotalsMax}}
	if err := full.Add(&Receipt{Total: 1}); !errors.Is(err, ErrLimit) || full.Sales.Count != 1 {
		t.Errorf("%v, %+v", err, full)
	}
}

// The names on the wire are POSLog's.
func TestReceiptJSON(t *testing.T) {
	r := Receipt{
		RetailStoreID: "0001", WorkstationID: "01", SequenceNumber: 1, CurrencyCode: "JPY",
		LineItem: []Line{{SequenceNumber: 1, ItemID: "04901234567894", Quantity: 1, RegularSalesUnitPrice: 110, ExtendedAmount: 110, TaxRate: Standard}},
		Tender:   []Tender{{TenderType: Cash, Amount: 110, Tendered: 110}},
	}
	if err := r.Sum(true, Floor); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"RetailStoreID":"0001","WorkstationID":"01","SequenceNumber":1,"TransactionID":"","BusinessDayDate":"","BeginDateTime":"0001-01-01T00:00:00Z","OperatorID":"","CurrencyCode":"JPY","Issuer":{"Name":""},` +
		`"LineItem":[{"SequenceNumber":1,"ItemID":"04901234567894","Description":"","Quantity":1,"RegularSalesUnitPrice":110,"ExtendedAmount":110,"TaxRate":10}],` +
		`"Tax":[{"Percent":10,"TaxableAmount":110,"Amount":10,"Included":true}],"Subtotal":110,"Total":110,"Tender":[{"TenderType":"Cash","Amount":110,"Tendered":110,"ChangeDue":0}]}`
	if string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
}

func TestApportion(t *testing.T) {
	for _, c := range []struct {
		amount  Money
		weights []Money
		want    []Money
	}{
		{100, []Money{1000, 1000, 1000}, []Money{34, 33, 33}},
		{100, []Money{1, 2}, []Money{33, 67}},
		{1, []Money{500, 1500}, []Money{0, 1}},
		{5, []Money{0, 5}, []Money{0, 5}},
		{0, []Money{3, 4}, []Money{0, 0}},
		{0, []Money{0, -3}, []Money{0, 0}},
		{3, nil, []Money{}},
	} {
		if got := Apportion(c.amount, c.weights); !slices.Equal(got, c.want) {
			t.Errorf("Apportion(%d, %v) = %v, want %v", c.amount, c.weights, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Map(rapid.Int64Range(0, int64(AmountMax)), func(n int64) Money { return Money(n) }), 1, LinesMax).Draw(t, "weights")
		var sum Money
		for _, w := range weights {
			sum += w
		}
		amount := Money(rapid.Int64Range(0, int64(min(sum, AmountMax))).Draw(t, "amount"))
		var given Money
		for i, part := range Apportion(amount, weights) {
			exact := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(int64(amount)), big.NewInt(int64(weights[i]))), big.NewInt(max(1, int64(sum))))
			off := new(big.Rat).Sub(new(big.Rat).SetInt64(int64(part)), exact)
			if part < 0 || part > weights[i] || off.Abs(off).Cmp(big.NewRat(1, 1)) >= 0 {
				t.Fatalf("part %d is %d of %d, exactly %v", i, part, weights[i], exact)
			}
			given += part
		}
		if given != amount {
			t.Fatalf("the parts are %d, not %d", given, amount)
		}
	})
}

// What comes back is taxed as it was sold, and the totals know it.
func TestReturn(t *testing.T) {
	sold := Receipt{LineItem: []Line{{Quantity: 3, RegularSalesUnitPrice: 105, ExtendedAmount: 315, TaxRate: Standard}}}
	back := Receipt{
		LineItem: []Line{{Quantity: -3, RegularSalesUnitPrice: 105, ExtendedAmount: -315, TaxRate: Standard}},
		Original: &Original{SequenceNumber: 1},
	}
	var totals Totals
	for _, r := range []*Receipt{&sold, &back} {
		if err := r.Sum(false, Floor); err != nil {
			t.Fatal(err)
		}
		r.Tender = []Tender{{TenderType: Cash, Amount: r.Total, Tendered: r.Total}}
		if err := totals.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	if sold.Total != 346 || back.Total != -346 || back.Due() != 0 || back.Items() != 3 {
		t.Errorf("sold for %d, given back %d", sold.Total, back.Total)
	}
	if totals.Sales != (Tally{1, 346}) || totals.Returns != (Tally{1, 346}) || totals.Cash.Amount != 0 || totals.Tax[0].Amount != 0 || totals.ItemCount != 3 {
		t.Errorf("%+v", totals)
	}
}

func TestRate(t *testing.T) {
	for s, want := range map[string]Rate{"10": Standard, "8": Reduced, "0": 0, "8.875": 8_875, "13.5": 13_500, "100": RateMax, "0.001": 1} {
		if got, err := ParseRate(s); err != nil || got != want || got.String() != s {
			t.Errorf("ParseRate(%q) = %d, %v, written %q", s, got, err, got)
		}
	}
	for _, s := range []string{"", "-1", "100.001", "1e1", "8.8755", ".5", "5.", "0x1", "1,5", "9999", "8.875 %", "1.-5"} {
		if got, err := ParseRate(s); !errors.Is(err, ErrRate) {
			t.Errorf("ParseRate(%q) = %d, %v", s, got, err)
		}
	}
}

func FuzzParseRate(f *testing.F) {
	f.Add("8.875")
	f.Fuzz(func(t *testing.T, s string) {
		rate, err := ParseRate(s)
		if err != nil {
			return
		}
		if again, err := ParseRate(rate.String()); err != nil || again != rate || rate < 0 || rate > RateMax {
			t.Fatalf("%q is %d, written %s, read %d, %v", s, rate, rate, again, err)
		}
	})
}

func TestNumerals(t *testing.T) {
	for _, c := range []struct {
		locale string
		amount Money
		want   string
	}{
		{"ja-JP", 1_234_567, "1,234,567"},
		{"ja-JP", -80, "-80"},
		{"ja-JP", 0, "0"},
		{"de-DE", 123_456, "1.234,56"},
		{"de-DE", 5, "0,05"},
		{"en-IE", -100_000_00, "-100,000.00"},
		{"en-US", 99, "0.99"},
		{"en-US", 0, "0.00"},
	} {
		if got := CountryOf(c.locale).Numerals.Money(c.amount); got != c.want {
			t.Errorf("%s writes %d as %q, want %q", c.locale, c.amount, got, c.want)
		}
	}
	if got := CountryOf("de-DE").Numerals.Rate(13_500); got != "13,5" {
		t.Error(got)
	}
	if got := CountryOf("nowhere").Locale; got != "ja-JP" {
		t.Error(got)
	}
	for _, locale := range Locales() {
		if CountryOf(locale).Locale != locale {
			t.Error(locale)
		}
	}
}

func TestVATNumber(t *testing.T) {
	for number, ok := range map[string]bool{
		"DE123456789": true, "IE6388047V": true, "IE1234567FA": true, "FR40303265045": true, "ATU12345678": true,
		"": false, "DE12345678": false, "DE1234567890": false, "DE12345678A": false, "de123456789": false, "123456789": false, "DE 123456789": false,
	} {
		if err := CheckVATNumber(number); (err == nil) != ok || err != nil && !errors.Is(err, ErrVATNumber) {
			t.Errorf("%q: %v", number, err)
		}
	}
	if err := (Issuer{Name: "Shop"}).Check(American); err != nil {
		t.Error(err)
	}
	if err := (Issuer{Name: "Shop"}).Check(European); !errors.Is(err, ErrVATNumber) {
		t.Error(err)
	}
}
