package day_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"regi/sim/counter/stand"
)

// The bodies of the ledger's records, read anew from their names on the wire.
type (
	line struct {
		SequenceNumber        int
		ItemID                string
		Quantity              int64
		RegularSalesUnitPrice int64
		ExtendedAmount        int64
		TaxRate               int
		Voided                bool
	}
	tax struct {
		Percent               int
		TaxableAmount, Amount int64
		Included              bool
	}
	tender struct {
		TenderType                  string
		Amount, Tendered, ChangeDue int64
		Authorization               *struct {
			ID     string `json:"id"`
			Result string `json:"result"`
		}
	}
	receipt struct {
		SequenceNumber  int64
		TransactionID   string
		OperatorID      string
		LineItem        []line
		Tax             []tax
		Subtotal, Total int64
		Tender          []tender
	}
	tally  struct{ Count, Amount int64 }
	totals struct {
		Sales                     tally
		ItemCount                 int64
		Cash, CreditDebit         tally
		Tax                       []tax
		VoidedLines, VoidedSales  tally
		NoSales, Reprints         int64
		CardRefused, DrawerForced int64
	}
	report struct {
		Kind                                    string
		Number                                  int64
		FirstSequenceNumber, LastSequenceNumber int64
		Totals                                  totals
		GrandTotal                              int64
	}
	printJob struct {
		Job            uint64
		Document       string
		SequenceNumber int64
		Reprint        bool
		By             string
	}
	event struct { // what the other bodies have
		TransactionID  string
		LineItem       line
		SequenceNumber int
		Amount         int64
		Tender         tender
		ID             string `json:"id"`
		Result         string `json:"result"`
		Phase          string
		PrintJobs      int
		Reason         string
	}
)

// books is the ledger read from its first record, as a bookkeeper would.
type books struct {
	*cashier
	at uint64 // the record being read

	open     *receipt // as its records say so far
	pending  string   // the card attempt without a result
	inShift  bool
	shift    totals
	first    int64
	last     int64
	grand    int64
	z        int64
	commits  []receipt
	ids      map[string]bool // of transactions
	jobs     map[uint64]printJob
	begun    map[printKey]int
	finished map[printKey]int
	failed   map[printKey]int
	kicks    int
	forced   int // openings without a kick

	resumes, amidCard, takenBack int
	reversed                     map[string]bool
	unknown                      map[string]bool // nobody knows whether they were charged
	approved                     map[string]bool // as the register knows it
}

// printKey is one document; a copy is another one.
type printKey struct {
	document string
	number   int64
	reprint  bool
}

func (j printJob) key() printKey { return printKey{j.Document, j.SequenceNumber, j.Reprint} }

func (b *books) fault(format string, args ...any) {
	b.t.Helper()
	b.t.Errorf("record %d: %s", b.at, fmt.Sprintf(format, args...))
}

// judge checks everything that must hold once nothing is under way.
func (p *cashier) judge() {
	p.t.Helper()
	b := &books{
		cashier: p, ids: map[string]bool{}, jobs: map[uint64]printJob{}, begun: map[printKey]int{},
		finished: map[printKey]int{}, failed: map[printKey]int{}, reversed: map[string]bool{}, unknown: map[string]bool{}, approved: map[string]bool{},
	}
	prev := strings.Repeat("0", 64)
	for i, e := range p.Ledger(0) {
		b.at = e.Seq
		if e.Seq != uint64(i)+1 || e.Prev != prev {
			b.fault("it is number %d of the list and follows %s, not %s", i+1, e.Prev, prev)
		}
		prev = e.Hash
		b.read(e)
	}
	if b.open != nil {
		b.fault("sale %s is still open", b.open.TransactionID)
	}
	for _, j := range b.jobs {
		b.fault("print job %+v was begun and forgotten", j)
	}
	b.cards()
	b.judgePaper()
	s := p.state()
	if s.Drawer.Violations != 0 || s.Drawer.Pulses > 2*b.kicks { // one kick is tried twice
		b.fault("%d pulses of the drawer for %d kicks, %d violations", s.Drawer.Pulses, b.kicks, s.Drawer.Violations)
	}
	if done := p.faults["drawer forced"] + p.done["forced"]; b.forced > done {
		b.fault("%d alarms of a forced drawer, it was forced %d times", b.forced, done)
	}
	if len(s.Cloud.Alarms) != 0 {
		b.fault("the cloud's receiver has alarms: %q", s.Cloud.Alarms)
	}
	if starts := p.count(`"msg":"ready"`); starts > 1+p.kills+p.cuts {
		b.fault("the register died by itself: %d starts after %d kills and %d power cuts", starts, p.kills, p.cuts)
	}
	for _, word := range []string{"panic", "internal error", "fatal error", `"level":"ERROR"`} {
		if n := p.count(word); n > 0 {
			b.fault("the log says %q %d times", word, n)
		}
	}
	for _, what := range p.bad {
		b.fault("%s", what)
	}
	p.coverage = b.coverage()
}

