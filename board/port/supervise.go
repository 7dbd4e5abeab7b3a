package port

import (
	"context"
	"time"

	"regi/drivers"
)

// The pause before a port is opened again.
const (
	BackOffMin = 100 * time.Millisecond
	BackOffMax = 2 * time.Second
)

// Device is one device that is kept in use.
type Device struct {
	Open func() (drivers.Port, error)
	// Use works with the open port until it fails.
	Use func(context.Context, drivers.Port) error
	// State is called from Supervise's goroutine whenever something changed: up
	// with nil, down with the error of Open or Use, or another error while it
	// stays down. It is not called because the context ended.
	State func(up bool, err error)
	// Plugged is Hotplug's; nil: the device is looked for now and then only.
	Plugged func() <-chan struct{}
}

// Supervise keeps a device in use: it opens the port, hands it to Use, and when
// that returns closes it and opens it again, until ctx ends; then it returns
// ctx's error. When ctx ends the port is closed under Use, so that no blocked
// call outlives it.
//
// The pause between two attempts doubles from BackOffMin to BackOffMax. It is
// cut short when a line is plugged in, and starts over then and after Use has
// lasted BackOffMax: a device that opens but fails at once is no success.
func Supervise(ctx context.Context, d Device) error {
	d.State = changes(d.State)
	pause := BackOffMin
	for ctx.Err() == nil {
		var plugged <-chan struct{}
		if d.Plugged != nil {
			plugged = d.Plugged() // before the attempt: what comes after it counts
		}
		lasted, err := d.once(ctx)
		if ctx.Err() != nil {
			break
		}
		d.State(false, err)
		if lasted >= BackOffMax {
			pause = BackOffMin
		}
		if wait(ctx, pause, plugged) {
			pause = BackOffMin // its link and its rights may come a moment later
			continue
		}
		pause = min(2*pause, BackOffMax)
	}
	return ctx.Err()
}

// once opens and uses the port one time and says how long it was in use.
func (d Device) once(ctx context.Context) (lasted time.Duration, err error) {
	p, err := d.Open()
	if err != nil {
		return 0, err
	}
	closePort := func() {
		p.Close() //nolint:errcheck,gosec // the port is given up: a failing close changes nothing
	}
	defer closePort()
	defer context.AfterFunc(ctx, closePort)()
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	d.State(true, nil)
	start := time.Now()
	err = d.Use(ctx, p)
	return time.Since(start), err
}

// changes passes on only what differs from the call before.
func changes(state func(up bool, err error)) func(up bool, err error) {
	last := ""
	return func(up bool, err error) {
		now := "up"
		if !up {
			now = "down"
			if err != nil {
				now += ": " + err.Error()
			}
		}
		if now != last {
			last = now
			state(up, err)
		}
	}
}

// wait returns after d, or at once and true when a line is plugged in.
func wait(ctx context.Context, d time.Duration, plugged <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-plugged:
		return true
	}
	return false
}
