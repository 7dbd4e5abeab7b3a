package seccomp

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// decide is what the rules mean.
func decide(rules []Rule, without Action, call uint32, args [6]uint64) Action {
	for _, r := range rules {
		holds := uint32(r.Call) == call
		for _, test := range r.Tests {
			holds = holds && uint32(args[test.Arg])&test.Mask == test.Is
		}
		if holds {
			return r.Do
		}
	}
	return without
}

// run is the kernel's machine, as far as the filters use it. Every jump goes
// forward, so that it ends.
func run(t interface{ Fatalf(string, ...any) }, program []unix.SockFilter, data []byte) Action {
	var a uint32
	for pc := 0; pc < len(program); pc++ {
		switch i := program[pc]; i.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			a = binary.LittleEndian.Uint32(data[i.K:])
		case unix.BPF_ALU | unix.BPF_AND | unix.BPF_K:
			a &= i.K
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			pc += jump(a == i.K, i)
		case unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:
			pc += jump(a >= i.K, i)
		case unix.BPF_RET | unix.BPF_K:
			return Action(i.K)
		default:
			t.Fatalf("instruction %+v", i)
		}
	}
	t.Fatalf("the program has no end")
	return 0
}

func jump(yes bool, i unix.SockFilter) int {
	if yes {
		return int(i.Jt)
	}
	return int(i.Jf)
}

func seccompData(arch, call uint32, args [6]uint64) []byte {
	b := binary.LittleEndian.AppendUint32(nil, call)
	b = binary.LittleEndian.AppendUint32(b, arch)
	b = binary.LittleEndian.AppendUint64(b, 0)
	for _, a := range args {
		b = binary.LittleEndian.AppendUint64(b, a)
	}
	return b
}

// The program decides as the rules say, whatever the call and the arguments.
func TestCompile(t *testing.T) {
	small := rapid.Uint32Range(0, 5)
	rapid.Check(t, func(t *rapid.T) {
		rules := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Rule {
			r := Rule{Call: uintptr(small.Draw(t, "call")), Do: rapid.SampledFrom([]Action{Allow, Kill, Fail(unix.EPERM)}).Draw(t, "do")}
			for range rapid.IntRange(0, testsMax).Draw(t, "tests") {
				mask := rapid.SampledFrom([]uint32{^uint32(0), 3, 1, 2}).Draw(t, "mask")
				r.Tests = append(r.Tests, Test{rapid.IntRange(0, 5).Draw(t, "arg"), mask, small.Draw(t, "is") & mask})
			}
			return r
		}), 0, 30).Draw(t, "rules")
		program, err := compile(rules, Kill)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			call := small.Draw(t, "call")
			var args [6]uint64
			for i := range args { // the upper half means nothing
				args[i] = uint64(small.Draw(t, "arg")) | uint64(rapid.Uint32().Draw(t, "upper"))<<32
			}
			if got, want := run(t, program, seccompData(arch, call, args)), decide(rules, Kill, call, args); got != want {
				t.Fatalf("call %d %x: %x, want %x", call, args, got, want)
			}
			if got := run(t, program, seccompData(arch^1, call, args)); got != Kill {
				t.Fatalf("a foreign architecture: %x", got)
			}
			if got := run(t, program, seccompData(arch, call|foreignCalls, args)); got != Kill {
				t.Fatalf("a foreign call: %x", got)
			}
		}
	})
}

func TestCompileRefuses(t *testing.T) {
	for name, rules := range map[string][]Rule{
		"argument":            {{Tests: []Test{{Arg: 6}}}},
		"what cannot be true": {{Tests: []Test{{Mask: 1, Is: 2}}}},
		"too many tests":      {{Tests: make([]Test, testsMax+1)}},
		"too many rules":      make([]Rule, programMax),
	} {
		if _, err := compile(rules, Kill); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