// coverage tells how much happened, so that a quiet day is seen as one.
func (b *books) coverage() string {
	copies, failed := 0, 0
	for key, n := range b.begun {
		if key.reprint {
			copies += n
		}
	}
	for _, n := range b.failed {
		failed += n
	}
	return fmt.Sprintf("%d records, %d sales, %d restarts (%d amid a card attempt), %d reversals (%d of approved cards), %d copies, %d prints failed, %d kicks, %d forced",
		b.at, len(b.commits), b.resumes, b.amidCard, len(b.reversed), b.takenBack, copies, failed, b.kicks, b.forced)
}

func unmarshal[T any](b *books, data []byte) (v T) {
	if err := json.Unmarshal(data, &v); err != nil {
		b.fault("%v", err)
	}
	return v
}

// read takes in one record.
func (b *books) read(e stand.Entry) {
	var v event
	if e.Kind != "sale.commit" { // it has a list of what others have one of
		v = unmarshal[event](b, e.Body)
	}
	switch e.Kind {
	case "shift.open":
		if b.inShift {
			b.fault("a shift inside a shift")
		}
		b.inShift, b.shift, b.first, b.last = true, totals{}, 0, 0
	case "shift.close":
		b.inShift = false
	case "x", "z":
		b.report(unmarshal[report](b, e.Body))
	case "sale.open", "line.add", "line.void", "void", "tender.add", "tender.void":
		b.sale(e.Kind, v)
	case "sale.commit":
		b.commit(unmarshal[receipt](b, e.Body))
	case "card.intent", "card.result", "card.reversal":
		b.card(e.Kind, v)
	case "print.start", "print.done", "print.fail", "print.reprint":
		b.print(e.Kind, unmarshal[printJob](b, e.Body))
	case "power.resume":
		b.resume(v)
	case "nosale":
		b.shift.NoSales++
	case "drawer.kick":
		b.kicks++
	case "drawer.forced":
		b.shift.DrawerForced++
		b.forced++
	}
}

func (b *books) sale(kind string, v event) {
	if kind == "sale.open" {
		if b.open != nil || !b.inShift || b.ids[v.TransactionID] {
			b.fault("sale %s opens in shift %v inside of %+v", v.TransactionID, b.inShift, b.open)
		}
		b.ids[v.TransactionID] = true
		b.open = &receipt{TransactionID: v.TransactionID}
		return
	}
	if b.open == nil || b.open.TransactionID != v.TransactionID {
		b.fault("%s of sale %s, open is %+v", kind, v.TransactionID, b.open)
		b.open = &receipt{TransactionID: v.TransactionID}
	}
	r := b.open
	switch kind {
	case "line.add":
		r.LineItem = append(r.LineItem, v.LineItem)
	case "line.void":
		at := v.SequenceNumber - 1
		if at < 0 || at >= len(r.LineItem) || r.LineItem[at].Voided || r.LineItem[at].ExtendedAmount != v.Amount {
			b.fault("voids line %d of %+v", v.SequenceNumber, r.LineItem)
			return
		}
		r.LineItem[at].Voided = true
		b.shift.VoidedLines.add(v.Amount)
	case "void":
		b.shift.VoidedSales.add(v.Amount)
		if len(r.Tender) > 0 {
			b.fault("a sale was given up with %d payments on it", len(r.Tender))
		}
		b.open = nil
	case "tender.add":
		r.Tender = append(r.Tender, v.Tender)
	case "tender.void":
		n := len(r.Tender) - 1
		if n < 0 || !reflect.DeepEqual(r.Tender[n], v.Tender) {
			b.fault("voids tender %+v of %+v", v.Tender, r.Tender)
			return
		}
		r.Tender = r.Tender[:n]
	}
}

