package record

import (
	"encoding/hex"
	"fmt"
)

// Hash is a SHA-256; its text form is 64 lower-case hex digits.
type Hash [32]byte

// String returns the text form.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText returns the text form.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads the text form and nothing else (no upper case).
func (h *Hash) UnmarshalText(text []byte) error {
	var v Hash
	if len(text) != 2*len(v) {
		return fmt.Errorf("record: hash: %w", ErrFormat)
	}
	if err := decodeHex(v[:], text); err != nil {
		return fmt.Errorf("record: hash: %w", err)
	}
	*h = v
	return nil
}

// hexBytesMax bounds one HexBytes: three tracks of a card fit several times.
const hexBytesMax = 4096

// HexBytes is binary data whose text form is lower-case hex, at most 4,096
// bytes.
type HexBytes []byte

// MarshalText returns the text form.
func (h HexBytes) MarshalText() ([]byte, error) {
	if len(h) > hexBytesMax {
		return nil, fmt.Errorf("record: hex: %w", ErrTooLong)
	}
	return hex.AppendEncode(nil, h), nil
}

// UnmarshalText reads the text form and nothing else (no upper case).
func (h *HexBytes) UnmarshalText(text []byte) error {
	if len(text) > 2*hexBytesMax {
		return fmt.Errorf("record: hex: %w", ErrTooLong)
	}
	if len(text)%2 != 0 {
		return fmt.Errorf("record: hex: %w", ErrFormat)
	}
	v := make([]byte, len(text)/2)
	if err := decodeHex(v, text); err != nil {
		return fmt.Errorf("record: hex: %w", err)
	}
	*h = v
	return nil
}

// decodeHex fills dst from exactly 2·len(dst) lower-case digits.
func decodeHex(dst, text []byte) error {
	for _, c := range text {
		if c >= 'A' && c <= 'F' {
			return ErrFormat // a second encoding of the same value
		}
	}
	if _, err := hex.Decode(dst, text); err != nil {
		return ErrFormat
	}
	return nil
}
