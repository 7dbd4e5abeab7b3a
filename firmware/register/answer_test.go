package register

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"regi/drivers"
	"regi/firmware/journal"
	"regi/firmware/record"
	"regi/firmware/till"
)

// asking is a scanner that waits for an answer to each scan.
type asking struct {
	reads   chan answer[drivers.Scan]
	answers chan bool
	deaf    bool // it does not take the answer
	silent  bool // it does nothing with one
	unplug  bool // its line goes with the answer
}

func (a *asking) Read(ctx context.Context) (drivers.Scan, error) {
	select {
	case r, ok := <-a.reads:
		if !ok {
			return drivers.Scan{}, drivers.ErrUnplugged
		}
		return r.value, r.err
	case <-ctx.Done():
		return drivers.Scan{}, ctx.Err()
	}
}

func (a *asking) WantsAnswer() bool { return !a.silent }

func (a *asking) Answer(_ context.Context, sold bool) error {
	deaf, unplug := a.deaf, a.unplug // of before the test goes on
	a.answers <- sold
	switch {
	case deaf:
		return wrapped(drivers.ErrTimeout)
	case unplug:
		return wrapped(drivers.ErrUnplugged)
	}
	return nil
}

func newAsking() *asking {
	return &asking{reads: make(chan answer[drivers.Scan]), answers: make(chan bool, 1)}
}

// scan is one scan and what the scanner was told of it.
func (a *asking) scan(label string, err error) bool {
	a.reads <- answer[drivers.Scan]{drivers.Scan{Data: label, Label: label}, err}
	return <-a.answers
}

// serve gives the register the scanner until the test is over.
func serve(t *testing.T, r *Register, a *asking) (ended chan error) {
	t.Helper()
	ended = make(chan error, 1)
	go func() { ended <- r.ServeScanner(t.Context(), a) }()
	return ended
}

// TestAnswers: a scan is confirmed when its line is on the sale and on disk, and
// refused in every other case.
func TestAnswers(t *testing.T) {
	const note = "4901234567894"
	s := newShop(t)
	r, _ := s.run(t)
	a := newAsking()
	ended := serve(t, r, a)
	press := func(names ...string) {
		for _, e := range keys(names...) {
			r.ask(t.Context(), e)
		}
	}
	expect := func(what string, got, want bool) {
		t.Helper()
		if got != want {
			t.Errorf("%s: answered %t", what, got)
		}
	}
	expect("closed", a.scan(note, nil), false)
	press("1", "OPEN")
	expect("a good", a.scan(note, nil), true)
	expect("an unknown code", a.scan("4006381333931", nil), false)
	expect("a check digit", a.scan("4901234567895", nil), false)
	expect("control bytes", a.scan("", wrapped(drivers.ErrControl)), false)
	expect("a broken frame", a.scan("", wrapped(drivers.ErrFrame)), false)
	expect("too long", a.scan("", wrapped(drivers.ErrTooLong)), false)
	press("3")
	expect("half a number keyed", a.scan(note, nil), false)
	expect("after it", a.scan(note, nil), true)
	press("SUBTOTAL")
	expect("while paying", a.scan(note, nil), false)
	press("CLEAR", "CARD")
	expect("while a card is awaited", a.scan(note, nil), false)
	a.deaf = true
	expect("a scanner that does not take it", a.scan(note, nil), false)
	a.deaf = false
	press("CLEAR", "CLEAR")
	expect("and goes on", a.scan(note, nil), true)
	a.unplug = true
	a.scan(note, nil)
	if err := <-ended; !errors.Is(err, drivers.ErrUnplugged) {
		t.Errorf("the line went with the answer: %v", err)
	}
}

