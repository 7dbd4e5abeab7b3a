package reach

import "golang.org/x/sys/unix"

// The call's number in x8, arguments in x0 to x5, the result in x0.

type registers = unix.PtraceRegsArm64

var systemCall = []byte{0x01, 0x00, 0x00, 0xD4} //nolint:gochecknoglobals // the instruction svc #0

// callAlign: instructions are words.
const callAlign = 4

// generalSet is NT_PRSTATUS.
const generalSet = 1

func getRegisters(tid int, r *registers) error { return unix.PtraceGetRegSetArm64(tid, generalSet, r) }
func setRegisters(tid int, r *registers) error { return unix.PtraceSetRegSetArm64(tid, generalSet, r) }
func stackOf(r *registers) uint64              { return r.Sp }
func resultOf(r *registers) int64              { return int64(r.Regs[0]) } //nolint:gosec // as the kernel means it

func prepare(r *registers, at uint64, nr int64, args []int64) {
	r.Pc, r.Regs[8] = at, uint64(nr) //nolint:gosec // as the kernel means it
	for i, a := range args {
		r.Regs[i] = uint64(a) //nolint:gosec // as the kernel means it
	}
}
