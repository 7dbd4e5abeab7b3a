package star_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regi/drivers"
	"regi/drivers/driverstest"
	"regi/drivers/printjob"
	"regi/drivers/star"
	"regi/sim/device/printer"     //nolint:depguard // tests may cross
	"regi/sim/device/starprinter" //nolint:depguard // tests may cross
)

// TestResume: a printer that was switched off for its knife to be freed has lost
// its buffer. One that says what it has printed is given the cut again and
// nothing else; of one that does not, nobody knows, and it says so.
func TestResume(t *testing.T) {
	t.Parallel()
	for model, want := range map[string]printjob.State{
		"star-mc-print3": printjob.Printed, "star-tsp654ii": printjob.Printed, "star-line": printjob.Unknown,
	} {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { freed(t, model, want) })
		})
	}
}

// freed frees the knife, as a person does who switches the printer off.
func freed(t *testing.T, model string, want printjob.State) {
	near, far := driverstest.Pipe(t)
	sim := simulate(t, far, starprinter.Options{MillimetresPerSecond: 200})
	set := func(c printer.Change) {
		if err := sim.Set(c); err != nil {
			t.Error(err)
		}
	}
	set(printer.Change{Cutter: "jammed"})
	p, err := star.New(near, model)
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{"01 行", "02 行", "03 行"}
	doc := drivers.Document{Cut: true}
	for _, l := range lines {
		doc.Items = append(doc.Items, drivers.TextLine{Text: l})
	}
	jammed := make(chan struct{})
	done := make(chan error)
	go func() {
		told := false
		done <- p.Print(t.Context(), doc, func(cause error) {
			if !told && errors.Is(cause, drivers.ErrCutter) {
				told = true
				close(jammed)
			}
		})
	}()
	<-jammed
	set(printer.Change{Power: "off"})
	time.Sleep(20 * time.Second)
	set(printer.Change{Power: "on", Cutter: "ok"})
	err = <-done
	if got := p.Job(); got.State != want || (err == nil) != (want == printjob.Printed) {
		t.Errorf("%v, %+v", err, got)
	}
	paper := strings.Split(sim.Text(), "\n")
	for _, l := range lines {
		if n := len(slices.DeleteFunc(slices.Clone(paper), func(s string) bool { return s != l })); n != 1 {
			t.Errorf("%q is on the paper %d times:\n%s", l, n, sim.Text())
		}
	}
	if cuts := strings.Count(sim.Text(), printer.CutMark); cuts > 1 || cuts != 1 && want == printjob.Printed {
		t.Errorf("%d cuts:\n%s", cuts, sim.Text())
	}
}
