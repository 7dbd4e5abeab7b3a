package record

import (
	"crypto/ed25519"
	"crypto/hpke"
	"encoding/base64"
	"fmt"
	"strings"
)

// Types of key files. A key file is three lines: the BEGIN line of its type,
// the key in base64 (standard alphabet, padded, on one line), the END line.
const (
	sealPublic  = "REGI SEAL PUBLIC KEY"  // MLKEM768-X25519, 1,216 bytes
	sealPrivate = "REGI SEAL PRIVATE KEY" // its seed, 32 bytes
	signPublic  = "REGI SIGN PUBLIC KEY"  // Ed25519, 32 bytes
	signPrivate = "REGI SIGN PRIVATE KEY" // its seed, 32 bytes
)

const (
	sealPublicSize = 1216
	seedSize       = 32
	// keyFileMax bounds a key file, in bytes.
	keyFileMax = 4096
)

// MarshalSealPublic returns the key file of a ledger's public key.
func MarshalSealPublic(k hpke.PublicKey) []byte { return marshalKey(sealPublic, k.Bytes()) }

// ParseSealPublic reads the key file of a ledger's public key.
func ParseSealPublic(file []byte) (hpke.PublicKey, error) {
	raw, err := parseKey(sealPublic, sealPublicSize, file)
	if err != nil {
		return nil, err
	}
	k, err := hpke.MLKEM768X25519().NewPublicKey(raw)
	if err != nil {
		return nil, fmt.Errorf("record: %s: %w: %w", sealPublic, ErrKey, err)
	}
	return k, nil
}

// MarshalSealPrivate returns the key file of a ledger's private key. It fails
// for a key of another KEM or one that was not made from a seed.
func MarshalSealPrivate(k hpke.PrivateKey) ([]byte, error) {
	seed, err := k.Bytes()
	if err != nil || len(seed) != seedSize || k.KEM().ID() != hpke.MLKEM768X25519().ID() {
		return nil, fmt.Errorf("record: %s: %w", sealPrivate, ErrKey)
	}
	return marshalKey(sealPrivate, seed), nil
}

// ParseSealPrivate reads the key file of a ledger's private key.
func ParseSealPrivate(file []byte) (hpke.PrivateKey, error) {
	seed, err := parseKey(sealPrivate, seedSize, file)
	if err != nil {
		return nil, err
	}
	k, err := hpke.MLKEM768X25519().NewPrivateKey(seed)
	if err != nil {
		return nil, fmt.Errorf("record: %s: %w", sealPrivate, ErrKey)
	}
	return k, nil
}

// MarshalSignPublic returns the key file of a signer's public key.
func MarshalSignPublic(k ed25519.PublicKey) []byte { return marshalKey(signPublic, k) }

// ParseSignPublic reads the key file of a signer's public key.
func ParseSignPublic(file []byte) (ed25519.PublicKey, error) {
	raw, err := parseKey(signPublic, ed25519.PublicKeySize, file)
	return raw, err
}

// MarshalSignPrivate returns the key file of a signer's private key.
func MarshalSignPrivate(k ed25519.PrivateKey) []byte { return marshalKey(signPrivate, k.Seed()) }

// ParseSignPrivate reads the key file of a signer's private key.
func ParseSignPrivate(file []byte) (ed25519.PrivateKey, error) {
	seed, err := parseKey(signPrivate, ed25519.SeedSize, file)
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

func marshalKey(kind string, raw []byte) []byte {
	b := []byte("-----BEGIN " + kind + "-----\n")
	b = base64.StdEncoding.AppendEncode(b, raw)
	return append(b, "\n-----END "+kind+"-----\n"...)
}

// parseKey is strict but for what an editor or a copy over Windows does to a
// text file: CRLF line ends and blank space at the end. Its errors never quote
// the file: it may be a private key.
func parseKey(kind string, size int, file []byte) ([]byte, error) {
	if len(file) > keyFileMax {
		return nil, fmt.Errorf("record: %s: %w", kind, ErrTooLong)
	}
	text := strings.TrimRight(strings.ReplaceAll(string(file), "\r\n", "\n"), " \t\r\n")
	text, begin := strings.CutPrefix(text, "-----BEGIN "+kind+"-----\n")
	text, end := strings.CutSuffix(text, "\n-----END "+kind+"-----")
	if !begin || !end {
		return nil, fmt.Errorf("record: no %s: %w", kind, ErrFormat)
	}
	// The decoder of the standard library skips line ends; one line means one.
	if strings.ContainsAny(text, "\r\n") {
		return nil, fmt.Errorf("record: %s: %w", kind, ErrFormat)
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("record: %s: %w", kind, ErrFormat)
	}
	if len(raw) != size {
		return nil, fmt.Errorf("record: %s of %d bytes: %w", kind, len(raw), ErrKey)
	}
	return raw, nil
}
