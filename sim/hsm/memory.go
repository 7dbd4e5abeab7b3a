package hsm

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"regi/firmware/record"
)

// Limits of what is remembered.
const (
	// ikidsMax: of the initial keys given out, so many of the newest are good;
	// older ones are retired, so that what is remembered of them can be dropped.
	ikidsMax = 4096
	// windowSize: a counter so far behind the highest of its key is refused.
	windowSize = 64
	// answersMax: so many of the newest answers are given again for their ID.
	answersMax = 4096
	// entryMax bounds one line of the file, in bytes.
	entryMax = 1024
	// compactAfter: so many bytes after the last time, the file is written anew
	// with only what still counts.
	compactAfter = 8 << 20
	// memoryMax bounds the file: all windows and answers full, and compactAfter.
	memoryMax = 2*ikidsMax*windowSize*160 + answersMax*entryMax + compactAfter
)

const memoryName = "memory"

// entry is one line of the file, and one change of what is remembered. Each
// line is the CRC-32C of the rest in eight hex digits, a blank, JSON.
type entry struct {
	Issued  uint32  `json:"issued,omitempty"`  // the newest initial key given out
	Readers uint32  `json:"readers,omitempty"` // the same, of encrypting readers
	Used    *use    `json:"used,omitempty"`
	Answer  *answer `json:"answer,omitempty"`
}

// use is one transaction key that was used.
type use struct {
	Key      uint32          `json:"key"` // number of the initial key, with readerKeys for a reader's
	Counter  uint32          `json:"counter"`
	Register record.ID       `json:"register"`
	Tag      record.HexBytes `json:"tag"` // of the card read, see request.tag
}

const tagSize = 8

// readerKeys marks the number of an encrypting reader's initial key.
const readerKeys = 1 << 31

// answer is what was said to one request. No reply: the processor was silent,
// and will be again.
type answer struct {
	Register record.ID         `json:"register"`
	ID       string            `json:"id"`
	Request  record.Hash       `json:"request"`
	Reply    *record.AuthReply `json:"reply,omitempty"`
}

// attempt names a request: an ID is a register's own.
type attempt struct {
	register record.ID
	id       string
}

// window is what is remembered of one initial key.
type window struct {
	register record.ID // who used it first
	highest  uint32
	ring     [windowSize]struct {
		counter uint32
		tag     [tagSize]byte
	}
}

// memory is what must not be forgotten: which keys were given out and used,
// and what was answered. A change is on disk before it has any effect.
type memory struct {
	dir     string
	file    *os.File
	failed  error // of the file; nothing more is remembered, so nothing answered
	grown   int   // bytes since the file was last written anew
	issued  uint32
	readers uint32
	windows map[uint32]*window
	answers map[attempt]answer
	order   []attempt // of answers, a ring; next is the oldest once it is full
	next    int
}

// openMemory reads the file of a folder. A line cut short by a power cut is
// dropped: nothing came of it. Any other damage is an error.
func openMemory(dir string) (*memory, error) {
	m := &memory{dir: dir, windows: map[uint32]*window{}, answers: map[attempt]answer{}}
	f, err := os.OpenFile(filepath.Join(dir, memoryName), os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the configuration names the folder
	if err != nil {
		return nil, fmt.Errorf("hsm: memory: %w", err)
	}
	m.file = f
	info, err := f.Stat()
	if err == nil && info.Size() > memoryMax {
		err = errors.New("file is too long")
	}
	if err == nil {
		err = m.load(f)
	}
	if err == nil {
		err = m.compact() // also ends a line that was cut short
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("hsm: memory: %w", err), m.file.Close())
	}
	return m, nil
}

func (m *memory) load(f io.Reader) error {
	r := bufio.NewReaderSize(f, entryMax)
	for n := 1; ; n++ {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return nil // a line without its end never took effect
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		e, err := decodeEntry(line[:len(line)-1])
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		m.apply(e)
	}
}

