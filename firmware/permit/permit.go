// Package permit is the owner's word that one card key may be loaded into one
// register: a signature over the key's block, its id and check value, for a
// register and a challenge that it shows, good for some minutes.
package permit

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"regi/firmware/letters"
)

// Limits and sizes.
const (
	IKIDBytes = 8
	KCVBytes  = 3
	// MarkBytes of SHA-256 over a block: nobody finds another block with them.
	MarkBytes = 16
	// MinutesMax is a working day.
	MinutesMax  = 480
	nonceBytes  = 8
	registerMax = 80
	idBytes     = 8
)

// Versions; a challenge of the console for grants has another one.
const (
	challengeVersion = 2
	permitVersion    = 1
	context          = "REGI1-CARD-KEY"
)

// bodyBytes are version, minutes, key id, check value and mark.
const bodyBytes = 1 + 2 + IKIDBytes + KCVBytes + MarkBytes

// Errors of Open.
var (
	// ErrSignature: the owner did not sign it, or not for this register and this
	// challenge.
	ErrSignature = errors.New("not signed by the owner for this register and this challenge")
	// ErrExpired: its minutes are over.
	ErrExpired = errors.New("the owner's permit has expired")
)

// Challenge is what is shown for one ceremony. Its nonce is never shown again.
type Challenge struct {
	Register string // "store/register"
	Nonce    [nonceBytes]byte
	Time     time.Time // by the register's clock
}

// Challenged makes a new one.
func Challenged(register string) Challenge {
	c := Challenge{Register: register, Time: time.Now()}
	rand.Read(c.Nonce[:])
	return c
}

// String is the challenge in letters.
func (c Challenge) String() string {
	b := append([]byte{challengeVersion, byte(len(c.Register))}, c.Register...) //nolint:gosec // at most registerMax
	b = append(b, c.Nonce[:]...)
	return letters.Write(binary.BigEndian.AppendUint32(b, uint32(c.Time.Unix()))) //nolint:gosec // until 2106
}

// ParseChallenge reads what String wrote.
func ParseChallenge(s string) (c Challenge, err error) {
	b, err := letters.Read(s)
	if err != nil {
		return c, err
	}
	const fixed = 2 + nonceBytes + 4
	if len(b) < fixed || b[0] != challengeVersion || b[1] > registerMax || len(b) != fixed+int(b[1]) {
		return c, fmt.Errorf("%w: it is no challenge of a key ceremony", letters.ErrTyped)
	}
	c.Register = string(b[2 : 2+int(b[1])])
	b = b[2+len(c.Register):]
	copy(c.Nonce[:], b)
	c.Time = time.Unix(int64(binary.BigEndian.Uint32(b[nonceBytes:])), 0)
	return c, nil
}

// Permit is what the owner allows.
type Permit struct {
	Minutes int // from the challenge on
	IKID    [IKIDBytes]byte
	KCV     [KCVBytes]byte
	Mark    [MarkBytes]byte // of the key block
}

// MarkOf is the mark of a key block, as it is pasted. The block is bound to one
// key by its MAC, the check value of three bytes is not.
func MarkOf(block []byte) (m [MarkBytes]byte) {
	sum := sha256.Sum256(block)
	copy(m[:], sum[:])
	return m
}

// Sign is the owner's answer to a challenge, to be typed, and the id under which
// the journal will have it.
func (p Permit) Sign(owner ed25519.PrivateKey, c Challenge) (text, id string, err error) {
	if p.Minutes < 1 || p.Minutes > MinutesMax {
		return "", "", fmt.Errorf("permit: %d minutes, 1 to %d", p.Minutes, MinutesMax)
	}
	b := binary.BigEndian.AppendUint16([]byte{permitVersion}, uint16(p.Minutes))
	b = append(append(append(b, p.IKID[:]...), p.KCV[:]...), p.Mark[:]...)
	b = append(b, ed25519.Sign(owner, signed(c, b))...)
	return letters.Write(b), idOf(b), nil
}

// Open checks a typed permit against the challenge that was shown.
func Open(text string, owner ed25519.PublicKey, c Challenge) (p Permit, id string, err error) {
	b, err := letters.Read(text)
	if err != nil {
		return p, "", err
	}
	if len(b) != bodyBytes+ed25519.SignatureSize || b[0] != permitVersion {
		return p, "", fmt.Errorf("%w: it is no permit for a card key", letters.ErrTyped)
	}
	body := b[:bodyBytes]
	if len(owner) != ed25519.PublicKeySize || !ed25519.Verify(owner, signed(c, body), b[bodyBytes:]) {
		return p, "", ErrSignature
	}
	p.Minutes = int(binary.BigEndian.Uint16(body[1:]))
	body = body[copy(p.IKID[:], body[3:])+3:]
	body = body[copy(p.KCV[:], body):]
	copy(p.Mark[:], body)
	if p.Minutes > MinutesMax {
		return p, "", ErrSignature
	}
	return p, idOf(b), p.Check(c)
}

// Check says whether the permit is still good for a challenge of this process:
// nobody's setting of the clock counts.
func (p Permit) Check(c Challenge) error {
	if time.Since(c.Time) >= time.Duration(p.Minutes)*time.Minute {
		return ErrExpired
	}
	return nil
}

func idOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:idBytes])
}

// signed is what is signed: for this use, one register and one challenge.
func signed(c Challenge, body []byte) []byte {
	b := append([]byte(context), byte(len(c.Register))) //nolint:gosec // at most registerMax
	b = append(append(b, c.Register...), c.Nonce[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(c.Time.Unix())) //nolint:gosec // until 2106
	return append(b, body...)
}
