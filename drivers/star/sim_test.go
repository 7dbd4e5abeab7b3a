package star_test

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
	"testing"
	"time"

	"regi/drivers"
	"regi/drivers/drawer"
	"regi/drivers/driverstest"
	"regi/drivers/star"
	"regi/sim/device/printer"     //nolint:depguard // tests may cross
	"regi/sim/device/starprinter" //nolint:depguard // tests may cross: another reading of StarPRNT is the judge
)

// wire is a device's end that can be told to stop reading.
func wire(t *testing.T, far io.ReadWriteCloser) printer.Wire {
	t.Helper()
	w, ok := far.(printer.Wire)
	if !ok {
		t.Fatalf("%T has no deadline", far)
	}
	return w
}

// simulate starts the simulator's printer on a wire.
func simulate(t *testing.T, far io.ReadWriteCloser, o starprinter.Options) *starprinter.Printer {
	t.Helper()
	sim := starprinter.New(wire(t, far), o)
	ctx, cancel := context.WithCancel(context.Background()) //nolint:usetesting // ends in Cleanup, after t's context
	ended := make(chan error, 1)
	go func() { ended <- sim.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, io.ErrClosedPipe) { // the cable is out
			t.Error(err)
		}
	})
	return sim
}

// receipt is a Japanese receipt with a code of each kind and a logo.
func receipt() drivers.Document {
	text := func(s string) drivers.TextLine { return drivers.TextLine{Text: s} }
	center := func(s string) drivers.TextLine { return drivers.TextLine{Text: s, Align: drivers.Center} }
	logo := drivers.Picture{Width: 240, Align: drivers.Center, Gray: make([]byte, 240*64)}
	for i := range logo.Gray {
		x, y := i%240, i/240
		logo.Gray[i] = byte(x)
		if (x-120)*(x-120)+(y-32)*(y-32) < 900 {
			logo.Gray[i] = byte(4 * y)
		}
	}
	rule := text(strings.Repeat("-", 48))
	return drivers.Document{Cut: true, Items: []drivers.Item{
		logo,
		drivers.TextLine{Text: "喫茶れじ 本店", Align: drivers.Center, Bold: true, Wide: true, Tall: true},
		center("東京都千代田区丸の内1-1-1"), center("登録番号 T1180301018771"),
		drivers.TextLine{Text: "領収証", Align: drivers.Center, Bold: true, Tall: true},
		text("2026年11月25日(水)10:30               No.000123"), rule,
		text("ブレンド珈琲                            ¥1,080※"),
		text("ｱｲｽｺｰﾋｰ Lｻｲｽﾞ                              ¥450"),
		text(`髙﨑①㈱ ソ能表 C:\A ~|`), text("Crème brûlée à 3,50 € ｱé珈ñ琲"), rule,
		text("  8%対象※   ¥1,080 (内消費税等            ¥80)"),
		drivers.TextLine{Text: "合計          ¥1,530", Bold: true, Wide: true, Tall: true},
		drivers.TextLine{Text: "右よせ", Align: drivers.Right},
		drivers.Barcode{Symbology: drivers.EAN13, Data: "490123456789", Align: drivers.Center, Text: true},
		drivers.Barcode{Symbology: drivers.QRCode, Data: "https://example.jp/r?" + strings.Repeat("x", 40), Align: drivers.Center},
		drivers.Barcode{Symbology: drivers.PDF417, Data: "0001-01-20261125-000123", Align: drivers.Center},
		center("ありがとうございました"),
	}}
}

// TestAgainstSimulator prints a receipt on the simulator's printer, over a real
// tty, runs out of paper and kicks the drawer meanwhile.
func TestAgainstSimulator(t *testing.T) {
	t.Parallel()
	for _, model := range star.Models() {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			near, far := driverstest.PTY(t, openPort)
			kicked := make(chan int, 10)
			sim := simulate(t, far, starprinter.Options{
				MillimetresPerSecond: 2000,
				DrawerKick:           func(pin int, _, _ time.Duration) { kicked <- pin },
				DrawerOpen:           func() bool { return false },
			})
			p, err := star.New(near, model)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Init(t.Context()); err != nil {
				t.Fatal(err)
			}
			paperEnds(t, p, sim, kicked, model != "star-line")
			judge(t, sim)
			if got, err := drawer.ViaPrinter(p, 2).DrawerOpened(t.Context()); err != nil || got {
				t.Errorf("switch: %v, %v", got, err)
			}
			picture(t, sim, model)
		})
	}
}

func paperEnds(t *testing.T, p *star.Printer, sim *starprinter.Printer, kicked <-chan int, atOnce bool) {
	t.Helper()
	if err := sim.Set(printer.Change{Paper: "out@6"}); err != nil {
		t.Fatal(err)
	}
	var told []error
	err := p.Print(t.Context(), receipt(), func(cause error) {
		told = append(told, cause)
		if cause == nil {
			return
		}
		if err := p.Kick(t.Context(), 2); atOnce != (err == nil) {
			t.Errorf("kick without paper: %v", err)
		}
		if err := sim.Set(printer.Change{Paper: "ok"}); err != nil {
			t.Error(err)
		}
	})
	if err != nil || len(told) != 2 || !errors.Is(told[0], drivers.ErrPaperOut) || told[1] != nil {
		t.Fatalf("%v, told %v", err, told)
	}
	if !atOnce {
		if err := p.Kick(t.Context(), 2); err != nil {
			t.Error(err)
		}
	}
	if pin := <-kicked; pin != 2 {
		t.Errorf("kicked pin %d", pin)
	}
}

// judge checks what the simulator's printer read.
func judge(t *testing.T, sim *starprinter.Printer) {
	t.Helper()
	lines := strings.Split(sim.Text(), "\n")
	for _, item := range receipt().Items {
		l, ok := item.(drivers.TextLine)
		if !ok {
			continue
		}
		n := 0
		for _, got := range lines {
			if strings.TrimSpace(got) == strings.TrimSpace(l.Text) {
				n++
			}
		}
		if want := strings.Count(sim.Text(), l.Text); n < 1 || !strings.HasPrefix(l.Text, "--") && (n != 1 || want != 1) {
			t.Errorf("%q is on the paper %d times:\n%s", l.Text, n, sim.Text())
		}
	}
	if !slices.Contains(lines, printer.CutMark) {
		t.Errorf("no cut:\n%s", sim.Text())
	}
	var codes []string
	for _, e := range sim.Entries() {
		if e.Kind == "code" {
			codes = append(codes, fmt.Sprintf("%s %q", e.Symbology, e.Text))
		}
	}
	want := []string{
		`EAN-13 "4901234567894"`, fmt.Sprintf("QR %q", "https://example.jp/r?"+strings.Repeat("x", 40)),
		`PDF417 "0001-01-20261125-000123"`,
	}
	if !slices.Equal(codes, want) {
		t.Errorf("codes %q, want %q", codes, want)
	}
}

// picture leaves the paper where REGI_PAPER says, to be looked at.
func picture(t *testing.T, sim *starprinter.Printer, model string) {
	t.Helper()
	var b bytes.Buffer
	if err := sim.PNG(&b); err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("REGI_PAPER"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, model+".png"), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
