package driverstest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"regi/drivers"
)

// giveUpWithin bounds how long a printer's driver may wait for one that is
// neither dead nor says why it does nothing.
const giveUpWithin = 30 * time.Second

// Printer checks the contract of drivers.POSPrinter for an ESC/POS driver. open
// returns the driver behind a port.
func Printer(t *testing.T, w Wires, open func(drivers.Port) (drivers.POSPrinter, error)) {
	printerSuite{w, escpos{}, open}.run(t)
}

func (s printerSuite) run(t *testing.T) {
	w := s.w
	tests := []suiteTest{
		{"prints", s.prints},
		{"says nothing can be read as a command", s.control},
		{"too many lines", s.tooMany},
		{"paper out in the middle", s.paperOut},
		{"no paper to begin with", s.noPaper},
		{"cover open in the middle", s.cover},
		{"cutter jam", s.cutter},
		{"head too hot", s.headHot},
		{"mechanical error", s.mechanical},
		{"paper near end", s.nearEnd},
		{"unrecoverable", s.unrecoverable},
		{"unplugged in the middle", s.unplugged},
		{"port closed in the middle", s.closed},
		{"ctx ends in the middle", s.cancelled},
		{"status while printing", s.statusWhilePrinting},
		{"two documents at once", s.twoAtOnce},
		{"device reads nothing for a while", s.stuck},
	}
	if !w.Real { // these wait for the driver's limits of time
		tests = append(
			tests,
			suiteTest{"buffer full", s.bufferFull},
			suiteTest{"XON is lost", s.lostXON},
			suiteTest{"device reads nothing for ever", s.stuckForEver},
			suiteTest{"silent from the start", s.silent},
			suiteTest{"silent in the middle", s.silentInTheMiddle},
			suiteTest{"power cycled in the middle", s.powerCycled},
			suiteTest{"power off and on at once", s.powerBlink},
			suiteTest{"power cycled at the end", s.powerCycledAtEnd},
			suiteTest{"power off and on at the end", s.powerBlinkAtEnd},
			suiteTest{"paper out at the very end", s.paperOutAtEnd},
			suiteTest{"given up at every byte", s.torn},
			suiteTest{"stuck at every byte", s.stuckAnywhere},
			suiteTest{"nobody waits for an answer that came", s.prompt},
			suiteTest{"garbage for answers", s.garbage},
			suiteTest{"garbage in the middle", s.garbageInTheMiddle},
			suiteTest{"answers come late", s.late},
			suiteTest{"late status", s.lateStatus},
		)
	}
	w.each(t, tests)
}

type printerSuite struct {
	w      Wires
	speaks language
	open   func(drivers.Port) (drivers.POSPrinter, error)
}

// start returns a driver and its device, which takes lineTime for a line.
func (s printerSuite) start(t *testing.T, lineTime time.Duration) (drivers.POSPrinter, *ReceiptPrinter, drivers.Port) {
	t.Helper()
	near, far := s.w.Connect(t)
	device := newReceiptPrinter(t, far, s.speaks)
	device.Set(func(f *PrinterFaults) { f.LineTime = lineTime })
	p, err := s.open(near)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, problem := range device.Problems() {
			t.Errorf("the printer read nonsense: %s", problem)
		}
	})
	return p, device, near
}

// pages is a document of n different lines and a cut.
func pages(name string, n int) drivers.Document {
	doc := drivers.Document{Cut: true}
	for i := range n {
		doc.Items = append(doc.Items, drivers.TextLine{Text: fmt.Sprintf("%s %03d 珈琲 ｺｰﾋｰ ¥1,080", name, i)})
	}
	return doc
}

// texts are doc's lines as they should stand on the paper.
func texts(doc drivers.Document) []string {
	want := make([]string, 0, len(doc.Items))
	for _, item := range doc.Items {
		l := item.(drivers.TextLine) //nolint:forcetypeassert // the suite prints text
		want = append(want, l.Text)
	}
	return want
}

