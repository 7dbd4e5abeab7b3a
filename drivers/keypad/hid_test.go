package keypad_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"regi/drivers"
	"regi/drivers/driverstest"
	"regi/drivers/keypad"
)

// event is what the kernel says of one key.
func event(kind, code uint16, value int32) []byte {
	b := make([]byte, keypad.HIDEventBytes)
	tail := b[len(b)-8:]
	binary.NativeEndian.PutUint16(tail, kind)
	binary.NativeEndian.PutUint16(tail[2:], code)
	binary.NativeEndian.PutUint32(tail[4:], uint32(value))
	return b
}

// recorded is what a number pad sends for one press: its scan code, the key,
// the end of the report.
func recorded(code uint16, value int32) [][]byte {
	return [][]byte{event(4, 4, 0x70059), event(1, code, value), event(0, 0, 0)}
}

// kernel hands out whole events, as evdev does.
type kernel struct {
	drivers.Port
	events [][]byte
	err    error
}

func (k *kernel) SetReadDeadline(time.Time) error { return nil }

func (k *kernel) Read(b []byte) (int, error) {
	if len(k.events) == 0 {
		return 0, k.err
	}
	n := copy(b, k.events[0])
	k.events = k.events[1:]
	return n, nil
}

func TestHID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := driverstest.Pipe(t)
		h := keypad.NewHID(near, nil)
		go func() {
			send := func(events ...[]byte) {
				for _, e := range events {
					if _, err := far.Write(e); err != nil {
						t.Error(err)
					}
				}
			}
			send(recorded(79, 1)...)
			send(recorded(80, 1)...) // rolls over
			send(recorded(79, 0)...)
			send(recorded(80, 0)...)
			send(recorded(96, 1)...)
			for range 400 { // held: the kernel repeats it, every 33 ms
				time.Sleep(33 * time.Millisecond)
				send(recorded(96, 2)...)
			}
			send(recorded(55, 1)...)
			send(recorded(96, 0)...)
			send(recorded(96, 1)...)
			send(recorded(30, 1)...)
			send(event(0, 3, 0))
			send(recorded(79, 1)...)
			if err := far.Close(); err != nil {
				t.Error(err)
			}
		}()
		for _, want := range []struct {
			name string
			err  error
		}{
			{"1", nil},
			{"2", nil},
			{"ENTER", nil},
			{"", drivers.ErrKeyStuck},
			{"QTY", nil},
			{"ENTER", nil},
			{"", drivers.ErrKeyUnknown},
			{"", drivers.ErrKeysLost},
			{"1", nil},
			{"", drivers.ErrUnplugged},
		} {
			e, err := h.Read(t.Context())
			if e.Name != want.name || !errors.Is(err, want.err) || err == nil && e.Source != drivers.KeyHID {
				t.Fatalf("%v, %v; want %v", e, err, want)
			}
		}
	})
}

func TestHIDEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, _ := driverstest.Pipe(t)
		h := keypad.NewHID(near, nil)
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			if _, err := h.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			cancel()
		}
	})
	if _, err := keypad.NewHID(&kernel{}, nil).Read(t.Context()); !errors.Is(err, io.ErrNoProgress) {
		t.Error(err)
	}
	if _, err := keypad.NewHID(&kernel{events: [][]byte{{1, 2, 3}}}, nil).Read(t.Context()); !errors.Is(err, drivers.ErrFrame) {
		t.Error(err)
	}
}

func TestTables(t *testing.T) {
	table, err := keypad.ParseTable(map[string]string{"a": "CASH", "1B": "CLEAR", "x": ""})
	if err != nil || table['a'] != "CASH" || table[0x1b] != "CLEAR" || table['x'] != "" || table['1'] != "1" {
		t.Errorf("%v, %v", table, err)
	}
	for _, bad := range []map[string]string{{"": "1"}, {"abc": "1"}, {"g1": "1"}, {"a": "cash"}, {"é": "1"}, {"あ": "1"}} {
		if _, err := keypad.ParseTable(bad); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
	hid, err := keypad.ParseHIDTable(map[string]string{"30": "CASH", "1": ""})
	if err != nil || hid[30] != "CASH" || hid[1] != "" || hid[2] != "1" {
		t.Errorf("%v, %v", hid, err)
	}
	for _, bad := range []map[string]string{{"": "1"}, {"0": "1"}, {"-1": "1"}, {"99999": "1"}, {"800": "1"}, {"30": "cash"}} {
		if _, err := keypad.ParseHIDTable(bad); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
	for name, table := range map[string]any{"serial": keypad.DefaultTable(), "hid": keypad.DefaultHIDTable()} {
		switch table := table.(type) {
		case keypad.Table:
			for _, n := range table {
				if !keypad.IsName(n) {
					t.Errorf("%s: %q", name, n)
				}
			}
		case keypad.HIDTable:
			for _, n := range table {
				if !keypad.IsName(n) {
					t.Errorf("%s: %q", name, n)
				}
			}
		}
	}
	if n := len(keypad.Names()); n != 27 {
		t.Errorf("%d names", n)
	}
}

// FuzzHID: whatever the kernel says, a key is one of the table.
func FuzzHID(f *testing.F) {
	f.Add(append(event(1, 79, 1), event(1, 79, 2)...))
	f.Add([]byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, sent []byte) {
		k := &kernel{err: drivers.ErrUnplugged}
		for len(sent) > 0 {
			n := min(len(sent), keypad.HIDEventBytes)
			k.events = append(k.events, sent[:n])
			sent = sent[n:]
		}
		h := keypad.NewHID(k, nil)
		for range len(k.events) + 1 {
			e, err := h.Read(context.Background())
			if (err == nil) != keypad.IsName(e.Name) {
				t.Errorf("%v, %v", e, err)
			}
			if errors.Is(err, drivers.ErrUnplugged) {
				return
			}
		}
		t.Error("it does not end")
	})
}
