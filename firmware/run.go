package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"regi/board"
	"regi/board/port"
	"regi/drivers"
	"regi/drivers/drawer"
	"regi/drivers/escpos"
	"regi/drivers/scanner"
	"regi/firmware/boot"
	"regi/firmware/capture/launch"
	"regi/firmware/catalog"
	"regi/firmware/record"
	"regi/firmware/register"
	"regi/firmware/role"
	"regi/firmware/sale"
	"regi/firmware/till"
	"regi/firmware/uplink"
)

// keyFileMax bounds every key file read at start.
const keyFileMax = 16 << 10

// run constructs the register and its tasks, and runs them until the end.
func run(ctx context.Context, c *Config, path string, onBoard *boot.Link) error {
	if err := role.Harden(); err != nil {
		return err
	}
	tail := &logTail{zone: c.zone()}
	log := slog.New(slog.NewMultiHandler(slog.NewJSONHandler(os.Stderr, nil), tail.handler()))
	c, trial, err := settle(c, path, log)
	if err != nil {
		return fmt.Errorf("%w: %w", errNotReady, err)
	}
	starting := startFirst(ctx, c)               // beside the journal: each takes a while
	reg, rc, err := newRegister(c, log, onBoard) //nolint:contextcheck // its journal outlives the context
	first := <-starting
	if err = errors.Join(first.err, err); err != nil {
		first.close()
		return fmt.Errorf("%w: %w", errNotReady, err)
	}
	spawn := first.spawn
	logControls(log, role.Spawn, spawn.Controls)
	keeper := &keyKeeper{spawn: spawn, state: func() string { return reg.Device("card") }}
	tech, err := newTechnician(c, &technician{reg: reg, keeper: keeper, spawn: spawn, link: onBoard, log: tail, path: path, key: rc.Key, trial: trial})
	if err != nil {
		return err
	}
	tamper, noTamper := openTamper(c)
	matrix, noMatrix := openMatrix(c)
	plugged, err := port.NewHotplug()
	if err != nil {
		log.Warn(onlyLooking, "err", err.Error())
	}
	logControls(log, "regi-register", role.Confine(registerLimits(c)))
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return reg.Run(ctx) })
	g.Go(func() error { return spawn.Wait(ctx) })
	if onBoard != nil {
		g.Go(func() error { keepVersion(ctx, onBoard, reg, c, log); return nil })
		g.Go(func() error { watchBoard(ctx, onBoard.State, reg.Note, log); return nil })
	}
	g.Go(func() error { return tech.run(ctx) })
	g.Go(func() error { hearOfDevices(ctx, plugged, log); return nil })
	superviseDevices(ctx, g, c, reg, tech, first, plugged)
	keepHands(ctx, g, c, reg, spawn, matrix, noMatrix, plugged)
	if c.Drawer.Via == viaGPIO {
		g.Go(func() error { keepDrawer(ctx, c, reg, spawn, first.coil); return nil })
	}
	g.Go(func() error { keepUplink(ctx, c, reg, spawn); return nil })
	g.Go(func() error { readCards(ctx, c, reg, tamper, noTamper, keeper); return nil })
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// early is what is started before this process is confined: the others must not
// be born into its domain.
type early struct {
	spawn   *role.Spawner
	coil    *drawerProcess // nil: keepDrawer says why
	display drivers.Port   // nil: superviseDevices says why
	err     error
}

func startFirst(ctx context.Context, c *Config) <-chan early {
	started := make(chan early, 1)
	go func() {
		var f early
		defer func() { started <- f }()
		if f.spawn, f.err = startSpawner(c); f.err != nil {
			return
		}
		// A crash may have left the coil on.
		if c.Drawer.Via == viaGPIO {
			f.coil, _ = startDrawer(ctx, c, f.spawn) //nolint:errcheck // see early
		}
		// The spawner opens one line after the other. By this one the operator sees
		// that the register runs.
		if c.Display.Port != "" {
			f.display, _ = openSerial(f.spawn, "display", c.Display.Serial) //nolint:errcheck // see early
		}
	}()
	return started
}

func (f *early) close() {
	if f.display != nil {
		f.display.Close() //nolint:errcheck,gosec // another console opens it again
	}
	if f.spawn != nil {
		f.spawn.Close()
	}
}

