package till

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"regi/firmware/catalog"
	"regi/firmware/record"
	"regi/firmware/sale"
)

// auditor keeps the books from the records alone, as the cloud would, and
// knows nothing of the till's state.
type auditor struct {
	t        testing.TB
	open     string               // the sale under way
	lines    map[int]sale.Money   // its standing lines
	offs     map[int]sale.Money   // and what is off each
	off      sale.Money           // and off the sale
	back     bool                 // it is a return
	training bool                 // it is none at all
	practice int64                // number of the newest training sale
	tenders  []sale.Tender        // its payments
	done     map[string]bool      // sales that ended
	intents  map[string]int64     // card attempts without a result
	results  map[string]bool      // card attempts with one
	approved map[string]int64     // of the sale under way
	jobs     map[uint64]bool      // print jobs without an outcome
	all      map[uint64]bool      // print jobs ever
	returns  sale.Money           // given back in the open shift
	unknown  map[uint64]bool      // whose outcome nobody knows
	receipts int64                // number of the newest receipt
	z        int64                // number of the newest Z
	grand    sale.Money           // all sales
	shift    sale.Money           // sales of the open shift
	cash     sale.Money           // cash taken less change in it
	isOpen   bool                 // the shift
	commits  int                  // in the Handle under way
	kicks    int                  // drawer.kick records in it
	starts   map[uint64]PrintBody // print.start records in it
	intent   int                  // card.intent records in it
	mayKick  bool                 // sale.commit or nosale in it
	expired  bool                 // a supervisor has let goods past their date be sold in it
}

func newAuditor(t testing.TB) *auditor {
	return &auditor{
		t: t, done: map[string]bool{}, intents: map[string]int64{}, results: map[string]bool{},
		approved: map[string]int64{}, jobs: map[uint64]bool{}, all: map[uint64]bool{}, unknown: map[uint64]bool{},
	}
}

func (a *auditor) must(ok bool, what string, about any) {
	a.t.Helper()
	if !ok {
		a.t.Fatalf("%s: %+v", what, about)
	}
}

// handle audits the effects of one event.
func (a *auditor) handle(e Event, effects []Effect) {
	a.t.Helper()
	a.commits, a.kicks, a.intent, a.mayKick, a.expired, a.starts = 0, 0, 0, false, false, map[uint64]PrintBody{}
	kicks, prints, asks, acted := 0, 0, 0, false
	for _, effect := range effects {
		switch f := effect.(type) {
		case Record:
			a.must(!acted, "an effect stands before a record", effects)
			a.record(f)
			continue
		case Show:
			checkShow(a.t, f)
		case Kick:
			kicks++
		case Authorize:
			asks++
		case Notice:
			a.must(f.Code != "" && len(f.Text) < 1000, "notice", f)
		case Print:
			prints++
			body, ok := a.starts[f.Job]
			a.must(ok && body.Reprint == f.Reprint, "print without print.start", f)
			a.must((f.Receipt != nil) != (f.Report != nil) != (f.Form == FormSheet && len(f.Sheet) > 0), "print of nothing, or of two things", f)
			a.must(f.Receipt == nil || f.Form == FormOrder || f.Receipt.SequenceNumber > 0 && f.Receipt.Due() == 0, "print of what is no receipt", f)
		}
		acted = true
	}
	a.must(a.commits <= 1, "two commits for one event", e)
	a.must(kicks == a.kicks && kicks <= 1 && (kicks == 0 || a.mayKick), "kick", effects)
	a.must(asks == a.intent && asks <= 1, "card asked for without card.intent", effects)
	waiting := 0
	for job := range a.starts {
		if a.jobs[job] {
			waiting++
		}
	}
	a.must(prints == waiting, "print.start without print", effects)
}

// ofSheet says whether the supervisor was asked for a key of a sheet, which may be
// in the middle of a sale.
func ofSheet(body any) bool {
	o, ok := body.(OverrideBody)
	return ok && (slices.Contains(supervisorKeys, o.Function) || o.Function == "VOID")
}

