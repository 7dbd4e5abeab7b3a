package uplink

import "regi/firmware/record"

// head is the newest record of our subject in the stream; the zero value means
// that there is none.
type head struct {
	at   uint64 // the stream's sequence of that message
	seq  uint64 // the record's
	hash record.Hash
}

// verdict is what a look at the stream says about the record in flight.
type verdict int

const (
	// delivered: it is the head.
	delivered verdict = iota
	// resend: it is not there, and it is what comes next.
	resend
	// moved: the stream's end is elsewhere on our own chain; go on from there.
	moved
	// forked: somebody else has written under our name.
	forked
)

// judge compares the record in flight with the stream's head now. known is the
// head that the record was sent to follow; top is the highest sequence that this
// process knows to have been in the stream.
func judge(r *record.Sealed, known, now head, top uint64) verdict {
	switch {
	case now.seq == r.Seq && now.hash == r.Hash():
		return delivered
	case now == known:
		return resend
	case now.seq+1 == r.Seq && now.hash == r.Prev:
		return resend
	case now.seq+1 == r.Seq:
		return forked
	case now.seq+1 < r.Seq:
		return moved // it lost its tail, or was emptied
	case now.seq <= top:
		return moved // its tail, while earlier records were being sent again
	}
	return forked
}
