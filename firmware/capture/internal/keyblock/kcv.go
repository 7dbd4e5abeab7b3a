package keyblock

import "regi/firmware/capture/internal/cmac"

// KCVBytes is the length of a key check value.
const KCVBytes = 3

// KCV is the key check value of an AES key: the first bytes of the CMAC over a
// zero block (X9.24-1:2017 annex A).
func (o *Opener) KCV(key []byte) (kcv [KCVBytes]byte) {
	o.aes.Key(key)
	o.r.sum.Start(o.aes)
	o.r.sum.Write(o.aes, make([]byte, cmac.Bytes)...)
	o.r.sum.Sum(o.aes, &o.r.tag)
	o.aes.Wipe()
	copy(kcv[:], o.r.tag[:])
	clear(o.r.tag[:])
	return kcv
}

// KCVTDES is that of a TDES key: the first bytes of an encrypted zero block.
func (o *Opener) KCVTDES(key []byte) (kcv [KCVBytes]byte) {
	var block [cmac.TDESBytes]byte
	tdes(key).Encrypt(block[:], block[:])
	copy(kcv[:], block[:])
	return kcv
}
