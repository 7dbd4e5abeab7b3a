// Package register is the shell around the till: one task per device, and one
// loop that makes the till's records durable and then carries out its effects.
package register

import (
	"context"
	"crypto/ed25519"
	"crypto/hpke"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"regi/drivers"
	"regi/firmware/catalog"
	"regi/firmware/journal"
	"regi/firmware/receipt"
	"regi/firmware/record"
	"regi/firmware/till"
	"regi/firmware/uplink"
)

// Config is what a register is made of; every field but Logo is needed.
type Config struct {
	ID       record.ID
	Till     till.Config
	StateDir string
	Version  string
	// Boot is what the record of the start says besides, on a flashed board: its
	// slot and epoch.
	Boot map[string]string
	// Key signs this register's records; SealTo is who may read them; SignedBy
	// is whose acknowledgement lets the journal delete.
	Key      ed25519.PrivateKey
	SealTo   hpke.PublicKey
	SignedBy ed25519.PublicKey
	Prices   *catalog.Catalog
	Log      *slog.Logger
	// Clock takes the time that the cloud has signed; nil: somebody else sets this
	// machine's.
	Clock func(time.Time)
	// LeftOpen is when an open drawer is an alarm; 0: after 30 s, negative: never.
	LeftOpen time.Duration
	// Tape prints each line that a display would show: there is none.
	Tape bool
	// Logo stands at the head of receipts; nil: none.
	Logo *drivers.Picture

	journal journal.Options // the zero value but in tests: 1 GiB, about 250,000 records
}

// Limits of the queues between the tasks and the loop.
const (
	eventsMax  = 64
	jobsMax    = 32
	noticesMax = 64
	// kickWithin: a drawer that could not be kicked by then stays shut. A late
	// kick would open it with nobody in front of it.
	kickWithin = time.Second
	// leftOpenAfter is the default of Config.LeftOpen; then the alarm comes again
	// each leftOpenEvery.
	leftOpenAfter = 30 * time.Second
	leftOpenEvery = 10 * time.Second
	// authorizeWithin is a little over the uplink's own limit, for the case
	// that the uplink itself dies.
	authorizeWithin = 8 * time.Second
)

// Register is the shell. Its state belongs to the goroutine in Run; the
// fields below mu and the channels are all that tasks touch.
type Register struct {
	config Config
	log    *slog.Logger
	till   *till.Till
	before till.State // the event under way: nothing changes it
	ledger *ledger
	// layouts do not change: any task may use them.
	layouts *receipt.Layouts

	events  chan till.Event
	pings   chan struct{}
	cloud   chan uplink.Message
	pulling sync.Mutex          // one question after another, and fetched
	fetched string              // the newest version that was fetched whole
	pulled  chan uplink.Message // of an update, to whoever fetches it
	// started is the record of this start, and proven closed once that is
	// acknowledged; closed says that no shift is open.
	started uint64
	proven  chan struct{}
	closed  atomic.Bool
	jobs    chan till.Print
	held    *till.Print // a job that the printer did not take; of whoever serves the paper
	// uncut says that something may stand on the paper that was not cut off, begun
	// that this process has printed. They are of whoever serves the paper, too,
	// and outlive a lost line.
	uncut, begun bool
	// The printer has said by itself that something is other than before.
	paperBell, drawerBell chan struct{}
	// recovers lets the printer go on, on the operator's word.
	recovers   chan struct{}
	drawerBusy atomic.Bool // an opening is under way
	// drawer belongs to serveDrawer; it outlives a lost line.
	drawer struct {
		known bool      // the switch was read since the start
		open  bool      // as last told
		owed  bool      // a kick's answer was lost with the line
		alarm time.Time // when it is to be told that it stands open
	}
	kicks   chan struct{}
	notices chan till.Notice
	screen  *screen
	books   books
	taped   [2]string // the last lines that went to paper in a display's place
	// The technician's side: questions to the loop, tests for the tasks.
	asks        chan func() error
	ended       chan struct{} // closed when the loop has
	taps        taps
	paperTests  chan trial[drivers.POSPrinter]
	drawerTests chan trial[drivers.CashDrawer]
	// again holds events the loop gives to itself; its own channel could be full.
	again  []till.Event
	wanted uint64 // the record the uplink waits for, 0: none
	clock  clock  // of the loop
	told   status // what the log was last told

	mu      sync.Mutex
	link    *peer
	devices map[string]string // name → "up" or why not
	online  bool
	// cloudSays is why not.
	cloudSays string
}

