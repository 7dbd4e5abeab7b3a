package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"regi/firmware/record"
)

// filesMax bounds the directory; BytesMax of the smallest segments is far less.
const filesMax = 1 << 16

// Open opens or makes the journal in dir, verifies every record, and removes
// what a power cut left behind. See the package's comment for what it accepts;
// ErrDamaged names the position and leaves the disk as it is.
func Open(dir string, o Options) (*Journal, error) {
	return open(dir, o, nil)
}

func open(dir string, o Options, tap func(step) (int, error)) (*Journal, error) {
	if o.SegmentSlots == 0 {
		o.SegmentSlots = segmentSlotsDefault
	}
	if o.BytesMax == 0 {
		o.BytesMax = bytesMaxDefault
	}
	if o.SegmentSlots < 1 || o.SegmentSlots > SegmentSlotsMax || o.BytesMax < 2*slotSize*int64(o.SegmentSlots) {
		return nil, fmt.Errorf("journal: open: segments of %d slots in %d bytes: %w", o.SegmentSlots, o.BytesMax, ErrTooLong)
	}
	if err := makeDir(dir); err != nil {
		return nil, fmt.Errorf("journal: open: %w", err)
	}
	d, err := openDisk(dir, tap)
	if err != nil {
		return nil, fmt.Errorf("journal: open: %w", err)
	}
	j := &Journal{disk: d, o: o}
	err = d.lock()
	if err == nil {
		err = j.recover()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("journal: open: %w", err), j.closeFiles())
	}
	return j, nil
}

func (j *Journal) recover() error {
	numbers, err := j.list()
	if err != nil {
		return err
	}
	if j.mark, err = openCheckpoint(j.disk, markName); err != nil {
		return err
	}
	data, _, ok := j.mark.Load()
	if !ok {
		if numbers, err = j.create(numbers); err != nil {
			return err
		}
		data, _, _ = j.mark.Load()
	}
	if j.marked, err = parseMark(data); err != nil {
		return err
	}
	j.recovered.MarkTorn = j.mark.Torn()
	j.acked = j.marked.acked
	stale, numbers, err := j.split(numbers)
	if err != nil {
		return err
	}
	dirty, err := j.scan(numbers)
	if err != nil {
		return err
	}
	if err := j.checkMark(); err != nil {
		return err
	}
	// Only now, when nothing is found wrong, the disk is changed.
	return j.repair(stale, dirty)
}

