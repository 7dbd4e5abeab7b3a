// Package machine is what simulated receipt printers of every make share: the
// line, who waits for whom, what a person can do to them, and how long the paper
// moves. Commands are not here.
package machine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// answersMax bounds the bytes that wait for a register that does not read.
	answersMax = 1024
	chunkMax   = 512 // bytes a read

	xon, xoff = 0x11, 0x13
	// xoffRoom: XOFF goes out when less room than this is left.
	xoffRoom = 256
)

// Wire is the printer's end of the line, as a sim/wire.TTY is.
type Wire interface {
	io.Reader
	io.Writer
	SetReadDeadline(at time.Time) error
}

// Make is what a printer does in its own way. All but Receive are called with
// the machine locked.
type Make interface {
	// Free is the room in the receive buffer.
	Free() int
	// Receive is given what came, at most as much as there was room for.
	Receive(b []byte)
	// Ended is told that the wire has no more.
	Ended()
	// Drained says that all that came is done.
	Drained() bool
	// Report sends the automatic status if something has changed.
	Report()
}

// Machine is one printer without its commands. Its fields are guarded by its
// lock.
type Machine struct {
	wire    Wire
	kind    Make
	onTouch func()

	mu      sync.Mutex
	changed chan struct{} // closed and renewed when anything changes
	calls   []func()      // hooks that wait for mu to be free
	touched bool          // onTouch is among them
	answers []byte

	Condition
	// Stuck: a cut failed.
	Stuck bool
	// Epoch grows whenever the buffers are lost.
	Epoch int
	// Held: XOFF was sent.
	Held bool
	// Lines were printed or fed since the printer was made.
	Lines int
}

// New makes a machine that is well. After each change that can be seen from
// outside it calls changed, which may be nil.
func New(w Wire, k Make, changed func()) *Machine {
	return &Machine{wire: w, kind: k, onTouch: changed, changed: make(chan struct{})}
}

// Run reads the wire, answers, and carries out the tasks of the make, until the
// context ends or, for a wire that ends, all of it is done.
func (m *Machine) Run(ctx context.Context, tasks ...func(context.Context) error) error {
	g, inner := errgroup.WithContext(ctx)
	stop := context.AfterFunc(inner, func() {
		m.wire.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck,gosec // a closed wire ends the read as well
	})
	defer stop()
	for _, task := range append(tasks, m.read, m.answer) {
		g.Go(func() error { return task(inner) })
	}
	err := g.Wait()
	m.wire.SetReadDeadline(time.Time{}) //nolint:errcheck,gosec // for the next Run; of no use on a closed wire
	if ctx.Err() != nil {
		return nil //nolint:nilerr // told to stop
	}
	return err
}

// read fills the receive buffer.
func (m *Machine) read(ctx context.Context) error {
	chunk := make([]byte, chunkMax)
	for {
		room, err := m.room(ctx)
		if err != nil {
			return err
		}
		n, err := m.wire.Read(chunk[:min(room, chunkMax)])
		m.kind.Receive(chunk[:n])
		switch {
		case errors.Is(err, io.EOF):
			m.Lock()
			m.kind.Ended()
			m.Wake()
			m.Unlock()
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("read: %w", err)
		}
	}
}

// room waits until the buffer has some.
func (m *Machine) room(ctx context.Context) (int, error) {
	m.Lock()
	defer m.Unlock()
	for m.kind.Free() <= 0 {
		if err := m.Wait(ctx); err != nil {
			return 0, err
		}
	}
	return m.kind.Free(), nil
}

// Flow tells the register to stop or to go on; size is that of the buffer.
func (m *Machine) Flow(size int) {
	room := m.kind.Free()
	switch low := min(xoffRoom, size/4); {
	case room < low && !m.Held:
		m.Held = true
		m.Send(xoff)
	case room >= 2*low && m.Held:
		m.Held = false
		m.Send(xon)
	}
}

// answer writes what the register asked for. What cannot be written is lost, as
// on a line that nobody listens to.
func (m *Machine) answer(ctx context.Context) error {
	m.Lock()
	defer m.Unlock()
	for {
		for len(m.answers) == 0 {
			if m.kind.Drained() {
				return nil
			}
			if err := m.Wait(ctx); err != nil {
				return err
			}
		}
		b := m.answers
		m.answers = nil
		m.Unlock()
		m.wire.Write(b) //nolint:errcheck,gosec // see above
		m.Lock()
	}
}

// Send queues an answer.
func (m *Machine) Send(b ...byte) {
	if m.Off || m.Unplugged || len(m.answers)+len(b) > answersMax {
		return
	}
	m.answers = append(m.answers, b...)
	m.Wake()
}

// Unsay takes back what was not written yet, and says something else, even if
// it is off.
func (m *Machine) Unsay(b ...byte) { m.answers = append(m.answers[:0], b...) }

// Wake lets everybody who waits look again.
func (m *Machine) Wake() {
	close(m.changed)
	m.changed = make(chan struct{})
}

// Touch is Wake for changes that can be seen from outside.
func (m *Machine) Touch() {
	m.kind.Report()
	m.Wake()
	if m.onTouch != nil && !m.touched {
		m.touched = true
		m.Later(m.onTouch)
	}
}

// Later calls a hook when the lock is given up; it may call the printer.
func (m *Machine) Later(call func()) { m.calls = append(m.calls, call) }

// Wait gives up the lock until something changes.
func (m *Machine) Wait(ctx context.Context) error {
	changed := m.changed
	m.Unlock()
	defer m.Lock()
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // Run looks at the context itself
	}
}

// Rest gives up the lock for as long as the mechanism moves.
func (m *Machine) Rest(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	m.Unlock()
	defer m.Lock()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // Run looks at the context itself
	}
}

// Lock takes the machine.
func (m *Machine) Lock() { m.mu.Lock() }

// Unlock gives it up, and then calls the hooks.
func (m *Machine) Unlock() {
	calls := m.calls
	m.calls, m.touched = nil, false
	m.mu.Unlock()
	for _, call := range calls {
		call()
	}
}

// Breathe lets others look, too.
func (m *Machine) Breathe() {
	m.Unlock()
	m.Lock()
}
