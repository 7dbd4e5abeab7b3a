package till

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"regi/firmware/catalog"
	"regi/firmware/record"
	"regi/firmware/sale"
)

// Why goods make no line.
var (
	errFull     = errors.New("till: the sale is full") // it would not fit its record
	errNoAmount = errors.New("till: the label says neither how much nor what it costs")
	errByPiece  = errors.New("till: the label says how much, the catalogue does not ask")
	errSerial   = errors.New("till: this very piece is on the sale")
)

func lineMessage(err error) message {
	switch {
	case errors.Is(err, errFull):
		return msgSaleFull
	case errors.Is(err, errNoAmount):
		return msgNoAmount
	case errors.Is(err, errByPiece):
		return msgByPiece
	case errors.Is(err, errSerial):
		return msgSerial
	}
	return msgAmountMax
}

// lineOf is the line of goods, at today's price or that of their label. quantity
// is below 0 for goods that come back.
func (t *Till) lineOf(e Scanned, quantity int64) (sale.Line, error) {
	item, said := e.Item, e.Said
	rate, _ := t.rateOf(item)
	line := sale.Line{
		ItemID: item.GTIN, Description: item.Name, Quantity: quantity, RegularSalesUnitPrice: sale.Money(item.Price),
		TaxRate: rate, PriceVersion: item.Version,
		SerialNumber: said.Serial, LotNumber: said.Lot, ExpirationDate: said.Expiry,
	}
	if said.Serial != "" && quantity != 1 && quantity != -1 {
		return sale.Line{}, errSerial
	}
	if err := t.price(&line, item, said); err != nil {
		return sale.Line{}, err
	}
	var err error
	if line.ExtendedAmount, err = sale.Extend(line.RegularSalesUnitPrice, line.Quantity); err != nil {
		return sale.Line{}, fmt.Errorf("till: %w", err)
	}
	return line, nil
}

// price fills in what the label and the item's unit make of the price. A label
// counts only where the catalogue asks for it: anybody can print one.
func (t *Till) price(line *sale.Line, item *catalog.Item, said catalog.Said) (err error) {
	code, per, measured := item.Measure()
	weighed := measured && said.Code == code && said.Amount > 0
	if weighed {
		line.Measure = sale.Measure{Units: sale.Units(said.Amount), UnitOfMeasureCode: code}
	}
	switch {
	case item.Unit == "":
		if said.Price != 0 || said.Amount != 0 || said.UnitPrice != 0 || said.Count != 0 {
			return errByPiece
		}
	case item.Unit == catalog.UnitCount && said.Count > 0 && said.Count <= sale.QuantityMax:
		line.Quantity *= said.Count
	case item.Unit != catalog.UnitCount && said.Price > 0:
		line.PriceVersion = sale.PriceOnLabel
		line.RegularSalesUnitPrice, err = t.taxed(sale.Money(said.Price), line.TaxRate, said.Untaxed)
	case weighed:
		m := &line.Measure
		m.UnitPrice, m.PerUnits = sale.Money(item.Price), sale.Units(per)
		if said.UnitPrice > 0 {
			m.UnitPrice, m.PerUnits = sale.Money(said.UnitPrice), sale.One
			line.PriceVersion = sale.PriceOnLabel
		}
		line.RegularSalesUnitPrice, err = sale.Measured(m.UnitPrice, m.Units, m.PerUnits, t.rounding)
	default:
		return errNoAmount
	}
	if err != nil {
		return fmt.Errorf("till: %w", err)
	}
	return nil
}

// taxed is a price as the shop writes its prices.
func (t *Till) taxed(price sale.Money, rate sale.Rate, untaxed bool) (sale.Money, error) {
	if !untaxed || !t.included {
		return price, nil
	}
	tax, err := sale.Tax(price, rate, false, t.rounding)
	return price + tax, err
}

// soundSaid checks what the catalogue promises of a label.
func soundSaid(s catalog.Said) bool {
	return s.Price >= 0 && s.Price <= catalog.PriceMax && s.UnitPrice >= 0 && s.UnitPrice <= catalog.PriceMax &&
		s.Amount >= 0 && s.Amount <= catalog.AmountMax && s.Count >= 0 && s.Count <= catalog.CountMax
}

// onSale says that this very piece is on the sale.
func onSale(r *sale.Receipt, piece sale.Line) bool {
	return piece.SerialNumber != "" && slices.ContainsFunc(r.LineItem, func(l sale.Line) bool {
		return !l.Voided && l.ItemID == piece.ItemID && l.SerialNumber == piece.SerialNumber
	})
}

// samePiece tells pieces of one article apart where their labels do: a line of a
// receipt, and what comes back.
func samePiece(sold, back sale.Line) bool {
	switch {
	case sold.ItemID != back.ItemID, sold.SerialNumber != "" && back.SerialNumber != "" && sold.SerialNumber != back.SerialNumber:
		return false
	case sold.Measure.Units != 0 && back.Measure.Units != 0: // their prices may have changed
		return sold.Measure.Units == back.Measure.Units
	case sold.PriceVersion == sale.PriceOnLabel && back.PriceVersion == sale.PriceOnLabel:
		return sold.RegularSalesUnitPrice == back.RegularSalesUnitPrice
	}
	return true
}

// expired compares with the shop's clock; expiry is a day or a minute.
func (t *Till) expired(expiry string) bool {
	layout := time.DateOnly
	if len(expiry) > len(layout) {
		layout = "2006-01-02T15:04"
	}
	return expiry != "" && t.now.Format(layout) > expiry
}

// keyExpired lets a supervisor sell goods that are past their date.
func (t *Till) keyExpired() {
	if t.config.Supervisor != "" {
		t.askSupervisor(askExpired)
		return
	}
	hand := t.state.Hand
	t.record(record.Override, OverrideBody{OperatorID: t.state.Shift.OperatorID, Function: askExpired, Granted: true})
	t.sellExpired(hand.Expired, hand.Quantity)
}

func (t *Till) sellExpired(e *Scanned, quantity int64) {
	t.state.Hand = Hand{Quantity: quantity}
	if e == nil || !t.readable(*e) { // a state that was damaged
		t.refresh()
		return
	}
	t.sell(*e)
}

// halfBook stops a payment once for a book of which one row was read: it is not
// on the sale. What was keyed stays.
func (t *Till) halfBook() bool {
	if !t.state.HalfBook {
		return false
	}
	t.state.HalfBook = false
	t.do(Beep{})
	t.say(msgHalfBook, "")
	return true
}
