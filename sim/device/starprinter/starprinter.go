// Package starprinter is a receipt printer of Star's make: what is written to
// its wire becomes paper, to be looked at as text, as a picture and as a list of
// what was printed.
//
// It is a reading of the manuals of its own ("StarPRNT Command Specifications"
// rev. 2.13 and "STAR Line Mode Command Specifications" rev. 1.12) and shares
// nothing with the driver. It keeps to the strict side: ESC ACK SOH is obeyed
// wherever its bytes turn up, inside a picture too; FS is obeyed when it is
// received; ESC GS ETX and ETB are when all before them is on paper and the
// motor stands; ESC @ prints the half line before it.
//
// Parsed to its exact length but not drawn: bar codes and two-dimensional codes
// (a frame with their name stands for them, [Printer.Entries] has their data),
// logos, page mode, user-defined characters of half width.
package starprinter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"regi/sim/device/printer"
	"regi/sim/device/printer/glyphs"
)

// Limits of a printer.
const (
	// DefaultBufferBytes is its receive buffer.
	DefaultBufferBytes = 4096
	// answersMax bounds the bytes that wait for a register that does not read.
	answersMax = 1024
	chunkMax   = 512 // bytes a read
	// xoffRoom: XOFF goes out when less room than this is left.
	xoffRoom = 256

	xon, xoff = 0x11, 0x13
)

// Options of a printer; the zero value prints at once.
type Options struct {
	// BufferBytes is the size of the receive buffer; 0 is [DefaultBufferBytes].
	// When it is full the wire is not read, so that the line holds the writer.
	BufferBytes int
	// MillimetresPerSecond is the speed of the paper; 0 is at once.
	MillimetresPerSecond int
	// XonXoff sends XOFF when the buffer is nearly full and XON when there is
	// room again.
	XonXoff bool
	// AutoStatus is the switch below the printer that turns automatic status on.
	AutoStatus bool
	// DrawerKick is told of each pulse: pin 2 or 5 of the drawer connector.
	DrawerKick func(pin int, on, off time.Duration)
	// DrawerOpen tells the level of the connector's switch. It is called with the
	// printer locked and must not call the printer.
	DrawerOpen func() bool
	// Changed is called after the state or the paper changed.
	Changed func()
}

// Printer is one printer. Its methods are safe from any goroutine.
type Printer struct {
	wire printer.Wire
	opt  Options

	mu      sync.Mutex
	changed chan struct{} // closed and renewed when anything below changes
	calls   []func()      // hooks that wait for mu to be free

	set      condition
	stuck    bool // a cut failed
	epoch    int  // grows whenever the power is lost
	lexer    lexer
	queue    [][]byte // commands to come
	buffered int      // their bytes
	held     bool     // XOFF was sent
	drained  bool     // the input ended and all of it is done
	ended    bool     // the input ended
	answers  []byte

	auto     bool   // automatic status
	reported string // the last one
	etb      byte   // the ETB counter
	etbDone  bool   // an ETB since the last status
	printed  byte   // the print end counter of ESC GS ETX
	on, off  time.Duration

	downloads map[byte]glyphs.Glyph // by the second byte of their codes

	paper paper
	settings
	line line
}

// New makes a printer that is on, with paper, its cover closed.
func New(w printer.Wire, o Options) *Printer {
	if o.BufferBytes <= 0 {
		o.BufferBytes = DefaultBufferBytes
	}
	p := &Printer{wire: w, opt: o, changed: make(chan struct{})}
	p.power()
	return p
}

// power is what the power switch resets.
func (p *Printer) power() {
	p.auto, p.reported, p.etb, p.etbDone, p.printed = p.opt.AutoStatus, "", 0, false, 0
	p.on, p.off = defaultPulse, defaultPulse
	p.settings, p.line, p.downloads = initial(), line{}, map[byte]glyphs.Glyph{}
}

// Run prints what comes by the wire until the context ends or, for a wire that
// ends, all of it is on paper. It is the only reader of the wire.
func (p *Printer) Run(ctx context.Context) error {
	g, inner := errgroup.WithContext(ctx)
	stop := context.AfterFunc(inner, func() {
		p.wire.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck,gosec // a closed wire ends the read as well
	})
	defer stop()
	for _, task := range []func(context.Context) error{p.read, p.work, p.answer} {
		g.Go(func() error { return task(inner) })
	}
	err := g.Wait()
	p.wire.SetReadDeadline(time.Time{}) //nolint:errcheck,gosec // for the next Run; of no use on a closed wire
	if ctx.Err() != nil {
		return nil //nolint:nilerr // told to stop
	}
	if err != nil {
		return fmt.Errorf("starprinter: %w", err)
	}
	return nil
}

