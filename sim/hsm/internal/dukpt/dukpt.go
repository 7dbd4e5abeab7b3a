// Package dukpt finds the keys of a card reader from the base derivation key:
// the host's side of AES-128 DUKPT (ANSI X9.24-3:2017).
package dukpt

import (
	"crypto/aes"
	"encoding/binary"
	"errors"
	"math/bits"
)

// Key is an AES-128 key.
type Key [16]byte

// IKID names the initial key of one device: BDK id (4) ‖ derivation id (4).
type IKID [8]byte

// KSN names the key of one transaction: IKID (8) ‖ transaction counter (4).
type KSN [12]byte

// Usage is what a working key is for (X9.24-3:2017 table 2).
type Usage uint16

// Usages of working keys.
const (
	MACGenerate Usage = 0x2000
	DataEncrypt Usage = 0x3000
)

// Usages of the derivation itself.
const (
	keyDerivation Usage = 0x8000
	initialKey    Usage = 0x8001
)

// onesMax is how many one bits a counter may have: a device skips the others.
const onesMax = 16

// ErrCounter says that no device has a key for this counter.
var ErrCounter = errors.New("dukpt: counter that no device may use")

// IKID is the left part of the number.
func (k KSN) IKID() IKID { return IKID(k[:8]) }

// Counter is the right part of the number.
func (k KSN) Counter() uint32 { return binary.BigEndian.Uint32(k[8:]) }

// Initial derives the key that is injected into the device of an IKID.
func Initial(bdk *Key, id IKID, ik *Key) { derive(bdk, initialKey, id, ik) }

// Transaction derives the derivation key of one transaction from the initial
// key: one step for each one bit of the counter, the highest first.
func Transaction(ik *Key, ksn KSN, out *Key) error {
	counter := ksn.Counter()
	if counter == 0 || bits.OnesCount32(counter) > onesMax {
		return ErrCounter
	}
	key := *ik
	for done, left := uint32(0), counter; left != 0; {
		top := uint32(1) << (bits.Len32(left) - 1)
		done, left = done|top, left^top
		derive(&key, keyDerivation, place(ksn, done), &key)
	}
	*out = key
	clear(key[:])
	return nil
}

// Working derives the key of one use from a transaction's derivation key.
func Working(transaction *Key, ksn KSN, use Usage, out *Key) {
	derive(transaction, use, place(ksn, ksn.Counter()), out)
}

// place is the right half of the derivation data of all keys but the initial
// one: IKID[4:8] ‖ counter.
func place(ksn KSN, counter uint32) (right [8]byte) {
	copy(right[:], ksn[4:8])
	binary.BigEndian.PutUint32(right[4:], counter)
	return right
}

// derive encrypts the derivation data (X9.24-3:2017 6.3.2): version 1, key
// block 1, usage, algorithm AES-128, 128 bits, and what the key belongs to.
func derive(key *Key, use Usage, right [8]byte, out *Key) {
	const aes128, length = 2, 128
	data := Key{0: 1, 1: 1}
	binary.BigEndian.PutUint16(data[2:], uint16(use))
	binary.BigEndian.PutUint16(data[4:], aes128)
	binary.BigEndian.PutUint16(data[6:], length)
	copy(data[8:], right[:])
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("dukpt: internal error: 16 bytes are no AES key")
	}
	block.Encrypt(out[:], data[:])
}
