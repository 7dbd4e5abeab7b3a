// Package drawer is the simulated cash drawer: a coil that can be burnt, a latch
// that can jam, and a switch.
package drawer

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// The electrical limits of a 24 V drawer coil (Citizen CT-S601 p. 24, iDP-3420
// p. 103): no pulse over 510 ms, on/(on+off) at most 0.2, never two coils at
// once.
const (
	PulseMax = 510 * time.Millisecond
	// DutyWindow is the time over which the duty is taken: the one in which the
	// longest pulse allowed is just the share allowed.
	DutyWindow = PulseMax * dutyShare
	dutyShare  = 5 // one fifth
)

// openAfter is how long the latch and the spring take.
const openAfter = 50 * time.Millisecond

// Nature is how a drawer behaves; the zero value is the usual one.
type Nature struct {
	// OpensAfter is how long the latch and the spring take; 0: 50 ms.
	OpensAfter time.Duration
	// OpensAt is the pulse of each opening at which the latch gives; 0: the
	// first.
	OpensAt int
}

// Bounds of what is remembered; the oldest goes first.
const (
	pulsesMax     = 200
	violationsMax = 100
)

// The states of a drawer.
const (
	closed = "closed"
	opened = "open"
	jammed = "jammed" // shut, and the latch does not give
)

// Pulse is one drive of a coil.
type Pulse struct {
	At  time.Time
	Pin int // of the drawer connector: 2 or 5
	On  time.Duration
}

func (p Pulse) end() time.Time { return p.At.Add(p.On) }

// Drawer is one drawer, wired to both kick pins. Its methods are safe from any
// goroutine.
type Drawer struct {
	changed func()

	mu         sync.Mutex
	nature     Nature
	state      string
	tries      int  // pulses since it was shut
	moving     bool // the latch was pulled; the drawer opens soon
	pulses     []Pulse
	count      int // of all pulses
	violations []string
}

// New returns a closed drawer. changed is called, without a lock held, after
// each change of the state; nil is allowed.
func New(changed func()) *Drawer {
	if changed == nil {
		changed = func() {}
	}
	return &Drawer{changed: changed, state: closed}
}

// Behave sets the drawer's nature.
func (d *Drawer) Behave(n Nature) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.nature = n
}

// Pulse drives a coil for a time that begins now. About 50 ms later the drawer
// opens, unless it is jammed or open already.
func (d *Drawer) Pulse(pin int, on time.Duration) {
	if on <= 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.noteLocked(Pulse{At: time.Now(), Pin: pin, On: on})
	d.pullLocked()
}

// noteLocked keeps a pulse and judges it.
func (d *Drawer) noteLocked(p Pulse) {
	d.pulses = newest(append(d.pulses, p), pulsesMax)
	d.count++
	d.checkLocked(p)
}

// pullLocked is what the coil's armature does as soon as the coil is on.
func (d *Drawer) pullLocked() {
	if d.state != closed || d.moving {
		return
	}
	if d.tries++; d.tries < d.nature.OpensAt {
		return
	}
	d.moving = true
	after := d.nature.OpensAfter
	if after <= 0 {
		after = openAfter
	}
	time.AfterFunc(after, d.spring)
}

// Set puts the drawer into a state by hand: "closed", "open" (with the key, or
// by force) or "jammed".
func (d *Drawer) Set(state string) error {
	if state != closed && state != opened && state != jammed {
		return fmt.Errorf("drawer: %.20q is no state: use %s, %s or %s", state, closed, opened, jammed)
	}
	d.mu.Lock()
	different := d.state != state
	d.state = state
	d.mu.Unlock()
	if different {
		d.changed()
	}
	return nil
}

// State is "closed", "open" or "jammed".
func (d *Drawer) State() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state
}

// Open is what the switch says.
func (d *Drawer) Open() bool { return d.State() == opened }

// Pulses lists the newest 200 pulses, the oldest first.
func (d *Drawer) Pulses() []Pulse {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.pulses)
}

// Count is how often a coil was driven.
func (d *Drawer) Count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.count
}

// Violations lists the newest 100 breaches of the coil's limits, the oldest
// first.
func (d *Drawer) Violations() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.violations)
}

func (d *Drawer) spring() {
	d.mu.Lock()
	opens := d.state == closed
	d.moving = false
	if opens {
		d.state, d.tries = opened, 0
	}
	d.mu.Unlock()
	if opens {
		d.changed()
	}
}

// checkLocked looks for a breach that the newest pulse makes. Both coils hang
// on one 24 V supply, so their times add up.
func (d *Drawer) checkLocked(p Pulse) {
	if p.On > PulseMax {
		d.violateLocked(p, fmt.Sprintf("pulse of %v, at most %v", p.On, PulseMax))
	}
	var on time.Duration
	together := false
	begin := p.end().Add(-DutyWindow)
	for _, q := range d.pulses {
		if q.end().After(begin) {
			on += q.end().Sub(later(q.At, begin))
		}
		together = together || q.Pin != p.Pin && q.end().After(p.At)
	}
	if on*dutyShare > DutyWindow {
		d.violateLocked(p, fmt.Sprintf("on for %v of %v, at most a fifth", on, DutyWindow))
	}
	if together {
		d.violateLocked(p, "two coils at once")
	}
}

func (d *Drawer) violateLocked(p Pulse, what string) {
	text := fmt.Sprintf("%s pin %d: %s", p.At.Format("15:04:05.000"), p.Pin, what)
	d.violations = newest(append(d.violations, text), violationsMax)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// newest drops the oldest elements over a limit.
func newest[E any](s []E, limit int) []E { return slices.Delete(s, 0, max(0, len(s)-limit)) }
