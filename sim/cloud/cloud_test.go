package cloud_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"regi/firmware/record"
	"regi/sim/cloud"
)

const patience = 30 * time.Second

func shop() record.ID  { return record.ID{Store: "0001", Register: "01"} }
func other() record.ID { return record.ID{Store: "0001", Register: "02"} }

// office is a cloud and a register that speaks to it by hand.
type office struct {
	*cloud.Cloud
	t        *testing.T
	dir      string
	sealer   *record.Sealer
	key      ed25519.PrivateKey
	signedBy ed25519.PublicKey
	nc       *nats.Conn
	acks     *nats.Subscription
}

func open(t *testing.T, dir string, key ed25519.PrivateKey) *office {
	t.Helper()
	c, err := cloud.OpenWith(dir, shop(), cloud.Options{Others: []record.ID{other()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	o := &office{Cloud: c, t: t, dir: dir, key: key}
	to, err := record.ParseSealPublic(o.read(c.Files().SealTo))
	if err != nil {
		t.Fatal(err)
	}
	if o.signedBy, err = record.ParseSignPublic(o.read(c.Files().SignedBy)); err != nil {
		t.Fatal(err)
	}
	o.sealer = record.NewSealer(shop(), key, to)
	o.nc = o.connect(c.Files().Creds, shop().Subject("inbox"))
	if o.acks, err = o.nc.SubscribeSync(shop().Subject("ack")); err != nil {
		t.Fatal(err)
	}
	if err := o.nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return o
}

// enrolled opens a new office that knows its register.
func enrolled(t *testing.T) *office {
	t.Helper()
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	o := open(t, t.TempDir(), key)
	if err := o.Enroll(shop(), public); err != nil {
		t.Fatal(err)
	}
	return o
}

func (o *office) read(path string) []byte {
	o.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		o.t.Fatal(err)
	}
	return b
}

func (o *office) connect(creds, inbox string, options ...nats.Option) *nats.Conn {
	o.t.Helper()
	key, err := nats.NkeyOptionFromSeed(creds)
	if err != nil {
		o.t.Fatal(err)
	}
	nc, err := nats.Connect(o.ServerURL(), append(options, key, nats.RootCAs(o.Files().CA), nats.CustomInboxPrefix(inbox))...)
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(nc.Close)
	return nc
}

// chain seals n records that follow prev.
func (o *office) chain(prev *record.Sealed, n int) (rs []*record.Sealed) {
	o.t.Helper()
	for range n {
		var seq uint64 = 1
		var hash record.Hash
		if prev != nil {
			seq, hash = prev.Seq+1, prev.Hash()
		}
		s, err := o.sealer.Seal(record.SaleCommit, seq, time.UnixMilli(1_790_000_000_000), hash, map[string]any{"n": seq, "memo": "領収 <&>"})
		if err != nil {
			o.t.Fatal(err)
		}
		prev = &s
		rs = append(rs, prev)
	}
	return rs
}

// publish puts records into the stream as somebody with the register's
// credentials can: without asking what is there.
func (o *office) publish(rs ...*record.Sealed) {
	o.t.Helper()
	for _, r := range rs {
		o.put(r.NATS(), r.Body)
	}
}

func (o *office) put(header map[string]string, body []byte) {
	o.t.Helper()
	m := nats.NewMsg(shop().Subject("ledger"))
	m.Data = body
	for name, value := range header {
		m.Header.Set(name, value)
	}
	answer, err := o.nc.RequestMsg(m, patience)
	if err != nil || strings.Contains(string(answer.Data), "error") {
		o.t.Fatalf("%s %v", answer.Data, err)
	}
}

// awaitAck waits for a signature through seq.
func (o *office) awaitAck(seq uint64) {
	o.t.Helper()
	for {
		if ack, _ := o.nextAck(); ack != nil && ack.Seq == seq {
			return
		}
	}
}

// awaitSigned is awaitAck for a register that was away: what was signed before it
// could listen is kept for it.
func (o *office) awaitSigned(seq uint64) {
	o.t.Helper()
	kept, err := o.nc.Request("$JS.API.DIRECT.GET.ACKS."+shop().Subject("ack"), nil, patience)
	if err != nil {
		o.t.Fatal(err)
	}
	ack, err := record.ParseAck(kept.Data)
	if err != nil || ack.Seq != seq {
		o.awaitAck(seq)
		return
	}
	if err := ack.Verify(o.signedBy, shop()); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) nextAck() (ack *record.Ack, resend uint64) {
	o.t.Helper()
	m, err := o.acks.NextMsg(patience)
	if err != nil {
		o.t.Fatal(err)
	}
	resend, _ = strconv.ParseUint(m.Header.Get("Regi-Resend"), 10, 64)
	if len(m.Data) == 0 {
		return nil, resend
	}
	a, err := record.ParseAck(m.Data)
	if err == nil {
		err = a.Verify(o.signedBy, shop())
	}
	if err != nil {
		o.t.Fatal(err)
	}
	return &a, resend
}

func (o *office) awaitResend(from uint64) {
	o.t.Helper()
	for {
		if _, resend := o.nextAck(); resend == from {
			return
		}
	}
}

// awaitAlarm polls for an alarm with a count.
func (o *office) awaitAlarm(kind string, count uint64) cloud.Alarm {
	o.t.Helper()
	var all []cloud.Alarm
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		var err error
		if all, err = o.Alarms(o.t.Context()); err != nil {
			o.t.Fatal(err)
		}
		for _, a := range all {
			if a.Kind == kind && a.Count >= count {
				return a
			}
		}
	}
	o.t.Fatalf("no %d alarms %q: %+v", count, kind, all)
	return cloud.Alarm{}
}

func (o *office) noAlarms() {
	o.t.Helper()
	if all, err := o.Alarms(o.t.Context()); err != nil || len(all) > 0 {
		o.t.Errorf("alarms %+v, %v", all, err)
	}
}

func (o *office) expect(rs []*record.Sealed) {
	o.t.Helper()
	got, err := o.Ledger(o.t.Context(), 1, 0)
	if err != nil || len(got) != len(rs) {
		o.t.Fatalf("the ledger holds %d records, want %d: %v", len(got), len(rs), err)
	}
	for i, g := range got {
		if g.Hash != rs[i].Hash() || g.Seq != uint64(i+1) || g.Prev != rs[i].Prev || g.Register != "0001/01" {
			o.t.Fatalf("record %d of the ledger is another: %+v", i+1, g)
		}
	}
}

func TestLedger(t *testing.T) {
	o := enrolled(t)
	rs := o.chain(nil, 5)
	o.publish(rs...)
	o.awaitAck(5)
	o.expect(rs)
	o.noAlarms()
	got, err := o.Ledger(t.Context(), 2, 3)
	if err != nil || len(got) != 3 || got[0].Seq != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	if r := got[0]; r.Kind != "sale.commit" || r.Time != "2026-09-21T14:13:20.000Z" || string(r.Body) != `{"memo":"領収 <&>","n":2}` {
		t.Errorf("%+v %s", r, r.Body)
	}
	if none, err := o.LedgerOf(t.Context(), other(), 0, 10); err != nil || len(none) != 0 {
		t.Errorf("another register has %d records, %v", len(none), err)
	}
}

// TestReplayed sends 100 records a second time and shuffled: the ledger stays
// as it is, and somebody is told.
func TestReplayed(t *testing.T) {
	o := enrolled(t)
	rs := o.chain(nil, 100)
	o.publish(rs...)
	o.awaitAck(100)
	again := slices.Clone(rs)
	rand.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
	o.publish(again...)
	o.awaitAlarm(cloud.AlarmReplay, 100)
	o.expect(rs)
	o.awaitAck(100) // and it is signed for again
}

func TestReordered(t *testing.T) {
	o := enrolled(t)
	rs := o.chain(nil, 4)
	o.publish(rs[0], rs[2], rs[1])
	o.awaitAck(2)
	o.expect(rs[:2])
	o.publish(rs[2], rs[3]) // what a register does that is asked
	o.awaitAck(4)
	o.expect(rs)
	o.noAlarms()
}

func TestGap(t *testing.T) {
	o := enrolled(t)
	rs := o.chain(nil, 5)
	o.publish(rs[0], rs[1], rs[4])
	o.awaitResend(3)
	if a := o.awaitAlarm(cloud.AlarmGap, 1); a.Seq != 5 {
		t.Errorf("%+v", a)
	}
	o.expect(rs[:2])
	o.publish(rs[4], rs[0]) // nothing new: it must not hide the request
	o.awaitAlarm(cloud.AlarmGap, 2)
	o.awaitPosition(5)
	// A register that was away learns it from the newest message kept.
	kept, err := o.nc.Request("$JS.API.DIRECT.GET.ACKS."+shop().Subject("ack"), nil, patience)
	if err != nil || kept.Header.Get("Regi-Resend") != "3" {
		t.Errorf("kept for later: %v, %v", kept, err)
	}
	o.publish(rs[2:]...)
	o.awaitAck(5)
	o.expect(rs)
	o.noAlarms()
}

// awaitPosition waits until the receiver has answered for so many messages of
// the stream.
func (o *office) awaitPosition(messages uint64) {
	o.t.Helper()
	js, err := o.connect(filepath.Join(o.dir, "admin.creds"), "_INBOX").JetStream()
	if err != nil {
		o.t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		info, err := js.ConsumerInfo("LEDGER", "receiver")
		if err != nil {
			o.t.Fatal(err)
		}
		if info.AckFloor.Stream >= messages {
			return
		}
	}
	o.t.Fatalf("the receiver does not reach message %d", messages)
}

func TestForged(t *testing.T) {
	o := enrolled(t)
	rs := o.chain(nil, 2)
	o.publish(rs[0])
	o.awaitAck(1)
	stranger := enrolled(t) // the same register id, another key
	wrongKey := stranger.chain(rs[0], 1)[0]
	altered := bytes.Clone(rs[1].Body)
	altered[len(altered)-1] ^= 1
	signature := rs[1].NATS()
	signature[record.HeaderSig] = rs[0].NATS()[record.HeaderSig]
	later := rs[1].NATS()
	later[record.HeaderTime] = "1790000000001"
	cases := []func(){
		func() { o.publish(wrongKey) },
		func() { o.put(rs[1].NATS(), altered) },
		func() { o.put(signature, rs[1].Body) },
		func() { o.put(later, rs[1].Body) },
		func() { o.put(nil, []byte("{}")) },
		func() { o.put(nil, nil) },
	}
	for i, forge := range cases {
		forge()
		o.awaitAlarm(cloud.AlarmForged, uint64(i+1))
	}
	o.expect(rs[:1])
	o.publish(rs[1]) // the genuine one is still welcome
	o.awaitAck(2)
	o.expect(rs)
}

func TestForked(t *testing.T) {
	for name, conflict := range map[string]func(o *office, rs []*record.Sealed) *record.Sealed{
		"another record in its place": func(o *office, rs []*record.Sealed) *record.Sealed { return o.chain(rs[1], 1)[0] },
		"follows another chain": func(o *office, rs []*record.Sealed) *record.Sealed {
			return o.chain(o.chain(rs[1], 1)[0], 1)[0]
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := enrolled(t)
			rs := o.chain(nil, 4)
			o.publish(rs[:3]...)
			o.awaitAck(3)
			o.publish(conflict(o, rs))
			o.awaitAlarm(cloud.AlarmFork, 1)
			o.publish(rs[3]) // nobody knows any more which of the two it is
			o.awaitAlarm(cloud.AlarmFork, 2)
			o.expect(rs[:3])
			if err := o.Enroll(shop(), o.key.Public().(ed25519.PublicKey)); err != nil {
				t.Fatal(err)
			}
			o.awaitResend(4)
			o.publish(rs[3])
			o.awaitAck(4)
			o.expect(rs)
		})
	}
}

