package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// peekRole is argv[0] of the process that looks at another one as another user.
const peekRole = "regi-drill-peek"

// uidNobody is a user that owns nothing.
const uidNobody = 65534

// attempt is one way to get at another process's memory, and what came of it:
// 0 is success.
type attempt struct {
	Name  string        `json:"name"`
	Errno syscall.Errno `json:"errno"`
}

// refused reports whether the kernel said no, and not that something else is
// wrong.
func (a attempt) refused() bool {
	return a.Errno == unix.EACCES || a.Errno == unix.EPERM
}

func (a attempt) String() string {
	if a.Errno == 0 {
		return a.Name + " WORKS"
	}
	return a.Name + " " + unix.ErrnoName(a.Errno)
}

// others is what one user can do to one process of the register.
type others struct {
	uid      int
	role     string
	attempts []attempt
}

func (o others) refused() bool { return allRefused(o.attempts) }

func allRefused(attempts []attempt) bool {
	return len(attempts) > 0 && !slices.ContainsFunc(attempts, func(a attempt) bool { return !a.refused() })
}

// peekMain is the process of another user: its arguments are a process and an
// address in it.
func peekMain(args []string, out io.Writer) int {
	if len(args) != 2 {
		return 2
	}
	pid, errPID := strconv.Atoi(args[0])
	at, errAt := strconv.ParseUint(args[1], 16, 64)
	if errPID != nil || errAt != nil || json.NewEncoder(out).Encode(peek(pid, uintptr(at))) != nil {
		return 2
	}
	return 0
}

// peek tries every way in.
func peek(pid int, at uintptr) []attempt {
	proc := "/proc/" + strconv.Itoa(pid)
	return []attempt{
		{"mem", opens(proc+"/mem", int64(at))}, {"maps", opens(proc+"/maps", 0)}, {"environ", opens(proc+"/environ", 0)}, //nolint:gosec // an address
		{"fd", opens(proc+"/fd", 0)}, {"process_vm_readv", reads(pid, at)}, {"ptrace", traces(pid)}, {"pidfd_getfd", takes(pid)},
	}
}

func opens(path string, at int64) syscall.Errno {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		// Of some files, only the read is refused.
		_, err = unix.Pread(fd, make([]byte, 1), at)
		if errors.Is(err, unix.EISDIR) {
			err = nil
		}
		unix.Close(fd) //nolint:errcheck,gosec // only read
	}
	return number(err)
}

func reads(pid int, at uintptr) syscall.Errno {
	b := make([]byte, 1)
	local := []unix.Iovec{{Base: &b[0], Len: 1}}
	_, err := unix.ProcessVMReadv(pid, local, []unix.RemoteIovec{{Base: at, Len: 1}}, 0)
	return number(err)
}

func traces(pid int) syscall.Errno {
	err := unix.PtraceSeize(pid)
	return number(err)
}

func takes(pid int) syscall.Errno {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return number(err)
	}
	defer unix.Close(fd) //nolint:errcheck // only a handle
	got, err := unix.PidfdGetfd(fd, 0, 0)
	if err == nil {
		unix.Close(got) //nolint:errcheck,gosec // a copy
	}
	return number(err)
}

func number(err error) syscall.Errno {
	var e syscall.Errno
	if err != nil && !errors.As(err, &e) {
		return unix.EIO
	}
	return e
}

// peekWithin bounds one look.
const peekWithin = 20 * time.Second

// peekAll looks at each process of the register as nobody, and as each user
// that another of its processes runs as.
func peekAll(ctx context.Context, roles map[string]int) (all []others, err error) {
	uids := []int{uidNobody}
	for _, t := range targets(roles) {
		uid, err := uidOf(t.pid)
		if err != nil {
			return nil, err
		}
		if uid != 0 && !slices.Contains(uids, uid) {
			uids = append(uids, uid)
		}
	}
	for _, t := range targets(roles) {
		at, err := anAddress(t.pid)
		if err != nil {
			return nil, err
		}
		for _, uid := range uids {
			attempts, err := peekAs(ctx, uid, t.pid, at)
			if err != nil {
				return nil, fmt.Errorf("look at %s as user %d: %w", t.name, uid, err)
			}
			all = append(all, others{uid, t.name, attempts})
		}
	}
	return all, nil
}

func peekAs(ctx context.Context, uid, pid int, at uint64) (attempts []attempt, err error) {
	out, err := again(ctx, uid, peekRole, pid, strconv.FormatUint(at, 16))
	if err != nil {
		return nil, err
	}
	return attempts, json.Unmarshal(out, &attempts)
}

// again runs this binary again in another role, as a user.
func again(ctx context.Context, uid int, role string, pid int, arg string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, peekWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args = []string{role, strconv.Itoa(pid), arg}
	cmd.Env, cmd.Dir = []string{}, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}} //nolint:gosec // a user's number
	return cmd.Output()
}

func uidOf(pid int) (uid int, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(b), "\nUid:")
	_, err = fmt.Sscan(rest, &uid)
	return uid, err
}

// anAddress is one that a process has mapped.
func anAddress(pid int) (at uint64, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return 0, err
	}
	_, err = fmt.Sscanf(string(b), "%x-", &at)
	return at, err
}
