// Package escpos drives receipt printers that speak Epson's ESC/POS: Japanese
// (Shift_JIS and half-width katakana), the alphabets of Europe by code tables,
// and what a printer lacks as dots, never as a question mark; bar codes, pictures,
// pages.
//
// Sources: Epson ESC/POS Command Reference (edition of 2024), sections of the
// commands that are named where their bytes are, and "Transmission status" for
// telling answers apart; JIS X 0201, JIS X 0208, JIS X 0213, JIS X 4051 and
// Microsoft's code page 932.
//
// Status and drawer kicks use real-time commands and may be called while a
// document prints. A document is sent a block ahead of what the printer has
// worked off, so that its buffer is never full and a kick never waits for a
// whole receipt; the line needs at least 4,800 bit/s.
package escpos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"regi/drivers"
	"regi/drivers/drawer"
	"regi/drivers/printerport"
	"regi/drivers/printjob"
)

// Bytes that begin commands.
const (
	dle, eot, dc4 = 0x10, 0x04, 0x14
	esc, fs, gs   = 0x1B, 0x1C, 0x1D
	lf            = 0x0A
)

// KickOn is the pulse of one kick; the printer's own unit is 2 ms or 100 ms.
const KickOn = drawer.KickOn

// kickWithin: a kick that cannot be sent by then is not sent at all.
const kickWithin = time.Second

// Printer is one printer. It is safe for use by several goroutines.
type Printer struct {
	line  *line
	jobs  *printjob.Queue[*answers]
	coils drawer.Coils

	// Guarded by the turn of jobs.
	nextID int64 // of a process
	auto   bool  // the model is still to be probed
	shelf  shelf // the pictures that it keeps

	silent atomic.Bool // the last question for its status was not answered

	bell int // the change that Changed told last; of its one caller

	mu    sync.Mutex // a leaf
	model Model
	found Found
}

var (
	_ drivers.POSPrinter = (*Printer)(nil)
	_ drawer.Kicker      = (*Printer)(nil)
)

// Auto is the name of a model that is probed (see Probe) by Init, or else
// before the first document.
const Auto = "auto"

// New returns the printer of a named model behind a port. An unknown name is
// an error that lists the known ones.
func New(p drivers.Port, model string) (*Printer, error) {
	if model == Auto {
		return newPrinter(p, least(), true), nil
	}
	m, err := modelByName(model)
	if err != nil {
		return nil, err
	}
	return newPrinter(p, m, false), nil
}

func newPrinter(port drivers.Port, m Model, auto bool) *Printer {
	p := &Printer{model: m, auto: auto, line: newLine(port)}
	p.jobs = printjob.NewQueue(language{p}, p.line.Line)
	return p
}

// Init checks that a printer answers, whatever it says, and sets it up. A
// document does so again: a printer forgets when its power is cycled.
func (p *Printer) Init(ctx context.Context) error {
	if err := p.jobs.Prepare(ctx); err != nil {
		return fmt.Errorf("escpos: init: %w", err)
	}
	return nil
}

// nameFence is GS I 1: transmit the model's ID. Unlike the answer to GS r, which
// is 0 of a printer that is well, it is not what a broken line looks like.
const nameFence = "\x1dI\x01"

// learnFence looks whether a printer that has no GS ( H answers GS I 1. What one
// that does not makes of it is dropped.
func (p *Printer) learnFence(ctx context.Context) error {
	if m := p.Model(); m.PrintComplete || m.nameFence {
		return nil
	}
	s, err := p.line.ask(ctx, aboutPrinter)
	if err != nil || s[0]&printerOffline != 0 {
		return err // it is asked again after the next document that fails
	}
	name, err := p.line.askByte(ctx, nameFence, probeWithin)
	if err != nil && !noAnswer(err) {
		return err
	}
	if err == nil && name != 0 {
		p.line.Edit(func(a *answers) { a.name = name })
		p.mu.Lock()
		p.model.nameFence = true
		p.mu.Unlock()
		return nil
	}
	_, err = p.line.send(ctx, []byte(p.Model().setUp()))
	return err
}

