package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"regi/board"
	"regi/drivers"
	"regi/drivers/drawer"
	"regi/firmware/coil"
	"regi/firmware/register"
	"regi/firmware/role"
)

// Limits of the process that holds the drawer's lines.
const (
	// helloMax and helloWithin bound what it says when it has them.
	helloMax    = 4096
	helloWithin = 2 * time.Second
	// letEnd is how long it has to finish a pulse; endStuck how long one has
	// that does not answer. Then it is killed, and the next one switches the
	// coil off: 100 ms of pulse, 100 ms to answer, endStuck and a start are less
	// than 510 ms.
	letEnd   = time.Second
	endStuck = 50 * time.Millisecond
	// The pause before another, if this one did not live long.
	drawerRetryMin = 100 * time.Millisecond
	drawerRetryMax = 2 * time.Second
	steadyAfter    = time.Second // one that lived that long is replaced at once
)

// drawerLines tells the process which lines are the drawer's.
type drawerLines struct {
	Kick, Sense string
	OpenLow     bool
}

// drawerHello is its answer.
type drawerHello struct {
	Fault    string // "": it has the lines
	Controls []controlState
	Realtime bool // it is not kept waiting by other processes
}

// drawerMain is the process that holds the drawer's lines. It does not die with
// the register but ends with its link, when the coil is off.
func drawerMain() error {
	// A terminal and a service manager signal every process.
	signal.Ignore(unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	if err := role.Harden(); err != nil {
		return err
	}
	link, err := role.Link(role.LinkFD)
	if err != nil {
		return err
	}
	packet := make([]byte, helloMax)
	n, err := link.Read(packet)
	if err != nil {
		return fmt.Errorf("drawer: %w", err)
	}
	var order drawerLines
	if err := json.Unmarshal(packet[:n], &order); err != nil {
		return fmt.Errorf("drawer: %w", err)
	}
	held, err := holdLines(order)
	if err != nil {
		return errors.Join(err, sayHello(link, drawerHello{Fault: err.Error()}))
	}
	hello := drawerHello{Realtime: realtime()}
	hello.Controls = controlStates(role.Confine(role.Limits{UID: role.DrawerUID, Outlives: true}))
	if err := sayHello(link, hello); err != nil {
		return errors.Join(err, held.Off())
	}
	watching, stop := context.WithCancel(context.Background())
	defer stop()
	go held.Watch(watching)
	return errors.Join(coil.Serve(link, held), held.Off())
}

// heldLines are the coil and the switch, which the process ends with.
type heldLines struct {
	*drawer.Coil
	*drawer.Switch
}

func holdLines(order drawerLines) (*heldLines, error) {
	lines, err := board.OpenDrawer(order.Kick, order.Sense)
	if err != nil {
		return nil, err
	}
	// The process before this one may just have pulsed.
	coils := &drawer.Coils{}
	coils.Warm(time.Now(), drawer.KickOn)
	c, err := drawer.NewCoil(lines.Kick, coils)
	if err != nil {
		return nil, err
	}
	return &heldLines{c, drawer.NewSwitch(lines.Sense, order.OpenLow)}, nil
}

func sayHello(link *os.File, h drawerHello) error {
	packet, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("drawer: %w", err)
	}
	if _, err := link.Write(packet); err != nil {
		return fmt.Errorf("drawer: %w", err)
	}
	return nil
}

// realtime says whether the spawner could put this process before all that are
// not urgent: a coil is not kept on by a busy board.
func realtime() bool {
	attr, err := unix.SchedGetAttr(0, 0)
	return err == nil && attr.Policy == unix.SCHED_FIFO
}

// drawerProcess is a running one that has the lines.
type drawerProcess struct {
	child *role.Child
	conn  *coil.Conn
	hello drawerHello
}

// startDrawer returns when the coil is off.
func startDrawer(ctx context.Context, c *Config, spawn *role.Spawner) (*drawerProcess, error) {
	child, err := spawn.Start(role.Drawer, nil)
	if err != nil {
		return nil, err
	}
	p := &drawerProcess{child: child, conn: coil.NewConn(child.Link)}
	if p.hello, err = drawerReady(ctx, c, child); err != nil {
		p.end(ctx, endStuck)
		return nil, err
	}
	return p, nil
}

// end lets the process finish what it does, for as long as there is patience.
func (p *drawerProcess) end(ctx context.Context, patience time.Duration) {
	p.child.Link.Close() //nolint:errcheck,gosec // its sign to end
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	p.child.Wait(ending)
}

// keepDrawer runs the process that holds the drawer's lines, first of all the
// one that was started before anything else, and watches over it as it watches
// over this one: whichever ends, the other switches the coil off in time.
func keepDrawer(ctx context.Context, c *Config, reg *register.Register, spawn *role.Spawner, first *drawerProcess) {
	wait := time.Duration(0)
	for ctx.Err() == nil {
		began, p, err := time.Now(), first, error(nil)
		first = nil
		if p == nil {
			pause(ctx, wait)
			began = time.Now()
			p, err = startDrawer(ctx, c, spawn)
		}
		if err == nil {
			reg.DeviceState(ctx, "drawer", true, nil)
			err = reg.ServeDrawer(ctx, drawer.ViaGPIO(p.conn))
			if ctx.Err() != nil {
				p.end(ctx, letEnd)
				return
			}
			p.end(ctx, endStuck)
		}
		reg.DeviceState(ctx, "drawer", false, err)
		wait = min(max(2*wait, drawerRetryMin), drawerRetryMax)
		if time.Since(began) > steadyAfter {
			wait = 0
		}
	}
}

func drawerReady(ctx context.Context, c *Config, child *role.Child) (hello drawerHello, err error) {
	order, err := json.Marshal(drawerLines{c.Drawer.Kick, c.Drawer.Sense, c.Drawer.SenseOpen == senseLow})
	if err != nil {
		return hello, fmt.Errorf("drawer: %w", err)
	}
	if _, err := child.Link.Write(order); err != nil {
		return hello, fmt.Errorf("drawer: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, helloWithin)
	defer cancel()
	packet, err := hear(ctx, child.Link)
	if err != nil {
		return hello, fmt.Errorf("drawer: its process: %w: %w", drivers.ErrTimeout, err)
	}
	if err := json.Unmarshal(packet, &hello); err != nil {
		return hello, fmt.Errorf("drawer: %w", err)
	}
	if hello.Fault != "" {
		return hello, fmt.Errorf("%w: %s", errDrawerLines, hello.Fault)
	}
	return hello, nil
}

var errDrawerLines = errors.New("drawer.kick or drawer.sense cannot be used")
