package drawer

import (
	"fmt"
	"sync"
	"time"

	"regi/drivers"
)

// Limits of a 24 V, 24 Ω drawer coil (Citizen CT-S601 manual p. 24, iDP-3420
// manual p. 103): at most 510 ms on, on/(on+off) at most 20 %, and never two
// coils at once.
const (
	PulseMax       = 510 * time.Millisecond
	DutyPercentMax = 20
	// DutyWindow is the span any part of which may be the hot one.
	DutyWindow = 5 * time.Second
)

// Coils keeps the coils of one drawer connector within their limits, whoever
// asks for a pulse and in whatever order. The zero value is ready; it is safe
// for use by several goroutines.
type Coils struct {
	mu     sync.Mutex
	pulses []pulse // those that touch the window, oldest first
}

type pulse struct{ begin, end time.Time }

// Claim allows a pulse of length on at the coil of pin (2 or 5), beginning now,
// or refuses it with an error that wraps drivers.ErrDuty: another coil is on,
// or they must cool. An allowed pulse counts, whether or not it is then sent.
func (c *Coils) Claim(now time.Time, pin int, on time.Duration) error {
	if pin != 2 && pin != 5 {
		return fmt.Errorf("drawer: pin %d (2 and 5 have a coil): %w", pin, drivers.ErrUnsupported)
	}
	if on <= 0 || on > PulseMax {
		return fmt.Errorf("drawer: a pulse of %v (at most %v): %w", on, PulseMax, drivers.ErrUnsupported)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.pulses); n > 0 {
		last := c.pulses[n-1]
		if rested := last.end.Add(rest(last.end.Sub(last.begin))); now.Before(rested) {
			return fmt.Errorf("drawer: another %v: %w", rested.Sub(now), drivers.ErrDuty)
		}
	}
	end := now.Add(on)
	from := end.Add(-DutyWindow)
	for len(c.pulses) > 0 && !c.pulses[0].end.After(from) {
		c.pulses = c.pulses[1:]
	}
	hot := on
	for _, p := range c.pulses {
		begin := p.begin
		if begin.Before(from) {
			begin = from
		}
		hot += p.end.Sub(begin)
	}
	if hot*100 > DutyWindow*DutyPercentMax {
		return fmt.Errorf("drawer: %v of %v on: %w", hot, DutyWindow, drivers.ErrDuty)
	}
	c.pulses = append(c.pulses, pulse{now, end})
	return nil
}

// rest is how long all coils stay off after a pulse.
func rest(on time.Duration) time.Duration { return on * (100 - DutyPercentMax) / DutyPercentMax }