func (t *tally) add(amount int64) { t.Count++; t.Amount += amount }

// commit checks one sale: its records, its goods, its tax and its payments.
func (b *books) commit(r receipt) {
	if b.open == nil || b.open.TransactionID != r.TransactionID || b.pending != "" {
		b.fault("commit of %s, open is %+v, card attempt %q", r.TransactionID, b.open, b.pending)
		return
	}
	if !reflect.DeepEqual(b.open.LineItem, r.LineItem) || !reflect.DeepEqual(b.open.Tender, r.Tender) {
		b.fault("the sale's records say %+v, its commit %+v", *b.open, r)
	}
	b.open = nil
	b.commits = append(b.commits, r)
	if r.SequenceNumber != int64(len(b.commits)) {
		b.fault("receipt %d is the commit number %d", r.SequenceNumber, len(b.commits))
	}
	if b.first == 0 {
		b.first = r.SequenceNumber
	}
	b.last = r.SequenceNumber
	sums := map[int]int64{}
	for _, l := range r.LineItem {
		g, known := shelf[strings.TrimLeft(l.ItemID, "0")]
		if !known || l.RegularSalesUnitPrice != g.price || l.TaxRate != g.rate || l.ExtendedAmount != g.price*l.Quantity {
			b.fault("line %+v is not what the shelf says: %+v", l, g)
		}
		if !l.Voided {
			sums[l.TaxRate] += l.ExtendedAmount
			b.shift.ItemCount += l.Quantity
		}
	}
	b.sums(r, sums)
	b.grand += r.Total
	b.shift.Sales.add(r.Total)
}

func (b *books) sums(r receipt, sums map[int]int64) {
	if len(r.Tax) != len(sums) {
		b.fault("%d tax rates for %v", len(r.Tax), sums)
	}
	var total int64
	for _, t := range r.Tax {
		want := sums[t.Percent] * int64(t.Percent) / int64(100+t.Percent)
		if t.TaxableAmount != sums[t.Percent] || t.Amount != want || !t.Included {
			b.fault("tax %+v, want %d of %d", t, want, sums[t.Percent])
		}
		total += t.TaxableAmount
		b.shift.Tax = addTax(b.shift.Tax, t)
	}
	var paid int64
	by := map[string]int64{}
	for _, t := range r.Tender {
		paid += t.Amount
		by[t.TenderType] += t.Amount
		if t.Tendered != t.Amount+t.ChangeDue || t.ChangeDue < 0 || t.TenderType != "Cash" && t.ChangeDue != 0 {
			b.fault("tender %+v", t)
		}
	}
	if total != r.Total || total != r.Subtotal || paid != r.Total {
		b.fault("lines %d, subtotal %d, total %d, paid %d", total, r.Subtotal, r.Total, paid)
	}
	if amount, ok := by["Cash"]; ok {
		b.shift.Cash.add(amount)
	}
	if amount, ok := by["CreditDebit"]; ok {
		b.shift.CreditDebit.add(amount)
	}
}

func addTax(sums []tax, t tax) []tax {
	for i := range sums {
		if sums[i].Percent == t.Percent {
			sums[i].TaxableAmount += t.TaxableAmount
			sums[i].Amount += t.Amount
			return sums
		}
	}
	return append(sums, t)
}

// report compares an X or a Z with the sum of what was read.
func (b *books) report(r report) {
	if r.Kind == "Z" {
		if r.Number != b.z+1 || b.open != nil {
			b.fault("Z number %d after %d, open sale %+v", r.Number, b.z, b.open)
		}
		b.z = r.Number
	}
	if len(r.Totals.Tax) == 0 {
		r.Totals.Tax = nil
	}
	if !b.inShift || !reflect.DeepEqual(r.Totals, b.shift) || r.FirstSequenceNumber != b.first || r.LastSequenceNumber != b.last {
		b.fault("%s says %+v, the shift's records %+v", r.Kind, r.Totals, b.shift)
	}
	if r.GrandTotal != b.grand {
		b.fault("grand total %d, the sales are %d", r.GrandTotal, b.grand)
	}
}

