//go:build amd64 || arm64

package arena

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// mapSecret maps memory that is taken out of the kernel's own page tables.
func mapSecret(size int) ([]byte, error) {
	// The manual page says FD_CLOEXEC; the kernel takes O_CLOEXEC (mm/secretmem.c).
	fd, err := unix.MemfdSecret(unix.O_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("arena: memfd_secret: %w", err)
	}
	memory, err := mapFile(fd, size)
	if errClose := unix.Close(fd); err == nil && errClose != nil {
		err = errClose
	}
	return memory, err
}

func mapFile(fd, size int) ([]byte, error) {
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		return nil, fmt.Errorf("arena: size: %w", err)
	}
	memory, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("arena: map: %w", err)
	}
	if err := unix.Madvise(memory, unix.MADV_DONTFORK); err != nil {
		return nil, fmt.Errorf("arena: advise: %w", err)
	}
	clear(memory) // a page that cannot be had must fail here, not in a swipe
	return memory, nil
}