// newRegister makes the register of a configuration, with its journal.
func newRegister(c *Config, log *slog.Logger, onBoard *boot.Link) (*register.Register, register.Config, error) {
	rc, err := registerConfig(c, log)
	if err != nil {
		return nil, rc, err
	}
	useBoard(&rc, onBoard)
	reg, err := register.New(rc)
	return reg, rc, err
}

// readCards keeps the card process running, if there is a reader.
func readCards(ctx context.Context, c *Config, reg *register.Register, tamper *board.Tamper, noTamper error, keeper *keyKeeper) {
	switch {
	case c.Card.Reader == "none" || c.Card.Port == "":
	case noTamper != nil: // no card without the watch that is configured
		reg.DeviceState(ctx, "card", false, noTamper)
	default:
		keepCapture(ctx, c, reg, tamper, keeper)
	}
}

// startSpawner starts the process that starts the others. The state folder must
// be there for its domain to hold it.
func startSpawner(c *Config) (*role.Spawner, error) {
	if err := makeState(c); err != nil {
		return nil, err
	}
	lines, err := c.lines()
	if err != nil {
		return nil, err
	}
	told, err := c.charter()
	if err != nil {
		return nil, err
	}
	return role.NewSpawner(os.Stderr, role.Spawning{
		Paths: spawnerPaths(c), Lines: lines, Keyed: os.Getenv(cardKeyEnv) != "",
		Told: map[string]string{role.Capture: told, role.Keys: told},
	})
}

func makeState(c *Config) error {
	if err := os.MkdirAll(c.Register.State, 0o700); err != nil {
		return fmt.Errorf("register.state: %w", err)
	}
	return nil
}

// superviseDevices keeps each configured device in use.
func superviseDevices(ctx context.Context, g *errgroup.Group, c *Config, reg *register.Register, tech *technician, first early, plugged *port.Hotplug) {
	for name, use := range deviceTasks(c, reg, tech) {
		serial := *c.serials()[name]
		if serial.Port == "" {
			continue
		}
		g.Go(func() error {
			open := func() (drivers.Port, error) {
				if name == "display" && first.display != nil {
					p := first.display
					first.display = nil // the next attempt opens it
					return p, nil
				}
				p, err := openSerial(first.spawn, name, serial)
				if err != nil || name != "printer" {
					return p, err
				}
				return answering(ctx, p, c.Printer.Model)
			}
			state := func(up bool, err error) { reg.DeviceState(ctx, name, up, err) }
			return port.Supervise(ctx, port.Device{Open: open, Use: use, State: state, Plugged: plugged.Plugged})
		})
	}
}

const onlyLooking = "new devices are found by looking only"

// hearOfDevices listens for what is plugged in. Without it devices are found a
// little later.
func hearOfDevices(ctx context.Context, plugged *port.Hotplug, log *slog.Logger) {
	if plugged == nil {
		return
	}
	if err := plugged.Run(ctx); ctx.Err() == nil {
		log.Warn(onlyLooking, "err", err.Error())
	}
}

func registerConfig(c *Config, log *slog.Logger) (register.Config, error) {
	rc := register.Config{
		ID: record.ID{Store: c.Register.Store, Register: c.Register.ID}, StateDir: c.Register.State, Version: version, Log: log,
		LeftOpen: leftOpen(c),
		Till: till.Config{
			Store: c.Register.Store, Register: c.Register.ID, Currency: c.Register.Currency, Locale: c.Register.Locale,
			Profile: c.Register.Profile, TaxRounding: c.Tax.Rounding, Prices: c.Tax.Prices,
			Issuer:     c.issuer(),
			Supervisor: c.Register.Supervisor, RefundMax: sale.Money(c.Register.RefundMax),
		},
	}
	if err := makeState(c); err != nil {
		return rc, err
	}
	var err error
	if rc.Key, err = deviceKey(filepath.Join(c.Register.State, "device.key")); err != nil {
		return rc, err
	}
	handsConfig(c, &rc)
	if err := shopConfig(c, &rc); err != nil {
		return rc, err
	}
	if rc.SealTo, err = keyFile("cloud.seal_to", c.Cloud.SealTo, record.ParseSealPublic); err != nil {
		return rc, err
	}
	if rc.SignedBy, err = keyFile("cloud.signed_by", c.Cloud.SignedBy, record.ParseSignPublic); err != nil {
		return rc, err
	}
	if c.Catalog.File == "" {
		return rc, errors.New("catalog.file is needed: the first prices")
	}
	data, err := os.ReadFile(c.Catalog.File)
	if err != nil {
		return rc, fmt.Errorf("catalog.file: %w", err)
	}
	names := make([]string, len(rc.Till.Rates))
	for i, named := range rc.Till.Rates {
		names[i] = named.Name
	}
	if rc.Prices, err = catalog.Parse(data, names...); err != nil {
		return rc, fmt.Errorf("catalog.file %s: %w", c.Catalog.File, err)
	}
	rules, err := c.inStore()
	if err != nil {
		return rc, err
	}
	if rc.Prices, err = rc.Prices.With(catalog.Labels{Currency: c.Register.Currency, InStore: rules}); err != nil {
		return rc, fmt.Errorf("catalog.file %s: %w", c.Catalog.File, err)
	}
	logRefused(rc.Prices, log)
	return rc, nil
}