// New opens the journal, recovers what a power cut left, and returns a
// register whose Run goes on from there.
func New(c Config) (*Register, error) {
	r := &Register{
		config: c, log: c.Log, pings: make(chan struct{}),
		events: make(chan till.Event, eventsMax), cloud: make(chan uplink.Message, eventsMax),
		pulled: make(chan uplink.Message, 1), proven: make(chan struct{}), books: newBooks(),
		jobs: make(chan till.Print, jobsMax), kicks: make(chan struct{}),
		notices: make(chan till.Notice, noticesMax), screen: newScreen(),
		paperBell: make(chan struct{}, 1), drawerBell: make(chan struct{}, 1), recovers: make(chan struct{}, 1),
		devices: map[string]string{}, layouts: receipt.New(c.Till.Locale, c.Logo), asks: make(chan func() error), ended: make(chan struct{}),
		paperTests: make(chan trial[drivers.POSPrinter]), drawerTests: make(chan trial[drivers.CashDrawer]),
	}
	var err error
	if r.ledger, r.till, err = openLedger(c); err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	r.before = r.till.State()
	return r, nil
}

// startLasts is how long the devices take to open once the loop has begun.
const startLasts = 5 * time.Second

// Run is the loop: it ends with its context, or when the journal fails (no
// sale without a durable record); the caller then starts the process again.
func (r *Register) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, r.ledger.close()) }()
	defer close(r.ended)
	if err := r.begin(ctx); err != nil {
		return fmt.Errorf("register: %w", err)
	}
	// What the start took goes back to the kernel once the devices are open.
	defer time.AfterFunc(startLasts, debug.FreeOSMemory).Stop()
	for {
		r.report()
		select {
		case <-ctx.Done():
			return nil
		case e := <-r.events:
			err = r.handle(ctx, e)
		case m := <-r.cloud:
			err = r.fromCloud(ctx, m)
		case ask := <-r.asks:
			err = ask()
		case <-r.pings:
		}
		for err == nil && len(r.again) > 0 {
			e := r.again[0]
			r.again = r.again[1:]
			err = r.handle(ctx, e)
		}
		if err != nil {
			return fmt.Errorf("register: %w", err)
		}
	}
}

