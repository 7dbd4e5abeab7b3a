package hsm

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

const (
	askKey  = "K" // the whole request
	askCard = "C" // at the key loading office: a card process's key, not a reader's
	noKey   = "-" // the answer to anything else, and when there is no key
	// askMax: so many bytes of a request are read; a longer one is refused.
	askMax = 8
)

// newKeys are what a key socket is asked for, and what makes it.
type newKeys map[string]func() ([]byte, error)

// serveKeys answers each request on a key socket with a key of its own.
func serveKeys(socket *os.File, p *processor, keys newKeys) {
	for {
		var ask [askMax]byte
		n, err := socket.Read(ask[:])
		if errors.Is(err, io.EOF) && !hungUp(socket) {
			n, err = 0, nil // an empty packet looks like the end
		}
		if err != nil {
			return
		}
		if err := answerKey(socket, p, keys[string(ask[:n])]); err != nil {
			p.log.Error("key socket", "err", err.Error())
			return
		}
	}
}

func answerKey(socket *os.File, p *processor, newKey func() ([]byte, error)) error {
	if newKey == nil {
		p.log.Warn("key socket: no such request")
		_, err := socket.WriteString(noKey)
		return err
	}
	packet, err := newKey()
	defer clear(packet)
	if err != nil {
		p.log.Error("initial key", "err", err.Error())
		_, err := socket.WriteString(noKey)
		return err
	}
	_, err = socket.Write(packet)
	return err
}

// hungUp reports whether the other end is closed for good.
func hungUp(socket *os.File) bool {
	raw, err := socket.SyscallConn()
	if err != nil {
		return true
	}
	gone := true
	err = raw.Control(func(fd uintptr) {
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}} //nolint:gosec // a descriptor fits
		_, err := unix.Poll(poll, 0)
		gone = err != nil || poll[0].Revents&unix.POLLHUP != 0
	})
	return err != nil || gone
}
