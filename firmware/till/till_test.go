package till

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"regi/firmware/catalog"
	"regi/firmware/record"
	"regi/firmware/sale"
)

//nolint:gochecknoglobals // constants of the tests
var (
	note  = catalog.Item{GTIN: "04901234567894", Name: "ノート A5", Kana: "ﾉｰﾄ A5", Price: 110, Rate: "standard", Version: "1"}
	rice  = catalog.Item{GTIN: "04912345678904", Name: "おにぎり 鮭", Kana: "ｵﾆｷﾞﾘ ｻｹ", Price: 108, Rate: "reduced", Version: "1"}
	start = time.Date(2026, 11, 24, 14, 59, 0, 0, time.UTC) // 23:59 in Japan
)

func shop() Config {
	return Config{
		Store: "0001", Register: "01", Currency: "JPY", Locale: "ja-JP", Profile: "retail", TaxRounding: "floor", Prices: "inclusive",
		Issuer: sale.Issuer{Name: "レジ商店", RegistrationNumber: "T1180301018771"},
	}
}

func card() record.CardRead {
	return record.CardRead{
		Suite: "AES128-DUKPT-CTR-CMAC", KSN: "123456789012345600000001", Source: "msr", BIN: "411111", Last4: "1111",
		Brand: "visa", ServiceCode: "201", Tracks: "2", Luhn: true, Entry: "swipe", CT: make([]byte, 40), MAC: make([]byte, 16),
	}
}

// counter plays a shop: it feeds a till and keeps what came out.
type counter struct {
	t       *testing.T
	till    *Till
	now     time.Time
	shown   Show
	records []Record
	effects []Effect // of the last step, without records and Show
	codes   []string // of the last step's notices
}

func open(t *testing.T, c Config) *counter {
	k := &counter{t: t, till: New(c, State{}), now: start}
	k.keys("1", "OPEN")
	return k
}

func (k *counter) on(e Event) {
	k.t.Helper()
	k.now = k.now.Add(time.Second)
	k.effects, k.codes = nil, nil
	for _, effect := range k.till.Handle(k.now, e) {
		switch f := effect.(type) {
		case Record:
			k.records = append(k.records, f)
		case Show:
			k.shown = f
			checkShow(k.t, f)
		case Notice:
			k.codes = append(k.codes, f.Code)
		default:
			k.effects = append(k.effects, effect)
		}
	}
}

func (k *counter) keys(names ...string) {
	k.t.Helper()
	for _, name := range names {
		k.on(Key{Name: name})
	}
}

// digits presses the keys of a number, then name.
func (k *counter) digits(number, name string) {
	k.t.Helper()
	k.keys(append(strings.Split(number, ""), name)...)
}

func (k *counter) scan(items ...catalog.Item) {
	k.t.Helper()
	for _, item := range items {
		k.on(Scanned{Label: item.GTIN, GTIN: item.GTIN, Item: &item})
	}
}

// kinds are the records since the last call.
func (k *counter) kinds() string {
	names := make([]string, 0, len(k.records))
	for _, r := range k.records {
		names = append(names, r.Kind.String())
	}
	k.records = nil
	return strings.Join(names, " ")
}

func (k *counter) wantKinds(want string) {
	k.t.Helper()
	if got := k.kinds(); got != want {
		k.t.Errorf("records\n got %s\nwant %s", got, want)
	}
}

func (k *counter) wantShown(upper, lower string) {
	k.t.Helper()
	if k.shown.Upper != upper || k.shown.Lower != lower {
		k.t.Errorf("display\n got %q\n     %q\nwant %q\n     %q", k.shown.Upper, k.shown.Lower, upper, lower)
	}
}

func (k *counter) wantPhase(want string) {
	k.t.Helper()
	if got := k.till.State().Phase(); got != want {
		k.t.Errorf("phase %s, want %s", got, want)
	}
}

func (k *counter) wantCode(want string) {
	k.t.Helper()
	if !slices.Contains(k.codes, want) {
		k.t.Errorf("notices %v, want %s", k.codes, want)
	}
}

// wantEffects names the effects of the last step, in order.
func (k *counter) wantEffects(want string) {
	k.t.Helper()
	names := make([]string, 0, len(k.effects))
	for _, e := range k.effects {
		names = append(names, strings.TrimPrefix(fmt.Sprintf("%T", e), "till."))
	}
	if got := strings.Join(names, " "); got != want {
		k.t.Errorf("effects %q, want %q", got, want)
	}
}

func (k *counter) last() sale.Receipt {
	k.t.Helper()
	last := k.till.State().Last
	if last == nil {
		k.t.Fatal("no receipt")
	}
	return *last
}

