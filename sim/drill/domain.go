package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// A look from inside the register's own confinement: each thread of its other
// processes is stopped and made to try, with its rights and no others, to read
// the memory of the process that reads cards. That is what code injected there
// by a robber could do, as root too.

// domainRole is argv[0] of the process that borrows the threads: their parent
// may not, as a parent's waiting for an end returns at each stop of a thread
// that the same process traces.
const domainRole = "regi-drill-domain"

// domain is what the threads of one process can do.
type domain struct {
	Role     string
	Threads  int
	Attempts []attempt // each outcome once
	Err      string    // why it could not be found out
}

// refused reports whether every thread was.
func (d domain) refused() bool {
	return d.Err == "" && d.Threads > 0 && allRefused(d.Attempts)
}

// domainMain is that process: its arguments are the process whose threads try,
// and the one that they try to read.
func domainMain(args []string, out io.Writer) int {
	if len(args) != 2 {
		return 2
	}
	pid, errPID := strconv.Atoi(args[0])
	victim, errVictim := strconv.Atoi(args[1])
	if errPID != nil || errVictim != nil {
		return 2
	}
	var d domain
	if err := d.look(pid, victim); err != nil {
		d.Err = err.Error()
	}
	if json.NewEncoder(out).Encode(d) != nil {
		return 2
	}
	return 0
}

func fromDomains(ctx context.Context, roles map[string]int) (all []domain, err error) {
	victim := roles[reading]
	for _, t := range targets(roles) {
		if t.name == reading {
			continue
		}
		d := domain{}
		out, err := again(ctx, 0, domainRole, t.pid, strconv.Itoa(victim))
		if err == nil {
			err = json.Unmarshal(out, &d)
		}
		if err != nil {
			return nil, fmt.Errorf("look from %s: %w", t.name, err)
		}
		d.Role = t.name
		all = append(all, d)
	}
	return all, nil
}

func (d *domain) look(pid, victim int) error {
	if victim == 0 {
		return errors.New("no process reads cards")
	}
	at, err := anAddress(victim)
	if err != nil {
		return err
	}
	call, err := callAddress(pid)
	if err != nil {
		return err
	}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	if err != nil {
		return err
	}
	// A tracer is one thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, task := range tasks {
		tid, err := strconv.Atoi(filepath.Base(task))
		if err != nil {
			return err
		}
		found, err := asThread(pid, tid, call, victim, at)
		if errors.Is(err, unix.ESRCH) {
			continue // it has just ended
		}
		if err != nil {
			return fmt.Errorf("thread %d: %w", tid, err)
		}
		d.Threads++
		for _, a := range found {
			d.note(a)
		}
	}
	return nil
}

func (d *domain) note(a attempt) {
	if !slices.Contains(d.Attempts, a) {
		d.Attempts = append(d.Attempts, a)
	}
}

// callAddress finds the bytes of a system call instruction in a process.
func callAddress(pid int) (uint64, error) {
	if len(systemCall) == 0 {
		return 0, fmt.Errorf("threads cannot be made to try on %s", runtime.GOARCH)
	}
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return 0, err
	}
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return 0, err
	}
	defer memory.Close() //nolint:errcheck // only read
	for line := range strings.Lines(string(maps)) {
		var from, to uint64
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err != nil || !strings.HasPrefix(mode, "r-x") || strings.Contains(line, "[v") {
			continue
		}
		code := make([]byte, min(to-from, 64<<20))
		n, _ := memory.ReadAt(code, int64(from)) //nolint:errcheck // what was read counts
		for i := 0; ; {
			k := bytes.Index(code[i:n], systemCall)
			if k < 0 {
				break
			}
			if i += k; i%callAlign == 0 {
				return from + uint64(i), nil
			}
			i++
		}
	}
	return 0, errors.New("no system call instruction found")
}

// scratchBytes below the stack pointer are borrowed, past the red zone.
const scratchBytes = 1024