func encodeEntry(e entry) ([]byte, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	line := fmt.Appendf(nil, "%08x %s\n", crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)), text)
	if len(line) > entryMax {
		return nil, fmt.Errorf("entry over %d bytes", entryMax)
	}
	return line, nil
}

func decodeEntry(line []byte) (e entry, err error) {
	sum, text, _ := bytes.Cut(line, []byte{' '})
	want, err := strconv.ParseUint(string(sum), 16, 32)
	if err != nil || uint32(want) != crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)) {
		return e, errors.New("damaged")
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return e, err
	}
	if e.Used != nil && len(e.Used.Tag) != tagSize {
		return e, errors.New("damaged")
	}
	return e, nil
}

// remember has a change on disk, then in effect.
func (m *memory) remember(e entry) error {
	if m.failed != nil {
		return m.failed
	}
	if err := m.write(e); err != nil {
		// A second line must not be joined to half a first one.
		m.failed = fmt.Errorf("hsm: memory: %w", err)
		return m.failed
	}
	m.apply(e)
	return nil
}

func (m *memory) write(e entry) error {
	if m.grown >= compactAfter {
		if err := m.compact(); err != nil {
			return err
		}
	}
	line, err := encodeEntry(e)
	if err != nil {
		return err
	}
	m.grown += len(line)
	if _, err := m.file.Write(line); err != nil {
		return err
	}
	return m.file.Sync()
}

func (m *memory) apply(e entry) {
	if e.Issued > m.issued {
		if m.issued = e.Issued; m.issued > ikidsMax {
			delete(m.windows, m.issued-ikidsMax)
		}
	}
	if e.Readers > m.readers {
		if m.readers = e.Readers; m.readers > ikidsMax {
			delete(m.windows, readerKeys|m.readers-ikidsMax)
		}
	}
	if u := e.Used; u != nil && m.good(u.Key) {
		w := m.windows[u.Key]
		if w == nil {
			w = &window{register: u.Register}
			m.windows[u.Key] = w
		}
		w.highest = max(w.highest, u.Counter)
		slot := &w.ring[u.Counter%windowSize]
		slot.counter, slot.tag = u.Counter, [tagSize]byte(u.Tag)
	}
	if a := e.Answer; a != nil {
		m.keep(attempt{a.Register, a.ID}, *a)
	}
}

func (m *memory) keep(k attempt, a answer) {
	if _, known := m.answers[k]; !known {
		if len(m.order) < answersMax {
			m.order = append(m.order, k)
		} else {
			delete(m.answers, m.order[m.next])
			m.order[m.next] = k
			m.next = (m.next + 1) % answersMax
		}
	}
	m.answers[k] = a
}

// good reports whether an initial key was given out and is not retired.
func (m *memory) good(key uint32) bool {
	newest := m.issued
	if key&readerKeys != 0 {
		newest, key = m.readers, key&^readerKeys
	}
	return key > 0 && key <= newest && newest-key < ikidsMax
}

// compact writes the file anew with what still counts, oldest first.
func (m *memory) compact() error {
	var b bytes.Buffer
	add := func(e entry) error {
		line, err := encodeEntry(e)
		b.Write(line)
		return err
	}
	if err := add(entry{Issued: m.issued, Readers: m.readers}); err != nil {
		return err
	}
	for key, w := range m.windows {
		for _, s := range w.ring {
			u := &use{Key: key, Counter: s.counter, Register: w.register, Tag: s.tag[:]}
			if s.counter != 0 {
				if err := add(entry{Used: u}); err != nil {
					return err
				}
			}
		}
	}
	for i := range m.order {
		a := m.answers[m.order[(m.next+i)%len(m.order)]]
		if err := add(entry{Answer: &a}); err != nil {
			return err
		}
	}
	if err := replaceFile(m.dir, memoryName, b.Bytes()); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(m.dir, memoryName), os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	old := m.file
	m.file, m.grown = f, 0
	return old.Close()
}

// close ends the use of the file.
func (m *memory) close() error { return m.file.Close() }
