package journal

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	segmentSuffix = ".seg"
	segmentDigits = 16
	// SegmentSlotsMax bounds Options.SegmentSlots and what Open reads at once.
	SegmentSlotsMax = 4096
)

// segment is one file with records, and where they are in it.
type segment struct {
	number uint64
	slots  int      // of the file
	base   place    // before its first record
	at     []uint32 // first slot of each record
	end    int      // first unused slot
}

// last is the sequence of its last record.
func (s *segment) last() uint64 { return s.base.seq + uint64(len(s.at)) }

func segmentName(number uint64) string {
	return fmt.Sprintf("%0*d%s", segmentDigits, number, segmentSuffix)
}

// segmentNumber reverses segmentName and refuses every other name.
func segmentNumber(name string) (uint64, bool) {
	digits, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil && n > 0 && segmentName(n) == name
}

// scan reads the batches of a segment from b, its whole content, beginning at
// s.base, and shows each frame to visit. It stops at the end of what was
// written, s.end. torn says that what follows it is not all zero, but may be
// what a power cut left of one batch; anything else is ErrDamaged.
func (s *segment) scan(b []byte, visit func(*frame) error) (torn bool, err error) {
	at := s.base
	for s.end < s.slots {
		batch := s.batch(b[s.end*slotSize:], at)
		if batch == nil {
			break
		}
		for i := range batch {
			f := &batch[i]
			if err := visit(f); err != nil {
				return false, err
			}
			s.at = append(s.at, uint32(f.slot)) //nolint:gosec // below SegmentSlotsMax
			s.end += f.slots()
			at = place{f.Seq, f.Hash}
		}
	}
	return s.tail(b, at)
}

// batch returns the frames of the batch at the front of b if all of it is
// there and follows at; nil if not.
func (s *segment) batch(b []byte, at place) []frame {
	var frames []frame
	slot := s.end
	for want := 1; len(frames) < want; {
		f, ok := parseFrame(b)
		if !ok || !s.fits(&f, at) || f.slot != slot || f.first != s.end || f.index != len(frames) {
			return nil
		}
		if f.index > 0 && f.count != want || f.count < 1 || f.count > BatchMax {
			return nil
		}
		want = f.count
		frames = append(frames, f)
		at = place{f.Seq, f.Hash}
		slot += f.slots()
		b = b[f.slots()*slotSize:]
	}
	return frames
}

func (s *segment) fits(f *frame, at place) bool {
	return f.segment == s.number && f.Seq == at.seq+1 && f.Prev == at.hash
}

// tail tells what follows s.end: nothing, a torn batch, or damage. A whole
// frame there must be of the batch that begins at s.end: the next Append begins
// only after this one was durable.
func (s *segment) tail(b []byte, at place) (torn bool, err error) {
	for slot := s.end; slot < s.slots; slot++ {
		rest := b[slot*slotSize:]
		if allZero(rest[:slotSize]) {
			continue
		}
		torn = true
		if f, ok := parseFrame(rest); ok && !s.ofTornBatch(&f, slot, at) {
			return false, fmt.Errorf("segment %d slot %d: no record %d, but others behind it: %w",
				s.number, s.end, at.seq+1, ErrDamaged)
		}
	}
	return torn, nil
}

// ofTornBatch reports whether a whole frame behind the last whole batch can be
// the rest of one that begins at s.end, after record at.
func (s *segment) ofTornBatch(f *frame, slot int, at place) bool {
	return f.segment == s.number && f.slot == slot && f.first == s.end &&
		f.count > 1 && f.index < f.count && f.Seq == at.seq+1+uint64(f.index) && //nolint:gosec // index is 16 bits
		(f.index > 0 || f.Prev == at.hash)
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
