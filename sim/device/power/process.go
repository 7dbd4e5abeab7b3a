package power

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The register's processes by role. Its children carry theirs in argv[0], as
// "regi-capture".
const (
	register   = "register"
	rolePrefix = "regi-"
)

//nolint:gochecknoglobals // a constant table
var roleNames = []string{register, "capture", "uplink"}

// gonePoll is how often a killed process is looked for.
const gonePoll = 2 * time.Millisecond

// process is one row of /proc.
type process struct {
	pid, parent, group int
	ended              bool   // a zombie: it holds nothing any more
	begun              string // ticks since boot: tells it from a later one of its number
}

// look reads /proc/PID/stat, proc_pid_stat(5). The name in it may hold blanks
// and parentheses; the fields begin behind the last one.
func look(pid int) (process, bool) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return process{}, false
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) < 20 {
		return process{}, false
	}
	p := process{pid: pid, ended: f[0] == "Z" || f[0] == "X", begun: f[19]}
	var errs [2]error
	p.parent, errs[0] = strconv.Atoi(f[1])
	p.group, errs[1] = strconv.Atoi(f[2])
	return p, errors.Join(errs[:]...) == nil
}

// processes lists what runs on this machine.
func processes() []process {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close() //nolint:errcheck // only read from
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil
	}
	var all []process
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if p, ok := look(pid); ok && !p.ended {
			all = append(all, p)
		}
	}
	return all
}

// kill kills this process and no later one of its number.
func (p process) kill() error {
	handle, err := os.FindProcess(p.pid) // a pidfd: it cannot change its meaning
	if err != nil {
		return fmt.Errorf("process %d: %w", p.pid, err)
	}
	defer handle.Release() //nolint:errcheck // nothing is left to do with it
	if now, ok := look(p.pid); !ok || now.begun != p.begun {
		return nil // gone already
	}
	if err := handle.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("process %d: %w", p.pid, err)
	}
	return nil
}

// family lists the register's living processes: its group, and children that
// left the group. The latter are found only while the register lives.
func (r *run) family() []process {
	return slices.DeleteFunc(processes(), func(p process) bool { return p.group != r.pid && p.parent != r.pid })
}

// roles finds the register's processes by role.
func (r *run) roles() map[string]process {
	found := map[string]process{}
	for _, p := range r.family() {
		if p.pid == r.pid && p.begun == r.begun {
			found[register] = p
			continue
		}
		if role, ok := strings.CutPrefix(p.name(), rolePrefix); ok && p.parent == r.pid && slices.Contains(roleNames, role) {
			found[role] = p
		}
	}
	return found
}

// name is argv[0].
func (p process) name() string {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.pid), "cmdline"))
	if err != nil {
		return ""
	}
	name, _, _ := bytes.Cut(b, []byte{0})
	return string(name)
}

// awaitGone waits until the family has ended, and whoever joined its group
// meanwhile.
func (r *run) awaitGone(family []process) error {
	for begin := time.Now(); ; time.Sleep(gonePoll) {
		left := slices.DeleteFunc(processes(), func(p process) bool {
			known := slices.ContainsFunc(family, func(q process) bool { return q.pid == p.pid && q.begun == p.begun })
			return !known && p.group != r.pid
		})
		if len(left) == 0 {
			return nil
		}
		if time.Since(begin) > goneWithin {
			return fmt.Errorf("%d processes outlive SIGKILL, the first is %d", len(left), left[0].pid)
		}
	}
}
