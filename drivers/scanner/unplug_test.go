package scanner_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"testing"
	"time"

	bugst "go.bug.st/serial" //nolint:depguard // the bare library is the partner of the differential
	"golang.org/x/sys/unix"

	"regi/board/port" //nolint:depguard // over a real line
	"regi/drivers"
	"regi/drivers/driverstest"
	far "regi/sim/device/scanner" //nolint:depguard // tests may cross
)

// held are the descriptors, goroutines and threads of this process.
func held(t *testing.T) (all [3]int) {
	t.Helper()
	for i, dir := range []string{"/proc/self/fd", "/proc/self/task"} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		all[i] = len(entries)
	}
	all[2] = runtime.NumGoroutine()
	return all
}

// TestUnplugReplug: a cable that is pulled a thousand times, in the middle of a
// scan, leaves nothing behind, and each time the next scan is read.
func TestUnplugReplug(t *testing.T) {
	const cycles = 1000
	const code = "4901234567894"
	framings := far.Framings()
	cycle := func(i int) {
		framing := framings[i%len(framings)]
		master, path := openMaster(t)
		defer master.Close()
		p, err := port.Open(port.Options{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		s := newScanner(t, p, framing)
		if _, err := master.Write(frameOf(framing)(code)); err != nil {
			t.Fatal(err)
		}
		if scan, err := s.Read(t.Context()); err != nil || scan.Label != code {
			t.Fatalf("cycle %d, %s: %q, %v", i, framing, scan.Label, err)
		}
		pulled := make(chan error, 1)
		go func() {
			_, err := master.Write(frameOf(framing)(code)[:5])
			pulled <- errors.Join(err, master.Close())
		}()
		if _, err := s.Read(t.Context()); !errors.Is(err, drivers.ErrUnplugged) {
			t.Fatalf("cycle %d, %s: %v", i, framing, err)
		}
		if err := s.Answer(t.Context(), false); s.WantsAnswer() && !errors.Is(err, drivers.ErrUnplugged) {
			t.Fatalf("cycle %d, %s: answered %v", i, framing, err)
		}
		if err := <-pulled; err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 {
		cycle(i)
	}
	before := held(t)
	for i := range cycles {
		cycle(i)
	}
	// What has ended is gone a moment later.
	after := held(t)
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); {
		if after[0] <= before[0] && after[2] <= before[2] {
			break
		}
		time.Sleep(time.Millisecond)
		after = held(t)
	}
	t.Logf("descriptors, threads, goroutines: %v before, %v after %d cycles", before, after, cycles)
	const threadsMore = 4 // of the runtime, as it likes
	if after[0] > before[0] || after[1] > before[1]+threadsMore || after[2] > before[2] {
		t.Error("something is left behind")
	}
}

// TestLikeTheBareLibrary: over an undisturbed line, the driver delivers exactly
// the bytes that go.bug.st/serial does, through either opener of the port.
func TestLikeTheBareLibrary(t *testing.T) {
	const scans = 200
	for framing := range suffixes {
		stream := make([]byte, 0, scans*40)
		for i := range scans {
			c := article(i)
			stream = append(stream, frameOf(framing)(c.AIM+c.Data)...)
		}
		bare := readBare(t, stream)
		for _, opener := range []string{"bugst", "tarm"} {
			near, conn := driverstest.PTY(t, func(path string) (drivers.Port, error) {
				return port.Open(port.Options{Path: path, Opener: opener})
			})
			go conn.Write(stream)
			s := newScanner(t, near, framing)
			var rebuilt []byte
			for range scans {
				scan, err := s.Read(t.Context())
				if err != nil {
					t.Fatalf("%s, %s: %v", framing, opener, err)
				}
				rebuilt = append(rebuilt, frameOf(framing)(scan.Data)...)
			}
			if string(rebuilt) != string(bare) {
				t.Errorf("%s, %s: the driver's %d bytes differ from the library's %d", framing, opener, len(rebuilt), len(bare))
			}
		}
	}
}

// readBare is what go.bug.st/serial alone reads of a stream.
func readBare(t *testing.T, stream []byte) []byte {
	t.Helper()
	master, path := openMaster(t)
	defer master.Close()
	line, err := openBare(path)
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	go master.Write(stream)
	b := make([]byte, len(stream))
	if n, err := io.ReadFull(line, b); err != nil {
		t.Fatalf("the bare library read %d of %d bytes: %v", n, len(stream), err)
	}
	return b
}

// openMaster is the far end of a pseudo-terminal, and the near one's path.
func openMaster(t testing.TB) (*os.File, string) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), "/dev/ptmx"), fmt.Sprintf("/dev/pts/%d", n)
}

// openBare opens a line with the library alone.
func openBare(path string) (bugst.Port, error) {
	return bugst.Open(path, &bugst.Mode{BaudRate: 9600})
}
