// Package boot is the first process of a flashed board: it makes the machine
// ready, keeps the register running, and takes the machine down again.
//
// There is no other program on the board: no shell, no init system, no udev, no
// DHCP client, no ntpd. What they would do and a register needs stands here.
package boot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Paths of a flashed board.
const (
	// Data is where the data partition is mounted: all that outlives a slot.
	Data = "/data"
	// Config is the register's configuration file.
	Config = Data + "/register.toml"
	// Run is a folder in memory for what only this boot needs.
	Run = "/run"
)

// Options say what the binary knows of itself.
type Options struct {
	// Built is when this version was made: no clock may be earlier.
	Built time.Time
	// CaptureUID is the user of the card process.
	CaptureUID uint32
	// Network reads the configuration; it is called again when that changed.
	Network func() (Network, error)
	// USB are devices besides serial lines that the configuration allows, each
	// "VVVV:PPPP" in hexadecimal digits.
	USB func() []string
}

// machine is the board under way.
type machine struct {
	Options
	log      *log
	children *children
	usb      *usb
	slots    *slots
	clock    *clock
	alive    atomic.Int64  // when the register last said so, in Unix nanoseconds
	first    sync.Once     // it said so for the first time
	changed  chan struct{} // the configuration of the network

	mu    sync.Mutex
	state State
	wall  wallSeen

	ending error // why the machine goes down
}

// report is the state as a technician is told it.
func (m *machine) report() State {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.state
	s.Log = m.log.tail(tailMax)
	if m.clock != nil {
		s.Clock = m.clock.report()
	}
	if m.usb != nil {
		s.Refused = m.usb.list()
	}
	if m.slots != nil {
		s.Slot = m.slots.report()
	}
	return s
}

// Main runs the board and does not return.
func Main(o Options) {
	m := &machine{Options: o, log: newLog(), changed: make(chan struct{}, 1)}
	m.alive.Store(time.Now().UnixNano())
	how := unix.LINUX_REBOOT_CMD_RESTART
	if err := m.run(); err != nil {
		m.log.say("boot: %v", err)
	}
	if errors.Is(m.ending, errPowerOff) {
		how = unix.LINUX_REBOOT_CMD_POWER_OFF
	}
	m.down(how)
}

// run brings the board up in the order in which one thing needs another, and the
// rest at once: no device is used before it was authorised, and no link is up
// before the firewall stands.
func (m *machine) run() error {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	if err := mountAll(); err != nil {
		return err
	}
	m.log.open()
	m.log.say("regi: boot, %s", sinceKernel())
	m.children = newChildren(m.log)
	m.state.Knobs = setKnobs(m.log)
	dog := openWatchdog(m.log)
	m.state.Watchdog = dog.String()
	go dog.feed(ctx, m.healthy) // a card may take longer than it does
	if err := enoughEntropy(); err != nil {
		m.log.say("entropy: %v", err) // keys are not made before there is some
	}
	m.usb = newUSB(m.log, m.USB)
	go m.usb.watch(ctx)
	if err := mountData(ctx, m.log); err != nil {
		m.state.Data = err.Error()
		m.log.say("data: %v: the register starts without its records; call a technician", err)
	}
	m.clock = newClock(m.Built, clockFile, m.log)
	m.clock.begin()
	go m.netUp(ctx)
	go m.power(ctx, cancel)
	m.slots = openSlots(m.log)
	if err := linkConsole(m.slots.report().Board, "/dev"); err != nil {
		m.log.say("%v", err)
	}
	go m.slots.trial(ctx, cancel)
	go m.slots.checkSeals(ctx, sealsAfter)
	m.keepRegister(ctx, cancel)
	<-ctx.Done()
	m.ending = context.Cause(ctx)
	return nil
}

// netUp raises the firewall, and only then any link. The register does not wait
// for it: it has no socket, and what it is started with none to go out by.
func (m *machine) netUp(ctx context.Context) {
	wall, err := raiseFirewall(m.CaptureUID)
	if err == nil {
		go m.keepFirewall(ctx, wall)
		m.network(ctx, wall)
		return
	}
	// Without it no link comes up: the register sells on, the cloud waits.
	m.mu.Lock()
	m.state.Firewall = err.Error()
	m.mu.Unlock()
	m.log.say("firewall: %v: the network stays down", err)
}

// Reasons to end.
var (
	errReboot   = errors.New("reboot")
	errPowerOff = errors.New("power off")
)

// endWithin is how long the register may take to finish what it is writing.
const endWithin = 10 * time.Second

// down ends the processes, unmounts and leaves the machine to the kernel.
func (m *machine) down(how int) {
	m.log.say("regi: %v", m.ending)
	if m.children != nil {
		m.children.endAll(endWithin)
	}
	if m.clock != nil {
		m.clock.save()
	}
	unix.Sync()
	if err := unix.Unmount(Data, 0); err != nil {
		unix.Mount("", Data, "", unix.MS_REMOUNT|unix.MS_RDONLY, "") //nolint:errcheck,gosec // the next boot replays its journal
	}
	unix.Sync()
	err := restart(how)
	fmt.Fprintln(os.Stderr, "boot: the kernel refused to end:", err)
	select {} // the watchdog is the last resort: PID 1 may not end
}
