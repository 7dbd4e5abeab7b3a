package keyblock_test

import (
	"fmt"
	"strings"
	"testing"

	"regi/sim/keyhost"
)

// wrap makes a block: fields are the header's characters 5 to 15.
func wrap(t testing.TB, kbpk []byte, fields string, optional []string, key []byte) string {
	t.Helper()
	return wrapBits(t, kbpk, fields, optional, key, 8*len(key))
}

func wrapBits(t testing.TB, kbpk []byte, fields string, optional []string, key []byte, bits int) string {
	t.Helper()
	block, err := keyhost.Wrap(kbpk, fields, optional, key, bits)
	if err != nil {
		t.Fatal(err)
	}
	return block
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
