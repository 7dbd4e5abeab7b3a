package receipt

import (
	"fmt"
	"strings"
	"time"

	"regi/drivers"
	"regi/firmware/sale"
)

func space(p *paper) { p.space() }

func ruled(p *paper) { p.rule() }

// training tells, at head and foot, what is none.
func training(p *paper) {
	if !p.sale.TrainingModeFlag {
		return
	}
	head := len(p.items) == 0
	if !head {
		p.rule()
	}
	p.banner(p.layout.words.training)
	p.text(p.layout.words.notSold, drivers.Center)
	if head {
		p.rule()
	}
}

func logo(p *paper) {
	if p.logo != nil && !p.Plain {
		p.add(*p.logo)
		p.space()
	}
}

func issuer(p *paper) {
	who := p.sale.Issuer
	p.heading(who.Name)
	if who.Address != "" {
		p.text(who.Address, drivers.Center)
	}
	if who.Tel != "" {
		p.text(p.layout.words.tel+who.Tel, drivers.Center)
	}
	if who.RegistrationNumber != "" {
		p.text(p.layout.words.registration+who.RegistrationNumber, drivers.Center)
	}
}

func title(p *paper) {
	if p.sale.TrainingModeFlag {
		return // see training
	}
	p.space()
	if p.sale.Original != nil {
		p.banner(p.layout.words.returned)
		return
	}
	p.banner(p.layout.words.title)
}

// copyMark tells a copy from the original.
func copyMark(p *paper) {
	if p.Reprint {
		p.banner(p.layout.words.copied)
	}
}

// original is the sale that a return is of.
func original(p *paper) {
	if p.sale.Original != nil {
		p.pair(p.originalText())
	}
}

// originalText is its number and its day, "" if it has none.
func (p *paper) originalText() (number, date string) {
	o := p.sale.Original
	day, err := time.Parse(time.DateOnly, o.BusinessDayDate)
	if err != nil || o.SequenceNumber < 1 {
		return "", ""
	}
	return fmt.Sprintf("%s%s%06d", p.layout.words.original, p.layout.words.number, o.SequenceNumber), day.Format(p.layout.date)
}

// weekdays by time.Weekday.
//
//nolint:gochecknoglobals // a constant table
var weekdays = [...]string{"(日)", "(月)", "(火)", "(水)", "(木)", "(金)", "(土)"}

// day is the date of the sale as the law wants it.
func (p *paper) day() string { return p.sale.EndDateTime.Format(p.layout.date) }

// moment is the date and the time of day.
func (p *paper) moment() string {
	if p.layout.country.Scheme == sale.Japanese {
		return p.day() + weekdays[p.sale.EndDateTime.Weekday()] + p.sale.EndDateTime.Format(p.layout.clock)
	}
	return p.day() + " " + p.sale.EndDateTime.Format(p.layout.clock)
}

func (p *paper) number() string {
	return fmt.Sprintf("%s%06d", p.layout.words.number, p.sale.SequenceNumber)
}

func number(p *paper) { p.text(p.number(), drivers.Center) }

func when(p *paper) {
	r, w := p.sale, p.layout.words
	p.pair(p.moment(), p.number())
	p.pair(w.shop+r.RetailStoreID+" "+w.register+r.WorkstationID, w.operator+r.OperatorID)
	if r.EndDateTime.Format(time.DateOnly) != r.BusinessDayDate {
		p.text(w.businessDay+p.isoDay(r.BusinessDayDate), drivers.Left)
	}
	p.rule()
}

// reducedMark stands beside every amount of Japan's reduced rate.
const reducedMark = "※"

// mark stands beside an amount of the rate; it is two columns wide.
func (p *paper) mark(rate sale.Rate) string {
	switch p.layout.marks {
	case markReduced:
		if rate == sale.Reduced {
			return reducedMark
		}
	case markTaxed:
		if rate > 0 {
			return " T"
		}
	case markLetters:
		return " " + letter(p.sale.Tax, rate)
	}
	return noMark
}

// letter names a rate by its place in the table.
func letter(taxes []sale.TaxSummary, rate sale.Rate) string {
	for i, t := range taxes {
		if t.Percent == rate {
			return string(rune('A' + i))
		}
	}
	return " "
}

