package ceremony_test

import (
	"bytes"
	"crypto/des"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regi/firmware/capture/ceremony"
	"regi/sim/keyhost"
)

func kcv(t testing.TB, key []byte) string {
	t.Helper()
	v, err := keyhost.CheckValue(key)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// wrap makes a version D block with the optional block IK.
func wrap(t testing.TB, kbpk []byte, fields, ikid string, key []byte) string {
	t.Helper()
	block, err := keyhost.Wrap(kbpk, fields+"0200", []string{"IK14" + ikid, "PB0C00000000"}, key, 8*len(key))
	if err != nil {
		t.Fatal(err)
	}
	return block
}

const (
	ikid  = "F0E1D2C3B4A59687"
	ikid2 = "F0E1D2C3B4A59688"
)

// desk is two officers at a terminal.
type desk struct {
	typed  io.Reader
	shown  bytes.Buffer
	told   []ceremony.Loaded
	refuse error
}

func (d *desk) Read(b []byte) (int, error) {
	if len(b) != 1 {
		return 0, errors.New("more than one byte at a time")
	}
	return d.typed.Read(b)
}
func (d *desk) Write(b []byte) (int, error) { return d.shown.Write(b) }
func (d *desk) Hide(bool) error             { return nil }

func (d *desk) inject(dir string, versionB bool, lines ...string) error {
	d.typed = strings.NewReader(strings.Join(lines, "\n") + "\n")
	return ceremony.Inject(d, ceremony.Options{Dir: dir, VersionB: versionB, Journal: func(l ceremony.Loaded) error {
		d.told = append(d.told, l)
		return d.refuse
	}})
}

// parts are two components and what they make.
type parts struct {
	one, two string
	kbpk     []byte
	kcv      [2]string
}

func components(t testing.TB, n int) (p parts) {
	t.Helper()
	one, two := bytes.Repeat([]byte{0xA7}, n), []byte("second component of 32 bytes!!!!")[:n]
	p.kbpk = make([]byte, n)
	for i := range n {
		p.kbpk[i] = one[i] ^ two[i]
	}
	p.one, p.two = strings.ToUpper(hex.EncodeToString(one)), hex.EncodeToString(two)
	p.kcv = [2]string{kcv(t, one), kcv(t, two)}
	return p
}

func TestInject(t *testing.T) {
	for _, n := range []int{16, 24, 32} {
		for _, key := range [][]byte{[]byte("an AES-128 key!!"), []byte("an AES-256 key, twice as long!!!")} {
			dir, p := t.TempDir(), components(t, n)
			block := wrap(t, p.kbpk, "B1AX00N", ikid, key)
			d := &desk{}
			spaced := p.two[:8] + " " + p.two[8:]
			if err := d.inject(dir, false, "Sato", p.one, p.kcv[0], "鈴木", spaced, strings.ToLower(p.kcv[1]), block, "yes"); err != nil {
				t.Fatalf("%v\n%s", err, d.shown.String())
			}
			want := ceremony.Loaded{IKID: ikid, KCV: kcv(t, key), Officers: [2]string{"Sato", "鈴木"}}
			if len(d.told) != 1 || d.told[0] != want {
				t.Errorf("%+v", d.told)
			}
			shown := d.shown.String()
			for _, must := range []string{"check value " + kcv(t, p.kbpk), ikid, kcv(t, key), "Loaded."} {
				if !strings.Contains(shown, must) {
					t.Errorf("%q is not shown:\n%s", must, shown)
				}
			}
			for _, secret := range []string{p.one, p.two, block, hex.EncodeToString(key), hex.EncodeToString(p.kbpk)} {
				for i := 0; i+8 <= len(secret); i++ {
					if part := secret[i : i+8]; !strings.Contains(ikid, part) && strings.Contains(strings.ToUpper(shown), strings.ToUpper(part)) {
						t.Fatalf("eight digits of a secret are shown:\n%s", shown)
					}
				}
			}
			if s, err := ceremony.Status(dir); err != nil || !strings.Contains(s, ikid) || !strings.Contains(s, kcv(t, key)) {
				t.Errorf("%q, %v", s, err)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	p := components(t, 32)
	key := []byte("an AES-128 key!!")
	good := wrap(t, p.kbpk, "B1AX00N", ikid, key)
	with := func(block string, tail ...string) []string {
		return append([]string{"Sato", p.one, p.kcv[0], "Suzuki", p.two, p.kcv[1], block}, tail...)
	}
	for name, c := range map[string]struct {
		lines []string
		want  error
		says  string
	}{
		"stopped":         {[]string{"Sato", "\x03"}, ceremony.ErrStopped, ""},
		"line lost":       {nil, ceremony.ErrStopped, ""},
		"not confirmed":   {with(good, "y"), ceremony.ErrStopped, "Type yes"},
		"three wrong":     {[]string{"Sato", p.one, "000000", p.one, "000000", p.one, "00"}, ceremony.ErrTries, "does not fit"},
		"short component": {[]string{"Sato", p.one[:30], p.one[:31], p.one + "00"}, ceremony.ErrTries, "32, 48 or 64"},
		"letters":         {[]string{"Sato", "G" + p.one[1:], "x", "y"}, ceremony.ErrTries, "0 to 9"},
		"one officer":     {[]string{"Sato", p.one, p.kcv[0], "sato", "SATO ", "Sato"}, ceremony.ErrTries, "Two different"},
		"no name":         {[]string{"", " ", strings.Repeat("x", 41)}, ceremony.ErrTries, "A name has"},
		"name in control": {[]string{"a\x1b[31m", "b\x07", "c\x00"}, ceremony.ErrTries, "A name has"},
		"other length":    {[]string{"Sato", p.one, p.kcv[0], "Suzuki", p.two[:32], p.two[:48], "0"}, ceremony.ErrTries, "has 64 digits"},
		"endless":         {[]string{"Sato", strings.Repeat("A", 100_000), strings.Repeat("A", 5000), strings.Repeat("A", 2000)}, ceremony.ErrTries, "32, 48 or 64"},
		"same components": {[]string{"Sato", p.one, p.kcv[0], "Suzuki", p.one, p.kcv[0]}, nil, ""},
		"garbled blocks":  {with(good[:len(good)-1]+"0", good[:40], "\x00"), ceremony.ErrTries, "Key block refused"},
		"misprint 8.2":    {with("D0192C0AVA1N0300KS08VM9ATS1A2018-06-18T20:42:39.22PB0E00000000005FDAFA00A1E84F599C2EB51A1F7A767D5E42314F0E84A3FC1A7B84C1DE81114659E6306AD544208F68F15602BD3E12DA0C7F9FC551F1C8E6385FAFC1F7B499F5"), ceremony.ErrStopped, "optional block"},
		"misprint A":      {with("A0072P0TE00E0000A8974C06DBFD58D197101A28DEC1A6C7C23F00A3B18EC6D538DE4A5B5F49A542D61A8A8B"), ceremony.ErrStopped, "not accepted"},
		"misprint B":      {with("B0080P0TE00E000094B420079CC80BA3461F86FE26EFC4A38C6B0A146BF1B0BE0D3277F17A3AD5146EED7B727B8A248E"), ceremony.ErrStopped, "malformed"},
		"PIN key":         {with(wrap(t, p.kbpk, "P0AE00E", ikid, key)), ceremony.ErrStopped, "not an initial DUKPT key"},
		"AES-192":         {with(wrap(t, p.kbpk, "B1AX00N", ikid, make([]byte, 24))), ceremony.ErrStopped, "neither AES-128 nor AES-256"},
		"other KBPK":      {with(wrap(t, bytes.Repeat([]byte{1}, 32), "B1AX00N", ikid, key)), ceremony.ErrStopped, "does not verify"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, d := t.TempDir(), &desk{}
			err := d.inject(dir, false, c.lines...)
			if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(d.shown.String(), c.says) {
				t.Errorf("%v\n%s", err, d.shown.String())
			}
			if len(d.told) != 0 {
				t.Errorf("journalled %+v", d.told)
			}
			if s, err := ceremony.Status(dir); err != nil || !strings.Contains(s, "no card key") {
				t.Errorf("%q, %v", s, err)
			}
		})
	}
}

// Version B is taken where the configuration says so, with components whose
// check values are of TDES. The published block holds a PIN key, so its use is
// what it is refused for.
func TestVersionB(t *testing.T) {
	kbpk, err := hex.DecodeString("DD7515F2BFC17F85CE48F3CA25CB21F6")
	if err != nil {
		t.Fatal(err)
	}
	block := "B0080P0TE00E000094B420079CC80BA3461F86FE26EFC4A3B8E4FA4C5F5341176EED7B727B8A248E"
	tdes := func(key []byte) string {
		c, err := des.NewTripleDESCipher(append(bytes.Clone(key), key[:8]...))
		if err != nil {
			t.Fatal(err)
		}
		out := make([]byte, 8)
		c.Encrypt(out, out)
		return hex.EncodeToString(out[:3])
	}
	one, two := bytes.Repeat([]byte{0x3B}, 16), make([]byte, 16)
	for i := range two {
		two[i] = kbpk[i] ^ one[i]
	}
	lines := []string{"Sato", hex.EncodeToString(one), tdes(one), "Suzuki", hex.EncodeToString(two), tdes(two), block}
	d := &desk{}
	if err := d.inject(t.TempDir(), true, lines...); !errors.Is(err, ceremony.ErrStopped) ||
		!strings.Contains(d.shown.String(), "not an initial DUKPT key") || !strings.Contains(d.shown.String(), strings.ToUpper(tdes(kbpk))) {
		t.Errorf("%v\n%s", err, d.shown.String())
	}
	d = &desk{}
	if err := d.inject(t.TempDir(), false, lines[:3]...); !errors.Is(err, ceremony.ErrStopped) || !strings.Contains(d.shown.String(), "does not fit") {
		t.Errorf("without it: %v\n%s", err, d.shown.String())
	}
}

// A mistake can be mended, by carriage returns, line feeds and rubout alike.
func TestMended(t *testing.T) {
	p := components(t, 16)
	d := &desk{}
	block := wrap(t, p.kbpk, "B1AX00N", ikid, []byte("an AES-128 key!!"))
	err := d.inject(t.TempDir(), false, "Satp\x7fo\r", p.one, "000000\r", p.one[:31]+"9\b"+p.one[31:], p.kcv[0],
		"Suzuki", p.two+"\r", p.kcv[1], "junk", " "+block+" ", "YES\r")
	if err != nil || d.told[0].Officers[0] != "Sato" {
		t.Errorf("%v, %+v\n%s", err, d.told, d.shown.String())
	}
}

// The record comes first; without it no key is written, and a key that is, or
// was, in the file is refused.
func TestOrder(t *testing.T) {
	p := components(t, 32)
	lines := func(id string) []string {
		return []string{"Sato", p.one, p.kcv[0], "Suzuki", p.two, p.kcv[1], wrap(t, p.kbpk, "B1AX00N", id, []byte("an AES-128 key!!")), "yes"}
	}
	dir, d := t.TempDir(), &desk{refuse: errors.New("journal full")}
	if err := d.inject(dir, false, lines(ikid)...); !errors.Is(err, d.refuse) || len(d.told) != 1 {
		t.Fatalf("%v", err)
	}
	if s, _ := ceremony.Status(dir); !strings.Contains(s, "no card key") {
		t.Error(s)
	}
	d.refuse = nil
	if err := d.inject(dir, false, lines(ikid)...); err != nil {
		t.Fatal(err)
	}
	if err := d.inject(dir, false, lines(ikid)...); !errors.Is(err, ceremony.ErrSame) {
		t.Errorf("the same key: %v", err)
	}
	if err := ceremony.Wipe(dir); err != nil {
		t.Fatal(err)
	}
	if s, _ := ceremony.Status(dir); !strings.Contains(s, "zeroised") {
		t.Error(s)
	}
	if err := d.inject(dir, false, lines(ikid)...); !errors.Is(err, ceremony.ErrSame) {
		t.Errorf("the wiped key: %v", err)
	}
	if err := d.inject(dir, false, lines(ikid2)...); err != nil {
		t.Errorf("a new key: %v", err)
	}
	if s, _ := ceremony.Status(dir); !strings.Contains(s, ikid2) {
		t.Error(s)
	}
	if err := d.inject(filepath.Join(dir, "nowhere"), false); !errors.Is(err, ceremony.ErrFile) {
		t.Errorf("%v", err)
	}
}

// A file of another device and a damaged one are said, and end with the
// ceremony.
func TestStatus(t *testing.T) {
	p := components(t, 32)
	lines := func(id string) []string {
		return []string{"Sato", p.one, p.kcv[0], "Suzuki", p.two, p.kcv[1], wrap(t, p.kbpk, "B1AX00N", id, []byte("an AES-128 key!!")), "yes"}
	}
	for name, c := range map[string]struct{ file, says string }{
		"device":  {"card.device", "another device"},
		"damaged": {"card.keys", "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, d := t.TempDir(), &desk{}
			if err := d.inject(dir, false, lines(ikid)...); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, c.file)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i < len(b); i += 4096 {
				b[i] ^= 1
			}
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if s, err := ceremony.Status(dir); err != nil || !strings.Contains(s, c.says) {
				t.Errorf("%q, %v", s, err)
			}
			if err := d.inject(dir, false, lines(ikid2)...); err != nil || !strings.Contains(d.shown.String(), c.says) {
				t.Errorf("%v\n%s", err, d.shown.String())
			}
		})
	}
}

// Any bytes as a ceremony: no key, and no panic.
func FuzzTyped(f *testing.F) {
	f.Add([]byte("Sato\n00112233445566778899AABBCCDDEEFF\n000000\n"))
	f.Add([]byte("a\r\nFF FF\x7f\x08\x08\x08\x08\r\n\x04"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, typed []byte) {
		d := &desk{typed: bytes.NewReader(typed)}
		err := ceremony.Inject(d, ceremony.Options{Dir: dir, Journal: func(l ceremony.Loaded) error {
			t.Errorf("%+v", l)
			return io.EOF
		}})
		if err == nil {
			t.Error("a key was loaded")
		}
	})
}
