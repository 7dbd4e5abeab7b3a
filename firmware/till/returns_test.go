package till

import (
	"slices"
	"strings"
	"testing"
	"time"

	"regi/firmware/catalog"
	"regi/firmware/record"
	"regi/firmware/sale"
)

// codeOf is the code on the newest receipt's paper.
func (k *counter) codeOf() string {
	k.t.Helper()
	for _, e := range k.effects {
		if p, ok := e.(Print); ok && p.Code != "" {
			return p.Code
		}
	}
	k.t.Fatalf("no code among %v", k.effects)
	return ""
}

func (k *counter) code(label string) {
	k.t.Helper()
	k.on(Scanned{Label: label, Problem: ProblemUnknownCode})
}

func (k *counter) print() Print {
	k.t.Helper()
	for _, e := range k.effects {
		if p, ok := e.(Print); ok {
			return p
		}
	}
	k.t.Fatalf("no print among %v", k.effects)
	return Print{}
}

func TestReturn(t *testing.T) {
	k := open(t, codes(shop()))
	k.digits("3", "QTY")
	k.scan(note)
	k.scan(rice)
	k.digits("1000", "CASH")
	code := k.codeOf()
	if !strings.HasPrefix(code, "R1.01.1.261124.") || len(code) > labelMax {
		t.Errorf("code %q", code)
	}
	k.kinds()
	k.code(code)
	k.wantCode("F10")
	k.keys("REFUND")
	k.wantShown("ﾍﾝﾋﾟﾝ            F01", "ﾚｼｰﾄﾉ ｺｰﾄﾞｦ ｽｷｬﾝ")
	k.keys("CASH")
	k.wantCode("F01")
	k.scan(note)
	k.wantCode("F02")
	k.code(code)
	k.wantShown("ﾍﾝﾋﾟﾝ           No.1", "ｺﾞｳｹｲ              0")
	k.keys("CASH")
	k.wantCode("K04")
	k.digits("2", "QTY")
	k.scan(note)
	k.wantShown("ﾉｰﾄ A5        -2x110", "ｺﾞｳｹｲ           -220")
	k.keys("SUBTOTAL", "CARD")
	k.wantCode("F07")
	k.digits("1", "CASH")
	k.wantCode("F07")
	k.digits("1", "DISCOUNT")
	k.wantCode("F09")
	k.keys("CASH")
	k.wantEffects("Kick Print")
	k.wantShown("ｺﾞｳｹｲ           -220", "ﾍﾝｷﾝ             220")
	k.wantKinds("sale.open qty line.add tender.add refund drawer.kick print.start")
	r := k.last()
	if *r.Original != (sale.Original{WorkstationID: "01", SequenceNumber: 1, BusinessDayDate: "2026-11-24"}) || r.Total != -220 || r.SequenceNumber != 2 || r.Tax[0].Amount != -20 {
		t.Errorf("%+v", r)
	}
	if k.print().Code != "" {
		t.Error("a return can be returned")
	}
}

// Of three sold, two came back: one more is taken, not two.
func TestReturnInParts(t *testing.T) {
	k := open(t, codes(shop()))
	k.digits("3", "QTY")
	k.scan(note)
	k.scan(rice)
	k.digits("1000", "CASH")
	code := k.codeOf()
	k.keys("REFUND")
	k.code(code)
	k.digits("2", "QTY")
	k.scan(note)
	k.keys("CASH", "REFUND")
	k.code(code)
	k.digits("2", "QTY")
	k.scan(note)
	k.wantCode("F06")
	k.scan(note)
	k.scan(note)
	k.wantCode("F06")
	k.keys("CASH", "X")
	totals := k.print().Report.Totals
	if totals.Sales.Amount != 438 || totals.Returns != (sale.Tally{Count: 2, Amount: 330}) || totals.Cash.Amount != 108 {
		t.Errorf("%+v", totals)
	}
	if g := k.till.State().Counters.GrandTotal; g != 108 {
		t.Errorf("grand total %d", g)
	}
}