func checkShow(t interface {
	Helper()
	Errorf(string, ...any)
}, s Show,
) {
	t.Helper()
	for _, line := range []string{s.Upper, s.Lower, s.Customer[0], s.Customer[1], s.Tail} {
		if utf8.RuneCountInString(line) > columnsMax || display(line, columnsMax) != line {
			t.Errorf("%q does not fit the display", line)
		}
	}
}

func TestCashSale(t *testing.T) {
	k := open(t, shop())
	k.wantKinds("shift.open")
	k.wantShown("ｲﾗｯｼｬｲﾏｾ", "")
	k.scan(note)
	k.wantShown("ﾉｰﾄ A5         1x110", "ｺﾞｳｹｲ            110")
	k.wantKinds("sale.open line.add")
	k.digits("2", "QTY")
	k.wantShown("ｽｳﾘｮｳ            2 x", "ｺﾞｳｹｲ            110")
	k.scan(rice)
	k.wantShown("ｵﾆｷﾞﾘ ｻｹ       2x108", "ｺﾞｳｹｲ            326")
	k.wantKinds("qty line.add")
	k.keys("SUBTOTAL")
	k.wantPhase(Tendering)
	k.digits("1000", "CASH")
	k.wantShown("ｺﾞｳｹｲ            326", "ｵﾂﾘ              674")
	k.wantKinds("tender.add sale.commit drawer.kick print.start")
	k.wantEffects("Kick Print")
	k.wantPhase(Idle)
	r := k.last()
	want := []sale.TaxSummary{{Percent: sale.Standard, TaxableAmount: 110, Amount: 10, Included: true}, {Percent: sale.Reduced, TaxableAmount: 216, Amount: 16, Included: true}}
	if !reflect.DeepEqual(r.Tax, want) || r.Total != 326 || r.SequenceNumber != 1 || r.TransactionID != "0001-01-20261124-1" || r.BusinessDayDate != "2026-11-24" {
		t.Errorf("receipt %+v", r)
	}
	if r.BeginDateTime.Format(time.RFC3339) != "2026-11-24T23:59:03+09:00" {
		t.Errorf("begun at %v", r.BeginDateTime)
	}
	k.on(DrawerOpened{})
	k.on(Printed{Job: 1})
	k.on(DrawerClosed{})
	k.wantKinds("drawer.opened print.done drawer.closed")
	k.wantShown("ｺﾞｳｹｲ            326", "ｵﾂﾘ              674")
}

// The business day is the shift's, not the clock's.
func TestBusinessDayPastMidnight(t *testing.T) {
	k := open(t, shop())
	k.now = k.now.Add(time.Hour)
	k.scan(note)
	k.keys("CASH")
	if r := k.last(); r.BusinessDayDate != "2026-11-24" || r.EndDateTime.Day() != 25 {
		t.Errorf("business day %s, ended %v", r.BusinessDayDate, r.EndDateTime)
	}
}

func TestExactCashWithoutSubtotal(t *testing.T) {
	k := open(t, shop())
	k.scan(note, note)
	k.keys("CASH")
	if r := k.last(); r.Tender[0] != (sale.Tender{TenderType: sale.Cash, Amount: 220, Tendered: 220}) {
		t.Errorf("%+v", r.Tender)
	}
}

func TestTaxOnTop(t *testing.T) {
	c := shop()
	c.Prices = "exclusive"
	k := open(t, c)
	item := note
	item.Price = 105
	k.scan(item, item, item)
	k.keys("CASH")
	if r := k.last(); r.Total != 346 || r.Tax[0].Amount != 31 || r.Subtotal != 315 {
		t.Errorf("%+v", r)
	}
}

func TestVoid(t *testing.T) {
	k := open(t, shop())
	k.keys("VOID")
	k.wantCode("K04")
	k.scan(note, rice, rice)
	k.kinds()
	k.keys("VOID")
	k.wantShown("ﾄﾘｹｼ          -1x108", "ｺﾞｳｹｲ            218")
	k.keys("VOID")
	k.wantKinds("line.void line.void")
	if s := k.till.State().Sale.Receipt; s.Total != 110 || !s.LineItem[1].Voided || !s.LineItem[2].Voided || len(s.Tax) != 1 {
		t.Errorf("%+v", s)
	}
	k.keys("VOID")
	k.wantKinds("line.void void")
	k.wantPhase(Idle)
	k.scan(note)
	k.keys("CASH")
	if r := k.last(); r.SequenceNumber != 1 || r.TransactionID != "0001-01-20261124-2" {
		t.Errorf("a cancelled sale used a receipt number: %+v", r)
	}
}

