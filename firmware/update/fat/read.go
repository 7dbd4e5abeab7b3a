package fat

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf16"
)

// Errors of reading.
var (
	// ErrNone says that there is no FAT16 or FAT32.
	ErrNone = errors.New("no FAT file system")
	// ErrDamaged says that what is there contradicts itself.
	ErrDamaged = errors.New("the file system is damaged")
	// ErrNoFile says that the folder at the top has no such file.
	ErrNoFile = errors.New("no such file")
)

const (
	// folderMax bounds the entries of the folder at the top that are looked at.
	folderMax = 8192
	// clusterBytesMax is the largest cluster that is read.
	clusterBytesMax = 64 << 10
)

// FS is a file system that is read.
type FS struct {
	r                   io.ReaderAt
	wide                bool  // FAT32
	tableAt, tableBytes int64 // the first table
	rootAt              int64 // FAT16
	rootEntries         int
	rootFirst           uint32 // FAT32
	dataAt, bytesPer    int64
	clusters            uint32
}

// Open reads the boot sector.
func Open(r io.ReaderAt) (*FS, error) {
	b := make([]byte, SectorBytes)
	if _, err := r.ReadAt(b, 0); err != nil {
		return nil, fmt.Errorf("fat: %w", errors.Join(ErrNone, err))
	}
	u16 := func(at int) int64 { return int64(binary.LittleEndian.Uint16(b[at:])) }
	u32 := func(at int) int64 { return int64(binary.LittleEndian.Uint32(b[at:])) }
	perCluster, copies := int64(b[13]), int64(b[16])
	if b[510] != 0x55 || b[511] != 0xAA || b[0] != 0xEB && b[0] != 0xE9 || u16(11) != SectorBytes ||
		perCluster == 0 || perCluster&(perCluster-1) != 0 || perCluster*SectorBytes > clusterBytesMax || copies == 0 || copies > 2 || u16(14) == 0 {
		return nil, fmt.Errorf("fat: %w", ErrNone)
	}
	sectors, table := u16(19), u16(22)
	if sectors == 0 {
		sectors = u32(32)
	}
	if table == 0 {
		table = u32(36)
	}
	f := &FS{r: r, tableAt: u16(14) * SectorBytes, tableBytes: table * SectorBytes, bytesPer: perCluster * SectorBytes, rootEntries: int(u16(17))}
	f.rootAt = f.tableAt + copies*f.tableBytes
	f.dataAt = f.rootAt + (int64(f.rootEntries)*entryBytes+SectorBytes-1)/SectorBytes*SectorBytes
	clusters := (sectors*SectorBytes - f.dataAt) / f.bytesPer
	if clusters < clustersMin16 || clusters > 1<<28 {
		return nil, fmt.Errorf("fat: %w", ErrNone)
	}
	f.clusters, f.wide = uint32(clusters), clusters >= clustersMin32
	if f.wide {
		f.rootFirst = uint32(u32(44)) //nolint:gosec // 32 bits
	}
	if need := (clusters + firstCluster) * f.unit(); need > f.tableBytes || f.wide == (f.rootEntries != 0) {
		return nil, fmt.Errorf("fat: %w", ErrDamaged)
	}
	return f, nil
}

// unit is the size of an entry of the table.
func (f *FS) unit() int64 {
	if f.wide {
		return 4
	}
	return 2
}

// follow returns the cluster after c; more is false at the end of a chain.
func (f *FS) follow(c uint32) (next uint32, more bool, err error) {
	var b [4]byte
	if _, err := f.r.ReadAt(b[:f.unit()], f.tableAt+int64(c)*f.unit()); err != nil {
		return 0, false, fmt.Errorf("fat: %w", err)
	}
	next = binary.LittleEndian.Uint32(b[:]) & 0x0FFFFFFF
	end := uint32(0x0FFFFFF8)
	if !f.wide {
		end = 0xFFF8
	}
	if next >= end {
		return 0, false, nil
	}
	if !f.has(next) {
		return 0, false, fmt.Errorf("fat: %w", ErrDamaged)
	}
	return next, true, nil
}

func (f *FS) has(c uint32) bool { return c >= firstCluster && c < f.clusters+firstCluster }

func (f *FS) at(c uint32) int64 { return f.dataAt + int64(c-firstCluster)*f.bytesPer }

