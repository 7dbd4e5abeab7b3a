package register

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"regi/firmware/record"
	"regi/firmware/till"
	"regi/firmware/uplink"
)

// farEnd is an uplink process that asks for each record as it comes.
type farEnd struct {
	t       *testing.T
	shop    shop
	conn    *uplink.Conn
	sealed  []record.Sealed
	asked   []record.AuthRequest
	mu      sync.Mutex
	changed chan struct{}
}

// attach connects an uplink to a running register.
func (s shop) attach(t *testing.T, r *Register) *farEnd {
	t.Helper()
	conn, _, _ := s.linked(t, r)
	u := &farEnd{t: t, shop: s, conn: conn, changed: make(chan struct{}, 1)}
	u.send(uplink.Message{Op: "want", Seq: 1})
	go u.listen()
	return u
}

func (u *farEnd) send(m uplink.Message) {
	u.t.Helper()
	if err := u.conn.Send(m); err != nil {
		u.t.Error(err)
	}
}

func (u *farEnd) listen() {
	for {
		m, err := u.conn.Recv()
		if err != nil {
			return
		}
		u.mu.Lock()
		switch m.Op {
		case "record":
			var s record.Sealed
			if err := s.UnmarshalBinary(m.Record); err != nil || s.Seq != m.Seq || s.Seq != uint64(len(u.sealed))+1 {
				u.t.Errorf("record %d as %d: %v", s.Seq, m.Seq, err)
			}
			u.sealed = append(u.sealed, s)
			if u.conn.Send(uplink.Message{Op: "want", Seq: s.Seq + 1}) != nil {
				u.mu.Unlock()
				return // the test is over
			}
		case "authorize":
			u.asked = append(u.asked, *m.Auth)
		default:
			u.t.Errorf("the register says %s", m.Op)
		}
		u.mu.Unlock()
		select {
		case u.changed <- struct{}{}:
		default:
		}
	}
}

// until waits for something to be true of what was heard.
func (u *farEnd) until(what string, heard func() bool) {
	u.t.Helper()
	late := time.After(patience)
	for {
		u.mu.Lock()
		ok := heard()
		u.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-u.changed:
		case <-late:
			u.t.Fatalf("never heard: %s", what)
		}
	}
}

// has waits for a record of a kind, the n-th of it.
func (u *farEnd) has(kind record.Kind, n int) (s record.Sealed) {
	u.t.Helper()
	u.until(kind.String(), func() bool {
		left := n
		for _, s = range u.sealed {
			if s.Kind == kind {
				if left--; left == 0 {
					return true
				}
			}
		}
		return false
	})
	return s
}

func (u *farEnd) body(s record.Sealed, to any) {
	u.t.Helper()
	b, err := u.shop.opener.Open(s)
	if err != nil {
		u.t.Fatal(err)
	}
	if err := json.Unmarshal(b, to); err != nil {
		u.t.Fatal(err)
	}
}

func (s shop) post(t *testing.T, r *Register, es ...till.Event) {
	t.Helper()
	for _, e := range es {
		r.post(t.Context(), e)
	}
}

// TestUplinkRecords: each record arrives once and in order, those from before
// the uplink came as well, and is what was signed.
func TestUplinkRecords(t *testing.T) {
	s := newShop(t)
	r, _ := s.run(t)
	s.post(t, r, append(keys("1", "OPEN"), s.scan("4901234567894"))...)
	u := s.attach(t, r)
	u.has(record.LineAdd, 1)
	s.post(t, r, s.scan("4912345678904"), till.Key{Name: "CASH"})
	committed := u.has(record.SaleCommit, 1)
	var body struct{ Total int64 }
	if u.body(committed, &body); body.Total != 240 {
		t.Errorf("the sale is %d", body.Total)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	var prev record.Hash
	for i, sealed := range u.sealed {
		if err := record.Verify(sealed, s.Key.Public().(ed25519.PublicKey)); err != nil || sealed.Prev != prev { //nolint:forcetypeassert // it is one
			t.Errorf("record %d: %v", i+1, err)
		}
		prev = sealed.Hash()
	}
}

// journalLog is a log that a test can look into while it is written.
type journalLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *journalLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *journalLog) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), s)
}

