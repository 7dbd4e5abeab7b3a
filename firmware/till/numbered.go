package till

import (
	"regi/firmware/record"
	"regi/firmware/sale"
)

// Functions that have a number and ENTER instead of a key.
const (
	numberAddressed = 1
	numberOrder     = 2
	numberSheet     = 5
	numberTraining  = 9
)

// Functions that need the supervisor, as they stand in records and in Hand.Ask.
const (
	askRefund   = "REFUND"
	askTraining = "TRAINING"
	askExpired  = "EXPIRED"
)

// keyNumbered is ENTER: what was keyed says what it does.
func (t *Till) keyNumbered(phase string) {
	hand := &t.state.Hand
	number := t.keyed()
	hand.Digits = ""
	switch {
	case number == numberSheet && (phase == Closed || phase == Idle):
		t.keySheet()
	case phase == Closed:
		t.fail(msgClosed, "")
	case hand.Confirm == "ENTER" && hand.Expired != nil && number == 0:
		t.keyExpired()
	case hand.Confirm == "ENTER" && number == 0 && phase == Idle: // see keyTraining
		t.train(true)
	case number == numberAddressed && t.country.Scheme == sale.Japanese:
		t.keyAddressed(phase)
	case number == numberOrder:
		t.keyOrder(phase)
	case number == numberTraining:
		t.keyTraining(phase)
	default:
		t.fail(msgNumbered, "")
	}
}

// keyAddressed prints the 領収書 of the last sale: one to a sale, but for one
// that did not come out.
func (t *Till) keyAddressed(phase string) {
	last := t.state.Last
	again := last != nil && t.state.Addressed == last.SequenceNumber
	switch {
	case phase != Idle:
		t.fail(msgSaleOpen, "")
	case t.state.Training:
		t.fail(msgTraining, "")
	case last == nil || last.Original != nil:
		t.fail(msgNoReceipt, "")
	case again && !t.state.AddressedFailed:
		t.fail(msgAddressedOnce, "")
	default:
		t.state.Addressed, t.state.AddressedFailed = last.SequenceNumber, false
		job := Job{Receipt: last, Form: FormAddressed, Bytes: encodedSize(last)}
		start := t.print
		if again { // perhaps the first one is out there
			start = t.reprint
		}
		if !start(job) {
			t.state.AddressedFailed = true
			t.fail(msgPrintQueue, "")
			return
		}
		t.refresh()
	}
}

// keyOrder prints the lines of the open sale that no order slip has yet.
func (t *Till) keyOrder(phase string) {
	open := t.state.Sale
	if phase != Selling && phase != Tendering || open.Receipt.Original != nil {
		t.fail(msgNoLine, "")
		return
	}
	slip := open.Receipt
	slip.LineItem, slip.Tender = nil, nil
	for _, line := range open.Receipt.LineItem[open.Ordered:] {
		if !line.Voided {
			slip.LineItem = append(slip.LineItem, line)
		}
	}
	slip.EndDateTime = t.now
	if slip.LineItem == nil {
		t.fail(msgNoLine, "")
		return
	}
	if !t.print(Job{Receipt: &slip, Form: FormOrder, Bytes: open.Bytes + receiptRestBytes}) {
		t.fail(msgPrintQueue, "")
		return
	}
	open.Ordered = len(open.Receipt.LineItem)
	t.refresh()
}

// keyTraining begins training, which a supervisor must allow, or ends it.
func (t *Till) keyTraining(phase string) {
	switch {
	case phase != Idle:
		t.fail(msgSaleOpen, "")
	case t.state.Training:
		t.train(false)
	case t.config.Supervisor != "":
		t.askSupervisor(askTraining)
	default:
		t.say(msgTrainingAsk, "")
		t.state.Hand.Confirm = "ENTER"
	}
}

// asksTraining: whether training shall begin is asked and not answered.
func (t *Till) asksTraining() bool {
	hand := &t.state.Hand
	return hand.Confirm == "ENTER" && hand.Expired == nil && t.state.Phase() == Idle
}

// train begins or ends what is not sold.
func (t *Till) train(on bool) {
	t.state.Training, t.state.Hand = on, Hand{}
	kind, m := record.TrainingOff, msgTrainingEnded
	if on {
		kind, m = record.TrainingOn, msgTrainingBegan
	}
	t.record(kind, TrainingBody{OperatorID: t.state.Shift.OperatorID})
	t.notice(m, "")
	t.refresh()
}

// commitTraining ends a sale that was none: it is on record under its own
// numbers and on paper with its mark, and moves neither totals nor drawer.
func (t *Till) commitTraining() {
	open := t.state.Sale
	receipt := &open.Receipt
	receipt.SequenceNumber = t.state.Counters.Training
	receipt.EndDateTime = t.now
	t.state.Sale = nil
	t.thank(receipt)
	t.record(record.SaleCommit, *receipt)
	if !t.print(Job{Receipt: receipt, Bytes: open.Bytes + receiptRestBytes}) {
		t.do(Beep{})
		t.notice(msgPrintQueue, "")
	}
	t.refresh()
}
