// Package capture is the process that reads cards: it holds the card reader's
// line and the keys, and lets out nothing but sealed card reads.
//
// No card number ever stands in its memory. Before a swipe it takes the next
// key, lays down a keystream and erases the key; each byte from the reader is
// XORed into that keystream where it lies, so that a byte of keystream and a
// byte of the card go out together; then the result is authenticated. All of
// it happens in an arena outside the Go heap (package arena says what guards
// it), and what the computation leaves in registers, on the stack and in the
// heap is erased after it.
package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"time"

	"regi/drivers"
	"regi/drivers/msr"
	"regi/drivers/msr/ttl"
	"regi/firmware/capture/internal/aeskey"
	"regi/firmware/capture/internal/arena"
	"regi/firmware/capture/internal/dukpt"
	"regi/firmware/capture/internal/jail"
	"regi/firmware/capture/internal/keystore"
	"regi/firmware/capture/internal/link"
)

const (
	// keyWait bounds how long the key may take to come.
	keyWait = 10 * time.Second
	// retryEvery is how often a key file that could not be written is tried
	// again.
	retryEvery = 5 * time.Second
)

// Errors of Main. No error of this process names anything it has read.
var (
	errLink  = errors.New("capture: link to the register lost")
	errFault = errors.New("capture: internal fault")
	errWipe  = errors.New("capture: key file not wiped")
)

// Keys is the key file of a state folder, open and locked.
type Keys = keystore.Files

// ErrKeysBusy says that another process uses the key file.
var ErrKeysBusy = keystore.ErrBusy

// OpenKeys opens the key file of a state folder, and makes it the first time.
// The process may be confined after it.
func OpenKeys(dir string) (*Keys, error) { return keystore.Open(dir) }

// UID is the user of a capture process that was started as root.
const UID = jail.UID

// Options of Main. Port, or Head, and Link are needed.
type Options struct {
	// Port is the reader's line, in line mode with the line end CR: only then
	// does the kernel erase what was read.
	Port drivers.Port
	// Head is the lines of a head without a decoder, in place of Port; its reads
	// are bits, by the first suite only. Strobed: it has RCL lines.
	Head    ttl.Edges
	Strobed bool
	// Link is a socket that keeps the borders of packets. Packets of
	// firmware/capture/launch go out; the packet launch.Wipe destroys the key,
	// any other and the end of the link end Main.
	Link io.ReadWriter
	// Key is where an initial key may be asked for, with the packet "K": one of
	// IKID and AES-128 or AES-256 key, 24 or 40 bytes, comes back. It is asked
	// when the key file has none or a used up one; nil: nobody is.
	Key io.ReadWriter
	// Keys is the key file; nil: the key lives in memory only.
	Keys *Keys
	// CBC seals reads by the suite for decryption services that know no CTR. It
	// needs the data key and a block of up to 16 bytes of the card resident in
	// the arena during the swipe, where CTR needs neither.
	CBC bool

	// enter is jail.Enter, but in tests that need their process afterwards.
	enter func() []link.Control
}

// confine hardens this process for good.
func (o *Options) confine() []link.Control {
	if o.enter != nil {
		return o.enter()
	}
	return jail.Enter()
}

// Main reads cards until ctx ends, the link ends, or the reader is unplugged,
// which it returns as an error that wraps drivers.ErrUnplugged. Without a key
// every card is refused.
//
// Main hardens its whole process for good. The parent starts that process with
// GODEBUG=asyncpreemptoff=1 in its environment and the null device as its
// standard error.
func Main(ctx context.Context, o Options) (err error) {
	debug.SetPanicOnFault(true)
	status := link.Status{SecretDo: arena.Erases()}
	if o.CBC && o.Head == nil {
		status.Suite = link.CBC
	}
	p := &process{reader: msr.New(o.Port, msr.Options{}), link: o.Link, key: o.Key, status: status}
	if o.Head != nil {
		p.head = ttl.New(o.Head, ttl.Options{Strobed: o.Strobed})
	}
	defer func() {
		// Neither the panic's value nor its stack may be seen by anyone.
		if recover() != nil {
			err = errors.Join(errFault, p.report(link.Internal))
		}
	}()
	ctx, stop := watch(ctx, o.Link, &p.order)
	defer stop()
	if err := p.open(); err != nil {
		return errors.Join(err, p.report(link.Internal))
	}
	defer p.close()
	// Everything is open now. From here on no system call that Main does not
	// need is allowed, and none at all that opens anything.
	p.status.Controls = append(p.status.Controls, o.confine()...)
	if err := p.openKeys(o.Keys); err != nil {
		return errors.Join(err, p.report(link.Damaged))
	}
	p.secretly(p.acquire)
	return p.run(ctx)
}

