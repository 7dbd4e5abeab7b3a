package hsm

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"regi/firmware/record"
)

// Limits of a request.
const (
	// requestMax bounds a message, in bytes: a swipe in hex is 1,024 of them.
	requestMax = 4096
	idMax      = 96   // bytes of a request's ID
	wordMax    = 32   // bytes of each word that describes the card
	amountMax  = 1e12 // minor units
)

const (
	digits  = "0123456789"
	capital = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	letters = capital + "abcdefghijklmnopqrstuvwxyz"
	// words are what an ID or a describing word may be made of.
	words = letters + digits + "-"
)

var errRequest = errors.New("hsm: malformed request")

// request is an authorisation request after all its fields were looked at.
type request struct {
	record.AuthRequest
	register record.ID
	suite    suite
	ksn      []byte
	sum      record.Hash // of the whole request: the same attempt is the same request
}

// subjectOf reads the register's name out of "regi.v1.0001.01.authorize".
func subjectOf(subject string) (record.ID, error) {
	token := strings.Split(subject, ".")
	if len(token) != 5 {
		return record.ID{}, errRequest
	}
	id, err := record.ParseID(token[2] + "/" + token[3])
	if err != nil || id.Subject("authorize") != subject {
		return record.ID{}, errRequest
	}
	return id, nil
}

// decodeRequest reads a request in the one form that a register writes: each
// field once, in its order and case, nothing unknown, nothing after it.
func decodeRequest(register record.ID, data []byte) (*request, error) {
	if len(data) > requestMax {
		return nil, fmt.Errorf("%w: too long", errRequest)
	}
	r := &request{register: register}
	var given bytes.Buffer
	if json.Compact(&given, data) != nil || json.Unmarshal(data, &r.AuthRequest) != nil {
		return nil, errRequest
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	ours, err := json.Marshal(r.AuthRequest)
	if err != nil || !bytes.Equal(ours, given.Bytes()) {
		return nil, fmt.Errorf("%w: not the form that registers write", errRequest)
	}
	r.sum = sha256.Sum256(ours)
	return r, nil
}

func (r *request) check() error {
	c := &r.Card
	var known bool
	r.suite, known = suiteOf(c.Suite)
	switch {
	case !made(r.ID, words, 1, idMax):
		return fmt.Errorf("%w: id", errRequest)
	case r.Amount <= 0 || r.Amount > amountMax:
		return fmt.Errorf("%w: amount", errRequest)
	case !made(r.Currency, capital, 3, 3):
		return fmt.Errorf("%w: currency", errRequest)
	case !known:
		return fmt.Errorf("%w: suite", errRequest)
	case !made(c.BIN, digits, 6, 6) || !made(c.Last4, digits, 4, 4):
		return fmt.Errorf("%w: shown digits", errRequest)
	case !made(c.Source, words, 1, wordMax) || !made(c.Brand, words, 0, wordMax) || !made(c.Entry, words, 1, wordMax):
		return fmt.Errorf("%w: words", errRequest)
	case !made(c.ServiceCode, digits, 0, 3) || !made(c.Tracks, "123", 0, 3):
		return fmt.Errorf("%w: tracks", errRequest)
	case r.suite.source != "" && c.Source != r.suite.source:
		return fmt.Errorf("%w: source", errRequest)
	case len(c.CT) == 0 || len(c.CT) > r.suite.ctMax || len(c.MAC) != r.suite.mac:
		return fmt.Errorf("%w: sealed bytes", errRequest)
	}
	r.ksn = make([]byte, r.suite.ksn)
	if n, err := hex.Decode(r.ksn, []byte(c.KSN[:min(len(c.KSN), 2*len(r.ksn))])); err != nil || n != len(r.ksn) || hex.EncodeToString(r.ksn) != c.KSN {
		return fmt.Errorf("%w: ksn", errRequest)
	}
	return nil
}

// made reports whether s is of low to high bytes of an alphabet.
func made(s, of string, low, high int) bool {
	return len(s) >= low && len(s) <= high && strings.Trim(s, of) == ""
}

// sealed is what the MAC of a card read is over: each field after its length in
// one byte, the ciphertext after its length in two, big endian.
func (r *request) sealed() []byte {
	var b []byte
	for _, field := range [...][]byte{[]byte(r.Card.Suite), r.ksn, []byte(r.Card.BIN), []byte(r.Card.Last4)} {
		b = append(b, byte(len(field))) //nolint:gosec // at most 21
		b = append(b, field...)
	}
	n := len(r.Card.CT)
	b = append(b, byte(n>>8), byte(n)) //nolint:gosec // at most ctMax
	return append(b, r.Card.CT...)
}

// digitsShown is how many digits in a row a log may hold: a card number has 13.
const digitsShown = 12

// loggable is an ID without what might be a card number that a faulty register
// put into it.
func loggable(id string) string {
	run := 0
	for i := range len(id) {
		if run++; id[i] < '0' || id[i] > '9' {
			run = 0
		}
		if run > digitsShown {
			return "(not shown)"
		}
	}
	return id
}
