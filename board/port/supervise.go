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

// Supervise keeps one device in use: it opens the port, hands it to use, and
// when use returns closes it and opens it again, until ctx ends; then it
// returns ctx's error. When ctx ends the port is closed under use, so that no
// blocked call outlives it.
//
// The pause between two attempts doubles from BackOffMin to BackOffMax. It
// starts over after use has lasted BackOffMax: a device that opens but fails
// at once is no success.
//
// state is called from this goroutine whenever something changed: up with nil,
// down with the error of open or use, or another error while it stays down. It
// is not called because ctx ended.
func Supervise(
	ctx context.Context,
	open func() (drivers.Port, error),
	use func(context.Context, drivers.Port) error,
	state func(up bool, err error),
) error {
	changed := changes(state)
	pause := BackOffMin
	for ctx.Err() == nil {
		lasted, err := once(ctx, open, use, changed)
		if ctx.Err() != nil {
			break
		}
		changed(false, err)
		if lasted >= BackOffMax {
			pause = BackOffMin
		}
		wait(ctx, pause)
		pause = min(2*pause, BackOffMax)
	}
	return ctx.Err()
}

// once opens and uses the port one time and says how long it was in use.
func once(
	ctx context.Context,
	open func() (drivers.Port, error),
	use func(context.Context, drivers.Port) error,
	changed func(up bool, err error),
) (lasted time.Duration, err error) {
	p, err := open()
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
	changed(true, nil)
	start := time.Now()
	err = use(ctx, p)
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

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
