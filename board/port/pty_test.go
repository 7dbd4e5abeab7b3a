package port_test

import (
	"errors"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"regi/board/port"
)

// patience bounds every wait for something that must happen.
const patience = 30 * time.Second

// soon is what a call gets that must run into its deadline.
const soon = 20 * time.Millisecond

// newPTY returns the far end of a pseudo-terminal, with working deadlines, and
// the path of the near end, which nobody has open.
func newPTY(t testing.TB) (far *os.File, path string) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	path = slave.Name()
	// The library's own *os.File is in blocking mode and has no deadlines.
	fd, err := unix.FcntlInt(master.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(unix.SetNonblock(fd, true), master.Close(), slave.Close()); err != nil {
		t.Fatal(err)
	}
	far = os.NewFile(uintptr(fd), "far")
	t.Cleanup(func() { far.Close() })
	if err := far.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return far, path
}

// openPort opens path and gives every call on it a bound.
func openPort(t testing.TB, o port.Options) *port.Port {
	t.Helper()
	p, err := port.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	within(t, p, patience)
	return p
}

func within(t testing.TB, p *port.Port, d time.Duration) {
	t.Helper()
	at := time.Now().Add(d)
	if err := errors.Join(p.SetReadDeadline(at), p.SetWriteDeadline(at)); err != nil {
		t.Fatal(err)
	}
}

// descriptors lists the descriptors of this process that are open on path.
func descriptors(t testing.TB, path string) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var fds []int
	for _, e := range entries {
		// The listing's own descriptor is gone by now: no link, no match.
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && to == path {
			fd, err := strconv.Atoi(e.Name())
			if err != nil {
				t.Fatal(err)
			}
			fds = append(fds, fd)
		}
	}
	return fds
}

// onlyDescriptor is the one descriptor that is open on path.
func onlyDescriptor(t testing.TB, path string) int {
	t.Helper()
	fds := descriptors(t, path)
	if len(fds) != 1 {
		t.Fatalf("%d descriptors on %s, want 1", len(fds), path)
	}
	return fds[0]
}

// awaitBlocked waits until a goroutine with function on its stack is in state
// ("IO wait", "syscall").
func awaitBlocked(t testing.TB, function, state string) {
	t.Helper()
	await(t, function+" blocks", func() bool {
		buf := make([]byte, 1<<20)
		for g := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			header, _, _ := strings.Cut(g, "\n")
			if strings.Contains(header, "["+state) && strings.Contains(g, function) {
				return true
			}
		}
		return false
	})
}

// await waits until true, by polling: what it asks has no event.
func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("waited %v in vain until %s", patience, what)
		}
		time.Sleep(time.Millisecond)
	}
}

// result is what a call returned.
type result struct {
	n   int
	err error
}

// inBackground runs a call and delivers what it returned.
func inBackground(f func() (int, error)) <-chan result {
	c := make(chan result, 1)
	go func() {
		n, err := f()
		c <- result{n, err}
	}()
	return c
}

// wantResult waits for a call and checks its error.
func wantResult(t testing.TB, c <-chan result, want error) result {
	t.Helper()
	select {
	case r := <-c:
		if !errors.Is(r.err, want) {
			t.Fatalf("returned %d, %v; want %v", r.n, r.err, want)
		}
		return r
	case <-time.After(patience):
		t.Fatalf("still blocked after %v; want %v", patience, want)
		return result{}
	}
}
