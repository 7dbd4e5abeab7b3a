package boot

import (
	"context"
	"errors"
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
	named := slices.Contains(u.allow(), id)
	why := ""
	if err != nil {
		why = err.Error()
	} else if !named {
		why = unwanted(descriptors, id)
	}
	if why == "" {
		if err := authorize(dir, true); err != nil {
			u.log.say("usb: %s %s: %v", name, id, err)
			return
		}
		if named {
			return
		}
		if why = u.stranger(name, lineDrivers); why == "" {
			return
		}
		if err := authorize(dir, false); err != nil {
			u.log.say("usb: %s %s: %v", name, id, err)
		}
	}
	u.refused[name] = fmt.Sprintf("%s (%s): %s", id, name, why)
	u.log.say("usb: refused %s", u.refused[name])
}

func authorize(dir string, in bool) error {
	text := "0"
	if in {
		text = "1"
	}
	return os.WriteFile(filepath.Join(dir, "authorized"), []byte(text), 0)
}

// Drivers of the kernel that a device may come to. Most drivers go by vendor and
// product and not by what the device says of itself.
//
//nolint:gochecknoglobals // constant tables
var (
	lineDrivers    = []string{"hub", "cdc_acm", "ftdi_sio", "cp210x", "pl2303", "ch341"}
	storageDrivers = []string{"usb-storage", "uas"}
)

// stranger says which other driver has taken an interface of a device that was
// let in, "" if none has: the kernel looks for drivers before it returns.
func (u *usb) stranger(name string, drivers []string) string {
	links, err := filepath.Glob(filepath.Join(u.sys, name, name+":*", "driver"))
	if err != nil {
		return err.Error()
	}
	for _, link := range links {
		driver, err := os.Readlink(link)
		if err == nil && !slices.Contains(drivers, filepath.Base(driver)) {
			return "the kernel's driver " + filepath.Base(driver) + " is none of a serial line"
		}
	}
	return ""
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
	typeDevice, typeConfiguration, typeInterface = 1, 2, 4
	deviceBytes, interfaceBytes                  = 18, 9
	classAt, subclassAt, protocolAt              = 5, 6, 7 // of an interface
	deviceClassAt                                = 4

	classCommunications, classData = 0x02, 0x0A
	classHub                       = 0x09
	classVendor                    = 0xFF
	subclassModem                  = 0x02 // abstract control model: a serial line
)

// converters are vendor-specific devices that are serial lines, as the kernel's
// drivers list them.
//
//nolint:gochecknoglobals // a constant table
var converters = []string{
	"0403:6001", "0403:6010", "0403:6011", "0403:6014", "0403:6015", // FTDI
	"10c4:ea60", "10c4:ea70", // Silicon Labs CP210x
	"067b:2303", "067b:23a3", "067b:23b3", "067b:23c3", // Prolific PL2303
	"1a86:7523", "1a86:5523", "1a86:55d4", "1a86:55d3", // WCH CH340
}

// unwanted says why a device is not let in, "" if it may. Every configuration
// must be a hub's or a serial line's and nothing else: a scanner that is a
// keyboard as well is none.
func unwanted(descriptors []byte, id string) string {
	all, err := parseDescriptors(descriptors)
	if err != nil {
		return err.Error()
	}
	if len(all.configurations) == 0 {
		return "no interface"
	}
	for _, interfaces := range all.configurations {
		if len(interfaces) == 0 {
			return "no interface"
		}
		modem := slices.ContainsFunc(interfaces, func(c class) bool { return c.class == classCommunications && c.subclass == subclassModem })
		for _, c := range interfaces {
			if !all.serial(c, modem, id) {
				return fmt.Sprintf("an interface of class %02x, subclass %02x", c.class, c.subclass)
			}
		}
	}
	return ""
}

// class is an interface's.
type class struct{ class, subclass, protocol byte }

// device is what one says of itself.
type device struct {
	class          byte
	configurations [][]class
}

var errDescriptors = errors.New("malformed descriptors")

// parseDescriptors reads a device's own descriptor and those of its
// configurations.
func parseDescriptors(b []byte) (d device, err error) {
	if len(b) == 0 {
		return d, nil
	}
	if len(b) < deviceBytes || b[0] != deviceBytes || b[1] != typeDevice {
		return d, errDescriptors
	}
	d.class = b[deviceClassAt]
	for rest := b[deviceBytes:]; len(rest) > 0; {
		size := int(rest[0])
		if size < 2 || size > len(rest) {
			return d, errDescriptors
		}
		last := len(d.configurations) - 1
		switch one := rest[:size]; {
		case one[1] == typeConfiguration:
			d.configurations = append(d.configurations, nil)
		case one[1] == typeInterface && (last < 0 || size < interfaceBytes):
			return d, errDescriptors
		case one[1] == typeInterface:
			d.configurations[last] = append(d.configurations[last], class{one[classAt], one[subclassAt], one[protocolAt]})
		}
		rest = rest[size:]
	}
	return d, nil
}

// serial says whether an interface is a hub's or a serial line's. The data of a
// line come with its modem; a hub is one as a whole.
func (d device) serial(c class, modem bool, id string) bool {
	if d.class == classHub || c.class == classHub {
		return d.class == classHub && c.class == classHub
	}
	switch c.class {
	case classData:
		return modem
	case classCommunications:
		return c.subclass == subclassModem
	case classVendor:
		return slices.Contains(converters, id)
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
