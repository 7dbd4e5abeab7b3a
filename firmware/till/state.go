package till

import (
	"time"

	"regi/firmware/record"
	"regi/firmware/sale"
)

// State is all that a till knows. It survives a JSON round trip unchanged; its
// zero value is a register that was never opened. It is bounded: encoded at
// most StateBytesMax.
type State struct {
	// Counters never reset and never repeat.
	Counters Counters `json:"counters"`
	// Time of the newest record: ledger time never stands still or goes back.
	Time time.Time `json:"time,omitzero"`
	// Shift is the open shift, nil while closed.
	Shift *Shift `json:"shift,omitempty"`
	// Sale is the sale being rung up, nil between sales.
	Sale *Sale `json:"sale,omitempty"`
	// Last is the newest receipt, for a reprint.
	Last *sale.Receipt `json:"last,omitempty"`
	// Addressed is the newest receipt for which a 領収書 was printed; it is one
	// to a sale, and AddressedFailed says that it did not come out for sure, or in two
	// pieces.
	Addressed       int64 `json:"addressed,omitempty"`
	AddressedFailed bool  `json:"addressed_failed,omitempty"`
	// Kept are the newest receipts as far as there is room, oldest first.
	Kept []Kept `json:"kept,omitempty"`
	// Returned are older sales of which goods came back, oldest first.
	Returned []int64 `json:"returned,omitempty"`
	// Training: what is rung up is not sold.
	Training bool `json:"training,omitempty"`
	// HalfBook: one row of a book was read, and the other has not been.
	HalfBook bool `json:"half_book,omitempty"`
	// Prints are the jobs whose outcome is not known yet, oldest first.
	Prints []Job `json:"prints,omitempty"`
	// Doubts are the jobs that the operator is asked about, oldest first.
	Doubts []Doubt `json:"doubts,omitempty"`
	// Wrong counts the supervisor's numbers that were: a restart forgives none.
	Wrong  Wrong  `json:"wrong,omitzero"`
	Drawer Drawer `json:"drawer"`
	Hand   Hand   `json:"hand"`
	Flags  Flags  `json:"flags"`
}

// Counters number things over the register's whole life.
type Counters struct {
	Transaction int64      `json:"transaction"` // sales begun
	Receipt     int64      `json:"receipt"`     // sales committed
	Z           int64      `json:"z"`           // shifts closed
	Training    int64      `json:"training,omitempty"`
	Job         uint64     `json:"job"` // print jobs
	GrandTotal  sale.Money `json:"grand_total"`
}

// Shift is one cashier's time at the register.
type Shift struct {
	BusinessDayDate string      `json:"business_day_date"` // of its opening
	OperatorID      string      `json:"operator_id"`
	Begin           time.Time   `json:"begin"`
	FirstReceipt    int64       `json:"first_receipt"` // 0 before the first
	LastReceipt     int64       `json:"last_receipt"`
	Totals          sale.Totals `json:"totals"`
}

// Sale is a sale before its commit.
type Sale struct {
	// Receipt as far as it goes: lines, tax, totals, tenders so far.
	Receipt sale.Receipt `json:"receipt"`
	// Bytes is the encoded size of its lines.
	Bytes int `json:"bytes"`
	// Upper is the display's line of the newest item; Long and Tail are its name
	// and the rest if the name does not fit.
	Upper string `json:"upper"`
	Long  string `json:"long,omitempty"`
	Tail  string `json:"tail,omitempty"`
	// Attempts counts the card attempts so far.
	Attempts int `json:"attempts"`
	// Ordered is how many of its lines are on an order slip already.
	Ordered int `json:"ordered,omitempty"`
	// Pending is the card attempt whose result is awaited.
	Pending *record.AuthRequest `json:"pending,omitempty"`
}

// Forms of a receipt's print job.
const (
	FormReceipt   = ""
	FormAddressed = "addressed-receipt" // 領収書
	FormOrder     = "order"             // 注文伝票
	FormSheet     = "sheet"             // of commands, and of no receipt
)

