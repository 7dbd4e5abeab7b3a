// Package port is the guarded serial line: a library of choice opens and
// configures it, and the guard does what the libraries leave open. It has
// deadlines on read and write, is safe after Close, belongs to one process at
// a time, is not inherited by child processes, and tells an unplugged device
// from a closed port.
//
// A library is used for opening only, and its own descriptor is closed again
// at once: go.bug.st/serial 1.8.0 writes into whatever file reused the
// descriptor after Close, cannot end a blocked write, panics in Read on a
// descriptor from 1024 on, and opens without O_CLOEXEC; tarm/serial reports an
// unplugged device as a time-out. bare_test.go shows each of these.
package port

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"regi/drivers"
)

// Limits of Options.Baud, in bit/s.
const (
	BaudDefault = 9600
	BaudMin     = 50
	BaudMax     = 4_000_000
)

// Options say which line and how.
type Options struct {
	// Path is any tty, by preference a link in /dev/serial/by-path, or a name
	// that Find knows.
	Path string
	// Baud is the speed in bit/s, always 8N1; zero is BaudDefault.
	Baud int
	// Flow is how the far end holds us: FlowNone, FlowXonXoff or FlowRTSCTS.
	Flow Flow
	// Opener is the library that opens and configures the line: "bugst"
	// (go.bug.st/serial, also for "") or "tarm" (github.com/tarm/serial).
	Opener string
	// LineEnd, if not zero, puts the line into line mode for the card reader:
	// nothing is readable before LineEnd (or LF) has arrived, so that the bytes
	// of a half-finished swipe stay in the kernel. No echo, and no other byte
	// has a meaning. At most 4,095 bytes a line; the kernel drops the rest.
	LineEnd byte
}

// Flow is a flow control.
type Flow uint8

// Flow controls, by their names in the configuration: "none", "xonxoff" (the
// kernel takes XOFF and XON out of what is read, so that they are no data) and
// "rtscts".
const (
	FlowNone Flow = iota
	FlowXonXoff
	FlowRTSCTS
)

// FlowNames are the names by their numbers.
func FlowNames() []string { return []string{"none", "xonxoff", "rtscts"} }

// Port is a guarded serial line; see drivers.Port for the rules. There is no
// buffer in it: Read puts the bytes directly into the caller's slice.
type Port struct {
	file   *os.File
	path   string
	baud   int
	closed atomic.Bool
	// writing counts the Writes under way: Close must know of a blocked one.
	writing atomic.Int32
}

var _ drivers.Port = (*Port)(nil)

// Open opens, locks and configures a line and drops what it had received
// before. Errors wrap drivers.ErrBusy (another holder), drivers.ErrUnplugged
// (a node without a device), drivers.ErrUnsupported (not a serial line) or the
// cause (fs.ErrNotExist, fs.ErrPermission).
func Open(o Options) (*Port, error) {
	file, err := OpenFile(o)
	if err != nil {
		return nil, err
	}
	return Wrap(file, o)
}

// Wrap guards a line that OpenFile has opened, perhaps in another process that
// passed its descriptor on.
func Wrap(file *os.File, o Options) (*Port, error) {
	// Fails if the runtime could not poll the descriptor.
	if err := file.SetDeadline(time.Time{}); err != nil {
		return nil, fmt.Errorf("port: open %s: %w", o.Path, errors.Join(err, file.Close()))
	}
	return &Port{file: file, path: o.Path, baud: cmp.Or(o.Baud, BaudDefault)}, nil
}

// OpenFile is the half of Open that needs the right to open devices.
func OpenFile(o Options) (*os.File, error) {
	if o.Baud == 0 {
		o.Baud = BaudDefault
	}
	if o.Baud < BaudMin || o.Baud > BaudMax {
		return nil, fmt.Errorf("port: open %s: %d bit/s is not within %d to %d", o.Path, o.Baud, BaudMin, BaudMax)
	}
	configure, err := openerByName(o.Opener)
	if err != nil {
		return nil, fmt.Errorf("port: open %s: %w", o.Path, err)
	}
	path, err := Find(o.Path)
	if err != nil {
		return nil, fmt.Errorf("port: %w", err)
	}
	fd, err := openTTY(path)
	if err != nil {
		return nil, fmt.Errorf("port: open %s: %w", o.Path, openReason(err))
	}
	// From here the os package owns fd: closed once, never used after.
	file := os.NewFile(uintptr(fd), o.Path)
	if err := setUp(fd, o, configure); err != nil {
		return nil, fmt.Errorf("port: open %s: %w", o.Path, errors.Join(openReason(err), file.Close()))
	}
	return file, nil
}