func TestReturnOfForgedAndForeign(t *testing.T) {
	k := open(t, codes(shop()))
	k.scan(note)
	k.keys("CASH")
	code := k.codeOf()
	other := codes(shop())
	other.Register = "02"
	o := open(t, other)
	o.scan(note)
	o.keys("CASH")
	elsewhere := codes(shop())
	elsewhere.Store = "0002"
	e := open(t, elsewhere)
	e.scan(note)
	e.keys("CASH")
	for label, want := range map[string]string{
		strings.Replace(code, ".1.", ".2.", 1):           "F03",
		strings.Replace(code, ".261124.", ".261125.", 1): "F03",
		code[:len(code)-1]:                               "F03",
		code + "A":                                       "F03",
		"R1.01.1.261124.":                                "F03",
		"R1.01.99999999999999999999.261124.AAAAAAAAAAAA": "F03",
		o.codeOf():                    "F04",
		e.codeOf():                    "F03",
		"R2" + code[2:]:               "F02",
		"4901234567894":               "F02",
		"":                            "F02",
		strings.Repeat(".", labelMax): "F02",
	} {
		k.keys("CLEAR", "REFUND")
		k.code(label)
		k.wantCode(want)
		if k.till.State().Sale != nil {
			t.Fatalf("%q was taken", label)
		}
	}
	k.code(code) // still asked for
	k.wantPhase(Selling)
}

// Without a key nothing can be verified, and so nothing is taken back.
func TestReturnWithoutKey(t *testing.T) {
	k := open(t, shop())
	k.scan(note)
	k.keys("CASH")
	if k.print().Code != "" {
		t.Error("a code without a key")
	}
	k.keys("REFUND")
	k.code("R1.01.1.261124.AAAAAAAAAAAA")
	k.wantCode("F03")
}

// A receipt that is no longer kept is taken once, at today's prices.
func TestReturnOfAnOldSale(t *testing.T) {
	k := open(t, codes(shop()))
	k.scan(note)
	k.keys("CASH")
	code := k.codeOf()
	forget := k.till.State()
	forget.Kept = nil
	k.till = New(codes(shop()), forget)
	k.keys("REFUND")
	k.code(code)
	k.scan(note)
	k.keys("CASH")
	if r := k.last(); r.Total != -110 {
		t.Errorf("%+v", r)
	}
	k.keys("REFUND")
	k.code(code)
	k.wantCode("F05")
}

// What was off when it was sold is not given back, and the parts of a line are
// together what was paid.
func TestReturnOfDiscountedGoods(t *testing.T) {
	k := open(t, codes(shop()))
	k.digits("3", "QTY")
	k.scan(note)
	k.digits("30", "DISCOUNT") // the line is 300
	k.scan(rice)               // 108
	k.keys("SUBTOTAL")
	k.digits("10", "DISCOUNT") // 7 of it is the notes'
	k.keys("CASH")
	if r := k.last(); r.Total != 398 || r.Tax[0].TaxableAmount != 293 || r.Tax[1].TaxableAmount != 105 {
		t.Fatalf("%+v", r)
	}
	code := k.codeOf()
	var back sale.Money
	for range 3 {
		k.keys("REFUND")
		k.code(code)
		k.scan(note)
		k.keys("CASH")
		back += k.last().Total
	}
	if back != -293 {
		t.Errorf("%d came back of 293", back)
	}
}

