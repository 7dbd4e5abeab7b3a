package printerport_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"regi/drivers"
	"regi/drivers/driverstest"
	"regi/drivers/printerport"
)

// echo takes every byte for an answer.
type echo struct {
	printerport.Tally

	got []byte
}

func (e *echo) Hear(b []byte, _ time.Duration) {
	for _, b := range b {
		switch {
		case b == '?':
			e.Noise++
		case e.Asked == 0:
			e.Extra++
		default:
			e.Asked--
			e.got = append(e.got, b)
		}
	}
}

func (e *echo) Count() *printerport.Tally { return &e.Tally }

// ask asks the device, which says what it was told to after a while.
func ask(t *testing.T, l *printerport.Line[*echo], say func()) (string, error) {
	t.Helper()
	got := ""
	err := l.Ask(t.Context(), printerport.Question[*echo]{
		Answers: 1,
		Begin:   func(e *echo) { e.got = nil },
		Send:    func(context.Context) (int, error) { say(); return 1, nil },
		End:     func(e *echo) { got = string(e.got) },
	})
	return got, err
}

// TestAskedByMany: each question has its own answer, whoever asks next.
func TestAskedByMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := driverstest.Pipe(t)
		l := printerport.New(near, &echo{})
		var asking sync.WaitGroup
		for n := range byte(8) {
			asking.Go(func() {
				for i := range byte(100) {
					want := string([]byte{'A' + n*100/8 + i/8})
					got, err := ask(t, l, func() { go far.Write([]byte(want)) }) //nolint:errcheck // a pipe
					if got != want || err != nil {
						t.Errorf("%q, want %q: %v", got, want, err)
					}
				}
			})
		}
		asking.Wait()
	})
}

// TestLateAnswer: an answer to the question before is not believed.
func TestLateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := driverstest.Pipe(t)
		l := printerport.New(near, &echo{})
		say := func(s string) func() {
			return func() { go far.Write([]byte(s)) } //nolint:errcheck // a pipe
		}
		if got, err := ask(t, l, say("a")); got != "a" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		if _, err := ask(t, l, func() {}); !errors.Is(err, drivers.ErrTimeout) || errors.Is(err, drivers.ErrFrame) {
			t.Errorf("silent: %v", err)
		}
		if _, err := ask(t, l, say("bc")); !errors.Is(err, drivers.ErrFrame) {
			t.Errorf("two answers to one question: %v", err)
		}
		if got, err := ask(t, l, say("d")); got != "d" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		if _, err := ask(t, l, say("?")); !errors.Is(err, drivers.ErrTimeout) || !errors.Is(err, drivers.ErrFrame) {
			t.Errorf("noise: %v", err)
		}
	})
}

// TestBlocked: a line that takes nothing says so soon, one that stops in a
// command later, and neither outlives its context.
func TestBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := driverstest.Pipe(t)
		l := printerport.New(near, &echo{})
		push := func(ctx context.Context) (int, time.Duration, error) {
			began := time.Now()
			n, err := l.Push(ctx, make([]byte, 1<<16))
			return n, time.Since(began), err
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if n, took, err := push(ctx); !errors.Is(err, drivers.ErrTimeout) || n == 0 && took > time.Second || n > 0 && took < printerport.StallMax {
			t.Errorf("%d bytes after %v: %v", n, took, err)
		}
		if n, took, err := push(ctx); n > 0 || !errors.Is(err, printerport.ErrBlocked) || took > time.Second {
			t.Errorf("%d bytes after %v: %v", n, took, err)
		}
		short, stop := context.WithTimeout(ctx, 100*time.Millisecond)
		defer stop()
		if n, took, err := push(short); n > 0 || !errors.Is(err, context.DeadlineExceeded) || took > 100*time.Millisecond {
			t.Errorf("%d bytes after %v: %v", n, took, err)
		}
		far.Close() //nolint:errcheck,gosec // a pipe
		if err := l.Pause(ctx, time.Now().Add(time.Minute)); !errors.Is(err, drivers.ErrUnplugged) {
			t.Errorf("%v", err)
		}
	})
}
