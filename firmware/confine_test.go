package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regi/firmware/capture/launch"
	"regi/firmware/landlock"
	"regi/firmware/role"
	"regi/firmware/seccomp"
	"regi/firmware/uplink"
)

func TestShow(t *testing.T) {
	states := controlStates([]role.Control{
		{Name: "seccomp"}, {Name: "landlock", Err: landlock.ErrAbsent}, {Name: "other", Err: seccomp.ErrAbsent},
	})
	if said, err := show("register", states); err != nil || said != "register: seccomp on, landlock not in this kernel, other not in this kernel" {
		t.Errorf("%q, %v", said, err)
	}
	states = append(states, controlStates([]role.Control{{Name: "own-uid", Err: os.ErrPermission}})...)
	if _, err := show("register", states); !errors.Is(err, errControlOff) || !strings.Contains(err.Error(), "own-uid off") {
		t.Errorf("%v", err)
	}
	said, err := show("capture", []controlState{{"landlock", launch.On}})
	if err != nil || !strings.HasPrefix(said, "capture: landlock on (ABI ") {
		t.Errorf("%q, %v", said, err)
	}
}

// A register gets its records' folders, and neither its key files nor any
// device; the spawner gets the ports, too.
func TestRegisterLimits(t *testing.T) {
	dir := t.TempDir()
	state, ports := filepath.Join(dir, "state"), filepath.Join(dir, "dev")
	if err := os.MkdirAll(ports, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/null", filepath.Join(ports, "keypad")); err != nil {
		t.Fatal(err)
	}
	c := &Config{}
	c.Register.State = state
	c.Scanner.Port, c.Printer.Port = "/dev/serial/by-path/none", filepath.Join(ports, "not-yet")
	c.Keypad.Port = filepath.Join(ports, "keypad") // leads into /dev
	c.Console.Port = filepath.Join(dir, "console") // next to the state folder
	l := registerLimits(c)
	want := []landlock.Path{
		{Path: filepath.Join(state, "journal"), Access: landlock.Read | landlock.Write},
		{Path: filepath.Join(state, "checkpoint"), Access: landlock.Read | landlock.Write},
		{Path: filepath.Join(state, "console"), Access: landlock.Read | landlock.Write},
		{Path: "/data/update", Access: landlock.Read | landlock.Write},
	}
	if !slices.Equal(l.Paths, want) || len(l.Connect) != 0 || l.UID != 0 {
		t.Errorf("%+v", l)
	}
	spawned := spawnerPaths(c)
	for _, dir := range []string{"/dev", ports} {
		if !slices.Contains(spawned, landlock.Path{Path: dir, Access: landlock.Device}) {
			t.Errorf("the spawner may not open what is in %s: %+v", dir, spawned)
		}
	}
	c.Card.Port = "/dev/ttyS9"
	lines, err := c.lines()
	if _, ok := lines["card"]; ok || len(lines) != 4 || err != nil {
		t.Errorf("what a register may ask for: %v, %v", lines, err)
	}
}

// A port that cannot be a line is refused, and no folder is opened for it.
func TestPorts(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"dev", "console", "secrets"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"dev/kernel": "/proc/sys/kernel/core_pattern", "dev/tty": "/dev/null", "etc": "/etc", "keys": filepath.Join(dir, "secrets")} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]struct{ off, flashed bool }{
		"/dev/serial/by-path/x": {true, true}, "usb:0403:6001": {true, true}, "/dev/../dev/x": {true, true},
		"ttyS0": {true, false}, dir + "/dev/x": {true, false}, dir + "/dev/tty": {true, false},
		"/x": {}, "/proc/sys/kernel/core_pattern": {}, "/proc/1/x": {}, "/sys/x": {}, "/run/x": {}, "/run/udev/x": {}, "/etc/x": {}, "/etc/ssl/x": {},
		"/dev/../etc/x": {}, "/dev/../x": {}, dir + "/etc/none": {}, dir + "/dev/kernel": {},
		dir + "/x": {}, dir + "/state/x": {}, dir + "/state/console/x": {}, dir + "/secrets/x": {}, dir + "/keys/x": {},
	} {
		text := strings.NewReplacer("/dev/serial/by-path/scanner", path, "/etc/regi/register.creds", dir+"/secrets/creds", `"state"`, `"`+dir+`/state"`).Replace(complete)
		for flashed, ok := range map[string]bool{"": want.off, "1": want.flashed} {
			t.Setenv("REGI_BOOT", flashed)
			_, err := parseConfig([]byte(text), filepath.Join(dir, "register.toml"))
			if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "a port is a tty") {
				t.Errorf("%s, board %q: %v", path, flashed, err)
			}
			c := &Config{}
			c.Register.State, c.Cloud.Creds, c.Cloud.CA = dir+"/state", dir+"/secrets/creds", dir+"/ca.pem"
			if got := portFolder(path, c); got != "" && (flashed != "" || !want.off) {
				t.Errorf("%s, board %q: %s is opened", path, flashed, got)
			}
		}
	}
	c := &Config{}
	c.Scanner.Port = dir + "/dev/x"
	t.Setenv("REGI_BOOT", "")
	if got := portFolder(c.Scanner.Port, c); got != dir+"/dev" {
		t.Errorf("%q", got)
	}
	t.Setenv("REGI_BOOT", "1")
	if got := portFolder(c.Scanner.Port, c); got != "" {
		t.Errorf("on a board: %q", got)
	}
}

// The lines of a drawer are found by looking through /dev; nothing else is.
func TestDrawerFindsItsLines(t *testing.T) {
	c := &Config{}
	for via, looks := range map[string]bool{viaPrinter: false, viaGPIO: true} {
		c.Drawer.Via = via
		i := slices.IndexFunc(spawnerPaths(c), func(p landlock.Path) bool { return p.Path == "/dev" })
		if i < 0 || (spawnerPaths(c)[i].Access&landlock.Read == landlock.Read) != looks {
			t.Errorf("via %s: %+v", via, spawnerPaths(c))
		}
	}
}

func TestUplinkLimits(t *testing.T) {
	l := uplinkLimits(uplink.Config{URL: "tls://cloud.example:4222", CA: "/x/ca.pem"})
	if !slices.Equal(l.Connect, []uint16{4222}) || l.UID != role.UplinkUID {
		t.Errorf("%+v", l)
	}
	for _, p := range l.Paths {
		if p.Access != landlock.Read || !strings.HasPrefix(p.Path, "/etc/") {
			t.Errorf("%+v", p)
		}
	}
	for _, url := range []string{"", "tls://cloud.example", "tls://cloud.example:x", "tls://cloud.example:70000", ":"} {
		if l := uplinkLimits(uplink.Config{URL: url}); len(l.Connect) != 0 {
			t.Errorf("%q: %v", url, l.Connect)
		}
	}
}
