package register

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"regi/drivers"
	"regi/firmware/sale"
	"regi/firmware/till"
)

func TestIdentify(t *testing.T) {
	s := newShop(t)
	long := strings.Repeat("9", 4096)
	for name, x := range map[string]struct {
		label, aim          string
		gtin, problem, says string
		found               bool
	}{
		"EAN-13":               {"4901234567894", "", "04901234567894", "", "4901234567894", true},
		"with its AIM":         {"4901234567894", "]E0", "04901234567894", "", "4901234567894", true},
		"element string":       {"0104901234567894", "]C1", "04901234567894", "", "0104901234567894", true},
		"GTIN-14":              {"04912345678904", "]I1", "04912345678904", "", "04912345678904", true},
		"check digit":          {"4901234567895", "", "", till.ProblemCheckDigit, "4901234567895", false},
		"check digit and AIM":  {"4901234567895", "]E0", "", till.ProblemCheckDigit, "4901234567895", false},
		"not in the shop":      {"4006381333931", "", "04006381333931", till.ProblemUnknownCode, "4006381333931", false},
		"no GTIN":              {"https://example.com/", "]Q1", "", till.ProblemNoArticle, "https://example.com/", false},
		"AIM of another code":  {"4901234567894", "]A0", "", till.ProblemCarrier, "4901234567894", false},
		"unknown AI":           {"0104901234567894\x1d89X", "]C1", "", till.ProblemUnknownAI, "0104901234567894.89X", false},
		"malformed":            {"0104901234567894" + "17269931", "]d2", "", till.ProblemMalformed, "010490123456789417269931", false},
		"a check digit in it":  {"0104901234567890", "]C1", "", till.ProblemCheckDigit, "0104901234567890", false},
		"excluding each other": {"0104901234567894" + "0204901234567894" + "3701", "]C1", "", till.ProblemMalformed, "010490123456789402049012345678943701", false},
		"add-on alone":         {"00980", "]E2", "", till.ProblemAddOn, "00980", false},
		"book's upper row":     {"9784101092058", "", "09784101092058", till.ProblemLowerRow, "9784101092058", false},
		"book's lower row":     {"1920193004304", "", "01920193004304", till.ProblemUpperRow, "1920193004304", false},
		"empty":                {"", "", "", till.ProblemNoArticle, "", false},
		"long":                 {long, "", "", till.ProblemNoArticle, long[:labelMax], false},
		"not printable":        {"A\x1d\x7f\x00é\xff日", "", "", till.ProblemNoArticle, "A......", false},
		"a command":            {"~K:CASH:12345678", "]C0", "", "", "~K:CASH:12345678", false},
		"a command off a QR":   {"~K:CASH:12345678", "]Q1", "", till.ProblemSymbology, "~K:CASH:12345678", false},
	} {
		e := identify(drivers.Scan{Data: x.aim + x.label, Label: x.label, AIM: x.aim}, s.Prices)
		if e.GTIN != x.gtin || e.Problem != x.problem || e.Label != x.says || (e.Item != nil) != x.found {
			t.Errorf("%s: %+v", name, e)
		}
		if e.Item != nil && e.Item.GTIN != x.gtin {
			t.Errorf("%s: is %s", name, e.Item.GTIN)
		}
	}
}

// script is a device whose answers are given; then its line is gone.
type script[A any] struct {
	answers []answer[A]
}

type answer[A any] struct {
	value A
	err   error
}

func (s *script[A]) Read(context.Context) (A, error) {
	if len(s.answers) == 0 {
		return *new(A), drivers.ErrUnplugged
	}
	a := s.answers[0]
	s.answers = s.answers[1:]
	return a.value, a.err
}

// wrapped is an error as a driver returns it.
func wrapped(err error) error { return fmt.Errorf("driver: %w", err) }

// posted takes the events that wait for the loop.
func posted(r *Register) (es []till.Event) {
	for {
		select {
		case e := <-r.events:
			es = append(es, e)
		default:
			return es
		}
	}
}

