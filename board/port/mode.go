package port

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// DC1 and DC3 of ISO 646.
const xon, xoff = 0x11, 0x13

// posixVDisable is _POSIX_VDISABLE: a special character that is off.
const posixVDisable = 0

// baudErrorMax is how far a speed may be off: a UART samples the middle of the
// tenth bit, so 5 % between the two ends is the limit, and half of it is ours.
const baudErrorMax = 0.025

// frame are the bits of c_cflag that must be as asked. The driver may rewrite
// the bits of the speed to what it could do; that is checked by value.
const frame = unix.CSIZE | unix.CSTOPB | unix.PARENB | unix.CRTSCTS | unix.CREAD | unix.CLOCAL

// setMode completes what the library has configured, the same for all of them,
// and reads it back: a driver may take a mode without a word and not have it.
func setMode(fd int, o Options) error {
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS2)
	if err != nil {
		return fmt.Errorf("read mode: %w", err)
	}
	want := mode(*before, o)
	if err := unix.IoctlSetTermios(fd, unix.TCSETS2, &want); err != nil {
		return fmt.Errorf("set mode: %w", err)
	}
	got, err := unix.IoctlGetTermios(fd, unix.TCGETS2)
	if err != nil {
		return fmt.Errorf("read mode: %w", err)
	}
	if got.Iflag != want.Iflag || got.Oflag != want.Oflag || got.Lflag != want.Lflag ||
		(got.Cflag^want.Cflag)&frame != 0 || got.Cc != want.Cc {
		return errors.New("the driver did not take the mode")
	}
	if off := float64(got.Ospeed)/float64(o.Baud) - 1; off > baudErrorMax || off < -baudErrorMax {
		return fmt.Errorf("the driver made it %d bit/s, not %d", got.Ospeed, o.Baud)
	}
	return nil
}

// mode is termios(3) for bytes as they are: 8N1, no translation, no signals, no
// echo, and flow control as asked; the speed is kept.
func mode(t unix.Termios, o Options) unix.Termios {
	// INPCK without IGNPAR and PARMRK: a byte that broke on the line arrives
	// as NUL, which every driver refuses. Otherwise it would arrive as some
	// other byte (go.bug.st) or be missing (tarm): a wrong or shorter code.
	t.Iflag = unix.INPCK
	t.Oflag = 0
	t.Lflag = 0
	// No HUPCL: a restart of the register does not drop DTR on the devices.
	t.Cflag &^= unix.CSIZE | unix.CSTOPB | unix.PARENB | unix.PARODD | unix.CMSPAR | unix.CRTSCTS | unix.HUPCL
	t.Cflag |= unix.CS8 | unix.CREAD | unix.CLOCAL
	for i := range t.Cc {
		t.Cc[i] = posixVDisable
	}
	switch o.Flow {
	case FlowNone:
	case FlowXonXoff:
		t.Iflag |= unix.IXON
		t.Cc[unix.VSTART], t.Cc[unix.VSTOP] = xon, xoff
	case FlowRTSCTS:
		t.Cflag |= unix.CRTSCTS
	}
	if o.LineEnd == 0 {
		t.Cc[unix.VMIN] = 1
		return t
	}
	// Without IEXTEN and ISIG no other character can act; LF always ends a line.
	t.Lflag = unix.ICANON
	t.Cc[unix.VEOL] = o.LineEnd
	return t
}