// Job is a print job under way: a receipt or a report.
type Job struct {
	Job     uint64        `json:"job"`
	Receipt *sale.Receipt `json:"receipt,omitempty"`
	Report  *sale.Report  `json:"report,omitempty"`
	Form    string        `json:"form,omitempty"`
	Reprint bool          `json:"reprint,omitempty"`
	// At is when it was to be printed.
	At time.Time `json:"at,omitzero"`
	// Apart: the paper was changed in its middle.
	Apart bool `json:"apart,omitempty"`
	// Bytes is a bound of its encoded size.
	Bytes int `json:"bytes"`
}

// Drawer is what is known of the cash drawer.
type Drawer struct {
	Open bool `json:"open"`
	// Kicks of ours that have not been answered yet. An opening without one was
	// by force.
	Kicks int `json:"kicks,omitempty"`
	// Stuck: the last kick did not open it, and the operator was told to use
	// the key: the next opening is no force.
	Stuck bool `json:"stuck,omitempty"`
	// LeftOpen: it stands open for too long, which is on record.
	LeftOpen bool `json:"left_open,omitempty"`
	// Resumed: it was open, or a kick unanswered, before a restart: what its
	// switch says first after it is no force.
	Resumed bool `json:"resumed,omitempty"`
}

// Hand is what the operator has begun and sees; a power cut forgets it.
type Hand struct {
	Digits   string `json:"digits,omitempty"`
	Percent  bool   `json:"percent,omitempty"`  // of the digits: DOT was pressed
	Quantity int64  `json:"quantity,omitempty"` // of the next line; 0: one
	Tender   bool   `json:"tender,omitempty"`   // SUBTOTAL was pressed
	Card     bool   `json:"card,omitempty"`     // CARD was pressed
	// Confirm is the key that must be pressed once more.
	Confirm string `json:"confirm,omitempty"`
	// Message is the code on the display, "" while it shows the state.
	Message string `json:"message,omitempty"`
	// Ask is the key for which the supervisor's number is awaited.
	Ask string `json:"ask,omitempty"`
	// Expired are goods past their date, which a supervisor may sell: ENTER.
	Expired *Scanned `json:"expired,omitempty"`
	// Sheet: it was scanned from a command sheet; Held are the digits before it,
	// Sure that it was the second time.
	Sheet bool   `json:"sheet,omitempty"`
	Held  string `json:"held,omitempty"`
	Sure  bool   `json:"sure,omitempty"`
	// Refund: the code of a receipt is awaited.
	Refund bool `json:"refund,omitempty"`
	// Thanks: the display shows the last sale's total, its change, or that it
	// was paid by card.
	Thanks       bool       `json:"thanks,omitempty"`
	ThanksTotal  sale.Money `json:"thanks_total,omitempty"`
	ThanksChange sale.Money `json:"thanks_change,omitempty"`
	ThanksCard   bool       `json:"thanks_card,omitempty"`
}

// Flags are conditions beside the sale.
type Flags struct {
	Offline bool   `json:"offline,omitempty"`
	Paper   string `json:"paper,omitempty"` // why a print job pauses
	// Zeroised: that the card key was destroyed is on record.
	Zeroised bool `json:"zeroised,omitempty"`
	// Down holds the devices that are away, and why.
	Down map[string]string `json:"down,omitempty"`
}

// Limits of a state, in encoded bytes, and of what is in it.
const (
	StateBytesMax  = 240 << 10
	printsMax      = 8 // and doubts
	printsBytesMax = 96 << 10
	tendersMax     = 10
	cardBytesMax   = 3 << 10
	// receiptRestBytes is what a receipt has beside its lines: issuer, taxes,
	// tenders, a card read.
	receiptRestBytes = 8 << 10
	linesBytesMax    = sale.ReceiptBytesMax - receiptRestBytes
	reportBytes      = 4 << 10
)

// Phases of the till.
const (
	Closed      = "CLOSED"
	Idle        = "IDLE"
	Selling     = "SALE"
	Tendering   = "TENDER"
	AwaitCard   = "CARD"
	Authorizing = "AUTH"
)

// Phase says where the till stands: one of the constants above.
func (s State) Phase() string {
	switch {
	case s.Shift == nil:
		return Closed
	case s.Sale == nil:
		return Idle
	case s.Sale.Pending != nil:
		return Authorizing
	case s.Hand.Card:
		return AwaitCard
	case s.Hand.Tender || len(s.Sale.Receipt.Tender) > 0:
		return Tendering
	}
	return Selling
}
