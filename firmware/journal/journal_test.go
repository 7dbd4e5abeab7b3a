package journal_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regi/firmware/journal"
	"regi/firmware/record"
)

// small makes rotation cheap: 8 slots a segment, 6 segments.
var small = journal.Options{SegmentSlots: 8, BytesMax: 6 * 8 * 4096} //nolint:gochecknoglobals // a constant

func TestEmpty(t *testing.T) {
	j := mustOpen(t, filepath.Join(t.TempDir(), "a", "b"), journal.Options{})
	mustBe(t, j, chain{})
	if r := j.Recovery(); r != (journal.Recovery{}) {
		t.Errorf("a new journal recovered %+v", r)
	}
	if err := j.Append(t.Context()); err != nil {
		t.Errorf("an empty batch: %v", err)
	}
	if err := j.Trim(0, record.Hash{}); !errors.Is(err, journal.ErrForeignAck) {
		t.Errorf("acknowledgement of nothing: %v", err)
	}
}

// TestSizes appends entries around every limit, alone and as batches, and reads
// them back before and after a reopen, with and without a Close.
func TestSizes(t *testing.T) {
	full := journal.SlotSize - journal.FrameHead
	cases := map[string][]size{
		"least":             {{1, 0}},
		"exactly one slot":  {{full, 0}},
		"one slot with aux": {{full - 9, 9}},
		"one byte more":     {{full + 1, 0}},
		"aux over the edge": {{full, 1}},
		"largest":           {{journal.PayloadMax, journal.AuxMax}},
		"mixed batch":       {{10, 0}, {full + 1, 3}, {1, journal.AuxMax}, {full, 0}},
	}
	for name, sizes := range cases {
		t.Run(name, func(t *testing.T) {
			dir, r, c := memDir(t), source(1), chain{}
			o := journal.Options{SegmentSlots: 64}
			j := mustOpen(t, dir, o)
			mustAppend(t, j, &c, r, sizes...)
			mustBe(t, j, c)
			if err := j.Crash(); err != nil {
				t.Fatal(err)
			}
			j = mustOpen(t, dir, o)
			mustBe(t, j, c)
			mustAppend(t, j, &c, r, sizes...)
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			j = mustOpen(t, dir, o)
			mustBe(t, j, c)
			if got := j.Recovery(); got != (journal.Recovery{Records: len(c.es)}) {
				t.Errorf("after a clean close: %+v", got)
			}
		})
	}
}

// TestBatchMax appends the largest number of entries at once.
func TestBatchMax(t *testing.T) {
	dir, r, c := memDir(t), source(2), chain{}
	o := journal.Options{SegmentSlots: journal.BatchMax}
	j := mustOpen(t, dir, o)
	mustAppend(t, j, &c, r, make256(journal.BatchMax)...)
	mustAppend(t, j, &c, r, make256(journal.BatchMax)...)
	if err := j.Crash(); err != nil {
		t.Fatal(err)
	}
	mustBe(t, mustOpen(t, dir, o), c)
}

func make256(n int) []size {
	sizes := make([]size, n)
	for i := range sizes {
		sizes[i].payload = 1 + i
	}
	return sizes
}

