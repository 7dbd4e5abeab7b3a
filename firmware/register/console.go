package register

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"regi/drivers"
	"regi/firmware/catalog"
	"regi/firmware/gs1"
	"regi/firmware/journal"
	"regi/firmware/record"
	"regi/firmware/till"
)

// What a technician asks for.
var (
	// ErrSale: a sale is open, or something else that a test would disturb.
	ErrSale = errors.New("a sale is open")
	// ErrEnded: the register takes no more records.
	ErrEnded = errors.New("the register has ended")
	// ErrNoRoom: the journal is full.
	ErrNoRoom = errors.New("the journal is full")
	// ErrAway: nobody serves the device.
	ErrAway = errors.New("the device is away")
)

// takeWithin is how long a device's task may be busy with something else.
const takeWithin = 5 * time.Second

// Notice waits for the next thing that the operator is told.
func (r *Register) Notice(ctx context.Context) (till.Notice, error) {
	select {
	case n := <-r.notices:
		return n, nil
	case <-ctx.Done():
		return till.Notice{}, ctx.Err()
	}
}

// Announce tells the people at the counter of something that is not the till's.
func (r *Register) Announce(code, text string) { r.notify(till.Notice{Code: code, Text: text}) }

// Note makes a record of what is done to the register and not in the shop: on
// return it is on the disk. It fails with ErrNoRoom if there is no room.
func (r *Register) Note(ctx context.Context, kind record.Kind, body any) error {
	return r.inLoop(ctx, func() (said, fatal error) { //nolint:contextcheck // see append
		err := r.ledger.note(time.Now(), kind, body)
		if errors.Is(err, journal.ErrFull) {
			return ErrNoRoom, nil
		}
		if err == nil {
			r.feedUplink()
		}
		return err, err
	})
}

// Summary is the register at a moment.
type Summary struct {
	Phase string // the till's
	Sale  bool   // or something else is under way
	// Head, Acked and Depth are of the journal; Hash is the head's, Room in bytes.
	Head, Acked, Depth uint64
	Hash               string
	Room               int64
	Online             bool
	CloudSays          string
	Devices            map[string]string // "up", why not, or a warning of one that is up
}

// Summary asks the loop.
func (r *Register) Summary(ctx context.Context) (s Summary, err error) {
	err = r.inLoop(ctx, func() (said, fatal error) {
		j := r.ledger.journal
		var hash record.Hash
		s.Head, hash = j.Head()
		s.Hash = hex.EncodeToString(hash[:])
		s.Acked, _ = j.Acked()
		s.Depth, s.Room = j.Depth(), j.Room()
		s.Phase = r.till.Phase()
		s.Sale = !r.quiet()
		r.mu.Lock()
		defer r.mu.Unlock()
		s.Online, s.CloudSays = r.online, r.cloudSays
		s.Devices = maps.Clone(r.devices)
		return nil, nil
	})
	return s, err
}

