package reach

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Threads borrows each thread of a process, one after the other, and has it do
// what try does. It returns how many there were, and each outcome once.
func Threads(pid int, try func(*Thread) ([]Attempt, error)) (threads int, found []Attempt, err error) {
	call, err := callAddress(pid)
	if err != nil {
		return 0, nil, err
	}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	if err != nil {
		return 0, nil, err
	}
	// A tracer is one thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, task := range tasks {
		tid, err := strconv.Atoi(filepath.Base(task))
		if err != nil {
			return threads, found, err
		}
		now, err := asThread(pid, tid, call, try)
		if errors.Is(err, unix.ESRCH) {
			continue // it has just ended
		}
		if err != nil {
			return threads, found, fmt.Errorf("thread %d: %w", tid, err)
		}
		threads++
		for _, a := range now {
			if !slices.Contains(found, a) {
				found = append(found, a)
			}
		}
	}
	return threads, found, nil
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
func asThread(pid, tid int, call uint64, try func(*Thread) ([]Attempt, error)) (found []Attempt, err error) {
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
	if got, err := t.Call(unix.SYS_GETPID); err != nil || got != int64(pid) {
		return nil, fmt.Errorf("getpid gives %d: %w", got, errors.Join(err, errors.New("the method does not work here")))
	}
	return try(t)
}

// Peek makes the thread try to read another process's memory, at an address that
// is mapped there.
func (t *Thread) Peek(victim int, at uint64) (found []Attempt, err error) {
	for _, name := range []string{"mem", "maps", "environ"} {
		a, err := t.open(victim, name, at)
		if err != nil {
			return nil, err
		}
		found = append(found, a)
	}
	var vectors []byte // the byte that is read, behind two iovecs: to and from
	for _, v := range []uint64{t.Scratch + 32, 1, at, 1} {
		vectors = binary.LittleEndian.AppendUint64(vectors, v)
	}
	if err := t.Write(0, vectors); err != nil {
		return nil, err
	}
	got, err := t.Call(unix.SYS_PROCESS_VM_READV, int64(victim), int64(t.Scratch), 1, int64(t.Scratch+16), 1, 0) //nolint:gosec // addresses
	return append(found, Attempt{"process_vm_readv", Errno(got)}), err
}

// open makes the thread open a file of the victim's and read a byte of it.
func (t *Thread) open(victim int, name string, at uint64) (a Attempt, err error) {
	const here = -100 // AT_FDCWD
	a.Name = name
	if err := t.Write(0, append([]byte("/proc/"+strconv.Itoa(victim)+"/"+name), 0)); err != nil {
		return a, err
	}
	fd, err := t.Call(unix.SYS_OPENAT, here, int64(t.Scratch), unix.O_RDONLY|unix.O_CLOEXEC, 0) //nolint:gosec // an address
	if a.Errno = Errno(fd); err != nil || fd < 0 {
		return a, err
	}
	offset := int64(0)
	if name == "mem" {
		offset = int64(at) //nolint:gosec // an address
	}
	n, err := t.Call(unix.SYS_PREAD64, fd, int64(t.Scratch), 1, offset) //nolint:gosec // an address
	a.Errno = Errno(n)
	_, errClose := t.Call(unix.SYS_CLOSE, fd)
	return a, errors.Join(err, errClose)
}

// Errno is the error in the result of a call, 0 if it is none.
func Errno(result int64) syscall.Errno {
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

// Thread is a stopped thread whose state is kept.
type Thread struct {
	// Scratch is the address of a few hundred bytes that may be written to.
	Scratch uint64

	tid   int
	at    uint64 // of a system call instruction
	saved registers
	below []byte // what was in the scratch
}

func borrow(tid int, call uint64) (*Thread, error) {
	t := &Thread{tid: tid, at: call, below: make([]byte, scratchBytes/2)}
	if err := getRegisters(tid, &t.saved); err != nil {
		return nil, fmt.Errorf("registers: %w", err)
	}
	t.Scratch = (stackOf(&t.saved) - scratchBytes) &^ 15
	if _, err := unix.PtracePeekData(tid, uintptr(t.Scratch), t.below); err != nil {
		return nil, fmt.Errorf("stack: %w", err)
	}
	return t, nil
}

// Write puts bytes into the scratch.
func (t *Thread) Write(offset uint64, b []byte) error {
	if _, err := unix.PtracePokeData(t.tid, uintptr(t.Scratch+offset), b); err != nil {
		return fmt.Errorf("stack: %w", err)
	}
	return nil
}

// Call makes the thread do one system call.
func (t *Thread) Call(nr int64, args ...int64) (int64, error) {
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

func (t *Thread) giveBack() error {
	return errors.Join(t.Write(0, t.below), setRegisters(t.tid, &t.saved))
}
