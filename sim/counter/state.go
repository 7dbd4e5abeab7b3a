package counter

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"regi/sim/device/power"
	"regi/sim/device/printer"
)

// consoleLinesMax is how much of the console is part of the state.
const consoleLinesMax = 40

// Powers of the register.
const (
	powerOn       = "on"
	powerOff      = "off"
	powerExternal = "external" // somebody else runs it
)

// state is the counter at one moment, flat enough to be read by jq and people.
type state struct {
	Displays map[string][2]string `json:"displays"` // "operator", and "customer" if that is another
	Drawer   drawerState          `json:"drawer"`
	Printer  printer.State        `json:"printer"`
	// Till, Outbox, Acknowledged and Head are what the register last said.
	Till         string     `json:"till"` // a phase, or OFF, BOOT or DOWN
	Outbox       uint64     `json:"outbox"`
	Acknowledged uint64     `json:"acknowledged"`
	Head         uint64     `json:"head"`
	Cloud        cloudState `json:"cloud"`
	// Devices by name: "up", or what is wrong.
	Devices map[string]string `json:"devices"`
	// Unplugged are the cables that are out.
	Unplugged []string       `json:"unplugged"`
	Roles     map[string]int `json:"roles"` // process ids of those that run
	Power     string         `json:"power"`
	Console   []string       `json:"console"` // newest last
}

type drawerState struct {
	State      string `json:"state"`
	Violations int    `json:"violations"` // pulses outside the coil's limits
	Pulses     int    `json:"pulses"`     // drives of a coil
}

type cloudState struct {
	Link    string   `json:"link"`
	Session bool     `json:"session"` // the register says it is connected
	Alarms  []string `json:"alarms"`
	// Version and Slot are of the newest start in the ledger; a register that is
	// no flashed board has no slot.
	Version string `json:"version"`
	Slot    string `json:"slot"`
}

// state looks at everything.
func (c *Counter) state(ctx context.Context) state {
	console := c.Console.Lines()
	s := state{
		Displays:  map[string][2]string{"operator": c.Display.Lines()},
		Drawer:    drawerState{State: c.Drawer.State(), Violations: len(c.Drawer.Violations()), Pulses: c.Drawer.Count()},
		Printer:   c.Printer.State(),
		Unplugged: c.cables.out(),
		Devices:   make(map[string]string, len(c.Wires)),
		Roles:     map[string]int{},
		Power:     powerExternal,
		Console:   append([]string{}, console[max(0, len(console)-consoleLinesMax):]...),
	}
	if c.Customer != nil {
		s.Displays["customer"] = c.Customer.Lines()
	}
	var r power.RegisterState
	if c.Power != nil {
		r = c.Power.State()
		s.register(&r)
	}
	runs := c.running(ctx)
	s.Cloud = cloudState{Link: c.Cloud.Link(), Session: r.Cloud, Alarms: append([]string{}, c.Alarms()...), Version: runs.Version, Slot: runs.Slot}
	for name := range c.Wires {
		s.Devices[name] = c.device(name, &s, &r)
	}
	return s
}

// register adds what the register says of itself. Without power the display,
// which it feeds, is dark.
func (s *state) register(r *power.RegisterState) {
	s.Roles = r.Roles
	s.Till, s.Outbox, s.Acknowledged, s.Head = r.Till, r.Outbox, r.Acked, r.Head
	s.Power = powerOn
	if !r.On {
		s.Power = powerOff
		dark := strings.Repeat(" ", displayColumns)
		for face := range s.Displays {
			s.Displays[face] = [2]string{dark, dark}
		}
	}
}

const displayColumns = 20

// notOpen: the cable is in, but no register has it open.
const notOpen = "not open"

// device puts one line into a word: of this side first, then the register's.
func (c *Counter) device(name string, s *state, r *power.RegisterState) string {
	switch word, known := r.Devices[name]; {
	case slices.Contains(s.Unplugged, name):
		return "unplugged"
	case s.Power == powerOff:
		return "off"
	case known:
		return word
	case c.Wires[name].Opened():
		return "up"
	}
	return notOpen
}

// wireNames lists the cables, those that a cashier touches first.
func (c *Counter) wireNames() []string {
	first := []string{"scanner", "card", "keypad", "printer", "display", "customer", "console"}
	return slices.SortedFunc(maps.Keys(c.Wires), func(a, b string) int {
		at, bt := slices.Index(first, a), slices.Index(first, b)
		return cmp.Or(cmp.Compare(uint(at), uint(bt)), strings.Compare(a, b)) // -1, of no rank, is the largest
	})
}

// out lists the cables that are pulled.
func (c *cables) out() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := []string{}
	for name, pulled := range c.pulled {
		if pulled {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