// TestAppendRefuses gives entries that are not allowed; none may change
// anything.
func TestAppendRefuses(t *testing.T) {
	dir, r, c := memDir(t), source(3), chain{}
	j := mustOpen(t, dir, small)
	mustAppend(t, j, &c, r, size{20, 0}, size{30, 0})
	good := c.next(r, size{20, 5}, size{20, 0})
	change := func(f func(es []journal.Entry) []journal.Entry) []journal.Entry {
		return f(append([]journal.Entry(nil), good...))
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	cases := []struct {
		name string
		ctx  context.Context //nolint:containedctx // a table
		es   []journal.Entry
		want error
	}{
		{"same record again", t.Context(), c.es[1:], journal.ErrChain},
		{"gap", t.Context(), good[1:], journal.ErrChain},
		{"wrong order", t.Context(), change(func(es []journal.Entry) []journal.Entry { es[0], es[1] = es[1], es[0]; return es }), journal.ErrChain},
		{"second is wrong", t.Context(), change(func(es []journal.Entry) []journal.Entry { es[1].Prev[0]++; return es }), journal.ErrChain},
		{"other previous hash", t.Context(), change(func(es []journal.Entry) []journal.Entry { es[0].Prev = record.Hash{}; return es }), journal.ErrChain},
		{"no hash", t.Context(), change(func(es []journal.Entry) []journal.Entry { es[1].Hash = record.Hash{}; return es }), journal.ErrChain},
		{"no payload", t.Context(), change(func(es []journal.Entry) []journal.Entry { es[0].Payload = nil; return es }), journal.ErrChain},
		{"sequence 0", t.Context(), change(func(es []journal.Entry) []journal.Entry { es[0].Seq = 0; return es }), journal.ErrChain},
		{"payload", t.Context(), c.next(r, size{journal.PayloadMax + 1, 0}), journal.ErrTooLong},
		{"aux", t.Context(), c.next(r, size{1, journal.AuxMax + 1}), journal.ErrTooLong},
		{"more than a segment", t.Context(), c.next(r, make256(9)...), journal.ErrTooLong},
		{"more than a batch", t.Context(), c.next(r, make256(journal.BatchMax+1)...), journal.ErrTooLong},
		{"ended context", ended, good, context.Canceled},
	}
	for _, x := range cases {
		if err := j.Append(x.ctx, x.es...); !errors.Is(err, x.want) {
			t.Errorf("%s: %v, want %v", x.name, err, x.want)
		}
		if err := c.check(j); err != nil {
			t.Errorf("%s: %v", x.name, err)
		}
	}
	if err := j.Crash(); err != nil {
		t.Fatal(err)
	}
	j = mustOpen(t, dir, small)
	mustBe(t, j, c)
	if j.Recovery().Torn {
		t.Error("a refused append left bytes on the disk")
	}
	if err := j.Append(t.Context(), good...); err != nil {
		t.Errorf("the good entries: %v", err)
	}
}

// TestOwnMemory changes what went in and what came out; the journal's copy must
// not follow.
func TestOwnMemory(t *testing.T) {
	j, r, c := mustOpen(t, memDir(t), small), source(4), chain{}
	mine := c.next(r, size{100, 50})
	theirs := entry(1, record.Hash{}, append([]byte(nil), mine[0].Payload...), append([]byte(nil), mine[0].Aux...))
	if err := j.Append(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	c = c.with(mine...)
	read, err := j.Read(1)
	if err != nil {
		t.Fatal(err)
	}
	last, _ := j.Last()
	for _, e := range []journal.Entry{theirs, read, last} {
		clear(e.Payload)
		clear(e.Aux)
	}
	mustBe(t, j, c)
}

// TestRotate fills several segments with records that do and do not fit, and
// reads all of them in a scattered order.
func TestRotate(t *testing.T) {
	dir, r, c := memDir(t), source(5), chain{}
	j := mustOpen(t, dir, small)
	for i := range 14 {
		mustAppend(t, j, &c, r, size{600, 0}, size{1 + i*600, 0})
	}
	if n := len(segments(t, dir)); n < 4 {
		t.Errorf("%d segments: nothing rotated", n)
	}
	mustBe(t, j, c)
	for i := range c.es {
		k := (i * 11) % len(c.es)
		e, err := j.Read(uint64(k) + 1) //nolint:gosec // small
		if err != nil {
			t.Fatal(err)
		}
		if err := same(e, c.es[k]); err != nil {
			t.Error(err)
		}
	}
	if err := j.Crash(); err != nil {
		t.Fatal(err)
	}
	mustBe(t, mustOpen(t, dir, small), c)
}

// TestPrepare makes the next segment ahead, once, and only when half of this
// one is used; the next rotation takes it.
func TestPrepare(t *testing.T) {
	dir, r, c := memDir(t), source(6), chain{}
	j := mustOpen(t, dir, small)
	prepare := func(want int) {
		t.Helper()
		if err := j.Prepare(); err != nil {
			t.Fatal(err)
		}
		if n := len(segments(t, dir)); n != want {
			t.Errorf("%d segments with %d records, want %d", n, len(c.es), want)
		}
	}
	prepare(1)
	for range 3 {
		mustAppend(t, j, &c, r, size{10, 0})
	}
	prepare(1)
	mustAppend(t, j, &c, r, size{10, 0})
	prepare(2)
	prepare(2)
	room := j.Room()
	if err := j.Crash(); err != nil {
		t.Fatal(err)
	}
	j = mustOpen(t, dir, small)
	mustBe(t, j, c)
	if j.Room() != room {
		t.Errorf("room is %d after a reopen, was %d", j.Room(), room)
	}
	for range 8 {
		mustAppend(t, j, &c, r, size{10, 0})
	}
	if n := len(segments(t, dir)); n != 2 {
		t.Errorf("%d segments: the prepared one was not used", n)
	}
	mustBe(t, j, c)
}

// TestFull fills a journal: Room tells how far it goes, ErrFull changes
// nothing, and an acknowledgement makes room again.
func TestFull(t *testing.T) {
	dir, r, c := memDir(t), source(7), chain{}
	o := journal.Options{SegmentSlots: 4, BytesMax: 3 * 4 * journal.SlotSize}
	j := mustOpen(t, dir, o)
	for n := 12; n > 0; n-- {
		if room := j.Room(); room != int64(n)*journal.SlotSize {
			t.Fatalf("room is %d with %d slots left", room, n)
		}
		mustAppend(t, j, &c, r, size{10, 0})
	}
	for range 2 {
		if err := j.Append(t.Context(), c.next(r, size{10, 0})...); !errors.Is(err, journal.ErrFull) {
			t.Fatalf("a full journal: %v", err)
		}
		if err := j.Prepare(); !errors.Is(err, journal.ErrFull) {
			t.Fatalf("prepare of a full journal: %v", err)
		}
		if j.Room() != 0 {
			t.Errorf("a full journal has room for %d", j.Room())
		}
		mustBe(t, j, c)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		j = mustOpen(t, dir, o)
	}
	mustTrim(t, j, &c, 5)
	for range 4 {
		mustAppend(t, j, &c, r, size{10, 0})
	}
	if err := j.Append(t.Context(), c.next(r, size{10, 0})...); !errors.Is(err, journal.ErrFull) {
		t.Errorf("full again: %v", err)
	}
	mustTrim(t, j, &c, 16)
	mustAppend(t, j, &c, r, size{10, 0})
	mustBe(t, j, c)
}

// TestTrim acknowledges in every way.
func TestTrim(t *testing.T) {
	dir, r, c := memDir(t), source(8), chain{}
	j := mustOpen(t, dir, small)
	for range 30 {
		mustAppend(t, j, &c, r, size{10, 0})
	}
	foreign := c.es[9].Hash
	foreign[31]++
	for name, a := range map[string]struct {
		seq  uint64
		hash record.Hash
	}{
		"other hash":          {10, foreign},
		"hash of another":     {10, c.es[10].Hash},
		"no hash":             {10, record.Hash{}},
		"of nothing":          {0, record.Hash{}},
		"past the head":       {31, c.es[29].Hash},
		"far past the head":   {1<<64 - 1, c.es[29].Hash},
		"head, another's":     {30, c.es[28].Hash},
		"zero with real hash": {0, c.es[0].Hash},
	} {
		if err := j.Trim(a.seq, a.hash); !errors.Is(err, journal.ErrForeignAck) {
			t.Errorf("%s: %v", name, err)
		}
		mustBe(t, j, c)
	}
	for _, seq := range []uint64{1, 10, 10, 3, 17, 17, 29} {
		mustTrim(t, j, &c, seq)
		mustBe(t, j, c)
		if n := len(segments(t, dir)); n != 4-int(c.acked)/8 { //nolint:gosec // small
			t.Errorf("%d segments with %d of 30 acknowledged", n, c.acked)
		}
	}
	if err := j.Trim(17, foreign); err != nil {
		t.Errorf("an old acknowledgement whose record is gone: %v", err)
	}
	if _, err := j.Read(1); !errors.Is(err, journal.ErrTrimmed) {
		t.Errorf("read of a removed record: %v", err)
	}
	if _, err := j.Read(0); !errors.Is(err, journal.ErrTrimmed) {
		t.Errorf("read of record 0: %v", err)
	}
	if err := j.Crash(); err != nil { // Trim was durable on return
		t.Fatal(err)
	}
	j = mustOpen(t, dir, small)
	mustBe(t, j, c)
	mustTrim(t, j, &c, 30)
	mustBe(t, j, c)
	if last, ok := j.Last(); !ok || last.Seq != 30 {
		t.Error("the head's record went with its acknowledgement")
	}
}

// TestStaleSegments: segments that a cut-off Trim did not come to remove are
// removed by Open, whichever of them are left, and take no room.
func TestStaleSegments(t *testing.T) {
	for left := range 1 << 3 {
		dir, r, c := memDir(t), source(16), chain{}
		j := mustOpen(t, dir, small)
		for range 30 {
			mustAppend(t, j, &c, r, size{10, 0})
		}
		before := snapshot(t, dir)
		mustTrim(t, j, &c, 26)
		room := j.Room()
		if err := j.Crash(); err != nil {
			t.Fatal(err)
		}
		im := snapshot(t, dir)
		for i := range 3 {
			if name := segmentFile(i + 1); left>>i&1 == 1 {
				im[name] = before[name]
			}
		}
		if err := im.write(dir); err != nil {
			t.Fatal(err)
		}
		j = mustOpen(t, dir, small)
		mustBe(t, j, c)
		if n := len(segments(t, dir)); n != 1 || j.Room() != room {
			t.Errorf("left %03b: %d segments, room %d, was %d", left, n, j.Room(), room)
		}
	}
}

func segmentFile(n int) string { return fmt.Sprintf("%016d.seg", n) }

// TestBusy: one at a time, and a crashed holder lets go.
func TestBusy(t *testing.T) {
	dir := memDir(t)
	j := mustOpen(t, dir, small)
	for range 2 {
		if _, err := journal.Open(dir, small); !errors.Is(err, journal.ErrBusy) {
			t.Fatalf("a second open: %v", err)
		}
	}
	c := chain{}
	mustAppend(t, j, &c, source(9), size{10, 0})
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	mustBe(t, mustOpen(t, dir, small), c)
}

func TestClosed(t *testing.T) {
	dir, r, c := memDir(t), source(10), chain{}
	j := mustOpen(t, dir, small)
	mustAppend(t, j, &c, r, size{10, 0})
	for range 2 {
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, readErr := j.Read(1)
	for name, err := range map[string]error{
		"append": j.Append(t.Context(), c.next(r, size{10, 0})...), "read": readErr,
		"trim": j.Trim(c.at(1)), "prepare": j.Prepare(),
	} {
		if !errors.Is(err, journal.ErrClosed) {
			t.Errorf("%s after close: %v", name, err)
		}
	}
	if seq, _ := j.Head(); seq != 1 {
		t.Errorf("head is %d after close", seq)
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []journal.Options{
		{SegmentSlots: -1},
		{SegmentSlots: journal.SegmentSlotsMax + 1, BytesMax: 1 << 40},
		{SegmentSlots: 8, BytesMax: 2*8*journal.SlotSize - 1},
		{BytesMax: -1},
	} {
		dir := filepath.Join(t.TempDir(), "journal")
		if _, err := journal.Open(dir, o); !errors.Is(err, journal.ErrTooLong) {
			t.Errorf("%+v: %v", o, err)
		}
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%+v: the directory was made", o)
		}
	}
}

// TestOtherOptions reopens a journal with larger and smaller segments.
func TestOtherOptions(t *testing.T) {
	dir, r, c := memDir(t), source(11), chain{}
	for i, slots := range []int{4, 16, 2, 9, 4} {
		o := journal.Options{SegmentSlots: slots, BytesMax: 1 << 20}
		j := mustOpen(t, dir, o)
		mustBe(t, j, c)
		for k := range 2*slots + i {
			mustAppend(t, j, &c, r, size{10 + k, 0})
		}
		mustAppend(t, j, &c, r, make256(slots)...) // a batch of a whole segment
		if err := j.Prepare(); err != nil {
			t.Fatal(err)
		}
		mustBe(t, j, c)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRefusesStrangers opens directories that no power cut leaves behind; none
// may be changed by the attempt.
func TestRefusesStrangers(t *testing.T) {
	seg := func(n int) string { return strings.Repeat("0", 15) + string(rune('0'+n)) + ".seg" }
	cases := map[string]func(dir string) error{
		"mark lost":             func(dir string) error { return os.Remove(filepath.Join(dir, "mark")) },
		"all segments lost":     func(dir string) error { return removeAll(dir, seg(1), seg(2), seg(3), seg(4)) },
		"first segment lost":    func(dir string) error { return os.Remove(filepath.Join(dir, seg(1))) },
		"middle segment lost":   func(dir string) error { return os.Remove(filepath.Join(dir, seg(2))) },
		"last segment lost":     func(dir string) error { return os.Remove(filepath.Join(dir, seg(4))) },
		"segments swapped":      func(dir string) error { return swap(dir, seg(1), seg(2)) },
		"last swapped":          func(dir string) error { return swap(dir, seg(3), seg(4)) },
		"segment cut":           func(dir string) error { return os.Truncate(filepath.Join(dir, seg(2)), 3*journal.SlotSize) },
		"segment cut in a slot": func(dir string) error { return os.Truncate(filepath.Join(dir, seg(4)), 5000) },
		"segment empty":         func(dir string) error { return os.Truncate(filepath.Join(dir, seg(4)), 0) },
		"segment too large": func(dir string) error {
			return os.Truncate(filepath.Join(dir, seg(4)), (journal.SegmentSlotsMax+1)*journal.SlotSize)
		},
		"segment zeroed": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, seg(2)), make([]byte, 8*journal.SlotSize), 0o600)
		},
		"last zeroed": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, seg(4)), make([]byte, 8*journal.SlotSize), 0o600)
		},
		"mark cut":    func(dir string) error { return os.Truncate(filepath.Join(dir, "mark"), 100) },
		"mark empty":  func(dir string) error { return os.Truncate(filepath.Join(dir, "mark"), 0) },
		"mark zeroed": func(dir string) error { return os.WriteFile(filepath.Join(dir, "mark"), make([]byte, 8192), 0o600) },
		"a later segment in use": func(dir string) error {
			b, err := os.ReadFile(filepath.Join(dir, seg(4))) //nolint:gosec // the test's own
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, seg(5)), b, 0o600)
		},
	}
	for name, harm := range cases {
		t.Run(name, func(t *testing.T) {
			dir, r, c := memDir(t), source(12), chain{}
			j := mustOpen(t, dir, small)
			for range 28 {
				mustAppend(t, j, &c, r, size{10, 0})
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			if err := harm(dir); err != nil {
				t.Fatal(err)
			}
			before := snapshot(t, dir)
			for range 2 {
				if _, err := journal.Open(dir, small); !errors.Is(err, journal.ErrDamaged) {
					t.Fatalf("open: %v", err)
				}
			}
			if after := snapshot(t, dir); !before.equal(after) {
				t.Error("the attempt to open changed the disk")
			}
		})
	}
}

