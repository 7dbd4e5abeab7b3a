package escpos_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"regi/drivers"
	"regi/drivers/driverstest"
	"regi/drivers/escpos"
	"regi/drivers/printjob"
)

// fault is one that happens after a line, and how it ends.
type fault struct {
	name string
	// happens at once; over is called when the printer has stopped for it, or
	// after a while.
	happens, over func(d *driverstest.ReceiptPrinter)
	// always is set where each document must come out whole, byID where it must
	// on a printer that says what is on its paper.
	always, byID bool
}

func set(change func(*driverstest.PrinterFaults)) func(*driverstest.ReceiptPrinter) {
	return func(d *driverstest.ReceiptPrinter) { d.Set(change) }
}

func faults() []fault {
	type f = driverstest.PrinterFaults
	power := set(func(f *f) { f.Off = true })
	back := func(d *driverstest.ReceiptPrinter) {
		d.JamCutter(false)
		d.PaperFor(-1)
		d.Set(func(f *f) { f.Off, f.Cover, f.Forgets = false, false, false })
	}
	both := func(a, b func(d *driverstest.ReceiptPrinter)) func(*driverstest.ReceiptPrinter) {
		return func(d *driverstest.ReceiptPrinter) { a(d); b(d) }
	}
	outNow := func(d *driverstest.ReceiptPrinter) { d.PaperFor(0) }
	return []fault{
		{"paper", outNow, back, true, true},
		{"paper, buffer lost", both(set(func(f *f) { f.Forgets = true }), outNow), back, false, false},
		{"paper, then power", outNow, both(both(power, func(*driverstest.ReceiptPrinter) { time.Sleep(3 * time.Second) }), back), false, false},
		{"cover", set(func(f *f) { f.Cover = true }), back, true, true},
		{"cover, buffer lost", set(func(f *f) { f.Cover, f.Forgets = true, true }), back, false, false},
		{"cutter", func(d *driverstest.ReceiptPrinter) { d.JamCutter(true) }, back, true, true},
		{"cutter, then power", func(d *driverstest.ReceiptPrinter) { d.JamCutter(true) }, both(both(power, func(*driverstest.ReceiptPrinter) { time.Sleep(20 * time.Second) }), back), false, true},
		{"head hot", set(func(f *f) { f.HeadHot = true }), set(func(f *f) { f.HeadHot = false }), true, true},
		{"mechanical", set(func(f *f) { f.Mechanical = true }), set(func(f *f) { f.Mechanical = false }), true, true},
		{"power", power, both(func(*driverstest.ReceiptPrinter) { time.Sleep(2 * time.Second) }, back), false, false},
		{"power blinks", power, back, false, false},
		{"cable", func(d *driverstest.ReceiptPrinter) { d.Unplug() }, func(*driverstest.ReceiptPrinter) {}, false, false},
		{"silence", set(func(f *f) { f.Mute = true }), set(func(f *f) { f.Mute = false }), false, false},
		{"silence for a moment", set(func(f *f) { f.Hold = true }), set(func(f *f) { f.Hold = false }), false, false},
		{"reads nothing", set(func(f *f) { f.Stuck = true }), set(func(f *f) { f.Stuck = false }), true, true},
		{"broken byte 00", func(d *driverstest.ReceiptPrinter) { d.Say(0) }, func(*driverstest.ReceiptPrinter) {}, false, false},
		{"broken byte 12", func(d *driverstest.ReceiptPrinter) { d.Say(0x12) }, func(*driverstest.ReceiptPrinter) {}, false, false},
		{"broken byte 10", func(d *driverstest.ReceiptPrinter) { d.Say(0x10) }, func(*driverstest.ReceiptPrinter) {}, false, false},
		{"broken byte 37", func(d *driverstest.ReceiptPrinter) { d.Say(0x37) }, func(*driverstest.ReceiptPrinter) {}, false, false},
		{"broken byte FF", func(d *driverstest.ReceiptPrinter) { d.Say(0xFF) }, func(*driverstest.ReceiptPrinter) {}, false, false},
	}
}

// receiptLines is the length of the receipt of the table: three blocks.
const receiptLines = 20

func numbered(n int) (drivers.Document, []string) {
	doc, lines := drivers.Document{Cut: true}, make([]string, 0, n)
	for i := range n {
		lines = append(lines, fmt.Sprintf("a %02d", i))
		doc.Items = append(doc.Items, drivers.TextLine{Text: lines[i]})
	}
	return doc, lines
}

// noIdentity is a generic printer that answers GS r only.
const noIdentity = "generic-80 without GS I"

// TestFaultTable lets every fault happen at every line of a receipt, on a
// printer that says when a line is on paper and on one that does not. After it
// each line is on paper exactly once, or the job is UNKNOWN and says so.
func TestFaultTable(t *testing.T) {
	t.Parallel()
	for _, model := range []string{"tm-t88v", "generic-80", noIdentity} {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			for _, f := range faults() {
				t.Run(f.name, func(t *testing.T) {
					outcomes := map[printjob.State]int{}
					for at := range receiptLines + 1 {
						outcomes[happens(t, model, f, at)]++
					}
					t.Log(f.name, outcomes)
					if f.always && outcomes[printjob.Printed] != receiptLines+1 {
						t.Errorf("%v: a pause must not lose a receipt", outcomes)
					}
				})
			}
		})
	}
}

