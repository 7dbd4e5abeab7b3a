package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"regi/board"
	"regi/firmware/capture/launch"
	"regi/firmware/role"
)

// Limits of a wipe.
const (
	// obeyWithin: a card process that has not wiped its key by then is ended.
	obeyWithin = 2 * time.Second
	// wipeEvery is how often it is tried.
	wipeEvery = 100 * time.Millisecond
)

var (
	errCeremony = errors.New("a card key is being loaded")
	errUnwiped  = errors.New("the case was opened, and the card key is not wiped yet: call a technician")
)

// openTamper takes the tamper line, if there is to be one.
func openTamper(c *Config) (*board.Tamper, error) {
	if c.Card.Tamper == "" {
		return nil, nil
	}
	t, err := board.OpenTamper(c.Card.Tamper)
	if err != nil {
		return nil, fmt.Errorf("card.tamper cannot be watched, so no card is read: %w", err)
	}
	return t, nil
}

// keyKeeper has the card key destroyed, whatever the card process does.
type keyKeeper struct {
	spawn *role.Spawner
	state func() string // of the card reader, as the operator sees it

	mu   sync.Mutex
	link *os.File // to the card process, while there is one
	due  bool     // the key is to be wiped, and is not
	held bool     // officers load a key
}

func (k *keyKeeper) begin(link *os.File) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.link = link
}

func (k *keyKeeper) end() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.link = nil
}

// start says why no card process may be started.
func (k *keyKeeper) start() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.due:
		return errUnwiped
	case k.held:
		return errCeremony
	}
	return nil
}

// hold ends the card process, so that another may have the key file, until
// release is called.
func (k *keyKeeper) hold() (release func()) {
	k.mu.Lock()
	k.held = true
	k.mu.Unlock()
	k.hangUp()
	return func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.held = false
	}
}

// wipe returns when the key is gone from memory and disk, or ctx ends: by the
// card process, or, where there is none or it does not obey, without it.
func (k *keyKeeper) wipe(ctx context.Context) {
	k.mu.Lock()
	k.due = true
	link := k.link
	k.mu.Unlock()
	defer func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.due = ctx.Err() != nil
	}()
	if link != nil && k.obeyed(ctx, link) {
		return
	}
	for ctx.Err() == nil {
		k.hangUp()
		start := func() (*role.Child, error) { return k.spawn.Start(role.Keys, nil) }
		if askKeys(ctx, start, opWipe, nil) == nil {
			return
		}
		pause(ctx, wipeEvery)
	}
}

// obeyed asks the card process, and waits until it says that it has no key.
func (k *keyKeeper) obeyed(ctx context.Context, link *os.File) bool {
	if _, err := link.Write(launch.Wipe()); err != nil {
		return false
	}
	for until := time.Now().Add(obeyWithin); time.Now().Before(until) && ctx.Err() == nil; pause(ctx, obeyWithin/100) {
		if k.state() == launch.Zeroised() {
			return true
		}
	}
	return false
}

// hangUp ends the card process: its memory goes with it.
func (k *keyKeeper) hangUp() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.link != nil {
		_ = k.link.Close() //nolint:errcheck // nothing is left to lose on it
		k.link = nil
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
