package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"regi/board"
	"regi/board/port"
	"regi/drivers"
	"regi/drivers/keypad"
	"regi/drivers/linedisplay"
	"regi/firmware/register"
	"regi/firmware/role"
)

// Keypad is what the operator has to press: a serial keypad, a matrix of
// contacts, a USB keyboard, a printed sheet, in any combination.
type Keypad struct {
	Serial
	// Table changes what the bytes of a serial keypad stand for: "a" = "CASH",
	// "1B" = "CLEAR"; "" is no key.
	Table map[string]string `toml:"table"`
	// Matrix is contacts on GPIO lines, by the kernel's names.
	Matrix struct {
		Rows []string `toml:"rows"`
		Cols []string `toml:"cols"`
		// Keys are the rows of "NAME", "NAME/HELD" or ""; none: the default of 4 × 4.
		Keys [][]string `toml:"keys"`
	} `toml:"matrix"`
	// HID is a USB keyboard, which nothing else on this machine then gets. There
	// is none unless both are given.
	HID struct {
		ID   string            `toml:"id"`   // "VVVV:PPPP"
		Path string            `toml:"path"` // its socket: "usb-0000:01:00.0-1.2"
		Keys map[string]string `toml:"keys"` // key code → name: "30" = "CASH"
	} `toml:"hid"`
	// Sheet is "on", "off", or "after-z": a new one is printed after each Z.
	Sheet string `toml:"sheet"`
}

// Display is a display of two lines.
type Display struct {
	Serial
	Model      string `toml:"model"`
	Brightness int    `toml:"brightness"` // 1 to 4; 0 leaves it
}

func (d Display) options() linedisplay.Options {
	return linedisplay.Options{Model: d.Model, Brightness: d.Brightness}
}

// Words of [keypad] sheet.
const (
	sheetOn     = "on"
	sheetOff    = "off"
	sheetAfterZ = "after-z"
)

// hidPath is a socket as the kernel names it; hidID as usbID, in any case.
var (
	hidPath = regexp.MustCompile(`^usb-[0-9A-Za-z._:-]{1,60}$`)
	hidID   = regexp.MustCompile(`^[0-9a-fA-F]{4}:[0-9a-fA-F]{4}$`)
)

// checkHands checks [keypad], [display] and [customer].
func (c *Config) checkHands() error {
	k := &c.Keypad
	if !slices.Contains([]string{sheetOn, sheetOff, sheetAfterZ}, k.Sheet) {
		return fmt.Errorf("keypad.sheet = %.16q: use on, off or after-z", k.Sheet)
	}
	if _, err := keypad.ParseTable(k.Table); err != nil {
		return fmt.Errorf("keypad.table: %s", visible(err.Error()))
	}
	if _, err := keypad.ParseHIDTable(k.HID.Keys); err != nil {
		return fmt.Errorf("keypad.hid.keys: %s", visible(err.Error()))
	}
	if k.HID.ID != "" || k.HID.Path != "" {
		if !hidID.MatchString(k.HID.ID) || !hidPath.MatchString(k.HID.Path) {
			return fmt.Errorf("keypad.hid: id = %.16q, path = %.64q: a keyboard needs both, like \"046a:0011\" and \"usb-0000:01:00.0-1.2\" (see /proc/bus/input/devices, Phys)", k.HID.ID, k.HID.Path)
		}
	}
	if err := c.checkMatrix(); err != nil {
		return err
	}
	for name, d := range map[string]Display{"display": c.Display, "customer": c.Customer} {
		if _, err := linedisplay.New(nil, d.options()); err != nil {
			return fmt.Errorf("%s.model = %.16q, %[1]s.brightness = %[3]d: use one of %[4]s, and 1 to %[5]d or 0", name, d.Model, d.Brightness, strings.Join(linedisplay.Models(), ", "), linedisplay.BrightnessMax)
		}
	}
	if c.Customer.Port != "" && c.Display.Port == "" {
		return errors.New("customer.port: a shop with one display has it as [display]")
	}
	return nil
}

// checkMatrix checks the lines of a matrix: each of them is its own.
func (c *Config) checkMatrix() error {
	m := &c.Keypad.Matrix
	if !c.hasMatrix() {
		return nil
	}
	layout, err := keypad.ParseLayout(m.Keys)
	if err != nil {
		return fmt.Errorf("keypad.matrix.keys: %s", visible(err.Error()))
	}
	if len(m.Rows) != len(layout) || slices.ContainsFunc(layout, func(row []keypad.Label) bool { return len(row) != len(m.Cols) }) {
		return fmt.Errorf("keypad.matrix: %d rows and %d cols for %d rows of keys: each row of keys is a row, each key in it a col", len(m.Rows), len(m.Cols), len(layout))
	}
	users := map[string]string{c.Drawer.Kick: "drawer.kick", c.Drawer.Sense: "drawer.sense", c.Card.Tamper: "card.tamper"}
	if lines, err := board.ParseHead(c.Card.Port); err == nil && c.Card.Reader == "msr-ttl" {
		for _, name := range lines {
			users[name] = "card.port"
		}
	}
	for _, name := range slices.Concat(m.Rows, m.Cols) {
		if name == "" || len(name) > gpioNameMax {
			return fmt.Errorf("keypad.matrix: %.40q is not the kernel's name of a line, like \"GPIO17\" (gpioinfo lists them)", name)
		}
		if other := users[name]; other != "" {
			return fmt.Errorf("%s and keypad.matrix both have %q: each needs a line of its own", other, name)
		}
		users[name] = "keypad.matrix"
	}
	return nil
}