func (a *auditor) record(r Record) {
	a.t.Helper()
	b, err := json.Marshal(r.Body)
	a.must(err == nil && len(b) <= sale.ReceiptBytesMax, "body does not fit a record", len(b))
	switch body := r.Body.(type) {
	case ShiftBody:
		a.must(a.isOpen == (r.Kind == record.ShiftClose), "shift", body)
		a.isOpen = !a.isOpen
		a.shift, a.cash, a.returns = 0, 0, 0
	case SaleOpenBody:
		a.must(a.isOpen && a.open == "" && !a.done[body.TransactionID], "sale.open", body)
		a.open, a.lines, a.tenders, a.approved = body.TransactionID, map[int]sale.Money{}, nil, map[string]int64{}
		a.offs, a.off, a.back, a.training = map[int]sale.Money{}, 0, body.Original != nil, body.TrainingModeFlag
	case LineAddBody:
		a.line(body)
	case DiscountBody:
		a.discount(r.Kind, body)
	case OverrideBody:
		a.must(ofSheet(r.Body) || a.isOpen && (a.open == "" || body.Function == askExpired), "the supervisor in the middle of a sale", body)
		a.expired = body.Granted && body.Function == askExpired
	case TrainingBody:
		a.must(ofSheet(r.Body) || a.isOpen && a.open == "", "training in the middle of a sale", body)
	case LineVoidBody:
		a.must(body.TransactionID == a.open && a.lines[body.SequenceNumber] == body.Amount, "line.void", body)
		delete(a.lines, body.SequenceNumber)
	case VoidBody:
		a.must(body.TransactionID == a.open && len(a.tenders) == 0 && len(a.intents) == 0, "void of a sale with money in it", body)
		a.end()
	case TenderBody:
		a.tender(r.Kind, body)
	case CardIntentBody:
		a.intent++
		a.must(body.TransactionID == a.open && len(a.intents) == 0 && !a.results[body.ID] && body.Amount == int64(a.due()), "card.intent", body)
		a.intents[body.ID] = body.Amount
	case CardResultBody:
		amount, ok := a.intents[body.ID]
		a.must(ok && !a.results[body.ID], "card.result", body)
		delete(a.intents, body.ID)
		a.results[body.ID] = true
		if body.Result == record.Approved {
			a.approved[body.ID] = amount
		}
	case CardReversalBody:
		a.must(a.results[body.ID] && a.approved[body.ID] == 0, "card.reversal", body)
	case sale.Receipt:
		a.commit(body)
	case sale.Report:
		a.report(body)
	default:
		a.device(r)
	}
}

func (a *auditor) line(body LineAddBody) {
	a.t.Helper()
	line := body.LineItem
	a.must(body.TransactionID == a.open && line.ExtendedAmount == line.RegularSalesUnitPrice*sale.Money(line.Quantity), "line.add", body)
	a.must(len(a.tenders) == 0, "line.add after a payment", body)
	a.must(line.Quantity < 0 == a.back, "goods go the wrong way", body)
	a.must(a.back || a.expired || line.ExpirationDate != fuzzExpired, "goods past their date without a supervisor", body)
	a.expired = false
	a.lines[line.SequenceNumber] = line.Net()
	a.offs[line.SequenceNumber] = line.DiscountAmount
}

func (a *auditor) discount(kind record.Kind, body DiscountBody) {
	a.t.Helper()
	a.must(body.TransactionID == a.open && !a.back && len(a.tenders) == 0 && body.Amount >= 0, "discount", body)
	if kind == record.DiscSale {
		a.off = body.Amount
		return
	}
	a.lines[body.SequenceNumber] += a.offs[body.SequenceNumber] - body.Amount
	a.offs[body.SequenceNumber] = body.Amount
	a.must(a.lines[body.SequenceNumber] >= 0, "a line below nothing", body)
}

func (a *auditor) tender(kind record.Kind, body TenderBody) {
	a.t.Helper()
	pay := body.Tender
	a.must(body.TransactionID == a.open && pay.Tendered == pay.Amount+pay.ChangeDue && (pay.Amount >= 0) != a.back && pay.ChangeDue >= 0, "tender", body)
	if kind == record.TenderVoid {
		last := len(a.tenders) - 1
		a.must(last >= 0 && a.tenders[last] == pay && pay.TenderType == sale.Cash, "tender.void", body)
		a.tenders = a.tenders[:last]
		return
	}
	a.must(pay.Amount <= a.due() && (pay.ChangeDue == 0 || pay.Amount == a.due() && pay.TenderType == sale.Cash), "over-tender", body)
	if pay.TenderType == sale.CreditDebit {
		a.must(!a.training, "a card in training", body)
		a.must(pay.Authorization != nil && a.approved[pay.Authorization.ID] == int64(pay.Amount) && pay.Amount == a.due(), "card tender", body)
	}
	a.tenders = append(a.tenders, pay)
}

