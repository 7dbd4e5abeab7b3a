// Package starprinter is a receipt printer of Star's make: what is written to
// its wire becomes paper, to be looked at as text, as a picture and as a list of
// what was printed.
//
// It is a reading of the manuals of its own ("StarPRNT Command Specifications"
// rev. 2.13 and "STAR Line Mode Command Specifications" rev. 1.12) and shares
// nothing with the driver. It keeps to the strict side: ESC ACK SOH is obeyed
// wherever its bytes turn up, inside a picture too; FS is obeyed when it is
// received; ESC GS ETX and ETB are when all before them is on paper and the
// motor stands; ESC @ prints the half line before it.
//
// Parsed to its exact length but not drawn: bar codes and two-dimensional codes
// (a frame with their name stands for them, [Printer.Entries] has their data),
// logos, page mode, user-defined characters of half width.
package starprinter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"regi/sim/device/printer"
	"regi/sim/device/printer/glyphs"
	"regi/sim/device/printer/machine"
)

// Limits of a printer.
const (
	// DefaultBufferBytes is its receive buffer.
	DefaultBufferBytes = 4096
)

// Options of a printer; the zero value prints at once.
type Options struct {
	// BufferBytes is the size of the receive buffer; 0 is [DefaultBufferBytes].
	// When it is full the wire is not read, so that the line holds the writer.
	BufferBytes int
	// MillimetresPerSecond is the speed of the paper; 0 is at once.
	MillimetresPerSecond int
	// XonXoff sends XOFF when the buffer is nearly full and XON when there is
	// room again.
	XonXoff bool
	// AutoStatus is the switch below the printer that turns automatic status on.
	AutoStatus bool
	// DrawerKick is told of each pulse: pin 2 or 5 of the drawer connector.
	DrawerKick func(pin int, on, off time.Duration)
	// DrawerOpen tells the level of the connector's switch. It is called with the
	// printer locked and must not call the printer.
	DrawerOpen func() bool
	// Changed is called after the state or the paper changed.
	Changed func()
}

// Printer is one printer. Its methods are safe from any goroutine.
type Printer struct {
	opt Options
	m   *machine.Machine // its lock guards what is below

	lexer    lexer
	queue    [][]byte // commands to come
	buffered int      // their bytes
	drained  bool     // the input ended and all of it is done
	ended    bool     // the input ended

	auto     bool   // automatic status
	reported string // the last one
	etb      byte   // the ETB counter
	etbDone  bool   // an ETB since the last status
	printed  byte   // the print end counter of ESC GS ETX
	on, off  time.Duration

	downloads map[byte]glyphs.Glyph // by the second byte of their codes

	paper paper
	settings
	line line
}

// New makes a printer that is on, with paper, its cover closed.
func New(w printer.Wire, o Options) *Printer {
	if o.BufferBytes <= 0 {
		o.BufferBytes = DefaultBufferBytes
	}
	p := &Printer{opt: o}
	p.m = machine.New(w, kind{p}, o.Changed)
	p.power()
	return p
}

// power is what the power switch resets.
func (p *Printer) power() {
	p.auto, p.reported, p.etb, p.etbDone, p.printed = p.opt.AutoStatus, "", 0, false, 0
	p.on, p.off = defaultPulse, defaultPulse
	p.settings, p.line, p.downloads = initial(), line{}, map[byte]glyphs.Glyph{}
}

// Run prints what comes by the wire until the context ends or, for a wire that
// ends, all of it is on paper. It is the only reader of the wire.
func (p *Printer) Run(ctx context.Context) error {
	err := p.m.Run(ctx, p.work)
	if err != nil {
		return fmt.Errorf("starprinter: %w", err)
	}
	return nil
}

// Text is the newest paper as text, one line a printed line. A cut is a line
// [printer.CutMark].
func (p *Printer) Text() string {
	p.m.Lock()
	defer p.m.Unlock()
	return p.paper.text()
}

// PNG writes a picture of the newest paper.
func (p *Printer) PNG(w io.Writer) error {
	p.m.Lock()
	newest := p.paper.newest()
	p.m.Unlock()
	return newest.png(w)
}

// Entries are what was printed, cut and kicked, oldest first, at most
// [EntriesMax].
func (p *Printer) Entries() []Entry {
	p.m.Lock()
	defer p.m.Unlock()
	return append([]Entry(nil), p.paper.entries...)
}

// Refresh makes the printer look at its drawer switch, and report a change.
func (p *Printer) Refresh() {
	p.m.Lock()
	defer p.m.Unlock()
	p.report()
}

// receive buffers commands and obeys at once those that are. A printer that is
// off hears nothing.
func (p *Printer) receive(b []byte) {
	p.m.Lock()
	defer p.m.Unlock()
	for _, c := range b {
		if p.m.Off {
			return
		}
		if p.lexer.request(c) {
			p.m.Send(p.status()...) // ESC ACK SOH
		}
		command := p.lexer.feed(c)
		if command == nil || p.atOnce(command) {
			continue
		}
		p.queue = append(p.queue, command)
		p.buffered += len(command)
	}
	p.flow()
	p.m.Wake()
}

// flow tells the register to stop or to go on.
func (p *Printer) flow() {
	if !p.opt.XonXoff {
		return
	}
	p.m.Flow(p.opt.BufferBytes)
}

// work carries out one command after the other while the printer can print.
func (p *Printer) work(ctx context.Context) error {
	p.m.Lock()
	defer p.m.Unlock()
	for {
		for len(p.queue) == 0 || !p.m.Online() {
			if p.ended && len(p.queue) == 0 {
				p.drained = true
				p.m.Wake()
				return nil
			}
			if err := p.m.Wait(ctx); err != nil {
				return err
			}
		}
		command := p.queue[0]
		p.queue, p.buffered = p.queue[1:], p.buffered-len(command)
		p.flow()
		p.m.Wake()
		err := p.obey(ctx, command)
		if errors.Is(err, errLost) {
			p.line, err = line{}, nil
		}
		if err != nil {
			return err
		}
		p.m.Breathe()
	}
}

// errLost: the buffer was lost under a command.
var errLost = errors.New("buffer lost")

// kind is Star's language on a machine.
type kind struct{ *Printer }

// Free is the room in the receive buffer. A command counts when it is whole.
func (k kind) Free() int { return k.opt.BufferBytes - k.buffered }

// Receive buffers commands.
func (k kind) Receive(b []byte) { k.receive(b) }

// Ended is told that the wire has no more.
func (k kind) Ended() { k.ended = true }

// Drained: all is on paper.
func (k kind) Drained() bool { return k.drained }

// Report sends the automatic status.
func (k kind) Report() { k.report() }
