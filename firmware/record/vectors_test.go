package record_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"regi/firmware/record"
)

// vector is one block of testdata/vectors.txt, or the keys at its head.
type vector map[string]string

// vectors reads the file: the keys, then the records.
func vectors(t testing.TB) (keys vector, records []vector) {
	t.Helper()
	file, err := os.ReadFile("testdata/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	v := vector{}
	for line := range strings.Lines(string(file)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch name {
		case "#":
		case "":
			records, v = append(records, v), vector{}
		default:
			v[name] = value
		}
	}
	records = append(records, v)
	if len(records) != 5 {
		t.Fatalf("%d blocks", len(records))
	}
	return records[0], records[1:]
}

func (v vector) bytes(t testing.TB, name string) []byte {
	t.Helper()
	b, err := hex.DecodeString(v[name])
	if err != nil || len(b) == 0 {
		t.Fatalf("%s: %v", name, err)
	}
	return b
}

func (v vector) number(t testing.TB, name string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(v[name], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// sealed is the record of a block.
func (v vector) sealed(t testing.TB) record.Sealed {
	t.Helper()
	kind, err := record.ParseKind(v["kind"])
	if err != nil {
		t.Fatal(err)
	}
	id, err := record.ParseID(v["id"])
	if err != nil {
		t.Fatal(err)
	}
	return record.Sealed{
		Header: record.Header{
			Kind: kind, Seq: v.number(t, "seq"), Time: int64(v.number(t, "time")), //nolint:gosec // of the vectors
			Prev: record.Hash(v.bytes(t, "prev")), Body: sha256.Sum256(v.bytes(t, "body")), ID: id,
		},
		Sig: v.bytes(t, "sig"), Body: v.bytes(t, "body"),
	}
}

func TestVectors(t *testing.T) {
	keys, records := vectors(t)
	device := ed25519.NewKeyFromSeed(keys.bytes(t, "device-seed"))
	public, ok := device.Public().(ed25519.PublicKey)
	if !ok || !bytes.Equal(public, keys.bytes(t, "device-public")) {
		t.Fatal("device key")
	}
	ledger, err := hpke.MLKEM768X25519().NewPrivateKey(keys.bytes(t, "ledger-seed"))
	if err != nil || !bytes.Equal(ledger.PublicKey().Bytes(), keys.bytes(t, "ledger-public")) {
		t.Fatalf("ledger key: %v", err)
	}
	opener := record.NewOpener(ledger)
	for i, v := range records {
		s := v.sealed(t)
		if got := s.Append([]byte("x")); string(got) != "x"+string(v.bytes(t, "header")) {
			t.Errorf("%d: header % x", i, got)
		}
		if !bytes.Equal(s.AAD(), v.bytes(t, "aad")) {
			t.Errorf("%d: aad % x", i, s.AAD())
		}
		if s.Hash() != record.Hash(v.bytes(t, "hash")) {
			t.Errorf("%d: hash %v", i, s.Hash())
		}
		if !bytes.Equal(ed25519.Sign(device, s.Append(nil)), s.Sig) {
			t.Errorf("%d: another signature", i)
		}
		if err := record.Verify(s, public); err != nil {
			t.Errorf("%d: %v", i, err)
		}
		binary, err := s.MarshalBinary()
		if sum := sha256.Sum256(binary); err != nil || !bytes.Equal(sum[:], v.bytes(t, "binary-sha256")) {
			t.Errorf("%d: binary form: %v", i, err)
		}
		if clear, err := opener.Open(s); err != nil || string(clear) != v["json"] {
			t.Errorf("%d: opened %q, %v", i, clear, err)
		}
		if got := s.NATS()[record.HeaderSig]; got != v["sig-text"] {
			t.Errorf("%d: %s", i, got)
		}
		if i == 1 && s.Prev != record.Hash(records[0].bytes(t, "hash")) {
			t.Error("not chained")
		}
	}
}

func TestAckVectors(t *testing.T) {
	keys, records := vectors(t)
	receiver := ed25519.NewKeyFromSeed(keys.bytes(t, "receiver-seed"))
	for i, v := range records {
		s := v.sealed(t)
		a, err := record.ParseAck([]byte(v["ack"]))
		if err != nil {
			t.Fatal(i, err)
		}
		if err := a.Verify(keys.bytes(t, "receiver-public"), s.ID); err != nil {
			t.Errorf("%d: %v", i, err)
		}
		ours, err := json.Marshal(record.SignAck(receiver, s.ID, s.Seq, s.Hash()))
		if err != nil || string(ours) != v["ack"] {
			t.Errorf("%d: %s, %v", i, ours, err)
		}
	}
}