func goods(p *paper) {
	w := p.layout.words
	for _, line := range p.sale.LineItem {
		if line.Voided {
			continue
		}
		mark := p.mark(line.TaxRate)
		switch {
		case line.Measure.Units != 0:
			p.text(line.Description, drivers.Left)
			each := "  "
			if line.Quantity != 1 {
				each += p.pieces(line.Quantity) + w.times
			}
			p.pair(each+p.measure(line.Measure), p.money(line.ExtendedAmount)+mark)
		case line.Quantity == 1:
			p.pair(line.Description, p.money(line.ExtendedAmount)+mark)
		default:
			p.text(line.Description, drivers.Left)
			p.pair("  "+p.pieces(line.Quantity)+w.times+p.money(line.RegularSalesUnitPrice), p.money(line.ExtendedAmount)+mark)
		}
		if line.DiscountAmount != 0 {
			p.pair("  "+w.off, p.money(-line.DiscountAmount)+mark)
		}
	}
	p.rule()
}

func subtotal(p *paper) {
	r, w := p.sale, p.layout.words
	p.amount(w.subtotal+" "+p.pieces(r.Items()), r.Subtotal)
	if r.DiscountAmount != 0 {
		p.amount(w.off, -r.DiscountAmount)
	}
}

// taxesByRate are each rate's total and its tax, as Japan wants both.
func taxesByRate(p *paper) {
	for _, tax := range p.sale.Tax {
		p.amount("  "+p.taxable(tax), tax.TaxableAmount)
		if tax.Percent > 0 {
			p.amount("    "+p.taxLabel(tax), tax.Amount)
		}
	}
}

func (p *paper) taxable(t sale.TaxSummary) string {
	switch {
	case t.Percent == 0:
		return p.layout.words.exempt
	case p.layout.marks == markReduced && t.Percent == sale.Reduced:
		return p.percent(t.Percent) + p.layout.words.taxable + reducedMark
	}
	return p.percent(t.Percent) + p.layout.words.taxable
}

func (p *paper) taxLabel(t sale.TaxSummary) string {
	if t.Included {
		return p.layout.words.taxIn + p.percent(t.Percent)
	}
	return p.layout.words.taxOut + p.percent(t.Percent)
}

// addedTaxes are those that come on top of the prices.
func addedTaxes(p *paper) {
	for _, tax := range p.sale.Tax {
		if tax.Percent > 0 && (!tax.Included || p.layout.country.Scheme == sale.American) {
			p.amount(p.taxLabel(tax), tax.Amount)
		}
	}
}

// total is as large as the paper allows.
func total(p *paper) {
	left, right := p.layout.words.total, p.totalAmount()
	wide := true
	gap := p.Columns/2 - p.width(left) - p.width(right) - 1
	if gap < 1 { // eight digits on narrow paper
		if gap++; gap < 1 {
			wide = false
			gap = p.Columns - p.width(left) - p.width(right) - len(noMark)
		}
	} else {
		right += " " // as wide as a mark
	}
	p.line(drivers.TextLine{Text: left + strings.Repeat(" ", gap) + right, Bold: true, Wide: wide, Tall: true})
}

// totalAmount is -¥3,408 or EUR -3,40.
func (p *paper) totalAmount() string {
	amount := p.layout.country.Numerals.Money(p.sale.Total)
	symbol := p.layout.total
	if rest, negative := strings.CutPrefix(amount, "-"); negative && !strings.HasSuffix(symbol, " ") {
		return "-" + symbol + rest
	}
	return symbol + amount
}

func payments(p *paper) {
	w := p.layout.words
	var change sale.Money
	cash := false
	for _, t := range p.sale.Tender {
		switch {
		case t.TenderType == sale.CreditDebit:
			cardPayment(p, t)
		case t.Amount < 0:
			p.amount(w.givenBack, -t.Amount)
		default:
			cash = true
			change += t.ChangeDue
			p.amount(w.cash, t.Tendered)
		}
	}
	if cash {
		p.amount(w.change, change)
	}
}