// process is the capture process. It holds no card data and no key: those are
// in the vault.
type process struct {
	reader    *msr.Reader
	head      *ttl.Reader // in place of reader
	link      io.ReadWriter
	key       io.ReadWriter
	order     order
	status    link.Status
	reported  bool
	arena     *arena.Arena
	v         *vault
	device    *dukpt.Device // of the next swipe
	ahead     *dukpt.Device // as it goes into the key file
	store     *keystore.Store
	reserved  uint64 // counters below it may be used
	data, mac *aeskey.Cipher
}

func (p *process) open() error {
	var err error
	if p.arena, err = arena.Map(vaultBytes); err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	p.status.SecretMem = p.arena.Secret()
	p.status.Controls = memoryControls(p.arena)
	v, err := arena.Place[vault](p.arena)
	if err == nil {
		err = p.lay(v)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("capture: %w", err), p.arena.Close())
	}
	return nil
}

// memoryControls are the two that the arena has or has not.
func memoryControls(a *arena.Arena) []link.Control {
	secret, locked := link.Off, link.Off
	switch {
	case a.Secret():
		secret = link.On
	case !a.Offered():
		secret = link.Absent
	}
	if a.Locked() {
		locked = link.On
	}
	return []link.Control{{Name: "secret-memory", State: secret}, {Name: "locked-memory", State: locked}}
}

func (p *process) close() {
	p.v = nil // a late use must fault in the heap, not in freed memory
	if err := p.arena.Close(); err != nil {
		panic("capture: internal error: arena does not close")
	}
	runtime.GC()
}

// run reads one swipe after the other.
func (p *process) run(ctx context.Context) error {
	for {
		p.secretly(p.prepare)
		if !p.reported {
			if err := p.send(link.AppendStatus(nil, &p.status)); err != nil {
				return err
			}
			p.reported = true
		}
		err := p.await(ctx)
		switch {
		case p.order.taken():
			if err := p.zeroise(); err != nil {
				return err
			}
		case err == nil:
		case errors.Is(err, drivers.ErrUnplugged):
			return errors.Join(fmt.Errorf("capture: %w", err), p.report(link.Unplugged))
		default:
			return fmt.Errorf("capture: %w", err)
		}
	}
}

// await takes one swipe, as long as ctx lasts, no order comes, and nothing is
// to be tried again.
func (p *process) await(ctx context.Context) error {
	swipe, stop := p.order.under(ctx)
	defer stop()
	if p.status.Reason == link.NotWritten {
		var cancel context.CancelFunc
		swipe, cancel = context.WithTimeout(swipe, retryEvery)
		defer cancel()
	}
	var err error
	p.secretly(func() {
		if p.head != nil {
			err = p.pull(swipe)
		} else {
			err = p.swipe(swipe)
		}
	})
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// secretly runs f and erases what it leaves behind.
func (p *process) secretly(f func()) {
	arena.Do(f)
	runtime.GC() // a key schedule in the heap is erased when it is collected
}

// refuse sets why cards are refused from now on; None: they are not.
func (p *process) refuse(r link.Reason) {
	if p.status.Reason != r {
		p.status.Reason, p.reported = r, false
	}
}

// report tells the register at once that cards cannot be read.
func (p *process) report(r link.Reason) error {
	p.refuse(r)
	p.reported = true
	return p.send(link.AppendStatus(nil, &p.status))
}

func (p *process) send(packet []byte) error {
	if _, err := p.link.Write(packet); err != nil {
		return fmt.Errorf("%w: %w", errLink, err)
	}
	return nil
}
