// Package keypad is the simulated keypad on a serial line: one byte a key.
package keypad

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Limits of a press.
const (
	// KeysMax is how many keys one call presses.
	KeysMax = 256
	// readWithin is how long the register may take to read them.
	readWithin = 2 * time.Second
)

// codes is the byte behind each key, as a keypad is programmed for a register.
//
//nolint:gochecknoglobals // a constant table
var codes = map[string]byte{
	"0": '0', "1": '1', "2": '2', "3": '3', "4": '4', "5": '5', "6": '6', "7": '7', "8": '8', "9": '9',
	"00": 'd', "DOT": '.', "CLEAR": 'c', "ENTER": '\r', "FN": 'f',
	"QTY": 'x', "VOID": 'v', "DISCOUNT": '%', "REFUND": 'r',
	"SUBTOTAL": 's', "CASH": '$', "CARD": 'k', "POINTS": 'p', "NOSALE": 'n',
	"OPEN": 'o', "X": 'X', "Z": 'Z',
}

// Wire is the cable to the register.
type Wire interface {
	// Write sends all of b in one piece; those of several goroutines do not mix.
	io.Writer
	// WaitRead waits until the register has read every byte written.
	WaitRead(context.Context) error
}

// Keypad is one keypad. Its methods are safe from any goroutine.
type Keypad struct{ wire Wire }

// New returns the keypad at the end of a wire.
func New(w Wire) *Keypad { return &Keypad{wire: w} }

// Names lists the keys.
func Names() []string { return slices.Sorted(maps.Keys(codes)) }

// Press sends the named keys in one write and waits until the register has
// read them, at most 2 s. With a name that is no key, none is sent.
func (k *Keypad) Press(ctx context.Context, names ...string) error {
	if len(names) > KeysMax {
		return fmt.Errorf("keypad: %d keys at once, at most %d", len(names), KeysMax)
	}
	sent := make([]byte, 0, len(names))
	for _, name := range names {
		code, ok := codes[name]
		if !ok {
			return fmt.Errorf("keypad: %.20q is no key: use %s", name, strings.Join(Names(), " "))
		}
		sent = append(sent, code)
	}
	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	if n, err := k.wire.Write(sent); err != nil {
		return fmt.Errorf("keypad: %d of %d keys sent: %w", n, len(sent), err)
	}
	if err := k.wire.WaitRead(ctx); err != nil {
		return fmt.Errorf("keypad: the register did not read the keys: %w", err)
	}
	// Nothing is unread on a cable that was pulled meanwhile, either.
	if _, err := k.wire.Write(nil); err != nil {
		return fmt.Errorf("keypad: the keys may be lost: %w", err)
	}
	return nil
}
