package register

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regi/drivers"
	"regi/firmware/till"
)

// told is what was posted, by name.
func told(r *Register) string {
	es := posted(r)
	names := make([]string, 0, len(es))
	for _, e := range es {
		names = append(names, strings.TrimPrefix(fmt.Sprintf("%T", e), "till.Drawer"))
	}
	return strings.Join(names, " ")
}

// TestLeftOpen: an open drawer is an alarm after its time, and again while it
// stands open; each opening has the whole time.
func TestLeftOpen(t *testing.T) {
	for name, x := range map[string]struct {
		after, first time.Duration // configured; when it is told
	}{
		"default":    {0, leftOpenAfter},
		"configured": {5 * time.Second, 5 * time.Second},
		"never":      {-1, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := idle(t)
			r.config.LeftOpen = x.after
			ctx, cancel := context.WithCancel(t.Context())
			defer func() { cancel(); synctest.Wait() }()
			d := &counterTop{open: func(context.Context) error { return nil }}
			go func() { _ = r.ServeDrawer(ctx, d) }()
			step := func(wait time.Duration, open bool, want string) {
				t.Helper()
				d.set(drivers.PrinterStatus{}, nil, open, nil)
				time.Sleep(wait + drawerEvery)
				synctest.Wait()
				if got := told(r); got != want {
					t.Errorf("%s: told %q, want %q", name, got, want)
				}
			}
			step(0, false, "Closed")
			if x.first == 0 {
				step(time.Hour, true, "Opened")
				return
			}
			step(x.first-drawerEvery, true, "Opened")
			step(drawerEvery, true, "LeftOpen")
			step(leftOpenEvery-drawerEvery, true, "LeftOpen")
			step(0, false, "Closed")
			d.set(drivers.PrinterStatus{}, nil, true, nil)
			r.kick(ctx) // of ours
			step(x.first-2*drawerEvery, true, "Opened")
			r.kick(ctx) // while it stands open: no more time for that
			step(drawerEvery, true, "Opened LeftOpen")
		})
	}
}

// TestDrawerApart: a drawer that is not the printer's works without one, and
// the printer without it.
func TestDrawerApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := idle(t)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.ServePrinter(ctx, &counterTop{}, nil) }()
		r.kick(ctx)
		time.Sleep(2 * kickWithin)
		synctest.Wait()
		if got := fmt.Sprint(posted(r)); got != "[{"+drawerAway+"}]" {
			t.Errorf("told %s", got)
		}
		opened := 0
		d := &counterTop{isOpen: true, open: func(context.Context) error { opened++; return nil }}
		go func() { _ = r.ServeDrawer(ctx, d) }()
		r.kick(ctx)
		time.Sleep(time.Second)
		synctest.Wait()
		if opened != 1 || told(r) != "Opened" {
			t.Errorf("opened %d times", opened)
		}
		cancel()
		<-ended
		synctest.Wait()
	})
}

// TestDrawerDuty: a coil that cools in time is waited for, one that does not is
// no drawer that is stuck.
func TestDrawerDuty(t *testing.T) {
	for _, x := range []struct {
		cool time.Duration
		want till.Event
	}{
		{400 * time.Millisecond, till.DrawerOpened{}},
		{2 * time.Second, till.DrawerFailed{Reason: "drawer coil must cool"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := idle(t)
			ctx, cancel := context.WithCancel(t.Context())
			cool := time.Now().Add(x.cool)
			go func() {
				_ = r.ServeDrawer(ctx, &counterTop{isOpen: true, open: func(context.Context) error {
					if time.Now().Before(cool) {
						return wrapped(drivers.ErrDuty)
					}
					return nil
				}})
			}()
			r.kick(ctx)
			time.Sleep(kickWithin + 2*coolEvery)
			synctest.Wait()
			es := posted(r)
			cancel()
			synctest.Wait()
			if len(es) != 1 || es[0] != x.want {
				t.Errorf("told %v, want %v", es, x.want)
			}
		})
	}
}
