package driverstest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"regi/drivers"
)

// PTY returns the two ends of a pseudo-terminal: a port that open has opened,
// and the device's end. Both are closed when the test ends.
func PTY(t testing.TB, open func(path string) (drivers.Port, error)) (near drivers.Port, far io.ReadWriteCloser) {
	t.Helper()
	master, path, err := newPTY()
	if err != nil {
		t.Fatalf("pty: %v", err)
	}
	t.Cleanup(func() { master.Close() }) //nolint:errcheck,gosec // the test may have unplugged it
	near, err = open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close() }) //nolint:errcheck,gosec // the test may have closed it
	return near, master
}

// newPTY opens the device's end non-blocking, so that the runtime polls it and
// Close ends a blocked call.
func newPTY() (*os.File, string, error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, "", fmt.Errorf("open /dev/ptmx: %w", err)
	}
	master := os.NewFile(uintptr(fd), "/dev/ptmx")
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		return nil, "", errors.Join(err, master.Close())
	}
	return master, "/dev/pts/" + strconv.Itoa(n), nil
}
