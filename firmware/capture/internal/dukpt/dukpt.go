// Package dukpt is the device side of AES DUKPT (ANSI X9.24-3:2017): one key a
// transaction, from which no earlier one can be found again. Initial keys are
// AES-128 or AES-256, working keys AES-128.
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
	// KeyMax is the longest initial key, AES-256.
	KeyMax = 32
)

const (
	registers = 32
	workBytes = 16 // a working key is AES-128
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

// Errors of Next and Load.
var (
	ErrNoKey     = errors.New("dukpt: no initial key")
	ErrExhausted = errors.New("dukpt: key used up")
	ErrLimit     = errors.New("dukpt: counter is not reserved")
	ErrKeySize   = errors.New("dukpt: initial key is neither AES-128 nor AES-256")
)

// Registers is a device's key material. It holds no pointer and is meant to
// lie in an arena; the zero value has no key.
type Registers struct {
	intermediate [registers][KeyMax]byte
	used         [registers]bool // erased: its key was used or never made
	ikid         [IKIDBytes]byte
	counter      uint32 // of the next transaction; 0: no key, or used up
	until        uint32 // the first counter that is not reserved; 0: none is not
	size         int    // bytes of a derivation key: 16 or 32
	loaded       bool
	input, work  [aeskey.BlockBytes]byte
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
func (d *Device) Load(ikid *[IKIDBytes]byte, ik []byte) error {
	d.Wipe()
	if len(ik) != 16 && len(ik) != KeyMax {
		return ErrKeySize
	}
	d.r.ikid, d.r.size, d.r.loaded = *ikid, len(ik), true
	d.base.Key(ik)
	d.fill(registers)
	d.base.Wipe()
	d.r.counter = 1
	return nil
}

// Loaded reports whether there is, or was before it was used up, a key.
func (d *Device) Loaded() bool { return d.r.loaded }

// Wipe erases all keys.
func (d *Device) Wipe() { *d.r = Registers{} }

// Counter is that of the next transaction; 0: there is none.
func (d *Device) Counter() uint32 {
	d.skip()
	return d.r.counter
}

// Limit makes Next refuse the counter until and those after it; 0: none.
func (d *Device) Limit(until uint32) { d.r.until = until }

// IKID is the initial key id; all zero without a key.
func (d *Device) IKID() [IKIDBytes]byte { return d.r.ikid }

// Next keys data and mac with the next transaction's data encryption and MAC
// generation keys, appends that transaction's key serial number to ksn, and
// erases all from which the keys could be derived again. No counter is ever
// handed out twice; when the last one has been, Next returns ErrExhausted.
func (d *Device) Next(data, mac *aeskey.Cipher, ksn []byte) ([]byte, error) {
	r := d.r
	if !r.loaded {
		return ksn, ErrNoKey
	}
	d.skip()
	if r.counter == 0 || r.counter > last {
		d.Wipe()
		r.loaded = true // used up is not the same as never keyed
		return ksn, ErrExhausted
	}
	if r.until != 0 && r.counter >= r.until {
		return ksn, ErrLimit
	}
	current := d.current()
	d.base.Key(r.intermediate[current][:r.size])
	d.work(usageData)
	data.Key(r.work[:])
	d.work(usageMAC)
	mac.Key(r.work[:])
	r.work = [workBytes]byte{}
	d.descend(current)
	d.base.Wipe()

	ksn = append(ksn, r.ikid[:]...)
	ksn = binary.BigEndian.AppendUint32(ksn, r.counter)
	r.counter++
	return ksn, nil
}

// Advance makes to the next counter without deriving a working key: the
// counters before it are as good as used. Whole subtrees are dropped by erasing
// the one register they come from, so that a step of 64 counters costs less
// than one key. A device without a key, or beyond to, stays as it is.
func (d *Device) Advance(to uint32) {
	r := d.r
	if !r.loaded {
		return
	}
	for d.skip(); r.counter != 0 && r.counter < to; d.skip() {
		current := d.current()
		if rest := uint64(1) << current; uint64(r.counter)+rest <= uint64(to) {
			d.erase(current)
			r.counter += uint32(rest) //nolint:gosec // not beyond to
			continue
		}
		d.base.Key(r.intermediate[current][:r.size])
		d.descend(current)
		d.base.Wipe()
		r.counter++
	}
}

// skip leaves out the counters that must not be used.
func (d *Device) skip() {
	for r := d.r; r.counter != 0 && bits.OnesCount32(r.counter) > onesMax; {
		r.counter += r.counter & -r.counter
	}
}

// current is the register that the next transaction's key is in.
func (d *Device) current() int {
	n := bits.TrailingZeros32(d.r.counter)
	if d.r.used[n] {
		panic("dukpt: internal error: register is erased")
	}
	return n
}

// descend derives the registers below n from n's key, which is the base key,
// and erases it.
func (d *Device) descend(n int) {
	if bits.OnesCount32(d.r.counter) < onesMax { // else what follows is skipped
		d.fill(n)
	}
	d.erase(n)
}

func (d *Device) erase(n int) {
	d.r.intermediate[n], d.r.used[n] = [KeyMax]byte{}, true
}

// fill derives the registers below n from the base key.
func (d *Device) fill(n int) {
	for i := range n {
		key := d.r.intermediate[i][:d.r.size]
		d.derive(usageDerive, d.r.counter|1<<i, key)
		d.r.used[i] = false
	}
}

// work derives a working key of the next transaction from the base key.
func (d *Device) work(usage uint16) { d.derive(usage, d.r.counter, d.r.work[:]) }

// derive computes a key from the base key, one AES block after the other. The
// input is the derivation data of X9.24-3:2017 table 1.
func (d *Device) derive(usage uint16, counter uint32, key []byte) {
	algorithm := uint16(2) // AES-128
	if len(key) == KeyMax {
		algorithm = 4 // AES-256
	}
	in := &d.r.input
	in[0] = 1                                 // version
	binary.BigEndian.PutUint16(in[2:], usage) //
	binary.BigEndian.PutUint16(in[4:], algorithm)
	binary.BigEndian.PutUint16(in[6:], uint16(8*len(key))) //nolint:gosec // 128 or 256
	copy(in[8:12], d.r.ikid[4:])
	binary.BigEndian.PutUint32(in[12:], counter)
	for at := 0; at < len(key); at += aeskey.BlockBytes {
		in[1] = byte(1 + at/aeskey.BlockBytes) // which block of the key
		d.base.Encrypt(key[at:at+aeskey.BlockBytes], in[:])
	}
}
