//go:build cgo

package jail_test

// cgo: the jail allows for a C library.
const cgo = true
