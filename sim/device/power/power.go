// Package power is the register's power supply: it runs the real binary, cuts
// it off in mid-work with all its processes, and shows what it says of itself.
package power

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Times of the supply.
const (
	// restartAfter is the pause before a register that died by itself is
	// started again.
	restartAfter = time.Second
	// termWithin is how long Close waits for an orderly end.
	termWithin = 5 * time.Second
	// goneWithin is how long a killed process may take to be gone.
	goneWithin = 5 * time.Second
)

// Till shown while the register itself says nothing.
const (
	TillOff  = "OFF"  // no power
	TillBoot = "BOOT" // started, has not said anything yet
	TillDown = "DOWN" // died by itself, is started again soon
)

// Options of a supply.
type Options struct {
	// Path is the register's binary, Args its arguments without the name.
	Path string
	Args []string
	// Env is the whole environment; nil is this process's own.
	Env []string
	// CardKey, if any, is inherited as descriptor 3 and named by
	// REGI_CARD_KEY_FD. It stays open here for the next start.
	CardKey *os.File
	// Log gets each line that the register's processes write, cut at 64 KiB.
	// It is written to by one goroutine at a time.
	Log io.Writer
	// Changed, if any, is called from several goroutines after each change of
	// the state. It may ask for the state, but not turn the power.
	Changed func()
}

// Power is one supply. Its methods are safe from any goroutine.
type Power struct {
	o Options

	switching sync.Mutex // one hand at a time is at the switch
	closed    bool
	live      *supervision // nil while the power is off

	mu    sync.Mutex
	run   *run // the register's process; nil while there is none
	state RegisterState
	news  chan struct{} // closed and renewed at each change
}

// supervision is the task that keeps the register running while the power is on.
type supervision struct {
	off  chan bool // true: at once; false: in order
	done chan struct{}
}

// New returns a supply that is off.
func New(o Options) *Power {
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	return &Power{o: o, state: RegisterState{Till: TillOff}, news: make(chan struct{})}
}

// On starts the register; a second On does nothing. With an error the power
// stays off.
func (p *Power) On() error {
	p.switching.Lock()
	defer p.switching.Unlock()
	switch {
	case p.closed:
		return fmt.Errorf("power: on: %w", fs.ErrClosed)
	case p.live != nil:
		return nil
	}
	r, err := p.start()
	if err != nil {
		return fmt.Errorf("power: on: %w", err)
	}
	p.live = &supervision{off: make(chan bool), done: make(chan struct{})}
	go p.supervise(r, p.live)
	return nil
}

// Cut kills all processes of the register at once, as a power cut does, and
// returns when they are gone. Without power it does nothing.
func (p *Power) Cut() {
	p.switching.Lock()
	defer p.switching.Unlock()
	p.turnOff(true)
}

// Close ends the register in order (SIGTERM), after 5 s by force, and the
// supply with it: On fails from now on.
func (p *Power) Close() {
	p.switching.Lock()
	defer p.switching.Unlock()
	p.closed = true
	p.turnOff(false)
}

func (p *Power) turnOff(atOnce bool) {
	if p.live == nil {
		return
	}
	p.live.off <- atOnce
	<-p.live.done
	p.live = nil
}

// Kill kills one process of the register: "register", "capture" or "uplink".
// What happens then is up to the others; a register that is gone is started
// again after 1 s.
func (p *Power) Kill(role string) error {
	if !slices.Contains(roleNames, role) {
		return fmt.Errorf("power: %.20q is no role: use one of %v", role, roleNames)
	}
	p.mu.Lock()
	r := p.run
	p.mu.Unlock()
	if r == nil {
		return fmt.Errorf("power: kill %s: the register is off", role)
	}
	target, ok := r.roles()[role]
	if !ok {
		return fmt.Errorf("power: kill %s: it is not running", role)
	}
	if err := target.kill(); err != nil {
		return fmt.Errorf("power: kill %s: %w", role, err)
	}
	return nil
}

// start runs the register.
func (p *Power) start() (*run, error) {
	r, err := launch(&p.o)
	if err != nil {
		return nil, err
	}
	p.change(func() {
		p.run = r
		p.state = RegisterState{On: true, Till: TillBoot, Restarts: p.state.Restarts, LastExit: p.state.LastExit}
	})
	go r.follow(p.o.Log, func(line []byte) { p.heard(r, line) })
	return r, nil
}

// supervise keeps the register running until the power goes.
func (p *Power) supervise(r *run, s *supervision) {
	defer close(s.done)
	for {
		var dead <-chan struct{}
		var pause <-chan time.Time
		if r != nil {
			dead = r.dead
		} else {
			pause = time.After(restartAfter)
		}
		select {
		case atOnce := <-s.off:
			exit := ""
			if r != nil {
				exit = r.stop(atOnce)
			}
			p.ended(TillOff, exit)
			return
		case <-dead:
			p.ended(TillDown, r.stop(true))
			r = nil
		case <-pause:
			next, err := p.start()
			if err != nil {
				p.ended(TillDown, err.Error())
				continue
			}
			r = next
			p.change(func() { p.state.Restarts++ })
		}
	}
}

// ended clears what a register said that is gone. An empty exit keeps the last
// one.
func (p *Power) ended(till, exit string) {
	p.change(func() {
		p.run = nil
		if exit == "" {
			exit = p.state.LastExit
		}
		p.state = RegisterState{On: till != TillOff, Till: till, Restarts: p.state.Restarts, LastExit: exit}
	})
}

// change changes the state and tells everybody.
func (p *Power) change(f func()) {
	p.mu.Lock()
	f()
	close(p.news)
	p.news = make(chan struct{})
	p.mu.Unlock()
	p.o.Changed()
}

// stop ends the register's processes, waits until they are gone, and says how
// the register ended.
func (r *run) stop(atOnce bool) string {
	if !atOnce {
		r.terminate()
	}
	family := r.family()
	// Its number cannot be another's yet: the register is not waited for.
	err := unix.Kill(-r.pid, unix.SIGKILL)
	if errors.Is(err, unix.ESRCH) {
		err = nil
	}
	for _, m := range family {
		if m.group != r.pid {
			err = errors.Join(err, m.kill())
		}
	}
	<-r.dead
	err = errors.Join(err, r.awaitGone(family))
	r.cmd.Wait() //nolint:errcheck,gosec // the exit code is the answer, below
	r.hangUp()
	if err != nil {
		return fmt.Sprintf("%v; %v", r.cmd.ProcessState, err)
	}
	return r.cmd.ProcessState.String()
}

// terminate asks for an orderly end and waits for it.
func (r *run) terminate() {
	if unix.Kill(r.pid, unix.SIGTERM) != nil {
		return
	}
	select {
	case <-r.dead:
	case <-time.After(termWithin):
	}
}
