//go:build amd64 || arm64

package jail

import "golang.org/x/sys/unix"

const (
	mapCall   = unix.SYS_MMAP
	fcntlCall = unix.SYS_FCNTL
)

// ofArch are calls that only this architecture has.
func ofArch() []uintptr { return nil }
