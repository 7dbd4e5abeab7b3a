// Package role starts the register's other processes: the same binary run
// again under another name, with one socket to its parent and nothing else.
package role

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The roles, as they stand in argv[0] and in a process list.
const (
	Capture = "regi-capture"
	Uplink  = "regi-uplink"
)

// Descriptors a child is born with, after 0, 1 and 2.
const (
	LinkFD = 3 // SEQPACKET socket to the parent: one write is one packet
	KeyFD  = 4 // capture only: where it asks for its initial key
)

// Of says which role this process was started in: "" for the first one.
func Of(argv0 string) string {
	switch argv0 {
	case Capture, Uplink:
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

// Confine gives up what no role ever needs: gaining privileges by exec.
func Confine() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("role: no_new_privs: %w", err)
	}
	return nil
}

// Child is a running role.
type Child struct {
	Link *os.File
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// Start runs this binary again as the named role. extra becomes descriptor 4
// (nil: none). The child dies with its parent. Env holds only what the role
// needs: no secret travels by environment or argument.
func Start(name string, extra *os.File, env []string, stderr io.Writer) (*Child, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("role: %s: socket pair: %w", name, err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "link"), os.NewFile(uintptr(fds[1]), "link")
	defer theirs.Close() //nolint:errcheck // the child has its own copy
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{name}, Env: env, Stderr: stderr,
		ExtraFiles:  []*os.File{theirs},
		SysProcAttr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	}
	if extra != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, extra)
	}
	c := &Child{Link: ours, cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel sends the death signal when the *thread* that forked ends,
		// so that thread is kept for as long as the child lives.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait() //nolint:errcheck,gosec // ProcessState says how it ended
			close(c.done)
		}
	}()
	if err := <-started; err != nil {
		ours.Close() //nolint:errcheck,gosec // the start's error is the one to report
		return nil, fmt.Errorf("role: start %s: %w", name, err)
	}
	return c, nil
}

// Wait ends when the child has ended or the context is over, in which case
// the child is killed first. It returns the child's exit code, -1 for a signal.
func (c *Child) Wait(ctx context.Context) int {
	select {
	case <-c.done:
	case <-ctx.Done():
		c.cmd.Process.Kill() //nolint:errcheck,gosec // it may just have ended by itself
		<-c.done
	}
	c.Link.Close() //nolint:errcheck,gosec // nothing is left to lose on it
	return c.cmd.ProcessState.ExitCode()
}

// PID is the child's process id.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Back-off between restarts of a child that dies.
const (
	backoffMin = 100 * time.Millisecond
	backoffMax = 2 * time.Second
	// steadyAfter: a child that lived this long restarts from the shortest pause.
	steadyAfter = 10 * time.Second
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
		if err == nil {
			run, cancel := context.WithCancel(ctx)
			served := make(chan struct{})
			go func() {
				defer close(served)
				serve(run, c)
				c.cmd.Process.Kill() //nolint:errcheck,gosec // a child nobody listens to must not go on
			}()
			code = c.Wait(ctx)
			cancel()
			<-served
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
