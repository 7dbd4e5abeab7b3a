package keypad_test

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"regi/board/port" //nolint:depguard // the suite runs over a real line too
	"regi/drivers"
	"regi/drivers/driverstest"
	"regi/drivers/keypad"
)

// asPrinted is the table of the package comment, written down once more.
var asPrinted = map[byte]string{ //nolint:gochecknoglobals // a constant table
	0x30: "0", 0x31: "1", 0x32: "2", 0x33: "3", 0x34: "4", 0x35: "5", 0x36: "6", 0x37: "7", 0x38: "8", 0x39: "9",
	'd': "00", '.': "DOT", 'c': "CLEAR", 'x': "QTY", 'v': "VOID", 's': "SUBTOTAL", '$': "CASH", 'k': "CARD",
	'p': "POINTS", 'n': "NOSALE", '%': "DISCOUNT", 'r': "REFUND", 'X': "X", 'Z': "Z", 'o': "OPEN", 0x0d: "ENTER", 'f': "FN",
}

func openPort(path string) (drivers.Port, error) { return port.Open(port.Options{Path: path}) }

func TestConformance(t *testing.T) {
	own := keypad.Table{0x00: "FN", 0x80: "CASH", 0xff: "00"}
	for name, d := range map[string]driverstest.KeypadDriver{
		"default": {New: func(p drivers.Port) drivers.Keypad { return keypad.New(p, nil) }, Keys: asPrinted},
		"own":     {New: func(p drivers.Port) drivers.Keypad { return keypad.New(p, own) }, Keys: own},
		"empty": {
			New:  func(p drivers.Port) drivers.Keypad { return keypad.New(p, keypad.Table{'1': "1"}) },
			Keys: map[byte]string{'1': "1"},
		},
	} {
		t.Run(name+"/pipe", func(t *testing.T) { driverstest.Keypad(t, driverstest.Simulated(), d) })
		t.Run(name+"/pty", func(t *testing.T) { driverstest.Keypad(t, driverstest.Kernel(openPort), d) })
	}
}

// TestTableIsCopied: a caller's later change moves no key.
func TestTableIsCopied(t *testing.T) {
	table := keypad.DefaultTable()
	k := keypad.New(steady{byte: '$'}, table)
	table['$'] = "VOID"
	if name, err := k.Read(t.Context()); name != "CASH" || err != nil {
		t.Errorf("%q, %v", name, err)
	}
	if name := keypad.DefaultTable()['$']; name != "CASH" {
		t.Errorf("the default became %q", name)
	}
}

// steady is a port that delivers one byte for ever, or an error.
type steady struct {
	drivers.Port
	byte byte
	n    int
	err  error
}

func (s steady) SetReadDeadline(time.Time) error { return nil }

func (s steady) Read(b []byte) (int, error) {
	if s.byte == 0 {
		return s.n, s.err
	}
	b[0] = s.byte
	return 1, s.err
}

func TestPortErrors(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct{ port, want error }{
		{nil, io.ErrNoProgress}, {broken, broken}, {drivers.ErrClosed, drivers.ErrClosed},
	} {
		if name, err := keypad.New(steady{err: c.port}, nil).Read(t.Context()); name != "" || !errors.Is(err, c.want) {
			t.Errorf("%v: %q, %v", c.port, name, err)
		}
	}
	// A byte that came with an error counts; the error comes again.
	if name, err := keypad.New(steady{byte: '7', err: broken}, nil).Read(t.Context()); name != "7" || err != nil {
		t.Errorf("%q, %v", name, err)
	}
}

// stale is a port whose first reads end by a deadline that nobody set.
type stale struct {
	steady
	left *int
}

func (s stale) Read(b []byte) (int, error) {
	if *s.left--; *s.left >= 0 {
		return 0, os.ErrDeadlineExceeded
	}
	return s.steady.Read(b)
}

// TestStaleDeadline: the end of one call's context does not end the next call.
func TestStaleDeadline(t *testing.T) {
	left := 3
	k := keypad.New(stale{steady{byte: 'k'}, &left}, nil)
	if name, err := k.Read(t.Context()); name != "CARD" || err != nil {
		t.Errorf("%q, %v", name, err)
	}
}

// FuzzRead: any byte is one key of the table or an error, and never both.
func FuzzRead(f *testing.F) {
	f.Add([]byte("12d.x$\r"))
	f.Add([]byte{0, 0x1b, 0xff})
	f.Fuzz(func(t *testing.T, sent []byte) {
		k := keypad.New(&queue{left: sent}, nil)
		for _, b := range sent {
			name, err := k.Read(context.Background())
			if name != asPrinted[b] || (name == "") != errors.Is(err, drivers.ErrFrame) {
				t.Errorf("byte %02Xh: %q, %v", b, name, err)
			}
		}
		if name, err := k.Read(context.Background()); name != "" || !errors.Is(err, drivers.ErrUnplugged) {
			t.Errorf("after the last: %q, %v", name, err)
		}
	})
}

// queue is a port that delivers what is left as fast as it is read.
type queue struct {
	drivers.Port
	left []byte
}

func (q *queue) SetReadDeadline(time.Time) error { return nil }

func (q *queue) Read(b []byte) (int, error) {
	if len(q.left) == 0 {
		return 0, drivers.ErrUnplugged
	}
	n := copy(b, q.left)
	q.left = q.left[n:]
	return n, nil
}
