package reach

import "golang.org/x/sys/unix"

// System V AMD64 psABI A.2.1: the call's number in rax, arguments in rdi, rsi,
// rdx, r10, r8, r9, the result in rax.

type registers = unix.PtraceRegsAmd64

var systemCall = []byte{0x0F, 0x05} //nolint:gochecknoglobals // the instruction syscall

// callAlign: an instruction begins anywhere.
const callAlign = 1

func getRegisters(tid int, r *registers) error { return unix.PtraceGetRegsAmd64(tid, r) }
func setRegisters(tid int, r *registers) error { return unix.PtraceSetRegsAmd64(tid, r) }
func stackOf(r *registers) uint64              { return r.Rsp }
func resultOf(r *registers) int64              { return int64(r.Rax) } //nolint:gosec // as the kernel means it

func prepare(r *registers, at uint64, nr int64, args []int64) {
	r.Rip, r.Rax = at, uint64(nr) //nolint:gosec // as the kernel means it
	r.Orig_rax = ^uint64(0)       // the call that was interrupted is not made again now
	for i, to := range []*uint64{&r.Rdi, &r.Rsi, &r.Rdx, &r.R10, &r.R8, &r.R9}[:len(args)] {
		*to = uint64(args[i]) //nolint:gosec // as the kernel means it
	}
}
