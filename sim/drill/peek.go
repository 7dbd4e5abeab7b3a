package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"regi/sim/drill/reach"
)

// peekRole is argv[0] of the process that looks at another one as another user.
const peekRole = "regi-drill-peek"

// uidNobody is a user that owns nothing.
const uidNobody = 65534

// others is what one user can do to one process of the register.
type others struct {
	uid      int
	role     string
	attempts []reach.Attempt
}

func (o others) refused() bool { return reach.AllRefused(o.attempts) }

// peekMain is the process of another user: its arguments are a process and an
// address in it.
func peekMain(args []string, out io.Writer) int {
	if len(args) != 2 {
		return 2
	}
	pid, errPID := strconv.Atoi(args[0])
	at, errAt := strconv.ParseUint(args[1], 16, 64)
	if errPID != nil || errAt != nil || json.NewEncoder(out).Encode(reach.Peek(pid, uintptr(at))) != nil {
		return 2
	}
	return 0
}

// peekWithin bounds one look.
const peekWithin = 20 * time.Second

// peekAll looks at each process of the register as nobody, and as each user
// that another of its processes runs as.
func peekAll(ctx context.Context, roles map[string]int) (all []others, err error) {
	uids := []int{uidNobody}
	for _, t := range targets(roles) {
		uid, err := uidOf(t.pid)
		if err != nil {
			return nil, err
		}
		if uid != 0 && !slices.Contains(uids, uid) {
			uids = append(uids, uid)
		}
	}
	for _, t := range targets(roles) {
		at, err := reach.Address(t.pid)
		if err != nil {
			return nil, err
		}
		for _, uid := range uids {
			attempts, err := peekAs(ctx, uid, t.pid, at)
			if err != nil {
				return nil, fmt.Errorf("look at %s as user %d: %w", t.name, uid, err)
			}
			all = append(all, others{uid, t.name, attempts})
		}
	}
	return all, nil
}

func peekAs(ctx context.Context, uid, pid int, at uint64) (attempts []reach.Attempt, err error) {
	out, err := again(ctx, uid, peekRole, pid, strconv.FormatUint(at, 16))
	if err != nil {
		return nil, err
	}
	return attempts, json.Unmarshal(out, &attempts)
}

// again runs this binary again in another role, as a user.
func again(ctx context.Context, uid int, role string, pid int, arg string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, peekWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args = []string{role, strconv.Itoa(pid), arg}
	cmd.Env, cmd.Dir = []string{}, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}} //nolint:gosec // a user's number
	return cmd.Output()
}

func uidOf(pid int) (uid int, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(b), "\nUid:")
	_, err = fmt.Sscan(rest, &uid)
	return uid, err
}
