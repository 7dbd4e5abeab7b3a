package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"path/filepath"
	"testing"

	"regi/firmware/journal"
)

func openCheckpoint(tb testing.TB, path string) *journal.Checkpoint {
	tb.Helper()
	c, err := journal.OpenCheckpoint(path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

// TestCheckpoint stores data of growing and shrinking sizes and loads it before
// and after a reopen.
func TestCheckpoint(t *testing.T) {
	path := filepath.Join(memDir(t), "checkpoint")
	c := openCheckpoint(t, path)
	if _, _, ok := c.Load(); ok || c.Torn() {
		t.Error("a new checkpoint holds something")
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	r := source(20)
	for i, n := range []int{0, 1, 4064, 4065, 3, 20_000, 0, 70_000, journal.CheckpointMax, 5} {
		c = openCheckpoint(t, path)
		for k := range 3 {
			data := make([]byte, n)
			_, _ = r.Read(data)
			seq := uint64(i*10 + k) //nolint:gosec // small
			if err := c.Store(seq, data); err != nil {
				t.Fatal(err)
			}
			if got, s, ok := c.Load(); !ok || s != seq || !bytes.Equal(got, data) {
				t.Errorf("%d bytes: loaded %d bytes of %d, %v", n, len(got), s, ok)
			}
			if k == 2 {
				if err := c.Close(); err != nil {
					t.Fatal(err)
				}
				c = openCheckpoint(t, path)
				got, s, ok := c.Load()
				if !ok || s != seq || !bytes.Equal(got, data) || c.Torn() {
					t.Errorf("%d bytes, reopened: loaded %d bytes of %d, %v", n, len(got), s, ok)
				}
				clear(got)
				if again, _, _ := c.Load(); !bytes.Equal(again, data) {
					t.Error("the loaded data is not the caller's own")
				}
			}
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCheckpointLimits(t *testing.T) {
	path := filepath.Join(memDir(t), "checkpoint")
	c := openCheckpoint(t, path)
	if err := c.Store(1, []byte("kept")); err != nil {
		t.Fatal(err)
	}
	if err := c.Store(2, make([]byte, journal.CheckpointMax+1)); !errors.Is(err, journal.ErrTooLong) {
		t.Errorf("over the limit: %v", err)
	}
	if data, seq, ok := c.Load(); !ok || seq != 1 || string(data) != "kept" {
		t.Errorf("after a refused store: %q of %d", data, seq)
	}
	for range 2 {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if err := c.Store(3, nil); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("store after close: %v", err)
	}
	if _, err := journal.OpenCheckpoint(filepath.Join(path+"-none", "checkpoint")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a directory: %v", err)
	}
	for name, n := range map[string]int64{"empty": 0, "half a slot": 2048, "odd": 3 * 4096, "huge": 2*journal.CheckpointCap + 8192} {
		if err := os.Truncate(path, n); err != nil {
			t.Fatal(err)
		}
		if _, err := journal.OpenCheckpoint(path); !errors.Is(err, journal.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCheckpointBitRot flips every bit of the file: what is loaded is what was
// stored last, or the one before with Torn set, never anything else.
func TestCheckpointBitRot(t *testing.T) {
	dir := memDir(t)
	path := filepath.Join(dir, "checkpoint")
	c := openCheckpoint(t, path)
	stored := [][]byte{bytes.Repeat([]byte("old"), 20), bytes.Repeat([]byte("new"), 20)}
	for i, data := range stored {
		if err := c.Store(uint64(i), data); err != nil { //nolint:gosec // small
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	file := snapshot(t, dir)["checkpoint"]
	used := 32 + len(stored[0])
	flips := 0
	for bit := range 8 * len(file) {
		if in := bit / 8 % journal.SlotSize; in >= used && bit%499 != 0 {
			continue // unused space, of which a sample is enough
		}
		flips++
		file[bit/8] ^= 1 << (bit % 8)
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		file[bit/8] ^= 1 << (bit % 8)
		c := openCheckpoint(t, path)
		data, seq, ok := c.Load()
		want := 1
		if c.Torn() && bit/8 >= journal.SlotSize { // the newer one is in the second slot
			want = 0
		}
		if !ok || seq != uint64(want) || !bytes.Equal(data, stored[want]) { //nolint:gosec // 0 or 1
			t.Errorf("bit %d: loaded %d, %v, torn %v", bit, seq, ok, c.Torn())
		}
		if inUse := bit/8%journal.SlotSize < used; inUse != c.Torn() {
			t.Errorf("bit %d: torn is %v", bit, c.Torn())
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d bits flipped", flips)
}

// stored is what a checkpoint may hold; nil: nothing.
type stored struct {
	seq  uint64
	data []byte
}

func (s *stored) check(c *journal.Checkpoint) error {
	data, seq, ok := c.Load()
	if ok != (s != nil) || ok && (seq != s.seq || !bytes.Equal(data, s.data)) {
		return fmt.Errorf("loaded %d bytes of %d, %v", len(data), seq, ok)
	}
	return nil
}

// TestPowerCutCheckpoint cuts the power during every step of stores of all
// sizes; what comes back is the last one that returned, or the one under way.
func TestPowerCutCheckpoint(t *testing.T) {
	t.Parallel()
	want := imageCount(t) / 5
	dir := memDir(t)
	seed := uint64(setting(t, "REGI_JOURNAL_SEED", 1)) //nolint:gosec // not negative
	images, hash := map[uint64]struct{}{}, maphash.MakeSeed()
	for ; len(images) < want && !t.Failed(); seed++ {
		cutCheckpoint(t, dir, seed, func(im image, may [2]*stored, step int) {
			images[im.sum(hash)] = struct{}{}
			if err := recoverCheckpoint(dir, im, may); err != nil {
				t.Errorf("REGI_JOURNAL_SEED=%d: step %d: %v", seed, step, err)
			}
		})
	}
	t.Logf("%d unique images", len(images))
}

// cutCheckpoint stores data of several sizes, and shows what the disk may hold
// at each moment with what may come back.
func cutCheckpoint(t *testing.T, dir string, seed uint64, show func(image, [2]*stored, int)) {
	t.Helper()
	type cut struct {
		journal.Step
		may [2]*stored
	}
	var cuts []cut
	var may [2]*stored
	if err := (image{}).write(dir); err != nil {
		t.Fatal(err)
	}
	c, err := journal.OpenCheckpointTapped(dir, "checkpoint", func(s journal.Step) (int, error) {
		s.Data = bytes.Clone(s.Data)
		cuts = append(cuts, cut{s, may})
		return 0, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	r, content := numbers(seed, 0), source(seed)
	for i := range 12 {
		data := make([]byte, r.IntN(1+r.IntN(1500*(i+1))))
		_, _ = content.Read(data)
		next := &stored{r.Uint64(), data}
		may[1] = next
		if err := c.Store(next.seq, data); err != nil {
			t.Fatal(err)
		}
		may[0] = next
	}
	cuts = append(cuts, cut{journal.Step{Op: "end"}, may})
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	disk := newCutDisk(image{})
	for i, m := range cuts {
		if !disk.cut(m.Step, 40, false, r, func(im image) bool { show(im, m.may, i); return !t.Failed() }) {
			return
		}
	}
}

// recoverCheckpoint opens an image, and stores and loads once more.
func recoverCheckpoint(dir string, im image, may [2]*stored) error {
	if err := im.write(dir); err != nil {
		return err
	}
	path := filepath.Join(dir, "checkpoint")
	c, err := journal.OpenCheckpoint(path)
	if err != nil {
		return err
	}
	if err := may[0].check(c); err != nil {
		if err2 := may[1].check(c); err2 != nil {
			return errors.Join(err, err2, c.Close())
		}
	}
	next := &stored{7, []byte("after the cut")}
	if err := errors.Join(c.Store(next.seq, next.data), next.check(c), c.Close()); err != nil {
		return err
	}
	if c, err = journal.OpenCheckpoint(path); err != nil {
		return err
	}
	return errors.Join(next.check(c), c.Close())
}
