//go:build goexperiment.runtimesecret

package arena

import "runtime/secret"

// Do runs f and then erases the registers and the stack it used. Heap memory
// that f allocated is erased when it is collected: call runtime.GC after it.
func Do(f func()) { secret.Do(f) }

// Erases reports whether Do erases: it does on linux/amd64 and linux/arm64, in
// a binary built with GOEXPERIMENT=runtimesecret.
func Erases() bool {
	erases := false
	secret.Do(func() { erases = secret.Enabled() })
	return erases
}
