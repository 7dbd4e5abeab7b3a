package cmac_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des" //nolint:gosec // key blocks of version B are TDES
	"encoding/hex"
	"testing"

	"regi/firmware/capture/internal/cmac"
)

func block(t testing.TB, key string) cipher.Block {
	t.Helper()
	b, err := aes.NewCipher(unhex(t, key))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// rfcKey and rfcMessage are those of RFC 4493 section 4 (and SP 800-38B D.1).
const (
	rfcKey     = "2b7e151628aed2a6abf7158809cf4f3c"
	rfcMessage = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51" +
		"30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)

func TestRFC4493(t *testing.T) {
	b, message := block(t, rfcKey), unhex(t, rfcMessage)
	for _, c := range []struct {
		n   int
		tag string
	}{
		{0, "bb1d6929e95937287fa37d129b756746"},
		{16, "070a16b46b4d4144f79bdd9dd04a287c"},
		{40, "dfa66747de9ae63030ca32611497c827"},
		{64, "51f0bebf7e3b9d92fc49741779363cfe"},
	} {
		for chunk := 1; chunk <= 64; chunk++ { // a stream gives the same tag
			var s cmac.State
			s.Start(b)
			for i := 0; i < c.n; i += chunk {
				s.Write(b, message[i:min(i+chunk, c.n)]...)
			}
			var tag [cmac.Bytes]byte
			s.Sum(b, &tag)
			if hex.EncodeToString(tag[:]) != c.tag {
				t.Fatalf("%d bytes by %d: %x, want %s", c.n, chunk, tag, c.tag)
			}
			if s != (cmac.State{}) {
				t.Fatal("the state is not wiped")
			}
		}
	}
}

// The TDES examples of SP 800-38B D.4.
func TestTDES(t *testing.T) {
	b, err := des.NewTripleDESCipher(unhex(t, "8aa83bf8cbda10620bc1bf19fbb6cd58bc313d4a371ca8b5")) //nolint:gosec // see the import
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]string{0: "b7a688e122ffaf95", 8: "8e8f293136283797", 20: "743ddbe0ce2dc2ed", 32: "33e6b1092400eae5"} {
		var s cmac.State
		var tag [cmac.Bytes]byte
		s.StartTDES(b)
		s.Write(b, unhex(t, rfcMessage)[:n]...)
		s.Sum(b, &tag)
		if hex.EncodeToString(tag[:cmac.TDESBytes]) != want || s != (cmac.State{}) {
			t.Errorf("%d bytes: % x", n, tag)
		}
	}
}
