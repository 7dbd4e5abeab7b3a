package driverstest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"regi/drivers"
)

// stuckBytes is how often a key comes that is stuck: two minutes of most keypads.
const stuckBytes = 1000

// KeypadDriver is a serial keypad under test.
type KeypadDriver struct {
	New func(drivers.Port) drivers.Keypad
	// Keys is what the keypad sends, byte → key name.
	Keys map[byte]string
}

// Keypad is the conformance suite of drivers.Keypad on a serial line.
func Keypad(t *testing.T, w Wires, d KeypadDriver) {
	s := keypadSuite{w, d}
	w.each(t, slices.Concat([]suiteTest{
		{"every byte", s.everyByte},
		{"a long wait", s.wait},
		{"ctx ends between keys", s.keeps},
		{"repeats without end", s.stuck},
	}, w.ends(func(near drivers.Port) blocking {
		keypad := d.New(near)
		return func(ctx context.Context) error {
			_, err := keypad.Read(ctx)
			return err
		}
	})))
}

type keypadSuite struct {
	w Wires
	d KeypadDriver
}

// expect reads the key that b stands for.
func (s keypadSuite) expect(t *testing.T, keypad drivers.Keypad, b byte) {
	t.Helper()
	var got drivers.KeyEvent
	err := bounded(t, t.Context(), func(ctx context.Context) (err error) {
		got, err = keypad.Read(ctx)
		return err
	})
	want := s.d.Keys[b]
	if want == "" && !errors.Is(err, drivers.ErrKeyUnknown) || want != "" && (err != nil || got.Source != drivers.KeySerial) || got.Name != want {
		t.Errorf("byte %02Xh: key %v, %v; want %q", b, got, err, want)
	}
}

// everyByte: all at once, as when the register was busy. None is lost, and one
// that is no key does not take another with it.
func (s keypadSuite) everyByte(t *testing.T) {
	near, far := s.w.Connect(t)
	keypad := s.d.New(near)
	all := make([]byte, 256)
	for b := range all {
		all[b] = byte(b)
	}
	send(t, far, all)
	for _, b := range all {
		s.expect(t, keypad, b)
	}
}

func (s keypadSuite) wait(t *testing.T) {
	near, far := s.w.Connect(t)
	keypad := s.d.New(near)
	wait := 24 * time.Hour
	if s.w.Real {
		wait = 50 * time.Millisecond
	}
	key := s.anyKey(t)
	time.AfterFunc(wait, func() { send(t, far, []byte{key}) })
	// Not bounded: patience is shorter than a day, which passes at once.
	if got, err := keypad.Read(t.Context()); got.Name != s.d.Keys[key] || err != nil {
		t.Errorf("key %v, %v", got, err)
	}
}

// keeps: a key pressed while nobody reads is there for the next call.
func (s keypadSuite) keeps(t *testing.T) {
	near, far := s.w.Connect(t)
	keypad := s.d.New(near)
	key := s.anyKey(t)
	send(t, far, []byte{key, key, key})
	s.expect(t, keypad, key)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := keypad.Read(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("key %v, %v; want context.Canceled", got, err)
	}
	s.expect(t, keypad, key)
	s.expect(t, keypad, key)
}

// stuck: a keypad that repeats a key by itself does not press it without end. It
// is told once, the other keys go on, and so does this one when it has come loose.
func (s keypadSuite) stuck(t *testing.T) {
	near, far := s.w.Connect(t)
	keypad := s.d.New(near)
	key, after := s.anyKey(t), s.unknown(t)
	send(t, far, append(bytes.Repeat([]byte{key}, stuckBytes), after, key))
	pressed, stuck := 0, 0
	for {
		var got drivers.KeyEvent
		err := bounded(t, t.Context(), func(ctx context.Context) (err error) {
			got, err = keypad.Read(ctx)
			return err
		})
		switch {
		case errors.Is(err, drivers.ErrKeyStuck):
			stuck++
			continue
		case errors.Is(err, drivers.ErrKeyUnknown):
			s.expect(t, keypad, key)
			if pressed >= stuckBytes/2 || stuck != 1 {
				t.Errorf("%d presses of %d repeats, told %d times that it is stuck", pressed, stuckBytes, stuck)
			}
			return
		case err != nil:
			t.Fatal(err)
		}
		if pressed++; got.Name != s.d.Keys[key] {
			t.Fatal(got)
		}
	}
}

func (s keypadSuite) unknown(t *testing.T) byte {
	for b := range 256 {
		if s.d.Keys[byte(b)] == "" {
			return byte(b)
		}
	}
	t.Fatal("a keypad whose every byte is a key")
	return 0
}

func (s keypadSuite) anyKey(t *testing.T) byte {
	for b := range 256 {
		if s.d.Keys[byte(b)] != "" {
			return byte(b)
		}
	}
	t.Fatal("a keypad without keys")
	return 0
}
