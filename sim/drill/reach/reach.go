// Package reach finds out what a process can do to another one: as its own user,
// and through the borrowed threads of a confined process, with their rights and
// no others.
package reach

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Attempt is one way to get at another process's memory, and what came of it:
// 0 is success.
type Attempt struct {
	Name  string        `json:"name"`
	Errno syscall.Errno `json:"errno"`
}

// Refused reports whether the kernel said no, and not that something else is
// wrong.
func (a Attempt) Refused() bool {
	return a.Errno == unix.EACCES || a.Errno == unix.EPERM
}

func (a Attempt) String() string {
	if a.Errno == 0 {
		return a.Name + " WORKS"
	}
	return a.Name + " " + unix.ErrnoName(a.Errno)
}

// AllRefused reports whether there were attempts, and the kernel said no to all.
func AllRefused(attempts []Attempt) bool {
	return len(attempts) > 0 && !slices.ContainsFunc(attempts, func(a Attempt) bool { return !a.Refused() })
}

// Peek tries every way into a process, at an address that it has mapped.
func Peek(pid int, at uintptr) []Attempt {
	proc := "/proc/" + strconv.Itoa(pid)
	return []Attempt{
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

// Address is one that a process has mapped.
func Address(pid int) (at uint64, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return 0, err
	}
	_, err = fmt.Sscanf(string(b), "%x-", &at)
	return at, err
}