func TestSupervisor(t *testing.T) {
	c := codes(shop())
	c.Supervisor, c.RefundMax = "4711", 100
	k := open(t, c)
	k.scan(note)
	k.keys("CASH")
	code := k.codeOf()
	k.kinds()
	k.keys("REFUND", "4", "7")
	k.wantShown("ｲﾗｯｼｬｲﾏｾ", "                  **")
	k.keys("CASH")
	k.wantCode("K16")
	k.code(code)
	k.wantCode("K16")
	k.digits("4712", "ENTER")
	k.wantCode("K17")
	k.wantKinds("override")
	k.keys("9", "ENTER")
	k.wantCode("K16")
	k.digits("4711", "ENTER")
	k.wantCode("T03")
	k.keys("9", "ENTER")
	k.wantKinds("override training.on training.off")
	k.keys("REFUND")
	k.digits("4711", "ENTER")
	k.wantCode("F01")
	k.code(code)
	k.scan(note)
	k.keys("CASH")
	k.wantCode("F08")
	k.keys("VOID")
	k.wantPhase(Idle)
	for _, r := range k.records {
		if strings.Contains(string(encode(t, r)), "4711") {
			t.Errorf("the number is in a record: %+v", r)
		}
	}
}

func TestTraining(t *testing.T) {
	k := open(t, codes(shop()))
	k.scan(note)
	k.keys("CASH")
	before := k.till.State()
	k.kinds()
	k.keys("9", "ENTER")
	k.wantShown("ﾚﾝｼｭｳ ｦ ﾊｼﾞﾒﾙ?   T02", "ENTER=ﾊｲ CLEAR=ｲｲｴ")
	k.keys("ENTER")
	k.wantShown("** ﾚﾝｼｭｳ ﾁｭｳ **", "")
	for _, key := range []string{"NOSALE", "X", "Z", "FN", "REFUND"} {
		k.keys(key)
		k.wantCode("T01")
	}
	k.scan(rice, rice)
	k.wantShown("ｵﾆｷﾞﾘ ｻｹ       1x108", "ｺﾞｳｹｲ !ﾚﾝ        216")
	k.keys("VOID", "CARD")
	k.wantCode("T01")
	k.digits("500", "CASH")
	k.wantEffects("Print") // and no Kick
	k.wantShown("ｺﾞｳｹｲ !ﾚﾝ        108", "ｵﾂﾘ              392")
	p := k.print()
	if !p.Receipt.TrainingModeFlag || p.Code != "" || p.Receipt.TransactionID != "0001-01-20261124-T1" || p.Receipt.SequenceNumber != 1 {
		t.Errorf("%+v", p)
	}
	k.scan(note)
	k.keys("SUBTOTAL", "VOID", "VOID", "9", "ENTER")
	k.wantCode("T04")
	k.wantKinds("training.on sale.open line.add line.add line.void tender.add sale.commit print.start sale.open line.add void training.off")
	after := k.till.State()
	if string(encode(t, before.Shift)) != string(encode(t, after.Shift)) || after.Counters.Receipt != 1 || after.Counters.Transaction != 1 || after.Counters.GrandTotal != 110 || after.Last.SequenceNumber != 1 {
		t.Errorf("training left a mark:\n%s\n%s", encode(t, before.Shift), encode(t, after.Shift))
	}
	k.scan(note)
	k.keys("CASH")
	if r := k.last(); r.SequenceNumber != 2 || r.TransactionID != "0001-01-20261124-2" || r.TrainingModeFlag {
		t.Errorf("%+v", r)
	}
}

