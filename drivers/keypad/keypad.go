// Package keypad reads the keys of a register: of a serial keypad that sends one
// byte for each key, of a matrix of contacts on GPIO lines, or of a USB keyboard.
//
// The default table of a serial keypad:
//
//	byte      key         byte  key        byte  key
//	'0'-'9'   0-9         's'   SUBTOTAL   'X'   X
//	'd'       00          '$'   CASH       'Z'   Z
//	'.'       DOT         'k'   CARD       'o'   OPEN
//	'c'       CLEAR       'p'   POINTS     'f'   FN
//	'x'       QTY         'n'   NOSALE     0Dh   ENTER
//	'v'       VOID        '%'   DISCOUNT
//	                      'r'   REFUND
package keypad

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"regi/drivers"
)

// emptyReadsMax bounds how often in a row a port may return nothing.
const emptyReadsMax = 100

// Table is byte → key name; a byte that it does not hold is no key.
type Table map[byte]string

// DefaultTable returns the table of the package comment, made anew.
func DefaultTable() Table {
	t := Table{
		'd': "00", '.': "DOT", 'c': "CLEAR", 'x': "QTY", 'v': "VOID", 's': "SUBTOTAL",
		'$': "CASH", 'k': "CARD", 'p': "POINTS", 'n': "NOSALE", '%': "DISCOUNT", 'r': "REFUND",
		'X': "X", 'Z': "Z", 'o': "OPEN", 'f': "FN", '\r': "ENTER",
	}
	for c := byte('0'); c <= '9'; c++ {
		t[c] = string(c)
	}
	return t
}

// names are the keys of a register; a table may hold no other.
//
//nolint:gochecknoglobals // a constant table
var names = []string{
	"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "00", "DOT", "CLEAR", "QTY", "VOID", "SUBTOTAL", "CASH", "CARD",
	"POINTS", "NOSALE", "DISCOUNT", "REFUND", "X", "Z", "OPEN", "ENTER", "FN",
}

// Names lists the keys of a register.
func Names() []string { return slices.Clone(names) }

// IsName says whether a register has such a key.
func IsName(name string) bool { return slices.Contains(names, name) }

// ParseTable changes the default table by what a configuration says: a character
// or two hexadecimal digits, and the key's name; "" is no key.
func ParseTable(changes map[string]string) (Table, error) {
	t := DefaultTable()
	for code, name := range changes {
		b := []byte(code)
		if len(b) == 2 {
			var err error
			if b, err = hex.DecodeString(code); err != nil {
				return nil, fmt.Errorf("keypad: %.8q is neither a character nor two hexadecimal digits", code)
			}
		}
		if len(b) != 1 {
			return nil, fmt.Errorf("keypad: %.8q is neither a character nor two hexadecimal digits", code)
		}
		if name == "" {
			delete(t, b[0])
			continue
		}
		if !IsName(name) {
			return nil, fmt.Errorf("keypad: %.16q is no key: use %s", name, strings.Join(names, " "))
		}
		t[b[0]] = name
	}
	return t, nil
}

// Keypad is a serial keypad. It is not safe for use by several goroutines.
type Keypad struct {
	port  drivers.Port
	names [256]string // "" is no key
	// The last byte, when it came, and how often without a pause.
	last    byte
	at      time.Time
	repeats int
}

var _ drivers.Keypad = (*Keypad)(nil)

// New returns the keypad behind a port. A nil table is the default one.
func New(port drivers.Port, table Table) *Keypad {
	if table == nil {
		table = DefaultTable()
	}
	k := &Keypad{port: port}
	for c, name := range table {
		k.names[c] = name
	}
	return k
}

// Limits of a serial keypad that repeats a key by itself: that many of the same
// bytes, none later than repeatWithin after the one before, are a key that is
// stuck. It counts again once it has been quiet for that long. No operator comes
// near: eight in a second are fast.
const (
	repeatsMax   = 40
	repeatWithin = 120 * time.Millisecond
)

// Read returns the next key. A byte that is no key is an error that wraps
// drivers.ErrKeyUnknown, a key that repeats without end drivers.ErrKeyStuck
// (once); other errors are those of the port (drivers.ErrUnplugged) or of ctx. A
// call takes one byte at a time, so that no key is lost when ctx ends.
func (k *Keypad) Read(ctx context.Context) (drivers.KeyEvent, error) {
	for {
		b, err := k.readByte(ctx)
		if err != nil {
			return drivers.KeyEvent{}, err
		}
		name := k.names[b]
		switch repeats := k.count(b, time.Now()); {
		case name == "":
			return drivers.KeyEvent{}, fmt.Errorf("keypad: %w", &drivers.KeyError{Key: fmt.Sprintf("byte %02Xh", b), Err: drivers.ErrKeyUnknown})
		case repeats < repeatsMax:
			return drivers.KeyEvent{Name: name, Source: drivers.KeySerial}, nil
		case repeats == repeatsMax:
			return drivers.KeyEvent{}, fmt.Errorf("keypad: %w", &drivers.KeyError{Key: name, Err: drivers.ErrKeyStuck})
		}
	}
}

// count says how often b has come without a pause.
func (k *Keypad) count(b byte, now time.Time) int {
	if b != k.last || now.Sub(k.at) > repeatWithin {
		k.repeats = 0
	}
	k.last, k.at = b, now
	k.repeats = min(k.repeats+1, repeatsMax+1)
	return k.repeats
}

func (k *Keypad) readByte(ctx context.Context) (byte, error) {
	stop := context.AfterFunc(ctx, func() {
		k.port.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck,gosec // a closed port has ended the read by itself
	})
	defer stop()
	var b [1]byte
	for empty := 0; empty < emptyReadsMax; {
		n, err := k.next(ctx, b[:])
		switch {
		case n == 1: // an error comes again
			return b[0], nil
		case ctx.Err() != nil:
			return 0, fmt.Errorf("keypad: %w", context.Cause(ctx))
		case errors.Is(err, os.ErrDeadlineExceeded):
			// The end of an earlier call's ctx, told late.
		case err != nil:
			return 0, fmt.Errorf("keypad: read: %w", err)
		default:
			empty++
		}
	}
	return 0, fmt.Errorf("keypad: read: %w", io.ErrNoProgress)
}

// next waits for a byte as long as ctx lasts.
func (k *Keypad) next(ctx context.Context, b []byte) (int, error) {
	if err := k.port.SetReadDeadline(time.Time{}); err != nil {
		return 0, err
	}
	// Only now: the deadline of a ctx that ended before was just replaced.
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return k.port.Read(b)
}
