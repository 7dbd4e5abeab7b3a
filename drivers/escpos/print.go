package escpos

import (
	"context"
	"fmt"
	"strings"
	"time"

	"regi/drivers"
	"regi/drivers/printjob"
)

// Print sends a document and waits until the printer has worked it off. Before
// anything of it can be on the paper, an error is its cause; after that every
// error wraps drivers.ErrUnknownOutcome, and the cause. A printer that has lost
// its buffer is given the rest again if it is certain what is on the paper.
func (p *Printer) Print(ctx context.Context, doc drivers.Document, paused func(error)) error {
	if err := p.jobs.Print(ctx, doc, paused); err != nil {
		return fmt.Errorf("escpos: print: %w", err)
	}
	return nil
}

// Job says what became of the newest document, also while it prints.
func (p *Printer) Job() printjob.Job { return p.jobs.Job() }

// language is ESC/POS for a document on its way.
type language struct{ *Printer }

// Prepare looks what the printer is and does, and lets it report its status.
func (l language) Prepare(ctx context.Context) error {
	if _, err := l.line.ask(ctx, aboutPrinter); err != nil {
		return err
	}
	if l.auto {
		if _, err := l.probe(ctx); err != nil {
			return err
		}
	}
	if err := l.alive(ctx); err != nil {
		return err
	}
	if err := l.learnFence(ctx); err != nil {
		return err
	}
	return l.listen(ctx)
}

// Lay lays out what is to come, with the pictures that the printer keeps, or
// has been given now, by their key; one that keeps none is sent their dots.
func (l language) Lay(ctx context.Context, r *printjob.Run[*answers], rest drivers.Document) (printjob.Stream, error) {
	m := l.Model()
	for {
		// After a restart the IDs are others than before it.
		out, err := encode(m, rest, max(l.nextID, time.Now().UnixMilli()))
		if err != nil {
			return out.Stream, err
		}
		l.nextID = out.Next
		kept := true
		if len(out.logos) > 0 {
			kept, err = l.keep(ctx, r, out.logos)
		}
		if err != nil || kept {
			return l.begun(out.Stream, m, rest.CutFirst), err
		}
		m.NV = Lacking
	}
}

// begun is a transmission: after it was set up, the printer cuts what it was
// left with, and goes on reporting its status.
func (l language) begun(out printjob.Stream, m Model, cutFirst bool) printjob.Stream {
	first := out.Units[0].End
	more := autoOn
	if cutFirst {
		more = cutting(m) + more
	}
	l.line.Edit(func(a *answers) {
		if a.deaf {
			more = strings.TrimSuffix(more, autoOn) + autoOff
		}
	})
	bytes := make([]byte, 0, len(out.Bytes)+len(more))
	out.Bytes = append(append(append(bytes, out.Bytes[:first]...), more...), out.Bytes[first:]...)
	for i := range out.Units {
		out.Units[i].End += len(more)
	}
	return out
}

// keptWithin is how long a printer may take to list the pictures that it keeps,
// after it has written one.
const keptWithin = 2 * time.Second

func (l language) keep(ctx context.Context, r *printjob.Run[*answers], logos []logo) (bool, error) {
	if err := r.Online(ctx); err != nil { // else it answers nothing in its turn
		return false, err
	}
	ask := func(ctx context.Context, command, beginning string) (string, error) {
		return l.line.askBlock(ctx, command, beginning, keptWithin)
	}
	send := func(ctx context.Context, command []byte) error {
		r.Leaves(len(command))
		_, err := l.line.send(ctx, command)
		return err
	}
	kept, err := l.shelf.keep(ctx, logos, ask, send)
	if noAnswer(err) { // a clone with the name of one that keeps pictures
		return false, nil
	}
	return kept, err
}

// Fence is GS ( H with the next ID, or what the printer answers when it has
// read it.
func (l language) Fence() (id, command string) {
	m := l.Model()
	if !m.PrintComplete {
		return printjob.Unnamed, m.readFence()
	}
	id = processID(l.nextID)
	l.nextID++
	return id, printFence + id
}

// Send sends in its turn.
func (l language) Send(ctx context.Context, unit []byte) (int, error) { return l.line.send(ctx, unit) }

// Broken lets NULs end a command.
func (l language) Broken(ctx context.Context, n int) error { return l.line.broken(ctx, n) }

// Online is by DLE EOT 1.
func (l language) Online(ctx context.Context) (bool, error) {
	got, err := l.line.ask(ctx, aboutPrinter)
	return err == nil && got[0]&printerOffline == 0, err
}
