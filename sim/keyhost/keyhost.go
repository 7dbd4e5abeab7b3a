// Package keyhost is the key loading office: it makes what two key officers
// bring to a register, one component each with its check value, and a TR-31
// key block (ANSI X9.143, version D) that the components open.
//
// It is written from the standard and apart from the device's side.
package keyhost

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

// Part is one component of the protection key, in hex, for one officer.
type Part struct {
	Component  string `json:"component"`
	CheckValue string `json:"check_value"`
}

// Letters are what the two officers and the register's operator are sent.
type Letters struct {
	Parts      [2]Part `json:"parts"`
	Block      string  `json:"block"`
	IKID       string  `json:"ikid"`
	CheckValue string  `json:"check_value"`
	// Permit is the owner's, and PermitID what the register's journal will call
	// it; "" where nobody asked for one.
	Permit   string `json:"permit,omitempty"`
	PermitID string `json:"permit_id,omitempty"`
}

// partBytes is AES-256: the protection key is never weaker than the key in it.
const partBytes = 32

// Write wraps a DUKPT initial key under a new protection key.
func Write(ikid [8]byte, key [16]byte) (Letters, error) {
	var parts [2][partBytes]byte
	for i := range parts {
		rand.Read(parts[i][:])
	}
	l := Letters{IKID: strings.ToUpper(hex.EncodeToString(ikid[:]))}
	kbpk := make([]byte, partBytes)
	defer clear(kbpk)
	for i, p := range parts {
		v, err := CheckValue(p[:])
		if err != nil {
			return l, err
		}
		l.Parts[i] = Part{Component: strings.ToUpper(hex.EncodeToString(p[:])), CheckValue: v}
		for n, b := range p {
			kbpk[n] ^= b
		}
	}
	var err error
	if l.CheckValue, err = CheckValue(key[:]); err != nil {
		return l, err
	}
	// B1 initial key, A AES, X derive only, version 00, not exportable, two
	// optional blocks: the key's id, and padding to a multiple of 16.
	l.Block, err = Wrap(kbpk, "B1AX00N0200", []string{"IK14" + l.IKID, "PB0C00000000"}, key[:], 8*len(key))
	return l, err
}

// CheckValue is the first three bytes of CMAC over a block of zeros, in hex
// (X9.24-1).
func CheckValue(key []byte) (string, error) {
	mac, err := cmac(key, make([]byte, aes.BlockSize))
	if err != nil {
		return "", err
	}
	return strings.ToUpper(hex.EncodeToString(mac[:3])), nil
}

// Wrap makes a block of version D: fields are the header's characters 5 to 15,
// optional its optional blocks, bits the key's length as the block says it.
func Wrap(kbpk []byte, fields string, optional []string, key []byte, bits int) (string, error) {
	plain := binary.BigEndian.AppendUint16(nil, uint16(bits)) //nolint:gosec // a test may lie, within 16 bits
	plain = append(plain, key...)
	for len(plain)%aes.BlockSize != 0 {
		plain = append(plain, 0x5A)
	}
	tail := strings.Join(optional, "")
	size := 16 + len(tail) + 2*len(plain) + 2*aes.BlockSize
	header := fmt.Sprintf("D%04d%s%s", size, fields, tail)
	macKey, err := derive(kbpk, 1)
	if err != nil {
		return "", err
	}
	mac, err := cmac(macKey, append([]byte(header), plain...))
	if err != nil {
		return "", err
	}
	encryption, err := derive(kbpk, 0)
	if err != nil {
		return "", err
	}
	c, err := aes.NewCipher(encryption)
	if err != nil {
		return "", fmt.Errorf("keyhost: %w", err)
	}
	cipher.NewCBCEncrypter(c, mac).CryptBlocks(plain, plain)
	return header + strings.ToUpper(hex.EncodeToString(plain)+hex.EncodeToString(mac)), nil
}

// derive is X9.143's key derivation: CMAC in counter mode. Usage 0 encrypts, 1
// authenticates.
func derive(kbpk []byte, usage byte) ([]byte, error) {
	algorithm := map[int]byte{16: 2, 24: 3, 32: 4}[len(kbpk)]
	var key []byte
	for counter := byte(1); len(key) < len(kbpk); counter++ {
		in := []byte{counter, 0, usage, 0, 0, algorithm, 0, 0}
		binary.BigEndian.PutUint16(in[6:], uint16(8*len(kbpk))) //nolint:gosec // at most 256
		part, err := cmac(kbpk, in)
		if err != nil {
			return nil, err
		}
		key = append(key, part...)
	}
	return key[:len(kbpk)], nil
}

// cmac is NIST SP 800-38B.
func cmac(key, message []byte) ([]byte, error) {
	c, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("keyhost: %w", err)
	}
	sub := make([]byte, aes.BlockSize)
	c.Encrypt(sub, sub)
	sub = double(sub)
	m := append([]byte(nil), message...)
	if len(m) == 0 || len(m)%aes.BlockSize != 0 {
		sub = double(sub)
		m = append(m, 0x80)
		for len(m)%aes.BlockSize != 0 {
			m = append(m, 0)
		}
	}
	last := m[len(m)-aes.BlockSize:]
	for i := range sub {
		last[i] ^= sub[i]
	}
	cipher.NewCBCEncrypter(c, make([]byte, aes.BlockSize)).CryptBlocks(m, m) //nolint:gosec // CMAC is CBC from zero
	return last, nil
}

// double multiplies by x in GF(2^128).
func double(b []byte) []byte {
	out := make([]byte, len(b))
	for i := range len(b) - 1 {
		out[i] = b[i]<<1 | b[i+1]>>7
	}
	out[len(b)-1] = b[len(b)-1] << 1
	if b[0]&0x80 != 0 {
		out[len(b)-1] ^= 0x87
	}
	return out
}
