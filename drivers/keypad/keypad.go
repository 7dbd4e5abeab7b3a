// Package keypad reads a serial keypad that sends one byte for each key.
//
// The default table:
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
	"errors"
	"fmt"
	"io"
	"os"
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

// Keypad is one keypad. It is not safe for use by several goroutines.
type Keypad struct {
	port  drivers.Port
	names [256]string // "" is no key
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

// Read returns the name of the next key. A byte that is no key is an error
// that wraps drivers.ErrFrame; other errors are those of the port
// (drivers.ErrUnplugged) or of ctx. A call reads one byte, so that no key is
// lost when ctx ends.
func (k *Keypad) Read(ctx context.Context) (string, error) {
	stop := context.AfterFunc(ctx, func() {
		k.port.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck,gosec // a closed port has ended the read by itself
	})
	defer stop()
	var b [1]byte
	for empty := 0; empty < emptyReadsMax; {
		n, err := k.next(ctx, b[:])
		switch {
		case n == 1: // an error comes again
			if name := k.names[b[0]]; name != "" {
				return name, nil
			}
			return "", fmt.Errorf("keypad: byte %02Xh is no key: %w", b[0], drivers.ErrFrame)
		case ctx.Err() != nil:
			return "", fmt.Errorf("keypad: %w", context.Cause(ctx))
		case errors.Is(err, os.ErrDeadlineExceeded):
			// The end of an earlier call's ctx, told late.
		case err != nil:
			return "", fmt.Errorf("keypad: read: %w", err)
		default:
			empty++
		}
	}
	return "", fmt.Errorf("keypad: read: %w", io.ErrNoProgress)
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
