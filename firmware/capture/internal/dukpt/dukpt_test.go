package dukpt

import (
	"bufio"
	"bytes"
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
func encryptsLike(c *aeskey.Cipher, k working) bool {
	var out working
	c.Encrypt(out[:], make([]byte, aeskey.BlockBytes))
	return out == hostECB(k[:], working{})
}

// step takes the next keys and checks them against the host.
func step(t interface{ Fatalf(string, ...any) }, d *Device, data, mac *aeskey.Cipher, ik []byte, ikid [8]byte) uint32 {
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
	key       []byte
	data, mac string
}

// table is one of the published ones.
type table struct {
	bdk, ik []byte
	ikid    [8]byte
	rows    []vector
}

func published(t *testing.T, name string) (v table) {
	t.Helper()
	f, err := os.Open("testdata/" + name)
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
			v.bdk = unhex(w[1])
		case "IK":
			v.ik = unhex(w[1])
		case "IKID":
			v.ikid = [8]byte(unhex(w[1]))
		default:
			c, err := strconv.ParseUint(w[0], 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			v.rows = append(v.rows, vector{uint32(c), unhex(w[1]), w[2], w[3]})
		}
	}
	return v
}

var tables = []string{"aes128.txt", "aes256.txt"}

func TestPublishedVectors(t *testing.T) {
	for _, name := range tables {
		t.Run(name, func(t *testing.T) {
			p := published(t, name)
			if got := hostInitial(p.bdk, p.ikid); !bytes.Equal(got, p.ik) {
				t.Fatalf("initial key % X", got)
			}
			if len(p.rows) != 15 {
				t.Fatalf("%d rows", len(p.rows))
			}
			d, data, mac := newDevice(t)
			for _, v := range p.rows {
				at(d, p.ik, p.ikid, v.counter)
				checkVector(t, d, data, mac, p, v)
			}
		})
	}
}

func checkVector(t *testing.T, d *Device, data, mac *aeskey.Cipher, p table, v vector) {
	t.Helper()
	current := bits.TrailingZeros32(v.counter)
	if got := d.r.intermediate[current][:len(p.ik)]; !bytes.Equal(got, v.key) {
		t.Errorf("%08X: derivation key % X", v.counter, got)
	}
	if got := step(t, d, data, mac, p.ik, p.ikid); got != v.counter {
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
		if !encryptsLike(w.c, working(k)) {
			t.Errorf("%08X: not %s", v.counter, w.want)
		}
	}
}

func TestFirstCountersFromInitialKey(t *testing.T) {
	for _, name := range tables {
		p := published(t, name)
		d, data, mac := newDevice(t)
		if err := d.Load(&p.ikid, p.ik); err != nil {
			t.Fatal(err)
		}
		for _, v := range p.rows[:8] {
			checkVector(t, d, data, mac, p, v)
		}
	}
}

// The counters with more than 16 one bits are skipped, the last one is
// FFFF0000, and after it there is none.
func TestEdges(t *testing.T) {
	p := published(t, "aes128.txt")
	ik, ikid := p.ik, p.ikid
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
		if d.r.intermediate != [registers][KeyMax]byte{} {
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
		n := rapid.SampledFrom([]int{16, KeyMax}).Draw(t, "size")
		ik := rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "ik")
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

// TestCampaign runs the device against the host over 100,000 counters: from the
// first on, over every place where counters are left out, and to the end.
func TestCampaign(t *testing.T) {
	counters := 0
	run := func(ik []byte, from uint32, n int) {
		d, data, mac := newDevice(t)
		ikid := [8]byte{1, 2, 3, 4, 5, 6, 7, 8}
		at(d, ik, ikid, from)
		before := d.r.counter - 1
		for range n {
			if d.Counter() == 0 {
				break
			}
			c := step(t, d, data, mac, ik, ikid)
			for skipped := before + 1; skipped < c; skipped++ { // as many as there are: up to 65,535
				if bits.OnesCount32(skipped) <= 16 {
					t.Fatalf("counter %08X was left out", skipped)
				}
			}
			before = c
			counters++
		}
	}
	short, long := []byte("an AES-128 key!!"), []byte("an AES-256 key, twice as long!!!")
	run(short, 1, 40_000)
	run(long, 1, 10_000)
	run(short, 0x0000FF00, 20_000) // over 0000FFFF
	run(short, 0x0001FF00, 10_000) // over 0001FFFF, the first that is left out
	for high := uint32(17); high < 32; high++ {
		run(short, 1<<high-1<<(high-15), 1000) // 16 ones from high down: then to the next power
		run(long, 1<<high-1<<(high-12), 500)
	}
	run(short, 0xFFFE0000, 1000) // to the end
	t.Logf("%d counters", counters)
	if counters < 100_000 {
		t.Errorf("%d counters", counters)
	}
}

// Advance leads to the same device as using each key on the way does.
func TestAdvance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{16, KeyMax}).Draw(t, "size")
		ik := rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "ik")
		ikid := [8]byte{7}
		start := rapid.OneOf(rapid.Uint32Range(1, 0x40000), rapid.Uint32Range(1, last), rapid.Uint32Range(0xFFFE0000, last)).Draw(t, "start")
		to := start + rapid.Uint32Range(0, min(300, 0xFFFFFFFF-start)).Draw(t, "by")
		slow, fast := new(Registers), new(Registers)
		d, err := New(slow)
		if err != nil {
			t.Fatal(err)
		}
		data, err := aeskey.New(new(aeskey.Room))
		if err != nil {
			t.Fatal(err)
		}
		at(d, ik, ikid, start)
		*fast = *slow
		e, err := New(fast)
		if err != nil {
			t.Fatal(err)
		}
		e.Advance(to)
		for c := d.Counter(); c != 0 && c < to; c = d.Counter() {
			if _, err := d.Next(data, data, nil); err != nil {
				t.Fatal(err)
			}
		}
		if e.Counter() != d.Counter() {
			t.Fatalf("from %08X to %08X: %08X, want %08X", start, to, e.Counter(), d.Counter())
		}
		for i := range slow.intermediate {
			// A register below the lowest bit of the counter is filled before it is
			// used: what is in it does not matter, but that it is no used key.
			if c := d.Counter(); c != 0 && i < bits.TrailingZeros32(c) {
				slow.intermediate[i], slow.used[i] = [KeyMax]byte{}, true
			}
		}
		if e.Counter() != 0 && (slow.intermediate != fast.intermediate || slow.used != fast.used) {
			t.Fatalf("from %08X to %08X: the registers differ", start, to)
		}
		if fast.base != (aeskey.Room{}) || fast.work != (working{}) {
			t.Fatal("something is left")
		}
	})
}

