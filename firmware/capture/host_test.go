package capture

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"regi/firmware/record"
)

// What the processor of the cards does with a sealed read, written from the
// standards and apart from the device.

func hostECB(t testing.TB, key, in []byte) []byte {
	t.Helper()
	b, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, 16)
	b.Encrypt(out, in)
	return out
}

// hostKey derives the key of a KSN and a usage (X9.24-3:2017 6.3).
func hostKey(t testing.TB, ik, ksn []byte, usage uint16) []byte {
	t.Helper()
	input := func(usage uint16, counter uint32) []byte {
		in := []byte{1, 1, 0, 0, 0, 2, 0, 128, ksn[4], ksn[5], ksn[6], ksn[7], 0, 0, 0, 0}
		binary.BigEndian.PutUint16(in[2:], usage)
		binary.BigEndian.PutUint32(in[12:], counter)
		return in
	}
	counter, sofar, key := binary.BigEndian.Uint32(ksn[8:]), uint32(0), ik
	for bit := uint32(1 << 31); bit != 0; bit >>= 1 {
		if counter&bit != 0 {
			sofar |= bit
			key = hostECB(t, key, input(0x8000, sofar))
		}
	}
	return hostECB(t, key, input(usage, counter))
}

// hostMAC is AES-CMAC of a whole message (RFC 4493).
func hostMAC(t testing.TB, key, message []byte) []byte {
	t.Helper()
	shift := func(b []byte) []byte {
		out := make([]byte, 16)
		for i := range out {
			out[i] = b[i] << 1
			if i < 15 {
				out[i] |= b[i+1] >> 7
			}
		}
		if b[0]&0x80 != 0 {
			out[15] ^= 0x87
		}
		return out
	}
	k := shift(hostECB(t, key, make([]byte, 16)))
	m := append([]byte(nil), message...)
	if len(m) == 0 || len(m)%16 != 0 {
		k = shift(k)
		m = append(m, 0x80)
		for len(m)%16 != 0 {
			m = append(m, 0)
		}
	}
	for i := range k {
		m[len(m)-16+i] ^= k[i]
	}
	x := make([]byte, 16)
	for ; len(m) > 0; m = m[16:] {
		for i := range x {
			x[i] ^= m[i]
		}
		x = hostECB(t, key, x)
	}
	return x
}

// hostVerify checks the MAC of a card read and returns its KSN.
func hostVerify(t testing.TB, ik []byte, r *record.CardRead) []byte {
	t.Helper()
	ksn, err := hex.DecodeString(r.KSN)
	if err != nil || len(ksn) != 12 {
		t.Fatalf("KSN %q", r.KSN)
	}
	var message []byte
	for _, f := range []string{r.Suite, string(ksn), r.BIN, r.Last4} {
		message = append(message, byte(len(f))) //nolint:gosec // at most 24
		message = append(message, f...)
	}
	message = binary.BigEndian.AppendUint16(message, uint16(len(r.CT))) //nolint:gosec // at most 512
	message = append(message, r.CT...)
	if want := hostMAC(t, hostKey(t, ik, ksn, 0x2000), message); string(want) != string(r.MAC) {
		t.Fatalf("MAC % x, want % x", r.MAC, want)
	}
	return ksn
}

// hostOpen checks the MAC of a card read and returns the tracks.
func hostOpen(t testing.TB, ik []byte, r *record.CardRead) string {
	t.Helper()
	ksn := hostVerify(t, ik, r)
	block, err := aes.NewCipher(hostKey(t, ik, ksn, 0x3000))
	if err != nil {
		t.Fatal(err)
	}
	tracks := make([]byte, len(r.CT))
	cipher.NewCTR(block, make([]byte, 16)).XORKeyStream(tracks, r.CT) //nolint:gosec // the suite's: a new key each time
	return string(tracks)
}
