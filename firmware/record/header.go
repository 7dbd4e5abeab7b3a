package record

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
)

const (
	magic = "REGI1"
	// headerFixed is the length of a header up to the ID.
	headerFixed = len(magic) + 1 + 8 + 8 + 32 + 32 + 1
	// timeMax is the last millisecond of the year 9999: the last one that
	// RFC 3339 can write.
	timeMax = 253402300799999
)

// Header is a record's place in the chain of its register.
type Header struct {
	Kind Kind
	Seq  uint64 // from 1, without gaps
	Time int64  // unix milliseconds, 0 to the end of the year 9999
	Prev Hash   // Hash of record Seq-1; zero for the first
	Body Hash   // SHA-256 of the sealed body
	ID   ID
}

// Append adds the canonical bytes, which are hashed and signed, to b.
func (h Header) Append(b []byte) []byte {
	b = h.appendPlace(b)
	b = append(b, h.Body[:]...)
	return h.appendID(b)
}

// Hash returns the SHA-256 of the canonical bytes.
func (h Header) Hash() Hash { return sha256.Sum256(h.Append(nil)) }

// AAD returns what the seal of the body is bound to: the canonical bytes
// without the body's hash.
func (h Header) AAD() []byte { return h.appendID(h.appendPlace(nil)) }

func (h Header) appendPlace(b []byte) []byte {
	b = append(b, magic...)
	b = append(b, byte(h.Kind))
	b = binary.BigEndian.AppendUint64(b, h.Seq)
	b = binary.BigEndian.AppendUint64(b, uint64(h.Time)) //nolint:gosec // two's complement on the wire
	return append(b, h.Prev[:]...)
}

func (h Header) appendID(b []byte) []byte {
	id := h.ID.String()
	if len(id) > math.MaxUint8 {
		panic("record: internal error: id over 255 bytes") // only an unchecked literal can be
	}
	b = append(b, uint8(len(id))) //nolint:gosec // just checked
	return append(b, id...)
}

// check refuses what no register writes. It runs before sealing and after each
// decoding.
func (h Header) check() error {
	switch {
	case !h.Kind.valid():
		return fmt.Errorf("record: kind: %w", ErrFormat)
	case h.Seq == 0:
		return fmt.Errorf("record: sequence 0: %w", ErrFormat)
	case h.Time < 0 || h.Time > timeMax:
		return fmt.Errorf("record: time: %w", ErrFormat)
	case (h.Seq == 1) != (h.Prev == Hash{}):
		return fmt.Errorf("record: previous hash: %w", ErrFormat)
	}
	return h.ID.check()
}

// decodeHeader reads a header from the front of b and returns what follows it.
func decodeHeader(b []byte) (h Header, rest []byte, err error) {
	if len(b) < headerFixed || string(b[:len(magic)]) != magic {
		return Header{}, nil, fmt.Errorf("record: header: %w", ErrFormat)
	}
	b = b[len(magic):]
	h.Kind = Kind(b[0])
	h.Seq = binary.BigEndian.Uint64(b[1:])
	h.Time = int64(binary.BigEndian.Uint64(b[9:])) //nolint:gosec // check refuses negative times
	copy(h.Prev[:], b[17:])
	copy(h.Body[:], b[49:])
	n, b := int(b[81]), b[82:]
	if n > len(b) {
		return Header{}, nil, fmt.Errorf("record: header: %w", ErrFormat)
	}
	if h.ID, err = ParseID(string(b[:n])); err != nil {
		return Header{}, nil, err
	}
	if err := h.check(); err != nil {
		return Header{}, nil, err
	}
	return h, b[n:], nil
}
