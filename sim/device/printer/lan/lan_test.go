package lan_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"regi/sim/device/printer/lan"
)

func listen(t *testing.T) *lan.Wire {
	t.Helper()
	w, err := lan.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return w
}

func dial(t *testing.T, w *lan.Wire) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", w.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestOneAtATime: the second register waits for the first to go, and the wire
// goes on.
func TestOneAtATime(t *testing.T) {
	w := listen(t)
	if _, err := w.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a write to nobody: %v", err)
	}
	first := dial(t, w)
	if _, err := first.Write([]byte("one")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 16)
	if n, err := w.Read(b); err != nil || string(b[:n]) != "one" {
		t.Fatalf("%q %v", b[:n], err)
	}
	second := dial(t, w)
	if _, err := second.Write([]byte("two")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(first, b[:5]); err != nil || string(b[:5]) != "hello" {
		t.Errorf("the first hears %q %v", b[:5], err)
	}
	first.Close()
	if n, err := w.Read(b); err != nil || string(b[:n]) != "two" {
		t.Errorf("after the first: %q %v", b[:n], err)
	}
}

func TestDeadlineAndClose(t *testing.T) {
	w := listen(t)
	soon := func(what string) {
		t.Helper()
		if err := w.SetReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("at the deadline, %s: %v", what, err)
		}
		if err := w.SetReadDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	soon("nobody connected")
	c := dial(t, w)
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	soon("somebody connected")
	w.Close()
	if _, err := w.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}
