package printer_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regi/sim/device/printer"
	"regi/sim/wire"
)

// register is the other end of the wire: it writes without waiting for the
// printer and keeps what comes back.
type register struct {
	*printer.Printer
	t    *testing.T
	line net.Conn
	out  chan string

	mu     sync.Mutex
	got    []byte
	kicked []string
}

// kick notes a drawer pulse.
func (r *register) kick(pin int, on, off time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kicked = append(r.kicked, fmt.Sprintf("%d %v %v", pin, on, off))
}

func (r *register) pulses(want string) {
	r.t.Helper()
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if got := strings.Join(r.kicked, ", "); got != want {
		r.t.Errorf("pulses %q, want %q", got, want)
	}
}

// connect starts a printer in a synctest bubble.
func connect(t *testing.T, o printer.Options) *register {
	t.Helper()
	near, far := net.Pipe()
	r := &register{t: t, line: near, out: make(chan string, 64)}
	o.DrawerKick = r.kick
	r.Printer = printer.New(far, o)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		if err := r.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	all.Go(func() {
		b := make([]byte, 64)
		for {
			n, err := near.Read(b)
			r.mu.Lock()
			r.got = append(r.got, b[:n]...)
			r.mu.Unlock()
			if err != nil {
				return
			}
		}
	})
	all.Go(func() {
		for s := range r.out {
			near.Write([]byte(s))
		}
	})
	t.Cleanup(func() {
		cancel()
		close(r.out)
		near.Close()
		all.Wait()
	})
	return r
}

// write sends bytes and waits until nothing moves but the clock.
func (r *register) write(s string) {
	r.out <- s
	synctest.Wait()
}

// answers is what came since the last call.
func (r *register) answers() string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	s := fmt.Sprintf("% x", r.got)
	r.got = nil
	return s
}

func (r *register) expect(what, want string) {
	r.t.Helper()
	if got := r.answers(); got != want {
		r.t.Errorf("%s: answers %q, want %q", what, got, want)
	}
}

func (r *register) change(c printer.Change) {
	r.t.Helper()
	if err := r.Set(c); err != nil {
		r.t.Fatal(err)
	}
	synctest.Wait()
}

func (r *register) paper(want string) {
	r.t.Helper()
	if got := r.Text(); got != want {
		r.t.Errorf("the paper is\n%q, want\n%q", got, want)
	}
}

// numbers is n numbered lines.
func numbers(from, to int) string {
	var b strings.Builder
	for i := from; i <= to; i++ {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	return b.String()
}

const statuses = "\x10\x04\x01\x10\x04\x02\x10\x04\x03\x10\x04\x04"

func TestRealtimeStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var open atomic.Bool
		r := connect(t, printer.Options{DrawerOpen: open.Load})
		for _, c := range []struct {
			what string
			set  printer.Change
			want string
		}{
			{"healthy", printer.Change{}, "12 12 12 12"},
			{"near end", printer.Change{Paper: "near-end"}, "12 12 12 1e"},
			{"paper out", printer.Change{Paper: "out"}, "1a 32 12 7e"},
			{"paper in, cover open", printer.Change{Paper: "ok", Cover: "open"}, "1a 16 12 12"},
			{"jammed, but nothing was cut", printer.Change{Cover: "closed", Cutter: "jammed"}, "12 12 12 12"},
		} {
			r.change(c.set)
			r.write(statuses)
			r.expect(c.what, c.want)
		}
		r.write("A\n\x1dVB\x00")
		r.write(statuses)
		r.expect("a cut failed", "1a 52 1a 12")
		r.change(printer.Change{Cutter: "ok"})
		open.Store(true)
		r.write(statuses)
		r.expect("recovered, drawer open", "16 12 12 12")
		r.paper("A\n" + printer.CutMark + "\n")
	})
}

func TestOrderedStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, printer.Options{DrawerOpen: func() bool { return true }})
		r.write("\x1dr1\x1dr\x02\x1bv")
		r.expect("GS r", "00 01 00")
		r.change(printer.Change{Paper: "near-end"})
		r.write("\x1dr\x01")
		r.expect("GS r near end", "03")
		r.change(printer.Change{Paper: "out"})
		r.write("\x1dr1")
		r.expect("GS r is not parsed while offline", "")
		r.change(printer.Change{Paper: "ok"})
		r.expect("GS r when online again", "00")
		r.write("\x1dI\x01\x1dI\x02\x1dI\x03\x1dI\x43\x1dI\x42\x1dI\x63")
		r.expect("GS I", "20 03 02 "+fmt.Sprintf("5f % x 00 5f % x 00", "TM-T88V", "EPSON"))
		r.write("A\n\x1d(H\x06\x0000\x01\x02\x03\x04")
		r.expect("GS ( H", "37 22 01 02 03 04 00")
	})
}

func TestAutomaticStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var open atomic.Bool
		r := connect(t, printer.Options{DrawerOpen: open.Load})
		r.write("\x1da\xff")
		r.expect("GS a", "10 00 00 0f")
		r.change(printer.Change{Cover: "open"})
		r.expect("cover", "38 00 00 0f")
		r.change(printer.Change{Cover: "closed", Paper: "near-end"})
		r.expect("near end", "10 00 03 0f")
		r.change(printer.Change{Paper: "near-end"})
		r.expect("no change", "")
		r.change(printer.Change{Paper: "out"})
		r.expect("out", "18 00 0f 0f")
		r.change(printer.Change{Paper: "ok"})
		r.expect("ok", "10 00 00 0f")
		open.Store(true)
		r.Refresh()
		r.expect("drawer", "14 00 00 0f")
		r.change(printer.Change{Cutter: "jammed"})
		r.write("A\n\x1dVB\x00")
		r.expect("jammed at the cut", "1c 08 00 0f")
		r.change(printer.Change{Cutter: "ok"})
		r.expect("cutter ok", "14 00 00 0f")
		r.write("\x1da\x08")
		r.expect("GS a 8", "14 00 00 0f")
		open.Store(false)
		r.Refresh()
		r.expect("only the roll is watched", "")
		r.write("\x1b@")
		r.change(printer.Change{Paper: "near-end"})
		r.expect("ESC @ ends it", "")
	})
}

func TestPaperOutInMidReceipt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var changes atomic.Int32
		r := connect(t, printer.Options{MillimetresPerSecond: 300, Changed: func() { changes.Add(1) }})
		r.change(printer.Change{Paper: "out@6"})
		r.write(numbers(1, 30) + "\x1dVB\x00" + "\x1d(H\x06\x000012345"[:11])
		time.Sleep(10 * time.Second)
		r.paper(numbers(1, 6))
		if s := r.State(); s.Paper != "out" || !s.Offline || s.Lines != 6 || s.Buffered == 0 {
			t.Errorf("state %+v", s)
		}
		r.write("\x10\x04\x01\x10\x04\x02\x10\x04\x04")
		r.expect("answers in mid-receipt", "1a 32 7e")
		r.change(printer.Change{Paper: "ok"})
		r.expect("the fence before the paper has moved", "")
		time.Sleep(10 * time.Second)
		r.expect("the fence after it", "37 22 31 32 33 34 00")
		r.paper(numbers(1, 30) + printer.CutMark + "\n")
		if s := r.State(); s.Paper != "ok" || s.Offline || s.Lines != 30 || s.Buffered != 0 {
			t.Errorf("state %+v", s)
		}
		if n := changes.Load(); n < 30 {
			t.Errorf("told of %d changes", n)
		}
	})
}

func TestPaperOutTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, printer.Options{})
		r.change(printer.Change{Paper: "out@3"})
		r.write("1\n\x1bd\x03" + "5\n6\n")
		r.paper("1\n\n\n")
		r.change(printer.Change{Paper: "out@1"})
		if got := r.State().Paper; got != "out" {
			t.Errorf("out@1 alone puts in paper: %s", got)
		}
		r.change(printer.Change{Paper: "ok"})
		r.paper("1\n\n\n\n" + "5\n6\n")
	})
}

func TestCoverAndPowerStopTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, printer.Options{MillimetresPerSecond: 300})
		r.write(numbers(1, 40))
		time.Sleep(100 * time.Millisecond) // a line takes 14 ms
		r.change(printer.Change{Cover: "open"})
		time.Sleep(time.Second)
		n := r.State().Lines
		if n < 5 || n > 8 {
			t.Errorf("%d lines in 100 ms", n)
		}
		r.paper(numbers(1, n))
		r.change(printer.Change{Cover: "closed"})
		time.Sleep(time.Second)
		r.paper(numbers(1, 40))

		r.write("\x1bE\x01\x1d!\x11\x1da\xff" + numbers(41, 80) + "half")
		time.Sleep(50 * time.Millisecond)
		r.answers()
		r.change(printer.Change{Power: "off"})
		time.Sleep(time.Second)
		r.write(statuses + "lost\n\x1dr1")
		r.expect("off", "")
		n = r.State().Lines
		r.paper(numbers(1, n))
		if s := r.State(); s.Power != "off" || !s.Offline || s.Buffered != 0 || n < 41 || n > 45 {
			t.Errorf("state %+v", s)
		}
		r.change(printer.Change{Power: "on"})
		r.write(statuses + strings.Repeat("x", 43) + "\n")
		time.Sleep(time.Second)
		r.expect("on", "12 12 12 12")
		r.paper(numbers(1, n) + strings.Repeat("x", 42) + "\nx\n") // of normal size
	})
}

