package capture

import "regi/firmware/capture/internal/aeskey"

// cbc is the second suite's cipher under way: zero IV, padding 80 00.. (ISO/IEC
// 9797-1 method 2). It holds no pointer. Up to one block of the card stands in
// it in the clear: that is what CBC costs.
type cbc struct {
	block [aeskey.BlockBytes]byte // the last ciphertext block, XORed with what came since
	in    int                     // bytes in block
	done  int                     // bytes of ciphertext
}

// add takes the next byte. A full block is encrypted only when one more byte
// comes: until then the end may still be cut off.
func (c *cbc) add(k *aeskey.Cipher, out []byte, b byte) {
	if c.in == len(c.block) {
		c.encrypt(k, out)
	}
	c.block[c.in] ^= b
	c.in++
}

// finish ends the message after n bytes, at most one less than were added, and
// returns the length of the ciphertext.
func (c *cbc) finish(k *aeskey.Cipher, out []byte, n int) int {
	keep := n - c.done
	if keep < 0 || keep > c.in {
		panic("capture: internal error: block is gone")
	}
	var before [aeskey.BlockBytes]byte
	if c.done > 0 {
		copy(before[:], out[c.done-len(before):])
	}
	copy(c.block[keep:], before[keep:]) // what was added after n is dropped
	if c.in = keep; keep == len(c.block) {
		c.encrypt(k, out)
	}
	c.block[c.in] ^= 0x80
	c.encrypt(k, out)
	return c.done
}

func (c *cbc) encrypt(k *aeskey.Cipher, out []byte) {
	k.Encrypt(c.block[:], c.block[:])
	c.done += copy(out[c.done:], c.block[:])
	c.in = 0
}
