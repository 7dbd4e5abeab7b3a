package console_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"
	"unicode"
	"unicode/utf8"

	"regi/sim/device/console"
	"regi/sim/wire"
)

// feeder is a wire that holds what the register has written.
type feeder struct {
	console.Wire
	io.Reader
}

func (feeder) SetReadDeadline(time.Time) error { return nil }

func (f feeder) Read(b []byte) (int, error) { return f.Reader.Read(b) }

// after returns what the terminal shows after some bytes.
func after(t *testing.T, r io.Reader) []string {
	t.Helper()
	c := console.New(feeder{Reader: r}, nil)
	if err := c.Run(t.Context()); !errors.Is(err, io.EOF) {
		t.Fatalf("run: %v", err)
	}
	return c.Lines()
}

func TestLines(t *testing.T) {
	long := strings.Repeat("あ", 500) // 1,500 bytes: a break falls within a character
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"nothing", "", nil},
		{"a prompt", "regi> ", []string{"regi> "}},
		{"lines", "one\r\ntwo\nthree", []string{"one", "two", "three"}},
		{"Japanese", "用紙切れ / paper out\r\n", []string{"用紙切れ / paper out"}},
		{"control bytes", "a\x1b[2Jb\x00\x07\u0085\u202Ec\r\r\n", []string{"ab...c"}},
		{"a line that is drawn anew", "regi> statsu\r\x1b[Kprinter away\r\nregi> statsu\x1b[K\r\x1b[10C", []string{"printer away", "regi> statsu"}},
		{"a line that is edited", "regi> 日x\r\x1b[7Cy\b\x1b[1D語\x1b[K", []string{"regi> 語"}},
		{"a sequence without end", "a\x1b[1;1;1;1;1;1;1;1;1b", []string{"a1;1b"}},
		{"no UTF-8", "\xff\xfe\xe3\x81", []string{"...."}},
		{"a line without end", long, []string{strings.Repeat("あ", 341), strings.Repeat("あ", 159)}},
	} {
		for how, r := range map[string]io.Reader{"whole": strings.NewReader(c.in), "by bytes": iotest.OneByteReader(strings.NewReader(c.in))} {
			if got := after(t, r); !slices.Equal(got, c.want) {
				t.Errorf("%s, %s: %q, want %q", c.name, how, got, c.want)
			}
		}
	}
}

func TestNewestLinesAreKept(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "line %d\r\n", i)
	}
	got := after(t, strings.NewReader(b.String()+"regi> "))
	if len(got) != 200 || got[0] != "line 801" || got[198] != "line 999" || got[199] != "regi> " {
		t.Errorf("%d lines from %q to %q", len(got), got[0], got[len(got)-1])
	}
}

// TestOverAWire: both directions over a real tty, across a restart of the register.
func TestOverAWire(t *testing.T) {
	link := filepath.Join(t.TempDir(), "console")
	tty, err := wire.Open(link)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close() //nolint:errcheck // closed below
	changes := make(chan struct{}, 100)
	c := console.New(tty, func() { changes <- struct{}{} })
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- c.Run(ctx) }()
	for life := range 2 {
		register, err := os.OpenFile(link, os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(register, "life %d\r\n", life); err != nil {
			t.Fatal(err)
		}
		for want := fmt.Sprintf("life %d", life); !slices.Contains(c.Lines(), want); {
			<-changes
		}
		read := make(chan string, 1)
		go func() {
			b := make([]byte, 5)
			n, _ := io.ReadFull(register, b) //nolint:errcheck // what came is compared
			read <- string(b[:n])
		}()
		if err := c.Type(t.Context(), "help\r"); err != nil {
			t.Fatal(err)
		}
		if s := <-read; s != "help\r" {
			t.Errorf("the register read %q", s)
		}
		if err := register.Close(); err != nil {
			t.Fatal(err)
		}
	}
	short, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if err := c.Type(short, "x"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("typed to nobody: %v", err)
	}
	if err := c.Type(t.Context(), strings.Repeat("x", console.TypeMax+1)); err == nil {
		t.Error("too much was typed")
	}
	cancel()
	if err := <-ran; err != nil {
		t.Errorf("run after the context: %v", err)
	}
	go func() { ran <- c.Run(t.Context()) }() // a second run works
	if err := tty.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ran; err != nil {
		t.Errorf("run after the wire: %v", err)
	}
	if err := c.Type(t.Context(), "x"); err == nil {
		t.Error("typed on a closed wire")
	}
}

// FuzzConsole: whatever comes, lines are text, bounded, and independent of how
// the bytes arrive.
func FuzzConsole(f *testing.F) {
	for _, seed := range []string{"regi> help\r\n", "\x1b[31mred\x1b[0m\r\n", "あ\n\xe3\x81", strings.Repeat("x", 3000), strings.Repeat("\n", 500)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		lines := after(t, bytes.NewReader(b))
		if len(lines) > 200 {
			t.Fatalf("%d lines", len(lines))
		}
		for _, line := range lines {
			bad := strings.ContainsFunc(line, func(r rune) bool { return r == utf8.RuneError || !unicode.IsGraphic(r) })
			if bad || len(line) > 1024 {
				t.Fatalf("a line of %d bytes: %q", len(line), line)
			}
		}
		if split := after(t, iotest.OneByteReader(bytes.NewReader(b))); !slices.Equal(split, lines) {
			t.Fatalf("byte by byte %q, at once %q", split, lines)
		}
	})
}
