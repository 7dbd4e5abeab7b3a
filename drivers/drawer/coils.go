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
	// DutyWindow is the longer span over which the duty is taken; the shorter is
	// that in which the longest pulse is just the share allowed. The manuals
	// name none.
	DutyWindow  = 5 * time.Second
	shortWindow = PulseMax * 100 / DutyPercentMax
	// lateMax is how long after a failed call its pulse may still happen.
	lateMax = time.Second
)

// Coils keeps all coils on one 24 V supply within their limits, whoever asks
// for a pulse and in whatever order. The zero value is ready; it is safe for
// use by several goroutines, and meant to outlive the line of its printer: a
// printer that was plugged in again has the same hot coils.
type Coils struct {
	mu      sync.Mutex
	driving bool    // a pulse is under way to its coil
	pulses  []pulse // those that touch the window, oldest first
}

type pulse struct{ begin, end time.Time }

// Claim allows a pulse of length on at the coil of pin (2 or 5), beginning now,
// or refuses it with an error that wraps drivers.ErrDuty: another coil is on,
// or they must cool. An allowed pulse counts, whether or not it is then sent.
// Whoever cannot say that the pulse begins now uses Drive.
func (c *Coils) Claim(now time.Time, pin int, on time.Duration) error {
	if err := checkPin(pin); err != nil {
		return err
	}
	if err := c.begin(now, on); err != nil {
		return err
	}
	c.finish(now, now.Add(on))
	return nil
}

// Drive is Claim for a pulse that begins at some moment while send runs: on a
// line that is busy nobody knows when. Until send has returned every other
// pulse is refused; a send that fails may have sent, up to a second later.
func (c *Coils) Drive(pin int, on time.Duration, send func() error) error {
	if err := checkPin(pin); err != nil {
		return err
	}
	if err := c.begin(time.Now(), on); err != nil {
		return err
	}
	err := send()
	sent := time.Now()
	if err != nil {
		sent = sent.Add(lateMax)
	}
	c.finish(sent, sent.Add(on))
	return err
}

// Warm takes it that a pulse of length on ends now. A process that starts does
// not know what the one before it did.
func (c *Coils) Warm(now time.Time, on time.Duration) {
	c.finish(now.Add(-min(max(on, 0), PulseMax)), now)
}

func checkPin(pin int) error {
	if pin != 2 && pin != 5 {
		return fmt.Errorf("drawer: pin %d (2 and 5 have a coil): %w", pin, drivers.ErrUnsupported)
	}
	return nil
}

// begin allows a pulse, and no other until finish.
func (c *Coils) begin(now time.Time, on time.Duration) error {
	if on <= 0 || on > PulseMax {
		return fmt.Errorf("drawer: a pulse of %v (at most %v): %w", on, PulseMax, drivers.ErrUnsupported)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.driving {
		return fmt.Errorf("drawer: a coil is on: %w", drivers.ErrDuty)
	}
	if n := len(c.pulses); n > 0 {
		last := c.pulses[n-1]
		if rested := last.end.Add(rest(last.end.Sub(last.begin))); now.Before(rested) {
			return fmt.Errorf("drawer: another %v: %w", rested.Sub(now), drivers.ErrDuty)
		}
	}
	end := now.Add(on)
	for len(c.pulses) > 0 && !c.pulses[0].end.After(end.Add(-DutyWindow)) {
		c.pulses = c.pulses[1:]
	}
	for _, window := range []time.Duration{shortWindow, DutyWindow} {
		if hot := on + c.hot(end.Add(-window)); hot*100 > window*DutyPercentMax {
			return fmt.Errorf("drawer: %v of %v on: %w", hot, window, drivers.ErrDuty)
		}
	}
	c.driving = true
	return nil
}

// hot is how long coils have been on since from.
func (c *Coils) hot(from time.Time) (sum time.Duration) {
	for _, p := range c.pulses {
		begin := p.begin
		if begin.Before(from) {
			begin = from
		}
		sum += max(0, p.end.Sub(begin))
	}
	return sum
}

// finish notes a pulse as it was, or at its latest.
func (c *Coils) finish(begin, end time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.driving = false
	c.pulses = append(c.pulses, pulse{begin, end})
}

// rest is how long all coils stay off after a pulse.
func rest(on time.Duration) time.Duration { return on * (100 - DutyPercentMax) / DutyPercentMax }
