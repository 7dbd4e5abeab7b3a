package till

import (
	"regi/firmware/record"
	"regi/firmware/sale"
)

// Bodies of the records, by kind. A sale.commit holds a sale.Receipt, x and z
// a sale.Report. The names are POSLog's; those of card attempts are the
// authorisation's own.
type (
	// ShiftBody is the body of shift.open and shift.close.
	ShiftBody struct {
		BusinessDayDate string `json:"BusinessDayDate"`
		OperatorID      string `json:"OperatorID"`
		ZNumber         int64  `json:"ZNumber,omitempty"` // of shift.close
	}
	// SaleOpenBody is the body of sale.open.
	SaleOpenBody struct {
		TransactionID   string `json:"TransactionID"`
		BusinessDayDate string `json:"BusinessDayDate"`
		OperatorID      string `json:"OperatorID"`
		// Original is the sale whose goods come back, nil but for a return.
		Original         *sale.Original `json:"OriginalTransaction,omitempty"`
		TrainingModeFlag bool           `json:"TrainingModeFlag,omitempty"`
	}
	// DiscountBody is the body of disc.line and disc.sale: Amount is all that is
	// off the line or the sale from now on.
	DiscountBody struct {
		TransactionID  string     `json:"TransactionID"`
		SequenceNumber int        `json:"SequenceNumber,omitempty"` // of the line
		Amount         sale.Money `json:"Amount"`
		Percent        int64      `json:"Percent,omitempty"` // as keyed
	}
	// OverrideBody is the body of override: a supervisor's number was asked for.
	OverrideBody struct {
		OperatorID string `json:"OperatorID"`
		Function   string `json:"Function"` // "REFUND", "TRAINING" or "EXPIRED"
		Granted    bool   `json:"Granted"`
	}
	// TrainingBody is the body of training.on and training.off.
	TrainingBody struct {
		OperatorID string `json:"OperatorID"`
	}
	// LineAddBody is the body of line.add.
	LineAddBody struct {
		TransactionID string    `json:"TransactionID"`
		LineItem      sale.Line `json:"LineItem"`
	}
	// QtyBody is the body of qty: the multiplier of the line.add after it.
	QtyBody struct {
		TransactionID string `json:"TransactionID"`
		Quantity      int64  `json:"Quantity"`
	}
	// LineVoidBody is the body of line.void.
	LineVoidBody struct {
		TransactionID  string     `json:"TransactionID"`
		SequenceNumber int        `json:"SequenceNumber"` // of the line
		Amount         sale.Money `json:"Amount"`
	}
	// VoidBody is the body of void: a sale given up before its commit.
	VoidBody struct {
		TransactionID string     `json:"TransactionID"`
		OperatorID    string     `json:"OperatorID"`
		Amount        sale.Money `json:"Amount"` // of the lines that were left
	}
	// TenderBody is the body of tender.add and tender.void. The sealed card
	// read is in card.intent and in the sale.commit.
	TenderBody struct {
		TransactionID string      `json:"TransactionID"`
		Tender        sale.Tender `json:"Tender"`
	}
	// CardIntentBody is the body of card.intent.
	CardIntentBody struct {
		TransactionID string `json:"TransactionID"`
		record.AuthRequest
	}
	// CardResultBody is the body of card.result.
	CardResultBody struct {
		TransactionID string `json:"TransactionID"`
		record.AuthReply
	}
	// CardReversalBody is the body of card.reversal: whatever became of the
	// attempt ID, it must not be charged.
	CardReversalBody struct {
		TransactionID string `json:"TransactionID"`
		ID            string `json:"id"`
		Amount        int64  `json:"amount"`
		Currency      string `json:"currency"`
		Reason        string `json:"reason"`
	}
	// DrawerBody is the body of drawer.kick, opened, closed and forced.
	DrawerBody struct {
		Reason        string `json:"Reason,omitempty"` // of a kick: "sale" or "nosale"
		TransactionID string `json:"TransactionID,omitempty"`
	}
	// NoSaleBody is the body of nosale.
	NoSaleBody struct {
		OperatorID string `json:"OperatorID"`
		Reason     string `json:"Reason"` // as keyed, "" for change (両替)
	}
	// PrintBody is the body of print.start, done, fail and reprint.
	PrintBody struct {
		Job            uint64 `json:"Job"`
		Document       string `json:"Document"` // "receipt", another Form, "X", "Z"
		SequenceNumber int64  `json:"SequenceNumber"`
		TransactionID  string `json:"TransactionID,omitempty"` // of an order slip, which has no number
		Reprint        bool   `json:"Reprint,omitempty"`
		Cause          string `json:"Cause,omitempty"`
		Unknown        bool   `json:"Unknown,omitempty"` // of a fail: perhaps it was printed
		By             string `json:"By,omitempty"`      // of a done: "operator" who has looked at the paper
	}
	// DeviceBody is the body of device.up and device.down.
	DeviceBody struct {
		Name   string `json:"Name"`
		Detail string `json:"Detail,omitempty"`
	}
	// SecurityBody is the body of security.event.
	SecurityBody struct {
		Event  string `json:"Event"` // "zeroised": the card key is destroyed; "tamper": the case was opened; "drawer-left-open"; "supervisor-wait": too many wrong numbers
		Detail string `json:"Detail,omitempty"`
	}
	// PowerBody is the body of power.resume.
	PowerBody struct {
		Phase         string `json:"Phase"`
		TransactionID string `json:"TransactionID,omitempty"`
		PrintJobs     int    `json:"PrintJobs"` // whose outcome was not known
	}
)