// TestFences: GS r is answered when it is parsed, while lines are still to be
// printed; GS ( H when they are.
func TestFences(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, printer.Options{MillimetresPerSecond: 300})
		r.write(numbers(1, 5) + "\x1dr1")
		r.expect("GS r 1", "00")
		if n := r.State().Lines; n != 0 {
			t.Errorf("%d lines were printed in no time", n)
		}
		time.Sleep(time.Second)
		r.write(numbers(6, 10) + "\x1d(H\x06\x0000abcd")
		r.expect("GS ( H at once", "")
		time.Sleep(65 * time.Millisecond)
		r.expect("GS ( H before the last line", "")
		time.Sleep(20 * time.Millisecond)
		r.expect("GS ( H", "37 22 61 62 63 64 00")
		r.paper(numbers(1, 10))
	})
}

func TestRealtimeInsideAPicture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, printer.Options{})
		// 2 × 6 bytes; DLE EOT 1 and DLE DC4 1 are picture and command at once.
		r.write("\x1dv0\x00\x02\x00\x06\x00\x10\x04\x01\xff\x10\x14\x01\x00\x02\xff\x00\x00after\n")
		r.expect("status out of a picture", "12")
		r.paper("after\n")
		r.pulses("2 200ms 200ms")
		// DLE ENQ 2 clears the buffer, the picture with it.
		r.write("\x1dv0\x00\x02\x00\x03\x00\x10\x05\x02\xffA\n")
		r.paper("after\n\xffA\n"[:6] + "\u00a0A\n")
	})
}

func TestRealtimeSplitOverReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, printer.Options{})
		for _, b := range []string{"\x10", "\x04", "\x01", "\x10\x10", "\x04\x02", "\x10\x04\x09\x10\x04\x04"} {
			r.write(b)
		}
		r.expect("split", "12 12 12")
	})
}

func TestDrawerPulse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, printer.Options{MillimetresPerSecond: 300})
		r.write("A\n\x1bp\x00\x32\xfa\x1bp1\x32\x10\x1bp\x02\x01\x01")
		r.pulses("") // the line is not printed yet
		time.Sleep(time.Second)
		r.write("\x10\x14\x01\x01\x08\x10\x14\x01\x00\x09\x10\x14\x01\x02\x01")
		r.pulses("2 100ms 500ms, 5 100ms 100ms, 5 800ms 800ms")
	})
}

func TestRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, printer.Options{})
		r.change(printer.Change{Cutter: "jammed"})
		r.write("A\n\x1dVB\x00B\nC\n")
		r.write("\x10\x05\x01")
		r.write("\x10\x04\x03")
		r.expect("DLE ENQ 1 with a cutter that still jams", "1a")
		r.paper("A\n")
		r.change(printer.Change{Cutter: "ok"})
		r.paper("A\n" + printer.CutMark + "\nB\nC\n")

		r.change(printer.Change{Cutter: "jammed"})
		r.write("D\n\x1dVB\x00E\n")
		r.write("\x10\x05\x02" + "F\n" + "\x10\x04\x03")
		r.expect("DLE ENQ 2", "12")
		r.paper("A\n" + printer.CutMark + "\nB\nC\nD\nF\n")

		r.write("\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08")
		r.expect("DLE DC4 8", "37 25 00")
		r.write("\x10\x14\x02\x01\x08")
		r.expect("DLE DC4 2", "3b 30 00")
		if s := r.State(); s.Power != "off" {
			t.Errorf("state %+v", s)
		}
	})
}

func TestFullBufferHoldsTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, printer.Options{BufferBytes: 100, XonXoff: true})
		r.change(printer.Change{Paper: "out"})
		want := numbers(1, 50)
		r.write(want)
		if n := r.State().Buffered; n != 100 {
			t.Errorf("%d bytes in a buffer of 100", n)
		}
		r.expect("full", "13")
		r.change(printer.Change{Paper: "ok"})
		if got := r.answers(); !strings.HasPrefix(got, "11") || !strings.HasSuffix(got, "11") {
			t.Errorf("empty again: %s", got)
		}
		r.paper(want)
	})
}

// TestPollsDoNotFillTheBuffer: a register asks an offline printer for hours.
func TestPollsDoNotFillTheBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, printer.Options{})
		r.change(printer.Change{Paper: "out"})
		r.write("A\n")
		for range 4000 {
			r.write(statuses)
		}
		if n := r.State().Buffered; n > 100 {
			t.Errorf("%d bytes in the buffer", n)
		}
		if n := len(strings.Fields(r.answers())); n != 16000 {
			t.Errorf("%d answers, want 16000", n)
		}
		r.change(printer.Change{Paper: "ok"})
		r.write("B\n")
		r.paper("A\nB\n")
	})
}

