// Package printjob takes documents to a receipt printer block by block and says
// what became of each: printed, not printed, or that nobody can say. Receipt
// printers share all of it but their commands (see [Printer]).
//
// A document is sent a block ahead of what the printer has worked off, so that
// its buffer is never full. Each block ends with a fence, which the printer
// answers when all before it is done. A printer that has lost its buffer is
// given the rest again if it is certain what is on the paper.
package printjob

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"regi/drivers"
	"regi/drivers/printerport"
)

const (
	// pollEvery is how long a printer may do nothing before it is asked why.
	pollEvery = 250 * time.Millisecond
	// countEvery is how often a printer that counts its blocks is asked how many.
	countEvery = 40 * time.Millisecond
	// silentMax is how long a printer with bytes of a document may not answer.
	silentMax = 5 * time.Second
	// settleQuiet ends the wait for what an older document still owes.
	settleQuiet = time.Second
	// canaryAfter is how long a printer that says it is well may do nothing
	// until one more fence shows whether it still has those before it.
	canaryAfter = time.Second
	// resumesMax bounds how often a printer may lose its buffer in one document.
	resumesMax = 8
	// blockMaxBytes bounds what is sent in one piece where the units of a block
	// are large: pictures.
	blockMaxBytes = 2 << 10
	// printLag is how long what was read may take to be on paper where nobody
	// says when it is: a block at 16 lines a second.
	printLag = 500 * time.Millisecond
)

var (
	errStalled = fmt.Errorf("printer is well but does nothing: %w", drivers.ErrTimeout)
	errLost    = fmt.Errorf("printer has lost its buffer: %w", drivers.ErrOffline)
)

// Printer is what a make of printers has of its own. Its methods are called by
// one goroutine at a time.
type Printer[A Answers] interface {
	// Prepare does what must be known before the first document, and again after
	// one that has begun and failed.
	Prepare(ctx context.Context) error
	// Lay makes the rest of a document into commands, r's, and sends nothing that
	// prints.
	Lay(ctx context.Context, r *Run[A], rest drivers.Document) (Stream, error)
	// Fence is one more fence: its ID, and the command.
	Fence() (id, command string)
	// Send sends in one piece, and returns how much of it has left; with none of
	// it gone the error may wrap printerport.ErrBlocked.
	Send(ctx context.Context, unit []byte) (int, error)
	// Broken is told that up to n bytes of a command may be missing at the printer.
	Broken(ctx context.Context, n int) error
	// Online asks whether it can print, Status how it stands. They wrap
	// drivers.ErrTimeout without an answer.
	Online(ctx context.Context) (bool, error)
	Status(ctx context.Context) (drivers.PrinterStatus, error)
}

// MidItem stands in Unit.Items where a document cannot be taken up again.
const MidItem = -1

// Unit is what is sent in one piece: a command or a printed line. With fences
// it ends a block.
type Unit struct {
	End    int      // in Stream.Bytes
	Fences []string // their IDs
	// Items is how many items of the document stand wholly before its end, or
	// MidItem where the last one has only begun.
	Items int
	// Blank: it marks no paper, so that it may be sent twice.
	Blank bool
}

// Telling is what the answer to a fence tells.
type Telling uint8

// Tellings.
const (
	Read    Telling = iota // all before it was read
	Counted                // it is printed; fences are told apart by their number only
	Named                  // it is printed, and the answer has the fence's ID
)

// Stream is a document as the printer takes it.
type Stream struct {
	Bytes   []byte
	Units   []Unit
	Next    int64 // the first number of a fence that was not used
	Telling Telling
}

// State is how far a document has come.
type State uint8

// States, in their order; one of the last three is the end.
const (
	Queued  State = iota
	Sending       // some of its bytes have left
	Fenced        // all have, and the printer has not said that it is done
	Printed
	Failed  // nothing of it is on the paper
	Unknown // nobody can say what is
)

func (s State) String() string {
	return [...]string{"queued", "sending", "fenced", "printed", "failed", "unknown"}[min(s, Unknown)]
}

// Job is the newest document: Certain of its Items are on the paper, Offset
// bytes of its newest transmission have left.
type Job struct {
	State                  State
	Items, Certain, Offset int
	Err                    error
}

// Queue prints one document after the other. It is safe for use by several
// goroutines.
type Queue[A Answers] struct {
	// Turn is held by whoever sends what is answered in its turn.
	printerport.Turn

	printer Printer[A]
	line    *printerport.Line[A]

	// Guarded by Turn.
	ready bool
	mend  int // the longest unit of a document that was lost

	mu     sync.Mutex // a leaf
	newest Job
}

// NewQueue returns the queue of a printer and its line.
func NewQueue[A Answers](p Printer[A], l *printerport.Line[A]) *Queue[A] {
	return &Queue[A]{Turn: printerport.NewTurn(), printer: p, line: l}
}

// Job says what became of the newest document, also while it prints.
func (q *Queue[A]) Job() Job {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.newest
}

func (q *Queue[A]) note(j Job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if j.State != Queued || q.newest.State != Sending && q.newest.State != Fenced {
		q.newest = j
	}
}

// Prepare does once what must be known before the first document.
func (q *Queue[A]) Prepare(ctx context.Context) error {
	if err := q.Take(ctx); err != nil {
		return err
	}
	defer q.Release()
	return q.prepared(ctx)
}

// prepared is Prepare for whoever holds the turn.
func (q *Queue[A]) prepared(ctx context.Context) error {
	if q.ready {
		return nil
	}
	if err := q.printer.Prepare(ctx); err != nil {
		return err
	}
	q.ready = true
	return nil
}

// Unprepare lets the next document prepare the printer anew. The caller holds
// the turn.
func (q *Queue[A]) Unprepare() { q.ready = false }

// Print sends a document and waits until the printer has worked it off. Before
// anything of it can be on the paper, an error is its cause; after that every
// error wraps drivers.ErrUnknownOutcome, and the cause. A document that is not
// begun by its time is drivers.ErrLate.
func (q *Queue[A]) Print(ctx context.Context, doc drivers.Document, paused func(error)) error {
	state := Job{State: Queued, Items: len(doc.Items)}
	q.note(state)
	if err := q.Take(ctx); err != nil {
		return err
	}
	defer q.Release()
	r := &Run[A]{queue: q, printer: q.printer, line: q.line, doc: doc, paused: paused, state: state}
	err := r.print(ctx)
	if err == nil {
		r.note(Printed, nil)
		return nil
	}
	q.ready = q.ready && !r.begun // whatever it was left in is looked at first
	switch {
	case r.ink:
		err = fmt.Errorf("%w after item %d of %d: %w", drivers.ErrUnknownOutcome, r.state.Certain, len(doc.Items), err)
		r.note(Unknown, err)
		q.mend = max(q.mend, r.longest)
	default:
		r.note(Failed, err)
	}
	return err
}

// noAnswer tells a printer that says nothing from a line that failed.
func noAnswer(err error) bool { return errors.Is(err, drivers.ErrTimeout) }
