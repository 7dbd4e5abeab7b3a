// Package display is the simulated pole display: two lines of twenty characters
// that obey the CD5220 command set or, in escpos.go, ESC/POS display mode.
//
// The reading is of the "CD5220 customer display" user's manual (Partner Tech),
// sections 6.1 "standard mode command list" and its tables. Where the manual
// leaves a choice, the stricter one is taken, so that a driver that works here
// works on any of its many copies:
//
//   - after ESC Q A or ESC Q B ("string mode") everything is ignored until CLR,
//     CAN or ESC @, except another ESC Q, and ESC =;
//   - a string shorter than the line leaves the rest of the line as it was;
//   - "bottom position" is the right end of the lower line.
package display

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"
)

// Wire is the cable from the register.
type Wire interface {
	io.Reader
	SetReadDeadline(time.Time) error
}

// Display is one display. Its methods are safe from any goroutine.
type Display struct {
	wire    Wire
	changed func()

	mu sync.Mutex
	m  controller
}

// controller is what is inside a display.
type controller interface {
	reset()
	feed(now time.Time, c byte)
	lines(now time.Time) [rows]string
	bright() int
}

// Models lists the kinds of display, as a register's configuration names them.
func Models() []string { return []string{"cd5220", "escpos"} }

// New returns a blank CD5220 at the end of a wire. changed is called, without
// a lock held, when other text is shown (not for each step of a text that
// scrolls by itself); nil is allowed.
func New(w Wire, changed func()) *Display {
	return newDisplay(w, &machine{selected: true}, changed)
}

// NewModel is New for a kind of display. Without a wire it is fed by Feed.
func NewModel(w Wire, model string, changed func()) (*Display, error) {
	switch model {
	case "cd5220":
		return New(w, changed), nil
	case "escpos":
		return newDisplay(w, &epson{machine: machine{selected: true}}, changed), nil
	}
	return nil, fmt.Errorf("display: %.16q is no model: use one of %v", model, Models())
}

func newDisplay(w Wire, m controller, changed func()) *Display {
	if changed == nil {
		changed = func() {}
	}
	m.reset()
	return &Display{wire: w, changed: changed, m: m}
}

// Run obeys the register until ctx ends or the wire is closed.
func (d *Display) Run(ctx context.Context) error {
	switch err := d.wire.SetReadDeadline(time.Time{}); {
	case errors.Is(err, fs.ErrClosed):
		return nil
	case err != nil:
		return fmt.Errorf("display: %w", err)
	}
	stop := context.AfterFunc(ctx, func() {
		d.wire.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck,gosec // a closed wire has ended the read by itself
	})
	defer stop()
	buf := make([]byte, 4096)
	for {
		n, err := d.wire.Read(buf)
		if d.Feed(buf[:n]) {
			d.changed()
		}
		switch {
		case ctx.Err() != nil, errors.Is(err, fs.ErrClosed):
			return nil
		case err != nil:
			return fmt.Errorf("display: %w", err)
		}
	}
}

// Lines is what is shown, as UTF-8: two lines of 20 characters. A byte that has
// no character in the selected table is shown as "·".
func (d *Display) Lines() [2]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.m.lines(time.Now())
}

// Brightness is 1 to 4.
func (d *Display) Brightness() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.m.bright()
}

// Feed is what arrives over the wire; it reports whether the shown text changed.
func (d *Display) Feed(b []byte) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	before := d.m.lines(now)
	for _, c := range b {
		d.m.feed(now, c)
	}
	return d.m.lines(now) != before
}
