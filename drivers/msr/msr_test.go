package msr_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regi/drivers"
	"regi/drivers/msr"
)

// wire is a port over one end of a net.Pipe.
type wire struct{ net.Conn }

func (w wire) Drain(context.Context) error       { return nil }
func (w wire) Lines() (drivers.Lines, error)     { return 0, drivers.ErrUnsupported }
func (w wire) SetLines(_, _ drivers.Lines) error { return drivers.ErrUnsupported }
func (w wire) String() string                    { return "wire" }

// SetReadDeadline leaves it to Read to say that the far end is gone.
func (w wire) SetReadDeadline(t time.Time) error {
	if err := w.Conn.SetReadDeadline(t); !errors.Is(err, io.ErrClosedPipe) {
		return err
	}
	return nil
}

func pipe(t *testing.T) (drivers.Port, net.Conn) {
	near, far := net.Pipe()
	t.Cleanup(func() {
		near.Close() //nolint:errcheck,gosec // the test is over
		far.Close()  //nolint:errcheck,gosec // the test is over
	})
	return wire{near}, far
}

// swipe reads bytes until the reader says otherwise.
func swipe(ctx context.Context, r *msr.Reader) (string, error) {
	var got strings.Builder
	var b [1]byte
	for {
		if err := r.Read(ctx, b[:]); err != nil {
			return got.String(), err
		}
		got.WriteByte(b[0])
	}
}

func send(t *testing.T, w io.Writer, s string) {
	t.Helper()
	if _, err := io.WriteString(w, s); err != nil {
		t.Error(err)
	}
}

func TestSwipes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		port, far := pipe(t)
		r := msr.New(port, msr.Options{})
		// Empty lines and the line feeds of a reader that sends both are skipped.
		go send(t, far, "\r\n;1=?\r\n\r\r;2=?8\r")
		for _, want := range []string{";1=?", ";2=?8"} {
			if got, err := swipe(t.Context(), r); got != want || !errors.Is(err, msr.ErrEnd) {
				t.Errorf("%q, %v", got, err)
			}
		}
	})
}

func TestSwipeStopsInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		port, far := pipe(t)
		r := msr.New(port, msr.Options{})
		go func() {
			time.Sleep(time.Hour) // before the first byte there is no limit
			send(t, far, ";123")
			time.Sleep(msr.GapDefault - time.Millisecond) // nor is there one in all
			send(t, far, "4")
		}()
		began := time.Now()
		got, err := swipe(t.Context(), r)
		if got != ";1234" || !errors.Is(err, drivers.ErrTimeout) {
			t.Errorf("%q, %v", got, err)
		}
		if took := time.Since(began) - time.Hour; took != 2*msr.GapDefault-time.Millisecond {
			t.Errorf("took %v after the first byte", took)
		}
		go send(t, far, "%A?\r")
		if got, err := swipe(t.Context(), r); got != "%A?" || !errors.Is(err, msr.ErrEnd) {
			t.Errorf("next swipe: %q, %v", got, err)
		}
	})
}

func TestContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		port, far := pipe(t)
		r := msr.New(port, msr.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		if _, err := swipe(ctx, r); !errors.Is(err, context.Canceled) {
			t.Errorf("waiting: %v", err)
		}
		// The port goes on working for the next reader.
		go send(t, far, ";1=?\r")
		if got, err := swipe(t.Context(), r); got != ";1=?" || !errors.Is(err, msr.ErrEnd) {
			t.Errorf("afterwards: %q, %v", got, err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		go send(t, far, ";")
		var b [1]byte
		if err := r.Read(ctx, b[:]); err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := r.Read(ctx, b[:]); !errors.Is(err, context.Canceled) || b[0] != 0 {
			t.Errorf("within a swipe: %v, byte %q", err, b)
		}
	})
}

func TestUnplugged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		port, far := pipe(t)
		r := msr.New(port, msr.Options{})
		go func() {
			send(t, far, ";12")
			far.Close() //nolint:errcheck,gosec // unplugged
		}()
		// The end of the input ends the swipe, then the reader is gone.
		if got, err := swipe(t.Context(), r); got != ";12" || !errors.Is(err, msr.ErrEnd) {
			t.Errorf("%q, %v", got, err)
		}
		if _, err := swipe(t.Context(), r); !errors.Is(err, drivers.ErrUnplugged) {
			t.Error(err)
		}
	})
}

// broken is a port that fails in one way.
type broken struct {
	wire
	n   int
	err error
}

func (b broken) Read([]byte) (int, error)        { return b.n, b.err }
func (b broken) SetReadDeadline(time.Time) error { return nil }

func TestErrors(t *testing.T) {
	for name, c := range map[string]struct{ port, want error }{
		"unplugged":        {drivers.ErrUnplugged, drivers.ErrUnplugged},
		"closed":           {drivers.ErrClosed, drivers.ErrClosed},
		"reads of no byte": {nil, io.ErrNoProgress},
	} {
		b := []byte{7}
		r := msr.New(broken{err: c.port}, msr.Options{})
		if err := r.Read(t.Context(), b); !errors.Is(err, c.want) || b[0] != 0 {
			t.Errorf("%s: %v, byte %d", name, err, b[0])
		}
	}
	r := msr.New(broken{}, msr.Options{})
	for _, n := range []int{0, 2, 512} {
		if err := r.Read(t.Context(), make([]byte, n)); err == nil {
			t.Errorf("a read of %d bytes at a time", n)
		}
	}
}
