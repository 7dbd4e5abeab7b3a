package till

import (
	"encoding/json"
	"slices"
	"strconv"

	"regi/firmware/record"
	"regi/firmware/sale"
)

// commit makes the sale exist: from its record on, nothing undoes it.
func (t *Till) commit() {
	shift := t.state.Shift
	if t.state.Sale.Receipt.TrainingModeFlag {
		t.commitTraining()
		return
	}
	open := t.state.Sale
	receipt := &open.Receipt
	bytes := open.Bytes + receiptRestBytes
	t.state.Counters.Receipt++
	receipt.SequenceNumber = t.state.Counters.Receipt
	receipt.EndDateTime = t.now
	t.state.Counters.GrandTotal += receipt.Total // below its limit: see sell
	if err := shift.Totals.Add(receipt); err != nil {
		panic("till: internal error: a shift is over what all shifts are: " + err.Error())
	}
	if shift.FirstReceipt == 0 {
		shift.FirstReceipt = receipt.SequenceNumber
	}
	shift.LastReceipt = receipt.SequenceNumber
	kind := record.SaleCommit
	if receipt.Original != nil {
		kind = record.Refund
		t.returned(receipt)
	}
	t.state.Last, t.state.Sale = receipt, nil
	t.keep(receipt)
	t.thank(receipt)
	t.record(kind, *receipt)
	if hasCash(receipt) {
		t.kick(DrawerBody{Reason: "sale", TransactionID: receipt.TransactionID})
	}
	if !t.print(Job{Receipt: receipt, Bytes: bytes}) {
		t.do(Beep{})
		t.notice(msgPrintQueue, "") // the display is for the change
	}
	t.refresh()
}

// thank leaves what the customer waits for on the display.
func (t *Till) thank(r *sale.Receipt) {
	t.state.Hand = Hand{Thanks: true, ThanksTotal: r.Total, ThanksChange: r.Change(), ThanksCard: r.Paid(sale.CreditDebit) > 0}
}

func hasCash(r *sale.Receipt) bool {
	for _, tender := range r.Tender {
		if tender.TenderType == sale.Cash && tender.Tendered != 0 {
			return true
		}
	}
	return false
}

// print starts a job, unless too many wait for the printer already.
func (t *Till) print(job Job) bool {
	t.makeRoom(1, job.Bytes)
	bytes := job.Bytes
	for _, j := range t.state.Prints {
		bytes += j.Bytes
	}
	if job.At.IsZero() || job.Reprint {
		job.At = t.now
	}
	t.state.Counters.Job++
	job.Job = t.state.Counters.Job
	t.record(record.PrintStart, job.body())
	if len(t.state.Prints) >= printsMax || bytes > printsBytesMax {
		body := job.body()
		body.Cause = "too many jobs wait"
		t.record(record.PrintFail, body)
		return false
	}
	t.state.Prints = append(t.state.Prints, job)
	t.do(t.effect(job))
	return true
}

func (j Job) body() PrintBody {
	b := PrintBody{Job: j.Job, Reprint: j.Reprint}
	switch {
	case j.Form == FormOrder:
		b.Document, b.TransactionID = j.Form, j.Receipt.TransactionID
	case j.Receipt != nil:
		b.Document, b.SequenceNumber = "receipt", j.Receipt.SequenceNumber
		if j.Form != FormReceipt {
			b.Document = j.Form
		}
		if j.Receipt.TrainingModeFlag {
			b.TransactionID = j.Receipt.TransactionID // its number is of another series
		}
	case j.Report != nil:
		b.Document, b.SequenceNumber = j.Report.Kind, j.Report.Number
	case j.Form == FormSheet:
		b.Document = j.Form
	}
	return b
}

// effect hands out copies: the shell may add to them.
func (t *Till) effect(j Job) Print {
	p := Print{Job: j.Job, Form: j.Form, Reprint: j.Reprint, At: j.At}
	if j.Receipt != nil {
		r := *j.Receipt
		p.Receipt = &r
		if j.Form == FormReceipt {
			p.Code = t.code(&r)
		}
	}
	if j.Report != nil {
		r := *j.Report
		p.Report = &r
	}
	if j.Form == FormSheet {
		p.Sheet = t.Sheet()
	}
	return p
}

// takeJob removes a job that has ended.
func (t *Till) takeJob(number uint64) (Job, bool) {
	for i, j := range t.state.Prints {
		if j.Job == number {
			t.state.Prints = append(t.state.Prints[:i:i], t.state.Prints[i+1:]...)
			return j, true
		}
	}
	return Job{}, false
}

