// Package wire is the serial cable between the simulated devices and the
// register: one pseudo-terminal a device, under a fixed name.
package wire

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// Limits of a wire.
const (
	// WriteTimeout is how long one Write waits for room: a register that is off
	// or hung reads nothing, and a device must not hang with it.
	WriteTimeout = 2 * time.Second
	// pollEvery is how often WaitRead looks at the queue: the kernel tells the
	// writing side nothing when the other side reads.
	pollEvery = 500 * time.Microsecond
)

// ErrUnplugged says that the cable is out; bytes written are lost.
var ErrUnplugged = errors.New("unplugged")

// TTY is the device's end of one wire. The register opens the other end by the
// link's name. Methods are safe from any goroutine.
type TTY struct {
	link string

	mu       sync.Mutex
	end      *pair         // nil while unplugged
	changed  chan struct{} // closed and renewed at plug, unplug, close, deadline
	closed   bool
	deadline time.Time // of Read
}

// Open makes a pseudo-terminal in raw mode and the symbolic link to it,
// replacing an old link. The link's folder is made if it is missing.
func Open(link string) (*TTY, error) {
	t := &TTY{link: link, changed: make(chan struct{})}
	if err := t.Plug(); err != nil {
		return nil, err
	}
	return t, nil
}

// String is the link's name.
func (t *TTY) String() string { return t.link }

// Read reads what the register wrote. While the cable is out it waits for Plug
// and goes on with the new pseudo-terminal. It returns os.ErrDeadlineExceeded
// at the deadline and fs.ErrClosed after Close.
func (t *TTY) Read(b []byte) (int, error) {
	for {
		end, changed, deadline, err := t.current()
		if err != nil {
			return 0, fmt.Errorf("wire: read: %w", err)
		}
		if end == nil {
			if err := await(changed, deadline); err != nil {
				return 0, fmt.Errorf("wire: read: %w", err)
			}
			continue
		}
		n, err := end.master.Read(b)
		if n > 0 || err == nil {
			return n, nil
		}
		if t.is(end) { // still plugged: a real error, not Unplug
			return 0, fmt.Errorf("wire: read: %w", err)
		}
	}
}

// Write sends bytes to the register; it gives up after [WriteTimeout] with
// os.ErrDeadlineExceeded and the number of bytes that found room.
func (t *TTY) Write(b []byte) (int, error) {
	end, _, _, err := t.current()
	switch {
	case err != nil:
		return 0, fmt.Errorf("wire: write: %w", err)
	case end == nil:
		return 0, fmt.Errorf("wire: write: %w", ErrUnplugged)
	}
	n, err := end.write(b, time.Now().Add(WriteTimeout))
	if err != nil {
		if !t.is(end) {
			err = ErrUnplugged
		}
		return n, fmt.Errorf("wire: write: %w", err)
	}
	return n, nil
}

// SetReadDeadline ends a blocked Read and those to come; zero means never.
func (t *TTY) SetReadDeadline(at time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return fmt.Errorf("wire: deadline: %w", fs.ErrClosed)
	}
	t.deadline = at
	t.wakeLocked()
	if t.end == nil {
		return nil
	}
	if err := t.end.master.SetReadDeadline(at); err != nil {
		return fmt.Errorf("wire: deadline: %w", err)
	}
	return nil
}

// Unread is how many bytes were written here and not yet read by the register.
// It is 0 while the cable is out.
func (t *TTY) Unread() (int, error) {
	end, _, _, err := t.current()
	if err != nil {
		return 0, fmt.Errorf("wire: unread: %w", err)
	}
	if end == nil {
		return 0, nil
	}
	n, err := end.unread()
	if err != nil && t.is(end) {
		return 0, fmt.Errorf("wire: unread: %w", err)
	}
	return n, nil
}

// WaitRead waits until the register has read every byte written so far.
func (t *TTY) WaitRead(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		n, err := t.Unread()
		if err != nil || n == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wire: %d bytes unread: %w", n, ctx.Err())
		case <-tick.C:
		}
	}
}

// Opened reports whether the register has the wire open now.
func (t *TTY) Opened() bool {
	end, _, _, err := t.current()
	return err == nil && end != nil && end.opened()
}

// Unplug pulls the cable: the register sees a hang-up, the link disappears, and
// what was in flight is lost. It is no error to pull a pulled cable.
func (t *TTY) Unplug() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return fmt.Errorf("wire: unplug: %w", fs.ErrClosed)
	}
	if err := t.unplugLocked(); err != nil {
		return fmt.Errorf("wire: unplug: %w", err)
	}
	return nil
}

// Plug puts the cable in again: a new pseudo-terminal under the same name. It is
// no error to plug a plugged cable.
func (t *TTY) Plug() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return fmt.Errorf("wire: plug: %w", fs.ErrClosed)
	}
	if t.end != nil {
		return nil
	}
	end, err := newPair()
	if err != nil {
		return fmt.Errorf("wire: plug: %w", err)
	}
	if err := errors.Join(end.master.SetReadDeadline(t.deadline), relink(end.name, t.link)); err != nil {
		return fmt.Errorf("wire: plug: %w", errors.Join(err, end.close()))
	}
	t.end = end
	t.wakeLocked()
	return nil
}

// Close unplugs for good. A blocked Read returns fs.ErrClosed.
func (t *TTY) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	t.closed = true
	if err := t.unplugLocked(); err != nil {
		return fmt.Errorf("wire: close: %w", err)
	}
	return nil
}

func (t *TTY) unplugLocked() error {
	end := t.end
	t.end = nil
	t.wakeLocked()
	if end == nil {
		return nil
	}
	return errors.Join(unlink(end.name, t.link), end.close())
}

func (t *TTY) wakeLocked() {
	close(t.changed)
	t.changed = make(chan struct{})
}

func (t *TTY) current() (end *pair, changed <-chan struct{}, deadline time.Time, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, nil, time.Time{}, fs.ErrClosed
	}
	return t.end, t.changed, t.deadline, nil
}

func (t *TTY) is(end *pair) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.end == end
}

// await waits for a change of the wire, at most until the deadline.
func await(changed <-chan struct{}, deadline time.Time) error {
	if deadline.IsZero() {
		<-changed
		return nil
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case <-changed:
		return nil
	case <-timer.C:
		return os.ErrDeadlineExceeded
	}
}