func TestUnknownRegister(t *testing.T) {
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	o := open(t, t.TempDir(), key)
	rs := o.chain(nil, 3)
	o.publish(rs...)
	o.awaitAlarm(cloud.AlarmUnknown, 3)
	if err := o.Enroll(shop(), public); err != nil {
		t.Fatal(err)
	}
	o.awaitResend(1)
	o.publish(rs...)
	o.awaitAck(3)
	o.expect(rs)
	o.noAlarms()
	if err := o.Enroll(shop(), public[:31]); !errors.Is(err, record.ErrKey) {
		t.Errorf("half a key: %v", err)
	}
	if err := o.Enroll(record.ID{Store: "*", Register: ">"}, public); err == nil {
		t.Error("a wildcard is enrolled")
	}
}

// TestClosedAtAnyMoment closes the office again and again under load: each
// record is in the ledger once, and signed for in the end.
func TestClosedAtAnyMoment(t *testing.T) {
	o := enrolled(t)
	rs := o.chain(nil, 120)
	for i := 0; i < len(rs); i += 20 {
		o.publish(rs[i : i+20]...)
		time.Sleep(rand.N(5 * time.Millisecond)) // hits the receiver anywhere
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
		o = open(t, o.dir, o.key)
	}
	o.awaitSigned(120)
	o.expect(rs)
	o.noAlarms()
}

