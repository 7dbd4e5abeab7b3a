package driverstest

import (
	"context"
	"errors"
	"testing"
	"time"

	"regi/drivers"
)

// What a drawer coil may be asked for, and how soon its switch is believed.
const (
	pulseMax    = 510 * time.Millisecond
	dutyMax     = 0.2
	settleLeast = 300 * time.Millisecond
	triesMost   = 2
)

// Drawer checks the contract of drivers.CashDrawer for one on the connector of
// an ESC/POS printer, on pin. open returns both behind a port.
func Drawer(t *testing.T, w Wires, pin int, open func(drivers.Port) (drivers.POSPrinter, drivers.CashDrawer, error)) {
	drawerSuite{w, escpos{}, pin, open}.run(t)
}

func (s drawerSuite) run(t *testing.T) {
	w := s.w
	tests := []suiteTest{
		{"opens", s.opens},
		{"opens while a document prints", s.whilePrinting},
		{"opens at the second kick", s.second},
		{"does not open", s.jammed},
		{"switch", s.switches},
		{"unplugged", s.unplugged},
		{"ctx ends", s.cancelled},
	}
	if !w.Real {
		tests = append(
			tests,
			suiteTest{"coil keeps cool", s.duty},
			suiteTest{"asked by many at once", s.many},
			suiteTest{"behind a busy line", s.busy},
			suiteTest{"switch bounces", s.bounces},
			suiteTest{"printer is silent", s.silent},
		)
	}
	w.each(t, tests)
}

type drawerSuite struct {
	w      Wires
	speaks language
	pin    int
	open   func(drivers.Port) (drivers.POSPrinter, drivers.CashDrawer, error)
}

// start returns a drawer that opens at the n-th kick.
func (s drawerSuite) start(t *testing.T, n int) (drivers.POSPrinter, drivers.CashDrawer, *ReceiptPrinter) {
	t.Helper()
	near, far := s.w.Connect(t)
	device := newReceiptPrinter(t, far, s.speaks)
	device.Drawer(n)
	p, d, err := s.open(near)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, problem := range device.Problems() {
			t.Errorf("the printer read nonsense: %s", problem)
		}
		s.cool(t, device.Kicks())
	})
	return p, d, device
}

// cool checks every pulse against the coil's limits.
func (s drawerSuite) cool(t *testing.T, kicks []PrinterKick) {
	t.Helper()
	for i, k := range kicks {
		if k.Pin != s.pin || k.On <= 0 || k.On > pulseMax {
			t.Errorf("pulse of %v on pin %d", k.On, k.Pin)
		}
		if i == 0 {
			continue
		}
		before := kicks[i-1]
		if duty := float64(before.On) / float64(k.At.Sub(before.At)); duty > dutyMax*1.05 { // the wire's jitter
			t.Errorf("on for %v, the next one after %v: %.0f %%", before.On, k.At.Sub(before.At), 100*duty)
		}
	}
}

