package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/pelletier/go-toml/v2"
	"golang.org/x/sync/errgroup"

	"regi/board"
	"regi/board/port"
	"regi/drivers"
	"regi/drivers/linedisplay"
	"regi/firmware/boot"
	"regi/firmware/console"
	"regi/firmware/landlock"
	"regi/firmware/record"
	"regi/firmware/role"
)

// A register that cannot sell is a console: a flashed board that was never set
// up, one whose configuration is wrong or incomplete, and a version that may not
// run any more. What the technician makes there is laid ready as a change is
// (see trial), and the next start takes it before that process is confined. It
// is looked at only where the register cannot sell: a register that does, and
// was taken over, has nothing to gain by writing such a file.
type setup struct {
	path   string // of the configuration
	why    error
	link   *boot.Link // nil: not on a flashed board
	log    *logTail
	spawn  *role.Spawner
	key    ed25519.PrivateKey
	owner  ed25519.PublicKey
	began  time.Time
	pended *pending
	text   []byte // of the configuration, as it is
	wrong  error  // with it
	lost   bool   // nothing is kept

	end   chan error
	quiet sync.Once

	mu      sync.Mutex
	config  *Config // what the draft says, as far as it goes
	draft   []byte
	changes []console.Setting
	prices  []byte
}

// Files of a first start, beside the configuration.
const (
	firstState  = "state"
	firstOwner  = "owner.pub"
	firstPrices = "catalog.json"
)

// firstConfig is what a flashed board begins with; the rest has no default.
const firstConfig = `[register]
board = %q
state = "state"
locale = "ja-JP"
currency = "JPY"
profile = "retail"

[console]
port = %q

[tax]
rounding = "floor"
prices = "inclusive"

[catalog]
file = "catalog.json"
`

// runOrSetUp runs the register, or a console where it cannot sell. Off a flashed
// board there is somebody who reads an error.
func runOrSetUp(ctx context.Context, path string) error {
	link, err := boot.Register()
	if err != nil {
		link = nil
	}
	c, err := loadFirst(path)
	if err != nil && link != nil {
		c, err = takePrepared(path, err, link)
	}
	if err == nil {
		err = run(ctx, c, path, link)
		if !errors.Is(err, errNotReady) || link == nil {
			return err
		}
		if _, err = takePrepared(path, err, link); err == nil {
			return errRestart
		}
	}
	if link == nil {
		return err
	}
	return setUp(ctx, path, "", err, link)
}

// errNotReady: nothing of the register has begun yet.
var errNotReady = errors.New("it cannot sell")

// setupCommand is "regi setup": what the board's first process starts for a
// version that may not sell, and what shows the console of a first start anywhere.
func setupCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("setup", flag.ContinueOnError)
	path := flags.String("config", "", "the register's configuration `FILE`")
	line := flags.String("console", "", "the console's `TTY`; on a flashed board its own")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *path == "" || flags.NArg() > 0 {
		return errors.New("use: regi setup --config FILE [--console TTY]")
	}
	link, err := boot.Register()
	if err != nil {
		link = nil
	}
	why := errors.New("it was started to be set up")
	if link != nil {
		if s, err := link.State(); err == nil && s.Slot.Fault != "" {
			why = errors.New(s.Slot.Fault)
		}
	}
	if err := cannotSell(*path); err != nil {
		if _, err = takePrepared(*path, err, link); err == nil {
			err = cannotSell(*path)
		}
		if err != nil {
			why = errors.Join(why, err)
		}
	}
	return setUp(ctx, *path, *line, why, link)
}

var errNever = errors.New("it was never set up: log in, then config paste and catalog paste, or config set; config apply; enroll")

// loadFirst is LoadConfig, which says what to do where nothing was done yet.
func loadFirst(path string) (*Config, error) {
	c, err := LoadConfig(path)
	if errors.Is(err, fs.ErrNotExist) && gone(path) {
		return nil, errNever
	}
	return c, err
}

