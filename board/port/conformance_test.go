package port_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"regi/board/port"
	"regi/drivers"
)

// TestConformance holds the guard to its contract over both libraries. Where
// the libraries themselves differ is in bare_test.go; behind the guard there
// is one difference left: which speeds they take (TestSpeeds).
func TestConformance(t *testing.T) {
	cases := []struct {
		name string
		run  func(t *testing.T, opener string)
	}{
		{"bytes pass as they are", passBytes},
		{"long write to a slow reader", longWrite},
		{"no hidden buffer", noHiddenBuffer},
		{"input before open is dropped", inputFlushed},
		{"read deadline", readDeadline},
		{"write deadline", writeDeadline},
		{"close ends a blocked read", closeEndsRead},
		{"close ends a blocked write", closeEndsWrite},
		{"every method after close", afterClose},
		{"write after close reaches no other file", writeAfterClose},
		{"unplugged", unplugged},
		{"unplugged during a blocked read", unpluggedInRead},
		{"unplugged during a blocked write", unpluggedInWrite},
		{"unplugged, then closed", unpluggedThenClosed},
		{"not inherited", notInherited},
		{"one holder", oneHolder},
		{"descriptor from 1024 on", highDescriptor},
		{"line mode", lineMode},
		{"line mode has no special characters", lineModeBytes},
		{"from many goroutines", manyGoroutines},
		{"drain and modem lines of a pseudo-terminal", drainAndLines},
		{"open by a link", openByLink},
		{"open fails", openFails},
	}
	for _, opener := range []string{"bugst", "tarm"} {
		for _, c := range cases {
			t.Run(opener+"/"+c.name, func(t *testing.T) { c.run(t, opener) })
		}
	}
}

// pair opens a port on a new pseudo-terminal.
func pair(t *testing.T, opener string) (p *port.Port, far *os.File, path string) {
	t.Helper()
	far, path = newPTY(t)
	return openPort(t, port.Options{Path: path, Opener: opener}), far, path
}

func allBytes() []byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return all
}

func passBytes(t *testing.T, opener string) {
	p, far, _ := pair(t, opener)
	for _, dir := range []struct {
		name string
		to   io.Writer
		from io.Reader
	}{{"in", far, p}, {"out", p, far}} {
		if _, err := dir.to.Write(allBytes()); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 256)
		if _, err := io.ReadFull(dir.from, got); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, allBytes()) {
			t.Errorf("%s: got %x", dir.name, got)
		}
	}
	nothingMore(t, far) // no echo
}

// nothingMore checks that the far end has nothing to read.
func nothingMore(t *testing.T, far *os.File) {
	t.Helper()
	if err := far.SetReadDeadline(time.Now().Add(soon)); err != nil {
		t.Fatal(err)
	}
	var b [64]byte
	if n, err := far.Read(b[:]); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the far end read %q, %v; want nothing", b[:n], err)
	}
	if err := far.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
}

func longWrite(t *testing.T, opener string) {
	p, far, _ := pair(t, opener)
	want := bytes.Repeat(allBytes(), 1<<10)
	w := inBackground(func() (int, error) { return p.Write(want) })
	got := make([]byte, 0, len(want))
	buf := make([]byte, 199) // far less than is queued
	for len(got) < len(want) {
		n, err := far.Read(buf)
		if err != nil {
			t.Fatalf("after %d bytes: %v", len(got), err)
		}
		got = append(got, buf[:n]...)
	}
	if r := wantResult(t, w, nil); r.n != len(want) {
		t.Errorf("wrote %d of %d", r.n, len(want))
	}
	if !bytes.Equal(got, want) {
		t.Error("bytes differ")
	}
}

func noHiddenBuffer(t *testing.T, opener string) {
	p, far, path := pair(t, opener)
	if _, err := far.WriteString("4111"); err != nil {
		t.Fatal(err)
	}
	fd := onlyDescriptor(t, path)
	var b [4]byte
	for i := range b {
		if n, err := p.Read(b[i : i+1]); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		left, err := unix.IoctlGetInt(fd, unix.TIOCINQ)
		if err != nil {
			t.Fatal(err)
		}
		if left != len(b)-i-1 {
			t.Errorf("after %d bytes the kernel has %d left: the others are in a buffer of ours", i+1, left)
		}
	}
	if string(b[:]) != "4111" {
		t.Errorf("read %q", b)
	}
}