// cardPayment names the card by its last four digits only (in the United States
// at most five, and never its expiry: 15 U.S.C. § 1681c(g)).
func cardPayment(p *paper, t sale.Tender) {
	p.amount(p.layout.words.card, t.Amount)
	if t.Card != nil && isLast4(t.Card.Last4) {
		p.text("  "+p.layout.words.cardNumber+"************"+t.Card.Last4, drivers.Left)
	}
	if t.Authorization != nil && t.Authorization.Approval != "" {
		p.text("  "+p.layout.words.approval+t.Authorization.Approval, drivers.Left)
	}
}

func isLast4(s string) bool { return len(s) == 4 && strings.Trim(s, "0123456789") == "" }

// taxTable is each rate's net, tax and gross in a row; where they are too wide
// for one, below each other.
func taxTable(p *paper) {
	w := p.layout.words
	rows := make([][]string, 0, 1+len(p.sale.Tax))
	rows = append(rows, []string{w.rate, w.net, w.tax, w.gross})
	for _, t := range p.sale.Tax {
		rows = append(rows, p.taxRow(t))
	}
	p.rule()
	const label = 8
	cell := (p.Columns - label) / 3
	for _, row := range rows {
		for i, text := range row {
			if i == 0 && p.width(text) >= label || i > 0 && p.width(text) >= cell {
				taxList(p, rows)
				return
			}
		}
	}
	for _, row := range rows {
		text := row[0] + strings.Repeat(" ", p.Columns-3*cell-p.width(row[0]))
		right := func(c string) string { return strings.Repeat(" ", cell-p.width(c)) + c }
		p.line(drivers.TextLine{Text: text + right(row[1]) + right(row[2]) + right(row[3])})
	}
}

func (p *paper) taxRow(t sale.TaxSummary) []string {
	net, gross := t.TaxableAmount, t.TaxableAmount
	if t.Included {
		net -= t.Amount
	} else {
		gross += t.Amount
	}
	return []string{letter(p.sale.Tax, t.Percent) + " " + p.percent(t.Percent), p.money(net), p.money(t.Amount), p.money(gross)}
}

func taxList(p *paper, rows [][]string) {
	for _, row := range rows[1:] {
		p.text(row[0], drivers.Left)
		for i, text := range row[1:] {
			p.pair("  "+rows[0][i+1], text+noMark)
		}
	}
}

// legend explains the mark of Japan's reduced rate.
func legend(p *paper) {
	p.rule()
	for _, tax := range p.sale.Tax {
		if tax.Percent == sale.Reduced {
			p.text(reducedLegend, drivers.Left)
			return
		}
	}
}

const reducedLegend = reducedMark + "は軽減税率対象"

// refundCode is what a return is verified by.
func refundCode(p *paper) {
	if p.Code == "" || p.Plain {
		return
	}
	p.add(drivers.Barcode{Symbology: drivers.QRCode, Data: p.Code, Align: drivers.Center})
	hint := p.layout.words.keepCode
	if whole := strings.ReplaceAll(hint, "\n", ""); p.width(whole) <= p.Columns {
		hint = whole
	}
	for line := range strings.SplitSeq(hint, "\n") {
		p.text(line, drivers.Center)
	}
}

func transaction(p *paper) {
	p.text(p.layout.words.transaction+p.sale.TransactionID, drivers.Left)
}

func continued(p *paper) { p.heading(p.layout.words.continued) }

func orderTitle(p *paper) {
	r, w := p.sale, p.layout.words
	p.banner(w.order)
	copyMark(p)
	at := strings.LastIndexByte(r.TransactionID, '-') + 1
	p.banner(p.layout.words.number + r.TransactionID[at:])
	p.pair(p.moment(), w.operator+r.OperatorID)
	p.rule()
}

// orderGoods are read from a distance.
func orderGoods(p *paper) {
	for _, line := range p.sale.LineItem {
		if line.Voided {
			continue
		}
		const indent = 5
		for i, text := range p.wrap(clean(line.Description), p.Columns-indent) {
			begin := strings.Repeat(" ", indent)
			if i == 0 {
				begin = fmt.Sprintf("%*s ", indent-1, p.count(line.Quantity))
			}
			p.line(drivers.TextLine{Text: begin + text, Bold: true, Tall: true})
		}
	}
	p.rule()
	p.pair("", p.pieces(p.sale.Items()))
}