// inLoop has the loop call f; fatal ends the register.
func (r *Register) inLoop(ctx context.Context, f func() (said, fatal error)) error {
	answer := make(chan error, 1)
	select {
	case r.asks <- func() error {
		said, fatal := f()
		answer <- said
		return fatal
	}:
	case <-r.ended:
		return ErrEnded
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// quiet says that nothing is under way at the counter.
func (r *Register) quiet() bool {
	phase := r.till.Phase()
	return phase == till.Idle || phase == till.Closed
}

// free fails with ErrSale while a test would disturb the counter.
func (r *Register) free(ctx context.Context) error {
	return r.inLoop(ctx, func() (said, fatal error) {
		if !r.quiet() {
			return ErrSale, nil
		}
		return nil, nil
	})
}

// taps take the next read of a device away from the till.
type taps struct {
	mu   sync.Mutex
	scan chan ScanTest
	card chan CardTest
}

// ScanTest is a label that was not sold.
type ScanTest struct {
	drivers.Scan
	Problem string
}

// CardTest is a swipe that was not charged.
type CardTest struct {
	Read   record.CardRead
	Failed string
}

// NextScan waits for one label, which is not sold. It calls ready when the next
// one counts.
func (r *Register) NextScan(ctx context.Context, ready func()) (ScanTest, error) {
	return tapped(ctx, r, &r.taps.scan, ready)
}

// NextCard waits for one swipe, which is not charged. It calls ready when the
// next one counts.
func (r *Register) NextCard(ctx context.Context, ready func()) (CardTest, error) {
	return tapped(ctx, r, &r.taps.card, ready)
}

func tapped[T any](ctx context.Context, r *Register, tap *chan T, ready func()) (got T, err error) {
	if err := r.free(ctx); err != nil {
		return got, err
	}
	c := make(chan T, 1)
	r.taps.mu.Lock()
	*tap = c
	r.taps.mu.Unlock()
	defer func() {
		r.taps.mu.Lock()
		defer r.taps.mu.Unlock()
		*tap = nil
	}()
	ready()
	select {
	case got = <-c:
		return got, nil
	case <-ctx.Done():
		return got, ctx.Err()
	}
}

// tap gives a read to whoever waits for one; false: nobody does.
func tap[T any](r *Register, at *chan T, read T) bool {
	r.taps.mu.Lock()
	defer r.taps.mu.Unlock()
	if *at == nil {
		return false
	}
	*at <- read // it has room for one
	*at = nil
	return true
}

// tapScan takes a scan for a test.
func (r *Register) tapScan(scan drivers.Scan, problem string, prices *catalog.Catalog) bool {
	r.taps.mu.Lock()
	wanted := r.taps.scan != nil
	r.taps.mu.Unlock()
	if !wanted { // a scan that is sold does not wait for what follows
		return false
	}
	if problem == "" {
		if gtin, err := gs1.GTIN14(scan.Label, scan.AIM); err != nil {
			problem = fmt.Sprintf("%s: %v", printable(scan.Label), err)
		} else if _, ok := prices.Lookup(gtin); !ok {
			scan.Label += " (no price here)"
		}
	}
	return tap(r, &r.taps.scan, ScanTest{drivers.Scan{Label: printable(scan.Label), AIM: printable(scan.AIM)}, problem})
}

// trial is a test that a device's task carries out.
type trial[D any] struct {
	do   func(line context.Context, device D) error
	done chan error
}

// run carries it out; its answer is the test's, its error the line's.
func (t trial[D]) run(line context.Context, device D) error {
	err := t.do(line, device)
	t.done <- err
	if line.Err() != nil || errors.Is(err, drivers.ErrUnplugged) || errors.Is(err, drivers.ErrClosed) {
		return err
	}
	return nil
}

func try[D any](ctx context.Context, r *Register, to chan trial[D], do func(context.Context, D) error) error {
	if err := r.free(ctx); err != nil {
		return err
	}
	t := trial[D]{done: make(chan error, 1), do: func(line context.Context, device D) error {
		line, cancel := context.WithCancel(line)
		defer context.AfterFunc(ctx, cancel)() // who asked has gone
		defer cancel()
		return do(line, device)
	}}
	late := time.NewTimer(takeWithin)
	defer late.Stop()
	select {
	case to <- t:
	case <-late.C:
		return ErrAway
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-t.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TestPrint prints a document that is no receipt. It does not wait as a receipt
// does: what the printer pauses for is its error at once.
func (r *Register) TestPrint(ctx context.Context, doc func(columns int) drivers.Document) error {
	return try(ctx, r, r.paperTests, func(ctx context.Context, p drivers.POSPrinter) error {
		ctx, stop := context.WithCancelCause(ctx)
		defer stop(nil)
		err := p.Print(ctx, doc(p.Columns()), func(why error) {
			if why != nil {
				stop(why)
			}
		})
		if why := context.Cause(ctx); err != nil && why != nil {
			return why
		}
		return err
	})
}

// TestDrawer opens the drawer. The till hears that it is open; the technician's
// own record is the reason.
func (r *Register) TestDrawer(ctx context.Context) error {
	return try(ctx, r, r.drawerTests, func(ctx context.Context, d drivers.CashDrawer) error {
		err := openCool(ctx, d)
		if err == nil {
			r.stands(true)
		}
		return err
	})
}

// TestShow shows two lines until ctx ends, unless the till has something to say.
func (r *Register) TestShow(ctx context.Context, upper, lower string) error {
	if err := r.free(ctx); err != nil {
		return err
	}
	before := r.screen.newest()
	test := till.Show{Upper: upper, Lower: lower, Customer: [2]string{upper, lower}}
	r.screen.show(test)
	<-ctx.Done()
	if r.screen.newest() == test {
		r.screen.show(before)
	}
	return ctx.Err()
}