// TestDatabaseRestored puts back a database from before some records, though
// the stream's consumer has seen them.
func TestDatabaseRestored(t *testing.T) {
	o := enrolled(t)
	rs := o.chain(nil, 6)
	o.publish(rs[:2]...)
	o.awaitAck(2)
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	backup := o.read(filepath.Join(o.dir, "ledger.db"))
	o = open(t, o.dir, o.key)
	o.publish(rs[2:]...)
	o.awaitSigned(6)
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(o.dir, "ledger.db"), backup, 0o600); err != nil {
		t.Fatal(err)
	}
	o = open(t, o.dir, o.key)
	o.awaitSigned(6)
	o.expect(rs)
	o.noAlarms()
}

// TestPermissions: each user may do its own work and nothing else.
func TestPermissions(t *testing.T) {
	o := enrolled(t)
	register := func(id record.ID) string { return o.Creds(id) }
	for _, test := range []struct {
		name, creds, inbox string
		publish, subscribe string
		allowed            bool
	}{
		{"own ledger", register(shop()), "", shop().Subject("ledger"), "", true},
		{"another's ledger", register(other()), "", shop().Subject("ledger"), "", false},
		{"another's authorize", register(other()), "", shop().Subject("authorize"), "", false},
		{"another's time", register(other()), "", shop().Subject("time"), "", false},
		{"times answered", register(other()), "", "", "regi.v1.*.*.time", false},
		{"hsm answers times", o.Files().HSMCreds, "", "", "regi.v1.*.*.time", false},
		{"own ack forged", register(shop()), "", shop().Subject("ack"), "", false},
		{"another's ack forged", register(other()), "", shop().Subject("ack"), "", false},
		{"another's inbox written", register(other()), "", shop().Subject("inbox") + ".x", "", false},
		{"another's head", register(other()), "", "$JS.API.DIRECT.GET.LEDGER." + shop().Subject("ledger"), "", false},
		{"stream API", register(shop()), "", "$JS.API.STREAM.DELETE.LEDGER", "", false},
		{"stream purge", register(shop()), "", "$JS.API.STREAM.PURGE.LEDGER", "", false},
		{"any direct get", register(shop()), "", "$JS.API.DIRECT.GET.LEDGER", "", false},
		{"own store's updates", register(shop()), "", "$JS.API.DIRECT.GET.OBJ_regi_0001_updates", "", true},
		{"another store's updates", register(shop()), "", "$JS.API.DIRECT.GET.OBJ_regi_0002_updates", "", false},
		{"own store's updates written", register(shop()), "", "$O.regi_0001_updates.C.x", "", false},
		{"own ack", register(shop()), "", "", shop().Subject("ack"), true},
		{"another's ack", register(other()), "", "", shop().Subject("ack"), false},
		{"another's inbox", register(other()), "", "", shop().Subject("inbox") + ".>", false},
		{"everything", register(other()), "", "", ">", false},
		{"ledgers", register(shop()), "", "", "regi.v1.*.*.ledger", false},
		{"hsm asks for questions", o.Files().HSMCreds, "", "", "regi.v1.*.*.authorize", true},
		{"hsm reads ledgers", o.Files().HSMCreds, "", "", "regi.v1.*.*.ledger", false},
		{"hsm writes a ledger", o.Files().HSMCreds, "", shop().Subject("ledger"), "", false},
		{"hsm writes to an inbox unasked", o.Files().HSMCreds, "", shop().Subject("inbox") + ".x", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			nc := o.connect(test.creds, "unused", nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
			if test.publish != "" {
				if err := nc.Publish(test.publish, []byte("x")); err != nil {
					t.Fatal(err)
				}
			} else if _, err := nc.SubscribeSync(test.subscribe); err != nil {
				t.Fatal(err)
			}
			if err := nc.Flush(); err != nil {
				t.Fatal(err)
			}
			// The server's answer to the flush comes after its refusal.
			if err := nc.LastError(); test.allowed && err != nil || !test.allowed && !errors.Is(err, nats.ErrPermissionViolation) {
				t.Error(err)
			}
		})
	}
}

