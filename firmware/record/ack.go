package record

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"fmt"
)

const (
	ackMagic = "REGI1-ACK"
	// ackMax bounds an acknowledgement's JSON, in bytes.
	ackMax = 1024
)

// Ack is the receiver's word that everything through Seq is committed in its
// database. Only a valid one lets the journal delete.
type Ack struct {
	Register ID     `json:"register"`
	Seq      uint64 `json:"seq"`
	Hash     Hash   `json:"hash"` // of record Seq
	Sig      []byte `json:"sig"`  // Ed25519, base64 in JSON
}

// SignAck makes an acknowledgement.
func SignAck(key ed25519.PrivateKey, id ID, seq uint64, h Hash) Ack {
	a := Ack{Register: id, Seq: seq, Hash: h}
	a.Sig = ed25519.Sign(key, a.signed())
	return a
}

// ParseAck reads the JSON form, byte for byte as json.Marshal writes it: no
// other order, blank, escape or loose base64. The signature is left to Verify.
func ParseAck(data []byte) (Ack, error) {
	if len(data) > ackMax {
		return Ack{}, fmt.Errorf("record: ack: %w", ErrTooLong)
	}
	var a Ack
	if err := json.Unmarshal(data, &a); err != nil {
		return Ack{}, fmt.Errorf("record: ack: %w: %w", ErrFormat, err)
	}
	if err := a.check(); err != nil {
		return Ack{}, err
	}
	// An acknowledgement has one encoding: what we would have written.
	if ours, err := json.Marshal(a); err != nil || !bytes.Equal(ours, data) {
		return Ack{}, fmt.Errorf("record: ack: %w", ErrFormat)
	}
	return a, nil
}

// Verify checks that the receiver signed this for that register.
func (a Ack) Verify(key ed25519.PublicKey, id ID) error {
	if err := a.check(); err != nil {
		return err
	}
	switch {
	case a.Register != id:
		return fmt.Errorf("record: ack: another register's: %w", ErrSignature)
	case len(key) != ed25519.PublicKeySize:
		return fmt.Errorf("record: ack: %w", ErrKey)
	case !ed25519.Verify(key, a.signed(), a.Sig):
		return fmt.Errorf("record: ack: %w", ErrSignature)
	}
	return nil
}

func (a Ack) check() error {
	if a.Seq == 0 || a.Hash == (Hash{}) || len(a.Sig) != ed25519.SignatureSize {
		return fmt.Errorf("record: ack: %w", ErrFormat)
	}
	return a.Register.check()
}

// signed returns "REGI1-ACK" | len u8 | "store/register" | seq u64 | hash 32.
func (a Ack) signed() []byte {
	b := Header{ID: a.Register}.appendID([]byte(ackMagic))
	b = binary.BigEndian.AppendUint64(b, a.Seq)
	return append(b, a.Hash[:]...)
}
