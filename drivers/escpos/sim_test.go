package escpos_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"regi/drivers"
	"regi/drivers/drawer"
	"regi/drivers/driverstest"
	"regi/drivers/escpos"
	"regi/sim/device/printer" //nolint:depguard // tests may cross: another reading of ESC/POS is the judge
)

// simulator is a driver, and the simulator's printer behind a real tty.
func simulator(t *testing.T) (*escpos.Printer, *printer.Printer, <-chan int) {
	t.Helper()
	near, far := driverstest.PTY(t, openPort)
	wire, ok := far.(printer.Wire)
	if !ok {
		t.Fatalf("%T has no deadline", far)
	}
	kicked := make(chan int, 10)
	sim := printer.New(wire, printer.Options{
		MillimetresPerSecond: 300,
		DrawerKick:           func(pin int, _, _ time.Duration) { kicked <- pin },
		DrawerOpen:           func() bool { return false },
	})
	ctx, cancel := context.WithCancel(context.Background()) //nolint:usetesting // ends in Cleanup, after t's context
	ended := make(chan error, 1)
	go func() { ended <- sim.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	p, err := escpos.New(near, "tm-t88v")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Init(ctx); err != nil {
		t.Fatal(err)
	}
	return p, sim, kicked
}

// TestAgainstSimulator prints on the simulator's printer, over a real tty.
func TestAgainstSimulator(t *testing.T) {
	t.Parallel()
	p, sim, kicked := simulator(t)
	ctx := t.Context()
	doc := drivers.Document{Cut: true, Items: []drivers.Item{
		drivers.TextLine{Text: "領収証", Align: drivers.Center, Bold: true, Tall: true},
		drivers.TextLine{Text: "ｺｰﾋｰ ﾌﾞﾚﾝﾄﾞ                     ¥1,080※"},
		drivers.TextLine{Text: `髙﨑ソ能 C:\ ~ 麵`},
		drivers.TextLine{Text: "合計        ¥9,180", Bold: true, Wide: true, Tall: true},
	}}
	for i := range 8 {
		doc.Items = append(doc.Items, drivers.TextLine{Text: strings.Repeat(string(rune('a'+i)), 42)})
	}
	if err := sim.Set(printer.Change{Paper: "out@6"}); err != nil {
		t.Fatal(err)
	}
	var told []error
	err := p.Print(ctx, doc, func(cause error) {
		told = append(told, cause)
		if cause == nil {
			return
		}
		if err := p.Kick(ctx, 2); err != nil {
			t.Errorf("kick without paper: %v", err)
		}
		if err := sim.Set(printer.Change{Paper: "ok"}); err != nil {
			t.Error(err)
		}
	})
	if err != nil || len(told) != 2 || !errors.Is(told[0], drivers.ErrPaperOut) || told[1] != nil {
		t.Fatalf("%v, told %v", err, told)
	}
	lines := strings.Split(sim.Text(), "\n")
	for _, l := range doc.Items {
		want := strings.ReplaceAll(l.(drivers.TextLine).Text, "麵", "〓")
		n := 0
		for _, got := range lines {
			if strings.TrimSpace(got) == want {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%q is on the paper %d times:\n%s", want, n, sim.Text())
		}
	}
	if !slices.Contains(lines, printer.CutMark) {
		t.Errorf("no cut:\n%s", sim.Text())
	}
	if pin := <-kicked; pin != 2 {
		t.Errorf("kicked pin %d", pin)
	}
	if got, err := drawer.ViaPrinter(p, 2).DrawerOpened(ctx); err != nil || got {
		t.Errorf("switch: %v, %v", got, err)
	}
}
