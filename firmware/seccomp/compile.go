package seccomp

import (
	"errors"

	"golang.org/x/sys/unix"
)

// programMax is the kernel's limit of a filter, in instructions.
const programMax = 4096

var errRules = errors.New("seccomp: too many rules, or a rule that is none")

// The fields of struct seccomp_data, in bytes. All our machines are little
// endian: the lower half of an argument comes first.
const (
	dataCall = 0
	dataArch = 4
	dataArgs = 16
)

// The instructions of a classic BPF program that are used here.
const (
	load    = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	equal   = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	atLeast = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
	masked  = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	end     = unix.BPF_RET | unix.BPF_K
)

// foreignCalls: from here on an amd64 kernel may know all its system calls once
// more, those of the x32 ABI. No call of ours is that high.
const foreignCalls = 0x40000000

// compile makes the filter: the architecture, then a block for each rule,
// which every instruction leaves forward to the next block.
func compile(rules []Rule, without Action) ([]unix.SockFilter, error) {
	program := []unix.SockFilter{
		{Code: load, K: dataArch},
		{Code: equal, K: arch, Jt: 1},
		{Code: end, K: uint32(Kill)},
		{Code: load, K: dataCall},
		{Code: atLeast, K: foreignCalls, Jf: 1},
		{Code: end, K: uint32(Kill)},
	}
	callLoaded := true
	for _, r := range rules {
		block, err := r.block(callLoaded)
		if err != nil {
			return nil, err
		}
		program = append(program, block...)
		callLoaded = len(r.Tests) == 0
	}
	program = append(program, unix.SockFilter{Code: end, K: uint32(without)})
	if len(program) > programMax {
		return nil, errRules
	}
	return program, nil
}

// testsMax keeps a block far below the 255 instructions that a jump can pass.
const testsMax = 6

func (r Rule) block(callLoaded bool) ([]unix.SockFilter, error) {
	if len(r.Tests) > testsMax {
		return nil, errRules
	}
	var b []unix.SockFilter
	if !callLoaded {
		b = append(b, unix.SockFilter{Code: load, K: dataCall})
	}
	b = append(b, unix.SockFilter{Code: equal, K: uint32(r.Call)}) //nolint:gosec // a system call's number
	for _, t := range r.Tests {
		if t.Arg < 0 || t.Arg > 5 || t.Is&^t.Mask != 0 {
			return nil, errRules
		}
		b = append(b,
			unix.SockFilter{Code: load, K: uint32(dataArgs + 8*t.Arg)},
			unix.SockFilter{Code: masked, K: t.Mask},
			unix.SockFilter{Code: equal, K: t.Is})
	}
	b = append(b, unix.SockFilter{Code: end, K: uint32(r.Do)})
	for i := range b {
		if b[i].Code == equal { // what does not hold leaves the block
			b[i].Jf = uint8(len(b) - i - 1) //nolint:gosec // at most 3*testsMax+2
		}
	}
	return b, nil
}