// TestUplinkAcks sends acknowledgements true and false. Only the receiver's own
// word about our own record may move the journal.
func TestUplinkAcks(t *testing.T) {
	s := newShop(t)
	log := &journalLog{}
	s.Log = slog.New(slog.NewJSONHandler(log, nil))
	r, _ := s.run(t)
	u := s.attach(t, r)
	s.post(t, r, append(keys("1", "OPEN"), s.scan("4901234567894"))...)
	last := u.has(record.LineAdd, 1)
	u.mu.Lock()
	sealed := append([]record.Sealed(nil), u.sealed...)
	u.mu.Unlock()
	good := record.SignAck(s.receiver, s.ID, last.Seq, last.Hash())
	_, stranger, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	changed := good
	changed.Seq--
	bad := good
	bad.Sig = append([]byte(nil), good.Sig...)
	bad.Sig[5] ^= 1
	lies := []record.Ack{
		record.SignAck(stranger, s.ID, last.Seq, last.Hash()),
		record.SignAck(s.Key, s.ID, last.Seq, last.Hash()), // the register's own key
		record.SignAck(s.receiver, record.ID{Store: "0001", Register: "02"}, last.Seq, last.Hash()),
		changed, bad,
		record.SignAck(s.receiver, s.ID, last.Seq, sealed[0].Hash()), // another chain
		record.SignAck(s.receiver, s.ID, last.Seq+1000, last.Hash()),
	}
	for i := range lies {
		u.send(uplink.Message{Op: "ack", Ack: &lies[i]})
	}
	s.post(t, r, s.scan("4912345678904"))
	u.has(record.LineAdd, 2)
	for deadline := time.Now().Add(patience); log.count(`"C90"`) < 5 || log.count(`"C91"`) < 2; {
		if time.Now().After(deadline) {
			t.Fatalf("%d bad signatures and %d foreign chains were told", log.count(`"C90"`), log.count(`"C91"`))
		}
		s.post(t, r, till.Key{Name: "CLEAR"})
	}
	if seq, _ := r.ledger.journal.Acked(); seq != 0 {
		t.Fatalf("a lie acknowledged %d", seq)
	}
	u.send(uplink.Message{Op: "ack", Ack: &good})
	for deadline := time.Now().Add(patience); ; {
		if seq, hash := r.ledger.journal.Acked(); seq == last.Seq && hash == last.Hash() {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the true acknowledgement was not taken")
		}
		s.post(t, r, till.Key{Name: "CLEAR"})
	}
}

// TestUplinkCard pays by card: the attempt is on record before it is asked, the
// answer to another question changes nothing, ours commits the sale.
func TestUplinkCard(t *testing.T) {
	s := newShop(t)
	r, _ := s.run(t)
	u := s.attach(t, r)
	s.post(t, r, append(keys("1", "OPEN"), s.scan("4901234567894"), till.Key{Name: "CARD"}, swipe())...)
	u.until("a question", func() bool { return len(u.asked) == 1 })
	u.has(record.CardIntent, 1)
	q := u.asked[0]
	if q.Amount != 110 || q.Currency != "JPY" || q.ID == "" || q.Card.Last4 != "1111" {
		t.Errorf("asked %+v", q)
	}
	u.send(uplink.Message{Op: "reply", Reply: &record.AuthReply{ID: q.ID + "0", Result: record.Approved}})
	u.send(uplink.Message{Op: "reply", Reply: &record.AuthReply{ID: q.ID, Result: record.Declined}})
	var result record.AuthReply
	if u.body(u.has(record.CardResult, 1), &result); result.ID != q.ID || result.Result != record.Declined {
		t.Errorf("recorded %+v", result)
	}
	s.post(t, r, till.Key{Name: "CARD"}, swipe())
	u.until("a second question", func() bool { return len(u.asked) == 2 })
	if u.asked[1].ID == q.ID {
		t.Error("two attempts with one name")
	}
	u.send(uplink.Message{Op: "reply", Reply: &record.AuthReply{ID: u.asked[1].ID, Result: record.Approved, Approval: "123456"}})
	u.has(record.SaleCommit, 1)
}

// TestCardWithoutUplink: the answer is there at once, and is offline.
func TestCardWithoutUplink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		r, stop := s.run(t)
		s.post(t, r, append(keys("1", "OPEN"), s.scan("4901234567894"), till.Key{Name: "CARD"}, swipe())...)
		began := time.Now()
		synctest.Wait()
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if time.Since(began) != 0 {
			t.Errorf("the counter waited for %v", time.Since(began))
		}
		if phase := r.till.State().Phase(); phase != till.Tendering {
			t.Errorf("the till is in %s", phase)
		}
		if totals := r.till.State().Shift.Totals; totals.CardRefused != 1 {
			t.Errorf("%d cards refused", totals.CardRefused)
		}
	})
}

// sink is an uplink that reads and says nothing.
type sink struct{}

func (sink) Read([]byte) (int, error)    { select {} }
func (sink) Write(b []byte) (int, error) { return len(b), nil }
func (sink) Close() error                { return nil }

