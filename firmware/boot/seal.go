package boot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"regi/firmware/update"
)

// sealsAfter lets the register open first: both slots are read as a whole.
const sealsAfter = 15 * time.Second

// checkSeals looks whether both slots are still what was signed. What runs came
// from one of them, so this finds a card that wears out and a hand that changed
// the other slot; who has changed this one, and this check with it, only a ROM
// finds that checks, too.
func (n *slots) checkSeals(ctx context.Context, after time.Duration) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(after):
	}
	if n.store == nil || n.keys.None() {
		return
	}
	for _, slot := range []update.Slot{n.store.Active(), n.store.Inactive()} {
		err := n.sealed(slot)
		if err == nil || errors.Is(err, update.ErrNoSeal) && slot == n.store.Inactive() {
			continue // a card that was just flashed has nothing in the other slot
		}
		n.mu.Lock()
		n.state.Damaged = append(n.state.Damaged, fmt.Sprintf("slot %s: %v", slot, err))
		n.mu.Unlock()
		n.log.say("slot %s: %v", slot, err)
	}
}

// sealed checks a slot that nobody is writing.
func (n *slots) sealed(s update.Slot) error {
	if n.report().Busy {
		return nil // it is being replaced, and checked then
	}
	n.media.Lock() // an update that comes now waits
	defer n.media.Unlock()
	return n.store.Sealed(s, &n.keys)
}