// Alive returns nil once the loop has come round.
func (r *Register) Alive(ctx context.Context) error {
	select {
	case r.pings <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// begin records the start and tells the till that time has passed.
func (r *Register) begin(ctx context.Context) error {
	if err := r.boot(); err != nil { //nolint:contextcheck // see append
		return err
	}
	if err := r.handle(ctx, till.PowerResumed{}); err != nil {
		return err
	}
	r.log.Info("ready")
	return nil
}

// handle gives one event to the till and carries out what it decides.
func (r *Register) handle(ctx context.Context, e till.Event) error {
	q, asked := e.(question)
	if asked {
		e = q.Event
	}
	took, err := r.take(ctx, e)
	if asked && err == nil {
		q.took <- took // has room
	}
	return err
}

// take gives one event to the till, makes its records durable, and only then
// carries out the rest. took is whether the event had the effect it was meant to
// have: the till beeps at what had none.
func (r *Register) take(ctx context.Context, e till.Event) (took bool, err error) {
	if r.full(e) {
		return false, nil
	}
	now := time.Now()
	e = r.books.pair(now, e, r.config.Prices)
	effects := r.till.Handle(now, e)
	r.books.handled(e, effects)
	after := r.till.State()
	err = r.ledger.commit(now, e, effects, after) //nolint:contextcheck // see append
	if errors.Is(err, journal.ErrFull) {
		// Nothing was written, so nothing has happened.
		r.till = till.New(r.config.Till, r.before)
		r.tellFull()
		return false, nil
	}
	if err != nil {
		return false, err
	}
	took, r.before = true, after
	for _, effect := range effects {
		switch f := effect.(type) {
		case till.Show:
			r.screen.show(f)
			r.tape(f)
		case till.Notice:
			r.notify(f)
		case till.Print:
			if f.Report != nil {
				f.Report.JournalHead = r.ledger.head()
			}
			r.print(f)
		case till.Kick:
			r.kick(ctx)
		case till.Recover:
			ring(r.recovers)
		case till.Authorize:
			r.authorize(ctx, f.Request)
		case till.Beep:
			took = false
		}
	}
	r.feedUplink()
	return took, nil
}

// post hands an event from a task to the loop.
func (r *Register) post(ctx context.Context, e till.Event) {
	select {
	case r.events <- e:
	case <-ctx.Done():
	}
}

// question is an event whose task waits to hear whether the till took it.
type question struct {
	till.Event
	took chan bool // with room for the answer
}

// ask is post, and waits until the event was handled.
func (r *Register) ask(ctx context.Context, e till.Event) (took bool) {
	q := question{e, make(chan bool, 1)}
	r.post(ctx, q)
	select {
	case took = <-q.took:
	case <-ctx.Done():
	}
	return took
}

func (r *Register) print(job till.Print) {
	select {
	case r.jobs <- job:
	default:
		r.again = append(r.again, till.PrintFailed{Job: job.Job, Cause: "print queue full"})
	}
}

// kick opens the drawer now or not at all.
func (r *Register) kick(ctx context.Context) {
	go func() { // ends within kickWithin
		select {
		case r.kicks <- struct{}{}:
		case <-ctx.Done():
		case <-time.After(kickWithin):
			why := drawerAway
			if r.drawerBusy.Load() {
				why = drawerBusy
			}
			r.post(ctx, till.DrawerFailed{Reason: why})
		}
	}()
}

// notify says something to the people at the counter and to the log. A console
// that is slow or away loses the oldest lines, never the loop's time.
func (r *Register) notify(n till.Notice) {
	r.log.Info("notice", "code", n.Code, "text", n.Text)
	for {
		select {
		case r.notices <- n:
			return
		default:
			select {
			case <-r.notices:
			default:
			}
		}
	}
}

// status is what the log tells of the register; it holds no sale data.
type status struct {
	till               string
	outbox, acked, end uint64
	online             bool
	devices            [9]string
}

// deviceNames are the lines of the counter, in the log's order.
var deviceNames = [9]string{"scanner", "printer", "card", "keypad", "display", "customer", "matrix", "keyboard", "console"} //nolint:gochecknoglobals // a constant table

// report logs the state when it has changed.
func (r *Register) report() {
	s := status{till: r.till.Phase(), outbox: r.ledger.journal.Depth()}
	r.closed.Store(s.till == till.Closed)
	s.end, _ = r.ledger.journal.Head()
	s.acked, _ = r.ledger.journal.Acked()
	r.mu.Lock()
	s.online = r.online
	for i, name := range deviceNames {
		s.devices[i] = r.devices[name]
	}
	r.mu.Unlock()
	if s == r.told {
		return
	}
	r.told = s
	args := []any{"till", s.till, "outbox", s.outbox, "acked", s.acked, "head", s.end, "cloud", s.online}
	for i, name := range deviceNames {
		args = append(args, name, s.devices[i])
	}
	r.log.Info("state", args...)
}

// DeviceState is told by a supervisor that a device came or went.
func (r *Register) DeviceState(ctx context.Context, name string, up bool, err error) {
	detail := "up"
	if !up {
		detail = reason(err)
	}
	r.mu.Lock()
	r.devices[name] = detail
	r.mu.Unlock()
	if up {
		detail = ""
	}
	r.post(ctx, till.Device{Name: name, Up: up, Detail: detail})
}

// Device is what a device was last said to be: "up", why not, or "".
func (r *Register) Device(name string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.devices[name]
}

// Tampered is told that the case was opened; line is what said so.
func (r *Register) Tampered(ctx context.Context, line string) {
	r.post(ctx, till.Tampered{Line: line})
}

// reason puts an error into words for the counter.
func reason(err error) string {
	if err == nil {
		return "away"
	}
	// A device file comes and goes with its cable; its errors are the kernel's
	// words and are in the log.
	if errors.Is(err, os.ErrNotExist) {
		return drivers.ErrUnplugged.Error()
	}
	for _, known := range []error{
		drivers.ErrPaperOut, drivers.ErrCoverOpen, drivers.ErrCutter, drivers.ErrPaperNearEnd, drivers.ErrUnplugged,
		drivers.ErrBusy, drivers.ErrTimeout, drivers.ErrUnrecoverable, drivers.ErrMechanical, drivers.ErrHeadHot, drivers.ErrOffline,
		drivers.ErrDuty, drivers.ErrDidNotOpen,
	} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return err.Error()
}
