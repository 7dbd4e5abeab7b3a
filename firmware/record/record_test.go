package record_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"regi/firmware/record"
)

// ledger is one register and the owner of its ledger.
type ledger struct {
	id     record.ID
	device ed25519.PrivateKey
	public ed25519.PublicKey
	owner  hpke.PrivateKey
	sealer *record.Sealer
	opener *record.Opener
}

func newLedger(t testing.TB) *ledger {
	t.Helper()
	l := &ledger{id: record.ID{Store: "0001", Register: "01"}}
	var err error
	if l.public, l.device, err = ed25519.GenerateKey(nil); err != nil {
		t.Fatal(err)
	}
	if l.owner, err = hpke.MLKEM768X25519().GenerateKey(); err != nil {
		t.Fatal(err)
	}
	l.sealer = record.NewSealer(l.id, l.device, l.owner.PublicKey())
	l.opener = record.NewOpener(l.owner)
	return l
}

func (l *ledger) seal(t testing.TB, seq uint64, prev record.Hash, body any) record.Sealed {
	t.Helper()
	s, err := l.sealer.Seal(record.SaleCommit, seq, time.UnixMilli(1795564800123), prev, body)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func binary(t testing.TB, s record.Sealed) []byte {
	t.Helper()
	b, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSealAndOpen(t *testing.T) {
	l := newLedger(t)
	body := map[string]any{"Name": "コーヒー <&> \u2028", "Total": 1080}
	first := l.seal(t, 1, record.Hash{}, body)
	second := l.seal(t, 2, first.Hash(), body)
	for _, s := range []record.Sealed{first, second} {
		if err := record.Verify(s, l.public); err != nil {
			t.Error(err)
		}
		if clear, err := l.opener.Open(s); err != nil || string(clear) != `{"Name":"コーヒー <&> \u2028","Total":1080}` {
			t.Errorf("%q, %v", clear, err)
		}
		var again record.Sealed
		if err := again.UnmarshalBinary(binary(t, s)); err != nil || !bytes.Equal(binary(t, again), binary(t, s)) {
			t.Error(err)
		}
	}
	if bytes.Equal(first.Body, second.Body) || bytes.Contains(first.Body, []byte("Total")) {
		t.Error("the seal is no seal")
	}
	if second.Prev != first.Hash() || first.Time != 1795564800123 {
		t.Errorf("%+v", second.Header)
	}
}

// TestAhead: no encapsulation serves two records, whoever makes them ahead.
func TestAhead(t *testing.T) {
	l := newLedger(t)
	var tasks sync.WaitGroup
	defer tasks.Wait()
	seen := map[string]bool{}
	const encSize = 1120
	for range 40 {
		tasks.Go(l.sealer.Ahead)
		s := l.seal(t, 1, record.Hash{}, "x")
		if clear, err := l.opener.Open(s); err != nil || string(clear) != `"x"` {
			t.Fatalf("%q, %v", clear, err)
		}
		if enc := string(s.Body[:encSize]); seen[enc] {
			t.Fatal("one key for two records")
		} else {
			seen[enc] = true
		}
	}
}

// Every single-bit change of a sealed record is refused, by the decoder or by
// the signature; and by the seal, where the seal covers it.
func TestEveryBitFlip(t *testing.T) {
	l := newLedger(t)
	s := l.seal(t, 2, record.Hash{1}, map[string]int{"Total": 1080})
	good := binary(t, s)
	decoded := 0
	for bit := range 8 * len(good) {
		bad := bytes.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		var r record.Sealed
		if r.UnmarshalBinary(bad) != nil {
			if r.Seq != 0 || r.Body != nil {
				t.Fatalf("bit %d: refused and kept", bit)
			}
			continue
		}
		decoded++
		if record.Verify(r, l.public) == nil {
			t.Fatalf("bit %d: verified", bit)
		}
		if _, err := l.opener.Open(r); err == nil && bytes.Equal(r.Sig, s.Sig) {
			t.Fatalf("bit %d: opened", bit)
		}
	}
	if decoded == 0 {
		t.Error("no change reached the signature: the test is blind")
	}
	// What the decoder would not let through does not open or verify either.
	for bit := 0; bit < 8*len(s.Body); bit += 61 { // one decapsulation takes a while
		r := s
		r.Body = bytes.Clone(s.Body)
		r.Body[bit/8] ^= 1 << (bit % 8)
		if err := record.Verify(r, l.public); !errors.Is(err, record.ErrBody) {
			t.Fatalf("body bit %d: %v", bit, err)
		}
		if _, err := l.opener.Open(r); !errors.Is(err, record.ErrBody) {
			t.Fatalf("body bit %d opened: %v", bit, err)
		}
	}
}

func TestEveryCut(t *testing.T) {
	l := newLedger(t)
	good := binary(t, l.seal(t, 1, record.Hash{}, "x"))
	for n := range good {
		var r record.Sealed
		if r.UnmarshalBinary(good[:n]) == nil {
			t.Fatalf("%d of %d bytes are taken", n, len(good))
		}
	}
	var r record.Sealed
	if r.UnmarshalBinary(append(good, 0)) == nil {
		t.Error("a byte too many is taken")
	}
}

func TestOpenIsBound(t *testing.T) {
	l, stranger := newLedger(t), newLedger(t)
	s := l.seal(t, 2, record.Hash{1}, "x")
	if _, err := stranger.opener.Open(s); !errors.Is(err, record.ErrBody) {
		t.Errorf("a stranger opens it: %v", err)
	}
	if err := record.Verify(s, stranger.public); !errors.Is(err, record.ErrSignature) {
		t.Errorf("a stranger signed it: %v", err)
	}
	for what, change := range map[string]func(*record.Sealed){
		"kind": func(s *record.Sealed) { s.Kind = record.Z },
		"seq":  func(s *record.Sealed) { s.Seq++ },
		"time": func(s *record.Sealed) { s.Time++ },
		"prev": func(s *record.Sealed) { s.Prev[31]++ },
		"id":   func(s *record.Sealed) { s.ID.Register = "02" },
	} {
		moved := s
		change(&moved)
		if _, err := l.opener.Open(moved); !errors.Is(err, record.ErrBody) {
			t.Errorf("%s: %v", what, err)
		}
		if err := record.Verify(moved, l.public); !errors.Is(err, record.ErrSignature) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, key := range map[string]ed25519.PublicKey{"none": nil, "short": l.public[:31]} {
		if err := record.Verify(s, key); !errors.Is(err, record.ErrKey) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestWrongKeys(t *testing.T) {
	l := newLedger(t)
	other, err := hpke.DHKEM(ecdh.X25519()).GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	for what, sealer := range map[string]*record.Sealer{
		"no signing key":    record.NewSealer(l.id, nil, l.owner.PublicKey()),
		"short signing key": record.NewSealer(l.id, l.device[:32], l.owner.PublicKey()),
		"no ledger key":     record.NewSealer(l.id, l.device, nil),
		"another KEM":       record.NewSealer(l.id, l.device, other.PublicKey()),
	} {
		if _, err := sealer.Seal(record.X, 1, time.Now(), record.Hash{}, "x"); !errors.Is(err, record.ErrKey) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, opener := range map[string]*record.Opener{"none": record.NewOpener(nil), "another KEM": record.NewOpener(other)} {
		if _, err := opener.Open(l.seal(t, 1, record.Hash{}, "x")); !errors.Is(err, record.ErrKey) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// What no register writes is refused before it is sealed or encoded.
func TestFieldsRefused(t *testing.T) {
	l := newLedger(t)
	good := l.seal(t, 2, record.Hash{1}, "x")
	if _, err := good.MarshalBinary(); err != nil {
		t.Fatal(err)
	}
	late := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	for what, change := range map[string]func(*record.Sealed){
		"kind 0":              func(s *record.Sealed) { s.Kind = 0 },
		"kind 52":             func(s *record.Sealed) { s.Kind = 52 },
		"kind 255":            func(s *record.Sealed) { s.Kind = 255 },
		"sequence 0":          func(s *record.Sealed) { s.Seq = 0 },
		"a first with a past": func(s *record.Sealed) { s.Seq = 1 },
		"a second without":    func(s *record.Sealed) { s.Prev = record.Hash{} },
		"before 1970":         func(s *record.Sealed) { s.Time = -1 },
		"after 9999":          func(s *record.Sealed) { s.Time = late.UnixMilli() },
		"no store":            func(s *record.Sealed) { s.ID.Store = "" },
		"a wild register":     func(s *record.Sealed) { s.ID.Register = "*" },
		"a long store":        func(s *record.Sealed) { s.ID.Store = strings.Repeat("a", 33) },
		"no signature":        func(s *record.Sealed) { s.Sig = nil },
		"a long signature":    func(s *record.Sealed) { s.Sig = make([]byte, 65) },
		"no body":             func(s *record.Sealed) { s.Body, s.Header.Body = nil, sha256.Sum256(nil) },
		"another body":        func(s *record.Sealed) { s.Body = []byte("y") },
		"a long body": func(s *record.Sealed) {
			s.Body = make([]byte, record.BodyMax+1)
			s.Header.Body = sha256.Sum256(s.Body)
		},
	} {
		s := good
		change(&s)
		if b, err := s.MarshalBinary(); err == nil {
			t.Errorf("%s: %d bytes", what, len(b))
		}
	}
	type place struct {
		seq  uint64
		time time.Time
		prev record.Hash
	}
	for what, p := range map[string]place{
		"sequence 0":  {0, time.UnixMilli(1), record.Hash{}},
		"before 1970": {1, time.UnixMilli(-1), record.Hash{}},
		"after 9999":  {1, late, record.Hash{}},
		"no past":     {2, time.UnixMilli(1), record.Hash{}},
		"a past":      {1, time.UnixMilli(1), record.Hash{1}},
	} {
		if _, err := l.sealer.Seal(record.X, p.seq, p.time, p.prev, "x"); !errors.Is(err, record.ErrFormat) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := l.sealer.Seal(record.X, 1, time.UnixMilli(1), record.Hash{}, make(chan int)); err == nil {
		t.Error("a channel was sealed")
	}
	if _, err := record.NewSealer(record.ID{Store: strings.Repeat("a", 300), Register: "1"}, l.device, l.owner.PublicKey()).
		Seal(record.X, 1, time.UnixMilli(1), record.Hash{}, "x"); !errors.Is(err, record.ErrFormat) {
		t.Errorf("a long id: %v", err)
	}
}

// The largest record that can be sealed fits its limits; one byte more does not.
func TestLimits(t *testing.T) {
	l := newLedger(t)
	l.id = record.ID{Store: strings.Repeat("S", 32), Register: strings.Repeat("r", 32)}
	l.sealer = record.NewSealer(l.id, l.device, l.owner.PublicKey())
	const overhead = 1120 + 16 // encapsulated key and tag
	jsonMax := record.BodyMax - overhead
	s := l.seal(t, 1, record.Hash{}, strings.Repeat("x", jsonMax-2)) // and two quotes
	if len(s.Body) != record.BodyMax {
		t.Errorf("a body of %d bytes", len(s.Body))
	}
	b := binary(t, s)
	if len(b) != record.SealedMax {
		t.Errorf("%d bytes, SealedMax is %d", len(b), record.SealedMax)
	}
	var r record.Sealed
	if err := r.UnmarshalBinary(b); err != nil {
		t.Error(err)
	}
	if clear, err := l.opener.Open(s); err != nil || len(clear) != jsonMax {
		t.Errorf("%d bytes, %v", len(clear), err)
	}
	if _, err := l.sealer.Seal(record.X, 1, time.UnixMilli(1), record.Hash{}, strings.Repeat("x", jsonMax-1)); !errors.Is(err, record.ErrTooLong) {
		t.Errorf("a byte more: %v", err)
	}
	if err := r.UnmarshalBinary(append(b, 0)); !errors.Is(err, record.ErrTooLong) {
		t.Errorf("a byte more: %v", err)
	}
	if _, err := record.FromNATS(l.id, headers(s), append(s.Body, 0)); !errors.Is(err, record.ErrTooLong) {
		t.Errorf("a byte more: %v", err)
	}
	s.Body = append(s.Body, 0)
	if _, err := l.opener.Open(s); !errors.Is(err, record.ErrBody) {
		t.Errorf("a byte more: %v", err)
	}
	s.Body = s.Body[:overhead-1]
	if _, err := l.opener.Open(s); !errors.Is(err, record.ErrBody) {
		t.Errorf("a body that is too short: %v", err)
	}
}

func headers(s record.Sealed) func(string) string {
	h := s.NATS()
	return func(name string) string { return h[name] }
}

func anyID() *rapid.Generator[record.ID] {
	part := rapid.StringMatching(`[A-Za-z0-9-]{1,32}`)
	return rapid.Custom(func(t *rapid.T) record.ID {
		return record.ID{Store: part.Draw(t, "store"), Register: part.Draw(t, "register")}
	})
}

// anySealed is any record that the decoders take; nobody signed it.
func anySealed() *rapid.Generator[record.Sealed] {
	return rapid.Custom(func(t *rapid.T) record.Sealed {
		s := record.Sealed{
			Header: record.Header{
				Kind: record.Kind(rapid.Uint8Range(1, 51).Draw(t, "kind")),
				Seq:  rapid.Uint64Range(1, math.MaxUint64).Draw(t, "seq"),
				Time: rapid.Int64Range(0, 253402300799999).Draw(t, "time"),
				ID:   anyID().Draw(t, "id"),
			},
			Sig:  rapid.SliceOfN(rapid.Byte(), 64, 64).Draw(t, "sig"),
			Body: rapid.SliceOfN(rapid.Byte(), 1, 2000).Draw(t, "body"),
		}
		if s.Seq > 1 {
			s.Prev = sha256.Sum256(s.Sig)
		}
		s.Header.Body = sha256.Sum256(s.Body)
		return s
	})
}

// Any record comes back from either form as it was, and no two have one form.
func TestRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySealed().Draw(t, "record")
		b, err := s.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var back record.Sealed
		if err := back.UnmarshalBinary(b); err != nil || back.Header != s.Header || !bytes.Equal(back.Sig, s.Sig) || !bytes.Equal(back.Body, s.Body) {
			t.Fatalf("%v", err)
		}
		if got := s.Append(nil); !bytes.Equal(got, b[:len(got)]) || sha256.Sum256(got) != s.Hash() {
			t.Fatal("header")
		}
		clear(b) // the decoded record must not live in the caller's buffer
		if !bytes.Equal(back.Body, s.Body) || !bytes.Equal(back.Sig, s.Sig) {
			t.Fatal("not copied")
		}
		moved, err := record.FromNATS(s.ID, headers(s), s.Body)
		if err != nil || moved.Header != s.Header || !bytes.Equal(moved.Sig, s.Sig) || !bytes.Equal(moved.Body, s.Body) {
			t.Fatalf("%v", err)
		}
		other := anySealed().Draw(t, "other")
		if same := bytes.Equal(other.Append(nil), s.Append(nil)); same != (other.Header == s.Header) {
			t.Fatal("two headers with one form")
		}
	})
}

// A message header has one form.
func TestNATSForms(t *testing.T) {
	l := newLedger(t)
	s := l.seal(t, 21, record.Hash{0xAB}, "x")
	good := s.NATS()
	if len(good) != 6 {
		t.Fatalf("%d headers", len(good))
	}
	if r, err := record.FromNATS(l.id, headers(s), s.Body); err != nil || record.Verify(r, l.public) != nil {
		t.Fatal(err)
	}
	loose := []byte(good[record.HeaderSig])
	loose[85] = loose[85] + 1 // 64 bytes leave 4 bits of the last character unused
	if raw, err := base64.StdEncoding.DecodeString(string(loose)); err != nil || !bytes.Equal(raw, s.Sig) {
		t.Fatalf("%v: this is no loose form", err)
	}
	for _, c := range []struct{ name, value string }{
		{record.HeaderKind, "Sale.Commit"},
		{record.HeaderKind, "kind(20)"},
		{record.HeaderKind, "20"},
		{record.HeaderKind, " sale.commit"},
		{record.HeaderSeq, "021"},
		{record.HeaderSeq, "+21"},
		{record.HeaderSeq, "0x15"},
		{record.HeaderSeq, "2_1"},
		{record.HeaderSeq, "22"},
		{record.HeaderSeq, "21 "},
		{record.HeaderSeq, "18446744073709551616"},
		{record.HeaderTime, "0" + good[record.HeaderTime]},
		{record.HeaderTime, "+" + good[record.HeaderTime]},
		{record.HeaderTime, "-1"},
		{record.HeaderTime, "-0"},
		{record.HeaderTime, "253402300800000"},
		{record.HeaderPrev, strings.ToUpper(good[record.HeaderPrev])},
		{record.HeaderPrev, good[record.HeaderPrev] + "00"},
		{record.HeaderPrev, strings.Repeat("0", 64)},
		{record.HeaderPrev, strings.Repeat("g", 64)},
		{record.HeaderHash, strings.ToUpper(good[record.HeaderHash])},
		{record.HeaderHash, strings.Repeat("0", 64)},
		{record.HeaderHash, good[record.HeaderPrev]},
		{record.HeaderSig, string(loose)},
		{record.HeaderSig, strings.TrimRight(good[record.HeaderSig], "=")},
		{record.HeaderSig, good[record.HeaderSig] + "\n"},
		{record.HeaderSig, good[record.HeaderSig][:40] + "\n" + good[record.HeaderSig][40:]},
		{record.HeaderSig, base64.URLEncoding.EncodeToString(bytes.Repeat([]byte{0xFF}, 64))},
		{record.HeaderSig, strings.Repeat("A", 1<<20)},
	} {
		bad := maps.Clone(good)
		bad[c.name] = c.value
		if _, err := record.FromNATS(l.id, func(n string) string { return bad[n] }, s.Body); !errors.Is(err, record.ErrFormat) {
			t.Errorf("%s %.100q: %v", c.name, c.value, err)
		}
	}
	for name := range good {
		bad := maps.Clone(good)
		delete(bad, name)
		if _, err := record.FromNATS(l.id, func(n string) string { return bad[n] }, s.Body); !errors.Is(err, record.ErrFormat) {
			t.Errorf("no %s: %v", name, err)
		}
	}
	for what, id := range map[string]record.ID{"none": {}, "wild": {Store: "*", Register: ">"}, "another's": {Store: "0001", Register: "02"}} {
		if _, err := record.FromNATS(id, headers(s), s.Body); !errors.Is(err, record.ErrFormat) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, body := range map[string][]byte{"none": nil, "another": []byte("y")} {
		if _, err := record.FromNATS(l.id, headers(s), body); err == nil {
			t.Errorf("body %s is taken", what)
		}
	}
}

func TestAck(t *testing.T) {
	l, stranger := newLedger(t), newLedger(t)
	a := record.SignAck(l.device, l.id, 7, record.Hash{7})
	if err := a.Verify(l.public, l.id); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := record.ParseAck(text); err != nil || back.Verify(l.public, l.id) != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*record.Ack){
		"seq":  func(a *record.Ack) { a.Seq++ },
		"hash": func(a *record.Ack) { a.Hash[31]++ },
		"sig":  func(a *record.Ack) { a.Sig = bytes.Clone(a.Sig); a.Sig[63] ^= 1 },
	} {
		b := a
		change(&b)
		if err := b.Verify(l.public, l.id); !errors.Is(err, record.ErrSignature) {
			t.Errorf("%s: %v", what, err)
		}
	}
	other := record.ID{Store: "0001", Register: "02"}
	moved := a
	moved.Register = other
	for what, err := range map[string]error{
		"a stranger's":       a.Verify(stranger.public, l.id),
		"another register's": a.Verify(l.public, other),
		"moved":              moved.Verify(l.public, other),
		"a record's header":  record.Ack{Register: l.id, Seq: 7, Hash: record.Hash{7}, Sig: ed25519.Sign(l.device, l.seal(t, 1, record.Hash{}, "x").Append(nil))}.Verify(l.public, l.id),
	} {
		if !errors.Is(err, record.ErrSignature) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, key := range []ed25519.PublicKey{nil, l.public[:31]} {
		if err := a.Verify(key, l.id); !errors.Is(err, record.ErrKey) {
			t.Error(err)
		}
	}
	for what, b := range map[string]record.Ack{
		"zero": {}, "no seq": {Register: l.id, Hash: a.Hash, Sig: a.Sig}, "no hash": {Register: l.id, Seq: 7, Sig: a.Sig},
		"short": {Register: l.id, Seq: 7, Hash: a.Hash, Sig: a.Sig[:63]}, "id": {Register: record.ID{Store: "a"}, Seq: 7, Hash: a.Hash, Sig: a.Sig},
	} {
		if err := b.Verify(l.public, b.Register); !errors.Is(err, record.ErrFormat) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// An acknowledgement has one form.
func TestAckForms(t *testing.T) {
	_, records := vectors(t)
	text := records[0]["ack"]
	if _, err := record.ParseAck([]byte(text)); err != nil {
		t.Fatal(err)
	}
	sig := strings.TrimSuffix(text, `=="}`)
	last := sig[len(sig)-1:]
	next := map[string]string{"A": "B", "Q": "R", "g": "h", "w": "x"}[last]
	for what, form := range map[string]string{
		"nothing":         "",
		"null":            "null",
		"a list":          "[" + text + "]",
		"two":             text + text,
		"a blank":         text + " ",
		"a blank in it":   strings.Replace(text, ":", ": ", 1),
		"an unknown name": strings.Replace(text, `{`, `{"more":1,`, 1),
		"a name twice":    strings.Replace(text, `"seq":1`, `"seq":2,"seq":1`, 1),
		"another case":    strings.Replace(text, `"seq"`, `"Seq"`, 1),
		"another order":   strings.Replace(strings.Replace(text, `"seq":1,`, "", 1), `}`, `,"seq":1}`, 1),
		"an escape":       strings.Replace(text, `0001/01`, `0001\/01`, 1),
		"capitals":        strings.Replace(text, records[0]["hash"], strings.ToUpper(records[0]["hash"]), 1),
		"seq as text":     strings.Replace(text, `"seq":1`, `"seq":"1"`, 1),
		"seq below 0":     strings.Replace(text, `"seq":1`, `"seq":-1`, 1),
		"seq 1.0":         strings.Replace(text, `"seq":1`, `"seq":1.0`, 1),
		"loose base64":    strings.TrimSuffix(sig, last) + next + `=="}`,
		"lines in base64": strings.Replace(text, `"sig":"`, `"sig":"\n`, 1),
		"too long":        text + strings.Repeat(" ", 1024),
	} {
		if form == text {
			t.Fatalf("%s: changes nothing", what)
		}
		if _, err := record.ParseAck([]byte(form)); !errors.Is(err, record.ErrFormat) && !errors.Is(err, record.ErrTooLong) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestIDs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := anyID().Draw(t, "id")
		back, err := record.ParseID(id.String())
		text, errText := id.MarshalText()
		if err != nil || errText != nil || back != id || string(text) != id.String() {
			t.Fatalf("%v, %v, %v", back, err, errText)
		}
	})
	if s := (record.ID{Store: "0001", Register: "01"}).Subject("ledger"); s != "regi.v1.0001.01.ledger" {
		t.Error(s)
	}
	for _, s := range []string{
		"", "/", "a", "a/", "/b", "a/b/c", "a//b", "a b/c", "a/b ", "a/b\n", "a.b/c", "a/*", "a/>", "a/b_c", "é/a", "a/\x00", "../b",
		strings.Repeat("a", 33) + "/b", "a/" + strings.Repeat("b", 33), strings.Repeat("a", 1000),
	} {
		if id, err := record.ParseID(s); !errors.Is(err, record.ErrFormat) {
			t.Errorf("%.40q: %v, %v", s, id, err)
		}
		id := record.ID{Store: "kept", Register: "1"}
		if id.UnmarshalText([]byte(s)) == nil || id.Store != "kept" {
			t.Errorf("%.40q: %v", s, id)
		}
	}
	if _, err := (record.ID{Store: "a.b", Register: "c"}).MarshalText(); !errors.Is(err, record.ErrFormat) {
		t.Error(err)
	}
}

// The numbers and names of kinds are on disk and under signatures for good.
func TestKinds(t *testing.T) {
	names := strings.Fields(`shift.open shift.close x z sale.open line.add line.void qty disc.line disc.sale member park resume
		tender.add tender.void card.intent card.sealed card.result card.reversal sale.commit drawer.kick drawer.opened drawer.closed
		drawer.forced print.start print.done print.fail print.reprint refund void nosale paidin paidout drop login logout override
		training.on training.off clock.step power.resume device.up device.down device.new catalog.applied config.applied fw.boot
		console.open console.command console.close security.event`)
	for i, name := range names {
		k, err := record.ParseKind(name)
		if err != nil || int(k) != i+1 || k.String() != name {
			t.Errorf("%s: %d, %v", name, k, err)
		}
	}
	for k := range 256 {
		named := k >= 1 && k <= len(names)
		if got := record.Kind(k).String(); named != slices.Contains(names, got) || !named && got != "kind("+strconv.Itoa(k)+")" {
			t.Errorf("%d: %q", k, got)
		}
	}
	for _, name := range []string{"", "X", "sale", "sale.commit ", "kind(20)", strings.Repeat("x", 33)} {
		if k, err := record.ParseKind(name); !errors.Is(err, record.ErrFormat) {
			t.Errorf("%q: %v, %v", name, k, err)
		}
	}
}

func TestHex(t *testing.T) {
	hash := record.Hash{0xAB, 31: 0x01}
	text, err := hash.MarshalText()
	if err != nil || string(text) != "ab"+strings.Repeat("0", 60)+"01" || hash.String() != string(text) {
		t.Errorf("%s, %v", text, err)
	}
	for _, s := range []string{"", "ab", strings.ToUpper(string(text)), string(text) + "00", strings.Repeat("x", 64), string(text[:63])} {
		h := hash
		if err := h.UnmarshalText([]byte(s)); !errors.Is(err, record.ErrFormat) || h != hash {
			t.Errorf("%q: %v", s, err)
		}
	}
	var b record.HexBytes
	if err := b.UnmarshalText([]byte("00ff")); err != nil || !bytes.Equal(b, []byte{0, 0xFF}) {
		t.Errorf("% x, %v", b, err)
	}
	for s, want := range map[string]error{
		"0": record.ErrFormat, "0F": record.ErrFormat, "xy": record.ErrFormat, strings.Repeat("00", 4097): record.ErrTooLong,
	} {
		if err := b.UnmarshalText([]byte(s)); !errors.Is(err, want) || !bytes.Equal(b, []byte{0, 0xFF}) {
			t.Errorf("%.20q: %v", s, err)
		}
	}
	if err := b.UnmarshalText([]byte(strings.Repeat("00", 4096))); err != nil {
		t.Error(err)
	}
	if _, err := record.HexBytes(make([]byte, 4097)).MarshalText(); !errors.Is(err, record.ErrTooLong) {
		t.Error(err)
	}
}