// idle is a register without loop and ledger: its tasks only.
func idle(t *testing.T) *Register {
	t.Helper()
	s := newShop(t)
	r, err := New(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.ledger.close() })
	return r
}

func TestScanner(t *testing.T) {
	r := idle(t)
	d := &script[drivers.Scan]{answers: []answer[drivers.Scan]{
		{drivers.Scan{Label: "4901234567894"}, nil},
		{err: wrapped(drivers.ErrTooLong)},
		{err: wrapped(drivers.ErrControl)},
		{err: wrapped(drivers.ErrFrame)},
	}}
	if err := r.ServeScanner(t.Context(), d); !errors.Is(err, drivers.ErrUnplugged) {
		t.Errorf("the line is gone: %v", err)
	}
	var problems []string
	for _, e := range posted(r) {
		problems = append(problems, "["+e.(till.Scanned).Problem+"]") //nolint:forcetypeassert // nothing else is posted
	}
	if got := strings.Join(problems, ""); got != "[][too-long][control][frame]" {
		t.Errorf("problems %s", got)
	}
}

func TestKeypad(t *testing.T) {
	r := idle(t)
	stuck := wrapped(&drivers.KeyError{Key: "7", Err: drivers.ErrKeyStuck})
	d := &script[drivers.KeyEvent]{answers: []answer[drivers.KeyEvent]{
		{drivers.KeyEvent{Name: "OPEN", Source: drivers.KeySerial}, nil},
		{err: stuck},
		{err: wrapped(drivers.ErrKeysTogether)},
		{err: wrapped(drivers.ErrKeyBounces)},
		{err: wrapped(drivers.ErrKeyUnknown)},
		{err: wrapped(drivers.ErrKeysLost)},
		{drivers.KeyEvent{Name: "CASH", Source: drivers.KeyMatrix, Long: true}, nil},
	}}
	if err := r.ServeKeypad(t.Context(), d); !errors.Is(err, drivers.ErrUnplugged) {
		t.Errorf("the line is gone: %v", err)
	}
	if got := fmt.Sprint(posted(r)); got != "[{OPEN serial} {stuck 7} {together } {bounces } {unknown } {lost } {CASH matrix}]" {
		t.Errorf("keys %s", got)
	}
}

// panel is a display that keeps what it was shown.
type panel struct {
	shown []string
	fails bool
}

func (p *panel) Show(_ context.Context, upper, lower string) error {
	if p.fails {
		return drivers.ErrUnplugged
	}
	p.shown = append(p.shown, upper+"|"+lower)
	return nil
}

// TestDisplay: a new display shows the newest text at once; of texts that come
// faster than it is, the newest.
func TestDisplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &Register{screen: newScreen()}
		r.screen.show(till.Show{Upper: "a", Lower: "1"})
		ctx, cancel := context.WithCancel(t.Context())
		p := &panel{}
		ended := make(chan error, 1)
		go func() { ended <- r.ServeDisplay(ctx, p) }()
		synctest.Wait()
		for i := range 100 {
			r.screen.show(till.Show{Upper: "b", Lower: strconv.Itoa(i)})
		}
		synctest.Wait()
		if p.shown[0] != "a|1" || p.shown[len(p.shown)-1] != "b|99" {
			t.Errorf("shown %v", p.shown)
		}
		p.fails = true
		r.screen.show(till.Show{})
		synctest.Wait()
		if err := <-ended; !errors.Is(err, drivers.ErrUnplugged) {
			t.Errorf("the line is gone: %v", err)
		}
		cancel()
		if err := r.ServeDisplay(ctx, &panel{}); !errors.Is(err, context.Canceled) {
			t.Errorf("the end of the register: %v", err)
		}
	})
}

// counterTop is a printer and its drawer.
type counterTop struct {
	mu     sync.Mutex // guards what a test changes: set
	print  func(ctx context.Context, paused func(error)) error
	open   func(ctx context.Context) error
	status drivers.PrinterStatus
	fails  error // of Status
	isOpen bool
	asked  error // of DrawerOpened
}

func (c *counterTop) Columns() int { return 42 }