// TestCardNoAnswer: an uplink that never answers costs the counter eight
// seconds, then the attempt is reversed.
func TestCardNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		r, stop := s.run(t)
		r.mu.Lock()
		r.link = &peer{Conn: uplink.NewConn(sink{}), link: sink{}}
		r.mu.Unlock()
		s.post(t, r, append(keys("1", "OPEN"), s.scan("4901234567894"), till.Key{Name: "CARD"}, swipe())...)
		time.Sleep(authorizeWithin - time.Millisecond)
		synctest.Wait()
		before, _ := r.ledger.journal.Head()
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		head, _ := r.ledger.journal.Head()
		if phase := r.till.State().Phase(); phase != till.Tendering || head != before+2 {
			t.Errorf("the till is in %s, %d records after the time was over", phase, head-before)
		}
		// The shift's cash still works, and the late answer does not count.
		again := s.open(t)
		kinds := chainOf(t, s, again)
		reversed := 0
		for _, k := range kinds {
			if k == record.CardReversal {
				reversed++
			}
		}
		if reversed != 1 {
			t.Errorf("%d reversals in %v", reversed, kinds)
		}
		if err := again.ledger.close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestUplinkGarbage: a packet that no uplink writes ends it, not the register.
func TestUplinkGarbage(t *testing.T) {
	for name, packet := range map[string][]byte{
		"garbage": []byte("garbage"), "empty": {0, 0}, "unknown op": []byte("\x00\x0d{\"op\":\"shell\"}"),
		"op of the parent": []byte("\x00\x0e{\"op\":\"config\"}"), "too long": make([]byte, uplink.PacketMax+1),
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			r, _ := s.run(t)
			_, theirs, served := s.linked(t, r)
			if _, err := theirs.Write(packet); err != nil {
				t.Fatal(err)
			}
			select {
			case <-served:
			case <-time.After(patience):
				t.Fatal("it goes on listening")
			}
			if r.send(uplink.Message{Op: "want", Seq: 1}) == nil {
				t.Error("it is still spoken to")
			}
			s.post(t, r, keys("1", "OPEN")...)
			s.attach(t, r).has(record.ShiftOpen, 1) // the next one gets everything
		})
	}
}

// TestUplinkStuck: an uplink that does not read is given up after one wait.
func TestUplinkStuck(t *testing.T) {
	r := idle(t)
	ours, theirs := socketPair(t)
	raw, err := ours.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF, 1)
	}); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		r.ServeUplink(t.Context(), ours, &uplink.Config{ID: r.config.ID, URL: "tls://localhost:4222"})
	}()
	if _, err := uplink.NewConn(theirs).Recv(); err != nil {
		t.Fatal(err)
	}
	awaitLink(r)
	began := time.Now()
	sent := 0
	m := uplink.Message{Op: "record", Seq: 1, Record: make([]byte, 4000)}
	for r.send(m) == nil {
		if sent++; sent > 1000 {
			t.Fatal("it never gets stuck")
		}
	}
	first := time.Since(began)
	for range 100 {
		if r.send(m) == nil {
			t.Fatal("an uplink that was given up takes a message")
		}
	}
	if rest := time.Since(began) - first; rest > 20*sendWithin || first < sendWithin || first > 20*sendWithin {
		t.Errorf("the first wait took %v, a hundred more %v", first, rest)
	}
	select {
	case <-served: // so that the child is started again
	case <-time.After(patience):
		t.Error("the stuck uplink is still listened to")
	}
}

// TestUplinkDeleted: who asks for a record that is gone gets the first that is
// not acknowledged.
func TestUplinkDeleted(t *testing.T) {
	s := newShop(t)
	r := s.open(t)
	advance(t, r, keys("1", "OPEN")...)
	for n := range 1100 { // over a segment
		if err := r.ledger.note(time.Now(), record.ConsoleOpen, n); err != nil {
			t.Fatal(err)
		}
	}
	entry, err := r.ledger.journal.Read(1090)
	if err != nil {
		t.Fatal(err)
	}
	ack := record.SignAck(s.receiver, s.ID, entry.Seq, entry.Hash)
	if err := r.fromCloud(t.Context(), uplink.Message{Op: "ack", Ack: &ack}); err != nil {
		t.Fatal(err)
	}
	conn, _, _ := s.linked(t, r)
	if err := r.fromCloud(t.Context(), uplink.Message{Op: "want", Seq: 3}); err != nil {
		t.Fatal(err)
	}
	m, err := conn.Recv()
	if err != nil || m.Op != "record" || m.Seq != 1091 {
		t.Errorf("answered with %s %d, %v", m.Op, m.Seq, err)
	}
	if err := r.ledger.close(); err != nil {
		t.Fatal(err)
	}
}
