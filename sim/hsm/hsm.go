// Package hsm is the card processor's key box: a process of its own, the only
// one beside a card reader that ever has card keys, and the only place where a
// sealed card read is opened. It gives a register's card reader its initial key
// and answers authorisations; no card number leaves it.
//
// It is a soft one: its base key lies in a file that its user alone may read.
// A real processor keeps that key in a certified device.
package hsm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"regi/sim/dukpt"
)

// Options say where the hsm finds its cloud and keeps its keys.
type Options struct {
	URL   string    // of the NATS server
	CA    string    // file with the server's CA
	Creds string    // file with the NKEY seed
	Dir   string    // base key and memory; made if it is missing
	Exe   string    // the binary whose main calls Main; "": this one
	Log   io.Writer // JSON lines; nil: none
}

// Times of the parent's side.
const (
	// startWithin bounds how long the first process may take to have its keys.
	startWithin = 10 * time.Second
	// connectWithin is how long Start waits for the server; after it the hsm
	// goes on trying by itself.
	connectWithin = 5 * time.Second
	// restartAfter is the pause before a process that died is started again.
	restartAfter = 500 * time.Millisecond
)

// HSM is a running key box.
type HSM struct {
	o            Options
	near, far    *os.File // of the key socket; far is each process's
	office, box  *os.File // of the socket for keys of encrypting readers, likewise
	asking       sync.Mutex
	states       chan string
	stop         context.CancelFunc
	ended        chan struct{}
	mu           sync.Mutex
	pid          int
	lastErr      error
	closeKeyEnds sync.Once
}

// Start runs the hsm and waits until it has its keys and, if the server is up,
// listens. A process that dies is started again until ctx ends or Close.
func Start(ctx context.Context, o Options) (*HSM, error) {
	if o.Exe == "" {
		o.Exe = "/proc/self/exe"
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("hsm: socket pair: %w", err)
	}
	office, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("hsm: socket pair: %w", err), unix.Close(fds[0]), unix.Close(fds[1]))
	}
	ctx, stop := context.WithCancel(ctx)
	h := &HSM{
		o: o, stop: stop, ended: make(chan struct{}), states: make(chan string, 4),
		near: os.NewFile(uintptr(fds[0]), "card key"), far: os.NewFile(uintptr(fds[1]), "card key"),
		office: os.NewFile(uintptr(office[0]), "reader key"), box: os.NewFile(uintptr(office[1]), "reader key"),
	}
	go h.keep(ctx)
	if err := h.await(ctx, stateKeys, startWithin); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	if err := h.await(ctx, stateListening, connectWithin); err != nil && !errors.Is(err, errLate) {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// KeyEnd is the socket end that a register inherits: each packet "K" written to
// it is answered with 24 bytes, IKID (8) ‖ IK (16), a new one each time, or
// with "-" if there is none. It stays open and good over restarts of either
// side; what is asked while the hsm is down is answered once it is up.
func (h *HSM) KeyEnd() *os.File { return h.near }

// officeWithin bounds the wait for a key from the key loading office.
const officeWithin = 10 * time.Second

// ReaderKey gives out the initial key of an encrypting reader, as its maker's
// key loading room would inject it: a KSN and a key that no reader has had.
func (h *HSM) ReaderKey() (ksn dukpt.KSN, key dukpt.Key, err error) {
	err = h.askOffice(askKey, ksn[:], key[:])
	return ksn, key, err
}

// CardKey gives out the initial key of a card process, for a ceremony: a key
// id and a key that no device has had.
func (h *HSM) CardKey() (id [8]byte, key [16]byte, err error) {
	err = h.askOffice(askCard, id[:], key[:])
	return id, key, err
}

// askOffice fills id and key with the answer to a request.
func (h *HSM) askOffice(ask string, id, key []byte) error {
	h.asking.Lock()
	defer h.asking.Unlock()
	if err := h.office.SetDeadline(time.Now().Add(officeWithin)); err != nil {
		return fmt.Errorf("hsm: new key: %w", err)
	}
	packet := make([]byte, len(id)+len(key)+1)
	defer clear(packet)
	n := 0
	_, err := h.office.WriteString(ask)
	if err == nil {
		n, err = h.office.Read(packet)
	}
	switch {
	case err != nil:
		return fmt.Errorf("hsm: new key: %w", err)
	case n != len(packet)-1:
		return errors.New("hsm: no new key; the log says why")
	}
	copy(key, packet[copy(id, packet):])
	return nil
}

// PID is the process that runs now; 0: none.
func (h *HSM) PID() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.pid
}

