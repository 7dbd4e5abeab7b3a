// Package dukpt derives the keys of encrypting card readers: DUKPT with
// two-key triple DES (ANSI X9.24-1:2009 annex A). The simulated readers use it
// to seal, the hsm to open.
package dukpt

import (
	"crypto/cipher"
	"crypto/des" //nolint:gosec // the standard of these readers
	"errors"
	"math/bits"
)

// Key is a two-key triple DES key.
type Key [16]byte

// KSN is the key serial number: key set and device (59 bits) ‖ counter (21).
type KSN [10]byte

const (
	counterBits = 21
	counterMask = 1<<counterBits - 1
	// onesMax is how many one bits a counter may have: a device skips the others.
	onesMax = 10
)

// Errors of a derivation.
var (
	// ErrCounter says that no device has a key for this counter.
	ErrCounter = errors.New("dukpt: counter that no device may use")
	// ErrUsedUp says that a device has no counter left.
	ErrUsedUp = errors.New("dukpt: keys used up")
)

// variants are what is XORed onto a key for a use (annex A.4.1 and A.4.2).
//
//nolint:gochecknoglobals // constant tables
var (
	otherHalf   = Key{0: 0xC0, 1: 0xC0, 2: 0xC0, 3: 0xC0, 8: 0xC0, 9: 0xC0, 10: 0xC0, 11: 0xC0}
	pinVariant  = Key{7: 0xFF, 15: 0xFF}
	dataVariant = Key{5: 0xFF, 13: 0xFF}
)

// Counter is the right part of the number.
func (k KSN) Counter() uint32 {
	return (uint32(k[7])<<16 | uint32(k[8])<<8 | uint32(k[9])) & counterMask
}

// At is the number of the same device with another counter.
func (k KSN) At(counter uint32) KSN {
	k[7] = k[7]&^0x1F | byte(counter>>16)&0x1F   //nolint:gosec // 21 bits
	k[8], k[9] = byte(counter>>8), byte(counter) //nolint:gosec // byte by byte
	return k
}

// Next is the counter a device uses after this one.
func Next(counter uint32) (uint32, error) {
	for counter++; counter <= counterMask; counter++ {
		if bits.OnesCount32(counter) <= onesMax {
			return counter, nil
		}
	}
	return 0, ErrUsedUp
}

// Initial derives the key that is injected into a device (annex A.6).
func Initial(bdk *Key, ksn KSN, out *Key) {
	ksn = ksn.At(0)
	left, right := *bdk, xor(*bdk, otherHalf)
	encrypt(&left, out[:8], ksn[:8])
	encrypt(&right, out[8:], ksn[:8])
}

// Transaction derives the key of one counter from the initial key: one step
// for each one bit of the counter, the highest first (annex A.3).
func Transaction(initial *Key, ksn KSN, out *Key) error {
	counter := ksn.Counter()
	if counter == 0 || bits.OnesCount32(counter) > onesMax {
		return ErrCounter
	}
	key := *initial
	for done, left := uint32(0), counter; left != 0; {
		top := uint32(1) << (bits.Len32(left) - 1)
		done, left = done|top, left^top
		at := ksn.At(done)
		key = step(key, [8]byte(at[2:]))
	}
	*out = key
	return nil
}

// step is the non-reversible key generation process (annex A.2).
func step(key Key, register [8]byte) (next Key) {
	half(key, register, next[8:])
	half(xor(key, otherHalf), register, next[:8])
	return next
}

// half encrypts with the left half what the right half masks before and after.
func half(key Key, register [8]byte, out []byte) {
	block, err := des.NewCipher(key[:8]) //nolint:gosec // see the package
	if err != nil {
		panic("dukpt: internal error: 8 bytes are no DES key")
	}
	for i := range register {
		register[i] ^= key[8+i]
	}
	block.Encrypt(out, register[:])
	for i := range register {
		out[i] ^= key[8+i]
	}
}

// PIN is the PIN variant of a transaction's key, with which MagTek readers
// encrypt tracks (manual 99875475, appendix C).
func PIN(transaction *Key, out *Key) { *out = xor(*transaction, pinVariant) }

// Data is the data encryption key of a transaction (annex A.4.1): the variant,
// encrypted under itself.
func Data(transaction *Key, out *Key) {
	variant := xor(*transaction, dataVariant)
	encrypt(&variant, out[:8], variant[:8])
	encrypt(&variant, out[8:], variant[8:])
}

// Block is the triple DES cipher under a key.
func Block(key *Key) cipher.Block {
	var three [24]byte
	copy(three[:], key[:])
	copy(three[16:], key[:8])
	block, err := des.NewTripleDESCipher(three[:]) //nolint:gosec // see the package
	if err != nil {
		panic("dukpt: internal error: 24 bytes are no triple DES key")
	}
	clear(three[:])
	return block
}

func encrypt(key *Key, out, in []byte) { Block(key).Encrypt(out, in) }

func xor(a, b Key) Key {
	for i := range a {
		a[i] ^= b[i]
	}
	return a
}