func TestCancelSale(t *testing.T) {
	k := open(t, shop())
	k.scan(note)
	k.keys("SUBTOTAL", "VOID")
	k.wantShown("ﾄﾘﾋｷ ﾁｭｳｼ?       K10", "VOID=ﾊｲ CLEAR=ｲｲｴ")
	k.keys("CLEAR")
	k.wantPhase(Tendering)
	k.keys("VOID", "1", "VOID")
	k.wantPhase(Tendering)
	k.keys("VOID")
	k.wantPhase(Idle)
	k.wantKinds("shift.open sale.open line.add void")
}

func TestSplitTender(t *testing.T) {
	k := open(t, shop())
	k.scan(note)
	k.kinds()
	k.digits("50", "CASH")
	k.wantShown("ｺﾞｳｹｲ            110", "ﾉｺﾘ               60")
	k.wantEffects("")
	k.keys("CLEAR")
	k.wantCode("K09")
	k.keys("VOID")
	k.wantKinds("tender.add tender.void")
	k.digits("30", "CASH")
	k.keys("CARD")
	k.on(CardRead{Read: card()})
	request := k.effects[0].(Authorize).Request
	if request.Amount != 80 || request.ID != "0001-01-20261124-1-1" || request.Currency != "JPY" {
		t.Errorf("%+v", request)
	}
	k.on(Authorized{Reply: record.AuthReply{ID: request.ID, Result: record.Approved, Approval: "123456"}})
	k.wantKinds("tender.add card.intent card.result tender.add sale.commit drawer.kick print.start")
	r := k.last()
	if r.Due() != 0 || r.Paid(sale.Cash) != 30 || r.Paid(sale.CreditDebit) != 80 || r.Tender[1].Card.Last4 != "1111" || r.Tender[1].Authorization.Approval != "123456" {
		t.Errorf("%+v", r.Tender)
	}
}

func TestCardSale(t *testing.T) {
	k := open(t, shop())
	k.on(CardRead{Read: card()})
	k.wantCode("C01")
	k.scan(note)
	k.kinds()
	k.digits("200", "CARD")
	k.wantCode("C03")
	k.digits("110", "CARD")
	k.wantPhase(AwaitCard)
	k.wantShown("ｶｰﾄﾞ             110", "ｶｰﾄﾞｦ ﾄｵｼﾃｸﾀﾞｻｲ")
	k.keys("CASH")
	k.wantCode("C20")
	bad := card()
	bad.Luhn = false
	k.on(CardRead{Read: bad})
	k.wantCode("C02")
	k.on(CardFailed{Reason: "parity"})
	k.wantCode("C02")
	k.keys("CLEAR")
	k.wantPhase(Tendering)
	k.wantKinds("")
	k.keys("CARD")
	k.on(CardRead{Read: card()})
	k.wantKinds("card.intent")
	k.wantPhase(Authorizing)
	k.on(CardRead{Read: card()})
	k.wantCode("C09")
	k.on(Authorized{Reply: record.AuthReply{ID: "0001-01-20261124-1-1", Result: record.Approved}})
	k.wantKinds("card.result tender.add sale.commit print.start")
	k.wantEffects("Print")
	k.wantShown("ｺﾞｳｹｲ            110", "ｱﾘｶﾞﾄｳｺﾞｻﾞｲﾏｼﾀ")
}

func TestCardRefused(t *testing.T) {
	for _, c := range []struct{ result, code, kinds string }{
		{record.Declined, "C04", "card.result"},
		{record.InsufficientFunds, "C05", "card.result"},
		{record.AuthError, "C06", "card.result"},
		{"offline", "C07", "card.result"},
		{"no-answer", "C08", "card.result card.reversal"},
		{"a word of tomorrow", "C08", "card.result card.reversal"},
	} {
		k := open(t, shop())
		k.scan(note)
		k.keys("CARD")
		k.on(CardRead{Read: card()})
		k.kinds()
		id := k.till.State().Sale.Pending.ID
		k.on(Authorized{Reply: record.AuthReply{ID: "another", Result: record.Approved}})
		k.wantCode("C12")
		k.on(Authorized{Reply: record.AuthReply{ID: id, Result: c.result}})
		k.wantCode(c.code)
		k.wantKinds(c.kinds)
		k.wantPhase(Tendering)
		k.on(Authorized{Reply: record.AuthReply{ID: id, Result: record.Approved}})
		k.wantCode("C12")
		k.wantKinds("")
		k.keys("CARD")
		k.on(CardRead{Read: card()})
		if again := k.till.State().Sale.Pending.ID; again == id {
			t.Errorf("%s: the second attempt bears the first one's ID", c.result)
		}
		k.keys("CLEAR", "CLEAR")
		k.wantKinds("card.intent card.result card.reversal")
		k.keys("CASH")
		k.wantPhase(Idle)
		if n := k.till.State().Shift.Totals.CardRefused; n != 2 {
			t.Errorf("%s: %d card attempts refused, want 2", c.result, n)
		}
	}
}