func TestDiscount(t *testing.T) {
	k := open(t, shop())
	k.scan(note, rice)
	k.digits("109", "DISCOUNT")
	k.wantCode("K18")
	k.keys("DISCOUNT")
	k.wantCode("K18")
	k.digits("101", "DOT")
	k.wantCode("K18")
	k.digits("20", "DOT")
	k.wantShown("ｵﾆｷﾞﾘ ｻｹ       1x108", "                 20%")
	k.keys("CASH")
	k.wantCode("K18")
	k.wantPhase(Selling)
	k.kinds()
	k.digits("20", "DOT")
	k.keys("DISCOUNT")
	k.wantShown("ﾈﾋﾞｷ             -22", "ｺﾞｳｹｲ            196")
	k.keys("SUBTOTAL")
	k.digits("96", "DISCOUNT")
	k.wantKinds("disc.line disc.sale")
	if r := k.till.State().Sale.Receipt; r.Total != 100 || r.Tax[0].DiscountAmount != 54 || r.Tax[1].DiscountAmount != 42 {
		t.Errorf("%+v", r.Tax)
	}
	k.digits("0", "DISCOUNT")
	k.keys("CLEAR", "VOID")
	k.wantKinds("disc.sale line.void")
	k.keys("SUBTOTAL")
	k.digits("100", "DISCOUNT")
	k.keys("CLEAR")
	k.scan(rice)
	k.keys("CASH")
	if r := k.last(); r.Total != 118 {
		t.Errorf("%+v", r)
	}
	if d := k.till.State().Shift.Totals.Discounts; d != (sale.Tally{Count: 1, Amount: 100}) {
		t.Errorf("%+v", d)
	}
	// A discount goes with the goods it was for.
	k.scan(note, rice)
	k.keys("SUBTOTAL")
	k.digits("200", "DISCOUNT")
	k.keys("CLEAR", "VOID", "CASH")
	if r := k.last(); r.Total != 110 || r.DiscountAmount != 0 {
		t.Errorf("%+v", r)
	}
}

func TestReprintByNumber(t *testing.T) {
	k := open(t, shop())
	for range 3 {
		k.scan(note)
		k.keys("CARD")
		k.on(CardRead{Read: card()})
		k.on(Authorized{Reply: record.AuthReply{ID: k.till.State().Sale.Pending.ID, Result: record.Approved}})
		k.on(Printed{Job: k.till.State().Counters.Job})
	}
	k.digits("2", "FN")
	p := k.print()
	if !p.Reprint || p.Receipt.SequenceNumber != 2 || p.Receipt.Tender[0].Card.Last4 != "1111" || len(p.Receipt.Tender[0].Card.CT) != 0 {
		t.Errorf("%+v", p.Receipt)
	}
	k.digits("4", "FN")
	k.wantCode("K19")
	k.keys("Z", "FN") // also when closed
	if p := k.print(); !p.Reprint || p.Receipt.SequenceNumber != 3 || len(p.Receipt.Tender[0].Card.CT) == 0 {
		t.Errorf("%+v", p.Receipt)
	}
	k.digits("1", "FN")
	if p := k.print(); p.Receipt.SequenceNumber != 1 {
		t.Errorf("%+v", p.Receipt)
	}
}

// The kept receipts stay within their room, newest first.
func TestKeptIsBounded(t *testing.T) {
	k := open(t, shop())
	var items []catalog.Item
	for i := range 30 {
		item := note
		item.Name = strings.Repeat(string(rune('一'+37*i)), 20+i)
		items = append(items, item)
	}
	for i := range 100 {
		k.scan(items[i%len(items):]...)
		k.keys("CASH")
		k.on(Printed{Job: k.till.State().Counters.Job})
	}
	s := k.till.State()
	size := 0
	for _, kept := range s.Kept {
		size += len(kept.Deflated)
	}
	if size > keptBytesMax || len(s.Kept) > keptMax || s.Kept[len(s.Kept)-1].Number != 100 || len(s.Kept) < 5 {
		t.Errorf("%d receipts in %d bytes", len(s.Kept), size)
	}
	t.Logf("%d receipts in %d bytes", len(s.Kept), size)
}

