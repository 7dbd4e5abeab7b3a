package star

import (
	"context"
	"errors"
	"fmt"
	"time"

	"regi/drivers"
	"regi/drivers/printerport"
)

const (
	// pollEvery is how long a printer may do nothing before it is asked why.
	pollEvery = 250 * time.Millisecond
	// silentMax is how long a printer with bytes of a document may not answer.
	silentMax = 5 * time.Second
	// settleQuiet ends the wait for what an older document still owes.
	settleQuiet = time.Second
)

// Printers that count printed blocks in their status are asked this often.
const countEvery = 40 * time.Millisecond

var (
	errStalled   = fmt.Errorf("printer is well but does nothing: %w", drivers.ErrTimeout)
	errRestarted = fmt.Errorf("printer has lost count, and what it held: %w", drivers.ErrOffline)
)

// Print sends a document and waits until the printer has worked it off. Before
// anything of it was sent, an error is its cause and nothing is on the paper;
// after that every error wraps drivers.ErrUnknownOutcome, and the cause. A
// document that is not begun by its time is drivers.ErrLate.
func (p *Printer) Print(ctx context.Context, doc drivers.Document, paused func(error)) error {
	if err := p.printing.Take(ctx); err != nil {
		return fmt.Errorf("star: print: %w", err)
	}
	defer p.printing.Release()
	if p.auto {
		if _, err := p.probe(ctx); err != nil {
			return fmt.Errorf("star: print: %w", err)
		}
	}
	m := p.Model()
	// After a restart the IDs are others than before it.
	out, err := encode(m, doc, max(p.nextID, time.Now().UnixMilli()))
	if err != nil {
		return fmt.Errorf("star: print: %w", err)
	}
	p.nextID = out.next
	j := &job{line: p.line, beginBy: doc.BeginBy, paused: paused, poll: pollEvery}
	if !m.PrintEnd {
		j.poll = countEvery
	}
	err = j.run(ctx, out, m.PrintEnd)
	switch {
	case err == nil:
		return nil
	case j.sent:
		return fmt.Errorf("star: print: %w: %w", drivers.ErrUnknownOutcome, err)
	}
	return fmt.Errorf("star: print: %w", err)
}

// job is one document on its way.
type job struct {
	line    *line
	beginBy time.Time
	paused  func(error)
	poll    time.Duration // how often it is asked why nothing happens

	cause error // why it pauses, as last told
	sent  bool  // bytes of the document may be on the paper
	doubt error // why answers without an ID cannot be believed
	heard time.Time
	moved time.Time // when the printer last did something, or said why not
}

// run sends the document and waits for its fences. Those with an ID (byID) are
// answered when they are printed, and by nothing else. Those that are counted
// are, too, but a count has no name: what an older document owes must be known
// first, and a printer that was silent meanwhile may have started anew.
func (j *job) run(ctx context.Context, out stream, byID bool) error {
	if err := j.online(ctx); err != nil {
		return err
	}
	if byID {
		j.line.Edit(func(a *answers) { a.owes = nil })
	} else if err := j.settle(ctx); err != nil {
		return err
	}
	if err := j.send(ctx, out); err != nil {
		return err
	}
	if err := j.wait(ctx, func(a *answers) bool { return a.owed() == 0 }); err != nil {
		return err
	}
	j.tell(nil)
	if byID {
		return nil
	}
	return j.doubt
}

// send sends the document block by block, each with its fence in one piece: a
// printer that loses its buffer between two writes then loses the fence of all
// that it had, so that none is answered for lines that are not printed.
func (j *job) send(ctx context.Context, out stream) error {
	from := 0
	for _, b := range out.blocks {
		if err := j.block(ctx, piece{out.bytes[from:b.end], b.ends}, b.fence); err != nil {
			return err
		}
		from = b.end
		// At most one block is under way when the next one starts.
		if err := j.wait(ctx, func(a *answers) bool { return a.owed() <= 1 }); err != nil {
			return err
		}
	}
	return nil
}

// block sends one. While the printer takes nothing it looks why.
func (j *job) block(ctx context.Context, p piece, fence string) error {
	if err := j.flow(ctx); err != nil {
		return err
	}
	j.begin()
	for {
		// Before the bytes: the answers may be faster than this goroutine.
		j.line.Edit(func(a *answers) { a.owes = append(a.owes, fence) })
		n, err := j.line.send(ctx, p)
		j.sent = j.sent || n > 0
		if err == nil {
			return nil
		}
		if n == 0 {
			j.line.Edit(func(a *answers) { a.owes = a.owes[:max(0, len(a.owes)-1)] })
		}
		if !errors.Is(err, printerport.ErrBlocked) {
			return err
		}
		if err := j.look(ctx); err != nil {
			return err
		}
	}
}