// A state goes on where it was taken, and only a whole one is taken.
func TestState(t *testing.T) {
	for _, name := range tables {
		p := published(t, name)
		d, data, mac := newDevice(t)
		at(d, p.ik, p.ikid, 0x1FFF0)
		state := d.AppendState(nil)
		if len(state) > StateMax {
			t.Errorf("%d bytes", len(state))
		}
		e, _, _ := newDevice(t)
		for _, bad := range [][]byte{nil, state[:8], state[:len(state)-1], append(bytes.Clone(state), 0), append([]byte{0, 0, 0, 1, 24}, state[5:]...)} {
			if err := e.Restore(&p.ikid, bad); err == nil || *e.r != (Registers{}) {
				t.Errorf("%d bytes restored: %v", len(bad), err)
			}
		}
		if err := e.Restore(&p.ikid, state); err != nil {
			t.Fatal(err)
		}
		for range 100 {
			if a, b := step(t, d, data, mac, p.ik, p.ikid), step(t, e, data, mac, p.ik, p.ikid); a != b {
				t.Fatalf("%08X and %08X", a, b)
			}
		}
	}
}

// Next stops at the limit, and goes on when it is moved.
func TestLimit(t *testing.T) {
	d, data, mac := newDevice(t)
	ikid, ik := [8]byte{1}, make([]byte, 16)
	at(d, ik, ikid, 0x1FFFE)
	d.Limit(0x20000)
	if c := step(t, d, data, mac, ik, ikid); c != 0x1FFFE {
		t.Errorf("%08X", c)
	}
	for range 2 { // 0001FFFF is left out: the next one is at the limit
		if _, err := d.Next(data, mac, nil); !errors.Is(err, ErrLimit) {
			t.Errorf("at the limit: %v", err)
		}
	}
	d.Limit(0x20001)
	if c := step(t, d, data, mac, ik, ikid); c != 0x20000 {
		t.Errorf("%08X", c)
	}
	if err := d.Load(&ikid, make([]byte, 24)); !errors.Is(err, ErrKeySize) || *d.r != (Registers{}) {
		t.Errorf("an AES-192 key: %v", err)
	}
}

// After Next nothing in the device leads back to a used key: no register holds
// the derivation key of a counter already used, nor one of its ancestors.
func TestRegistersAreErased(t *testing.T) {
	p := published(t, "aes128.txt")
	ik, ikid := p.ik, p.ikid
	d, data, mac := newDevice(t)
	if err := d.Load(&ikid, ik); err != nil {
		t.Fatal(err)
	}
	forbidden := map[[KeyMax]byte]uint32{padded(ik): 0}
	for range 2000 {
		c := step(t, d, data, mac, ik, ikid)
		k, _ := hostDerivation(ik, ikid, c)
		forbidden[padded(k)] = c
		for i, r := range d.r.intermediate {
			if c, ok := forbidden[r]; ok {
				t.Fatalf("register %d holds the key of counter %08X", i, c)
			}
			if d.r.used[i] != (r == [KeyMax]byte{}) {
				t.Fatalf("register %d: erased %v, holds % x", i, d.r.used[i], r)
			}
		}
		if d.r.work != (working{}) || d.r.base != (aeskey.Room{}) {
			t.Fatal("working key or schedule left")
		}
	}
}

func padded(k []byte) (p [KeyMax]byte) {
	copy(p[:], k)
	return p
}

func BenchmarkNext(b *testing.B) {
	d, data, mac := newDevice(b)
	if err := d.Load(&[8]byte{2}, make([]byte, 16)); err != nil {
		b.Fatal(err)
	}
	ksn := make([]byte, 0, KSNBytes)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Next(data, mac, ksn); err != nil {
			b.Fatal(err)
		}
	}
}
