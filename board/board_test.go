package board_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"regi/board"
)

func all(t *testing.T) []board.Board {
	t.Helper()
	var bs []board.Board
	for _, name := range board.Names() {
		b, err := board.ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		if b.Name != name {
			t.Errorf("ByName(%q).Name = %q", name, b.Name)
		}
		bs = append(bs, b)
	}
	return bs
}

func TestNames(t *testing.T) {
	names := board.Names()
	for _, want := range []string{"generic", "rpi3", "rpi4", "rpi5", "qemu-virt", "beaglebone"} {
		if !slices.Contains(names, want) {
			t.Errorf("no board %q in %q", want, names)
		}
	}
	slices.Sort(names)
	if n := len(slices.Compact(names)); n != len(board.Names()) {
		t.Errorf("names are not unique: %q", names)
	}
	word := regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z]+)?$`)
	for _, name := range names {
		if !word.MatchString(name) {
			t.Errorf("%q is no name for a config", name)
		}
	}
}

func TestUnknown(t *testing.T) {
	for _, name := range []string{"", "RPI4", "rpi6"} {
		_, err := board.ByName(name)
		if err == nil {
			t.Fatalf("ByName(%q): no error", name)
		}
		if !strings.Contains(err.Error(), "generic, rpi3, rpi4") {
			t.Errorf("ByName(%q): %v: does not list the known boards", name, err)
		}
	}
}

func TestPorts(t *testing.T) {
	roles := []string{
		board.RoleScanner, board.RolePrinter, board.RoleCard,
		board.RoleKeypad, board.RoleDisplay, board.RoleConsole,
	}
	// Names that stay with a socket. serial0 and serial1 are the header's UART.
	stable := regexp.MustCompile(`^/dev/(serial/by-(path|id)/[^/]+|serial[01])$`)
	for _, b := range all(t) {
		byPath := map[string]string{}
		for role, path := range b.Ports {
			if !slices.Contains(roles, role) {
				t.Errorf("%s: unknown role %q", b.Name, role)
			}
			if !stable.MatchString(path) {
				t.Errorf("%s: %s: %q depends on the order of enumeration", b.Name, role, path)
			}
			if other, taken := byPath[path]; taken {
				t.Errorf("%s: %s and %s share %q", b.Name, role, other, path)
			}
			byPath[path] = role
		}
	}
}

func TestPins(t *testing.T) {
	uses := []string{board.PinDrawerKick, board.PinDrawerSense}
	line := regexp.MustCompile(`^GPIO(5|6|12|13|1[6-9]|2[0-7])$`)
	for _, b := range all(t) {
		byLine := map[string]string{}
		for use, name := range b.Pins {
			if !slices.Contains(uses, use) {
				t.Errorf("%s: unknown use %q", b.Name, use)
			}
			if strings.HasPrefix(b.Name, "rpi") && !line.MatchString(name) {
				t.Errorf("%s: %s: %q is named otherwise in one of the two kernel trees", b.Name, use, name)
			}
			if other, taken := byLine[name]; taken {
				t.Errorf("%s: %s and %s share %s", b.Name, use, other, name)
			}
			byLine[name] = use
		}
		if len(b.Pins) != 0 && len(b.Pins) != len(uses) {
			t.Errorf("%s: a drawer on GPIO needs kick and sense, has %v", b.Name, b.Pins)
		}
	}
}

// TestImages: a board that is flashed says what it needs, and what it is worth.
func TestImages(t *testing.T) {
	console := regexp.MustCompile(`^tty(S|AMA)[0-9]$`)
	flashed := 0
	for _, b := range all(t) {
		if b.Image == nil {
			continue
		}
		flashed++
		i := b.Image
		if i.Arch != "arm64" || !console.MatchString(i.Console) || i.Trust == "" {
			t.Errorf("%s: %+v", b.Name, i)
		}
		if i.Select != board.SelectPi && i.Select != board.SelectQEMU {
			t.Errorf("%s: no selector %q", b.Name, i.Select)
		}
		if i.Select == board.SelectPi && len(i.DTBs) == 0 {
			t.Errorf("%s: a Raspberry Pi without device tree", b.Name)
		}
	}
	if flashed < 4 {
		t.Errorf("%d boards have an image, rpi3, rpi4, rpi5 and qemu-virt had one", flashed)
	}
}

// TestNotes: the day one board was really run, its row here goes.
func TestNotes(t *testing.T) {
	for _, b := range all(t) {
		if !strings.Contains(strings.ToLower(b.Notes), "nothing has run on a real board") {
			t.Errorf("%s: the notes do not say that it never ran on a real board", b.Name)
		}
	}
}

func TestValuesAreCopies(t *testing.T) {
	for _, b := range all(t) {
		b.Ports["scanner"] = "changed"
		b.Pins["drawer.kick"] = "changed"
		again, err := board.ByName(b.Name)
		if err != nil {
			t.Fatal(err)
		}
		if again.Ports["scanner"] == "changed" || again.Pins["drawer.kick"] == "changed" {
			t.Errorf("%s: a caller can change the board for others", b.Name)
		}
	}
}

// TestWiring: the picture of the wiring shows the pins that the Pis' values name.
func TestWiring(t *testing.T) {
	picture, err := os.ReadFile("wiring.svg")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rpi3", "rpi4", "rpi5"} {
		b, err := board.ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		for use, word := range map[string]string{board.PinDrawerKick: "kick", board.PinDrawerSense: "sense"} {
			if label := ">" + b.Pins[use] + " " + word + "<"; !strings.Contains(string(picture), label) {
				t.Errorf("%s: the picture does not show %q", name, label)
			}
		}
	}
}
