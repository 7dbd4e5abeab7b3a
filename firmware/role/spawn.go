package role

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"regi/firmware/landlock"
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
	askOpen     = 'O'
	askBytes    = 1 + 4
	answerBytes = 4 + 4
	// pathsBytes and controlsBytes bound the first packet and its answer.
	pathsBytes, controlsBytes = 16 << 10, 4 << 10
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
	urgent bool // it goes before all that are not, and is spared when memory runs out
}{
	// A preemption signal would store vector registers, and with them card data,
	// in a signal frame; a traceback would print arguments.
	{Capture, []string{"GODEBUG=asyncpreemptoff=1", "GOTRACEBACK=none"}, false, false},
	{Keys, []string{"GODEBUG=asyncpreemptoff=1", "GOTRACEBACK=none"}, false, false},
	{Uplink, []string{}, true, false},
	{Drawer, []string{}, true, true},
}

// Spawner starts roles for a process that is confined, or soon will be. Linux
// lets a process look into others of its own Landlock domain and of domains
// nested in it; a child is born into its parent's domain. So the register must
// not start the capture process itself: the spawner does, a process that runs
// nothing but this loop, and knows two things that can be asked of it. Its
// children are the register's children: the register waits for them, and they
// die with it.
//
// The spawner's own domain encloses theirs, and so does not by itself keep it
// from looking into them. Three other things do, which its children can do
// without as well: no path of the domain leads to /proc, the filter refuses the
// system calls, and the capability is gone.
type Spawner struct {
	// Controls are the confinements of the process.
	Controls []Control

	mu     sync.Mutex // one question at a time
	child  *Child
	lines  []string      // by their numbers
	within time.Duration // an answer is waited for
}

// Spawning is what a spawner is told before anything else, by a register that
// is not confined yet.
type Spawning struct {
	// Paths are all that the spawner and its children may open.
	Paths []landlock.Path
	// Lines are the devices that may be asked for by their names; what they are
	// only the opener knows.
	Lines map[string]json.RawMessage
	// Told is what processes of these roles are told at their start. Whoever takes
	// the register over later cannot tell them anything else.
	Told map[string]string
	// Keyed: a card process may be given a source of keys. Only where there was
	// one before the register was confined: who takes it over later shall not
	// bring his own.
	Keyed bool
}

// Opener opens a device of Spawning.Lines.
type Opener func(line json.RawMessage) (*os.File, error)

// NewSpawner starts the process. stderr is where the roles log that may.
func NewSpawner(stderr *os.File, told Spawning) (*Spawner, error) {
	c, err := Start(Spawn, nil, []string{"GOMAXPROCS=1"}, stderr)
	if err != nil {
		return nil, err
	}
	s := &Spawner{child: c, lines: slices.Sorted(maps.Keys(told.Lines)), within: answerWithin}
	if err := s.confine(told); err != nil {
		s.Close()
		return nil, fmt.Errorf("role: %s: %w", Spawn, err)
	}
	return s, nil
}

// confine tells the new process what it may open and hears how well it is
// confined.
func (s *Spawner) confine(told Spawning) error {
	packet, err := json.Marshal(told)
	if err != nil {
		return err
	}
	if len(packet) > pathsBytes {
		return fmt.Errorf("paths of %d bytes, at most %d", len(packet), pathsBytes)
	}
	link := s.child.Link
	if err := link.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		return err
	}
	if _, err := link.Write(packet); err != nil {
		return err
	}
	said := make([]byte, controlsBytes)
	n, err := link.Read(said)
	if err != nil {
		return err
	}
	var errnos map[string]syscall.Errno
	if err := json.Unmarshal(said[:n], &errnos); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(errnos)) {
		c := Control{Name: name}
		if errno := errnos[name]; errno == unix.ENOSYS {
			c.Err = landlock.ErrAbsent
		} else if errno != 0 {
			c.Err = errno
		}
		s.Controls = append(s.Controls, c)
	}
	return nil
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