// TestClock: the time is signed for the register that asks, and for its nonce.
func TestClock(t *testing.T) {
	o := enrolled(t)
	key, err := os.ReadFile(o.Files().SignedBy)
	if err != nil {
		t.Fatal(err)
	}
	signedBy, err := record.ParseSignPublic(key)
	if err != nil {
		t.Fatal(err)
	}
	n := record.Nonce{1, 2, 3}
	answer, err := o.nc.Request(shop().Subject("time"), n[:], patience)
	if err != nil {
		t.Fatal(err)
	}
	said, err := record.ParseTime(answer.Data)
	if err != nil {
		t.Fatal(err)
	}
	if at, err := said.Verify(signedBy, shop(), n); err != nil || time.Since(at).Abs() > patience {
		t.Errorf("%v, %v", at, err)
	}
	for _, question := range [][]byte{nil, n[:31], append(n[:], 0), make([]byte, 32)} {
		m, err := o.nc.Request(shop().Subject("time"), question, 200*time.Millisecond)
		if err == nil {
			if _, err = record.ParseTime(m.Data); err == nil {
				t.Errorf("%x is answered by %s", question, m.Data)
			}
		}
	}
}

func TestHSMAnswersOnce(t *testing.T) {
	o := enrolled(t)
	denied := make(chan error, 4)
	hsm := o.connect(o.Files().HSMCreds, "unused", nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { denied <- err }))
	if _, err := hsm.QueueSubscribe("regi.v1.*.*.authorize", "hsm", func(m *nats.Msg) {
		m.Respond([]byte("first"))
		m.Respond([]byte("second"))
	}); err != nil {
		t.Fatal(err)
	}
	if err := hsm.Flush(); err != nil {
		t.Fatal(err)
	}
	answer, err := o.nc.Request(shop().Subject("authorize"), []byte("?"), patience)
	if err != nil || string(answer.Data) != "first" {
		t.Fatalf("%v, %v", answer, err)
	}
	select {
	case err := <-denied:
		if !errors.Is(err, nats.ErrPermissionViolation) {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Error("it may answer twice")
	}
}

