package dukpt

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/bits"
	"os"
	"strconv"
	"strings"
	"testing"

	"regi/firmware/capture/internal/aeskey"

	"pgregory.net/rapid"
)

func newDevice(t testing.TB) (d *Device, data, mac *aeskey.Cipher) {
	t.Helper()
	d, err := New(new(Registers))
	if err != nil {
		t.Fatal(err)
	}
	if data, err = aeskey.New(new(aeskey.Room)); err != nil {
		t.Fatal(err)
	}
	if mac, err = aeskey.New(new(aeskey.Room)); err != nil {
		t.Fatal(err)
	}
	return d, data, mac
}

// encryptsLike reports whether c is keyed with k: a schedule cannot be turned
// back into its key by its own means.
func encryptsLike(c *aeskey.Cipher, k key) bool {
	var out key
	c.Encrypt(out[:], make([]byte, aeskey.BlockBytes))
	return out == hostECB(k, key{})
}

// step takes the next keys and checks them against the host.
func step(t interface{ Fatalf(string, ...any) }, d *Device, data, mac *aeskey.Cipher, ik key, ikid [8]byte) uint32 {
	ksn, err := d.Next(data, mac, nil)
	if err != nil {
		t.Fatalf("next: %v", err)
	}
	if len(ksn) != KSNBytes || [8]byte(ksn) != ikid {
		t.Fatalf("KSN % x", ksn)
	}
	counter := binary.BigEndian.Uint32(ksn[8:])
	k, ok := hostDerivation(ik, ikid, counter)
	if !ok {
		t.Fatalf("counter %08X must not be used", counter)
	}
	if !encryptsLike(data, hostWorking(k, ikid, counter, 0x3000)) || !encryptsLike(mac, hostWorking(k, ikid, counter, 0x2000)) {
		t.Fatalf("counter %08X: device and host differ", counter)
	}
	return counter
}

type vector struct {
	counter   uint32
	key       key
	data, mac string
}

