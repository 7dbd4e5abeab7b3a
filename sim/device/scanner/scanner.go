// Package scanner is the simulated barcode scanner: it sends each code as one
// frame, as a scanner does that is set to suffix CR.
package scanner

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Limits of a scan.
const (
	// DataMax is far over any code (a QR code holds 7,089 digits), so that a
	// scanner gone mad can be played too.
	DataMax = 64 << 10
	// AIMMax leaves room for wrong identifiers; a right one is "]cm"
	// (ISO/IEC 15424).
	AIMMax = 8
	// readWithin is how long the register may take to read a scan.
	readWithin = 2 * time.Second
)

// suffix ends a frame.
const suffix = '\r'

// Wire is the cable to the register.
type Wire interface {
	// Write sends all of b in one piece; those of several goroutines do not mix.
	io.Writer
	// WaitRead waits until the register has read every byte written.
	WaitRead(context.Context) error
}

// Scanner is one scanner. Its methods are safe from any goroutine.
type Scanner struct{ wire Wire }

// New returns the scanner at the end of a wire.
func New(w Wire) *Scanner { return &Scanner{wire: w} }

// Scan sends aim, data and CR in one write and waits until the register has
// read them, at most 2 s. Data may be any bytes up to [DataMax]: control bytes
// go out as they are. aim may be empty.
//
// The error says whether the cable is out or the register did not read; in the
// latter case the bytes wait on the wire, as they would in its UART.
func (s *Scanner) Scan(ctx context.Context, data, aim string) error {
	if len(data) > DataMax || len(aim) > AIMMax {
		return fmt.Errorf("scanner: %d bytes of data, %d of identifier: at most %d and %d", len(data), len(aim), DataMax, AIMMax)
	}
	frame := make([]byte, 0, len(aim)+len(data)+1)
	frame = append(frame, aim...)
	frame = append(frame, data...)
	frame = append(frame, suffix)

	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	if n, err := s.wire.Write(frame); err != nil {
		return fmt.Errorf("scanner: %d of %d bytes sent: %w", n, len(frame), err)
	}
	if err := s.wire.WaitRead(ctx); err != nil {
		return fmt.Errorf("scanner: the register did not read the code: %w", err)
	}
	// Nothing is unread on a cable that was pulled meanwhile, either.
	if _, err := s.wire.Write(nil); err != nil {
		return fmt.Errorf("scanner: the code may be lost: %w", err)
	}
	return nil
}