func (c *counterTop) Print(ctx context.Context, _ drivers.Document, paused func(error)) error {
	return c.print(ctx, paused)
}

func (c *counterTop) Status(context.Context) (drivers.PrinterStatus, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status, c.fails
}

func (c *counterTop) OpenDrawer(ctx context.Context) error { return c.open(ctx) }

func (c *counterTop) DrawerOpened(context.Context) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.isOpen, c.asked
}

// set changes what the device says of itself.
func (c *counterTop) set(status drivers.PrinterStatus, fails error, isOpen bool, asked error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status, c.fails, c.isOpen, c.asked = status, fails, isOpen, asked
}

// TestPrint prints one report with each outcome.
func TestPrint(t *testing.T) {
	for name, x := range map[string]struct {
		print func(ctx context.Context, paused func(error)) error
		want  string
		ends  error
	}{
		"printed": {func(context.Context, func(error)) error { return nil }, "[till.Printed{Job:0x7}]", nil},
		"paused": {func(_ context.Context, paused func(error)) error {
			paused(wrapped(drivers.ErrPaperOut))
			paused(nil)
			return nil
		}, `[till.PrintPaused{Job:0x7, Cause:"paper out"} till.PrintPaused{Job:0x7, Cause:""} till.Printed{Job:0x7}]`, nil},
		"off": {func(context.Context, func(error)) error { return wrapped(drivers.ErrTimeout) }, `[till.PrintPaused{Job:0x7, Cause:"no answer in time"}]`, nil},
		"unknown": {
			func(context.Context, func(error)) error { return wrapped(drivers.ErrUnknownOutcome) },
			`[till.PrintFailed{Job:0x7, Cause:"driver: outcome unknown", Unknown:true, Late:false}]`, nil,
		},
		"late":      {func(context.Context, func(error)) error { return wrapped(drivers.ErrLate) }, `[till.PrintFailed{Job:0x7, Cause:"driver: waited too long", Unknown:false, Late:true}]`, nil},
		"unplugged": {func(context.Context, func(error)) error { return wrapped(drivers.ErrUnplugged) }, `[till.PrintPaused{Job:0x7, Cause:"unplugged"}]`, drivers.ErrUnplugged},
	} {
		r := idle(t)
		job := till.Print{Job: 7, Report: &sale.Report{Kind: sale.ReportX}}
		if err := r.printJob(t.Context(), t.Context(), &counterTop{print: x.print}, job); !errors.Is(err, x.ends) || (err == nil) != (x.ends == nil) {
			t.Errorf("%s: the line: %v", name, err)
		}
		if got := fmt.Sprintf("%#v", posted(r)); strings.TrimPrefix(got, "[]till.Event{") != strings.Trim(strings.ReplaceAll(x.want, "} till", "}, till"), "[]")+"}" {
			t.Errorf("%s:\n got %s\nwant %s", name, got, x.want)
		}
	}
}

// TestPrintNothing: a document that cannot be laid out fails, the printer is
// not asked and goes on.
func TestPrintNothing(t *testing.T) {
	r := idle(t)
	for _, job := range []till.Print{{Job: 1}, {Job: 2, Receipt: &sale.Receipt{}}} {
		if err := r.printJob(t.Context(), t.Context(), &counterTop{}, job); err != nil {
			t.Error(err)
		}
		es := posted(r)
		if len(es) != 1 {
			t.Fatalf("%d events", len(es))
		}
		if e, ok := es[0].(till.PrintFailed); !ok || e.Job != job.Job || e.Unknown || e.Cause == "" {
			t.Errorf("posted %#v", es[0])
		}
	}
}

// TestPrintEnds: the end of the register in mid-print says nothing about the
// job; after the restart the till asks.
func TestPrintEnds(t *testing.T) {
	r := idle(t)
	ctx, cancel := context.WithCancel(t.Context())
	p := &counterTop{print: func(ctx context.Context, _ func(error)) error { cancel(); return wrapped(ctx.Err()) }}
	if err := r.printJob(ctx, ctx, p, till.Print{Report: &sale.Report{Kind: sale.ReportX}}); !errors.Is(err, context.Canceled) {
		t.Errorf("the end of the register: %v", err)
	}
	if es := posted(r); len(es) != 0 {
		t.Errorf("posted %v", es)
	}
}

