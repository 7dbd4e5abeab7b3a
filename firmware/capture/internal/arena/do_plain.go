//go:build !goexperiment.runtimesecret

package arena

// Do runs f. This binary was built without GOEXPERIMENT=runtimesecret: nothing
// is erased after it.
func Do(f func()) { f() }

// Erases reports whether Do erases what f leaves in registers and on the stack.
func Erases() bool { return false }
