package starprinter_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"regi/sim/device/printer"
	"regi/sim/device/starprinter"
)

// register is the other end of the wire: it writes without waiting for the
// printer and keeps what comes back.
type register struct {
	*starprinter.Printer
	t   *testing.T
	out chan string

	mu     sync.Mutex
	got    []byte
	kicked []string
	open   bool
}

// connect starts a printer in a synctest bubble.
func connect(t *testing.T, o starprinter.Options) *register {
	t.Helper()
	near, far := net.Pipe()
	r := &register{t: t, out: make(chan string, 64)}
	o.DrawerKick = func(pin int, on, off time.Duration) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.kicked = append(r.kicked, fmt.Sprintf("%d %v %v", pin, on, off))
	}
	o.DrawerOpen = func() bool { return r.open }
	r.Printer = starprinter.New(far, o)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		if err := r.Run(ctx); err != nil && !errors.Is(err, io.ErrClosedPipe) {
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

func (r *register) write(s string) {
	r.out <- s
	synctest.Wait()
}

func (r *register) expect(what, want string) {
	r.t.Helper()
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if got := fmt.Sprintf("% x", r.got); got != want {
		r.t.Errorf("%s: answers %q, want %q", what, got, want)
	}
	r.got = nil
}

func (r *register) change(c printer.Change) {
	r.t.Helper()
	if err := r.Set(c); err != nil {
		r.t.Fatal(err)
	}
	synctest.Wait()
}

const soh = "\x1b\x06\x01"

// TestStatus asks in every state; the bytes are those of the manual's tables.
func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, starprinter.Options{})
		for _, step := range []struct {
			change printer.Change
			want   string
		}{
			{printer.Change{}, "23 06 00 00 00 00 00 00 00"},
			{printer.Change{Paper: "near-end"}, "23 06 00 00 00 04 00 00 00"},
			{printer.Change{Paper: "out"}, "23 06 08 00 00 0c 00 00 00"},
			{printer.Change{Paper: "ok", Cover: "open"}, "23 06 28 00 00 00 00 00 00"},
			{printer.Change{Cover: "closed", Cutter: "jammed"}, "23 06 00 00 00 00 00 00 00"},
		} {
			r.change(step.change)
			r.write(soh)
			r.expect(fmt.Sprintf("%+v", step.change), step.want)
		}
		r.write("\x1bd3")
		r.write(soh)
		r.expect("cutter jam", "23 06 08 08 00 00 00 00 00")
		r.change(printer.Change{Cutter: "ok"})
		r.open = true
		r.write("\x17\x17")
		r.write(soh)
		r.expect("drawer open", "23 06 06 00 00 00 00 04 00")
		r.change(printer.Change{Power: "off"})
		r.write(soh)
		r.expect("power off", "")
		r.change(printer.Change{Power: "on"})
		r.write("\x1bk\x01\x00" + strings.Repeat("\x00", 5) + soh)
		r.expect("inside a picture", "23 06 04 00 00 00 00 00 00")
	})
}

// TestPrintEnd: answered when all before it is on paper, in its turn.
func TestPrintEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, starprinter.Options{MillimetresPerSecond: 8})
		r.write("a\nb\n\x1b\x1d\x03\x01PQ" + soh)
		r.expect("not yet", "23 06 00 00 00 00 00 00 00")
		time.Sleep(1100 * time.Millisecond) // two lines of 4 mm
		r.expect("printed", "1b 1d 03 01 50 51 01 00")
		r.change(printer.Change{Paper: "out"})
		r.write("c\n\x1b\x1d\x03\x01PR\x1b\x1d\x03\x00\x00\x00\x1b\x1d\x03\x02\x00\x00\x1b\x1d\x03\x00\x00\x00")
		time.Sleep(time.Minute)
		r.expect("without paper", "")
		r.change(printer.Change{Paper: "ok"})
		time.Sleep(time.Second)
		r.expect("with paper", "1b 1d 03 01 50 52 02 00 1b 1d 03 00 00 00 02 00 1b 1d 03 00 00 00 00 00")
		if got := r.Text(); got != "a\nb\nc\n" {
			t.Errorf("%q", got)
		}
	})
}

// TestAutoStatus is what comes unasked.
func TestAutoStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, starprinter.Options{})
		r.write("\x1b\x1ea1\x17")
		r.expect("ETB", "23 06 02 00 00 00 00 02 00")
		r.change(printer.Change{Cover: "open"})
		r.expect("cover", "23 06 28 00 00 00 00 02 00")
		r.change(printer.Change{Cover: "closed"})
		r.expect("closed", "23 06 00 00 00 00 00 02 00")
		r.write("\x1b\x1eE0\x1b\x1ea0" + strings.Repeat("\x17", 33))
		r.write(soh)
		r.expect("counted over its end, off", "23 06 02 00 00 00 00 02 00")
	})
}

func TestDrawer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, starprinter.Options{})
		r.write("\x1c\x1b\x07\x0a\x32\x07\x1a\x1b\x07\x00\x00\x1b\x07\xff\xff\x07")
		r.change(printer.Change{Paper: "out"})
		r.write("\x07\x1c\x1bk\x01\x00" + strings.Repeat("\x1c", 24))
		want := "2 200ms 200ms, 2 100ms 500ms, 5 200ms 200ms, 2 1.27s 1.27s, 2 1.27s 1.27s"
		if got := strings.Join(r.kicked, ", "); got != want {
			t.Errorf("pulses %q, want %q", got, want)
		}
	})
}

