package main

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"regi/sim/drill/reach"
	"regi/sim/guest/order"
)

// answerWithin is how long a connection may take: less than the kernel waits
// before it asks once more.
const answerWithin = 900 * time.Millisecond

// sendAll tries to get something out, all ways at once.
func sendAll(targets []order.Target) []reach.Attempt {
	found := make([]reach.Attempt, len(targets))
	var all sync.WaitGroup
	for i, t := range targets {
		all.Go(func() { found[i] = reach.Attempt{Name: t.Kind + " " + t.Address, Errno: errnoOf(send(t))} })
	}
	all.Wait()
	return found
}

func send(t order.Target) error {
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	if t.Kind == "icmp" {
		return ping(t.Address)
	}
	c, err := (&net.Dialer{}).DialContext(ctx, t.Kind, t.Address)
	if err != nil {
		return err
	}
	defer c.Close() //nolint:errcheck // only an attempt
	_, err = c.Write([]byte("stolen"))
	return err
}

// route sends all that is for elsewhere to a neighbour.
func route(to []order.Target) error {
	if len(to) != 1 {
		return errors.New("one neighbour")
	}
	link, err := netlink.LinkByName("eth0")
	if err != nil {
		return err
	}
	return netlink.RouteReplace(&netlink.Route{LinkIndex: link.Attrs().Index, Gw: net.ParseIP(to[0].Address)})
}

// ping sends an echo request, over a raw socket or the kind for everybody.
func ping(address string) error {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)
	if err != nil {
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_ICMP)
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // only an attempt
	echo := []byte{8, 0, 0xF7, 0xFE, 0, 1, 0, 0}
	return unix.Sendto(fd, echo, 0, &unix.SockaddrInet4{Addr: a.As4()})
}

func errnoOf(err error) syscall.Errno {
	var e syscall.Errno
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		return e
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return unix.ETIMEDOUT
	}
	return unix.EIO
}

// fromRole does an order by the threads of a process of the register.
func fromRole(o order.Order) (int, []reach.Attempt, error) {
	if o.Do == order.PeekRole {
		at, err := reach.Address(o.PID)
		if err != nil {
			return 0, nil, err
		}
		return reach.Threads(o.From, func(t *reach.Thread) ([]reach.Attempt, error) { return t.Peek(o.PID, at) })
	}
	return reach.Threads(o.PID, func(t *reach.Thread) (found []reach.Attempt, err error) {
		for _, target := range o.Targets {
			a, err := sendBy(t, target)
			if err != nil {
				return found, err
			}
			found = append(found, a)
		}
		started, err := runBy(t)
		return append(found, started...), err
	})
}

// sendBy has a thread send to a target: a TCP connection is begun, and not
// waited for.
func sendBy(t *reach.Thread, target order.Target) (a reach.Attempt, err error) {
	a.Name = target.Kind + " " + target.Address
	var fd int64
	switch target.Kind {
	case "tcp":
		fd, err = t.Call(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	case "udp":
		fd, err = t.Call(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	case "icmp":
		fd, err = t.Call(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP)
	case "packet":
		fd, err = t.Call(unix.SYS_SOCKET, unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	}
	if a.Errno = reach.Errno(fd); err != nil || fd < 0 {
		return a, err
	}
	defer func() {
		_, errClose := t.Call(unix.SYS_CLOSE, fd)
		err = errors.Join(err, errClose)
	}()
	if target.Kind == "packet" {
		return a, nil
	}
	to, err := netip.ParseAddrPort(target.Address)
	if err != nil {
		to = netip.AddrPortFrom(netip.MustParseAddr(target.Address), 0)
	}
	// struct sockaddr_in, and the bytes that are sent behind it.
	b := binary.NativeEndian.AppendUint16(nil, unix.AF_INET)
	b = binary.BigEndian.AppendUint16(b, to.Port())
	b = append(append(b, to.Addr().AsSlice()...), make([]byte, 8)...)
	const addressBytes, echoBytes = 16, 8
	b = append(b, 8, 0, 0xF7, 0xFE, 0, 1, 0, 0)
	if err := t.Write(0, b); err != nil {
		return a, err
	}
	at := int64(t.Scratch) //nolint:gosec // an address
	var n int64
	if target.Kind == "tcp" {
		n, err = t.Call(unix.SYS_CONNECT, fd, at, addressBytes)
	} else {
		n, err = t.Call(unix.SYS_SENDTO, fd, at+addressBytes, echoBytes, 0, at, addressBytes)
	}
	a.Errno = reach.Errno(n)
	return a, err
}
