package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"regi/board"
	"regi/board/port"
	"regi/drivers"
	"regi/firmware/role"
)

// counterLine is a device that the spawner opens for the register, which may open
// none: neither the card reader's line beside the card process nor a disk is
// among what it can ask for.
type counterLine struct {
	Serial *Serial        `json:",omitempty"`
	Card   string         `json:",omitempty"` // the card reader's port, under any other name
	HID    *board.HIDName `json:",omitempty"`
}

// hidLine is the name of the USB keyboard among the lines.
const hidLine = "keyboard"

// lines are all of them by their names.
func (c *Config) lines() (map[string]json.RawMessage, error) {
	all, card := map[string]json.RawMessage{}, c.Card.Port
	if c.Card.Reader == "none" || c.Card.Reader == "msr-ttl" { // no line
		card = ""
	}
	add := func(name string, l counterLine) error {
		text, err := json.Marshal(l)
		all[name] = text
		return err
	}
	for name, serial := range c.serials() {
		if name == "card" || serial.Port == "" {
			continue
		}
		if err := add(name, counterLine{Serial: serial, Card: card}); err != nil {
			return nil, err
		}
	}
	if c.Keypad.HID.ID == "" {
		return all, nil
	}
	return all, add(hidLine, counterLine{HID: &board.HIDName{ID: c.Keypad.HID.ID, Path: c.Keypad.HID.Path}})
}

// openLine is the spawner's side: the reason goes back as an errno.
func openLine(text json.RawMessage) (*os.File, error) {
	var l counterLine
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, err
	}
	if l.HID != nil {
		k, err := board.OpenHID(*l.HID)
		if err != nil {
			return nil, err
		}
		return k.File(), nil
	}
	o := l.Serial.options()
	found, err := port.Find(o.Path)
	if err != nil {
		return nil, err
	}
	if o.Path = found; sameDevice(found, l.Card) {
		return nil, unix.EBUSY
	}
	f, err := port.OpenFile(o)
	for reason, errno := range lineErrnos {
		if errors.Is(err, reason) {
			return nil, errno
		}
	}
	return f, err
}

// sameDevice says whether two names are of one device. A register that was taken
// over may write its scanner's port into the next configuration, but shall not
// read cards there.
func sameDevice(one, other string) bool {
	if other == "" {
		return false
	}
	var stats [2]unix.Stat_t
	for i, name := range []string{one, other} {
		path, err := port.Find(name)
		if err != nil || unix.Stat(path, &stats[i]) != nil {
			return false
		}
	}
	return stats[0].Mode&unix.S_IFMT == unix.S_IFCHR && stats[0].Rdev == stats[1].Rdev
}

// lineErrnos say by an errno what a descriptor cannot.
var lineErrnos = map[error]syscall.Errno{ //nolint:gochecknoglobals // a constant table
	drivers.ErrBusy: unix.EBUSY, drivers.ErrUnplugged: unix.ENXIO, drivers.ErrUnsupported: unix.ENOTTY,
}

// openSerial has the spawner open a line, and guards it.
func openSerial(spawn *role.Spawner, name string, s Serial) (drivers.Port, error) {
	f, err := spawn.Open(name)
	if err != nil {
		return nil, fmt.Errorf("port: open %s: %w", s.Port, lineReason(err))
	}
	p, err := port.Wrap(f, s.options())
	if err != nil {
		return nil, err // not a nil *Port in an interface
	}
	return p, nil
}

func lineReason(err error) error {
	errno, ok := errors.AsType[syscall.Errno](err)
	if !ok {
		return err
	}
	for reason, of := range lineErrnos {
		if errno == of {
			return reason
		}
	}
	if errno == unix.EIO {
		return errors.New("it cannot be opened, or does not take this speed")
	}
	return errno
}
