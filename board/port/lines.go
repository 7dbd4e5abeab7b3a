package port

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"regi/drivers"
)

// Bounds of the pause between two looks at the output queue.
const (
	drainPauseMin = time.Millisecond
	drainPauseMax = 20 * time.Millisecond
)

// bitsPerByte at 8N1: start, eight data, stop.
const bitsPerByte = 10

// Drain waits until what was written has left the port or ctx ends. On a
// pseudo-terminal that is at once: written is delivered.
func (p *Port) Drain(ctx context.Context) error {
	err := waitEmpty(ctx, p.baud, func() (int, error) { return p.ask(unix.TIOCOUTQ) })
	// The queue is empty but the UART's own FIFO may not be: tcdrain, which
	// cannot be interrupted but is short by now (FIFO length over speed).
	for err == nil {
		err = p.control(func(fd int) error { return unix.IoctlSetInt(fd, unix.TCSBRK, 1) })
		if err == nil {
			return nil
		}
		if errors.Is(err, syscall.EINTR) {
			err = ctx.Err()
		}
	}
	return p.fail("drain", err)
}

// waitEmpty polls queued until it is zero, about as often as one byte takes.
func waitEmpty(ctx context.Context, baud int, queued func() (int, error)) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		n, err := queued()
		if err != nil || n == 0 {
			return err
		}
		left := time.Duration(n) * bitsPerByte * time.Second / time.Duration(baud)
		timer.Reset(min(max(left, drainPauseMin), drainPauseMax))
	}
}

// modemBit pairs a line of the contract with ioctl_tty(2)'s bit for it.
type modemBit struct {
	line drivers.Lines
	bit  int
}

func modemBits() [6]modemBit {
	return [...]modemBit{
		{drivers.LineRTS, unix.TIOCM_RTS},
		{drivers.LineDTR, unix.TIOCM_DTR},
		{drivers.LineCTS, unix.TIOCM_CTS},
		{drivers.LineDSR, unix.TIOCM_DSR},
		{drivers.LineDCD, unix.TIOCM_CD},
		{drivers.LineRI, unix.TIOCM_RI},
	}
}

// linesOf and bitsOf translate between the two.
func linesOf(bits int) (lines drivers.Lines) {
	for _, m := range modemBits() {
		if bits&m.bit != 0 {
			lines |= m.line
		}
	}
	return lines
}

func bitsOf(lines drivers.Lines) (bits int) {
	for _, m := range modemBits() {
		if lines&m.line != 0 {
			bits |= m.bit
		}
	}
	return bits
}

// Lines returns the modem lines that are asserted, or drivers.ErrUnsupported
// where the port has none.
func (p *Port) Lines() (drivers.Lines, error) {
	bits, err := p.ask(unix.TIOCMGET)
	if err != nil {
		return 0, p.fail("lines", err)
	}
	return linesOf(bits), nil
}

// SetLines asserts set and releases clear; only RTS and DTR are outputs.
func (p *Port) SetLines(set, clear drivers.Lines) error {
	const outputs = drivers.LineRTS | drivers.LineDTR
	if (set|clear)&^outputs != 0 || set&clear != 0 {
		return fmt.Errorf("port: set lines %s: set %#x, clear %#x: only RTS and DTR, each once", p.path, set, clear)
	}
	err := p.control(func(fd int) error {
		if err := changeLines(fd, unix.TIOCMBIS, set); err != nil {
			return err
		}
		return changeLines(fd, unix.TIOCMBIC, clear)
	})
	return p.fail("set lines", err)
}

func changeLines(fd int, request uint, lines drivers.Lines) error {
	return unix.IoctlSetPointerInt(fd, request, bitsOf(lines))
}

// ask returns the int that an ioctl answers with.
func (p *Port) ask(request uint) (answer int, err error) {
	err = p.control(func(fd int) (err error) {
		answer, err = unix.IoctlGetInt(fd, request)
		return err
	})
	return answer, err
}

// Errors are what a UART has counted since it was found: a wrong speed, a loose
// ground or too slow a machine, told apart.
type Errors struct {
	Breaks, Parity, Framing, Overruns int
	// Dropped bytes came faster than they were read.
	Dropped int
}

// Errors returns the counters, or drivers.ErrUnsupported where the port has
// none (a pseudo-terminal, some converters).
func (p *Port) Errors() (Errors, error) {
	// struct serial_icounter_struct of linux/serial.h.
	var c struct {
		cts, dsr, rng, dcd, rx, tx, frame, overrun, parity, brk, bufOverrun int32
		reserved                                                            [9]int32
	}
	err := p.control(func(fd int) error {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGICOUNT, uintptr(unsafe.Pointer(&c))) //nolint:gosec // a struct for the kernel
		if errno != 0 {
			return errno
		}
		return nil
	})
	if err != nil {
		return Errors{}, p.fail("errors", err)
	}
	return Errors{int(c.brk), int(c.parity), int(c.frame), int(c.overrun), int(c.bufOverrun)}, nil
}

// String names the counters that are not zero; "" if all are.
func (e Errors) String() string {
	var words []string
	for _, c := range []struct {
		n    int
		what string
	}{{e.Breaks, "breaks"}, {e.Parity, "parity errors"}, {e.Framing, "framing errors"}, {e.Overruns, "overruns"}, {e.Dropped, "bytes dropped"}} {
		if c.n != 0 {
			words = append(words, fmt.Sprint(c.n, " ", c.what))
		}
	}
	return strings.Join(words, ", ")
}