func gone(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// cannotSell says why a register with this configuration would not start.
func cannotSell(path string) error {
	c, err := loadFirst(path)
	if err == nil {
		_, err = registerConfig(c, slog.New(slog.DiscardHandler))
	}
	return err
}

// setUp is the console, until it has laid something ready.
func setUp(ctx context.Context, path, line string, why error, link *boot.Link) error {
	if err := role.Harden(); err != nil {
		return err
	}
	s := &setup{path: path, why: why, link: link, log: &logTail{}, began: time.Now(), end: make(chan error, 1)}
	if err := s.read(boardConsole(s.boardName(), "/sys/class/tty/console/active")); err != nil {
		return err
	}
	s.log.zone = s.config.zone()
	log := slog.New(slog.NewMultiHandler(slog.NewJSONHandler(os.Stderr, nil), s.log.handler()))
	log.Error("not set up", "err", why.Error())
	serial := s.line(line)
	if err := s.folder(boot.Run); err != nil {
		return err
	}
	var err error
	if s.key, err = deviceKey(filepath.Join(s.config.Register.State, "device.key")); err != nil {
		return err
	}
	s.pended = &pending{path: pendingFile(s.config)}
	if s.spawn, err = startSpawner(s.config); err != nil {
		return err
	}
	face := s.face()
	logControls(log, "regi-setup", role.Confine(setupLimits(s.config, serial.Port, face.Port)))
	plugged, err := port.NewHotplug()
	if err != nil {
		log.Warn(onlyLooking, "err", err.Error())
	}
	c := console.New(s.host())
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.spawn.Wait(ctx) })
	g.Go(func() error { hearOfDevices(ctx, plugged, log); return nil })
	g.Go(func() error { return s.alive(ctx) })
	for use, at := range map[*Serial]func(context.Context, drivers.Port) error{
		&serial: func(ctx context.Context, p drivers.Port) error { return s.serve(ctx, c, p) },
		&face:   callTechnician,
	} {
		if at == nil || use.Port == "" {
			continue
		}
		g.Go(func() error {
			state := func(up bool, err error) {
				if err != nil {
					log.Warn("line", "port", use.Port, "up", up, "err", err.Error())
				}
			}
			return port.Supervise(ctx, port.Device{Open: func() (drivers.Port, error) { return openPort(*use) }, Use: at, State: state, Plugged: plugged.Plugged})
		})
	}
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// folder makes the folder of the console, or one in memory on a board whose data
// partition is not there or cannot be written: then nothing is kept, and the
// console says so.
func (s *setup) folder(memory string) error {
	probe := filepath.Join(consoleFolder(s.config), "probe")
	err := os.MkdirAll(consoleFolder(s.config), 0o700)
	if err == nil {
		err = errors.Join(replaceDurably(probe, nil), forget(probe))
	}
	if err == nil || s.link == nil {
		return err
	}
	s.why = errors.Join(fmt.Errorf("nothing that is done here is kept: %w", err), s.why)
	pins, _ := readPlain(filepath.Join(consoleFolder(s.config), "console.json"), keyFileMax) //nolint:errcheck // then there are none
	s.config.Register.State, s.lost = filepath.Join(memory, firstState), true
	if err := os.MkdirAll(consoleFolder(s.config), 0o700); err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	if len(pins) > 0 {
		return writeDurably(filepath.Join(consoleFolder(s.config), "console.json"), pins)
	}
	return nil
}

// alive tells the board that somebody can still repair it.
func (s *setup) alive(ctx context.Context) error {
	every := time.NewTicker(aliveEvery)
	defer every.Stop()
	for {
		if s.link != nil {
			if err := s.link.Tell(boot.Ask{Op: boot.OpAlive}); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-s.end:
			return err
		case <-every.C:
		}
	}
}

func (s *setup) serve(ctx context.Context, c *console.Console, p drivers.Port) error {
	if s.link != nil {
		s.quiet.Do(func() {
			s.link.Tell(boot.Ask{Op: boot.OpQuiet}) //nolint:errcheck,gosec // then the board writes here, too
		})
	}
	return c.Serve(ctx, p)
}

