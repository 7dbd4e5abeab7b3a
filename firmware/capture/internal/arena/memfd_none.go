//go:build !amd64 && !arm64

package arena

import "golang.org/x/sys/unix"

// mapSecret: the 32-bit kernels have no memfd_secret.
func mapSecret(int) ([]byte, error) { return nil, unix.ENOSYS }
