package guest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"regi/board/image/rom"
	"regi/firmware/update"
	"regi/sim/guest"
)

// kickPin is GPIO17, the drawer's coil on a Raspberry Pi.
const kickPin = 1 << 17

// wire watches a pin from outside of the machine.
type wire struct {
	mu     sync.Mutex
	looks  int
	high   bool
	rose   time.Time
	fell   time.Time
	pulses []time.Duration
	rising chan struct{}
}

// watch looks at the pin again and again, until the machine's monitor ends.
func watch(g *guest.Guest) *wire {
	w := &wire{rising: make(chan struct{}, 1)}
	go func() {
		for {
			levels, err := g.Pins()
			if err != nil {
				return
			}
			w.see(levels&kickPin != 0)
			time.Sleep(time.Millisecond)
		}
	}()
	return w
}

func (w *wire) see(high bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looks++
	switch {
	case high && !w.high:
		w.rose = time.Now()
		select {
		case w.rising <- struct{}{}:
		default: // nobody waits
		}
	case !high && w.high:
		w.fell = time.Now()
		w.pulses = append(w.pulses, w.fell.Sub(w.rose))
	}
	w.high = high
}

func (w *wire) state() (pulses []time.Duration, high bool, looks int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pulses, w.high, w.looks
}

// idleAfter says that so many pulses were seen, and that the coil is off.
func (w *wire) idleAfter(pulses int) func() bool {
	return func() bool {
		seen, high, _ := w.state()
		return len(seen) >= pulses && !high
	}
}

// rests says that the coil has been off for so long that no try of a kick is
// still to come.
func (w *wire) rests() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.high && time.Since(w.fell) > 5*time.Second
}

// piDisk is the image of a Raspberry Pi 3, unpacked.
func piDisk(s *shop) {
	s.Helper()
	s.pi = true
	dir := s.TempDir()
	s.must(run(s.image, "build", "-board", "rpi3", "-version", "v1", "-out", dir))
	s.must(unpack(filepath.Join(dir, "regi-rpi3-v1.img.zst"), s.disk))
	// What its firmware will find in the slot is what was built.
	built, err := os.ReadFile(filepath.Join(dir, "regi-rpi3-v1.boot.img"))
	s.must(err)
	disk, err := os.OpenFile(s.disk, os.O_RDWR, 0)
	s.must(err)
	defer disk.Close()
	slot, err := rom.Partition(disk, update.A.Partition())
	s.must(err)
	hash := sha256.New()
	_, err = io.Copy(hash, io.NewSectionReader(slot, 0, int64(len(built))))
	s.must(err)
	if want := sha256.Sum256(built); hex.EncodeToString(hash.Sum(nil)) != hex.EncodeToString(want[:]) {
		s.Fatal("slot a is not the boot.img that was built")
	}
	if !bytes.Contains(built, []byte("\nkernel_watchdog_timeout=")) {
		s.Error("its firmware does not start the watchdog: the kernel has lost its driver")
	}
	b, err := rom.Select(disk)
	s.must(err)
	if b.Slot != update.A || !strings.Contains(b.CommandLine, "console=ttyS0") {
		s.Fatalf("slot %s: %s", b.Slot, b.CommandLine)
	}
}

// longest is how long the coil may be on: longer burns it. An emulated board's
// time is that of a machine that others use as well: twice that is let pass.
const longest = 2 * 510 * time.Millisecond

// A Raspberry Pi 3 from its own slot, as its firmware would start it: console,
// sale without a network and without a clock, and the drawer's pin, which is
// looked at from outside: low from power on, high for a kick, low after it and
// after a reset in the middle of one.
func TestRaspberryPi3(t *testing.T) {
	campaign(t, "short", "a second board takes a minute and a half")
	t.Parallel()
	s := bench(t)
	piDisk(s)
	s.fill()
	begun := time.Now()
	s.start()
	w := watch(s.guest)
	d := &desk{shop: s}
	d.until("regi> ")
	t.Logf("power to the console: %.1f s", time.Since(begun).Seconds())
	d.until("until the cloud is heard") // it has no clock
	d.until("no network adapter")
	s.slowly("word on the display", func() bool { return strings.Join(s.display(), "") != "" })
	if pulses, high, looks := w.state(); len(pulses) > 0 || high || looks < 100 {
		t.Errorf("from power on: pulses %v, high %v in %d looks", pulses, high, looks)
	}
	d.pin("technician", "824671", true)
	// Its switch is a pin that nothing moves. An emulated board that is kept
	// waiting may be late with its answer, and is then asked again.
	s.until("kick by the technician", func() {
		d.fresh()
		d.say("drawer test\r")
		d.until("→")
	}, w.idleAfter(1))
	s.slowly("drawer that rests", w.rests)
	before, _, _ := w.state()
	s.openShift()
	s.until("kick by a sale", s.sell, w.idleAfter(len(before)+1))
	s.slowly("drawer that rests", w.rests) // the sale's second try, or one more sale
	pulses, high, looks := w.state()
	t.Logf("pulses of the drawer %v in %d looks", pulses, looks)
	for _, p := range pulses {
		if p > longest {
			t.Errorf("a pulse of %v", p)
		}
	}
	if high {
		t.Error("it is still on")
	}
	s.resetInPulse(d, w)
}

// resetInPulse resets the board while the coil is on: it is off from then on,
// and the sale is not kicked for a second time.
func (s *shop) resetInPulse(d *desk, w *wire) {
	s.Helper()
	for len(w.rising) > 0 {
		<-w.rising
	}
	reset := make(chan struct{})
	go func() {
		<-w.rising
		s.guest.Ask("system_reset", nil) // QEMU may end before it has answered
		close(reset)
	}()
	s.scan()
	s.keys("CASH")
	s.slowly("kick by one more sale", func() bool {
		select {
		case <-reset:
			return true
		default:
			return false
		}
	})
	s.must(s.guest.Again(s.Context()))
	_, high, _ := w.state()
	s.Logf("reset after a rise of the pin, which was seen to fall before: %v", !high)
	after := watch(s.guest)
	d.until("regi> ")
	s.slowly("drawer that is ready again", func() bool { _, _, looks := after.state(); return looks > 1000 })
	if pulses, high, looks := after.state(); len(pulses) > 0 || high {
		s.Errorf("after the reset: pulses %v, high %v in %d looks", pulses, high, looks)
	}
}