// Open has a device opened: a register may open none itself, and so not the
// card reader's line either, nor a disk.
func (s *Spawner) Open(line string) (*os.File, error) {
	number := slices.Index(s.lines, line)
	if number < 0 {
		return nil, fmt.Errorf("role: open %s: %w", line, os.ErrNotExist)
	}
	_, f, err := s.askFor(askOpen, number, nil)
	if err == nil && f == nil {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("role: open %s: %w", line, err)
	}
	return f, nil
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
	pid, f, err := s.askFor(kind, number, pass)
	if f != nil {
		f.Close() //nolint:errcheck,gosec // nobody asked for it
	}
	return pid, err
}

// askFor is ask for an answer that may bring a descriptor.
func (s *Spawner) askFor(kind byte, number int, pass []*os.File) (pid int, f *os.File, err error) {
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
	if err := link.SetDeadline(time.Now().Add(s.within)); err != nil {
		return 0, nil, err
	}
	raw, err := link.SyscallConn()
	if err != nil {
		return 0, nil, err
	}
	var sent error
	err = raw.Write(func(fd uintptr) bool {
		sent = unix.Sendmsg(int(fd), packet, rights, nil, unix.MSG_NOSIGNAL)
		return !errors.Is(sent, unix.EAGAIN)
	})
	if err = errors.Join(err, sent); err != nil {
		return 0, nil, err
	}
	pid, f, err = answered(raw)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		// It would come as the answer to the next question: another line, or another
		// process. Without the link the spawner ends, and the register after it.
		link.Close() //nolint:errcheck,gosec // nothing is left to lose on it
	}
	return pid, f, err
}

// answered reads the spawner's answer.
func answered(raw syscall.RawConn) (pid int, f *os.File, err error) {
	var answer [answerBytes]byte
	var n, rn int
	var got error
	rights := make([]byte, unix.CmsgSpace(4))
	err = raw.Read(func(fd uintptr) bool {
		n, rn, _, _, got = unix.Recvmsg(int(fd), answer[:], rights, unix.MSG_CMSG_CLOEXEC)
		return !errors.Is(got, unix.EAGAIN) && !errors.Is(got, unix.EINTR)
	})
	if err = errors.Join(err, got); err != nil {
		return 0, nil, err
	}
	fds, err := received(rights[:rn])
	for _, fd := range fds {
		f = os.NewFile(uintptr(fd), "line")
	}
	switch errno := binary.LittleEndian.Uint32(answer[4:]); {
	case err != nil:
	case n != len(answer):
		err = io.ErrUnexpectedEOF
	case errno != 0:
		err = syscall.Errno(errno)
	default:
		return int(int32(binary.LittleEndian.Uint32(answer[:]))), f, nil //nolint:gosec // as it was put in
	}
	if f != nil {
		f.Close() //nolint:errcheck,gosec // the error is the one to report
	}
	return 0, nil, err
}

// SpawnMain is the spawner's process. It ends with its link, that is with the
// register.
func SpawnMain(open Opener) error {
	// Before Landlock's ABI 8 each thread is in a domain of its own: the one that
	// starts the children must be the one that ends them.
	runtime.LockOSThread()
	if err := Born(); err != nil {
		return err
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
	oomScore, err := os.OpenFile("/proc/self/oom_score_adj", os.O_WRONLY, 0) // out of reach later
	if err != nil {
		return fmt.Errorf("role: %w", err)
	}
	told, err := confineSpawner()
	if err != nil {
		return fmt.Errorf("role: %s: %w", Spawn, err)
	}
	p := &spawner{null: uintptr(null), oomScore: oomScore, children: map[int]int{}, open: open, keyed: told.Keyed, told: told.Told}
	for _, name := range slices.Sorted(maps.Keys(told.Lines)) {
		p.lines = append(p.lines, told.Lines[name])
	}
	for {
		if err := p.serve(); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("role: %s: %w", Spawn, err)
		}
	}
}

// confineSpawner reads what it is told, enters its domain, and says what came of
// each control.
func confineSpawner() (told Spawning, err error) {
	packet := make([]byte, pathsBytes+1)
	n, err := unix.Read(LinkFD, packet)
	if err != nil {
		return told, err
	}
	if err := json.Unmarshal(packet[:n], &told); err != nil {
		return told, err
	}
	errnos := map[string]syscall.Errno{}
	for _, c := range enterSpawner(told.Paths) {
		errnos[c.Name] = asErrno(c.Err)
		if c.Absent() {
			errnos[c.Name] = unix.ENOSYS
		}
	}
	said, err := json.Marshal(errnos)
	if err != nil {
		return told, err
	}
	_, err = unix.Write(LinkFD, said)
	return told, err
}

