package journal_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regi/firmware/journal"
)

const rotSlots = 64

// rotten is a journal of a full 64-slot segment of all sorts of records, and
// one more record in a second segment if later.
func rotten(t *testing.T, later bool) (dir string, c chain) {
	t.Helper()
	dir = memDir(t)
	r := source(30)
	j := mustOpen(t, dir, journal.Options{SegmentSlots: rotSlots})
	for n := 0; n < rotSlots; {
		s := size{100 + 37*n, 11 * n}
		if n%10 == 9 {
			s.payload = 10_000
		}
		slots := (journal.FrameHead + s.payload + s.aux + journal.SlotSize - 1) / journal.SlotSize
		if n+slots > rotSlots {
			s, slots = size{1, 0}, 1
		}
		if n%7 == 3 && n+slots < rotSlots { // a batch of two
			mustAppend(t, j, &c, r, s, size{300, 30})
			slots++
		} else {
			mustAppend(t, j, &c, r, s)
		}
		n += slots
	}
	if later {
		mustAppend(t, j, &c, r, size{500, 50})
	}
	if err := j.Crash(); err != nil {
		t.Fatal(err)
	}
	return dir, c
}

// TestBitRotFrames flips every bit of every record's slots, one at a time: no
// frame may still be taken for a record, as Read does.
func TestBitRotFrames(t *testing.T) {
	t.Parallel()
	dir, _ := rotten(t, true)
	b := snapshot(t, dir)[filepath.Base(segments(t, dir)[0])]
	flips, step := 0, 1
	if raced {
		step = 101
	}
	for at := 0; at < len(b); {
		n, ok := journal.FrameSlots(b[at:])
		if !ok {
			t.Fatalf("no frame at %d", at)
		}
		f := b[at : at+n*journal.SlotSize]
		for bit := 0; bit < 8*len(f); bit += step {
			f[bit/8] ^= 1 << (bit % 8)
			if _, ok := journal.ParseFrame(f); ok {
				t.Errorf("bit %d of the frame at %d: still a frame", bit, at)
			}
			f[bit/8] ^= 1 << (bit % 8)
			flips++
		}
		at += len(f)
	}
	if !raced && flips != 8*rotSlots*journal.SlotSize {
		t.Errorf("%d bits flipped, the segment has %d", flips, 8*rotSlots*journal.SlotSize)
	}
}

// TestBitRotSegment harms every byte of the segment, in several ways, and
// reads it as Open does. If records follow, it is damage; in the newest batch
// it is a torn tail, and all before it is there.
func TestBitRotSegment(t *testing.T) {
	t.Parallel()
	dir, c := rotten(t, false)
	b := snapshot(t, dir)[filepath.Base(segments(t, dir)[0])]
	records, torn, err := journal.ScanSegment(b, 1, journal.Entry{})
	if records != len(c.es) || torn || err != nil {
		t.Fatalf("unharmed: %d records, %v, %v", records, torn, err)
	}
	newest := newestBatch(t, b)
	step := 11 // prime to the sector and the slot: every place in a slot is met
	if raced {
		step = 1009
	}
	for at := 0; at < len(b); at += step {
		old := b[at]
		for _, harm := range []byte{old ^ 1<<(at%8), old ^ 0xFF} {
			b[at] = harm
			n, torn, err := journal.ScanSegment(b, 1, journal.Entry{})
			switch {
			case at < newest && !errors.Is(err, journal.ErrDamaged):
				t.Errorf("byte %d: %d records, torn %v, %v", at, n, torn, err)
			case at >= newest && (err != nil || !torn || n >= len(c.es)):
				t.Errorf("byte %d of the newest batch: %d records, torn %v, %v", at, n, torn, err)
			}
		}
		b[at] = old
	}
}

// newestBatch is where the last batch of a full segment begins.
func newestBatch(t *testing.T, b []byte) int {
	t.Helper()
	first := 0
	for at := 0; at < len(b); {
		f, ok := journal.ParseFrame(b[at:])
		if !ok {
			t.Fatalf("no frame at %d", at)
		}
		first = f.First
		at += f.Slots * journal.SlotSize
	}
	return first * journal.SlotSize
}

// TestBitRotOnDisk harms files of a journal and opens it, with a segment
// behind the harmed one, with a mark that knows the head, and with neither.
func TestBitRotOnDisk(t *testing.T) {
	for _, later := range []bool{true, false} {
		for _, closed := range []bool{true, false} {
			t.Run(fmt.Sprintf("later=%v,closed=%v", later, closed), func(t *testing.T) {
				rotOnDisk(t, later, closed)
			})
		}
	}
}

