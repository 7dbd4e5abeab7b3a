package hsm

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"regi/firmware/record"
)

const ctr = "AES128-DUKPT-CTR-CMAC"

func sample() record.AuthRequest {
	return record.AuthRequest{
		ID: "0001-01-20261125-1-1", Amount: 1080, Currency: "JPY",
		Card: record.CardRead{
			Suite: ctr, KSN: "0102030405060708" + "00000001", Source: "msr", BIN: "411111", Last4: "1111", Brand: "visa", ServiceCode: "101",
			Tracks: "12", Luhn: true, Entry: "swipe", CT: record.HexBytes{1, 2, 3}, MAC: make(record.HexBytes, 16),
		},
	}
}

// A request that is taken has one encoding, and fields within their bounds.
func FuzzRequest(f *testing.F) {
	text, err := json.Marshal(sample())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(append([]byte(" "), text...))
	f.Add(bytes.Replace(text, []byte(`"id"`), []byte(`"ID"`), 1))
	f.Add([]byte(`{"id":"1","id":"2"}`))
	f.Add([]byte("null"))
	passed := sample()
	passed.Card.Suite, passed.Card.KSN, passed.Card.Source, passed.Card.MAC = "IDTECH-TDES-DUKPT-CBC", "ff0102030400000001ff", "encrypting-reader", nil
	if text, err = json.Marshal(passed); err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	if _, err := decodeRequest(till, text); err != nil {
		f.Fatal(err)
	}
	if text, err = json.Marshal(sample()); err != nil {
		f.Fatal(err)
	}
	if _, err := decodeRequest(till, text); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decodeRequest(till, data)
		if err != nil {
			return
		}
		if r.Card.Suite != ctr {
			if r.suite.mac == 0 && r.Card.Source != "encrypting-reader" || len(r.Card.CT) > ctMax || len(r.Card.MAC) != r.suite.mac || len(r.ksn) != r.suite.ksn {
				t.Fatalf("%+v", r)
			}
			return
		}
		if len(data) > requestMax || r.ID == "" || r.Amount <= 0 || len(r.Currency) != 3 || len(r.Card.BIN) != 6 || len(r.Card.Last4) != 4 ||
			len(r.Card.CT) > 512 || len(r.Card.MAC) != 16 || r.Card.Suite != ctr {
			t.Fatalf("%+v", r)
		}
		again, err := json.Marshal(r.AuthRequest)
		if err != nil || !bytes.Equal(again, bytes.Map(dropBlank, data)) {
			t.Fatalf("%q is also %q", again, data)
		}
		if same, err := decodeRequest(till, again); err != nil || same.sum != r.sum {
			t.Fatalf("%v", err)
		}
	})
}

func dropBlank(r rune) rune {
	if strings.ContainsRune(" \t\r\n", r) {
		return -1
	}
	return r
}

func TestLoggable(t *testing.T) {
	for id, shown := range map[string]bool{
		"0001-01-20261125-1-1":  true,
		"490123456789-01-1":     true,
		"4111111111111111":      false,
		"a-4000000000000002-01": false,
		"":                      true,
	} {
		if (loggable(id) == id) != shown {
			t.Errorf("%q: %q", id, loggable(id))
		}
	}
}

// The signed message has its fields' lengths, so that no two reads share one.
func TestSealedMessage(t *testing.T) {
	r := &request{AuthRequest: sample(), ksn: make([]byte, 12)}
	want := "\x15AES128-DUKPT-CTR-CMAC" + "\x0c" + strings.Repeat("\x00", 12) + "\x06411111" + "\x041111" + "\x00\x03\x01\x02\x03"
	if got := string(r.sealed()); got != want {
		t.Errorf("%q", got)
	}
}
