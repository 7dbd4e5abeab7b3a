// Package keyblock opens key blocks of TR-31:2018 and ANSI X9.143:2021: a key
// under a key block protection key (KBPK), bound to what it may be used for.
//
// Version D (AES) is opened, and version B (TDES) where the configuration says
// so; A and C, whose keys are not bound to their header by a derived key, are
// refused. Nothing that is read here is repaired: a block is canonical or
// refused.
package keyblock

import (
	"crypto/des" //nolint:gosec // key blocks of version B are TDES
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"

	"regi/firmware/capture/internal/aeskey"
	"regi/firmware/capture/internal/cmac"
)

// Limits, in bytes.
const (
	// BlockMax bounds a key block; one with an AES-256 key and its optional
	// blocks is under 300.
	BlockMax = 1024
	// KeyMax is the longest key: AES-256.
	KeyMax = 32
	// plainMax is the key's length in bits, a key, and padding.
	plainMax = 128
)

// Errors of Open and CheckInitial; the message says where.
var (
	ErrVersion = errors.New("key block version is not accepted")
	ErrFormat  = errors.New("malformed key block")
	ErrMAC     = errors.New("key block does not verify: another protection key, or a block that was changed")
	ErrUse     = errors.New("key is not an initial DUKPT key")
	ErrKBPK    = errors.New("protection key of a wrong length")
)

// Room is all that is secret while a block is opened. It holds no pointer and
// is meant to lie in an arena.
type Room struct {
	schedule  aeskey.Room
	sum       cmac.State
	enc, auth [KeyMax]byte
	plain     [plainMax]byte
	tag       [cmac.Bytes]byte
	key       [KeyMax]byte
}

// Opener opens one key block at a time.
type Opener struct {
	r   *Room
	aes *aeskey.Cipher
}

// New returns an Opener whose secrets lie in r.
func New(r *Room) (*Opener, error) {
	c, err := aeskey.New(&r.schedule)
	if err != nil {
		return nil, err
	}
	return &Opener{r: r, aes: c}, nil
}

// Wipe erases the last key and all that led to it.
func (o *Opener) Wipe() { *o.r = Room{} }

// Open checks and decrypts block under kbpk. The key lies in the room and is
// good until the next Open or Wipe. With an error there is none.
func (o *Opener) Open(kbpk, block []byte, versionB bool) (h Header, key []byte, err error) {
	o.Wipe()
	h, body, err := parse(block)
	if err != nil {
		return Header{}, nil, err
	}
	var n int
	switch {
	case h.Version == 'D':
		n, err = o.openD(kbpk, block[:h.size], body)
	case h.Version == 'B' && versionB:
		n, err = o.openB(kbpk, block[:h.size], body)
	default:
		err = fmt.Errorf("keyblock: version %c: %w", h.Version, ErrVersion)
	}
	if err == nil {
		key, err = o.extract(&h, n)
	}
	if err != nil {
		o.Wipe()
		return Header{}, nil, err
	}
	return h, key, nil
}

// cipher is one of the two block ciphers, keyed.
type cipher interface {
	Encrypt(dst, src []byte)
	Decrypt(dst, src []byte)
}

// openD is the AES derivation binding method (X9.143:2021 annex A). The
// derived keys are as long as the KBPK.
func (o *Opener) openD(kbpk, header, body []byte) (int, error) {
	algorithm := map[int]uint16{16: 2, 24: 3, 32: 4}[len(kbpk)]
	if algorithm == 0 {
		return 0, fmt.Errorf("keyblock: %d bytes: %w", len(kbpk), ErrKBPK)
	}
	o.aes.Key(kbpk)
	o.derive(o.aes, cmac.Bytes, algorithm, len(kbpk))
	o.aes.Key(o.r.enc[:len(kbpk)])
	n, err := o.decrypt(o.aes, cmac.Bytes, body)
	if err != nil {
		return 0, err
	}
	o.aes.Key(o.r.auth[:len(kbpk)])
	return n, o.verify(o.aes, cmac.Bytes, header, n)
}

// openB is the TDES derivation binding method. The standard library keeps a
// TDES schedule on the heap; the caller erases that (arena.Do and a
// collection).
func (o *Opener) openB(kbpk, header, body []byte) (int, error) {
	algorithm := map[int]uint16{16: 0, 24: 1}[len(kbpk)]
	if len(kbpk) != 16 && len(kbpk) != 24 {
		return 0, fmt.Errorf("keyblock: %d bytes: %w", len(kbpk), ErrKBPK)
	}
	o.derive(tdes(kbpk), cmac.TDESBytes, algorithm, len(kbpk))
	n, err := o.decrypt(tdes(o.r.enc[:len(kbpk)]), cmac.TDESBytes, body)
	if err != nil {
		return 0, err
	}
	return n, o.verify(tdes(o.r.auth[:len(kbpk)]), cmac.TDESBytes, header, n)
}

