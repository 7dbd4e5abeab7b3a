package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"

	"regi/firmware/record"
)

const (
	segmentSlotsDefault = 1024
	bytesMaxDefault     = 256 << 20
)

// Options are the limits of a journal.
type Options struct {
	// SegmentSlots is the size of new segments in slots of 4 KiB, at most
	// SegmentSlotsMax; 0 is 1024. No Append can be larger.
	SegmentSlots int
	// BytesMax bounds all segments together, at least two of them; 0 is
	// 256 MiB, about 65,000 records.
	BytesMax int64
}

// Journal is an open journal. It is safe for concurrent use; calls take their
// turn, so a Read may wait for a disk write.
type Journal struct {
	mu        sync.Mutex
	disk      *disk
	o         Options
	mark      *Checkpoint
	marked    mark // what the mark file says
	recovered Recovery

	segments []segment // ascending; the last one is written to
	active   *os.File  // of the last segment
	next     int       // slots of the segment made ahead; 0: there is none
	head     place
	acked    place
	last     Entry // of head; own memory
	buf      []byte

	reading uint64   // segment of reader
	reader  *os.File // nil: none
	failed  error    // not nil: poisoned or closed
}

// Recovery is what Open found besides whole records.
type Recovery struct {
	// Records on the disk, acknowledged ones among them.
	Records int
	// Torn: bytes of an unfinished Append were found after record TornAfter,
	// and zeroed. It was not acknowledged to its caller, unless it is damage
	// to the newest batch: compare the head with what you know of it.
	Torn      bool
	TornAfter uint64
	// MarkTorn: one slot of the mark was bad. The last acknowledgement may be
	// forgotten; the cloud repeats it.
	MarkTorn bool
}

// Append makes entries durable, all or none, in one synced write. They must
// follow the head. On an I/O error the journal is poisoned and may hold all of
// them or none: open it again to find out. On ErrFull, ErrChain, ErrTooLong or
// an ended context nothing has changed; a write that has begun is not
// interrupted.
func (j *Journal) Append(ctx context.Context, es ...Entry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.append(ctx, es); err != nil {
		return fmt.Errorf("journal: append: %w", err)
	}
	return nil
}

// Prepare makes the next segment if more than half of this one is used, which
// takes some ten milliseconds. It is optional: Append makes it when it must.
// Call it when nobody waits. After an error the journal is as it was.
func (j *Journal) Prepare() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed != nil {
		return fmt.Errorf("journal: prepare: %w", j.failed)
	}
	if s := j.writing(); s.end*2 < s.slots {
		return nil
	}
	if err := j.prepare(); err != nil {
		return fmt.Errorf("journal: prepare: %w", err)
	}
	return nil
}

// Read returns one record, verified again. Acknowledged records can be read
// until their segment is removed, then they are ErrTrimmed. The result is the
// caller's.
func (j *Journal) Read(seq uint64) (Entry, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if errors.Is(j.failed, ErrClosed) {
		return Entry{}, fmt.Errorf("journal: read: %w", j.failed)
	}
	e, err := j.read(seq)
	if err != nil {
		return Entry{}, fmt.Errorf("journal: read %d: %w", seq, err)
	}
	return e, nil
}

// Head returns the last record's sequence and hash, or zeros if there never was
// one.
func (j *Journal) Head() (seq uint64, hash record.Hash) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.head.seq, j.head.hash
}

// Last returns the record at the head, with its Aux, also if it is
// acknowledged; false if there never was one.
func (j *Journal) Last() (Entry, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e := j.last
	e.Payload, e.Aux = bytes.Clone(e.Payload), bytes.Clone(e.Aux)
	return e, e.Seq > 0
}

// Acked returns the last acknowledged record's sequence and hash.
func (j *Journal) Acked() (seq uint64, hash record.Hash) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.acked.seq, j.acked.hash
}

// Depth is the number of unacknowledged records.
func (j *Journal) Depth() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.head.seq - j.acked.seq
}

// Room is how many bytes of slots can still be appended before ErrFull.
func (j *Journal) Room() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	size := int64(j.o.SegmentSlots) * slotSize
	room := (j.o.BytesMax - j.size()) / size * size
	s := j.writing()
	return max(room, 0) + int64(s.slots-s.end+j.next)*slotSize
}

// Recovery returns what Open found.
func (j *Journal) Recovery() Recovery { return j.recovered }

// Trim takes the verified acknowledgement of everything through seq: it is
// durable on return, and whole segments below it are gone. An older one than
// the last changes nothing. ErrForeignAck if record seq has another hash or
// does not exist.
func (j *Journal) Trim(seq uint64, hash record.Hash) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.trim(place{seq, hash}); err != nil {
		return fmt.Errorf("journal: trim %d: %w", seq, err)
	}
	return nil
}

