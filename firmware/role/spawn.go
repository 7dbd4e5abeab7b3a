package role

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"regi/firmware/seccomp"
)

// answerWithin bounds an answer of the spawner.
const answerWithin = 10 * time.Second

// A request is the kind, then a role's number or a process id, 32 bits, little
// endian; the descriptors of a new role come with it. The answer is a process
// id and an errno, one of them zero.
const (
	askStart    = 'S'
	askKill     = 'K'
	askBytes    = 1 + 4
	answerBytes = 4 + 4
	// childrenMax bounds the living children; a register has three.
	childrenMax = 8
)

// The roles by number. Their whole environment is given here and not by who
// asks for them.
//
//nolint:gochecknoglobals // a constant table
var spawned = []struct {
	name   string
	env    []string
	stderr bool // it may log; otherwise it writes to the null device
}{
	// A preemption signal would store vector registers, and with them card data,
	// in a signal frame; a traceback would print arguments.
	{Capture, []string{"GODEBUG=asyncpreemptoff=1", "GOTRACEBACK=none"}, false},
	{Keys, []string{"GODEBUG=asyncpreemptoff=1", "GOTRACEBACK=none"}, false},
	{Uplink, []string{}, true},
	{Drawer, []string{}, true},
}

// Spawner starts roles for a process that is confined, or soon will be. Linux
// lets a process look into others of its own Landlock domain and of domains
// nested in it; a child is born into its parent's domain. So the register must
// not start the capture process itself: the spawner does, a process that is in
// no domain, runs nothing but this loop, and knows two things that can be asked
// of it. Its children are the register's children: the register waits for
// them, and they die with it.
type Spawner struct {
	mu    sync.Mutex // one question at a time
	child *Child
}

// NewSpawner starts the process. stderr is where the roles log that may.
func NewSpawner(stderr *os.File) (*Spawner, error) {
	c, err := Start(Spawn, nil, []string{"GOMAXPROCS=1"}, stderr)
	if err != nil {
		return nil, err
	}
	return &Spawner{child: c}, nil
}

// Wait returns when ctx has ended or, with an error, the spawner has. A
// register without it cannot replace a role any more: it has to end. The roles
// have died with the spawner: the thread that waits for it is their parent.
func (s *Spawner) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.child.done:
		return fmt.Errorf("role: %s ended: %v", Spawn, s.child.state)
	}
}

// PID is the spawner's process id.
func (s *Spawner) PID() int { return s.child.PID() }

// Close ends the spawner and its children. A confined process may not kill it,
// but it ends with its link.
func (s *Spawner) Close() {
	s.child.Link.Close() //nolint:errcheck,gosec // nothing is left to lose on it
	<-s.child.done
}

// Start runs this binary again as the named role, as the function Start does.
func (s *Spawner) Start(name string, extra *os.File) (*Child, error) {
	number := -1
	for i := range spawned {
		if spawned[i].name == name {
			number = i
		}
	}
	ours, theirs, err := Pair()
	if err != nil {
		return nil, fmt.Errorf("role: %s: %w", name, err)
	}
	defer theirs.Close() //nolint:errcheck // the child has its own copy
	pass := []*os.File{theirs}
	if extra != nil {
		pass = append(pass, extra)
	}
	pid, err := s.ask(askStart, number, pass)
	if err != nil {
		ours.Close() //nolint:errcheck,gosec // the start's error is the one to report
		return nil, fmt.Errorf("role: start %s: %w", name, err)
	}
	process, err := os.FindProcess(pid) // it waits for this process to be waited for
	if err != nil {
		ours.Close() //nolint:errcheck,gosec // ends the child as well
		return nil, fmt.Errorf("role: start %s: %w", name, err)
	}
	c := &Child{Link: ours, pid: pid, done: make(chan struct{})}
	c.kill = func() { s.kill(c) }
	go func() {
		defer close(c.done)
		c.state, err = process.Wait()
		if err != nil {
			panic("role: internal error: a child that cannot be waited for")
		}
	}()
	return c, nil
}

// kill is for the spawner to do: a confined process may signal nobody outside
// its domain.
func (s *Spawner) kill(c *Child) {
	_, err := s.ask(askKill, c.pid, nil)
	if err != nil && !errors.Is(err, unix.ESRCH) {
		// The spawner is gone, and with it the child; were it not, the end of its
		// link is its end.
		c.Link.Close() //nolint:errcheck,gosec // nothing is left to lose on it
	}
}

func (s *Spawner) ask(kind byte, number int, pass []*os.File) (pid int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	packet := binary.LittleEndian.AppendUint32([]byte{kind}, uint32(number)) //nolint:gosec // a number of ours, or refused
	var rights []byte
	if len(pass) > 0 {
		fds := make([]int, 0, len(pass))
		for _, f := range pass {
			fds = append(fds, int(f.Fd()))
		}
		rights = unix.UnixRights(fds...)
	}
	link := s.child.Link
	if err := link.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		return 0, err
	}
	raw, err := link.SyscallConn()
	if err != nil {
		return 0, err
	}
	var sent error
	err = raw.Write(func(fd uintptr) bool {
		sent = unix.Sendmsg(int(fd), packet, rights, nil, unix.MSG_NOSIGNAL)
		return !errors.Is(sent, unix.EAGAIN)
	})
	if err = errors.Join(err, sent); err != nil {
		return 0, err
	}
	var answer [answerBytes]byte
	n, err := link.Read(answer[:])
	switch {
	case err != nil:
		return 0, err
	case n != len(answer):
		return 0, io.ErrUnexpectedEOF
	}
	if errno := binary.LittleEndian.Uint32(answer[4:]); errno != 0 {
		return 0, syscall.Errno(errno)
	}
	return int(int32(binary.LittleEndian.Uint32(answer[:]))), nil //nolint:gosec // as it was put in
}

