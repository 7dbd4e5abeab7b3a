package main

import (
	"encoding/hex"
	"strings"
	"testing"

	"regi/sim/keyhost"
)

// keyHost is who sends the officers their components and the block.
type keyHost struct {
	kcv               [2]string
	block             string
	ikid, key, keyKCV string
}

func newKeyHost(t *testing.T, one, two string) keyHost {
	t.Helper()
	key := []byte("\xDE\xAD an initial k!")[:16]
	h := keyHost{ikid: "F0E1D2C3B4A59687", key: strings.ToUpper(hex.EncodeToString(key)), keyKCV: kcv(t, key)}
	kbpk := make([]byte, 16)
	for i, part := range []string{one, two} {
		b, err := hex.DecodeString(part)
		if err != nil {
			t.Fatal(err)
		}
		h.kcv[i] = kcv(t, b)
		for n := range kbpk {
			kbpk[n] ^= b[n]
		}
	}
	var err error
	h.block, err = keyhost.Wrap(kbpk, "B1AX00N0200", []string{"IK14" + h.ikid, "PB0C00000000"}, key, 8*len(key))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func kcv(t *testing.T, key []byte) string {
	t.Helper()
	v, err := keyhost.CheckValue(key)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
