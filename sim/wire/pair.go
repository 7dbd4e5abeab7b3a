package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// pair is one pseudo-terminal. Its slave side is kept open here too: without it
// the master would read EIO whenever the register is not running.
type pair struct {
	name    string // /dev/pts/N
	master  *os.File
	watcher *os.File // inotify of name; nil where there is none
	watched chan struct{}

	mu    sync.Mutex
	slave int    // -1 once closed
	watch int    // the watcher's descriptor; -1 once closed
	opens int    // how often others have the slave open
	tail  []byte // bytes since the register opened the wire, at most lineMax
}

// lineMax is the kernel's limit of one line in canonical mode (N_TTY_BUF_SIZE);
// it drops what is over.
const lineMax = 4096

func newPair() (*pair, error) {
	m, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/ptmx: %w", err)
	}
	p := &pair{master: os.NewFile(uintptr(m), "/dev/ptmx"), slave: -1, watch: -1}
	if err := p.openSlave(m); err != nil {
		return nil, errors.Join(err, p.close())
	}
	if err := makeRaw(p.slave); err != nil {
		return nil, errors.Join(err, p.close())
	}
	p.startWatch()
	return p, nil
}

func (p *pair) openSlave(m int) error {
	if err := unix.IoctlSetPointerInt(m, unix.TIOCSPTLCK, 0); err != nil {
		return fmt.Errorf("unlock pty: %w", err)
	}
	n, err := unix.IoctlGetInt(m, unix.TIOCGPTN)
	if err != nil {
		return fmt.Errorf("pty number: %w", err)
	}
	p.name = "/dev/pts/" + strconv.Itoa(n)
	p.slave, err = unix.Open(p.name, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		p.slave = -1
		return fmt.Errorf("open %s: %w", p.name, err)
	}
	return nil
}

// makeRaw is cfmakeraw(3): no echo, no line editing, eight bits, as a serial
// adaptor's tty is not at first but every register expects.
func makeRaw(fd int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return fmt.Errorf("get termios: %w", err)
	}
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Cflag &^= unix.CSIZE | unix.PARENB
	t.Cflag |= unix.CS8
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, t); err != nil {
		return fmt.Errorf("set termios: %w", err)
	}
	return nil
}

func (p *pair) write(b []byte, deadline time.Time) (int, error) {
	if err := p.master.SetWriteDeadline(deadline); err != nil {
		return 0, err //nolint:wrapcheck // the caller names the wire
	}
	n, err := p.master.Write(b)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.eventsLocked() // an open before this write empties the tail before it
	p.tail = append(p.tail, b[:n]...)
	if over := len(p.tail) - lineMax; over > 0 {
		p.tail = append(p.tail[:0], p.tail[over:]...)
	}
	return n, err //nolint:wrapcheck // the caller names the wire
}

// unread counts what waits on the slave side.
//
// A byte just written to the master is not there yet: a kernel worker carries it
// over. poll(2) of the slave waits for that worker (n_tty_poll →
// tty_buffer_flush_work), so FIONREAD after it misses nothing. In canonical mode
// FIONREAD counts whole lines only; the begun line is counted here.
func (p *pair) unread() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.slave < 0 {
		return 0, os.ErrClosed
	}
	fds := []unix.PollFd{{Fd: int32(p.slave), Events: unix.POLLIN}} //nolint:gosec // a descriptor fits
	if _, err := unix.Poll(fds, 0); err != nil && !errors.Is(err, unix.EINTR) {
		return 0, fmt.Errorf("poll: %w", err)
	}
	n, err := unix.IoctlGetInt(p.slave, unix.TIOCINQ)
	if err != nil {
		return 0, fmt.Errorf("FIONREAD: %w", err)
	}
	t, err := unix.IoctlGetTermios(p.slave, unix.TCGETS)
	if err != nil {
		return 0, fmt.Errorf("get termios: %w", err)
	}
	if t.Lflag&unix.ICANON != 0 {
		n += begun(p.tail, t)
	}
	return n, nil
}

