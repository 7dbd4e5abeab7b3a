package escpos

import (
	"context"
	"fmt"
	"time"

	"regi/drivers"
)

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
	errorAuto          = 0x40

	paperNearEnd = 0x0C
	paperEnd     = 0x60
)

// Status asks the printer in real time, also while it prints. It wraps
// drivers.ErrTimeout if the printer does not answer, with drivers.ErrFrame if
// what it said is no answer.
func (p *Printer) Status(ctx context.Context) (drivers.PrinterStatus, error) {
	got, err := p.line.ask(ctx, aboutPrinter, aboutOffline, aboutError, aboutPaper)
	if err != nil {
		if noAnswer(err) {
			p.silent.Store(true)
		}
		return drivers.PrinterStatus{}, fmt.Errorf("escpos: status: %w", err)
	}
	if p.silent.CompareAndSwap(true, false) {
		if err := p.resume(ctx); err != nil {
			return drivers.PrinterStatus{}, fmt.Errorf("escpos: status: %w", err)
		}
	}
	printer, offline, fault, paper := got[0], got[1], got[2], got[3]
	return drivers.PrinterStatus{
		Offline:       printer&printerOffline != 0,
		CoverOpen:     offline&offlineCover != 0,
		PaperOut:      offline&offlinePaper != 0 || paper&paperEnd != 0,
		PaperNearEnd:  paper&paperNearEnd != 0,
		Cutter:        fault&errorCutter != 0,
		Mechanical:    fault&errorMechanical != 0,
		HeadHot:       fault&errorAuto != 0,
		Unrecoverable: fault&errorUnrecoverable != 0,
		DrawerPin3:    printer&printerPin3 != 0,
	}, nil
}

// resume switches the automatic status on again: the printer may have been off.
func (p *Printer) resume(ctx context.Context) error {
	deaf := false
	p.line.Edit(func(a *answers) { deaf, a.auto = a.deaf, nil })
	if deaf {
		return nil
	}
	_, err := p.line.sendBy(ctx, time.Now().Add(autoWithin), []byte(autoOn), inTurn)
	if noAnswer(err) {
		return nil // it takes nothing, but it did answer
	}
	return err
}

// The automatic status: which changes GS a reports (drawer, on and offline,
// errors, roll), and its four bytes.
const (
	autoOn  = "\x1da\x0f"
	autoOff = "\x1da\x00"

	autoBytes = 4

	autoPin3    = 0x04 // of the first byte
	autoOffline = 0x08
	autoCover   = 0x20

	autoMechanical    = 0x04 // of the second
	autoCutter        = 0x08
	autoUnrecoverable = 0x20
	autoHot           = 0x40

	autoNearEnd = 0x03 // of the third
	autoPaper   = 0x0C
)

// automatic reads the four bytes of an automatic status.
func automatic(b [autoBytes]byte) drivers.PrinterStatus {
	return drivers.PrinterStatus{
		DrawerPin3:    b[0]&autoPin3 != 0,
		Offline:       b[0]&autoOffline != 0,
		CoverOpen:     b[0]&autoCover != 0,
		Mechanical:    b[1]&autoMechanical != 0,
		Cutter:        b[1]&autoCutter != 0,
		Unrecoverable: b[1]&autoUnrecoverable != 0,
		HeadHot:       b[1]&autoHot != 0,
		PaperNearEnd:  b[2]&autoNearEnd != 0,
		PaperOut:      b[2]&autoPaper != 0,
	}
}

const (
	// autoWithin is how long an automatic status may take to come when it is
	// switched on, behind an empty buffer.
	autoWithin = 200 * time.Millisecond
	// bellEvery is the least time between two changes that are told.
	bellEvery = 50 * time.Millisecond
	// bellMax ends a wait for a change; a caller waits again.
	bellMax = time.Hour
)

// Changed waits until the printer says by itself that something is other than
// when Changed last returned, and returns nil: ask for the status. With a
// printer that never says so it returns at the end of ctx. Its bytes are a bell
// and no more: clones send automatic statuses that are not true.
func (p *Printer) Changed(ctx context.Context) error {
	if err := p.jobs.Prepare(ctx); err != nil {
		return fmt.Errorf("escpos: changed: %w", err)
	}
	for {
		err := p.line.Await(ctx, time.Now().Add(bellMax), func(a *answers) bool {
			return a.rung != p.bell
		})
		if err == nil {
			break
		}
		if !noAnswer(err) {
			return fmt.Errorf("escpos: changed: %w", err)
		}
	}
	err := p.line.Pause(ctx, time.Now().Add(bellEvery))
	p.line.Edit(func(a *answers) { p.bell = a.rung })
	if err != nil {
		return fmt.Errorf("escpos: changed: %w", err)
	}
	return nil
}

// listen switches the automatic status on, and off again where its first one is
// not of the form that the manual gives. It is called with nothing under way.
func (p *Printer) listen(ctx context.Context) error {
	p.line.Edit(func(a *answers) { a.auto, a.illegal = nil, 0 })
	if _, err := p.line.send(ctx, []byte(autoOn)); err != nil {
		return err
	}
	until := time.Now().Add(autoWithin)
	err := p.line.Await(ctx, until, func(a *answers) bool { return a.auto != nil || a.illegal > 0 })
	if err != nil && !noAnswer(err) {
		return err
	}
	legal := true
	p.line.Edit(func(a *answers) {
		a.pausedLine()
		legal = a.illegal == 0
	})
	if legal {
		return nil // one that says nothing may have been set to nothing
	}
	p.line.Edit(func(a *answers) { a.deaf = true })
	// What it still sends of it.
	if err := p.line.Pause(ctx, time.Now().Add(autoWithin)); err != nil {
		return err
	}
	_, err = p.line.send(ctx, []byte(autoOff))
	return err
}