func rotOnDisk(t *testing.T, later, closed bool) {
	t.Helper()
	dir, c := rotten(t, later)
	o := journal.Options{SegmentSlots: rotSlots}
	if closed {
		if err := mustOpen(t, dir, o).Close(); err != nil {
			t.Fatal(err)
		}
	}
	im := snapshot(t, dir)
	name := filepath.Base(segments(t, dir)[0])
	path := filepath.Join(dir, name)
	f, err := os.OpenFile(path, os.O_WRONLY, 0) //nolint:gosec // the test's own
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // the test's own
	b := im[name]
	newest := newestBatch(t, b)
	for at := 0; at < len(b); at += 2741 {
		if _, err := f.WriteAt([]byte{b[at] ^ 1<<(at%8)}, int64(at)); err != nil {
			t.Fatal(err)
		}
		j, err := journal.Open(dir, o)
		if later || closed || at < newest {
			if !errors.Is(err, journal.ErrDamaged) || !strings.Contains(err.Error(), "segment 1") {
				t.Errorf("byte %d: %v", at, err)
			}
		} else {
			// Nothing on the disk tells this from a write that was cut off.
			head, _ := j.Head()
			if r := j.Recovery(); err != nil || !r.Torn || r.TornAfter != head || head >= uint64(len(c.es)) {
				t.Errorf("byte %d of the newest batch: %+v, %v", at, r, err)
			}
		}
		if j != nil {
			if err := j.Crash(); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		} else if _, err := f.WriteAt(b[at:at+1], int64(at)); err != nil {
			t.Fatal(err)
		}
	}
	mustBe(t, mustOpen(t, dir, o), c)
}

// TestBitRotWhileOpen harms a record after Open verified it.
func TestBitRotWhileOpen(t *testing.T) {
	dir, c := rotten(t, true)
	j := mustOpen(t, dir, journal.Options{SegmentSlots: rotSlots})
	path := segments(t, dir)[0]
	b := snapshot(t, dir)[filepath.Base(path)]
	f, err := os.OpenFile(path, os.O_WRONLY, 0) //nolint:gosec // the test's own
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // the test's own
	for i, e := range c.es[:len(c.es)-1] {
		at := frameOf(t, b, e.Seq) + (i*397)%journal.SlotSize
		if _, err := f.WriteAt([]byte{^b[at]}, int64(at)); err != nil {
			t.Fatal(err)
		}
		if _, err := j.Read(e.Seq); !errors.Is(err, journal.ErrDamaged) {
			t.Errorf("record %d, byte %d: %v", e.Seq, at, err)
		}
		if _, err := f.WriteAt(b[at:at+1], int64(at)); err != nil {
			t.Fatal(err)
		}
	}
	// A whole record where another belongs is no record either.
	one := b[:journal.SlotSize]
	if _, err := f.WriteAt(one, int64(frameOf(t, b, 2))); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Read(2); !errors.Is(err, journal.ErrDamaged) {
		t.Errorf("another record in its place: %v", err)
	}
	if _, err := f.WriteAt(b, 0); err != nil {
		t.Fatal(err)
	}
	mustBe(t, j, c)
}

func frameOf(t *testing.T, b []byte, seq uint64) int {
	t.Helper()
	for at := 0; at < len(b); {
		f, ok := journal.ParseFrame(b[at:])
		if !ok || f.Seq == seq {
			return at
		}
		at += f.Slots * journal.SlotSize
	}
	t.Fatalf("record %d is not in the segment", seq)
	return 0
}

// TestBitRotMark harms the mark: with one bad slot the journal opens, says so
// and has lost no record, also right after segments were removed; with two bad
// slots it refuses.
func TestBitRotMark(t *testing.T) {
	for _, acks := range [][]uint64{{}, {5}, {5, 20}, {5, 20, 21}} {
		dir, r, c := memDir(t), source(31), chain{}
		j := mustOpen(t, dir, small)
		for range 40 {
			mustAppend(t, j, &c, r, size{10, 0})
		}
		for _, seq := range acks {
			mustTrim(t, j, &c, seq)
		}
		if err := j.Crash(); err != nil {
			t.Fatal(err)
		}
		im := snapshot(t, dir)
		for slot := range 2 {
			bad := append([]byte(nil), im["mark"]...)
			bad[slot*journal.SlotSize+40] ^= 4
			if err := os.WriteFile(filepath.Join(dir, "mark"), bad, 0o600); err != nil {
				t.Fatal(err)
			}
			j, err := journal.Open(dir, small)
			if err != nil {
				t.Errorf("acknowledged %v, slot %d: %v", acks, slot, err)
				continue
			}
			acked, _ := j.Acked()
			head, _ := j.Head()
			if !j.Recovery().MarkTorn || acked > c.acked || head != 40 {
				t.Errorf("acknowledged %v, slot %d: %+v, acknowledged %d, head %d", acks, slot, j.Recovery(), acked, head)
			}
			if c.acked > 0 {
				again := c
				again.acked = acked
				mustTrim(t, j, &again, c.acked)
				mustBe(t, j, c)
			}
			if err := j.Crash(); err != nil {
				t.Fatal(err)
			}
			if err := im.write(dir); err != nil {
				t.Fatal(err)
			}
		}
		bad := append([]byte(nil), im["mark"]...)
		bad[41] ^= 1
		bad[journal.SlotSize+41] ^= 1
		if err := os.WriteFile(filepath.Join(dir, "mark"), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := journal.Open(dir, small); !errors.Is(err, journal.ErrDamaged) {
			t.Errorf("two bad slots: %v", err)
		}
	}
}
