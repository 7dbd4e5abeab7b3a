package port

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree is a sysfs as a Raspberry Pi 4 with two converters on a hub and a
// scanner with a line of its own has it.
type tree struct {
	t   *testing.T
	sys string
}

func newTree(t *testing.T) *tree {
	t.Helper()
	return &tree{t, t.TempDir()}
}

// device makes folders down to path, each with its subsystem: "name=subsystem"
// parts, a part without "=" is no device.
func (tr *tree) device(parts ...string) string {
	tr.t.Helper()
	dir := filepath.Join(tr.sys, "devices")
	for _, part := range parts {
		name, subsystem, _ := strings.Cut(part, "=")
		dir = filepath.Join(dir, name)
		tr.try(os.MkdirAll(dir, 0o700))
		if _, err := os.Lstat(filepath.Join(dir, "subsystem")); subsystem != "" && err != nil {
			tr.try(os.Symlink("/sys/bus/"+subsystem, filepath.Join(dir, "subsystem")))
		}
	}
	return dir
}

// line makes a tty below a device.
func (tr *tree) line(device, name string) {
	tr.t.Helper()
	dir := filepath.Join(device, "tty", name)
	tr.try(os.MkdirAll(dir, 0o700))
	tr.try(os.Symlink(device, filepath.Join(dir, "device")))
	tr.try(os.MkdirAll(filepath.Join(tr.sys, "class/tty"), 0o700))
	tr.try(os.Symlink(dir, filepath.Join(tr.sys, "class/tty", name)))
}

func (tr *tree) say(dir string, attributes map[string]string) {
	tr.t.Helper()
	for name, value := range attributes {
		tr.try(os.WriteFile(filepath.Join(dir, name), []byte(value+"\n"), 0o600))
	}
}

func (tr *tree) try(err error) {
	tr.t.Helper()
	if err != nil {
		tr.t.Fatal(err)
	}
}

func (tr *tree) finder() finder { return finder{sys: tr.sys, dev: "/dev"} }

// usb are the parts down to an interface behind the board's controller.
func usb(socket string, interfaces string) []string {
	parts := []string{"platform", "scb=platform", "fd500000.pcie=platform", "pci0000:00", "0000:00:00.0=pci", "0000:01:00.0=pci", "usb1=usb", "1-1=usb"}
	if socket != "1" {
		parts = append(parts, "1-"+socket+"=usb")
	}
	return append(parts, "1-"+socket+":"+interfaces+"=usb")
}

func (tr *tree) converter(socket, name, serial string) {
	tr.t.Helper()
	dir := tr.device(append(usb(socket, "1.0"), name+"=usb-serial")...)
	tr.say(dir, map[string]string{"port_number": "0"})
	tr.say(filepath.Dir(dir), map[string]string{"bInterfaceNumber": "00"})
	tr.say(filepath.Dir(filepath.Dir(dir)), map[string]string{
		"idVendor": "0403", "idProduct": "6001", "manufacturer": "FTDI", "product": "FT232R USB  UART", "serial": serial,
	})
	tr.line(dir, name)
}

func pi(t *testing.T) *tree {
	t.Helper()
	tr := newTree(t)
	tr.converter("1.1", "ttyUSB0", "A1")
	tr.converter("1.2", "ttyUSB1", "A2")
	scanner := tr.device(usb("1.3", "1.0")...)
	tr.say(scanner, map[string]string{"bInterfaceNumber": "00"})
	tr.say(filepath.Dir(scanner), map[string]string{"idVendor": "0c2e", "idProduct": "0b8a"})
	tr.line(scanner, "ttyACM0")
	tr.line(tr.device("platform", "soc=platform", "fe201000.serial=amba"), "ttyAMA0")
	tr.line(tr.device("platform", "serial-port1=platform"), "ttyS3")
	tr.try(os.MkdirAll(filepath.Join(tr.sys, "devices/virtual/tty/tty1"), 0o700))
	tr.try(os.Symlink(filepath.Join(tr.sys, "devices/virtual/tty/tty1"), filepath.Join(tr.sys, "class/tty/tty1")))
	return tr
}

const piUSB = byPath + "platform-fd500000.pcie-pci-0000:01:00.0-usb-0:"

