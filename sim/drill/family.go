package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// rolePrefix stands in argv[0] before a role of the register.
const rolePrefix = "regi-"

// family lists a register's processes by name: itself, what it has started, and
// whatever else is in its process group.
func family(register int) map[string]int {
	roles := map[string]int{}
	entries, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(filepath.Base(entry))
		if err != nil || !related(pid, register) {
			continue
		}
		name := "register"
		if pid != register {
			b, err := os.ReadFile(filepath.Join(entry, "cmdline")) //nolint:gosec // of /proc
			if err != nil || len(b) == 0 {
				continue // it has just ended
			}
			b, _, _ = bytes.Cut(b, []byte{0})
			if name = strings.TrimPrefix(filepath.Base(string(b)), rolePrefix); roles[name] != 0 {
				name = fmt.Sprintf("%s-%d", name, pid)
			}
		}
		roles[name] = pid
	}
	return roles
}

// related reads proc_pid_stat(5): a living process of the group, or a child.
func related(pid, register int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	const state, parent, group = 0, 1, 2
	if len(f) <= group || f[state] == "Z" || f[state] == "X" {
		return false
	}
	id := strconv.Itoa(register)
	return pid == register || f[parent] == id || f[group] == id
}