func TestAddressedReceipt(t *testing.T) {
	k := open(t, shop())
	k.keys("1", "ENTER")
	k.wantCode("K13")
	k.scan(note)
	k.keys("CASH")
	k.on(Printed{Job: 1})
	k.keys("1", "ENTER")
	if p := k.print(); p.Form != FormAddressed || p.Reprint || p.Receipt.SequenceNumber != 1 {
		t.Errorf("%+v", p)
	}
	if body := k.records[len(k.records)-1].Body.(PrintBody); body.Document != "addressed-receipt" || body.SequenceNumber != 1 {
		t.Errorf("%+v", body)
	}
	k.keys("1", "ENTER")
	k.wantCode("K20")
	k.on(PrintFailed{Job: 2, Cause: "unplugged", Unknown: true})
	k.keys("1", "ENTER")
	if p := k.print(); p.Form != FormAddressed || !p.Reprint {
		t.Errorf("%+v", p)
	}
	k.keys("1", "ENTER")
	k.wantCode("K20")
	c := shop()
	c.Locale, c.Currency = "de-DE", "EUR"
	k = open(t, c)
	k.scan(note)
	k.keys("CASH", "1", "ENTER")
	k.wantCode("K21")
}

func TestOrderSlip(t *testing.T) {
	k := open(t, shop())
	k.keys("2", "ENTER")
	k.wantCode("K04")
	k.scan(note, rice)
	k.keys("2", "ENTER")
	if p := k.print(); p.Form != FormOrder || len(p.Receipt.LineItem) != 2 {
		t.Errorf("%+v", p)
	}
	k.keys("2", "ENTER")
	k.wantCode("K04")
	k.scan(note)
	k.keys("2", "ENTER")
	if p := k.print(); len(p.Receipt.LineItem) != 1 || p.Receipt.LineItem[0].SequenceNumber != 3 {
		t.Errorf("%+v", p)
	}
	k.keys("CASH")
	if r := k.last(); len(r.LineItem) != 3 || r.Total != 328 {
		t.Errorf("%+v", r)
	}
}

// Rates, numerals and the clock are the country's.
func TestOtherCountries(t *testing.T) {
	c := shop()
	c.Locale, c.Currency, c.Prices, c.TaxRounding = "en-US", "USD", "exclusive", "half-up"
	c.Issuer.RegistrationNumber = ""
	c.Rates = []sale.Named{{Name: "standard", Rate: 8_875}, {Name: "exempt", Rate: 0}}
	c.Zone = time.FixedZone("EST", -5*60*60)
	k := open(t, c)
	if slices.Contains(k.codes, "I03") {
		t.Error("a shop in the United States has no registration number")
	}
	shirt := catalog.Item{GTIN: "00012345678905", Name: "T-shirt", Kana: "T-SHIRT", Price: 9_999, Rate: "standard"}
	bread := catalog.Item{GTIN: "04901234567894", Name: "Bread", Kana: "BREAD", Price: 349, Rate: "exempt"}
	k.scan(shirt, bread)
	k.wantShown("BREAD         1x3.49", "TOTAL         112.35")
	wrong := shirt
	wrong.Rate = "reduced"
	k.scan(wrong)
	k.wantCode("S01")
	k.digits("12000", "CASH")
	k.wantShown("TOTAL         112.35", "CHANGE          7.65")
	r := k.last()
	if r.Tax[0].Amount != 887 || r.Tax[1].Amount != 0 || r.EndDateTime.Hour() != 9 || r.BusinessDayDate != "2026-11-24" {
		t.Errorf("%+v", r)
	}
}

// Whatever is scanned, only what this register would have printed is taken.
func FuzzReadCode(f *testing.F) {
	till := New(codes(shop()), State{})
	good := till.code(&sale.Receipt{WorkstationID: "01", SequenceNumber: 7, BusinessDayDate: "2026-11-24"})
	f.Add(good)
	f.Add("R1.01.7.261124.AAAAAAAAAAAA")
	f.Add("R1....")
	f.Fuzz(func(t *testing.T, label string) {
		original, err := till.readCode(label)
		if err != nil {
			return
		}
		r := sale.Receipt{WorkstationID: original.WorkstationID, SequenceNumber: original.SequenceNumber, BusinessDayDate: original.BusinessDayDate}
		if again := till.code(&r); again != label {
			t.Fatalf("%q was taken for %q", label, again)
		}
	})
}
