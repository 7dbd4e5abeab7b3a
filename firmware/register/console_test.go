package register

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"regi/drivers"
	"regi/firmware/record"
	"regi/firmware/till"
)

// feed is a scanner that waits for what the test gives it.
type feed chan drivers.Scan

func (f feed) Read(ctx context.Context) (drivers.Scan, error) {
	select {
	case s := <-f:
		return s, nil
	case <-ctx.Done():
		return drivers.Scan{}, drivers.ErrUnplugged
	}
}

// patience bounds every wait for something that must happen.
const patience = 30 * time.Second

// until waits for a condition that the loop brings about.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for late := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatal("not reached: " + what)
		}
	}
}

func (r *Register) summary(t *testing.T) Summary {
	t.Helper()
	s, err := r.Summary(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A record of the technician's is durable on return, in the chain with the
// others; a register that has ended takes none.
func TestNote(t *testing.T) {
	s := newShop(t)
	r, stop := s.run(t)
	before := r.summary(t)
	if err := r.Note(t.Context(), record.ConsoleOpen, map[string]string{"Who": "x"}); err != nil {
		t.Fatal(err)
	}
	after := r.summary(t)
	if after.Head != before.Head+1 || after.Hash == before.Hash || after.Depth != before.Depth+1 || after.Phase != till.Closed || after.Sale {
		t.Errorf("%+v after %+v", after, before)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if err := r.Note(t.Context(), record.ConsoleClose, nil); !errors.Is(err, ErrEnded) {
		t.Errorf("%v", err)
	}
	if _, err := r.Summary(t.Context()); !errors.Is(err, ErrEnded) {
		t.Errorf("%v", err)
	}
}

// The next scan goes to the technician's test and not into a sale; the one
// after that is sold again, and during a sale there is no test.
func TestScanTest(t *testing.T) {
	s := newShop(t)
	r, _ := s.run(t)
	scans := make(feed)
	go r.ServeScanner(t.Context(), scans)
	for _, k := range []string{"1", "OPEN"} {
		r.post(t.Context(), till.Key{Name: k})
	}
	until(t, "open", func() bool { return r.summary(t).Phase == till.Idle })
	for label, want := range map[string]ScanTest{
		"4901234567894":        {Scan: drivers.Scan{Label: "4901234567894"}},
		"4900000000009":        {Scan: drivers.Scan{Label: "4900000000009 (no price here)"}},
		"49012345678\x1b[2J95": {Scan: drivers.Scan{Label: "49012345678.[2J95"}, Problem: "x"},
	} {
		got, ready := make(chan ScanTest, 1), make(chan struct{})
		go func() {
			read, err := r.NextScan(t.Context(), func() { close(ready) })
			if err != nil {
				t.Error(err)
			}
			got <- read
		}()
		<-ready
		scans <- drivers.Scan{Data: label, Label: label}
		if read := <-got; read.Label != want.Label || (read.Problem == "") != (want.Problem == "") {
			t.Errorf("%q: %+v", label, read)
		}
	}
	if phase := r.summary(t).Phase; phase != till.Idle {
		t.Errorf("a test was sold: %s", phase)
	}
	scans <- drivers.Scan{Data: "4901234567894", Label: "4901234567894"}
	until(t, "sale", func() bool { return r.summary(t).Sale })
	if _, err := r.NextScan(t.Context(), func() {}); !errors.Is(err, ErrSale) {
		t.Errorf("in a sale: %v", err)
	}
	if err := r.TestDrawer(t.Context()); !errors.Is(err, ErrSale) {
		t.Errorf("in a sale: %v", err)
	}
}

// A swipe for a test is not the till's.
func TestCardTest(t *testing.T) {
	s := newShop(t)
	r, _ := s.run(t)
	ours, theirs := socketPair(t)
	go r.ServeCapture(t.Context(), ours)
	got := make(chan CardTest, 1)
	go func() {
		read, err := r.NextCard(t.Context(), func() {})
		if err != nil {
			t.Error(err)
		}
		got <- read
	}()
	until(t, "tap", func() bool { r.taps.mu.Lock(); defer r.taps.mu.Unlock(); return r.taps.card != nil })
	if _, err := theirs.Write([]byte{2, 'F', 2, 1, 0}); err != nil { // track 2: parity
		t.Fatal(err)
	}
	if read := <-got; read.Failed == "" {
		t.Errorf("%+v", read)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := r.NextCard(ctx, func() {}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	r.taps.mu.Lock()
	defer r.taps.mu.Unlock()
	if r.taps.card != nil {
		t.Error("a test that is over takes the next swipe")
	}
}

// tray is a drawer, and a printer that prints nothing.
type tray struct {
	opened int
	docs   []drivers.Document
	paused error // it waits for somebody, for as long as it may
	err    error
}

func (d *tray) OpenDrawer(context.Context) error           { d.opened++; return d.err }
func (d *tray) DrawerOpened(context.Context) (bool, error) { return d.opened > 0, nil }
func (d *tray) Columns() int                               { return 42 }
func (d *tray) Print(ctx context.Context, doc drivers.Document, paused func(error)) error {
	if d.paused != nil {
		paused(d.paused)
		<-ctx.Done()
		return ctx.Err()
	}
	d.docs = append(d.docs, doc)
	return d.err
}

func (d *tray) Status(context.Context) (drivers.PrinterStatus, error) {
	return drivers.PrinterStatus{}, nil
}

// The technician's opening is no forced one, and a device that nobody serves is
// said to be away.
func TestDrawerTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, stop := newShop(t).run(t)
		ctx, cancel := context.WithCancel(t.Context())
		d := &tray{}
		served := make(chan error, 1)
		go func() { served <- r.ServeDrawer(ctx, d) }()
		synctest.Wait()
		before := r.summary(t).Head
		if err := r.TestDrawer(t.Context()); err != nil || d.opened != 1 {
			t.Fatalf("%v, opened %d times", err, d.opened)
		}
		time.Sleep(leftOpenAfter + leftOpenEvery) // the switch is read
		if after := r.summary(t).Head; after != before+2 {
			t.Errorf("%d records of an opening that is the technician's, and stands", after-before)
		}
		if drawer := r.till.State().Drawer; !drawer.Open || !drawer.LeftOpen {
			t.Errorf("a restart would find it open by force: %+v", drawer)
		}
		cancel()
		<-served
		if err := r.TestDrawer(t.Context()); !errors.Is(err, ErrAway) {
			t.Errorf("nobody serves it: %v", err)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestPrintTest(t *testing.T) {
	s := newShop(t)
	r, _ := s.run(t)
	ctx, cancel := context.WithCancel(t.Context())
	p := &tray{}
	served := make(chan error, 1)
	go func() { served <- r.ServePrinter(ctx, p, nil) }()
	doc := func(columns int) drivers.Document {
		return drivers.Document{Items: drivers.Texts(drivers.TextLine{Text: "test"}), Cut: columns == 42}
	}
	if err := r.TestPrint(t.Context(), doc); err != nil || len(p.docs) != 1 || !p.docs[0].Cut {
		t.Fatalf("%v, %+v", err, p.docs)
	}
	p.paused = drivers.ErrCoverOpen // and it stays so
	if err := r.TestPrint(t.Context(), doc); !errors.Is(err, drivers.ErrCoverOpen) {
		t.Errorf("%v", err)
	}
	p.paused = nil
	p.err = wrapped(drivers.ErrPaperOut)
	if err := r.TestPrint(t.Context(), doc); !errors.Is(err, drivers.ErrPaperOut) {
		t.Errorf("%v", err)
	}
	p.err = wrapped(drivers.ErrUnplugged)
	if err := r.TestPrint(t.Context(), doc); !errors.Is(err, drivers.ErrUnplugged) {
		t.Errorf("%v", err)
	}
	if err := <-served; !errors.Is(err, drivers.ErrUnplugged) {
		t.Errorf("the line is gone, and served on: %v", err)
	}
	cancel()
	short, stop := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer stop()
	if err := r.TestPrint(short, doc); err == nil {
		t.Error("printed by nobody")
	}
}

// The display shows the test and then what it showed before, unless the till
// had something to say.
func TestShowTest(t *testing.T) {
	s := newShop(t)
	r, _ := s.run(t)
	until(t, "ready", func() bool { return r.screen.newest() != till.Show{} })
	before := r.screen.newest()
	ctx, cancel := context.WithCancel(t.Context())
	shown := make(chan error, 1)
	go func() { shown <- r.TestShow(ctx, "TEST", "test") }()
	until(t, "test", func() bool { return r.screen.newest().Upper == "TEST" && r.screen.newest().Customer[1] == "test" })
	cancel()
	if <-shown; r.screen.newest() != before {
		t.Errorf("%+v is left, was %+v", r.screen.newest(), before)
	}
}
