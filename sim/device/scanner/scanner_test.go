package scanner_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"regi/sim/device/scanner"
	"regi/sim/wire"
)

// counter is a scanner on a wire, and the register's end of it.
func counter(t *testing.T) (*scanner.Scanner, *wire.TTY, *os.File) {
	t.Helper()
	link := filepath.Join(t.TempDir(), "scanner")
	tty, err := wire.Open(link)
	if err != nil {
		t.Fatal(err)
	}
	register, err := os.OpenFile(link, os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		register.Close() //nolint:errcheck,gosec // the test is over
		tty.Close()      //nolint:errcheck,gosec // the test is over
	})
	return scanner.New(tty), tty, register
}

func soon(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestFrames(t *testing.T) {
	s, _, register := counter(t)
	for _, c := range []struct{ name, data, aim, want string }{
		{"plain", "4901234567894", "", "4901234567894\r"},
		{"with identifier", "4901234567894", "]E0", "]E04901234567894\r"},
		{"empty", "", "", "\r"},
		{"control bytes", "49\x1b@\x10\x14\x01\x00\x03\x1a\x00\xff\r\n", "", "49\x1b@\x10\x14\x01\x00\x03\x1a\x00\xff\r\n\r"},
		{"10 kB", strings.Repeat("4", 10_000), "", strings.Repeat("4", 10_000) + "\r"},
		{"the longest", strings.Repeat("4", scanner.DataMax), "", strings.Repeat("4", scanner.DataMax) + "\r"},
	} {
		got := make(chan []byte, 1)
		go func() {
			b := make([]byte, len(c.want))
			n, _ := io.ReadFull(register, b) //nolint:errcheck // what came is compared
			got <- b[:n]
		}()
		if err := s.Scan(t.Context(), c.data, c.aim); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if b := <-got; string(b) != c.want {
			t.Errorf("%s: the register read %d bytes %.40q, want %d", c.name, len(b), b, len(c.want))
		}
	}
}

// TestScanReturnsWhenRead: not before.
func TestScanReturnsWhenRead(t *testing.T) {
	s, tty, register := counter(t)
	done := make(chan error, 1)
	go func() { done <- s.Scan(t.Context(), "49012345", "") }()
	for n := 0; n < 9; {
		var err error
		if n, err = tty.Unread(); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := register.Read(make([]byte, 8)); n != 8 || err != nil {
		t.Fatal(n, err)
	}
	select {
	case err := <-done:
		t.Fatalf("returned %v with the suffix unread", err)
	case <-time.After(10 * time.Millisecond):
	}
	if _, err := register.Read(make([]byte, 8)); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestErrorsSayWhy(t *testing.T) {
	s, tty, _ := counter(t)
	err := s.Scan(soon(t, 20*time.Millisecond), "49012345", "")
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "did not read") {
		t.Errorf("unread: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Scan(soon(t, 30*time.Second), "49012345", "") }()
	for n := 0; n < 18; { // the scan before, and this one
		if n, err = tty.Unread(); err != nil {
			t.Fatal(err)
		}
	}
	if err := tty.Unplug(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, wire.ErrUnplugged) {
		t.Errorf("pulled while it waited: %v", err)
	}
	if err := s.Scan(t.Context(), "49012345", ""); !errors.Is(err, wire.ErrUnplugged) {
		t.Errorf("pulled before: %v", err)
	}
	for _, c := range []struct{ data, aim string }{
		{strings.Repeat("4", scanner.DataMax+1), ""}, {"4", strings.Repeat("]", scanner.AIMMax+1)},
	} {
		if err := s.Scan(t.Context(), c.data, c.aim); err == nil || errors.Is(err, wire.ErrUnplugged) {
			t.Errorf("%d bytes and %d: %v", len(c.data), len(c.aim), err)
		}
	}
}

// TestFramesDoNotMix: long frames of many hands arrive one after the other.
func TestFramesDoNotMix(t *testing.T) {
	s, _, register := counter(t)
	const hands, size = 4, 9000
	var all sync.WaitGroup
	for i := range hands {
		all.Go(func() {
			if err := s.Scan(t.Context(), strings.Repeat(string(rune('0'+i)), size), ""); err != nil {
				t.Error(err)
			}
		})
	}
	b := make([]byte, hands*(size+1))
	if _, err := io.ReadFull(register, b); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	for frame := range bytes.SplitSeq(bytes.TrimSuffix(b, []byte("\r")), []byte("\r")) {
		if len(frame) != size || bytes.Count(frame, frame[:1]) != size {
			t.Errorf("a mixed frame of %d bytes", len(frame))
		}
	}
}
