package dukpt_test

import (
	"bytes"
	"crypto/cipher"
	"encoding/hex"
	"errors"
	"math/bits"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"regi/sim/dukpt"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestVectors(t *testing.T) {
	file, err := os.ReadFile("testdata/tdes.txt")
	if err != nil {
		t.Fatal(err)
	}
	var bdk dukpt.Key
	rows := 0
	for line := range strings.Lines(string(file)) {
		f := strings.Fields(line)
		if f[0] == "#" {
			continue
		}
		rows++
		if f[0] == "bdk" {
			bdk = dukpt.Key(unhex(t, f[1]))
			continue
		}
		row(t, &bdk, f)
	}
	if rows != 9 {
		t.Errorf("%d rows", rows)
	}
}

func row(t *testing.T, bdk *dukpt.Key, f []string) {
	t.Helper()
	ksn := dukpt.KSN(unhex(t, f[1]))
	var initial, transaction, key dukpt.Key
	dukpt.Initial(bdk, ksn, &initial)
	if f[0] != "ipek" {
		if err := dukpt.Transaction(&initial, ksn, &transaction); err != nil {
			t.Fatal(err)
		}
	}
	switch f[0] {
	case "ipek":
		key = initial
	case "transaction":
		key = transaction
	case "pin", "magtek":
		dukpt.PIN(&transaction, &key)
	case "data", "idtech":
		dukpt.Data(&transaction, &key)
	}
	if len(f) == 3 {
		if key != dukpt.Key(unhex(t, f[2])) {
			t.Errorf("%s %s: % X", f[0], f[1], key)
		}
		return
	}
	ct := unhex(t, f[2])
	clear := make([]byte, len(ct))
	cipher.NewCBCDecrypter(dukpt.Block(&key), make([]byte, 8)).CryptBlocks(clear, ct)
	if got := string(bytes.TrimRight(clear, "\x00")); strings.ReplaceAll(got, " ", "_") != f[3] {
		t.Errorf("%s: %q", f[0], got)
	}
}

// Counters go up, none has more than ten one bits, and the last is the last.
func TestNext(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.Uint32Range(0, 1<<21).Draw(t, "at")
		next, err := dukpt.Next(at)
		if err != nil {
			if !errors.Is(err, dukpt.ErrUsedUp) || at < 0x1FF800 {
				t.Fatalf("%X: %v", at, err)
			}
			return
		}
		for skipped := at + 1; skipped < next; skipped++ {
			if bits.OnesCount32(skipped) <= 10 {
				t.Fatalf("%X was skipped", skipped)
			}
		}
		if next <= at || bits.OnesCount32(next) > 10 || next > 0x1FF800 {
			t.Fatalf("%X after %X", next, at)
		}
		ksn := dukpt.KSN{0: 1, 7: 0xE0}.At(next)
		if ksn.Counter() != next || ksn.At(0) != (dukpt.KSN{0: 1, 7: 0xE0}) {
			t.Fatalf("% X", ksn)
		}
	})
}

func TestRefused(t *testing.T) {
	for _, counter := range []uint32{0, 0x7FF, 0x1FFFFF} {
		key := dukpt.Key{1}
		if err := dukpt.Transaction(&dukpt.Key{}, dukpt.KSN{}.At(counter), &key); !errors.Is(err, dukpt.ErrCounter) || key != (dukpt.Key{1}) {
			t.Errorf("%X: %v", counter, err)
		}
	}
}
