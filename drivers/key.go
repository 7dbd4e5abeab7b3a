package drivers

import (
	"context"
	"errors"
)

// KeySource is what a key was pressed on.
type KeySource string

// Key sources. A command sheet is none: its codes come from the scanner, and
// only the till can tell whether they are keys.
const (
	KeySerial KeySource = "serial" // a keypad on a serial line
	KeyMatrix KeySource = "matrix" // bare contacts on GPIO lines
	KeyHID    KeySource = "hid"    // a USB keyboard
)

// KeyEvent is one press of a key, wherever it was pressed.
type KeyEvent struct {
	// Name is the key's name: "0".."9", "CASH", ...
	Name   string
	Source KeySource
	// Long says that the key was held, and that Name is what it then stands for.
	Long bool
}

// What a keypad may say instead of a key; read again after each of them.
var (
	// ErrKeyUnknown: a key was pressed that the table does not hold.
	ErrKeyUnknown = errors.New("no key of the table")
	// ErrKeyStuck: a key is held for too long; the others go on working.
	ErrKeyStuck = errors.New("key stuck")
	// ErrKeysTogether: nobody can say which of the keys were pressed; none counts.
	ErrKeysTogether = errors.New("keys pressed together")
	// ErrKeyBounces: a contact does not settle; what it said does not count.
	ErrKeyBounces = errors.New("key contact bounces")
	// ErrKeysLost: keys came faster than they were read, and some are lost.
	ErrKeysLost = errors.New("keys lost")
)

// KeyError is one of the errors above, of a key that is known.
type KeyError struct {
	Key string
	Err error
}

func (e *KeyError) Error() string { return e.Key + ": " + e.Err.Error() }

// Unwrap returns the error of the key.
func (e *KeyError) Unwrap() error { return e.Err }

// Keypad delivers one key a call.
type Keypad interface {
	// Read blocks until a key, one of the errors above, or an error of the line
	// (ErrUnplugged: re-open).
	Read(context.Context) (KeyEvent, error)
}