// TestPrintQueueFull: with no printer, jobs over the queue's limit fail at
// once, and the till is told.
func TestPrintQueueFull(t *testing.T) {
	r := idle(t)
	for job := range uint64(jobsMax + 2) {
		r.print(till.Print{Job: job})
	}
	if len(r.again) != 2 {
		t.Fatalf("%d events", len(r.again))
	}
	for i, e := range r.again {
		want := till.PrintFailed{Job: uint64(jobsMax + i), Cause: "print queue full"} //nolint:gosec // small
		if e != till.Event(want) {
			t.Errorf("the till is told %#v", e)
		}
	}
}

// TestNoPrinterAtAll sells on without a printer: nothing blocks, and every sale
// is on record.
func TestNoPrinterAtAll(t *testing.T) {
	s := newShop(t)
	r := s.open(t)
	advance(t, r, keys("1", "OPEN")...)
	for range 15 {
		advance(t, r, append([]till.Event{s.scan("4901234567894")}, keys("CASH")...)...)
	}
	if n := r.till.State().Counters.Receipt; n != 15 {
		t.Errorf("%d sales", n)
	}
	if len(r.jobs) == 0 || len(r.jobs) > jobsMax {
		t.Errorf("%d jobs wait", len(r.jobs))
	}
	if err := r.ledger.close(); err != nil {
		t.Fatal(err)
	}
}

// TestKick opens the drawer at once if it can, else not at all.
func TestKick(t *testing.T) {
	for name, x := range map[string]struct {
		attached time.Duration // when the printer comes
		kicks    int
	}{
		"at once":         {0, 1},
		"in time":         {kickWithin - time.Millisecond, 1},
		"a moment later":  {kickWithin + time.Millisecond, 0},
		"a minute later":  {time.Minute, 0},
		"the next is his": {2 * time.Second, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newShop(t)
			r := s.open(t)
			advance(t, r, keys("1", "OPEN")...)
			began := time.Now()
			var at []time.Duration
			d := &counterTop{open: func(context.Context) error { at = append(at, time.Since(began)); return nil }, isOpen: true}
			advance(t, r, till.Key{Name: "NOSALE"})
			time.Sleep(x.attached)
			ctx, cancel := context.WithCancel(t.Context())
			go func() { _ = r.serveDrawer(ctx, ctx, d) }()
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if len(at) != x.kicks || x.kicks > 0 && at[0] > kickWithin {
				t.Errorf("%s: kicked at %v", name, at)
			}
			var told []string
			for _, e := range posted(r) {
				told = append(told, fmt.Sprintf("%T", e))
			}
			want := "till.DrawerOpened"
			if x.kicks == 0 {
				// The drawer that is found open was opened by somebody else.
				want = "till.DrawerFailed till.DrawerOpened"
			}
			if got := strings.Join(told, " "); got != want {
				t.Errorf("%s: told %s", name, got)
			}
			cancel()
			synctest.Wait()
			if err := r.ledger.close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestKickBusyDrawer: while one opening takes its time, the next kick is not
// kept for later.
func TestKickBusyDrawer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := idle(t)
		ctx, cancel := context.WithCancel(t.Context())
		opened := 0
		d := &counterTop{open: func(context.Context) error {
			opened++
			time.Sleep(5 * time.Second)
			return wrapped(drivers.ErrDidNotOpen)
		}}
		go func() { _ = r.serveDrawer(ctx, ctx, d) }()
		r.kick(ctx)
		synctest.Wait()
		r.kick(ctx)
		time.Sleep(time.Minute)
		synctest.Wait()
		if opened != 1 {
			t.Errorf("the drawer was opened %d times", opened)
		}
		if got := fmt.Sprintf("%v", posted(r)); got != "[{drawer busy} {drawer did not open} {}]" {
			t.Errorf("told %s", got)
		}
		cancel()
		synctest.Wait()
	})
}

