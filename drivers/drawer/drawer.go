// Package drawer opens and watches a cash drawer within the limits of its
// coil: on the connector of a receipt printer, or on two GPIO lines.
package drawer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"regi/drivers"
)

// One opening, in the order it happens.
const (
	// KickOn is the pulse of one kick.
	KickOn = 100 * time.Millisecond
	// Settle is how long after a kick the switch is not believed.
	Settle = 300 * time.Millisecond
	// lookEvery and giveUp: a slow drawer gets more than one look, and the
	// coil its rest, before a try counts as failed.
	lookEvery = 100 * time.Millisecond
	giveUp    = 700 * time.Millisecond
	// TriesMax is the number of kicks in one OpenDrawer.
	TriesMax = 2
)

// A change of the switch behind a printer is believed when a second look says
// the same: contacts bounce, and some printers (TM-m30) answer with what was.
const (
	secondLook = 30 * time.Millisecond
	looksMax   = 4
)

// Kicker is a printer whose drawer connector is used.
type Kicker interface {
	// Kick pulses the coil of pin (2 or 5) once, for at most KickOn or what
	// KickLasts says. It keeps the limits of Coils.
	Kick(ctx context.Context, pin int) error
	Status(ctx context.Context) (drivers.PrinterStatus, error)
}

// slowKicker is a Kicker whose pulses are longer than KickOn: some printers have
// a length of their own.
type slowKicker interface{ KickLasts(pin int) time.Duration }

// Options of a drawer on a printer's connector.
type Options struct {
	// Pin is that of the coil on the connector: 2 or 5.
	Pin int
	// OpenLow is for a switch that pulls the sense pin (3) down when the drawer
	// is open. The zero value is the usual one: high is open.
	OpenLow bool
	// Coils are those on the same supply, over the life of this process; nil:
	// those of this drawer alone.
	Coils *Coils
}

// Drawer is one drawer. It is safe for use by several goroutines; openings
// happen one after the other.
type Drawer struct {
	kick func(context.Context) error
	look func(context.Context) (bool, error) // at the switch, as it is
	// opened is look, and whether it was open since opened was last called.
	opened func(context.Context) (bool, error)
	turn   chan struct{}
	giveUp time.Duration // giveUp, or more: see New
}

var _ drivers.CashDrawer = (*Drawer)(nil)

// ViaPrinter returns the drawer on a printer's connector, open when the sense
// pin is high.
func ViaPrinter(k Kicker, pin int) *Drawer { return New(k, Options{Pin: pin}) }

// New returns the drawer on a printer's connector.
func New(k Kicker, o Options) *Drawer {
	if o.Coils == nil {
		o.Coils = &Coils{}
	}
	s := &printerSwitch{kicker: k, openLow: o.OpenLow}
	on := KickOn
	if slow, ok := k.(slowKicker); ok {
		on = slow.KickLasts(o.Pin)
	}
	kick := func(ctx context.Context) error {
		return o.Coils.Drive(o.Pin, on, func() error { return k.Kick(ctx, o.Pin) })
	}
	// The second kick comes when the coil has had its rest.
	return &Drawer{kick: kick, look: s.open, opened: s.open, turn: make(chan struct{}, 1), giveUp: max(giveUp, on+rest(on))}
}

// Lines are the two GPIO lines of a drawer, with whoever holds them.
type Lines interface {
	// Pulse pulses the coil once and returns when it is off. It keeps the limits
	// of Coils.
	Pulse(ctx context.Context, on time.Duration) error
	// Switch says whether the drawer is open, without bouncing.
	Switch(ctx context.Context) (open bool, err error)
	// Opened is Switch that says open, once, of an opening that is over.
	Opened(ctx context.Context) (open bool, err error)
}

// ViaGPIO returns the drawer on two GPIO lines.
func ViaGPIO(l Lines) *Drawer {
	kick := func(ctx context.Context) error { return l.Pulse(ctx, KickOn) }
	return &Drawer{kick: kick, look: l.Switch, opened: l.Opened, turn: make(chan struct{}, 1), giveUp: giveUp}
}

// OpenDrawer kicks, looks at the switch, and kicks once more only if it still
// says closed. It returns nil only if the switch says open; its errors wrap
// drivers.ErrDidNotOpen, drivers.ErrDuty (not kicked at all: try later), or
// those of the printer or the lines.
func (d *Drawer) OpenDrawer(ctx context.Context) error {
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return fmt.Errorf("drawer: open: %w", ctx.Err())
	}
	for try := range TriesMax {
		if ctx.Err() != nil {
			return fmt.Errorf("drawer: open: %w", ctx.Err())
		}
		// The first kick does not ask the switch: one without a wire says open
		// for ever, and would keep the drawer shut.
		err := d.kick(ctx)
		if try > 0 && errors.Is(err, drivers.ErrDuty) {
			break // others have heated the coil: one try was all
		}
		if err != nil {
			return fmt.Errorf("drawer: kick: %w", err)
		}
		open, err := d.watch(ctx, time.Now())
		if err != nil || open {
			return err
		}
	}
	return fmt.Errorf("drawer: kicked: %w", drivers.ErrDidNotOpen)
}

// watch looks at the switch until it says open or the try has failed.
func (d *Drawer) watch(ctx context.Context, kicked time.Time) (bool, error) {
	wait := Settle
	for {
		if err := sleep(ctx, wait); err != nil {
			return false, fmt.Errorf("drawer: open: %w", err)
		}
		open, err := d.look(ctx)
		if err != nil {
			return false, fmt.Errorf("drawer: switch: %w", err)
		}
		if open || time.Since(kicked) >= d.giveUp {
			return open, nil
		}
		wait = lookEvery
	}
}

// DrawerOpened reads the switch. Of a drawer on GPIO lines it also says open,
// once, if it was open since the last call: no opening is too short to be seen.
func (d *Drawer) DrawerOpened(ctx context.Context) (bool, error) {
	open, err := d.opened(ctx)
	if err != nil {
		return false, fmt.Errorf("drawer: switch: %w", err)
	}
	return open, nil
}

// printerSwitch is the switch on a printer's sense pin.
type printerSwitch struct {
	kicker  Kicker
	openLow bool

	mu       sync.Mutex // a leaf: never held over a call that can block
	known    bool
	believed bool
}

// open believes a change when two looks in a row agree on it.
func (s *printerSwitch) open(ctx context.Context) (bool, error) {
	now, err := s.read(ctx)
	if err != nil {
		return false, err
	}
	if known, believed := s.last(); known && now == believed {
		return now, nil
	}
	for range looksMax {
		if err := sleep(ctx, secondLook); err != nil {
			return false, err
		}
		again, err := s.read(ctx)
		if err != nil {
			return false, err
		}
		if again == now {
			s.believe(now)
			return now, nil
		}
		now = again
	}
	if known, believed := s.last(); known {
		return believed, nil // it flutters: the next call will see
	}
	return now, nil
}

func (s *printerSwitch) read(ctx context.Context) (bool, error) {
	status, err := s.kicker.Status(ctx)
	return status.DrawerPin3 != s.openLow, err
}

func (s *printerSwitch) last() (known, believed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known, s.believed
}

func (s *printerSwitch) believe(open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known, s.believed = true, open
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
