package receipt

import (
	"fmt"

	"regi/drivers"
	"regi/firmware/sale"
)

// reportBlock is one part of an X or Z report.
type reportBlock func(*paper, *sale.Report)

// Report is an X (点検) or Z (精算) report.
func (l *Layouts) Report(r *sale.Report, on Paper) (drivers.Document, error) {
	p, err := l.paper(on)
	if err != nil {
		return drivers.Document{}, err
	}
	for _, block := range l.layout.report {
		block(p, r)
	}
	return drivers.Document{Items: p.items, Cut: true, Latin: bool(p.script)}, nil
}

func reportHead(p *paper, r *sale.Report) {
	w := p.layout.words
	title, number, end := w.x, w.xNumber, w.xTime
	if r.Kind == sale.ReportZ {
		title, number, end = w.z, w.zNumber, w.zTime
	}
	p.banner(title)
	copyMark(p)
	p.pair(w.shop+r.RetailStoreID+" "+w.register+r.WorkstationID, fmt.Sprintf("%s%06d", number, r.Number))
	p.pair(w.businessDay+p.isoDay(r.BusinessDayDate), w.operator+r.OperatorID)
	minute := p.numericDate() + " " + p.layout.clock
	p.pair(w.begin, r.BeginDateTime.Format(minute))
	p.pair(end, r.EndDateTime.Format(minute))
	p.rule()
}

func reportSales(p *paper, r *sale.Report) {
	t, w := r.Totals, p.layout.words
	p.tally(w.sales, t.Sales)
	if t.Returns.Count != 0 {
		p.tally(w.returns, sale.Tally{Count: t.Returns.Count, Amount: -t.Returns.Amount})
		p.pair(w.netSales, p.money(t.Sales.Amount-t.Returns.Amount))
	}
	if t.Discounts.Count != 0 {
		p.tally(w.discounts, sale.Tally{Count: t.Discounts.Count, Amount: -t.Discounts.Amount})
	}
	p.pair(w.items, p.pieces(t.ItemCount))
	p.tally(w.cashTaken, t.Cash)
	p.tally(w.cardTaken, t.CreditDebit)
	if r.FirstSequenceNumber != 0 {
		p.pair(w.receipts, fmt.Sprintf("%06d-%06d", r.FirstSequenceNumber, r.LastSequenceNumber))
	}
	p.rule()
}

func reportTaxes(p *paper, r *sale.Report) {
	for _, tax := range r.Totals.Tax {
		p.pair(p.taxable(tax), p.money(tax.TaxableAmount))
		if tax.Percent > 0 {
			p.pair("  "+p.taxLabel(tax), p.money(tax.Amount))
		}
	}
	if len(r.Totals.Tax) > 0 {
		p.rule()
	}
}

func reportEvents(p *paper, r *sale.Report) {
	t, w := r.Totals, p.layout.words
	p.tally(w.voidedLines, t.VoidedLines)
	p.tally(w.voidedSales, t.VoidedSales)
	for _, row := range []struct {
		what string
		n    int64
	}{{w.noSales, t.NoSales}, {w.reprints, t.Reprints}, {w.cardRefused, t.CardRefused}, {w.forced, t.DrawerForced}} {
		p.pair(row.what, p.count(row.n)+w.occasions)
	}
	p.rule()
}

func reportCash(p *paper, r *sale.Report) {
	if r.Count == nil {
		return
	}
	w := p.layout.words
	p.pair(w.expected, p.money(r.Count.Expected))
	p.pair(w.counted, p.money(r.Count.Counted))
	p.pair(w.overShort, p.money(r.Count.OverShort))
	p.rule()
}

func reportFoot(p *paper, r *sale.Report) {
	w := p.layout.words
	p.pair(w.grandTotal, p.money(r.GrandTotal))
	if r.JournalHead != "" {
		p.text(w.ledger+r.JournalHead, drivers.Left)
	}
	p.pair("", w.page)
}

// tally prints a number of cases and the money in them.
func (p *paper) tally(what string, t sale.Tally) {
	p.pair(what+" "+p.count(t.Count)+p.layout.words.cases, p.money(t.Amount))
}
