package drawer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"regi/drivers"
)

// Out is the line that switches a coil: high is on. There is no way to read it
// back, because on some libraries that makes it an input with a pull-up.
type Out interface {
	Set(high bool) error
}

// offWithin is how long it is tried to switch a coil off whose line fails.
const (
	offWithin = 100 * time.Millisecond
	offEvery  = time.Millisecond
)

// Coil is one coil on a GPIO line. It is safe for use by several goroutines.
type Coil struct {
	out   Out
	coils *Coils
}

// NewCoil switches the coil off and returns it. coils are those on the same
// supply; nil: this one alone.
func NewCoil(out Out, coils *Coils) (*Coil, error) {
	if coils == nil {
		coils = &Coils{}
	}
	c := &Coil{out: out, coils: coils}
	if err := c.Off(); err != nil {
		return nil, err
	}
	return c, nil
}

// Pulse switches the coil on for a time, at most PulseMax, and returns when it
// is off; the end of ctx ends the pulse. Its errors wrap drivers.ErrDuty or
// drivers.ErrUnsupported (not switched on), drivers.ErrTimeout (it was on for
// longer than PulseMax) or are the line's: then the coil may be on.
func (c *Coil) Pulse(ctx context.Context, on time.Duration) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("drawer: pulse: %w", err)
	}
	if err := c.coils.begin(time.Now(), on); err != nil {
		return err
	}
	began := time.Now()
	err := c.out.Set(true)
	if err == nil {
		err = sleep(ctx, time.Until(began.Add(on)))
	}
	err = errors.Join(err, c.Off())
	ended := time.Now()
	c.coils.finish(began, ended)
	if was := ended.Sub(began); err == nil && was > PulseMax {
		err = fmt.Errorf("on for %v, at most %v: %w", was, PulseMax, drivers.ErrTimeout)
	}
	if err != nil {
		return fmt.Errorf("drawer: pulse: %w", err)
	}
	return nil
}

// Off switches the coil off.
func (c *Coil) Off() error {
	for began := time.Now(); ; time.Sleep(offEvery) {
		err := c.out.Set(false)
		if err == nil {
			return nil
		}
		if time.Since(began) >= offWithin {
			return fmt.Errorf("drawer: the coil cannot be switched off: %w", err)
		}
	}
}

// In is the line of a drawer's switch.
type In interface {
	High() bool
	// WaitForEdge returns true at an edge, or one since the last call, and false
	// after d.
	WaitForEdge(d time.Duration) bool
}

// Debounce is how long a switch must say the same to be believed.
const (
	Debounce    = 30 * time.Millisecond
	sampleEvery = 5 * time.Millisecond
	// flutterMax: a switch that does not settle is looked at again later.
	flutterMax = 500 * time.Millisecond
	// edgeWait is positive: periph takes zero and negative times for different
	// things on different drivers. It bounds how late an edge is seen that the
	// kernel lost, and how late the end of a context.
	edgeWait = 200 * time.Millisecond
)

// Switch is a drawer's switch on a GPIO line.
type Switch struct {
	in      In
	openLow bool

	mu     sync.Mutex
	open   bool // as it last settled
	opened bool // since Opened was last called
}

// NewSwitch returns the switch as it is now. openLow is for one that pulls the
// line down when the drawer is open. Somebody must run Watch.
func NewSwitch(in In, openLow bool) *Switch {
	s := &Switch{in: in, openLow: openLow}
	s.open = s.raw()
	s.settle()
	return s
}

// Watch follows the switch until ctx ends.
func (s *Switch) Watch(ctx context.Context) {
	for ctx.Err() == nil {
		s.in.WaitForEdge(edgeWait) // or none: edges get lost
		s.settle()
	}
}

// Open says whether the drawer is open, as the switch last settled.
func (s *Switch) Open() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

// Opened says whether the drawer is open or was since the last call.
func (s *Switch) Opened() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.opened
	s.opened = false
	return was || s.open
}

func (s *Switch) raw() bool { return s.in.High() != s.openLow }

// settle waits until the switch has said the same for Debounce.
func (s *Switch) settle() {
	now, since := s.raw(), time.Now()
	for began := since; time.Since(since) < Debounce; {
		time.Sleep(sampleEvery)
		if again := s.raw(); again != now {
			now, since = again, time.Now()
		}
		if time.Since(began) >= flutterMax {
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = now
	s.opened = s.opened || now
}
