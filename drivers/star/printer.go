// Package star drives receipt printers of Star Micronics, in Japanese
// (Shift_JIS and half-width katakana), by the commands that StarPRNT and Star
// Line Mode share.
//
// Sources: Star, "StarPRNT Command Specifications" rev. 2.13 (L series) and
// "STAR Line Mode Command Specifications" rev. 0.09 and 1.12 (below: Line
// Mode), appendix 2 "Status specifications" for telling answers apart.
//
// FS, EM, ENQ and EOT are obeyed as soon as they are received, and one byte
// each: a printer that took them for commands inside the data of a picture
// could print none, so that only the longer ones (ESC ACK …) are kept out of
// data. No text ever holds one.
//
// Automatic status is switched off and the same bytes are asked for by ESC ACK
// SOH: a manual forbids both at once, and a printer that says nothing because
// nothing changed looks like one that is dead. What comes unasked is read all
// the same.
//
// A logo is sent as dots with each document: no command asks which ones a
// printer keeps, and ESC FS q erases all of them to store one. Page mode is not
// among what the models share: a page is printed as its Else lines.
//
// A document is sent a block ahead of what the printer has worked off; the line
// needs at least 9,600 bit/s.
package star

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"regi/drivers"
	"regi/drivers/drawer"
	"regi/drivers/printerport"
	"regi/drivers/printjob"
)

// Bytes that begin commands, or are one.
const (
	soh, ack, bel, lf = 0x01, 0x06, 0x07, 0x0A
	em, sub           = 0x19, 0x1A
	esc, fs, gs, rs   = 0x1B, 0x1C, 0x1D, 0x1E
)

// KickOn is the longest pulse of one kick: that of pin 2 before ESC BEL was
// obeyed, and always that of pin 5 (Line Mode 3.3.12). Afterwards pin 2 has 100
// ms.
const KickOn = 200 * time.Millisecond

// kickWithin: a kick that cannot be sent by then is not sent at all.
const kickWithin = time.Second

// Printer is one printer. It is safe for use by several goroutines.
type Printer struct {
	line  *line
	jobs  *printjob.Queue[*answers]
	coils drawer.Coils

	// Guarded by the turn of jobs.
	nextID int64 // of a fence
	auto   bool  // the model is still to be probed

	mu    sync.Mutex // a leaf
	model Model
}

var (
	_ drivers.POSPrinter = (*Printer)(nil)
	_ drawer.Kicker      = (*Printer)(nil)
)

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
	if err := p.jobs.Take(ctx); err != nil {
		return fmt.Errorf("star: init: %w", err)
	}
	defer p.jobs.Release()
	if _, err := p.line.ask(ctx); err != nil {
		return fmt.Errorf("star: init: %w", err)
	}
	if err := (language{p}).Prepare(ctx); err != nil {
		return fmt.Errorf("star: init: %w", err)
	}
	if _, err := p.line.send(ctx, []byte(setUp)); err != nil {
		return fmt.Errorf("star: init: %w", err)
	}
	return nil
}

// Model is what is known of the printer.
func (p *Printer) Model() Model {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.model
}

// Columns is the width in half-width characters.
func (p *Printer) Columns() int { return p.Model().Columns }

// KickLasts is the longest pulse of one kick.
func (p *Printer) KickLasts(int) time.Duration { return KickOn }

// Kick pulses the drawer coil of pin 2 or 5 once, for at most KickOn. It
// returns when the command is sent; the drawer's switch says what came of it.
// It wraps drivers.ErrDuty while the coils must cool. A command that waits in
// the printer's buffer would open the drawer when nobody stands at it: what is
// not obeyed at once is refused with the cause while the printer cannot print.
func (p *Printer) Kick(ctx context.Context, pin int) error {
	command, atOnce := p.kick(pin)
	if !atOnce {
		status, err := p.Status(ctx)
		if err == nil {
			err = status.Err()
		}
		if err != nil {
			return fmt.Errorf("star: kick: %w", err)
		}
	}
	// One that leaves late counts for the coil; the drawer's switch says what came
	// of it.
	err := p.coils.Drive(pin, KickOn, func() error { return p.pulse(ctx, command) })
	if err != nil && !errors.Is(err, printerport.ErrLate) {
		return fmt.Errorf("star: kick: %w", err)
	}
	return nil
}

// pulse returns when the command has left the port: what waits in front of it
// may take longer than the coil's rest.
func (p *Printer) pulse(ctx context.Context, command []byte) error {
	return p.line.Out(ctx, time.Now().Add(kickWithin), func(ctx context.Context) (int, error) { return p.line.send(ctx, command) })
}

// kick is the command of a pin, and whether it is obeyed at once.
func (p *Printer) kick(pin int) (command []byte, atOnce bool) {
	switch {
	case pin == 5 && p.Model().KickAtOnce:
		// EM: external device 2, in its turn by one manual and at once by another.
		return []byte{em}, false
	case pin == 5:
		return []byte{sub}, false // SUB: external device 2
	case p.Model().KickAtOnce:
		// FS: external device 1, at once. The pulse is set before, not with it: a
		// buffered ESC BEL would be obeyed after it.
		return []byte{fs}, true
	}
	return []byte{bel}, false // BEL: external device 1
}

// Status asks the printer in real time, also while it prints. It wraps
// drivers.ErrTimeout if the printer does not answer, with drivers.ErrFrame if
// what it said is no answer.
func (p *Printer) Status(ctx context.Context) (drivers.PrinterStatus, error) {
	s, err := p.line.ask(ctx)
	if err != nil {
		return drivers.PrinterStatus{}, fmt.Errorf("star: status: %w", err)
	}
	return s, nil
}
