package journal

import (
	"encoding/binary"
	"hash/crc32"

	"regi/firmware/record"
)

const (
	slotSize   = 4096
	frameMagic = "REGIJNL1"
	frameHead  = 112 // bytes before the payload

	// AuxMax bounds Entry.Aux, in bytes.
	AuxMax = 16 << 10
	// PayloadMax bounds Entry.Payload, in bytes.
	PayloadMax = record.SealedMax
	// BatchMax bounds the entries of one Append.
	BatchMax = 256
)

// Entry is one record with its place in the chain.
type Entry struct {
	Seq        uint64
	Hash, Prev record.Hash
	Payload    []byte // Sealed.MarshalBinary, 1 to PayloadMax bytes
	Aux        []byte // kept beside it, never sent; at most AuxMax bytes
}

// frame is an entry with its place on the disk.
type frame struct {
	Entry
	segment      uint64
	slot, first  int // of the frame, and of its batch
	index, count int // in the batch
}

// slots is how many slots an entry takes.
func (e *Entry) slots() int {
	return (frameHead + len(e.Payload) + len(e.Aux) + slotSize - 1) / slotSize
}

// put writes the frame to b, which is zero and exactly its slots. Every number
// was checked against the limits above and fits.
//
//nolint:gosec // see above
func (f *frame) put(b []byte) {
	copy(b, frameMagic)
	binary.BigEndian.PutUint32(b[12:], uint32(len(f.Payload)))
	binary.BigEndian.PutUint32(b[16:], uint32(len(f.Aux)))
	binary.BigEndian.PutUint32(b[20:], uint32(f.slot))
	binary.BigEndian.PutUint64(b[24:], f.segment)
	binary.BigEndian.PutUint64(b[32:], f.Seq)
	binary.BigEndian.PutUint16(b[40:], uint16(f.index))
	binary.BigEndian.PutUint16(b[42:], uint16(f.count))
	binary.BigEndian.PutUint32(b[44:], uint32(f.first))
	copy(b[48:], f.Prev[:])
	copy(b[80:], f.Hash[:])
	n := frameHead + copy(b[frameHead:], f.Payload)
	copy(b[n:], f.Aux)
	binary.BigEndian.PutUint32(b[8:], checksum(b))
}

// parseFrame reads the frame at the front of b, which is the rest of a segment
// or more than a frame's slots. It reports whether there is one; the result
// shares b's memory.
func parseFrame(b []byte) (frame, bool) {
	n, ok := frameSlots(b)
	if !ok || n*slotSize > len(b) {
		return frame{}, false
	}
	b = b[:n*slotSize]
	if binary.BigEndian.Uint32(b[8:]) != checksum(b) {
		return frame{}, false
	}
	payload, aux := frameLengths(b)
	f := frame{
		segment: binary.BigEndian.Uint64(b[24:]),
		slot:    int(binary.BigEndian.Uint32(b[20:]) & (1<<31 - 1)), // an int has 32 bits on arm
		first:   int(binary.BigEndian.Uint32(b[44:]) & (1<<31 - 1)),
		index:   int(binary.BigEndian.Uint16(b[40:])),
		count:   int(binary.BigEndian.Uint16(b[42:])),
	}
	f.Seq = binary.BigEndian.Uint64(b[32:])
	copy(f.Prev[:], b[48:])
	copy(f.Hash[:], b[80:])
	f.Payload = b[frameHead : frameHead+payload : frameHead+payload]
	f.Aux = b[frameHead+payload : frameHead+payload+aux : frameHead+payload+aux]
	return f, true
}

// frameSlots is how many slots the frame at the front of b says it takes; it
// checks the magic and the lengths only.
func frameSlots(b []byte) (int, bool) {
	if len(b) < slotSize || string(b[:len(frameMagic)]) != frameMagic {
		return 0, false
	}
	payload, aux := frameLengths(b)
	if payload <= 0 || payload > PayloadMax || aux < 0 || aux > AuxMax {
		return 0, false
	}
	return (frameHead + payload + aux + slotSize - 1) / slotSize, true
}

// frameLengths returns the two lengths; beyond 31 bits they are negative on a
// 32-bit machine and too large on others.
func frameLengths(b []byte) (payload, aux int) {
	return int(binary.BigEndian.Uint32(b[12:])), int(binary.BigEndian.Uint32(b[16:]))
}

// checksum is the CRC-32C of a frame from behind the checksum to the end of its
// last slot: the zeros there are part of what was written.
func checksum(b []byte) uint32 {
	return crc32.Checksum(b[12:], crc32.MakeTable(crc32.Castagnoli)) // a shared table
}