// list returns the numbers of the segments in ascending order, and removes
// files that were never put to use.
func (j *Journal) list() ([]uint64, error) {
	dir, err := j.disk.root.Open(".")
	if err != nil {
		return nil, err
	}
	names, err := dir.Readdirnames(filesMax)
	if errors.Is(err, io.EOF) {
		err = nil // an empty directory
	}
	if err = errors.Join(err, dir.Close()); err != nil {
		return nil, err
	}
	if len(names) == filesMax {
		return nil, fmt.Errorf("%d files: %w", filesMax, ErrTooLong)
	}
	var numbers []uint64
	for _, name := range names {
		if strings.HasSuffix(name, segmentSuffix+temporary) {
			if err := j.disk.remove(name); err != nil {
				return nil, err
			}
		}
		if n, ok := segmentNumber(name); ok {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// create makes the first segment, then the mark: where there is a mark, there
// is a segment. A first segment without mark and records is what a power cut
// between the two leaves behind.
func (j *Journal) create(numbers []uint64) ([]uint64, error) {
	if len(numbers) > 1 || len(numbers) == 1 && numbers[0] != 1 {
		return nil, fmt.Errorf("segments without a mark: %w", ErrDamaged)
	}
	if len(numbers) == 1 {
		s, b, err := j.load(1, place{})
		if err != nil {
			return nil, err
		}
		if !allZero(b[:s.slots*slotSize]) {
			return nil, fmt.Errorf("records without a mark: %w", ErrDamaged)
		}
	} else if err := j.makeSegment(1); err != nil {
		return nil, err
	}
	m := mark{first: 1, active: 1}
	return []uint64{1}, j.mark.Store(0, m.encode())
}

// split separates the segments that a cut-off Trim did not come to remove from
// those that count, and checks that none of these is missing.
func (j *Journal) split(numbers []uint64) (stale, kept []uint64, err error) {
	i, _ := slices.BinarySearch(numbers, j.marked.first)
	stale, kept = numbers[:i], numbers[i:]
	for k, n := range kept {
		if want := j.marked.first + uint64(k); n != want {
			return nil, nil, fmt.Errorf("segment %d is missing: %w", want, ErrDamaged)
		}
	}
	if len(kept) == 0 || kept[len(kept)-1] < j.marked.active {
		return nil, nil, fmt.Errorf("segment %d is missing: %w", j.marked.active, ErrDamaged)
	}
	return stale, kept, nil
}

// scan reads all segments that count. It returns the one with a torn tail, if
// any, with its content.
func (j *Journal) scan(numbers []uint64) (dirty *dirt, err error) {
	j.head = j.marked.base
	var ended *segment // empty or torn: only zeros may follow
	for i, n := range numbers {
		s, b, err := j.load(n, j.head)
		if err != nil {
			return nil, err
		}
		if ended != nil && !allZero(b) {
			return nil, fmt.Errorf("segment %d slot %d: no record %d, but segment %d is in use: %w",
				ended.number, ended.end, j.head.seq+1, n, ErrDamaged)
		}
		torn, err := s.scan(b, j.visit)
		if err != nil {
			return nil, err
		}
		if torn {
			dirty = &dirt{segment: s, content: b}
			j.recovered.Torn, j.recovered.TornAfter = true, j.head.seq
		}
		if ended == nil && (torn || len(s.at) == 0) {
			ended = &s
		}
		switch {
		case len(s.at) > 0 || i == 0:
			j.segments = append(j.segments, s)
		case i != len(numbers)-1 || n != j.writing().number+1:
			return nil, fmt.Errorf("segment %d is empty: %w", n, ErrDamaged)
		default:
			j.next = s.slots
		}
	}
	return dirty, nil
}

// visit takes one verified record in sequence.
func (j *Journal) visit(f *frame) error {
	p := place{f.Seq, f.Hash}
	if p.hash == (record.Hash{}) {
		return fmt.Errorf("segment %d slot %d: no hash: %w", f.segment, f.slot, ErrDamaged)
	}
	for _, known := range [...]place{j.marked.acked, j.marked.head} {
		if p.seq == known.seq && p != known {
			return fmt.Errorf("segment %d slot %d: record %d is not the one of the mark: %w", f.segment, f.slot, f.Seq, ErrDamaged)
		}
	}
	j.recovered.Records++
	j.setHead(&f.Entry)
	return nil
}

// checkMark refuses a journal that is shorter than it was.
func (j *Journal) checkMark() error {
	if j.head.seq < j.marked.head.seq {
		return fmt.Errorf("segment %d slot %d: records %d to %d are missing: %w",
			j.writing().number, j.writing().end, j.head.seq+1, j.marked.head.seq, ErrDamaged)
	}
	if j.head.seq > 0 && j.last.Seq == 0 {
		return fmt.Errorf("record %d is missing: %w", j.head.seq, ErrDamaged)
	}
	return nil
}

// dirt is a segment with a torn tail.
type dirt struct {
	segment segment
	content []byte
}

// repair carries out what the scan found: the torn tail becomes zero, so that
// no part of it can follow a new record, and segments that a cut-off Trim left
// are removed.
func (j *Journal) repair(stale []uint64, dirty *dirt) error {
	if dirty != nil {
		if err := j.wipe(dirty); err != nil {
			return err
		}
	}
	for _, n := range stale {
		if err := j.disk.remove(segmentName(n)); err != nil {
			return err
		}
	}
	if len(stale) > 0 {
		if err := j.disk.syncDir(); err != nil {
			return err
		}
	}
	var err error
	j.active, err = j.disk.open(segmentName(j.writing().number))
	return err
}

func (j *Journal) wipe(d *dirt) error {
	name := segmentName(d.segment.number)
	f, err := j.disk.open(name)
	if err != nil {
		return err
	}
	end := d.segment.slots
	for allZero(d.content[(end-1)*slotSize : end*slotSize]) {
		end--
	}
	zero := make([]byte, (end-d.segment.end)*slotSize)
	err = j.disk.write(f, name, zero, int64(d.segment.end)*slotSize)
	return errors.Join(err, f.Close())
}

// load reads a whole segment.
func (j *Journal) load(number uint64, base place) (segment, []byte, error) {
	name := segmentName(number)
	f, err := j.disk.open(name)
	if err != nil {
		return segment{}, nil, err
	}
	s, b, err := j.readAll(f, number)
	s.base = base
	return s, b, errors.Join(err, f.Close())
}

func (j *Journal) readAll(f *os.File, number uint64) (segment, []byte, error) {
	info, err := f.Stat()
	if err != nil {
		return segment{}, nil, err
	}
	size := info.Size()
	if size%slotSize != 0 || size == 0 || size > SegmentSlotsMax*slotSize || !info.Mode().IsRegular() {
		return segment{}, nil, fmt.Errorf("segment %d has %d bytes: %w", number, size, ErrDamaged)
	}
	b := make([]byte, size)
	if _, err := f.ReadAt(b, 0); err != nil {
		return segment{}, nil, err
	}
	return segment{number: number, slots: int(size / slotSize)}, b, nil
}
