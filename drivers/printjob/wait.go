package printjob

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"regi/drivers"
	"regi/drivers/printerport"
)

// Online waits until the printer says that it can print.
func (r *Run[A]) Online(ctx context.Context) error {
	r.begin()
	for {
		if by := r.doc.BeginBy; !r.ink && !by.IsZero() && time.Now().After(by) {
			return drivers.ErrLate
		}
		can, err := r.printer.Online(ctx)
		switch {
		case err == nil && can:
			r.tell(nil)
			return nil
		case err == nil, noAnswer(err) && r.ink:
			err = r.look(ctx)
		}
		if err != nil {
			return err
		}
		if err := r.line.Pause(ctx, time.Now().Add(pollEvery)); err != nil {
			return err
		}
	}
}

// flow waits while the printer has sent XOFF. One that is well for so long has
// sent an XON that was lost.
func (r *Run[A]) flow(ctx context.Context) error {
	err := r.wait(ctx, func(l *Ledger) bool { return !l.Xoff })
	if !errors.Is(err, errStalled) {
		return err
	}
	r.edit(func(l *Ledger) { l.Xoff = false })
	return nil
}

// ready waits while the printer has told that it has stopped, unless it answers
// that it has not.
func (r *Run[A]) ready(ctx context.Context) error {
	told, halted := 0, false
	r.line.Edit(func(a A) { told, halted = a.Halted() })
	if !halted {
		return nil
	}
	if err := r.Online(ctx); err != nil {
		return err
	}
	r.line.Edit(func(a A) { a.Deny(told) })
	return nil
}

// kept waits, after a pause, until the printer has worked off what it was given
// before: a rest that it prints behind a gap would be of no use.
func (r *Run[A]) kept(ctx context.Context) error {
	if !r.again || !r.named() {
		return nil
	}
	r.again = false
	if err := r.askLost(ctx); err != nil {
		return err
	}
	return r.wait(ctx, func(l *Ledger) bool { return l.Owed() == 0 })
}

func (r *Run[A]) begin() { r.heard, r.moved = time.Now(), time.Now() }

// await is one step of a wait: it ends when done says so, when the printer has
// told something, or to look how it stands.
func (r *Run[A]) await(ctx context.Context, done func(*Ledger) bool) error {
	poll := pollEvery
	if r.out.Telling == Counted {
		poll = countEvery
	}
	told := 0
	r.line.Edit(func(a A) { told, _ = a.Halted() })
	err := r.line.Await(ctx, time.Now().Add(poll), func(a A) bool {
		now, halted := a.Halted()
		return done(a.Book()) || a.Book().Lost || now != told && halted
	})
	if noAnswer(err) {
		return nil
	}
	return err
}

// wait returns when done says so. Meanwhile it tells why the printer pauses.
func (r *Run[A]) wait(ctx context.Context, done func(*Ledger) bool) error {
	r.begin()
	passed := -1
	for {
		if err := r.await(ctx, done); err != nil {
			return err
		}
		var ended, lost bool
		r.edit(func(l *Ledger) { ended, lost = done(l), l.Lost })
		switch {
		case lost:
			return errLost
		case ended && r.cause == nil:
			return nil
		case ended && r.out.Telling == Counted:
			// What was printed before it stopped may be known only now.
			return r.look(ctx)
		case ended:
			r.tell(nil)
			return nil
		}
		r.edit(func(l *Ledger) {
			if l.Passed != passed {
				passed, r.moved = l.Passed, time.Now()
			}
		})
		if err := r.look(ctx); err != nil {
			return err
		}
	}
}

// look asks the printer why nothing happens. Its error ends the document.
func (r *Run[A]) look(ctx context.Context) error {
	s, err := r.printer.Status(ctx)
	switch {
	case noAnswer(err):
		return r.silent(err)
	case err != nil:
		return err
	}
	r.heard = time.Now()
	cause := s.Err()
	if s.Unrecoverable {
		return drivers.ErrUnrecoverable
	}
	r.tell(cause)
	if cause != nil {
		r.moved = time.Now()
		return nil
	}
	switch still := time.Since(r.moved); {
	case still >= printerport.StallMax:
		return errStalled
	case still >= canaryAfter:
		return r.askLost(ctx)
	}
	return nil
}

// silent is told that the printer did not answer. One that may be off for its
// knife to be freed is waited for if what it loses by that is known.
func (r *Run[A]) silent(err error) error {
	if !errors.Is(err, printerport.ErrBlocked) {
		if !r.ink {
			return err // nothing is lost by saying so at once
		}
		// Off and on again, it has lost the document, and what a broken line
		// says meanwhile may look like the answers to fences.
		r.doubt = err
	}
	if time.Since(r.heard) < silentMax {
		return nil
	}
	if _, ok := r.certain(); !ok || !r.ink {
		return err
	}
	r.tell(drivers.ErrTimeout)
	r.moved = time.Now()
	return nil
}

// askLost sends one more fence to a printer that does nothing. If that is
// answered and those before it were not, the printer has lost them.
func (r *Run[A]) askLost(ctx context.Context) error {
	held := true
	r.edit(func(l *Ledger) { held = l.Xoff || l.Owed() == 0 || slices.Contains(l.Owes, r.canary) })
	if held || !r.named() {
		return nil
	}
	id, fence := r.printer.Fence()
	n, err := r.fenced(ctx, r.sent-1, []byte(fence), []string{id})
	if n > 0 {
		r.canary = id
	}
	if errors.Is(err, printerport.ErrBlocked) {
		return nil
	}
	return err
}

// tell calls paused for each new cause, and once when it goes on.
func (r *Run[A]) tell(cause error) {
	// Not errors.Is: a reason to be offline is told after "offline", too.
	if fmt.Sprint(cause) == fmt.Sprint(r.cause) {
		return
	}
	r.again = r.again || r.cause != nil
	r.cause = cause
	if r.paused != nil {
		r.paused(cause)
	}
}
