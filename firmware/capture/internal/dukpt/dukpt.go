// Package dukpt is the device side of AES-128 DUKPT (ANSI X9.24-3:2017): one
// key a transaction, from which no earlier one can be found again.
//
// The host side, which can find any of them, is not part of the register.
package dukpt

import (
	"encoding/binary"
	"errors"
	"math/bits"

	"regi/firmware/capture/internal/aeskey"
)

// Sizes of the standard, in bytes.
const (
	IKIDBytes = 8
	KSNBytes  = IKIDBytes + 4
)

const (
	registers = 32
	// onesMax: a counter with more one bits is skipped (X9.24-3 6.3.2), so that
	// the host needs at most 16 derivations.
	onesMax = 16
	// last is the last counter with at most 16 one bits.
	last = 0xFFFF0000
)

// Key usages (X9.24-3:2017 table 2).
const (
	usageDerive uint16 = 0x8000
	usageMAC    uint16 = 0x2000 // message authentication, generation
	usageData   uint16 = 0x3000 // data encryption, encrypt
)

// Errors of Next.
var (
	ErrNoKey     = errors.New("dukpt: no initial key")
	ErrExhausted = errors.New("dukpt: key used up")
)

// Registers is a device's key material. It holds no pointer and is meant to
// lie in an arena; the zero value has no key.
type Registers struct {
	intermediate [registers][aeskey.BlockBytes]byte
	used         [registers]bool // erased: its key was used or never made
	ikid         [IKIDBytes]byte
	counter      uint32 // of the next transaction; 0: no key, or used up
	loaded       bool
	input, key   [aeskey.BlockBytes]byte
	base         aeskey.Room
}

// Device hands out the working keys of one transaction after the other.
type Device struct {
	r    *Registers
	base *aeskey.Cipher
}

// New returns the device whose keys lie in r.
func New(r *Registers) (*Device, error) {
	base, err := aeskey.New(&r.base)
	if err != nil {
		return nil, err
	}
	return &Device{r: r, base: base}, nil
}

// Load takes the initial key and starts at counter 1. The caller wipes ik.
func (d *Device) Load(ikid *[IKIDBytes]byte, ik *[aeskey.BlockBytes]byte) {
	d.Wipe()
	d.r.ikid, d.r.loaded = *ikid, true
	d.base.Key(ik[:])
	d.fill(registers)
	d.base.Wipe()
	d.r.counter = 1
}

// Wipe erases all keys.
func (d *Device) Wipe() { *d.r = Registers{} }

// Next keys data and mac with the next transaction's data encryption and MAC
// generation keys, appends that transaction's key serial number to ksn, and
// erases all from which the keys could be derived again. No counter is ever
// handed out twice; when the last one has been, Next returns ErrExhausted.
func (d *Device) Next(data, mac *aeskey.Cipher, ksn []byte) ([]byte, error) {
	r := d.r
	if !r.loaded {
		return ksn, ErrNoKey
	}
	for r.counter != 0 && bits.OnesCount32(r.counter) > onesMax {
		r.counter += r.counter & -r.counter
	}
	if r.counter == 0 || r.counter > last {
		d.Wipe()
		r.loaded = true // used up is not the same as never keyed
		return ksn, ErrExhausted
	}
	current := bits.TrailingZeros32(r.counter)
	if r.used[current] {
		panic("dukpt: internal error: register is erased")
	}
	d.base.Key(r.intermediate[current][:])
	d.derive(usageData, r.counter, &r.key)
	data.Key(r.key[:])
	d.derive(usageMAC, r.counter, &r.key)
	mac.Key(r.key[:])
	r.key = [aeskey.BlockBytes]byte{}
	if bits.OnesCount32(r.counter) < onesMax { // else what follows is skipped
		d.fill(current)
	}
	d.base.Wipe()
	r.intermediate[current], r.used[current] = [aeskey.BlockBytes]byte{}, true

	ksn = append(ksn, r.ikid[:]...)
	ksn = binary.BigEndian.AppendUint32(ksn, r.counter)
	r.counter++
	return ksn, nil
}

// fill derives the registers below n from the base key.
func (d *Device) fill(n int) {
	for i := range n {
		d.derive(usageDerive, d.r.counter|1<<i, &d.r.intermediate[i])
		d.r.used[i] = false
	}
}

// derive computes one AES-128 key from the base key. The input is the
// derivation data of X9.24-3:2017 table 1.
func (d *Device) derive(usage uint16, counter uint32, key *[aeskey.BlockBytes]byte) {
	in := &d.r.input
	in[0] = 1                                 // version
	in[1] = 1                                 // first (only) block of the key
	binary.BigEndian.PutUint16(in[2:], usage) //
	binary.BigEndian.PutUint16(in[4:], 2)     // algorithm AES-128
	binary.BigEndian.PutUint16(in[6:], 8*aeskey.BlockBytes)
	copy(in[8:12], d.r.ikid[4:])
	binary.BigEndian.PutUint32(in[12:], counter)
	d.base.Encrypt(key[:], in[:])
}
