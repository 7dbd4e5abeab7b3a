package dukpt

import (
	"crypto/aes"
	"encoding/binary"
	"math/bits"

	"regi/firmware/capture/internal/aeskey"
)

// The host's side of X9.24-3, written from the standard's tables and apart
// from the device: it finds any key from the initial key and the counter.

type key = [aeskey.BlockBytes]byte

func hostECB(k, in key) (out key) {
	b, err := aes.NewCipher(k[:])
	if err != nil {
		panic(err)
	}
	b.Encrypt(out[:], in[:])
	return out
}

// hostInput is the derivation data: version, block, usage, algorithm, bits,
// then the IKID (initial key) or its right half and the counter.
func hostInput(usage uint16, right [8]byte) key {
	in := key{0: 1, 1: 1, 5: 2, 7: 128}
	binary.BigEndian.PutUint16(in[2:], usage)
	copy(in[8:], right[:])
	return in
}

func hostInitial(bdk key, ikid [8]byte) key { return hostECB(bdk, hostInput(0x8001, ikid)) }

func hostRight(ikid [8]byte, counter uint32) (right [8]byte) {
	copy(right[:], ikid[4:])
	binary.BigEndian.PutUint32(right[4:], counter)
	return right
}

// hostDerivation finds the derivation key; ok is false for a counter that no
// device may use.
func hostDerivation(ik key, ikid [8]byte, counter uint32) (k key, ok bool) {
	if counter == 0 || bits.OnesCount32(counter) > 16 {
		return key{}, false
	}
	k = ik
	sofar := uint32(0)
	for i := 31; i >= 0; i-- {
		if counter>>i&1 == 1 {
			sofar |= 1 << i
			k = hostECB(k, hostInput(0x8000, hostRight(ikid, sofar)))
		}
	}
	return k, true
}

func hostWorking(derivation key, ikid [8]byte, counter uint32, usage uint16) key {
	return hostECB(derivation, hostInput(usage, hostRight(ikid, counter)))
}

// at is the device that has used all keys before counter.
func at(d *Device, ik key, ikid [8]byte, counter uint32) {
	d.Load(&ikid, &ik)
	r := d.r
	r.counter = counter
	for i := range r.intermediate {
		above := counter &^ (1<<(i+1) - 1) // the counter's bits above i
		c := above | 1<<i
		r.intermediate[i], r.used[i] = key{}, true
		if k, ok := hostDerivation(ik, ikid, c); ok && i >= bits.TrailingZeros32(counter) && c >= counter {
			r.intermediate[i], r.used[i] = k, false
		}
	}
}
