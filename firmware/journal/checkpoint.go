package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"sync"
)

const (
	// CheckpointMax bounds the data of a checkpoint, in bytes.
	CheckpointMax = 256 << 10

	checkpointMagic = "REGICKP1"
	checkpointHead  = 32 // magic 8 | CRC-32C 4 | length u32 | generation u64 | seq u64
	checkpointCap   = 512 << 10
)

// Checkpoint is a file that holds the newest of what is stored in it, over
// power cuts: two slots written in turn, each with its own CRC-32C. It is safe
// for concurrent use.
type Checkpoint struct {
	mu      sync.Mutex
	disk    *disk
	name    string
	own     bool     // disk is closed with the checkpoint
	f       *os.File // nil until the first Store
	cap     int      // bytes of each slot
	bad     bool     // one slot was invalid at Open
	newest  int      // slot that holds what follows
	gen     uint64   // 0: nothing stored
	seq     uint64
	data    []byte
	scratch []byte
}

// OpenCheckpoint opens or prepares the file; its directory must exist, and no
// other process may use it. ErrDamaged if neither slot is valid, which no power
// cut leaves behind.
func OpenCheckpoint(path string) (*Checkpoint, error) {
	d, err := openDisk(filepath.Dir(path), nil)
	if err != nil {
		return nil, fmt.Errorf("journal: checkpoint: %w", err)
	}
	c, err := openCheckpoint(d, filepath.Base(path))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("journal: checkpoint: %w", err), d.close())
	}
	c.own = true
	return c, nil
}

func openCheckpoint(d *disk, name string) (*Checkpoint, error) {
	c := &Checkpoint{disk: d, name: name}
	if err := ignoreMissing(d.root.Remove(name + temporary)); err != nil {
		return nil, err
	}
	err := c.load()
	if errors.Is(err, os.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, errors.Join(err, c.closeFile())
	}
	return c, nil
}

// Load returns a copy of what was stored last, and its seq; ok is false if
// nothing ever was.
func (c *Checkpoint) Load() (data []byte, seq uint64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.data), c.seq, c.gen > 0
}

// Torn reports whether Open found one slot invalid: a Store was cut off, or
// that slot was damaged. What Load returns is the other slot, and may be older
// than the last Store that returned.
func (c *Checkpoint) Torn() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bad
}

// Store replaces the older slot; data, at most CheckpointMax bytes, is durable
// on return. After an error what Load returns is unchanged; Store may be tried
// again. seq is the caller's and not looked at.
func (c *Checkpoint) Store(seq uint64, data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(data) > CheckpointMax {
		return fmt.Errorf("journal: checkpoint: %w", ErrTooLong)
	}
	if err := c.store(seq, data); err != nil {
		return fmt.Errorf("journal: checkpoint: %w", err)
	}
	return nil
}

// Close closes the file.
func (c *Checkpoint) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.closeFile()
	if c.own && c.disk != nil {
		err = errors.Join(err, c.disk.close())
	}
	c.disk = nil
	return err
}

func (c *Checkpoint) store(seq uint64, data []byte) error {
	if c.disk == nil {
		return ErrClosed
	}
	slot := c.encode(seq, data)
	older := 1 - c.newest
	if c.f == nil || len(slot) > c.cap {
		if err := c.grow(slot); err != nil {
			return err
		}
		older = 0
	} else if err := c.disk.write(c.f, c.name, slot, int64(older)*int64(c.cap)); err != nil {
		return err
	}
	c.newest, c.gen, c.seq = older, c.gen+1, seq
	c.data = append(c.data[:0], data...)
	return nil
}

// grow replaces the file by one whose slots, both of them slot, are larger.
// The old file is let go first: if anything fails, nobody knows which of them
// has the name, and the next Store replaces it again.
func (c *Checkpoint) grow(slot []byte) error {
	if err := c.closeFile(); err != nil {
		return err
	}
	size := slotSize
	for size < len(slot) {
		size *= 2
	}
	chunk := make([]byte, size)
	copy(chunk, slot)
	if err := c.disk.put(c.name, chunk, 2); err != nil {
		return err
	}
	f, err := c.disk.open(c.name)
	if err != nil {
		return err
	}
	c.f, c.cap = f, size
	return nil
}

// encode writes a slot, in whole blocks, so that the disk need not read first.
func (c *Checkpoint) encode(seq uint64, data []byte) []byte {
	n := (checkpointHead + len(data) + slotSize - 1) / slotSize * slotSize
	if cap(c.scratch) < n {
		c.scratch = make([]byte, n)
	}
	b := c.scratch[:n]
	clear(b)
	copy(b, checkpointMagic)
	binary.BigEndian.PutUint32(b[12:], uint32(len(data))) //nolint:gosec // at most CheckpointMax
	binary.BigEndian.PutUint64(b[16:], c.gen+1)
	binary.BigEndian.PutUint64(b[24:], seq)
	copy(b[checkpointHead:], data)
	binary.BigEndian.PutUint32(b[8:], checkpointSum(b, len(data)))
	return b
}

// load opens the file and keeps the newer valid slot.
func (c *Checkpoint) load() error {
	f, err := c.disk.open(c.name)
	if err != nil {
		return err
	}
	c.f = f
	info, err := f.Stat()
	if err != nil {
		return err
	}
	size := info.Size()
	if size%(2*slotSize) != 0 || size == 0 || size > 2*checkpointCap {
		return fmt.Errorf("%s has %d bytes: %w", c.name, size, ErrDamaged)
	}
	c.cap = int(size / 2)
	b := make([]byte, size)
	if _, err := f.ReadAt(b, 0); err != nil {
		return err
	}
	for i, slot := range [2][]byte{b[:c.cap], b[c.cap:]} {
		gen, seq, data, ok := parseCheckpoint(slot)
		switch {
		case !ok:
			c.bad = true
		case gen > c.gen:
			c.newest, c.gen, c.seq, c.data = i, gen, seq, bytes.Clone(data)
		}
	}
	if c.gen == 0 {
		return fmt.Errorf("both slots of %s: %w", c.name, ErrDamaged)
	}
	return nil
}

func parseCheckpoint(b []byte) (gen, seq uint64, data []byte, ok bool) {
	if len(b) < checkpointHead || string(b[:len(checkpointMagic)]) != checkpointMagic {
		return 0, 0, nil, false
	}
	n := binary.BigEndian.Uint32(b[12:])
	if n > CheckpointMax || int(n) > len(b)-checkpointHead {
		return 0, 0, nil, false
	}
	if binary.BigEndian.Uint32(b[8:]) != checkpointSum(b, int(n)) {
		return 0, 0, nil, false
	}
	gen, seq = binary.BigEndian.Uint64(b[16:]), binary.BigEndian.Uint64(b[24:])
	return gen, seq, b[checkpointHead : checkpointHead+int(n)], gen > 0
}

func checkpointSum(b []byte, n int) uint32 {
	return crc32.Checksum(b[12:checkpointHead+n], crc32.MakeTable(crc32.Castagnoli))
}

func (c *Checkpoint) closeFile() error {
	if c.f == nil {
		return nil
	}
	f := c.f
	c.f = nil
	return f.Close()
}