func TestSetRefusesUnknownWords(t *testing.T) {
	p := printer.New(&tape{Reader: bytes.NewReader(nil)}, printer.Options{})
	for _, c := range []printer.Change{
		{Paper: "low"},
		{Paper: "out@"},
		{Paper: "out@-1"},
		{Paper: "out@9999999"},
		{Cover: "ajar"},
		{Cutter: "dull"},
		{Power: "maybe"},
		{Paper: "out", Power: "x"},
	} {
		if err := p.Set(c); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
	if s := p.State(); s.Offline || s.Paper != "ok" {
		t.Errorf("a refused change changed %+v", s)
	}
}

// TestPseudoTerminal: the same on the wire that the register opens.
func TestPseudoTerminal(t *testing.T) {
	link := filepath.Join(t.TempDir(), "printer")
	tty, err := wire.Open(link)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	p := printer.New(tty, printer.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	line, err := os.OpenFile(link, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	if _, err := line.WriteString("\x10\x04\x01A\n\x1d(H\x06\x0000abcd"); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 8)
	if _, err := io.ReadFull(line, got); err != nil || string(got) != "\x12\x37\x22abcd\x00" {
		t.Errorf("answers %x: %v", got, err)
	}
	if got := p.Text(); got != "A\n" {
		t.Errorf("the paper is %q", got)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
}

// TestHooksMayCallThePrinter: the counter asks for the state when it is told of
// a change.
func TestHooksMayCallThePrinter(t *testing.T) {
	var p *printer.Printer
	var calls atomic.Int64
	p = printer.New(&tape{Reader: bytes.NewReader([]byte("A\n\x1bp\x00\x01\x01"))}, printer.Options{
		Changed:    func() { calls.Add(int64(len(p.Text()) + p.State().Lines)) },
		DrawerKick: func(int, time.Duration, time.Duration) { p.Refresh() },
	})
	if err := p.Run(t.Context()); err != nil || calls.Load() == 0 {
		t.Errorf("%d calls: %v", calls.Load(), err)
	}
}

func FuzzPrinter(f *testing.F) {
	for _, s := range []string{
		"A\n", "\x1cC1" + sjis + "\n", "\x1dv0\x00\x02\x00\x02\x00\x81\x80\x7e\x7e", "\x1d(L\x0e\x000p0\x01\x011\x10\x00\x02\x00\x81\x80\x7e\x7e\x1d(L\x02\x0002",
		"\x1b*!\x01\x00abc\n", "\x1dP\x01\x01\x1dL\xff\xff\x1dW\x00\x00\x1b$\xff\x7fA\x1b\\\x00\x80B\n", "\x1d!\x77\x1bM\x01\x1b \xff\x1b{\x01W\n",
		statuses, "\x10\x05\x02", "\x10\x14\x02\x01\x08", "\x1d(H\x06\x0000abcd\x1dr1\x1da\xff\x1dI\x43", "A\n\x1dVB\xff\x1bi\x1b=\x00",
		"\x1bD\x01\x02\x03\x00\t\t\t", gsk(67, "490123456789"), stored(49, "Regi") + stored(48, "Regi") + stored(54, "Regi") + stored(51, "H0490123456789"),
		"\x1bL" + area(0, 0, 100, 100) + "\x1bT1A\n" + stored(49, "1") + "\x18B\x1b\x0c\x1d$\x10\x00\x0c", define(67, "G1") + show(69, "G1", 2, 2),
		"\x1d:A\n\x1d:\x1d^\x02\x01\x00", "\x1b&\x03AA\x01abc\x1b%\x01A\n", "\x1cq\x01\x01\x00\x01\x0012345678\x1cp\x01\x03",
		"\x1c&" + jis + "\n\x1c2\x77\x21" + strings.Repeat("x", 72),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1024 {
			return
		}
		for _, o := range []printer.Options{{}, {Model: model(t, "58mm"), BufferBytes: 7, XonXoff: true}} {
			p, _ := play(t, o, string(b))
			if s := p.State(); s.Buffered != 0 {
				t.Fatalf("%d bytes left", s.Buffered)
			}
			if err := p.PNG(&bytes.Buffer{}); err != nil {
				t.Fatal(err)
			}
			for l := range strings.Lines(p.Text()) {
				if i := strings.IndexFunc(l, func(r rune) bool { return r < 0x20 && r != '\n' }); i >= 0 {
					t.Fatalf("a control character in the text: %q", l)
				}
			}
		}
	})
}

func BenchmarkReceipt(b *testing.B) {
	stream := "\x1b@\x1cC1" + strings.Repeat(sjis+strings.Repeat(" ", 24)+"1,080\n", 30) + "\x1dVB\x00"
	for b.Loop() {
		play(b, printer.Options{}, stream)
	}
}
