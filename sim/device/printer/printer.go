// Package printer is a receipt printer that obeys ESC/POS: what is written to its
// wire becomes paper, to be looked at as text and as a picture.
//
// It is a reading of the standard of its own, shares nothing with the driver,
// and keeps to the strict side where manuals and habit differ: a raster or a
// cut in mid-line is ignored, a cut at the print position goes through the last
// lines (the cutter stands above the head), GS r is answered when it is parsed
// and not when dots are printed, and real-time commands are obeyed wherever
// their bytes turn up, inside a picture too.
//
// Where its knowledge comes from: Epson, TM-T88 Information Manual rev. A and
// TM-T88III Specification (units 1/180 and 1/360 inch, 30 dots a line), the
// ESC/POS reference, and what other encoders send (testdata/escpos).
//
// In page mode everything stands with its lower edge at the vertical position,
// which begins one character below the area's upper edge; FF feeds the whole of
// the areas that were used. Codes are drawn without a quiet zone, which is the
// sender's business. A code whose data is wrong, that is wider than the paper or
// in mid-line prints nothing; [Printer.Records] says why.
//
// Parsed to its exact length but not drawn: MaxiCode, Aztec and composite codes,
// QR model 1 (drawn as model 2), FS g memory, 90° rotation outside of page mode,
// kanji fonts B and C, UTF-8.
package printer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Limits of a printer.
const (
	// DefaultBufferBytes is the receive buffer of a TM-T88V.
	DefaultBufferBytes = 4096
	// aheadMax is how many lines, cuts and pulses are parsed before the
	// mechanism has carried them out.
	aheadMax = 8
	// answersMax bounds the bytes that wait for a register that does not read.
	answersMax = 1024
	chunkMax   = 512 // bytes a read
)

// Wire is the printer's end of the line, as a sim/wire.TTY is.
type Wire interface {
	io.Reader
	io.Writer
	SetReadDeadline(at time.Time) error
}

// Options of a printer; the zero value is a TM-T88V that prints at once.
type Options struct {
	// Model is a TM-T88V if it is the zero value.
	Model Model
	// BufferBytes is the size of the receive buffer; 0 is [DefaultBufferBytes].
	// When it is full the wire is not read, so that the line holds the writer.
	BufferBytes int
	// MillimetresPerSecond is the speed of the paper; 0 is at once. A TM-T88V
	// makes 300.
	MillimetresPerSecond int
	// XonXoff sends XOFF when the buffer is nearly full and XON when there is
	// room again.
	XonXoff bool
	// DrawerKick is told of each pulse: pin 2 or 5 of the drawer connector.
	DrawerKick func(pin int, on, off time.Duration)
	// DrawerOpen tells the level of the connector's pin 3, high when open. It
	// is called with the printer locked and must not call the printer.
	DrawerOpen func() bool
	// Changed is called after the state or the paper changed.
	Changed func()
}

// Printer is one receipt printer. Its methods are safe from any goroutine.
type Printer struct {
	wire  Wire
	opt   Options
	model Model

	mu      sync.Mutex
	changed chan struct{} // closed and renewed when anything below changes
	calls   []func()      // hooks that wait for mu to be free
	touched bool          // Changed is among them

	set      condition
	plan     []FaultAt
	stuck    bool // a cut failed: error state
	epoch    int  // grows whenever the buffers are lost
	cold     bool // the last loss was of power: settings are gone too
	in       receiver
	parsed   bool // the input ended and all of it is parsed
	printed  bool // and printed
	jobs     []job
	answers  []byte
	asb      byte    // GS a: which changes are reported
	asbLast  [4]byte // what was reported last
	sheet    sheet
	lines    int
	cuts     int
	records  []Record
	noted    int // records so far
	pulses   []Pulse
	nv       memory
	seenPin3 bool // at the last look
	commands interpreter
}

