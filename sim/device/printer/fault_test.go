package printer_test

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regi/sim/device/printer"
)

func (r *register) plan(faults ...printer.FaultAt) {
	r.t.Helper()
	if err := r.Plan(faults...); err != nil {
		r.t.Fatal(err)
	}
	synctest.Wait()
}

func (r *register) mend(kind printer.Fault) {
	r.t.Helper()
	if err := r.Mend(kind); err != nil {
		r.t.Fatal(err)
	}
	synctest.Wait()
}

func TestFaultAtALine(t *testing.T) {
	for _, c := range []struct {
		kind   printer.Fault
		status string // DLE EOT 1 to 4
		after  string // of ten lines, when it is mended
	}{
		{printer.FaultPaper, "1a 32 12 7e", numbers(1, 10)},
		{printer.FaultCover, "1a 16 12 12", numbers(1, 10)},
		{printer.FaultHot, "1a 52 52 12", numbers(1, 10)},
		{printer.FaultBroken, "1a 52 32 12", numbers(1, 10)},
		{printer.FaultPower, "", numbers(1, 4)},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := connect(t, printer.Options{MillimetresPerSecond: 300})
			r.plan(printer.FaultAt{Kind: c.kind, Line: 4})
			r.write(numbers(1, 10))
			time.Sleep(time.Second)
			r.paper(numbers(1, 4))
			r.write(statuses)
			r.expect(string(c.kind), c.status)
			r.mend(c.kind)
			time.Sleep(time.Second)
			r.paper(c.after)
			r.write(statuses)
			r.expect("mended", "12 12 12 12")
		})
	}
}

func TestFaultAtAByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, printer.Options{})
		r.plan(printer.FaultAt{Kind: printer.FaultCover, Byte: 5}, printer.FaultAt{Kind: printer.FaultNearEnd, Byte: 9})
		r.write("A\nB\n")
		r.paper("A\nB\n")
		r.write("C\nD\n")
		if s := r.State(); s.Cover != "open" || s.Paper != "ok" {
			t.Errorf("after 8 bytes: %+v", s)
		}
		r.write("E\n")
		r.mend(printer.FaultCover)
		if s := r.State(); s.Paper != "near-end" || s.Offline {
			t.Errorf("after 10 bytes: %+v", s)
		}
		r.paper("A\nB\nC\nD\nE\n")
	})
}

// TestCable: while it is out, bytes and answers are lost, and nothing else.
func TestCable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, printer.Options{})
		r.write("\x1da\xffA\n")
		r.answers()
		r.plan(printer.FaultAt{Kind: printer.FaultCable, Byte: 2})
		r.write("B\nC\n\x10\x04\x01")
		r.change(printer.Change{Paper: "near-end"})
		r.expect("cable out", "")
		if s := r.State(); s.Cable != "out" || s.Offline {
			t.Errorf("state %+v", s)
		}
		r.mend(printer.FaultCable)
		r.write("D\n\x10\x04\x04")
		r.expect("cable in", "1e")
		r.paper("A\nB\nD\n")
	})
}

func TestPlanRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, printer.Options{})
		for _, f := range []printer.FaultAt{{Kind: "fire"}, {Kind: printer.FaultPaper, Line: -1}, {Kind: printer.FaultPaper, Byte: 1, Line: 1}} {
			if err := r.Plan(printer.FaultAt{Kind: printer.FaultCover}, f); err == nil {
				t.Errorf("%+v is accepted", f)
			}
		}
		if err := r.Mend("fire"); err == nil {
			t.Error("a fire is mended")
		}
		if s := r.State(); s.Offline {
			t.Errorf("a refused plan did something: %+v", s)
		}
	})
}

func TestErrorsInTheAutomaticStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, printer.Options{})
		r.write("\x1da\xff")
		r.answers()
		r.plan(printer.FaultAt{Kind: printer.FaultHot})
		r.expect("hot", "18 40 00 0f")
		r.mend(printer.FaultHot)
		r.expect("cool", "10 00 00 0f")
		r.plan(printer.FaultAt{Kind: printer.FaultBroken})
		r.expect("broken", "18 20 00 0f")
	})
}

