package port

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Prefixes of names that are looked up rather than opened as they stand.
const (
	byPath = "/dev/serial/by-path/"
	byID   = "/dev/serial/by-id/"
	byUSB  = "usb:" // usb:VVVV:PPPP or usb:VVVV:PPPP:SERIAL
)

// errAmbiguous: a name that says less than which device is meant.
var errAmbiguous = errors.New("more than one device is that")

// Find returns the device node that a name stands for: a path that exists is
// itself. Links of udev that are not there (a board without udev, or a moment
// before it) are worked out from sysfs by udev's rules, and usb:VVVV:PPPP finds
// a device by its vendor and product, with :SERIAL the one of several. Errors
// wrap fs.ErrNotExist where no such device is plugged in.
//
// By-path stays with a socket, whatever is plugged into it; usb: stays with a
// kind of device, whatever socket it is in. ttyUSB0 stays with neither.
func Find(name string) (string, error) { return finder{sys: "/sys", dev: "/dev"}.find(name) }

// CheckName says whether a name can stand for a device at all.
func CheckName(name string) error {
	if rest, ok := strings.CutPrefix(name, byUSB); ok {
		_, err := parseUSB(rest)
		return err
	}
	return nil
}

// SysPaths are the folders that Find reads.
func SysPaths() []string { return []string{"/sys/class/tty", "/sys/devices"} }

// finder looks in a sysfs, which in a test is not the machine's.
type finder struct{ sys, dev string }