func (t *Till) printed(number uint64) {
	job, known := t.takeJob(number)
	if !known {
		return
	}
	t.record(record.PrintDone, job.body())
	if job.Apart {
		defer t.apart(job)
	}
	if t.state.Flags.Paper != "" {
		t.state.Flags.Paper = ""
		t.printerGoesOn()
	}
}

// ofSale: it is a receipt, which FN prints again.
func (j Job) ofSale() bool {
	return j.Form == FormReceipt && j.Receipt != nil && !j.Receipt.TrainingModeFlag
}

// apart says how to get whole what a change of the roll has left in two pieces.
func (t *Till) apart(job Job) {
	switch {
	case job.Form == FormAddressed:
		if job.Receipt.SequenceNumber == t.state.Addressed {
			t.state.AddressedFailed = true // as good as none: a marked copy may follow
		}
		t.tell(msgTwoAddressed, Doubt{Job: job}.number())
	case job.Form == FormSheet:
		t.tell(msgTwoSheet, "")
	case job.Report != nil && job.Report.Kind == sale.ReportX:
		t.tell(msgTwoX, "")
	case job.ofSale():
		t.tell(msgTwoPieces, Doubt{Job: job}.number())
	default:
		t.tell(msgTwoKept, job.body().Document)
	}
}

func (t *Till) printFailed(e PrintFailed) {
	job, known := t.takeJob(e.Job)
	if !known {
		return
	}
	if job.Form == FormAddressed && job.Receipt.SequenceNumber == t.state.Addressed {
		t.state.AddressedFailed = true
	}
	body := job.body()
	body.Cause, body.Unknown = e.Cause, e.Unknown
	t.record(record.PrintFail, body)
	t.state.Flags.Paper = ""
	if e.Unknown || e.Late {
		t.doubt(Doubt{Job: job, Late: e.Late && !e.Unknown})
		return
	}
	if !job.ofSale() {
		t.warn(msgOtherFailed, job.body().Document+": "+e.Cause)
		return
	}
	t.warn(msgPrintFailed, e.Cause)
}

func (t *Till) printPaused(e PrintPaused) {
	switch e.Cause {
	case t.state.Flags.Paper:
	case "":
		t.state.Flags.Paper = ""
		t.printerGoesOn()
	default:
		t.state.Flags.Paper = e.Cause
		for i := range t.state.Prints {
			if j := &t.state.Prints[i]; j.Job == e.Job && e.Cause == paperOut {
				j.Apart = true
			}
		}
		if t.state.Flags.Down["printer"] == e.Cause {
			t.refreshFlags()
			return // it has been said
		}
		t.do(Beep{})
		t.tell(paperMessage(e.Cause), e.Cause)
	}
}

// printerGoesOn takes the printer's message off the display.
func (t *Till) printerGoesOn() {
	if isPaperMessage(t.state.Hand.Message) {
		t.state.Hand.Message = ""
	}
	t.tell(msgPrintGoesOn, "")
	t.askAgain()
}

// keyReprint prints the last receipt again, or that whose number was keyed,
// marked as such.
func (t *Till) keyReprint() {
	last, number := t.state.Last, t.keyed()
	if t.state.Hand.Digits != "" && (last == nil || last.SequenceNumber != number) {
		at := t.keptAt(number)
		if at < 0 {
			t.fail(msgNotKept, strconv.FormatInt(number, 10))
			return
		}
		last = t.state.Kept[at].receipt()
	}
	t.state.Hand.Digits = ""
	if last == nil {
		t.fail(msgNoReceipt, "")
		return
	}
	if !t.reprint(Job{Receipt: last, Bytes: encodedSize(last)}) {
		t.fail(msgPrintQueue, "")
		return
	}
	t.refresh()
}

func encodedSize(r *sale.Receipt) int {
	b, err := json.Marshal(r)
	if err != nil {
		return sale.ReceiptBytesMax
	}
	return len(b)
}

func (t *Till) reprint(job Job) bool {
	if shift := t.state.Shift; shift != nil && (job.Receipt == nil || !job.Receipt.TrainingModeFlag) {
		shift.Totals.Reprints++
	}
	job.Reprint, job.Apart = true, false // a copy is of one piece
	body := job.body()
	// Nobody need look for the paper that this one replaces.
	t.state.Doubts = slices.DeleteFunc(slices.Clone(t.state.Doubts), func(d Doubt) bool {
		old := d.Job.body()
		return old.Document == body.Document && old.SequenceNumber == body.SequenceNumber && old.TransactionID == body.TransactionID
	})
	body.Job = t.state.Counters.Job + 1 // which print is about to take
	t.record(record.PrintReprint, body)
	return t.print(job)
}
