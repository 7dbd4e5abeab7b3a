package register

import (
	"context"
	"errors"
	"time"

	"regi/drivers"
	"regi/firmware/till"
)

// drawerEvery is how often the drawer's switch is asked.
const drawerEvery = 500 * time.Millisecond

// Why a drawer was not kicked: nobody serves it, or another opening was not over.
const (
	drawerAway = "drawer away"
	drawerBusy = "drawer busy"
)

// ServeDrawer kicks the drawer and watches it until its line fails.
func (r *Register) ServeDrawer(ctx context.Context, d drivers.CashDrawer) error {
	return r.serveDrawer(ctx, ctx, d)
}

// serveDrawer is ServeDrawer; line ends with the line, ctx with the register.
func (r *Register) serveDrawer(ctx, line context.Context, d drivers.CashDrawer) error {
	for {
		select {
		case <-line.Done():
			return line.Err()
		case <-r.kicks:
			r.drawerBusy.Store(true)
			err := openCool(line, d)
			r.drawerBusy.Store(false)
			if err != nil {
				if isLine(err) {
					r.drawer.owed = true // the switch will say
					return err
				}
				r.post(ctx, till.DrawerFailed{Reason: reason(err)})
				continue
			}
			r.stands(true)
			r.post(ctx, till.DrawerOpened{})
			continue
		case test := <-r.drawerTests:
			was := r.drawer.open
			r.drawerBusy.Store(true)
			err := test.run(line, d)
			r.drawerBusy.Store(false)
			if r.drawer.open && !was {
				r.post(ctx, till.DrawerTested{})
			}
			if err != nil {
				return err
			}
			continue
		case <-r.drawerBell:
		case <-time.After(drawerEvery):
		}
		now, err := d.DrawerOpened(line)
		if isLine(err) {
			return err
		}
		if err == nil {
			r.tellDrawer(ctx, now)
		}
	}
}

// coolEvery is how often a coil that must cool is asked again.
const coolEvery = 50 * time.Millisecond

// openCool opens the drawer, if need be as soon as its coil is cool: after a
// start or another opening that is a moment. A second later it is too late.
func openCool(ctx context.Context, d drivers.CashDrawer) error {
	for until := time.Now().Add(kickWithin); ; {
		err := d.OpenDrawer(ctx)
		if !errors.Is(err, drivers.ErrDuty) || !time.Now().Before(until) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(coolEvery):
		}
	}
}

// tellDrawer reports a change of the drawer's switch, what it says after the
// start, and what came of a kick whose line was lost.
func (r *Register) tellDrawer(ctx context.Context, now bool) {
	was, owed, first := r.drawer.open, r.drawer.owed, !r.drawer.known
	r.stands(now)
	r.drawer.owed = false
	if owed && !now {
		r.post(ctx, till.DrawerFailed{Reason: drivers.ErrUnplugged.Error()})
	}
	switch {
	case now && (owed || !was):
		r.post(ctx, till.DrawerOpened{})
	case !now && (was || first):
		r.post(ctx, till.DrawerClosed{})
	case now && r.config.LeftOpen >= 0 && !time.Now().Before(r.drawer.alarm):
		r.drawer.alarm = time.Now().Add(leftOpenEvery)
		r.post(ctx, till.DrawerLeftOpen{})
	}
}

// stands notes how the drawer stands, and since when.
func (r *Register) stands(open bool) {
	if open && !r.drawer.open {
		after := r.config.LeftOpen
		if after == 0 {
			after = leftOpenAfter
		}
		r.drawer.alarm = time.Now().Add(after)
	}
	r.drawer.open, r.drawer.known = open, true
}
