package update

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Keys are the owner's public keys, by number from 0. The zero value has none.
type Keys [KeysMax]ed25519.PublicKey

// keysFileMax bounds the file of the keys, and that of signatures.
const keysFileMax = 1 << 10

// None says that there are no keys.
func (k *Keys) None() bool { return k[0] == nil }

// Encode returns the file of the keys: a line each, "ed25519 BASE64".
func (k *Keys) Encode() []byte {
	var b bytes.Buffer
	for _, key := range k {
		fmt.Fprintf(&b, "ed25519 %s\n", base64.StdEncoding.EncodeToString(key))
	}
	return b.Bytes()
}

// ParseKeys reads such a file. An empty one says that there are none.
func ParseKeys(b []byte) (k Keys, err error) {
	if len(b) == 0 {
		return Keys{}, nil
	}
	lines := strings.Split(strings.TrimSuffix(string(b[:min(len(b), keysFileMax)]), "\n"), "\n")
	if len(b) > keysFileMax || len(lines) != KeysMax {
		return Keys{}, fmt.Errorf("update: keys: there must be %d lines", KeysMax)
	}
	for i, line := range lines {
		text, ours := strings.CutPrefix(line, "ed25519 ")
		key, err := base64.StdEncoding.Strict().DecodeString(text)
		if !ours || err != nil || len(key) != ed25519.PublicKeySize {
			return Keys{}, fmt.Errorf("update: keys: line %d is no key", i+1)
		}
		k[i] = key
	}
	// Two keys that are one would make one signature two.
	for i := range k {
		if k[i].Equal(k[(i+1)%KeysMax]) {
			return Keys{}, errors.New("update: keys: two are the same")
		}
	}
	return k, nil
}

// Signature is that of one of the owner's keys.
type Signature struct {
	Key   int // its number
	Bytes []byte
}

// Sign signs b for a purpose with the key of a number.
func Sign(domain string, b []byte, number int, key ed25519.PrivateKey) Signature {
	return Signature{Key: number, Bytes: ed25519.Sign(key, message(domain, b))}
}

// Verify returns nil if enough different keys signed b. Every signature that is
// there must be good.
func (k *Keys) Verify(domain string, b []byte, signatures []Signature) error {
	if k.None() {
		return ErrNoKeys
	}
	if len(signatures) < Needed || len(signatures) > KeysMax {
		return ErrSignatures
	}
	last := -1
	for _, s := range signatures {
		if s.Key <= last || s.Key >= KeysMax || !ed25519.Verify(k[s.Key], message(domain, b), s.Bytes) {
			return ErrSignatures
		}
		last = s.Key
	}
	return nil
}

// EncodeSignatures returns signatures as a file beside what they are of: a line
// each, "NUMBER BASE64".
func EncodeSignatures(signatures []Signature) []byte {
	var b bytes.Buffer
	for _, s := range signatures {
		fmt.Fprintf(&b, "%d %s\n", s.Key, base64.StdEncoding.EncodeToString(s.Bytes))
	}
	return b.Bytes()
}

// ParseSignatures reads such a file.
func ParseSignatures(b []byte) (signatures []Signature, err error) {
	if len(b) > keysFileMax {
		return nil, ErrSignatures
	}
	for line := range strings.Lines(string(b)) {
		number, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		n, errNumber := strconv.ParseUint(number, 10, 8)
		signature, err := base64.StdEncoding.Strict().DecodeString(text)
		if errNumber != nil || err != nil || len(signature) != ed25519.SignatureSize || len(signatures) == KeysMax {
			return nil, ErrSignatures
		}
		signatures = append(signatures, Signature{Key: int(n), Bytes: signature})
	}
	return signatures, nil
}
