package printjob

import (
	"context"
	"errors"
	"slices"
	"time"

	"regi/drivers"
	"regi/drivers/printerport"
)

// Run is one document on its way.
type Run[A Answers] struct {
	queue   *Queue[A]
	printer Printer[A]
	line    *printerport.Line[A]
	doc     drivers.Document
	paused  func(error)
	state   Job

	from    int  // the first item of this transmission
	begun   bool // something was sent
	ink     bool // items may be on the paper
	longest int  // the longest unit that was sent

	// Of this transmission.
	out    Stream
	sent   int    // units of which bytes have left
	fences []int  // the last unit before each fence
	before int    // fences that were answered before it
	canary string // the ID of one more fence, see askLost

	cause error // why it pauses, as last told
	again bool  // it has paused, and may have lost its buffer by that
	doubt error // why answers without an ID cannot be believed
	heard time.Time
	moved time.Time // when the printer last did something, or said why not
}

// print transmits the document, and the rest of it again where the printer has
// lost that for certain.
func (r *Run[A]) print(ctx context.Context) error {
	q := r.queue
	if err := q.prepared(ctx); err != nil {
		return err
	}
	if err := r.mend(ctx, q.mend); err != nil {
		return err
	}
	q.mend = 0
	for range resumesMax {
		rest := r.doc
		rest.Items = r.doc.Items[r.from:]
		rest.CutFirst = r.doc.CutFirst && r.from == 0
		out, err := r.printer.Lay(ctx, r, rest)
		if err != nil {
			return err
		}
		r.out, r.sent, r.fences, r.canary = out, 0, nil, ""
		r.edit(func(l *Ledger) { l.Lost, r.before = l.Lost && out.Telling == Counted, l.Passed })
		err = r.transmit(ctx)
		if !errors.Is(err, errLost) && !errors.Is(err, errStalled) {
			return err
		}
		certain, ok := r.certain()
		if !ok {
			return err
		}
		r.from += certain
		if err := r.mend(ctx, r.longest); err != nil {
			return err
		}
	}
	return errLost
}

// mend lets the next unit begin with what ends a command of n bytes.
func (r *Run[A]) mend(ctx context.Context, n int) error {
	if n == 0 {
		return nil
	}
	return r.printer.Broken(ctx, n)
}

// Leaves is told that a command of n bytes, which prints nothing, is sent.
func (r *Run[A]) Leaves(n int) { r.begun, r.longest = true, max(r.longest, n) }

func (r *Run[A]) edit(f func(*Ledger)) { r.line.Edit(func(a A) { f(a.Book()) }) }

func (r *Run[A]) named() bool { return r.out.Telling == Named }

// certain is how many items of this transmission are on the paper, if that and
// nothing after them is certain: only fences with an ID can tell.
func (r *Run[A]) certain() (items int, ok bool) {
	last := -1
	if r.named() {
		if n := r.answered(); n > 0 {
			last = r.fences[n-1]
			items = r.out.Units[last].Items
		}
	}
	for _, u := range r.out.Units[last+1 : r.sent] {
		if !u.Blank {
			return 0, false
		}
	}
	return items, items != MidItem
}

// answered is how many of this transmission's fences were.
func (r *Run[A]) answered() (n int) {
	r.edit(func(l *Ledger) { n = l.Passed - r.before })
	return min(n, len(r.fences))
}

func (r *Run[A]) note(s State, err error) {
	r.state.State, r.state.Err = s, err
	if s == Printed {
		r.state.Certain = r.state.Items
	} else if n := r.answered(); r.named() && n > 0 {
		if items := r.out.Units[r.fences[n-1]].Items; items != MidItem {
			r.state.Certain = r.from + items
		}
	}
	r.queue.note(r.state)
}

// transmit sends the document and waits for its fences. Those with an ID are
// answered when they are printed, and by nothing else; one of an older document
// is told from them. A count has no name: what an older document owes must be
// known first, and a printer that was silent meanwhile may have started anew.
func (r *Run[A]) transmit(ctx context.Context) error {
	if err := r.Online(ctx); err != nil {
		return err
	}
	if r.named() {
		r.edit(func(l *Ledger) { l.Owes = nil })
	} else if err := r.settle(ctx); err != nil {
		return err
	}
	noise := r.noise()
	r.edit(func(l *Ledger) { r.before = l.Passed })
	if err := r.send(ctx); err != nil {
		return err
	}
	r.note(Fenced, nil)
	if err := r.wait(ctx, func(l *Ledger) bool { return l.Owed() == 0 }); err != nil || r.named() {
		return err
	}
	if r.out.Telling == Counted {
		r.tell(nil)
		return r.doubt
	}
	// It was read; wait for the paper.
	if err := r.line.Pause(ctx, time.Now().Add(printLag)); err != nil {
		return err
	}
	if err := r.Online(ctx); err != nil {
		return err
	}
	if r.doubt == nil && r.noise() != noise {
		r.doubt = drivers.ErrFrame
	}
	return r.doubt
}

