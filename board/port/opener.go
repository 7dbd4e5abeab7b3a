package port

import (
	"fmt"
	"strconv"
	"syscall"

	tarm "github.com/tarm/serial"
	bugst "go.bug.st/serial"
)

// openerByName returns the library's way to open and configure a line as 8N1.
func openerByName(name string) (func(path string, baud int) error, error) {
	switch name {
	case "", "bugst":
		return bugstOpen, nil
	case "tarm":
		return tarmOpen, nil
	}
	return nil, fmt.Errorf("opener %q is unknown (known: bugst, tarm)", name)
}

// bugstOpen takes any speed. InitialStatusBits stays nil: a pseudo-terminal
// has no modem lines and the library would fail.
func bugstOpen(path string, baud int) error {
	p, err := bugst.Open(path, &bugst.Mode{BaudRate: baud, DataBits: 8})
	if err != nil {
		return fmt.Errorf("go.bug.st/serial: %w", err)
	}
	// Also takes back its TIOCEXCL.
	return p.Close()
}

// tarmOpen takes the speeds that have a name in termios only.
func tarmOpen(path string, baud int) error {
	p, err := tarm.OpenPort(&tarm.Config{Name: path, Baud: baud})
	if err != nil {
		return fmt.Errorf("tarm/serial: %w", err)
	}
	return p.Close()
}

// configureUnforked runs configure on the line that fd has open.
func configureUnforked(fd int, baud int, configure func(path string, baud int) error) error {
	// The library opens descriptors without O_CLOEXEC. All are closed when it
	// returns, and until then nothing in this process may fork.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	// By our own descriptor and not by the path: after an unplug the path may
	// be another device by now.
	return configure("/proc/self/fd/"+strconv.Itoa(fd), baud)
}
