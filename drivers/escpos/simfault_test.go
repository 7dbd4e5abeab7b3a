package escpos_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regi/drivers/driverstest"
	"regi/drivers/escpos"
	"regi/drivers/printjob"
	"regi/sim/device/printer" //nolint:depguard // tests may cross: another reading of ESC/POS is the judge
)

// simFaults are what a person does to the simulator's printer, as changes one
// after the other.
func simFaults() map[string][]printer.Change {
	return map[string][]printer.Change{
		"paper":              {{Paper: "out"}, {Paper: "ok"}},
		"paper, then power":  {{Paper: "out"}, {Power: "off"}, {Power: "on", Paper: "ok"}},
		"cover":              {{Cover: "open"}, {Cover: "closed"}},
		"cover, then power":  {{Cover: "open"}, {Power: "off"}, {Power: "on", Cover: "closed"}},
		"cutter":             {{Cutter: "jammed"}, {Cutter: "ok"}},
		"cutter, then power": {{Cutter: "jammed"}, {Power: "off"}, {Power: "on", Cutter: "ok"}},
		"power":              {{Power: "off"}, {Power: "on"}},
	}
}

// keeps are the faults by which a printer that says what it has printed loses
// no receipt.
func keeps(fault string) bool {
	switch fault {
	case "paper", "cover", "cutter", "cutter, then power":
		return true
	}
	return false
}

// TestFaultTableSimulator is TestFaultTable with the simulator's reading of the
// standard, in which lines are parsed before they are printed.
func TestFaultTableSimulator(t *testing.T) {
	t.Parallel()
	for _, model := range []string{"tm-t88v", "generic-80"} {
		for name, changes := range simFaults() {
			t.Run(model+" "+name, func(t *testing.T) {
				t.Parallel()
				outcomes := map[printjob.State]int{}
				for at := range receiptLines + 1 {
					driverstest.Simulated().Run(t, func(t *testing.T) { outcomes[simFault(t, model, at, changes)]++ })
				}
				t.Log(model, name, outcomes)
				if model == "tm-t88v" && keeps(name) && outcomes[printjob.Printed] != receiptLines+1 {
					t.Errorf("%v: a pause must not lose a receipt", outcomes)
				}
			})
		}
	}
}

// simulated is a driver, and the simulator's printer on a line in a bubble.
func simulated(t *testing.T, model string) (*escpos.Printer, *printer.Printer) {
	t.Helper()
	near, far := driverstest.Simulated().Connect(t)
	wire, ok := far.(interface {
		io.ReadWriteCloser
		printer.Wire
	})
	if !ok {
		t.Fatalf("%T has no deadline", far)
	}
	sim := printer.New(wire, printer.Options{MillimetresPerSecond: 300})
	ctx, cancel := context.WithCancel(context.Background()) //nolint:usetesting // ends in Cleanup, after t's context
	ended := make(chan error, 1)
	go func() { ended <- sim.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		wire.Close() //nolint:errcheck,gosec // so that its writes end as well
		<-ended
	})
	p, err := escpos.New(near, model)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p, sim
}

func simFault(t *testing.T, model string, at int, changes []printer.Change) printjob.State {
	t.Helper()
	p, sim := simulated(t, model)
	doc, lines := numbered(receiptLines)
	printed := make(chan error, 1)
	go func() { printed <- p.Print(t.Context(), doc, nil) }()
	for sim.State().Lines < at {
		time.Sleep(time.Millisecond)
	}
	for _, c := range changes {
		if err := sim.Set(c); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
	}
	var err error
	select {
	case err = <-printed:
	case <-time.After(time.Minute):
		t.Fatalf("line %d: no end; %+v", at, p.Job())
	}
	synctest.Wait()
	var paper []string
	for l := range strings.Lines(sim.Text()) {
		if l = strings.TrimSpace(l); l == printer.CutMark {
			l = "✂"
		}
		paper = append(paper, l)
	}
	return judge(t, at, paper, lines, err, p.Job())
}
