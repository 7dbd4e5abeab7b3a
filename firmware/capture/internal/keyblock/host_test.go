package keyblock_test

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// What a key injection host does, written from X9.143 and apart from the
// device: it makes version D blocks.

func hostCMAC(t testing.TB, key, message []byte) []byte {
	t.Helper()
	c, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	twice := func(b []byte) []byte {
		out := make([]byte, 16)
		for i := range 15 {
			out[i] = b[i]<<1 | b[i+1]>>7
		}
		out[15] = b[15] << 1
		if b[0]&0x80 != 0 {
			out[15] ^= 0x87
		}
		return out
	}
	zero := make([]byte, 16)
	c.Encrypt(zero, zero)
	k := twice(zero)
	m := append([]byte(nil), message...)
	if len(m) == 0 || len(m)%16 != 0 {
		k = twice(k)
		m = append(m, 0x80)
		m = append(m, make([]byte, (16-len(m)%16)%16)...)
	}
	for i := range k {
		m[len(m)-16+i] ^= k[i]
	}
	out := make([]byte, len(m))
	cipher.NewCBCEncrypter(c, make([]byte, 16)).CryptBlocks(out, m) //nolint:gosec // CMAC is CBC from zero
	return out[len(out)-16:]
}

func hostDerive(t testing.TB, kbpk []byte, usage byte) []byte {
	t.Helper()
	var key []byte
	for counter := byte(1); len(key) < len(kbpk); counter++ {
		in := []byte{counter, 0, usage, 0, 0, 0, 0, 0}
		in[5] = map[int]byte{16: 2, 24: 3, 32: 4}[len(kbpk)]
		binary.BigEndian.PutUint16(in[6:], uint16(8*len(kbpk))) //nolint:gosec // at most 256
		key = append(key, hostCMAC(t, kbpk, in)...)
	}
	return key[:len(kbpk)]
}

// wrap makes a block: fields are the header's characters 5 to 15.
func wrap(t testing.TB, kbpk []byte, fields string, optional []string, key []byte) string {
	t.Helper()
	return wrapBits(t, kbpk, fields, optional, key, 8*len(key))
}

func wrapBits(t testing.TB, kbpk []byte, fields string, optional []string, key []byte, bits int) string {
	t.Helper()
	plain := binary.BigEndian.AppendUint16(nil, uint16(bits)) //nolint:gosec // at most 256
	plain = append(plain, key...)
	for len(plain)%16 != 0 {
		plain = append(plain, 0x5A)
	}
	tail := strings.Join(optional, "")
	size := 16 + len(tail) + 2*len(plain) + 32
	header := fmt.Sprintf("D%04d%s%s", size, fields, tail)
	mac := hostCMAC(t, hostDerive(t, kbpk, 1), append([]byte(header), plain...))
	c, err := aes.NewCipher(hostDerive(t, kbpk, 0))
	if err != nil {
		t.Fatal(err)
	}
	cipher.NewCBCEncrypter(c, mac).CryptBlocks(plain, plain)
	return header + strings.ToUpper(hex.EncodeToString(plain)+hex.EncodeToString(mac))
}

// pad is a padding block of n characters.
func pad(n int) string { return fmt.Sprintf("PB%02X%s", n, strings.Repeat("0", n-4)) }

// extended is an optional block with as short a length as it can have.
func extended(id, data string) string {
	if n := len(data) + 4; n <= 0xFF {
		return fmt.Sprintf("%s%02X%s", id, n, data)
	}
	return fmt.Sprintf("%s0002%04X%s", id, len(data)+10, data)
}
