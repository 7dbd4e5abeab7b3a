package cloud

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// States of the line.
const (
	linkUp   = "up"
	linkDown = "down"
	linkSlow = "slow"
)

const (
	slowBytesPerSecond = 8000 // 64 kbit/s
	slowDelay          = 200 * time.Millisecond
	// chunkMax and chunksMax bound what is on the line in one direction.
	chunkMax  = 2 << 10
	chunksMax = 8
	dialMax   = 5 * time.Second
)

// link is the line between the register and the server: it copies bytes and
// understands none of them.
type link struct {
	address string // where the register connects
	target  string
	holder  int // a bound socket that keeps the port while nobody listens

	mu       sync.Mutex
	state    string
	changed  chan struct{} // closed at the next change of state
	listener net.Listener
	conns    map[net.Conn]struct{}
	tasks    sync.WaitGroup
}

// openLink listens on the port of last time, if it is free.
func openLink(dir, target string) (*link, error) {
	l := &link{target: target, state: linkDown, changed: make(chan struct{}), conns: map[net.Conn]struct{}{}, holder: -1}
	memory := filepath.Join(dir, "link.port")
	last := 0
	if text, err := os.ReadFile(memory); err == nil { //nolint:gosec // in the office's own folder
		if n, err := strconv.ParseUint(string(text), 10, 16); err == nil {
			last = int(n)
		}
	}
	port, err := l.hold(last)
	if err != nil && last != 0 {
		port, err = l.hold(0)
	}
	if err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	l.address = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	err = errors.Join(os.WriteFile(memory, []byte(strconv.Itoa(port)), 0o600), l.set(linkUp))
	if err != nil {
		return nil, fmt.Errorf("link: %w", errors.Join(err, l.close()))
	}
	return l, nil
}

// hold binds a port without listening, so that connecting to it is refused and
// nobody else can take it.
func (l *link) hold(port int) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
	}
	var bound unix.Sockaddr
	if err == nil {
		bound, err = unix.Getsockname(fd)
	}
	if err != nil {
		return 0, errors.Join(err, unix.Close(fd))
	}
	at, ok := bound.(*unix.SockaddrInet4)
	if !ok {
		return 0, errors.Join(syscall.EAFNOSUPPORT, unix.Close(fd))
	}
	l.holder = fd
	return at.Port, nil
}

func (l *link) now() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

func (l *link) set(state string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch state {
	case linkUp, linkSlow:
		if l.listener == nil {
			listener, err := net.Listen("tcp4", l.address) //nolint:noctx // returns at once
			if err != nil {
				return err
			}
			l.listener = listener
			l.tasks.Go(func() { l.accept(listener) })
		}
	case linkDown:
		l.cut()
	default:
		return fmt.Errorf("no state %q: up, down or slow", state)
	}
	l.state = state
	close(l.changed)
	l.changed = make(chan struct{})
	return nil
}

// cut resets what is connected and refuses what connects. l.mu is held.
func (l *link) cut() {
	if l.listener != nil {
		l.listener.Close() //nolint:errcheck,gosec // nothing was written to it
		l.listener = nil
	}
	for c := range l.conns {
		if t, ok := c.(*net.TCPConn); ok {
			t.SetLinger(0) //nolint:errcheck,gosec // then it ends politely instead
		}
	}
	for c := range l.conns {
		c.Close() //nolint:errcheck,gosec // losing what was on the line is the point
	}
	clear(l.conns)
}

func (l *link) close() error {
	l.mu.Lock()
	l.cut()
	l.state = linkDown
	close(l.changed)
	l.changed = make(chan struct{})
	holder := l.holder
	l.holder = -1
	l.mu.Unlock()
	l.tasks.Wait()
	if holder < 0 {
		return nil
	}
	return unix.Close(holder)
}

func (l *link) accept(listener net.Listener) {
	for {
		near, err := listener.Accept()
		if err != nil {
			return // closed
		}
		l.tasks.Go(func() { l.carry(near) })
	}
}

// carry joins one connection of the register to the server.
func (l *link) carry(near net.Conn) {
	far, err := net.DialTimeout("tcp4", l.target, dialMax) //nolint:noctx // bounded
	if err != nil {
		near.Close() //nolint:errcheck,gosec // the register sees it end
		return
	}
	l.mu.Lock()
	if l.state == linkDown {
		l.mu.Unlock()
		near.Close() //nolint:errcheck,gosec // cut in the meantime
		far.Close()  //nolint:errcheck,gosec // cut in the meantime
		return
	}
	l.conns[near], l.conns[far] = struct{}{}, struct{}{}
	l.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { l.pump(far, near) })
	both.Go(func() { l.pump(near, far) })
	both.Wait()
	l.mu.Lock()
	delete(l.conns, near)
	delete(l.conns, far)
	l.mu.Unlock()
}

// chunk is some bytes on the line and when they come out of it.
type chunk struct {
	data []byte
	due  time.Time
}

// pump carries one direction, and ends both when it ends.
func (l *link) pump(to io.WriteCloser, from io.ReadCloser) {
	line := make(chan chunk, chunksMax)
	var writing sync.WaitGroup
	writing.Go(func() {
		// Closing both ends the reader below too; it may still be sending on line.
		defer func() {
			for range line { // drained, so that the reader can end
			}
		}()
		defer from.Close() //nolint:errcheck // its reader sees it
		defer to.Close()   //nolint:errcheck // its reader sees it
		for c := range line {
			l.wait(time.Until(c.due))
			if _, err := to.Write(c.data); err != nil {
				return
			}
			if l.now() == linkSlow {
				l.wait(time.Duration(len(c.data)) * time.Second / slowBytesPerSecond)
			}
		}
	})
	for {
		data := make([]byte, chunkMax)
		n, err := from.Read(data)
		if n > 0 {
			c := chunk{data: data[:n]}
			if l.now() == linkSlow {
				c.due = time.Now().Add(slowDelay)
			}
			line <- c
		}
		if err != nil {
			break
		}
	}
	close(line)
	writing.Wait()
}

// wait pauses for the line's slowness, at most until the line's state changes.
func (l *link) wait(d time.Duration) {
	if d <= 0 {
		return
	}
	l.mu.Lock()
	changed := l.changed
	l.mu.Unlock()
	select {
	case <-time.After(d):
	case <-changed:
	}
}
