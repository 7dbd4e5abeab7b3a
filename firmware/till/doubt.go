package till

import (
	"strconv"
	"time"

	"regi/firmware/record"
)

// StaleAfter is how long a document that was not begun may wait for the
// printer: the customer has gone, and a new roll must not bring out a heap of
// receipts. After it the operator is asked.
const StaleAfter = 10 * time.Minute

// Doubt is a job that only the operator can decide on: perhaps it was printed,
// or it is Late and was not.
type Doubt struct {
	Job  Job  `json:"job"`
	Late bool `json:"late,omitempty"`
}

func (d Doubt) question() message {
	if d.Late {
		return msgPrintLate
	}
	return msgPrintUnknown
}

// number is how the operator knows the document: that of a receipt, or the
// letter of a report.
func (d Doubt) number() string {
	body := d.Job.body()
	if d.Job.Receipt == nil || d.Job.Form == FormOrder {
		return body.Document
	}
	return "#" + strconv.FormatInt(body.SequenceNumber, 10)
}

// doubt asks about a job, unless too much is asked already: then the oldest
// question is given up, whose record says what is not known.
func (t *Till) doubt(d Doubt) {
	t.state.Doubts = append(t.state.Doubts, d)
	t.makeRoom(0, 0)
	if len(t.state.Doubts) == 0 {
		return // it alone is over the limit
	}
	t.warn(d.question(), d.number())
}

// askAgain shows the question again that the trouble of a device stood over.
func (t *Till) askAgain() {
	s := &t.state
	phase := s.Phase()
	if len(s.Doubts) == 0 || phase != Idle && phase != Closed || s.Hand.Message != "" || s.Hand.Digits != "" || s.Hand.Quantity != 0 ||
		s.Hand.Ask != "" || s.Hand.Refund || s.Hand.Confirm != "" || s.Flags.printer() != "" || s.Flags.Down["printer"] != "" {
		return
	}
	d := s.Doubts[0]
	t.say(d.question(), d.number())
}

// makeRoom gives up the oldest questions until jobs more of so many bytes fit.
func (t *Till) makeRoom(jobs, bytes int) {
	for _, j := range t.state.Prints {
		bytes += j.Bytes
	}
	jobs += len(t.state.Prints)
	for _, d := range t.state.Doubts {
		jobs++
		bytes += d.Job.Bytes
	}
	for len(t.state.Doubts) > 0 && (jobs > printsMax || bytes > printsBytesMax) {
		jobs--
		bytes -= t.state.Doubts[0].Job.Bytes
		t.state.Doubts = append([]Doubt(nil), t.state.Doubts[1:]...)
	}
}

// question is the one that stands on the display between sales: not before a
// printer that cannot print, nor over the change of the last sale.
func (t *Till) question() (Doubt, bool) {
	s := &t.state
	phase := s.Phase()
	if len(s.Doubts) == 0 || phase != Idle && phase != Closed || s.Hand.Thanks || s.Hand.Digits != "" || s.Hand.Quantity != 0 || s.Hand.Ask != "" || s.Hand.Refund ||
		s.Flags.printer() != "" {
		return Doubt{}, false
	}
	return s.Doubts[0], true
}

// answersDoubt takes a key for the answer to the oldest question, if that is seen:
// ENTER leaves the paper as it is, FN prints, marked as a copy.
func (t *Till) answersDoubt(name string) bool {
	s := &t.state
	if name != "ENTER" && name != "FN" || len(s.Doubts) == 0 || s.Hand.Digits != "" {
		return false
	}
	d := s.Doubts[0]
	_, stands := t.question()
	if s.Hand.Message != d.question().code && (s.Hand.Message != "" || !stands) {
		return false
	}
	s.Doubts = append([]Doubt(nil), s.Doubts[1:]...)
	if d.Job.Form == FormAddressed && d.Job.Receipt.SequenceNumber == s.Addressed {
		s.AddressedFailed = name == "ENTER" && d.Late // it is out, or comes now
	}
	switch {
	case name == "FN":
		if !t.reprint(d.Job) {
			t.fail(msgPrintQueue, "")
			return true
		}
	case !d.Late:
		body := d.Job.body()
		body.By = "operator"
		t.record(record.PrintDone, body)
	}
	t.refresh()
	return true
}

// recovered lets a printer go on from whose knife or mechanism somebody has
// removed the cause; no printer is told so by itself.
func (t *Till) recovered(name string) bool {
	why := t.state.Flags.printer()
	busy := t.state.Hand.Digits != "" || t.state.Hand.Ask != "" || t.state.Hand.Confirm != ""
	if name != "ENTER" || busy || why != cutterError && why != mechanicalError {
		return false
	}
	t.do(Recover{})
	t.refresh()
	return true
}