func TestScanProblems(t *testing.T) {
	k := open(t, shop())
	for problem, code := range map[string]string{
		ProblemUnknownCode: "S01", ProblemCheckDigit: "S02", ProblemTooLong: "S03", ProblemControl: "S04", ProblemFrame: "S05", "": "S01", "new": "S01",
	} {
		k.on(Scanned{Label: "4901\x1b[2J\x00", Problem: problem})
		k.wantCode(code)
		k.wantEffects("Beep")
		k.wantPhase(Idle)
	}
	for name, change := range map[string]func(*catalog.Item){
		"price":   func(i *catalog.Item) { i.Price = -1 },
		"large":   func(i *catalog.Item) { i.Price = 1 << 60 },
		"rate":    func(i *catalog.Item) { i.Rate = "none" },
		"gtin":    func(i *catalog.Item) { i.GTIN = "x" },
		"control": func(i *catalog.Item) { i.Name = "a\x1bb" },
		"long":    func(i *catalog.Item) { i.Name = strings.Repeat("a", 1000) },
		"version": func(i *catalog.Item) { i.Version = strings.Repeat("a", 1000) },
	} {
		item := note
		change(&item)
		k.scan(item)
		if k.wantCode("S01"); k.till.State().Sale != nil {
			t.Errorf("%s: it was sold", name)
		}
	}
	k.keys("1", "2")
	k.scan(note)
	k.wantCode("K14")
	k.wantPhase(Idle)
}

func TestKeysInTheWrongPlace(t *testing.T) {
	k := &counter{t: t, till: New(shop(), State{}), now: start}
	for _, key := range []string{"CASH", "CARD", "SUBTOTAL", "VOID", "NOSALE", "X", "Z", "QTY", "REFUND", "DISCOUNT", "DOT", "ENTER"} {
		k.keys(key)
		k.wantCode("K05")
	}
	k.keys("FN")
	k.wantCode("K13")
	k.scan(note)
	k.wantCode("K05")
	k.wantKinds("")
	k.keys("1", "OPEN", "OPEN")
	k.wantCode("K07")
	for _, key := range []string{"CASH", "CARD", "SUBTOTAL"} {
		k.keys(key)
		k.wantCode("K04")
	}
	for key, code := range map[string]string{"DISCOUNT": "K04", "POINTS": "K11", "DOT": "K04", "ENTER": "K21"} {
		k.keys(key)
		k.wantCode(code)
	}
	k.keys("NONSENSE")
	k.wantCode("K01")
	k.scan(note)
	for _, key := range []string{"NOSALE", "X", "Z", "FN", "OPEN", "REFUND"} {
		k.keys(key)
		k.wantCode("K06")
	}
	k.keys("SUBTOTAL")
	k.scan(note)
	k.wantCode("K08")
	k.keys("CLEAR")
	k.wantPhase(Selling)
	k.keys("0", "QTY")
	k.wantCode("K03")
	k.digits("12345678", "9")
	k.wantCode("K02")
	k.digits("0", "CASH")
	k.wantCode("K12")
	k.kinds()
}

func TestLimits(t *testing.T) {
	k := open(t, shop())
	large := note
	large.Price = 99_999_999
	k.scan(large)
	k.wantPhase(Selling)
	k.scan(note)
	k.wantCode("L02")
	k.keys("VOID")
	k.digits("9999", "QTY")
	k.scan(large)
	k.wantCode("L02")
	k.wantPhase(Idle)
	long := note
	long.Name, long.Price = strings.Repeat("麺", 64), 1
	for k.codes = nil; !slices.Contains(k.codes, "L01"); {
		k.scan(long)
	}
	lines := len(k.till.State().Sale.Receipt.LineItem)
	k.digits("1", "CASH")
	k.keys("CASH")
	b, err := json.Marshal(k.last())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d lines with the longest names are a receipt of %d bytes", lines, len(b))
	if lines < 100 || len(b) > sale.ReceiptBytesMax {
		t.Errorf("%d lines, %d bytes", lines, len(b))
	}
}

