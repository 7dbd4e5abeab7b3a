package till

import (
	"errors"
	"maps"
	"slices"
	"strconv"

	"regi/firmware/sale"
)

// keyRefund begins a return: the supervisor first, then the receipt.
func (t *Till) keyRefund() {
	if t.config.Supervisor != "" {
		t.askSupervisor(askRefund)
		return
	}
	t.awaitReceipt()
}

func (t *Till) awaitReceipt() {
	t.state.Hand = Hand{Refund: true}
	t.say(msgScanReceipt, "")
}

// scannedCode takes the code of the receipt whose goods come back.
func (t *Till) scannedCode(label string) {
	if t.state.Hand.Ask != "" {
		t.fail(msgSupervisor, "")
		return
	}
	original, err := t.readCode(label)
	switch {
	case errors.Is(err, errNoCode):
		t.fail(msgNotReceipt, "")
	case errors.Is(err, errForeign):
		t.fail(msgForeign, "")
	case err != nil:
		t.fail(msgForged, "")
	case t.keptAt(original.SequenceNumber) < 0 && slices.Contains(t.state.Returned, original.SequenceNumber):
		t.fail(msgReturned, strconv.FormatInt(original.SequenceNumber, 10))
	default:
		open := t.newSale()
		open.Receipt.Original = &original
		open.itemLine(t.words("ﾍﾝﾋﾟﾝ", "RETURN"), "No."+strconv.FormatInt(original.SequenceNumber, 10))
		t.openSale(open)
		t.state.Hand = Hand{}
		t.refresh()
	}
}

// takeBack adds goods of the original sale, at what was paid for them. A sale
// too old to be kept says no prices: today's are given back.
func (t *Till) takeBack(e Scanned) {
	open := t.state.Sale
	t.state.HalfBook = t.state.HalfBook && !e.Book
	quantity := max(1, t.state.Hand.Quantity)
	at := t.keptAt(open.Receipt.Original.SequenceNumber)
	if at < 0 {
		line, err := t.add(open, e, -quantity)
		t.tookBack(open, []sale.Line{line}, err)
		return
	}
	piece, err := t.lineOf(e, quantity)
	if err != nil {
		t.noLine(err)
		return
	}
	back := t.fromReceipt(t.state.Kept[at], piece)
	if back == nil {
		t.state.Hand.Quantity = 0
		t.fail(msgNotOnReceipt, "")
		return
	}
	before := *open
	before.Receipt.LineItem = slices.Clone(open.Receipt.LineItem)
	lines := make([]sale.Line, 0, len(back))
	for _, b := range back {
		line, err := t.addLine(open, e.Item.Kana, b)
		if err != nil {
			*open = before
			if sumErr := open.Receipt.Sum(t.included, t.rounding); sumErr != nil {
				panic("till: internal error: a return that was is none: " + sumErr.Error())
			}
			t.tookBack(open, nil, err)
			return
		}
		lines = append(lines, line)
	}
	t.tookBack(open, lines, nil)
}

// fromReceipt is the goods of a kept sale as lines that come back, nil where
// not as many are left on it.
func (t *Till) fromReceipt(k Kept, piece sale.Line) []sale.Line {
	sold := k.receipt()
	if sold == nil {
		return nil
	}
	gone := maps.Clone(k.Returned)
	if gone == nil {
		gone = map[int]int64{}
	}
	addReturned(gone, &t.state.Sale.Receipt)
	shares := discountShares(sold)
	var back []sale.Line
	quantity := piece.Quantity
	for i, line := range sold.LineItem {
		take := min(quantity, line.Quantity-gone[line.SequenceNumber])
		if !samePiece(line, piece) || line.Voided || take <= 0 {
			continue
		}
		// What is given back for the first n pieces of a line, so that all of
		// them together are what was paid, to the yen.
		paid := line.Net() - shares[i]
		upTo := func(n int64) sale.Money { return paid * sale.Money(n) / sale.Money(line.Quantity) }
		already := gone[line.SequenceNumber]
		gross := line.RegularSalesUnitPrice * sale.Money(take)
		back = append(back, sale.Line{
			ItemID: line.ItemID, Description: line.Description, OriginalLine: line.SequenceNumber,
			Quantity: -take, RegularSalesUnitPrice: line.RegularSalesUnitPrice, ExtendedAmount: -gross,
			DiscountAmount: upTo(already+take) - upTo(already) - gross,
			TaxRate:        line.TaxRate, PriceVersion: line.PriceVersion, Measure: line.Measure,
			SerialNumber: line.SerialNumber, LotNumber: line.LotNumber, ExpirationDate: line.ExpirationDate,
		})
		if quantity -= take; quantity == 0 {
			return back
		}
	}
	return nil
}

// addReturned counts the lines of a return by the line they are of.
func addReturned(gone map[int]int64, r *sale.Receipt) {
	for _, line := range r.LineItem {
		if !line.Voided && line.OriginalLine != 0 {
			gone[line.OriginalLine] -= line.Quantity
		}
	}
}

// discountShares is each line's part of the discount on the sale.
func discountShares(r *sale.Receipt) []sale.Money {
	weights := make([]sale.Money, len(r.LineItem))
	for i := range r.LineItem {
		if line := &r.LineItem[i]; !line.Voided {
			weights[i] = line.Net()
		}
	}
	return sale.Apportion(r.DiscountAmount, weights)
}

// tookBack records the lines, or says why there are none.
func (t *Till) tookBack(open *Sale, lines []sale.Line, err error) {
	if err != nil {
		t.noLine(err)
		return
	}
	for _, line := range lines {
		t.recordLine(open.Receipt.TransactionID, line)
	}
	t.state.Hand = Hand{}
	t.refresh()
}

// payBack ends a return: all of it, in cash.
func (t *Till) payBack(due sale.Money) {
	hand := &t.state.Hand
	switch {
	case hand.Digits != "":
		t.fail(msgReturnCash, "")
	case t.config.RefundMax > 0 && -due > t.config.RefundMax:
		t.fail(msgReturnMax, "")
	default:
		hand.Quantity, hand.Tender = 0, true
		t.tender(sale.Tender{TenderType: sale.Cash, Amount: due, Tendered: due})
	}
}

// returned counts what came back on the original's account.
func (t *Till) returned(r *sale.Receipt) {
	at := t.keptAt(r.Original.SequenceNumber)
	if at < 0 {
		t.noteReturned(r.Original.SequenceNumber)
		return
	}
	k := &t.state.Kept[at]
	if k.Returned == nil {
		k.Returned = map[int]int64{}
	}
	addReturned(k.Returned, r)
}
