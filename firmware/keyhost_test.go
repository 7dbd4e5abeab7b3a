package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// keyHost is who sends the officers their components and the block, written
// from X9.143 and apart from the device, for a protection key of 16 bytes.
type keyHost struct {
	kcv               [2]string
	block             string
	ikid, key, keyKCV string
}

func newKeyHost(t *testing.T, one, two string) keyHost {
	t.Helper()
	a, err := hex.DecodeString(one)
	if err != nil {
		t.Fatal(err)
	}
	b, err := hex.DecodeString(two)
	if err != nil {
		t.Fatal(err)
	}
	kbpk := make([]byte, 16)
	for i := range kbpk {
		kbpk[i] = a[i] ^ b[i]
	}
	key := []byte("\xDE\xAD an initial k!")[:16]
	h := keyHost{ikid: "F0E1D2C3B4A59687", key: upper(key), keyKCV: kcv(t, key), kcv: [2]string{kcv(t, a), kcv(t, b)}}
	plain := append([]byte{0, 128}, key...)
	plain = append(plain, bytes.Repeat([]byte{0x5A}, 14)...)
	tail := "IK14" + h.ikid + "PB0C00000000"
	header := fmt.Sprintf("D%04dB1AX00N0200%s", 16+len(tail)+64+32, tail)
	mac := cmac(t, cmac(t, kbpk, []byte{1, 0, 1, 0, 0, 2, 0, 128}), append([]byte(header), plain...))
	c, err := aes.NewCipher(cmac(t, kbpk, []byte{1, 0, 0, 0, 0, 2, 0, 128}))
	if err != nil {
		t.Fatal(err)
	}
	cipher.NewCBCEncrypter(c, mac).CryptBlocks(plain, plain)
	h.block = header + upper(plain) + upper(mac)
	return h
}

func upper(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }

func kcv(t *testing.T, key []byte) string {
	t.Helper()
	return upper(cmac(t, key, make([]byte, 16))[:3])
}

func cmac(t *testing.T, key, message []byte) []byte {
	t.Helper()
	c, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	twice := func(b []byte) []byte {
		out := make([]byte, 16)
		for i := range 15 {
			out[i] = b[i]<<1 | b[i+1]>>7
		}
		out[15] = b[15] << 1
		if b[0]&0x80 != 0 {
			out[15] ^= 0x87
		}
		return out
	}
	k := make([]byte, 16)
	c.Encrypt(k, k)
	k = twice(k)
	m := bytes.Clone(message)
	if len(m)%16 != 0 {
		k = twice(k)
		m = append(m, 0x80)
		m = append(m, make([]byte, (16-len(m)%16)%16)...)
	}
	for i := range k {
		m[len(m)-16+i] ^= k[i]
	}
	cipher.NewCBCEncrypter(c, make([]byte, 16)).CryptBlocks(m, m)
	return m[len(m)-16:]
}
