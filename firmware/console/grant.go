package console

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"regi/firmware/letters"
	"regi/firmware/record"
)

// Limits of grants and credentials.
const (
	nonceBytes = 8
	nameMax    = 40
	scopeMax   = 120
	// GrantMinutesMax is a working day.
	GrantMinutesMax = 480
	// CredentialsMax bounds credentials, as they are pasted.
	CredentialsMax = 48 << 10
)

// Versions and signing contexts; a signature for one is none for the other.
const (
	formVersion        = 1
	grantContext       = "REGI1-GRANT"
	credentialsContext = "REGI1-CREDENTIALS" //nolint:gosec // the use of a signature
)

// Errors of what is typed.
var (
	// ErrTyped: it is not what was written down; letters are missing or wrong.
	ErrTyped = letters.ErrTyped
	// ErrSignature: nobody this register knows has signed it, for this register
	// and the challenge that it shows.
	ErrSignature = errors.New("not signed by the owner for this register and this challenge")
)

// Role is what a technician is here for.
type Role uint8

// Roles.
const (
	Technician Role = 1 + iota
	KeyOfficer
)

// String is the role's word: "technician" or "key-officer".
func (r Role) String() string {
	switch r {
	case Technician:
		return "technician"
	case KeyOfficer:
		return "key-officer"
	}
	return "nobody"
}

// ParseRole is the role of a word.
func ParseRole(s string) (Role, error) {
	switch s {
	case "", "technician":
		return Technician, nil
	case "key-officer", "officer":
		return KeyOfficer, nil
	}
	return 0, fmt.Errorf("%.20q is not technician or key-officer", s)
}

// Challenge is what a register shows to whoever asks for a grant. Its nonce is
// good once.
type Challenge struct {
	ID    record.ID
	Nonce [nonceBytes]byte
	Time  time.Time // by the register's clock
}

func newChallenge(id record.ID) Challenge {
	c := Challenge{ID: id, Time: time.Now().Truncate(time.Second)}
	rand.Read(c.Nonce[:])
	return c
}