// asThread borrows a thread for some system calls.
func asThread(pid, tid int, call uint64, victim int, at uint64) (found []attempt, err error) {
	if err := unix.PtraceAttach(tid); err != nil {
		return nil, fmt.Errorf("attach: %w", err)
	}
	defer func() { err = errors.Join(err, unix.PtraceDetach(tid)) }()
	if err := awaitStop(tid, unix.SIGSTOP); err != nil {
		return nil, err
	}
	t, err := borrow(tid, call)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.giveBack()) }()
	// A call whose answer is known: the method works here.
	if got, err := t.call(unix.SYS_GETPID); err != nil || got != int64(pid) {
		return nil, fmt.Errorf("getpid gives %d: %w", got, errors.Join(err, errors.New("the method does not work here")))
	}
	for _, name := range []string{"mem", "maps", "environ"} {
		a, err := t.open(victim, name, at)
		if err != nil {
			return nil, err
		}
		found = append(found, a)
	}
	var vectors []byte // the byte that is read, behind two iovecs: to and from
	for _, v := range []uint64{t.scratch + 32, 1, at, 1} {
		vectors = binary.LittleEndian.AppendUint64(vectors, v)
	}
	if err := t.write(0, vectors); err != nil {
		return nil, err
	}
	got, err := t.call(unix.SYS_PROCESS_VM_READV, int64(victim), int64(t.scratch), 1, int64(t.scratch+16), 1, 0) //nolint:gosec // addresses
	return append(found, attempt{"process_vm_readv", errnoOf(got)}), err
}

// open makes the thread open a file of the victim's and read a byte of it.
func (t *borrowed) open(victim int, name string, at uint64) (a attempt, err error) {
	const here = -100 // AT_FDCWD
	a.Name = name
	if err := t.write(0, append([]byte("/proc/"+strconv.Itoa(victim)+"/"+name), 0)); err != nil {
		return a, err
	}
	fd, err := t.call(unix.SYS_OPENAT, here, int64(t.scratch), unix.O_RDONLY|unix.O_CLOEXEC, 0) //nolint:gosec // an address
	if a.Errno = errnoOf(fd); err != nil || fd < 0 {
		return a, err
	}
	offset := int64(0)
	if name == "mem" {
		offset = int64(at) //nolint:gosec // an address
	}
	n, err := t.call(unix.SYS_PREAD64, fd, int64(t.scratch), 1, offset) //nolint:gosec // an address
	a.Errno = errnoOf(n)
	_, errClose := t.call(unix.SYS_CLOSE, fd)
	return a, errors.Join(err, errClose)
}

func errnoOf(result int64) syscall.Errno {
	if result < 0 {
		return syscall.Errno(-result)
	}
	return 0
}

func awaitStop(tid int, want unix.Signal) error {
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(tid, &status, unix.WALL, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("wait: %w", err)
		case !status.Stopped() || status.StopSignal() != want:
			return fmt.Errorf("stopped by %v, not %v", status.StopSignal(), want)
		}
		return nil
	}
}

// borrowed is a stopped thread whose state is kept.
type borrowed struct {
	tid     int
	at      uint64 // of a system call instruction
	scratch uint64
	saved   registers
	below   []byte // what was in the scratch
}

func borrow(tid int, call uint64) (*borrowed, error) {
	t := &borrowed{tid: tid, at: call, below: make([]byte, scratchBytes/2)}
	if err := getRegisters(tid, &t.saved); err != nil {
		return nil, fmt.Errorf("registers: %w", err)
	}
	t.scratch = (stackOf(&t.saved) - scratchBytes) &^ 15
	if _, err := unix.PtracePeekData(tid, uintptr(t.scratch), t.below); err != nil {
		return nil, fmt.Errorf("stack: %w", err)
	}
	return t, nil
}

func (t *borrowed) write(offset uint64, b []byte) error {
	if _, err := unix.PtracePokeData(t.tid, uintptr(t.scratch+offset), b); err != nil {
		return fmt.Errorf("stack: %w", err)
	}
	return nil
}

// call makes the thread do one system call.
func (t *borrowed) call(nr int64, args ...int64) (int64, error) {
	r := t.saved
	prepare(&r, t.at, nr, args)
	if err := setRegisters(t.tid, &r); err != nil {
		return 0, fmt.Errorf("registers: %w", err)
	}
	if err := unix.PtraceSingleStep(t.tid); err != nil {
		return 0, fmt.Errorf("step: %w", err)
	}
	if err := awaitStop(t.tid, unix.SIGTRAP); err != nil {
		return 0, err
	}
	if err := getRegisters(t.tid, &r); err != nil {
		return 0, fmt.Errorf("registers: %w", err)
	}
	return resultOf(&r), nil
}

func (t *borrowed) giveBack() error {
	return errors.Join(t.write(0, t.below), setRegisters(t.tid, &t.saved))
}
