package port

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"regi/drivers"
)

// Lend calls f with another descriptor of the line, to be handed to another
// process that has the line for as long as f runs. Afterwards the line is as it
// was, and what is left to read is dropped: it was not for this process.
func (p *Port) Lend(f func(tty *os.File) error) error {
	var tty *os.File
	var before *unix.Termios
	err := p.control(func(fd int) (err error) {
		if before, err = unix.IoctlGetTermios(fd, unix.TCGETS2); err != nil {
			return err
		}
		dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err == nil {
			tty = os.NewFile(uintptr(dup), p.path)
		}
		return err
	})
	if err != nil {
		return p.fail("lend", err)
	}
	err = f(tty)
	if closed := tty.Close(); err == nil {
		err = closed
	}
	back := p.control(func(fd int) error {
		return errors.Join(
			unix.IoctlSetTermios(fd, unix.TCSETS2, before),
			unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH),
			// Whoever passes a descriptor on may have made it blocking, which is of
			// the line and not of the descriptor.
			unix.SetNonblock(fd, true))
	})
	if back = p.fail("take back", back); errors.Is(back, drivers.ErrClosed) || back == nil {
		return err
	}
	return fmt.Errorf("%w", errors.Join(err, back))
}
