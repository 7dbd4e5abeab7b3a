package keyblock_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"
	"unsafe"

	"regi/firmware/capture/internal/keyblock"

	"pgregory.net/rapid"
)

func opener(t testing.TB) (*keyblock.Opener, *keyblock.Room) {
	t.Helper()
	room := new(keyblock.Room)
	o, err := keyblock.New(room)
	if err != nil {
		t.Fatal(err)
	}
	return o, room
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPublishedBlocks(t *testing.T) {
	data, err := os.ReadFile("testdata/tr31.txt")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		rows++
		w := strings.Fields(line)
		o, _ := opener(t)
		h, key, err := o.Open(unhex(t, w[1]), []byte(w[2]), true)
		if w[0] == "A" {
			if !errors.Is(err, keyblock.ErrVersion) {
				t.Errorf("version A: %v", err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", w[0], err)
			continue
		}
		if !bytes.Equal(key, unhex(t, w[3])) || h.Usage != "P0" || h.Exportability != 'E' {
			t.Errorf("%s: %+v", w[0], h)
		}
		key = bytes.Clone(key)
		kcv := o.KCV(key)
		if w[0] == "B" {
			kcv = o.KCVTDES(key)
		}
		if !bytes.Equal(kcv[:], unhex(t, w[4])) {
			t.Errorf("%s: KCV %X", w[0], kcv)
		}
		if err := h.CheckInitial(); !errors.Is(err, keyblock.ErrUse) {
			t.Errorf("%s: a PIN key passes for an initial key: %v", w[0], err)
		}
	}
	if rows != 3 {
		t.Errorf("%d rows", rows)
	}
}

// initial is a block as a key injection host makes it.
func initial(t testing.TB, kbpk, key []byte) string {
	t.Helper()
	return wrap(t, kbpk, "B1AX00N0200", []string{"IK141234567890123456", pad(12)}, key)
}

func TestInitialKey(t *testing.T) {
	for _, n := range []int{16, 24, 32} {
		kbpk, key := bytes.Repeat([]byte{0xA5}, n), []byte("an initial key!!")
		block := initial(t, kbpk, key)
		o, room := opener(t)
		h, got, err := o.Open(kbpk, []byte(block), false)
		if err != nil {
			t.Fatalf("%s: %v", block, err)
		}
		if err := h.CheckInitial(); err != nil || !bytes.Equal(got, key) || hex.EncodeToString(h.IKID[:]) != "1234567890123456" {
			t.Errorf("%+v, %v", h, err)
		}
		o.Wipe()
		if *room != (keyblock.Room{}) {
			t.Error("the room is not wiped")
		}
	}
}

// Every single change of a block is refused and leaves no key behind.
func TestEveryChangeIsRefused(t *testing.T) {
	kbpk := bytes.Repeat([]byte{7}, 32)
	block := initial(t, kbpk, []byte("an initial key!!"))
	for i := range block {
		for _, c := range []byte{'0', '1', '2', 'A', 'F', 'G', 'a', ' ', 0, 0xFF} {
			changed := []byte(block)
			changed[i] = c
			if c == block[i] {
				continue
			}
			o, room := opener(t)
			h, key, err := o.Open(kbpk, changed, true)
			if err == nil || key != nil || h != (keyblock.Header{}) {
				t.Fatalf("character %d as %q: %v", i, c, err)
			}
			if *room != (keyblock.Room{}) {
				t.Fatalf("character %d as %q: something is left in the room", i, c)
			}
		}
	}
	for i := range block {
		o, _ := opener(t)
		if _, _, err := o.Open(kbpk, []byte(block[:i]), true); err == nil {
			t.Errorf("cut at %d: opened", i)
		}
	}
}

func TestRefused(t *testing.T) {
	kbpk, key := bytes.Repeat([]byte{7}, 32), []byte("an initial key!!")
	good := initial(t, kbpk, key)
	for name, c := range map[string]struct {
		kbpk  []byte
		block string
		want  error
	}{
		"version B off":      {bytes.Repeat([]byte{7}, 16), "B0080P0TE00E0000" + strings.Repeat("0", 64), keyblock.ErrVersion},
		"version C":          {kbpk, "C" + good[1:], keyblock.ErrVersion},
		"nothing":            {kbpk, "", keyblock.ErrFormat},
		"too long":           {kbpk, good + strings.Repeat("0", keyblock.BlockMax), keyblock.ErrFormat},
		"other KBPK":         {bytes.Repeat([]byte{8}, 32), good, keyblock.ErrMAC},
		"KBPK of 5 bytes":    {[]byte{1, 2, 3, 4, 5}, good, keyblock.ErrKBPK},
		"lower case":         {kbpk, good[:48] + strings.ToLower(good[48:]), keyblock.ErrFormat},
		"IK too short":       {kbpk, wrap(t, kbpk, "B1AX00N0200", []string{"IK0E1234567890", pad(18)}, key), keyblock.ErrFormat},
		"IK twice":           {kbpk, wrap(t, kbpk, "B1AX00N0300", []string{"IK141234567890123456", "IK141234567890123456", pad(8)}, key), keyblock.ErrFormat},
		"padding not last":   {kbpk, wrap(t, kbpk, "B1AX00N0200", []string{pad(12), "IK141234567890123456"}, key), keyblock.ErrFormat},
		"count too high":     {kbpk, wrap(t, kbpk, "B1AX00N0300", []string{"IK141234567890123456", pad(12)}, key), keyblock.ErrFormat},
		"header not padded":  {kbpk, wrap(t, kbpk, "B1AX00N0100", []string{"IK141234567890123456"}, key), keyblock.ErrFormat},
		"long form of short": {kbpk, wrap(t, kbpk, "B1AX00N0100", []string{"CT00020010012345"}, key), keyblock.ErrFormat},
		"length of 1":        {kbpk, wrap(t, kbpk, "B1AX00N0100", []string{"CT01567890123456"}, key), keyblock.ErrFormat},
		"key of 100 bits":    {kbpk, wrapBits(t, kbpk, "B1AX00N0000", nil, key, 100), keyblock.ErrFormat},
		"longer than it is":  {kbpk, wrapBits(t, kbpk, "B1AX00N0000", nil, key, 256), keyblock.ErrFormat},
	} {
		o, _ := opener(t)
		_, _, err := o.Open(c.kbpk, []byte(c.block), false)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// Three examples that are misprinted in X9.143:2021 (8.2, 8.3.2.1, 8.3.2.2): a
// key serial number with letters, and two headers with a wrong length.
func TestMisprints(t *testing.T) {
	data, err := os.ReadFile("testdata/misprints.txt")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		rows++
		w := strings.Fields(line)
		o, room := opener(t)
		_, key, err := o.Open(unhex(t, w[1]), []byte(w[2]), true)
		if want := map[string]error{"A": keyblock.ErrVersion}[w[0]]; key != nil || *room != (keyblock.Room{}) ||
			want != nil && !errors.Is(err, want) || want == nil && !errors.Is(err, keyblock.ErrFormat) {
			t.Errorf("%s: %v", w[2], err)
		}
	}
	if rows != 3 {
		t.Errorf("%d rows", rows)
	}
}

func TestUses(t *testing.T) {
	kbpk, key := bytes.Repeat([]byte{7}, 32), []byte("an initial key!!")
	for name, header := range map[string]string{
		"PIN key": "P0AX00N0200", "TDES": "B1TX00N0200", "encrypts": "B1AE00N0200", "exportable": "B1AX00E0200",
	} {
		o, _ := opener(t)
		h, _, err := o.Open(kbpk, []byte(wrap(t, kbpk, header, []string{"IK141234567890123456", pad(12)}, key)), false)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := h.CheckInitial(); !errors.Is(err, keyblock.ErrUse) {
			t.Errorf("%s: %v", name, err)
		}
	}
	o, _ := opener(t)
	h, _, err := o.Open(kbpk, []byte(wrap(t, kbpk, "B1AX00N0000", nil, key)), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.CheckInitial(); !errors.Is(err, keyblock.ErrUse) {
		t.Errorf("without IK: %v", err)
	}
}

// What the test's own host wraps, opens; extended optional blocks included.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		drawn := func(sizes []int, what string) []byte {
			n := rapid.SampledFrom(sizes).Draw(r, what+" size")
			return rapid.SliceOfN(rapid.Byte(), n, n).Draw(r, what)
		}
		kbpk, key := drawn([]int{16, 24, 32}, "kbpk"), drawn([]int{16, 24, 32}, "key")
		label := rapid.StringMatching(`[ -~]{0,300}`).Draw(r, "label")
		lb, ik := extended("LB", label), "IK14ABCDEF0123456789"
		blocks := []string{lb, ik, pad(32 - (len(lb)+len(ik))%16)}
		block := wrap(t, kbpk, "B1AX00N0300", blocks, key)
		if len(block) > keyblock.BlockMax {
			return
		}
		o, _ := opener(t)
		h, got, err := o.Open(kbpk, []byte(block), false)
		if err != nil || !bytes.Equal(got, key) || !h.HasIKID {
			r.Fatalf("%s: %v", block, err)
		}
	})
}

// The room lies in an arena: it must hold no pointer.
func TestRoomIsPlain(t *testing.T) {
	if unsafe.Sizeof(keyblock.Room{}) > 4096 {
		t.Error("over a page")
	}
}

func FuzzOpen(f *testing.F) {
	kbpk := bytes.Repeat([]byte{7}, 32)
	f.Add([]byte(initial(f, kbpk, []byte("an initial key!!"))))
	f.Add([]byte("D0016P0AE00E0000"))
	f.Add([]byte("B0080P0TE00E0000" + strings.Repeat("0", 64)))
	f.Fuzz(func(t *testing.T, block []byte) {
		o, room := opener(t)
		if _, key, err := o.Open(kbpk, block, true); err != nil && (key != nil || *room != (keyblock.Room{})) {
			t.Fatal("a key in spite of an error")
		}
	})
}
