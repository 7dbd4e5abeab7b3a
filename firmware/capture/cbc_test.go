package capture

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"strings"
	"testing"

	"regi/firmware/capture/internal/aeskey"
	"regi/firmware/capture/internal/link"
	"regi/firmware/record"

	"pgregory.net/rapid"
)

// hostOpenCBC is what a decryption service does with the second suite.
func hostOpenCBC(t testing.TB, ik []byte, r *record.CardRead) string {
	t.Helper()
	ksn, err := hex.DecodeString(r.KSN)
	if err != nil || r.Suite != "AES128-DUKPT-CBC-CMAC" || len(r.CT)%16 != 0 {
		t.Fatalf("%+v", r)
	}
	hostVerify(t, ik, r)
	block, err := aes.NewCipher(hostKey(t, ik, ksn, 0x3000))
	if err != nil {
		t.Fatal(err)
	}
	plain := make([]byte, len(r.CT))
	cipher.NewCBCDecrypter(block, make([]byte, 16)).CryptBlocks(plain, r.CT) //nolint:gosec // the suite's: a new key each time
	end := bytes.LastIndexByte(plain, 0x80)
	if end < 0 || len(plain)-end > 16 || strings.Trim(string(plain[end+1:]), "\x00") != "" {
		t.Fatalf("padding % x", plain[len(plain)-16:])
	}
	return string(plain[:end])
}

// Every length of a message, and what came after its end, by CBC.
func TestCBC(t *testing.T) {
	k, err := aeskey.New(new(aeskey.Room))
	if err != nil {
		t.Fatal(err)
	}
	key := []byte("an AES-128 key!!")
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		message := rapid.SliceOfN(rapid.Byte(), 1, 512).Draw(t, "message")
		extra := rapid.SliceOfN(rapid.Byte(), 0, min(1, 512-len(message))).Draw(t, "extra")
		k.Key(key)
		var c cbc
		out := make([]byte, link.CipherMax)
		for _, b := range append(bytes.Clone(message), extra...) {
			c.add(k, out, b)
		}
		n := c.finish(k, out, len(message))
		want := append(bytes.Clone(message), 0x80)
		want = append(want, make([]byte, (16-len(want)%16)%16)...)
		cipher.NewCBCEncrypter(block, make([]byte, 16)).CryptBlocks(want, want) //nolint:gosec // the suite's
		if !bytes.Equal(out[:n], want) {
			t.Fatalf("%d bytes and %d after them: % x, want % x", len(message), len(extra), out[:n], want)
		}
	})
}

// Cards with and without the LRC of the last track, of all lengths modulo 16.
func TestSealedByCBC(t *testing.T) {
	p, far := keyed(t)
	p.status.Suite = link.CBC
	for n := range 17 {
		s := ";4000000000000002=2812" + strings.Repeat("0", n) + "?"
		for _, lrc := range []string{"", string(lrcOf(s))} {
			far.packets = nil
			if err := p.play(context.Background(), &tape{data: []byte(s + lrc + "\r")}); err != nil {
				t.Fatal(err)
			}
			e := far.events(t)
			if len(e) != 1 || e[0].Read == nil {
				t.Fatalf("%q: %+v", lrc, e)
			}
			if got := hostOpenCBC(t, []byte(testIK), e[0].Read); got != s {
				t.Errorf("opened %d characters, want %d", len(got), len(s))
			}
			left := *p.v
			left.keys = vault{}.keys
			if left != (vault{}) {
				t.Fatal("the vault is not wiped")
			}
		}
	}
}

// lrcOf is the check character of one track 2.
func lrcOf(track string) byte {
	sum := byte(0)
	for i := range len(track) {
		sum ^= track[i] - '0'
	}
	return '0' + sum&0x0F
}

// What CBC costs: one block of the card in the clear, and the data key. Never
// more than sixteen bytes of it.
func TestCBCShowsOneBlock(t *testing.T) {
	p, far := keyed(t)
	p.status.Suite = link.CBC
	data := []byte("%B4000056655665556^TEST/CARD^28121010000000000?;4000056655665556=28121010000000000?\r")
	port := &tape{data: data}
	port.seen = func(played int) {
		memory := p.v.memory()
		for i := 0; i+17 <= len(data); i++ {
			if bytes.Contains(memory, data[i:i+17]) {
				t.Fatalf("after %d bytes there are seventeen in a row", played)
			}
		}
	}
	if err := p.play(t.Context(), port); err != nil {
		t.Fatal(err)
	}
	if e := far.events(t); len(e) != 1 || e[0].Read == nil || hostOpenCBC(t, []byte(testIK), e[0].Read) != strings.TrimSuffix(string(data), "\r") {
		t.Fatalf("%+v", e)
	}
}

func TestSuiteOption(t *testing.T) {
	c := start(t, keyPacket(testKey), func(o *Options) { o.CBC = true })
	if s := c.event().Status; s == nil || !s.Ready || s.Suite != "AES128-DUKPT-CBC-CMAC" {
		t.Fatalf("%+v", s)
	}
	c.swipe(two + "\r")
	if r := c.event().Read; r == nil || hostOpenCBC(t, []byte(testIK), r) != two {
		t.Errorf("%+v", r)
	}
}
