// Package arena is memory that nobody else can read, and a way to run code
// that leaves nothing behind outside it.
package arena

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Arena is one mapping outside the Go heap.
type Arena struct {
	memory  []byte
	secret  bool
	offered bool
	locked  bool
}

var errSize = errors.New("arena: size out of range")

// bytesMax keeps the arena far under the usual RLIMIT_MEMLOCK of 8 MiB.
const bytesMax = 1 << 20

// Map returns an arena of at least size bytes, all zero. It is a
// memfd_secret(2) mapping, which even root cannot read through /proc or a core
// file; where the kernel has none (before 5.14, or without secretmem.enable=1
// before 6.5), an anonymous one that is locked into RAM, left out of dumps and
// emptied in a forked child.
func Map(size int) (*Arena, error) {
	if size <= 0 || size > bytesMax {
		return nil, errSize
	}
	page := os.Getpagesize()
	size = (size + page - 1) / page * page
	memory, errSecret := mapSecret(size)
	if errSecret == nil {
		return &Arena{memory: memory, secret: true, offered: true, locked: true}, nil
	}
	a, err := mapLocked(size)
	if err == nil {
		a.offered = !errors.Is(errSecret, unix.ENOSYS)
	}
	return a, err
}

func mapLocked(size int) (*Arena, error) {
	memory, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, fmt.Errorf("arena: map: %w", err)
	}
	a := &Arena{memory: memory, locked: unix.Mlock(memory) == nil}
	for _, advice := range []int{unix.MADV_DONTDUMP, unix.MADV_WIPEONFORK} {
		if err := unix.Madvise(memory, advice); err != nil {
			return nil, errors.Join(fmt.Errorf("arena: advise: %w", err), unix.Munmap(memory))
		}
	}
	return a, nil
}

// Secret reports whether the arena is a memfd_secret mapping.
func (a *Arena) Secret() bool { return a.secret }

// Offered reports whether this kernel offers memfd_secret mappings.
func (a *Arena) Offered() bool { return a.offered }

// Locked reports whether the arena cannot be swapped out.
func (a *Arena) Locked() bool { return a.locked }

// Close wipes and unmaps the arena. What was placed in it must not be touched
// any more.
func (a *Arena) Close() error {
	clear(a.memory)
	err := unix.Munmap(a.memory)
	a.memory = nil
	if err != nil {
		return fmt.Errorf("arena: unmap: %w", err)
	}
	return nil
}

// Place returns the arena as a T, which must hold no pointer: the garbage
// collector does not look into an arena.
func Place[T any](a *Arena) (*T, error) {
	var t T
	if unsafe.Sizeof(t) > uintptr(len(a.memory)) {
		return nil, errSize
	}
	return (*T)(unsafe.Pointer(unsafe.SliceData(a.memory))), nil //nolint:gosec // size checked above; a page is aligned for any T
}
