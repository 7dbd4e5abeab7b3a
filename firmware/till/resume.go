package till

import "regi/firmware/record"

// powerResumed goes on after a start: the sale is as its records left it, what
// the operator had keyed is gone, and nothing is done twice.
func (t *Till) powerResumed() {
	s := &t.state
	s.Hand, s.HalfBook = Hand{}, false
	jobs := s.Prints
	s.Prints = nil
	body := PowerBody{Phase: s.Phase(), PrintJobs: len(jobs)}
	if s.Sale != nil {
		body.TransactionID = s.Sale.Receipt.TransactionID
	}
	t.record(record.PowerResume, body)
	reversed := s.Sale != nil && s.Sale.Pending != nil
	if reversed {
		t.reverse(record.AuthReply{ID: s.Sale.Pending.ID, Result: resultNoAnswer, Reason: "restart"})
	}
	// Paper and devices say again how they are. The drawer may have been opened
	// by us or found open: its next opening is not by force. It is never kicked
	// again by itself.
	s.Flags.Paper = ""
	d := &s.Drawer
	d.Resumed = d.Resumed || d.Open || d.Kicks > 0
	d.Kicks = 0
	reprints := 0
	for _, job := range jobs {
		if !job.At.IsZero() && t.now.Sub(job.At) > StaleAfter { // its customer has gone
			t.doubt(Doubt{Job: job})
			continue
		}
		t.reprint(job)
		reprints++
	}
	if reprints > 0 {
		t.notice(msgReprints, "")
	}
	switch {
	case reversed:
		t.fail(msgReversed, "")
	case s.Sale != nil:
		t.fail(msgResumed, "")
	default:
		t.refresh()
	}
}
