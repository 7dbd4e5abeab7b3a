package record_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"regi/firmware/record"
)

// What a decoder takes, it would have written: no value has two forms.

func FuzzSealed(f *testing.F) {
	_, records := vectors(f)
	for _, v := range records {
		b := binary(f, v.sealed(f))
		f.Add(b)
		f.Add(b[:len(b)/2])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var s record.Sealed
		if s.UnmarshalBinary(data) != nil {
			return
		}
		if len(data) > record.SealedMax {
			t.Fatalf("%d bytes", len(data))
		}
		if b, err := s.MarshalBinary(); err != nil || !bytes.Equal(b, data) {
			t.Fatalf("another form: %v", err)
		}
		if moved, err := record.FromNATS(s.ID, headers(s), s.Body); err != nil || moved.Hash() != s.Hash() {
			t.Fatalf("not on NATS: %v", err)
		}
	})
}

func FuzzAck(f *testing.F) {
	_, records := vectors(f)
	for _, v := range records {
		f.Add([]byte(v["ack"]))
		f.Add([]byte(v["ack"] + " "))
	}
	f.Add([]byte(`{"register":"a/b","seq":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := record.ParseAck(data)
		if err != nil {
			return
		}
		if b, err := json.Marshal(a); err != nil || !bytes.Equal(b, data) {
			t.Fatalf("another form: %s, %v", b, err)
		}
		if a.Seq == 0 || len(a.Sig) != 64 {
			t.Fatalf("%+v", a)
		}
	})
}

func FuzzID(f *testing.F) {
	for _, s := range []string{"0001/01", "a/b", "a/", "a/b/c", "*/>", "é/1", strings.Repeat("a", 33) + "/1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := record.ParseID(s)
		if err != nil {
			return
		}
		if id.String() != s || len(s) > 65 || strings.ContainsAny(s, ".*> \t\r\n\x00") || strings.Count(s, "/") != 1 {
			t.Fatalf("%q", s)
		}
		if strings.Count(id.Subject("ledger"), ".") != 4 {
			t.Fatalf("%q: %s", s, id.Subject("ledger"))
		}
	})
}

func FuzzKeyFile(f *testing.F) {
	files := keyFiles(f)
	for _, k := range files {
		f.Add(k.file)
		f.Add(bytes.ReplaceAll(k.file, []byte("\n"), []byte("\r\n")))
		f.Add(k.file[:len(k.file)/2])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		taken := 0
		for name, k := range files {
			file, err := k.parse(data)
			if err != nil {
				continue
			}
			if taken++; taken > 1 {
				t.Fatalf("%s and another kind", name)
			}
			text := bytes.TrimRight(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), " \t\r\n")
			if len(data) > 4096 || !bytes.Equal(append(text, '\n'), file) {
				t.Fatalf("%s: another form", name)
			}
		}
	})
}

func FuzzNATS(f *testing.F) {
	_, records := vectors(f)
	for _, v := range records {
		s := v.sealed(f)
		h := s.NATS()
		f.Add(v["id"], h[record.HeaderKind], h[record.HeaderSeq], h[record.HeaderTime], h[record.HeaderPrev], h[record.HeaderHash], h[record.HeaderSig], s.Body)
	}
	f.Fuzz(func(t *testing.T, id, kind, seq, ms, prev, hash, sig string, body []byte) {
		store, register, _ := strings.Cut(id, "/")
		h := map[string]string{
			record.HeaderKind: kind, record.HeaderSeq: seq, record.HeaderTime: ms,
			record.HeaderPrev: prev, record.HeaderHash: hash, record.HeaderSig: sig,
		}
		s, err := record.FromNATS(record.ID{Store: store, Register: register}, func(n string) string { return h[n] }, body)
		if err != nil {
			return
		}
		if !maps.Equal(s.NATS(), h) || s.Hash().String() != hash || len(body) > record.BodyMax {
			t.Fatalf("another form of %+v", s.Header)
		}
		var back record.Sealed
		if b, err := s.MarshalBinary(); err != nil || back.UnmarshalBinary(b) != nil || back.Hash() != s.Hash() {
			t.Fatalf("%v", err)
		}
	})
}
