package receipt

import (
	"fmt"

	"regi/drivers"
	"regi/firmware/sale"
)

// Report is an X or Z report as a document of cols columns, brought within
// ColumnsMin and ColumnsMax, marked 再発行 when it is a reprint.
func Report(r *sale.Report, cols int, reprint bool) drivers.Document {
	p := &paper{cols: min(max(cols, ColumnsMin), ColumnsMax)}
	for _, block := range japaneseReport {
		block(p, r, reprint)
	}
	return drivers.Document{Items: drivers.Texts(p.lines...), Cut: true}
}

// japaneseReport is the report from top to bottom.
//
//nolint:gochecknoglobals // a constant table
var japaneseReport = []func(*paper, *sale.Report, bool){reportHead, reportSales, reportTaxes, reportEvents, reportCash, reportFoot}

func reportHead(p *paper, r *sale.Report, reprint bool) {
	title := "点検レポート X"
	if r.Kind == sale.ReportZ {
		title = "精算レポート Z"
	}
	p.add(drivers.TextLine{Text: title, Align: drivers.Center, Bold: true, Tall: true})
	if reprint {
		p.copyMark()
	}
	p.pair("店 "+r.RetailStoreID+" レジ "+r.WorkstationID, fmt.Sprintf("精算回数 %06d", r.Number))
	p.pair("営業日 "+r.BusinessDayDate, "担当 "+r.OperatorID)
	p.pair("開始", r.BeginDateTime.Format("2006-01-02 15:04"))
	p.pair("終了", r.EndDateTime.Format("2006-01-02 15:04"))
	p.rule()
}

func reportSales(p *paper, r *sale.Report, _ bool) {
	t := r.Totals
	p.tally("総売上", t.Sales)
	p.pair("点数", number(t.ItemCount)+"点")
	p.tally("現金", t.Cash)
	p.tally("クレジット", t.CreditDebit)
	if r.FirstSequenceNumber != 0 {
		p.pair("レシート番号", fmt.Sprintf("%06d-%06d", r.FirstSequenceNumber, r.LastSequenceNumber))
	}
	p.rule()
}

func reportTaxes(p *paper, r *sale.Report, _ bool) {
	for _, tax := range r.Totals.Tax {
		p.pair(taxableLabel(tax), yen(tax.TaxableAmount))
		p.pair("  "+taxLabel(tax), yen(tax.Amount))
	}
	if len(r.Totals.Tax) > 0 {
		p.rule()
	}
}

func reportEvents(p *paper, r *sale.Report, _ bool) {
	t := r.Totals
	p.tally("明細取消", t.VoidedLines)
	p.tally("取引中止", t.VoidedSales)
	p.pair("両替", number(t.NoSales)+"回")
	p.pair("再発行", number(t.Reprints)+"回")
	p.pair("カード不成立", number(t.CardRefused)+"回")
	p.pair("ドロア不正開放", number(t.DrawerForced)+"回")
	p.rule()
}

func reportCash(p *paper, r *sale.Report, _ bool) {
	if r.Count == nil {
		return
	}
	p.pair("現金有高(計算)", yen(r.Count.Expected))
	p.pair("現金有高(実査)", yen(r.Count.Counted))
	p.pair("過不足", yen(r.Count.OverShort))
	p.rule()
}

func reportFoot(p *paper, r *sale.Report, _ bool) {
	p.pair("総累計", yen(r.GrandTotal))
	if r.JournalHead != "" {
		p.text("台帳 "+r.JournalHead, drivers.Left)
	}
}

// tally prints a number of cases and the money in them.
func (p *paper) tally(what string, t sale.Tally) {
	p.pair(what+" "+number(t.Count)+"件", yen(t.Amount))
}
