package till

import (
	"errors"
	"strconv"

	"regi/firmware/record"
	"regi/firmware/sale"
)

// keyOpen opens the shift for the cashier whose number was keyed.
func (t *Till) keyOpen(phase string) {
	switch {
	case phase == Idle:
		t.fail(msgShiftOpen, "")
		return
	case phase != Closed:
		t.fail(msgSaleOpen, "")
		return
	}
	operator := t.keyed()
	if operator == 0 {
		t.fail(msgOperator, "")
		return
	}
	t.state.Shift = &Shift{
		// From here on it stays, past midnight.
		BusinessDayDate: t.now.Format("2006-01-02"),
		OperatorID:      strconv.FormatInt(operator, 10),
		Begin:           t.now,
	}
	t.state.Hand = Hand{}
	t.record(record.ShiftOpen, ShiftBody{BusinessDayDate: t.state.Shift.BusinessDayDate, OperatorID: t.state.Shift.OperatorID})
	t.notice(msgOpened, t.state.Shift.OperatorID)
	switch err := t.config.Issuer.Check(t.country.Scheme); {
	case errors.Is(err, sale.ErrCorporateDigit):
		t.notice(msgCorporate, "")
	case err != nil:
		t.fail(msgIssuer, err.Error())
		return
	}
	t.refresh()
}

// keyX prints the totals so far.
func (t *Till) keyX() {
	t.state.Hand.Digits = ""
	report := t.report(sale.ReportX)
	t.record(record.X, report)
	t.printReport(report)
	t.refresh()
}

// keyZ closes the shift. A number keyed before it is the cash counted in the
// drawer.
func (t *Till) keyZ() {
	report := t.report(sale.ReportZ)
	if t.state.Hand.Digits != "" {
		counted := sale.Money(t.keyed())
		report.Count = &sale.CashCount{Expected: report.Totals.Cash.Amount, Counted: counted, OverShort: counted - report.Totals.Cash.Amount}
	}
	t.state.Counters.Z = report.Number
	t.record(record.Z, report)
	t.record(record.ShiftClose, ShiftBody{BusinessDayDate: report.BusinessDayDate, OperatorID: report.OperatorID, ZNumber: report.Number})
	t.state.Shift, t.state.Hand = nil, Hand{}
	t.printReport(report)
	if t.config.SheetAfterZ && t.Sheet() != nil && !t.print(Job{Form: FormSheet, Bytes: sheetBytes}) {
		t.notice(msgPrintQueue, "")
	}
	t.notice(msgZDone, strconv.FormatInt(report.Number, 10))
	t.refresh()
}

func (t *Till) report(kind string) sale.Report {
	shift := t.state.Shift
	return sale.Report{
		Kind: kind, RetailStoreID: t.config.Store, WorkstationID: t.config.Register,
		Number:          t.state.Counters.Z + 1,
		BusinessDayDate: shift.BusinessDayDate, BeginDateTime: shift.Begin, EndDateTime: t.now,
		OperatorID: shift.OperatorID, CurrencyCode: t.config.Currency,
		FirstSequenceNumber: shift.FirstReceipt, LastSequenceNumber: shift.LastReceipt,
		Totals: shift.Totals, GrandTotal: t.state.Counters.GrandTotal,
	}
}

func (t *Till) printReport(report sale.Report) {
	if !t.print(Job{Report: &report, Bytes: reportBytes}) {
		t.do(Beep{})
		t.notice(msgPrintQueue, "")
	}
}
