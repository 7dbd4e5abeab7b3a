package record

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
)

// Limits of a sealed record.
const (
	// BodyMax bounds a sealed body, in bytes.
	BodyMax = 60 << 10
	// SealedMax bounds Sealed.MarshalBinary, in bytes.
	SealedMax = headerFixed + 2*partMax + 1 + ed25519.SignatureSize + BodyMax
)

// Sealed is a record as it is kept and sent: nobody but the ledger's owner can
// read it, and nobody but the register can have written it.
type Sealed struct {
	Header
	Sig  []byte // Ed25519 over the header, 64 bytes
	Body []byte // HPKE enc ‖ ct, 1 to BodyMax bytes
}

// Verify checks the signature and that the body is the signed one.
func Verify(s Sealed, key ed25519.PublicKey) error {
	switch {
	case len(key) != ed25519.PublicKeySize:
		return fmt.Errorf("record: verify: %w", ErrKey)
	case !ed25519.Verify(key, s.Append(nil), s.Sig):
		return fmt.Errorf("record: verify: %w", ErrSignature)
	case bodyHash(s.Body) != s.Header.Body:
		return fmt.Errorf("record: verify: %w", ErrBody)
	}
	return nil
}

// MarshalBinary returns header ‖ signature ‖ body.
func (s Sealed) MarshalBinary() ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	b := make([]byte, 0, headerFixed+2*partMax+1+len(s.Sig)+len(s.Body))
	b = s.Append(b)
	b = append(b, s.Sig...)
	return append(b, s.Body...), nil
}

// UnmarshalBinary reads exactly what MarshalBinary writes. It recomputes the
// body's hash; the signature is left to [Verify].
func (s *Sealed) UnmarshalBinary(data []byte) error {
	if len(data) > SealedMax {
		return fmt.Errorf("record: sealed: %w", ErrTooLong)
	}
	h, rest, err := decodeHeader(data)
	if err != nil {
		return err
	}
	if len(rest) < ed25519.SignatureSize {
		return fmt.Errorf("record: sealed: %w", ErrFormat)
	}
	rest = bytes.Clone(rest)
	v := Sealed{Header: h, Sig: rest[:ed25519.SignatureSize:ed25519.SignatureSize], Body: rest[ed25519.SignatureSize:]}
	if err := v.check(); err != nil {
		return err
	}
	*s = v
	return nil
}

func (s Sealed) check() error {
	if err := s.Header.check(); err != nil {
		return err
	}
	switch {
	case len(s.Sig) != ed25519.SignatureSize:
		return fmt.Errorf("record: signature: %w", ErrFormat)
	case len(s.Body) == 0:
		return fmt.Errorf("record: empty body: %w", ErrFormat)
	case len(s.Body) > BodyMax:
		return fmt.Errorf("record: body: %w", ErrTooLong)
	case bodyHash(s.Body) != s.Header.Body:
		return fmt.Errorf("record: %w", ErrBody)
	}
	return nil
}

func bodyHash(body []byte) Hash { return sha256.Sum256(body) }
