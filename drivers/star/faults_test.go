package star_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regi/drivers"
	"regi/drivers/driverstest"
	"regi/drivers/star"
	"regi/sim/device/printer"     //nolint:depguard // tests may cross
	"regi/sim/device/starprinter" //nolint:depguard // tests may cross
)

// faultLines are the lines of the receipt of the fault table.
const faultLines = 36

// fault is what befalls a printer, and what makes it well again.
type fault struct {
	name      string
	now, then printer.Change
	unplug    bool
	certain   bool // the outcome is known in the end
}

func faults() []fault {
	return []fault{
		{"paper", printer.Change{Paper: "out"}, printer.Change{Paper: "ok"}, false, true},
		{"cover", printer.Change{Cover: "open"}, printer.Change{Cover: "closed"}, false, true},
		{"cutter", printer.Change{Cutter: "jammed"}, printer.Change{Cutter: "ok"}, false, true},
		{"power", printer.Change{Power: "off"}, printer.Change{Power: "on"}, false, false},
		{"paper and power", printer.Change{Paper: "out", Power: "off"}, printer.Change{Paper: "ok", Power: "on"}, false, false},
		{"cable", printer.Change{}, printer.Change{}, true, false},
	}
}

// TestFaultTable lets each fault happen at each line of a receipt: afterwards
// each line is on the paper once, or the outcome is unknown and says so.
func TestFaultTable(t *testing.T) {
	t.Parallel()
	for _, model := range []string{"star-mc-print3", "star-line"} {
		for _, f := range faults() {
			for _, away := range []time.Duration{10 * time.Millisecond, 3 * time.Second} {
				t.Run(fmt.Sprintf("%s/%s for %v", model, f.name, away), func(t *testing.T) {
					for at := range faultLines + 1 {
						synctest.Test(t, func(t *testing.T) { f.happens(t, model, at, away) })
					}
				})
			}
		}
	}
}

func (f fault) happens(t *testing.T, model string, at int, away time.Duration) {
	near, far := driverstest.Pipe(t)
	var sim *starprinter.Printer
	var befallen atomic.Bool
	befall := func() {
		if !befallen.Swap(true) {
			f.befalls(t, sim, far, away)
		}
	}
	sim = simulate(t, far, starprinter.Options{MillimetresPerSecond: 200, Changed: func() {
		if sim.State().Lines >= at {
			befall()
		}
	}})
	p, err := star.New(near, model)
	if err != nil {
		t.Fatal(err)
	}
	doc := drivers.Document{Cut: true}
	for i := range faultLines {
		doc.Items = append(doc.Items, drivers.TextLine{Text: fmt.Sprintf("%02d 行", i)})
	}
	if at == 0 {
		befall()
	}
	began := time.Now()
	err = p.Print(t.Context(), doc, nil)
	if took := time.Since(began); took > time.Minute {
		t.Errorf("line %d: took %v", at, took)
	}
	paper := sim.Text()
	for _, item := range doc.Items {
		line := item.(drivers.TextLine).Text //nolint:forcetypeassert // see above
		switch n := strings.Count(paper, line); {
		case err == nil && n != 1:
			t.Errorf("line %d: printed, says the driver; %q is on the paper %d times", at, line, n)
		case n > 1:
			t.Errorf("line %d: %q is on the paper %d times", at, line, n)
		case err != nil && !errors.Is(err, drivers.ErrUnknownOutcome) && n != 0:
			t.Errorf("line %d: nothing printed, says the driver (%v); %q is there", at, err, line)
		}
	}
	if f.certain && err != nil {
		t.Errorf("line %d: %v", at, err)
	}
	time.Sleep(2 * away) // the fault's end
}

func (f fault) befalls(t *testing.T, sim *starprinter.Printer, far io.Closer, away time.Duration) {
	if f.unplug {
		far.Close()
		return
	}
	if err := sim.Set(f.now); err != nil {
		t.Error(err)
	}
	time.AfterFunc(away, func() {
		if err := sim.Set(f.then); err != nil {
			t.Error(err)
		}
	})
}
