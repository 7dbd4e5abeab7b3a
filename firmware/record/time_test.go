package record_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"regi/firmware/record"
)

// A time is of one register, one question and one signer, and has one form.
func TestTime(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	id, n, at := record.ID{Store: "0001", Register: "01"}, record.Nonce{9}, time.UnixMilli(1_790_000_000_123)
	good := record.SignTime(private, id, n, at)
	text, err := json.Marshal(good)
	if err != nil {
		t.Fatal(err)
	}
	back, err := record.ParseTime(text)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := back.Verify(public, id, n); err != nil || !got.Equal(at) {
		t.Errorf("%v, %v", got, err)
	}
	for what, change := range map[string]func(*record.Time){
		"time":  func(m *record.Time) { m.At++ },
		"nonce": func(m *record.Time) { m.Nonce[31]++ },
		"name":  func(m *record.Time) { m.Register.Register = "02" },
		"sig":   func(m *record.Time) { m.Sig = bytes.Clone(m.Sig); m.Sig[63] ^= 1 },
		// What the receiver signs for a journal is no time.
		"ack": func(m *record.Time) { m.Sig = record.SignAck(private, id, 1, n).Sig },
	} {
		m := good
		change(&m)
		if at, err := m.Verify(public, id, m.Nonce); !errors.Is(err, record.ErrSignature) || !at.IsZero() {
			t.Errorf("%s: %v, %v", what, at, err)
		}
	}
	for what, err := range map[string]error{
		"another question": second(good.Verify(public, id, record.Nonce{8})),
		"another register": second(good.Verify(public, record.ID{Store: "0001", Register: "02"}, n)),
		"no key":           second(good.Verify(nil, id, n)),
	} {
		if err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
	for _, form := range []string{
		string(text) + " ", " " + string(text), strings.Replace(string(text), `"at":`, `"at": `, 1), strings.Replace(string(text), `"at":`, `"At":`, 1),
		strings.Replace(string(text), "1790000000123", "-1", 1), strings.Replace(string(text), "1790000000123", "0", 1), `{}`, "", strings.Repeat("x", 2000),
		strings.Replace(string(text), `"nonce":"09`, `"nonce":"`, 1),
	} {
		if _, err := record.ParseTime([]byte(form)); !errors.Is(err, record.ErrFormat) && !errors.Is(err, record.ErrTooLong) {
			t.Errorf("%.60q: %v", form, err)
		}
	}
}

func second(_ time.Time, err error) error { return err }

func FuzzTime(f *testing.F) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	text, err := json.Marshal(record.SignTime(key, record.ID{Store: "0001", Register: "01"}, record.Nonce{1}, time.UnixMilli(1)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := record.ParseTime(data)
		if err != nil {
			return
		}
		if b, err := json.Marshal(m); err != nil || !bytes.Equal(b, data) || m.At <= 0 || len(m.Sig) != 64 {
			t.Fatalf("another form: %s, %v", b, err)
		}
	})
}
