// Package uevent hears from the kernel which devices come and go.
package uevent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Event is one message: Action is "add", "remove", "change" …, DevPath a path
// below /sys.
type Event struct {
	Action, DevPath string
	// Subsystem ("tty", "usb") and Type ("usb_device", or "").
	Subsystem, Type string
	// Lost: messages came faster than they were read, anything may have happened.
	Lost bool
}

// Kernel messages of the first multicast group come from the kernel alone; the
// second is udev's.
const (
	kernelGroup = 1
	protocol    = 15 // NETLINK_KOBJECT_UEVENT
	messageMax  = 8 << 10
)

// Listener is a socket for the kernel's messages.
type Listener struct{ socket *os.File }

// Listen begins to listen. It must be called before the process may make no
// sockets any more.
func Listen() (*Listener, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
	if err != nil {
		return nil, fmt.Errorf("uevent: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: kernelGroup}); err != nil {
		return nil, fmt.Errorf("uevent: %w", errors.Join(err, unix.Close(fd)))
	}
	return &Listener{os.NewFile(uintptr(fd), "uevents")}, nil
}

// Run calls heard for each message, one after the other, until ctx ends. The
// listener is closed then.
func (l *Listener) Run(ctx context.Context, heard func(Event)) error {
	defer l.socket.Close() //nolint:errcheck // only read from
	defer context.AfterFunc(ctx, func() {
		l.socket.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck,gosec // closed, it has ended the read by itself
	})()
	raw, err := l.socket.SyscallConn()
	if err != nil {
		return fmt.Errorf("uevent: %w", err)
	}
	message := make([]byte, messageMax)
	for {
		var n int
		var from unix.Sockaddr
		var got error
		err := raw.Read(func(fd uintptr) bool {
			n, from, got = unix.Recvfrom(int(fd), message, 0)
			return !errors.Is(got, unix.EAGAIN)
		})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("uevent: %w", err)
		case errors.Is(got, unix.ENOBUFS):
			heard(Event{Lost: true})
		case got != nil && !errors.Is(got, unix.EINTR):
			return fmt.Errorf("uevent: %w", got)
		case got == nil && fromKernel(from):
			if e, ok := Parse(message[:n]); ok {
				heard(e)
			}
		}
	}
}

// fromKernel: anybody may send to such a socket, by its address.
func fromKernel(from unix.Sockaddr) bool {
	a, ok := from.(*unix.SockaddrNetlink)
	return ok && a.Pid == 0
}

// Parse reads "ACTION@DEVPATH", then KEY=VALUE, each ended by NUL.
func Parse(message []byte) (e Event, ok bool) {
	head, fields, ok := bytes.Cut(message, []byte{0})
	if !ok {
		return e, false
	}
	e.Action, e.DevPath, ok = strings.Cut(string(head), "@")
	if !ok || e.Action == "" || !strings.HasPrefix(e.DevPath, "/") {
		return e, false
	}
	for field := range bytes.SplitSeq(fields, []byte{0}) {
		switch key, value, _ := strings.Cut(string(field), "="); key {
		case "SUBSYSTEM":
			e.Subsystem = value
		case "DEVTYPE":
			e.Type = value
		}
	}
	return e, true
}
