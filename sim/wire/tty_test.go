package wire_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"regi/sim/wire"
)

// open makes a wire in a temporary folder.
func open(t *testing.T) (*wire.TTY, string) {
	t.Helper()
	link := filepath.Join(t.TempDir(), "dev", "scanner")
	tty, err := wire.Open(link)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tty.Close(); err != nil {
			t.Error(err)
		}
	})
	return tty, link
}

// register opens the register's end.
func register(t *testing.T, link string) *os.File {
	t.Helper()
	f, err := os.OpenFile(link, os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() }) //nolint:errcheck,gosec // may be closed already
	return f
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func read(t *testing.T, f interface{ Read([]byte) (int, error) }, want string) {
	t.Helper()
	var got []byte
	for len(got) < len(want) {
		b := make([]byte, len(want)-len(got))
		n, err := f.Read(b)
		if err != nil {
			t.Fatalf("read after %q: %v", got, err)
		}
		got = append(got, b[:n]...)
	}
	if string(got) != want {
		t.Fatalf("read %q, want %q", got, want)
	}
}

func TestRawBothWays(t *testing.T) {
	tty, link := open(t)
	f := register(t, link)
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	if _, err := tty.Write(every); err != nil {
		t.Fatal(err)
	}
	read(t, f, string(every))
	if _, err := f.Write(every); err != nil {
		t.Fatal(err)
	}
	read(t, tty, string(every))
}

func TestReadSurvivesRegisterRestart(t *testing.T) {
	tty, link := open(t)
	for range 3 {
		f := register(t, link)
		done := make(chan struct{})
		go func() {
			defer close(done)
			read(t, tty, "hello")
		}()
		if _, err := f.WriteString("hello"); err != nil {
			t.Fatal(err)
		}
		<-done
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestUnplugAndPlug(t *testing.T) {
	tty, link := open(t)
	f := register(t, link)
	got := make(chan string, 1)
	go func() {
		b := make([]byte, 16)
		n, err := tty.Read(b) // blocked through the unplugging
		if err != nil {
			b, n = []byte(err.Error()), len(err.Error())
		}
		got <- string(b[:n])
	}()
	if err := tty.Unplug(); err != nil {
		t.Fatal(err)
	}
	if n, err := f.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Fatalf("register read %d, %v from a pulled cable", n, err)
	}
	if _, err := os.Lstat(link); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("link while unplugged: %v", err)
	}
	if _, err := tty.Write([]byte("x")); !errors.Is(err, wire.ErrUnplugged) {
		t.Fatalf("write while unplugged: %v", err)
	}
	if err := tty.Plug(); err != nil {
		t.Fatal(err)
	}
	g := register(t, link)
	if _, err := g.WriteString("again"); err != nil {
		t.Fatal(err)
	}
	if s := <-got; s != "again" {
		t.Fatalf("blocked Read went on with %q", s)
	}
}

func TestUnreadSeesEveryByteAtOnce(t *testing.T) {
	tty, link := open(t)
	f := register(t, link)
	for range 500 { // a flip buffer is carried over by a worker: no run may miss it
		if _, err := tty.Write([]byte("4901234567894\r")); err != nil {
			t.Fatal(err)
		}
		if n, err := tty.Unread(); n != 14 || err != nil {
			t.Fatalf("unread %d, %v; want 14", n, err)
		}
		read(t, f, "4901234567894\r")
		if n, err := tty.Unread(); n != 0 || err != nil {
			t.Fatalf("unread %d, %v; want 0", n, err)
		}
	}
}

func TestWaitRead(t *testing.T) {
	tty, link := open(t)
	f := register(t, link)
	if _, err := tty.Write([]byte("abc")); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := tty.WaitRead(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("nobody read, but WaitRead said %v", err)
	}
	waited := make(chan error)
	go func() { waited <- tty.WaitRead(soon(t)) }()
	read(t, f, "abc")
	if err := <-waited; err != nil {
		t.Fatal(err)
	}
}