func (f finder) find(name string) (string, error) {
	var is func(tty) bool
	switch {
	case strings.HasPrefix(name, byUSB):
		want, err := parseUSB(strings.TrimPrefix(name, byUSB))
		if err != nil {
			return "", err
		}
		is = want.is
	case exists(name):
		return name, nil
	case strings.HasPrefix(name, byPath):
		is = func(t tty) bool { return t.mayEnd(name) && byPath+t.pathID() == name }
	case strings.HasPrefix(name, byID):
		is = func(t tty) bool { return byID+t.id() == name }
	default:
		return name, nil // opening it says what is wrong
	}
	return f.only(name, is)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// only returns the one line that is meant.
func (f finder) only(name string, is func(tty) bool) (string, error) {
	entries, err := os.ReadDir(filepath.Join(f.sys, "class/tty"))
	if err != nil {
		return "", fmt.Errorf("find %s: %w", name, err)
	}
	var found []string
	class := filepath.Join(f.sys, "class/tty")
	for _, e := range entries {
		to, err := os.Readlink(filepath.Join(class, e.Name()))
		if err != nil {
			continue // unplugged this moment
		}
		if strings.Contains(to, "/devices/virtual/") || !exists(filepath.Join(class, e.Name(), "device")) {
			continue // a line without hardware, as most of them are
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(class, to)
		}
		if is(tty{dir: to, sys: f.sys}) {
			found = append(found, filepath.Join(f.dev, e.Name()))
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("find %s: %w", name, fs.ErrNotExist)
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("find %s: %s: %w: add its serial number, or name its socket by %s",
		name, strings.Join(found, ", "), errAmbiguous, byPath)
}

// usbName is what usb: names say.
type usbName struct{ vendor, product, serial string }

func parseUSB(s string) (u usbName, err error) {
	u.vendor, s, _ = strings.Cut(s, ":")
	u.product, u.serial, _ = strings.Cut(s, ":")
	for _, id := range []string{u.vendor, u.product} {
		if len(id) != 4 || strings.Trim(strings.ToLower(id), "0123456789abcdef") != "" {
			return u, fmt.Errorf("usb:%s:%s is not usb:VENDOR:PRODUCT, four hexadecimal digits each (see lsusb)", u.vendor, u.product)
		}
	}
	return u, nil
}

func (u usbName) is(t tty) bool {
	device := t.usbDevice()
	return device != "" && strings.EqualFold(attribute(device, "idVendor"), u.vendor) &&
		strings.EqualFold(attribute(device, "idProduct"), u.product) &&
		(u.serial == "" || attribute(device, "serial") == u.serial)
}

// tty is one line in sysfs.
type tty struct{ dir, sys string }

// parents are the devices above a line, the nearest first, with their
// subsystems. A folder without a subsystem is no device.
func (t tty) parents() (dirs, subsystems []string) {
	for dir := filepath.Dir(t.dir); len(dir) > len(t.sys); dir = filepath.Dir(dir) {
		if to, err := os.Readlink(filepath.Join(dir, "subsystem")); err == nil {
			dirs, subsystems = append(dirs, dir), append(subsystems, filepath.Base(to))
		}
	}
	return dirs, subsystems
}

// mayEnd says whether a by-path name can end at this line: a look at its folder's
// name, which spares most lines a walk through sysfs. A register opens several
// lines at its start, and each is looked for among all.
func (t tty) mayEnd(name string) bool {
	last := 0
	for _, part := range []string{"usb-0:", "pci-", "platform-"} {
		if i := strings.LastIndex(name, part); i >= 0 {
			last = max(last, i+len(part))
		}
	}
	ends := []string{name[last:]}
	if i := strings.LastIndex(ends[0], "-port"); i >= 0 {
		ends = append(ends, ends[0][:i])
	}
	for folder := range strings.SplitSeq(t.dir, "/") {
		for _, end := range ends {
			if folder == end || strings.HasSuffix(folder, "-"+end) {
				return true
			}
		}
	}
	return false
}

// pathID is udev's ID_PATH (udev-builtin-path_id.c) with the suffix of its
// rules for serial lines (60-serial.rules).
func (t tty) pathID() string {
	var parts []string
	dirs, subsystems := t.parents()
	for i := 0; i < len(dirs); i++ {
		name := filepath.Base(dirs[i])
		switch subsystems[i] {
		case "usb":
			_, socket, _ := strings.Cut(name, "-")
			parts = append(parts, "usb-0:"+socket)
		case "pci":
			parts = append(parts, "pci-"+name)
		case "platform":
			parts = append(parts, "platform-"+name)
		default:
			continue
		}
		// Of several above each other, hubs or bridges, the nearest counts.
		for i+1 < len(dirs) && subsystems[i+1] == subsystems[i] {
			i++
		}
	}
	slices.Reverse(parts)
	return strings.Join(parts, "-") + portSuffix(dirs, subsystems)
}

// portSuffix is that of a converter, which may have several lines.
func portSuffix(dirs, subsystems []string) string {
	if len(dirs) > 0 && subsystems[0] == "usb-serial" {
		return "-port" + attribute(dirs[0], "port_number")
	}
	return ""
}

// id is udev's name by what the device says of itself.
func (t tty) id() string {
	device := t.usbDevice()
	if device == "" {
		return ""
	}
	name := "usb-" + plain(attribute(device, "manufacturer"), attribute(device, "idVendor")) +
		"_" + plain(attribute(device, "product"), attribute(device, "idProduct"))
	if serial := plain(attribute(device, "serial"), ""); serial != "" {
		name += "_" + serial
	}
	return name + "-if" + attribute(t.usbInterface(), "bInterfaceNumber") + portSuffix(t.parents())
}

// usbInterface and usbDevice are the folders of the USB device behind a line,
// "" where there is none.
func (t tty) usbInterface() string {
	dirs, subsystems := t.parents()
	if i := slices.Index(subsystems, "usb"); i >= 0 && strings.Contains(filepath.Base(dirs[i]), ":") {
		return dirs[i]
	}
	return ""
}

func (t tty) usbDevice() string {
	if i := t.usbInterface(); i != "" {
		return filepath.Dir(i)
	}
	return ""
}

// attributeMax bounds what a device may say of itself.
const attributeMax = 256

func attribute(dir, name string) string {
	b, err := os.ReadFile(filepath.Join(dir, name)) //nolint:gosec // a file of sysfs
	if err != nil || len(b) > attributeMax {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// plain is a word as udev writes it: no blanks, no other special characters.
func plain(word, otherwise string) string {
	if word == "" {
		return otherwise
	}
	return strings.Map(func(c rune) rune {
		switch {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', strings.ContainsRune("#+-.:=@_", c):
			return c
		}
		return '_'
	}, strings.Join(strings.Fields(word), "_"))
}
