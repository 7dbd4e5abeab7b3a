package power

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// keyFD is the descriptor behind standard error, the first that is inherited.
const keyFD = 3

// keyEnv names the descriptor on which the register's capture process asks for
// its initial key.
const keyEnv = "REGI_CARD_KEY_FD"

// lineMax bounds a line of the register's log.
const lineMax = 64 << 10

// logWithin is how long the last lines of a register that is gone may take.
const logWithin = time.Second

// run is one life of the register's process.
type run struct {
	cmd    *exec.Cmd
	pid    int
	begun  string        // tells it from a later process of its number
	dead   chan struct{} // closed when it has ended; it is not yet waited for
	log    *os.File
	logged chan struct{} // closed when its last line was read
}

// launch starts the register in a process group of its own, whose number stays
// valid until the register is waited for.
func launch(o *Options) (*run, error) {
	log, theirs, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	defer theirs.Close() //nolint:errcheck // the register has its own copy
	cmd := &exec.Cmd{
		Path: o.Path, Args: append([]string{o.Path}, o.Args...), Env: environment(o),
		Stdout: theirs, Stderr: theirs,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
	}
	if o.CardKey != nil {
		cmd.ExtraFiles = []*os.File{o.CardKey}
	}
	r := &run{cmd: cmd, dead: make(chan struct{}), log: log, logged: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel sends the death signal when the *thread* that forked ends,
		// so that thread is kept for as long as the register lives.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		awaitExit(cmd.Process.Pid)
		close(r.dead)
	}()
	if err := <-started; err != nil {
		return nil, errors.Join(err, log.Close())
	}
	r.pid = cmd.Process.Pid
	self, _ := look(r.pid) // it is there, a zombie at worst
	r.begun = self.begun
	return r, nil
}

func environment(o *Options) []string {
	env := o.Env
	if env == nil {
		env = os.Environ()
	}
	env = slices.DeleteFunc(slices.Clone(env), func(s string) bool { return strings.HasPrefix(s, keyEnv+"=") })
	if o.CardKey != nil {
		env = append(env, keyEnv+"="+strconv.Itoa(keyFD))
	}
	return env
}

// awaitExit blocks until a child has ended and leaves it to be waited for.
func awaitExit(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return // with an error there is no such child: that is an end, too
		}
	}
}

// follow hands on the register's lines until the last of its processes has
// closed the pipe. A log that cannot be written to does not stop the register.
func (r *run) follow(log io.Writer, heard func(line []byte)) {
	defer close(r.logged)
	lines := bufio.NewReaderSize(r.log, lineMax)
	for {
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 {
			heard(line)
			if errors.Is(err, bufio.ErrBufferFull) {
				line = append(slices.Clip(line), "…\n"...)
			}
			log.Write(line) //nolint:errcheck,gosec // said above
		}
		for errors.Is(err, bufio.ErrBufferFull) { // the rest of a line over the limit
			_, err = lines.ReadSlice('\n')
		}
		if err != nil {
			return
		}
	}
}

// hangUp ends follow when the register's processes are gone.
func (r *run) hangUp() {
	r.log.SetReadDeadline(time.Now().Add(logWithin)) //nolint:errcheck,gosec // a pipe has deadlines
	select {
	case <-r.logged:
	case <-time.After(2 * logWithin): // the log takes nothing
	}
	r.log.Close() //nolint:errcheck,gosec // only read from
}
