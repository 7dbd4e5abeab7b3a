package main

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"regi/firmware/boot"
	"regi/firmware/record"
	"regi/firmware/till"
)

// What was tried is noted once, when it was tried; what came in from the network
// is nothing that was tried on the board.
func TestWatchBoard(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var state boot.State
		var failed error
		var noted []till.SecurityBody
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			watchBoard(ctx, func() (boot.State, error) {
				mu.Lock()
				defer mu.Unlock()
				return state, failed
			}, func(_ context.Context, kind record.Kind, body any) error {
				if kind != record.SecurityEvent {
					t.Errorf("a %v", kind)
				}
				mu.Lock()
				defer mu.Unlock()
				noted = append(noted, body.(till.SecurityBody))
				return errors.New("no room")
			}, slog.New(slog.DiscardHandler))
		}()
		after := func(change func()) string {
			mu.Lock()
			change()
			noted = nil
			mu.Unlock()
			var events []string
			time.Sleep(2 * watchEvery)
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			for _, n := range noted {
				events = append(events, n.Event)
			}
			return strings.Join(events, " ")
		}
		for _, c := range []struct {
			what   string
			change func()
			want   string
		}{
			{"nothing", func() {}, ""},
			{"from outside", func() { state.Network.Dropped.In, state.Network.Dropped.Out = 7, 7 }, ""},
			{"the uplink", func() { state.Network.Dropped.Uplink = 1 }, "network-dropped"},
			{"the same", func() {}, ""},
			{"others", func() { state.Network.Dropped.Others = 1 }, "network-dropped"},
			{"the card reader, unheard", func() { state.Network.Dropped.Capture, failed = 1, errors.New("busy") }, ""},
			{"and heard", func() { failed = nil }, "network-dropped"},
			{"firewall", func() { state.Torn = 3 }, "firewall-changed"},
			{"keyboard", func() { state.Refused = []string{"1-1 (0627:0001): an interface of class 03"} }, "usb-refused"},
			{"and a stick", func() {
				state.Refused = append(state.Refused, "1-2 (46f4:0001): "+strings.Repeat("x", 2*detailMax))
			}, "usb-refused"},
		} {
			if got := after(c.change); got != c.want {
				t.Errorf("%s: %q, want %q", c.what, got, c.want)
			}
		}
		mu.Lock()
		last := noted[0]
		mu.Unlock()
		if n := len(last.Detail); n != detailMax {
			t.Errorf("%d bytes of detail", n)
		}
		cancel()
		<-done
	})
}

// A flood is noted by some, and by more as time passes.
func TestWatchFlood(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	w, s, n := newWatcher(now), &boot.State{}, 0
	for i := range 1000 {
		s.Network.Dropped.Uplink++
		s.Refused = []string{strconv.Itoa(i)}
		n += len(w.look(now, s))
		now = now.Add(watchEvery)
	}
	most := noticesMax + int(1000*watchEvery/noticeEvery)
	if n < noticesMax || n > most || len(w.refused) > refusedSeen {
		t.Errorf("%d notices of a flood, %d devices, at most %d", n, len(w.refused), most)
	}
}

// TestWatchManyDevices: who has shown a register as many devices as it remembers
// cannot try another one unseen.
func TestWatchManyDevices(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	w := newWatcher(now)
	for i := range refusedSeen + 1 {
		now = now.Add(noticeEvery)
		if n := w.look(now, &boot.State{Refused: []string{strconv.Itoa(i)}}); len(n) != 1 {
			t.Errorf("device %d: %d notices", i, len(n))
		}
	}
}