// begun is how many bytes follow the last end of line.
func begun(tail []byte, t *unix.Termios) int {
	for i := len(tail) - 1; i >= 0; i-- {
		switch c := tail[i]; {
		case c == '\n', c != 0 && (c == t.Cc[unix.VEOL] || c == t.Cc[unix.VEOL2]):
			return len(tail) - 1 - i
		}
	}
	return len(tail)
}

// startWatch follows opens and closes of the slave by others. Without inotify
// (its instances are limited) the wire works, but TIOCEXCL may stick.
func (p *pair) startWatch() {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return
	}
	f := os.NewFile(uintptr(fd), "inotify")
	raw, err := f.SyscallConn()
	if err == nil {
		_, err = unix.InotifyAddWatch(fd, p.name, unix.IN_OPEN|unix.IN_CLOSE)
	}
	if err != nil {
		f.Close() //nolint:errcheck,gosec // only read from
		return
	}
	p.watcher, p.watch, p.watched = f, fd, make(chan struct{})
	go func() {
		defer close(p.watched)
		raw.Read(func(uintptr) bool { //nolint:errcheck,gosec // ends when the watcher is closed
			p.mu.Lock()
			defer p.mu.Unlock()
			p.eventsLocked()
			return false // wait for more
		})
	}()
}

// eventsLocked takes in the opens and closes that happened so far.
func (p *pair) eventsLocked() {
	var buf [4096]byte
	for p.watch >= 0 {
		n, err := unix.Read(p.watch, buf[:])
		if err != nil || n <= 0 {
			return // EAGAIN: no more
		}
		for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
			p.eventLocked(binary.NativeEndian.Uint32(b[4:]))
			b = b[min(len(b), unix.SizeofInotifyEvent+int(binary.NativeEndian.Uint32(b[12:]))):]
		}
	}
}

// eventLocked: when a register closes the wire, the exclusive mark (TIOCEXCL) is
// taken off. The slave kept open here would make the mark outlive a register
// that was killed, and only root could open the wire again.
func (p *pair) eventLocked(mask uint32) {
	switch {
	case mask&unix.IN_OPEN != 0:
		p.opens++
		p.tail = p.tail[:0] // whoever opens a wire flushes it
	case mask&unix.IN_CLOSE != 0:
		p.opens = max(0, p.opens-1)
		if p.slave >= 0 {
			unix.IoctlSetInt(p.slave, unix.TIOCNXCL, 0) //nolint:errcheck,gosec // not exclusive is the wish already
		}
	}
}

// opened: the register locks a line that it opens (flock), which /proc/locks
// tells. For programs that do not, opens and closes are counted, which may miss
// one: the kernel merges two equal events that nobody has read.
func (p *pair) opened() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.eventsLocked()
	return p.opens > 0 || p.lockedLocked()
}

// lockedLocked looks for a lock on the slave's inode.
func (p *pair) lockedLocked() bool {
	var s unix.Stat_t
	if p.slave < 0 || unix.Fstat(p.slave, &s) != nil {
		return false
	}
	locks, err := os.ReadFile("/proc/locks")
	if err != nil {
		return false
	}
	// 1: FLOCK  ADVISORY  WRITE 4242 00:18:8 0 EOF
	return bytes.Contains(locks, fmt.Appendf(nil, " %02x:%02x:%d ", unix.Major(s.Dev), unix.Minor(s.Dev), s.Ino))
}

func (p *pair) close() error {
	errs := []error{p.master.Close()}
	p.mu.Lock()
	p.watch = -1
	p.mu.Unlock()
	if p.watcher != nil {
		errs = append(errs, p.watcher.Close())
		<-p.watched
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.slave >= 0 {
		errs = append(errs, unix.Close(p.slave))
		p.slave = -1
	}
	return errors.Join(errs...)
}
