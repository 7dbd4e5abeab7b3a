package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"regi/firmware/record"
	"regi/sim/cloud"
	"regi/sim/device/card"
	"regi/sim/device/console"
	"regi/sim/device/display"
	"regi/sim/device/drawer"
	"regi/sim/device/keypad"
	"regi/sim/device/power"
	"regi/sim/device/printer"
	"regi/sim/device/scanner"
	"regi/sim/hsm"
	"regi/sim/wire"
)

const article = "4901234567894"

const catalog = `{"version":"drill","items":[{"gtin":"` + article + `","name":"ノート A5","kana":"ﾉｰﾄ","price":220,"rate":"standard"}]}`

const config = `
[register]
store = "0001"
id = "01"
state = "state"
[scanner]
port = "DEV/scanner"
[printer]
port = "DEV/printer"
[card]
port = "DEV/card"
reader = "msr"
[keypad]
port = "DEV/keypad"
[display]
port = "DEV/display"
[console]
port = "DEV/console"
[cloud]
url = "URL"
ca = "CAFILE"
creds = "CREDS"
seal_to = "SEALTO"
signed_by = "SIGNEDBY"
[issuer]
name = "レジ商店"
registration_number = "T1180301018771"
[catalog]
file = "catalog.json"
`

// counter is the real register with simulated devices on real ttys, a cloud
// and an hsm. Everything it writes is under dir.
type counter struct {
	dir     string
	wires   map[string]*wire.TTY
	office  *cloud.Cloud
	hsm     *hsm.HSM
	power   *power.Power
	log     *logbook
	card    *card.Reader
	scanner *scanner.Scanner
	keypad  *keypad.Keypad
	display *display.Display
	console *console.Console
	printer *printer.Printer
	drawer  *drawer.Drawer
	tasks   *errgroup.Group
	stop    context.CancelFunc
}

var self = record.ID{Store: "0001", Register: "01"} //nolint:gochecknoglobals // a constant

// openCounter starts everything, opens a shift and waits until a cashier could
// sell by card.
func openCounter(ctx context.Context, dir, regi string) (_ *counter, err error) {
	c := &counter{dir: dir, wires: map[string]*wire.TTY{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	if err := os.MkdirAll(filepath.Join(dir, "state"), 0o700); err != nil {
		return nil, err
	}
	for _, name := range []string{"scanner", "printer", "card", "keypad", "display", "console"} {
		if c.wires[name], err = wire.Open(filepath.Join(dir, "dev", name)); err != nil {
			return nil, err
		}
	}
	if c.log, err = newLogbook(filepath.Join(dir, "log")); err != nil {
		return nil, err
	}
	if c.office, err = cloud.Open(filepath.Join(dir, "cloud"), self); err != nil { //nolint:contextcheck // it ends with Close
		return nil, err
	}
	f := c.office.Files()
	c.hsm, err = hsm.Start(ctx, hsm.Options{
		URL: c.office.ServerURL(), CA: f.CA, Creds: f.HSMCreds, Dir: filepath.Join(dir, "cloud", "hsm"), Log: c.log.file,
	})
	if err != nil {
		return nil, err
	}
	toml := strings.NewReplacer("DEV", filepath.Join(dir, "dev"), "URL", c.office.URL(), "CAFILE", f.CA, "CREDS", f.Creds,
		"SEALTO", f.SealTo, "SIGNEDBY", f.SignedBy).Replace(config)
	path := filepath.Join(dir, "register.toml")
	if err := errors.Join(os.WriteFile(path, []byte(toml), 0o600), os.WriteFile(filepath.Join(dir, "catalog.json"), []byte(catalog), 0o600)); err != nil {
		return nil, err
	}
	c.power = power.New(power.Options{
		Path: regi, Args: []string{"run", "--config", path}, CardKey: c.hsm.KeyEnd(), Log: c.log,
		// The worst that an installation could set.
		Env: append(os.Environ(), "GOTRACEBACK=crash"),
	})
	c.furnish() //nolint:contextcheck // its tasks end with close
	return c, c.welcome(ctx)
}

func (c *counter) furnish() {
	c.drawer = drawer.New(func() { c.printer.Refresh() })
	c.printer = printer.New(c.wires["printer"], printer.Options{
		DrawerKick: func(pin int, on, _ time.Duration) { c.drawer.Pulse(pin, on) }, DrawerOpen: c.drawer.Open,
	})
	c.card, c.scanner, c.keypad = card.New(c.wires["card"]), scanner.New(c.wires["scanner"]), keypad.New(c.wires["keypad"])
	c.display, c.console = display.New(c.wires["display"], nil), console.New(c.wires["console"], nil)
	ctx, stop := context.WithCancel(context.Background())
	c.stop, c.tasks = stop, &errgroup.Group{}
	for _, task := range []interface{ Run(context.Context) error }{c.display, c.console, c.printer} {
		c.tasks.Go(func() error { return task.Run(ctx) })
	}
}

// welcome turns the power on, enrols the register and opens a shift.
func (c *counter) welcome(ctx context.Context) error {
	if err := c.power.On(); err != nil {
		return err
	}
	public := filepath.Join(c.dir, "state", "device.pub")
	err := await(ctx, "the register's key", func() bool { _, err := os.Stat(public); return err == nil })
	if err != nil {
		return err
	}
	b, err := os.ReadFile(public) //nolint:gosec // in the drill's own folder
	if err != nil {
		return err
	}
	k, err := record.ParseSignPublic(b)
	if err != nil {
		return err
	}
	if err := c.office.Enroll(self, k); err != nil { //nolint:contextcheck // it takes none
		return err
	}
	if err := await(ctx, "the register", func() bool { return c.log.now().Till == "CLOSED" && c.log.now().Keypad == "up" }); err != nil {
		return err
	}
	if err := c.keypad.Press(ctx, "1", "OPEN"); err != nil {
		return err
	}
	return c.awaitReader(ctx)
}

// awaitReader waits until cards can be sold by.
func (c *counter) awaitReader(ctx context.Context) error {
	return await(ctx, "a register that takes cards", func() bool {
		s := c.log.now()
		return s.Card == "up" && s.Cloud && s.Scanner == "up" && s.Till != "CLOSED"
	})
}

// roles are the register's processes by name: all of its group and all that it
// started, whatever they are.
func (c *counter) roles() map[string]int {
	pid := c.power.State().PID
	if pid == 0 {
		return nil
	}
	return family(pid)
}

// close takes everything down, the register first.
func (c *counter) close() error {
	if c.power != nil {
		c.power.Close()
	}
	var errs []error
	if c.hsm != nil {
		errs = append(errs, c.hsm.Close())
	}
	if c.office != nil {
		errs = append(errs, c.office.Close())
	}
	if c.stop != nil {
		c.stop()
	}
	for _, w := range c.wires {
		errs = append(errs, w.Close())
	}
	if c.tasks != nil {
		errs = append(errs, c.tasks.Wait())
	}
	if c.log != nil {
		errs = append(errs, c.log.file.Close())
	}
	return errors.Join(errs...)
}

// Times of waiting.
const (
	patience = 60 * time.Second // the scraper stops the register again and again
	poll     = time.Millisecond
)

// await polls a condition; its name is what was missing.
func await(ctx context.Context, what string, ok func() bool) error {
	for begin := time.Now(); !ok(); time.Sleep(poll) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(begin) > patience {
			return fmt.Errorf("gave up waiting for %s after %v", what, patience)
		}
	}
	return nil
}