func (s drawerSuite) opens(t *testing.T) {
	_, d, device := s.start(t, 1)
	began := time.Now()
	if err := d.OpenDrawer(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < settleLeast {
		t.Errorf("the switch was believed after %v", took)
	}
	if n := len(device.Kicks()); n != 1 {
		t.Errorf("%d kicks", n)
	}
	if open, err := d.DrawerOpened(t.Context()); err != nil || !open {
		t.Errorf("opened: %v, %v", open, err)
	}
}

// whilePrinting kicks in the middle of a document, which stays whole.
func (s drawerSuite) whilePrinting(t *testing.T) {
	p, d, device := s.start(t, 1)
	device.Set(func(f *PrinterFaults) { f.LineTime = 10 * time.Millisecond })
	doc := pages("a", 120)
	j := start(t.Context(), p, doc)
	middle(t, device)
	if err := d.OpenDrawer(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-j.done:
		t.Error("the drawer waited for the whole document")
	default:
	}
	if err := j.wait(t); err != nil {
		t.Fatal(err)
	}
	paper(t, device, doc)
}

func (s drawerSuite) second(t *testing.T) {
	_, d, device := s.start(t, 2)
	if err := d.OpenDrawer(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(device.Kicks()); n != 2 {
		t.Errorf("%d kicks", n)
	}
}

func (s drawerSuite) jammed(t *testing.T) {
	_, d, device := s.start(t, 0)
	if err := d.OpenDrawer(t.Context()); !errors.Is(err, drivers.ErrDidNotOpen) {
		t.Errorf("%v, want drivers.ErrDidNotOpen", err)
	}
	if n := len(device.Kicks()); n != triesMost {
		t.Errorf("%d kicks", n)
	}
	if open, err := d.DrawerOpened(t.Context()); err != nil || open {
		t.Errorf("opened: %v, %v", open, err)
	}
}

func (s drawerSuite) switches(t *testing.T) {
	_, d, device := s.start(t, 0)
	for _, want := range []bool{false, true, false} {
		device.Set(func(*PrinterFaults) { device.pin3 = want })
		if open, err := d.DrawerOpened(t.Context()); err != nil || open != want {
			t.Errorf("opened: %v, %v, want %v", open, err, want)
		}
	}
	if n := len(device.Kicks()); n > 0 {
		t.Errorf("asking kicked %d times", n)
	}
}

func (s drawerSuite) unplugged(t *testing.T) {
	_, d, device := s.start(t, 1)
	device.Unplug()
	if err := d.OpenDrawer(t.Context()); !errors.Is(err, drivers.ErrUnplugged) {
		t.Errorf("open: %v", err)
	}
	if _, err := d.DrawerOpened(t.Context()); !errors.Is(err, drivers.ErrUnplugged) {
		t.Errorf("switch: %v", err)
	}
}

func (s drawerSuite) cancelled(t *testing.T) {
	_, d, _ := s.start(t, 0)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(s.w.soon(), cancel)
	if err := bounded(t, ctx, d.OpenDrawer); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	if err := bounded(t, ctx, d.OpenDrawer); !errors.Is(err, context.Canceled) {
		t.Errorf("ended before the call: %v, want context.Canceled", err)
	}
}

// duty opens as fast as it may, at odd moments: cool judges the pulses.
func (s drawerSuite) duty(t *testing.T) {
	_, d, device := s.start(t, 1)
	refused := 0
	for i := range 200 {
		device.Drawer(1)
		err := d.OpenDrawer(t.Context())
		if errors.Is(err, drivers.ErrDuty) {
			refused++
		} else if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(i%7) * 13 * time.Millisecond)
	}
	if refused == 0 || len(device.Kicks()) == 0 {
		t.Errorf("%d refused, %d kicks", refused, len(device.Kicks()))
	}
}

func (s drawerSuite) many(t *testing.T) {
	_, d, device := s.start(t, 0)
	ended := make(chan error)
	for range 8 {
		go func() { ended <- d.OpenDrawer(t.Context()) }()
	}
	for range 8 {
		if err := <-ended; !errors.Is(err, drivers.ErrDuty) && !errors.Is(err, drivers.ErrDidNotOpen) {
			t.Errorf("%v", err)
		}
	}
	if len(device.Kicks()) < triesMost {
		t.Errorf("%d kicks", len(device.Kicks()))
	}
}

// busy kicks while a document is stuck in the line: what waited behind it must
// not arrive as two pulses in a row. The coils are those of the connector,
// whoever kicks.
func (s drawerSuite) busy(t *testing.T) {
	p, _, device := s.start(t, 0)
	kicker, ok := p.(interface {
		Kick(ctx context.Context, pin int) error
	})
	if !ok {
		t.Fatal("a printer with a drawer connector that cannot kick")
	}
	device.Reads(40) // to the middle of a line
	j := start(t.Context(), p, pages("a", 20))
	time.Sleep(100 * time.Millisecond)
	const calls, apart = 3, 300 * time.Millisecond
	ended := make(chan error)
	for range calls {
		go func() { ended <- kicker.Kick(t.Context(), s.pin) }()
		time.Sleep(apart)
	}
	device.Reads(-1)
	for range calls {
		if err := <-ended; err != nil && !errors.Is(err, drivers.ErrDuty) && !errors.Is(err, drivers.ErrTimeout) {
			t.Error(err)
		}
	}
	if err := j.wait(t); err != nil {
		t.Error(err)
	}
	time.Sleep(5 * time.Second)
	if err := kicker.Kick(t.Context(), s.pin); err != nil {
		t.Errorf("later: %v", err)
	}
}

// bounces opens a drawer whose switch says closed once more at the first look.
func (s drawerSuite) bounces(t *testing.T) {
	_, d, device := s.start(t, 0)
	if open, err := d.DrawerOpened(t.Context()); err != nil || open {
		t.Fatalf("opened: %v, %v", open, err)
	}
	for _, want := range []bool{true, false} {
		device.Set(func(*PrinterFaults) { device.pin3 = want })
		stop := time.AfterFunc(time.Millisecond, func() { device.Set(func(*PrinterFaults) { device.pin3 = !want }) })
		back := time.AfterFunc(20*time.Millisecond, func() { device.Set(func(*PrinterFaults) { device.pin3 = want }) })
		if open, err := d.DrawerOpened(t.Context()); err != nil || open != want {
			t.Errorf("opened: %v, %v, want %v", open, err, want)
		}
		stop.Stop()
		back.Stop()
		device.Set(func(*PrinterFaults) { device.pin3 = !want })
		time.AfterFunc(time.Millisecond, func() { device.Set(func(*PrinterFaults) { device.pin3 = want }) })
		if open, err := d.DrawerOpened(t.Context()); err != nil || open != want {
			t.Errorf("a bounce is believed: %v, %v, want %v", open, err, want)
		}
	}
}

func (s drawerSuite) silent(t *testing.T) {
	_, d, device := s.start(t, 1)
	device.Set(func(f *PrinterFaults) { f.Mute = true })
	if err := d.OpenDrawer(t.Context()); !errors.Is(err, drivers.ErrTimeout) {
		t.Errorf("open: %v", err)
	}
	if _, err := d.DrawerOpened(t.Context()); !errors.Is(err, drivers.ErrTimeout) {
		t.Errorf("switch: %v", err)
	}
}
