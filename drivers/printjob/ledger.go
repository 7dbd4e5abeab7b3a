package printjob

import (
	"slices"

	"regi/drivers/printerport"
)

// Unnamed stands in Ledger.Owes for a fence whose answer has no name; others
// stand there with their ID.
const Unnamed = ""

// Answers are what a printer says, sorted; a [Ledger] is part of them.
type Answers interface {
	printerport.Answers
	Book() *Ledger
	// Halted says that the printer has told by itself that it does not print,
	// and how often it has told anything.
	Halted() (told int, halted bool)
	// Deny is told that the printer, asked, says that it does print: what it told
	// is not believed any more.
	Deny(told int)
}

// Ledger is what a printer owes and has answered.
type Ledger struct {
	printerport.Tally // of answers to questions

	Owes   []string // fences without an answer, oldest first
	Passed int      // fences with one
	// Lost: what a fence without an answer stands behind never will be printed.
	Lost bool
	Xoff bool
}

// Book is the ledger of what embeds it.
func (l *Ledger) Book() *Ledger { return l }

// Count is of what was asked for.
func (l *Ledger) Count() *printerport.Tally { return &l.Tally }

// Halted is of a printer that tells nothing by itself.
func (l *Ledger) Halted() (told int, halted bool) { return 0, false }

// Deny is of a printer that tells nothing by itself.
func (l *Ledger) Deny(int) {}

// Owed is the number of fences without an answer.
func (l *Ledger) Owed() int { return len(l.Owes) }

// Pass takes the answer to the oldest fence, if it is that. Fences with an ID
// are answered in their turn, so one that is not the oldest tells that those
// before it were lost.
func (l *Ledger) Pass(id string) bool {
	at := slices.Index(l.Owes, id)
	if at < 0 || at > 0 && id == Unnamed {
		return false
	}
	if at > 0 {
		l.Lost = true
		return true
	}
	l.Owes = l.Owes[1:]
	l.Passed++
	return true
}
