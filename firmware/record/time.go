package record

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"
)

const (
	timeMagic = "REGI1-TIME"
	// timeBytesMax bounds its JSON, in bytes.
	timeBytesMax = 1024
)

// Nonce makes an answer one to this question, and to no other.
type Nonce = Hash

// Time is the receiver's word what time it is, to a register that asked with a
// fresh nonce: who carries it can hold it back, but not make it up or play an old
// one.
type Time struct {
	Register ID     `json:"register"`
	Nonce    Nonce  `json:"nonce"`
	At       int64  `json:"at"`  // Unix milliseconds
	Sig      []byte `json:"sig"` // Ed25519, base64 in JSON
}

// SignTime makes an answer.
func SignTime(key ed25519.PrivateKey, id ID, n Nonce, at time.Time) Time {
	t := Time{Register: id, Nonce: n, At: at.UnixMilli()}
	t.Sig = ed25519.Sign(key, t.signed())
	return t
}

// ParseTime reads the JSON form, byte for byte as json.Marshal writes it. The
// signature is left to Verify.
func ParseTime(data []byte) (Time, error) {
	if len(data) > timeBytesMax {
		return Time{}, fmt.Errorf("record: time: %w", ErrTooLong)
	}
	var t Time
	if err := json.Unmarshal(data, &t); err != nil {
		return Time{}, fmt.Errorf("record: time: %w: %w", ErrFormat, err)
	}
	if err := t.check(); err != nil {
		return Time{}, err
	}
	if ours, err := json.Marshal(t); err != nil || !bytes.Equal(ours, data) {
		return Time{}, fmt.Errorf("record: time: %w", ErrFormat)
	}
	return t, nil
}

// Verify checks that the receiver signed this for that register's question, and
// returns the time.
func (t Time) Verify(key ed25519.PublicKey, id ID, n Nonce) (time.Time, error) {
	if err := t.check(); err != nil {
		return time.Time{}, err
	}
	switch {
	case t.Register != id:
		return time.Time{}, fmt.Errorf("record: time: another register's: %w", ErrSignature)
	case t.Nonce != n:
		return time.Time{}, fmt.Errorf("record: time: of another question: %w", ErrSignature)
	case len(key) != ed25519.PublicKeySize:
		return time.Time{}, fmt.Errorf("record: time: %w", ErrKey)
	case !ed25519.Verify(key, t.signed(), t.Sig):
		return time.Time{}, fmt.Errorf("record: time: %w", ErrSignature)
	}
	return time.UnixMilli(t.At), nil
}

func (t Time) check() error {
	if t.At <= 0 || t.Nonce == (Nonce{}) || len(t.Sig) != ed25519.SignatureSize {
		return fmt.Errorf("record: time: %w", ErrFormat)
	}
	return t.Register.check()
}

// signed returns "REGI1-TIME" | len u8 | "store/register" | nonce 32 | at i64.
func (t Time) signed() []byte {
	b := Header{ID: t.Register}.appendID([]byte(timeMagic))
	b = append(b, t.Nonce[:]...)
	return binary.BigEndian.AppendUint64(b, uint64(t.At)) //nolint:gosec // its bits
}
