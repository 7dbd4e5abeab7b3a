package keystore

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"regi/firmware/capture/internal/dukpt"
)

// A slot, big endian; what is not named is zero:
//
//	0  "REGIKEYS"            28 device id 8       52 nonce 12
//	8  version               36 IKID 8            64 sealed state
//	9  state                 44 KCV 3             4080 checksum 16: SHA-256
//	10 length of sealed u16  47 cause
//	12 generation u64        48 mark u32
//	20 time, unix s, i64
//
// The first 64 bytes are the additional data of the seal.
const (
	// SlotBytes is the size of a slot and where the second one begins: no
	// sector of a disk (512 or 4096 bytes) has parts of both.
	SlotBytes = 4096

	magic       = "REGIKEYS"
	version     = 1
	atNonce     = 52
	atSealed    = 64
	atSum       = SlotBytes - sumBytes
	nonceBytes  = 12
	tagBytes    = 16
	sumBytes    = 16
	deviceBytes = 32
	idBytes     = 8
	sealedMax   = dukpt.StateMax + tagBytes
)

type slot = [SlotBytes]byte

// header is the open part of a slot.
type header struct {
	state      State
	sealed     int
	generation uint64
	at         int64
	device     [idBytes]byte
	ikid       [dukpt.IKIDBytes]byte
	kcv        [KCVBytes]byte
	mark       uint32
}

func (h *header) put(s *slot) {
	copy(s[:], magic)
	s[8], s[9] = version, byte(h.state)
	binary.BigEndian.PutUint16(s[10:], uint16(h.sealed)) //nolint:gosec // at most sealedMax
	binary.BigEndian.PutUint64(s[12:], h.generation)
	binary.BigEndian.PutUint64(s[20:], uint64(h.at)) //nolint:gosec // bits
	copy(s[28:], h.device[:])
	copy(s[36:], h.ikid[:])
	copy(s[44:], h.kcv[:])
	binary.BigEndian.PutUint32(s[48:], h.mark)
}

// close writes the checksum.
func closeSlot(s *slot) {
	sum := sha256.Sum256(s[:atSum])
	copy(s[atSum:], sum[:sumBytes])
}

// parse reads a slot; ok is false for one that was not written whole by this
// version.
func parse(s *slot) (h header, ok bool) {
	sum := sha256.Sum256(s[:atSum])
	if !bytes.Equal(sum[:sumBytes], s[atSum:]) || !bytes.HasPrefix(s[:], []byte(magic)) || s[8] != version {
		return h, false
	}
	h.state, h.sealed = State(s[9]), int(binary.BigEndian.Uint16(s[10:]))
	h.generation = binary.BigEndian.Uint64(s[12:])
	h.at = int64(binary.BigEndian.Uint64(s[20:])) //nolint:gosec // bits
	h.device, h.ikid = [idBytes]byte(s[28:]), [dukpt.IKIDBytes]byte(s[36:])
	h.kcv = [KCVBytes]byte(s[44:])
	h.mark = binary.BigEndian.Uint32(s[48:])
	switch h.state {
	case Empty, Zeroised:
		return h, h.sealed == 0
	case Keyed:
		return h, h.sealed > tagBytes && h.sealed <= sealedMax
	case Damaged, Foreign: // are found, never written
	}
	return h, false
}

func empty() (s slot) {
	h := header{state: Empty, at: time.Now().Unix()}
	h.put(&s)
	closeSlot(&s)
	return s
}

// deviceID tells device keys apart without showing any of them.
func deviceID(key *[deviceBytes]byte) (id [idBytes]byte) {
	in := make([]byte, 0, 64)
	in = append(in, "regi card device"...)
	in = append(in, key[:]...)
	sum := sha256.Sum256(in)
	clear(in)
	copy(id[:], sum[:])
	return id
}