// TestPaper is what the text, the list and the picture say of the same bytes.
func TestPaper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, starprinter.Options{})
		r.write("\x1b@\x1b$1\x1bR8\x1b\x1dt\x02" +
			"\x8c\x93\x96\x7b \xb1\xb2 \\1,080 \x83\x5c\n" + // 2nd byte 5Ch
			"\x1b\x1da1\x1bE\x1bi11\x82\xa0\x1bF\x1bi00\n\x1b\x1da0" +
			"half\x1b@" + // prints it
			"\x1b$0\x1bp\x30\x21\x1bq\n" + // JIS
			"\x1bb3250" + "\x501" + "x\x1e" + // no digits: nothing
			"\x1bb322\x504901234567894\x1e" +
			"\x1b\x1dyS0\x02\x1b\x1dyS1\x01\x1b\x1dyS2\x04\x1b\x1dyD2\x02\x03\x02\x00ab\x03\x01\x00c\x1b\x1dyP" +
			"\x1b\x1dS\x01\x02\x00\x03\x00\x00\xff\xff\x80\x01\xff\xff" +
			"\x1b0\x1bk\x01\x00" + strings.Repeat("\x18", 24) + "\n\x1bz1" +
			"\x1bJ\x04\x1bd3" + strings.Repeat("z", 49) + "\n")
		want := "兼本 ｱｲ ¥1,080 ソ\n                       あ\nhalf\n亜\n[EAN-13 4901234567894]\n4901234567894\n" +
			"[QR]\n" + printer.CutMark + "\n" + strings.Repeat("z", 48) + "\nz\n"
		got := r.Text()
		if strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
			t.Errorf("paper:\n%s\nwant:\n%s", got, want)
		}
		var kinds []string
		for _, e := range r.Entries() {
			kinds = append(kinds, strings.TrimSpace(e.Kind+" "+e.Symbology))
		}
		if got := strings.Join(kinds, ", "); got != "text, text, text, text, code EAN-13, text, code QR, picture, picture, cut, text, text" {
			t.Errorf("entries %s", got)
		}
		if e := r.Entries()[6]; e.Text != "abc" || e.Width != 4 {
			t.Errorf("%+v", e)
		}
		var b bytes.Buffer
		if err := r.PNG(&b); err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(&b)
		if err != nil || img.Bounds().Dx() < starprinter.Dots {
			t.Errorf("%v, %v", img, err)
		}
	})
}

// TestBuffer: a full buffer holds the line, with XOFF and XON around it.
func TestBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, starprinter.Options{BufferBytes: 1024, XonXoff: true})
		r.change(printer.Change{Paper: "out"})
		r.write(strings.Repeat("x", 900))
		r.expect("nearly full", "13")
		r.write(strings.Repeat("x", 600) + "\n")
		if n := r.State().Buffered; n < 1024 || n > 1024+512 {
			t.Errorf("%d bytes buffered", n)
		}
		r.change(printer.Change{Paper: "ok"})
		r.expect("room again", "11")
		if got := strings.Count(r.Text(), "x"); got != 1500 {
			t.Errorf("%d letters on the paper", got)
		}
	})
}

func TestSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, starprinter.Options{})
		for _, bad := range []printer.Change{{Paper: "wet"}, {Paper: "out@0"}, {Paper: "out@x"}, {Cover: "ajar"}, {Cutter: "dull"}, {Power: "dim"}} {
			if r.Set(bad) == nil {
				t.Errorf("%+v is taken", bad)
			}
		}
		if s := r.State(); s != (printer.State{Paper: "ok", Cover: "closed", Cutter: "ok", Power: "on"}) {
			t.Errorf("%+v", s)
		}
		r.change(printer.Change{Paper: "out@2"})
		r.write("a\nb\nc\n")
		if s := r.State(); s.Lines != 2 || s.Paper != "out" || !s.Offline {
			t.Errorf("%+v", s)
		}
		r.change(printer.Change{Power: "off"})
		r.change(printer.Change{Power: "on", Paper: "ok"})
		r.write("d\n")
		if got := r.Text(); got != "a\nb\nd\n" {
			t.Errorf("%q", got)
		}
	})
}

// FuzzPrinter: no bytes stop a printer.
func FuzzPrinter(f *testing.F) {
	f.Add([]byte("\x1b@a\n\x1b\x1dyD2\x01\x03\x01\x00c\x1b\x1dyP\x1bb322\x50490\x1e\x1b*rA\x1bFSp"))
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 2048 {
			return
		}
		far := &once{Reader: bytes.NewReader(in)}
		p := starprinter.New(far, starprinter.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := p.Run(ctx); err != nil || ctx.Err() != nil {
			t.Errorf("%v, %v", err, ctx.Err())
		}
	})
}

// once is a wire that ends.
type once struct{ *bytes.Reader }

func (*once) Write(b []byte) (int, error)     { return len(b), nil }
func (*once) SetReadDeadline(time.Time) error { return nil }
