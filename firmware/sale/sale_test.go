package sale

import (
	"encoding/json"
	"errors"
	"math/big"
	"math/rand"
	"reflect"
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
	if _, err := Tax(1, 101, in, Floor); !errors.Is(err, ErrLimit) {
		t.Errorf("101 %%: %v", err)
	}
}

// Tax against exact rational arithmetic.
func TestTaxIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := Money(rapid.Int64Range(0, int64(TotalsMax)).Draw(t, "amount"))
		rate := Rate(rapid.IntRange(0, 100).Draw(t, "rate"))
		included := rapid.Bool().Draw(t, "included")
		divisor := int64(100)
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
			TaxRate: rapid.SampledFrom(rates[:]).Draw(t, "rate"), Voided: rapid.IntRange(0, 5).Draw(t, "voided") == 0,
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
		if err := r.Sum(included, rounding); err != nil {
			t.Fatal(err)
		}
		var lines, taxable, tax Money
		for _, line := range r.LineItem {
			if !line.Voided {
				lines += line.ExtendedAmount
			}
		}
		for _, s := range r.Tax {
			taxable += s.TaxableAmount
			if !s.Included {
				tax += s.Amount
			}
			if once, err := Tax(s.TaxableAmount, s.Percent, included, rounding); err != nil || once != s.Amount {
				t.Fatalf("%+v: the tax is %d, %v", s, once, err)
			}
		}
		if lines != taxable || r.Subtotal != lines || r.Total != lines+tax || r.Due() != r.Total {
			t.Fatalf("lines %d, taxable %d, tax %d: %+v", lines, taxable, tax, r)
		}
		other := Receipt{}
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
		{1, -1, false},
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
		"two of them":         {LineItem: []Line{line, line}},
		"tax on top":          {LineItem: []Line{line}},
		"an unknown rate":     {LineItem: []Line{{Quantity: 1, TaxRate: 5}}},
		"a negative line":     {LineItem: []Line{{Quantity: 1, ExtendedAmount: -1, TaxRate: Standard}}},
		"more lines than may": {LineItem: make([]Line, LinesMax+1)},
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
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Issuer){
		"no name":             func(i *Issuer) { i.Name = "　" },
		"a control character": func(i *Issuer) { i.Address = "a\x1bb" },
		"a long number":       func(i *Issuer) { i.Tel = "000000000000000000000000000000000" },
	} {
		bad := good
		change(&bad)
		if err := bad.Check(); !errors.Is(err, ErrIssuer) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTotals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var totals Totals
		var sum, tax, cash Money
		sales := rapid.IntRange(0, 5).Draw(t, "sales")
		for range sales {
			r := drawReceipt(t)
			if err := r.Sum(rapid.Bool().Draw(t, "included"), Floor); err != nil {
				t.Fatal(err)
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
		if totals.Sales != (Tally{int64(sales), sum}) || got != tax || totals.Cash.Amount != cash || totals.CreditDebit.Amount != sum-cash || len(totals.Tax) > 4 {
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
