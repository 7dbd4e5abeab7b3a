package font

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Portable Compiled Format, the X server's: a table of contents, then tables,
// each with its own byte order. Of its variants only the one that Debian's
// fonts use is read: most significant byte and bit first, compressed metrics.
const (
	pcfMagic = "\x01fcp"

	tableMetrics   = 1 << 2
	tableBitmaps   = 1 << 3
	tableEncodings = 1 << 5

	formatPad        = 3 << 0 // rows are padded to 1<<pad bytes
	formatBytesMSB   = 1 << 2
	formatBitsMSB    = 1 << 3
	formatCompressed = 1 << 8 // metrics of five bytes each

	noGlyph = 0xFFFF
)

var errPCF = errors.New("not a PCF font of the expected kind")

// metric is a glyph's ink box relative to its origin.
type metric struct{ left, right, width, ascent, descent int }

// readPCF returns the glyphs by their two-byte code.
func readPCF(data []byte) (map[uint16]Glyph, error) {
	tables, err := contents(data)
	if err != nil {
		return nil, err
	}
	metrics, err := readMetrics(tables[tableMetrics])
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	glyphs, err := readBitmaps(tables[tableBitmaps], metrics)
	if err != nil {
		return nil, fmt.Errorf("bitmaps: %w", err)
	}
	byCode, err := readEncodings(tables[tableEncodings], glyphs)
	if err != nil {
		return nil, fmt.Errorf("encodings: %w", err)
	}
	return byCode, nil
}

// contents splits the file into its tables, without their format words, which
// must be the expected ones.
func contents(data []byte) (map[uint32][]byte, error) {
	if len(data) < 8 || string(data[:4]) != pcfMagic {
		return nil, errPCF
	}
	n := int(binary.LittleEndian.Uint32(data[4:]) & 0xFF)
	if len(data) < 8+16*n {
		return nil, errPCF
	}
	tables := make(map[uint32][]byte, n)
	for i := range n {
		entry := data[8+16*i:]
		kind := binary.LittleEndian.Uint32(entry)
		format := binary.LittleEndian.Uint32(entry[4:])
		size := uint64(binary.LittleEndian.Uint32(entry[8:]))
		off := uint64(binary.LittleEndian.Uint32(entry[12:]))
		end := min(off+size, uint64(len(data))) // the last table's size is larger than what is there
		if off+4 > end {
			return nil, errPCF
		}
		if format&formatBytesMSB == 0 || format&formatBitsMSB == 0 ||
			kind == tableBitmaps && format&formatPad != 2 ||
			kind == tableMetrics && format&formatCompressed == 0 {
			return nil, errPCF
		}
		tables[kind] = data[off+4 : end]
	}
	return tables, nil
}

func readMetrics(t []byte) ([]metric, error) {
	if len(t) < 2 {
		return nil, errPCF
	}
	n := int(binary.BigEndian.Uint16(t))
	t = t[2:]
	if len(t) < 5*n {
		return nil, errPCF
	}
	ms := make([]metric, n)
	for i := range ms {
		b := t[5*i:]
		ms[i] = metric{int(b[0]) - 0x80, int(b[1]) - 0x80, int(b[2]) - 0x80, int(b[3]) - 0x80, int(b[4]) - 0x80}
	}
	return ms, nil
}

// readBitmaps reads glyphs whose ink box is at most 32 dots wide and 24 high.
func readBitmaps(t []byte, ms []metric) ([]Glyph, error) {
	if len(t) < 4 || int(binary.BigEndian.Uint32(t)) != len(ms) {
		return nil, errPCF
	}
	offsets := t[4:]
	if len(offsets) < 4*len(ms)+16 {
		return nil, errPCF
	}
	bits := offsets[4*len(ms)+16:] // after the four sizes, one for each padding
	glyphs := make([]Glyph, len(ms))
	for i, m := range ms {
		off, h := int(binary.BigEndian.Uint32(offsets[4*i:])), m.ascent+m.descent
		if m.left != 0 || m.right-m.left > 32 || h < 0 || h > Height || off < 0 || off+4*h > len(bits) {
			return nil, errPCF
		}
		for y := range h {
			glyphs[i][y] = binary.BigEndian.Uint32(bits[off+4*y:])
		}
	}
	return glyphs, nil
}

func readEncodings(t []byte, glyphs []Glyph) (map[uint16]Glyph, error) {
	if len(t) < 10 {
		return nil, errPCF
	}
	word := func(i int) int { return int(binary.BigEndian.Uint16(t[2*i:])) }
	lo1, lo2, hi1, hi2 := word(0), word(1), word(2), word(3) // byte 2 is the low byte
	cols := lo2 - lo1 + 1
	if lo2 < lo1 || hi2 < hi1 || lo2 > 0xFF || hi2 > 0xFF || len(t) < 10+2*cols*(hi2-hi1+1) {
		return nil, errPCF
	}
	byCode := make(map[uint16]Glyph, len(glyphs))
	for hi := hi1; hi <= hi2; hi++ {
		for lo := lo1; lo <= lo2; lo++ {
			i := word(5 + (hi-hi1)*cols + lo - lo1)
			if i == noGlyph {
				continue
			}
			if i >= len(glyphs) {
				return nil, errPCF
			}
			byCode[code(hi, lo)] = glyphs[i]
		}
	}
	return byCode, nil
}
