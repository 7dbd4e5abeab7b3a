// Package lan is a printer's network interface: one register at a time may
// connect (port 9100 on hardware), and the printer outlives the connections.
package lan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// writeTimeout is how long a register may leave answers unread.
const writeTimeout = 2 * time.Second

// Wire is the interface as a printer sees it. Methods are safe from any
// goroutine.
type Wire struct {
	listener net.Listener

	mu       sync.Mutex
	conn     net.Conn      // nil while nobody is connected
	changed  chan struct{} // closed and renewed with conn, deadline and closed
	deadline time.Time
	closed   bool
}

// Listen opens an address such as 127.0.0.1:9100.
func Listen(ctx context.Context, address string) (*Wire, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("lan: %w", err)
	}
	return &Wire{listener: l, changed: make(chan struct{})}, nil
}

// Addr is where it listens.
func (w *Wire) Addr() net.Addr { return w.listener.Addr() }

// Run accepts registers until the context ends. While one is connected the
// next one waits.
func (w *Wire) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { w.Close() }) //nolint:errcheck,gosec // ends what follows
	defer stop()
	for {
		c, err := w.listener.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				c.Close() //nolint:errcheck,gosec // nobody has used it
			}
			return nil
		case err != nil:
			return fmt.Errorf("lan: %w", err)
		}
		w.swap(c)
		if !w.gone(c) {
			return nil
		}
	}
}

// gone waits until c is no longer the connection; false after Close.
func (w *Wire) gone(c net.Conn) bool {
	for {
		w.mu.Lock()
		same, closed, changed := w.conn == c, w.closed, w.changed
		w.mu.Unlock()
		if closed || !same {
			return !closed
		}
		<-changed
	}
}

// swap makes c the connection.
func (w *Wire) swap(c net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conn = c
	if c != nil {
		c.SetReadDeadline(w.deadline) //nolint:errcheck,gosec // a dead connection shows at the read
	}
	w.wake()
}

func (w *Wire) wake() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// Read reads from whoever is connected, and waits while nobody is. It returns
// os.ErrDeadlineExceeded at the deadline and net.ErrClosed after Close.
func (w *Wire) Read(b []byte) (int, error) {
	for {
		w.mu.Lock()
		c, closed, deadline, changed := w.conn, w.closed, w.deadline, w.changed
		w.mu.Unlock()
		switch {
		case closed:
			return 0, fmt.Errorf("lan: read: %w", net.ErrClosed)
		case c == nil && !deadline.IsZero() && !time.Now().Before(deadline):
			return 0, fmt.Errorf("lan: read: %w", os.ErrDeadlineExceeded)
		case c == nil:
			await(changed, deadline)
			continue
		}
		n, err := c.Read(b)
		if n > 0 || err == nil {
			return n, nil
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, fmt.Errorf("lan: read: %w", err)
		}
		w.hangUp(c) // the register has gone: the next one
	}
}

func await(changed <-chan struct{}, deadline time.Time) {
	var late <-chan time.Time
	if !deadline.IsZero() {
		t := time.NewTimer(time.Until(deadline))
		defer t.Stop()
		late = t.C
	}
	select {
	case <-changed:
	case <-late:
	}
}

func (w *Wire) hangUp(c net.Conn) {
	c.Close() //nolint:errcheck,gosec // it is of no use any more
	w.mu.Lock()
	same := w.conn == c
	w.mu.Unlock()
	if same {
		w.swap(nil)
	}
}

// Write sends to whoever is connected; io.ErrClosedPipe while nobody is.
func (w *Wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	c := w.conn
	w.mu.Unlock()
	if c == nil {
		return 0, fmt.Errorf("lan: write: %w", io.ErrClosedPipe)
	}
	c.SetWriteDeadline(time.Now().Add(writeTimeout)) //nolint:errcheck,gosec // a dead connection shows at the write
	n, err := c.Write(b)
	if err != nil {
		return n, fmt.Errorf("lan: write: %w", err)
	}
	return n, nil
}

// SetReadDeadline bounds Read, in progress too.
func (w *Wire) SetReadDeadline(at time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deadline = at
	if w.conn != nil {
		w.conn.SetReadDeadline(at) //nolint:errcheck,gosec // a dead connection shows at the read
	}
	w.wake()
	return nil
}

// Close ends everything.
func (w *Wire) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	w.closed = true
	w.wake()
	if w.conn != nil {
		w.conn.Close() //nolint:errcheck,gosec // told to
	}
	if err := w.listener.Close(); err != nil {
		return fmt.Errorf("lan: %w", err)
	}
	return nil
}
