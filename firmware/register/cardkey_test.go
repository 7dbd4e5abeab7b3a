package register

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"regi/firmware/capture/launch"
	"regi/firmware/journal"
	"regi/firmware/record"
	"regi/firmware/till"
)

// Every reason of the card reader is one that the till has words for, but the
// two for which it is the reader's own: those are about a cable.
func TestReasonsHaveMessages(t *testing.T) {
	s := newShop(t)
	for _, why := range launch.Reasons() {
		k := till.New(s.Till, till.State{})
		code := ""
		for _, effect := range k.Handle(time.Now(), till.Device{Name: "card", Detail: why}) {
			if n, ok := effect.(till.Notice); ok {
				code = n.Code
			}
		}
		if own := why == "reader unplugged" || why == "internal fault"; own != (code == "V01") || code == "" {
			t.Errorf("%s: %s", why, code)
		}
	}
}

// Notes are records in the chain, a register goes on after them, and neither
// runs beside the other.
func TestNotes(t *testing.T) {
	s := newShop(t)
	r := s.open(t)
	if _, err := OpenNotes(s.Config); !errors.Is(err, journal.ErrBusy) {
		t.Errorf("beside a register: %v", err)
	}
	for _, e := range append(keys("1", "OPEN"), s.scan("4901234567894")) {
		if err := r.handle(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.ledger.close(); err != nil {
		t.Fatal(err)
	}
	n, err := OpenNotes(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(s.Config); !errors.Is(err, journal.ErrBusy) {
		t.Errorf("a register beside notes: %v", err)
	}
	body := map[string]string{"Event": "card-key-loaded", "KCV": "123456"}
	if err := n.Note(record.SecurityEvent, body); err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	r = s.open(t)
	if phase := r.till.State().Phase(); phase != till.Selling {
		t.Errorf("the sale is %s", phase)
	}
	if err := r.ledger.close(); err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(filepath.Join(s.StateDir, "journal"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	found := 0
	head, _ := j.Head()
	for seq := uint64(1); seq <= head; seq++ {
		e, err := j.Read(seq)
		if err != nil {
			t.Fatal(err)
		}
		var sealed record.Sealed
		if err := sealed.UnmarshalBinary(e.Payload); err != nil {
			t.Fatal(err)
		}
		if sealed.Kind != record.SecurityEvent {
			continue
		}
		plain, err := s.opener.Open(sealed)
		want, _ := json.Marshal(body)
		if err != nil || !bytes.Equal(plain, want) {
			t.Errorf("%s, %v", plain, err)
		}
		found++
	}
	if found != 1 {
		t.Errorf("%d records of it", found)
	}
}
