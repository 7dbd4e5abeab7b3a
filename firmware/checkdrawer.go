package main

import (
	"context"
	"fmt"
	"time"

	"regi/drivers"
	"regi/drivers/drawer"
)

// checkDrawer reads the drawer's switch. It opens the drawer only if asked to.
func checkDrawer(ctx context.Context, b *bench) (string, error) {
	if b.Drawer.Via == viaGPIO {
		return checkGPIODrawer(ctx, b)
	}
	return b.opened("printer", func(p drivers.Port) (string, error) {
		printer, err := newPrinter(ctx, p, b.Printer.Model)
		if err != nil {
			return "", err
		}
		coils := &drawer.Coils{}
		coils.Warm(time.Now(), drawer.KickOn)
		said, err := tryDrawer(ctx, printerDrawer(b.Config, printer, coils), b.open)
		return fmt.Sprintf("on the printer's pin %d: %s", b.Drawer.Pin, said), err
	})
}

// checkGPIODrawer starts the real process that holds the lines.
func checkGPIODrawer(ctx context.Context, b *bench) (string, error) {
	p, err := startDrawer(ctx, b.Config, b.spawn)
	if err != nil {
		return "", err
	}
	defer p.end(ctx, letEnd)
	tried, err := tryDrawer(ctx, drawer.ViaGPIO(p.conn), b.open)
	if err != nil {
		return "", err
	}
	said := fmt.Sprintf("on %s and %s: %s", b.Drawer.Kick, b.Drawer.Sense, tried)
	if !p.hello.Realtime {
		said += ", warning: not before other processes (start it as root): a pulse may last longer"
	}
	return said, nil
}

// checkDrawerJail says how that process is confined.
func checkDrawerJail(ctx context.Context, b *bench) (string, error) {
	if b.Drawer.Via != viaGPIO {
		return "", fmt.Errorf("drawer on GPIO: %w", errNone)
	}
	p, err := startDrawer(ctx, b.Config, b.spawn)
	if err != nil {
		return "", err
	}
	defer p.end(ctx, letEnd)
	return show("drawer", p.hello.Controls)
}

// coolFor is how long a drawer is left alone before it is opened here.
const coolFor = 500 * time.Millisecond

// tryDrawer says what the switch says and how to find out whether that is true.
func tryDrawer(ctx context.Context, d *drawer.Drawer, open bool) (string, error) {
	was, err := d.DrawerOpened(ctx)
	if err != nil {
		return "", err
	}
	if !open {
		if was {
			return "the switch says open (if it is shut: check the switch's cable and drawer.sense_open)", nil
		}
		return "the switch says closed (if it is open: check drawer.sense_open; --open-drawer opens it)", nil
	}
	pause(ctx, coolFor)
	if err := d.OpenDrawer(ctx); err != nil {
		return "", err
	}
	if was {
		return "kicked, but the switch said open before (shut the drawer and check again)", nil
	}
	return "kicked, and the switch saw it open", nil
}
