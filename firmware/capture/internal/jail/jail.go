// Package jail takes from the capture process what it does not need: each
// control is tried, and what the kernel cannot give is reported.
package jail

import (
	"bytes"
	"errors"
	"os"
	"syscall"

	"regi/firmware/capture/internal/link"
	"regi/firmware/landlock"
	"regi/firmware/seccomp"

	"golang.org/x/sys/unix"
)

// UID is the user and the group of a capture process that was started as root.
// Nobody else has it: systemd's list of ids (UIDs-GIDs.md) leaves everything
// from 1879048192 to 2147483647 unused, and no passwd is needed for it.
const UID = 1900000001

// Harden takes what can be taken before the process has opened what it needs,
// and reports each control.
//
//   - no-dump: no core file, no ptrace and no /proc/PID/mem for this uid
//   - no-core: RLIMIT_CORE is 0, for the case that no-dump is turned off
//   - no-crash-output: a crash prints stacks and registers to nowhere: the
//     standard error is the null device (Go's GOTRACEBACK=none does not silence
//     a fatal signal); the parent's to give
//   - no-preempt-signal: no signal frame stores the registers of a copy under
//     way; the parent's to give, in the environment
func Harden() []link.Control {
	core := unix.Rlimit{}
	return []link.Control{
		{Name: "no-dump", State: state(noDump())},
		{Name: "no-core", State: state(unix.Setrlimit(unix.RLIMIT_CORE, &core))},
		{Name: "no-crash-output", State: given(isNull(unix.Stderr))},
		{Name: "no-preempt-signal", State: given(bytes.Contains([]byte(os.Getenv("GODEBUG")), []byte("asyncpreemptoff=1")))},
	}
}

// Enter hardens the process, locks it in for good and reports each control.
// Every descriptor that is open stays open; nothing else can be opened.
//
//   - own-uid: the user is UID (only reported where it was root): the other
//     processes of the register are of another user
//   - landlock: no path can be opened, no TCP port bound or connected to
//     (landlock-tcp), no process outside be signalled (landlock-signals)
//   - no-new-privileges: nothing set-uid helps
//   - seccomp: a system call that is not on the list kills the process
func Enter() []link.Control {
	var own []link.Control
	if os.Geteuid() == 0 {
		own = []link.Control{{Name: "own-uid", State: state(become(UID))}}
	}
	controls := append(Harden(), own...) // after the uid: changing it resets no-dump
	in := state(landlock.Enter(landlock.Domain{}))
	controls = append(controls,
		link.Control{Name: "landlock", State: in},
		link.Control{Name: "landlock-tcp", State: offered(in, landlock.TCP())},
		link.Control{Name: "landlock-signals", State: offered(in, landlock.Signals())})
	// Last: the filter forbids what comes before it.
	filter := state(seccomp.Enter(rules(os.Getpid()), seccomp.Kill))
	return append(controls,
		link.Control{Name: "seccomp", State: filter},
		link.Control{Name: "no-new-privileges", State: given(filter == link.On || noNewPrivileges())})
}

// state is what trying a control came to.
func state(err error) link.State {
	switch {
	case err == nil:
		return link.On
	case errors.Is(err, landlock.ErrAbsent), errors.Is(err, seccomp.ErrAbsent):
		return link.Absent
	}
	return link.Off
}

func given(on bool) link.State {
	if on {
		return link.On
	}
	return link.Off
}

// offered is the state of a part of a control, which old kernels lack.
func offered(whole link.State, has bool) link.State {
	if !has {
		return link.Absent
	}
	return whole
}

var errControl = errors.New("jail: not in force")

func noDump() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return err
	}
	if n, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || n != 0 {
		return errControl
	}
	return nil
}

// become gives up root on all threads, and with it every capability.
func become(uid int) error {
	for _, change := range []func() error{
		func() error { return syscall.Setgroups(nil) },
		func() error { return syscall.Setresgid(uid, uid, uid) },
		func() error { return syscall.Setresuid(uid, uid, uid) },
	} {
		if err := change(); err != nil {
			return err
		}
	}
	// With the change the kernel forgets that this process dies with its parent.
	// One thread that has the signal is enough, and Go's threads stay.
	return unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0)
}

// noNewPrivileges sets it, where no filter has brought it along, on one thread
// at least.
func noNewPrivileges() bool { return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == nil }

// isNull reports whether fd is the null device (1:3).
func isNull(fd int) bool {
	var s unix.Stat_t
	return unix.Fstat(fd, &s) == nil && s.Mode&unix.S_IFMT == unix.S_IFCHR && s.Rdev == unix.Mkdev(1, 3)
}
