// Package escpos drives receipt printers that speak Epson's ESC/POS, in
// Japanese (Shift_JIS and half-width katakana).
//
// Sources: Epson ESC/POS Command Reference (edition of 2024), sections of the
// commands that are named where their bytes are, and "Transmission status" for
// telling answers apart; JIS X 0201, JIS X 0208 and Microsoft's code page 932.
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
	"time"

	"regi/drivers"
	"regi/drivers/drawer"
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
	model    Model
	line     *line
	printing turn
	nextID   int64 // of a process; guarded by printing
	coils    drawer.Coils
}

var (
	_ drivers.POSPrinter = (*Printer)(nil)
	_ drawer.Kicker      = (*Printer)(nil)
)

// New returns the printer of a named model behind a port. An unknown name is
// an error that lists the known ones.
func New(p drivers.Port, model string) (*Printer, error) {
	m, err := modelByName(model)
	if err != nil {
		return nil, err
	}
	return &Printer{model: m, line: newLine(p), printing: newTurn()}, nil
}

// Init checks that a printer answers, whatever it says, and sets it up. A
// document does so again: a printer forgets when its power is cycled.
func (p *Printer) Init(ctx context.Context) error {
	if err := p.printing.take(ctx); err != nil {
		return fmt.Errorf("escpos: init: %w", err)
	}
	defer p.printing.release()
	if _, err := p.line.ask(ctx, aboutPrinter); err != nil {
		return fmt.Errorf("escpos: init: %w", err)
	}
	if _, err := p.line.send(ctx, []byte(setUp)); err != nil {
		return fmt.Errorf("escpos: init: %w", err)
	}
	return nil
}

// Columns is the width in half-width characters.
func (p *Printer) Columns() int { return p.model.Columns }

// Kick pulses the drawer coil of pin 2 or 5 once for KickOn. It returns when
// the command is sent; the drawer's switch says what came of it. It wraps
// drivers.ErrDuty while the coils must cool. A model without DLE DC4 is kicked
// by ESC p, which prints after what was sent before, and is refused with the
// cause while it cannot print.
func (p *Printer) Kick(ctx context.Context, pin int) error {
	if !p.model.RealTimeKick {
		status, err := p.Status(ctx)
		if err == nil {
			err = status.Err()
		}
		if err != nil {
			return fmt.Errorf("escpos: kick: %w", err)
		}
	}
	err := p.coils.Drive(pin, KickOn, func() error { return p.pulse(ctx, pin) })
	if err != nil && !errors.Is(err, errLate) {
		return fmt.Errorf("escpos: kick: %w", err)
	}
	return nil
}

// errLate: the command is on its way, behind much else. It counts for the coil;
// the drawer's switch says what came of it.
var errLate = errors.New("leaves late")

// pulse returns when the command has left the port: what waits in front of it
// may take longer than the coil's rest.
func (p *Printer) pulse(ctx context.Context, pin int) error {
	until := time.Now().Add(kickWithin)
	if _, err := p.line.sendBy(ctx, until, p.kick(pin)); err != nil {
		return err
	}
	bound, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	err := p.line.port.Drain(bound)
	if err != nil && bound.Err() != nil && ctx.Err() == nil {
		return errLate
	}
	return err
}

func (p *Printer) kick(pin int) []byte {
	var m byte // 0 is pin 2
	if pin == 5 {
		m = 1
	}
	if p.model.RealTimeKick {
		// DLE DC4 fn 1: generate pulse in real time, t × 100 ms on and off.
		return []byte{dle, dc4, 1, m, 1}
	}
	// ESC p: generate pulse, 50 × 2 ms on, 250 × 2 ms off.
	return []byte{esc, 'p', m, 50, 250}
}

// The n of DLE EOT n: transmit real-time status.
const (
	aboutPrinter byte = 1 + iota
	aboutOffline
	aboutError
	aboutPaper
)

// Bits of the answers, by n.
const (
	printerPin3    = 0x04
	printerOffline = 0x08

	offlineCover = 0x04
	offlinePaper = 0x20

	errorMechanical    = 0x04
	errorCutter        = 0x08
	errorUnrecoverable = 0x20

	paperNearEnd = 0x0C
	paperEnd     = 0x60
)

// Status asks the printer in real time, also while it prints. It wraps
// drivers.ErrTimeout if the printer does not answer, with drivers.ErrFrame if
// what it said is no answer.
func (p *Printer) Status(ctx context.Context) (drivers.PrinterStatus, error) {
	got, err := p.line.ask(ctx, aboutPrinter, aboutOffline, aboutError, aboutPaper)
	if err != nil {
		return drivers.PrinterStatus{}, fmt.Errorf("escpos: status: %w", err)
	}
	printer, offline, fault, paper := got[0], got[1], got[2], got[3]
	return drivers.PrinterStatus{
		// A mechanical error has no word of its own; the printer is offline by it.
		Offline:       printer&printerOffline != 0 || fault&errorMechanical != 0,
		CoverOpen:     offline&offlineCover != 0,
		PaperOut:      offline&offlinePaper != 0 || paper&paperEnd != 0,
		PaperNearEnd:  paper&paperNearEnd != 0,
		Cutter:        fault&errorCutter != 0,
		Unrecoverable: fault&errorUnrecoverable != 0,
		DrawerPin3:    printer&printerPin3 != 0,
	}, nil
}

// noAnswer tells a printer that says nothing from a line that failed.
func noAnswer(err error) bool { return errors.Is(err, drivers.ErrTimeout) }
