package power

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
)

// RegisterState is what the supply knows of the register. All but the first
// fields are the register's own words, from its newest state line; they are
// gone with the process that said them.
type RegisterState struct {
	On bool
	// PID is 0 while there is no process.
	PID int
	// Roles are the processes found now: "register", "capture", "uplink".
	Roles map[string]int
	// Restarts counts the starts after a death that was not ordered; LastExit
	// is how the newest process that ended did so.
	Restarts int
	LastExit string

	// Till is the till's phase, or OFF, BOOT or DOWN.
	Till string
	// Outbox is how many records wait, Acked and Head are sequence numbers.
	Outbox, Acked, Head uint64
	Cloud               bool
	// Devices are "up" or why not, by name: scanner, printer, card, keypad,
	// display, customer, console.
	Devices map[string]string
}

// stateLine is the register's log line "state".
type stateLine struct {
	Msg      string `json:"msg"`
	Till     string `json:"till"`
	Outbox   uint64 `json:"outbox"`
	Acked    uint64 `json:"acked"`
	Head     uint64 `json:"head"`
	Cloud    bool   `json:"cloud"`
	Scanner  string `json:"scanner"`
	Printer  string `json:"printer"`
	Card     string `json:"card"`
	Keypad   string `json:"keypad"`
	Display  string `json:"display"`
	Customer string `json:"customer"`
	Console  string `json:"console"`
}

func (l *stateLine) devices() map[string]string {
	return map[string]string{
		"scanner": l.Scanner, "printer": l.Printer, "card": l.Card, "keypad": l.Keypad, "display": l.Display,
		"customer": l.Customer, "console": l.Console,
	}
}

// parseState reads a line of the log; most are no state lines.
func parseState(line []byte) (stateLine, bool) {
	var l stateLine
	if !bytes.Contains(line, []byte(`"state"`)) {
		return l, false
	}
	if json.Unmarshal(line, &l) != nil || l.Msg != "state" {
		return stateLine{}, false
	}
	return l, true
}

// heard takes in one line of a register.
func (p *Power) heard(r *run, line []byte) {
	l, ok := parseState(line)
	if !ok {
		return
	}
	p.change(func() {
		if p.run != r {
			return // a late word of one that is gone
		}
		s := &p.state
		s.Till, s.Outbox, s.Acked, s.Head, s.Cloud, s.Devices = l.Till, l.Outbox, l.Acked, l.Head, l.Cloud, l.devices()
	})
}

// State is what is known now.
func (p *Power) State() RegisterState {
	p.mu.Lock()
	s, r := p.state, p.run
	s.Devices = maps.Clone(s.Devices)
	p.mu.Unlock()
	s.Roles = map[string]int{}
	if r != nil {
		s.PID = r.pid
		for role, found := range r.roles() {
			s.Roles[role] = found.pid
		}
	}
	return s
}

// Await waits until the register says that a device is up: only from then on
// does it read what the device sends, for it empties a line that it opens.
func (p *Power) Await(ctx context.Context, device string) error {
	for {
		p.mu.Lock()
		now, news := p.state.Devices[device], p.news
		p.mu.Unlock()
		if now == "up" {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return fmt.Errorf("power: %.20s is not up: %w", device, ctx.Err())
		}
	}
}
