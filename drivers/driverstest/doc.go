// Package driverstest holds the conformance suites of the contracts in package
// drivers: what every scanner, keypad, display, printer and drawer must do,
// whatever its make, seen from the device's end of the wire.
//
// A suite plays the device. It runs over a [Pipe] under testing/synctest, where
// time is exact and costs nothing, and again over a [PTY], where the kernel is
// the real one:
//
//	driverstest.Keypad(t, driverstest.Simulated(), keypadUnderTest)
//	driverstest.Keypad(t, driverstest.Kernel(open), keypadUnderTest)
package driverstest

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"regi/drivers"
)

// patience bounds every wait for what must happen.
const patience = 10 * time.Second

// Wires are the lines that a suite runs over.
type Wires struct {
	// Connect returns a fresh port and the device's end of it. Both are closed
	// when the test ends.
	Connect func(t *testing.T) (near drivers.Port, far io.ReadWriteCloser)
	// Run runs one test of the suite.
	Run func(t *testing.T, test func(t *testing.T))
	// Real is set if time is: then a suite keeps its distance from time limits.
	Real bool
}

// Simulated wires are pipes in a bubble of simulated time.
func Simulated() Wires {
	return Wires{
		Connect: func(t *testing.T) (drivers.Port, io.ReadWriteCloser) {
			near, far := Pipe(t)
			return near, far
		},
		Run: func(t *testing.T, test func(t *testing.T)) { synctest.Test(t, test) },
	}
}

// Kernel wires are pseudo-terminals, whose near end open opens.
func Kernel(open func(path string) (drivers.Port, error)) Wires {
	return Wires{
		Connect: func(t *testing.T) (drivers.Port, io.ReadWriteCloser) { return PTY(t, open) },
		Run:     func(t *testing.T, test func(t *testing.T)) { test(t) },
		Real:    true,
	}
}

// each runs the tests of a suite one by one.
func (w Wires) each(t *testing.T, tests []suiteTest) {
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { w.Run(t, test.run) })
	}
}

type suiteTest struct {
	name string
	run  func(*testing.T)
}

// send lets the device send b, at the pace at which the driver reads.
func send(t *testing.T, far io.Writer, b []byte) {
	t.Helper()
	go func() {
		if _, err := far.Write(b); err != nil && t.Context().Err() == nil {
			t.Errorf("the device could not send: %v", err)
		}
	}()
}

// blocking is a driver's method that waits for the device.
type blocking func(context.Context) error

// ends checks how a blocked call ends: by its context, by Close, by unplugging.
// setUp returns a call that the device will not answer.
func (w Wires) ends(setUp func(near drivers.Port) blocking) []suiteTest {
	return []suiteTest{
		{"ctx is cancelled", func(t *testing.T) {
			near, _ := w.Connect(t)
			call := setUp(near)
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(w.soon(), cancel)
			began := time.Now()
			if err := bounded(t, ctx, call); !errors.Is(err, context.Canceled) {
				t.Errorf("waiting: %v, want context.Canceled", err)
			}
			if took := time.Since(began); !w.Real && took != w.soon() {
				t.Errorf("took %v to notice, ctx ended after %v", took, w.soon())
			}
			if err := bounded(t, ctx, call); !errors.Is(err, context.Canceled) {
				t.Errorf("ended before the call: %v, want context.Canceled", err)
			}
		}},
		{"ctx has a deadline", func(t *testing.T) {
			near, _ := w.Connect(t)
			call := setUp(near)
			ctx, cancel := context.WithTimeout(t.Context(), w.soon())
			defer cancel()
			if err := bounded(t, ctx, call); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v, want context.DeadlineExceeded", err)
			}
		}},
		{"port is closed", func(t *testing.T) {
			near, _ := w.Connect(t)
			call := setUp(near)
			time.AfterFunc(w.soon(), func() { closeAll(t, near) })
			for range 2 { // blocked, and afterwards
				if err := bounded(t, t.Context(), call); !errors.Is(err, drivers.ErrClosed) {
					t.Errorf("%v, want drivers.ErrClosed", err)
				}
			}
		}},
		{"device is unplugged", func(t *testing.T) {
			near, far := w.Connect(t)
			call := setUp(near)
			time.AfterFunc(w.soon(), func() { closeAll(t, far) })
			for range 2 {
				if err := bounded(t, t.Context(), call); !errors.Is(err, drivers.ErrUnplugged) {
					t.Errorf("%v, want drivers.ErrUnplugged", err)
				}
			}
		}},
	}
}

// soon is when something happens to a blocked call: before it gives up by
// itself, and in real time long enough for it to block.
func (w Wires) soon() time.Duration {
	if w.Real {
		return 30 * time.Millisecond
	}
	return 150 * time.Millisecond
}

// bounded fails the test, rather than hanging, if call ignores its context.
func bounded(t *testing.T, ctx context.Context, call blocking) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- call(ctx) }()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		t.Fatalf("still blocked after %v", patience)
		return nil
	}
}

func closeAll(t *testing.T, c io.Closer) {
	if err := c.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}
