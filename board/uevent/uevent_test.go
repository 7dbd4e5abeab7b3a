package uevent_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"regi/board/uevent"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]uevent.Event{
		"add@/devices/x/tty/ttyUSB0\x00ACTION=add\x00SUBSYSTEM=tty\x00DEVNAME=ttyUSB0\x00": {Action: "add", DevPath: "/devices/x/tty/ttyUSB0", Subsystem: "tty"},
		"add@/devices/x\x00XSUBSYSTEM=tty\x00":                                             {Action: "add", DevPath: "/devices/x"},
		"remove@/devices/x\x00SUBSYSTEM=usb\x00DEVTYPE=usb_device":                         {Action: "remove", DevPath: "/devices/x", Subsystem: "usb", Type: "usb_device"},
	} {
		if got, ok := uevent.Parse([]byte(message)); got != want || !ok {
			t.Errorf("%q: %+v, %v", message, got, ok)
		}
	}
	for _, message := range []string{"", "add@/devices/x", "add@SUBSYSTEM=tty\x00", "@/x\x00", "libudev\x00SUBSYSTEM=tty\x00"} {
		if got, ok := uevent.Parse([]byte(message)); ok {
			t.Errorf("%q: %+v", message, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("add@/devices/x\x00SUBSYSTEM=tty\x00"))
	f.Fuzz(func(t *testing.T, message []byte) {
		if e, ok := uevent.Parse(message); ok && (e.Action == "" || e.DevPath[0] != '/') {
			t.Errorf("%+v", e)
		}
	})
}

// TestListen has the kernel say again that a line of this machine was added.
func TestListen(t *testing.T) {
	l, err := uevent.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	heard, ended := make(chan uevent.Event, 16), make(chan error, 1)
	go func() { ended <- l.Run(ctx, func(e uevent.Event) { heard <- e }) }()
	switch err := os.WriteFile("/sys/class/tty/tty0/uevent", []byte("add"), 0); {
	case errors.Is(err, os.ErrPermission), errors.Is(err, os.ErrNotExist):
		t.Logf("not asked of the kernel (%v): needs root and a writable /sys", err)
	case err != nil:
		t.Error(err)
	default:
		select {
		case e := <-heard:
			if want := (uevent.Event{Action: "add", DevPath: "/devices/virtual/tty/tty0", Subsystem: "tty"}); e != want {
				t.Errorf("%+v", e)
			}
		case <-time.After(30 * time.Second):
			t.Error("the kernel's message did not come")
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