// Close notes the head, so that a later Open misses nothing, and closes the
// files.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if errors.Is(j.failed, ErrClosed) {
		return nil
	}
	var err error
	if j.failed == nil && j.marked.head != j.head {
		m := j.marked
		m.head, m.active = j.head, j.writing().number
		err = j.putMark(m)
	}
	j.failed = ErrClosed
	if err = errors.Join(err, j.closeFiles()); err != nil {
		return fmt.Errorf("journal: close: %w", err)
	}
	return nil
}

func (j *Journal) append(ctx context.Context, es []Entry) error {
	if j.failed != nil {
		return j.failed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	slots, err := j.follow(es)
	if err != nil || slots == 0 {
		return err
	}
	if s := j.writing(); s.slots-s.end < slots {
		if err := j.rotate(); err != nil {
			return err
		}
	}
	s := j.writing()
	b := j.encode(s, es, slots)
	if err := j.disk.write(j.active, segmentName(s.number), b, int64(s.end)*slotSize); err != nil {
		return j.poison(err)
	}
	for i := range es {
		s.at = append(s.at, uint32(s.end)) //nolint:gosec // below SegmentSlotsMax
		s.end += es[i].slots()
	}
	j.setHead(&es[len(es)-1])
	return nil
}

// follow checks that the entries follow the head and each other, and returns
// how many slots they take.
func (j *Journal) follow(es []Entry) (slots int, err error) {
	if len(es) > BatchMax {
		return 0, fmt.Errorf("%d entries: %w", len(es), ErrTooLong)
	}
	at := j.head
	for i := range es {
		e := &es[i]
		if e.Seq != at.seq+1 || e.Prev != at.hash || e.Hash == (record.Hash{}) || len(e.Payload) == 0 {
			return 0, fmt.Errorf("record %d after %d: %w", e.Seq, at.seq, ErrChain)
		}
		if len(e.Payload) > PayloadMax || len(e.Aux) > AuxMax {
			return 0, fmt.Errorf("record %d: %w", e.Seq, ErrTooLong)
		}
		at = place{e.Seq, e.Hash}
		slots += e.slots()
	}
	if slots > j.o.SegmentSlots {
		return 0, fmt.Errorf("%d slots: %w", slots, ErrTooLong)
	}
	return slots, nil
}

// encode writes the batch as it will lie at the end of s.
func (j *Journal) encode(s *segment, es []Entry, slots int) []byte {
	if cap(j.buf) < slots*slotSize {
		j.buf = make([]byte, slots*slotSize)
	}
	b := j.buf[:slots*slotSize]
	clear(b)
	at := 0
	for i := range es {
		n := es[i].slots()
		f := frame{Entry: es[i], segment: s.number, slot: s.end + at, first: s.end, index: i, count: len(es)}
		f.put(b[at*slotSize : (at+n)*slotSize])
		at += n
	}
	return b
}

func (j *Journal) setHead(e *Entry) {
	j.head = place{e.Seq, e.Hash}
	payload, aux := append(j.last.Payload[:0], e.Payload...), append(j.last.Aux[:0], e.Aux...)
	j.last = Entry{Seq: e.Seq, Hash: e.Hash, Prev: e.Prev, Payload: payload, Aux: aux}
}

func (j *Journal) writing() *segment { return &j.segments[len(j.segments)-1] }

// size is what all files take, the segment made ahead with them.
func (j *Journal) size() int64 {
	slots := j.next
	for i := range j.segments {
		slots += j.segments[i].slots
	}
	return int64(slots) * slotSize
}

// rotate goes on with the next segment, which it makes if nobody prepared it.
func (j *Journal) rotate() error {
	if err := j.prepare(); err != nil {
		if errors.Is(err, ErrFull) {
			return err
		}
		return j.poison(err)
	}
	s := segment{number: j.writing().number + 1, slots: j.next, base: j.head}
	// The mark knows of the segment before a record is in it, so that its loss
	// would be noticed.
	m := j.marked
	m.active, m.head = s.number, j.head
	if err := j.putMark(m); err != nil {
		return err
	}
	f, err := j.disk.open(segmentName(s.number))
	if err != nil {
		return j.poison(err)
	}
	old := j.active
	j.active, j.next = f, 0
	j.segments = append(j.segments, s)
	if err := old.Close(); err != nil {
		return j.poison(err)
	}
	return nil
}

// prepare makes the next segment, unless there is one.
func (j *Journal) prepare() error {
	if j.next >= j.o.SegmentSlots {
		return nil
	}
	if j.size()+int64(j.o.SegmentSlots-j.next)*slotSize > j.o.BytesMax {
		return fmt.Errorf("%d bytes: %w", j.size(), ErrFull)
	}
	if err := j.makeSegment(j.writing().number + 1); err != nil {
		return err
	}
	j.next = j.o.SegmentSlots
	return nil
}

func (j *Journal) makeSegment(number uint64) error {
	err := j.disk.put(segmentName(number), make([]byte, slotSize), j.o.SegmentSlots)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}

// poison remembers the first I/O error and returns it.
func (j *Journal) poison(err error) error {
	j.failed = fmt.Errorf("%w: %w", ErrPoisoned, err)
	return j.failed
}

// putMark stores the mark.
func (j *Journal) putMark(m mark) error {
	if err := j.mark.Store(m.head.seq, m.encode()); err != nil {
		return j.poison(err)
	}
	j.marked = m
	return nil
}

func (j *Journal) trim(to place) error {
	if j.failed != nil {
		return j.failed
	}
	switch {
	case to.seq == 0 || to.seq > j.head.seq:
		return ErrForeignAck
	case to.seq < j.marked.base.seq:
		return nil // acknowledged long ago; its hash is gone with it
	}
	if hash, err := j.hashOf(to.seq); err != nil {
		return err
	} else if hash != to.hash {
		return ErrForeignAck
	}
	if to.seq <= j.acked.seq {
		return nil
	}
	m := j.marked
	m.acked, m.head, m.active = to, j.head, j.writing().number
	gone := 0
	for gone < len(j.segments)-1 && j.segments[gone].last() <= to.seq && j.segments[gone].last() < j.head.seq {
		gone++
	}
	m.first, m.base = j.segments[gone].number, j.segments[gone].base
	if err := j.putMark(m); err != nil {
		return err
	}
	j.acked = to
	if gone == 0 {
		return nil
	}
	// Into the other slot as well: one bad slot must not make a removed segment
	// look lost.
	if err := j.putMark(m); err != nil {
		return err
	}
	return j.drop(gone)
}

// drop removes the first n segments, which the mark no longer counts.
func (j *Journal) drop(n int) error {
	dropped := j.segments[:n]
	j.segments = slices.Clone(j.segments[n:])
	for i := range dropped {
		if dropped[i].number == j.reading {
			if err := j.closeReader(); err != nil {
				return j.poison(err)
			}
		}
		if err := j.disk.remove(segmentName(dropped[i].number)); err != nil {
			return j.poison(err)
		}
	}
	if err := j.disk.syncDir(); err != nil {
		return j.poison(err)
	}
	return nil
}

// hashOf returns the hash of a record that is on the disk, or of the one before
// the first.
func (j *Journal) hashOf(seq uint64) (record.Hash, error) {
	for _, p := range [...]place{j.head, j.acked, j.marked.base} {
		if p.seq == seq {
			return p.hash, nil
		}
	}
	e, err := j.read(seq)
	return e.Hash, err
}

func (j *Journal) read(seq uint64) (Entry, error) {
	if seq > j.head.seq {
		return Entry{}, ErrNotYet
	}
	i := slices.IndexFunc(j.segments, func(s segment) bool { return s.base.seq < seq && seq <= s.last() })
	if i < 0 {
		return Entry{}, ErrTrimmed
	}
	s := &j.segments[i]
	f, err := j.file(s.number)
	if err != nil {
		return Entry{}, err
	}
	n := int(seq - s.base.seq - 1) //nolint:gosec // an index into s.at
	slot, end := int(s.at[n]), s.end
	if n+1 < len(s.at) {
		end = int(s.at[n+1])
	}
	b := make([]byte, (end-slot)*slotSize)
	if _, err := f.ReadAt(b, int64(slot)*slotSize); err != nil {
		return Entry{}, err
	}
	g, ok := parseFrame(b)
	if !ok || g.Seq != seq || g.segment != s.number || g.slot != slot {
		return Entry{}, fmt.Errorf("segment %d slot %d: %w", s.number, slot, ErrDamaged)
	}
	return g.Entry, nil
}

// file returns an open file of a segment; one besides the active is kept.
func (j *Journal) file(number uint64) (*os.File, error) {
	if number == j.writing().number {
		return j.active, nil
	}
	if j.reader != nil && j.reading == number {
		return j.reader, nil
	}
	if err := j.closeReader(); err != nil {
		return nil, err
	}
	f, err := j.disk.root.Open(segmentName(number))
	if err != nil {
		return nil, err
	}
	j.reading, j.reader = number, f
	return f, nil
}

func (j *Journal) closeReader() error {
	f := j.reader
	j.reading, j.reader = 0, nil
	if f == nil {
		return nil
	}
	return f.Close()
}

func (j *Journal) closeFiles() error {
	err := j.closeReader()
	if j.active != nil {
		err = errors.Join(err, j.active.Close())
	}
	if j.mark != nil {
		err = errors.Join(err, j.mark.Close())
	}
	return errors.Join(err, j.disk.close())
}
