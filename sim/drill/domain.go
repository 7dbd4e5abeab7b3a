package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"regi/sim/drill/reach"
)

// A look from inside the register's own confinement: each thread of its other
// processes is stopped and made to try, with its rights and no others, to read
// the memory of the process that reads cards. That is what code injected there
// by a robber could do, as root too.

// domainRole is argv[0] of the process that borrows the threads: their parent
// may not, as a parent's waiting for an end returns at each stop of a thread
// that the same process traces.
const domainRole = "regi-drill-domain"

// domain is what the threads of one process can do.
type domain struct {
	Role     string
	Threads  int
	Attempts []reach.Attempt // each outcome once
	Err      string          // why it could not be found out
}

// refused reports whether every thread was.
func (d domain) refused() bool {
	return d.Err == "" && d.Threads > 0 && reach.AllRefused(d.Attempts)
}

// domainMain is that process: its arguments are the process whose threads try,
// and the one that they try to read.
func domainMain(args []string, out io.Writer) int {
	if len(args) != 2 {
		return 2
	}
	pid, errPID := strconv.Atoi(args[0])
	victim, errVictim := strconv.Atoi(args[1])
	if errPID != nil || errVictim != nil {
		return 2
	}
	var d domain
	if err := d.look(pid, victim); err != nil {
		d.Err = err.Error()
	}
	if json.NewEncoder(out).Encode(d) != nil {
		return 2
	}
	return 0
}

func fromDomains(ctx context.Context, roles map[string]int) (all []domain, err error) {
	victim := roles[reading]
	for _, t := range targets(roles) {
		if t.name == reading {
			continue
		}
		d := domain{}
		out, err := again(ctx, 0, domainRole, t.pid, strconv.Itoa(victim))
		if err == nil {
			err = json.Unmarshal(out, &d)
		}
		if err != nil {
			return nil, fmt.Errorf("look from %s: %w", t.name, err)
		}
		d.Role = t.name
		all = append(all, d)
	}
	return all, nil
}

func (d *domain) look(pid, victim int) error {
	if victim == 0 {
		return errors.New("no process reads cards")
	}
	at, err := reach.Address(victim)
	if err != nil {
		return err
	}
	d.Threads, d.Attempts, err = reach.Threads(pid, func(t *reach.Thread) ([]reach.Attempt, error) { return t.Peek(victim, at) })
	return err
}
