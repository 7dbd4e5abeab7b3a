package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"regi/firmware/boot"
	"regi/firmware/record"
	"regi/firmware/till"
)

// watchEvery is how often the board is asked what was tried on it.
const watchEvery = 5 * time.Second

// Limits of what is noted: somebody who tries all the time may not fill the
// journal.
const (
	noticesMax  = 16 // at once
	noticeEvery = 5 * time.Minute
	// refusedSeen bounds the devices that are remembered, detailMax what is noted of
	// one: it says of itself what it is.
	refusedSeen = 64
	detailMax   = 200
)

// watcher notes what was tried on a board, by its state.
type watcher struct {
	tried   uint64 // packets that a process was not allowed to send
	torn    uint64
	refused map[string]bool
	left    int // notices
	since   time.Time
}

func newWatcher(now time.Time) *watcher {
	return &watcher{refused: map[string]bool{}, left: noticesMax, since: now}
}

// look returns what is to be noted. What is not, for there was too much, is the
// next time.
func (w *watcher) look(now time.Time, s *boot.State) (notices []till.SecurityBody) {
	if earned := int(now.Sub(w.since) / noticeEvery); earned > 0 {
		w.left, w.since = min(w.left+earned, noticesMax), w.since.Add(time.Duration(earned)*noticeEvery)
	}
	note := func(event, detail string) {
		w.left--
		notices = append(notices, till.SecurityBody{Event: event, Detail: detail[:min(len(detail), detailMax)]})
	}
	if s.Torn > w.torn && w.left > 0 {
		w.torn = s.Torn
		note("firewall-changed", fmt.Sprintf("%d times since the board was switched on; it was raised again", s.Torn))
	}
	if tried := s.Network.Dropped.Tried(); tried > w.tried && w.left > 0 {
		w.tried = tried
		note("network-dropped", "since the board was switched on: "+s.Network.Dropped.String())
	}
	if len(w.refused) >= refusedSeen {
		// Who shows many devices shall not have the last one go unseen.
		maps.DeleteFunc(w.refused, func(what string, _ bool) bool { return !slices.Contains(s.Refused, what) })
	}
	for _, what := range s.Refused {
		if !w.refused[what] && w.left > 0 && len(w.refused) < refusedSeen {
			w.refused[what] = true
			note("usb-refused", what)
		}
	}
	return notices
}

// watchBoard has the ledger, and so the cloud, know what was tried on the board:
// packets to elsewhere, changes of the firewall, devices that are none of a
// register's.
func watchBoard(ctx context.Context, state func() (boot.State, error), note func(context.Context, record.Kind, any) error, log *slog.Logger) {
	w := newWatcher(time.Now())
	look := time.NewTicker(watchEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		s, err := state()
		if err != nil {
			continue // a board that is busy answers later
		}
		for _, n := range w.look(time.Now(), &s) {
			log.Warn("security", "event", n.Event, "detail", n.Detail)
			if err := note(ctx, record.SecurityEvent, n); err != nil && ctx.Err() == nil {
				log.Warn("security event is not in the ledger", "err", err.Error())
			}
		}
	}
}