func (b *books) card(kind string, v event) {
	switch kind {
	case "card.intent":
		if b.pending != "" || b.open == nil || b.open.TransactionID != v.TransactionID {
			b.fault("a card attempt beside %q", b.pending)
		}
		b.pending = v.ID
	case "card.result":
		if b.pending != v.ID {
			b.fault("a result of %s, pending is %q", v.ID, b.pending)
		}
		b.pending = ""
		if v.Result == "approved" {
			b.approved[v.ID] = true
			return
		}
		if v.Result == "no-answer" {
			b.unknown[v.ID] = true
		}
		b.shift.CardRefused++
	case "card.reversal":
		if b.reversed[v.ID] || b.approved[v.ID] {
			b.fault("%s is reversed although it was %v, or twice", v.ID, b.approved[v.ID])
		}
		b.reversed[v.ID] = true
	}
}

func (b *books) print(kind string, j printJob) {
	switch kind {
	case "print.reprint":
		if b.inShift {
			b.shift.Reprints++
		}
		return
	case "print.start":
		if _, twice := b.jobs[j.Job]; twice {
			b.fault("job %d begins twice", j.Job)
		}
		b.jobs[j.Job] = j
		b.begun[j.key()]++
		if !j.Reprint && j.Document != "X" && b.begun[j.key()] > 1 {
			b.fault("a second original of %+v", j)
		}
		return
	}
	if j.By == "operator" { // this cashier does not look at the paper before he says so
		return
	}
	if b.jobs[j.Job] != j {
		b.fault("%s of job %+v, begun was %+v", kind, j, b.jobs[j.Job])
	}
	delete(b.jobs, j.Job)
	if kind == "print.done" {
		b.finished[j.key()]++
	} else {
		b.failed[j.key()]++
	}
}

// resume checks that the till knows after a restart what its records say.
func (b *books) resume(v event) {
	b.resumes++
	if b.pending != "" {
		b.amidCard++
	}
	if v.PrintJobs != len(b.jobs) {
		b.fault("resumed with %d print jobs, the records say %d", v.PrintJobs, len(b.jobs))
	}
	clear(b.jobs) // each begins again as a copy
	id := ""
	if b.open != nil {
		id = b.open.TransactionID
	}
	if v.TransactionID != id {
		b.fault("resumed with sale %q, the records say %q", v.TransactionID, id)
	}
	if (v.Phase == "CLOSED") == b.inShift || (v.Phase == "AUTH") != (b.pending != "") {
		b.fault("resumed in %s, shift %v, card attempt %q", v.Phase, b.inShift, b.pending)
	}
}

// cards compares the ledger with what the card processor approved: each
// approval is in one commit, or taken back.
func (b *books) cards() {
	inCommit := map[string]int{}
	for _, r := range b.commits {
		for _, t := range r.Tender {
			if t.TenderType == "Cash" {
				continue
			}
			if t.Authorization == nil || t.Authorization.Result != "approved" {
				b.fault("receipt %d was paid by a card without approval", r.SequenceNumber)
				continue
			}
			inCommit[t.Authorization.ID]++
		}
	}
	approved := map[string]bool{}
	for text := range strings.Lines(b.Log.String()) {
		var said struct{ Msg, Process, ID, Result string }
		if strings.Contains(text, `"process":"hsm"`) && json.Unmarshal([]byte(text), &said) == nil && said.Msg == "answer" && said.Result == "approved" {
			approved[said.ID] = true
		}
	}
	for id := range approved {
		reversals := 0
		if b.reversed[id] {
			reversals = 1
			b.takenBack++
		}
		if inCommit[id]+reversals != 1 {
			b.fault("card attempt %s was approved; it is in %d sales and has %d reversals", id, inCommit[id], reversals)
		}
	}
	for id := range b.unknown {
		if !b.reversed[id] {
			b.fault("card attempt %s has no answer and no reversal", id)
		}
	}
	for id := range inCommit {
		if !approved[id] {
			b.fault("card attempt %s is in a sale, but was never approved", id)
		}
	}
}