// TestNoAnswerWithoutDisk: a line that did not reach the disk is not confirmed,
// though the till has taken it.
func TestNoAnswerWithoutDisk(t *testing.T) {
	s := newShop(t)
	r := s.open(t)
	if err := r.handle(t.Context(), till.Key{Name: "1"}); err != nil {
		t.Fatal(err)
	}
	if err := r.handle(t.Context(), till.Key{Name: "OPEN"}); err != nil {
		t.Fatal(err)
	}
	q := question{s.scan("4901234567894"), make(chan bool, 1)}
	if err := r.handle(t.Context(), q); err != nil || !<-q.took {
		t.Fatalf("not taken: %v", err)
	}
	if err := r.ledger.close(); err != nil {
		t.Fatal(err)
	}
	if err := r.handle(t.Context(), q); !errors.Is(err, journal.ErrClosed) || len(q.took) > 0 {
		t.Errorf("answered without a record: %v", err)
	}
}

// TestNobodyWaits: a scanner that does nothing with answers is not held up by the
// loop, which does not run here.
func TestNobodyWaits(t *testing.T) {
	r := idle(t)
	a := newAsking()
	a.silent = true
	ended := serve(t, r, a)
	for range 10 {
		a.reads <- answer[drivers.Scan]{drivers.Scan{Label: "4901234567894"}, nil}
	}
	close(a.reads)
	if err := <-ended; !errors.Is(err, drivers.ErrUnplugged) {
		t.Errorf("ended with %v", err)
	}
	if n := len(posted(r)); n != 10 {
		t.Errorf("%d scans of 10", n)
	}
}

// TestTwoScanners: both put their articles on the one sale, each hears of its own
// scans, and one that is pulled is told of by its name.
func TestTwoScanners(t *testing.T) {
	const each = 50
	s := newShop(t)
	r, stop := s.run(t)
	r.ask(t.Context(), till.Key{Name: "1"})
	r.ask(t.Context(), till.Key{Name: "OPEN"})
	var both sync.WaitGroup
	for _, label := range []string{"4901234567894", "4006381333931"} { // the second is in no catalogue
		a := newAsking()
		serve(t, r, a)
		both.Go(func() {
			for range each {
				if sold := a.scan(label, nil); sold != (label == "4901234567894") {
					t.Errorf("%s: answered %t", label, sold)
				}
			}
		})
	}
	both.Wait()
	r.DeviceState(t.Context(), "scanner2", false, drivers.ErrUnplugged)
	r.ask(t.Context(), till.Key{Name: "CLEAR"})
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	state := r.till.State()
	if n := len(state.Sale.Receipt.LineItem); n != each || state.Flags.Down["scanner2"] == "" {
		t.Errorf("%d lines of %d; away: %v", n, each, state.Flags.Down)
	}
}

// TestTookIsALine: over a whole day, a scan is taken when, and only when, a
// record of a line was made.
func TestTookIsALine(t *testing.T) {
	s := newShop(t)
	r := s.open(t)
	t.Cleanup(func() { _ = r.ledger.close() })
	bad := till.Scanned{Problem: till.ProblemFrame}
	note := s.scan("4901234567894")
	var taken, refused int
	for _, e := range s.day() {
		for _, scan := range []till.Event{nil, bad, note} {
			if scan == nil {
				scan = e
			} else if r.till.State().Phase() == "CLOSED" {
				continue // not between the cashier's number and OPEN
			}
			if scanned, ok := scan.(till.Scanned); ok {
				twin := till.New(s.Till, r.till.State())
				line := slices.ContainsFunc(twin.Handle(r.ledger.last, scanned), func(e till.Effect) bool {
					made, ok := e.(till.Record)
					return ok && made.Kind == record.LineAdd
				})
				took, err := r.take(t.Context(), scanned)
				if err != nil || took != line {
					t.Fatalf("%+v in %s: took %t, a line %t, %v", scanned, r.till.State().Phase(), took, line, err)
				}
				if took {
					taken++
				} else {
					refused++
				}
				continue
			}
			if err := r.handle(t.Context(), scan); err != nil {
				t.Fatal(err)
			}
		}
	}
	if taken < 10 || refused < 10 {
		t.Errorf("%d taken and %d refused: no day to judge by", taken, refused)
	}
}
