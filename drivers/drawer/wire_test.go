package drawer_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"regi/drivers"
	"regi/drivers/drawer"
	sim "regi/sim/device/drawer" //nolint:depguard // tests may cross: another account of the limits is the judge
)

// wire is a printer's connector behind a line that is slow, loses what it was
// told, or fails after it was sent. The judge sees what reaches the coils.
type wire struct {
	judge *sim.Drawer
	coils drawer.Coils // the printer's own
	*dice
}

// dice are thrown by several goroutines.
type dice struct {
	mu     sync.Mutex
	random *rand.Rand
}

func (d *dice) roll(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.random.IntN(n)
}

func (w *wire) Kick(_ context.Context, pin int) error {
	return w.coils.Drive(pin, drawer.KickOn, func() error {
		time.Sleep(time.Duration(w.roll(900)) * time.Millisecond) // behind a receipt
		fate := w.roll(8)
		if fate == 0 {
			return drivers.ErrUnplugged
		}
		if fate == 1 { // it leaves, and is obeyed later
			time.AfterFunc(time.Duration(w.roll(1000))*time.Millisecond, func() { w.judge.Pulse(pin, drawer.KickOn) })
			return drivers.ErrTimeout
		}
		w.judge.Pulse(pin, drawer.KickOn)
		time.Sleep(time.Duration(w.roll(50)) * time.Millisecond) // the answer
		return nil
	})
}

func (w *wire) Status(context.Context) (drivers.PrinterStatus, error) {
	if w.roll(10) == 0 {
		return drivers.PrinterStatus{}, drivers.ErrTimeout
	}
	return drivers.PrinterStatus{DrawerPin3: w.judge.Open()}, nil
}

// out is the kick line of a third drawer on the same supply.
type out struct{ pins *sim.Pins }

func (o out) Set(high bool) error { o.pins.Set(high); return nil }

// TestAnyOrder lets three drawers on one supply be opened by anybody at any
// time: what reaches the coils is judged by the simulated drawer, which keeps
// its own account of the limits.
func TestAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed, calls := rapid.Uint64().Draw(rt, "seed"), rapid.IntRange(1, 30).Draw(rt, "calls")
		fresh := rapid.Bool().Draw(rt, "printer comes and goes")
		var violations []string
		pulses := 0
		synctest.Test(t, func(t *testing.T) {
			judge := sim.New(nil)
			pins := judge.Pins(sim.Wiring{Pin: 7})
			shared := &drawer.Coils{}
			w := &wire{judge: judge, dice: &dice{random: rand.New(rand.NewPCG(seed, 1))}} //nolint:gosec // a replayable choice
			coil, err := drawer.NewCoil(out{pins}, shared)
			if err != nil {
				t.Fatal(err)
			}
			var all sync.WaitGroup
			for range calls {
				pin, on := []int{2, 5}[w.roll(2)], time.Duration(w.roll(560))*time.Millisecond
				gpio, wait := w.roll(3) == 0, time.Duration(w.roll(1500))*time.Millisecond
				if fresh && w.roll(4) == 0 {
					w = &wire{judge: judge, dice: w.dice} // plugged in again: it forgot
				}
				printer := w
				all.Go(func() {
					if gpio {
						_ = coil.Pulse(t.Context(), on)
						return
					}
					_ = drawer.New(printer, drawer.Options{Pin: pin, Coils: shared}).OpenDrawer(t.Context())
				})
				time.Sleep(wait)
				if w.roll(2) == 0 {
					_ = judge.Set("closed")
				}
			}
			all.Wait()
			time.Sleep(10 * time.Second)
			violations, pulses = judge.Violations(), judge.Count()
		})
		if len(violations) > 0 || pulses == 0 && calls > 20 {
			rt.Fatalf("%d pulses: %q", pulses, violations)
		}
	})
}

// stuckOut is a line that fails.
type stuckOut struct {
	fails int // calls of Set that fail, from the n-th on
	n     int
	high  bool
	tries int
}

var errLine = errors.New("EIO")

