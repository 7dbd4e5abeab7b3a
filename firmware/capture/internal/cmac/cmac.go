// Package cmac is AES-CMAC (RFC 4493, NIST SP 800-38B) as a stream.
package cmac

// Bytes is the size of a block and of a tag.
const Bytes = 16

// Block encrypts one block of 16 bytes with the MAC's key.
type Block interface {
	Encrypt(dst, src []byte)
}

// State is a MAC under way. It holds no pointer and may lie outside the heap.
type State struct {
	x, k1, k2 [Bytes]byte
	n         int // bytes of the last block that are in x
}

// Start makes the subkeys from b and begins a message.
func (s *State) Start(b Block) {
	*s = State{}
	b.Encrypt(s.k1[:], s.k1[:])
	double(&s.k1)
	s.k2 = s.k1
	double(&s.k2)
}

// Write adds p to the message.
func (s *State) Write(b Block, p ...byte) {
	for _, c := range p {
		if s.n == Bytes { // only now is it known not to be the last block
			b.Encrypt(s.x[:], s.x[:])
			s.n = 0
		}
		s.x[s.n] ^= c
		s.n++
	}
}

// Sum ends the message, puts its tag into tag and wipes the state.
func (s *State) Sum(b Block, tag *[Bytes]byte) {
	k := &s.k1
	if s.n < Bytes {
		s.x[s.n] ^= 0x80
		k = &s.k2
	}
	for i := range s.x {
		s.x[i] ^= k[i]
	}
	b.Encrypt(tag[:], s.x[:])
	*s = State{}
}

// double multiplies by x in GF(2^128), in constant time.
func double(k *[Bytes]byte) {
	carry := byte(0)
	for i := Bytes - 1; i >= 0; i-- {
		k[i], carry = k[i]<<1|carry, k[i]>>7
	}
	k[Bytes-1] ^= 0x87 & -carry
}
