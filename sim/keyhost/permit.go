package keyhost

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// ErrChallenge is of a text that no register shows for a key ceremony.
var ErrChallenge = errors.New("the challenge is mistyped, or of another command: keys inject shows it")

// Sizes of a challenge and a permit, in bytes.
const (
	challengeMax  = 512
	nonceAndClock = 8 + 4
	checkBytes    = 2
	markBytes     = 16
)

// Sign is the owner's answer to the challenge that a register shows when it is
// to take these letters' key. id is what its journal will call it.
func (l Letters) Sign(owner ed25519.PrivateKey, challenge string, minutes uint16) (text, id string, err error) {
	asked, err := readLetters(challenge)
	if err != nil {
		return "", "", err
	}
	// Version 2, the register's name after its length, a nonce and its clock.
	if len(asked) < 2 || asked[0] != 2 || len(asked) != 2+int(asked[1])+nonceAndClock {
		return "", "", ErrChallenge
	}
	body := binary.BigEndian.AppendUint16([]byte{1}, minutes)
	for _, digits := range []string{l.IKID, l.CheckValue} {
		b, err := hex.DecodeString(digits)
		if err != nil {
			return "", "", fmt.Errorf("keyhost: %w", err)
		}
		body = append(body, b...)
	}
	mark := sha256.Sum256([]byte(l.Block))
	body = append(body, mark[:markBytes]...)
	// What is signed names its use, then the challenge without its version.
	body = append(body, ed25519.Sign(owner, append(append([]byte("REGI1-CARD-KEY"), asked[1:]...), body...))...)
	sum := sha256.Sum256(body)
	return writeLetters(body), hex.EncodeToString(sum[:8]), nil
}

// readLetters reads base32 in groups, whose last two bytes are a check.
func readLetters(s string) ([]byte, error) {
	if len(s) > challengeMax {
		return nil, ErrChallenge
	}
	s = strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(s))
	b, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(s)
	if err != nil || len(b) < checkBytes {
		return nil, ErrChallenge
	}
	b, check := b[:len(b)-checkBytes], b[len(b)-checkBytes:]
	if sum := sha256.Sum256(b); !bytes.Equal(sum[:checkBytes], check) {
		return nil, ErrChallenge
	}
	return b, nil
}

func writeLetters(b []byte) string {
	sum := sha256.Sum256(b)
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(append(bytes.Clone(b), sum[:checkBytes]...))
	const group = 4
	var groups []string
	for len(text) > group {
		groups, text = append(groups, text[:group]), text[group:]
	}
	return strings.Join(append(groups, text), "-")
}
