package boot

import (
	"context"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// dogSeconds is under what the BCM2835's can be set to, about 15.
	dogSeconds = 14
	feedEvery  = 4 * time.Second
	// aliveWithin is how old the register's last sign of life may be. It is long
	// enough for a start after a crash, and for a recovery of the journal.
	aliveWithin = 90 * time.Second
	// wdiocSetTimeout is WDIOC_SETTIMEOUT of linux/watchdog.h.
	wdiocSetTimeout = 0xC0045706
)

// watchdog resets the board when it is not fed. It is fed by health alone: a
// machine that runs without its register is not healthy.
type watchdog struct {
	device *os.File
	why    string // why there is none
}

// noWatchdog on the kernel's command line is for a machine whose watchdog bites
// at once (raspi3b in QEMU).
const noWatchdog = "regi.watchdog=off"

func openWatchdog(l *log) *watchdog {
	if line, err := os.ReadFile("/proc/cmdline"); err == nil && strings.Contains(string(line), noWatchdog) {
		return &watchdog{why: "off by the kernel's command line"}
	}
	f, err := os.OpenFile("/dev/watchdog", os.O_WRONLY, 0)
	if err != nil {
		l.say("watchdog: %v: a board that hangs stays so", err)
		return &watchdog{why: err.Error()}
	}
	// One that cannot be set has its own time, which is longer than the pause.
	if err := unix.IoctlSetPointerInt(int(f.Fd()), wdiocSetTimeout, dogSeconds); err != nil {
		l.say("watchdog: %v: it keeps its own time", err)
	}
	return &watchdog{device: f}
}

func (w *watchdog) String() string {
	if w.device == nil {
		return w.why
	}
	return ""
}

// feed feeds it while healthy says so. After ctx it is fed no more: what hangs
// in going down is reset as well.
func (w *watchdog) feed(ctx context.Context, healthy func() bool) {
	if w.device == nil {
		return
	}
	every := time.NewTicker(feedEvery)
	defer every.Stop()
	for {
		if healthy() {
			w.device.Write([]byte{0}) //nolint:errcheck,gosec // the dog bites
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

func (m *machine) healthy() bool {
	return time.Since(time.Unix(0, m.alive.Load())) < aliveWithin
}