func TestPulseLimits(t *testing.T) {
	type v = []printer.Violation
	const good, long, odoo = "\x1bp\x00\x32\xfa", "\x1bp\x00\xff\xff", "\x1bp\x00\x19\x19"
	for _, c := range []struct {
		name  string
		steps []string // bytes, or a time to wait
		want  []v
	}{
		{"a good pulse", []string{good}, []v{nil}},
		{"510 ms, 510 ms off", []string{long}, []v{{printer.DeclaredDuty}}},
		{"800 ms", []string{"\x10\x14\x01\x00\x08"}, []v{{printer.TooLong}}},
		{"50 ms on, 50 off, then the other pin", []string{odoo, "\x1bp\x01\x19\x19"}, []v{{printer.DeclaredDuty}, {printer.DeclaredDuty, printer.TwoCoils, printer.Duty}}},
		{"again after 499 ms", []string{good, "499ms", good}, []v{nil, {printer.Duty}}},
		{"again after 500 ms", []string{good, "500ms", good}, []v{nil, nil}},
		{"a short one does not hide a long one", []string{"\x10\x14\x01\x00\x05", "600ms", "\x1bp\x00\x01\xff"}, []v{nil, {printer.Duty}}},
		{"while the coil is on", []string{good, "50ms", good}, []v{nil, {printer.Overlap, printer.Duty}}},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := connect(t, printer.Options{})
			for _, s := range c.steps {
				if d, err := time.ParseDuration(s); err == nil {
					time.Sleep(d)
				} else {
					r.write(s)
				}
			}
			got := r.Pulses()
			broke := 0
			for i, p := range got {
				if i >= len(c.want) || !slices.Equal(p.Violations, c.want[i]) {
					t.Errorf("%s: pulse %d breaks %v", c.name, i, p.Violations)
				}
				if len(p.Violations) > 0 {
					broke++
				}
			}
			if len(got) != len(c.want) || len(r.Violations()) != broke {
				t.Errorf("%s: %d pulses, %d violations", c.name, len(got), len(r.Violations()))
			}
		})
	}
}

func TestQuirks(t *testing.T) {
	for _, c := range []struct{ name, model, in, want string }{
		{"ESC J", "58mm-clone", "A\x1bJ\x20B\n", "AB\n"},
		{"ESC $ after data", "58mm-clone", "A\x1b$\x78\x00B\n\x1b$\x78\x00C\n", "AB\n          C\n"},
		{"one LF after GS v 0", "58mm-clone", "\x1dv0\x00\x01\x00\x01\x00\xff\n\nA\n", "\nA\n"},
		{"others keep it", "58mm", "\x1dv0\x00\x01\x00\x01\x00\xff\n\nA\n", "\n\nA\n"},
		{"no cutter", "58mm-clone", "A\n\x1dVB\x00", "A\n"},
	} {
		p, _ := play(t, printer.Options{Model: model(t, c.model)}, c.in)
		if got := p.Text(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	p, _ := play(t, printer.Options{Model: model(t, "58mm-clone")}, stored(49, "Regi"))
	if got := printed(p); len(got) != 1 || !strings.HasPrefix(got[0], "refused") {
		t.Errorf("a clone without codes prints %q", got)
	}
	const fence = "A\n\x1d(H\x06\x000012345"
	_, answers := play(t, printer.Options{Model: model(t, "clone-tm-t88v")}, fence[:len(fence)-1]+"\x1dI\x43")
	if answers != "\x5fTM-T88V\x00" {
		t.Errorf("a clone answers %q", answers)
	}
}

// TestStaleDrawer: the first look after the drawer moved is wrong.
func TestStaleDrawer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var open atomic.Bool
		r := connect(t, printer.Options{Model: model(t, "tm-m30"), DrawerOpen: open.Load})
		r.write("\x10\x04\x01")
		r.expect("closed", "12")
		open.Store(true)
		r.write("\x10\x04\x01\x10\x04\x01")
		r.expect("open", "12 16")
		open.Store(false)
		r.write("\x1dr2\x1dr2")
		r.expect("closed again", "01 00")
	})
}
