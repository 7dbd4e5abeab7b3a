package boot

import (
	"encoding/binary"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// clockFile holds the newest time that this board has seen: there may be no
// clock that runs without power.
const clockFile = Data + "/clock"

// Steps of the clock by the cloud's time. The register has checked that the cloud
// has signed for it; what a register in strange hands can do to the time of
// receipts, and to what waits for a time, is bounded.
const (
	stepMin = 2 * time.Second
	// firstMax is how far past what is known the first word of a boot may set
	// the clock: longer than a board lies in a store room.
	firstMax = 400 * 24 * time.Hour
	// laterMax and laterEvery bound what comes after: a quartz that is off by
	// 100 ppm takes a month for as much.
	laterMax   = 5 * time.Minute
	laterEvery = time.Hour
	// saneYears bounds what a version lives.
	saneYears = 20
)

// clock is the board's. The zero value but for its fields in newClock is none.
type clock struct {
	log   *log
	built time.Time // of this version: no clock may be earlier
	path  string
	set   func(time.Time) error

	mu      sync.Mutex
	floor   time.Time // the newest that was known at the boot
	heard   bool      // the cloud, in this boot
	fault   string    // until then
	stepped time.Time // when it was last set by the cloud's
}

func newClock(built time.Time, path string, l *log) *clock {
	c := &clock{log: l, built: built, path: path, set: set, floor: built}
	if b, err := readSmall(path); err == nil && len(b) == 8 {
		saved := time.Unix(int64(binary.BigEndian.Uint64(b)), 0) //nolint:gosec // refused if it cannot be
		if saved.After(built) && !saved.After(built.AddDate(saneYears, 0, 0)) {
			c.floor = saved
		}
	}
	return c
}

// report is what is wrong with the time, "" nothing that is known.
func (c *clock) report() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fault
}

// begin sets a clock that is behind what cannot be: the making of this version,
// and the time that was saved. The cloud's comes later.
func (c *clock) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if !now.Before(c.floor) {
		return
	}
	if err := c.set(c.floor); err != nil {
		c.log.say("clock: %v", err)
		c.fault = err.Error()
		return
	}
	c.log.say("clock: it said %s, behind what it must at least be: set to %s until the cloud is heard", now.UTC().Format(time.RFC3339), c.floor.UTC().Format(time.RFC3339))
	c.fault = "not yet from the cloud"
}

// hear takes the cloud's time, as far as it can be. A clock that was set too far
// is led back by the cloud's first word of a boot, down to the making of this
// version.
func (c *clock) hear(to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	off := time.Until(to)
	first := !c.heard
	switch {
	case to.Before(c.built), first && to.After(c.floor.Add(firstMax)), !first && off.Abs() > laterMax:
		c.log.register("clock: the cloud's %s cannot be: kept", to.UTC().Format(time.RFC3339))
		return
	case off.Abs() < stepMin:
		c.heard, c.fault = true, "" // and right: nobody sets it far any more
		return
	case !first && time.Since(c.stepped) < laterEvery:
		return
	}
	if err := c.set(to); err != nil {
		c.log.register("clock: %v", err)
		return
	}
	c.heard, c.stepped, c.fault = true, time.Now(), ""
	c.log.say("clock: set by %v to the cloud's", off.Round(time.Millisecond))
	if first {
		c.save()
	}
}

func set(t time.Time) error {
	tv := unix.NsecToTimeval(t.UnixNano())
	return unix.Settimeofday(&tv)
}

// save keeps the time for the next boot. Torn by a power cut it has another
// length or the time before; either way the floor of the version stands.
func (c *clock) save() {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(time.Now().Unix())) //nolint:gosec // after 1970
	if err := writeWhole(c.path, b[:], os.FileMode(0o600)); err != nil {
		c.log.say("clock: %v: the next boot begins with an older time", err)
	}
}
