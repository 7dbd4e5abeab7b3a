package till

import (
	"fmt"

	"regi/firmware/record"
	"regi/firmware/sale"
)

// changeMax is the most change that nobody asks about: ten of Japan's largest
// note. A code keyed by hand and followed by CASH looks like a very large
// payment.
const changeMax = 100_000

// keyCash takes the amount keyed, or exactly what is due. Less than that is a
// part payment, more gives change.
func (t *Till) keyCash(phase string, confirmed bool) {
	if !t.mayPay(phase) {
		return
	}
	hand := &t.state.Hand
	r := &t.state.Sale.Receipt
	due, tendered := r.Due(), r.Due()
	if hand.Digits != "" {
		tendered = sale.Money(t.keyed())
	}
	switch {
	case due < 0:
		t.payBack(due)
		return
	case tendered == 0 && due > 0:
		t.fail(msgAmount, "")
		return
	case tendered < due && len(r.Tender) >= tendersMax:
		t.fail(msgTendersMax, "")
		return
	case tendered-due > changeMax && !confirmed:
		t.say(msgCashMuch, t.amount(tendered-due))
		hand.Confirm = "CASH"
		return
	}
	hand.Digits, hand.Quantity, hand.Tender = "", 0, true
	pay := sale.Tender{TenderType: sale.Cash, Amount: min(due, tendered), Tendered: tendered, ChangeDue: max(0, tendered-due)}
	t.tender(pay)
}

// paying says how to get back to the goods: not before a part payment is given
// back.
func (t *Till) paying() message {
	if len(t.state.Sale.Receipt.Tender) > 0 {
		return msgPaidPart
	}
	return msgPaying
}

// mayPay says whether there is a sale to pay, and tells the operator if not.
func (t *Till) mayPay(phase string) bool {
	switch phase {
	case Closed:
		t.fail(msgClosed, "")
	case Idle:
		t.fail(msgNoLine, "")
	default:
		if len(t.state.Sale.Receipt.Tax) > 0 {
			return true
		}
		t.fail(msgNoLine, "") // a return of nothing yet
	}
	return false
}

// tender keeps one payment and commits the sale when nothing is due any more.
func (t *Till) tender(pay sale.Tender) {
	r := &t.state.Sale.Receipt
	r.Tender = append(r.Tender, pay)
	said := pay
	said.Card = nil // it is in card.intent, and in sale.commit
	t.record(record.TenderAdd, TenderBody{TransactionID: r.TransactionID, Tender: said})
	if r.Due() > 0 {
		t.refresh()
		return
	}
	t.commit()
}

// voidTender gives the newest part payment back. The drawer was never opened
// for it, so it stays shut.
func (t *Till) voidTender() {
	r := &t.state.Sale.Receipt
	last := r.Tender[len(r.Tender)-1]
	r.Tender = r.Tender[:len(r.Tender)-1]
	t.state.Hand.Tender = true
	t.record(record.TenderVoid, TenderBody{TransactionID: r.TransactionID, Tender: last})
	t.refresh()
}

// keyCard asks for a card that pays exactly what is due.
func (t *Till) keyCard(phase string) {
	if !t.mayPay(phase) {
		return
	}
	hand := &t.state.Hand
	due := t.state.Sale.Receipt.Due()
	switch {
	case t.state.Training:
		t.fail(msgTraining, "")
	case t.state.Sale.Receipt.Original != nil:
		t.fail(msgReturnCash, "")
	case hand.Digits != "" && sale.Money(t.keyed()) != due:
		t.fail(msgCardExact, "")
	case due <= 0:
		t.fail(msgNothingDue, "")
	case t.state.Flags.Offline:
		t.fail(msgCardOffline, "")
	case t.state.Flags.Down["card"] != "":
		t.fail(cardRefusal(t.state.Flags.Down["card"], msgCardDown), t.state.Flags.Down["card"])
	default:
		*hand = Hand{Tender: true, Card: true}
		t.refresh()
	}
}

