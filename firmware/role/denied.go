package role

import (
	"golang.org/x/sys/unix"

	"regi/firmware/seccomp"
)

// needless is what no process of the register ever does: looking into others,
// programs and memory for the kernel, mounts, namespaces, modules, and ways
// around the filter itself.
func needless() []seccomp.Rule {
	deny := seccomp.Fail(unix.EPERM)
	return append(
		seccomp.Rules(
			deny,
			unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_KCMP, unix.SYS_PIDFD_GETFD,
			unix.SYS_PERF_EVENT_OPEN, unix.SYS_BPF, unix.SYS_USERFAULTFD, unix.SYS_IO_URING_SETUP, unix.SYS_MEMFD_CREATE,
			unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_PERSONALITY,
			unix.SYS_SETNS, unix.SYS_UNSHARE, unix.SYS_CHROOT, unix.SYS_PIVOT_ROOT,
			unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_MOVE_MOUNT, unix.SYS_OPEN_TREE, unix.SYS_FSOPEN, unix.SYS_FSMOUNT,
			unix.SYS_FSCONFIG, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR,
			unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_KEXEC_LOAD, unix.SYS_KEXEC_FILE_LOAD,
			unix.SYS_REBOOT, unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_SYSLOG, unix.SYS_QUOTACTL, unix.SYS_ACCT,
			unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_ADJTIMEX, unix.SYS_CLOCK_ADJTIME,
			unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME, unix.SYS_MKNODAT,
		),
		seccomp.Rules(deny, needlessOfArch()...)...)
}

// denied is what fails in a confined process, besides: other programs and
// processes, and sockets, but in the uplink those of a client.
func denied(connects bool) []seccomp.Rule {
	deny := seccomp.Fail(unix.EPERM)
	var r []seccomp.Rule
	if connects {
		r = clients()
	} else {
		r = seccomp.Rules(deny, unix.SYS_CONNECT)
	}
	r = append(r, seccomp.Rules(
		deny, unix.SYS_SOCKET, unix.SYS_BIND, unix.SYS_LISTEN, unix.SYS_ACCEPT, unix.SYS_ACCEPT4,
		unix.SYS_EXECVE, unix.SYS_EXECVEAT,
	)...)
	r = append(
		r,
		// Threads, but no processes. The flags of clone3 are in memory, where no
		// filter sees them; "not in this kernel" makes a C library take clone.
		seccomp.Rule{Call: unix.SYS_CLONE, Do: seccomp.Allow, Tests: []seccomp.Test{{Arg: 0, Mask: unix.CLONE_THREAD, Is: unix.CLONE_THREAD}}},
		seccomp.Rule{Call: unix.SYS_CLONE, Do: deny},
		seccomp.Rule{Call: unix.SYS_CLONE3, Do: seccomp.Fail(unix.ENOSYS)},
	)
	return append(r, needless()...)
}

// clients allows sockets of TCP, and of UDP for names. Multipath TCP and SCTP
// are not among them: Landlock does not know their ports.
func clients() (r []seccomp.Rule) {
	for _, family := range []uint32{unix.AF_INET, unix.AF_INET6} {
		for _, protocol := range []uint32{0, unix.IPPROTO_TCP, unix.IPPROTO_UDP} {
			r = append(r, seccomp.Rule{
				Call: unix.SYS_SOCKET, Do: seccomp.Allow,
				Tests: []seccomp.Test{seccomp.Equal(0, family), seccomp.Equal(2, protocol)},
			})
		}
	}
	return r
}
