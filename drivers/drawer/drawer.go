// Package drawer opens and watches a cash drawer within the limits of its
// coil.
package drawer

import (
	"context"
	"fmt"
	"time"

	"regi/drivers"
)

// One opening, in the order it happens.
const (
	// Settle is how long after a kick the switch is not believed.
	Settle = 300 * time.Millisecond
	// lookEvery and giveUp: a slow drawer gets more than one look, and the
	// coil its rest, before a try counts as failed.
	lookEvery = 100 * time.Millisecond
	giveUp    = 700 * time.Millisecond
	// TriesMax is the number of kicks in one OpenDrawer.
	TriesMax = 2
)

// Kicker is the device whose drawer connector is used.
type Kicker interface {
	// Kick pulses the coil of pin (2 or 5) once. It keeps the limits of Coils.
	Kick(ctx context.Context, pin int) error
	Status(ctx context.Context) (drivers.PrinterStatus, error)
}

// Options of a drawer.
type Options struct {
	// Pin is that of the coil on the connector: 2 or 5.
	Pin int
	// OpenLow is for a switch that pulls the sense pin (3) down when the drawer
	// is open. The zero value is the usual one: high is open.
	OpenLow bool
}

// Drawer is one drawer. It is safe for use by several goroutines; openings
// happen one after the other.
type Drawer struct {
	kicker  Kicker
	options Options
	turn    chan struct{}
}

var _ drivers.CashDrawer = (*Drawer)(nil)

// ViaPrinter returns the drawer on a printer's connector, open when the sense
// pin is high.
func ViaPrinter(k Kicker, pin int) *Drawer { return New(k, Options{Pin: pin}) }

// New returns the drawer on a connector.
func New(k Kicker, o Options) *Drawer {
	return &Drawer{kicker: k, options: o, turn: make(chan struct{}, 1)}
}

// OpenDrawer kicks, looks at the switch, and kicks once more only if it still
// says closed. It returns nil only if the switch says open; its errors wrap
// drivers.ErrDidNotOpen, drivers.ErrDuty (not kicked: try later), or the
// printer's.
func (d *Drawer) OpenDrawer(ctx context.Context) error {
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return fmt.Errorf("drawer: open: %w", ctx.Err())
	}
	for range TriesMax {
		if ctx.Err() != nil {
			return fmt.Errorf("drawer: open: %w", ctx.Err())
		}
		// The first kick does not ask the switch: one without a wire says open
		// for ever, and would keep the drawer shut.
		if err := d.kicker.Kick(ctx, d.options.Pin); err != nil {
			return fmt.Errorf("drawer: kick: %w", err)
		}
		open, err := d.watch(ctx, time.Now())
		if err != nil || open {
			return err
		}
	}
	return fmt.Errorf("drawer: kicked %d times: %w", TriesMax, drivers.ErrDidNotOpen)
}

// watch looks at the switch until it says open or the try has failed.
func (d *Drawer) watch(ctx context.Context, kicked time.Time) (bool, error) {
	wait := Settle
	for {
		if err := sleep(ctx, wait); err != nil {
			return false, fmt.Errorf("drawer: open: %w", err)
		}
		open, err := d.DrawerOpened(ctx)
		if err != nil || open || time.Since(kicked) >= giveUp {
			return open, err
		}
		wait = lookEvery
	}
}

// DrawerOpened reads the switch.
func (d *Drawer) DrawerOpened(ctx context.Context) (bool, error) {
	s, err := d.kicker.Status(ctx)
	if err != nil {
		return false, fmt.Errorf("drawer: switch: %w", err)
	}
	return s.DrawerPin3 != d.options.OpenLow, nil
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