// New makes a printer that is on, with paper, its cover closed.
func New(w Wire, o Options) *Printer {
	if o.Model == (Model{}) {
		o.Model = models[0]
	}
	if o.BufferBytes <= 0 {
		o.BufferBytes = DefaultBufferBytes
	}
	p := &Printer{wire: w, opt: o, model: o.Model, changed: make(chan struct{}), set: healthy()}
	p.sheet.stride = (o.Model.Dots + 7) / 8
	p.nv.size = o.Model.NVBytes
	p.commands.p = p
	p.commands.initialise()
	return p
}

// Run prints what comes by the wire until the context ends or, for a wire that
// ends, all of it is on paper. It is the only reader of the wire.
func (p *Printer) Run(ctx context.Context) error {
	g, inner := errgroup.WithContext(ctx)
	stop := context.AfterFunc(inner, func() {
		p.wire.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck,gosec // a closed wire ends the read as well
	})
	defer stop()
	p.commands.pause = func() error { return p.wait(inner) }
	for _, task := range []func(context.Context) error{p.read, p.interpret, p.move, p.answer} {
		g.Go(func() error { return task(inner) })
	}
	err := g.Wait()
	p.wire.SetReadDeadline(time.Time{}) //nolint:errcheck,gosec // for the next Run; of no use on a closed wire
	if ctx.Err() != nil {
		return nil //nolint:nilerr // told to stop
	}
	if err != nil {
		return fmt.Errorf("printer: %w", err)
	}
	return nil
}

// Text is the newest paper as text, one line a printed line; 12 dots are one
// column, kanji take two. A cut is a line [CutMark].
func (p *Printer) Text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sheet.text()
}

// PNG writes a picture of the newest paper, at most [RowsMax] dot rows.
func (p *Printer) PNG(w io.Writer) error {
	p.mu.Lock()
	newest := p.sheet.newest()
	p.mu.Unlock()
	return newest.png(w, p.model.Dots)
}

// Refresh makes the printer look at its drawer switch, and report a change.
func (p *Printer) Refresh() {
	p.mu.Lock()
	defer p.unlock()
	p.report()
}

// read fills the receive buffer.
func (p *Printer) read(ctx context.Context) error {
	chunk := make([]byte, chunkMax)
	for {
		room, err := p.room(ctx)
		if err != nil {
			return err
		}
		n, err := p.wire.Read(chunk[:min(room, chunkMax)])
		p.receive(chunk[:n])
		switch {
		case errors.Is(err, io.EOF):
			p.end()
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("read: %w", err)
		}
	}
}

// answer writes what the register asked for. What cannot be written is lost, as
// on a line that nobody listens to.
func (p *Printer) answer(ctx context.Context) error {
	p.mu.Lock()
	defer p.unlock()
	for {
		for len(p.answers) == 0 {
			if p.printed {
				return nil
			}
			if err := p.wait(ctx); err != nil {
				return err
			}
		}
		b := p.answers
		p.answers = nil
		p.unlock()
		p.wire.Write(b) //nolint:errcheck,gosec // see above
		p.mu.Lock()
	}
}

// send queues an answer.
func (p *Printer) send(b ...byte) {
	if p.set.off || p.set.unplugged || len(p.answers)+len(b) > answersMax {
		return
	}
	p.answers = append(p.answers, b...)
	p.wake()
}

// wake lets everybody who waits look again.
func (p *Printer) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// touch is wake for changes that can be seen from outside.
func (p *Printer) touch() {
	p.report()
	p.wake()
	if p.opt.Changed != nil && !p.touched {
		p.touched = true
		p.calls = append(p.calls, p.opt.Changed)
	}
}

// wait gives up the lock until something changes.
func (p *Printer) wait(ctx context.Context) error {
	changed := p.changed
	p.unlock()
	defer p.mu.Lock()
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // Run looks at the context itself
	}
}

// unlock gives up the lock and then calls the hooks, which may call the printer.
func (p *Printer) unlock() {
	calls := p.calls
	p.calls, p.touched = nil, false
	p.mu.Unlock()
	for _, call := range calls {
		call()
	}
}
