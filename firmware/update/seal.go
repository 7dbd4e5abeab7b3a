package update

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// Behind boot.img, at the next multiple of sealStep, a slot holds its seal: the
// head of the bundle that boot.img came in, manifest and signatures. By it a ROM
// that checks refuses a slot of which a byte is not as it was signed, and the
// first process says so where no ROM does.
const (
	sealStep  = 1 << 20
	sealBytes = 4 << 10
)

// Errors of seals.
var (
	ErrNoSeal = errors.New("the slot does not say who signed it")
	// ErrDamaged: a byte was changed since it was written, whether by a card that
	// wears out or by somebody who had it in his hands.
	ErrDamaged = errors.New("the slot is not what was signed: update it, or flash the card anew")
)

// Seal is what a slot holds behind its boot.img, and where.
func Seal(m Manifest, signatures []Signature) (seal []byte, at int64, err error) {
	encoded, err := m.Encode()
	if err != nil {
		return nil, 0, err
	}
	if len(signatures) > KeysMax {
		return nil, 0, fmt.Errorf("update: %d signatures, at most %d", len(signatures), KeysMax)
	}
	seal = make([]byte, sealBytes)
	copy(seal, head(encoded, signatures))
	return seal, sealAt(m.Size), nil
}

func sealAt(size int64) int64 { return (size + sealStep - 1) / sealStep * sealStep }

// Check returns what a slot holds if it is, to the byte, what two of the owner's
// keys have signed.
func Check(slot io.ReaderAt, k *Keys) (Manifest, error) {
	failed := ErrNoSeal
	for at := int64(sealStep); at < ImageMax; at += sealStep {
		seal := make([]byte, sealBytes)
		if _, err := slot.ReadAt(seal, at); err != nil {
			if errors.Is(err, io.EOF) {
				break // a smaller slot
			}
			return Manifest{}, fmt.Errorf("update: slot: %w", err)
		}
		if !bytes.HasPrefix(seal, []byte(magic)) {
			continue
		}
		b, err := read(bytes.NewReader(seal))
		if err == nil {
			err = k.Verify(Domain, b.encoded, b.signatures)
		}
		if err != nil || sealAt(b.Size) != at {
			failed = ErrDamaged // or of a version before, which a smaller one has not overwritten
			continue
		}
		hash := sha256.New()
		if _, err := io.Copy(hash, io.NewSectionReader(slot, 0, b.Size)); err != nil {
			return Manifest{}, fmt.Errorf("update: slot: %w", err)
		}
		if hex.EncodeToString(hash.Sum(nil)) != b.SHA256 {
			return b.Manifest, fmt.Errorf("update: %w", ErrDamaged)
		}
		return b.Manifest, nil
	}
	return Manifest{}, fmt.Errorf("update: %w", failed)
}
