// Package fat is the file system of a boot partition, as Microsoft's FAT
// specification 1.03 has it: one folder, written whole and the same each time,
// and read without trusting it.
//
// It is here because a board's ROM reads nothing else, and because nothing on a
// register is to mount what was plugged in.
package fat

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
)

// SectorBytes is the size of a sector.
const SectorBytes = 512

// Geometry of what is written: FAT16, which every ROM of a Raspberry Pi reads.
const (
	reserved    = 1 // the boot sector
	tables      = 2
	rootEntries = 512
	entryBytes  = 32
	rootSectors = rootEntries * entryBytes / SectorBytes
	// A file system is FAT16 by the number of its clusters alone.
	clustersMin16 = 4085
	clustersMin32 = 65525
	firstCluster  = 2
	media         = 0xF8 // a fixed disk
	endOfChain16  = 0xFFFF
	volumeID      = 0x52454749 // the same each time
	dayOne        = 0x0021     // 1980-01-01, for every date
)

// Attributes of an entry.
const (
	attrReadOnly = 0x01
	attrVolume   = 0x08
	attrFolder   = 0x10
	attrFile     = 0x20
	attrLong     = 0x0F
)

// NameMax bounds a file's name, in UTF-16 units.
const NameMax = 39 // three entries of a long name

const unitsPerEntry = 13

// File is one file of the only folder.
type File struct {
	Name string
	Data []byte
}

// ErrFull says that the files do not fit.
var ErrFull = errors.New("the files do not fit")

// plan is where everything goes.
type plan struct {
	sectors, perCluster, tableSectors, clusters int
}

func (p plan) dataAt() int { return (reserved + tables*p.tableSectors + rootSectors) * SectorBytes }

func (p plan) clusterBytes() int { return p.perCluster * SectorBytes }

// layOut divides a partition of so many bytes.
func layOut(size int) (p plan, err error) {
	p.sectors = size / SectorBytes
	for p.perCluster = 1; p.perCluster <= 64; p.perCluster *= 2 {
		// The table's size depends on the clusters, which depend on it: once with a
		// table that is large enough for all sectors.
		most := p.sectors / p.perCluster
		p.tableSectors = ((most+firstCluster)*2 + SectorBytes - 1) / SectorBytes
		p.clusters = (p.sectors - reserved - tables*p.tableSectors - rootSectors) / p.perCluster
		if p.clusters < clustersMin32 {
			break
		}
	}
	if p.clusters < clustersMin16 || p.clusters >= clustersMin32 {
		return p, fmt.Errorf("fat: %d bytes: no FAT16 has this size", size)
	}
	return p, nil
}

// Build returns a file system of size bytes, with files one after the other:
// the same for the same arguments.
func Build(label string, size int, files []File) ([]byte, error) {
	p, err := layOut(size)
	if err != nil {
		return nil, err
	}
	disk := make([]byte, p.sectors*SectorBytes)
	writeBoot(disk, p, label)
	table := make([]byte, p.tableSectors*SectorBytes)
	binary.LittleEndian.PutUint16(table, 0xFF00|media)
	binary.LittleEndian.PutUint16(table[2:], endOfChain16)
	root := entry(shortLabel(label), attrVolume, 0, 0)
	taken := map[string]bool{}
	next := firstCluster
	for _, f := range files {
		need := (len(f.Data) + p.clusterBytes() - 1) / p.clusterBytes()
		if next+need > p.clusters+firstCluster {
			return nil, fmt.Errorf("fat: %s: %w", f.Name, ErrFull)
		}
		first := 0
		if need > 0 {
			first = next
		}
		for i := range need {
			follower := endOfChain16
			if i < need-1 {
				follower = next + i + 1
			}
			binary.LittleEndian.PutUint16(table[2*(next+i):], uint16(follower))
		}
		copy(disk[p.dataAt()+(next-firstCluster)*p.clusterBytes():], f.Data)
		next += need
		named, err := named(f.Name, taken, first, len(f.Data))
		if err != nil {
			return nil, err
		}
		root = append(root, named...)
	}
	if len(root) > rootEntries*entryBytes {
		return nil, fmt.Errorf("fat: %d files: %w", len(files), ErrFull)
	}
	for i := range tables {
		copy(disk[(reserved+i*p.tableSectors)*SectorBytes:], table)
	}
	copy(disk[(reserved+tables*p.tableSectors)*SectorBytes:], root)
	return disk, nil
}

