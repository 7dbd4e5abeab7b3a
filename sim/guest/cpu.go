package guest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of /proc/PID/stat, USER_HZ, on every Linux.
const tick = 10 * time.Millisecond

// CPU is the processor time that the machine has used of this one: on a busy
// machine it says more than the clock on the wall.
func (g *Guest) CPU() (user, system time.Duration, err error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, 0, fmt.Errorf("guest: %w", err)
	}
	for _, path := range stats {
		text, err := os.ReadFile(path) //nolint:gosec // of the kernel
		if err != nil {
			continue // it has just ended
		}
		// Behind the name in brackets: state, parent, process group; user and
		// system time are the 12th and 13th.
		_, rest, _ := strings.Cut(string(text), ") ")
		words := strings.Fields(rest)
		if len(words) < 13 || words[2] != strconv.Itoa(g.cmd.Process.Pid) {
			continue
		}
		u, errUser := strconv.Atoi(words[11])
		s, errSystem := strconv.Atoi(words[12])
		if errUser == nil && errSystem == nil {
			user += time.Duration(u) * tick
			system += time.Duration(s) * tick
		}
	}
	return user, system, nil
}
