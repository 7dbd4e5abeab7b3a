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
	"fmt"
	"io"
	"time"

	"regi/sim/device/printer/machine"
)

// Limits of a printer.
const (
	// DefaultBufferBytes is the receive buffer of a TM-T88V.
	DefaultBufferBytes = 4096
	// aheadMax is how many lines, cuts and pulses are parsed before the
	// mechanism has carried them out.
	aheadMax = 8
)

// Wire is the printer's end of the line, as a sim/wire.TTY is.
type Wire = machine.Wire

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
	opt   Options
	model Model
	m     *machine.Machine // its lock guards what is below

	plan     []FaultAt
	cold     bool // the last loss was of power: settings are gone too
	in       receiver
	parsed   bool // the input ended and all of it is parsed
	printed  bool // and printed
	jobs     []job
	asb      byte    // GS a: which changes are reported
	asbLast  [4]byte // what was reported last
	sheet    sheet
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
	p := &Printer{opt: o, model: o.Model}
	p.m = machine.New(w, kind{p}, o.Changed)
	p.sheet.stride = (o.Model.Dots + 7) / 8
	p.nv.size = o.Model.NVBytes
	p.commands.p = p
	p.commands.initialise()
	return p
}

// Run prints what comes by the wire until the context ends or, for a wire that
// ends, all of it is on paper. It is the only reader of the wire.
func (p *Printer) Run(ctx context.Context) error {
	err := p.m.Run(ctx, func(ctx context.Context) error {
		p.commands.pause = func() error { return p.m.Wait(ctx) }
		return p.interpret(ctx)
	}, p.move)
	if err != nil {
		return fmt.Errorf("printer: %w", err)
	}
	return nil
}

// Text is the newest paper as text, one line a printed line; 12 dots are one
// column, kanji take two. A cut is a line [CutMark].
func (p *Printer) Text() string {
	p.m.Lock()
	defer p.m.Unlock()
	return p.sheet.text()
}

// PNG writes a picture of the newest paper, at most [RowsMax] dot rows.
func (p *Printer) PNG(w io.Writer) error {
	p.m.Lock()
	newest := p.sheet.newest()
	p.m.Unlock()
	return newest.png(w, p.model.Dots)
}

// Refresh makes the printer look at its drawer switch, and report a change.
func (p *Printer) Refresh() {
	p.m.Lock()
	defer p.m.Unlock()
	p.report()
}

// kind is ESC/POS on a machine.
type kind struct{ *Printer }

// Free is the room in the receive buffer.
func (k kind) Free() int { return k.opt.BufferBytes - len(k.in.buf) }

// Receive buffers what came.
func (k kind) Receive(b []byte) { k.receive(b) }

// Ended is told that the wire has no more.
func (k kind) Ended() { k.in.ended = true }

// Drained: all is on paper.
func (k kind) Drained() bool { return k.printed }

// Report sends the automatic status.
func (k kind) Report() { k.report() }
