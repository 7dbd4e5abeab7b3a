package till

import (
	"time"

	"regi/firmware/record"
	"regi/firmware/sale"
)

// Effect is something the shell must do. All Records of one Handle come first
// in its answer; they are made durable, in order, before any other effect is
// carried out.
type Effect interface{ effect() }

type (
	// Record goes to the ledger. Body is one of the types of body.go, a
	// sale.Receipt or a sale.Report.
	Record struct {
		Kind record.Kind
		Body any
	}
	// Show replaces both lines of the display: at most 20 columns each, ASCII
	// and half-width katakana.
	Show struct {
		Upper, Lower string
		// Customer is what the customer sees, where that is another display: the
		// sale, and nothing that is the operator's to know or to do.
		Customer [2]string
		// Long is the name of which the upper line of the newest item has only the
		// beginning, and Tail the rest of that line; "" if it fits.
		Long, Tail string
		// Clock is where a lower line that is empty may show the time; nil: nowhere.
		Clock *time.Location
		// Paper: a register without a display prints it.
		Paper bool
	}
	// Print puts a receipt or a report (one of them) on paper; the shell
	// answers with Printed or PrintFailed.
	Print struct {
		Job     uint64
		Receipt *sale.Receipt
		Report  *sale.Report
		Form    string // of a Receipt: one of the Form constants; or FormSheet
		Sheet   []SheetKey
		Lines   []string // of no document: the shell's own, of a display that is not there
		Reprint bool
		// Code identifies the sale when goods come back, "" for none.
		Code string
		// At is when it was to be printed: see StaleAfter.
		At time.Time
	}
	// Recover lets a printer go on after a cutter or mechanical error.
	Recover struct{}
	// Kick opens the drawer; the shell answers with DrawerOpened or
	// DrawerFailed.
	Kick struct{}
	// Beep draws the operator's attention.
	Beep struct{}
	// Authorize asks the acquirer; the shell answers with Authorized.
	Authorize struct{ Request record.AuthRequest }
	// Notice is for the console and the log: Text says what happened and what
	// to do, "日本語 / English". It never holds card data.
	Notice struct{ Code, Text string }
)

func (Record) effect()    {}
func (Show) effect()      {}
func (Print) effect()     {}
func (Kick) effect()      {}
func (Recover) effect()   {}
func (Beep) effect()      {}
func (Authorize) effect() {}
func (Notice) effect()    {}
