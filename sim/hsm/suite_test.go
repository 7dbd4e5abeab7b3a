package hsm_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"strings"
	"testing"

	"regi/firmware/record"
	"regi/sim/device/card"
)

// cbc seals with the other suite, written from card.md and apart from the hsm.
func (d *device) cbc(plain []byte, bin, last4 string, padding ...byte) record.CardRead {
	d.counter++
	data, mac := d.keys()
	c, err := aes.NewCipher(data)
	if err != nil {
		panic(err)
	}
	if padding == nil {
		padding = append([]byte{0x80}, make([]byte, 15-len(plain)%16)...)
	}
	ct := append(append([]byte(nil), plain...), padding...)
	cipher.NewCBCEncrypter(c, make([]byte, 16)).CryptBlocks(ct, ct)
	r := d.sealAt("x", bin, last4)
	r.Suite, r.CT = "AES128-DUKPT-CBC-CMAC", ct
	ksn := binary.BigEndian.AppendUint32(append([]byte(nil), d.ikid...), d.counter)
	var m []byte
	for _, f := range []string{r.Suite, string(ksn), bin, last4} {
		m = append(append(m, byte(len(f))), f...) //nolint:gosec // at most 21
	}
	m = append(binary.BigEndian.AppendUint16(m, uint16(len(ct))), ct...) //nolint:gosec // at most 528
	r.MAC = cmac(mac, m)
	return r
}

func TestCBC(t *testing.T) {
	b := start(t)
	d := b.device()
	for _, more := range []string{"", "1", "12", strings.Repeat("0", 12), strings.Repeat("0", 13), strings.Repeat("0", 14)} { // up to a whole block
		text := ";" + good + "=2812101" + more + "?"
		if reply := b.authorize(b.request(d.cbc([]byte(text), good[:6], good[12:]))); reply.Result != record.Approved {
			t.Errorf("%d bytes: %+v", len(text), reply)
		}
	}
	text := swipe(good) // 36 characters
	again := d.cbc([]byte(text), good[:6], good[12:])
	if reply := b.authorize(b.request(again)); reply.Result != record.Approved {
		t.Errorf("%+v", reply)
	}
	b.refused("again", b.request(again), "replay")
	for what, padding := range map[string][]byte{
		"no mark":            make([]byte, 12),
		"another mark":       append([]byte{0x81}, make([]byte, 11)...),
		"something after it": append([]byte{0x80, 1}, make([]byte, 10)...),
		"a block too much":   append([]byte{0x80}, make([]byte, 27)...),
	} {
		b.refused(what, b.request(d.cbc([]byte(text), good[:6], good[12:], padding...)), "malformed")
	}
	short := d.cbc([]byte(text), good[:6], good[12:])
	short.CT = short.CT[:len(short.CT)-1]
	b.refused("half a block", b.request(short), "mac")
}

// headBits are the regions of a head's bits, by the standard.
func headBits(backward bool, texts ...string) string {
	out := make([]byte, 200)
	at := []int{0, 640, 960}
	for i, text := range texts {
		if text == "" {
			continue
		}
		size, base, first := 5, byte(0x30), byte(0x0B)
		if i == 0 {
			size, base, first = 7, 0x20, 0x05
		}
		var all []byte
		sum := byte(0)
		put := func(c byte) {
			for b := range size - 1 {
				all = append(all, c>>b&1)
			}
			all = append(all, byte(1-bits.OnesCount8(c)%2)) //nolint:gosec // 0 or 1
			sum ^= c
		}
		put(first)
		for _, c := range []byte(text[1:]) {
			put(c - base)
		}
		put(sum)
		if backward {
			for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
				all[i], all[j] = all[j], all[i]
			}
			all = bytes.TrimLeft(all, "\x00")
		}
		for n, b := range all {
			out[(at[i]+n)/8] |= b << (7 - (at[i]+n)%8)
		}
	}
	return string(out)
}

func TestBitsOfAHead(t *testing.T) {
	b := start(t)
	d := b.device()
	one := "%B" + good + "^TEST/CARD^28121010000000000?"
	bits := func(text string) record.AuthRequest {
		r := d.seal(text, good[:6], good[12:])
		r.Source = "msr-ttl"
		return b.request(r)
	}
	for _, backward := range []bool{false, true} {
		for _, texts := range [][]string{{"", swipe(good)}, {one, swipe(good)}, {one}, {one, swipe(good), "+0112345=?"}} {
			if reply := b.authorize(bits(headBits(backward, texts...))); reply.Result != record.Approved {
				t.Errorf("%d tracks, backward %v: %+v", len(texts), backward, reply)
			}
		}
	}
	// A bad track does not spoil the other; another card's does.
	broken := []byte(headBits(false, one, swipe(good)))
	broken[20] ^= 4
	if reply := b.authorize(bits(string(broken))); reply.Result != record.Approved {
		t.Errorf("track 1 is bad: %+v", reply)
	}
	broken[90] ^= 4
	b.refused("both are bad", bits(string(broken)), "malformed")
	b.refused("two cards", bits(headBits(false, one, swipe("4242424242424242"))), "malformed")
	b.refused("characters", bits(swipe(good)), "malformed")
	b.refused("nothing", bits(string(make([]byte, 200))), "malformed")
	b.refused("bits, but not said so", b.request(d.seal(headBits(false, "", swipe(good)), good[:6], good[12:])), "malformed")
}

