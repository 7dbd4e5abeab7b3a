package boot

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// TestFed: the watchdog is fed while the register says that it lives, and no
// longer: a register that hangs, is stopped, or ends in a loop has the board
// reset.
func TestFed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, err := os.Create(filepath.Join(t.TempDir(), "watchdog"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		m := &machine{}
		m.alive.Store(time.Now().UnixNano())
		ctx, cancel := context.WithCancel(t.Context())
		go (&watchdog{device: f}).feed(ctx, m.healthy)
		fed := func(during time.Duration, alive bool) int64 {
			before, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			for end := time.Now().Add(during); time.Now().Before(end); time.Sleep(10 * time.Second) {
				if alive {
					m.alive.Store(time.Now().UnixNano())
				}
			}
			after, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			return after.Size() - before.Size()
		}
		if n := fed(10*time.Minute, true); n < 149 {
			t.Errorf("fed %d times in 10 minutes", n)
		}
		// Stopped: fed until its last word is too old, then never.
		if n := fed(aliveWithin, false); n == 0 {
			t.Error("a start takes as long, and was not fed")
		}
		if n := fed(10*time.Minute, false); n != 0 {
			t.Errorf("a register that hangs was fed %d times", n)
		}
		// A new one says that it lives.
		if n := fed(time.Minute, true); n < 14 {
			t.Errorf("a new register: fed %d times", n)
		}
		// The board goes down: what hangs then is reset, too.
		cancel()
		synctest.Wait()
		if n := fed(time.Minute, true); n != 0 {
			t.Errorf("in going down it was fed %d times", n)
		}
	})
}

// TestLinkConsole: the name by which a board's table has its console is there.
func TestLinkConsole(t *testing.T) {
	for name, want := range map[string]string{"rpi4": "ttyS0", "rpi5": "ttyAMA0", "qemu-virt": "ttyAMA0", "generic": "", "toaster": ""} {
		dev := t.TempDir()
		for range 2 { // a second time it is there
			if err := linkConsole(name, dev); (err != nil) != (name == "toaster") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got, _ := os.Readlink(filepath.Join(dev, "serial0")); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestBelowIsSetup: a version under the floor is started as a console.
func TestBelowIsSetup(t *testing.T) {
	for _, c := range []struct {
		slots *slots
		want  string
	}{
		{nil, "run"},
		{&slots{state: SlotState{Epoch: 3, Floor: 3}}, "run"},
		{&slots{state: SlotState{Epoch: 2, Floor: 3}}, "setup"},
	} {
		if got := (&machine{slots: c.slots}).what(); got != c.want {
			t.Errorf("%+v: %s", c.slots, got)
		}
	}
}
