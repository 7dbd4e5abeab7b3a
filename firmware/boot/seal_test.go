package boot

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regi/firmware/update"
)

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