func (s *stuckOut) Set(high bool) error {
	s.n++
	if s.n >= s.fails && s.tries > 0 {
		s.tries--
		return errLine
	}
	s.high = high
	return nil
}

func TestPulse(t *testing.T) {
	const ms = time.Millisecond
	for name, test := range map[string]struct {
		on, stop time.Duration // stop: when ctx ends
		line     stuckOut
		took     time.Duration
		want     error
		high     bool // afterwards
	}{
		"usual":             {on: 100 * ms, took: 100 * ms},
		"longest":           {on: 510 * ms, took: 510 * ms},
		"too long":          {on: 511 * ms, want: drivers.ErrUnsupported},
		"none":              {on: 0, want: drivers.ErrUnsupported},
		"negative":          {on: -1, want: drivers.ErrUnsupported},
		"ended before":      {on: 100 * ms, stop: 30 * ms, took: 30 * ms, want: context.DeadlineExceeded},
		"does not go on":    {on: 100 * ms, line: stuckOut{fails: 2, tries: 1}, want: errLine},
		"goes off late":     {on: 100 * ms, line: stuckOut{fails: 3, tries: 20}, took: 120 * ms},
		"goes off too late": {on: 450 * ms, line: stuckOut{fails: 3, tries: 70}, took: 520 * ms, want: drivers.ErrTimeout},
		"does not go off":   {on: 100 * ms, line: stuckOut{fails: 3, tries: 1000}, took: 200 * ms, want: errLine, high: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				line := test.line
				line.high = true // as a crash left it
				coil, err := drawer.NewCoil(&line, nil)
				if err != nil || line.high {
					t.Fatalf("not low at the start: %v", err)
				}
				ctx := t.Context()
				if test.stop > 0 {
					var cancel func()
					ctx, cancel = context.WithTimeout(ctx, test.stop)
					defer cancel()
				}
				began := time.Now()
				err = coil.Pulse(ctx, test.on)
				if took := time.Since(began); took != test.took {
					t.Errorf("on for %v, want %v", took, test.took)
				}
				if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
					t.Errorf("%v, want %v", err, test.want)
				}
				if line.high != test.high {
					t.Errorf("high: %v", line.high)
				}
			})
		})
	}
}

func TestPulseRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &drawer.Coils{}
		coil, err := drawer.NewCoil(&stuckOut{}, shared)
		if err != nil {
			t.Fatal(err)
		}
		shared.Warm(time.Now(), drawer.KickOn)
		for i, step := range []struct {
			wait time.Duration
			want error
		}{
			{399 * time.Millisecond, drivers.ErrDuty},
			{time.Millisecond, nil},
			{399 * time.Millisecond, drivers.ErrDuty},
			{time.Millisecond, nil},
		} {
			time.Sleep(step.wait)
			if err := coil.Pulse(t.Context(), drawer.KickOn); !errors.Is(err, step.want) {
				t.Errorf("step %d: %v, want %v", i, err, step.want)
			}
		}
	})
}

// TestGPIO opens a simulated drawer through its pins.
func TestGPIO(t *testing.T) {
	const ms = time.Millisecond
	for name, test := range map[string]struct {
		wiring sim.Wiring
		jam    bool
		pulses int
		want   error
	}{
		"first kick":  {sim.Wiring{Pin: 2}, false, 1, nil},
		"bounces":     {sim.Wiring{Pin: 2, Bounce: 20 * ms}, false, 1, nil},
		"open is low": {sim.Wiring{Pin: 2, OpenLow: true, Bounce: 20 * ms}, false, 1, nil},
		"slow":        {sim.Wiring{Pin: 2, OpensAfter: 550 * ms}, false, 1, nil},
		"second kick": {sim.Wiring{Pin: 2, OpensAt: 2}, false, 2, nil},
		"jammed":      {sim.Wiring{Pin: 2}, true, 2, drivers.ErrDidNotOpen},
		"jammed, low": {sim.Wiring{Pin: 2, OpenLow: true}, true, 2, drivers.ErrDidNotOpen},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				box := sim.New(nil)
				if test.jam {
					if err := box.Set("jammed"); err != nil {
						t.Fatal(err)
					}
				}
				l := newLines(t, ctx, box.Pins(test.wiring), test.wiring.OpenLow)
				d := drawer.ViaGPIO(l)
				if open, err := d.DrawerOpened(ctx); open || err != nil {
					t.Fatalf("open before: %v, %v", open, err)
				}
				began := time.Now()
				if err := d.OpenDrawer(ctx); !errors.Is(err, test.want) {
					t.Errorf("%v, want %v", err, test.want)
				}
				if took := time.Since(began); took < drawer.Settle {
					t.Errorf("the switch was believed after %v", took)
				}
				if box.Count() != test.pulses || len(box.Violations()) > 0 {
					t.Errorf("%d pulses, want %d; %q", box.Count(), test.pulses, box.Violations())
				}
				open, err := d.DrawerOpened(ctx)
				if err != nil || open != (test.want == nil) {
					t.Errorf("open afterwards: %v, %v", open, err)
				}
				cancel()
				synctest.Wait()
				time.Sleep(time.Second)
			})
		})
	}
}

