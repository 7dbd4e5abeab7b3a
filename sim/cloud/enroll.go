package cloud

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"regi/firmware/record"
)

// Enrolment is what a technician reads off a register's console.
type Enrolment struct {
	Request string `json:"request"` // PKCS #10, PEM
	Code    string `json:"code"`    // good once
	// URL is where this register finds the cloud; "": where everybody does.
	URL string `json:"url"`
}

// Credentials are the answer: what is pasted at the register's console, and the
// owner's key for a register that has no owner yet.
type Credentials struct {
	Register string `json:"register"`
	Text     string `json:"credentials"`
	Owner    string `json:"owner"`
}

// Limits and forms of an enrolment, as the console writes them.
const (
	enrolmentMax = 8 << 10
	codeVersion  = 1
	codeNonce    = 8
	codeTime     = 4
	codeCheck    = 2
	signedUse    = "REGI1-CREDENTIALS"
	pasteColumns = 76
)

// Errors of an enrolment.
var (
	ErrCode    = errors.New("the code is mistyped: letters are missing or wrong")
	ErrRequest = errors.New("the request is not one that this register's key has signed")
	ErrUnknown = errors.New("no such register belongs to this office")
)

// Credentials enrols a register: its key becomes known, and the owner signs
// where its cloud is, for this register and this code.
func (c *Cloud) Credentials(e Enrolment) (Credentials, error) {
	fail := func(err error) (Credentials, error) { return Credentials{}, fmt.Errorf("cloud: enrol: %w", err) }
	if len(e.Request)+len(e.Code)+len(e.URL) > enrolmentMax {
		return fail(ErrRequest)
	}
	id, asked, err := readCode(e.Code)
	if err != nil {
		return fail(err)
	}
	key, err := requestKey(e.Request, id)
	if err != nil {
		return fail(err)
	}
	creds := c.secrets.creds[id]
	if creds == "" {
		return fail(ErrUnknown)
	}
	body := map[string]string{"url": e.URL}
	if e.URL == "" {
		body["url"] = c.URL()
	}
	for name, path := range map[string]string{"ca": c.secrets.files.CA, "creds": creds, "seal_to": c.secrets.files.SealTo, "signed_by": c.secrets.files.SignedBy} {
		data, err := os.ReadFile(path) //nolint:gosec // in the office's own folder
		if err != nil {
			return fail(err)
		}
		body[name] = string(data)
	}
	text, owner, err := c.secrets.signCredentials(id, asked, body)
	if err != nil {
		return fail(err)
	}
	if err := c.Enroll(id, key); err != nil {
		return Credentials{}, err
	}
	return Credentials{Register: id.String(), Text: text, Owner: owner}, nil
}

// readCode reads a challenge: base32 in groups, of version, the register's name
// with its length, a nonce, its clock and two bytes of SHA-256.
func readCode(s string) (id record.ID, asked []byte, err error) {
	s = strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(s))
	b, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(s)
	if err != nil || len(b) < 2+codeNonce+codeTime+codeCheck {
		return id, nil, ErrCode
	}
	b, check := b[:len(b)-codeCheck], b[len(b)-codeCheck:]
	sum := sha256.Sum256(b)
	if !bytes.Equal(sum[:codeCheck], check) || b[0] != codeVersion || len(b) != 2+int(b[1])+codeNonce+codeTime {
		return id, nil, ErrCode
	}
	if id, err = record.ParseID(string(b[2 : 2+int(b[1])])); err != nil {
		return id, nil, ErrCode
	}
	return id, b[2+int(b[1]):], nil
}

// requestKey is the key of a request, which has signed it.
func requestKey(text string, id record.ID) (ed25519.PublicKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		return nil, ErrRequest
	}
	r, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil || r.CheckSignature() != nil || r.Subject.CommonName != id.String() {
		return nil, ErrRequest
	}
	key, ok := r.PublicKey.(ed25519.PublicKey)
	if !ok {
		return nil, ErrRequest
	}
	return key, nil
}

// signCredentials is the owner's part, who has a key of its own in the folder:
// owner.pub is what a register knows the owner by.
func (s *secrets) signCredentials(id record.ID, asked []byte, body map[string]string) (text, public string, err error) {
	text1, err := json.Marshal(body)
	if err != nil {
		return "", "", err
	}
	signed := append([]byte(signedUse), byte(len(id.String()))) //nolint:gosec // at most 65
	signed = append(append(append(signed, id.String()...), asked...), text1...)
	packet, err := json.Marshal(struct {
		Body      []byte `json:"body"`
		Signature []byte `json:"signature"`
	}{text1, ed25519.Sign(s.owner, signed)})
	if err != nil {
		return "", "", err
	}
	var lines strings.Builder
	for rest := base64.StdEncoding.EncodeToString(packet); len(rest) > 0; {
		n := min(len(rest), pasteColumns)
		lines.WriteString(rest[:n] + "\n")
		rest = rest[n:]
	}
	owner, ok := s.owner.Public().(ed25519.PublicKey)
	if !ok {
		return "", "", errors.New("no owner")
	}
	return lines.String(), string(record.MarshalSignPublic(owner)), nil
}

// loadOwner reads the owner's key, or makes it, and writes its public half.
func (s *secrets) loadOwner(path string) error {
	file, err := readOrMake(path, func() ([]byte, error) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return record.MarshalSignPrivate(key), err
	})
	if err != nil {
		return err
	}
	if s.owner, err = record.ParseSignPrivate(file); err != nil {
		return err
	}
	public := s.owner.Public().(ed25519.PublicKey) //nolint:forcetypeassert // by its documentation
	return os.WriteFile(filepath.Join(filepath.Dir(path), "owner.pub"), record.MarshalSignPublic(public), 0o600)
}
