package sale

import (
	"time"

	"regi/firmware/record"
)

// Receipt is one finished sale, the body of a sale.commit record: who sold,
// what, for how much, with which tax, and how it was paid. The names are those
// of ARTS/OMG POSLog. Sum(Tender.Amount) = Total, and the cash handed over is
// Amount + ChangeDue.
type Receipt struct {
	RetailStoreID string `json:"RetailStoreID"`
	WorkstationID string `json:"WorkstationID"`
	// SequenceNumber is the receipt number: 1, 2, 3 ... without a gap.
	SequenceNumber int64 `json:"SequenceNumber"`
	// TransactionID names the sale from its first line on
	// ("store-register-date-number"); a cancelled sale has one, but no receipt.
	TransactionID   string       `json:"TransactionID"`
	BusinessDayDate string       `json:"BusinessDayDate"`
	BeginDateTime   time.Time    `json:"BeginDateTime"`
	EndDateTime     time.Time    `json:"EndDateTime,omitzero"`
	OperatorID      string       `json:"OperatorID"`
	CurrencyCode    string       `json:"CurrencyCode"`
	Issuer          Issuer       `json:"Issuer"`
	LineItem        []Line       `json:"LineItem"`
	Tax             []TaxSummary `json:"Tax"`
	// Subtotal is the sum of the lines, DiscountAmount what was taken off them
	// all. Total is the rest and the tax that the prices do not include; below 0
	// for a return.
	Subtotal       Money    `json:"Subtotal"`
	DiscountAmount Money    `json:"DiscountAmount,omitempty"`
	Total          Money    `json:"Total"`
	Tender         []Tender `json:"Tender"`
	// Original is the sale whose goods come back; nil but for a return.
	Original *Original `json:"OriginalTransaction,omitempty"`
	// TrainingModeFlag: nothing was sold. Such receipts have numbers of their
	// own and are in no total.
	TrainingModeFlag bool `json:"TrainingModeFlag,omitempty"`
}

// Original names an earlier sale of this register.
type Original struct {
	WorkstationID   string `json:"WorkstationID"`
	SequenceNumber  int64  `json:"SequenceNumber"`
	BusinessDayDate string `json:"BusinessDayDate"`
}

// Issuer is who sells, as a qualified invoice must name it.
type Issuer struct {
	Name               string `json:"Name"`
	Address            string `json:"Address,omitempty"`
	Tel                string `json:"Tel,omitempty"`
	RegistrationNumber string `json:"RegistrationNumber,omitempty"`
}

// Line is one line of goods. A voided line stays, and counts for nothing. Goods
// that come back have a negative quantity, and so negative amounts.
type Line struct {
	SequenceNumber        int    `json:"SequenceNumber"`
	ItemID                string `json:"ItemID"` // GTIN-14
	Description           string `json:"Description"`
	Quantity              int64  `json:"Quantity"`
	RegularSalesUnitPrice Money  `json:"RegularSalesUnitPrice"`
	ExtendedAmount        Money  `json:"ExtendedAmount"`
	// DiscountAmount is taken off ExtendedAmount.
	DiscountAmount Money  `json:"DiscountAmount,omitempty"`
	TaxRate        Rate   `json:"TaxRate"`
	PriceVersion   string `json:"PriceVersion,omitempty"`
	Voided         bool   `json:"Voided,omitempty"`
	// OriginalLine is the line of the original sale that comes back, 0 if that
	// is not known.
	OriginalLine int `json:"OriginalLineItem,omitempty"`
}

// TaxSummary is one rate's tax, computed once on the sum of its lines.
type TaxSummary struct {
	Percent Rate `json:"Percent"`
	// TaxableAmount is the sum of the rate's lines: with the tax when Included.
	// The rate's part of the receipt's discount is off it already.
	TaxableAmount  Money `json:"TaxableAmount"`
	DiscountAmount Money `json:"DiscountAmount,omitempty"`
	Amount         Money `json:"Amount"`
	Included       bool  `json:"Included"`
}

// How a customer pays.
const (
	Cash        = "Cash"
	CreditDebit = "CreditDebit"
)

