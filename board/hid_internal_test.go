package board

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"regi/drivers"
	"regi/drivers/keypad"
)

// keys as the kernel writes them: a keyboard's and a volume knob's.
var bitmaps = map[bool]string{ //nolint:gochecknoglobals // a constant table
	true:  "10000 7 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe",
	false: "3f000300000000 0 0 0",
}

// plugged makes a machine with one USB keyboard of two parts.
func plugged(t *testing.T, id [2]string, phys string, digits bool) hidFinder {
	t.Helper()
	h := hidFinder{sys: t.TempDir(), dev: t.TempDir(), grab: func(*os.File) error { return nil }}
	for event, keys := range map[string]string{"event0": bitmaps[false], "event1": bitmaps[digits]} {
		for name, text := range map[string]string{
			"phys": phys + "/input" + event[5:], "id/vendor": id[0], "id/product": id[1], "capabilities/key": keys,
		} {
			path := filepath.Join(h.sys, event, "device", name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text+"\n"), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		if err := unix.Mkfifo(filepath.Join(h.dev, event), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// TestHID: a keyboard that is the configured one, at the configured socket, is
// taken and read; its events are keys.
func TestHID(t *testing.T) {
	h := plugged(t, [2]string{"046a", "0011"}, "usb-0000:01:00.0-1.2", true)
	grabbed := ""
	h.grab = func(f *os.File) error { grabbed = filepath.Base(f.Name()); return nil }
	k, err := h.open(HIDName{ID: "046A:0011", Path: "usb-0000:01:00.0-1.2"})
	if err != nil || grabbed != "event1" {
		t.Fatal(err, grabbed)
	}
	far, err := os.OpenFile(filepath.Join(h.dev, "event1"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	event := make([]byte, keypad.HIDEventBytes)
	event[len(event)-8], event[len(event)-6], event[len(event)-4] = 1, 79, 1
	if _, err := far.Write(event); err != nil {
		t.Fatal(err)
	}
	if e, err := keypad.NewHID(k, nil).Read(t.Context()); e.Name != "1" || err != nil {
		t.Errorf("%v, %v", e, err)
	}
	if err := k.SetReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Read(event); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("nothing to read: %v", err)
	}
	if err := errors.Join(k.SetReadDeadline(time.Time{}), far.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Read(event); !errors.Is(err, drivers.ErrUnplugged) {
		t.Errorf("unplugged: %v", err)
	}
	if _, err := k.Write(event); !errors.Is(err, drivers.ErrUnsupported) {
		t.Errorf("written to: %v", err)
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Read(event); !errors.Is(err, drivers.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// TestHIDOptIn: nothing but what was named is a keyboard of the register.
func TestHIDOptIn(t *testing.T) {
	is := HIDName{ID: "046a:0011", Path: "usb-0000:01:00.0-1.2"}
	for name, c := range map[string]struct {
		id     [2]string
		phys   string
		digits bool
		grab   error
		want   error
	}{
		"another maker":  {[2]string{"046b", "0011"}, is.Path, true, nil, os.ErrNotExist},
		"another kind":   {[2]string{"046a", "0012"}, is.Path, true, nil, os.ErrNotExist},
		"another socket": {[2]string{"046a", "0011"}, "usb-0000:01:00.0-1.3", true, nil, os.ErrNotExist},
		"no digits":      {[2]string{"046a", "0011"}, is.Path, false, nil, os.ErrNotExist},
		"taken":          {[2]string{"046a", "0011"}, is.Path, true, drivers.ErrBusy, drivers.ErrBusy},
	} {
		h := plugged(t, c.id, c.phys, c.digits)
		h.grab = func(*os.File) error { return c.grab }
		if _, err := h.open(is); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := plugged(t, [2]string{"046a", "0011"}, "", true).open(HIDName{ID: "046a:0011"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("one without a socket: %v", err)
	}
}

// FuzzHasDigits: only a bit that is set is a key.
func FuzzHasDigits(f *testing.F) {
	f.Add(bitmaps[true])
	f.Add("zz 4")
	f.Fuzz(func(t *testing.T, text string) {
		if hasDigits(text) && !strings.ContainsAny(text, "123456789abcdefABCDEF") {
			t.Errorf("%q has digits", text)
		}
	})
}
