package escpos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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
	// canaryAfter is how long a printer that says it is well may do nothing
	// until one more fence shows whether it still has those before it.
	canaryAfter = time.Second
	// resumesMax bounds how often a printer may lose its buffer in one document.
	resumesMax = 8
)

// blockMaxBytes bounds what is sent in one piece where the units of a block are
// large: pictures.
const blockMaxBytes = 2 << 10

// printLag is how long what was read may take to be on paper where nobody says
// when it is: a block at 16 lines a second.
const printLag = 500 * time.Millisecond

var (
	errStalled = fmt.Errorf("printer is well but does nothing: %w", drivers.ErrTimeout)
	errLost    = errors.New("printer has lost its buffer")
)

// Print sends a document and waits until the printer has worked it off. Before
// anything of it can be on the paper, an error is its cause; after that every
// error wraps drivers.ErrUnknownOutcome, and the cause. A printer that has lost
// its buffer is given the rest again if it is certain what is on the paper.
func (p *Printer) Print(ctx context.Context, doc drivers.Document, paused func(error)) error {
	p.note(Job{State: Queued, Items: len(doc.Items)})
	if err := p.printing.Take(ctx); err != nil {
		return fmt.Errorf("escpos: print: %w", err)
	}
	defer p.printing.Release()
	j := &job{printer: p, line: p.line, doc: doc, paused: paused, state: Job{State: Queued, Items: len(doc.Items)}}
	err := j.print(ctx)
	if err == nil {
		j.note(Printed, nil)
		return nil
	}
	p.ready = p.ready && !j.begun // whatever it was left in is looked at first
	switch {
	case j.ink:
		err = fmt.Errorf("%w after item %d of %d: %w", drivers.ErrUnknownOutcome, j.state.Certain, len(doc.Items), err)
		j.note(Unknown, err)
		p.mend = max(p.mend, j.longest)
	default:
		j.note(Failed, err)
	}
	return fmt.Errorf("escpos: print: %w", err)
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

// Job says what became of the newest document, also while it prints.
func (p *Printer) Job() Job {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.job
}

func (p *Printer) note(j Job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if j.State != Queued || p.job.State != Sending && p.job.State != Fenced {
		p.job = j
	}
}

// job is one document on its way.
type job struct {
	printer *Printer
	line    *line
	doc     drivers.Document
	paused  func(error)
	state   Job

	from    int  // the first item of this transmission
	begun   bool // something was sent
	ink     bool // items may be on the paper
	longest int  // the longest unit that was sent

	// Of this transmission.
	out    stream
	byID   bool   // its fences have IDs
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
func (j *job) print(ctx context.Context) error {
	p := j.printer
	if err := p.prepared(ctx); err != nil {
		return err
	}
	if err := j.mend(ctx, p.mend); err != nil {
		return err
	}
	p.mend = 0
	for range resumesMax {
		out, m, err := j.encode(ctx)
		if err != nil {
			return err
		}
		j.transmission(out, m)
		err = j.run(ctx)
		if !errors.Is(err, errLost) && !errors.Is(err, errStalled) {
			return err
		}
		certain, ok := j.certain()
		if !ok {
			return err
		}
		j.from += certain
		if err := j.mend(ctx, j.longest); err != nil {
			return err
		}
	}
	return errLost
}

// encode lays out what is to come, with the pictures that the printer keeps, or
// has been given now, by their key; one that keeps none is sent their dots.
func (j *job) encode(ctx context.Context) (stream, Model, error) {
	p := j.printer
	m := p.Model()
	rest := drivers.Document{Items: j.doc.Items[j.from:], Cut: j.doc.Cut, Latin: j.doc.Latin}
	for {
		// After a restart the IDs are others than before it.
		out, err := encode(m, rest, max(p.nextID, time.Now().UnixMilli()))
		if err != nil {
			return out, m, err
		}
		p.nextID = out.next
		if len(out.logos) == 0 {
			return out, m, nil
		}
		kept, err := j.keep(ctx, out.logos)
		if err != nil || kept {
			return out, m, err
		}
		m.NV = Lacking
	}
}

// keptWithin is how long a printer may take to list the pictures that it keeps,
// after it has written one.
const keptWithin = 2 * time.Second

func (j *job) keep(ctx context.Context, logos []logo) (bool, error) {
	if err := j.online(ctx); err != nil { // else it answers nothing in its turn
		return false, err
	}
	ask := func(ctx context.Context, command, beginning string) (string, error) {
		return j.line.askBlock(ctx, command, beginning, keptWithin)
	}
	send := func(ctx context.Context, command []byte) error {
		j.begun, j.longest = true, max(j.longest, len(command))
		_, err := j.line.send(ctx, command)
		return err
	}
	kept, err := j.printer.shelf.keep(ctx, logos, ask, send)
	if noAnswer(err) { // a clone with the name of one that keeps pictures
		return false, nil
	}
	return kept, err
}

// mend lets the next unit begin with what ends a command of n bytes.
func (j *job) mend(ctx context.Context, n int) error {
	if n == 0 {
		return nil
	}
	return j.line.broken(ctx, n)
}

// transmission begins one. The printer is set up, cuts what it was left with,
// and goes on reporting its status.
func (j *job) transmission(out stream, m Model) {
	first := out.units[0].end
	more := autoOn
	if j.doc.CutFirst && j.from == 0 {
		more = cutting(m) + more
	}
	j.line.Edit(func(a *answers) {
		a.lost = false
		j.before = a.passed
		if a.deaf {
			more = strings.TrimSuffix(more, autoOn) + autoOff
		}
	})
	bytes := make([]byte, 0, len(out.bytes)+len(more))
	out.bytes = append(append(append(bytes, out.bytes[:first]...), more...), out.bytes[first:]...)
	for i := range out.units {
		out.units[i].end += len(more)
	}
	j.out, j.byID, j.sent, j.fences, j.canary = out, m.PrintComplete, 0, nil, ""
}

// certain is how many items of this transmission are on the paper, if that and
// nothing after them is certain: what was read is not printed, so only fences
// with an ID can tell.
func (j *job) certain() (items int, ok bool) {
	last := -1
	if j.byID {
		if n := j.answered(); n > 0 {
			last = j.fences[n-1]
			items = j.out.units[last].items
		}
	}
	for _, u := range j.out.units[last+1 : j.sent] {
		if !u.blank {
			return 0, false
		}
	}
	return items, items != midItem
}

// answered is how many of this transmission's fences were.
func (j *job) answered() (n int) {
	j.line.Edit(func(a *answers) { n = a.passed - j.before })
	return min(n, len(j.fences))
}

func (j *job) note(s State, err error) {
	j.state.State, j.state.Err = s, err
	if s == Printed {
		j.state.Certain = j.state.Items
	} else if n := j.answered(); j.byID && n > 0 {
		if items := j.out.units[j.fences[n-1]].items; items != midItem {
			j.state.Certain = j.from + items
		}
	}
	j.printer.note(j.state)
}

// run sends the document and waits for its fences. Those with an ID (byID) are
// answered when they are printed, and by nothing else; one of an older document
// is told from them.
func (j *job) run(ctx context.Context) error {
	if err := j.online(ctx); err != nil {
		return err
	}
	if j.byID {
		j.line.Edit(func(a *answers) { a.owes = nil })
	} else if err := j.settle(ctx); err != nil {
		return err
	}
	noise := j.noise()
	j.line.Edit(func(a *answers) { j.before = a.passed })
	if err := j.send(ctx); err != nil {
		return err
	}
	j.note(Fenced, nil)
	if err := j.wait(ctx, func(a *answers) bool { return a.owed() == 0 }); err != nil || j.byID {
		return err
	}
	// It was read; wait for the paper.
	if err := j.line.Pause(ctx, time.Now().Add(printLag)); err != nil {
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

// send sends the document block by block, each with its fence in one piece: a
// printer that loses its buffer between two writes then loses the fences of all
// that it had, so that no fence is answered for lines that are not printed.
func (j *job) send(ctx context.Context) error {
	from, first := 0, 0
	for i, u := range j.out.units {
		if len(u.fences) == 0 && u.end-from < blockMaxBytes {
			continue
		}
		if err := j.block(ctx, first, i, j.out.bytes[from:u.end]); err != nil {
			return err
		}
		from, first = u.end, i+1
		j.state.Offset = from
		j.note(Sending, nil)
		// At most one block is under way when the next one starts.
		if err := j.wait(ctx, func(a *answers) bool { return a.owed() <= 1 }); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) noise() (n int) {
	j.line.Edit(func(a *answers) { n = a.Noise })
	return n
}

// block sends the units from first to last. While the printer takes nothing it looks why, and
// gives nothing to one that has said by itself that it has stopped: what is not
// sent is not lost with its buffer.
func (j *job) block(ctx context.Context, first, last int, b []byte) error {
	if err := j.flow(ctx); err != nil {
		return err
	}
	if err := j.ready(ctx); err != nil {
		return err
	}
	if err := j.kept(ctx); err != nil {
		return err
	}
	j.longest = max(j.longest, len(b))
	j.begin()
	for {
		n, err := j.fenced(ctx, last, b, j.out.units[last].fences)
		if n > 0 {
			j.begun, j.sent = true, last+1
			j.ink = j.ink || slices.ContainsFunc(j.out.units[first:j.sent], func(u unit) bool { return !u.blank })
		}
		if err == nil {
			return nil
		}
		if !errors.Is(err, printerport.ErrBlocked) {
			return err
		}
		if err := j.look(ctx); err != nil {
			return err
		}
	}
}

// kept waits, after a pause, until the printer has worked off what it was given
// before: a rest that it prints behind a gap would be of no use.
func (j *job) kept(ctx context.Context) error {
	if !j.again || !j.byID {
		return nil
	}
	j.again = false
	if err := j.askLost(ctx); err != nil {
		return err
	}
	return j.wait(ctx, func(a *answers) bool { return a.owed() == 0 })
}

// fenced sends b, which ends with fences, and the i-th unit.
func (j *job) fenced(ctx context.Context, i int, b []byte, fences []string) (int, error) {
	// Before the bytes: the answers may be faster than this goroutine.
	j.line.Edit(func(a *answers) { a.owes = append(a.owes, fences...) })
	for range fences {
		j.fences = append(j.fences, i)
	}
	n, err := j.line.send(ctx, b)
	if n == 0 && err != nil {
		j.line.Edit(func(a *answers) { a.owes = a.owes[:max(0, len(a.owes)-len(fences))] })
		j.fences = j.fences[:len(j.fences)-len(fences)]
	}
	return n, err
}

// ready waits while the printer's automatic status says that it has stopped,
// unless it answers that it has not.
func (j *job) ready(ctx context.Context) error {
	stopped, rung := false, 0
	j.line.Edit(func(a *answers) { stopped, rung = a.stopped(), a.rung })
	if !stopped {
		return nil
	}
	if err := j.online(ctx); err != nil {
		return err
	}
	j.line.Edit(func(a *answers) { a.denied = rung })
	return nil
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
		rung := 0
		j.line.Edit(func(a *answers) { rung = a.rung })
		until := time.Now().Add(pollEvery)
		err := j.line.Await(ctx, until, func(a *answers) bool {
			return done(a) || a.lost || a.rung != rung && a.stopped()
		})
		var ended, lost bool
		j.line.Edit(func(a *answers) { ended, lost = done(a), a.lost })
		switch {
		case err == nil && lost:
			return errLost
		case err == nil && ended:
			j.tell(nil)
			return nil
		case err != nil && !noAnswer(err):
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
	s, err := j.printer.Status(ctx)
	switch {
	case noAnswer(err):
		return j.silent(err)
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
	switch still := time.Since(j.moved); {
	case still >= printerport.StallMax:
		return errStalled
	case still >= canaryAfter:
		return j.askLost(ctx)
	}
	return nil
}

// silent is told that the printer did not answer. One that may be off for its
// knife to be freed is waited for if what it loses by that is known.
func (j *job) silent(err error) error {
	if !errors.Is(err, printerport.ErrBlocked) {
		if !j.ink {
			return err // nothing is lost by saying so at once
		}
		// Off and on again, it has lost the document, and what a broken line
		// says meanwhile may look like the answers to fences.
		j.doubt = err
	}
	if time.Since(j.heard) < silentMax {
		return nil
	}
	if _, ok := j.certain(); !ok || !j.ink {
		return err
	}
	j.tell(drivers.ErrTimeout)
	j.moved = time.Now()
	return nil
}

// askLost sends one more fence to a printer that does nothing. If that is
// answered and those before it were not, the printer has lost them.
func (j *job) askLost(ctx context.Context) error {
	held := true
	j.line.Edit(func(a *answers) { held = a.xoff || a.owed() == 0 || slices.Contains(a.owes, j.canary) })
	if held || !j.byID {
		return nil
	}
	id := processID(j.printer.nextID)
	n, err := j.fenced(ctx, j.sent-1, []byte(printFence+id), []string{id})
	if n > 0 {
		j.canary = id
		j.printer.nextID++
	}
	if errors.Is(err, printerport.ErrBlocked) {
		return nil
	}
	return err
}

// tell calls paused for each new cause, and once when it goes on.
func (j *job) tell(cause error) {
	// Not errors.Is: a reason to be offline is told after "offline", too.
	if fmt.Sprint(cause) == fmt.Sprint(j.cause) {
		return
	}
	j.again = j.again || j.cause != nil
	j.cause = cause
	if j.paused != nil {
		j.paused(cause)
	}
}

// online waits until the printer says that it can print.
func (j *job) online(ctx context.Context) error {
	j.begin()
	for {
		if by := j.doc.BeginBy; !j.ink && !by.IsZero() && time.Now().After(by) {
			return drivers.ErrLate
		}
		got, err := j.line.ask(ctx, aboutPrinter)
		switch {
		case err == nil && got[0]&printerOffline == 0:
			j.tell(nil)
			return nil
		case err == nil, noAnswer(err) && j.ink:
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

// settle makes sure that no answer to an older document's fence is taken for
// one to this: one more fence, and all must come, or no more do.
func (j *job) settle(ctx context.Context) error {
	owed := 0
	j.line.Edit(func(a *answers) { owed = a.owed() })
	if owed == 0 {
		return nil
	}
	j.line.Edit(func(a *answers) { a.owes = append(a.owes, readFence) })
	if _, err := j.line.send(ctx, []byte(j.printer.Model().readFence())); err != nil {
		return err
	}
	if err := j.wait(ctx, func(a *answers) bool { return a.owed() <= owed }); err != nil {
		return err
	}
	for owed > 0 {
		before := owed
		err := j.line.Await(ctx, time.Now().Add(settleQuiet), func(a *answers) bool { return a.owed() < before })
		if err != nil && !noAnswer(err) {
			return err
		}
		j.line.Edit(func(a *answers) {
			if err != nil { // the rest was lost
				a.owes = nil
			}
			owed = a.owed()
		})
	}
	return nil
}
