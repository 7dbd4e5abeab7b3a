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
	// Image is what its flashable image needs; nil where there is none.
	Image *Image
	// Notes is for the technician: what was verified and what was not.
	Notes string
}

// How a board is told to try the other slot once.
const (
	SelectPi   = "pi"   // reboot "0 tryboot": firmware of a Raspberry Pi
	SelectQEMU = "qemu" // a file of the selector: the ROM of the tests
)

// Image is what differs between the images of boards.
type Image struct {
	// Arch is the processor, as GOARCH has it.
	Arch string
	// Console is the kernel's name of the serial line of the kernel's own words.
	Console string
	// DTBs are the device trees of the kernel's module that go along; the board's
	// firmware takes the one of its model.
	DTBs []string
	// Firmware are files of the Raspberry Pi firmware module in a slot, and
	// SelectorFirmware those beside autoboot.txt.
	Firmware, SelectorFirmware []string
	// Config are further lines of config.txt.
	Config []string
	// Select is how the other slot is tried: SelectPi or SelectQEMU.
	Select string
	// Trust says plainly what the board's chain of trust is worth.
	Trust string
}

// boards makes every value anew, so that a caller may change the maps.
func boards() []Board {
	return []Board{generic(), rpi3(), rpi4(), rpi5(), qemuVirt(), beaglebone()}
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
