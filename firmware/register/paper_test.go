package register

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"regi/drivers"
	"regi/firmware/sale"
	"regi/firmware/till"
)

// bellTop is a printer that says by itself that something has changed, and can
// be told to go on.
type bellTop struct {
	counterTop
	rings   chan error
	docs    []drivers.Document
	recover chan bool
}

func (b *bellTop) Changed(ctx context.Context) error {
	select {
	case err := <-b.rings:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *bellTop) Recover(_ context.Context, clear bool) error {
	b.recover <- clear
	return nil
}

func (b *bellTop) Print(ctx context.Context, doc drivers.Document, paused func(error)) error {
	b.docs = append(b.docs, doc)
	return b.print(ctx, paused)
}

// serve runs the printer's tasks in a bubble, until the test's end.
func (b *bellTop) serve(t *testing.T, r *Register) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.ServePrinter(ctx, b, &b.counterTop) }()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	synctest.Wait()
}

// TestBell: what the printer says by itself is told before the next poll.
func TestBell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := idle(t)
		p := &bellTop{rings: make(chan error)}
		p.serve(t, r)
		p.set(drivers.PrinterStatus{PaperOut: true}, nil, false, nil)
		began := time.Now()
		p.rings <- wrapped(drivers.ErrTimeout) // it was off: it is listened to again
		time.Sleep(statusEvery + time.Millisecond)
		synctest.Wait()
		p.set(drivers.PrinterStatus{CoverOpen: true}, nil, false, nil)
		p.rings <- nil
		synctest.Wait()
		if took := time.Since(began); took > statusEvery+10*time.Millisecond {
			t.Fatal(took)
		}
		want := "[{printer false paper out} {printer false cover open}]"
		es := slices.DeleteFunc(posted(r), func(e till.Event) bool { _, device := e.(till.Device); return !device })
		if got := fmt.Sprint(es); got != want {
			t.Errorf("told %s, want %s", got, want)
		}
	})
}

// TestRecoverEffect: the operator's word reaches the printer, as "go on".
func TestRecoverEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		r := s.open(t)
		p := &bellTop{recover: make(chan bool, 10)}
		p.serve(t, r)
		advance(t, r, till.Key{Name: "OPEN"}, till.Device{Name: "printer", Detail: "cutter error"})
		if len(p.recover) > 0 {
			t.Fatal("it recovered by itself")
		}
		advance(t, r, till.Key{Name: "ENTER"})
		synctest.Wait()
		if len(p.recover) != 1 || <-p.recover {
			t.Error("the printer was not told to go on")
		}
		if err := r.ledger.close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestCutFirst: half a receipt is cut off before the next, also of another run
// of the register, and across a lost line.
func TestCutFirst(t *testing.T) {
	r := idle(t)
	p := &bellTop{}
	job := till.Print{Report: &sale.Report{Kind: sale.ReportX}}
	again := job
	again.Reprint = true
	for _, step := range []struct {
		job till.Print
		err error
	}{
		{again, nil},
		{again, nil},
		{job, wrapped(drivers.ErrUnknownOutcome)},
		{job, errors.Join(drivers.ErrUnknownOutcome, drivers.ErrUnplugged)},
		{job, nil},
		{job, nil},
	} {
		p.print = func(context.Context, func(error)) error { return step.err }
		if err := r.printJob(t.Context(), t.Context(), p, step.job); err != nil && !errors.Is(err, drivers.ErrUnplugged) {
			t.Fatal(err)
		}
	}
	got := make([]bool, 0, len(p.docs))
	for _, doc := range p.docs {
		got = append(got, doc.CutFirst)
	}
	if want := []bool{true, false, false, true, true, false}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestBeginBy: a receipt has a time after which it is not begun.
func TestBeginBy(t *testing.T) {
	r := idle(t)
	p := &bellTop{}
	p.print = func(context.Context, func(error)) error { return nil }
	at := time.Now()
	for _, job := range []till.Print{{Report: &sale.Report{}}, {Report: &sale.Report{}, At: at}} {
		if err := r.printJob(t.Context(), t.Context(), p, job); err != nil {
			t.Fatal(err)
		}
	}
	if !p.docs[0].BeginBy.IsZero() || !p.docs[1].BeginBy.Equal(at.Add(till.StaleAfter)) {
		t.Errorf("%v, %v", p.docs[0].BeginBy, p.docs[1].BeginBy)
	}
}

// TestReason: the counter hears words, not the kernel's.
func TestReason(t *testing.T) {
	for err, want := range map[error]string{
		wrapped(drivers.ErrHeadHot):                                    "print head too hot",
		wrapped(drivers.ErrMechanical):                                 "mechanical error",
		wrapped(drivers.ErrUnrecoverable):                              "unrecoverable error",
		wrapped(drivers.ErrOffline):                                    "printer offline",
		&os.PathError{Op: "open", Path: "/dev/x", Err: os.ErrNotExist}: "unplugged",
		wrapped(drivers.ErrUnplugged):                                  "unplugged",
	} {
		if got := reason(err); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}
