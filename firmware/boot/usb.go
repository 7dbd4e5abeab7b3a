package boot

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"regi/board/uevent"
)

// usb lets devices in. The kernel's command line says that none is authorised
// by itself (usbcore.authorized_default=0); a device is let in when everything
// it claims to be is a hub or a serial line, or the configuration names it.
type usb struct {
	log   *log
	allow func() []string // "VVVV:PPPP"
	sys   string

	mu      sync.Mutex
	refused map[string]string // by the device's place
}

func newUSB(l *log, allow func() []string) *usb {
	return &usb{log: l, allow: allow, sys: "/sys/bus/usb/devices", refused: map[string]string{}}
}

// watch lets in what is there, and what comes.
func (u *usb) watch(ctx context.Context) {
	l, err := uevent.Listen()
	if err != nil {
		u.log.say("usb: %v: what is plugged in later is not let in", err)
	}
	u.all()
	if err != nil {
		return
	}
	err = l.Run(ctx, func(e uevent.Event) {
		if e.Lost || e.Subsystem == "usb" && e.Type == "usb_device" {
			u.all()
		}
	})
	if ctx.Err() == nil {
		u.log.say("usb: %v: what is plugged in later is not let in", err)
	}
}

// all looks at every device once more.
func (u *usb) all() {
	u.mu.Lock()
	defer u.mu.Unlock()
	entries, err := os.ReadDir(u.sys)
	if err != nil {
		return
	}
	present := map[string]bool{}
	for _, e := range entries {
		if strings.Contains(e.Name(), ":") {
			continue // an interface of a device that was let in
		}
		present[e.Name()] = true
		u.one(e.Name())
	}
	for name := range u.refused {
		if !present[name] {
			delete(u.refused, name)
		}
	}
}

func (u *usb) one(name string) {
	dir := filepath.Join(u.sys, name)
	if u.refused[name] != "" || word(dir, "authorized") == "1" {
		return
	}
	id := word(dir, "idVendor") + ":" + word(dir, "idProduct")
	descriptors, err := os.ReadFile(filepath.Join(dir, "descriptors")) //nolint:gosec // a file of sysfs
	why := ""
	if err != nil {
		why = err.Error()
	} else if !slices.Contains(u.allow(), id) {
		why = unwanted(descriptors, word(dir, "idVendor"))
	}
	if why == "" {
		if err := os.WriteFile(filepath.Join(dir, "authorized"), []byte("1"), 0); err != nil {
			u.log.say("usb: %s %s: %v", name, id, err)
		}
		return
	}
	u.refused[name] = fmt.Sprintf("%s (%s): %s", id, name, why)
	u.log.say("usb: refused %s", u.refused[name])
}

// list is what was refused and is still plugged in.
func (u *usb) list() (list []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, what := range u.refused {
		list = append(list, what)
	}
	slices.Sort(list)
	return list
}

// word reads an attribute of a device.
func word(dir, name string) string {
	b, err := os.ReadFile(filepath.Join(dir, name)) //nolint:gosec // a file of sysfs
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// Descriptors of USB 2.0, chapter 9.6, and the classes of usb.org.
const (
	typeDevice, typeInterface = 1, 4
	interfaceBytes            = 9
	classAt, subclassAt       = 5, 6 // of an interface
	deviceClassAt             = 4

	classCommunications, classData = 0x02, 0x0A
	classHub                       = 0x09
	classVendor                    = 0xFF
	subclassModem                  = 0x02 // abstract control model: a serial line
)

// converters are makers whose vendor-specific devices are serial lines.
//
//nolint:gochecknoglobals // a constant table
var converters = []string{
	"0403", // FTDI
	"10c4", // Silicon Labs CP210x
	"067b", // Prolific PL2303
	"1a86", // WCH CH340
}

// unwanted says why a device is not let in, "" if it may. Every interface of
// every configuration must be a hub's or a serial line's: a scanner that is a
// keyboard as well is none.
func unwanted(descriptors []byte, vendor string) string {
	interfaces := 0
	for rest := descriptors; len(rest) > 0; {
		size := int(rest[0])
		if size < 2 || size > len(rest) {
			return "malformed descriptors"
		}
		if d := rest[:size]; d[1] == typeInterface {
			if size < interfaceBytes {
				return "malformed descriptors"
			}
			interfaces++
			if !serial(d, vendor) {
				return fmt.Sprintf("an interface of class %02x, subclass %02x", d[classAt], d[subclassAt])
			}
		}
		rest = rest[size:]
	}
	if interfaces == 0 {
		return "no interface"
	}
	return ""
}

func serial(d []byte, vendor string) bool {
	switch d[classAt] {
	case classHub, classData:
		return true
	case classCommunications:
		return d[subclassAt] == subclassModem
	case classVendor:
		return slices.Contains(converters, vendor)
	}
	return false
}

// enoughEntropy fails while the kernel has not gathered enough for a key.
func enoughEntropy() error {
	_, err := unix.Getrandom(make([]byte, 1), unix.GRND_NONBLOCK)
	if err != nil {
		return fmt.Errorf("the kernel has gathered none yet: %w", err)
	}
	return nil
}
