// Package seccomp has the kernel check every system call of this process by a
// list of rules.
package seccomp

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ErrAbsent says that this kernel has no seccomp filters.
var ErrAbsent = errors.New("seccomp: not in this kernel")

// Action is what becomes of a system call.
type Action uint32

// The actions. Kill ends the whole process by SIGSYS.
const (
	Allow Action = unix.SECCOMP_RET_ALLOW
	Kill  Action = unix.SECCOMP_RET_KILL_PROCESS
)

// Fail lets the call fail with errno.
func Fail(errno unix.Errno) Action {
	return unix.SECCOMP_RET_ERRNO | Action(errno&unix.SECCOMP_RET_DATA)
}

// Test holds if the bits Mask of an argument are Is. It looks at the lower 32
// bits: the upper ones mean nothing in the arguments that are tested here.
type Test struct {
	Arg      int // 0 to 5
	Mask, Is uint32
}

// Equal tests a whole argument.
func Equal(arg int, is uint32) Test { return Test{arg, ^uint32(0), is} }

// Rule says what becomes of a system call for which all tests hold.
type Rule struct {
	Call  uintptr // unix.SYS_…: it differs between architectures
	Tests []Test
	Do    Action
}

// Rules returns one rule without tests for each of some calls.
func Rules(do Action, calls ...uintptr) (rules []Rule) {
	for _, c := range calls {
		rules = append(rules, Rule{Call: c, Do: do})
	}
	return rules
}

// Enter puts a filter on all threads of this process, and every child of it,
// for good: for each call the first rule that holds decides, and otherwise
// without does. A call of a foreign architecture kills. no_new_privs is set on
// the way.
func Enter(rules []Rule, without Action) error {
	program, err := compile(rules, without)
	if err != nil {
		return err
	}
	if err := available(); err != nil {
		return err
	}
	// Of this thread only, but TSYNC carries it to the others.
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("seccomp: no_new_privs: %w", err)
	}
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}                                                                           //nolint:gosec // compile bounds it
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&filter))) //nolint:gosec // a struct for the kernel
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	if thread != 0 {
		return fmt.Errorf("seccomp: thread %d does not take the filter", thread)
	}
	return nil
}

// available asks whether this kernel has filters, and the action that is not
// only for one thread (Linux 4.14).
func available() error {
	action := uint32(Kill)
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action))) //nolint:gosec // a word for the kernel
	if errno == unix.ENOSYS || errno == unix.EINVAL || errno == unix.EOPNOTSUPP {
		return ErrAbsent
	}
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	return nil
}
