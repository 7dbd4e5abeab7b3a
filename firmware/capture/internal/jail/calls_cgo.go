//go:build cgo

package jail

import (
	"regi/firmware/seccomp"

	"golang.org/x/sys/unix"
)

// ofLibrary are the calls of a C library: of the race detector, and of a plain
// build, in which package net brings one along. The shipped binary has none.
func ofLibrary() []seccomp.Rule {
	r := seccomp.Rules(
		seccomp.Allow, unix.SYS_BRK, unix.SYS_MREMAP, unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, unix.SYS_MEMBARRIER,
		unix.SYS_GETTIMEOFDAY, unix.SYS_CLOCK_NANOSLEEP,
	)
	// It looks for the number of processors when it makes a thread, and takes no
	// for an answer.
	return append(r, seccomp.Rules(seccomp.Fail(unix.EACCES), unix.SYS_OPENAT)...)
}