// Text is the newest paper as text, one line a printed line. A cut is a line
// [printer.CutMark].
func (p *Printer) Text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.paper.text()
}

// PNG writes a picture of the newest paper.
func (p *Printer) PNG(w io.Writer) error {
	p.mu.Lock()
	newest := p.paper.newest()
	p.mu.Unlock()
	return newest.png(w)
}

// Entries are what was printed, cut and kicked, oldest first, at most
// [EntriesMax].
func (p *Printer) Entries() []Entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Entry(nil), p.paper.entries...)
}

// Refresh makes the printer look at its drawer switch, and report a change.
func (p *Printer) Refresh() {
	p.mu.Lock()
	defer p.unlock()
	p.report()
}

// read fills the receive buffer.
func (p *Printer) read(ctx context.Context) error {
	chunk := make([]byte, chunkMax)
	for {
		if err := p.room(ctx); err != nil {
			return err
		}
		n, err := p.wire.Read(chunk)
		p.receive(chunk[:n])
		switch {
		case errors.Is(err, io.EOF):
			p.mu.Lock()
			p.ended = true
			p.wake()
			p.mu.Unlock()
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("read: %w", err)
		}
	}
}

// room waits until the buffer has some.
func (p *Printer) room(ctx context.Context) error {
	p.mu.Lock()
	defer p.unlock()
	for p.buffered >= p.opt.BufferBytes {
		if err := p.wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// receive buffers commands and obeys at once those that are. A printer that is
// off hears nothing.
func (p *Printer) receive(b []byte) {
	p.mu.Lock()
	defer p.unlock()
	for _, c := range b {
		if p.set.off {
			return
		}
		if p.lexer.request(c) {
			p.send(p.status()...) // ESC ACK SOH
		}
		command := p.lexer.feed(c)
		if command == nil || p.atOnce(command) {
			continue
		}
		p.queue = append(p.queue, command)
		p.buffered += len(command)
	}
	p.flow()
	p.wake()
}

// flow tells the register to stop or to go on.
func (p *Printer) flow() {
	if !p.opt.XonXoff {
		return
	}
	room := p.opt.BufferBytes - p.buffered
	switch low := min(xoffRoom, p.opt.BufferBytes/4); {
	case room < low && !p.held:
		p.held = true
		p.send(xoff)
	case room >= 2*low && p.held:
		p.held = false
		p.send(xon)
	}
}

// work carries out one command after the other while the printer can print.
func (p *Printer) work(ctx context.Context) error {
	p.mu.Lock()
	defer p.unlock()
	for {
		for len(p.queue) == 0 || !p.online() {
			if p.ended && len(p.queue) == 0 {
				p.drained = true
				p.wake()
				return nil
			}
			if err := p.wait(ctx); err != nil {
				return err
			}
		}
		command := p.queue[0]
		p.queue, p.buffered = p.queue[1:], p.buffered-len(command)
		p.flow()
		p.wake()
		err := p.obey(ctx, command)
		if errors.Is(err, errLost) {
			p.line, err = line{}, nil
		}
		if err != nil {
			return err
		}
		p.unlock() // others want to look, too
		p.mu.Lock()
	}
}

// errLost: the buffer was lost under a command.
var errLost = errors.New("buffer lost")

// answer writes what the register is told. What cannot be written is lost, as
// on a line that nobody listens to.
func (p *Printer) answer(ctx context.Context) error {
	p.mu.Lock()
	defer p.unlock()
	for {
		for len(p.answers) == 0 {
			if p.drained {
				return nil
			}
			if err := p.wait(ctx); err != nil {
				return err
			}
		}
		b := p.answers
		p.answers = nil
		p.unlock()
		p.wire.Write(b) //nolint:errcheck,gosec // see above
		p.mu.Lock()
	}
}

// send queues an answer.
func (p *Printer) send(b ...byte) {
	if p.set.off || len(p.answers)+len(b) > answersMax {
		return
	}
	p.answers = append(p.answers, b...)
	p.wake()
}

// wake lets everybody who waits look again.
func (p *Printer) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// touch is wake for changes that can be seen from outside.
func (p *Printer) touch() {
	p.report()
	p.wake()
	if p.opt.Changed != nil && len(p.calls) == 0 {
		p.calls = append(p.calls, p.opt.Changed)
	}
}

// wait gives up the lock until something changes.
func (p *Printer) wait(ctx context.Context) error {
	changed := p.changed
	p.unlock()
	defer p.mu.Lock()
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // Run looks at the context itself
	}
}

// unlock gives up the lock and then calls the hooks, which may call the printer.
func (p *Printer) unlock() {
	calls := p.calls
	p.calls = nil
	p.mu.Unlock()
	for _, call := range calls {
		call()
	}
}
