// Package cmac is the AES-CMAC of a whole message (RFC 4493).
package cmac

import (
	"crypto/aes"
	"crypto/subtle"
)

// Size is the length of a MAC, in bytes.
const Size = aes.BlockSize

// Sum returns the MAC of message under an AES-128 key.
func Sum(key *[16]byte, message []byte) (mac [Size]byte) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("cmac: internal error: 16 bytes are no AES key")
	}
	for len(message) > Size {
		subtle.XORBytes(mac[:], mac[:], message[:Size])
		block.Encrypt(mac[:], mac[:])
		message = message[Size:]
	}
	// The last block is padded unless it is whole, and masked by one of two
	// subkeys, so that the two cases never meet.
	var last, subkey [Size]byte
	block.Encrypt(subkey[:], subkey[:])
	double(&subkey)
	if n := copy(last[:], message); n < Size {
		last[n] = 0x80
		double(&subkey)
	}
	subtle.XORBytes(mac[:], mac[:], last[:])
	subtle.XORBytes(mac[:], mac[:], subkey[:])
	block.Encrypt(mac[:], mac[:])
	clear(subkey[:])
	return mac
}

// double multiplies by x in GF(2^128) (RFC 4493 section 2.3, Rb = 0x87).
func double(b *[Size]byte) {
	carry := b[0] >> 7
	for i := range b[:Size-1] {
		b[i] = b[i]<<1 | b[i+1]>>7
	}
	b[Size-1] = b[Size-1]<<1 ^ carry*0x87
}