// String is the challenge in letters and digits that are told apart easily, in
// groups of four.
func (c Challenge) String() string {
	id := c.ID.String()
	b := append([]byte{formVersion, byte(len(id))}, id...) //nolint:gosec // at most 65
	b = append(b, c.Nonce[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(c.Time.Unix())) //nolint:gosec // until 2106
	return letters.Write(b)
}

// ParseChallenge reads what String wrote.
func ParseChallenge(s string) (c Challenge, err error) {
	b, err := letters.Read(s)
	if err != nil {
		return c, err
	}
	const fixed = 2 + nonceBytes + 4
	if len(b) < fixed || b[0] != formVersion || len(b) != fixed+int(b[1]) {
		return c, ErrTyped
	}
	id := b[2 : 2+int(b[1])]
	if c.ID, err = record.ParseID(string(id)); err != nil {
		return c, ErrTyped
	}
	b = b[2+len(id):]
	copy(c.Nonce[:], b)
	c.Time = time.Unix(int64(binary.BigEndian.Uint32(b[nonceBytes:])), 0)
	return c, nil
}

// Grant is what the owner allows.
type Grant struct {
	Role    Role
	Minutes int    // from the challenge on
	Name    string // of the technician
	// Scope are the commands; none: all of the role, but for those that must be
	// named ("pin").
	Scope []string
}

// Check says what is wrong with a grant.
func (g Grant) Check() error {
	scope := strings.Join(g.Scope, ",")
	switch {
	case g.Role != Technician && g.Role != KeyOfficer:
		return errors.New("grant: a role is needed")
	case g.Minutes < 1 || g.Minutes > GrantMinutesMax:
		return fmt.Errorf("grant: %d minutes, 1 to %d", g.Minutes, GrantMinutesMax)
	case g.Name == "" || len(g.Name) > nameMax || !plain(g.Name):
		return fmt.Errorf("grant: a name of 1 to %d bytes is needed", nameMax)
	case len(scope) > scopeMax || !plain(scope) || slices.Contains(g.Scope, ""):
		return fmt.Errorf("grant: the scope has at most %d letters", scopeMax)
	}
	return nil
}

func plain(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// Sign is the owner's answer to a challenge, to be typed.
func (g Grant) Sign(owner ed25519.PrivateKey, c Challenge) (string, error) {
	if err := g.Check(); err != nil {
		return "", err
	}
	scope := strings.Join(g.Scope, ",")
	b := []byte{formVersion, byte(g.Role)}
	b = binary.BigEndian.AppendUint16(b, uint16(g.Minutes)) //nolint:gosec // checked
	b = append(append(b, byte(len(g.Name))), g.Name...)     //nolint:gosec // checked
	b = append(append(b, byte(len(scope))), scope...)       //nolint:gosec // checked
	return letters.Write(append(b, ed25519.Sign(owner, signed(grantContext, c, b))...)), nil
}

// Warrant is a grant that names config, with the challenge that it answers: with
// it, and for as long as it lasts, also those settings may be changed that nobody
// at the register may change alone. The next start checks it again, where a
// register that was taken over cannot reach. The zero Warrant is none.
type Warrant struct{ Grant, Challenge string }

// configScope is the word that a grant must name.
const configScope = "config"

// warrant is the one of a grant; most are none.
func warrant(g Grant, text string, c Challenge) Warrant {
	if g.Role != Technician || !slices.Contains(g.Scope, configScope) {
		return Warrant{}
	}
	return Warrant{text, c.String()}
}

// warrantTaken is how long after its end a warrant is still taken: a register
// has to start again in between. A clock may be so wrong, too.
const warrantTaken = time.Minute

// Errors of Open.
var (
	errNoWarrant    = errors.New("no grant of the owner that names config")
	errWarrantEnded = errors.New("the owner's grant has ended")
	errWarrantClock = errors.New("the owner's grant is of a time to come: the clock was set back")
)

// Open says whether the owner granted it to the register id, and now is within its
// time.
func (w Warrant) Open(owner ed25519.PublicKey, id record.ID, now time.Time) error {
	if w == (Warrant{}) {
		return errNoWarrant
	}
	c, err := ParseChallenge(w.Challenge)
	if err != nil {
		return err
	}
	c.ID = id
	g, err := openGrant(w.Grant, owner, c)
	if err != nil {
		return err
	}
	switch until := c.Time.Add(time.Duration(g.Minutes) * time.Minute); {
	case warrant(g, w.Grant, c) == Warrant{}:
		return errNoWarrant
	case now.After(until.Add(warrantTaken)):
		return errWarrantEnded
	case now.Before(c.Time.Add(-warrantTaken)):
		return errWarrantClock
	}
	return nil
}

// openGrant checks a typed grant against the challenge that was shown.
func openGrant(text string, owner ed25519.PublicKey, c Challenge) (g Grant, err error) {
	b, err := letters.Read(text)
	if err != nil {
		return g, err
	}
	if len(b) < ed25519.SignatureSize || len(owner) != ed25519.PublicKeySize {
		return g, ErrTyped
	}
	b, signature := b[:len(b)-ed25519.SignatureSize], b[len(b)-ed25519.SignatureSize:]
	if !ed25519.Verify(owner, signed(grantContext, c, b), signature) {
		return g, ErrSignature
	}
	// From here on the owner wrote it.
	const fixed = 1 + 1 + 2
	if len(b) < fixed || b[0] != formVersion {
		return g, ErrTyped
	}
	g.Role, g.Minutes = Role(b[1]), int(binary.BigEndian.Uint16(b[2:]))
	name, b, ok := field(b[fixed:])
	scope, rest, also := field(b)
	if !ok || !also || len(rest) > 0 {
		return g, ErrTyped
	}
	g.Name = string(name)
	if len(scope) > 0 {
		g.Scope = strings.Split(string(scope), ",")
	}
	return g, g.Check()
}

func field(b []byte) (f, rest []byte, ok bool) {
	if len(b) == 0 || len(b) < 1+int(b[0]) {
		return nil, nil, false
	}
	return b[1 : 1+int(b[0])], b[1+int(b[0]):], true
}

// signed is what is signed: for one use, one register and one challenge.
func signed(use string, c Challenge, body []byte) []byte {
	id := c.ID.String()
	b := append([]byte(use), byte(len(id))) //nolint:gosec // at most 65
	b = append(append(b, id...), c.Nonce[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(c.Time.Unix())) //nolint:gosec // until 2106
	return append(b, body...)
}

// Credentials are what the owner answers to an enrolment: the cloud of this
// register and what it needs there. Each but URL is the content of a file.
type Credentials struct {
	URL      string `json:"url"`
	CA       string `json:"ca"`
	Creds    string `json:"creds"`
	SealTo   string `json:"seal_to"`
	SignedBy string `json:"signed_by"`
}

// envelope is how they travel.
type envelope struct {
	Body      []byte `json:"body"` // Credentials, JSON
	Signature []byte `json:"signature"`
}

// Sign is the owner's answer to an enrolment, to be pasted.
func (c Credentials) Sign(owner ed25519.PrivateKey, to Challenge) ([]byte, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	packet, err := json.Marshal(envelope{body, ed25519.Sign(owner, signed(credentialsContext, to, body))})
	if err != nil || len(packet) > CredentialsMax {
		return nil, fmt.Errorf("credentials: over %d bytes: %w", CredentialsMax, err)
	}
	return packet, nil
}

// OpenCredentials checks what was pasted against the challenge that was shown.
func OpenCredentials(packet []byte, owner ed25519.PublicKey, to Challenge) (c Credentials, err error) {
	var e envelope
	if len(packet) > CredentialsMax || json.Unmarshal(packet, &e) != nil || len(owner) != ed25519.PublicKeySize {
		return c, ErrTyped
	}
	if !ed25519.Verify(owner, signed(credentialsContext, to, e.Body), e.Signature) {
		return c, ErrSignature
	}
	d := json.NewDecoder(bytes.NewReader(e.Body))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, fmt.Errorf("credentials: %w", err)
	}
	return c, nil
}
