package port

import (
	"context"
	"sync"

	"regi/board/uevent"
)

// Hotplug tells when a line is plugged in, by the kernel's own messages. It
// must be made before the process may make no sockets any more. Whoever waits
// for a device looks again now and then all the same: messages can be lost,
// and in a container there are none.
type Hotplug struct {
	listener *uevent.Listener

	mu    sync.Mutex
	added chan struct{}
}

// NewHotplug begins to listen.
func NewHotplug() (*Hotplug, error) {
	l, err := uevent.Listen()
	if err != nil {
		return nil, err
	}
	return &Hotplug{listener: l, added: make(chan struct{})}, nil
}

// Plugged returns a channel that is closed at the next line that is plugged in.
// The nil pointer's never is.
func (h *Hotplug) Plugged() <-chan struct{} {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.added
}

// Run listens until ctx ends.
func (h *Hotplug) Run(ctx context.Context) error { return h.listener.Run(ctx, h.hear) }

func (h *Hotplug) hear(e uevent.Event) {
	if !e.Lost && (e.Action != "add" || e.Subsystem != "tty") {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.added)
	h.added = make(chan struct{})
}
