package boot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// children is the table of the processes that this one started. All that ends
// on the board comes to PID 1, also what others left behind; package exec would
// miss its own children if somebody else waited for everything.
type children struct {
	log *log

	mu    sync.Mutex
	table map[int]chan syscall.WaitStatus
}

func newChildren(l *log) *children {
	c := &children{log: l, table: map[int]chan syscall.WaitStatus{}}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, unix.SIGCHLD)
	go func() {
		for range ended {
			c.reap()
		}
	}()
	return c
}

// reap buries all that have ended.
func (c *children) reap() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		if ended, ours := c.table[pid]; ours {
			delete(c.table, pid)
			ended <- status
		}
	}
}

// start runs this binary with arguments and descriptors from 3 on; what it
// writes to its standard error goes to the log.
func (c *children) start(args, env []string, files ...*os.File) (pid int, ended <-chan syscall.WaitStatus, err error) {
	read, write, err := os.Pipe()
	if err != nil {
		return 0, nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	defer write.Close() //nolint:errcheck // the child has its own copy
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return 0, nil, fmt.Errorf("start %s: %w", args[0], errors.Join(err, read.Close()))
	}
	defer null.Close() //nolint:errcheck // the child has its own copy
	attr := &syscall.ProcAttr{Dir: "/", Env: env, Files: []uintptr{null.Fd(), null.Fd(), write.Fd()}}
	for _, f := range files {
		attr.Files = append(attr.Files, f.Fd())
	}
	// The table first: it may have ended before it stands there.
	c.mu.Lock()
	defer c.mu.Unlock()
	pid, err = syscall.ForkExec("/proc/self/exe", args, attr) //nolint:gosec // this binary, under names of ours
	if err != nil {
		return 0, nil, fmt.Errorf("start %s: %w", args[0], errors.Join(err, read.Close()))
	}
	one := make(chan syscall.WaitStatus, 1)
	c.table[pid] = one
	go c.log.drain(read)
	return pid, one, nil
}

// endAll asks all processes to end, and ends those that have not in time.
func (c *children) endAll(within time.Duration) {
	unix.Kill(-1, unix.SIGTERM) //nolint:errcheck,gosec // there may be none
	for until := time.Now().Add(within); time.Now().Before(until) && c.living() > 0; {
		time.Sleep(50 * time.Millisecond)
	}
	unix.Kill(-1, unix.SIGKILL) //nolint:errcheck,gosec // there may be none
}

func (c *children) living() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.table)
}

// Pauses before a register that ended is started again.
const (
	pauseMin = time.Second
	pauseMax = 30 * time.Second
	// steady is how long it must have run for the pause to start over.
	steady = time.Minute
)

// keepRegister runs the register until ctx ends.
func (m *machine) keepRegister(ctx context.Context, end context.CancelCauseFunc) {
	pause := pauseMin
	for ctx.Err() == nil {
		begun := time.Now()
		if err := m.once(ctx, end); err != nil && ctx.Err() == nil {
			m.log.caused("register: %v; again in %v", err, pause)
		}
		if time.Since(begun) >= steady {
			pause = pauseMin
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, pauseMax)
	}
}

// once runs the register until it ends.
func (m *machine) once(ctx context.Context, end context.CancelCauseFunc) error {
	ours, theirs, err := pair()
	if err != nil {
		return err
	}
	link := newLink(ours)
	defer link.close()
	pid, ended, err := m.children.start([]string{"regi", m.what(), "--config", Config}, []string{LinkEnv}, theirs)
	theirs.Close() //nolint:errcheck,gosec // the child has its own copy
	if err != nil {
		return err
	}
	go m.serve(link, end)
	select {
	case status := <-ended:
		return fmt.Errorf("ended: %s", describe(status))
	case <-ctx.Done():
		unix.Kill(pid, unix.SIGTERM) //nolint:errcheck,gosec // it may just have ended
		select {
		case <-ended:
		case <-time.After(endWithin):
		}
		return nil
	}
}

// what the register is started as: a version that may not run here is a console,
// by which it is updated.
func (m *machine) what() string {
	if m.slots != nil && m.slots.below() {
		return "setup"
	}
	return "run"
}

func describe(s syscall.WaitStatus) string {
	if s.Signaled() {
		return "signal " + s.Signal().String()
	}
	return fmt.Sprintf("exit code %d", s.ExitStatus())
}