func TestShift(t *testing.T) {
	k := &counter{t: t, till: New(shop(), State{}), now: start}
	k.digits("42", "OPEN")
	k.scan(note, rice)
	k.digits("500", "CASH")
	k.scan(rice)
	k.keys("CARD")
	k.on(CardRead{Read: card()})
	k.on(Authorized{Reply: record.AuthReply{ID: "0001-01-20261124-2-1", Result: record.Approved}})
	k.keys("NOSALE")
	k.wantEffects("Kick")
	k.keys("X")
	k.kinds()
	k.digits("200", "Z")
	z := k.records[0].Body.(sale.Report)
	k.wantKinds("z shift.close print.start")
	k.wantPhase(Closed)
	k.wantShown("ｷｭｳｼﾁｭｳ", "ﾊﾞﾝｺﾞｳ OPEN ﾃﾞ ｶｲｼ")
	want := sale.Totals{
		Sales: sale.Tally{Count: 2, Amount: 326}, ItemCount: 3,
		Cash: sale.Tally{Count: 1, Amount: 218}, CreditDebit: sale.Tally{Count: 1, Amount: 108}, NoSales: 1,
		Tax: []sale.TaxSummary{{Percent: sale.Standard, TaxableAmount: 110, Amount: 10, Included: true}, {Percent: sale.Reduced, TaxableAmount: 216, Amount: 16, Included: true}},
	}
	if !reflect.DeepEqual(z.Totals, want) || z.Number != 1 || z.GrandTotal != 326 || z.OperatorID != "42" ||
		z.FirstSequenceNumber != 1 || z.LastSequenceNumber != 2 || *z.Count != (sale.CashCount{Expected: 218, Counted: 200, OverShort: -18}) {
		t.Errorf("%+v %+v", z, z.Count)
	}
	k.keys("1", "OPEN", "Z")
	second := k.records[1].Body.(sale.Report)
	if second.Number != 2 || second.GrandTotal != 326 || second.Totals.Sales.Count != 0 || second.FirstSequenceNumber != 0 {
		t.Errorf("%+v", second)
	}
}

// TestVeryMuchCash: a code keyed by hand and CASH is no payment of 49,571,202.
func TestVeryMuchCash(t *testing.T) {
	k := open(t, shop())
	k.scan(note)
	k.kinds()
	k.digits("49571202", "CASH")
	k.wantCode("K15")
	k.wantPhase(Selling)
	k.keys("CLEAR")
	k.digits("100110", "CASH") // the change is exactly 100,000
	k.wantPhase(Idle)
	k.scan(note)
	k.digits("100111", "CASH")
	k.wantCode("K15")
	k.keys("CASH")
	k.wantPhase(Idle)
	if r := k.last(); r.Tender[0].Tendered != 100_111 {
		t.Errorf("%+v", r.Tender)
	}
}

// TestCardWhileOffline: nobody is asked for a card that cannot be used.
func TestCardWhileOffline(t *testing.T) {
	k := open(t, shop())
	k.scan(note)
	k.on(Cloud{})
	k.keys("CARD")
	k.wantCode("C07")
	k.wantPhase(Selling)
	k.on(Cloud{Up: true})
	k.keys("CARD")
	k.wantPhase(AwaitCard)
}

func TestDrawer(t *testing.T) {
	k := open(t, shop())
	k.kinds()
	k.on(DrawerOpened{})
	k.wantCode("D02")
	k.on(DrawerOpened{})
	k.on(DrawerClosed{})
	k.on(DrawerClosed{})
	k.wantKinds("drawer.forced drawer.closed")
	k.keys("NOSALE")
	k.on(DrawerFailed{Reason: "drawer did not open"})
	k.wantCode("D01")
	k.on(DrawerFailed{Reason: "drawer did not open"})
	k.wantKinds("nosale drawer.kick device.down")
	k.on(DrawerOpened{}) // with the key, as the display says
	k.wantKinds("drawer.opened")
	k.on(DrawerClosed{})
	k.on(DrawerOpened{})
	k.wantKinds("drawer.closed drawer.forced")
	k.on(DrawerClosed{})
	k.keys("NOSALE")
	k.on(DrawerOpened{})
	k.on(DrawerClosed{})
	k.on(DrawerOpened{}) // one kick is one opening
	k.wantKinds("drawer.closed nosale drawer.kick drawer.opened drawer.closed drawer.forced")
	k.scan(note)
	k.keys("CASH")
	k.on(DrawerFailed{Reason: "drawer did not open"})
	k.wantShown("ﾄﾞﾛｱ ｱｶｽﾞ        D01", "ｵﾂﾘ                0")
}

