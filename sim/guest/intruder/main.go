// Command intruder is malware on a board, as a test's: it runs as root beside
// the register, in nobody's jail, and does what it is ordered to.
//
// The kernel starts it in place of /init (rdinit=/intruder). It leaves a copy of
// itself behind and becomes /init, which knows nothing of it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"regi/sim/guest/order"
)

const (
	path  = "/intruder"
	heart = "/init"
	// resident is argv[0] of the copy, errand of those that it sends as a user.
	resident = "intruder"
	errand   = "intruder-errand"
)

func main() {
	var err error
	switch {
	case os.Getpid() == 1:
		err = infect()
	case os.Args[0] == errand:
		err = runErrand()
	default:
		err = reside()
	}
	fmt.Fprintln(os.Stderr, "intruder:", err)
	os.Exit(1)
}

// infect starts the copy and becomes what the board should have started.
func infect() error {
	_, err := os.StartProcess(path, []string{resident}, &os.ProcAttr{
		Dir: "/", Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "intruder:", err)
	}
	return syscall.Exec(heart, append([]string{heart}, os.Args[1:]...), os.Environ()) //nolint:gosec // the board's own
}

// reside does what it is told until the board goes down.
func reside() error {
	side, err := openDisk()
	if err != nil {
		return err
	}
	i := &intruder{}
	for ; ; time.Sleep(order.Every) {
		var o order.Order
		heard, err := side.Hear(&o)
		if err != nil {
			return err
		}
		if !heard {
			continue
		}
		a, err := i.do(o)
		if err != nil {
			a.Err = err.Error()
		}
		if err := side.Say(a); err != nil {
			return err
		}
	}
}

// intruder is what stays between orders.
type intruder struct {
	hunt *hunt
	held []interface{ Close() error } // listeners
}

func (i *intruder) do(o order.Order) (a order.Answer, err error) {
	switch o.Do {
	case order.Processes:
		a.Processes = processes()
	case order.Sockets:
		a.Sockets, err = sockets()
	case order.Counters:
		a.Counters, err = counters()
	case order.Devices:
		a.Devices, a.Nodes = devices()
	case order.Send, order.Peek, order.Run:
		return as(o)
	case order.FromRole, order.PeekRole:
		a.Threads, a.Attempts, err = fromRole(o)
	case order.Route:
		err = route(o.Targets)
	case order.Listen:
		err = i.listen(o.Port)
	case order.Tear:
		a.Torn, err = tear(o.For)
	case order.Hunt:
		if i.hunt != nil {
			return a, errors.New("hunting already")
		}
		i.hunt = newHunt(o.Cards)
	case order.Passes:
		if i.hunt == nil {
			return a, errors.New("not hunting")
		}
		a.Hunt.Passes = i.hunt.passes()
	case order.Hunted:
		if i.hunt == nil {
			return a, errors.New("not hunting")
		}
		a.Hunt, err = i.hunt.end()
		i.hunt = nil
	case order.Signal:
		err = syscall.Kill(o.PID, syscall.Signal(o.Number))
	case order.Search:
		a.Files, a.Hunt.Found, err = search(o.Cards)
	default:
		err = fmt.Errorf("%q is no order", o.Do)
	}
	return a, err
}

// errandWithin bounds an order that is done as a user.
const errandWithin = 30 * time.Second

// as does an order as a user, who has no right but his own.
func as(o order.Order) (a order.Answer, err error) {
	told, err := json.Marshal(o)
	if err != nil {
		return a, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), errandWithin)
	defer cancel()
	c := exec.CommandContext(ctx, "/proc/self/exe")
	c.Args, c.Env, c.Dir = []string{errand, string(told)}, []string{}, "/"
	if o.User != 0 {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: o.User, Gid: o.User}}
	}
	c.Stderr = os.Stderr
	said, err := c.Output()
	if err != nil {
		return a, fmt.Errorf("errand as %s: %w", strconv.FormatUint(uint64(o.User), 10), err)
	}
	return a, json.Unmarshal(said, &a)
}

// runErrand is what the other process does.
func runErrand() error {
	if len(os.Args) != 2 {
		return errors.New("no errand")
	}
	var o order.Order
	if err := json.Unmarshal([]byte(os.Args[1]), &o); err != nil {
		return err
	}
	var a order.Answer
	var err error
	switch o.Do {
	case order.Send:
		a.Attempts = sendAll(o.Targets)
	case order.Peek:
		a.Attempts = peek(o.PID)
	case order.Run:
		a.Attempts = runStrange()
	}
	if err != nil {
		a.Err = err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(a); err != nil {
		return err
	}
	os.Exit(0)
	return nil
}
