package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"regi/firmware/record"
	"regi/sim/cloud"
	"regi/sim/counter"
	"regi/sim/device/card"
	"regi/sim/device/console"
	"regi/sim/device/display"
	"regi/sim/device/drawer"
	"regi/sim/device/keypad"
	"regi/sim/device/power"
	"regi/sim/device/printer"
	"regi/sim/device/scanner"
	"regi/sim/device/starprinter"
	"regi/sim/hsm"
	"regi/sim/keyhost"
	"regi/sim/wire"
)

// names of the wires, as links in DIR/dev.
//
//nolint:gochecknoglobals // a constant table
var names = []string{"scanner", "printer", "card", "keypad", "display", "console"}

// desk is everything that stands on and behind the counter.
type desk struct {
	dir               string
	id                record.ID
	bell              counter.Bell
	wires             map[string]*wire.TTY
	star              bool          // the printer is of Star's make; else:
	model             printer.Model // as the register is told
	scanner           *scanner.Scanner
	card              counter.CardReader
	display, customer *display.Display // the customer's own, or nil
	counter           *counter.Counter
	cloud             *cloud.Cloud
	hsm               *hsm.HSM
	power             *power.Power // nil: the user runs the register
}

// newDesk makes or finds everything in the folder; nothing moves yet.
func newDesk(ctx context.Context, o options) (d *desk, err error) {
	d = &desk{dir: o.dir, id: record.ID{Store: "0001", Register: "01"}, wires: map[string]*wire.TTY{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	if err := os.MkdirAll(filepath.Join(o.dir, "state"), 0o700); err != nil {
		return nil, err
	}
	dev := filepath.Join(o.dir, "dev")
	for _, name := range names {
		if d.wires[name], err = wire.Open(filepath.Join(dev, name)); err != nil {
			return nil, err
		}
	}
	if d.cloud, err = cloud.OpenWith(filepath.Join(o.dir, "cloud"), d.id, cloud.Options{Changed: d.bell.Ring}); err != nil { //nolint:contextcheck // its database outlives the context
		return nil, err
	}
	f := d.cloud.Files()
	d.hsm, err = hsm.Start(ctx, hsm.Options{
		URL: d.cloud.ServerURL(), CA: f.CA, Creds: f.HSMCreds, Dir: filepath.Join(o.dir, "cloud", "hsm"), Log: o.log,
	})
	if err != nil {
		return nil, err
	}
	config, err := writeConfig(o.dir, dev, d.cloud)
	if err == nil {
		err = d.fit(config)
	}
	if err != nil {
		return nil, err
	}
	if !o.noRegister {
		d.power = power.New(power.Options{
			Path: o.regi, Args: []string{"run", "--config", config}, CardKey: d.hsm.KeyEnd(), Log: o.log, Changed: d.bell.Ring,
		})
	}
	d.furnish()
	return d, nil
}

// fit takes the devices that the configuration asks for.
func (d *desk) fit(config string) error {
	f, err := readFitted(config)
	if err != nil {
		return err
	}
	d.star = strings.HasPrefix(f.Printer.Model, "star-")
	if d.model, err = printerModel(f); err != nil {
		return err
	}
	if err := d.fitDisplays(f); err != nil {
		return err
	}
	if d.scanner, err = scanner.NewSet(d.wires["scanner"], scannerSettings(f)); err != nil {
		return err
	}
	switch kind := card.Make(f.Card.Reader); kind {
	case card.IDTech, card.IDTechAES, card.MagTek:
		// A new reader each time, straight from the maker's key loading room.
		ksn, key, err := d.hsm.ReaderKey()
		if err != nil {
			return err
		}
		d.card = card.NewSealing(d.wires["card"], kind, ksn, key)
	default:
		d.card = card.New(d.wires["card"])
	}
	return nil
}

// fitDisplays takes one display for both, or two.
func (d *desk) fitDisplays(f fitted) (err error) {
	if d.display, err = display.NewModel(d.wires["display"], f.Display.kind(), d.bell.Ring); err != nil {
		return err
	}
	link := filepath.Join(d.dir, "dev", "customer")
	if f.Customer.Port != link {
		return nil
	}
	if d.wires["customer"], err = wire.Open(link); err != nil {
		return err
	}
	d.customer, err = display.NewModel(d.wires["customer"], f.Customer.kind(), d.bell.Ring)
	return err
}

// letters are a new card key for a ceremony.
func (d *desk) letters() (keyhost.Letters, error) {
	id, key, err := d.hsm.CardKey()
	if err != nil {
		return keyhost.Letters{}, err
	}
	defer clear(key[:])
	return keyhost.Write(id, key)
}

// furnish puts the devices at the far ends of the wires.
func (d *desk) furnish() {
	ring := d.bell.Ring
	var paper counter.Printer
	box := drawer.New(func() {
		paper.Refresh() // the drawer's switch is wired to the printer
		ring()
	})
	kick := func(pin int, on, _ time.Duration) { box.Pulse(pin, on) }
	if d.star {
		paper = starprinter.New(d.wires["printer"], starprinter.Options{DrawerKick: kick, DrawerOpen: box.Open, Changed: ring})
	} else {
		paper = printer.New(d.wires["printer"], printer.Options{Model: d.model, DrawerKick: kick, DrawerOpen: box.Open, Changed: ring})
	}
	d.counter = counter.New(counter.Counter{
		Scanner: d.scanner, Card: d.card, Keypad: keypad.New(d.wires["keypad"]),
		Display: d.display, Customer: d.customer, Console: console.New(d.wires["console"], ring), Drawer: box,
		Printer: paper, Power: d.power, Cloud: d.cloud, Wires: d.wires, Bell: &d.bell, Goods: goods(), Cards: cards(), Letters: d.letters,
		Alarms: d.alarms,
		Log:    func(format string, args ...any) { fmt.Fprintf(os.Stderr, "sim: "+format+"\n", args...) },
	})
}

// alarms are what the cloud's receiver warns of.
func (d *desk) alarms() []string {
	found, err := d.cloud.Alarms(context.Background())
	if err != nil {
		return []string{err.Error()}
	}
	texts := make([]string, 0, len(found))
	for _, a := range found {
		texts = append(texts, fmt.Sprintf("%s %s, record %d: %s (%d×)", a.Register, a.Kind, a.Seq, a.Detail, a.Count))
	}
	return texts
}

// run starts the tasks of what reads by itself.
func (d *desk) run(ctx context.Context, g *errgroup.Group) {
	tasks := []interface{ Run(context.Context) error }{d.counter.Display, d.counter.Console, d.counter.Printer, d.counter.Scanner}
	if d.customer != nil {
		tasks = append(tasks, d.customer)
	}
	for _, task := range tasks {
		g.Go(func() error { return task.Run(ctx) })
	}
}

// Limits of welcome.
const (
	welcomePoll = 20 * time.Millisecond
	keyFileMax  = 16 << 10
)

// welcome does what a shop does with a new register: it turns the power on,
// enrols the key that the board has made, and opens the shift as the demo
// cashier. It waits for a register that somebody else starts, too.
func (d *desk) welcome(ctx context.Context, o options) error {
	if d.power != nil {
		if err := d.power.On(); err != nil {
			return err
		}
	}
	key, err := d.deviceKey(ctx)
	if err != nil {
		return err
	}
	if err := d.cloud.Enroll(d.id, key); err != nil { //nolint:contextcheck // as above
		return err
	}
	if o.closed || !until(ctx, d.listens) || d.power != nil && d.power.State().Till != closed {
		return ctx.Err()
	}
	err = d.counter.Keypad.Press(ctx, "1", "OPEN")
	if err != nil && d.power == nil {
		// It was not the register: a "regi check" opens the lines, too.
		fmt.Fprintf(os.Stderr, "sim: no shift opened: press 1 OPEN once the register runs\n")
		return nil
	}
	if err != nil {
		return fmt.Errorf("open the shift: %w", err)
	}
	return nil
}

// closed is the till's phase without an open shift.
const closed = "CLOSED"

// listens reports whether a register reads its keys. Of one that is not ours
// only the wires tell: it has shown something.
func (d *desk) listens() bool {
	if d.power != nil {
		s := d.power.State()
		return s.Devices["keypad"] == "up" && s.Till != ""
	}
	lines := d.counter.Display.Lines()
	return d.wires["keypad"].Opened() && strings.TrimSpace(lines[0]+lines[1]) != ""
}

// deviceKey waits for the public key that the register lays into its state.
func (d *desk) deviceKey(ctx context.Context) (ed25519.PublicKey, error) {
	path := filepath.Join(d.dir, "state", "device.pub")
	made := func() bool {
		_, err := os.Stat(path)
		return err == nil
	}
	if !until(ctx, made) {
		return nil, ctx.Err()
	}
	f, err := os.Open(path) //nolint:gosec // in our own folder
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(f, keyFileMax))
	if err != nil {
		return nil, err
	}
	return record.ParseSignPublic(data)
}

// until polls a condition; false means that ctx ended first.
func until(ctx context.Context, ok func() bool) bool {
	for !ok() {
		if ctx.Err() != nil {
			return false
		}
		pause(ctx, welcomePoll)
	}
	return true
}

// close takes everything down, the register first: it may still say what it
// has to say.
func (d *desk) close() error {
	var errs []error
	if d.power != nil {
		d.power.Close()
	}
	if d.hsm != nil {
		errs = append(errs, d.hsm.Close())
	}
	if d.cloud != nil {
		errs = append(errs, d.cloud.Close())
	}
	for _, w := range d.wires {
		if w != nil {
			errs = append(errs, w.Close())
		}
	}
	return errors.Join(errs...)
}
