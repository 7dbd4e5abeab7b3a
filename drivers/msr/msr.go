// Package msr reads a serial magnetic stripe reader, one byte a call, into
// memory that the caller guards.
//
// Such a reader sends the characters of the tracks as they stand on the stripe
// (ISO/IEC 7811-6: "%" track 1 "?" ";" track 2 "?" "+" track 3 "?"), "%E?",
// ";E?" or "+E?" for a track it could not read, and a carriage return after the
// last one. The driver knows the line end and the pause that ends a swipe cut
// short; what the bytes mean is not its business, and it never holds two.
package msr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"regi/drivers"
)

// GapDefault is far above the pause between two characters at 1,200 bit/s
// (9 ms) or that of a USB adapter (16 ms), and below a second swipe.
const GapDefault = 500 * time.Millisecond

// emptyReadsMax bounds how often in a row a port may return nothing.
const emptyReadsMax = 100

// ErrEnd is the end of a swipe: its line end was read.
var ErrEnd = errors.New("msr: end of swipe")

// errOneByte is a caller's mistake: a longer slice could hold a card number.
var errOneByte = errors.New("msr: internal error: read of other than one byte")

// Options of a reader. The zero value fits readers as they are delivered.
type Options struct {
	// Gap is the pause that ends a swipe without a line end; zero is GapDefault.
	Gap time.Duration
}

// Reader is one reader. It is not safe for use by several goroutines.
type Reader struct {
	port   drivers.Port
	gap    time.Duration
	inside bool // bytes of a swipe were read, its end was not
}

// New returns the reader behind a port.
func New(port drivers.Port, o Options) *Reader {
	if o.Gap <= 0 {
		o.Gap = GapDefault
	}
	return &Reader{port: port, gap: o.Gap}
}

// Read puts the next byte of the swipe into b, which has a length of one. It
// waits for the first byte of a swipe as long as ctx lasts. It returns ErrEnd
// after the last byte, an error that wraps drivers.ErrTimeout if the swipe
// stopped before its line end, and the port's errors (drivers.ErrUnplugged).
// Empty lines and line feeds are no swipes. With an error, b is zero.
func (r *Reader) Read(ctx context.Context, b []byte) error {
	if len(b) != 1 {
		return errOneByte
	}
	err := r.read(ctx, b)
	if err == nil && b[0] == '\r' {
		err = ErrEnd
	}
	if err != nil {
		b[0], r.inside = 0, false
		return err
	}
	r.inside = true
	return nil
}

// read skips what lies between two swipes.
func (r *Reader) read(ctx context.Context, b []byte) error {
	if r.inside {
		return r.next(ctx, b)
	}
	for {
		if err := r.first(ctx, b); err != nil {
			return err
		}
		if b[0] != '\r' && b[0] != '\n' {
			return nil
		}
	}
}

// first waits for a byte without a limit of time.
func (r *Reader) first(ctx context.Context, b []byte) error {
	if err := r.port.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("msr: deadline: %w", err)
	}
	stop := context.AfterFunc(ctx, func() {
		r.port.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck,gosec // a closed port has ended the read by itself
	})
	defer stop()
	err := r.one(b)
	if ctx.Err() != nil {
		return fmt.Errorf("msr: %w", context.Cause(ctx))
	}
	return err
}

// next waits for a byte within a swipe.
func (r *Reader) next(ctx context.Context, b []byte) error {
	if ctx.Err() != nil {
		return fmt.Errorf("msr: %w", context.Cause(ctx))
	}
	if err := r.port.SetReadDeadline(time.Now().Add(r.gap)); err != nil {
		return fmt.Errorf("msr: deadline: %w", err)
	}
	err := r.one(b)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("msr: no line end: %w", drivers.ErrTimeout)
	case errors.Is(err, drivers.ErrUnplugged) && errors.Is(err, io.EOF):
		return ErrEnd // the end of the input ends the swipe; the next call says the rest
	}
	return err
}

// one reads exactly one byte.
func (r *Reader) one(b []byte) error {
	for range emptyReadsMax {
		n, err := r.port.Read(b)
		switch {
		case n == 1:
			return nil // an error comes again
		case errors.Is(err, io.EOF):
			return fmt.Errorf("msr: %w: %w", drivers.ErrUnplugged, io.EOF)
		case err != nil:
			return fmt.Errorf("msr: read: %w", err)
		}
	}
	return fmt.Errorf("msr: read: %w", io.ErrNoProgress)
}