func (a *auditor) total() sale.Money {
	var sum sale.Money
	for _, amount := range a.lines {
		sum += amount
	}
	return sum - a.off
}

func (a *auditor) due() sale.Money {
	due := a.total()
	for _, pay := range a.tenders {
		due -= pay.Amount
	}
	return due
}

func (a *auditor) commit(r sale.Receipt) {
	a.t.Helper()
	a.commits, a.mayKick = a.commits+1, !a.training
	number := a.receipts + 1
	if a.training {
		a.must(r.SequenceNumber > a.practice, "a training sale's number", r)
		number, a.practice = r.SequenceNumber, r.SequenceNumber
	}
	a.must(r.TransactionID == a.open && r.SequenceNumber == number && len(a.intents) == 0, "sale.commit", r)
	a.must(r.TrainingModeFlag == a.training && (r.Original != nil) == a.back, "the commit is of another kind than its sale", r)
	a.must(r.Total == a.total() && a.due() == 0 && r.Due() == 0 && len(r.Tender) == len(a.tenders), "sale.commit does not add up", r)
	a.must(r.EndDateTime.After(r.BeginDateTime), "time stands still", r)
	for i, pay := range r.Tender {
		pay.Card = nil
		same := pay.TenderType == a.tenders[i].TenderType && pay.Amount == a.tenders[i].Amount && pay.ChangeDue == a.tenders[i].ChangeDue
		a.must(same && (pay.TenderType == sale.Cash) == (r.Tender[i].Card == nil), "tenders of the commit are not those recorded", r)
		if pay.TenderType == sale.Cash && !a.training {
			a.cash += pay.Tendered - pay.ChangeDue
		}
	}
	a.end()
	if a.training {
		return
	}
	a.receipts = r.SequenceNumber
	a.grand += r.Total
	if a.back {
		a.returns -= r.Total
		return
	}
	a.shift += r.Total
}

func (a *auditor) end() { a.done[a.open], a.open = true, "" }

func (a *auditor) report(r sale.Report) {
	a.t.Helper()
	a.must(a.isOpen && a.open == "" && r.Number == a.z+1, "report", r)
	a.must(r.GrandTotal == a.grand && r.Totals.Sales.Amount == a.shift && r.Totals.Cash.Amount == a.cash && r.Totals.Returns.Amount == a.returns && r.Totals.CreditDebit.Amount == a.shift-a.returns-a.cash, "report does not add up", r)
	if r.Kind == sale.ReportZ {
		a.z = r.Number
	}
}

func (a *auditor) device(r Record) {
	a.t.Helper()
	switch r.Kind { //nolint:exhaustive // the kinds whose body has a type of its own are audited above
	case record.DrawerKick:
		a.kicks++
	case record.NoSale:
		a.must(a.isOpen && a.open == "", "nosale", r)
		a.mayKick = true
	case record.PrintStart:
		body := r.Body.(PrintBody)
		a.must(!a.all[body.Job], "two jobs with one number", body)
		a.all[body.Job], a.jobs[body.Job], a.starts[body.Job] = true, true, body
	case record.PrintDone, record.PrintFail:
		body := r.Body.(PrintBody)
		if body.By != "" {
			a.must(a.unknown[body.Job] && r.Kind == record.PrintDone, "an operator's word on a job that is known", body)
			delete(a.unknown, body.Job)
			return
		}
		a.must(a.jobs[body.Job], "outcome of a job that is not under way", body)
		delete(a.jobs, body.Job)
		a.unknown[body.Job] = body.Unknown
	case record.PowerResume:
		maps.Copy(a.unknown, a.jobs) // nobody will say what became of them
		a.jobs = map[uint64]bool{}
	}
}

// script turns bytes into events; most of them are what a counter sees, in
// any order.
type script struct {
	data []byte
	till *Till
}

