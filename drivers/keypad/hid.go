package keypad

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"regi/drivers"
)

// From linux/input.h and linux/input-event-codes.h.
const (
	evSyn      = 0
	evKey      = 1
	synDropped = 3
	released   = 0
	pressed    = 1
	repeated   = 2
	keyMax     = 0x2FF
	// HIDEventBytes is struct input_event: two longs of time, type, code, value.
	HIDEventBytes = 2*strconv.IntSize/8 + 8
)

// Events are those of a keyboard that no one else gets: a device of evdev that
// was grabbed.
type Events interface {
	io.Reader
	SetReadDeadline(time.Time) error
}

// HIDTable is key code (KEY_* of linux/input-event-codes.h) → key name.
type HIDTable map[uint16]string

// DefaultHIDTable returns what a keyboard or a USB number pad stands for, made
// anew:
//
//	digits of both rows      0-9        Esc, Backspace    CLEAR
//	. and , of both rows     DOT        Enter of both     ENTER
//	/ of the number pad      00         F1   OPEN         F7   DISCOUNT
//	* of the number pad      QTY        F2   X            F8   POINTS
//	- of the number pad      VOID       F3   Z            F9   CARD
//	+ of the number pad      SUBTOTAL   F4   NOSALE       F10  CASH
//	Space                    CASH       F5   REFUND       F6   FN
//	Delete                   VOID
func DefaultHIDTable() HIDTable {
	t := HIDTable{
		1: "CLEAR", 14: "CLEAR", 28: "ENTER", 96: "ENTER", 52: "DOT", 83: "DOT", 121: "DOT", 98: "00", 55: "QTY",
		74: "VOID", 111: "VOID", 78: "SUBTOTAL", 57: "CASH",
		59: "OPEN", 60: "X", 61: "Z", 62: "NOSALE", 63: "REFUND", 64: "FN", 65: "DISCOUNT", 66: "POINTS", 67: "CARD", 68: "CASH",
	}
	for i, c := range []uint16{11, 2, 3, 4, 5, 6, 7, 8, 9, 10} { // KEY_0, KEY_1 to KEY_9
		t[c] = strconv.Itoa(i)
	}
	for i, c := range []uint16{82, 79, 80, 81, 75, 76, 77, 71, 72, 73} { // KEY_KP0 to KEY_KP9
		t[c] = strconv.Itoa(i)
	}
	return t
}

// ParseHIDTable changes the default table by what a configuration says: the
// number of a key code, and the key's name; "" is no key.
func ParseHIDTable(changes map[string]string) (HIDTable, error) {
	t := DefaultHIDTable()
	for code, name := range changes {
		n, err := strconv.ParseUint(code, 10, 16)
		switch {
		case err != nil || n == 0 || n > keyMax:
			return nil, fmt.Errorf("keypad: %.8q is no key code (1 to %d, see linux/input-event-codes.h)", code, keyMax)
		case name == "":
			delete(t, uint16(n))
		case !IsName(name):
			return nil, fmt.Errorf("keypad: %.16q is no key: use %s", name, strings.Join(names, " "))
		default:
			t[uint16(n)] = name
		}
	}
	return t, nil
}

// HID is a USB keyboard, by the kernel's events of it. It is not safe for use by
// several goroutines.
type HID struct {
	events Events
	table  HIDTable
	down   map[uint16]time.Time // since when a key is down
	stuck  map[uint16]bool
}

var _ drivers.Keypad = (*HID)(nil)

// NewHID returns the keyboard behind events; a nil table is the default one.
func NewHID(events Events, table HIDTable) *HID {
	if table == nil {
		table = DefaultHIDTable()
	}
	return &HID{events: events, table: table, down: map[uint16]time.Time{}, stuck: map[uint16]bool{}}
}

// Read returns the next key. What the kernel repeats while a key is held is no
// key: it becomes drivers.ErrKeyStuck after StuckAfter, once. Events that the
// kernel had no room for are drivers.ErrKeysLost.
func (h *HID) Read(ctx context.Context) (drivers.KeyEvent, error) {
	stop := context.AfterFunc(ctx, func() {
		h.events.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck,gosec // a closed device has ended the read by itself
	})
	defer stop()
	for {
		kind, code, value, err := h.next(ctx)
		if err != nil {
			return drivers.KeyEvent{}, err
		}
		switch {
		case kind == evSyn && code == synDropped:
			clear(h.down)
			clear(h.stuck)
			return drivers.KeyEvent{}, fmt.Errorf("keypad: %w", drivers.ErrKeysLost)
		case kind != evKey || code > keyMax:
			continue
		}
		name, err := h.key(time.Now(), code, value)
		if name != "" || err != nil {
			return drivers.KeyEvent{Name: name, Source: drivers.KeyHID}, err
		}
	}
}

// key follows one key; "" and nil: nothing to say.
func (h *HID) key(now time.Time, code uint16, value int32) (string, error) {
	since, down := h.down[code]
	switch {
	case value == released:
		delete(h.down, code)
		delete(h.stuck, code)
		return "", nil
	case value == repeated && down && now.Sub(since) >= StuckAfter && !h.stuck[code]:
		h.stuck[code] = true
		return "", fmt.Errorf("keypad: %w", &drivers.KeyError{Key: h.table[code], Err: drivers.ErrKeyStuck})
	case value != pressed || down:
		return "", nil
	}
	h.down[code] = now
	name := h.table[code]
	if name == "" {
		return "", fmt.Errorf("keypad: %w", &drivers.KeyError{Key: fmt.Sprintf("code %d", code), Err: drivers.ErrKeyUnknown})
	}
	return name, nil
}

// next reads one event, which the kernel hands out whole.
func (h *HID) next(ctx context.Context) (kind, code uint16, value int32, err error) {
	var b [HIDEventBytes]byte
	for empty := 0; empty < emptyReadsMax; {
		if err := h.events.SetReadDeadline(time.Time{}); err != nil {
			return 0, 0, 0, fmt.Errorf("keypad: read: %w", err)
		}
		// Only now: the deadline of a ctx that ended before was just replaced.
		if ctx.Err() != nil {
			return 0, 0, 0, fmt.Errorf("keypad: %w", context.Cause(ctx))
		}
		n, err := h.events.Read(b[:])
		switch {
		case n == len(b):
			tail := b[len(b)-8:]
			return binary.NativeEndian.Uint16(tail), binary.NativeEndian.Uint16(tail[2:]), int32(binary.NativeEndian.Uint32(tail[4:])), nil //nolint:gosec // a signed field
		case n > 0:
			return 0, 0, 0, fmt.Errorf("keypad: event of %d bytes: %w", n, drivers.ErrFrame)
		case ctx.Err() != nil:
			return 0, 0, 0, fmt.Errorf("keypad: %w", context.Cause(ctx))
		case errors.Is(err, os.ErrDeadlineExceeded):
		case err != nil:
			return 0, 0, 0, fmt.Errorf("keypad: read: %w", err)
		default:
			empty++
		}
	}
	return 0, 0, 0, fmt.Errorf("keypad: read: %w", io.ErrNoProgress)
}
