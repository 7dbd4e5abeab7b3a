package cmac_test

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"regi/sim/hsm/internal/cmac"
)

func TestRFC4493(t *testing.T) {
	file, err := os.ReadFile("testdata/rfc4493.txt")
	if err != nil {
		t.Fatal(err)
	}
	var key [16]byte
	tried := 0
	for line := range strings.Lines(string(file)) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] == "#" {
			continue
		}
		first, err1 := hex.DecodeString(strings.Trim(strings.TrimPrefix(f[0], "key"), "-"))
		second, err2 := hex.DecodeString(f[1])
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if f[0] == "key" {
			key = [16]byte(second)
			continue
		}
		if mac := cmac.Sum(&key, first); string(mac[:]) != string(second) {
			t.Errorf("%d bytes: % x, want % x", len(first), mac, second)
		}
		tried++
	}
	if tried != 4 {
		t.Errorf("%d vectors", tried)
	}
}
