package escpos_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regi/drivers"
	"regi/drivers/driverstest"
	"regi/drivers/escpos"
)

// TestStatus reads every state that a printer may be in.
func TestStatus(t *testing.T) {
	for want, fault := range map[error]func(*driverstest.PrinterFaults){
		drivers.ErrPaperOut:      func(f *driverstest.PrinterFaults) { f.PaperOut = true },
		drivers.ErrCoverOpen:     func(f *driverstest.PrinterFaults) { f.Cover = true },
		drivers.ErrMechanical:    func(f *driverstest.PrinterFaults) { f.Mechanical = true },
		drivers.ErrHeadHot:       func(f *driverstest.PrinterFaults) { f.HeadHot = true },
		drivers.ErrUnrecoverable: func(f *driverstest.PrinterFaults) { f.Unrecoverable = true },
	} {
		t.Run(want.Error(), func(t *testing.T) {
			device(t, "tm-t88v", func(t *testing.T, p *escpos.Printer, d *driverstest.ReceiptPrinter) {
				d.Set(fault)
				s, err := p.Status(t.Context())
				if got := s.Err(); err != nil || !errors.Is(got, want) || got.Error() != want.Error() {
					t.Errorf("%v, %v", got, err)
				}
				if !s.Offline {
					t.Error("it says that it is online")
				}
			})
		})
	}
}