func inputFlushed(t *testing.T, opener string) {
	far, path := newPTY(t)
	old, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if _, err := far.WriteString("an old scan\r"); err != nil {
		t.Fatal(err)
	}
	p := openPort(t, port.Options{Path: path, Opener: opener})
	if _, err := far.WriteString("N"); err != nil {
		t.Fatal(err)
	}
	var b [32]byte
	if n, err := p.Read(b[:]); err != nil || string(b[:n]) != "N" {
		t.Errorf("read %q, %v; want only what came after open", b[:n], err)
	}
}

func readDeadline(t *testing.T, opener string) {
	p, far, _ := pair(t, opener)
	var b [8]byte
	within(t, p, soon)
	if n, err := p.Read(b[:]); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("at the deadline: %d, %v", n, err)
	}
	within(t, p, -time.Hour)
	if n, err := p.Read(b[:]); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("past the deadline: %d, %v", n, err)
	}
	// A deadline set while the call is under way counts too.
	within(t, p, patience)
	r := inBackground(func() (int, error) { return p.Read(b[:]) })
	awaitBlocked(t, "port.(*Port).Read", "IO wait")
	within(t, p, 0)
	wantResult(t, r, os.ErrDeadlineExceeded)
	// And the port is usable after all of it.
	within(t, p, patience)
	if _, err := far.WriteString("x"); err != nil {
		t.Fatal(err)
	}
	if n, err := p.Read(b[:]); n != 1 || err != nil {
		t.Errorf("after a new deadline: %d, %v", n, err)
	}
}

// megabyte is more than any tty takes unread.
func megabyte() []byte { return bytes.Repeat([]byte("x"), 1<<20) }

func writeDeadline(t *testing.T, opener string) {
	p, far, _ := pair(t, opener)
	w := inBackground(func() (int, error) { return p.Write(megabyte()) })
	awaitBlocked(t, "port.(*Port).Write", "IO wait")
	within(t, p, 0)
	n := wantResult(t, w, os.ErrDeadlineExceeded).n
	if n == 0 || n == 1<<20 {
		t.Fatalf("%d bytes are no partial write", n)
	}
	// The count is right to the byte.
	if _, err := io.ReadFull(far, make([]byte, n)); err != nil {
		t.Fatal(err)
	}
	nothingMore(t, far)
}

func closeEndsRead(t *testing.T, opener string) {
	p, _, _ := pair(t, opener)
	r := inBackground(func() (int, error) { return p.Read(make([]byte, 8)) })
	awaitBlocked(t, "port.(*Port).Read", "IO wait")
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if got := wantResult(t, r, drivers.ErrClosed); errors.Is(got.err, drivers.ErrUnplugged) {
		t.Error("Close looks like an unplugged device")
	}
}

func closeEndsWrite(t *testing.T, opener string) {
	p, _, path := pair(t, opener)
	w := inBackground(func() (int, error) { return p.Write(megabyte()) })
	awaitBlocked(t, "port.(*Port).Write", "IO wait")
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if r := wantResult(t, w, drivers.ErrClosed); r.n == 1<<20 {
		t.Error("says it wrote everything")
	}
	if fds := descriptors(t, path); len(fds) != 0 {
		t.Errorf("descriptors %v are still open", fds)
	}
}

// calls is every method that can fail.
func calls(p *port.Port) map[string]error {
	_, read := p.Read(make([]byte, 1))
	_, write := p.Write([]byte("x"))
	_, lines := p.Lines()
	return map[string]error{
		"Read": read, "Write": write, "Lines": lines,
		"SetLines": p.SetLines(drivers.LineRTS, drivers.LineDTR),
		"Drain":    p.Drain(context.Background()),
	}
}

