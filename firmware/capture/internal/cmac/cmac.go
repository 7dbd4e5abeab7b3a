// Package cmac is CMAC (NIST SP 800-38B) as a stream, with AES (RFC 4493) or
// with TDES.
package cmac

// Bytes is the size of a block of AES, and of its tag.
const Bytes = 16

// TDESBytes is the size of a block of TDES, and of its tag.
const TDESBytes = 8

// Block encrypts one block with the MAC's key.
type Block interface {
	Encrypt(dst, src []byte)
}

// State is a MAC under way. It holds no pointer and may lie outside the heap.
type State struct {
	x, k1, k2 [Bytes]byte
	size      int // of a block
	n         int // bytes of the last block that are in x
}

// Start makes the subkeys from b, which is AES, and begins a message.
func (s *State) Start(b Block) { s.start(b, Bytes, 0x87) }

// StartTDES is Start for a b that is TDES.
func (s *State) StartTDES(b Block) { s.start(b, TDESBytes, 0x1B) }

func (s *State) start(b Block, size int, reduce byte) {
	*s = State{size: size}
	k1, k2 := s.k1[:size], s.k2[:size]
	b.Encrypt(k1, k1)
	double(k1, reduce)
	copy(k2, k1)
	double(k2, reduce)
}

// Write adds p to the message.
func (s *State) Write(b Block, p ...byte) {
	for _, c := range p {
		if s.n == s.size { // only now is it known not to be the last block
			b.Encrypt(s.x[:s.size], s.x[:s.size])
			s.n = 0
		}
		s.x[s.n] ^= c
		s.n++
	}
}

// Sum ends the message, puts its tag, a block long, into the front of tag and
// wipes the state.
func (s *State) Sum(b Block, tag *[Bytes]byte) {
	k := &s.k1
	if s.n < s.size {
		s.x[s.n] ^= 0x80
		k = &s.k2
	}
	for i := range s.size {
		s.x[i] ^= k[i]
	}
	b.Encrypt(tag[:s.size], s.x[:s.size])
	*s = State{}
}

// double multiplies by x in GF(2^128) or GF(2^64), in constant time.
func double(k []byte, reduce byte) {
	carry := byte(0)
	for i := len(k) - 1; i >= 0; i-- {
		k[i], carry = k[i]<<1|carry, k[i]>>7
	}
	k[len(k)-1] ^= reduce & -carry
}