func TestServerSpeaksTLS13Only(t *testing.T) {
	o := enrolled(t)
	u, err := url.Parse(o.URL())
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		raw, err := dial(t, u.Host)
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		if _, err := raw.Read(make([]byte, 4096)); err != nil { // the server's INFO
			t.Fatal(err)
		}
		conn := tls.Client(raw, &tls.Config{MaxVersion: version, InsecureSkipVerify: true})
		if err := conn.HandshakeContext(t.Context()); (err == nil) != (version == tls.VersionTLS13) {
			t.Errorf("version %x: %v", version, err)
		}
	}
}

func TestLink(t *testing.T) {
	o := enrolled(t)
	u, err := url.Parse(o.URL())
	if err != nil {
		t.Fatal(err)
	}
	info := func() (time.Duration, error) {
		began := time.Now()
		c, err := dial(t, u.Host)
		if err != nil {
			return 0, err
		}
		defer c.Close()
		if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
			return 0, err
		}
		_, err = io.ReadFull(c, make([]byte, 5))
		return time.Since(began), err
	}
	if _, err := info(); err != nil || o.Link() != "up" {
		t.Fatal(err, o.Link())
	}
	held, err := dial(t, u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if _, err := held.Read(make([]byte, 4096)); err != nil {
		t.Fatal(err)
	}
	o.set("down")
	if err := held.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, held); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("what was connected was not cut: %v", err)
	}
	if _, err := info(); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("down: %v", err)
	}
	o.set("down") // twice is once
	o.set("slow")
	if took, err := info(); err != nil || took < 200*time.Millisecond {
		t.Errorf("slow: %v, %v", took, err)
	}
	o.set("up")
	for until := time.Now().Add(patience); ; { // a busy machine may be slow, too, but not always
		took, err := info()
		if err == nil && took < 200*time.Millisecond {
			break
		}
		if err != nil || time.Now().After(until) {
			t.Fatalf("up again: %v, %v", took, err)
		}
	}
	if err := o.SetLink("sideways"); err == nil || o.Link() != "up" {
		t.Error("an unknown state is accepted")
	}
}

