package port_test

import (
	"errors"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	tarm "github.com/tarm/serial"
	bugst "go.bug.st/serial"
	"golang.org/x/sys/unix"

	"regi/board/port"
)

// These tests show why there is a guard: they fail on the day a library no
// longer falls into the trap, and then the guard may shed a precaution.

func bareBugst(t testing.TB, path string) bugst.Port {
	t.Helper()
	p, err := bugst.Open(path, &bugst.Mode{BaudRate: port.BaudDefault})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func bareTarm(t *testing.T, path string, timeout time.Duration) *tarm.Port {
	t.Helper()
	p, err := tarm.OpenPort(&tarm.Config{Name: path, Baud: port.BaudDefault, ReadTimeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestBareLibraryWriteAfterClose(t *testing.T) {
	_, path := newPTY(t)
	p := bareBugst(t, path)
	fd := onlyDescriptor(t, path)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	journal := decoy(t, fd)
	n, err := p.Write([]byte("receipt"))
	if n != len("receipt") || err != nil || journal() != "receipt" {
		t.Errorf("bugst is cured: wrote %d, %v; the other file holds %q", n, err, journal())
	}

	_, path = newPTY(t)
	q := bareTarm(t, path, 0)
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Write([]byte("receipt")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("tarm: %v", err)
	}
}

func TestBareLibraryInherited(t *testing.T) {
	for _, c := range []struct {
		name string
		open func(path string) io.Closer
		want bool
	}{
		{"bugst", func(path string) io.Closer { return bareBugst(t, path) }, true},
		{"tarm", func(path string) io.Closer { return bareTarm(t, path, 0) }, false},
	} {
		_, path := newPTY(t)
		p := c.open(path)
		if got := slices.Contains(childDescriptors(t), path); got != c.want {
			t.Errorf("%s: a child has the port open: %t, was %t", c.name, got, c.want)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestBareLibraryHighDescriptor(t *testing.T) {
	above1024(t)
	far, path := newPTY(t)
	p := bareBugst(t, path)
	if _, err := far.WriteString("x"); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("bugst is cured: Read did not panic")
		}
	}()
	p.Read(make([]byte, 8))
}

func TestBareLibraryBlockedWrite(t *testing.T) {
	far, path := newPTY(t)
	p := bareBugst(t, path)
	w := inBackground(func() (int, error) { return p.Write(megabyte()) })
	awaitBlocked(t, "unixPort).Write", "syscall")
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case r := <-w:
		t.Errorf("bugst is cured: Close ended the Write with %d, %v", r.n, r.err)
	case <-time.After(10 * soon):
	}
	if err := far.Close(); err != nil { // lets the thread go
		t.Fatal(err)
	}
	select {
	case <-w:
	case <-time.After(patience):
		t.Error("not even unplugging ends it")
	}
}

// TestBareLibraryUnplugged: neither library tells an unplugged device from
// something harmless.
func TestBareLibraryUnplugged(t *testing.T) {
	far, path := newPTY(t)
	p := bareBugst(t, path)
	if err := far.Close(); err != nil {
		t.Fatal(err)
	}
	_, unplugged := p.Read(make([]byte, 8))
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	_, closed := p.Read(make([]byte, 8))
	if unplugged == nil || closed == nil || unplugged.Error() != closed.Error() {
		t.Errorf("bugst is cured: unplugged %v, closed %v", unplugged, closed)
	}

	far, path = newPTY(t)
	q := bareTarm(t, path, 100*time.Millisecond) // its shortest
	defer q.Close()
	_, timeout := q.Read(make([]byte, 8))
	if err := far.Close(); err != nil {
		t.Fatal(err)
	}
	_, gone := q.Read(make([]byte, 8))
	if !errors.Is(timeout, io.EOF) || !errors.Is(gone, io.EOF) {
		t.Errorf("tarm is cured: time-out %v, unplugged %v", timeout, gone)
	}
}

// TestBareLibraryClosePending: tarm's Close waits for the Read that it should end.
func TestBareLibraryClosePending(t *testing.T) {
	far, path := newPTY(t)
	p := bareTarm(t, path, 0)
	r := inBackground(func() (int, error) { return p.Read(make([]byte, 8)) })
	awaitBlocked(t, "tarm/serial.(*Port).Read", "syscall")
	c := inBackground(func() (int, error) { return 0, p.Close() })
	select {
	case <-c:
		t.Error("tarm is cured: Close did not wait for the Read")
	case <-time.After(10 * soon):
	}
	if err := far.Close(); err != nil { // ends the Read, and Close after it
		t.Fatal(err)
	}
	for _, ended := range []<-chan result{r, c} {
		select {
		case <-ended:
		case <-time.After(patience):
			t.Fatal("not even unplugging ends it")
		}
	}
}

func readMode(t *testing.T, path string) unix.Termios {
	t.Helper()
	mode, err := unix.IoctlGetTermios(onlyDescriptor(t, path), unix.TCGETS2)
	if err != nil {
		t.Fatal(err)
	}
	return *mode
}

// TestModes: the libraries leave different modes behind, the guard does not.
func TestModes(t *testing.T) {
	_, path := newPTY(t)
	p := bareBugst(t, path)
	viaBugst := readMode(t, path)
	p.Close()
	_, path = newPTY(t)
	q := bareTarm(t, path, 0)
	viaTarm := readMode(t, path)
	q.Close()
	if viaBugst.Iflag&unix.IGNPAR != 0 || viaTarm.Iflag&unix.IGNPAR == 0 {
		t.Errorf("broken bytes: bugst delivered them and tarm dropped them; now %#x, %#x", viaBugst.Iflag, viaTarm.Iflag)
	}
	if viaBugst.Cc == viaTarm.Cc {
		t.Error("special characters: bugst kept them and tarm cleared them; now they agree")
	}

	var modes []unix.Termios
	for _, opener := range []string{"", "bugst", "tarm"} {
		_, path := newPTY(t)
		openPort(t, port.Options{Path: path, Opener: opener})
		modes = append(modes, readMode(t, path))
	}
	if modes[0] != modes[1] || modes[1] != modes[2] {
		t.Errorf("guarded modes differ: %+v", modes)
	}
}

// TestSpeeds: the one difference left behind the guard.
func TestSpeeds(t *testing.T) {
	for _, c := range []struct {
		opener string
		baud   int
		ok     bool
	}{
		{"bugst", 0, true},
		{"bugst", 9600, true},
		{"bugst", 115200, true},
		{"bugst", 12345, true},
		{"tarm", 0, true},
		{"tarm", 9600, true},
		{"tarm", 115200, true},
		{"tarm", 12345, false},
	} {
		_, path := newPTY(t)
		p, err := port.Open(port.Options{Path: path, Opener: c.opener, Baud: c.baud})
		if (err == nil) != c.ok {
			t.Errorf("%s at %d: %v", c.opener, c.baud, err)
		}
		if err != nil {
			continue
		}
		if c.baud == 0 {
			c.baud = port.BaudDefault
		}
		if got := readMode(t, path).Ospeed; int(got) != c.baud {
			t.Errorf("%s: %d bit/s, want %d", c.opener, got, c.baud)
		}
		p.Close()
	}
}
