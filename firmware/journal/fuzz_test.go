package journal_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"path/filepath"
	"testing"

	"regi/firmware/journal"
	"regi/firmware/record"
)

// The fuzzer is given the front of a slot, not all of it: it is fast with short
// inputs only, and the rest of most slots is zero anyway.
const frontBytes = 128

// slotsOf spreads short fuzz input over the fronts of n slots.
func slotsOf(b []byte, n int) []byte {
	slots := make([]byte, n*journal.SlotSize)
	for i := 0; i < n && len(b) > 0; i++ {
		b = b[copy(slots[i*journal.SlotSize:][:frontBytes], b):]
	}
	return slots
}

// frontsOf reverses slotsOf.
func frontsOf(slots []byte) (b []byte) {
	for at := 0; at < len(slots); at += journal.SlotSize {
		b = append(b, slots[at:at+frontBytes]...)
	}
	return bytes.TrimRight(b, "\x00")
}

// FuzzFrame reads any bytes as a frame; what is taken for one is, byte for
// byte, what would be written.
func FuzzFrame(f *testing.F) {
	r := source(50)
	for _, s := range []size{{1, 0}, {16, 0}, {10, 6}, {9000, 500}} {
		e := (chain{}).next(r, s)[0]
		b := journal.Frame{Entry: e, Segment: 7, Slot: 3, First: 2, Index: 1, Count: 4}.Bytes()
		f.Add(frontsOf(b), uint8(len(b)/journal.SlotSize), false) //nolint:gosec // small
	}
	f.Add([]byte("REGIJNL1"), uint8(1), true)
	f.Add(make([]byte, 300), uint8(2), true)
	f.Fuzz(func(t *testing.T, front []byte, slots uint8, mend bool) {
		b := slotsOf(front, int(slots%32))
		if n, ok := journal.FrameSlots(b); ok && mend && n*journal.SlotSize <= len(b) {
			binary.BigEndian.PutUint32(b[8:], journal.Checksum(b[:n*journal.SlotSize]))
		}
		frame, ok := journal.ParseFrame(b)
		if !ok {
			return
		}
		if len(frame.Payload) == 0 || len(frame.Payload) > journal.PayloadMax || len(frame.Aux) > journal.AuxMax {
			t.Errorf("a payload of %d and aux of %d bytes", len(frame.Payload), len(frame.Aux))
		}
		end := journal.FrameHead + len(frame.Payload) + len(frame.Aux)
		again := frame.Bytes()
		if len(again) != frame.Slots*journal.SlotSize || len(again) > len(b) {
			t.Fatalf("%d slots, %d bytes written, %d read", frame.Slots, len(again), len(b))
		}
		// Only a mended frame may have something in its unused end, or bit 31 in
		// its slots.
		if !mend && !bytes.Equal(again[:end], b[:end]) {
			t.Error("written again it is another")
		}
	})
}

// FuzzMark reads any bytes as a mark.
func FuzzMark(f *testing.F) {
	f.Add(make([]byte, 136))
	b := make([]byte, 136)
	b[7], b[15] = 1, 2 // first and active segment
	f.Add(bytes.Clone(b))
	b[63], b[103] = 5, 9 // acknowledged and head
	b[64], b[104] = 1, 1
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		again, err := journal.ReencodeMark(b)
		switch {
		case err == nil && !bytes.Equal(again, b):
			t.Errorf("%x is written as %x", b, again)
		case err != nil && !errors.Is(err, journal.ErrDamaged):
			t.Error(err)
		}
	})
}

// FuzzCheckpoint reads any bytes as one slot of a checkpoint.
func FuzzCheckpoint(f *testing.F) {
	dir := f.TempDir()
	c, err := journal.OpenCheckpoint(filepath.Join(dir, "c"))
	if err != nil {
		f.Fatal(err)
	}
	for _, data := range []string{"", "x", "some state of a till"} {
		if err := c.Store(9, []byte(data)); err != nil {
			f.Fatal(err)
		}
		f.Add(snapshot(f, dir)["c"][:200])
	}
	if err := c.Close(); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		gen, _, data, ok := journal.ParseCheckpoint(b)
		if ok && (gen == 0 || len(data) > journal.CheckpointMax || len(data)+32 > len(b)) {
			t.Errorf("generation %d with %d bytes", gen, len(data))
		}
	})
}

// FuzzOpen opens a journal whose last segment holds any bytes, with checksums
// made right if mend: it must never panic. What it accepts can be used, and is
// the same when it is opened again.
func FuzzOpen(f *testing.F) {
	dir := memDir(f)
	o := journal.Options{SegmentSlots: 4, BytesMax: 1 << 20}
	r, c := source(51), chain{}
	j := mustOpen(f, dir, o)
	mustAppend(f, j, &c, r, size{10, 5}, size{16, 0})
	if err := j.Crash(); err != nil {
		f.Fatal(err)
	}
	im := snapshot(f, dir)
	const name = "0000000000000001.seg"
	f.Add(frontsOf(im[name]), uint16(4*journal.SlotSize), false)
	f.Add(frontsOf(im[name][:2*journal.SlotSize]), uint16(2*journal.SlotSize), true)
	f.Add(frontsOf(im[name]), uint16(5000), false)
	f.Add([]byte{}, uint16(0), false)
	torn := frontsOf(im[name])
	torn[frontBytes+50] ^= 1 // in the second record
	f.Add(torn, uint16(4*journal.SlotSize), false)
	f.Fuzz(func(t *testing.T, fronts []byte, length uint16, mend bool) {
		im[name] = slotsOf(fronts, 16)[:min(int(length), 16*journal.SlotSize)]
		if mend {
			mendChecksums(im)
		}
		if err := im.write(dir); err != nil {
			t.Fatal(err)
		}
		j, err := journal.Open(dir, o)
		if err != nil {
			if !errors.Is(err, journal.ErrDamaged) {
				t.Error(err)
			}
			return
		}
		head, hash := j.Head()
		held := held(t, j, head)
		next := entry(head+1, hash, []byte("next"), nil)
		if err := j.Append(t.Context(), next); err != nil {
			t.Fatal(err)
		}
		if err := j.Crash(); err != nil {
			t.Fatal(err)
		}
		j, err = journal.Open(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := held.with(next).check(j); err != nil {
			t.Error(err)
		}
		if err := j.Crash(); err != nil {
			t.Fatal(err)
		}
	})
}

// held is what a journal holds; its chain must be whole.
func held(t *testing.T, j *journal.Journal, head uint64) (c chain) {
	t.Helper()
	var prev record.Hash
	for seq := uint64(1); seq <= head; seq++ {
		e, err := j.Read(seq)
		if err != nil {
			t.Fatal(err)
		}
		if e.Seq != seq || e.Prev != prev {
			t.Errorf("record %d does not follow the one before", seq)
		}
		prev = e.Hash
		c = c.with(e)
	}
	return c
}