// TestDrawerWords: each state of the drawer is one that the operator sees, and
// it goes when the drawer is as it was asked to be.
func TestDrawerWords(t *testing.T) {
	k := open(t, shop())
	const idle = "ｲﾗｯｼｬｲﾏｾ"
	k.keys("3", "NOSALE")
	k.wantShown("ﾘｮｳｶﾞｴ           D06", "ﾄﾞﾛｱｦ ｱｹﾏｽ")
	k.on(DrawerOpened{})
	k.wantShown("ﾘｮｳｶﾞｴ           D06", "ﾄﾞﾛｱｦ ｱｹﾏｽ")
	k.on(DrawerClosed{})
	k.wantShown(idle, "")
	for reason, code := range map[string]string{drawerStuck: "D01", drawerHot: "D04", "drawer busy": "D04", "drawer away": "D05", "no answer in time": "D05"} {
		k.keys("NOSALE")
		k.on(DrawerFailed{Reason: reason})
		k.wantCode(code)
		k.wantEffects("Beep")
		k.keys("CLEAR")
	}
	k.keys("NOSALE")
	k.on(DrawerFailed{Reason: drawerStuck})
	k.on(DrawerOpened{}) // with the key
	k.wantShown(idle, "")
	k.kinds()
	k.on(DrawerLeftOpen{})
	k.wantCode("D03")
	k.wantEffects("Beep")
	k.wantKinds("security.event")
	if body := k.till.State().Drawer; !body.LeftOpen {
		t.Errorf("%+v", body)
	}
	k.on(DrawerLeftOpen{})
	k.wantEffects("Beep")
	k.wantKinds("")
	k.keys("CLEAR")
	k.wantShown(idle, "ﾄﾞﾛｱｦ ｼﾒﾙ")
	k.on(DrawerLeftOpen{})
	k.wantShown(idle, "ﾄﾞﾛｱｦ ｼﾒﾙ")
	k.on(DrawerClosed{})
	k.wantShown(idle, "")
	k.wantKinds("drawer.closed")
	k.on(DrawerLeftOpen{}) // late
	k.wantEffects("")
	k.wantKinds("")
	k.keys("NOSALE")
	k.on(DrawerOpened{})
	k.kinds()
	k.on(DrawerLeftOpen{}) // each opening is on record
	k.wantKinds("security.event")
}

// TestDrawerAfterRestart: what the switch says first after a restart is no
// force, and no later opening is excused by it.
func TestDrawerAfterRestart(t *testing.T) {
	for _, c := range []struct {
		before, after []Event
		want          string
	}{
		{nil, []Event{DrawerClosed{}, DrawerOpened{}}, "power.resume drawer.forced"},
		{nil, []Event{DrawerOpened{}}, "power.resume drawer.forced"},
		{[]Event{Key{Name: "NOSALE"}}, []Event{DrawerOpened{}, DrawerClosed{}, DrawerOpened{}}, "power.resume drawer.opened drawer.closed drawer.forced"},
		{[]Event{Key{Name: "NOSALE"}}, []Event{DrawerClosed{}, DrawerOpened{}}, "power.resume drawer.forced"},
		{[]Event{Key{Name: "NOSALE"}, DrawerOpened{}}, []Event{DrawerClosed{}, DrawerOpened{}}, "power.resume drawer.closed drawer.forced"},
		{[]Event{Key{Name: "NOSALE"}, DrawerOpened{}}, []Event{PowerResumed{}, DrawerOpened{}, DrawerClosed{}, DrawerOpened{}}, "power.resume power.resume drawer.opened drawer.closed drawer.forced"},
		{[]Event{DrawerTested{}}, []Event{DrawerOpened{}, DrawerClosed{}, DrawerOpened{}}, "power.resume drawer.opened drawer.closed drawer.forced"},
		{[]Event{DrawerTested{}, DrawerTested{}, DrawerClosed{}}, []Event{DrawerOpened{}}, "power.resume drawer.forced"},
		{[]Event{Key{Name: "NOSALE"}, DrawerTested{}}, []Event{DrawerOpened{}}, "power.resume drawer.opened"},
		{[]Event{Key{Name: "NOSALE"}, DrawerOpened{}}, []Event{Key{Name: "NOSALE"}, DrawerClosed{}, DrawerOpened{}}, "power.resume nosale drawer.kick drawer.closed drawer.opened"},
	} {
		k := open(t, shop())
		for _, e := range c.before {
			k.on(e)
		}
		k.kinds()
		for _, e := range append([]Event{PowerResumed{}}, c.after...) {
			k.on(e)
		}
		k.wantKinds(c.want)
	}
}

func TestOperatorNumber(t *testing.T) {
	k := &counter{t: t, till: New(shop(), State{}), now: start}
	for _, number := range []string{"", "0", "00"} {
		k.digits(number, "OPEN")
		k.wantShown("ﾀﾝﾄｳｼｬ ﾊﾞﾝｺﾞｳ?   K22", "ﾊﾞﾝｺﾞｳ ﾄ OPEN")
		k.wantPhase(Closed)
	}
	k.wantKinds("")
	k.digits("7", "OPEN")
	k.wantPhase(Idle)
	if s := k.till.State().Shift; s.OperatorID != "7" {
		t.Errorf("%+v", s)
	}
}

