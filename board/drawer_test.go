package board_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/gpio"

	"regi/board"
	"regi/drivers/drawer"
	sim "regi/sim/device/drawer" //nolint:depguard // tests may cross
)

// kick is an output line that must not be touched otherwise.
type kick struct {
	gpio.PinIO // nil: any other call is a crash
	levels     []gpio.Level
	fails      error
}

func (k *kick) Out(l gpio.Level) error {
	k.levels = append(k.levels, l)
	return k.fails
}

func TestDrawerLines(t *testing.T) {
	k := &kick{}
	sense := newLine(t)
	d, err := board.NewDrawer(k, sense)
	if err != nil {
		t.Fatal(err)
	}
	if sense.pull != gpio.PullUp || sense.edge != gpio.BothEdges {
		t.Errorf("pull %v, edge %v", sense.pull, sense.edge)
	}
	for _, high := range []bool{true, false} {
		if err := d.Kick.Set(high); err != nil {
			t.Fatal(err)
		}
	}
	if len(k.levels) != 3 || k.levels[0] != gpio.Low || k.levels[1] != gpio.High || k.levels[2] != gpio.Low {
		t.Errorf("levels %v", k.levels)
	}
	for _, high := range []bool{true, false} {
		sense.open.Store(high)
		sense.edges <- struct{}{}
		if !d.Sense.WaitForEdge(time.Second) || d.Sense.High() != high {
			t.Errorf("not %v", high)
		}
	}
	if d.Sense.WaitForEdge(0) || d.Sense.WaitForEdge(-1) || d.Sense.WaitForEdge(time.Millisecond) {
		t.Error("an edge from nowhere")
	}
	k.fails = errors.New("EIO")
	if err := d.Kick.Set(true); !errors.Is(err, k.fails) {
		t.Error(err)
	}
	if _, err := board.NewDrawer(k, sense); !errors.Is(err, k.fails) {
		t.Errorf("a kick line that cannot be low: %v", err)
	}
	sense.fails = errors.New("busy")
	if _, err := board.NewDrawer(&kick{}, sense); !errors.Is(err, sense.fails) {
		t.Errorf("a sense line that is another's: %v", err)
	}
	for _, names := range [][2]string{{"NO-KICK", "NO-SENSE"}, {"", ""}} {
		if _, err := board.OpenDrawer(names[0], names[1]); !errors.Is(err, board.ErrNoLine) {
			t.Errorf("%q: %v", names, err)
		}
	}
}

// simOut and simIn are a simulated drawer's pins as periph has them.
type simOut struct {
	gpio.PinIO
	pins *sim.Pins
}

func (o simOut) Out(l gpio.Level) error { o.pins.Set(bool(l)); return nil }

type simIn struct {
	gpio.PinIO
	pins *sim.Pins
}

func (i simIn) In(gpio.Pull, gpio.Edge) error    { return nil }
func (i simIn) Read() gpio.Level                 { return gpio.Level(i.pins.High()) }
func (i simIn) WaitForEdge(d time.Duration) bool { return i.pins.WaitForEdge(d) }

// TestDrawerOpens: driver, lines and a simulated drawer fit together.
func TestDrawerOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := sim.New(nil)
		pins := box.Pins(sim.Wiring{Pin: 2, Bounce: 15 * time.Millisecond})
		lines, err := board.NewDrawer(simOut{pins: pins}, simIn{pins: pins})
		if err != nil {
			t.Fatal(err)
		}
		coil, err := drawer.NewCoil(lines.Kick, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := drawer.NewSwitch(lines.Sense, false)
		if err := coil.Pulse(t.Context(), drawer.KickOn); err != nil || s.Open() {
			t.Fatal(err, s.Open())
		}
		time.Sleep(drawer.Settle)
		if s = drawer.NewSwitch(lines.Sense, false); !s.Open() || box.Count() != 1 || pins.Driven() {
			t.Errorf("open %v, %d pulses", s.Open(), box.Count())
		}
	})
}
