package main

import (
	"crypto/ed25519"
	"encoding/hex"
	"strings"
	"testing"

	"regi/sim/keyhost"
)

// keyHost is who sends the officers their components and the block.
type keyHost struct {
	kcv               [2]string
	block             string
	kbpk              []byte
	ikid, key, keyKCV string
}

func newKeyHost(t *testing.T, one, two string) keyHost {
	t.Helper()
	key := []byte("\xDE\xAD an initial k!")[:16]
	h := keyHost{ikid: "F0E1D2C3B4A59687", key: strings.ToUpper(hex.EncodeToString(key)), keyKCV: kcv(t, key)}
	h.kbpk = make([]byte, 16)
	for i, part := range []string{one, two} {
		b, err := hex.DecodeString(part)
		if err != nil {
			t.Fatal(err)
		}
		h.kcv[i] = kcv(t, b)
		for n := range h.kbpk {
			h.kbpk[n] ^= b[n]
		}
	}
	h.block = h.blockOf(t, key)
	return h
}

// blockOf wraps another key under the same id.
func (h keyHost) blockOf(t *testing.T, key []byte) string {
	t.Helper()
	block, err := keyhost.Wrap(h.kbpk, "B1AX00N0200", []string{"IK14" + h.ikid, "PB0C00000000"}, key, 8*len(key))
	if err != nil {
		t.Fatal(err)
	}
	return block
}

// letters are the key loading office's.
func (h keyHost) letters() keyhost.Letters {
	return keyhost.Letters{Block: h.block, IKID: h.ikid, CheckValue: h.keyKCV}
}

// permit answers the challenge on the terminal with the owner's permit.
func (s *sitting) permit(h keyHost, owner ed25519.PrivateKey) (id string) {
	s.t.Helper()
	s.until("The owner's permit: ")
	all := challenge.FindAll(s.shown, -1)
	text, id, err := h.letters().Sign(owner, string(all[len(all)-1]), 30)
	if err != nil {
		s.t.Fatal(err)
	}
	s.answer("", text+"\r")
	return id
}

func kcv(t *testing.T, key []byte) string {
	t.Helper()
	v, err := keyhost.CheckValue(key)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
