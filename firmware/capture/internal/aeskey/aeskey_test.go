package aeskey

import (
	"crypto/aes"
	"encoding/hex"
	"reflect"
	"testing"
)

// A place in the arena must not hold a pointer: the collector does not see it.
func TestNoPointers(t *testing.T) {
	if pointers(reflect.TypeFor[[32][16]byte]()) || pointers(reflect.TypeFor[Room]()) {
		t.Error("a pointer-free type is taken for one with pointers")
	}
	for _, ty := range []reflect.Type{
		reflect.TypeFor[*int](), reflect.TypeFor[[]byte](), reflect.TypeFor[string](), reflect.TypeFor[any](),
		reflect.TypeFor[struct {
			a int
			m map[int]int
		}](),
	} {
		if !pointers(ty) {
			t.Errorf("%v holds pointers", ty)
		}
	}
}

// FIPS 197 appendix C.1 to C.3, both ways, and wiping.
func TestCipher(t *testing.T) {
	room := new(Room)
	c, err := New(room)
	if err != nil {
		t.Fatal(err)
	}
	var in, got [BlockBytes]byte
	for i := range in {
		in[i] = byte(i) * 0x11
	}
	for bytes, want := range map[int]string{
		16: "69c4e0d86a7b0430d8cdb78070b4c55a", 24: "dda97ca4864cdfe06eaf70a0ec0d7191", 32: "8ea2b7ca516745bfeafc49904b496089",
	} {
		key := make([]byte, bytes)
		for i := range key {
			key[i] = byte(i)
		}
		c.Key(key)
		c.Encrypt(got[:], in[:])
		if hex.EncodeToString(got[:]) != want {
			t.Errorf("%d bytes: % x", bytes, got)
		}
		c.Decrypt(got[:], got[:])
		if got != in {
			t.Errorf("%d bytes: decrypted % x", bytes, got)
		}
		if *room == (Room{}) {
			t.Error("the schedule is not in its room")
		}
		c.Wipe()
		if *room != (Room{}) {
			t.Error("wipe left something")
		}
	}
}

// The standard library's own schedule must be erased from the heap at once.
func TestHeapCopyIsErased(t *testing.T) {
	k := [BlockBytes]byte{1, 2, 3}
	block, err := aes.NewCipher(k[:])
	if err != nil {
		t.Fatal(err)
	}
	v := reflect.ValueOf(block).Elem()
	v.SetZero()
	if !v.IsZero() {
		t.Error("a schedule cannot be erased in place")
	}
}