// flow waits while the printer has sent XOFF. One that is well for so long has
// sent an XON that was lost.
func (j *job) flow(ctx context.Context) error {
	err := j.wait(ctx, func(a *answers) bool { return !a.xoff })
	if !errors.Is(err, errStalled) {
		return err
	}
	j.line.Edit(func(a *answers) { a.xoff = false })
	return nil
}

func (j *job) begin() { j.heard, j.moved = time.Now(), time.Now() }

// wait returns when done says so. Meanwhile it tells why the printer pauses.
func (j *job) wait(ctx context.Context, done func(*answers) bool) error {
	j.begin()
	passed := -1
	for {
		err := j.line.Await(ctx, time.Now().Add(j.poll), func(a *answers) bool { return a.jumped || done(a) })
		jumped := false
		j.line.Edit(func(a *answers) { jumped = a.jumped })
		if jumped {
			return errRestarted
		}
		if err == nil && j.cause != nil {
			// What was printed before it stopped may be known only now.
			return j.look(ctx)
		}
		if err == nil || !noAnswer(err) {
			return err
		}
		j.line.Edit(func(a *answers) {
			if a.passed != passed {
				passed, j.moved = a.passed, time.Now()
			}
		})
		if err := j.look(ctx); err != nil {
			return err
		}
	}
}

// look asks the printer why nothing happens. Its error ends the document.
func (j *job) look(ctx context.Context) error {
	s, err := j.line.ask(ctx)
	switch {
	case noAnswer(err):
		if !errors.Is(err, printerport.ErrBlocked) {
			if !j.sent {
				return err // nothing is lost by saying so at once
			}
			// Off and on again, it has lost the document, and what a broken line
			// says meanwhile may look like the answers to fences.
			j.doubt = err
		}
		if time.Since(j.heard) >= silentMax {
			return err
		}
		return nil
	case err != nil:
		return err
	}
	j.heard = time.Now()
	cause := s.Err()
	if s.Unrecoverable {
		return drivers.ErrUnrecoverable
	}
	j.tell(cause)
	if cause != nil {
		j.moved = time.Now()
		return nil
	}
	if time.Since(j.moved) >= printerport.StallMax {
		return errStalled
	}
	return nil
}

// tell calls paused for each new cause, and once when it goes on.
func (j *job) tell(cause error) {
	// Not errors.Is: a reason to be offline is told after "offline", too.
	if fmt.Sprint(cause) == fmt.Sprint(j.cause) {
		return
	}
	j.cause = cause
	if j.paused != nil {
		j.paused(cause)
	}
}

// online waits until the printer says that it can print.
func (j *job) online(ctx context.Context) error {
	j.begin()
	for {
		if !j.sent && !j.beginBy.IsZero() && time.Now().After(j.beginBy) {
			return drivers.ErrLate
		}
		s, err := j.line.ask(ctx)
		if err == nil && s.Err() == nil {
			j.tell(nil)
			return nil
		}
		if err == nil || noAnswer(err) && j.sent {
			err = j.look(ctx)
		}
		if err != nil {
			return err
		}
		if err := j.line.Pause(ctx, time.Now().Add(pollEvery)); err != nil {
			return err
		}
	}
}

// noAnswer tells a printer that says nothing from a line that failed.
func noAnswer(err error) bool { return errors.Is(err, drivers.ErrTimeout) }

// settle makes sure that no fence of an older document is counted for this: one
// more, and all must be counted, or no more are. A printer that has lost them
// has begun to count anew, and owes nothing.
func (j *job) settle(ctx context.Context) error {
	owed := 0
	j.line.Edit(func(a *answers) {
		if a.jumped {
			a.owes, a.jumped = nil, false
		}
		owed = a.owed()
		if owed > 0 {
			a.owes = append(a.owes, countFence)
		}
	})
	if owed == 0 {
		return nil
	}
	if _, err := j.line.send(ctx, piece{bytes: []byte{etb}}); err != nil {
		return err
	}
	err := j.wait(ctx, func(a *answers) bool { return a.owed() <= owed })
	for err == nil && owed > 0 {
		began, before := time.Now(), owed
		for err == nil && owed == before && time.Since(began) < settleQuiet {
			if err = j.line.Pause(ctx, time.Now().Add(j.poll)); err == nil {
				_, err = j.line.ask(ctx)
			}
			j.line.Edit(func(a *answers) { owed = a.owed() })
		}
		if owed == before { // the rest was lost
			owed = 0
		}
	}
	if err != nil && !errors.Is(err, errRestarted) {
		return err
	}
	j.line.Edit(func(a *answers) { a.owes, a.jumped = nil, false })
	return nil
}