func vectors(t *testing.T) (bdk, ik key, ikid [8]byte, rows []vector) {
	t.Helper()
	f, err := os.Open("testdata/aes128.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // read only
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for s := bufio.NewScanner(f); s.Scan(); {
		w := strings.Fields(s.Text())
		switch w[0] {
		case "#":
		case "BDK":
			bdk = key(unhex(w[1]))
		case "IK":
			ik = key(unhex(w[1]))
		case "IKID":
			ikid = [8]byte(unhex(w[1]))
		default:
			c, err := strconv.ParseUint(w[0], 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, vector{uint32(c), key(unhex(w[1])), w[2], w[3]})
		}
	}
	return bdk, ik, ikid, rows
}

func TestPublishedVectors(t *testing.T) {
	bdk, ik, ikid, rows := vectors(t)
	if got := hostInitial(bdk, ikid); got != ik {
		t.Fatalf("initial key % X", got)
	}
	d, data, mac := newDevice(t)
	for _, v := range rows {
		at(d, ik, ikid, v.counter)
		current := bits.TrailingZeros32(v.counter)
		if got := d.r.intermediate[current]; got != v.key {
			t.Errorf("%08X: derivation key % X", v.counter, got)
		}
		if got := step(t, d, data, mac, ik, ikid); got != v.counter {
			t.Errorf("%08X: device used %08X", v.counter, got)
		}
		for _, w := range []struct {
			c    *aeskey.Cipher
			want string
		}{{data, v.data}, {mac, v.mac}} {
			if w.want == "-" {
				continue
			}
			k, err := hex.DecodeString(w.want)
			if err != nil {
				t.Fatal(err)
			}
			if !encryptsLike(w.c, key(k)) {
				t.Errorf("%08X: not %s", v.counter, w.want)
			}
		}
	}
}

func TestFirstCountersFromInitialKey(t *testing.T) {
	_, ik, ikid, rows := vectors(t)
	d, data, mac := newDevice(t)
	d.Load(&ikid, &ik)
	for _, v := range rows[:8] {
		if got := d.r.intermediate[bits.TrailingZeros32(v.counter)]; got != v.key {
			t.Errorf("%08X: derivation key % X", v.counter, got)
		}
		if got := step(t, d, data, mac, ik, ikid); got != v.counter {
			t.Errorf("counter %08X, want %08X", got, v.counter)
		}
	}
}

// The counters with more than 16 one bits are skipped, the last one is
// FFFF0000, and after it there is none.
func TestEdges(t *testing.T) {
	_, ik, ikid, _ := vectors(t)
	for _, c := range []struct{ from, next uint32 }{
		{0x0001FFFE, 0x00020000}, // 0001FFFF has 17
		{0x0000FFFF, 0x00010000},
		{0x00FFFF00, 0x01000000},
		{0x7FFF8000, 0x80000000},
		{0xFFFE2000, 0xFFFE4000},
		{0xFFFE8000, 0xFFFF0000},
		{0xFFFF0000, 0},
	} {
		d, data, mac := newDevice(t)
		at(d, ik, ikid, c.from)
		if got := step(t, d, data, mac, ik, ikid); got != c.from {
			t.Fatalf("%08X used as %08X", c.from, got)
		}
		if c.next != 0 {
			if got := step(t, d, data, mac, ik, ikid); got != c.next {
				t.Errorf("after %08X: %08X, want %08X", c.from, got, c.next)
			}
			continue
		}
		for range 3 {
			if _, err := d.Next(data, mac, nil); !errors.Is(err, ErrExhausted) {
				t.Errorf("after the last counter: %v", err)
			}
		}
		if d.r.intermediate != [registers]key{} {
			t.Error("an exhausted device still holds keys")
		}
	}
	d, data, mac := newDevice(t)
	if _, err := d.Next(data, mac, nil); !errors.Is(err, ErrNoKey) {
		t.Errorf("no key: %v", err)
	}
	at(d, ik, ikid, 0x0001FFFF) // a device that stands on a counter it must not use
	if got := step(t, d, data, mac, ik, ikid); got != 0x00020000 {
		t.Errorf("0001FFFF led to %08X", got)
	}
}

// Device and host agree over runs of counters from anywhere, and counters rise.
func TestDeviceAgreesWithHost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ik := key(rapid.SliceOfN(rapid.Byte(), aeskey.BlockBytes, aeskey.BlockBytes).Draw(t, "ik"))
		ikid := [8]byte(rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "ikid"))
		d, err := New(new(Registers))
		if err != nil {
			t.Fatal(err)
		}
		data, err := aeskey.New(new(aeskey.Room))
		if err != nil {
			t.Fatal(err)
		}
		mac, err := aeskey.New(new(aeskey.Room))
		if err != nil {
			t.Fatal(err)
		}
		at(d, ik, ikid, rapid.Uint32Range(1, 0xFFF00000).Draw(t, "start"))
		before := d.r.counter - 1
		for range rapid.IntRange(1, 20).Draw(t, "n") {
			c := step(t, d, data, mac, ik, ikid)
			if c <= before {
				t.Fatalf("counter %08X after %08X", c, before)
			}
			for skipped := before + 1; skipped < c && skipped < before+1000; skipped++ {
				if bits.OnesCount32(skipped) <= 16 {
					t.Fatalf("counter %08X was left out", skipped)
				}
			}
			before = c
		}
	})
}

// After Next nothing in the device leads back to a used key: no register holds
// the derivation key of a counter already used, nor one of its ancestors.
func TestRegistersAreErased(t *testing.T) {
	_, ik, ikid, _ := vectors(t)
	d, data, mac := newDevice(t)
	d.Load(&ikid, &ik)
	forbidden := map[key]uint32{ik: 0, {}: 0}
	delete(forbidden, key{})
	for range 2000 {
		c := step(t, d, data, mac, ik, ikid)
		k, _ := hostDerivation(ik, ikid, c)
		forbidden[k] = c
		for i, r := range d.r.intermediate {
			if c, ok := forbidden[r]; ok {
				t.Fatalf("register %d holds the key of counter %08X", i, c)
			}
			if d.r.used[i] != (r == key{}) {
				t.Fatalf("register %d: erased %v, holds % x", i, d.r.used[i], r)
			}
		}
		if d.r.key != (key{}) || d.r.base != (aeskey.Room{}) {
			t.Fatal("working key or schedule left")
		}
	}
}

func BenchmarkNext(b *testing.B) {
	d, data, mac := newDevice(b)
	ik, ikid := key{1}, [8]byte{2}
	d.Load(&ikid, &ik)
	ksn := make([]byte, 0, KSNBytes)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Next(data, mac, ksn); err != nil {
			b.Fatal(err)
		}
	}
}