// TestPartPaid: while a part is paid, every refusal says the same way back.
func TestPartPaid(t *testing.T) {
	k := open(t, shop())
	k.scan(note)
	k.digits("10", "CASH")
	k.scan(note)
	k.wantCode("K09")
	k.digits("2", "QTY")
	k.wantCode("K09")
	k.keys("CLEAR", "CLEAR")
	k.wantCode("K09")
	k.keys("VOID") // as it says
	k.scan(note)
	k.wantCode("K08")
	k.keys("CLEAR") // as it says
	k.wantPhase(Selling)
}

func TestPaperOut(t *testing.T) {
	k := open(t, shop())
	k.scan(note)
	k.keys("CASH")
	k.on(PrintPaused{Job: 1, Cause: "paper out"})
	k.wantCode("P07")
	k.wantShown("ﾖｳｼ ｷﾞﾚ          P07", "ｵﾂﾘ                0")
	k.scan(rice)
	k.wantShown("ｵﾆｷﾞﾘ ｻｹ       1x108", "ｺﾞｳｹｲ !ﾖｳｼ       108")
	k.on(PrintPaused{Job: 1})
	k.wantShown("ｵﾆｷﾞﾘ ｻｹ       1x108", "ｺﾞｳｹｲ            108")
	k.on(Device{Name: "printer", Detail: "cover open"})
	k.wantShown("ｵﾆｷﾞﾘ ｻｹ       1x108", "ｺﾞｳｹｲ !ﾖｳｼ       108")
	k.keys("CASH")
	k.kinds()
	k.on(Device{Name: "printer", Up: true, Detail: "paper near end"})
	k.wantCode("P06")
	k.wantKinds("device.up")
	k.on(PrintFailed{Job: 2, Cause: "unplugged", Unknown: true})
	k.wantCode("P03")
	k.on(PrintFailed{Job: 2, Cause: "unplugged"})
	k.wantKinds("print.fail")
	k.keys("FN")
	k.wantKinds("print.reprint print.start")
	if p := k.effects[0].(Print); !p.Reprint || p.Receipt.SequenceNumber != 2 || p.Job != 3 {
		t.Errorf("%+v", p)
	}
}

func TestPrintQueueIsBounded(t *testing.T) {
	k := open(t, shop())
	for range printsMax {
		k.scan(note)
		k.keys("CASH")
	}
	k.kinds()
	k.scan(note)
	k.keys("CASH")
	k.wantCode("P04")
	k.wantEffects("Kick Beep")
	k.wantKinds("sale.open line.add tender.add sale.commit drawer.kick print.start print.fail")
	if n := len(k.till.State().Prints); n != printsMax {
		t.Errorf("%d jobs", n)
	}
}

func TestOfflineIsAFlag(t *testing.T) {
	k := open(t, shop())
	k.kinds()
	k.on(Cloud{Up: true})
	k.on(Cloud{Detail: "refused"})
	k.on(Cloud{Detail: "refused"})
	k.wantKinds("")
	k.scan(note)
	k.wantShown("ﾉｰﾄ A5         1x110", "ｺﾞｳｹｲ !OFF       110")
	k.on(Cloud{Up: true})
	k.wantCode("N02")
	k.wantShown("ﾉｰﾄ A5         1x110", "ｺﾞｳｹｲ            110")
}

func TestEnglish(t *testing.T) {
	c := shop()
	c.Locale = "en"
	k := open(t, c)
	k.wantShown("WELCOME", "")
	k.scan(note)
	k.wantShown("ﾉｰﾄ A5         1x110", "TOTAL            110")
	k.keys("CARD")
	k.wantShown("CARD             110", "PLEASE SWIPE")
}

func TestIssuer(t *testing.T) {
	c := shop()
	c.Issuer.RegistrationNumber = "T1234567890123"
	k := open(t, c)
	k.wantCode("I04")
	c.Issuer.RegistrationNumber = ""
	k = open(t, c)
	k.wantCode("I03")
}

