package escpos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"regi/drivers"
)

const (
	// pollEvery is how long a printer may do nothing before it is asked why.
	pollEvery = 250 * time.Millisecond
	// silentMax is how long a printer with bytes of a document may not answer.
	silentMax = 5 * time.Second
	// settleQuiet ends the wait for what an older document still owes.
	settleQuiet = time.Second
)

// printLag is how long what was read may take to be on paper where nobody says
// when it is: a block at 16 lines a second.
const printLag = 500 * time.Millisecond

var errStalled = fmt.Errorf("printer is well but does nothing: %w", drivers.ErrTimeout)

// Print sends a document and waits until the printer has worked it off. Before
// anything of it was sent, an error is its cause and nothing is on the paper;
// after that every error wraps drivers.ErrUnknownOutcome, and the cause. A
// character that the printer's table lacks is printed as 〓.
func (p *Printer) Print(ctx context.Context, doc drivers.Document, paused func(error)) error {
	if err := p.printing.take(ctx); err != nil {
		return fmt.Errorf("escpos: print: %w", err)
	}
	defer p.printing.release()
	// After a restart the IDs are others than before it.
	out, err := encode(p.model, doc, max(p.nextID, time.Now().UnixMilli()))
	if err != nil {
		return fmt.Errorf("escpos: print: %w", err)
	}
	p.nextID = out.next
	j := &job{line: p.line, status: p.Status, paused: paused}
	err = j.run(ctx, out, p.model.PrintComplete)
	switch {
	case err == nil:
		return nil
	case j.sent:
		return fmt.Errorf("escpos: print: %w: %w", drivers.ErrUnknownOutcome, err)
	}
	return fmt.Errorf("escpos: print: %w", err)
}

// job is one document on its way.
type job struct {
	line   *line
	status func(context.Context) (drivers.PrinterStatus, error)
	paused func(error)

	cause error // why it pauses, as last told
	sent  bool  // bytes of the document may be on the paper
	doubt error // why answers without an ID cannot be believed
	heard time.Time
	moved time.Time // when the printer last did something, or said why not
}

// run sends the document and waits for its fences. Those with an ID (byID) are
// answered when they are printed, and by nothing else; one of an older document
// is told from them.
func (j *job) run(ctx context.Context, out stream, byID bool) error {
	if err := j.online(ctx); err != nil {
		return err
	}
	if byID {
		j.line.edit(func(a *answers) { a.owes = nil })
	} else if err := j.settle(ctx); err != nil {
		return err
	}
	noise := j.noise()
	if err := j.send(ctx, out); err != nil {
		return err
	}
	if err := j.wait(ctx, func(a *answers) bool { return a.owed() == 0 }); err != nil || byID {
		return err
	}
	// It was read; wait for the paper.
	if err := j.line.await(ctx, time.Now().Add(printLag), never); !noAnswer(err) {
		return err
	}
	if err := j.online(ctx); err != nil {
		return err
	}
	if j.doubt == nil && j.noise() != noise {
		j.doubt = drivers.ErrFrame
	}
	return j.doubt
}

func (j *job) send(ctx context.Context, out stream) error {
	from := 0
	for _, u := range out.units {
		if err := j.unit(ctx, out.bytes[from:u.end], u.fences); err != nil {
			return err
		}
		from = u.end
		if len(u.fences) > 0 {
			// At most one block is under way when the next one starts.
			if err := j.wait(ctx, func(a *answers) bool { return a.owed() <= 1 }); err != nil {
				return err
			}
		}
	}
	return nil
}

func (j *job) noise() (n int) {
	j.line.edit(func(a *answers) { n = a.noise })
	return n
}

// unit sends one unit. While the printer takes nothing it looks why.
func (j *job) unit(ctx context.Context, b []byte, fences []string) error {
	if err := j.flow(ctx); err != nil {
		return err
	}
	j.begin()
	for {
		// Before the bytes: the answers may be faster than this goroutine.
		j.line.edit(func(a *answers) { a.owes = append(a.owes, fences...) })
		n, err := j.line.send(ctx, b)
		j.sent = j.sent || n > 0
		if err == nil {
			return nil
		}
		if n == 0 {
			j.line.edit(func(a *answers) { a.owes = a.owes[:max(0, len(a.owes)-len(fences))] })
		}
		if !errors.Is(err, errBlocked) {
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
	j.line.edit(func(a *answers) { a.xoff = false })
	return nil
}

func (j *job) begin() { j.heard, j.moved = time.Now(), time.Now() }

// wait returns when done says so. Meanwhile it tells why the printer pauses.
func (j *job) wait(ctx context.Context, done func(*answers) bool) error {
	j.begin()
	passed := -1
	for {
		err := j.line.await(ctx, time.Now().Add(pollEvery), done)
		if err == nil {
			j.tell(nil)
			return nil
		}
		if !noAnswer(err) {
			return err
		}
		j.line.edit(func(a *answers) {
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
	s, err := j.status(ctx)
	switch {
	case noAnswer(err):
		if !errors.Is(err, errBlocked) {
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
		return fmt.Errorf("unrecoverable error: %w", drivers.ErrOffline)
	}
	j.tell(cause)
	if cause != nil {
		j.moved = time.Now()
		return nil
	}
	if time.Since(j.moved) >= stallMax {
		return errStalled
	}
	return nil
}

// tell calls paused for each new cause, and once when it goes on.
func (j *job) tell(cause error) {
	if errors.Is(cause, j.cause) {
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
		got, err := j.line.ask(ctx, aboutPrinter)
		switch {
		case err == nil && got[0]&printerOffline == 0:
			j.tell(nil)
			return nil
		case err == nil, noAnswer(err) && j.sent:
			err = j.look(ctx)
		}
		if err != nil {
			return err
		}
		if err := j.line.await(ctx, time.Now().Add(pollEvery), never); !noAnswer(err) {
			return err
		}
	}
}

func never(*answers) bool { return false }

// settle makes sure that no answer to an older document's fence is taken for
// one to this: one more fence, and all must come, or no more do.
func (j *job) settle(ctx context.Context) error {
	owed := 0
	j.line.edit(func(a *answers) { owed = a.owed() })
	if owed == 0 {
		return nil
	}
	j.line.edit(func(a *answers) { a.owes = append(a.owes, readFence) })
	if _, err := j.line.send(ctx, []byte(fence)); err != nil {
		return err
	}
	if err := j.wait(ctx, func(a *answers) bool { return a.owed() <= owed }); err != nil {
		return err
	}
	for owed > 0 {
		before := owed
		err := j.line.await(ctx, time.Now().Add(settleQuiet), func(a *answers) bool { return a.owed() < before })
		if err != nil && !noAnswer(err) {
			return err
		}
		j.line.edit(func(a *answers) {
			if err != nil { // the rest was lost
				a.owes = nil
			}
			owed = a.owed()
		})
	}
	return nil
}
