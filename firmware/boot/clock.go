package boot

import (
	"encoding/binary"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// clockFile holds the newest time that this board has seen: there may be no
// clock that runs without power.
const clockFile = Data + "/clock"

// floorClock sets a clock that is behind what cannot be: the making of this
// version, and the time that was saved. The cloud's comes later.
func floorClock(built time.Time, l *log) string {
	floor := built
	if b, err := os.ReadFile(clockFile); err == nil && len(b) == 8 {
		if saved := time.Unix(int64(binary.BigEndian.Uint64(b)), 0); saved.After(floor) { //nolint:gosec // seconds, or a floor that is refused below
			floor = saved
		}
	}
	now := time.Now()
	if !now.Before(floor) {
		return ""
	}
	if err := set(floor); err != nil {
		l.say("clock: %v", err)
		return err.Error()
	}
	l.say("clock: it said %s, behind what it must at least be: set to %s until the cloud is heard", now.UTC().Format(time.RFC3339), floor.UTC().Format(time.RFC3339))
	return "not yet from the cloud"
}

// Steps of the clock by the cloud's time.
const (
	stepMin = 2 * time.Second
	// saneYears bounds what a version lives.
	saneYears = 20
)

// setClock takes the cloud's time. It never goes behind the floor, whoever says
// so.
func setClock(to, built time.Time, l *log) {
	off := time.Until(to)
	if off.Abs() < stepMin {
		return
	}
	if to.Before(built) || to.After(built.AddDate(saneYears, 0, 0)) {
		l.say("clock: the cloud's %s cannot be: kept", to.UTC().Format(time.RFC3339))
		return
	}
	if err := set(to); err != nil {
		l.say("clock: %v", err)
		return
	}
	l.say("clock: set by %v to the cloud's", off.Round(time.Millisecond))
	saveClock()
}

func set(t time.Time) error {
	tv := unix.NsecToTimeval(t.UnixNano())
	return unix.Settimeofday(&tv)
}

// saveClock keeps the time for the next boot.
func saveClock() {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(time.Now().Unix())) //nolint:gosec // after 1970
	// Torn by a power cut it has another length or a time of the future's past;
	// either way the floor of the version stands.
	if err := os.WriteFile(clockFile+".new", b[:], 0o600); err == nil {
		os.Rename(clockFile+".new", clockFile) //nolint:errcheck,gosec // the older one stands
	}
}