// refusedLogged of the refused items are named in the log; regi check has all.
const refusedLogged = 20

func logRefused(prices *catalog.Catalog, log *slog.Logger) {
	refused, count := prices.Refused()
	for _, r := range refused[:min(refusedLogged, len(refused))] {
		log.Warn("not sold, as it is listed wrongly", "refused", r.String())
	}
	if count > refusedLogged {
		log.Warn("items are not sold, as they are listed wrongly; regi check names them", "count", count)
	}
}

// leftOpen is when an open drawer is an alarm; negative: never.
func leftOpen(c *Config) time.Duration {
	if c.Drawer.LeftOpen == 0 {
		return -1
	}
	return time.Duration(c.Drawer.LeftOpen) * time.Second
}

func keyFile[K any](key, path string, parse func([]byte) (K, error)) (k K, err error) {
	if path == "" {
		return k, fmt.Errorf("%s is needed: the file with the cloud's public key", key)
	}
	data, err := readBounded(path)
	if err != nil {
		return k, fmt.Errorf("%s: %w", key, err)
	}
	if k, err = parse(data); err != nil {
		return k, fmt.Errorf("%s %s: %w", key, path, err)
	}
	return k, nil
}

func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > keyFileMax {
		return nil, fmt.Errorf("%s is over %d bytes: it is no key", path, keyFileMax)
	}
	return os.ReadFile(path) //nolint:gosec // the configuration names it
}

// deviceKey reads the key that signs this register's records, or makes it on
// the first start. It never leaves the board; device.pub beside it is what the
// cloud enrols.
func deviceKey(path string) (ed25519.PrivateKey, error) {
	data, err := readBounded(path)
	if err == nil {
		key, err := record.ParseSignPrivate(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return key, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("device key: %w", err)
	}
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("device key: %w", err)
	}
	// A cut between the two leaves no key, and the next start makes another.
	err = writeDurably(filepath.Join(filepath.Dir(path), "device.pub"), record.MarshalSignPublic(public))
	if err == nil {
		err = writeDurably(path, record.MarshalSignPrivate(key))
	}
	if err != nil {
		return nil, fmt.Errorf("device key: %w", err)
	}
	return key, nil
}

// writeDurably makes a file that is whole or absent after a power cut.
func writeDurably(path string, data []byte) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // in the state folder
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func openPort(s Serial) (drivers.Port, error) {
	p, err := port.Open(s.options())
	if err != nil {
		return nil, err // not a nil *Port in an interface
	}
	return p, nil
}

func (s Serial) options() port.Options {
	flow := slices.Index(port.FlowNames(), s.Flow)
	return port.Options{Path: s.Port, Baud: s.Baud, Opener: s.Opener, Flow: port.Flow(max(flow, 0))} //nolint:gosec // one of three
}

