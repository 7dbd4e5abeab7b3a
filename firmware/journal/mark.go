package journal

import (
	"encoding/binary"
	"fmt"

	"regi/firmware/record"
)

const (
	markName = "mark"
	markSize = 136
)

// place is a position in the chain: after record seq, whose hash is hash.
type place struct {
	seq  uint64
	hash record.Hash
}

// mark is what is known of the chain besides the records. It is kept in a
// Checkpoint, so it is of the journal's present or a little older.
type mark struct {
	first  uint64 // lowest segment that is kept
	active uint64 // segment in use when the mark was written
	base   place  // before the first record of segment first
	acked  place
	head   place // when the mark was written
}

func (m *mark) encode() []byte {
	b := make([]byte, 0, markSize)
	b = binary.BigEndian.AppendUint64(b, m.first)
	b = binary.BigEndian.AppendUint64(b, m.active)
	for _, p := range [...]place{m.base, m.acked, m.head} {
		b = binary.BigEndian.AppendUint64(b, p.seq)
		b = append(b, p.hash[:]...)
	}
	return b
}

// parseMark refuses what encode never wrote.
func parseMark(b []byte) (mark, error) {
	var m mark
	if len(b) != markSize {
		return mark{}, fmt.Errorf("mark of %d bytes: %w", len(b), ErrDamaged)
	}
	m.first, m.active = binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])
	for i, p := range [...]*place{&m.base, &m.acked, &m.head} {
		p.seq = binary.BigEndian.Uint64(b[16+40*i:])
		copy(p.hash[:], b[24+40*i:])
		if (p.seq == 0) != (p.hash == record.Hash{}) {
			return mark{}, fmt.Errorf("mark: place %d: %w", i, ErrDamaged)
		}
	}
	if m.base.seq == m.acked.seq && m.base != m.acked || m.acked.seq == m.head.seq && m.acked != m.head {
		return mark{}, fmt.Errorf("mark: two hashes of one record: %w", ErrDamaged)
	}
	if m.first == 0 || m.active < m.first || m.base.seq > m.acked.seq || m.acked.seq > m.head.seq {
		return mark{}, fmt.Errorf("mark out of order: %w", ErrDamaged)
	}
	return m, nil
}
