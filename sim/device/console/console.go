// Package console is the technician's terminal on the service line: it shows
// what the register writes and can type.
package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"
)

// Limits of the terminal.
const (
	linesMax = 200
	// lineMax is where a line is broken that the register does not end.
	lineMax = 1024
	// TypeMax is how much one call types.
	TypeMax = 4096
	// readWithin is how long the register may take to read it.
	readWithin = 2 * time.Second
)

// Wire is the cable to the register.
type Wire interface {
	io.ReadWriter
	SetReadDeadline(time.Time) error
	// WaitRead waits until the register has read every byte written.
	WaitRead(context.Context) error
}

// Console is one terminal. Its methods are safe from any goroutine.
type Console struct {
	wire    Wire
	changed func()

	mu     sync.Mutex
	screen screen
}

// New returns the terminal at the end of a wire. changed is called, without a
// lock held, after each arrival of text; nil is allowed.
func New(w Wire, changed func()) *Console {
	if changed == nil {
		changed = func() {}
	}
	return &Console{wire: w, changed: changed}
}

// Run collects what the register writes until ctx ends or the wire is closed.
func (c *Console) Run(ctx context.Context) error {
	switch err := c.wire.SetReadDeadline(time.Time{}); {
	case errors.Is(err, fs.ErrClosed):
		return nil
	case err != nil:
		return fmt.Errorf("console: %w", err)
	}
	stop := context.AfterFunc(ctx, func() {
		c.wire.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck,gosec // a closed wire has ended the read by itself
	})
	defer stop()
	buf := make([]byte, 4096)
	for {
		n, err := c.wire.Read(buf)
		if n > 0 {
			c.feed(buf[:n])
			c.changed()
		}
		switch {
		case ctx.Err() != nil, errors.Is(err, fs.ErrClosed):
			return nil
		case err != nil:
			return fmt.Errorf("console: %w", err)
		}
	}
}

// Lines lists the newest 200 lines, the oldest first; the last one may be
// begun only, as a prompt is. Whatever is not text is shown as ".".
func (c *Console) Lines() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.screen.text()
}

// Type sends text as it is (the Enter key is "\r") and waits until the register
// has read it, at most 2 s.
func (c *Console) Type(ctx context.Context, text string) error {
	if len(text) > TypeMax {
		return fmt.Errorf("console: %d bytes at once, at most %d", len(text), TypeMax)
	}
	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	if n, err := c.wire.Write([]byte(text)); err != nil {
		return fmt.Errorf("console: %d of %d bytes sent: %w", n, len(text), err)
	}
	if err := c.wire.WaitRead(ctx); err != nil {
		return fmt.Errorf("console: the register did not read the text: %w", err)
	}
	// Nothing is unread on a cable that was pulled meanwhile, either.
	if _, err := c.wire.Write(nil); err != nil {
		return fmt.Errorf("console: the text may be lost: %w", err)
	}
	return nil
}

func (c *Console) feed(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range b {
		c.screen.feed(x)
	}
}
