//go:build goexperiment.runtimesecret

package hsm

import (
	"runtime"
	"runtime/secret"
)

// secretly runs f and erases what it leaves in registers, on the stack and, as
// it is collected, in the heap.
func secretly(f func()) {
	secret.Do(f)
	runtime.GC()
}