func (c *Config) hasMatrix() bool { return len(c.Keypad.Matrix.Rows)+len(c.Keypad.Matrix.Cols) > 0 }

// openMatrix takes the lines of the matrix, before the process is confined; nil
// and nil: there is none.
func openMatrix(c *Config) (*board.Matrix, error) {
	if !c.hasMatrix() {
		return nil, nil //nolint:nilnil // as it says
	}
	return board.OpenMatrix(c.Keypad.Matrix.Rows, c.Keypad.Matrix.Cols)
}

// matrixRetry is how long a matrix rests whose lines have failed.
const matrixRetry = 2 * time.Second

// keepHands runs the keypads that are on no serial line.
func keepHands(ctx context.Context, g *errgroup.Group, c *Config, reg *register.Register, spawn *role.Spawner, m *board.Matrix, noMatrix error, plugged *port.Hotplug) {
	switch {
	case noMatrix != nil:
		g.Go(func() error { reg.DeviceState(ctx, "matrix", false, noMatrix); return nil })
	case m != nil:
		g.Go(func() error { return keepMatrix(ctx, c, reg, m) })
	}
	if c.Keypad.HID.ID == "" {
		return
	}
	g.Go(func() error {
		table, err := keypad.ParseHIDTable(c.Keypad.HID.Keys)
		if err != nil {
			return err
		}
		return port.Supervise(ctx, port.Device{
			Open: func() (drivers.Port, error) {
				f, err := spawn.Open(hidLine)
				if err != nil {
					return nil, err // not a nil *HID in an interface
				}
				return board.WrapHID(f), nil
			},
			Use:     func(ctx context.Context, p drivers.Port) error { return reg.ServeKeypad(ctx, keypad.NewHID(p, table)) },
			State:   func(up bool, err error) { reg.DeviceState(ctx, "keyboard", up, err) },
			Plugged: plugged.Plugged,
		})
	})
}

func keepMatrix(ctx context.Context, c *Config, reg *register.Register, m *board.Matrix) error {
	layout, err := keypad.ParseLayout(c.Keypad.Matrix.Keys)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		k, err := keypad.NewMatrix(m, layout)
		if err != nil {
			return err
		}
		reg.DeviceState(ctx, "matrix", true, nil)
		err = reg.ServeKeypad(ctx, k)
		if ctx.Err() == nil {
			reg.DeviceState(ctx, "matrix", false, err)
			pause(ctx, matrixRetry)
		}
	}
	return ctx.Err()
}

// serialKeypad reads the keypad on its line.
func serialKeypad(c *Config, reg *register.Register) func(context.Context, drivers.Port) error {
	return func(ctx context.Context, p drivers.Port) error {
		table, err := keypad.ParseTable(c.Keypad.Table)
		if err != nil {
			return err
		}
		return reg.ServeKeypad(ctx, keypad.New(p, table))
	}
}

// displayTask draws one face of the register on its line.
func displayTask(d Display, serve func(context.Context, drivers.LineDisplay) error) func(context.Context, drivers.Port) error {
	return func(ctx context.Context, p drivers.Port) error {
		display, err := linedisplay.New(p, d.options())
		if err != nil {
			return err
		}
		return serve(ctx, display)
	}
}

// handsConfig adds what the register must know of its keypads and displays.
func handsConfig(c *Config, rc *register.Config) {
	rc.Till.SheetOff, rc.Till.SheetAfterZ = c.Keypad.Sheet == sheetOff, c.Keypad.Sheet == sheetAfterZ
	rc.Tape = c.Display.Port == "" && c.Printer.Port != ""
}

// checkKeypad opens what keys are pressed on.
func checkKeypad(_ context.Context, b *bench) (string, error) {
	said, err := b.opens("keypad")
	found := []string{}
	switch {
	case err == nil:
		found = append(found, said)
	case !errors.Is(err, errNone):
		return "", err
	}
	m, err := b.matrix, b.noMatrix
	if err != nil {
		return "", err
	}
	if m != nil {
		low, err := m.Low()
		if err != nil {
			return "", err
		}
		if low != 0 {
			return "", errHeldLow
		}
		found = append(found, fmt.Sprintf("matrix of %d × %d lines is there", m.Rows(), m.Columns()))
	}
	if b.Keypad.HID.ID != "" {
		k, err := b.spawn.Open(hidLine)
		if err != nil {
			return "", err
		}
		found = append(found, "keyboard "+b.Keypad.HID.ID+" is there")
		if err := k.Close(); err != nil {
			return "", err
		}
	}
	if len(found) == 0 {
		return "", errNone
	}
	return strings.Join(found, ", "), nil
}

// errHeldLow: with no row pulled, a column of a matrix is high.
var errHeldLow = errors.New("a column of the matrix is low with no row pulled: look for a short")

// checkDisplay shows a line on each display.
func checkDisplay(ctx context.Context, b *bench) (string, error) {
	if b.Display.Port == "" && b.Printer.Port != "" {
		return "none: the printer prints each line", nil
	}
	said := []string{}
	for _, d := range []struct {
		Display
		name, text string
	}{{b.Display, "display", "REGI CHECK"}, {b.Customer, "customer", "REGI CHECK CUSTOMER"}} {
		if d.Port == "" && len(said) > 0 {
			continue
		}
		_, err := b.opened(d.name, func(p drivers.Port) (string, error) {
			display, err := linedisplay.New(p, d.options())
			if err != nil {
				return "", err
			}
			return "", display.Show(ctx, d.text, time.Now().Format("2006-01-02 15:04"))
		})
		if err != nil {
			return "", err
		}
		said = append(said, d.text)
	}
	return "takes text (read it: " + strings.Join(said, ", ") + ")", nil
}