func (r *Run[A]) noise() (n int) {
	r.edit(func(l *Ledger) { n = l.Noise })
	return n
}

// send sends the document block by block, each with its fence in one piece: a
// printer that loses its buffer between two writes then loses the fences of all
// that it had, so that no fence is answered for lines that are not printed.
func (r *Run[A]) send(ctx context.Context) error {
	from, first := 0, 0
	for i, u := range r.out.Units {
		if len(u.Fences) == 0 && u.End-from < blockMaxBytes {
			continue
		}
		if err := r.block(ctx, first, i, r.out.Bytes[from:u.End]); err != nil {
			return err
		}
		from, first = u.End, i+1
		r.state.Offset = from
		r.note(Sending, nil)
		// At most one block is under way when the next one starts.
		if err := r.wait(ctx, func(l *Ledger) bool { return l.Owed() <= 1 }); err != nil {
			return err
		}
	}
	return nil
}

// block sends the units from first to last. While the printer takes nothing it
// looks why, and gives nothing to one that has said by itself that it has
// stopped: what is not sent is not lost with its buffer.
func (r *Run[A]) block(ctx context.Context, first, last int, b []byte) error {
	for _, until := range []func(context.Context) error{r.flow, r.ready, r.kept} {
		if err := until(ctx); err != nil {
			return err
		}
	}
	r.longest = max(r.longest, len(b))
	r.begin()
	for {
		n, err := r.fenced(ctx, last, b, r.out.Units[last].Fences)
		if n > 0 {
			r.begun, r.sent = true, last+1
			r.ink = r.ink || slices.ContainsFunc(r.out.Units[first:r.sent], func(u Unit) bool { return !u.Blank })
		}
		if err == nil {
			return nil
		}
		if !errors.Is(err, printerport.ErrBlocked) {
			return err
		}
		if err := r.look(ctx); err != nil {
			return err
		}
	}
}

// fenced sends b, which ends with fences, and the i-th unit.
func (r *Run[A]) fenced(ctx context.Context, i int, b []byte, fences []string) (int, error) {
	// Before the bytes: the answers may be faster than this goroutine.
	r.edit(func(l *Ledger) { l.Owes = append(l.Owes, fences...) })
	for range fences {
		r.fences = append(r.fences, i)
	}
	n, err := r.printer.Send(ctx, b)
	if n == 0 && err != nil {
		r.edit(func(l *Ledger) { l.Owes = l.Owes[:max(0, len(l.Owes)-len(fences))] })
		r.fences = r.fences[:len(r.fences)-len(fences)]
	}
	return n, err
}

// settle makes sure that no answer to an older document's fence is taken for
// one to this: one more fence, and all must come, or no more do. A printer that
// has lost them owes nothing.
func (r *Run[A]) settle(ctx context.Context) error {
	owed := 0
	r.edit(func(l *Ledger) {
		if l.Lost {
			l.Owes, l.Lost = nil, false
		}
		owed = l.Owed()
	})
	if owed == 0 {
		return nil
	}
	id, fence := r.printer.Fence()
	r.edit(func(l *Ledger) { l.Owes = append(l.Owes, id) })
	if _, err := r.printer.Send(ctx, []byte(fence)); err != nil {
		return err
	}
	err := r.wait(ctx, func(l *Ledger) bool { return l.Owed() <= owed })
	for err == nil && owed > 0 {
		before := owed
		if owed, err = r.fewer(ctx, owed); owed == before { // the rest was lost
			owed = 0
		}
	}
	if err != nil && !errors.Is(err, errLost) {
		return err
	}
	r.edit(func(l *Ledger) { l.Owes, l.Lost = nil, false })
	return nil
}

// fewer waits until less is owed, or nothing more comes.
func (r *Run[A]) fewer(ctx context.Context, owed int) (int, error) {
	now := owed
	for began := time.Now(); now == owed && time.Since(began) < settleQuiet; {
		err := r.await(ctx, func(l *Ledger) bool { return l.Owed() < owed })
		if err == nil && r.out.Telling == Counted {
			_, err = r.printer.Status(ctx)
		}
		if err != nil && !noAnswer(err) {
			return now, err
		}
		lost := false
		r.edit(func(l *Ledger) { now, lost = l.Owed(), l.Lost })
		if lost {
			return now, errLost
		}
	}
	return now, nil
}
