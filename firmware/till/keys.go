package till

import (
	"strconv"

	"regi/firmware/sale"
)

// digitsMax bounds a keyed number.
const digitsMax = 8

// key acts on one key. Which keys act in which phase is written in the
// functions below; any other is a message, never silence.
func (t *Till) key(e Key) {
	name := e.Name
	if t.answersDoubt(name) || t.recovered(name) {
		return
	}
	hand := &t.state.Hand
	if name != "CLEAR" {
		hand.Thanks = false
	}
	confirmed := hand.Confirm == name
	if !confirmed && name != "CLEAR" {
		hand.Confirm = ""
	}
	switch phase := t.state.Phase(); {
	case name == "CLEAR":
		t.keyClear(phase, confirmed)
	case hand.Ask != "":
		t.keySupervisor(name)
	case hand.Refund:
		t.fail(msgScanReceipt, "")
	case phase == AwaitCard:
		t.fail(msgSwipe, "")
	case phase == Authorizing:
		t.fail(msgCardWait, "")
	case t.sheetMayNot(e, confirmed):
	case name == "00" || len(name) == 1 && name[0] >= '0' && name[0] <= '9':
		t.keyDigits(name)
	default:
		t.keyFunction(phase, name, confirmed)
	}
}

// keyFaults are the messages of faults of a keypad.
//
//nolint:gochecknoglobals // a constant table
var keyFaults = map[string]message{
	FaultUnknown: msgKeyUnknown, FaultStuck: msgKeyStuck, FaultTogether: msgKeysTogether, FaultBounces: msgKeyBounces, FaultLost: msgKeysLost,
}

// keyFault says what a keypad could not make a key of. What was keyed before may
// lack a digit: it is keyed again.
func (t *Till) keyFault(e KeyFault) {
	m, known := keyFaults[e.Fault]
	if !known {
		m = msgKeyUnknown
	}
	t.fail(m, e.Key)
}

func (t *Till) keyDigits(digits string) {
	hand := &t.state.Hand
	if len(hand.Digits)+len(digits) > digitsMax {
		t.fail(msgDigits, "")
		return
	}
	hand.Digits += digits
	hand.Percent = false
	t.refresh()
}

func (t *Till) keyFunction(phase, name string, confirmed bool) {
	if t.state.Hand.Percent && name != "DISCOUNT" {
		t.fail(msgDiscount, "")
		return
	}
	switch name {
	case "QTY":
		t.keyQuantity(phase)
	case "VOID":
		t.keyVoid(phase, confirmed)
	case "SUBTOTAL":
		t.keySubtotal(phase)
	case "CASH":
		t.keyCash(phase, confirmed)
	case "CARD":
		t.keyCard(phase)
	case "OPEN":
		t.keyOpen(phase)
	case "FN":
		if phase == Closed {
			t.keyReprint()
			return
		}
		t.keyIdle(phase, name)
	case "NOSALE", "X", "Z", "REFUND":
		t.keyIdle(phase, name)
	case "DISCOUNT":
		t.keyDiscount(phase)
	case "DOT":
		t.keyPercent(phase)
	case "ENTER":
		t.keyNumbered(phase)
	case "POINTS":
		t.fail(msgNoFunction, name)
	default:
		t.fail(msgWrongKey, "")
	}
}

// keyIdle are the keys that need an open shift and no sale.
func (t *Till) keyIdle(phase, name string) {
	switch {
	case phase == Closed:
		t.fail(msgClosed, "")
	case name == "REFUND" && t.state.Sale != nil && t.state.Sale.Receipt.Original != nil:
		t.fail(msgReturning, "")
	case phase != Idle:
		t.fail(msgSaleOpen, "")
	case t.state.Training:
		t.fail(msgTraining, "")
	case name == "REFUND":
		t.keyRefund()
	case name == "NOSALE":
		t.keyNoSale()
	case name == "X":
		t.keyX()
	case name == "Z":
		t.keyZ()
	default:
		t.keyReprint()
	}
}

// keyClear takes back what was keyed; with nothing keyed it leaves the tender
// for the goods.
func (t *Till) keyClear(phase string, confirmed bool) {
	hand := &t.state.Hand
	keyed := hand.Digits != "" || hand.Quantity != 0 || hand.Confirm != "" || hand.Ask != "" || hand.Refund
	shown := hand.Message != ""
	hand.Digits, hand.Quantity, hand.Confirm = "", 0, ""
	hand.Percent, hand.Ask, hand.Refund, hand.Sheet, hand.Held, hand.Sure = false, "", false, false, "", false
	hand.Expired, t.state.HalfBook = nil, false
	switch {
	case phase == Authorizing && confirmed:
		t.giveUpCard("operator")
		return
	case phase == Authorizing:
		hand.Confirm = "CLEAR"
		t.say(msgCardWait, "")
		return
	case phase == AwaitCard:
		hand.Card = false
	case keyed:
	case phase == Tendering && len(t.state.Sale.Receipt.Tender) > 0:
		if !shown {
			t.fail(msgPaidPart, "")
			return
		}
	case phase == Tendering:
		hand.Tender = false
	case phase == Idle && !shown:
		hand.Thanks = false
	}
	t.refresh()
}

func (t *Till) keyQuantity(phase string) {
	switch phase {
	case Closed:
		t.fail(msgClosed, "")
		return
	case Tendering:
		t.fail(t.paying(), "")
		return
	}
	n := t.keyed()
	if n < 1 || n > sale.QuantityMax {
		t.fail(msgQuantity, "")
		return
	}
	t.state.Hand.Digits, t.state.Hand.Quantity = "", n
	t.refresh()
}

// keyed is the number keyed, 0 for none: at most eight digits.
func (t *Till) keyed() int64 {
	n, err := strconv.ParseInt(t.state.Hand.Digits, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (t *Till) keySubtotal(phase string) {
	hand := &t.state.Hand
	switch phase {
	case Closed:
		t.fail(msgClosed, "")
	case Idle:
		t.fail(msgNoLine, "")
	default:
		hand.Digits, hand.Quantity, hand.Tender = "", 0, true
		t.refresh()
	}
}

// keyVoid takes back the newest line; while paying the newest part payment,
// and without one the whole sale.
func (t *Till) keyVoid(phase string, confirmed bool) {
	hand := &t.state.Hand
	hand.Digits, hand.Quantity = "", 0
	switch phase {
	case Closed:
		t.fail(msgClosed, "")
	case Idle:
		t.fail(msgNoLine, "")
	case Tendering:
		switch {
		case len(t.state.Sale.Receipt.Tender) > 0:
			t.voidTender()
		case confirmed:
			t.voidSale()
		default:
			t.say(msgConfirm, "")
			hand.Confirm = "VOID"
		}
	default:
		t.voidLine()
	}
}
