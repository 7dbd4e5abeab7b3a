package dukpt_test

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/bits"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"regi/sim/hsm/internal/dukpt"
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
	file, err := os.ReadFile("testdata/aes128.txt")
	if err != nil {
		t.Fatal(err)
	}
	var bdk, ik dukpt.Key
	var id dukpt.IKID
	rows := 0
	for line := range strings.Lines(string(file)) {
		f := strings.Fields(line)
		if f[0] == "#" {
			continue
		}
		rows++
		switch f[0] {
		case "bdk":
			bdk = dukpt.Key(unhex(t, f[1]))
		case "ikid":
			id = dukpt.IKID(unhex(t, f[1]))
		case "ik":
			if dukpt.Initial(&bdk, id, &ik); ik != dukpt.Key(unhex(t, f[1])) {
				t.Errorf("initial key % X", ik)
			}
		default:
			row(t, &ik, dukpt.KSN(append(id[:], unhex(t, f[0])...)), f)
		}
	}
	if rows != 14 {
		t.Errorf("%d rows", rows)
	}
}

func row(t *testing.T, ik *dukpt.Key, ksn dukpt.KSN, f []string) {
	t.Helper()
	var transaction dukpt.Key
	err := dukpt.Transaction(ik, ksn, &transaction)
	if f[1] == "refused" {
		if !errors.Is(err, dukpt.ErrCounter) || transaction != (dukpt.Key{}) {
			t.Errorf("%s: %v", f[0], err)
		}
		return
	}
	if err != nil || transaction != dukpt.Key(unhex(t, f[1])) {
		t.Errorf("%s: % X, %v", f[0], transaction, err)
	}
	for i, use := range []dukpt.Usage{dukpt.DataEncrypt, dukpt.MACGenerate} {
		if f[2+i] == "-" {
			continue
		}
		var key dukpt.Key
		if dukpt.Working(&transaction, ksn, use, &key); key != dukpt.Key(unhex(t, f[2+i])) {
			t.Errorf("%s: usage %04X: % X", f[0], use, key)
		}
	}
}

// Any counter is refused or has a key of its own, whatever the others are.
func TestCounters(t *testing.T) {
	ik := dukpt.Key{1, 2, 3}
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Uint32().Draw(t, "a"), rapid.Uint32().Draw(t, "b")
		var keys [2]dukpt.Key
		for i, counter := range []uint32{a, b} {
			var ksn dukpt.KSN
			binary.BigEndian.PutUint32(ksn[8:], counter)
			err := dukpt.Transaction(&ik, ksn, &keys[i])
			if refused := counter == 0 || bits.OnesCount32(counter) > 16; refused != (err != nil) {
				t.Fatalf("%08X: %v", counter, err)
			}
			if err != nil {
				return
			}
		}
		if (a == b) != (keys[0] == keys[1]) {
			t.Fatalf("%08X and %08X", a, b)
		}
	})
}
