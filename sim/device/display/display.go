// Package display is the simulated pole display: two lines of twenty characters
// that obey the CD5220 command set.
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
	m  machine
}

// New returns a blank display at the end of a wire. changed is called, without
// a lock held, when other text is shown (not for each step of a text that
// scrolls by itself); nil is allowed.
func New(w Wire, changed func()) *Display {
	if changed == nil {
		changed = func() {}
	}
	d := &Display{wire: w, changed: changed, m: machine{selected: true}}
	d.m.reset()
	return d
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
		if d.feed(buf[:n]) {
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

// Brightness is 1 to 4, as set by ESC *.
func (d *Display) Brightness() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.m.brightness
}

// feed reports whether the shown text changed.
func (d *Display) feed(b []byte) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	before := d.m.lines(now)
	for _, c := range b {
		d.m.feed(now, c)
	}
	return d.m.lines(now) != before
}