// happens lets a fault happen after so many lines of a receipt, and returns
// what the driver said became of it.
func happens(t *testing.T, model string, f fault, at int) (end printjob.State) {
	t.Helper()
	driverstest.Simulated().Run(t, func(t *testing.T) {
		near, far := driverstest.Simulated().Connect(t)
		d := driverstest.NewReceiptPrinter(t, far)
		d.Set(func(f *driverstest.PrinterFaults) { f.NoIdentity = model == noIdentity })
		name, _, _ := strings.Cut(model, " ")
		p, err := escpos.New(near, name)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Init(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.Set(func(f *driverstest.PrinterFaults) { f.LineTime = 5 * time.Millisecond })
		doc, lines := numbered(receiptLines)
		paused, printed := make(chan error, 100), make(chan error, 1)
		go func() { printed <- p.Print(t.Context(), doc, func(cause error) { paused <- cause }) }()
		if at > 0 {
			d.AfterLines(at)
		}
		f.happens(d)
		select {
		case <-paused:
		case err = <-printed:
			printed <- err
		case <-time.After(700 * time.Millisecond):
		}
		f.over(d)
		select {
		case err = <-printed:
		case <-time.After(time.Minute):
			t.Fatalf("line %d: no end; %+v", at, p.Job())
		}
		end = judge(t, at, d.Lines(), lines, err, p.Job())
	})
	return end
}

// judge compares what the driver said with the paper.
func judge(t *testing.T, at int, paper, lines []string, err error, job printjob.Job) printjob.State {
	t.Helper()
	got := slices.DeleteFunc(slices.Clone(paper), func(l string) bool { return l == "✂" || l == "" })
	switch {
	case err == nil:
		if !slices.Equal(got, lines) || !slices.Contains(paper, "✂") || job.State != printjob.Printed {
			t.Errorf("line %d: printed, says the driver; %+v, on the paper %q", at, job, paper)
		}
	case errors.Is(err, drivers.ErrUnknownOutcome):
		if job.State != printjob.Unknown || job.Certain > len(got) {
			t.Errorf("line %d: %+v, on the paper %q", at, job, paper)
		}
		// Dots are what a printer makes of text that it was not set up for.
		got = slices.DeleteFunc(got, func(l string) bool { return strings.Trim(l, ".") == "" })
		if !inOrder(got, lines) {
			t.Errorf("line %d: %v; printed twice or out of order: %q", at, err, paper)
		}
	default:
		if len(got) > 0 || job.State != printjob.Failed {
			t.Errorf("line %d: nothing is printed, says the driver: %v; %+v, on the paper %q", at, err, job, paper)
		}
	}
	return job.State
}

// inOrder says that each of got is one of lines, once and in their order.
func inOrder(got, lines []string) bool {
	for _, l := range got {
		i := slices.Index(lines, l)
		if i < 0 {
			return false
		}
		lines = lines[i+1:]
	}
	return true
}

// TestFaultsAtRandom lets several faults happen one after the other, at any
// time and for any time, to a receipt with a logo.
func TestFaultsAtRandom(t *testing.T) {
	t.Parallel()
	const seeds = 400
	outcomes := map[printjob.State]int{}
	for seed := range uint64(seeds) {
		model := []string{"tm-t88v", "generic-80"}[seed%2]
		driverstest.Simulated().Run(t, func(t *testing.T) {
			outcomes[atRandom(t, model, rand.New(rand.NewPCG(seed, 1)))]++ //nolint:gosec // to be played again
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		})
	}
	t.Log(outcomes)
	if outcomes[printjob.Printed] < seeds/10 || outcomes[printjob.Unknown] < seeds/10 {
		t.Errorf("%v: some should come out, and some not", outcomes)
	}
}

func atRandom(t *testing.T, model string, random *rand.Rand) printjob.State {
	t.Helper()
	near, far := driverstest.Simulated().Connect(t)
	d := driverstest.NewReceiptPrinter(t, far)
	p, err := escpos.New(near, model)
	if err != nil {
		t.Fatal(err)
	}
	d.Set(func(f *driverstest.PrinterFaults) {
		f.LineTime = time.Duration(1+random.IntN(20)) * time.Millisecond
		f.NoAuto = random.IntN(3) == 0
	})
	if err := p.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	doc, lines := headed(receiptLines)
	printed := make(chan error, 1)
	go func() { printed <- p.Print(t.Context(), doc, nil) }()
	all := slices.DeleteFunc(faults(), func(f fault) bool { return f.name == "cable" })
	for range 1 + random.IntN(3) {
		f := all[random.IntN(len(all))]
		time.Sleep(time.Duration(random.IntN(200)) * time.Millisecond)
		f.happens(d)
		time.Sleep(time.Duration(random.IntN(4000)) * time.Millisecond)
		f.over(d)
	}
	select {
	case err = <-printed:
	case <-time.After(2 * time.Minute):
		t.Fatalf("no end; %+v", p.Job())
	}
	return judge(t, -1, d.Lines(), lines, err, p.Job())
}
