package till

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"regi/firmware/catalog"
	"regi/firmware/record"
	"regi/firmware/sale"
)

// scanned adds a line, or says why not.
func (t *Till) scanned(e Scanned) {
	if strings.HasPrefix(e.Label, SheetPrefix) { // never a good
		t.scannedSheet(e)
		return
	}
	t.state.Hand.Thanks = false
	if t.state.Hand.Ask != "" || t.state.Hand.Refund {
		t.scannedCode(e.Label)
		return
	}
	if t.asksTraining() { // a sale that was meant for training would be a real one
		t.do(Beep{})
		t.say(msgTrainingAsk, "")
		return
	}
	t.state.Hand.Expired = nil
	switch phase := t.state.Phase(); {
	case phase == Closed:
		t.fail(msgClosed, "")
	case phase == Tendering:
		t.fail(t.paying(), "")
	case phase == AwaitCard:
		t.fail(msgSwipe, e.GTIN)
	case phase == Authorizing:
		t.fail(msgCardWait, e.GTIN)
	case strings.HasPrefix(e.Label, codeVersion+"."): // which no log shall hold
		t.fail(msgReturnFirst, "")
	case e.Problem == ProblemBookDone:
		t.state.HalfBook = false
		t.refresh()
	case e.row() && t.state.Hand.Digits == "":
		t.state.HalfBook = true
		t.say(scanMessage(e.Problem), e.GTIN) // no beep: it was read well
	case !e.row() && !t.readable(e):
		// The number of goods, or nothing: other codes may hold anything, as a
		// member's number or an address, which no log shall hold.
		t.fail(scanMessage(e.Problem), e.GTIN)
	case t.state.Hand.Digits != "":
		t.fail(msgHalfKeyed, e.GTIN)
	case phase == Selling && t.state.Sale.Receipt.Original != nil:
		t.takeBack(e)
	case t.expired(e.Said.Expiry):
		t.fail(msgExpired, e.Said.Expiry)
		t.state.Hand.Expired, t.state.Hand.Confirm = &e, "ENTER"
	default:
		t.sell(e)
	}
}

// row: one row of a book, of which the other is needed.
func (e Scanned) row() bool { return e.Problem == ProblemUpperRow || e.Problem == ProblemLowerRow }

// readable: there are goods behind it.
func (t *Till) readable(e Scanned) bool {
	return e.Problem == "" && e.Item != nil && t.sound(e.Item) && soundSaid(e.Said)
}

// scanMessages are the messages of the problems.
//
//nolint:gochecknoglobals // a constant table
var scanMessages = map[string]message{
	ProblemCheckDigit: msgCheckDigit, ProblemRefused: msgRefused, ProblemTooLong: msgTooLong, ProblemControl: msgControl, ProblemFrame: msgFrame,
	ProblemCarrier: msgCarrier, ProblemNoArticle: msgNoArticle, ProblemUnknownAI: msgUnknownAI, ProblemMalformed: msgMalformed,
	ProblemMoney: msgMoney, ProblemAddOn: msgAddOn, ProblemUpperRow: msgUpperRow, ProblemLowerRow: msgLowerRow,
}

func scanMessage(problem string) message {
	if m, known := scanMessages[problem]; known {
		return m
	}
	return msgUnknownCode
}

// sound checks what the catalogue promises: an event may come off a disk.
func (t *Till) sound(i *catalog.Item) bool {
	_, taxed := t.rateOf(i)
	return taxed && len(i.GTIN) == 14 && strings.Trim(i.GTIN, "0123456789") == "" && strings.TrimSpace(i.Name) != "" &&
		len(i.Name) <= sale.DescriptionMax && !strings.ContainsFunc(i.Name, unprintable) && utf8.ValidString(i.Name) &&
		len(i.Version) <= catalog.VersionMax && clip(i.Version, catalog.VersionMax) == i.Version &&
		i.Price >= 0 && i.Price <= catalog.PriceMax && catalog.IsUnit(i.Unit)
}

func unprintable(c rune) bool { return !unicode.IsPrint(c) && c != '\u3000' }

// sell adds one line, opening the sale with the first.
func (t *Till) sell(e Scanned) {
	if t.state.Counters.GrandTotal > sale.TotalsMax-sale.AmountMax {
		t.fail(msgGrandTotal, "")
		return
	}
	quantity := max(1, t.state.Hand.Quantity)
	open, fresh := t.state.Sale, t.state.Sale == nil
	if fresh {
		open = t.newSale()
	}
	line, err := t.add(open, e, quantity)
	if err != nil {
		t.noLine(err)
		return
	}
	id := open.Receipt.TransactionID
	if fresh {
		t.openSale(open)
	}
	t.recordLine(id, line)
	t.state.Hand, t.state.HalfBook = Hand{}, t.state.HalfBook && !e.Book
	t.refresh()
}

// noLine says why there is none. Where the sale is full, the quantity is kept
// for the next one.
func (t *Till) noLine(err error) {
	if !errors.Is(err, errFull) {
		t.state.Hand.Quantity = 0
	}
	t.fail(lineMessage(err), "")
}

func (t *Till) recordLine(id string, line sale.Line) {
	if line.Quantity != 1 {
		t.record(record.Qty, QtyBody{TransactionID: id, Quantity: line.Quantity})
	}
	t.record(record.LineAdd, LineAddBody{TransactionID: id, LineItem: line})
}

