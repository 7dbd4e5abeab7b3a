package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"regi/drivers"
	"regi/firmware/console"
	"regi/firmware/register"
)

// counterOrder is every device, as a technician walks along the counter.
//
//nolint:gochecknoglobals // a constant table
var counterOrder = [...]string{"scanner", "scanner2", "printer", "drawer", "card", "keypad", "matrix", "keyboard", "display", "customer", "console"}

// cloudName stands beside the devices that a change must not lose.
const cloudName = "cloud"

// State is console.Counter's.
func (t *technician) State(ctx context.Context) (console.State, error) {
	s, err := t.reg.Summary(ctx)
	if err != nil {
		return console.State{}, asConsole(err)
	}
	now := time.Now()
	st := console.State{
		Now: now, Up: now.Sub(t.began), Till: s.Phase, Sale: s.Sale,
		Cloud:  console.Cloud{URL: t.config.Cloud.URL, Up: s.Online, Says: s.CloudSays},
		Ledger: console.Ledger{Head: s.Head, Hash: s.Hash, Acked: s.Acked, Depth: s.Depth, Room: s.Room},
	}
	for _, name := range counterOrder {
		d := console.Device{Name: name, Port: t.config.place(name), Up: works(&s, name), Says: s.Devices[name]}
		if d.Port == "" {
			continue
		}
		switch d.Says {
		case "up":
			d.Says = ""
		case "":
			d.Says = "starting"
		}
		st.Devices = append(st.Devices, d)
	}
	return st, nil
}

// place is where a device is plugged in; "": there is none.
func (c *Config) place(name string) string {
	switch serial := c.serials()[name]; {
	case name == "card" && c.Card.Reader == "none":
		return ""
	case serial != nil:
		return serial.Port
	case name == "drawer" && c.Drawer.Via == viaGPIO:
		return c.Drawer.Kick + "," + c.Drawer.Sense
	case name == "matrix":
		return strings.Join(slices.Concat(c.Keypad.Matrix.Rows, c.Keypad.Matrix.Cols), ",")
	case name == "keyboard":
		return c.Keypad.HID.Path
	}
	return ""
}

// works says whether a device can be used.
func works(s *register.Summary, name string) bool {
	if name == cloudName {
		return s.Online
	}
	says := s.Devices[name]
	return says == "up" || says == drivers.ErrPaperNearEnd.Error()
}

// asConsole says in the console's words what a caller there can act on.
func asConsole(err error) error {
	switch {
	case errors.Is(err, register.ErrSale):
		return console.ErrSale
	case errors.Is(err, register.ErrAway):
		return console.ErrAway
	}
	return err
}

// usable is nil if one of these can be tried now, else the first one's own words:
// nobody waits for what cannot come.
func (t *technician) usable(ctx context.Context, names ...string) error {
	s, err := t.reg.Summary(ctx)
	switch {
	case err != nil:
		return asConsole(err)
	case s.Sale:
		return console.ErrSale
	}
	why := console.ErrAway
	for _, name := range names {
		switch says := s.Devices[name]; {
		case works(&s, name):
			return nil
		case says != "" && errors.Is(why, console.ErrAway):
			why = fmt.Errorf("%s: %s", name, says)
		}
	}
	return why
}

// Scan is console.Counter's.
func (t *technician) Scan(ctx context.Context, ready func()) (console.Scan, error) {
	if err := t.usable(ctx, "scanner", "scanner2"); err != nil {
		return console.Scan{}, err
	}
	s, err := t.reg.NextScan(ctx, ready)
	return console.Scan{Label: s.Label, AIM: s.AIM, Problem: s.Problem}, asConsole(err)
}

// Card is console.Counter's. Of the card it passes on what stands on a receipt.
func (t *technician) Card(ctx context.Context, ready func()) (console.Card, error) {
	if err := t.usable(ctx, "card"); err != nil {
		return console.Card{}, err
	}
	c, err := t.reg.NextCard(ctx, ready)
	return console.Card{Brand: c.Read.Brand, Last4: c.Read.Last4, Tracks: c.Read.Tracks, Luhn: c.Read.Luhn, Problem: c.Failed}, asConsole(err)
}

// Print is console.Counter's. A printer without codes prints what is in one; what
// is in several nobody would type.
func (t *technician) Print(ctx context.Context, lines []string, codes ...string) error {
	if err := t.usable(ctx, "printer"); err != nil {
		return err
	}
	paper := func(coded func(string) drivers.Item) error {
		return t.reg.TestPrint(ctx, func(columns int) drivers.Document {
			var items []drivers.Item
			for _, l := range lines {
				items = append(items, drivers.TextLine{Text: cut(l, columns)})
			}
			for i, code := range codes {
				items = append(items, drivers.TextLine{}, coded(code))
				if len(codes) > 1 {
					items = append(items, drivers.TextLine{Text: fmt.Sprintf("%d/%d", i+1, len(codes)), Align: drivers.Center})
				}
			}
			return drivers.Document{Items: append(items, drivers.TextLine{}), Cut: true}
		})
	}
	err := paper(func(code string) drivers.Item {
		return drivers.Barcode{Symbology: drivers.QRCode, Data: code, Align: drivers.Center}
	})
	if errors.Is(err, drivers.ErrUnsupported) && len(codes) == 1 {
		err = paper(func(code string) drivers.Item { return drivers.TextLine{Text: code} })
	}
	return asConsole(err)
}

// cut keeps what fits on a line of paper; a character of Japanese takes two
// columns.
func cut(s string, columns int) string {
	for i, r := range s {
		if columns--; r >= 0x1100 {
			columns--
		}
		if columns < 0 {
			return s[:i]
		}
	}
	return s
}

// OpenDrawer is console.Counter's.
func (t *technician) OpenDrawer(ctx context.Context) error { return asConsole(t.reg.TestDrawer(ctx)) }

// Show is console.Counter's.
func (t *technician) Show(ctx context.Context, upper, lower string) error {
	if err := t.usable(ctx, "display", "customer"); err != nil {
		return err
	}
	return asConsole(t.reg.TestShow(ctx, upper, lower))
}