// TestDrawerLine: an error of the device is told, one of the line ends the
// task.
func TestDrawerLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := idle(t)
		ended := make(chan error, 1)
		d := &counterTop{asked: wrapped(drivers.ErrTimeout)}
		go func() { ended <- r.serveDrawer(t.Context(), t.Context(), d) }()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if len(ended) != 0 {
			t.Fatal("a silent printer ended the task")
		}
		for _, open := range []bool{true, true, false} {
			d.set(drivers.PrinterStatus{}, nil, open, nil)
			time.Sleep(drawerEvery)
			synctest.Wait()
		}
		if got := fmt.Sprintf("%#v", posted(r)); got != "[]till.Event{till.DrawerOpened{}, till.DrawerClosed{}}" {
			t.Errorf("told %s", got)
		}
		d.set(drivers.PrinterStatus{}, nil, false, wrapped(drivers.ErrUnplugged))
		if err := <-ended; !errors.Is(err, drivers.ErrUnplugged) {
			t.Errorf("the line is gone: %v", err)
		}
	})
}

// TestPrinterStatus tells each change once.
func TestPrinterStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := idle(t)
		ctx, cancel := context.WithCancel(t.Context())
		p := &counterTop{}
		go func() { _ = r.servePaper(ctx, ctx, p) }()
		var got []string
		for _, x := range []struct {
			s   drivers.PrinterStatus
			err error
		}{
			{},
			{},
			{drivers.PrinterStatus{PaperNearEnd: true}, nil},
			{drivers.PrinterStatus{PaperOut: true, CoverOpen: true}, nil},
			{drivers.PrinterStatus{CoverOpen: true}, nil},
			{drivers.PrinterStatus{}, wrapped(drivers.ErrTimeout)},
			{},
			{},
		} {
			p.set(x.s, x.err, false, nil)
			time.Sleep(statusEvery + time.Millisecond)
			synctest.Wait()
			for _, e := range posted(r) {
				got = append(got, fmt.Sprintf("%+v", e))
			}
		}
		want := []string{
			"{Name:printer Up:true Detail:paper near end}", "{Name:printer Up:false Detail:paper out}",
			"{Name:printer Up:false Detail:cover open}", "{Name:printer Up:false Detail:no answer in time}", "{Name:printer Up:true Detail:}",
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("told\n%s", strings.Join(got, "\n"))
		}
		cancel()
		synctest.Wait()
	})
}

// TestNoticesNeverBlock: with no console, the newest notices wait and the loop
// goes on.
func TestNoticesNeverBlock(t *testing.T) {
	r := idle(t)
	const said = 1000
	for i := range said {
		r.notify(till.Notice{Code: "T01", Text: strconv.Itoa(i)})
	}
	if len(r.notices) != noticesMax {
		t.Errorf("%d notices wait", len(r.notices))
	}
	for i := said - noticesMax; i < said; i++ {
		if n := <-r.notices; n.Text != strconv.Itoa(i) {
			t.Errorf("notice %s, want %d", n.Text, i)
		}
	}
}

// TestCapture turns packets of the capture process into events; the first that
// is none ends the talk.
func TestCapture(t *testing.T) {
	failed, down, ready := []byte{2, 'F', 2, 1, 0}, []byte{2, 'S', 1, 0, 0, 0, 0}, []byte{2, 'S', 0, 0, 1, 1, 0}
	for name, x := range map[string]struct {
		packets [][]byte
		events  int
	}{
		"swipes and states": {[][]byte{down, ready, failed, failed}, 4},
		"garbage":           {[][]byte{failed, []byte("garbage"), failed}, 1},
		"other version":     {[][]byte{{1, 'F', 2, 1, 0}, failed}, 0},
		"trailing byte":     {[][]byte{append(ready[:len(ready):len(ready)], 0), ready}, 0},
		"unknown fault":     {[][]byte{{2, 'F', 2, 250, 0}, failed}, 0},
		"too long":          {[][]byte{make([]byte, packetMax+100), failed}, 0},
		"short read":        {[][]byte{{2, 'R', 0, 0}, failed}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := idle(t)
			ours, theirs := socketPair(t)
			for _, p := range x.packets {
				if _, err := theirs.Write(p); err != nil {
					t.Fatal(err)
				}
			}
			if err := theirs.Close(); err != nil {
				t.Fatal(err)
			}
			r.ServeCapture(t.Context(), ours) // returns
			es := posted(r)
			if len(es) != x.events {
				t.Fatalf("%d events: %v", len(es), es)
			}
			if x.events == 4 {
				want := "[{card false no key} {card true } {track 2: parity/LRC} {track 2: parity/LRC}]"
				if got := fmt.Sprint(es); !strings.HasPrefix(got, "[{card false no key} {card true } {track 2: ") {
					t.Errorf("told %s, want %s", got, want)
				}
			}
		})
	}
}

