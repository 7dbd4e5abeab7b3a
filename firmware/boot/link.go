package boot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// The socket between PID 1 and the register: SEQPACKET, JSON, one message a
// packet.
const (
	// LinkFD is the register's end; LinkEnv in its environment says that it is
	// there.
	LinkFD  = 3
	LinkEnv = "REGI_BOOT=3"
	// packetMax bounds a packet.
	packetMax = 48 << 10
	// tailMax are so many lines of the log as fit.
	tailMax = 60
)

// What a register may ask.
const (
	OpAlive    = "alive"     // its loop turns and its journal takes records
	OpReboot   = "reboot"    //
	OpPowerOff = "power-off" //
	OpNetwork  = "network"   // the configuration of the network has changed
	OpTime     = "time"      // what time it is, from the cloud
	OpState    = "state"     // answered
	OpQuiet    = "quiet"     // the console is the technician's now
	OpInstall  = "install"   // check the update in Incoming, or on a stick, and write it to the other slot
	OpTry      = "try"       // boot the other slot, once
	OpCommit   = "commit"    // this version has proven itself
)

// Ask is a message of the register.
type Ask struct {
	Op   string
	Time time.Time `json:",omitzero"`
	// Stick: the update of OpInstall is on a USB stick.
	Stick bool `json:",omitzero"`
}

// State is the answer to OpState: what a technician wants to know of the board.
type State struct {
	// Faults are empty where all is well.
	Data, Clock, Firewall string
	// Torn is how often somebody else has changed the firewall.
	Torn uint64
	// Knobs are settings of the kernel that were refused.
	Knobs    []string
	Watchdog string
	Network  NetworkState
	Slot     SlotState
	// Refused are USB devices that were not let in.
	Refused []string
	Log     []string
}

// pair makes such a socket.
func pair() (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socket pair: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "register"), os.NewFile(uintptr(fds[1]), "register"), nil
}

// Link is one end.
type Link struct {
	socket *os.File
	mu     sync.Mutex // one question at a time
}

func newLink(f *os.File) *Link { return &Link{socket: f} }

// ErrNoBoard says that this process was not started by PID 1.
var ErrNoBoard = errors.New("not on a flashed board")

// Register returns the register's end, or ErrNoBoard.
func Register() (*Link, error) {
	if os.Getenv("REGI_BOOT") == "" {
		return nil, ErrNoBoard
	}
	unix.CloseOnExec(LinkFD)
	if err := unix.SetNonblock(LinkFD, true); err != nil {
		return nil, fmt.Errorf("boot: link: %w", err)
	}
	return newLink(os.NewFile(LinkFD, "boot")), nil
}

func (l *Link) close() {
	l.socket.Close() //nolint:errcheck,gosec // nothing is left to say
}

// Tell says something that is not answered.
func (l *Link) Tell(a Ask) error {
	packet, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("boot: %w", err)
	}
	if _, err := l.socket.Write(packet); err != nil {
		return fmt.Errorf("boot: %w", err)
	}
	return nil
}

// stateWithin bounds the wait for an answer.
const stateWithin = 5 * time.Second

// State asks how the board is.
func (l *Link) State() (s State, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.drain(); err != nil {
		return s, err
	}
	if err := l.Tell(Ask{Op: OpState}); err != nil {
		return s, err
	}
	if err := l.socket.SetReadDeadline(time.Now().Add(stateWithin)); err != nil {
		return s, fmt.Errorf("boot: %w", err)
	}
	packet := make([]byte, packetMax)
	n, err := l.socket.Read(packet)
	if err != nil {
		return s, fmt.Errorf("boot: %w", err)
	}
	if err := json.Unmarshal(packet[:n], &s); err != nil {
		return s, fmt.Errorf("boot: %w", err)
	}
	return s, nil
}

// drain drops the answer to a question that was given up: it would be taken for
// that to the next one, and all after it would be one too old.
func (l *Link) drain() error {
	if err := l.socket.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("boot: %w", err)
	}
	raw, err := l.socket.SyscallConn()
	if err == nil {
		err = raw.Read(func(fd uintptr) bool {
			var first [1]byte // the rest of a packet goes with it
			for {
				n, err := unix.Read(int(fd), first[:])
				if n <= 0 && !errors.Is(err, unix.EINTR) {
					return true // none is left, or the link has ended
				}
			}
		})
	}
	if err != nil {
		return fmt.Errorf("boot: %w", err)
	}
	return nil
}

// serve answers a register until its link ends.
func (m *machine) serve(l *Link, end context.CancelCauseFunc) {
	packet := make([]byte, packetMax)
	for {
		n, err := l.socket.Read(packet)
		if err != nil {
			return
		}
		var a Ask
		if err := json.Unmarshal(packet[:n], &a); err != nil {
			m.log.register("register: a message that is none: %v", err)
			continue
		}
		m.do(l, a, end)
	}
}

// doSlot carries out what concerns versions. What becomes of an update is in
// the state.
func (m *machine) doSlot(a Ask, end context.CancelCauseFunc) {
	switch {
	case m.slots == nil:
		m.log.register("register: %s: there are no slots", a.Op)
	case a.Op == OpInstall && a.Stick:
		m.slots.installStick(func() error { return m.slots.fromStick(m.usb, "/dev") })
	case a.Op == OpInstall:
		m.slots.install()
	case a.Op == OpCommit:
		m.slots.commit()
	default:
		if err := m.slots.try(); err != nil {
			m.slots.say(err.Error())
			return
		}
		end(errReboot)
	}
}

func (m *machine) do(l *Link, a Ask, end context.CancelCauseFunc) {
	switch a.Op {
	case OpAlive:
		m.alive.Store(time.Now().UnixNano())
		m.first.Do(func() { m.log.say("register: it runs, %s", sinceKernel()) })
	case OpReboot:
		end(errReboot)
	case OpPowerOff:
		end(errPowerOff)
	case OpNetwork:
		select {
		case m.changed <- struct{}{}:
		default: // it will be read once more anyway
		}
	case OpTime:
		if m.clock != nil {
			m.clock.hear(a.Time)
		}
	case OpInstall, OpTry, OpCommit:
		m.doSlot(a, end)
	case OpQuiet:
		m.log.quiet()
	case OpState:
		packet, err := encodeState(m.report())
		if err == nil {
			_, err = l.socket.Write(packet)
		}
		if err != nil {
			m.log.register("register: %v", err)
		}
	default:
		m.log.register("register: %q is nothing that can be asked", a.Op)
	}
}

var errStateTooLarge = errors.New("the state is larger than a packet")

// encodeState makes a packet of the state, without its oldest lines where they do
// not fit: a line is longer in JSON.
func encodeState(s State) ([]byte, error) {
	for {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(s); err != nil {
			return nil, fmt.Errorf("boot: %w", err)
		}
		over := b.Len() - packetMax
		switch {
		case over <= 0:
			return b.Bytes(), nil
		case len(s.Log) > 0:
			for ; over > 0 && len(s.Log) > 0; s.Log = s.Log[1:] {
				over -= len(s.Log[0])
			}
		case len(s.Refused) > 0:
			s.Refused = nil
		default:
			return nil, errStateTooLarge
		}
	}
}