// TestNewestSegmentLost: that a segment is in use is known before its first
// record is, also if nothing was noted since.
func TestNewestSegmentLost(t *testing.T) {
	dir, r, c := memDir(t), source(14), chain{}
	j := mustOpen(t, dir, small)
	for range 9 {
		mustAppend(t, j, &c, r, size{10, 0})
	}
	if err := j.Crash(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(segments(t, dir)[1]); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Open(dir, small); !errors.Is(err, journal.ErrDamaged) {
		t.Errorf("open: %v", err)
	}
}

// TestScanRefuses puts whole frames, with their checksums right, where the
// journal does not write them.
func TestScanRefuses(t *testing.T) {
	r := source(15)
	c := (chain{}).with((chain{}).next(r, size{10, 0}, size{20, 0}, size{30, 0})...)
	one := journal.Frame{Entry: c.es[0], Segment: 3, Count: 1}
	two := journal.Frame{Entry: c.es[1], Segment: 3, Slot: 1, First: 1, Count: 1}
	scan := func(frames ...journal.Frame) (int, bool, error) {
		b := make([]byte, 0, 8*journal.SlotSize)
		for _, f := range frames {
			b = append(b, f.Bytes()...)
		}
		return journal.ScanSegment(b[:cap(b)], 3, journal.Entry{})
	}
	if n, torn, err := scan(one, two); n != 2 || torn || err != nil {
		t.Fatalf("what the journal writes: %d, %v, %v", n, torn, err)
	}
	for name, change := range map[string]func(*journal.Frame){
		"other segment":        func(f *journal.Frame) { f.Segment = 4 },
		"other slot":           func(f *journal.Frame) { f.Slot = 2 },
		"other batch":          func(f *journal.Frame) { f.First = 0 },
		"second of its batch":  func(f *journal.Frame) { f.Index, f.Count, f.First = 1, 2, 0 },
		"past its batch":       func(f *journal.Frame) { f.Index, f.Count, f.Seq = 2, 2, 4 },
		"batch of none":        func(f *journal.Frame) { f.Count = 0 },
		"other sequence":       func(f *journal.Frame) { f.Seq = 3 },
		"other previous hash":  func(f *journal.Frame) { f.Prev = c.es[1].Hash },
		"a record of a batch":  func(f *journal.Frame) { f.Index, f.Count, f.Seq = 1, 2, 2 },
		"of the next record":   func(f *journal.Frame) { f.Entry = c.es[2] },
		"of the record before": func(f *journal.Frame) { f.Entry = c.es[0] },
	} {
		f := two
		change(&f)
		if n, torn, err := scan(one, f); !errors.Is(err, journal.ErrDamaged) {
			t.Errorf("%s: %d records, torn %v, %v", name, n, torn, err)
		}
	}
}

// TestIgnoresOthers: files that are not of the journal stay and do not matter.
func TestIgnoresOthers(t *testing.T) {
	dir, c := memDir(t), chain{}
	names := []string{"1.seg", "0000000000000000.seg", "000000000000000a.seg", "lost+found", "0000000000000003.seg.bak"}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	j := mustOpen(t, dir, small)
	mustAppend(t, j, &c, source(13), size{10, 0})
	mustBe(t, j, c)
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

func segments(tb testing.TB, dir string) []string {
	tb.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil {
		tb.Fatal(err)
	}
	return names
}

func removeAll(dir string, names ...string) error {
	for _, name := range names {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

func swap(dir, a, b string) error {
	a, b = filepath.Join(dir, a), filepath.Join(dir, b)
	return errors.Join(os.Rename(a, a+"~"), os.Rename(b, a), os.Rename(a+"~", b))
}
