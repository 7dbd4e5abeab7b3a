package record

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"strconv"
)

// Message headers on NATS. Their values are exactly what Sealed.NATS writes.
const (
	HeaderKind = "Regi-Kind" // dotted name
	HeaderSeq  = "Regi-Seq"  // decimal
	HeaderTime = "Regi-Time" // decimal, unix milliseconds
	HeaderPrev = "Regi-Prev" // hex
	HeaderHash = "Regi-Hash" // hex; redundant, so that it can be searched for
	HeaderSig  = "Regi-Sig"  // base64, standard alphabet, padded
)

// NATS returns the message headers; the message's data is s.Body.
func (s Sealed) NATS() map[string]string {
	return map[string]string{
		HeaderKind: s.Kind.String(),
		HeaderSeq:  strconv.FormatUint(s.Seq, 10),
		HeaderTime: strconv.FormatInt(s.Time, 10),
		HeaderPrev: s.Prev.String(),
		HeaderHash: s.Hash().String(),
		HeaderSig:  base64.StdEncoding.EncodeToString(s.Sig),
	}
}

// FromNATS reads a message of one register's subject: get returns the value of
// a message header, body is the message's data, which the result keeps. It
// recomputes both hashes; the signature is left to [Verify].
func FromNATS(id ID, get func(string) string, body []byte) (Sealed, error) {
	if len(body) > BodyMax {
		return Sealed{}, fmt.Errorf("record: body: %w", ErrTooLong)
	}
	s, err := fromHeaders(id, get)
	if err != nil {
		return Sealed{}, err
	}
	s.Body = body
	s.Header.Body = bodyHash(body)
	if err := s.check(); err != nil {
		return Sealed{}, err
	}
	// A value has one encoding: what we would have written. This also compares
	// the hash, and refuses leading zeros, upper case and loose base64.
	for name, want := range s.NATS() {
		if get(name) != want {
			return Sealed{}, fmt.Errorf("record: %s: %w", name, ErrFormat)
		}
	}
	return s, nil
}

func fromHeaders(id ID, get func(string) string) (s Sealed, err error) {
	s.ID = id
	if s.Kind, err = ParseKind(get(HeaderKind)); err != nil {
		return Sealed{}, err
	}
	if s.Seq, err = strconv.ParseUint(get(HeaderSeq), 10, 64); err != nil {
		return Sealed{}, fmt.Errorf("record: %s: %w", HeaderSeq, ErrFormat)
	}
	if s.Time, err = strconv.ParseInt(get(HeaderTime), 10, 64); err != nil {
		return Sealed{}, fmt.Errorf("record: %s: %w", HeaderTime, ErrFormat)
	}
	if err := s.Prev.UnmarshalText([]byte(get(HeaderPrev))); err != nil {
		return Sealed{}, fmt.Errorf("record: %s: %w", HeaderPrev, ErrFormat)
	}
	sig := get(HeaderSig)
	if len(sig) != base64.StdEncoding.EncodedLen(ed25519.SignatureSize) {
		return Sealed{}, fmt.Errorf("record: %s: %w", HeaderSig, ErrFormat)
	}
	if s.Sig, err = base64.StdEncoding.DecodeString(sig); err != nil {
		return Sealed{}, fmt.Errorf("record: %s: %w", HeaderSig, ErrFormat)
	}
	return s, nil
}
