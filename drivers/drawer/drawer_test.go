package drawer_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"regi/drivers"
	"regi/drivers/drawer"
)

// connector is a drawer connector whose switch follows the kicks.
type connector struct {
	kicks  []time.Time
	opens  int // the kick at which it opens
	after  time.Duration
	low    bool // the switch pulls the pin down when open
	status error
	stale  int // answers that say what the one before should have said
	was    bool
}

func (c *connector) Kick(context.Context, int) error {
	c.kicks = append(c.kicks, time.Now())
	return nil
}

func (c *connector) Status(context.Context) (drivers.PrinterStatus, error) {
	open := c.opens > 0 && len(c.kicks) >= c.opens && time.Since(c.kicks[c.opens-1]) >= c.after
	if c.stale > 0 {
		open, c.was = c.was, open
		c.stale--
	}
	return drivers.PrinterStatus{DrawerPin3: open != c.low}, c.status
}

func TestOpenDrawer(t *testing.T) {
	for name, test := range map[string]struct {
		c     connector
		kicks int
		want  error
	}{
		"first kick":            {connector{opens: 1}, 1, nil},
		"slow drawer":           {connector{opens: 1, after: 550 * time.Millisecond}, 1, nil},
		"second kick":           {connector{opens: 2}, 2, nil},
		"jammed":                {connector{}, drawer.TriesMax, drivers.ErrDidNotOpen},
		"open is low":           {connector{opens: 1, low: true}, 1, nil},
		"open is low, jammed":   {connector{low: true}, drawer.TriesMax, drivers.ErrDidNotOpen},
		"switch cannot be read": {connector{opens: 1, status: drivers.ErrTimeout}, 1, drivers.ErrTimeout},
		"stale, then open":      {connector{opens: 1, stale: 1}, 1, nil},
		"stale, then jammed":    {connector{stale: 1}, drawer.TriesMax, drivers.ErrDidNotOpen},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := test.c
				d := drawer.New(&c, drawer.Options{Pin: 2, OpenLow: c.low})
				began := time.Now()
				if err := d.OpenDrawer(t.Context()); !errors.Is(err, test.want) {
					t.Errorf("%v, want %v", err, test.want)
				}
				if took := time.Since(began); took < drawer.Settle {
					t.Errorf("the switch was believed after %v", took)
				}
				if len(c.kicks) != test.kicks {
					t.Errorf("%d kicks, want %d", len(c.kicks), test.kicks)
				}
			})
		})
	}
}

// TestCoils lets any caller ask for any pulse at any time, and measures.
func TestCoils(t *testing.T) {
	type pulse struct{ begin, end time.Duration }
	rapid.Check(t, func(t *rapid.T) {
		var coils drawer.Coils
		var allowed []pulse
		start, now := time.Unix(0, 0), time.Duration(0)
		for range rapid.IntRange(1, 200).Draw(t, "n") {
			now += time.Duration(rapid.IntRange(0, 700).Draw(t, "pause")) * time.Millisecond
			on := time.Duration(rapid.IntRange(-10, 600).Draw(t, "on")) * time.Millisecond
			pin := rapid.IntRange(1, 6).Draw(t, "pin")
			err := coils.Claim(start.Add(now), pin, on)
			switch {
			case on <= 0, on > 510*time.Millisecond, pin != 2 && pin != 5:
				if !errors.Is(err, drivers.ErrUnsupported) {
					t.Fatalf("pulse of %v on pin %d: %v", on, pin, err)
				}
			case err == nil:
				allowed = append(allowed, pulse{now, now + on})
			case !errors.Is(err, drivers.ErrDuty):
				t.Fatal(err)
			}
		}
		for i, p := range allowed {
			if i > 0 && float64(allowed[i-1].end-allowed[i-1].begin)/float64(p.begin-allowed[i-1].begin) > 0.2 {
				t.Fatalf("pulse %v, next %v", allowed[i-1], p)
			}
			// The window that ends with this pulse is the hottest near it.
			hot, from := time.Duration(0), p.end-drawer.DutyWindow
			for _, q := range allowed[:i+1] {
				hot += max(0, q.end-max(q.begin, from))
			}
			if hot*5 > drawer.DutyWindow {
				t.Fatalf("on for %v of %v", hot, drawer.DutyWindow)
			}
		}
	})
}

func TestCoilsCoolDown(t *testing.T) {
	var coils drawer.Coils
	now := time.Now()
	for i, step := range []struct {
		after time.Duration
		pin   int
		want  error
	}{
		{0, 2, nil}, {50 * time.Millisecond, 5, drivers.ErrDuty}, {449 * time.Millisecond, 2, drivers.ErrDuty}, {time.Millisecond, 5, nil},
	} {
		now = now.Add(step.after)
		if err := coils.Claim(now, step.pin, 100*time.Millisecond); !errors.Is(err, step.want) {
			t.Errorf("step %d: %v, want %v", i, err, step.want)
		}
	}
}

// TestCoilsWindow: pulses of full length, each with its rest, still add up.
func TestCoilsWindow(t *testing.T) {
	var coils drawer.Coils
	now := time.Now()
	if err := coils.Claim(now, 2, drawer.PulseMax); err != nil {
		t.Fatal(err)
	}
	if err := coils.Claim(now.Add(5*drawer.PulseMax), 2, drawer.PulseMax); !errors.Is(err, drivers.ErrDuty) {
		t.Errorf("%v of %v: %v", 2*drawer.PulseMax, drawer.DutyWindow, err)
	}
	if err := coils.Claim(now.Add(drawer.DutyWindow), 5, drawer.PulseMax); err != nil {
		t.Error(err)
	}
}