// answering is a port with a printer that is on: the port of one that is off
// opens, too, and would come and go with each attempt.
func answering(ctx context.Context, p drivers.Port, model string) (drivers.Port, error) {
	printer, err := newPrinter(ctx, p, model)
	if err == nil {
		err = printer.Init(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// deviceTasks says what is done with each open line.
func deviceTasks(c *Config, reg *register.Register, tech *technician) map[string]func(context.Context, drivers.Port) error {
	// They outlive the printer's line. The process before may just have pulsed.
	coils := &drawer.Coils{}
	coils.Warm(time.Now(), drawer.KickOn)
	return map[string]func(context.Context, drivers.Port) error{
		"scanner":  scannerTask(c.Scanner, reg),
		"scanner2": scannerTask(c.Scanner2, reg),
		"keypad":   serialKeypad(c, reg),
		"display":  displayTask(c.Display, reg.ServeDisplay),
		"customer": displayTask(c.Customer, reg.ServeCustomer),
		"printer": func(ctx context.Context, p drivers.Port) error {
			printer, err := newPrinter(ctx, p, c.Printer.Model)
			if err == nil && c.Printer.Model == escpos.Auto {
				err = printer.Init(ctx) // its width is to be known before a receipt is laid out
			}
			if err != nil {
				return err
			}
			if c.Drawer.Via == viaGPIO {
				return reg.ServePrinter(ctx, printer, nil)
			}
			return reg.ServePrinter(ctx, printer, printerDrawer(c, printer, coils))
		},
		"console": tech.serve,
	}
}

func printerDrawer(c *Config, k drawer.Kicker, coils *drawer.Coils) *drawer.Drawer {
	return drawer.New(k, drawer.Options{Pin: c.Drawer.Pin, OpenLow: c.Drawer.SenseOpen == senseLow, Coils: coils})
}

func scannerTask(c Scanner, reg *register.Register) func(context.Context, drivers.Port) error {
	return func(ctx context.Context, p drivers.Port) error {
		s, err := scanner.New(p, c.options())
		if err != nil {
			return err
		}
		return reg.ServeScanner(ctx, s)
	}
}

// keepUplink runs the only process with a network socket.
func keepUplink(ctx context.Context, c *Config, reg *register.Register, spawn *role.Spawner) {
	start := func() (*role.Child, error) {
		return spawn.Start(role.Uplink, nil)
	}
	serve := func(ctx context.Context, child *role.Child) { reg.ServeUplink(ctx, child.Link, uplinkConfig(c)) }
	role.Keep(ctx, start, serve, func(code int, err error) {
		reg.CloudState(ctx, false, endedWhy(code, err))
	})
}

func uplinkConfig(c *Config) *uplink.Config {
	return &uplink.Config{
		ID:  record.ID{Store: c.Register.Store, Register: c.Register.ID},
		URL: c.Cloud.URL, CA: c.Cloud.CA, Creds: c.Cloud.Creds,
	}
}

// keepCapture runs the only process that sees a card, and has its key destroyed
// when the case is opened.
func keepCapture(ctx context.Context, c *Config, reg *register.Register, tamper *board.Tamper, keeper *keyKeeper) {
	if tamper != nil {
		watched := make(chan struct{})
		defer func() { <-watched }()
		go func() {
			defer close(watched)
			if tamper.Wait(ctx) == nil {
				reg.Tampered(ctx, c.Card.Tamper)
				keeper.wipe(ctx)
				if ctx.Err() == nil { // also where no card process could say so
					reg.DeviceState(ctx, "card", false, errors.New(launch.Zeroised()))
				}
			}
		}()
	}
	key := cardKeySource()
	start := func() (*role.Child, error) {
		if err := keeper.start(); err != nil {
			return nil, err
		}
		child, err := keeper.spawn.Start(role.Capture, key)
		if err != nil {
			return nil, err
		}
		return child, askCapture(child.Link, captureCards)
	}
	serve := func(ctx context.Context, child *role.Child) {
		keeper.begin(child.Link)
		defer keeper.end()
		reg.ServeCapture(ctx, child.Link)
	}
	role.Keep(ctx, start, serve, func(code int, err error) {
		reg.DeviceState(ctx, "card", false, errors.New(endedWhy(code, err)))
	})
}

// cardKeyEnv holds the number of the descriptor, in the simulator alone.
const cardKeyEnv = "REGI_CARD_KEY_FD"

// cardKeySource is the descriptor on which a capture process asks for its
// initial key. Only the descriptor's number is in the environment.
func cardKeySource() *os.File {
	fd, err := strconv.Atoi(os.Getenv(cardKeyEnv))
	if err != nil || fd < 3 {
		return nil
	}
	unix.CloseOnExec(fd) // of the other roles, none may inherit it
	return os.NewFile(uintptr(fd), "card key")
}

func endedWhy(code int, err error) string {
	if err != nil {
		return err.Error()
	}
	if why, ok := exitReasons[code]; ok {
		return why
	}
	return "process ended; it is started again"
}