func TestUnreadInLineMode(t *testing.T) {
	tty, link := open(t)
	f := register(t, link)
	fd := int(f.Fd())
	term, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	term.Lflag |= unix.ICANON
	for i := range term.Cc {
		term.Cc[i] = 0
	}
	term.Cc[unix.VEOL] = '\r'
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, term); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		write string
		want  int
	}{{"%B411", 5}, {"1?", 7}, {"\r", 8}, {"ab", 10}} {
		if _, err := tty.Write([]byte(step.write)); err != nil {
			t.Fatal(err)
		}
		if n, err := tty.Unread(); n != step.want || err != nil {
			t.Fatalf("after %q: unread %d, %v; want %d", step.write, n, err, step.want)
		}
	}
}

// TestExclusiveEndsWithTheRegister: TIOCEXCL of a register that was killed must
// not lock its successor out, as the slave kept open here would make it do.
func TestExclusiveEndsWithTheRegister(t *testing.T) {
	tty, link := open(t)
	f := register(t, link)
	if err := unix.IoctlSetInt(int(f.Fd()), unix.TIOCEXCL, 0); err != nil {
		t.Fatal(err)
	}
	until(t, tty.Opened)
	if err := f.Close(); err != nil { // the descriptor goes, as at a kill: no TIOCNXCL
		t.Fatal(err)
	}
	until(t, func() bool { return !tty.Opened() })
	g := register(t, link)
	excl, err := unix.IoctlGetInt(int(g.Fd()), unix.TIOCGEXCL)
	if err != nil || excl != 0 {
		t.Fatalf("exclusive %d, %v after the register is gone", excl, err)
	}
}

func TestWriteToFullWireEnds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes the whole write time-out")
	}
	tty, _ := open(t)
	big := bytes.Repeat([]byte{'x'}, 1<<20)
	begin := time.Now()
	n, err := tty.Write(big)
	if !errors.Is(err, os.ErrDeadlineExceeded) || n >= len(big) {
		t.Fatalf("wrote %d, %v to a register that is off", n, err)
	}
	if took := time.Since(begin); took > wire.WriteTimeout+30*time.Second {
		t.Fatalf("took %v", took)
	}
}

func TestReadDeadlineAndClose(t *testing.T) {
	tty, link := open(t)
	if err := tty.SetReadDeadline(time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := tty.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("plugged: %v", err)
	}
	if err := tty.Unplug(); err != nil {
		t.Fatal(err)
	}
	if _, err := tty.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("unplugged: %v", err)
	}
	if err := tty.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 1)
	go func() {
		_, err := tty.Read(make([]byte, 1))
		got <- err
	}()
	if err := tty.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; !errors.Is(err, fs.ErrClosed) {
		t.Fatalf("read after Close: %v", err)
	}
	if _, err := os.Lstat(link); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("link after Close: %v", err)
	}
}

func TestCloseLeavesAnotherWiresLink(t *testing.T) {
	tty, link := open(t)
	other, err := wire.Open(link)
	if err != nil {
		t.Fatal(err)
	}
	if err := tty.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(link); err != nil {
		t.Fatalf("the renewed link went with the old wire: %v", err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
}

// until waits for a condition that another goroutine brings about.
func until(t *testing.T, ok func() bool) {
	t.Helper()
	for ctx := soon(t); !ok(); {
		if ctx.Err() != nil {
			t.Fatal("condition not reached")
		}
		time.Sleep(time.Millisecond)
	}
}

// TestOpenedByLock: two opens that the kernel reports as one must not make the
// first close look like the last.
func TestOpenedByLock(t *testing.T) {
	tty, link := open(t)
	first, second := register(t, link), register(t, link)
	if err := syscall.Flock(int(first.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if !tty.Opened() {
		t.Error("a line that is open and locked is said to be closed")
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if tty.Opened() {
		t.Error("a line that nobody has open is said to be open")
	}
}
