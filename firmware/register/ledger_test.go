package register

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regi/drivers"
	"regi/firmware/journal"
	"regi/firmware/receipt"
	"regi/firmware/record"
	"regi/firmware/till"
)

// reopen opens a copy of the state folder and closes it again.
func (s shop) reopen(t *testing.T, dir string) (state till.State, head uint64, last time.Time, err error) {
	t.Helper()
	s.StateDir = dir
	l, tl, err := openLedger(s.Config)
	if err != nil {
		return till.State{}, 0, time.Time{}, err
	}
	head, _ = l.journal.Head()
	state, last = tl.State(), l.last
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	return state, head, last, nil
}

// TestRedo cuts the power after each event of a day, once with the checkpoint
// of that event and once with the one before it. Both times the till must be
// where it was, with no record more or less.
func TestRedo(t *testing.T) {
	s := newShop(t)
	r := s.open(t)
	redone := 0
	for i, e := range s.day() {
		if err := r.ledger.wait(); err != nil {
			t.Fatal(err)
		}
		before, older := readCheckpoint(t, s.StateDir), asJSON(t, r.till.State())
		headBefore, _ := r.ledger.journal.Head()
		if err := r.handle(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if err := r.ledger.wait(); err != nil {
			t.Fatal(err)
		}
		head, _ := r.ledger.journal.Head()
		want := asJSON(t, r.till.State())
		state, got, last, err := s.reopen(t, copyState(t, s.StateDir, readCheckpoint(t, s.StateDir)))
		if err != nil || asJSON(t, state) != want || got != head || !last.Equal(r.ledger.last) {
			t.Fatalf("event %d, %T, with its checkpoint: %v, head %d of %d\n got %s\nwant %s", i, e, err, got, head, asJSON(t, state), want)
		}
		if head == headBefore {
			want = older // an event without a record may be forgotten
		} else {
			redone++
		}
		state, got, last, err = s.reopen(t, copyState(t, s.StateDir, before))
		if err != nil || asJSON(t, state) != want || got != head || !last.Equal(r.ledger.last) {
			t.Fatalf("event %d, %T, one event behind: %v, head %d of %d, last %v of %v\n got %s\nwant %s",
				i, e, err, got, head, last, r.ledger.last, asJSON(t, state), want)
		}
	}
	if redone < 20 {
		t.Errorf("only %d events made records", redone)
	}
	if state := r.till.State(); state.Counters.Receipt != 2 || state.Counters.Z != 1 {
		t.Errorf("the day made %+v", state.Counters)
	}
	if err := r.ledger.close(); err != nil {
		t.Fatal(err)
	}
}

// TestRedoTwiceIsNone redoes an event, and cuts the power again at once: the
// redone state is saved, the event's note is worth nothing any more.
func TestRedoTwiceIsNone(t *testing.T) {
	s := newShop(t)
	r := s.open(t)
	advance(t, r, till.Key{Name: "1"})
	before := advance(t, r, till.Key{Name: "OPEN"})
	dir := copyState(t, s.StateDir, before)
	for range 3 {
		state, head, _, err := s.reopen(t, dir)
		if err != nil || state.Phase() != till.Idle {
			t.Fatalf("%v, %s", err, state.Phase())
		}
		if want, _ := r.ledger.journal.Head(); head != want {
			t.Errorf("head is %d, want %d", head, want)
		}
	}
	old, now := parseCheckpoint(t, before), parseCheckpoint(t, readCheckpoint(t, dir))
	if bytes.Equal(old.Redo, now.Redo) || len(now.Redo) != 32 {
		t.Error("the key of the note outlived the redo")
	}
	// The note is under the old key, and under no other.
	entry, ok := r.ledger.journal.Last()
	if !ok {
		t.Fatal("no record")
	}
	for key, opens := range map[string]bool{string(old.Redo): true, string(now.Redo): false} {
		aead, err := redoCipher([]byte(key))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := aead.Open(nil, nil, entry.Aux, entry.Prev[:]); (err == nil) != opens {
			t.Errorf("opens: %v, want %v", err == nil, opens)
		}
	}
}

// advance handles events; it returns the checkpoint from before the first.
func advance(t *testing.T, r *Register, es ...till.Event) (before []byte) {
	t.Helper()
	if err := r.ledger.wait(); err != nil {
		t.Fatal(err)
	}
	before = readCheckpoint(t, r.config.StateDir)
	for _, e := range es {
		if err := r.handle(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.ledger.wait(); err != nil {
		t.Fatal(err)
	}
	return before
}

func parseCheckpoint(t *testing.T, file []byte) (f checkpointFile) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "checkpoint")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := journal.OpenCheckpoint(path)
	if err != nil {
		t.Fatal(err)
	}
	data, _, _ := c.Load()
	if err := errors.Join(json.Unmarshal(data, &f), c.Close()); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestRefusesToStart: what cannot be told from loss or fraud stops the
// register, with words for the service.
func TestRefusesToStart(t *testing.T) {
	s := newShop(t)
	r := s.open(t)
	advance(t, r, keys("1", "OPEN")...)
	shorter := copyState(t, s.StateDir, readCheckpoint(t, s.StateDir))
	two := advance(t, r, s.scan("4901234567894"), s.scan("4901234567894"))
	newest := readCheckpoint(t, s.StateDir)
	other := newShop(t)
	advance(t, other.open(t), keys("1", "OPEN")...)
	harmed := bytes.Clone(newest)
	for i := range harmed {
		harmed[i] ^= 0xA5
	}
	cases := []struct {
		name, says string
		dir        func() string
	}{
		{"checkpoint lost", "working state is lost", func() string {
			dir := copyState(t, s.StateDir, newest)
			if err := os.Remove(filepath.Join(dir, "checkpoint", "till")); err != nil {
				t.Fatal(err)
			}
			return dir
		}},
		{"journal shorter than checkpoint", "damaged or swapped", func() string { return copyState(t, shorter, newest) }},
		{"journal lost", "damaged or swapped", func() string {
			dir := copyState(t, s.StateDir, newest)
			if err := os.RemoveAll(filepath.Join(dir, "journal")); err != nil {
				t.Fatal(err)
			}
			return dir
		}},
		{"checkpoint two events behind", "redo", func() string { return copyState(t, s.StateDir, two) }},
		{"checkpoint of another register", "redo", func() string {
			return copyState(t, s.StateDir, readCheckpoint(t, other.StateDir))
		}},
		{"checkpoint damaged", "damaged", func() string { return copyState(t, s.StateDir, harmed) }},
		{"newest record damaged", "damaged or swapped", func() string { return damageNewest(t, copyState(t, s.StateDir, newest)) }},
	}
	for _, x := range cases {
		_, _, _, err := s.reopen(t, x.dir())
		if err == nil || !strings.Contains(err.Error(), x.says) {
			t.Errorf("%s: %v", x.name, err)
		}
	}
	if err := r.ledger.close(); err != nil {
		t.Fatal(err)
	}
}

// damageNewest flips a byte of the newest record.
func damageNewest(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "journal", "0000000000000001.seg")
	b, err := os.ReadFile(path) //nolint:gosec // the test's own
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(b, []byte("REGIJNL1"))
	b[at+200] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestTimeNeverGoesBack starts with a clock ten years behind, with and without
// the newest checkpoint.
func TestTimeNeverGoesBack(t *testing.T) {
	s := newShop(t)
	var before []byte
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(10 * 365 * 24 * time.Hour)
		r := s.open(t)
		advance(t, r, keys("1", "OPEN")...)
		time.Sleep(time.Hour)
		before = advance(t, r, s.scan("4901234567894"))
		if err := r.ledger.close(); err != nil {
			t.Fatal(err)
		}
	})
	for name, checkpoint := range map[string][]byte{"newest": readCheckpoint(t, s.StateDir), "one behind": before} {
		again := s
		again.StateDir = copyState(t, s.StateDir, checkpoint)
		synctest.Test(t, func(t *testing.T) { // ten years before
			r := again.open(t)
			advance(t, r, again.scan("4912345678904"))
			chainOf(t, again, r) // checks the time of each record
			if r.ledger.last.Year() < 2009 {
				t.Errorf("%s: the newest record is of %v", name, r.ledger.last)
			}
			if err := r.ledger.close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// chainOf reads, verifies and opens every record.
func chainOf(t *testing.T, s shop, r *Register) (kinds []record.Kind) {
	t.Helper()
	head, _ := r.ledger.journal.Head()
	var prev record.Sealed
	for seq := uint64(1); seq <= head; seq++ {
		e, err := r.ledger.journal.Read(seq)
		if err != nil {
			t.Fatal(err)
		}
		var sealed record.Sealed
		if err := sealed.UnmarshalBinary(e.Payload); err != nil {
			t.Fatal(err)
		}
		if err := record.Verify(sealed, s.Key.Public().(ed25519.PublicKey)); err != nil {
			t.Errorf("record %d: %v", seq, err)
		}
		if seq > 1 && (sealed.Prev != prev.Hash() || sealed.Time <= prev.Time) {
			t.Errorf("record %d does not follow: time %d after %d", seq, sealed.Time, prev.Time)
		}
		if _, err := s.opener.Open(sealed); err != nil {
			t.Errorf("record %d: %v", seq, err)
		}
		kinds = append(kinds, sealed.Kind)
		prev = sealed
	}
	return kinds
}

// TestNothingReadableWaits: what is in the journal can be read with the
// ledger's key only, and the notes with no key that is left.
func TestNothingReadableWaits(t *testing.T) {
	s := newShop(t)
	r := s.open(t)
	advance(t, r, s.day()...)
	chainOf(t, s, r)
	b, err := os.ReadFile(filepath.Join(s.StateDir, "journal", "0000000000000001.seg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"4901234567894", "LineItem", "scanned", "OPEN", "411111", "state"} {
		if bytes.Contains(b, []byte(word)) {
			t.Errorf("the journal holds %q in the clear", word)
		}
	}
	if err := r.ledger.close(); err != nil {
		t.Fatal(err)
	}
}

// TestJournalBeforeEffect takes the disk's directory away. The next segment
// cannot be made; the event whose records do not fit must have no effect, and
// the register must stop.
func TestJournalBeforeEffect(t *testing.T) {
	s := newShop(t)
	synctest.Test(t, func(t *testing.T) {
		r := s.open(t)
		advance(t, r, keys("1", "OPEN")...)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		kicks := 0
		go func() {
			for {
				select {
				case <-r.kicks:
					kicks++
				case <-ctx.Done():
					return
				}
			}
		}()
		if err := os.RemoveAll(filepath.Join(s.StateDir, "journal")); err != nil {
			t.Fatal(err)
		}
		recorded := 0
		for ; recorded < 2000; recorded++ {
			shown := shownBy(r)
			err := r.handle(ctx, till.Key{Name: "NOSALE"})
			synctest.Wait()
			if err == nil {
				continue
			}
			if !errors.Is(err, journal.ErrPoisoned) || !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the register ends with: %v", err)
			}
			if kicks != recorded {
				t.Errorf("%d kicks of the drawer, %d on record", kicks, recorded)
			}
			if shownBy(r) != shown {
				t.Error("the display tells of what is not on record")
			}
			break
		}
		if recorded < 100 || recorded == 2000 {
			t.Errorf("%d records fitted", 2*recorded)
		}
		// From here on nothing happens any more.
		if err := r.handle(ctx, till.Key{Name: "NOSALE"}); !errors.Is(err, journal.ErrPoisoned) {
			t.Errorf("the next event: %v", err)
		}
		time.Sleep(2 * kickWithin)
		synctest.Wait()
		if kicks != recorded {
			t.Errorf("%d kicks of the drawer, %d on record", kicks, recorded)
		}
		cancel()
		synctest.Wait()
	})
}

// TestCheckpointFails: a state that cannot be saved stops the register before
// its next event.
func TestCheckpointFails(t *testing.T) {
	s := newShop(t)
	r := s.open(t)
	advance(t, r, keys("1", "OPEN")...)
	if err := r.ledger.checkpoint.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.handle(t.Context(), s.scan("4901234567894")); err != nil {
		t.Fatal(err) // its record is durable: it has happened
	}
	head, _ := r.ledger.journal.Head()
	if err := r.handle(t.Context(), s.scan("4901234567894")); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("the next event: %v", err)
	}
	if now, _ := r.ledger.journal.Head(); now != head {
		t.Errorf("%d records after the failure", now-head)
	}
	_ = r.ledger.close()
}

// TestStateOfAnotherRegister: a changed store or id would put records of two
// names into one chain.
func TestStateOfAnotherRegister(t *testing.T) {
	s := newShop(t)
	r := s.open(t)
	if err := r.ledger.close(); err != nil {
		t.Fatal(err)
	}
	other := s.Config
	other.ID.Store = "0002"
	if _, err := New(other); err == nil || !strings.Contains(err.Error(), "belongs to register 0001/01") {
		t.Errorf("another register's name: %v", err)
	}
	r, err := New(s.Config)
	if err != nil {
		t.Fatalf("the right name again: %v", err)
	}
	if err := r.ledger.close(); err != nil {
		t.Fatal(err)
	}
}

// TestHeadOnPaper: an X names the newest record as the console does, by the
// first digits of its hash.
func TestHeadOnPaper(t *testing.T) {
	s := newShop(t)
	r := s.open(t)
	advance(t, r, keys("1", "OPEN", "X")...)
	var job till.Print
	select {
	case job = <-r.jobs:
	default:
		t.Fatal("no X")
	}
	doc, err := receipt.New("en-US", nil).Report(job.Report, receipt.Paper{Columns: 32})
	if err != nil {
		t.Fatal(err)
	}
	head, hash := r.ledger.journal.Head()
	want := fmt.Sprintf("Ledger %d %x", head, hash[:8])
	if !slices.ContainsFunc(doc.Items, func(i drivers.Item) bool { l, _ := i.(drivers.TextLine); return l.Text == want }) {
		t.Errorf("no line %q in %v", want, doc.Items)
	}
	if err := r.ledger.close(); err != nil {
		t.Fatal(err)
	}
}
