package role

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"regi/firmware/landlock"
	"regi/firmware/seccomp"
)

// UplinkUID is the user and the group of an uplink that was started as root,
// next to the capture process's 1900000001. systemd's list of ids leaves
// everything from 1879048192 to 2147483647 unused; no passwd is needed.
const UplinkUID = 1900000002

// DrawerUID is that of the process that holds the drawer's lines.
const DrawerUID = 1900000003

// Control is one confinement of a process; Err is nil when it is in force.
type Control struct {
	Name string
	Err  error
}

// Absent says that this kernel does not offer the control.
func (c Control) Absent() bool {
	return errors.Is(c.Err, landlock.ErrAbsent) || errors.Is(c.Err, seccomp.ErrAbsent)
}

// Born is what every child does first: it dies with its parent, gains nothing
// by exec, leaves no core and lets nobody of the same user look into it.
func Born() error {
	// Of this thread only, but one that has it is enough, and Go's threads stay.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("role: death signal: %w", err)
	}
	return Harden()
}

// Harden is the part of Born for the first process, which has no parent of
// ours, and for one that outlives its parent.
func Harden() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("role: core limit: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("role: dumpable: %w", err)
	}
	err := everyThread(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0)
	if errors.Is(err, unix.ENOTSUP) {
		// A binary with a C library: of this thread, and the filter of Confine
		// brings it to the others.
		err = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	}
	if err != nil {
		return fmt.Errorf("role: no_new_privs: %w", err)
	}
	return nil
}

// Limits are what a process may do after Confine, beyond using what it has open.
type Limits struct {
	// Paths may be opened.
	Paths []landlock.Path
	// Connect are TCP ports that may be connected to. Without one no socket can
	// be made. It never listens.
	Connect []uint16
	// UID is whom a process becomes that was started as root; 0: it stays root,
	// with no other privilege than to open other users' files.
	UID int
	// Outlives: it does not die with its parent, but ends with its link: what it
	// has begun it has to finish.
	Outlives bool
}

// Confine takes from this process what it does not need, for good, and reports
// each control. It must have no child to start, and no other process to signal.
//
//   - own-uid (started as root, with Limits.UID), or capabilities: what lets
//     root look into other processes, devices and the kernel is given up
//   - landlock: only Limits.Paths can be opened, nothing executed, no process
//     outside be looked into; landlock-tcp, landlock-signals: the same for TCP
//     ports and signals, which older kernels cannot forbid
//   - seccomp: system calls that no role needs fail with EPERM
func Confine(l Limits) []Control {
	time.Now().Zone() //nolint:staticcheck // reads the zone's file, which may be out of reach later
	var controls []Control
	if l.UID != 0 && os.Geteuid() == 0 {
		controls = append(controls, Control{"own-uid", become(l.UID, l.Outlives)})
	} else {
		// The state folder and the lines may be another user's.
		controls = append(controls, Control{"capabilities", dropCapabilities(unix.CAP_DAC_OVERRIDE)})
	}
	in := landlock.Enter(landlock.Domain{Paths: l.Paths, Connect: l.Connect})
	controls = append(controls,
		Control{"landlock", in},
		Control{"landlock-tcp", offered(in, landlock.TCP())},
		Control{"landlock-signals", offered(in, landlock.Signals())})
	return append(controls, Control{"seccomp", seccomp.Enter(denied(len(l.Connect) > 0), seccomp.Allow)})
}

// offered is how a part of Landlock stands, which old kernels lack.
func offered(in error, has bool) error {
	if !has {
		return landlock.ErrAbsent
	}
	return in
}

// become gives up root on all threads, and with it every capability.
func become(uid int, outlives bool) error {
	for _, change := range []func() error{
		func() error { return syscall.Setgroups(nil) },
		func() error { return syscall.Setresgid(uid, uid, uid) },
		func() error { return syscall.Setresuid(uid, uid, uid) },
	} {
		if err := change(); err != nil {
			return fmt.Errorf("role: own uid: %w", err)
		}
	}
	if outlives {
		return Harden()
	}
	return Born() // the kernel forgets its settings with the change
}

// dropCapabilities keeps those in keep, where they are there. What this process
// starts has no other, either: no_new_privs is set.
func dropCapabilities(keep ...int) error {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&head, &caps[0]); err != nil {
		return fmt.Errorf("role: capabilities: %w", err)
	}
	var kept uint32
	for _, c := range keep {
		kept |= 1 << c & caps[0].Permitted
	}
	caps = [2]unix.CapUserData{{Permitted: kept, Effective: kept}}
	if err := everyThread(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&head)), uintptr(unsafe.Pointer(&caps)), 0); err != nil { //nolint:gosec // structs for the kernel
		return fmt.Errorf("role: capabilities: %w", err)
	}
	return nil
}

// everyThread makes a system call on all threads; ENOTSUP in a binary with a C
// library, whose threads Go does not know.
//
//go:uintptrescapes
func everyThread(call, a, b, c uintptr) error {
	if _, _, errno := syscall.AllThreadsSyscall(call, a, b, c); errno != 0 {
		return errno
	}
	return nil
}