func dial(t *testing.T, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: patience}
	return d.DialContext(t.Context(), "tcp4", address)
}

func (o *office) set(state string) {
	o.t.Helper()
	if err := o.SetLink(state); err != nil {
		o.t.Fatal(err)
	}
	if o.Link() != state {
		o.t.Fatalf("link is %s, set to %s", o.Link(), state)
	}
}

func TestSecretsStayAndArePrivate(t *testing.T) {
	o := enrolled(t)
	before := map[string][]byte{}
	entries, err := os.ReadDir(o.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		name := e.Name()
		if strings.HasSuffix(name, ".creds") || strings.HasSuffix(name, ".key") || strings.HasSuffix(name, ".pem") || strings.HasSuffix(name, ".pub") {
			before[name] = o.read(filepath.Join(o.dir, name))
			if info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s may be read by others: %v", name, info.Mode())
			}
		}
	}
	if len(before) < 9 {
		t.Errorf("only %d files of keys", len(before))
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o = open(t, o.dir, o.key)
	for name, was := range before {
		if !bytes.Equal(o.read(filepath.Join(o.dir, name)), was) {
			t.Errorf("%s was made again", name)
		}
	}
}

// TestFloor: a register that starts with a version below the floor is not
// trusted until it was updated; what it said so far stays.
func TestFloor(t *testing.T) {
	o := enrolled(t)
	started := func(seq uint64, prev record.Hash, body map[string]string) *record.Sealed {
		s, err := o.sealer.Seal(record.FwBoot, seq, time.UnixMilli(1_790_000_000_000), prev, body)
		if err != nil {
			t.Fatal(err)
		}
		return &s
	}
	o.SetFloor(3)
	one := started(1, record.Hash{}, map[string]string{"version": "dev"}) // no flashed board
	two := started(2, one.Hash(), map[string]string{"version": "v3", "slot": "a", "epoch": "3", "trial": "no"})
	o.publish(one, two)
	o.awaitAck(2)
	o.noAlarms()
	want := cloud.Running{Register: "0001/01", Time: "2026-09-21T14:13:20.000Z", Version: "v3", Slot: "a", Epoch: "3", Trial: "no"}
	if got, err := o.Running(t.Context()); err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("%+v, %v", got, err)
	}
	old := started(3, two.Hash(), map[string]string{"version": "v2", "slot": "b", "epoch": "2"})
	next := o.chain(old, 1)
	o.publish(old, next[0])
	o.awaitAlarm(cloud.AlarmVersion, 2)
	if rs, err := o.Ledger(t.Context(), 0, 10); err != nil || len(rs) != 3 {
		t.Errorf("%d records, %v", len(rs), err)
	}
}
