package boot

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regi/firmware/update"
)

// reading is a store whose slots take a while to read.
type reading struct {
	update.SlotStore
	begun, end chan struct{}
}

func (r reading) Sealed(s update.Slot, k *update.Keys) error {
	close(r.begun)
	<-r.end
	return r.SlotStore.Sealed(s, k)
}

// TestUpdateDuringSeals: an update that comes while the slots are looked at waits
// for that, and is not refused as if there were another one.
func TestUpdateDuringSeals(t *testing.T) {
	t.Parallel()
	good, keys := signed(t, 3)
	dir := t.TempDir()
	r := reading{shelf(t, update.A, update.A), make(chan struct{}), make(chan struct{})}
	n := newSlots(newLog(), dir, release(2), keys, r, nil)
	put(t, dir, good)
	looked := make(chan error, 1)
	go func() { looked <- n.sealed(update.B) }()
	<-r.begun
	n.install()
	if s := n.report(); !s.Busy || strings.Contains(s.Update, errBusy.Error()) {
		t.Errorf("%+v", s)
	}
	close(r.end)
	if err := <-looked; !errors.Is(err, update.ErrNoSeal) {
		t.Errorf("it was written while it was looked at: %v", err)
	}
	if s := settled(t, n); !s.Ready {
		t.Errorf("%+v", s)
	}
}

// What runs looks at both slots: the other one that was written by an update is
// whole until a byte of it is changed; a slot that nobody signed is named if it
// is the one that runs.
func TestSeals(t *testing.T) {
	t.Parallel()
	data, keys := signed(t, 3)
	dir := t.TempDir()
	store := shelf(t, update.A, update.A)
	n := newSlots(newLog(), dir, release(1), keys, store, nil)
	put(t, dir, data)
	n.install()
	if s := settled(t, n); !s.Ready {
		t.Fatal(s.Update)
	}
	check := func() string {
		n.mu.Lock()
		n.state.Damaged = nil
		n.mu.Unlock()
		n.checkSeals(t.Context(), 0)
		return strings.Join(n.report().Damaged, "\n")
	}
	if said := check(); !strings.Contains(said, "slot a") || !strings.Contains(said, "does not say who") || strings.Contains(said, "slot b") {
		t.Errorf("%q", said)
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(dir), "*", "b"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	b[1<<20] ^= 1
	if err := os.WriteFile(files[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	if said := check(); !strings.Contains(said, "slot b") || !strings.Contains(said, "not what was signed") {
		t.Errorf("%q", said)
	}
	if said := strings.Join(n.log.tail(10), "\n"); !strings.Contains(said, "slot b: update: the slot is not what was signed") {
		t.Errorf("the log: %q", said)
	}
	// Without keys there is nothing to compare with, and nobody is alarmed.
	none := newSlots(newLog(), t.TempDir(), release(1), update.Keys{}, store, nil)
	none.checkSeals(t.Context(), 0)
	if said := none.report().Damaged; said != nil {
		t.Error(said)
	}
}