// line is the console's: the one that was named, the one of the file if it is
// there, or the board's own.
func (s *setup) line(named string) Serial {
	serial := s.config.Console.Serial
	serial.Port = cmp.Or(named, serial.Port)
	found, err := port.Find(serial.Port)
	if err == nil {
		_, err = os.Stat(found)
	}
	if err != nil {
		serial = Serial{Port: boardConsole(s.boardName(), "/sys/class/tty/console/active"), Baud: defaults().Console.Baud}
	}
	return serial
}

// boardName is the board that this image is for.
func (s *setup) boardName() string {
	if s.link != nil {
		if state, err := s.link.State(); err == nil && state.Slot.Board != "" {
			return state.Slot.Board
		}
	}
	return "generic"
}

// boardConsole is the line of the kernel's own words, by the board's table or,
// where that one is not there, by the kernel itself.
func boardConsole(name, active string) string {
	if b, err := board.ByName(name); err == nil && b.Image != nil {
		path := "/dev/" + b.Image.Console
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	text, err := os.ReadFile(active) //nolint:gosec // a file of the kernel
	lines := strings.Fields(string(text))
	if err != nil || len(lines) == 0 {
		return "/dev/ttyS0"
	}
	return "/dev/" + lines[len(lines)-1]
}

// read makes the draft of what is there.
func (s *setup) read(console string) error {
	text, err := os.ReadFile(s.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("setup: %w", err)
	}
	if err != nil || len(text) > configBytesMax {
		text = fmt.Appendf(nil, firstConfig, s.boardName(), console)
	}
	s.text = text
	_, s.wrong = parseConfig(text, s.path)
	s.begin()
	if s.config.Console.Owner != "" {
		// A damaged one is as none: what it has signed is not taken.
		s.owner, _ = keyFile("console.owner", s.config.Console.Owner, record.ParseSignPublic) //nolint:errcheck // see above
	}
	return nil
}

// begin forgets every change.
func (s *setup) begin() {
	s.draft, s.changes, s.prices = s.text, nil, nil
	var err error
	if s.config, err = s.loose(s.text); err != nil { // not even that: it is pasted anew
		s.config = defaults()
		s.config.Register.State = filepath.Join(filepath.Dir(s.path), firstState)
	}
}

// loose reads a file of which settings may be missing, or wrong together.
func (s *setup) loose(text []byte) (*Config, error) {
	c := defaults()
	d := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := d.Decode(c); err != nil {
		return nil, explain(s.path, err)
	}
	if c.Register.State == "" {
		c.Register.State = firstState
	}
	c.resolve(filepath.Dir(s.path))
	return c, nil
}

// face is the operator's display, where the board or the file names one.
func (s *setup) face() Serial {
	c := *s.config
	if c.Register.Board == "" || c.applyBoard() != nil {
		return Serial{}
	}
	return c.Display.Serial
}

// setupLimits are what this process may still open.
func setupLimits(c *Config, ports ...string) role.Limits {
	l := role.Limits{Paths: append([]landlock.Path{
		{Path: "/dev", Access: landlock.Device},
		{Path: consoleFolder(c), Access: landlock.Read | landlock.Write},
	}, sysPaths(c)...)}
	for _, p := range ports {
		if dir := portFolder(p, c); dir != "" {
			l.Paths = append(l.Paths, landlock.Path{Path: dir, Access: landlock.Device})
		}
	}
	return l
}

// callTechnician shows whom to call.
func callTechnician(ctx context.Context, p drivers.Port) error {
	d, err := linedisplay.New(p, Display{Model: defaults().Display.Model}.options())
	if err != nil {
		return err
	}
	if err := d.Show(ctx, "ｺﾉﾚｼﾞﾊ ﾏﾀﾞ ﾂｶｴﾏｾﾝ", "ｷﾞｼﾞｭﾂｼｬｦ ﾖﾝﾃﾞｸﾀﾞｻｲ"); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}