// TestHeldJob: a document that a printer did not take at all is printed when it
// is back, before those that came later, and once.
func TestHeldJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := idle(t)
		var printed []string
		off := true
		p := &counterTop{print: func(context.Context, func(error)) error {
			if off {
				return wrapped(drivers.ErrTimeout)
			}
			printed = append(printed, "one")
			return nil
		}}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		serve := func(line context.Context) { ended <- r.servePaper(ctx, line, p) }
		line, unplug := context.WithCancel(ctx)
		go serve(line)
		r.print(till.Print{Job: 1, Report: &sale.Report{Kind: sale.ReportX}})
		r.print(till.Print{Job: 2, Report: &sale.Report{Kind: sale.ReportX}})
		time.Sleep(time.Second)
		unplug() // and plugged again: the job is not lost with the line
		<-ended
		off = false
		go serve(ctx)
		time.Sleep(3 * statusEvery)
		cancel()
		<-ended
		got := fmt.Sprint(posted(r))
		want := fmt.Sprint([]till.Event{
			till.PrintPaused{Job: 1, Cause: "no answer in time"}, till.PrintPaused{Job: 1}, till.Printed{Job: 1}, till.Printed{Job: 2},
		})
		if len(printed) != 2 || got != want {
			t.Errorf("%d printed\n got %s\nwant %s", len(printed), got, want)
		}
	})
}

// TestDrawerAfterTheLine: what happened to the drawer while its line was lost,
// and to a kick that was lost with it, is told when it is back.
func TestDrawerAfterTheLine(t *testing.T) {
	for name, x := range map[string]struct {
		kick         bool
		before, then bool // the switch
		want         string
	}{
		"shut meanwhile":   {false, true, false, "[]till.Event{till.DrawerOpened{}, till.DrawerClosed{}}"},
		"still open":       {false, true, true, "[]till.Event{till.DrawerOpened{}}"},
		"kick did nothing": {true, false, false, `[]till.Event{till.DrawerClosed{}, till.DrawerFailed{Reason:"unplugged"}}`},
		"kick opened":      {true, false, true, "[]till.Event{till.DrawerClosed{}, till.DrawerOpened{}}"},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := idle(t)
			ended := make(chan error, 1)
			d := &counterTop{isOpen: x.before, open: func(context.Context) error { return wrapped(drivers.ErrUnplugged) }}
			go func() { ended <- r.serveDrawer(t.Context(), t.Context(), d) }()
			time.Sleep(drawerEvery)
			synctest.Wait()
			if x.kick {
				r.kick(t.Context())
			} else {
				d.set(drivers.PrinterStatus{}, nil, x.before, wrapped(drivers.ErrUnplugged))
			}
			if err := <-ended; !errors.Is(err, drivers.ErrUnplugged) {
				t.Fatal(err)
			}
			again, cancel := context.WithCancel(t.Context())
			go func() { ended <- r.serveDrawer(again, again, &counterTop{isOpen: x.then}) }()
			time.Sleep(5 * drawerEvery)
			cancel()
			<-ended
			if got := fmt.Sprintf("%#v", posted(r)); got != x.want {
				t.Errorf("%s: told %s, want %s", name, got, x.want)
			}
		})
	}
}
