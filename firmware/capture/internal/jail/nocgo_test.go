//go:build !cgo

package jail_test

const cgo = false