// openTTY opens path for this process alone.
func openTTY(path string) (int, error) {
	// O_NONBLOCK twice over: open does not wait for a carrier, and the runtime
	// polls the descriptor, which is what makes deadlines and Close work.
	const flags = unix.O_RDWR | unix.O_NOCTTY | unix.O_NONBLOCK | unix.O_CLOEXEC
	fd, err := retry(func() (int, error) { return unix.Open(path, flags, 0) })
	if err != nil {
		return 0, err
	}
	if _, err := unix.IoctlGetTermios(fd, unix.TCGETS2); err != nil {
		return 0, errors.Join(err, unix.Close(fd))
	}
	// flock and not TIOCEXCL: that does not bind root, and on a pseudo-terminal
	// it outlives a killed holder and locks out the next one.
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return 0, errors.Join(err, unix.Close(fd))
	}
	return fd, nil
}

// setUp lets the library configure the line, then completes and checks it.
func setUp(fd int, o Options, configure func(path string, baud int) error) error {
	if err := configureUnforked(fd, o.Baud, configure); err != nil {
		return err
	}
	if err := setMode(fd, o); err != nil {
		return err
	}
	// What came before now was for somebody else: an old scan, half a swipe.
	if err := unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	return nil
}

func openReason(err error) error {
	switch {
	case errors.Is(err, unix.EWOULDBLOCK), errors.Is(err, unix.EBUSY):
		return drivers.ErrBusy
	case gone(err):
		return drivers.ErrUnplugged
	case errors.Is(err, unix.ENOTTY):
		return fmt.Errorf("not a serial line: %w", drivers.ErrUnsupported)
	}
	return err
}

// Read reads at least one byte. In line mode a call returns at most one line.
func (p *Port) Read(b []byte) (int, error) {
	n, err := p.file.Read(b)
	return n, p.fail("read", err)
}

// Write writes all of b. With an error it returns how many bytes the kernel
// has taken, which is not how many have left the port.
func (p *Port) Write(b []byte) (int, error) {
	p.writing.Add(1)
	defer p.writing.Add(-1)
	n, err := p.file.Write(b)
	return n, p.fail("write", err)
}

// Close ends every blocked call with drivers.ErrClosed. What Write has taken
// still leaves the port, unless a Write is cut short by Close. A second Close
// does nothing.
func (p *Port) Close() error {
	if !p.closed.CompareAndSwap(false, true) {
		return nil
	}
	var cut error
	if p.writing.Load() > 0 {
		cut = p.cutWrite()
	}
	if err := errors.Join(cut, p.file.Close()); err != nil {
		return fmt.Errorf("port: close %s: %w", p.path, err)
	}
	return nil
}

// cutWrite ends a blocked Write and drops what it has queued: the far end takes
// nothing, and the message is cut in any case. The kernel would hold the last
// close of a UART for up to 30 s over it (closing_wait in tty_port.c).
func (p *Port) cutWrite() error {
	past := time.Unix(1, 0)
	err := p.file.SetWriteDeadline(past)
	if err == nil {
		err = p.control(func(fd int) error {
			return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCOFLUSH)
		})
	}
	if gone(err) {
		return nil
	}
	return err
}

// SetReadDeadline bounds Reads under way and to come; zero is no bound.
func (p *Port) SetReadDeadline(t time.Time) error {
	return p.fail("deadline", p.file.SetReadDeadline(t))
}

// SetWriteDeadline bounds Writes under way and to come; zero is no bound.
func (p *Port) SetWriteDeadline(t time.Time) error {
	return p.fail("deadline", p.file.SetWriteDeadline(t))
}

// control runs f on the descriptor, which cannot be closed or reused meanwhile.
func (p *Port) control(f func(fd int) error) error {
	raw, err := p.file.SyscallConn()
	if err != nil {
		return err
	}
	var ferr error
	err = raw.Control(func(fd uintptr) {
		ferr = f(int(fd))
	})
	return errors.Join(err, ferr)
}

// fail names the reason of a failure in the contract's words.
func (p *Port) fail(op string, err error) error {
	if err == nil {
		return nil
	}
	switch {
	// First, because a Close may look like any other failure to a call that
	// was under way.
	case p.closed.Load(), errors.Is(err, os.ErrClosed):
		err = drivers.ErrClosed
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = os.ErrDeadlineExceeded
	case gone(err):
		// Not wrapping io.EOF: to io.Copy and bufio that would be success.
		err = drivers.ErrUnplugged
	case errors.Is(err, unix.ENOTTY), errors.Is(err, unix.EINVAL), errors.Is(err, unix.EOPNOTSUPP):
		err = drivers.ErrUnsupported
	default:
		// The path is named below.
		if pe, ok := errors.AsType[*fs.PathError](err); ok {
			err = pe.Err
		}
	}
	return fmt.Errorf("port: %s %s: %w", op, p.path, err)
}

// gone reports whether err is how the kernel says that the far end is gone:
// after a hang-up Read returns 0 bytes (io.EOF) and everything else EIO
// (hung_up_tty_fops in drivers/tty/tty_io.c); ENXIO and ENODEV come from the
// USB drivers and from nodes without a device.
func gone(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, unix.EIO) ||
		errors.Is(err, unix.ENXIO) || errors.Is(err, unix.ENODEV)
}

func retry(f func() (int, error)) (int, error) {
	for {
		n, err := f()
		if !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}
