package drawer_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regi/sim/device/drawer"
)

// TestPins drives a drawer through its lines: what the coil got is in the log.
func TestPins(t *testing.T) {
	const ms = time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		d := drawer.New(nil)
		p := d.Pins(drawer.Wiring{Pin: 2, OpensAfter: 80 * ms, OpensAt: 2})
		kick := func(on time.Duration) {
			p.Set(true)
			p.Set(true) // no edge
			time.Sleep(on)
			p.Set(false)
			p.Set(false)
			time.Sleep(time.Second)
			synctest.Wait()
		}
		kick(100 * ms)
		if p.High() || d.Open() {
			t.Fatal("open at the first kick")
		}
		kick(120 * ms)
		if !p.High() || !d.Open() {
			t.Fatal("closed after the second kick")
		}
		got := d.Pulses()
		if len(got) != 2 || got[0].On != 100*ms || got[1].On != 120*ms || got[1].At.Sub(got[0].At) != 1100*ms || got[1].Pin != 2 {
			t.Errorf("pulses %+v", got)
		}
		if v := d.Violations(); len(v) > 0 {
			t.Errorf("breaches %q", v)
		}
		if err := d.Set("closed"); err != nil {
			t.Fatal(err)
		}
		kick(100 * ms)
		if d.Open() {
			t.Error("it remembers the kicks before it was shut")
		}
	})
}

// TestPinsBurn: a coil that nobody switches off is a breach while it is on.
func TestPinsBurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := drawer.New(nil)
		p := d.Pins(drawer.Wiring{Pin: 5})
		p.Set(true)
		time.Sleep(drawer.PulseMax)
		synctest.Wait()
		if v := d.Violations(); len(v) > 0 || !p.Driven() {
			t.Errorf("too early: %q", v)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if v := d.Violations(); len(v) != 1 || !strings.Contains(v[0], "still on after 510ms") {
			t.Errorf("breaches %q", v)
		}
		p.Set(false)
		if v := d.Violations(); len(v) < 2 || !strings.Contains(v[1], "pulse of 1.51s") || p.Driven() {
			t.Errorf("breaches %q", v)
		}
	})
}

// TestPinsBounce: the sense line flutters for its time, and settles.
func TestPinsBounce(t *testing.T) {
	const ms = time.Millisecond
	for _, low := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			d := drawer.New(nil)
			p := d.Pins(drawer.Wiring{Pin: 2, Bounce: 20 * ms, OpenLow: low})
			if p.High() != low || p.WaitForEdge(50*ms) {
				t.Error("not at rest")
			}
			if err := d.Set("open"); err != nil {
				t.Fatal(err)
			}
			edges := 0
			for began := time.Now(); time.Since(began) < 100*ms; {
				if p.WaitForEdge(10 * ms) {
					edges++
				}
			}
			if edges < 5 || edges%2 == 0 || p.High() == low {
				t.Errorf("%d edges, high %v", edges, p.High())
			}
		})
	}
}
