package drawer_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regi/sim/device/drawer"
)

func TestKickOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var changes atomic.Int32
		d := drawer.New(func() { changes.Add(1) })
		if d.Open() || d.State() != "closed" {
			t.Fatalf("a new drawer is %s", d.State())
		}
		d.Pulse(2, 100*time.Millisecond)
		time.Sleep(49 * time.Millisecond)
		synctest.Wait()
		if d.Open() || changes.Load() != 0 {
			t.Fatal("open before the spring could push it")
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if !d.Open() || d.State() != "open" || changes.Load() != 1 {
			t.Fatalf("51 ms after the kick: %s, %d changes", d.State(), changes.Load())
		}
		d.Pulse(2, 100*time.Millisecond) // of an open drawer
		time.Sleep(time.Second)
		synctest.Wait()
		if !d.Open() || changes.Load() != 1 {
			t.Errorf("%s after a second kick, %d changes", d.State(), changes.Load())
		}
		if err := d.Set("closed"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if d.Open() || changes.Load() != 2 {
			t.Errorf("%s after it was closed, %d changes", d.State(), changes.Load())
		}
	})
}

func TestJammed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := drawer.New(nil)
		if err := d.Set("jammed"); err != nil {
			t.Fatal(err)
		}
		d.Pulse(2, 100*time.Millisecond)
		time.Sleep(time.Second)
		synctest.Wait()
		if d.Open() || d.State() != "jammed" {
			t.Errorf("a jammed drawer is %s after a kick", d.State())
		}
		if err := d.Set("closed"); err != nil {
			t.Fatal(err)
		}
		d.Pulse(2, 100*time.Millisecond)
		time.Sleep(time.Second)
		synctest.Wait()
		if !d.Open() {
			t.Errorf("%s after it was repaired and kicked", d.State())
		}
		if err := d.Set("closed"); err != nil {
			t.Fatal(err)
		}
		d.Pulse(2, 100*time.Millisecond)
		if err := d.Set("jammed"); err != nil { // while the latch gives way
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if d.State() != "jammed" {
			t.Errorf("%s though it jammed within the kick", d.State())
		}
		if err := d.Set("ajar"); err == nil || !strings.Contains(err.Error(), "jammed") {
			t.Errorf("a state that is none: %v", err)
		}
	})
}

func TestCoilLimits(t *testing.T) {
	type pulse struct {
		after time.Duration // since the one before began
		pin   int
		on    time.Duration
	}
	const ms = time.Millisecond
	for _, c := range []struct {
		name   string
		pulses []pulse
		want   string // "": no breach
	}{
		{"what is documented: 100 ms on, 500 ms off", []pulse{{0, 2, 100 * ms}, {600 * ms, 2, 100 * ms}, {600 * ms, 2, 100 * ms}, {600 * ms, 2, 100 * ms}, {600 * ms, 2, 100 * ms}}, ""},
		{"the longest pulse", []pulse{{0, 2, 510 * ms}, {2550 * ms, 2, 510 * ms}}, ""},
		{"too long", []pulse{{0, 2, 512 * ms}}, "pulse of 512ms"},
		{"100 ms on, 100 ms off", []pulse{{0, 2, 100 * ms}, {200 * ms, 2, 100 * ms}, {200 * ms, 2, 100 * ms}, {200 * ms, 2, 100 * ms}, {200 * ms, 2, 100 * ms}, {200 * ms, 2, 100 * ms}}, "on for 600ms"},
		{"the longest too early", []pulse{{0, 2, 510 * ms}, {2500 * ms, 2, 510 * ms}}, "on for 560ms"},
		{"both pins at once", []pulse{{0, 2, 50 * ms}, {0, 5, 50 * ms}}, "two coils"},
		{"the other pin while one is on", []pulse{{0, 5, 50 * ms}, {49 * ms, 2, 50 * ms}}, "two coils"},
		{"one pin after the other", []pulse{{0, 2, 50 * ms}, {50 * ms, 5, 50 * ms}}, ""},
		{"no pulse at all", []pulse{{0, 2, 0}, {0, 5, -ms}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := drawer.New(nil)
				for _, p := range c.pulses {
					time.Sleep(p.after)
					d.Pulse(p.pin, p.on)
				}
				got := d.Violations()
				switch {
				case c.want == "" && len(got) > 0:
					t.Errorf("breaches %q", got)
				case c.want != "" && (len(got) == 0 || !strings.Contains(strings.Join(got, "\n"), c.want)):
					t.Errorf("breaches %q, want %q", got, c.want)
				}
				time.Sleep(time.Minute)
			})
		})
	}
}

func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := drawer.New(nil)
		for range 1000 {
			d.Pulse(2, time.Second)
		}
		d.Pulse(5, 7*time.Millisecond)
		if n := len(d.Pulses()); n != 200 {
			t.Errorf("%d pulses are kept", n)
		}
		if n := len(d.Violations()); n != 100 {
			t.Errorf("%d breaches are kept", n)
		}
		if p := d.Pulses()[199]; p.Pin != 5 || p.On != 7*time.Millisecond {
			t.Errorf("the newest pulse is %+v", p)
		}
		time.Sleep(time.Minute)
	})
}
