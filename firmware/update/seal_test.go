package update_test

import (
	"bytes"
	"errors"
	"testing"

	"regi/board/image/rom"
	"regi/firmware/update"
)

// sealedDisk has v1 in slot A, as it was flashed, and v2 in slot B, as it was
// updated; A is committed.
func sealedDisk(t testing.TB) (*memory, *update.QEMU) {
	t.Helper()
	image := bootImage(t, "v1")
	m := newDisk(t, image)
	b, err := update.Read(bytes.NewReader(bundle(t, newOwner(1), manifest(image), image, 0, 2)))
	if err != nil {
		t.Fatal(err)
	}
	seal, at, err := update.Seal(b.Manifest, b.Signatures())
	if err != nil {
		t.Fatal(err)
	}
	copy(m.b[slotAAt+at:], seal)
	next := bootImage(t, "v2")
	s := open(t, m, update.A)
	if err := written(t, s, bundle(t, newOwner(1), manifest(next), next, 0, 1)); err != nil {
		t.Fatal(err)
	}
	return m, s
}

// A slot of which one byte is not as it was signed is refused by a ROM that
// checks, which boots the other one, and is found by one that runs. Every sector
// of a slot counts, and its seal.
func TestOneByte(t *testing.T) {
	t.Parallel()
	m, s := sealedDisk(t)
	keys := newOwner(1).public
	for _, slot := range []update.Slot{update.A, update.B} {
		if err := s.Sealed(slot, &keys); err != nil {
			t.Errorf("slot %s: %v", slot, err)
		}
	}
	b, err := rom.SelectSealed(m, &keys)
	if err != nil || b.Slot != update.A || b.Refused != nil {
		t.Fatalf("%+v, %v", b, err)
	}
	size := len(bootImage(t, "v1"))
	for _, at := range []int{0, 511, 512, size / 2, size/2 + 1, size - 1, size, size + 100} {
		m.b[slotAAt+at] ^= 0x01
		if err := s.Sealed(update.A, &keys); !errors.Is(err, update.ErrDamaged) && !errors.Is(err, update.ErrNoSeal) {
			t.Errorf("byte %d of slot a: %v", at, err)
		}
		if err := s.Sealed(update.B, &keys); err != nil {
			t.Errorf("byte %d of slot a: slot b: %v", at, err)
		}
		b, err := rom.SelectSealed(m, &keys)
		if err != nil || b.Slot != update.B || string(b.Kernel) != "v2" || b.Refused == nil {
			t.Errorf("byte %d of slot a: booted %+v, %v", at, b, err)
		}
		// A bad slot is no better for being asked for.
		m.b[slotBAt+at] ^= 0x01
		if b, err := rom.SelectSealed(m, &keys); err == nil {
			t.Errorf("byte %d of both: slot %s is booted", at, b.Slot)
		}
		m.b[slotAAt+at] ^= 0x01
		m.b[slotBAt+at] ^= 0x01
	}
}

// A seal is worth what its signatures are.
func TestSealOfStrangers(t *testing.T) {
	t.Parallel()
	m, s := sealedDisk(t)
	stranger := newOwner(9).public
	if err := s.Sealed(update.A, &stranger); !errors.Is(err, update.ErrDamaged) {
		t.Error("another owner's:", err)
	}
	keys := newOwner(1).public
	image := bootImage(t, "v1")
	one, err := update.Read(bytes.NewReader(bundle(t, newOwner(1), manifest(image), image, 0)))
	if err != nil {
		t.Fatal(err)
	}
	seal, at, err := update.Seal(one.Manifest, one.Signatures())
	if err != nil {
		t.Fatal(err)
	}
	copy(m.b[slotAAt+at:], seal)
	if err := s.Sealed(update.A, &keys); !errors.Is(err, update.ErrDamaged) {
		t.Error("one signature:", err)
	}
	clear(m.b[slotAAt+at : slotAAt+at+int64(len(seal))])
	if err := s.Sealed(update.A, &keys); !errors.Is(err, update.ErrNoSeal) {
		t.Error("no seal:", err)
	}
	if b, err := rom.SelectSealed(m, &keys); err != nil || b.Slot != update.B {
		t.Error("a slot without a seal is booted:", err)
	}
	// A board without fused keys boots what is there.
	if b, err := rom.Select(m); err != nil || b.Slot != update.A {
		t.Error(err)
	}
}

func FuzzCheck(f *testing.F) {
	m, _ := sealedDisk(f)
	keys := newOwner(1).public
	whole := bytes.Clone(m.b[slotAAt:slotBAt])
	f.Add(uint32(0), []byte{1})
	f.Add(uint32(len(whole)-100), []byte{0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, at uint32, change []byte) {
		slot := bytes.Clone(whole)
		if int(at) < len(slot) {
			copy(slot[at:], change)
		}
		size := len(bootImage(t, "v1"))
		if _, err := update.Check(bytes.NewReader(slot), &keys); err == nil && !bytes.Equal(slot[:size], whole[:size]) {
			t.Error("another boot.img passes")
		}
	})
}
