// Package jail takes from the capture process what it does not need: each
// control is tried, and what the kernel cannot give is reported.
package jail

import (
	"bytes"
	"os"

	"golang.org/x/sys/unix"
)

// Control is one hardening measure and whether it is in force.
type Control struct {
	Name string
	On   bool
}

// Enter hardens this process for good and reports each control.
//
//   - no-dump: no core file, no ptrace and no /proc/PID/mem for this uid
//   - no-core: RLIMIT_CORE is 0, for the case that no-dump is turned off
//   - no-new-privileges: nothing set-uid helps
//   - no-crash-output: a crash prints stacks and registers to nowhere: the
//     standard error is the null device (Go's GOTRACEBACK=none does not silence
//     a fatal signal); the parent's to give
//   - no-preempt-signal: no signal frame stores the registers of a copy under
//     way; the parent's to give, in the environment
func Enter() []Control {
	core := unix.Rlimit{}
	return []Control{
		{"no-dump", unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) == nil && dumpable() == 0},
		{"no-core", unix.Setrlimit(unix.RLIMIT_CORE, &core) == nil},
		{"no-new-privileges", unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == nil},
		{"no-crash-output", isNull(unix.Stderr)},
		{"no-preempt-signal", bytes.Contains([]byte(os.Getenv("GODEBUG")), []byte("asyncpreemptoff=1"))},
	}
}

// isNull reports whether fd is the null device (1:3).
func isNull(fd int) bool {
	var s unix.Stat_t
	return unix.Fstat(fd, &s) == nil && s.Mode&unix.S_IFMT == unix.S_IFCHR && s.Rdev == unix.Mkdev(1, 3)
}

func dumpable() int {
	n, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	if err != nil {
		return -1
	}
	return n
}
