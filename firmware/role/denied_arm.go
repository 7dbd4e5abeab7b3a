package role

import "golang.org/x/sys/unix"

// needlessOfArch are system calls that only some architectures have.
func needlessOfArch() []uintptr {
	return []uintptr{unix.SYS_MKNOD, unix.SYS_FORK, unix.SYS_VFORK, unix.SYS_CLOCK_SETTIME64}
}