// SpawnMain is the spawner's process. It ends with its link, that is with the
// register.
func SpawnMain() error {
	if err := Born(); err != nil {
		return err
	}
	// What no role ever needs is taken from all of them here.
	if err := seccomp.Enter(needless(), seccomp.Allow); err != nil && !errors.Is(err, seccomp.ErrAbsent) {
		return fmt.Errorf("role: %w", err)
	}
	// A terminal's interrupt goes to every process; the register decides what
	// it means. Caught and not ignored: children inherit what is ignored.
	signal.Notify(make(chan os.Signal, 1), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("role: %w", err)
	}
	unix.CloseOnExec(LinkFD)
	if err := unix.SetNonblock(LinkFD, false); err != nil {
		return fmt.Errorf("role: link: %w", err)
	}
	p := &spawner{null: uintptr(null), children: map[int]int{}}
	for {
		if err := p.serve(); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("role: %s: %w", Spawn, err)
		}
	}
}

// spawner is the state of that process.
type spawner struct {
	null     uintptr
	children map[int]int // process id to pidfd
}

// serve answers one request.
func (p *spawner) serve() error {
	var packet [askBytes + 1]byte // one more, so that a longer one is seen
	rights := make([]byte, unix.CmsgSpace(2*4))
	n, rn, flags, _, err := retried(func() (int, int, int, unix.Sockaddr, error) {
		return unix.Recvmsg(LinkFD, packet[:], rights, unix.MSG_CMSG_CLOEXEC)
	})
	if err != nil {
		return err
	}
	if n == 0 {
		return io.EOF
	}
	fds, err := received(rights[:rn])
	defer func() {
		for _, fd := range fds {
			unix.Close(fd) //nolint:errcheck,gosec // the child has its own copy
		}
	}()
	if err != nil || n != askBytes || flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 {
		return errors.New("malformed request")
	}
	p.bury()
	pid, errno := p.do(packet[0], int(int32(binary.LittleEndian.Uint32(packet[1:]))), fds) //nolint:gosec // checked by do
	var answer [answerBytes]byte
	binary.LittleEndian.PutUint32(answer[:], uint32(pid))    //nolint:gosec // a process id is positive
	binary.LittleEndian.PutUint32(answer[4:], uint32(errno)) //nolint:gosec // an errno is below 4096
	_, err = unix.Write(LinkFD, answer[:])
	return err
}

// do checks and carries out a request.
func (p *spawner) do(kind byte, number int, fds []int) (pid int, errno syscall.Errno) {
	switch {
	case kind == askStart && number >= 0 && number < len(spawned) && (len(fds) == 1 || len(fds) == 2):
		return p.start(number, fds)
	case kind == askKill && len(fds) == 0:
		pidfd, ok := p.children[number]
		if !ok {
			return 0, unix.ESRCH
		}
		return 0, asErrno(unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0))
	}
	return 0, unix.EINVAL
}

func (p *spawner) start(number int, fds []int) (pid int, errno syscall.Errno) {
	if len(p.children) == childrenMax {
		return 0, unix.EAGAIN
	}
	role, pidfd := &spawned[number], -1
	stderr := p.null
	if role.stderr {
		stderr = uintptr(unix.Stderr)
	}
	attr := &syscall.ProcAttr{
		Env:   role.env,
		Files: []uintptr{p.null, p.null, stderr},
		// The parent is the register, whose death signal the child asks for itself
		// (Born): here it would be compared with this process.
		Sys: &syscall.SysProcAttr{Cloneflags: unix.CLONE_PARENT, PidFD: &pidfd},
	}
	for _, fd := range fds {
		attr.Files = append(attr.Files, uintptr(fd))
	}
	pid, err := syscall.ForkExec("/proc/self/exe", []string{role.name}, attr) //nolint:gosec // this binary, under a name of ours
	if err != nil {
		return 0, asErrno(err)
	}
	if pidfd >= 0 {
		p.children[pid] = pidfd
	}
	return pid, 0
}

// bury forgets children that have ended: their process ids may be another's.
func (p *spawner) bury() {
	for pid, pidfd := range p.children {
		poll := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}} //nolint:gosec // a descriptor
		if n, err := unix.Poll(poll, 0); err == nil && n > 0 {
			unix.Close(pidfd) //nolint:errcheck,gosec // only watched
			delete(p.children, pid)
		}
	}
}

func received(rights []byte) (fds []int, err error) {
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil {
		return nil, err
	}
	for i := range messages {
		more, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			return fds, err
		}
		fds = append(fds, more...)
	}
	return fds, nil
}

func retried(f func() (int, int, int, unix.Sockaddr, error)) (n, rn, flags int, from unix.Sockaddr, err error) {
	for {
		n, rn, flags, from, err = f()
		if !errors.Is(err, unix.EINTR) {
			return n, rn, flags, from, err
		}
	}
}

func asErrno(err error) syscall.Errno {
	if err == nil {
		return 0
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	return unix.EIO
}
