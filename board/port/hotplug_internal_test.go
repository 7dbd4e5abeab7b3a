package port

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"
)

func TestAddsLine(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]bool{
		"add@/devices/x/tty/ttyUSB0\x00ACTION=add\x00SUBSYSTEM=tty\x00DEVNAME=ttyUSB0\x00": true,
		"add@/devices/x/tty/ttyUSB0\x00SUBSYSTEM=tty":                                      true,
		"remove@/devices/x/tty/ttyUSB0\x00ACTION=remove\x00SUBSYSTEM=tty\x00":              false,
		"add@/devices/x\x00ACTION=add\x00SUBSYSTEM=usb\x00":                                false,
		"add@/devices/x\x00XSUBSYSTEM=tty\x00":                                             false,
		"add@SUBSYSTEM=tty":                                                                false,
		"libudev\x00SUBSYSTEM=tty\x00":                                                     false,
		"":                                                                                 false,
	} {
		if got := addsLine([]byte(message)); got != want {
			t.Errorf("%q: %v", message, got)
		}
	}
}

func FuzzAddsLine(f *testing.F) {
	f.Add([]byte("add@/devices/x\x00SUBSYSTEM=tty\x00"))
	f.Fuzz(func(t *testing.T, message []byte) {
		if addsLine(message) && len(message) < len("add@\x00SUBSYSTEM=tty") {
			t.Error("too short")
		}
	})
}

// TestHotplug has the kernel say again that a line of this machine was added.
func TestHotplug(t *testing.T) {
	h, err := NewHotplug()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	plugged := h.Plugged()
	switch err := os.WriteFile("/sys/class/tty/tty0/uevent", []byte("add"), 0); {
	case errors.Is(err, os.ErrPermission), errors.Is(err, os.ErrNotExist):
		t.Logf("not asked of the kernel (%v): needs root and a writable /sys", err)
	case err != nil:
		t.Error(err)
	default:
		select {
		case <-plugged:
		case <-time.After(5 * time.Second):
			t.Error("the kernel's message did not come")
		}
		select {
		case <-h.Plugged():
			t.Error("told twice")
		default:
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if (*Hotplug)(nil).Plugged() != nil {
		t.Error("one that listens to nothing tells something")
	}
}