// openSale begins a sale, or a return, on record.
func (t *Till) openSale(open *Sale) {
	r := &open.Receipt
	t.state.Sale = open
	if r.TrainingModeFlag {
		t.state.Counters.Training++
	} else {
		t.state.Counters.Transaction++
	}
	t.record(record.SaleOpen, SaleOpenBody{
		TransactionID: r.TransactionID, BusinessDayDate: r.BusinessDayDate, OperatorID: r.OperatorID,
		Original: r.Original, TrainingModeFlag: r.TrainingModeFlag,
	})
}

func (t *Till) newSale() *Sale {
	shift := t.state.Shift
	number := strconv.FormatInt(t.state.Counters.Transaction+1, 10)
	if t.state.Training {
		number = "T" + strconv.FormatInt(t.state.Counters.Training+1, 10)
	}
	return &Sale{Receipt: sale.Receipt{
		RetailStoreID: t.config.Store, WorkstationID: t.config.Register,
		TransactionID:    fmt.Sprintf("%s-%s-%s-%s", t.config.Store, t.config.Register, strings.ReplaceAll(shift.BusinessDayDate, "-", ""), number),
		TrainingModeFlag: t.state.Training,
		BusinessDayDate:  shift.BusinessDayDate, OperatorID: shift.OperatorID,
		BeginDateTime: t.now, CurrencyCode: t.config.Currency, Issuer: t.config.Issuer,
	}}
}

// add appends goods; with an error the sale is as it was.
func (t *Till) add(open *Sale, e Scanned, quantity int64) (sale.Line, error) {
	line, err := t.lineOf(e, quantity)
	if err != nil {
		return sale.Line{}, err
	}
	if onSale(&open.Receipt, line) {
		return sale.Line{}, errSerial
	}
	return t.addLine(open, e.Item.Kana, line)
}

// addLine appends a line and numbers it; with an error the sale is as it was.
func (t *Till) addLine(open *Sale, kana string, line sale.Line) (sale.Line, error) {
	r := &open.Receipt
	if len(r.LineItem) >= sale.LinesMax {
		return sale.Line{}, errFull
	}
	line.SequenceNumber = len(r.LineItem) + 1
	b, err := json.Marshal(line)
	if err != nil {
		return sale.Line{}, fmt.Errorf("till: %w", err)
	}
	size := len(b) + len(`,"DiscountAmount":99999999,"Voided":true`) + 1
	if open.Bytes+size > linesBytesMax {
		return sale.Line{}, errFull
	}
	r.LineItem = append(r.LineItem, line)
	if err := r.Sum(t.included, t.rounding); err != nil {
		r.LineItem = r.LineItem[:len(r.LineItem)-1]
		return sale.Line{}, fmt.Errorf("till: %w", err)
	}
	open.Bytes += size
	open.itemLine(display(kana, longMax), fmt.Sprintf("%dx%s", line.Quantity, t.amount(line.RegularSalesUnitPrice)))
	return line, nil
}

// rateOf is the rate that the shop's settings give the item's tax.
func (t *Till) rateOf(item *catalog.Item) (rate sale.Rate, known bool) {
	for _, named := range t.rates {
		if named.Name == item.Rate {
			return named.Rate, true
		}
	}
	return 0, false
}

// voidLine takes back the newest line that stands; with none left the sale is
// over.
func (t *Till) voidLine() {
	open := t.state.Sale
	r := &open.Receipt
	at, standing := -1, 0
	for i, line := range r.LineItem {
		if !line.Voided {
			at = i
			standing++
		}
	}
	if at < 0 {
		t.voidSale()
		return
	}
	line := &r.LineItem[at]
	line.Voided = true
	if off := r.DiscountAmount; off > 0 && off > max(0, r.Subtotal-line.Net()) {
		r.DiscountAmount = 0 // of goods that are not left
		t.record(record.DiscSale, DiscountBody{TransactionID: r.TransactionID})
	}
	if err := r.Sum(t.included, t.rounding); err != nil {
		panic("till: internal error: a sale became too large by a void: " + err.Error())
	}
	t.count(&t.state.Shift.Totals.VoidedLines, line.Net())
	t.record(record.LineVoid, LineVoidBody{TransactionID: r.TransactionID, SequenceNumber: line.SequenceNumber, Amount: line.Net()})
	open.itemLine(t.words("ﾄﾘｹｼ", "VOID"), fmt.Sprintf("%dx%s", -line.Quantity, t.amount(line.RegularSalesUnitPrice)))
	if standing == 1 {
		t.voidSale()
		return
	}
	t.refresh()
}

// voidSale gives the sale up: nothing is paid, no receipt number is used.
func (t *Till) voidSale() {
	r := &t.state.Sale.Receipt
	t.count(&t.state.Shift.Totals.VoidedSales, r.Subtotal)
	t.record(record.Void, VoidBody{TransactionID: r.TransactionID, OperatorID: r.OperatorID, Amount: r.Subtotal})
	t.state.Sale, t.state.Hand, t.state.HalfBook = nil, Hand{}, false
	t.refresh()
}

// count adds a case to a tally whose sum cannot be full: it takes ten million
// of the largest sales. If it is, the number of cases still counts. Training is
// in no tally.
func (t *Till) count(tally *sale.Tally, amount sale.Money) {
	if t.state.Training {
		return
	}
	if err := tally.Add(max(amount, -amount)); err != nil {
		tally.Count++
	}
}