// enterSpawner confines the spawner, and with it all that it starts: to paths
// and this binary, without what no role ever needs. The capabilities that stay
// are for taking over lines and files, for becoming the roles' own users, for
// ending them then, and for the drawer's pulses to end in time.
func enterSpawner(paths []landlock.Path) []Control {
	time.Now().Zone() //nolint:staticcheck // reads the zone's file, which may be out of reach later
	self, err := os.Executable()
	if err == nil {
		paths = append(paths, landlock.Path{Path: self, Access: landlock.Execute})
		err = landlock.Enter(landlock.Domain{Paths: paths, Network: true})
	}
	return []Control{
		{"capabilities", dropCapabilities(unix.CAP_DAC_OVERRIDE, unix.CAP_SETUID, unix.CAP_SETGID, unix.CAP_KILL, unix.CAP_IPC_LOCK, unix.CAP_SYS_NICE, unix.CAP_SYS_RESOURCE)},
		{"landlock", err},
		{"seccomp", seccomp.Enter(needless(), seccomp.Allow)},
	}
}

// spawner is the state of that process.
type spawner struct {
	null     uintptr
	oomScore *os.File // of this process
	open     Opener
	lines    []json.RawMessage
	keyed    bool
	told     map[string]string
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
	number := int(int32(binary.LittleEndian.Uint32(packet[1:]))) //nolint:gosec // checked below
	if packet[0] == askOpen && number >= 0 && number < len(p.lines) && len(fds) == 0 {
		return p.lend(number)
	}
	pid, errno := p.do(packet[0], number, fds)
	return reply(pid, errno, nil)
}

// lend opens a device and passes it on.
func (p *spawner) lend(number int) error {
	f, err := p.open(p.lines[number])
	if err != nil {
		return reply(0, asErrno(err), nil)
	}
	defer f.Close() //nolint:errcheck // the register has its own copy
	return reply(0, 0, f)
}

func reply(pid int, errno syscall.Errno, f *os.File) error {
	var answer [answerBytes]byte
	binary.LittleEndian.PutUint32(answer[:], uint32(pid))    //nolint:gosec // a process id is positive
	binary.LittleEndian.PutUint32(answer[4:], uint32(errno)) //nolint:gosec // an errno is below 4096
	var rights []byte
	if f != nil {
		raw, err := f.SyscallConn() // Fd would make it blocking for all who have it
		if err != nil {
			return err
		}
		if err := raw.Control(func(fd uintptr) { rights = unix.UnixRights(int(fd)) }); err != nil {
			return err
		}
	}
	return unix.Sendmsg(LinkFD, answer[:], rights, nil, unix.MSG_NOSIGNAL)
}

// do checks and carries out a request.
func (p *spawner) do(kind byte, number int, fds []int) (pid int, errno syscall.Errno) {
	switch {
	case kind == askStart && number >= 0 && number < len(spawned) && len(fds) == 2 && spawned[number].name == Capture && !p.keyed:
		return 0, unix.EPERM
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
	if told, ok := p.told[role.name]; ok {
		attr.Env = append(slices.Clone(role.env), TellEnv(told))
	}
	if role.urgent {
		p.urgent(true)
		defer p.urgent(false)
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

// urgent gives this thread what the child is to inherit, as far as it may.
func (p *spawner) urgent(on bool) {
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL}
	score := "0"
	if on {
		attr.Policy, attr.Priority, score = unix.SCHED_FIFO, 1, "-1000"
	}
	unix.SchedSetAttr(0, &attr, 0)       //nolint:errcheck,gosec // the child says what it has
	p.oomScore.WriteAt([]byte(score), 0) //nolint:errcheck,gosec // as above
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
	if errno, ok := errors.AsType[syscall.Errno](err); ok && errno != 0 {
		return errno
	}
	if errors.Is(err, os.ErrNotExist) {
		return unix.ENOENT
	}
	return unix.EIO
}
