package guest_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"regi/sim/guest"
)

// ownKernel is where `make kernel` puts it.
const ownKernel = "../../out/kernel/Image"

// kernelOrSkip looks for our own kernel, or the one of REGI_GUEST_KERNEL.
func kernelOrSkip(t *testing.T) {
	t.Helper()
	if _, err := kernelPath(); err != nil {
		t.Skipf("not run: our own kernel is not built: make kernel (10 minutes of one core); %v", err)
	}
}

func kernelPath() (string, error) {
	path, err := filepath.Abs(cmp.Or(os.Getenv("REGI_GUEST_KERNEL"), ownKernel))
	if err == nil {
		_, err = os.Stat(path)
	}
	return path, err
}

// Targets of power to ready-to-sell, which are for a machine that does nothing
// else; the tests print what they measure and do not fail on a busy one.
const (
	moduleTarget = 5 * time.Second
	ownTarget    = 3 * time.Second
)

// TestReady measures power to ready-to-sell: the display speaks, so the register
// runs, the shift can be opened, and its card process and its uplink live.
func TestReady(t *testing.T) {
	boots, err := strconv.Atoi(os.Getenv("REGI_GUEST_BOOTS"))
	if err != nil || boots < 1 {
		t.Skip("not run: set REGI_GUEST_BOOTS to how often the board is switched on (5), ten seconds each")
	}
	t.Run("kernel.rpi", func(t *testing.T) { measure(open(t), boots, moduleTarget) })
	t.Run("own", func(t *testing.T) { measure(openOwn(t), boots, ownTarget) })
}

// withOwn is a disk with our own kernel, made once.
var withOwn = sync.OnceValues(func() (string, error) { //nolint:gochecknoglobals // built once
	t, err := built()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(t.dir, "own")
	kernel, err := kernelPath()
	if err != nil {
		return "", err
	}
	if err := run(t.image, "build", "-board", "qemu-virt", "-out", dir, "-version", "own", "-kernel", kernel); err != nil {
		return "", err
	}
	disk := filepath.Join(dir, "disk")
	return disk, unpack(filepath.Join(dir, "regi-qemu-virt-own.img.zst"), disk)
})

// openOwn is open with our own kernel.
func openOwn(t *testing.T) *shop {
	t.Helper()
	kernelOrSkip(t)
	s := bench(t)
	disk, err := withOwn()
	s.must(err)
	s.must(run("cp", "--sparse=always", disk, s.disk)) // its key is known to the cloud already
	s.loadKey()
	s.fill()
	return s
}

// start is one switching on.
type start struct{ display, cloud, user, system time.Duration }

func measure(s *shop, boots int, target time.Duration) {
	s.Helper()
	var all []start
	for i := range boots + 1 {
		b := start{display: s.ready()}
		var err error
		b.user, b.system, err = s.guest.CPU()
		s.must(err)
		begun := time.Now()
		s.AwaitWithin(readyWithin, "start in the cloud", func() bool { return s.count("fw.boot") > i })
		b.cloud = b.display + time.Since(begun)
		s.Logf("display %.2f s, cloud %.2f s, QEMU's user time %.2f s and system time %.2f s; its own words: %s",
			b.display.Seconds(), b.cloud.Seconds(), b.user.Seconds(), b.system.Seconds(), s.phases())
		if i > 0 { // the first one makes the journal as well, once in a board's life
			all = append(all, b)
		}
		// So that the display does not say already what it will say next.
		s.until("digit", func() { s.keys("CLEAR", "7") }, s.showing("7"))
		s.must(s.guest.Kill())
	}
	load, err := os.ReadFile("/proc/loadavg")
	s.must(err)
	of := func(what func(start) time.Duration) string {
		var l []time.Duration
		for _, b := range all {
			l = append(l, what(b))
		}
		slices.Sort(l)
		return fmt.Sprintf("%.2f s (%.2f to %.2f)", l[len(l)/2].Seconds(), l[0].Seconds(), l[len(l)-1].Seconds())
	}
	s.Logf("power to a display that speaks: %s, at most %v; QEMU's user time until then %s, system %s; power to a record in the cloud: %s; medians of %d; load average %s",
		of(func(b start) time.Duration { return b.display }), target,
		of(func(b start) time.Duration { return b.user }), of(func(b start) time.Duration { return b.system }),
		of(func(b start) time.Duration { return b.cloud }), boots, strings.Fields(string(load))[0])
}

// readyWithin is for a machine that others load: a start may take minutes there.
const readyWithin = 3 * time.Minute

// ready is on, with more patience.
func (s *shop) ready() time.Duration {
	s.Helper()
	blank := strings.Join(s.display(), "")
	begun := time.Now()
	var err error
	s.guest, err = guest.Start(context.Background(), guest.Options{
		Image: s.image, Disk: s.disk, Dev: filepath.Join(s.Dir, "dev"), Cloud: s.cloud, Forward: s.forward, Dir: s.Dir, Log: s.Log,
	})
	s.must(err)
	s.AwaitWithin(readyWithin, "display that says something", func() bool { d := strings.Join(s.display(), ""); return d != "" && d != blank })
	return time.Since(begun)
}

// phases are the lines of the console that tell how late it is.
func (s *shop) phases() string {
	s.Helper()
	var state struct {
		Console []string `json:"console"`
	}
	s.Read("/api/state", &state)
	var told []string // of the last start
	for _, line := range state.Console {
		if strings.HasPrefix(line, "regi: boot") {
			told = nil
		}
		if what, found := strings.CutSuffix(line, " after the kernel"); found {
			told = append(told, what)
		}
	}
	return strings.Join(told, "; ")
}
