//go:build !cgo

package jail

import "regi/firmware/seccomp"

// ofLibrary: there is no C library in this binary.
func ofLibrary() []seccomp.Rule { return nil }
