package hsm

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/sys/unix"
)

// role is argv[0] of the hsm's process, and its name in a process list.
const role = "regi-hsm"

// Descriptors the process is born with, after 0, 1 and 2.
const (
	controlFD = 3 // to the parent: its configuration in, its states out
	keyFD     = 4 // from the register's card reader: requests for a key
	readerFD  = 5 // from the office: requests for an encrypting reader's key
)

// States the process reports, one packet each.
const (
	stateKeys      = "ready with keys"
	stateListening = "listening"
	stateFailed    = "failed"
	stateMax       = 64
)

// configMax bounds the packet with the configuration.
const configMax = 4 * unix.PathMax

type config struct{ URL, CA, Creds, Dir string }

// Limits of the connection.
const (
	reconnectEvery  = 250 * time.Millisecond
	reconnectJitter = 50 * time.Millisecond
	pingEvery       = 5 * time.Second
	flushWithin     = 2 * time.Second
	pendingMax      = 256 // requests waiting
)

// The queue group: of several processors one answers.
const (
	subjects = "regi.v1.*.*.authorize"
	group    = "hsm"
)

// Role reports whether a program with this argv[0] was started as the hsm: its
// main then does nothing but exit with Main.
func Role(argv0 string) bool { return argv0 == role }

// Main is the hsm's process; it returns its exit code. Only Start runs it.
func Main() int {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil)).With("process", "hsm")
	control, err := socket(controlFD)
	if err == nil {
		err = serve(control, log)
	}
	if err != nil {
		log.Error("failed", "err", err.Error())
		if control != nil {
			control.Write([]byte(stateFailed)) //nolint:errcheck,gosec // the exit code says it too
		}
		return 1
	}
	return 0
}

// socket wraps an inherited descriptor.
func socket(fd int) (*os.File, error) {
	if _, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err != nil {
		return nil, fmt.Errorf("hsm: descriptor %d is no socket: only the simulator starts this: %w", fd, err)
	}
	unix.CloseOnExec(fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, fmt.Errorf("hsm: descriptor %d: %w", fd, err)
	}
	return os.NewFile(uintptr(fd), "socket"), nil
}

// harden keeps what is in memory from core files and other processes.
func harden() error {
	err := errors.Join(
		unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0),
		unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}),
		unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
	)
	if err != nil {
		return fmt.Errorf("hsm: harden: %w", err)
	}
	return nil
}

// serve opens what is kept, answers until the parent closes its end, and
// closes what was opened.
func serve(control *os.File, log *slog.Logger) error {
	if err := harden(); err != nil {
		return err
	}
	c, err := readConfig(control)
	if err != nil {
		return err
	}
	keys, err := socket(keyFD)
	if err != nil {
		return err
	}
	lock, err := lockDir(c.Dir)
	if err != nil {
		return err
	}
	defer lock.Close() //nolint:errcheck // the process ends
	readers, err := socket(readerFD)
	if err != nil {
		return err
	}
	p := &processor{log: log}
	if p.bdk, err = openBDK(c.Dir, bdkName); err != nil {
		return err
	}
	if p.tdes, err = openBDK(c.Dir, tdesName); err != nil {
		return err
	}
	if p.memory, err = openMemory(c.Dir); err != nil {
		return err
	}
	defer p.memory.close() //nolint:errcheck // each entry is synced already
	// Both until the process ends.
	card := func() ([]byte, error) { packet, err := p.newKey(); return packet[:], err }
	reader := func() ([]byte, error) { packet, err := p.newReaderKey(); return packet[:], err }
	go serveKeys(keys, p, newKeys{askKey: card})
	go serveKeys(readers, p, newKeys{askKey: reader, askCard: card})
	if _, err := control.Write([]byte(stateKeys)); err != nil {
		return fmt.Errorf("hsm: control: %w", err)
	}
	conn, err := connect(c, p, control)
	if err != nil {
		return err
	}
	defer conn.Close()
	var b [1]byte
	control.Read(b[:]) //nolint:errcheck,gosec // the parent says nothing more; this is its end
	return nil
}

func readConfig(control *os.File) (c config, err error) {
	packet := make([]byte, configMax)
	n, err := control.Read(packet)
	if err != nil {
		return c, fmt.Errorf("hsm: configuration: %w", err)
	}
	if err := json.Unmarshal(packet[:n], &c); err != nil {
		return c, fmt.Errorf("hsm: configuration: %w", err)
	}
	if c.URL == "" || c.CA == "" || c.Creds == "" || c.Dir == "" {
		return c, errors.New("hsm: configuration: URL, CA, Creds and Dir are needed")
	}
	return c, nil
}

// connect subscribes. A server that is not there yet, or goes, is tried again
// for as long as the process lives.
func connect(c config, p *processor, control *os.File) (*nats.Conn, error) {
	creds, err := nats.NkeyOptionFromSeed(c.Creds)
	if err != nil {
		return nil, fmt.Errorf("hsm: creds: %w", err)
	}
	up, last := make(chan struct{}, 1), ""
	conn, err := nats.Connect(c.URL,
		nats.Name(role), creds, nats.Secure(&tls.Config{MinVersion: tls.VersionTLS13}), nats.RootCAs(c.CA),
		nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.IgnoreAuthErrorAbort(),
		nats.ReconnectWait(reconnectEvery), nats.ReconnectJitter(reconnectJitter, reconnectJitter), nats.PingInterval(pingEvery),
		nats.ConnectHandler(func(*nats.Conn) { up <- struct{}{} }),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) {
			if why := err.Error(); why != last { // once, not four times a second
				p.log.Warn("no connection", "err", why)
				last = why
			}
		}),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { p.log.Warn("disconnected", "err", fmt.Sprint(err)) }),
		nats.ReconnectHandler(func(*nats.Conn) { p.log.Info("connected again") }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { p.log.Error("nats", "err", err.Error()) }),
	)
	if err != nil {
		return nil, fmt.Errorf("hsm: connect: %w", err)
	}
	sub, err := conn.QueueSubscribe(subjects, group, func(m *nats.Msg) { answerTo(m, p) })
	if err == nil {
		err = sub.SetPendingLimits(pendingMax, pendingMax*requestMax)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("hsm: subscribe: %w", err)
	}
	go func() {
		<-up
		if err := conn.FlushTimeout(flushWithin); err != nil {
			p.log.Warn("subscription", "err", err.Error())
			return
		}
		p.log.Info("listening", "subjects", subjects)
		control.Write([]byte(stateListening)) //nolint:errcheck,gosec // nobody may wait for it any more
	}()
	return conn, nil
}

func answerTo(m *nats.Msg, p *processor) {
	register, err := subjectOf(m.Subject)
	if err != nil || m.Reply == "" {
		p.log.Warn("refused", "err", "subject without a register or a reply")
		return
	}
	if reply := p.authorize(register, m.Data); reply != nil {
		if err := m.Respond(reply); err != nil {
			p.log.Error("reply", "err", err.Error())
		}
	}
}
