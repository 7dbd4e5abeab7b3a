package coil_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"regi/drivers"
	"regi/firmware/coil"
)

// lines is a drawer whose answers are given.
type lines struct {
	pulses []time.Duration
	err    error
	takes  time.Duration
	open   bool
	opened bool
}

func (l *lines) Pulse(_ context.Context, on time.Duration) error {
	l.pulses = append(l.pulses, on)
	time.Sleep(l.takes)
	return l.err
}
func (l *lines) Open() bool   { return l.open }
func (l *lines) Opened() bool { return l.opened }

func pair(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs = os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
	t.Cleanup(func() { _ = ours.Close(); _ = theirs.Close() })
	return ours, theirs
}

// served is a register's end, and how the other end ends.
func served(t *testing.T, l *lines) (*coil.Conn, func(), chan error) {
	t.Helper()
	ours, theirs := pair(t)
	ended := make(chan error, 1)
	go func() { ended <- coil.Serve(theirs, l) }()
	return coil.NewConn(ours).Patient(), func() { _ = ours.Close() }, ended
}

func TestTalk(t *testing.T) {
	l := &lines{open: true}
	c, hangUp, ended := served(t, l)
	ctx := t.Context()
	if err := c.Pulse(ctx, 123*time.Millisecond); err != nil || len(l.pulses) != 1 || l.pulses[0] != 123*time.Millisecond {
		t.Errorf("%v, %v", err, l.pulses)
	}
	if open, err := c.Switch(ctx); err != nil || !open {
		t.Errorf("open: %v, %v", open, err)
	}
	if open, err := c.Opened(ctx); err != nil || open {
		t.Errorf("opened: %v, %v", open, err)
	}
	for _, on := range []time.Duration{-1, 0, time.Millisecond - 1, 511 * time.Millisecond, time.Hour} {
		if err := c.Pulse(ctx, on); !errors.Is(err, drivers.ErrUnsupported) {
			t.Errorf("%v: %v", on, err)
		}
	}
	for _, want := range []error{drivers.ErrDuty, drivers.ErrUnsupported} {
		l.err = fmt.Errorf("drawer: %w", want)
		if err := c.Pulse(ctx, time.Millisecond); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	hangUp()
	if err := <-ended; err != nil {
		t.Errorf("the register's end: %v", err)
	}
	if _, err := c.Switch(ctx); !errors.Is(err, drivers.ErrUnplugged) {
		t.Errorf("after the end: %v", err)
	}
}

// TestCoilMayBeOn: then the process ends, and the register knows.
func TestCoilMayBeOn(t *testing.T) {
	for name, fault := range map[string]error{"overrun": drivers.ErrTimeout, "line": errors.New("EIO")} {
		c, _, ended := served(t, &lines{err: fault})
		if err := c.Pulse(t.Context(), time.Millisecond); !errors.Is(err, drivers.ErrUnplugged) {
			t.Errorf("%s: %v", name, err)
		}
		if err := <-ended; !errors.Is(err, fault) {
			t.Errorf("%s: it ends with %v", name, err)
		}
	}
}

// TestNoAnswer: a process that hangs is found out while its coil may still be on.
func TestNoAnswer(t *testing.T) {
	ours, theirs := pair(t)
	c := coil.NewConn(ours)
	began := time.Now()
	err := c.Pulse(t.Context(), 50*time.Millisecond)
	if took := time.Since(began); !errors.Is(err, drivers.ErrUnplugged) || took < 50*time.Millisecond || took > 30*time.Second {
		t.Errorf("%v after %v", err, took)
	}
	if _, err := theirs.Read(make([]byte, 8)); err != nil {
		t.Error(err)
	}
	if n, err := theirs.Read(make([]byte, 8)); n != 0 || err != nil && !errors.Is(err, io.EOF) {
		t.Errorf("the link is not closed: %d, %v", n, err)
	}
}

func TestContextEnds(t *testing.T) {
	ours, _ := pair(t)
	c := coil.NewConn(ours)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if err := c.Pulse(ctx, 500*time.Millisecond); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := c.Pulse(ctx, time.Millisecond); !errors.Is(err, context.Canceled) {
		t.Errorf("afterwards: %v", err)
	}
}

// TestManyAsk: the answers of several askers are not mixed up.
func TestManyAsk(t *testing.T) {
	c, _, _ := served(t, &lines{open: true})
	ended := make(chan error)
	for i := range 16 {
		go func() {
			for range 50 {
				ask, want := c.Switch, true
				if i%2 == 0 {
					ask, want = c.Opened, false
				}
				if open, err := ask(t.Context()); err != nil || open != want {
					ended <- fmt.Errorf("open %v, want %v: %w", open, want, err)
					return
				}
			}
			ended <- nil
		}()
	}
	for range 16 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// packets is a link on which packets were given.
type packets struct {
	in  [][]byte
	out bytes.Buffer
}

func (p *packets) Read(b []byte) (int, error) {
	if len(p.in) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.in[0])
	p.in = p.in[1:]
	return n, nil
}

func (p *packets) Write(b []byte) (int, error) { return p.out.Write(b) }

// FuzzServe: whatever comes, only a whole request for a pulse is one, and each
// answer is one.
func FuzzServe(f *testing.F) {
	f.Add([]byte{'P', 100, 0}, []byte{'S', 0, 0})
	f.Add([]byte{'P', 100, 0, 0}, []byte{'O', 0, 0})
	f.Add([]byte{'P', 100}, []byte{})
	f.Add([]byte{'Q', 1, 0}, []byte{'P', 255, 255})
	f.Fuzz(func(t *testing.T, one, two []byte) {
		l := &lines{}
		link := &packets{in: [][]byte{one, two}}
		err := coil.Serve(link, l)
		want, answers := []time.Duration(nil), 0
		for _, p := range [][]byte{one, two} {
			if len(p) != 3 || p[0] != 'P' && p[0] != 'S' && p[0] != 'O' {
				break
			}
			answers++
			if p[0] == 'P' {
				want = append(want, time.Duration(int(p[1])|int(p[2])<<8)*time.Millisecond)
			}
		}
		if fmt.Sprint(l.pulses) != fmt.Sprint(want) || link.out.Len() != 2*answers {
			t.Errorf("pulses %v, want %v; %d bytes of answer, %v", l.pulses, want, link.out.Len(), err)
		}
	})
}

// FuzzAnswer: an answer that is none ends the link.
func FuzzAnswer(f *testing.F) {
	for _, b := range [][]byte{{0, 0}, {0, 1}, {1, 0}, {4, 1}, {5, 0}, {0, 2}, {0}, {0, 0, 0}} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 || len(b) > 64 {
			return
		}
		ours, theirs := pair(t)
		if _, err := theirs.Write(b); err != nil {
			t.Fatal(err)
		}
		open, err := coil.NewConn(ours).Switch(t.Context())
		sound := len(b) == 2 && b[0] <= 4 && b[1] <= 1
		if sound && b[0] == 0 {
			if err != nil || open != (b[1] == 1) {
				t.Errorf("%v: %v, %v", b, open, err)
			}
			return
		}
		if err == nil || open || !sound && !errors.Is(err, drivers.ErrUnplugged) {
			t.Errorf("%v: %v, %v", b, open, err)
		}
	})
}
