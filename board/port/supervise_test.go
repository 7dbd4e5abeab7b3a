package port_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"regi/board/port"
	"regi/drivers"
)

// stub is a port whose Read blocks until Close.
type stub struct {
	drivers.Port
	closed chan struct{}
	once   sync.Once
}

func newStub() *stub { return &stub{closed: make(chan struct{})} }

func (s *stub) Read([]byte) (int, error) {
	<-s.closed
	return 0, drivers.ErrClosed
}

func (s *stub) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

// log collects what Supervise reports and when it opens.
type log struct {
	start  time.Time
	opens  []time.Duration
	states []string
}

func (l *log) open(p drivers.Port, err error) (drivers.Port, error) {
	l.opens = append(l.opens, time.Since(l.start))
	return p, err
}

func (l *log) state(up bool, err error) {
	l.states = append(l.states, fmt.Sprintf("%v %t %v", time.Since(l.start), up, err))
}

func (l *log) want(t *testing.T, opens []time.Duration, states []string) {
	t.Helper()
	if !slices.Equal(l.opens, opens) {
		t.Errorf("opened at %v, want %v", l.opens, opens)
	}
	if !slices.Equal(l.states, states) {
		t.Errorf("states %q, want %q", l.states, states)
	}
}

const ms = time.Millisecond

func TestSuperviseBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		l := log{start: time.Now()}
		err := port.Supervise(ctx, port.Device{
			Open:  func() (drivers.Port, error) { return l.open(nil, drivers.ErrUnplugged) },
			Use:   func(context.Context, drivers.Port) error { t.Error("used"); return nil },
			State: l.state,
		})
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, drivers.ErrUnplugged) {
			t.Errorf("returned %v", err)
		}
		l.want(t,
			[]time.Duration{0, 100 * ms, 300 * ms, 700 * ms, 1500 * ms, 3100 * ms, 5100 * ms, 7100 * ms},
			[]string{"0s false unplugged"})
	})
}

func TestSuperviseReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		l := log{start: time.Now()}
		lasts := []time.Duration{0, 0, 10 * ms, port.BackOffMax, 0, time.Hour}
		var ports []*stub
		err := port.Supervise(ctx, port.Device{
			Open: func() (drivers.Port, error) {
				ports = append(ports, newStub())
				return l.open(ports[len(ports)-1], nil)
			},
			Use: func(ctx context.Context, _ drivers.Port) error {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(lasts[len(ports)-1]):
					return drivers.ErrUnplugged
				}
			},
			State: l.state,
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("returned %v", err)
		}
		l.want(t,
			// Pauses of 100, 200, 400, then after a use of 2 s 100 and 200.
			[]time.Duration{0, 100 * ms, 300 * ms, 710 * ms, 2810 * ms, 3010 * ms},
			[]string{
				"0s true <nil>", "0s false unplugged",
				"100ms true <nil>", "100ms false unplugged",
				"300ms true <nil>", "310ms false unplugged",
				"710ms true <nil>", "2.71s false unplugged",
				"2.81s true <nil>", "2.81s false unplugged",
				"3.01s true <nil>", // and no "down" because ctx ended
			})
		for i, p := range ports {
			select {
			case <-p.closed:
			default:
				t.Errorf("port %d was not closed", i)
			}
		}
	})
}

func TestSuperviseReasons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1*time.Second)
		defer cancel()
		l := log{start: time.Now()}
		reasons := []error{os.ErrNotExist, os.ErrNotExist, drivers.ErrBusy, drivers.ErrBusy}
		err := port.Supervise(ctx, port.Device{
			Open:  func() (drivers.Port, error) { return l.open(nil, reasons[len(l.opens)]) },
			Use:   nil,
			State: l.state,
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("returned %v", err)
		}
		l.want(t, []time.Duration{0, 100 * ms, 300 * ms, 700 * ms},
			[]string{"0s false file does not exist", "300ms false in use by another process"})
	})
}

func TestSuperviseEndsBlockedUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		l := log{start: time.Now()}
		err := port.Supervise(ctx, port.Device{
			Open: func() (drivers.Port, error) { return l.open(newStub(), nil) },
			Use: func(_ context.Context, p drivers.Port) error {
				_, err := p.Read(nil) // deaf to ctx
				return err
			},
			State: l.state,
		})
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, drivers.ErrClosed) {
			t.Errorf("returned %v", err)
		}
		l.want(t, []time.Duration{0}, []string{"0s true <nil>"})
	})
}

func TestSuperviseEndedBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := port.Supervise(ctx, port.Device{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("returned %v", err)
	}
}

// TestSuperviseReplug runs the real thing: plugged in late, pulled, plugged in
// again as another terminal behind the same link.
func TestSuperviseReplug(t *testing.T) {
	link := filepath.Join(t.TempDir(), "scanner")
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	read := make(chan byte)
	states := make(chan error, 8)
	done := make(chan error, 1)
	go func() {
		done <- port.Supervise(ctx, port.Device{
			Open: func() (drivers.Port, error) { return port.Open(port.Options{Path: link}) },
			Use: func(_ context.Context, p drivers.Port) error {
				var b [1]byte
				for {
					if _, err := p.Read(b[:]); err != nil {
						return err
					}
					read <- b[0]
				}
			},
			State: func(_ bool, err error) { states <- err },
		})
	}()
	if err := <-states; !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("not plugged in yet: %v", err)
	}
	for _, char := range []byte("12") {
		far, path := newPTY(t)
		if err := os.Symlink(path, link); err != nil {
			t.Fatal(err)
		}
		if err := <-states; err != nil {
			t.Fatalf("plugged in: %v", err)
		}
		if _, err := far.Write([]byte{char}); err != nil {
			t.Fatal(err)
		}
		if got := <-read; got != char {
			t.Errorf("read %q, want %q", got, char)
		}
		if err := errors.Join(os.Remove(link), far.Close()); err != nil {
			t.Fatal(err)
		}
		if err := <-states; !errors.Is(err, drivers.ErrUnplugged) {
			t.Fatalf("pulled: %v", err)
		}
		if err := <-states; !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("away: %v", err)
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("returned %v", err)
	}
}

// A device that is plugged in is opened at once, and again soon: its link and
// its rights may come a moment later.
func TestSupervisePlugged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
		defer cancel()
		l := log{start: time.Now()}
		var mu sync.Mutex
		plugged := make(chan struct{})
		time.AfterFunc(8*time.Second, func() {
			mu.Lock()
			defer mu.Unlock()
			close(plugged)
			plugged = nil
		})
		port.Supervise(ctx, port.Device{ //nolint:errcheck // the context's end
			Open:  func() (drivers.Port, error) { return l.open(nil, drivers.ErrUnplugged) },
			State: l.state,
			Plugged: func() <-chan struct{} {
				mu.Lock()
				defer mu.Unlock()
				return plugged
			},
		})
		l.want(t,
			[]time.Duration{
				0, 100 * ms, 300 * ms, 700 * ms, 1500 * ms, 3100 * ms, 5100 * ms, 7100 * ms,
				8000 * ms, 8100 * ms, 8300 * ms, 8700 * ms, 9500 * ms, 11100 * ms,
			},
			[]string{"0s false unplugged"})
	})
}