// tdes takes a key of two or three parts.
func tdes(key []byte) cipher {
	var three [24]byte
	copy(three[copy(three[:], key):], key)
	c, err := des.NewTripleDESCipher(three[:]) //nolint:gosec // what X9.143 version B is made of
	clear(three[:])
	if err != nil {
		panic("keyblock: internal error: TDES refused its key")
	}
	return c
}

// Key usage indicators of the derivation.
const (
	usageEncryption     = 0
	usageAuthentication = 1
)

// derive computes both keys: CMAC over counter 1 | usage 2 | 0 | algorithm 2 |
// length in bits 2, for as many counters as the key has blocks.
func (o *Opener) derive(c cipher, size int, algorithm uint16, keyBytes int) {
	for usage, out := range [...]*[KeyMax]byte{usageEncryption: &o.r.enc, usageAuthentication: &o.r.auth} {
		for at, counter := 0, byte(1); at < keyBytes; at, counter = at+size, counter+1 {
			in := [8]byte{0: counter, 2: byte(usage)}
			binary.BigEndian.PutUint16(in[4:], algorithm)
			binary.BigEndian.PutUint16(in[6:], uint16(8*keyBytes)) //nolint:gosec // at most 256
			o.start(c, size)
			o.r.sum.Write(c, in[:]...)
			o.r.sum.Sum(c, &o.r.tag)
			copy(out[at:keyBytes], o.r.tag[:size])
		}
	}
}

func (o *Opener) start(c cipher, size int) {
	if size == cmac.TDESBytes {
		o.r.sum.StartTDES(c)
		return
	}
	o.r.sum.Start(c)
}

// decrypt is CBC with the MAC as its initial vector; it leaves the MAC in tag
// and returns the length of the plaintext.
func (o *Opener) decrypt(c cipher, size int, body []byte) (int, error) {
	n := len(body)/2 - size
	if len(body)%2 != 0 || n < size || n%size != 0 || n > plainMax {
		return 0, fmt.Errorf("keyblock: %d digits of key: %w", len(body), ErrFormat)
	}
	if !unhex(o.r.plain[:n], body[:2*n]) || !unhex(o.r.tag[:size], body[2*n:]) {
		return 0, fmt.Errorf("keyblock: key is not in upper-case hex: %w", ErrFormat)
	}
	last, next := o.r.tag, [cmac.Bytes]byte{}
	for b := o.r.plain[:n]; len(b) > 0; b = b[size:] {
		copy(next[:], b[:size])
		c.Decrypt(b[:size], b[:size])
		subtle.XORBytes(b[:size], b[:size], last[:size])
		last = next
	}
	return n, nil
}

// verify computes the MAC over the header as it stands and the plaintext.
func (o *Opener) verify(c cipher, size int, header []byte, n int) error {
	got := o.r.tag
	o.start(c, size)
	o.r.sum.Write(c, header...)
	o.r.sum.Write(c, o.r.plain[:n]...)
	o.r.sum.Sum(c, &o.r.tag)
	if subtle.ConstantTimeCompare(got[:size], o.r.tag[:size]) != 1 {
		return fmt.Errorf("keyblock: %w", ErrMAC)
	}
	return nil
}

// extract takes the key out of the plaintext: its length in bits, the key, and
// padding of any value.
func (o *Opener) extract(h *Header, n int) ([]byte, error) {
	bits := int(binary.BigEndian.Uint16(o.r.plain[:]))
	bytes := bits / 8
	known := bits == 128 || bits == 192 || bits == 256 && h.Algorithm == 'A'
	if !known || 2+bytes > n {
		return nil, fmt.Errorf("keyblock: a key of %d bits: %w", bits, ErrFormat)
	}
	copy(o.r.key[:], o.r.plain[2:2+bytes])
	clear(o.r.plain[:])
	return o.r.key[:bytes], nil
}

// unhex fills dst from twice as many upper-case digits.
func unhex(dst, digits []byte) bool {
	for i := range dst {
		high, ok1 := nibble(digits[2*i])
		low, ok2 := nibble(digits[2*i+1])
		if !ok1 || !ok2 {
			return false
		}
		dst[i] = high<<4 | low
	}
	return true
}

func nibble(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