// paper checks that the lines of docs, and no other, are on the paper in order.
func paper(t *testing.T, device *ReceiptPrinter, docs ...drivers.Document) {
	t.Helper()
	var all drivers.Document
	for _, doc := range docs {
		all.Items = append(all.Items, doc.Items...)
	}
	want := texts(all)
	got := slices.DeleteFunc(device.Lines(), func(l string) bool { return l == "✂" || l == "" })
	if !slices.Equal(got, want) {
		t.Errorf("on the paper:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// printing is a Print under way.
type printing struct {
	mu     sync.Mutex
	causes []error
	done   chan struct{}
	err    error
	took   time.Duration
}

func start(ctx context.Context, p drivers.POSPrinter, doc drivers.Document) *printing {
	j := &printing{done: make(chan struct{})}
	go func() {
		defer close(j.done)
		began := time.Now()
		j.err = p.Print(ctx, doc, func(cause error) {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.causes = append(j.causes, cause)
		})
		j.took = time.Since(began)
	}()
	return j
}

func (j *printing) told() []error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.causes)
}

// wait returns what became of the document.
func (j *printing) wait(t *testing.T) error {
	t.Helper()
	select {
	case <-j.done:
		return j.err
	case <-time.After(2 * giveUpWithin):
		t.Fatal("Print does not return")
		return nil
	}
}

// paused waits until the n-th cause was told, and checks it.
func (j *printing) paused(t *testing.T, n int, want error) {
	t.Helper()
	until(t, fmt.Sprintf("cause %d, %v", n, want), func() bool { return len(j.told()) >= n })
	if got := j.told()[n-1]; !errors.Is(got, want) {
		t.Fatalf("cause %d is %v, want %v", n, got, want)
	}
}

// until waits for ok.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for began := time.Now(); !ok(); time.Sleep(time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

// unknown checks an outcome that nobody knows, and that it was known soon.
func (j *printing) unknown(t *testing.T, causes ...error) {
	t.Helper()
	err := j.wait(t)
	for _, want := range append(causes, drivers.ErrUnknownOutcome) {
		if !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	if j.took > giveUpWithin {
		t.Errorf("took %v to say so", j.took)
	}
}

// failed checks that nothing was printed, for a reason.
func (j *printing) failed(t *testing.T, device *ReceiptPrinter, want error) {
	t.Helper()
	err := j.wait(t)
	if !errors.Is(err, want) || errors.Is(err, drivers.ErrUnknownOutcome) {
		t.Errorf("%v, want %v with a known outcome", err, want)
	}
	paper(t, device)
}

func (s printerSuite) prints(t *testing.T) {
	p, device, _ := s.start(t, 0)
	if n := p.Columns(); n < 24 || n > 64 {
		t.Errorf("%d columns", n)
	}
	one, two := pages("a", 30), pages("b", 1)
	for _, doc := range []drivers.Document{one, {}, two} {
		if err := p.Print(t.Context(), doc, nil); err != nil {
			t.Fatal(err)
		}
	}
	paper(t, device, one, two)
	status, err := p.Status(t.Context())
	if err != nil || status != (drivers.PrinterStatus{}) {
		t.Errorf("status of a healthy printer: %+v, %v", status, err)
	}
}

// control prints every byte as text, real-time commands above all.
func (s printerSuite) control(t *testing.T) {
	p, device, _ := s.start(t, 0)
	before := len(device.Received())
	doc := drivers.Document{Items: drivers.Texts(drivers.TextLine{Text: "a\x10\x14\x01\x00\x01b\x1bp\x00\x32\xfac\x10\x05\x02\x10\x04\x01"}, drivers.TextLine{Text: "d"})}
	for c := range rune(0x100) {
		doc.Items = append(doc.Items, drivers.TextLine{Text: string(c)}, drivers.TextLine{Text: string([]byte{byte(c)})})
	}
	if err := p.Print(t.Context(), doc, nil); err != nil {
		t.Fatal(err)
	}
	if kicks := device.Kicks(); len(kicks) > 0 {
		t.Errorf("text kicked the drawer: %v", kicks)
	}
	for _, bad := range []string{"\x10\x14", "\x10\x05", "\x1bp"} {
		if strings.Contains(string(device.Received()[before:]), bad) {
			t.Errorf("% x was sent", bad)
		}
	}
	if got := device.Lines()[1]; got != "d" {
		t.Errorf("second line %q", got)
	}
}

func (s printerSuite) tooMany(t *testing.T) {
	p, device, _ := s.start(t, 0)
	j := start(t.Context(), p, drivers.Document{Items: drivers.Texts(make([]drivers.TextLine, drivers.DocumentItemsMax+1)...)})
	j.failed(t, device, drivers.ErrTooLong)
}

// pause stops a document in the middle, and lets it go on.
func (s printerSuite) pause(t *testing.T, cause error, stop, goOn func(*ReceiptPrinter)) {
	p, device, _ := s.start(t, 0)
	stop(device)
	doc := pages("a", 60)
	j := start(t.Context(), p, doc)
	j.paused(t, 1, cause)
	status, err := p.Status(t.Context())
	if err != nil || !errors.Is(status.Err(), cause) {
		t.Errorf("status %+v, %v, want %v", status, err, cause)
	}
	time.Sleep(10 * s.w.soon()) // long enough to be told twice
	goOn(device)
	if err := j.wait(t); err != nil {
		t.Fatal(err)
	}
	j.paused(t, 2, nil)
	if told := j.told(); len(told) != 2 {
		t.Errorf("told %v, want each once", told)
	}
	paper(t, device, doc)
}

func (s printerSuite) paperOut(t *testing.T) {
	s.pause(t, drivers.ErrPaperOut, func(d *ReceiptPrinter) { d.PaperFor(20) }, func(d *ReceiptPrinter) { d.PaperFor(-1) })
}

func (s printerSuite) noPaper(t *testing.T) {
	s.pause(t, drivers.ErrPaperOut, func(d *ReceiptPrinter) { d.PaperFor(0) }, func(d *ReceiptPrinter) { d.PaperFor(-1) })
}

func (s printerSuite) cover(t *testing.T) {
	stop := func(d *ReceiptPrinter) {
		d.Set(func(f *PrinterFaults) { f.LineTime = time.Millisecond })
		go func() {
			if d.wait(func() bool { return len(d.lines) > 5 }) {
				d.Set(func(f *PrinterFaults) { f.Cover = true })
			}
		}()
		// The device wakes the waiting goroutine with every byte it reads.
	}
	s.pause(t, drivers.ErrCoverOpen, stop, func(d *ReceiptPrinter) { d.Set(func(f *PrinterFaults) { f.Cover = false }) })
}

func (s printerSuite) cutter(t *testing.T) {
	s.pause(t, drivers.ErrCutter, func(d *ReceiptPrinter) { d.JamCutter(true) }, func(d *ReceiptPrinter) { d.JamCutter(false) })
}

func (s printerSuite) headHot(t *testing.T) {
	set := func(on bool) func(*ReceiptPrinter) {
		return func(d *ReceiptPrinter) { d.Set(func(f *PrinterFaults) { f.HeadHot = on }) }
	}
	s.pause(t, drivers.ErrHeadHot, set(true), set(false))
}

func (s printerSuite) mechanical(t *testing.T) {
	set := func(on bool) func(*ReceiptPrinter) {
		return func(d *ReceiptPrinter) { d.Set(func(f *PrinterFaults) { f.Mechanical = on }) }
	}
	s.pause(t, drivers.ErrMechanical, set(true), set(false))
}

// nearEnd is no reason to stop.
func (s printerSuite) nearEnd(t *testing.T) {
	p, device, _ := s.start(t, 0)
	device.Set(func(f *PrinterFaults) { f.NearEnd = true })
	j := start(t.Context(), p, pages("a", 30))
	if err := j.wait(t); err != nil || len(j.told()) > 0 {
		t.Errorf("%v, paused %v", err, j.told())
	}
	if status, err := p.Status(t.Context()); err != nil || !status.PaperNearEnd || status.Err() != nil {
		t.Errorf("status %+v, %v", status, err)
	}
}

func (s printerSuite) unrecoverable(t *testing.T) {
	p, device, _ := s.start(t, 0)
	device.Set(func(f *PrinterFaults) { f.Unrecoverable = true })
	start(t.Context(), p, pages("a", 3)).failed(t, device, drivers.ErrOffline)
}

// middle waits until a part of the document is on the paper.
func middle(t *testing.T, device *ReceiptPrinter) {
	t.Helper()
	until(t, "the first lines", func() bool { return len(device.Lines()) >= 5 })
}

func (s printerSuite) unplugged(t *testing.T) {
	p, device, _ := s.start(t, 2*time.Millisecond)
	j := start(t.Context(), p, pages("a", 200))
	middle(t, device)
	device.Unplug()
	j.unknown(t, drivers.ErrUnplugged)
	err := p.Print(t.Context(), pages("b", 1), nil)
	if !errors.Is(err, drivers.ErrUnplugged) || errors.Is(err, drivers.ErrUnknownOutcome) {
		t.Errorf("nothing was sent: %v", err)
	}
	if _, err := p.Status(t.Context()); !errors.Is(err, drivers.ErrUnplugged) {
		t.Errorf("status: %v", err)
	}
}

func (s printerSuite) closed(t *testing.T) {
	p, device, near := s.start(t, 2*time.Millisecond)
	j := start(t.Context(), p, pages("a", 200))
	middle(t, device)
	closeAll(t, near)
	j.unknown(t, drivers.ErrClosed)
}

// cancelled gives a document up; the next one is whole.
func (s printerSuite) cancelled(t *testing.T) {
	p, device, _ := s.start(t, 2*time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	j := start(ctx, p, pages("a", 200))
	middle(t, device)
	cancel()
	j.unknown(t, context.Canceled)
	doc := pages("b", 20)
	if err := p.Print(t.Context(), doc, nil); err != nil {
		t.Fatal(err)
	}
	got := slices.DeleteFunc(device.Lines(), func(l string) bool { return !strings.HasPrefix(l, "b") })
	if !slices.Equal(got, texts(doc)) {
		t.Errorf("the next document:\n%s", strings.Join(got, "\n"))
	}
}

// statusWhilePrinting asks from two goroutines and does not wait for the end.
func (s printerSuite) statusWhilePrinting(t *testing.T) {
	p, device, _ := s.start(t, 2*time.Millisecond)
	doc := pages("a", 200)
	j := start(t.Context(), p, doc)
	middle(t, device)
	device.Set(func(f *PrinterFaults) { f.NearEnd = true })
	var asking sync.WaitGroup
	for range 2 {
		asking.Go(func() {
			for range 10 {
				status, err := p.Status(t.Context())
				if err != nil || status != (drivers.PrinterStatus{PaperNearEnd: true}) {
					t.Errorf("status %+v, %v", status, err)
				}
			}
		})
	}
	asking.Wait()
	select {
	case <-j.done:
		t.Error("the answers came after the document")
	default:
	}
	if err := j.wait(t); err != nil {
		t.Fatal(err)
	}
	paper(t, device, doc)
}

func (s printerSuite) twoAtOnce(t *testing.T) {
	p, device, _ := s.start(t, 0)
	one, two := pages("a", 50), pages("b", 50)
	a, b := start(t.Context(), p, one), start(t.Context(), p, two)
	if err := errors.Join(a.wait(t), b.wait(t)); err != nil {
		t.Fatal(err)
	}
	if device.Lines()[0] != texts(one)[0] {
		one, two = two, one
	}
	paper(t, device, one, two)
}

// stuck is a line that takes no byte for a while.
func (s printerSuite) stuck(t *testing.T) {
	p, device, _ := s.start(t, 0)
	doc := pages("a", 100)
	device.Set(func(f *PrinterFaults) { f.LineTime = time.Millisecond })
	j := start(t.Context(), p, doc)
	middle(t, device)
	device.Set(func(f *PrinterFaults) { f.Stuck = true })
	time.Sleep(5 * s.w.soon())
	device.Set(func(f *PrinterFaults) { f.Stuck = false })
	if err := j.wait(t); err != nil {
		t.Fatal(err)
	}
	paper(t, device, doc)
}

func (s printerSuite) stuckForEver(t *testing.T) {
	p, device, _ := s.start(t, time.Millisecond)
	j := start(t.Context(), p, pages("a", 100))
	middle(t, device)
	device.Set(func(f *PrinterFaults) { f.Stuck = true })
	j.unknown(t, drivers.ErrTimeout)
}

// bufferFull sends XOFF at a small buffer and stays there without paper.
func (s printerSuite) bufferFull(t *testing.T) {
	p, device, _ := s.start(t, 10*time.Millisecond)
	device.Set(func(f *PrinterFaults) { f.BufferBytes = 64 })
	device.PaperFor(20)
	doc := pages("a", 60)
	j := start(t.Context(), p, doc)
	j.paused(t, 1, drivers.ErrPaperOut)
	time.Sleep(10 * time.Minute)
	before := len(device.Lines())
	if status, err := p.Status(t.Context()); err != nil || !status.PaperOut {
		t.Errorf("status %+v, %v", status, err)
	}
	if now := len(device.Lines()); now != before {
		t.Errorf("%d lines without paper", now-before)
	}
	device.PaperFor(-1)
	if err := j.wait(t); err != nil {
		t.Fatal(err)
	}
	paper(t, device, doc)
}

func (s printerSuite) lostXON(t *testing.T) {
	p, device, _ := s.start(t, 10*time.Millisecond)
	doc := pages("a", 40)
	j := start(t.Context(), p, doc)
	middle(t, device)
	device.Say(0x13)
	time.Sleep(2 * time.Second)
	before := len(device.Lines())
	time.Sleep(2 * time.Second)
	if now := len(device.Lines()); now != before || now >= len(doc.Items) {
		t.Errorf("XOFF: %d lines, then %d", before, now)
	}
	if err := j.wait(t); err != nil {
		t.Fatal(err)
	}
	paper(t, device, doc)
}

func (s printerSuite) silent(t *testing.T) {
	p, device, _ := s.start(t, 0)
	device.Set(func(f *PrinterFaults) { f.Mute = true })
	if _, err := p.Status(t.Context()); !errors.Is(err, drivers.ErrTimeout) {
		t.Errorf("status: %v", err)
	}
	start(t.Context(), p, pages("a", 5)).failed(t, device, drivers.ErrTimeout)
}

func (s printerSuite) silentInTheMiddle(t *testing.T) {
	p, device, _ := s.start(t, time.Millisecond)
	j := start(t.Context(), p, pages("a", 100))
	middle(t, device)
	device.Set(func(f *PrinterFaults) { f.Mute = true })
	j.unknown(t, drivers.ErrTimeout)
}

// powerCycle takes the power away for a while, in a document of n lines.
func (s printerSuite) powerCycle(t *testing.T, n int, off time.Duration) {
	p, device, _ := s.start(t, 50*time.Millisecond)
	j := start(t.Context(), p, pages("a", n))
	middle(t, device)
	device.Set(func(f *PrinterFaults) { f.Off = true })
	time.Sleep(off)
	device.Set(func(f *PrinterFaults) { f.Off = false })
	j.unknown(t)
	// A new document must not be taken for the old one, nor the other way round.
	before := len(device.Lines())
	doc := pages("b", 30)
	if err := p.Print(t.Context(), doc, nil); err != nil {
		t.Fatal(err)
	}
	got := slices.DeleteFunc(device.Lines()[before:], func(l string) bool { return l == "✂" || l == "" })
	if !slices.Equal(got, texts(doc)) {
		t.Errorf("the next document:\n%s", strings.Join(got, "\n"))
	}
}

func (s printerSuite) powerCycled(t *testing.T) { s.powerCycle(t, 100, 4*time.Second) }

func (s printerSuite) powerBlink(t *testing.T) { s.powerCycle(t, 100, 20*time.Millisecond) }

func (s printerSuite) powerCycledAtEnd(t *testing.T) { s.powerCycle(t, 6, 3*time.Second) }

// powerBlinkAtEnd loses the last lines, and one broken byte is all that tells.
func (s printerSuite) powerBlinkAtEnd(t *testing.T) {
	p, device, _ := s.start(t, 50*time.Millisecond)
	j := start(t.Context(), p, pages("a", 6))
	middle(t, device)
	device.Set(func(f *PrinterFaults) {
		device.queue, device.line = nil, nil
		device.say(0)
	})
	j.unknown(t)
}

// paperOutAtEnd: all was read, but not all was printed yet.
func (s printerSuite) paperOutAtEnd(t *testing.T) {
	p, device, _ := s.start(t, 0)
	device.Set(func(f *PrinterFaults) { f.FencesLeft = 1 })
	j := start(t.Context(), p, pages("a", 20))
	j.paused(t, 1, drivers.ErrPaperOut)
	device.PaperFor(-1)
	if err := j.wait(t); err != nil {
		t.Error(err)
	}
}

// styled has a command of every kind.
func styled() drivers.Document {
	return drivers.Document{Cut: true, Items: []drivers.Item{
		drivers.TextLine{Text: "x 珈琲ｺｰﾋｰ\\¥", Align: drivers.Center, Bold: true},
		drivers.TextLine{Text: "x 合計", Wide: true, Tall: true},
	}}
}

// torn gives a document up after each of its bytes; the next one is whole.
func (s printerSuite) torn(t *testing.T) {
	for n := range 200 {
		p, device, _ := s.start(t, 0)
		if err := p.Print(t.Context(), pages("a", 1), nil); err != nil {
			t.Fatal(err)
		}
		device.Reads(n)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		j := start(ctx, p, styled())
		if err := j.wait(t); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after %d bytes: %v", n, err)
		}
		cancel()
		device.Reads(-1)
		doc := pages("b", 3)
		// The first try may have been answered by what the cut one left behind.
		err := p.Print(t.Context(), doc, nil)
		if err != nil && !errors.Is(err, drivers.ErrTimeout) {
			t.Errorf("after %d bytes, the next: %v", n, err)
		}
		if err != nil && !errors.Is(err, drivers.ErrUnknownOutcome) {
			err = p.Print(t.Context(), doc, nil)
		}
		got := slices.DeleteFunc(device.Lines(), func(l string) bool { return !strings.HasPrefix(l, "b") })
		if err != nil || !slices.Equal(got, texts(doc)) {
			t.Errorf("after %d bytes, the next: %v\n%s", n, err, strings.Join(got, "\n"))
		}
		device.Unplug()
	}
}

// stuckAnywhere lets the line take nothing for a while after each byte, and
// somebody asks meanwhile.
func (s printerSuite) stuckAnywhere(t *testing.T) {
	for n := range 120 {
		p, device, _ := s.start(t, 0)
		device.Reads(n)
		doc := styled()
		j := start(t.Context(), p, doc)
		time.Sleep(700 * time.Millisecond)
		asked := make(chan struct{})
		go func() {
			defer close(asked)
			p.Status(t.Context()) //nolint:errcheck,gosec // it may say that it does not answer
		}()
		time.Sleep(400 * time.Millisecond)
		device.Reads(-1)
		<-asked
		err := j.wait(t)
		if err != nil && errors.Is(err, drivers.ErrTimeout) && !errors.Is(err, drivers.ErrUnknownOutcome) {
			doc = drivers.Document{} // stuck before the first byte: nothing was printed
		} else if err != nil {
			t.Errorf("stuck after %d bytes: %v", n, err)
		}
		paper(t, device, doc)
		device.Unplug()
	}
}

// prompt prints and asks as fast as it can: on these wires that takes no time,
// unless somebody waits for bytes that another has read.
func (s printerSuite) prompt(t *testing.T) {
	p, device, _ := s.start(t, 0)
	ctx, cancel := context.WithCancel(t.Context())
	var asking sync.WaitGroup
	for range 4 {
		asking.Go(func() {
			for ctx.Err() == nil {
				time.Sleep(5 * time.Millisecond) // or this clock would stand still
				began := time.Now()
				_, err := p.Status(ctx)
				if took := time.Since(began); ctx.Err() == nil && (err != nil || took > 0) {
					t.Errorf("status after %v: %v", took, err)
				}
			}
		})
	}
	for range 20 {
		if err := p.Print(t.Context(), pages("a", 30), nil); err != nil {
			t.Error(err)
		}
	}
	cancel()
	asking.Wait()
	if n := len(device.Lines()); n < 20*30 {
		t.Errorf("%d lines", n)
	}
}

func (s printerSuite) garbage(t *testing.T) {
	p, device, _ := s.start(t, 0)
	device.Set(func(f *PrinterFaults) { f.Garbage = []byte{0xFF, 0x80, 0x00, 0x41, 0xE0} })
	_, err := p.Status(t.Context())
	if !errors.Is(err, drivers.ErrTimeout) && !errors.Is(err, drivers.ErrFrame) {
		t.Errorf("status: %v", err)
	}
	j := start(t.Context(), p, pages("a", 5))
	if err := j.wait(t); err == nil {
		t.Error("garbage was taken for a printed document")
	}
	device.Set(func(f *PrinterFaults) { f.Garbage = nil })
	if status, err := p.Status(t.Context()); err != nil || status != (drivers.PrinterStatus{}) {
		t.Errorf("after it: %+v, %v", status, err)
	}
}

// garbageInTheMiddle looks like many answers to fences.
func (s printerSuite) garbageInTheMiddle(t *testing.T) {
	p, device, _ := s.start(t, 100*time.Millisecond)
	doc := pages("a", 100)
	j := start(t.Context(), p, doc)
	middle(t, device)
	device.Say([]byte(strings.Repeat("\x00\xff", 100))...)
	err := j.wait(t)
	switch {
	case err == nil:
		paper(t, device, doc)
	case !errors.Is(err, drivers.ErrUnknownOutcome):
		t.Errorf("%v, want drivers.ErrUnknownOutcome", err)
	}
}

// late lets the answers of a document that was given up come during the next.
func (s printerSuite) late(t *testing.T) {
	p, device, _ := s.start(t, 5*time.Millisecond)
	j := start(t.Context(), p, pages("a", 12))
	middle(t, device)
	device.Set(func(f *PrinterFaults) { f.Hold = true })
	j.unknown(t, drivers.ErrTimeout)
	time.AfterFunc(200*time.Millisecond, func() { device.Set(func(f *PrinterFaults) { f.Hold = false }) })
	doc := pages("b", 100)
	next := start(t.Context(), p, doc)
	if err := next.wait(t); err != nil {
		return // it may say that it does not know; it may not lie
	}
	if got := device.Lines(); !slices.Contains(got, texts(doc)[99]) {
		t.Errorf("printed, says the driver; on the paper:\n%s", strings.Join(got, "\n"))
	}
}

// lateStatus must not be taken for the answer to a later question.
func (s printerSuite) lateStatus(t *testing.T) {
	p, device, _ := s.start(t, 0)
	device.Set(func(f *PrinterFaults) { f.Hold = true })
	if _, err := p.Status(t.Context()); !errors.Is(err, drivers.ErrTimeout) {
		t.Fatalf("status: %v", err)
	}
	device.PaperFor(0)
	release := func() { device.Set(func(f *PrinterFaults) { f.Hold = false }) }
	device.Set(func(*PrinterFaults) { device.held = nil })
	time.AfterFunc(150*time.Millisecond, func() { device.Say(s.speaks.healthy()...) }) // they come now
	time.AfterFunc(500*time.Millisecond, release)
	for i := range 5 {
		status, err := p.Status(t.Context())
		if err == nil && !status.PaperOut {
			t.Errorf("ask %d: an old answer: %+v", i, status)
		}
		if err == nil && status.PaperOut {
			return
		}
	}
	t.Error("no answer was believed any more")
}