// TestChanged: what happens to the printer is told at once, and only then.
func TestChanged(t *testing.T) {
	device(t, "tm-t88v", func(t *testing.T, p *escpos.Printer, d *driverstest.ReceiptPrinter) {
		bells := make(chan time.Time, 100)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			for {
				if err := p.Changed(ctx); err != nil {
					ended <- err
					return
				}
				bells <- time.Now()
			}
		}()
		time.Sleep(time.Second)
		<-bells // the first status
		for name, change := range map[string]func(*driverstest.PrinterFaults){
			"paper":    func(f *driverstest.PrinterFaults) { f.PaperOut = !f.PaperOut },
			"near end": func(f *driverstest.PrinterFaults) { f.NearEnd = !f.NearEnd },
			"cover":    func(f *driverstest.PrinterFaults) { f.Cover = !f.Cover },
		} {
			for range 2 { // there and back
				at := time.Now()
				d.Set(change)
				select {
				case told := <-bells:
					if took := told.Sub(at); took > 100*time.Millisecond {
						t.Errorf("%s: told after %v", name, took)
					}
				case <-time.After(time.Second):
					t.Errorf("%s: not told", name)
				}
				time.Sleep(time.Second)
			}
		}
		time.Sleep(3 * time.Hour)
		if len(bells) > 0 {
			t.Errorf("%d bells for nothing", len(bells))
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// TestDrawerRings: an edge of the drawer's switch is a change, too.
func TestDrawerRings(t *testing.T) {
	device(t, "tm-t88v", func(t *testing.T, p *escpos.Printer, d *driverstest.ReceiptPrinter) {
		if err := p.Init(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := p.Changed(t.Context()); err != nil { // the first status
			t.Fatal(err)
		}
		d.Drawer(1)
		rang := make(chan error, 1)
		go func() { rang <- p.Changed(t.Context()) }()
		synctest.Wait()
		if err := p.Kick(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-rang:
			if s, asked := p.Status(t.Context()); err != nil || asked != nil || !s.DrawerPin3 {
				t.Errorf("%v, %+v, %v", err, s, asked)
			}
		case <-time.After(time.Second):
			t.Fatal("not told")
		}
	})
}

// TestNoAutomaticStatus: one that knows none, or sends bytes that cannot be
// one, or says what is not so, prints as well.
func TestNoAutomaticStatus(t *testing.T) {
	for name, fault := range map[string]func(*driverstest.PrinterFaults){
		"none":              func(f *driverstest.PrinterFaults) { f.NoAuto = true },
		"impossible bytes":  func(f *driverstest.PrinterFaults) { f.Auto = []byte{0x10, 0xFF, 0x80, 0xFF} },
		"too short":         func(f *driverstest.PrinterFaults) { f.Auto = []byte{0x10, 0x00} },
		"one byte":          func(f *driverstest.PrinterFaults) { f.Auto = []byte{0x10} },
		"always offline":    func(f *driverstest.PrinterFaults) { f.Auto = []byte{0x18, 0, 0x0F, 0} },
		"always well":       func(f *driverstest.PrinterFaults) { f.Auto = []byte{0x10, 0, 0, 0} },
		"another's answers": func(f *driverstest.PrinterFaults) { f.Auto = []byte{0x12, 0x12, 0x12, 0x12} },
	} {
		for _, model := range []string{"tm-t88v", "generic-80"} {
			t.Run(name+" "+model, func(t *testing.T) {
				device(t, model, func(t *testing.T, p *escpos.Printer, d *driverstest.ReceiptPrinter) {
					d.Set(fault)
					d.PaperFor(15)
					doc, want := numbered(60)
					paused, printed := make(chan error, 10), make(chan error, 1)
					go func() { printed <- p.Print(t.Context(), doc, func(cause error) { paused <- cause }) }()
					if cause := <-paused; !errors.Is(cause, drivers.ErrPaperOut) {
						t.Fatal(cause)
					}
					time.Sleep(time.Minute)
					d.PaperFor(-1)
					if err := <-printed; err != nil {
						t.Fatal(err)
					}
					if got := d.Lines(); !slices.Equal(got, append(want, "✂")) {
						t.Errorf("on the paper: %q", got)
					}
				})
			})
		}
	}
}

// TestAutomaticStatusComesBack: a printer that was off has forgotten it.
func TestAutomaticStatusComesBack(t *testing.T) {
	device(t, "tm-t88v", func(t *testing.T, p *escpos.Printer, d *driverstest.ReceiptPrinter) {
		if err := p.Init(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.Set(func(f *driverstest.PrinterFaults) { f.Off = true })
		if _, err := p.Status(t.Context()); !errors.Is(err, drivers.ErrTimeout) {
			t.Fatal(err)
		}
		d.Set(func(f *driverstest.PrinterFaults) { f.Off = false })
		for range 3 { // answers that may be late ones are not believed at once
			if _, err := p.Status(t.Context()); err == nil {
				break
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if err := p.Changed(ctx); err != nil { // that it is well
			t.Fatal(err)
		}
		d.Set(func(f *driverstest.PrinterFaults) { f.Cover = true })
		if err := p.Changed(ctx); err != nil {
			t.Errorf("not told: %v", err)
		}
	})
}

// TestRecover: a jam that the printer remembers is ended by DLE ENQ 1, which
// nothing but the call sends; the receipt is whole.
func TestRecover(t *testing.T) {
	for name, clear := range map[string]bool{"go on": false, "clear": true} {
		t.Run(name, func(t *testing.T) {
			device(t, "tm-t88v", func(t *testing.T, p *escpos.Printer, d *driverstest.ReceiptPrinter) {
				d.JamCutter(true)
				d.Set(func(f *driverstest.PrinterFaults) { f.Latched = true })
				doc, want := numbered(12)
				paused, printed := make(chan error, 10), make(chan error, 1)
				go func() { printed <- p.Print(t.Context(), doc, func(cause error) { paused <- cause }) }()
				if cause := <-paused; !errors.Is(cause, drivers.ErrCutter) {
					t.Fatal(cause)
				}
				d.JamCutter(false)
				time.Sleep(10 * time.Minute)
				if got := d.Enquiries(); len(got) > 0 || len(printed) > 0 {
					t.Fatalf("it recovered by itself: % x", got)
				}
				if err := p.Recover(t.Context(), clear); err != nil {
					t.Fatal(err)
				}
				if err := <-printed; err != nil {
					t.Fatal(err)
				}
				if got := d.Lines(); !slices.Equal(got, append(want, "✂")) {
					t.Errorf("on the paper: %q", got)
				}
			})
		})
	}
}

// TestRecoverInTheMiddle clears a buffer with lines: nobody knows which.
func TestRecoverInTheMiddle(t *testing.T) {
	device(t, "tm-t88v", func(t *testing.T, p *escpos.Printer, d *driverstest.ReceiptPrinter) {
		doc, lines := numbered(30)
		d.Set(func(f *driverstest.PrinterFaults) { f.LineTime = 5 * time.Millisecond })
		printed := make(chan error, 1)
		go func() { printed <- p.Print(t.Context(), doc, nil) }()
		d.AfterLines(10)
		d.Set(func(f *driverstest.PrinterFaults) { f.Mechanical = true })
		if err := p.Recover(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		d.Set(func(f *driverstest.PrinterFaults) { f.Mechanical = false })
		err := <-printed
		if judge(t, 10, d.Lines(), lines, err, p.Job()); !errors.Is(err, drivers.ErrUnknownOutcome) {
			t.Error(err)
		}
	})
}

// TestCutFirst cuts off what an earlier document left, where it is asked to.
func TestCutFirst(t *testing.T) {
	for model, want := range map[string][]string{
		"tm-t88v":    {"half", "✂", "a 00", "✂"},
		"generic-58": {"half", "", "", "", "", "", "a 00", "", "", "", "", ""},
	} {
		device(t, model, func(t *testing.T, p *escpos.Printer, d *driverstest.ReceiptPrinter) {
			if err := p.Print(t.Context(), drivers.Document{Items: drivers.Texts(drivers.TextLine{Text: "half"})}, nil); err != nil {
				t.Fatal(err)
			}
			doc, _ := numbered(1)
			doc.CutFirst = true
			if err := p.Print(t.Context(), doc, nil); err != nil {
				t.Fatal(err)
			}
			if got := d.Lines(); !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", model, got, want)
			}
		})
	}
}

// TestStuckParser: a printer that was left inside a picture is given the rest
// of it before anything else, and the next receipt is whole.
func TestStuckParser(t *testing.T) {
	device(t, "tm-t88v", func(t *testing.T, p *escpos.Printer, d *driverstest.ReceiptPrinter) {
		d.Set(func(f *driverstest.PrinterFaults) { f.Swallows = 4000 })
		doc, want := numbered(12)
		if err := p.Print(t.Context(), doc, nil); err != nil {
			t.Fatal(err)
		}
		if got := d.Lines(); !slices.Equal(got, append(want, "✂")) {
			t.Errorf("on the paper: %q", got)
		}
	})
}

// TestProbe: what is believed of an unknown printer is what it was seen to do.
func TestProbe(t *testing.T) {
	for name, test := range map[string]struct {
		fault      func(*driverstest.PrinterFaults)
		model      string
		columns    int
		printFence bool
	}{
		"a TM-T88V":            {func(*driverstest.PrinterFaults) {}, "tm-t88v", 42, true},
		"claims to be one":     {func(f *driverstest.PrinterFaults) { f.NoProcessID = true }, "", 32, false},
		"lies with its status": {func(f *driverstest.PrinterFaults) { f.Auto = []byte{0x18, 0, 0x0F, 0} }, "", 32, true},
	} {
		t.Run(name, func(t *testing.T) {
			device(t, escpos.Auto, func(t *testing.T, p *escpos.Printer, d *driverstest.ReceiptPrinter) {
				d.Set(test.fault)
				if err := p.Init(t.Context()); err != nil {
					t.Fatal(err)
				}
				f := p.Found()
				if f.Model != test.model || f.PrintFence != test.printFence || p.Columns() != test.columns || p.Model().RealTimeKick {
					t.Errorf("%+v, %d columns", f, p.Columns())
				}
				synctest.Wait()
				for _, never := range []string{"\x10\x05", "\x10\x14", "\x1bp", "\x1dV", "\x1bd"} {
					if bytes.Contains(d.Received(), []byte(never)) {
						t.Errorf("% x was sent", never)
					}
				}
				if got := d.Lines(); len(got) > 0 || len(d.Kicks()) > 0 {
					t.Errorf("it printed %q", got)
				}
				d.PaperFor(-1)
				doc, want := numbered(20)
				if err := p.Print(t.Context(), doc, nil); err != nil {
					t.Fatal(err)
				}
				if got := d.Lines()[:len(want)]; !slices.Equal(got, want) {
					t.Errorf("on the paper: %q", got)
				}
				if said := f.String() + f.Advice(); strings.ContainsFunc(said, func(c rune) bool { return c < ' ' }) {
					t.Errorf("%q", said)
				}
			})
		})
	}
}

// TestProbeWithoutPaper: one that has stopped cannot be known.
func TestProbeWithoutPaper(t *testing.T) {
	device(t, escpos.Auto, func(t *testing.T, p *escpos.Printer, d *driverstest.ReceiptPrinter) {
		d.PaperFor(0)
		if err := p.Init(t.Context()); !errors.Is(err, drivers.ErrPaperOut) {
			t.Fatal(err)
		}
		doc, want := numbered(3)
		if err := p.Print(t.Context(), doc, nil); !errors.Is(err, drivers.ErrPaperOut) || errors.Is(err, drivers.ErrUnknownOutcome) {
			t.Fatal(err)
		}
		d.PaperFor(-1)
		if err := p.Print(t.Context(), doc, nil); err != nil || p.Found().Model != "tm-t88v" {
			t.Fatal(err, p.Found())
		}
		if got := d.Lines(); !slices.Equal(got, append(want, "✂")) {
			t.Errorf("on the paper: %q", got)
		}
	})
}

// TestLate: a document that was not begun by its time is not printed, one that
// was is.
func TestLate(t *testing.T) {
	for name, lines := range map[string]int{"not begun": 0, "begun": 3} {
		t.Run(name, func(t *testing.T) {
			device(t, "tm-t88v", func(t *testing.T, p *escpos.Printer, d *driverstest.ReceiptPrinter) {
				d.PaperFor(lines)
				doc, want := numbered(6)
				doc.BeginBy = time.Now().Add(10 * time.Minute)
				printed := make(chan error, 1)
				go func() { printed <- p.Print(t.Context(), doc, nil) }()
				time.Sleep(11 * time.Minute)
				d.PaperFor(-1)
				err := <-printed
				if lines == 0 {
					if !errors.Is(err, drivers.ErrLate) || errors.Is(err, drivers.ErrUnknownOutcome) || len(d.Lines()) > 0 {
						t.Errorf("%v, on the paper %q", err, d.Lines())
					}
					return
				}
				if got := d.Lines(); err != nil || !slices.Equal(got, append(want, "✂")) {
					t.Errorf("%v, on the paper %q", err, got)
				}
			})
		})
	}
}
