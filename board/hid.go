package board

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"regi/drivers"
)

// eviocgrab is EVIOCGRAB of linux/input.h: no other program, and no console,
// gets the events.
const eviocgrab = 0x40044590

// Limits of what is looked at.
const (
	hidDevicesMax   = 256
	hidAttributeMax = 4096
)

// Key codes that a keyboard or a number pad has at least one of: KEY_1 and
// KEY_KP1. The other parts of such a device, like its volume knob, have none.
const key1, keyKP1 = 2, 79

// HIDName is which USB keyboard is the register's.
type HIDName struct {
	// ID is "VVVV:PPPP", four hexadecimal digits each (lsusb).
	ID string
	// Path is the socket, as /sys/class/input/event*/device/phys has it before the
	// slash: "usb-0000:01:00.0-1.2".
	Path string
}

// HIDSysPaths are the folders that OpenHID reads, beside those of ports.
func HIDSysPaths() []string { return []string{"/sys/class/input"} }

// OpenHID takes a USB keyboard for this process alone. Its errors wrap
// os.ErrNotExist while there is none, and drivers.ErrBusy.
func OpenHID(name HIDName) (*HID, error) {
	return hidFinder{sys: "/sys/class/input", dev: "/dev/input", grab: grab}.open(name)
}

func grab(f *os.File) error {
	if err := unix.IoctlSetInt(int(f.Fd()), eviocgrab, 1); err != nil {
		if errors.Is(err, unix.EBUSY) {
			return drivers.ErrBusy
		}
		return err
	}
	return nil
}

// hidFinder looks in a sysfs, which in a test is not the machine's.
type hidFinder struct {
	sys, dev string
	grab     func(*os.File) error
}

func (h hidFinder) open(name HIDName) (*HID, error) {
	events, err := filepath.Glob(filepath.Join(h.sys, "event*"))
	if err != nil {
		return nil, fmt.Errorf("board: keyboard: %w", err)
	}
	slices.Sort(events)
	for _, event := range events[:min(len(events), hidDevicesMax)] {
		if !isHID(filepath.Join(event, "device"), name) {
			continue
		}
		path := filepath.Join(h.dev, filepath.Base(event))
		f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0) //nolint:gosec // named by the kernel
		if err != nil {
			return nil, fmt.Errorf("board: keyboard: %w", err)
		}
		if err := h.grab(f); err != nil {
			return nil, errors.Join(fmt.Errorf("board: keyboard %s: %w", path, err), f.Close())
		}
		// Fd, which grab needs, has made it blocking.
		if err := unix.SetNonblock(int(f.Fd()), true); err != nil {
			return nil, errors.Join(fmt.Errorf("board: keyboard %s: %w", path, err), f.Close())
		}
		return &HID{f}, nil
	}
	return nil, fmt.Errorf("board: no keyboard %.16q at %.64q: %w", name.ID, name.Path, os.ErrNotExist)
}

// isHID says whether a device of sysfs is the keyboard.
func isHID(device string, name HIDName) bool {
	phys, _, _ := strings.Cut(hidAttribute(device, "phys"), "/")
	id := hidAttribute(device, "id/vendor") + ":" + hidAttribute(device, "id/product")
	return phys != "" && phys == name.Path && strings.EqualFold(id, name.ID) && hasDigits(hidAttribute(device, "capabilities/key"))
}

// hasDigits reads a bit map of keys: hexadecimal words, the lowest last.
func hasDigits(bitmap string) bool {
	words := strings.Fields(bitmap)
	for _, key := range []int{key1, keyKP1} {
		at := len(words) - 1 - key/wordBits
		if at < 0 {
			continue
		}
		word, err := strconv.ParseUint(words[at], 16, wordBits)
		if err == nil && word&(1<<(key%wordBits)) != 0 {
			return true
		}
	}
	return false
}

// wordBits is how many bits of the map the kernel writes as one word.
const wordBits = 32 << (^uint(0) >> 63)

func hidAttribute(dir, name string) string {
	f, err := os.Open(filepath.Join(dir, name)) //nolint:gosec // a file of sysfs
	if err != nil {
		return ""
	}
	defer f.Close() //nolint:errcheck // only read
	b, err := io.ReadAll(io.LimitReader(f, hidAttributeMax))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// HID is a keyboard that this process has for itself. As a drivers.Port it can
// only be read: whole events of evdev.
type HID struct{ file *os.File }

var _ drivers.Port = (*HID)(nil)

// File is its descriptor, for a process that may not open devices itself.
func (h *HID) File() *os.File { return h.file }

// WrapHID is a keyboard that another process has opened and taken.
func WrapHID(f *os.File) *HID { return &HID{f} }

// Read reads whole events.
func (h *HID) Read(b []byte) (int, error) {
	n, err := h.file.Read(b)
	return n, h.fail(err)
}

// SetReadDeadline bounds Read; zero is no bound.
func (h *HID) SetReadDeadline(t time.Time) error { return h.fail(h.file.SetReadDeadline(t)) }

// Close gives the keyboard back and ends a blocked Read.
func (h *HID) Close() error { return h.fail(h.file.Close()) }

func (h *HID) fail(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return os.ErrDeadlineExceeded
	case errors.Is(err, os.ErrClosed):
		err = drivers.ErrClosed
	case errors.Is(err, io.EOF), errors.Is(err, unix.ENODEV):
		err = drivers.ErrUnplugged
	}
	return fmt.Errorf("board: keyboard: %w", err)
}

// Write cannot be done.
func (h *HID) Write([]byte) (int, error) { return 0, drivers.ErrUnsupported }

// SetWriteDeadline cannot be done.
func (h *HID) SetWriteDeadline(time.Time) error { return drivers.ErrUnsupported }

// Drain cannot be done.
func (h *HID) Drain(context.Context) error { return drivers.ErrUnsupported }

// Lines cannot be done: there are none.
func (h *HID) Lines() (drivers.Lines, error) { return 0, drivers.ErrUnsupported }

// SetLines cannot be done: there are none.
func (h *HID) SetLines(_, _ drivers.Lines) error { return drivers.ErrUnsupported }
