package jail

import (
	"regi/firmware/seccomp"

	"golang.org/x/sys/unix"
)

// threadFlags are what a new thread may ask for: what Go asks for, and a C
// library (under the race detector). None makes a process or a namespace.
const threadFlags = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD | unix.CLONE_SYSVSEM |
	unix.CLONE_SETTLS | unix.CLONE_PARENT_SETTID | unix.CLONE_CHILD_CLEARTID

// getLineValues is GPIO_V2_LINE_GET_VALUES_IOCTL (linux/gpio.h): it reads the
// levels of lines that are open already.
const getLineValues = 0xC010B40E

// rules is everything that the capture process may ask of the kernel, the most
// frequent first. What Go's runtime may ever need is on it, even if no test
// makes it ask: a call that is missing ends the process at the counter.
func rules(pid int) []seccomp.Rule {
	r := seccomp.Rules(
		seccomp.Allow,
		// Cards, key file, link: all on descriptors that are open.
		unix.SYS_READ, unix.SYS_WRITE, unix.SYS_PREAD64, unix.SYS_PWRITE64, unix.SYS_FDATASYNC, unix.SYS_FSYNC, unix.SYS_CLOSE,
		// The scheduler, the collector and the poller of Go's runtime. The last
		// three: it looks once a second how many processors it may use.
		unix.SYS_FUTEX, unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_CREATE1, unix.SYS_EVENTFD2, unix.SYS_NANOSLEEP,
		unix.SYS_CLOCK_GETTIME, unix.SYS_SCHED_YIELD, unix.SYS_MADVISE, unix.SYS_MUNMAP, unix.SYS_GETRANDOM,
		unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_SCHED_GETAFFINITY,
		// Signals, and the end.
		unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_RT_SIGACTION, unix.SYS_SIGALTSTACK, unix.SYS_RESTART_SYSCALL,
		unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
	)
	r = append(r, seccomp.Rules(seccomp.Allow, ofArch()...)...)
	r = append(r, ofLibrary()...)
	return append(r, tested(pid)...)
}

// tested are the calls that are allowed with some arguments only.
func tested(pid int) []seccomp.Rule {
	noExec := seccomp.Test{Arg: 2, Mask: unix.PROT_EXEC}
	r := onArgument(1, fcntlCall, unix.F_GETFL, unix.F_SETFL, unix.F_GETFD, unix.F_SETFD)
	// The reader's line (board/port). TIOCSTI, which types into a terminal, is
	// not among them.
	r = append(r, onArgument(
		1, unix.SYS_IOCTL, unix.TCGETS, unix.TCGETS2, unix.TCSETS, unix.TCSETS2, unix.TCFLSH, unix.TCSBRK,
		unix.TIOCINQ, unix.TIOCOUTQ, unix.TIOCMGET, unix.TIOCMBIS, unix.TIOCMBIC, getLineValues,
	)...)
	return append(
		r,
		// New memory, but never a file and never code.
		seccomp.Rule{Call: mapCall, Do: seccomp.Allow, Tests: []seccomp.Test{noExec, {Arg: 3, Mask: unix.MAP_ANONYMOUS, Is: unix.MAP_ANONYMOUS}}},
		seccomp.Rule{Call: unix.SYS_MPROTECT, Do: seccomp.Allow, Tests: []seccomp.Test{noExec}},
		// New threads, but never a process.
		seccomp.Rule{Call: unix.SYS_CLONE, Do: seccomp.Allow, Tests: []seccomp.Test{
			{Arg: 0, Mask: unix.CLONE_THREAD, Is: unix.CLONE_THREAD}, {Arg: 0, Mask: ^uint32(threadFlags)},
		}},
		// Its flags are in memory, where no filter sees them. "Not in this kernel"
		// makes a C library take clone.
		seccomp.Rule{Call: unix.SYS_CLONE3, Do: seccomp.Fail(unix.ENOSYS)},
		// Signals to its own threads.
		seccomp.Rule{Call: unix.SYS_TGKILL, Do: seccomp.Allow, Tests: []seccomp.Test{seccomp.Equal(0, uint32(pid))}}, //nolint:gosec // a process id is positive
		// Names of mappings.
		seccomp.Rule{Call: unix.SYS_PRCTL, Do: seccomp.Allow, Tests: []seccomp.Test{seccomp.Equal(0, unix.PR_SET_VMA)}},
	)
}

// onArgument allows a call with some values of one argument.
func onArgument(arg int, call uintptr, values ...uint32) []seccomp.Rule {
	r := make([]seccomp.Rule, 0, len(values))
	for _, v := range values {
		r = append(r, seccomp.Rule{Call: call, Do: seccomp.Allow, Tests: []seccomp.Test{seccomp.Equal(arg, v)}})
	}
	return r
}