func (s *script) byte() byte {
	if len(s.data) == 0 {
		return 0
	}
	b := s.data[0]
	s.data = s.data[1:]
	return b
}

func (s *script) next() (Event, time.Duration) {
	op, arg := s.byte(), s.byte()
	keys := []string{
		"1", "5", "0", "00", "QTY", "VOID", "SUBTOTAL", "CASH", "CARD", "CLEAR", "OPEN", "NOSALE", "X", "Z", "FN", "ENTER", "DOT", "nonsense\n",
		"DISCOUNT", "REFUND", "9", "2",
	}
	results := []string{record.Approved, record.Declined, record.InsufficientFunds, record.AuthError, "offline", "no-answer", ""}
	causes := []string{"", "paper out", "cover open", cardZeroised, "no key"}
	step := time.Duration(int8(arg)) * time.Second //nolint:gosec // any step, back too
	switch op % 16 {
	case 0, 1, 2:
		return Key{Name: keys[int(arg)%len(keys)]}, step
	case 3, 4:
		items := []catalog.Item{note, rice, {GTIN: "00000000000017", Name: "x", Price: int64(arg) * 999_999, Rate: "standard"}}
		item := items[int(arg)%len(items)]
		if op%16 == 4 && arg >= 128 {
			return s.label(arg), step
		}
		return Scanned{Label: "x", GTIN: item.GTIN, Item: &item}, step
	case 5:
		if last := s.till.State().Last; last != nil && arg%3 == 0 {
			return Scanned{Label: s.till.code(last), Problem: ProblemUnknownCode}, step
		}
		if sheet := s.till.Sheet(); arg%3 == 1 && len(sheet) > 0 {
			return Scanned{Label: sheet[int(arg)%len(sheet)].Code}, step
		}
		problems := []string{"", ProblemUnknownCode, ProblemCheckDigit, "\x00", ProblemUpperRow, ProblemLowerRow, ProblemBookDone, ProblemMoney}
		return Scanned{Label: strconv.Itoa(int(arg)), Problem: problems[int(arg)%len(problems)]}, step
	case 6:
		read := card()
		read.Luhn = arg%7 != 0
		return CardRead{Read: read}, step
	case 7:
		reply := record.AuthReply{ID: "0001-01-20261124-1-1", Result: results[int(arg)%len(results)]}
		if open := s.till.State().Sale; open != nil && open.Pending != nil && arg%5 != 0 {
			reply.ID = open.Pending.ID
		}
		return Authorized{Reply: reply}, step
	case 8:
		if arg%2 == 0 {
			return KeyFault{Fault: []string{FaultStuck, FaultTogether, "other"}[int(arg)%3], Key: "7"}, step
		}
		return CardFailed{Reason: "parity"}, step
	case 9:
		return []Event{DrawerOpened{}, DrawerClosed{}, DrawerFailed{Reason: "stuck"}, DrawerLeftOpen{}, DrawerFailed{Reason: drawerStuck}, DrawerTested{}}[arg%6], step
	case 10:
		return Printed{Job: uint64(arg)}, step
	case 11:
		return PrintFailed{Job: uint64(arg), Cause: "unplugged", Unknown: arg%2 == 0}, step
	case 12:
		return PrintPaused{Job: uint64(arg), Cause: causes[int(arg)%len(causes)]}, step
	case 13:
		return Device{Name: append(devices, "other")[int(arg)%8], Up: arg%2 == 0, Detail: causes[int(arg)%len(causes)]}, step
	case 14:
		return []Event{Cloud{Up: true}, Cloud{}, Tampered{Line: "GPIO22"}}[arg%3], step
	}
	return PowerResumed{}, step
}

// fuzzExpired is past at any time that a script reaches.
const fuzzExpired = "2001-01-01"

