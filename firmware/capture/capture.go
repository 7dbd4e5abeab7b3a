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
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"regi/drivers"
	"regi/drivers/msr"
	"regi/firmware/capture/internal/aeskey"
	"regi/firmware/capture/internal/arena"
	"regi/firmware/capture/internal/dukpt"
	"regi/firmware/capture/internal/jail"
	"regi/firmware/capture/internal/link"
)

// keyWait bounds how long the key may take to come.
const keyWait = 10 * time.Second

// Errors of Main. No error of this process names anything it has read.
var (
	errLink  = errors.New("capture: link to the register lost")
	errFault = errors.New("capture: internal fault")
)

// Main reads cards from port until ctx ends, the link ends, or the reader is
// unplugged, which it returns as an error that wraps drivers.ErrUnplugged. The
// port must be in line mode with the line end CR: only then does the kernel
// erase what was read.
//
// Over link, a socket that keeps the borders of packets, it sends packets of
// firmware/capture/launch; it expects none, and the end of it ends Main. Over
// key it asks for its initial key with the packet "K" and takes one of 24
// bytes, IKID and AES-128 key. Without a key every card is refused.
//
// Main hardens its whole process for good. The parent starts that process with
// GODEBUG=asyncpreemptoff=1 in its environment and the null device as its
// standard error.
func Main(ctx context.Context, port drivers.Port, l io.ReadWriter, key io.ReadWriter) (err error) {
	debug.SetPanicOnFault(true)
	status := link.Status{SecretDo: arena.Erases()}
	for _, c := range jail.Enter() {
		status.Controls = append(status.Controls, link.Control(c))
	}
	p := &process{reader: msr.New(port, msr.Options{}), link: l, status: status}
	defer func() {
		// Neither the panic's value nor its stack may be seen by anyone.
		if recover() != nil {
			err = errors.Join(errFault, p.report(link.Internal))
		}
	}()
	ctx, stop := watch(ctx, l)
	defer stop()
	if err := p.open(); err != nil {
		return errors.Join(err, p.report(link.Internal))
	}
	defer p.close()
	p.takeKey(key)
	return p.run(ctx)
}

// watch returns a context that ends with the link. The parent sends nothing,
// so anything that comes is the end, too.
func watch(ctx context.Context, l io.ReadWriter) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if recover() != nil {
				cancel(errFault)
			}
		}()
		var b [1]byte
		l.Read(b[:]) //nolint:errcheck,gosec // whatever it returns, the link is over
		cancel(errLink)
	}()
	return ctx, func() {
		cancel(nil)
		// Where the link has deadlines, wait for the goroutine; elsewhere it ends
		// with the link, that is with the process.
		if d, ok := l.(interface{ SetReadDeadline(time.Time) error }); ok && d.SetReadDeadline(time.Unix(1, 0)) == nil {
			<-done
		}
	}
}

// process is the capture process. It holds no card data and no key: those are
// in the vault.
type process struct {
	reader    *msr.Reader
	link      io.ReadWriter
	status    link.Status
	reported  bool
	arena     *arena.Arena
	v         *vault
	device    *dukpt.Device
	data, mac *aeskey.Cipher
}

func (p *process) open() error {
	var err error
	if p.arena, err = arena.Map(vaultBytes); err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	p.status.SecretMem = p.arena.Secret()
	p.status.Controls = append(p.status.Controls, link.Control{Name: "locked-memory", On: p.arena.Locked()})
	if err := p.lay(); err != nil {
		return errors.Join(fmt.Errorf("capture: %w", err), p.arena.Close())
	}
	return nil
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
		var err error
		p.secretly(func() { err = p.swipe(ctx) })
		switch {
		case err == nil:
		case errors.Is(err, drivers.ErrUnplugged):
			return errors.Join(fmt.Errorf("capture: %w", err), p.report(link.Unplugged))
		default:
			return fmt.Errorf("capture: %w", err)
		}
	}
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
	return p.send(link.AppendStatus(nil, &p.status))
}

func (p *process) send(packet []byte) error {
	if _, err := p.link.Write(packet); err != nil {
		return fmt.Errorf("%w: %w", errLink, err)
	}
	return nil
}

// takeKey asks for the initial key and loads it.
func (p *process) takeKey(key io.ReadWriter) {
	if key == nil {
		p.refuse(link.NoKey)
		return
	}
	p.secretly(func() {
		if err := p.load(key); err != nil {
			p.refuse(link.NoKey)
		}
	})
}

// load reads the key into the arena and from there into the device.
func (p *process) load(key io.ReadWriter) error {
	defer clear(p.v.injected[:])
	if d, ok := key.(interface{ SetDeadline(time.Time) error }); ok {
		if err := d.SetDeadline(time.Now().Add(keyWait)); err != nil && !errors.Is(err, os.ErrNoDeadline) {
			return fmt.Errorf("capture: key: %w", err)
		}
	}
	if _, err := key.Write([]byte("K")); err != nil {
		return fmt.Errorf("capture: key: %w", err)
	}
	n, err := key.Read(p.v.injected[:])
	if err != nil {
		return fmt.Errorf("capture: key: %w", err)
	}
	if n != keyBytes {
		return fmt.Errorf("capture: key: %w", drivers.ErrFrame)
	}
	ikid, ik := p.v.injected[:dukpt.IKIDBytes], p.v.injected[dukpt.IKIDBytes:keyBytes]
	p.device.Load((*[dukpt.IKIDBytes]byte)(ikid), (*[aeskey.BlockBytes]byte)(ik))
	return nil
}
