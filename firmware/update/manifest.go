// Package update is how a register gets its next version: a signed bundle that
// is checked before it can be started, and two slots of which one always runs.
package update

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"
)

// A bundle is
//
//	"REGIUPD1" | len u32 | manifest | count u8 | count × (key u8 | signature 64) | boot.img
//
// with integers big endian. The manifest is JSON, in the one form that Encode
// gives; a signature is Ed25519 of "REGI1-UPDATE" | manifest; key is its number
// among the owner's three, and they rise.
const (
	magic = "REGIUPD1"
	// Domain keeps a signature of one thing from being one of another.
	Domain = "REGI1-UPDATE"

	// KeysMax is how many keys an owner has; Needed is how many must have signed.
	KeysMax = 3
	Needed  = 2

	manifestMax = 2 << 10
	wordMax     = 64
	// ImageMax is the size of a slot: its boot.img and the seal behind it.
	ImageMax = 64 << 20
	// imageMin is the smallest that can hold a file system.
	imageMin = 2 << 20
	headMax  = len(magic) + 4 + manifestMax + 1 + KeysMax*(1+ed25519.SignatureSize)
	// BundleMax bounds a bundle.
	BundleMax = int64(ImageMax + headMax)
)

// Errors, in the words that a technician is told.
var (
	ErrCorrupted  = errors.New("the update is damaged: fetch it again")
	ErrSignatures = errors.New("the update is not signed by two of the owner's three keys: do not use it, and tell the owner")
	ErrNoKeys     = errors.New("this image knows no owner's keys: it cannot be updated, only flashed")
	ErrOlder      = errors.New("the update is older than this register may run")
	ErrRuns       = errors.New("the update is the version that runs")
	ErrFailed     = errors.New("the update was tried here and did not prove itself: bring it on a stick to try it again")
	ErrBoard      = errors.New("the update is for another board")
	ErrNotYet     = errors.New("the update may not be used yet: check the clock, or wait")
	ErrTooLarge   = errors.New("the update is larger than a slot")
)

// Manifest says what a bundle holds.
type Manifest struct {
	Board   string `json:"board"`
	Version string `json:"version"`
	// Epoch rises when an older version has a hole that must stay closed.
	Epoch uint64 `json:"epoch"`
	// Built is when the version was made: of one epoch, the network brings only
	// what was not made before what runs.
	Built time.Time `json:"built"`
	// Size and SHA256 are of boot.img, in bytes and lower-case hexadecimal.
	Size      int64     `json:"size"`
	SHA256    string    `json:"sha256"`
	NotBefore time.Time `json:"not_before"`
}

var word = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._+-]*$`)

func isWord(s string) bool { return len(s) <= wordMax && word.MatchString(s) }

func (m *Manifest) check() error {
	sum, err := hex.DecodeString(m.SHA256)
	switch {
	case !isWord(m.Board), !isWord(m.Version), m.Size < imageMin, err != nil, len(sum) != 32:
		return ErrCorrupted
	case sealAt(m.Size)+sealBytes > ImageMax:
		return ErrTooLarge
	}
	return nil
}

// Encode returns the manifest's only form.
func (m Manifest) Encode() ([]byte, error) {
	m.Built, m.NotBefore = m.Built.UTC().Truncate(time.Second), m.NotBefore.UTC().Truncate(time.Second)
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("update: manifest: %w", err)
	}
	b, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("update: manifest: %w", err)
	}
	return b, nil
}

func parseManifest(b []byte) (m Manifest, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, fmt.Errorf("manifest: %w", ErrCorrupted)
	}
	if err := m.check(); err != nil {
		return m, fmt.Errorf("manifest: %w", err)
	}
	// Another form of the same would be other bytes with the same meaning.
	if again, err := m.Encode(); err != nil || !bytes.Equal(again, b) {
		return m, fmt.Errorf("manifest: %w", ErrCorrupted)
	}
	return m, nil
}

// message is what is signed.
func message(domain string, b []byte) []byte { return append([]byte(domain), b...) }