func afterClose(t *testing.T, opener string) {
	p, _, _ := pair(t, opener)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for name, err := range calls(p) {
		if !errors.Is(err, drivers.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := p.SetReadDeadline(time.Now()); !errors.Is(err, drivers.ErrClosed) {
		t.Errorf("SetReadDeadline: %v", err)
	}
	if err := p.SetWriteDeadline(time.Now()); !errors.Is(err, drivers.ErrClosed) {
		t.Errorf("SetWriteDeadline: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// decoy puts a new file onto descriptor number fd, as happens to any number
// that was closed, and returns how to read the file.
func decoy(t *testing.T, fd int) (content func() string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "journal")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if int(f.Fd()) != fd { // the kernel gives out the lowest free number
		if err := unix.Dup3(int(f.Fd()), fd, unix.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
	}
	return func() string {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
}

func writeAfterClose(t *testing.T, opener string) {
	p, _, path := pair(t, opener)
	fd := onlyDescriptor(t, path)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	journal := decoy(t, fd)
	if n, err := p.Write([]byte("receipt")); n != 0 || !errors.Is(err, drivers.ErrClosed) {
		t.Errorf("wrote %d, %v", n, err)
	}
	if got := journal(); got != "" {
		t.Errorf("the write went into another file: %q", got)
	}
}

func unplugged(t *testing.T, opener string) {
	p, far, _ := pair(t, opener)
	if err := far.Close(); err != nil {
		t.Fatal(err)
	}
	for name, err := range calls(p) {
		if !errors.Is(err, drivers.ErrUnplugged) || errors.Is(err, drivers.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
		if errors.Is(err, io.EOF) {
			t.Errorf("%s: %v: io.Copy takes that for success", name, err)
		}
	}
	if err := p.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func unpluggedInRead(t *testing.T, opener string) {
	p, far, _ := pair(t, opener)
	r := inBackground(func() (int, error) { return p.Read(make([]byte, 8)) })
	awaitBlocked(t, "port.(*Port).Read", "IO wait")
	if err := far.Close(); err != nil {
		t.Fatal(err)
	}
	wantResult(t, r, drivers.ErrUnplugged)
}

func unpluggedInWrite(t *testing.T, opener string) {
	p, far, _ := pair(t, opener)
	w := inBackground(func() (int, error) { return p.Write(megabyte()) })
	awaitBlocked(t, "port.(*Port).Write", "IO wait")
	if err := far.Close(); err != nil {
		t.Fatal(err)
	}
	if r := wantResult(t, w, drivers.ErrUnplugged); r.n == 0 || r.n == 1<<20 {
		t.Errorf("%d bytes are no partial write", r.n)
	}
}

func unpluggedThenClosed(t *testing.T, opener string) {
	p, far, path := pair(t, opener)
	if err := errors.Join(far.Close(), p.Close()); err != nil {
		t.Fatal(err)
	}
	for name, err := range calls(p) {
		if !errors.Is(err, drivers.ErrClosed) || errors.Is(err, drivers.ErrUnplugged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if fds := descriptors(t, path); len(fds) != 0 {
		t.Errorf("descriptors %v are still open", fds)
	}
}

func notInherited(t *testing.T, opener string) {
	_, path := newPTY(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(stop)
	// Children start in every phase of an Open, also while the library holds
	// its own descriptors without O_CLOEXEC.
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			p, err := port.Open(port.Options{Path: path, Opener: opener})
			if err != nil {
				// A fork holds the lock until its exec.
				if !errors.Is(err, drivers.ErrBusy) {
					t.Error(err)
					return
				}
				continue
			}
			p.Close()
		}
	})
	for range 20 {
		if fds := childDescriptors(t); slices.Contains(fds, path) {
			t.Fatalf("a child has the port open: %q", fds)
		}
	}
}

func oneHolder(t *testing.T, opener string) {
	p, _, path := pair(t, opener)
	for _, other := range []string{"bugst", "tarm"} {
		// flock is between open file descriptions: to the kernel a second one
		// of this process is no different from one of another process.
		q, err := port.Open(port.Options{Path: path, Opener: other})
		if !errors.Is(err, drivers.ErrBusy) {
			t.Errorf("second open by %s: %v, %v", other, q, err)
		}
		// Nor did it disturb the holder's line mode or leave anything behind.
		onlyDescriptor(t, path)
	}
	if got := childOpens(t, path); !strings.Contains(got, drivers.ErrBusy.Error()) {
		t.Errorf("another process: %s", got)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if got := childOpens(t, path); got != "opened" {
		t.Errorf("another process after Close: %s", got)
	}
	openPort(t, port.Options{Path: path, Opener: opener})
}

func highDescriptor(t *testing.T, opener string) {
	above1024(t)
	p, far, path := pair(t, opener)
	if fd := onlyDescriptor(t, path); fd < 1024 {
		t.Fatalf("descriptor is %d", fd)
	}
	if _, err := far.WriteString("x"); err != nil {
		t.Fatal(err)
	}
	if n, err := p.Read(make([]byte, 8)); n != 1 || err != nil {
		t.Error(n, err)
	}
	if n, err := p.Write([]byte("x")); n != 1 || err != nil {
		t.Error(n, err)
	}
}

// above1024 takes the low descriptors until the test ends.
func above1024(t *testing.T) {
	t.Helper()
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		if f.Fd() >= 1024 {
			return
		}
	}
}

const carriageReturn = '\r'

// linePair opens a port in line mode.
func linePair(t *testing.T, opener string) (*port.Port, *os.File) {
	t.Helper()
	far, path := newPTY(t)
	return openPort(t, port.Options{Path: path, Opener: opener, LineEnd: carriageReturn}), far
}

func lineMode(t *testing.T, opener string) {
	p, far := linePair(t, opener)
	const track = ";4111111111111111=30121010000000000000?"
	if _, err := far.WriteString(track); err != nil {
		t.Fatal(err)
	}
	var b [1]byte
	within(t, p, soon)
	if n, err := p.Read(b[:]); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("before the line's end: %d, %v", n, err)
	}
	within(t, p, patience)
	if _, err := far.WriteString("\r;next"); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for b[0] != carriageReturn {
		if n, err := p.Read(b[:]); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		got = append(got, b[0])
	}
	if string(got) != track+"\r" {
		t.Error("the line differs")
	}
	within(t, p, soon)
	if n, err := p.Read(b[:]); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the next line before its end: %d, %v", n, err)
	}
	nothingMore(t, far) // no echo: card data does not go back out
	if err := far.Close(); err != nil {
		t.Fatal(err)
	}
	within(t, p, patience)
	if _, err := p.Read(b[:]); !errors.Is(err, drivers.ErrUnplugged) {
		t.Errorf("unplugged in mid-line: %v", err)
	}
}

func lineModeBytes(t *testing.T, opener string) {
	p, far := linePair(t, opener)
	for _, c := range allBytes() {
		want := []byte{'a', c, 'b', carriageReturn}
		if _, err := far.Write(want); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(p, got); err != nil {
			t.Fatalf("%#x: %v", c, err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%#x: got %q, want %q", c, got, want)
		}
	}
	nothingMore(t, far)
	if _, err := p.Write([]byte("\n\r\x00")); err != nil {
		t.Fatal(err)
	}
	var out [3]byte
	if _, err := io.ReadFull(far, out[:]); err != nil || string(out[:]) != "\n\r\x00" {
		t.Errorf("output is %q, %v", out, err)
	}
}

// manyGoroutines finds data races (go test -race) and calls that never return.
func manyGoroutines(t *testing.T, opener string) {
	for range 5 {
		far, path := newPTY(t)
		p := openPort(t, port.Options{Path: path, Opener: opener})
		var wg sync.WaitGroup
		loop := func(f func() error) {
			wg.Go(func() {
				for ; ; runtime.Gosched() { // one processor may be all there is
					err := f()
					if errors.Is(err, drivers.ErrClosed) {
						return
					}
					if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, drivers.ErrUnsupported) {
						t.Error(err)
						return
					}
				}
			})
		}
		for range 2 {
			loop(func() error { _, err := p.Read(make([]byte, 16)); return err })
			loop(func() error { _, err := p.Write(make([]byte, 512)); return err })
		}
		loop(func() error { return p.SetReadDeadline(time.Now().Add(time.Millisecond)) })
		loop(func() error { return p.SetWriteDeadline(time.Now().Add(time.Millisecond)) })
		loop(func() error { return p.Drain(t.Context()) })
		loop(func() error { _, err := p.Lines(); return err })
		for range 50 {
			if err := far.SetDeadline(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			if _, err := far.Write([]byte("0123456789")); err != nil {
				t.Fatal(err)
			}
			if _, err := far.Read(make([]byte, 4096)); err != nil {
				t.Fatal(err)
			}
		}
		wg.Go(func() { p.Close() })
		p.Close()
		wg.Wait()
	}
}

func drainAndLines(t *testing.T, opener string) {
	p, far, _ := pair(t, opener)
	if _, err := p.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	// Written to a pseudo-terminal is delivered, read or not.
	if err := p.Drain(t.Context()); err != nil {
		t.Errorf("Drain: %v", err)
	}
	if n, err := far.Read(make([]byte, 2)); n != 1 || err != nil {
		t.Error(n, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Drain(ended); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Drain: %v", err)
	}
	if _, err := p.Lines(); !errors.Is(err, drivers.ErrUnsupported) {
		t.Errorf("Lines: %v", err)
	}
	if err := p.SetLines(drivers.LineRTS, 0); !errors.Is(err, drivers.ErrUnsupported) {
		t.Errorf("SetLines: %v", err)
	}
	if err := p.SetLines(drivers.LineCTS, 0); err == nil {
		t.Error("SetLines takes an input")
	}
	if err := p.SetLines(drivers.LineRTS, drivers.LineRTS); err == nil {
		t.Error("SetLines takes a line both ways")
	}
}

func openByLink(t *testing.T, opener string) {
	_, path := newPTY(t)
	link := filepath.Join(t.TempDir(), "scanner")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	p := openPort(t, port.Options{Path: link, Opener: opener, Baud: 38400})
	mode, err := unix.IoctlGetTermios(onlyDescriptor(t, path), unix.TCGETS2)
	if err != nil {
		t.Fatal(err)
	}
	if mode.Ospeed != 38400 || mode.Ispeed != 38400 {
		t.Errorf("speed is %d/%d", mode.Ispeed, mode.Ospeed)
	}
	// Errors name the path of the config, not the one behind it.
	p.Close()
	if _, err := p.Write(nil); err == nil || !strings.Contains(err.Error(), link) {
		t.Errorf("%v does not name %s", err, link)
	}
}

func openFails(t *testing.T, opener string) {
	_, tty := newPTY(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		o    port.Options
		want error // nil: any
	}{
		{"missing", port.Options{Path: filepath.Join(dir, "missing")}, fs.ErrNotExist},
		{"empty", port.Options{}, fs.ErrNotExist},
		{"a file", port.Options{Path: file}, drivers.ErrUnsupported},
		{"a directory", port.Options{Path: dir}, unix.EISDIR},
		{"null device", port.Options{Path: os.DevNull}, drivers.ErrUnsupported},
		{"negative speed", port.Options{Path: tty, Baud: -9600}, nil},
		{"too fast", port.Options{Path: tty, Baud: port.BaudMax + 1}, nil},
	} {
		c.o.Opener = opener
		p, err := port.Open(c.o)
		if err == nil || p != nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v; want %v", c.name, p, err, c.want)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "port: open ") {
			t.Errorf("%s: %q", c.name, err)
		}
		for _, path := range []string{tty, file, dir} {
			if fds := descriptors(t, path); len(fds) != 0 {
				t.Errorf("%s: descriptors %v are left open on %s", c.name, fds, path)
			}
		}
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "content" {
		t.Errorf("the file is now %q, %v", b, err)
	}
}

func TestUnknownOpener(t *testing.T) {
	_, tty := newPTY(t)
	if _, err := port.Open(port.Options{Path: tty, Opener: "other"}); err == nil {
		t.Error("opened")
	}
}

// TestXonXoff: the far end holds what is written, and its XOFF is no data.
func TestXonXoff(t *testing.T) {
	far, path := newPTY(t)
	p := openPort(t, port.Options{Path: path, Flow: port.FlowXonXoff})
	say := func(b ...byte) {
		t.Helper()
		if _, err := far.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	hear := func(within time.Duration) (string, error) {
		t.Helper()
		if err := far.SetReadDeadline(time.Now().Add(within)); err != nil {
			t.Fatal(err)
		}
		var b [16]byte
		n, err := far.Read(b[:])
		return string(b[:n]), err
	}
	say('a', 0x13, 'b')
	var b [16]byte
	if n, err := io.ReadFull(p, b[:2]); string(b[:n]) != "ab" || err != nil {
		t.Fatalf("read %q, %v", b[:n], err)
	}
	wrote := inBackground(func() (int, error) { return p.Write([]byte("held")) })
	if got, err := hear(soon); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after XOFF came %q, %v", got, err)
	}
	say(0x11)
	if got, err := hear(patience); got != "held" || err != nil {
		t.Errorf("after XON came %q, %v", got, err)
	}
	wantResult(t, wrote, nil)
	plain, far2, _ := pair(t, "")
	if _, err := far2.Write([]byte{0x13}); err != nil {
		t.Fatal(err)
	}
	if n, err := plain.Read(b[:]); n != 1 || b[0] != 0x13 || err != nil {
		t.Errorf("without flow control XOFF is data: %q, %v", b[:n], err)
	}
}