func TestFind(t *testing.T) {
	t.Parallel()
	f := pi(t).finder()
	for name, want := range map[string]string{
		piUSB + "1.1:1.0-port0":                         "/dev/ttyUSB0",
		piUSB + "1.2:1.0-port0":                         "/dev/ttyUSB1",
		piUSB + "1.3:1.0":                               "/dev/ttyACM0",
		byPath + "platform-soc":                         "/dev/ttyAMA0",
		byPath + "platform-serial-port1":                "/dev/ttyS3",
		byID + "usb-0c2e_0b8a-if00":                     "/dev/ttyACM0",
		"usb:0c2e:0b8a":                                 "/dev/ttyACM0",
		"usb:0C2E:0B8A":                                 "/dev/ttyACM0",
		"usb:0403:6001:A2":                              "/dev/ttyUSB1",
		"/dev/null":                                     "/dev/null",
		"/dev/no-such-line":                             "/dev/no-such-line",
		byID + "usb-FTDI_FT232R_USB_UART_A1-if00-port0": "/dev/ttyUSB0",
	} {
		if got, err := f.find(name); got != want || err != nil {
			t.Errorf("%s: %q, %v; want %s", name, got, err, want)
		}
	}
	for name, want := range map[string]error{
		piUSB + "1.4:1.0-port0": fs.ErrNotExist,
		piUSB + "1.1:1.0":       fs.ErrNotExist,
		"usb:0403:6001:A3":      fs.ErrNotExist,
		"usb:0403:6001":         errAmbiguous,
	} {
		if got, err := f.find(name); !errors.Is(err, want) {
			t.Errorf("%s: %q, %v; want %v", name, got, err, want)
		}
	}
	for _, name := range []string{"usb:", "usb:403:6001", "usb:0403", "usb:0403:600g", "usb:../..:6001"} {
		if _, err := f.find(name); err == nil || errors.Is(err, fs.ErrNotExist) || CheckName(name) == nil {
			t.Errorf("%s: %v, %v", name, err, CheckName(name))
		}
	}
}

// A converter that is pulled and plugged in again is another ttyUSB, and is
// found in its socket.
func TestFindMoved(t *testing.T) {
	t.Parallel()
	tr := pi(t)
	tr.try(os.Remove(filepath.Join(tr.sys, "class/tty/ttyUSB0")))
	if _, err := tr.finder().find(piUSB + "1.1:1.0-port0"); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("pulled: %v", err)
	}
	tr.try(os.RemoveAll(filepath.Join(tr.sys, "devices/platform/scb/fd500000.pcie/pci0000:00/0000:00:00.0/0000:01:00.0/usb1/1-1/1-1.1/1-1.1:1.0/ttyUSB0")))
	tr.converter("1.1", "ttyUSB7", "A1")
	if got, err := tr.finder().find(piUSB + "1.1:1.0-port0"); got != "/dev/ttyUSB7" {
		t.Errorf("%q, %v", got, err)
	}
}

// What a device says of itself is compared, and leads nowhere.
func TestFindHostile(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	scanner := tr.device(usb("1", "1.0")...)
	tr.say(filepath.Dir(scanner), map[string]string{
		"idVendor": "0c2e", "idProduct": "0b8a", "product": "../../etc \x1b[2J é", "serial": strings.Repeat("A", 5000),
	})
	tr.line(scanner, "ttyACM0")
	got := tty{dir: filepath.Join(scanner, "tty/ttyACM0"), sys: tr.sys}.id()
	if want := "usb-0c2e_.._.._etc___2J__-if"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, err := tr.finder().find("usb:0c2e:0b8a"); got != "/dev/ttyACM0" {
		t.Errorf("%q, %v", got, err)
	}
}

// The lines of this machine are found by the names that udev gave them, where
// it did.
func TestFindHere(t *testing.T) {
	t.Parallel()
	links, err := filepath.Glob("/dev/serial/by-*/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		node, err := filepath.EvalSymlinks(link)
		if err != nil {
			continue
		}
		f := finder{sys: "/sys", dev: "/dev"}
		is := func(l tty) bool { return byPath+l.pathID() == link || byID+l.id() == link }
		if got, err := f.only(link, is); got != node {
			t.Errorf("%s is %s, found %q, %v", link, node, got, err)
		}
	}
}