// label is a scan of goods whose label says something.
func (s *script) label(arg byte) Scanned {
	items := []catalog.Item{beef, fried, eggs, novel, note}
	item, n := items[int(arg)%len(items)], int64(s.byte())
	e := Scanned{Label: "x", GTIN: item.GTIN, Item: &item}
	switch arg >> 3 & 7 {
	case 0, 1:
		e.Said = catalog.Said{Amount: n * 100_000, Code: "KGM", Lot: "<&>"}
	case 2:
		e.Said = catalog.Said{Price: n * n * n * 7, Untaxed: n%2 == 0}
	case 3:
		e.Said = catalog.Said{Count: n}
	case 4:
		e.Said = catalog.Said{Amount: n * 100_000, Code: "KGM", UnitPrice: n * 999, Price: n % 5, Count: 2}
	case 5:
		e.Said = catalog.Said{Amount: 326_000, Code: "KGM", Price: 960, Count: 1, Expiry: fuzzExpired}
	case 6:
		e.Said = catalog.Said{Price: 100, Serial: string('a' + rune(n%3))}
	default:
		e.Book, e.Said = true, catalog.Said{Price: 435, Untaxed: true}
	}
	return e
}

// FuzzTill plays any events in any order. An auditor checks the records; a
// second till, which is rebuilt from the stored state before every event and
// gets the event from its stored form, must do the same to the byte.
func FuzzTill(f *testing.F) {
	f.Add([]byte{0, 0, 0, 10, 3, 0, 3, 1, 0, 7, 9, 0, 10, 1, 9, 1})                               // a cash sale
	f.Add([]byte{0, 0, 0, 10, 3, 0, 0, 8, 6, 1, 7, 7, 15, 0, 0, 13})                              // a card, a power cut, a Z
	f.Add([]byte{0, 0, 0, 10, 3, 0, 0, 0, 0, 7, 0, 8, 6, 1, 15, 0, 7, 7, 0, 8, 6, 1, 7, 7, 0, 5}) // split, cut off
	f.Add([]byte{0, 0, 0, 10, 3, 0, 0, 6, 0, 5, 0, 5, 0, 11, 9, 2, 0, 12, 0, 14, 12, 1, 13, 3, 14, 1})
	f.Add([]byte{0, 0, 0, 10, 4, 130, 9, 4, 146, 5, 4, 150, 7, 4, 173, 0, 0, 15, 4, 176, 1, 4, 176, 1, 0, 7, 9, 0, 10, 1, 9, 1}) // by label
	f.Add([]byte{0, 0, 0, 10, 5, 4, 5, 6, 3, 0, 0, 7, 0, 7, 4, 185, 0, 0, 7})                                                    // half a book, then a whole one
	f.Add(bytes.Repeat([]byte{0, 0, 0, 10, 3, 0, 0, 7}, 20))                                                                     // more receipts than the print queue holds
	f.Fuzz(func(t *testing.T, data []byte) {
		play(t, data)
	})
}

