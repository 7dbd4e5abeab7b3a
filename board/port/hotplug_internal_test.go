package port

import (
	"testing"

	"regi/board/uevent"
)

func TestHotplug(t *testing.T) {
	t.Parallel()
	h := &Hotplug{added: make(chan struct{})}
	told := func(e uevent.Event) bool {
		plugged := h.Plugged()
		h.hear(e)
		select {
		case <-plugged:
			return true
		default:
			return false
		}
	}
	for e, want := range map[uevent.Event]bool{
		{Action: "add", Subsystem: "tty"}:    true,
		{Action: "remove", Subsystem: "tty"}: false,
		{Action: "add", Subsystem: "usb"}:    false,
		{Lost: true}:                         true,
	} {
		if got := told(e); got != want {
			t.Errorf("%+v: %v", e, got)
		}
	}
	if (*Hotplug)(nil).Plugged() != nil {
		t.Error("one that listens to nothing tells something")
	}
}
