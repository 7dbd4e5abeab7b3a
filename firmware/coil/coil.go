// Package coil is the talk between the register and the process that holds the
// lines of a cash drawer on GPIO, which ends each pulse whatever becomes of the
// register.
package coil

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"regi/drivers"
)

// A request is what is asked and, for a pulse, its length in milliseconds, 16
// bits, little endian. An answer is how it went and whether the drawer is open.
const (
	askPulse  = 'P'
	askSwitch = 'S'
	askOpened = 'O'

	requestBytes = 1 + 2
	answerBytes  = 1 + 1
)

// How it went.
const (
	done = iota
	duty
	unsupported
	overrun
	failed
)

// Lines are what the process holds.
type Lines interface {
	// Pulse returns when the coil is off.
	Pulse(ctx context.Context, on time.Duration) error
	Open() bool
	Opened() bool
}

// Serve does what the register asks until the link ends, or with an error when
// the coil may be on: only a new process helps then. A pulse that has begun is
// ended as it would have been.
func Serve(link io.ReadWriter, lines Lines) error {
	packet := make([]byte, requestBytes+1) // one more, so that a longer one is seen
	for {
		n, err := link.Read(packet)
		if err != nil || n == 0 {
			return nil // the register has ended
		}
		if n != requestBytes {
			return fmt.Errorf("coil: %d bytes: %w", n, drivers.ErrFrame)
		}
		code, open := byte(done), false
		switch packet[0] {
		case askPulse:
			on := time.Duration(binary.LittleEndian.Uint16(packet[1:])) * time.Millisecond
			err = lines.Pulse(context.Background(), on)
			code = codeOf(err)
		case askSwitch:
			open = lines.Open()
		case askOpened:
			open = lines.Opened()
		default:
			return fmt.Errorf("coil: request %#x: %w", packet[0], drivers.ErrFrame)
		}
		answer := []byte{code, 0}
		if open {
			answer[1] = 1
		}
		if _, writeErr := link.Write(answer); code == failed || code == overrun {
			return fmt.Errorf("coil: %w", err)
		} else if writeErr != nil {
			return nil
		}
	}
}

func codeOf(err error) byte {
	switch {
	case err == nil:
		return done
	case errors.Is(err, drivers.ErrDuty):
		return duty
	case errors.Is(err, drivers.ErrUnsupported):
		return unsupported
	case errors.Is(err, drivers.ErrTimeout):
		return overrun
	}
	return failed
}

// Limits of an answer. A process that has not answered by then may have a coil
// that is on: its link is closed, so that it is ended, and the next one
// switches the coil off.
const (
	answerWithin = 100 * time.Millisecond
	pulseMax     = 510 * time.Millisecond // more is refused on the other side
)

// Conn is the register's end of the link. It is safe for use by several
// goroutines. After an error that wraps drivers.ErrUnplugged it is of no more
// use, and closed.
type Conn struct {
	link   *os.File
	turn   chan struct{}
	within time.Duration // of an answer
}

// NewConn returns the end of a link to a process that is ready.
func NewConn(link *os.File) *Conn {
	return &Conn{link: link, turn: make(chan struct{}, 1), within: answerWithin}
}

// Pulse pulses the coil once. Its errors wrap drivers.ErrDuty or
// drivers.ErrUnsupported (not pulsed), or drivers.ErrUnplugged.
func (c *Conn) Pulse(ctx context.Context, on time.Duration) error {
	if on < time.Millisecond || on > pulseMax {
		return fmt.Errorf("coil: a pulse of %v: %w", on, drivers.ErrUnsupported)
	}
	request := binary.LittleEndian.AppendUint16([]byte{askPulse}, uint16(on/time.Millisecond))
	_, err := c.ask(ctx, request, on)
	return err
}

// Switch says whether the drawer is open, as its switch last settled.
func (c *Conn) Switch(ctx context.Context) (open bool, err error) {
	return c.ask(ctx, []byte{askSwitch, 0, 0}, 0)
}

// Opened says whether the drawer is open or was since the last call.
func (c *Conn) Opened(ctx context.Context) (open bool, err error) {
	return c.ask(ctx, []byte{askOpened, 0, 0}, 0)
}

func (c *Conn) ask(ctx context.Context, request []byte, takes time.Duration) (bool, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return false, fmt.Errorf("coil: %w", ctx.Err())
	}
	if err := ctx.Err(); err != nil {
		return false, fmt.Errorf("coil: %w", err)
	}
	open, err := c.exchange(ctx, request, takes)
	if err == nil || errors.Is(err, drivers.ErrDuty) || errors.Is(err, drivers.ErrUnsupported) {
		return open, err
	}
	c.link.Close() //nolint:errcheck,gosec // nothing is left to lose on it
	if ctx.Err() != nil {
		err = ctx.Err()
	} else {
		err = fmt.Errorf("%w: %w", drivers.ErrUnplugged, err)
	}
	return false, fmt.Errorf("coil: %w", err)
}

func (c *Conn) exchange(ctx context.Context, request []byte, takes time.Duration) (bool, error) {
	if err := c.link.SetDeadline(time.Now().Add(takes + c.within)); err != nil {
		return false, err
	}
	stop := context.AfterFunc(ctx, func() {
		c.link.SetDeadline(time.Unix(1, 0)) //nolint:errcheck,gosec // a closed link has ended the call by itself
	})
	defer stop()
	if _, err := c.link.Write(request); err != nil {
		return false, err
	}
	answer := make([]byte, answerBytes+1)
	n, err := c.link.Read(answer)
	switch {
	case err != nil:
		return false, err
	case n != answerBytes || answer[0] > failed || answer[1] > 1:
		return false, drivers.ErrFrame
	}
	switch answer[0] {
	case duty:
		return false, fmt.Errorf("coil: %w", drivers.ErrDuty)
	case unsupported:
		return false, fmt.Errorf("coil: %w", drivers.ErrUnsupported)
	case overrun:
		return false, errors.New("the coil was on for too long")
	case failed:
		return false, errors.New("the kick line failed")
	}
	return answer[1] == 1, nil
}