// reader is a simulated encrypting reader with a key of the hsm's, and what the
// register makes of its frames.
type reader struct {
	*card.Sealing
	make card.Make
}

func (b *box) reader(m card.Make) *reader {
	b.t.Helper()
	ksn, key, err := b.ReaderKey()
	if err != nil {
		b.t.Fatal(err)
	}
	return &reader{card.NewSealing(nil, m, ksn, key), m}
}

// swipe is the card read that leaves the register; places in the frames are
// those of the makers' manuals.
func (r *reader) swipe(t *testing.T, number string) record.CardRead {
	t.Helper()
	text := swipe(number)
	f, err := r.Frame(card.Tracks{Track2: text})
	if err != nil {
		t.Fatal(err)
	}
	c := record.CardRead{
		Suite:  map[card.Make]string{card.IDTech: "IDTECH-TDES-DUKPT-CBC", card.IDTechAES: "IDTECH-AES-DUKPT-CBC", card.MagTek: "MAGTEK-TDES-DUKPT-CBC"}[r.make],
		Source: "encrypting-reader", BIN: number[:6], Last4: number[12:], Brand: "visa", Tracks: "2", Luhn: true, Entry: "swipe", MAC: record.HexBytes{},
	}
	ksn, ct := f[len(f)-13:len(f)-3], []byte(nil)
	switch r.make {
	case card.MagTek:
		ksn, ct = f[495:505], f[119:119+int(f[4])]
	case card.IDTech:
		ct = f[10+len(text)+1:][:(len(text)+8)/8*8]
	case card.IDTechAES:
		ct = f[10+len(text)+1:][:(len(text)+16)/16*16]
	}
	c.KSN = hex.EncodeToString(ksn)
	c.CT = append(append([]byte{0, 0, 0, byte(len(ct))}, ct...), 0, 0) //nolint:gosec // at most 112
	return c
}

func TestEncryptingReaders(t *testing.T) {
	b := start(t)
	for _, m := range []card.Make{card.IDTech, card.IDTechAES, card.MagTek} {
		r := b.reader(m)
		first := r.swipe(t, good)
		for range 2 { // a reader's frame that was forged first does no harm
			forged := first
			forged.CT = bytes.Clone(first.CT)
			forged.CT[10] ^= 1
			b.refused(string(m)+" altered", b.request(forged), "malformed")
			forged = first
			forged.BIN = "411112"
			b.refused(string(m)+" shown", b.request(forged), "shown")
		}
		if reply := b.authorize(b.request(first)); reply.Result != record.Approved {
			t.Errorf("%s: %+v", m, reply)
		}
		b.refused(string(m)+" again", b.request(first), "replay")
		if reply := b.authorize(b.request(r.swipe(t, declined))); reply.Result != record.Declined {
			t.Errorf("%s: %+v", m, reply)
		}
		if reply := b.authorize(b.request(r.swipe(t, noSuchCard))); reply.Result != record.Declined || reply.Reason != "number" {
			t.Errorf("%s: %+v", m, reply)
		}
		other := b.request(r.swipe(t, good))
		if reply := b.send("regi.v1.0001.02.authorize", encode(t, other)); reply.Reason != "cloned" {
			t.Errorf("%s at another register: %+v", m, reply)
		}
		for what, change := range map[string]func(*record.CardRead){
			"no counter":        func(c *record.CardRead) { c.KSN = c.KSN[:15] + "00000" },
			"reader not known":  func(c *record.CardRead) { c.KSN = c.KSN[:10] + "ffffe00001" },
			"another base key":  func(c *record.CardRead) { c.KSN = "0000000000" + c.KSN[10:] },
			"a first byte else": func(c *record.CardRead) { c.KSN = "fe" + c.KSN[2:] },
		} {
			c := r.swipe(t, good)
			change(&c)
			b.refused(string(m)+": "+what, b.request(c), "key")
		}
		c := r.swipe(t, good)
		c.MAC = make(record.HexBytes, 16)
		b.refused(string(m)+": with a MAC", b.request(c), "malformed")
		c = r.swipe(t, good)
		c.Source = "msr"
		b.refused(string(m)+": another source", b.request(c), "malformed")
	}
	b.alarmed("replay", 3)
	b.alarmed("cloned", 3)
}

// Two readers under one KSN: the second swipe of the same counter is another.
func TestClonedReader(t *testing.T) {
	b := start(t)
	ksn, key, err := b.ReaderKey()
	if err != nil {
		t.Fatal(err)
	}
	one := &reader{card.NewSealing(nil, card.IDTech, ksn, key), card.IDTech}
	two := &reader{card.NewSealing(nil, card.IDTech, ksn, key), card.IDTech}
	if reply := b.authorize(b.request(one.swipe(t, good))); reply.Result != record.Approved {
		t.Fatalf("%+v", reply)
	}
	b.refused("the same counter", b.request(two.swipe(t, declined)), "cloned")
	b.alarmed("cloned", 1)
	b.kill()
	late := b.request(one.swipe(t, good))
	if reply := b.eventually(late); reply.Result != record.Approved {
		t.Errorf("after a kill: %+v", reply)
	}
	again, _, err := b.ReaderKey()
	if err != nil || again == ksn {
		t.Errorf("% x again, %v", again, err)
	}
}