// Entry is a file of the folder at the top.
type Entry struct {
	Size  int64
	fs    *FS
	first uint32
}

// Find returns a file of the folder at the top by its name, long or short; case
// does not matter.
func (f *FS) Find(name string) (*Entry, error) {
	found, err := f.search(func(long, short string) bool {
		return strings.EqualFold(long, name) || strings.EqualFold(short, name)
	})
	if err != nil {
		return nil, fmt.Errorf("fat: %s: %w", name, err)
	}
	return found, nil
}

func (f *FS) search(is func(long, short string) bool) (*Entry, error) {
	var parts []string
	for e, err := range f.folder() {
		switch {
		case err != nil:
			return nil, err
		case e[0] == 0:
			return nil, ErrNoFile
		case e[0] == 0xE5: // deleted
			parts = nil
		case e[11] == attrLong:
			if e[0]&lastPart != 0 {
				parts = nil
			}
			if len(parts) < 20 { // as many as a name may have
				parts = append(parts, longPart(e))
			}
		default:
			slices.Reverse(parts) // the last part comes first
			long := strings.Join(parts, "")
			parts = nil
			if e[11]&(attrVolume|attrFolder) != 0 || !is(long, shortName(e)) {
				continue
			}
			first := uint32(binary.LittleEndian.Uint16(e[26:]))
			if f.wide {
				first |= uint32(binary.LittleEndian.Uint16(e[20:])) << 16
			}
			found := &Entry{Size: int64(binary.LittleEndian.Uint32(e[28:])), fs: f, first: first}
			if found.Size > 0 && !f.has(first) {
				return nil, ErrDamaged
			}
			return found, nil
		}
	}
	return nil, ErrNoFile
}

// folder goes through the entries of the folder at the top.
func (f *FS) folder() func(yield func([]byte, error) bool) {
	return func(yield func([]byte, error) bool) {
		e := make([]byte, entryBytes)
		if !f.wide {
			for i := range f.rootEntries {
				_, err := f.r.ReadAt(e, f.rootAt+int64(i)*entryBytes)
				if !yield(e, err) || err != nil {
					return
				}
			}
			return
		}
		perCluster, c := f.bytesPer/entryBytes, f.rootFirst
		if !f.has(c) {
			yield(nil, ErrDamaged)
			return
		}
		for i := range int64(folderMax) {
			if i > 0 && i%perCluster == 0 {
				next, more, err := f.follow(c)
				if err != nil {
					yield(nil, err)
				}
				if err != nil || !more {
					return
				}
				c = next
			}
			_, err := f.r.ReadAt(e, f.at(c)+i%perCluster*entryBytes)
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

func longPart(e []byte) string {
	var units []uint16
	for _, at := range longUnits {
		u := binary.LittleEndian.Uint16(e[at:])
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}

func shortName(e []byte) string {
	base, ext := strings.TrimRight(string(e[:8]), " "), strings.TrimRight(string(e[8:11]), " ")
	if ext == "" {
		return base
	}
	return base + "." + ext
}

// Offset is where a file of at most one cluster begins, in bytes.
func (e *Entry) Offset() (int64, error) {
	if e.Size == 0 || e.Size > e.fs.bytesPer {
		return 0, fmt.Errorf("fat: a file of %d bytes has no one place", e.Size)
	}
	return e.fs.at(e.first), nil
}

// Reader reads a file from its begin.
func (e *Entry) Reader() io.Reader { return &reader{e: e, cluster: e.first} }

type reader struct {
	e       *Entry
	cluster uint32
	done    int64 // bytes read: the chain is followed no further than the size, so one that bites its tail ends
}

func (r *reader) Read(b []byte) (int, error) {
	left := r.e.Size - r.done
	if left == 0 {
		return 0, io.EOF
	}
	per := r.e.fs.bytesPer
	if r.done > 0 && r.done%per == 0 {
		next, more, err := r.e.fs.follow(r.cluster)
		if err == nil && !more {
			err = fmt.Errorf("fat: %w", ErrDamaged)
		}
		if err != nil {
			return 0, err
		}
		r.cluster = next
	}
	n := min(int64(len(b)), left, per-r.done%per)
	if n == 0 {
		return 0, nil
	}
	got, err := r.e.fs.r.ReadAt(b[:n], r.e.fs.at(r.cluster)+r.done%per)
	r.done += int64(got)
	if int64(got) == n {
		err = nil
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return got, err
}
