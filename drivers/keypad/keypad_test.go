package keypad_test

import (
	"bytes"
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
	if key, err := k.Read(t.Context()); key.Name != "CASH" || err != nil {
		t.Errorf("%v, %v", key, err)
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
		if key, err := keypad.New(steady{err: c.port}, nil).Read(t.Context()); key.Name != "" || !errors.Is(err, c.want) {
			t.Errorf("%v: %v, %v", c.port, key, err)
		}
	}
	// A byte that came with an error counts; the error comes again.
	if key, err := keypad.New(steady{byte: '7', err: broken}, nil).Read(t.Context()); key.Name != "7" || err != nil {
		t.Errorf("%v, %v", key, err)
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
	if key, err := k.Read(t.Context()); key.Name != "CARD" || err != nil {
		t.Errorf("%v, %v", key, err)
	}
}

// FuzzRead: any byte is one key of the table or an error, and never both; of a
// byte that repeats without end no more than forty count.
func FuzzRead(f *testing.F) {
	f.Add([]byte("12d.x$\r"))
	f.Add([]byte{0, 0x1b, 0xff})
	f.Add(bytes.Repeat([]byte("7"), 100))
	f.Fuzz(func(t *testing.T, sent []byte) {
		k := keypad.New(&queue{left: sent}, nil)
		run := 0
		for i, b := range sent {
			if run++; i > 0 && sent[i-1] != b {
				run = 1
			}
			want := asPrinted[b]
			if want != "" && run > 40 {
				continue
			}
			key, err := k.Read(context.Background())
			switch {
			case want == "" && errors.Is(err, drivers.ErrKeyUnknown) && key.Name == "":
			case want != "" && run == 40 && errors.Is(err, drivers.ErrKeyStuck) && key.Name == "":
			case want != "" && run < 40 && err == nil && key.Name == want:
			default:
				t.Errorf("byte %02Xh, the %dth: %v, %v", b, run, key, err)
			}
		}
		if key, err := k.Read(context.Background()); key.Name != "" || !errors.Is(err, drivers.ErrUnplugged) {
			t.Errorf("after the last: %v, %v", key, err)
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