// Tender is one payment. Amount is what it pays of the sale.
type Tender struct {
	TenderType string `json:"TenderType"`
	Amount     Money  `json:"Amount"`
	Tendered   Money  `json:"Tendered"`
	ChangeDue  Money  `json:"ChangeDue"`
	// Card is the sealed card read, Authorization what the acquirer said of it.
	Card          *record.CardRead  `json:"Card,omitempty"`
	Authorization *record.AuthReply `json:"Authorization,omitempty"`
}

// Kinds of Report.
const (
	ReportX = "X"
	ReportZ = "Z"
)

// Report is an X (interim, 点検) or Z (closing, 精算) report of one shift.
type Report struct {
	Kind          string `json:"Kind"`
	RetailStoreID string `json:"RetailStoreID"`
	WorkstationID string `json:"WorkstationID"`
	// Number counts the Z reports for ever; an X report bears the number that
	// the shift's Z will have.
	Number          int64     `json:"Number"`
	BusinessDayDate string    `json:"BusinessDayDate"`
	BeginDateTime   time.Time `json:"BeginDateTime"`
	EndDateTime     time.Time `json:"EndDateTime"`
	OperatorID      string    `json:"OperatorID"`
	CurrencyCode    string    `json:"CurrencyCode"`
	// FirstSequenceNumber and LastSequenceNumber are 0 without a sale.
	FirstSequenceNumber int64      `json:"FirstSequenceNumber"`
	LastSequenceNumber  int64      `json:"LastSequenceNumber"`
	Totals              Totals     `json:"Totals"`
	GrandTotal          Money      `json:"GrandTotal"` // of all shifts, never reset
	Count               *CashCount `json:"Count,omitempty"`
	// JournalHead is the ledger's newest record when printed, if known.
	JournalHead string `json:"JournalHead,omitempty"`
}

// CashCount compares the cash in the drawer with what the sales say.
type CashCount struct {
	Expected  Money `json:"Expected"`
	Counted   Money `json:"Counted"`
	OverShort Money `json:"OverShort"` // Counted - Expected
}

// Tally is a number of cases and the money in them.
type Tally struct {
	Count  int64 `json:"Count"`
	Amount Money `json:"Amount"`
}

// Totals is what one shift adds up to. It is bounded: one entry for each kind
// of tender and each rate.
type Totals struct {
	Sales Tally `json:"Sales"` // without returns
	// Returns are sums given back, Discounts what was taken off lines and sales.
	Returns     Tally        `json:"Returns,omitzero"`
	Discounts   Tally        `json:"Discounts,omitzero"`
	ItemCount   int64        `json:"ItemCount"`
	Cash        Tally        `json:"Cash"`
	CreditDebit Tally        `json:"CreditDebit"`
	Tax         []TaxSummary `json:"Tax,omitempty"`
	VoidedLines Tally        `json:"VoidedLines"`
	VoidedSales Tally        `json:"VoidedSales"`
	NoSales     int64        `json:"NoSales"`
	Reprints    int64        `json:"Reprints"`
	// CardRefused counts card attempts that ended without a payment.
	CardRefused  int64 `json:"CardRefused"`
	DrawerForced int64 `json:"DrawerForced"`
}

// Net is what the line costs.
func (l *Line) Net() Money { return l.ExtendedAmount - l.DiscountAmount }

// Due is what is still to be paid; below 0 what is still to be given back.
func (r *Receipt) Due() Money {
	due := r.Total
	for _, t := range r.Tender {
		due -= t.Amount
	}
	return due
}

// Paid is the sum of the tenders of one type.
func (r *Receipt) Paid(tenderType string) Money {
	var sum Money
	for _, t := range r.Tender {
		if t.TenderType == tenderType {
			sum += t.Amount
		}
	}
	return sum
}

// Items is the number of pieces that are not voided, of a return those that
// come back.
func (r *Receipt) Items() int64 {
	var n int64
	for _, line := range r.LineItem {
		if !line.Voided {
			n += max(line.Quantity, -line.Quantity)
		}
	}
	return n
}

// Change is what the customer is given back of the cash.
func (r *Receipt) Change() Money {
	var change Money
	for _, t := range r.Tender {
		change += t.ChangeDue
	}
	return change
}