// aliveWithin is how long a printer may print what an earlier run of this
// program has sent, until it is taken for one that is stuck in a command.
const aliveWithin = time.Second

// stuckMax paddings end the longest command, a picture to be kept.
const stuckMax = drivers.PictureBytesMax/paddingMax + 1

// alive sets the printer up. One that says it is online and does not answer in
// its turn has been left in the middle of a picture: it is given the rest.
func (p *Printer) alive(ctx context.Context) error {
	if _, err := p.line.send(ctx, []byte(p.Model().setUp())); err != nil {
		return err
	}
	printer, err := p.line.ask(ctx, aboutPrinter)
	if err != nil || printer[0]&printerOffline != 0 {
		return err
	}
	for range stuckMax {
		if _, err = p.line.askByte(ctx, fence, aliveWithin); !noAnswer(err) {
			return err
		}
		if err := p.line.broken(ctx, paddingMax); err != nil {
			return err
		}
		if _, err = p.line.send(ctx, []byte(p.Model().setUp())); err != nil {
			return err
		}
	}
	return nil // it never says; then its documents will be unknown
}

// Model is what is known of the printer.
func (p *Printer) Model() Model {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.model
}

// Columns is the width in half-width characters.
func (p *Printer) Columns() int { return p.Model().Columns }

// Kick pulses the drawer coil of pin 2 or 5 once for KickOn. It returns when
// the command is sent; the drawer's switch says what came of it. It wraps
// drivers.ErrDuty while the coils must cool. A model without DLE DC4 is kicked
// by ESC p, which prints after what was sent before, and is refused with the
// cause while it cannot print.
func (p *Printer) Kick(ctx context.Context, pin int) error {
	if !p.Model().RealTimeKick {
		status, err := p.Status(ctx)
		if err == nil {
			err = status.Err()
		}
		if err != nil {
			return fmt.Errorf("escpos: kick: %w", err)
		}
	}
	// One that leaves late counts for the coil; the drawer's switch says what came
	// of it.
	err := p.coils.Drive(pin, KickOn, func() error { return p.pulse(ctx, pin) })
	if err != nil && !errors.Is(err, printerport.ErrLate) {
		return fmt.Errorf("escpos: kick: %w", err)
	}
	return nil
}

// pulse returns when the command has left the port: what waits in front of it
// may take longer than the coil's rest.
func (p *Printer) pulse(ctx context.Context, pin int) error {
	u := urgency(p.Model().RealTimeKick)
	return p.line.Out(ctx, time.Now().Add(kickWithin), func(ctx context.Context) (int, error) {
		return p.line.write(ctx, p.kick(pin), u)
	})
}

func (p *Printer) kick(pin int) []byte {
	var m byte // 0 is pin 2
	if pin == 5 {
		m = 1
	}
	if p.Model().RealTimeKick {
		// DLE DC4 fn 1: generate pulse in real time, t × 100 ms on and off.
		return []byte{dle, dc4, 1, m, 1}
	}
	// ESC p: generate pulse, 50 × 2 ms on, 250 × 2 ms off.
	return []byte{esc, 'p', m, 50, 250}
}

// Recover is DLE ENQ 1: after the operator has removed the cause of a cutter or
// mechanical error, go on from the line where it happened; or DLE ENQ 2 (clear):
// forget what is in the buffer. Call it for a person's key, never by itself.
func (p *Printer) Recover(ctx context.Context, clear bool) error {
	n := byte(1)
	if clear {
		n = 2
		p.line.Edit(func(a *answers) { a.Lost = true })
	}
	if _, err := p.line.sendBy(ctx, time.Now().Add(kickWithin), []byte{dle, enq, n}, urgent); err != nil {
		return fmt.Errorf("escpos: recover: %w", err)
	}
	return nil
}

// noAnswer tells a printer that says nothing from a line that failed.
func noAnswer(err error) bool { return errors.Is(err, drivers.ErrTimeout) }
