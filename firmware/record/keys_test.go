package record_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hpke"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"regi/firmware/record"
)

// keyFiles are the four kinds of key files with their parsers, each of which
// returns the file of what it read.
func keyFiles(t testing.TB) map[string]struct {
	file  []byte
	parse func([]byte) ([]byte, error)
} {
	t.Helper()
	l := newLedger(t)
	sealPrivate, err := record.MarshalSealPrivate(l.owner)
	if err != nil {
		t.Fatal(err)
	}
	type kind = struct {
		file  []byte
		parse func([]byte) ([]byte, error)
	}
	return map[string]kind{
		"SEAL PUBLIC": {record.MarshalSealPublic(l.owner.PublicKey()), func(b []byte) ([]byte, error) {
			k, err := record.ParseSealPublic(b)
			if err != nil {
				return nil, err
			}
			return record.MarshalSealPublic(k), nil
		}},
		"SEAL PRIVATE": {sealPrivate, func(b []byte) ([]byte, error) {
			k, err := record.ParseSealPrivate(b)
			if err != nil {
				return nil, err
			}
			return record.MarshalSealPrivate(k)
		}},
		"SIGN PUBLIC": {record.MarshalSignPublic(l.public), func(b []byte) ([]byte, error) {
			k, err := record.ParseSignPublic(b)
			if err != nil {
				return nil, err
			}
			return record.MarshalSignPublic(k), nil
		}},
		"SIGN PRIVATE": {record.MarshalSignPrivate(l.device), func(b []byte) ([]byte, error) {
			k, err := record.ParseSignPrivate(b)
			if err != nil {
				return nil, err
			}
			return record.MarshalSignPrivate(k), nil
		}},
	}
}

func TestKeyFiles(t *testing.T) {
	files := keyFiles(t)
	for name, k := range files {
		text := string(k.file)
		if lines := strings.Split(text, "\n"); len(lines) != 4 || lines[0] != "-----BEGIN REGI "+name+" KEY-----" || lines[2] != "-----END REGI "+name+" KEY-----" {
			t.Errorf("%s: not three lines", name)
		}
		// What an editor or a copy over Windows does is forgiven.
		for _, form := range []string{text, strings.TrimSpace(text), strings.ReplaceAll(text, "\n", "\r\n"), text + "\n \t\r\n"} {
			if back, err := k.parse([]byte(form)); err != nil || !bytes.Equal(back, k.file) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for other := range files {
			if _, err := k.parse(files[other].file); other != name && !errors.Is(err, record.ErrFormat) {
				t.Errorf("%s read as %s: %v", other, name, err)
			}
		}
		refuseForms(t, name, text, k.parse)
	}
}

func refuseForms(t *testing.T, name, text string, parse func([]byte) ([]byte, error)) {
	t.Helper()
	lines := strings.Split(text, "\n")
	key := lines[1]
	wrap := func(s string) string { return lines[0] + "\n" + s + "\n" + lines[2] + "\n" }
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	forms := map[string]string{
		"nothing":         "",
		"no begin":        key + "\n" + lines[2],
		"no end":          lines[0] + "\n" + key,
		"a line before":   "x\n" + text,
		"a blank before":  " " + text,
		"a line after":    text + "x",
		"wrapped":         wrap(key[:20] + "\n" + key[20:]),
		"an empty line":   wrap(key + "\n"),
		"a blank in it":   wrap(key[:20] + " " + key[20:]),
		"a bare CR in it": wrap(key[:20] + "\r" + key[20:]),
		"no padding":      wrap(strings.TrimRight(key, "=")),
		"other alphabet":  wrap("_" + key[1:]),
		"short":           wrap(base64.StdEncoding.EncodeToString(raw[:len(raw)-1])),
		"long":            wrap(base64.StdEncoding.EncodeToString(append(raw, 0))),
		"too long":        text + strings.Repeat("\n", 4096),
	}
	i := strings.IndexByte(key, '=') - 1 // some bits of the last character are unused
	forms["loose base64"] = wrap(key[:i] + string(rune(key[i])+1) + key[i+1:])
	for what, form := range forms {
		_, err := parse([]byte(form))
		if err == nil {
			t.Errorf("%s, %s: taken", name, what)
			continue
		}
		if strings.Contains(err.Error(), key[:10]) {
			t.Errorf("%s, %s: the error quotes the key", name, what)
		}
	}
}

// The seed of another KEM's key has the same length; its file would name
// another key.
func TestKeyOfAnotherType(t *testing.T) {
	other, err := hpke.DHKEM(ecdh.X25519()).GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := record.MarshalSealPrivate(other); !errors.Is(err, record.ErrKey) {
		t.Error(err)
	}
}
