package star

import (
	"context"
	"errors"
	"fmt"
	"time"

	"regi/drivers"
	"regi/drivers/printjob"
)

// Print sends a document and waits until the printer has worked it off. Before
// anything of it can be on the paper, an error is its cause; after that every
// error wraps drivers.ErrUnknownOutcome, and the cause. A printer that answers
// ESC GS ETX and has lost its buffer is given the rest again if it is certain
// what is on the paper. A document that is not begun by its time is
// drivers.ErrLate.
func (p *Printer) Print(ctx context.Context, doc drivers.Document, paused func(error)) error {
	if err := p.jobs.Print(ctx, doc, paused); err != nil {
		return fmt.Errorf("star: print: %w", err)
	}
	return nil
}

// Job says what became of the newest document, also while it prints.
func (p *Printer) Job() printjob.Job { return p.jobs.Job() }

// language is Star's for a document on its way.
type language struct{ *Printer }

// Prepare looks what the printer is.
func (l language) Prepare(ctx context.Context) error {
	if !l.auto {
		return nil
	}
	_, err := l.probe(ctx)
	return err
}

// Lay lays out what is to come.
func (l language) Lay(_ context.Context, _ *printjob.Run[*answers], rest drivers.Document) (printjob.Stream, error) {
	// After a restart the IDs are others than before it.
	out, err := encode(l.Model(), rest, max(l.nextID, time.Now().UnixMilli()))
	if err == nil {
		l.nextID = out.Next
	}
	return out, err
}

// Fence is ESC GS ETX with the next ID, or an ETB.
func (l language) Fence() (id, command string) {
	if l.Model().PrintEnd {
		id = fenceID(l.nextID)
		l.nextID++
	}
	return id, fence(id)
}

// Send sends in one piece.
func (l language) Send(ctx context.Context, unit []byte) (int, error) { return l.line.send(ctx, unit) }

// Broken lets NULs and an RS end a command.
func (l language) Broken(ctx context.Context, n int) error { return l.line.broken(ctx, n) }

// Online is by ESC ACK SOH.
func (l language) Online(ctx context.Context) (bool, error) {
	s, err := l.line.ask(ctx)
	return err == nil && s.Err() == nil, err
}

// noAnswer tells a printer that says nothing from a line that failed.
func noAnswer(err error) bool { return errors.Is(err, drivers.ErrTimeout) }