// cardRead asks the acquirer, if a card was asked for: the attempt is on
// record, with its sealed card read, before anybody is asked.
func (t *Till) cardRead(read record.CardRead) {
	switch phase := t.state.Phase(); {
	case phase == Authorizing:
		t.fail(msgCardWait, "")
		return
	case phase != AwaitCard:
		t.fail(msgCardFirst, "")
		return
	case !read.Luhn || len(read.CT) == 0 || sizeOf(read) > cardBytesMax:
		t.fail(msgCardBad, "")
		return
	}
	open := t.state.Sale
	open.Attempts++
	request := record.AuthRequest{
		ID:     fmt.Sprintf("%s-%d", open.Receipt.TransactionID, open.Attempts),
		Amount: int64(open.Receipt.Due()), Currency: t.config.Currency, Card: read,
	}
	open.Pending = &request
	t.state.Hand = Hand{Tender: true}
	t.record(record.CardIntent, CardIntentBody{TransactionID: open.Receipt.TransactionID, AuthRequest: request})
	t.do(Authorize{Request: request})
	t.refresh()
}

// sizeOf bounds a card read's encoded size: every byte of its texts may become
// six, of its binary fields two.
func sizeOf(c record.CardRead) int {
	texts := len(c.Suite) + len(c.KSN) + len(c.Source) + len(c.BIN) + len(c.Last4) + len(c.Brand) + len(c.ServiceCode) + len(c.Tracks) + len(c.Entry)
	const names = 200
	return names + 6*texts + 2*(len(c.CT)+len(c.MAC))
}

func (t *Till) cardFailed(reason string) {
	switch t.state.Phase() {
	case AwaitCard:
		t.fail(cardRefusal(reason, msgCardBad), reason)
	case Authorizing:
		t.fail(msgCardWait, "")
	default:
		t.fail(msgCardFirst, "")
	}
}

// Results of an authorisation that the register itself gives.
const (
	resultOffline  = "offline"
	resultNoAnswer = "no-answer"
)

// authorized ends the pending attempt. Any other answer is late, and its
// reversal is on record already.
func (t *Till) authorized(reply record.AuthReply) {
	open := t.state.Sale
	if open == nil || open.Pending == nil || open.Pending.ID != reply.ID {
		if reply.Result != resultNoAnswer { // the shell's own clock has run out: no news
			t.notice(msgCardLate, reply.ID)
		}
		return
	}
	if reply.Result == record.Approved {
		t.approve(reply)
		return
	}
	m := msgCardNoAnswer
	switch reply.Result {
	case record.Declined:
		m = msgDeclined
	case record.InsufficientFunds:
		m = msgFunds
	case record.AuthError:
		m = msgCardError
	case resultOffline:
		m = msgCardOffline
	default:
		// No answer, or a word this register does not know: it may have been
		// charged.
		t.reverse(reply)
		t.fail(m, reply.Reason)
		return
	}
	t.refuse(reply)
	t.fail(m, reply.Reason)
}

func (t *Till) approve(reply record.AuthReply) {
	open := t.state.Sale
	request := open.Pending
	open.Pending = nil
	t.record(record.CardResult, CardResultBody{TransactionID: open.Receipt.TransactionID, AuthReply: reply})
	t.tender(sale.Tender{
		TenderType: sale.CreditDebit, Amount: sale.Money(request.Amount), Tendered: sale.Money(request.Amount),
		Card: &request.Card, Authorization: &reply,
	})
}

// refuse ends an attempt that is known not to be charged.
func (t *Till) refuse(reply record.AuthReply) {
	open := t.state.Sale
	open.Pending = nil
	t.state.Hand = Hand{Tender: true}
	t.state.Shift.Totals.CardRefused++
	t.record(record.CardResult, CardResultBody{TransactionID: open.Receipt.TransactionID, AuthReply: reply})
}

// reverse ends an attempt that may have been charged.
func (t *Till) reverse(reply record.AuthReply) {
	open := t.state.Sale
	request := open.Pending
	t.refuse(reply)
	t.record(record.CardReversal, CardReversalBody{
		TransactionID: open.Receipt.TransactionID, ID: request.ID, Amount: request.Amount, Currency: request.Currency,
		Reason: reply.Result,
	})
}

// giveUpCard ends the wait for an answer.
func (t *Till) giveUpCard(reason string) {
	t.reverse(record.AuthReply{ID: t.state.Sale.Pending.ID, Result: resultNoAnswer, Reason: reason})
	t.fail(msgCardNoAnswer, "")
}
