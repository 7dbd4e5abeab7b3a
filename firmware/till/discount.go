package till

import (
	"regi/firmware/record"
	"regi/firmware/sale"
)

// percentMax is all of it.
const percentMax = 100

// keyPercent is DOT: the number before it is percent of a discount.
func (t *Till) keyPercent(phase string) {
	hand := &t.state.Hand
	switch n := t.keyed(); {
	case phase == Closed:
		t.fail(msgClosed, "")
	case phase != Selling && phase != Tendering:
		t.fail(msgNoLine, "")
	case hand.Digits == "" || n > percentMax:
		t.fail(msgDiscount, "")
	default:
		hand.Percent = true
		t.refresh()
	}
}

// keyDiscount takes the amount, or the percent, that was keyed off the newest
// line; once the goods are counted, off the sale. It takes the place of an
// earlier one, and 0 takes that back.
func (t *Till) keyDiscount(phase string) {
	hand := &t.state.Hand
	switch {
	case phase == Closed:
		t.fail(msgClosed, "")
	case phase == Idle:
		t.fail(msgNoLine, "")
	case t.state.Sale.Receipt.Original != nil:
		t.fail(msgNoDiscount, "")
	case hand.Digits == "":
		t.fail(msgDiscount, "")
	case phase == Selling:
		t.discountLine()
	case len(t.state.Sale.Receipt.Tender) > 0:
		t.fail(msgPaidPart, "")
	default:
		t.discountSale()
	}
}

// discounted is what the keyed discount takes off an amount, and its percent.
func (t *Till) discounted(from sale.Money) (off sale.Money, percent int64, ok bool) {
	n := t.keyed()
	if !t.state.Hand.Percent {
		return sale.Money(n), 0, sale.Money(n) <= from
	}
	// In the customer's favour by less than the smallest coin.
	return (from*sale.Money(n) + percentMax - 1) / percentMax, n, true
}

func (t *Till) discountLine() {
	r := &t.state.Sale.Receipt
	at := len(r.LineItem) - 1
	for at >= 0 && r.LineItem[at].Voided {
		at--
	}
	if at < 0 {
		t.fail(msgNoLine, "")
		return
	}
	line := &r.LineItem[at]
	off, percent, ok := t.discounted(line.ExtendedAmount)
	before := line.DiscountAmount
	line.DiscountAmount = off
	if !ok || r.Sum(t.included, t.rounding) != nil { // Sum refuses and leaves the totals
		line.DiscountAmount = before
		t.fail(msgDiscount, "")
		return
	}
	t.record(record.DiscLine, DiscountBody{TransactionID: r.TransactionID, SequenceNumber: line.SequenceNumber, Amount: off, Percent: percent})
	t.state.Sale.Upper = split(t.words("ﾈﾋﾞｷ", "DISCOUNT"), t.amount(-off))
	t.state.Hand = Hand{}
	t.refresh()
}

func (t *Till) discountSale() {
	r := &t.state.Sale.Receipt
	off, percent, ok := t.discounted(r.Subtotal)
	before := r.DiscountAmount
	r.DiscountAmount = off
	if !ok || r.Sum(t.included, t.rounding) != nil {
		r.DiscountAmount = before
		t.fail(msgDiscount, "")
		return
	}
	t.record(record.DiscSale, DiscountBody{TransactionID: r.TransactionID, Amount: off, Percent: percent})
	t.state.Hand = Hand{Tender: true}
	t.refresh()
}