// A power cut at any moment: the till goes on from its stored state.
func TestPowerResumed(t *testing.T) {
	k := open(t, shop())
	restart := func() {
		t.Helper()
		b, err := json.Marshal(k.till.State())
		if err != nil {
			t.Fatal(err)
		}
		var s State
		if err := json.Unmarshal(b, &s); err != nil {
			t.Fatal(err)
		}
		k.till = New(shop(), s)
		k.kinds()
		k.on(PowerResumed{})
	}
	k.scan(note, rice)
	k.keys("SUBTOTAL", "9", "9")
	restart()
	k.wantKinds("power.resume")
	k.wantShown("ﾄﾘﾋｷ ｦ ﾌｯｷ       R01", "ｺﾞｳｹｲ            218")
	k.wantPhase(Selling)
	if s := k.till.State(); s.Sale.Receipt.Total != 218 || s.Hand.Digits != "" {
		t.Errorf("%+v", s)
	}
	k.keys("CARD")
	k.on(CardRead{Read: card()})
	id := k.till.State().Sale.Pending.ID
	restart()
	k.wantKinds("power.resume card.result card.reversal")
	k.wantCode("R02")
	k.on(Authorized{Reply: record.AuthReply{ID: id, Result: record.Approved}})
	k.wantCode("C12")
	k.keys("CASH")
	restart()
	k.wantKinds("power.resume print.reprint print.start")
	k.wantEffects("Print") // and no Kick
	if p := k.effects[0].(Print); !p.Reprint || p.Job != 2 || p.Receipt.Total != 218 {
		t.Errorf("%+v", p)
	}
	k.on(DrawerOpened{}) // found open: our own kick, not force
	k.on(Printed{Job: 1})
	k.on(Printed{Job: 2})
	k.wantKinds("drawer.opened print.done")
	restart()
	k.wantKinds("power.resume")
	k.wantEffects("")
	k.on(DrawerOpened{}) // it was open before the cut already
	k.on(DrawerClosed{})
	k.wantKinds("drawer.opened drawer.closed")
	restart()
	k.on(DrawerOpened{})
	k.wantKinds("power.resume drawer.forced")
}

func TestLedgerTime(t *testing.T) {
	k := open(t, shop())
	k.now = start.Add(-24 * time.Hour) // the clock was set back
	k.scan(note)
	k.keys("CASH")
	first := k.last()
	if !first.EndDateTime.After(first.BeginDateTime) || first.BeginDateTime.Before(start) {
		t.Errorf("%v to %v", first.BeginDateTime, first.EndDateTime)
	}
	k.now = time.Date(99999, 1, 1, 0, 0, 0, 0, time.UTC) // and then to nonsense
	k.scan(note)
	k.keys("CASH")
	if _, err := json.Marshal(k.till.State()); err != nil {
		t.Error(err)
	}
}

// What State returns, and what effects hold, is not the till's own.
func TestStateIsACopy(t *testing.T) {
	k := open(t, shop())
	k.scan(note)
	s := k.till.State()
	s.Sale.Receipt.LineItem[0].ExtendedAmount = 1
	s.Shift.OperatorID = "9"
	k.keys("CASH")
	p := k.effects[1].(Print)
	p.Receipt.Total = 1
	if r := k.last(); r.LineItem[0].ExtendedAmount != 110 || r.Total != 110 || r.OperatorID != "1" {
		t.Errorf("%+v", r)
	}
}

func BenchmarkHandleScan(b *testing.B) {
	till := New(shop(), State{})
	till.Handle(start, Key{Name: "1"})
	till.Handle(start, Key{Name: "OPEN"})
	now := start
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		now = now.Add(time.Second)
		if i%30 == 29 {
			till.Handle(now, Key{Name: "CASH"})
			till.Handle(now, Printed{Job: till.state.Counters.Job})
			continue
		}
		till.Handle(now, Scanned{GTIN: note.GTIN, Label: note.GTIN, Item: &note})
	}
}

func BenchmarkState(b *testing.B) {
	till := New(shop(), State{})
	till.Handle(start, Key{Name: "1"})
	till.Handle(start, Key{Name: "OPEN"})
	for range 30 {
		till.Handle(start, Scanned{GTIN: note.GTIN, Label: note.GTIN, Item: &note})
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(till.State()); err != nil {
			b.Fatal(err)
		}
	}
}

// TestTwoKicks: the end of one kick is not the end of the other.
func TestTwoKicks(t *testing.T) {
	for _, answers := range [][]Event{
		{DrawerFailed{Reason: "busy"}, DrawerOpened{}},
		{DrawerOpened{}, DrawerClosed{}, DrawerOpened{}},
	} {
		k := open(t, shop())
		k.keys("NOSALE", "NOSALE")
		for _, e := range answers {
			k.on(e)
		}
		if n := k.till.State().Shift.Totals.DrawerForced; n != 0 {
			t.Errorf("%v: %d break-ins", answers, n)
		}
		k.on(DrawerClosed{})
		k.on(DrawerOpened{})
		if n := k.till.State().Shift.Totals.DrawerForced; n != 1 {
			t.Errorf("%v: the break-in after both was counted %d times", answers, n)
		}
	}
}
