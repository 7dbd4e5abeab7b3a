// Package drivers holds the contracts of the counter's devices, in UnifiedPOS
// words, and the errors a caller can act on. A device is a folder below it.
//
// Rules for implementers: a driver is synchronous. It keeps no goroutine that
// outlives a call, logs nothing, retries nothing, and opens no device itself:
// it is handed a [Port]. Every blocking method returns when its context ends.
package drivers

import (
	"context"
	"errors"
	"io"
	"time"
)

// Errors that a caller can act on. Drivers wrap them; test with errors.Is.
var (
	// ErrClosed: the port or device was closed by this process.
	ErrClosed = errors.New("closed")
	// ErrUnplugged: the far end is gone; re-open with back-off.
	ErrUnplugged = errors.New("unplugged")
	// ErrBusy: another process holds the port.
	ErrBusy = errors.New("in use by another process")
	// ErrUnsupported: this port or model cannot do it.
	ErrUnsupported = errors.New("not supported")
	// ErrTimeout: the device did not answer in time.
	ErrTimeout = errors.New("no answer in time")
	// ErrFrame: bytes arrived that are no frame of the protocol.
	ErrFrame = errors.New("malformed frame")
	// ErrTooLong: a frame is over its limit; it was dropped whole.
	ErrTooLong = errors.New("too long")
	// ErrControl: a frame holds control bytes; it was dropped whole.
	ErrControl = errors.New("control bytes in data")

	ErrPaperOut     = errors.New("paper out")
	ErrPaperNearEnd = errors.New("paper near end")
	ErrCoverOpen    = errors.New("cover open")
	ErrCutter       = errors.New("cutter error")
	ErrOffline      = errors.New("printer offline")
	// These are reasons to be offline, and are ErrOffline too. One that is hot
	// comes back by itself, a mechanical one when somebody has removed the cause,
	// an unrecoverable one not at all.
	ErrHeadHot       error = stopped("print head too hot")
	ErrMechanical    error = stopped("mechanical error")
	ErrUnrecoverable error = stopped("unrecoverable error")
	// ErrLate: the document was not begun by its time, and nothing was printed.
	ErrLate = errors.New("waited too long")
	// ErrUnknownOutcome: nobody can say whether it was printed. Never reprint
	// by itself: ask the operator.
	ErrUnknownOutcome = errors.New("outcome unknown")

	// ErrDuty: the drawer coil must cool first (on time over 20 %).
	ErrDuty = errors.New("drawer coil must cool")
	// ErrDidNotOpen: the switch still says closed after the kick.
	ErrDidNotOpen = errors.New("drawer did not open")
)

// stopped is a reason of ErrOffline.
type stopped string

func (s stopped) Error() string { return string(s) }

// Is makes errors.Is find ErrOffline in its reasons.
func (s stopped) Is(target error) bool { return target == ErrOffline }

// Lines is a set of modem lines.
type Lines uint8

// The modem lines of EIA-232.
const (
	LineRTS Lines = 1 << iota
	LineDTR
	LineCTS
	LineDSR
	LineDCD
	LineRI
)

// Port is a guarded serial line. Every method is safe after Close and from any
// goroutine. Read and Write return os.ErrDeadlineExceeded at their deadline,
// ErrClosed after Close and ErrUnplugged when the far end is gone.
type Port interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
	// Drain waits until what was written has left the port.
	Drain(context.Context) error
	// Lines and SetLines return ErrUnsupported where there are none (a pty).
	Lines() (Lines, error)
	SetLines(set, clear Lines) error
}

// Scan is one read of a barcode scanner.
type Scan struct {
	// Data is the frame as received, without prefix and suffix (UnifiedPOS
	// ScanData); at most 4,096 bytes, no control bytes but GS (0x1D).
	Data string
	// Label is Data without the symbology identifier or code id, and with the
	// check digit that a scanner may leave out (ScanDataLabel).
	Label string
	// AIM is the symbology identifier "]cm" (ISO/IEC 15424) that the scanner sent,
	// or the one for a code id of its maker; or "".
	AIM string
	// Type is the kind of code (ScanDataType); 0 if nothing tells it.
	Type Symbology
}

// Scanner delivers one frame a call.
type Scanner interface {
	// Read blocks until a frame, an error of the frame (ErrFrame, ErrTooLong,
	// ErrControl: read again) or of the port (ErrUnplugged: re-open).
	Read(context.Context) (Scan, error)
}

// Keypad delivers one key name a call ("0".."9", "CASH", ...).
type Keypad interface {
	Read(context.Context) (string, error)
}

// LineDisplay is a customer or operator display of 2 lines of 20 columns.
type LineDisplay interface {
	// Show replaces both lines; each is cut or padded to 20 columns.
	Show(ctx context.Context, upper, lower string) error
}

// PrinterStatus is what the printer says of itself in real time.
type PrinterStatus struct {
	Offline, CoverOpen, PaperOut, PaperNearEnd, Cutter, Unrecoverable bool
	// Mechanical needs a hand, HeadHot only time.
	Mechanical, HeadHot bool
	// DrawerPin3 is the level of the drawer connector's sense pin.
	DrawerPin3 bool
}

// Err returns the first reason the printer cannot print, or nil.
func (s PrinterStatus) Err() error {
	switch {
	case s.PaperOut:
		return ErrPaperOut
	case s.CoverOpen:
		return ErrCoverOpen
	case s.Cutter:
		return ErrCutter
	case s.Unrecoverable:
		return ErrUnrecoverable
	case s.Mechanical:
		return ErrMechanical
	case s.HeadHot:
		return ErrHeadHot
	case s.Offline:
		return ErrOffline
	}
	return nil
}

// POSPrinter prints documents and says what became of them.
type POSPrinter interface {
	// Columns is the width in half-width characters (32, 42, 48).
	Columns() int
	// Print blocks until the document is PRINTED (nil), FAILED (the cause) or
	// UNKNOWN (ErrUnknownOutcome). One that loses its buffer is given the rest
	// again only where it is certain what is on the paper. While the printer pauses for paper, cover or
	// cutter it calls paused with the cause, and with nil when it goes on.
	Print(ctx context.Context, doc Document, paused func(error)) error
	Status(context.Context) (PrinterStatus, error)
}

// CashDrawer opens and watches one drawer.
type CashDrawer interface {
	// OpenDrawer kicks once or twice; nil only if the switch says open.
	OpenDrawer(context.Context) error
	// DrawerOpened reads the switch.
	DrawerOpened(context.Context) (bool, error)
}