// Close ends the process and closes the key socket. The error is why it could
// not be started the last time, if so.
func (h *HSM) Close() error {
	h.stop()
	<-h.ended
	var err error
	h.closeKeyEnds.Do(func() { err = errors.Join(h.near.Close(), h.far.Close(), h.office.Close(), h.box.Close()) })
	return errors.Join(h.lastErr, err)
}

var errLate = errors.New("not yet")

// await waits until the process reports a state.
func (h *HSM) await(ctx context.Context, state string, within time.Duration) error {
	late := time.NewTimer(within)
	defer late.Stop()
	for {
		select {
		case s := <-h.states:
			switch s {
			case state:
				return nil
			case stateFailed:
				return errors.New("hsm: cannot start; its log says why")
			}
		case <-h.ended:
			return errors.New("hsm: ended")
		case <-late.C:
			return fmt.Errorf("hsm: %s: %w after %v", state, errLate, within)
		case <-ctx.Done():
			return fmt.Errorf("hsm: %w", ctx.Err())
		}
	}
}

// keep runs one process after the other.
func (h *HSM) keep(ctx context.Context) {
	defer close(h.ended)
	// The kernel sends the death signal when the *thread* that forked ends.
	runtime.LockOSThread()
	for ctx.Err() == nil {
		if err := h.run(ctx); err != nil {
			h.lastErr = err
			h.report(stateFailed)
		}
		select {
		case <-ctx.Done():
		case <-time.After(restartAfter):
		}
	}
}

// run is the life of one process.
func (h *HSM) run(ctx context.Context) error {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("hsm: socket pair: %w", err)
	}
	control := os.NewFile(uintptr(fds[0]), "control")
	theirs := os.NewFile(uintptr(fds[1]), "control")
	cmd := &exec.Cmd{
		Path: h.o.Exe, Args: []string{role}, Stderr: h.o.Log,
		// A traceback would print arguments, and a preemption signal would keep
		// vector registers in its frame.
		Env:         []string{"GOTRACEBACK=none", "GODEBUG=asyncpreemptoff=1"},
		ExtraFiles:  []*os.File{theirs, h.far, h.box},
		SysProcAttr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	}
	err = cmd.Start()
	err = errors.Join(err, theirs.Close())
	if err != nil {
		return errors.Join(fmt.Errorf("hsm: start: %w", err), control.Close())
	}
	h.setPID(cmd.Process.Pid)
	defer h.setPID(0)
	listened := make(chan struct{})
	go func() { defer close(listened); h.listen(control) }()
	unwatch := context.AfterFunc(ctx, func() { cmd.Process.Kill() }) //nolint:errcheck,gosec // it may just have ended
	cmd.Wait()                                                       //nolint:errcheck,gosec // however it ended, it is started again
	unwatch()
	<-listened // its end of the control socket is gone
	return control.Close()
}

// listen gives the process its configuration and hears its states.
func (h *HSM) listen(control *os.File) {
	packet, err := json.Marshal(config{URL: h.o.URL, CA: h.o.CA, Creds: h.o.Creds, Dir: h.o.Dir})
	if err != nil {
		panic("hsm: internal error: four strings do not encode")
	}
	if _, err := control.Write(packet); err != nil {
		return // it died at once; keep starts another
	}
	b := make([]byte, stateMax)
	for {
		n, err := control.Read(b)
		if err != nil {
			return
		}
		h.report(string(b[:n]))
	}
}

// report tells Start; nobody listens later.
func (h *HSM) report(state string) {
	select {
	case h.states <- state:
	default:
	}
}

func (h *HSM) setPID(pid int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pid = pid
}