// writeBoot writes the boot sector: its parameters, and no code.
func writeBoot(b []byte, p plan, label string) {
	copy(b, []byte{0xEB, 0x3C, 0x90}) // a jump over the parameters, by which readers know a FAT
	copy(b[3:], "REGI    ")
	binary.LittleEndian.PutUint16(b[11:], SectorBytes)
	b[13] = byte(p.perCluster) //nolint:gosec // at most 64
	binary.LittleEndian.PutUint16(b[14:], reserved)
	b[16] = tables
	binary.LittleEndian.PutUint16(b[17:], rootEntries)
	if p.sectors < 1<<16 {
		binary.LittleEndian.PutUint16(b[19:], uint16(p.sectors)) //nolint:gosec // just compared
	} else {
		binary.LittleEndian.PutUint32(b[32:], uint32(p.sectors)) //nolint:gosec // under 2 GiB
	}
	b[21] = media
	binary.LittleEndian.PutUint16(b[22:], uint16(p.tableSectors)) //nolint:gosec // at most 256
	binary.LittleEndian.PutUint16(b[24:], 63)                     // sectors a track, heads: of no use, but checked
	binary.LittleEndian.PutUint16(b[26:], 255)
	b[36] = 0x80 // a hard disk
	b[38] = 0x29 // the three that follow are there
	binary.LittleEndian.PutUint32(b[39:], volumeID)
	copy(b[43:], shortLabel(label))
	copy(b[54:], "FAT16   ")
	b[510], b[511] = 0x55, 0xAA
}

func shortLabel(label string) string {
	return fmt.Sprintf("%-11.11s", strings.ToUpper(label))
}

// entry is one of the folder. short is in its eleven bytes.
func entry(short string, attr byte, first, size int) []byte {
	b := make([]byte, entryBytes)
	copy(b, short)
	b[11] = attr
	binary.LittleEndian.PutUint16(b[16:], dayOne)
	binary.LittleEndian.PutUint16(b[18:], dayOne)
	binary.LittleEndian.PutUint16(b[24:], dayOne)
	binary.LittleEndian.PutUint16(b[26:], uint16(first)) //nolint:gosec // under clustersMin32
	binary.LittleEndian.PutUint32(b[28:], uint32(size))  //nolint:gosec // fits the disk
	return b
}

// named returns the entries of a file: its long name, last part first, and its
// short one.
func named(name string, taken map[string]bool, first, size int) ([]byte, error) {
	units := utf16.Encode([]rune(name))
	if len(units) == 0 || len(units) > NameMax || strings.ContainsAny(name, "\"*/:<>?\\|\x00") {
		return nil, fmt.Errorf("fat: %q is no name for a file", name)
	}
	short, err := shorten(name, taken)
	if err != nil {
		return nil, err
	}
	sum := checksum(short)
	parts := (len(units) + unitsPerEntry - 1) / unitsPerEntry
	var all []byte
	for part := parts; part > 0; part-- {
		b := make([]byte, entryBytes)
		b[0] = byte(part) //nolint:gosec // at most 3
		if part == parts {
			b[0] |= lastPart
		}
		b[11], b[13] = attrLong, sum
		for i, at := range longUnits {
			unit := uint16(0xFFFF)
			switch n := (part-1)*unitsPerEntry + i; {
			case n < len(units):
				unit = units[n]
			case n == len(units):
				unit = 0
			}
			binary.LittleEndian.PutUint16(b[at:], unit)
		}
		all = append(all, b...)
	}
	return append(all, entry(short, attrFile|attrReadOnly, first, size)...), nil
}

const lastPart = 0x40

// longUnits are the places of a long name's units in an entry.
//
//nolint:gochecknoglobals // a constant table
var longUnits = [unitsPerEntry]int{1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30}

// shorten makes the name of eleven bytes that goes with a long one.
func shorten(name string, taken map[string]bool) (string, error) {
	base, ext := name, ""
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		base, ext = name[:i], name[i+1:]
	}
	plain := func(s string) string {
		return strings.Map(func(c rune) rune {
			switch {
			case c >= 'a' && c <= 'z':
				return c - 'a' + 'A'
			case c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
				return c
			}
			return -1
		}, s)
	}
	b, e := plain(base), plain(ext)
	if len(b) <= 8 && len(e) <= 3 && len(b) == len(base) && len(e) == len(ext) {
		if short := fmt.Sprintf("%-8s%-3s", b, e); !taken[short] {
			taken[short] = true
			return short, nil
		}
	}
	for n := 1; n <= 9; n++ {
		short := fmt.Sprintf("%-8s%-3.3s", fmt.Sprintf("%.6s~%d", b, n), e)
		if !taken[short] {
			taken[short] = true
			return short, nil
		}
	}
	return "", fmt.Errorf("fat: %q: too many names like it", name)
}

// checksum binds a long name to its short one.
func checksum(short string) (sum byte) {
	for i := range len(short) {
		sum = sum>>1 | sum<<7
		sum += short[i]
	}
	return sum
}
