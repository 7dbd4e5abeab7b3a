package drawer

import (
	"fmt"
	"sync"
	"time"
)

// Wiring is how a drawer hangs on two GPIO lines.
type Wiring struct {
	// Pin names the coil in the log of pulses.
	Pin int
	// OpenLow: the switch pulls the sense line down when the drawer is open.
	OpenLow bool
	// Bounce is for how long the switch's contact bounces after each change.
	Bounce time.Duration
	// OpensAfter and OpensAt are the drawer's Nature.
	OpensAfter time.Duration
	OpensAt    int
}

// bounceEvery is how long a bouncing contact stays on one side.
const bounceEvery = 3 * time.Millisecond

// senseEvery is how often the sense line looks for an edge of the drawer.
const senseEvery = time.Millisecond

// Pins are the two lines of a drawer on GPIO. They have no kernel behind them:
// a kick line that its owner left high stays high, as on most chips.
type Pins struct {
	drawer *Drawer
	wiring Wiring

	mu    sync.Mutex
	high  bool // the kick line
	rose  time.Time
	burn  *time.Timer
	seen  bool // the switch as it was at the last look
	moved time.Time
	level bool // as last told
}

// Pins wires a drawer to GPIO lines.
func (d *Drawer) Pins(w Wiring) *Pins {
	d.Behave(Nature{OpensAfter: w.OpensAfter, OpensAt: w.OpensAt})
	p := &Pins{drawer: d, wiring: w, seen: d.Open()}
	p.level = p.High()
	return p
}

// Set drives the kick line. The pulse is in the log once it is over; one that
// does not end in time is a breach when it should have ended.
func (p *Pins) Set(high bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if high == p.high {
		return
	}
	p.high = high
	now := time.Now()
	p.drawer.mu.Lock()
	defer p.drawer.mu.Unlock()
	if high {
		p.rose = now
		p.drawer.pullLocked()
		p.burn = time.AfterFunc(PulseMax+time.Millisecond, func() { p.drawer.burns(p.wiring.Pin) })
		return
	}
	p.burn.Stop()
	if on := now.Sub(p.rose); on > 0 {
		p.drawer.noteLocked(Pulse{At: p.rose, Pin: p.wiring.Pin, On: on})
	}
}

// burns is a coil that is still on.
func (d *Drawer) burns(pin int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.violateLocked(Pulse{At: time.Now(), Pin: pin}, fmt.Sprintf("still on after %v", PulseMax))
}

// Driven says whether the kick line is high.
func (p *Pins) Driven() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.high
}

// High is the level of the sense line.
func (p *Pins) High() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.highLocked()
}

func (p *Pins) highLocked() bool {
	open := p.drawer.Open()
	now := time.Now()
	if open != p.seen {
		p.seen, p.moved = open, now
	}
	if since := now.Sub(p.moved); !p.moved.IsZero() && since < p.wiring.Bounce && since/bounceEvery%2 == 1 {
		open = !open
	}
	return open != p.wiring.OpenLow
}

// WaitForEdge returns true at the next edge of the sense line, false after d.
func (p *Pins) WaitForEdge(d time.Duration) bool {
	for until := time.Now().Add(d); ; time.Sleep(senseEvery) {
		p.mu.Lock()
		high := p.highLocked()
		edge := high != p.level
		p.level = high
		p.mu.Unlock()
		if edge || !time.Now().Before(until) {
			return edge
		}
	}
}
