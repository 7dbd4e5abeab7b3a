package port

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Hotplug tells when a line is plugged in, by the kernel's own messages. It
// must be made before the process may make no sockets any more. Whoever waits
// for a device looks again now and then all the same: messages can be lost,
// and in a container there are none.
type Hotplug struct {
	socket *os.File

	mu    sync.Mutex
	added chan struct{}
}

// Kernel messages of the first multicast group come from the kernel alone; the
// second is udev's.
const (
	kernelGroup = 1
	uevent      = 15 // NETLINK_KOBJECT_UEVENT
	ueventMax   = 8 << 10
)

// NewHotplug begins to listen.
func NewHotplug() (*Hotplug, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, uevent)
	if err != nil {
		return nil, fmt.Errorf("port: hot-plug: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: kernelGroup}); err != nil {
		return nil, fmt.Errorf("port: hot-plug: %w", errors.Join(err, unix.Close(fd)))
	}
	return &Hotplug{socket: os.NewFile(uintptr(fd), "uevents"), added: make(chan struct{})}, nil
}

// Plugged returns a channel that is closed at the next line that is plugged in.
// The zero pointer's never is.
func (h *Hotplug) Plugged() <-chan struct{} {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.added
}

// Run listens until ctx ends.
func (h *Hotplug) Run(ctx context.Context) error {
	defer h.socket.Close() //nolint:errcheck // only read from
	defer context.AfterFunc(ctx, func() {
		h.socket.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck,gosec // closed, it has ended the read by itself
	})()
	raw, err := h.socket.SyscallConn()
	if err != nil {
		return fmt.Errorf("port: hot-plug: %w", err)
	}
	message := make([]byte, ueventMax)
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
			return fmt.Errorf("port: hot-plug: %w", err)
		case errors.Is(got, unix.ENOBUFS), got == nil && fromKernel(from) && addsLine(message[:n]):
			h.tell() // with ENOBUFS messages were lost: it may have been one
		case got != nil && !errors.Is(got, unix.EINTR):
			return fmt.Errorf("port: hot-plug: %w", got)
		}
	}
}

func (h *Hotplug) tell() {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.added)
	h.added = make(chan struct{})
}

// fromKernel: anybody may send to such a socket, by its address.
func fromKernel(from unix.Sockaddr) bool {
	a, ok := from.(*unix.SockaddrNetlink)
	return ok && a.Pid == 0
}

// addsLine says whether a message is that of a new line: "ACTION@DEVPATH", then
// KEY=VALUE, each ended by NUL.
func addsLine(message []byte) bool {
	head, fields, ok := bytes.Cut(message, []byte{0})
	if !ok || !bytes.HasPrefix(head, []byte("add@")) {
		return false
	}
	for field := range bytes.SplitSeq(fields, []byte{0}) {
		if string(field) == "SUBSYSTEM=tty" {
			return true
		}
	}
	return false
}