// lines hold the pins in this process.
type lines struct {
	coil *drawer.Coil
	sw   *drawer.Switch
}

func newLines(t *testing.T, ctx context.Context, pins *sim.Pins, low bool) *lines {
	t.Helper()
	coil, err := drawer.NewCoil(out{pins}, nil)
	if err != nil {
		t.Fatal(err)
	}
	l := &lines{coil, drawer.NewSwitch(pins, low)}
	go l.sw.Watch(ctx)
	return l
}

func (l *lines) Pulse(ctx context.Context, on time.Duration) error { return l.coil.Pulse(ctx, on) }
func (l *lines) Switch(context.Context) (bool, error)              { return l.sw.Open(), nil }
func (l *lines) Opened(context.Context) (bool, error)              { return l.sw.Opened(), nil }

// TestSwitch: bouncing is no opening, and no opening is too short to be told.
func TestSwitch(t *testing.T) {
	const ms = time.Millisecond
	for name, test := range map[string]struct {
		levels []time.Duration // how long it stays, turn by turn, beginning with low
		want   []bool          // Opened at the end, and again
	}{
		"closed":                  {[]time.Duration{time.Second}, []bool{false, false}},
		"opened":                  {[]time.Duration{time.Second, time.Second}, []bool{true, true}},
		"opened, bouncing":        {[]time.Duration{time.Second, 3 * ms, 4 * ms, 10 * ms, 8 * ms, 100 * ms}, []bool{true, true}},
		"a knock":                 {[]time.Duration{time.Second, 9 * ms, 20 * ms, 9 * ms, time.Second}, []bool{false, false}},
		"opened and shut":         {[]time.Duration{time.Second, 70 * ms, time.Second}, []bool{true, false}},
		"opened, shut and opened": {[]time.Duration{time.Second, 70 * ms, 80 * ms, time.Second}, []bool{true, true}},
		"flutters for ever":       {flutter(300), []bool{false, false}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				in := &contact{}
				s := drawer.NewSwitch(in, false)
				ended := make(chan struct{})
				go func() { defer close(ended); s.Watch(ctx) }()
				for i, d := range test.levels {
					in.set(i%2 == 1)
					time.Sleep(d)
				}
				for i, want := range test.want {
					if got := s.Opened(); got != want {
						t.Errorf("opened, asked %d times: %v", i+1, got)
					}
				}
				cancel()
				<-ended
			})
		})
	}
}

func flutter(n int) (ds []time.Duration) {
	for range n {
		ds = append(ds, 11*time.Millisecond)
	}
	return ds
}

// contact is a line whose edges are lost: only looking helps.
type contact struct {
	mu   sync.Mutex
	high bool
}

func (c *contact) set(high bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.high = high
}

func (c *contact) High() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.high
}

func (c *contact) WaitForEdge(d time.Duration) bool {
	if d <= 0 {
		panic("a wait that is not positive means something else on each driver")
	}
	time.Sleep(min(d, 10*time.Millisecond)) // as one that fails returns at once
	return false
}
