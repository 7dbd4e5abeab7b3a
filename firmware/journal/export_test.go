package journal

// What the tests in package journal_test see of the inside: the disk's steps,
// and the readers of what lies on it.

// Step is one change of the directory, before it is carried out.
type Step struct {
	Op, Name, To string
	Off          int64
	Data         []byte // valid during the call
}

// Tap sees each step; see disk.tap.
type Tap func(Step) (keep int, err error)

func (t Tap) inside() func(step) (int, error) {
	if t == nil {
		return nil
	}
	return func(s step) (int, error) { return t(Step{s.op, s.name, s.to, s.off, s.data}) }
}

// OpenTapped is Open with a tap.
func OpenTapped(dir string, o Options, t Tap) (*Journal, error) { return open(dir, o, t.inside()) }

// OpenCheckpointTapped is OpenCheckpoint of a file in dir, with a tap.
func OpenCheckpointTapped(dir, name string, t Tap) (*Checkpoint, error) {
	d, err := openDisk(dir, t.inside())
	if err != nil {
		return nil, err
	}
	c, err := openCheckpoint(d, name)
	if err != nil {
		_ = d.close()
		return nil, err
	}
	c.own = true
	return c, nil
}

// Crash lets go of the files as the end of the process does: nothing is noted.
func (j *Journal) Crash() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failed = ErrClosed
	return j.closeFiles()
}

// Limits of the layout.
const (
	SlotSize      = slotSize
	FrameHead     = frameHead
	CheckpointCap = checkpointCap
)

// Frame is what parseFrame reads.
type Frame struct {
	Entry
	Segment                   uint64
	Slot, First, Index, Count int
	Slots                     int
}

// ParseFrame is parseFrame.
func ParseFrame(b []byte) (Frame, bool) {
	f, ok := parseFrame(b)
	return Frame{f.Entry, f.segment, f.slot, f.first, f.index, f.count, f.slots()}, ok
}

// Bytes is put.
func (f Frame) Bytes() []byte {
	in := frame{Entry: f.Entry, segment: f.Segment, slot: f.Slot, first: f.First, index: f.Index, count: f.Count}
	b := make([]byte, in.slots()*slotSize)
	in.put(b)
	return b
}

// FrameSlots is frameSlots.
func FrameSlots(b []byte) (int, bool) { return frameSlots(b) }

// Checksum is checksum.
func Checksum(b []byte) uint32 { return checksum(b) }

// ReencodeMark is parseMark and encode.
func ReencodeMark(b []byte) ([]byte, error) {
	m, err := parseMark(b)
	return m.encode(), err
}

// ParseCheckpoint is parseCheckpoint.
func ParseCheckpoint(b []byte) (gen, seq uint64, data []byte, ok bool) { return parseCheckpoint(b) }

// ScanSegment reads a whole segment, whose first record follows seq and hash,
// as Open does, and returns its records' number and whether its tail is torn.
func ScanSegment(b []byte, number uint64, base Entry) (records int, torn bool, err error) {
	s := segment{number: number, slots: len(b) / slotSize, base: place{base.Seq, base.Hash}}
	torn, err = s.scan(b, func(*frame) error { return nil })
	return len(s.at), torn, err
}
