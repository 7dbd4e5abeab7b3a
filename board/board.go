// Package board holds what differs from one board to the next, as values: the
// default path of each serial line and the names of the drawer's GPIO lines.
package board

import (
	"fmt"
	"strings"
)

// The roles a port can have; the keys of Board.Ports.
const (
	RoleScanner = "scanner"
	RolePrinter = "printer"
	RoleCard    = "card"
	RoleKeypad  = "keypad"
	RoleDisplay = "display"
	RoleConsole = "console"
)

// The uses a GPIO line can have; the keys of Board.Pins.
const (
	PinDrawerKick  = "drawer.kick"
	PinDrawerSense = "drawer.sense"
)

// Board is one board Regi is built for. The config's own port always wins
// over a default from here.
type Board struct {
	// Name is what register.board says in the config.
	Name string
	// Ports is role → default path. A role that is absent has no default: the
	// config must name it. Paths name a socket of the board, never an order of
	// enumeration (ttyUSB0 is whichever adapter answered first).
	Ports map[string]string
	// Pins is use → GPIO line name as the kernel gives it.
	Pins map[string]string
	// Notes is for the technician: what was verified and what was not.
	Notes string
}

// boards makes every value anew, so that a caller may change the maps.
func boards() []Board {
	return []Board{generic(), rpi4()}
}

// ByName returns the board called name, or an error that lists the known ones.
func ByName(name string) (Board, error) {
	for _, b := range boards() {
		if b.Name == name {
			return b, nil
		}
	}
	return Board{}, fmt.Errorf("board: %q is unknown (known: %s)", name, strings.Join(Names(), ", "))
}

// Names lists the known boards, generic first.
func Names() []string {
	known := boards()
	names := make([]string, 0, len(known))
	for _, b := range known {
		names = append(names, b.Name)
	}
	return names
}
