package driverstest

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"regi/drivers"
)

// columns is the width of a drivers.LineDisplay.
const columns = 20

// showsMax is in how many Shows a wire that nobody reads must be full.
const showsMax = 100_000

// Screen is the display at the far end, by the suite's own reading of its
// manual: what it shows once it has received what was written to it.
type Screen interface {
	io.Writer
	// Lines are the two lines as UTF-8 text of 20 columns.
	Lines() [2]string
	// Err is the first thing received that the display does not understand.
	Err() error
}

// LineDisplayDriver is a display under test.
type LineDisplayDriver struct {
	New func(drivers.Port) drivers.LineDisplay
	// NewScreen returns a display that was just switched on.
	NewScreen func() Screen
	// HalfSent is what a register that was killed may have left on the wire.
	HalfSent []string
}

// LineDisplay is the conformance suite of drivers.LineDisplay.
func LineDisplay(t *testing.T, w Wires, d LineDisplayDriver) {
	s := displaySuite{w, d}
	w.each(t, slices.Concat([]suiteTest{
		{"cut and padded", s.cutAndPadded},
		{"hostile text", s.hostile},
		{"half a command before", s.halfSent},
		{"takes nothing", s.takesNothing},
	}, w.ends(func(near drivers.Port) blocking {
		display := d.New(near)
		return func(ctx context.Context) error {
			for range showsMax {
				if err := display.Show(ctx, "upper", "lower"); err != nil {
					return err
				}
			}
			return errors.New("the wire is never full")
		}
	})))
}

type displaySuite struct {
	w Wires
	d LineDisplayDriver
}

// watched is a screen that several goroutines may look at.
type watched struct {
	mu     sync.Mutex
	screen Screen
}

func (s *watched) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.screen.Write(b)
}

func (s *watched) state() ([2]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.screen.Lines(), s.screen.Err()
}

// connect returns a driver and the screen that it writes to.
func (s displaySuite) connect(t *testing.T) (drivers.LineDisplay, *watched) {
	near, far := s.w.Connect(t)
	screen := &watched{screen: s.d.NewScreen()}
	go io.Copy(screen, far) //nolint:errcheck // until the wire is closed
	return s.d.New(near), screen
}

// expect waits for two lines: the port may deliver after Show returned.
func (s displaySuite) expect(t *testing.T, screen *watched, upper, lower string) {
	t.Helper()
	var lines [2]string
	var err error
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(time.Millisecond) {
		if lines, err = screen.state(); lines == [2]string{upper, lower} || err != nil {
			break
		}
	}
	if err != nil || lines != [2]string{upper, lower} {
		t.Errorf("display shows %q, %v; want %q", lines, err, [2]string{upper, lower})
	}
}

func (s displaySuite) show(t *testing.T, display drivers.LineDisplay, upper, lower string) {
	t.Helper()
	if err := bounded(t, t.Context(), func(ctx context.Context) error { return display.Show(ctx, upper, lower) }); err != nil {
		t.Errorf("show: %v", err)
	}
}

func pad(s string) string { return s + strings.Repeat(" ", columns-utf8.RuneCountInString(s)) }

func (s displaySuite) cutAndPadded(t *testing.T) {
	display, screen := s.connect(t)
	full := "0123456789ABCDEFGHIJ"
	for _, c := range [][4]string{
		{"MILK", "1x198", pad("MILK"), pad("1x198")},
		{full, full, full, full},
		{full + "K", full + full, full, full},
		{"x", full, pad("x"), full},
		{" x ", "", pad(" x "), pad("")}, // also clears what stood there
		{"", "x", pad(""), pad("x")},
		{full[1:], strings.Repeat("9", 10_000), pad(full[1:]), strings.Repeat("9", columns)},
	} {
		s.show(t, display, c[0], c[1])
		s.expect(t, screen, c[2], c[3])
	}
}

// hostile: no text is a command, and the next text is shown.
func (s displaySuite) hostile(t *testing.T) {
	display, screen := s.connect(t)
	shown := 0
	try := func(text string) {
		s.show(t, display, text, text+text)
		shown++
		after := pad(strings.Repeat("!", shown%columns)) // never twice the same
		s.show(t, display, "after", after)
		s.expect(t, screen, pad("after"), after)
	}
	for r := range rune(0x100) {
		try(string(r))
		try("x" + string(r) + "y")
		try(string([]byte{byte(r)}))
	}
	for _, text := range []string{
		"\x1b@", "\x1bQA", "\r\x1bQBgone\r", "\x0c", "\ufeff\u202e\u2028", "\U0010ffff", "合計", "\xe3\x83", "\u0301",
	} {
		try(text)
	}
}

// halfSent: a driver must find its way with a display in any state.
func (s displaySuite) halfSent(t *testing.T) {
	for _, before := range s.d.HalfSent {
		near, far := s.w.Connect(t)
		screen := &watched{screen: s.d.NewScreen()}
		if _, err := screen.Write([]byte(before)); err != nil {
			t.Fatal(err)
		}
		go io.Copy(screen, far) //nolint:errcheck // until the wire is closed
		display := s.d.New(near)
		s.show(t, display, "upper", "lower")
		s.expect(t, screen, pad("upper"), pad("lower"))
	}
}

// takesNothing: a display that takes no more is an error in bounded time; when
// it takes bytes again, from within the interrupted Show on, the next one is
// right.
func (s displaySuite) takesNothing(t *testing.T) {
	taken := []int{0, 1, 2, 11, 14, 15, 34, 35, 36, 38, 40, 57}
	if s.w.Real {
		taken = taken[:1]
	}
	for _, n := range taken {
		near, far := s.w.Connect(t)
		screen := &watched{screen: s.d.NewScreen()}
		go io.CopyN(screen, far, int64(n)) //nolint:errcheck // checked by what the screen shows
		display := s.d.New(near)
		err := bounded(t, t.Context(), func(ctx context.Context) error {
			for range showsMax {
				if err := display.Show(ctx, "never", "seen"); err != nil {
					return err
				}
			}
			return nil
		})
		if !errors.Is(err, drivers.ErrTimeout) {
			t.Fatalf("took %d bytes, then none: %v, want drivers.ErrTimeout", n, err)
		}
		go io.Copy(screen, far) //nolint:errcheck // until the wire is closed
		s.show(t, display, "upper", "lower")
		s.expect(t, screen, pad("upper"), pad("lower"))
	}
}