// TestTillAtRandom is the same with scripts that get further: most of their
// bytes are the keys and events of an ordinary day.
func TestTillAtRandom(t *testing.T) {
	const days = 20
	seed := time.Now().UnixNano()
	if s, err := strconv.ParseInt(os.Getenv("REGI_TILL_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("REGI_TILL_SEED=%d plays this again", seed)
	random := rand.New(rand.NewSource(seed)) //nolint:gosec // a campaign
	ordinary := [][]byte{{0, 0, 0, 10}, {3, 0}, {3, 1}, {3, 2}, {4, 1}, {0, 6}, {0, 7}, {0, 0, 0, 7}, {0, 1, 0, 4}, {0, 5}, {0, 8, 6, 1}, {7, 7}, {7, 8}, {9, 0}, {9, 1}, {10, 1}, {15, 0}, {0, 9}, {0, 14}, {0, 20, 0, 15, 0, 15}, {0, 1, 0, 18}, {0, 1, 0, 16, 0, 18}, {0, 19, 5, 0, 3, 0, 0, 7}, {0, 0, 0, 15}, {0, 21, 0, 15}, {0, 12}, {0, 13, 0, 10}, {4, 130, 9}, {4, 146, 5}, {4, 152, 7}, {4, 171, 0, 0, 15}, {4, 176, 1}, {5, 4}}
	sales := int64(0)
	for range days {
		data := []byte{0, 0, 0, 10}
		for len(data) < 400 {
			if random.Intn(4) == 0 {
				var pair [2]byte
				random.Read(pair[:]) //nolint:gosec // never fails
				data = append(data, pair[:]...)
				continue
			}
			data = append(data, ordinary[random.Intn(len(ordinary))]...)
		}
		sales += play(t, data)
	}
	if sales < days {
		t.Errorf("only %d sales in %d days: the script does not get far enough to test anything", sales, days)
	}
}

// codes is the shop with codes on its receipts.
func codes(c Config) Config {
	c.CodeKey = []byte("a key of the test, 32 bytes long")
	return c
}

// play returns the number of sales committed.
func play(t *testing.T, data []byte) int64 {
	t.Helper()
	const eventsMax = 300
	now := start
	one := New(codes(shop()), State{})
	stored := encode(t, State{})
	books := newAuditor(t)
	s := script{data: data, till: one}
	for n := 0; len(s.data) > 0 && n < eventsMax; n++ {
		e, step := s.next()
		now = now.Add(step)
		effects := one.Handle(now, e)
		books.handle(e, effects)
		stored = again(t, stored, now, e, effects, one.State())
	}
	return books.receipts
}

// again handles the event once more, from what is on disk, and returns what is
// on disk then.
func again(t *testing.T, stored []byte, now time.Time, e Event, effects []Effect, after State) []byte {
	t.Helper()
	var before State
	if err := json.Unmarshal(stored, &before); err != nil {
		t.Fatal(err)
	}
	b, err := MarshalEvent(e)
	if err != nil {
		t.Fatal(err)
	}
	e, err = UnmarshalEvent(b)
	if err != nil {
		t.Fatal(err)
	}
	two := New(codes(shop()), before)
	got, want := encode(t, two.Handle(now, e)), encode(t, effects)
	if !bytes.Equal(got, want) {
		t.Fatalf("%T is not handled alike from the stored state\n got %s\nwant %s", e, got, want)
	}
	got, want = encode(t, two.State()), encode(t, after)
	if !bytes.Equal(got, want) {
		t.Fatalf("%T leads to another state from the stored one\n got %s\nwant %s", e, got, want)
	}
	if len(got) > StateBytesMax {
		t.Fatalf("a state of %d bytes", len(got))
	}
	return got
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func FuzzUnmarshalEvent(f *testing.F) {
	item := note
	for _, e := range []Event{
		Scanned{Label: "4901", GTIN: note.GTIN, Item: &item},
		Scanned{Label: "4901", GTIN: note.GTIN, Item: &item, Book: true, Said: catalog.Said{
			Price: 1, Untaxed: true, Amount: 2, Code: "KGM", UnitPrice: 3, Count: 4, Expiry: fuzzExpired, Lot: "L", Serial: "S",
		}},
		Key{Name: "CASH"},
		CardRead{Read: card()},
		CardFailed{Reason: "x"},
		Authorized{Reply: record.AuthReply{ID: "1", Result: "approved"}},
		DrawerOpened{},
		DrawerTested{},
		DrawerClosed{},
		DrawerFailed{Reason: "x"},
		DrawerLeftOpen{},
		Printed{Job: 1},
		PrintFailed{Job: 1, Cause: "x", Unknown: true},
		PrintPaused{Job: 1},
		Device{Name: "card", Up: true},
		Cloud{Up: true},
		Tampered{Line: "GPIO22"},
		PowerResumed{},
	} {
		b, err := MarshalEvent(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"type":"key","data":{"name":"1","more":1}}`))
	f.Add([]byte(`{"type":"key","data":null}{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := UnmarshalEvent(b)
		if err != nil {
			if e != nil {
				t.Fatalf("%v with an error", e)
			}
			return
		}
		one, err := MarshalEvent(e)
		if err != nil {
			return // it grew over its limit by escapes
		}
		e, err = UnmarshalEvent(one)
		if err != nil {
			t.Fatal(err)
		}
		two, err := MarshalEvent(e)
		if err != nil || !bytes.Equal(one, two) {
			t.Fatalf("%s becomes %s, %v", one, two, err)
		}
		// Any event that can be stored can be handled, in any phase.
		till := New(shop(), State{})
		books := newAuditor(t)
		for _, e := range []Event{e, Key{Name: "1"}, Key{Name: "OPEN"}, e, Scanned{Item: &item}, e, Key{Name: "CARD"}, e, CardRead{Read: card()}, e, PowerResumed{}, e} {
			books.handle(e, till.Handle(start, e))
		}
	})
}
