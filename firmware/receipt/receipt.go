// Package receipt lays a sale out for paper: the Japanese qualified simplified
// invoice (適格簡易請求書), and the X and Z reports.
package receipt

import (
	"errors"
	"fmt"
	"strings"

	"regi/drivers"
	"regi/firmware/sale"
)

// Paper widths in half-width columns.
const (
	ColumnsMin = 32 // 58 mm paper
	ColumnsMax = 64
)

// Errors of Layout.
var (
	// ErrColumns: the paper is narrower or wider than this layout can be.
	ErrColumns = errors.New("paper width not supported")
	// ErrIncomplete: the receipt lacks what the law demands; the message names
	// it and the law.
	ErrIncomplete = errors.New("not a qualified invoice")
	// ErrSum: the receipt does not add up.
	ErrSum = errors.New("receipt does not add up")
)

// Layout is the receipt as a document of cols columns, marked 再発行 when it is
// a reprint. It refuses a receipt that does not add up or lacks what Japan
// demands.
func Layout(r *sale.Receipt, cols int, reprint bool) (drivers.Document, error) {
	if cols < ColumnsMin || cols > ColumnsMax {
		return drivers.Document{}, fmt.Errorf("receipt: %d columns: %w", cols, ErrColumns)
	}
	if err := addsUp(r); err != nil {
		return drivers.Document{}, err
	}
	p := &paper{cols: cols}
	for _, block := range japaneseReceipt {
		block(p, r, reprint)
	}
	if err := demand(japan, r, p.lines); err != nil {
		return drivers.Document{}, err
	}
	if len(p.lines) > drivers.DocumentItemsMax {
		return drivers.Document{}, fmt.Errorf("receipt: %d lines, at most %d: %w", len(p.lines), drivers.DocumentItemsMax, sale.ErrLimit)
	}
	return drivers.Document{Items: drivers.Texts(p.lines...), Cut: true}, nil
}

// japaneseReceipt is the receipt from top to bottom.
//
//nolint:gochecknoglobals // a constant table
var japaneseReceipt = []func(*paper, *sale.Receipt, bool){
	issuer, title, when, goods, taxes, total, payments, stamp, legend, journal,
}

func issuer(p *paper, r *sale.Receipt, _ bool) {
	p.heading(r.Issuer.Name)
	if r.Issuer.Address != "" {
		p.text(r.Issuer.Address, drivers.Center)
	}
	if r.Issuer.Tel != "" {
		p.text("TEL "+r.Issuer.Tel, drivers.Center)
	}
	p.text("登録番号 "+r.Issuer.RegistrationNumber, drivers.Center)
}

func title(p *paper, _ *sale.Receipt, reprint bool) {
	p.space()
	p.add(drivers.TextLine{Text: "領収証", Align: drivers.Center, Bold: true, Wide: true, Tall: true})
	if reprint {
		p.copyMark()
	}
}

// copyMark tells a copy from the original.
func (p *paper) copyMark() {
	p.add(drivers.TextLine{Text: "【再発行】", Align: drivers.Center, Bold: true, Tall: true})
}

// weekdays by time.Weekday.
//
//nolint:gochecknoglobals // a constant table
var weekdays = [...]string{"日", "月", "火", "水", "木", "金", "土"}

// date is the day of the sale as the law wants it: year, month, day.
func date(r *sale.Receipt) string { return r.EndDateTime.Format("2006年01月02日") }

func when(p *paper, r *sale.Receipt, _ bool) {
	day := weekdays[r.EndDateTime.Weekday()]
	p.pair(date(r)+"("+day+")"+r.EndDateTime.Format("15:04"), fmt.Sprintf("No.%06d", r.SequenceNumber))
	p.pair("店 "+r.RetailStoreID+" レジ "+r.WorkstationID, "担当 "+r.OperatorID)
	if r.EndDateTime.Format("2006-01-02") != r.BusinessDayDate {
		p.text("営業日 "+r.BusinessDayDate, drivers.Left)
	}
	p.rule()
}

// reducedMark stands beside every amount of the reduced rate.
const reducedMark = "※"

func goods(p *paper, r *sale.Receipt, _ bool) {
	for _, line := range r.LineItem {
		if line.Voided {
			continue
		}
		right := yen(line.ExtendedAmount) + strings.Repeat(" ", markColumns)
		if line.TaxRate == sale.Reduced {
			right = yen(line.ExtendedAmount) + reducedMark
		}
		if line.Quantity == 1 {
			p.pair(line.Description, right)
			continue
		}
		p.text(line.Description, drivers.Left)
		p.pair("  "+number(line.Quantity)+"点 x "+yen(line.RegularSalesUnitPrice), right)
	}
	p.rule()
	p.amount("小計 "+number(r.Items())+"点", r.Subtotal)
}

// taxes are the rate's total and its tax, both once per rate.
func taxes(p *paper, r *sale.Receipt, _ bool) {
	for _, tax := range r.Tax {
		p.amount("  "+taxableLabel(tax), tax.TaxableAmount)
		p.amount("    "+taxLabel(tax), tax.Amount)
	}
}

func taxableLabel(t sale.TaxSummary) string {
	label := fmt.Sprintf("%d%%対象", t.Percent)
	if t.Percent == sale.Reduced {
		label += reducedMark
	}
	return label
}

func taxLabel(t sale.TaxSummary) string {
	if t.Included {
		return fmt.Sprintf("内消費税等%d%%", t.Percent)
	}
	return fmt.Sprintf("外消費税等%d%%", t.Percent)
}

func total(p *paper, r *sale.Receipt, _ bool) {
	const left = "合計"
	right := yen(r.Total) + " " // as wide as the mark's place
	gap := p.cols/2 - width(left) - width(right)
	if gap < 1 { // eight digits on narrow paper
		right, gap = yen(r.Total), 1
	}
	p.add(drivers.TextLine{Text: left + strings.Repeat(" ", gap) + right, Bold: true, Wide: true, Tall: true})
}

func payments(p *paper, r *sale.Receipt, _ bool) {
	var change sale.Money
	cash := false
	for _, t := range r.Tender {
		if t.TenderType == sale.CreditDebit {
			cardPayment(p, t)
			continue
		}
		cash = true
		change += t.ChangeDue
		p.amount("お預り(現金)", t.Tendered)
	}
	if cash {
		p.amount("お釣り", change)
	}
}

// cardPayment names the card by its last four digits only.
func cardPayment(p *paper, t sale.Tender) {
	p.amount("クレジットカード利用", t.Amount)
	if t.Card != nil && isLast4(t.Card.Last4) {
		p.text("  カード番号 ************"+t.Card.Last4, drivers.Left)
	}
	if t.Authorization != nil && t.Authorization.Approval != "" {
		p.text("  承認番号 "+t.Authorization.Approval, drivers.Left)
	}
}

func isLast4(s string) bool { return len(s) == 4 && strings.Trim(s, "0123456789") == "" }

func legend(p *paper, r *sale.Receipt, _ bool) {
	p.rule()
	for _, line := range r.LineItem {
		if line.TaxRate == sale.Reduced && !line.Voided {
			p.text(reducedLegend, drivers.Left)
			return
		}
	}
}

func journal(p *paper, r *sale.Receipt, _ bool) {
	p.text("取引番号 "+r.TransactionID, drivers.Left)
}
