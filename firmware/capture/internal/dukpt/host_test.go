package dukpt

import (
	"crypto/aes"
	"encoding/binary"
	"math/bits"

	"regi/firmware/capture/internal/aeskey"
)

// The host's side of X9.24-3, written from the standard's tables and apart
// from the device: it finds any key from the initial key and the counter.

// working is a working key.
type working = [aeskey.BlockBytes]byte

func hostECB(k []byte, in working) (out working) {
	b, err := aes.NewCipher(k)
	if err != nil {
		panic(err)
	}
	b.Encrypt(out[:], in[:])
	return out
}

// hostDerive makes a key of as many bits as asked from the derivation data:
// version, block, usage, algorithm, bits, then the IKID (initial key) or its
// right half and the counter.
func hostDerive(k []byte, usage uint16, bits int, right [8]byte) []byte {
	algorithm := map[int]byte{128: 2, 256: 4}[bits]
	var out []byte
	for block := byte(1); len(out) < bits/8; block++ {
		in := working{0: 1, 1: block, 5: algorithm}
		binary.BigEndian.PutUint16(in[2:], usage)
		binary.BigEndian.PutUint16(in[6:], uint16(bits))
		copy(in[8:], right[:])
		one := hostECB(k, in)
		out = append(out, one[:]...)
	}
	return out
}

func hostInitial(bdk []byte, ikid [8]byte) []byte {
	return hostDerive(bdk, 0x8001, 8*len(bdk), ikid)
}

func hostRight(ikid [8]byte, counter uint32) (right [8]byte) {
	copy(right[:], ikid[4:])
	binary.BigEndian.PutUint32(right[4:], counter)
	return right
}

// hostDerivation finds the derivation key; ok is false for a counter that no
// device may use.
func hostDerivation(ik []byte, ikid [8]byte, counter uint32) (k []byte, ok bool) {
	if counter == 0 || bits.OnesCount32(counter) > 16 {
		return nil, false
	}
	k = ik
	sofar := uint32(0)
	for i := 31; i >= 0; i-- {
		if counter>>i&1 == 1 {
			sofar |= 1 << i
			k = hostDerive(k, 0x8000, 8*len(ik), hostRight(ikid, sofar))
		}
	}
	return k, true
}

func hostWorking(derivation []byte, ikid [8]byte, counter uint32, usage uint16) working {
	return working(hostDerive(derivation, usage, 128, hostRight(ikid, counter)))
}

// at is the device that has used all keys before counter.
func at(d *Device, ik []byte, ikid [8]byte, counter uint32) {
	if err := d.Load(&ikid, ik); err != nil {
		panic(err)
	}
	r := d.r
	r.counter = counter
	for i := range r.intermediate {
		above := counter &^ (1<<(i+1) - 1) // the counter's bits above i
		c := above | 1<<i
		r.intermediate[i], r.used[i] = [KeyMax]byte{}, true
		if k, ok := hostDerivation(ik, ikid, c); ok && i >= bits.TrailingZeros32(counter) && c >= counter {
			copy(r.intermediate[i][:], k)
			r.used[i] = false
		}
	}
}
