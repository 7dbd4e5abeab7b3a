package hsm_test

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"

	"regi/firmware/record"
)

// The card reader's side, written from the standards and apart from both the
// hsm and the real reader.

// device is a reader with the initial key it was given.
type device struct {
	ikid, ik []byte
	counter  uint32
}

func encrypt(key, block []byte) []byte {
	c, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	out := make([]byte, 16)
	c.Encrypt(out, block)
	return out
}

// next is the AES-128 key that X9.24-3 derives for a usage, "2000" and so on.
func next(key []byte, usage string, ikid []byte, counter uint32) []byte {
	data, err := hex.DecodeString("0101" + usage + "00020080" + hex.EncodeToString(ikid[4:]))
	if err != nil {
		panic(err)
	}
	return encrypt(key, binary.BigEndian.AppendUint32(data, counter))
}

// keys are the data and the MAC key of a counter.
func (d *device) keys() (data, mac []byte) {
	key, sofar := d.ik, uint32(0)
	for bit := uint32(1 << 31); bit > 0; bit /= 2 {
		if d.counter&bit > 0 {
			sofar += bit
			key = next(key, "8000", d.ikid, sofar)
		}
	}
	return next(key, "3000", d.ikid, d.counter), next(key, "2000", d.ikid, d.counter)
}

// cmac is AES-CMAC (NIST SP 800-38B), with the subkeys as big integers would.
func cmac(key, message []byte) []byte {
	double := func(in []byte) []byte {
		hi, lo := binary.BigEndian.Uint64(in), binary.BigEndian.Uint64(in[8:])
		top := hi >> 63
		hi, lo = hi<<1|lo>>63, lo<<1
		if top == 1 {
			lo ^= 0x87
		}
		return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, hi), lo)
	}
	k1 := double(encrypt(key, make([]byte, 16)))
	mask, padded := k1, append([]byte(nil), message...)
	if len(message) == 0 || len(message)%16 != 0 {
		mask = double(k1)
		padded = append(padded, 0x80)
		padded = append(padded, make([]byte, (16-len(padded)%16)%16)...)
	}
	state := make([]byte, 16)
	for i := range padded {
		b := padded[i]
		if i >= len(padded)-16 {
			b ^= mask[i%16]
		}
		state[i%16] ^= b
		if i%16 == 15 {
			state = encrypt(key, state)
		}
	}
	return state
}

// seal makes the sealed read of the device's next counter.
func (d *device) seal(swipe, bin, last4 string) record.CardRead {
	d.counter++
	return d.sealAt(swipe, bin, last4)
}

// sealAt seals under the counter as it is.
func (d *device) sealAt(swipe, bin, last4 string) record.CardRead {
	data, mac := d.keys()
	c, err := aes.NewCipher(data)
	if err != nil {
		panic(err)
	}
	ct := make([]byte, len(swipe))
	cipher.NewCTR(c, make([]byte, 16)).XORKeyStream(ct, []byte(swipe)) //nolint:gosec // the suite's: a new key each time
	ksn := binary.BigEndian.AppendUint32(append([]byte(nil), d.ikid...), d.counter)
	r := record.CardRead{
		Suite: "AES128-DUKPT-CTR-CMAC", KSN: hex.EncodeToString(ksn), Source: "msr", BIN: bin, Last4: last4,
		Brand: "visa", ServiceCode: "101", Tracks: "2", Luhn: true, Entry: "swipe", CT: ct,
	}
	var m []byte
	for _, f := range []string{r.Suite, string(ksn), bin, last4} {
		m = append(append(m, byte(len(f))), f...) //nolint:gosec // at most 21
	}
	m = append(binary.BigEndian.AppendUint16(m, uint16(len(ct))), ct...) //nolint:gosec // at most 512
	r.MAC = cmac(mac, m)
	return r
}

// swipe is track 2 of a card.
func swipe(number string) string { return ";" + number + "=28121010000000000?" }

// card seals a swipe of a card with its own digits shown.
func (d *device) card(number string) record.CardRead {
	return d.seal(swipe(number), number[:6], number[len(number)-4:])
}
