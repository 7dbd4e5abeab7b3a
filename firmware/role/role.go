// Package role starts the register's other processes: the same binary run
// again under another name, with one socket to its parent and nothing else.
package role

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The roles, as they stand in argv[0] and in a process list.
const (
	Capture = "regi-capture"
	Uplink  = "regi-uplink"
	Keys    = "regi-keys"
	Drawer  = "regi-drawer" // holds the lines of a drawer on GPIO
	Spawn   = "regi-spawn"  // starts the others for a register that is confined
)

// Descriptors a child is born with, after 0, 1 and 2.
const (
	LinkFD = 3 // SEQPACKET socket to the parent: one write is one packet
	KeyFD  = 4 // capture only: where it asks for its initial key
	TTYFD  = 4 // keys only: the officers' terminal
	// ReportFD, uplink only: where it says how it is confined, if anybody asks.
	ReportFD = 4
)

// toldEnv is the one variable that is not the role's own: see Told.
const toldEnv = "REGI_TOLD"

// Told is what this process's role was told by who started the register, and not
// by the register, which may have been taken over since.
func Told() string { return os.Getenv(toldEnv) }

// TellEnv is the environment of a child that is started without a spawner.
func TellEnv(told string) string { return toldEnv + "=" + told }

// Of says which role this process was started in: "" for the first one.
func Of(argv0 string) string {
	switch argv0 {
	case Capture, Uplink, Keys, Drawer, Spawn:
		return argv0
	}
	return ""
}

// Link wraps an inherited SEQPACKET descriptor.
func Link(fd int) (*os.File, error) {
	if _, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err != nil {
		return nil, fmt.Errorf("role: descriptor %d is no socket: start this role through \"regi run\": %w", fd, err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, fmt.Errorf("role: descriptor %d: %w", fd, err)
	}
	unix.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), "link"), nil
}

// Violation is the exit code of a child that its own jail has killed.
const Violation = -2

// Child is a running role.
type Child struct {
	Link  *os.File
	pid   int
	kill  func()           // does nothing to a child that has ended
	state *os.ProcessState // how it ended
	done  chan struct{}    // closed when it has
}

// Start runs this binary again as the named role. extra becomes descriptor 4
// (nil: none). The child dies with its parent. Env is its whole environment and
// holds only what the role needs: no secret travels by environment or argument.
func Start(name string, extra *os.File, env []string, stderr io.Writer) (*Child, error) {
	if err := closeOnExec(); err != nil {
		return nil, fmt.Errorf("role: %s: descriptors: %w", name, err)
	}
	if env == nil {
		env = []string{} // for package exec, nil is this process's own
	}
	ours, theirs, err := Pair()
	if err != nil {
		return nil, fmt.Errorf("role: %s: %w", name, err)
	}
	defer theirs.Close() //nolint:errcheck // the child has its own copy
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{name}, Env: env, Stderr: stderr,
		ExtraFiles:  []*os.File{theirs},
		SysProcAttr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	}
	if extra != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, extra)
	}
	c := &Child{Link: ours, done: make(chan struct{})}
	c.kill = func() {
		cmd.Process.Kill() //nolint:errcheck,gosec // it may just have ended by itself
	}
	started := make(chan error)
	go onOwnThread(func() {
		// The kernel sends the death signal when the *thread* that forked ends,
		// so that thread is kept for as long as the child lives.
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait() //nolint:errcheck,gosec // ProcessState says how it ended
			c.state = cmd.ProcessState
			close(c.done)
		}
	})
	if err := <-started; err != nil {
		ours.Close() //nolint:errcheck,gosec // the start's error is the one to report
		return nil, fmt.Errorf("role: start %s: %w", name, err)
	}
	c.pid = cmd.Process.Pid
	return c, nil
}

// onOwnThread runs f on a thread that ends with it. Go never ends the main
// thread, so that one is held meanwhile.
func onOwnThread(f func()) {
	runtime.LockOSThread() // and not unlocked: that is what ends it
	if unix.Gettid() != unix.Getpid() {
		f()
		return
	}
	defer runtime.UnlockOSThread()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread()
		f()
	}()
	<-ended
}

// Pair makes the two ends of a link.
func Pair() (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socket pair: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "link"), os.NewFile(uintptr(fds[1]), "link"), nil
}

// closeOnExec keeps every descriptor of this process from its children. Those
// that Go opened are kept already; those that this process was born with, the
// card key's above all, are not.
func closeOnExec() error {
	const first, last = 3, math.MaxInt32
	err := unix.CloseRange(first, last, unix.CLOSE_RANGE_CLOEXEC)
	if !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EINVAL) {
		return err
	}
	// A kernel before 5.11: one by one.
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd >= first {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// Wait ends when the child has ended or the context is over, in which case
// the child is killed first. It returns the child's exit code, -1 for a signal
// and Violation for a forbidden system call.
func (c *Child) Wait(ctx context.Context) int {
	code := c.wait(ctx)
	c.Link.Close() //nolint:errcheck,gosec // nothing is left to lose on it
	return code
}

// wait is Wait that leaves the link open: what the child sent before it ended
// can still be read from it.
func (c *Child) wait(ctx context.Context) int {
	select {
	case <-c.done:
	case <-ctx.Done():
		c.kill()
		<-c.done
	}
	if s, ok := c.state.Sys().(syscall.WaitStatus); ok && s.Signaled() && s.Signal() == unix.SIGSYS {
		return Violation
	}
	return c.state.ExitCode()
}

// PID is the child's process id.
func (c *Child) PID() int { return c.pid }

// Back-off between restarts of a child that dies.
const (
	backoffMin = 100 * time.Millisecond
	backoffMax = 2 * time.Second
	// steadyAfter: a child that lived this long restarts from the shortest pause.
	steadyAfter = 10 * time.Second
	// drainWithin bounds how long a dead child's last words are listened to.
	drainWithin = time.Second
)

// Keep runs a role again and again until the context ends. serve talks to the
// child over its link and returns when the link ends; ended is told the exit
// code, for a state the operator sees.
func Keep(ctx context.Context, start func() (*Child, error), serve func(context.Context, *Child), ended func(code int, err error)) {
	pause := backoffMin
	for ctx.Err() == nil {
		began := time.Now()
		code := -1
		c, err := start()
		switch {
		case err == nil:
			code = live(ctx, c, serve)
		case c != nil: // it runs, but could not be told what to do
			c.kill()
			c.Wait(ctx)
		}
		if ctx.Err() != nil {
			return
		}
		ended(code, err)
		if time.Since(began) > steadyAfter {
			pause = backoffMin
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, backoffMax)
	}
}

// live serves one child until both have ended, and returns its exit code.
func live(ctx context.Context, c *Child, serve func(context.Context, *Child)) int {
	run, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan struct{})
	go func() {
		defer close(served)
		serve(run, c)
		c.kill() // a child nobody listens to must not go on
	}()
	code := c.wait(ctx)
	late := time.NewTimer(drainWithin)
	defer late.Stop()
	select {
	case <-served:
	case <-ctx.Done():
	case <-late.C:
	}
	cancel()
	c.Link.Close() //nolint:errcheck,gosec // nothing is left to lose on it
	<-served
	return code
}
