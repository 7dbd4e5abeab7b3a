package jail

import "golang.org/x/sys/unix"

const (
	mapCall   = unix.SYS_MMAP2
	fcntlCall = unix.SYS_FCNTL64
)

// ofArch are calls that only this architecture has: those with 64-bit times.
func ofArch() []uintptr {
	return []uintptr{unix.SYS_FUTEX_TIME64, unix.SYS_CLOCK_GETTIME64}
}
