package register

import (
	"bytes"
	"crypto/ed25519"
	"testing"
	"testing/synctest"
	"time"

	"regi/firmware/record"
	"regi/firmware/uplink"
)

const year = 365 * 24 * time.Hour

// timed is a register whose clock is set, and the uplink that it asks.
type timed struct {
	sink
	shop
	t      *testing.T
	r      *Register
	packet []byte // the newest that the register has sent
	sent   int
	set    []time.Duration // ahead of the true time
}

func newTimed(t *testing.T) *timed {
	t.Helper()
	w := &timed{t: t, shop: newShop(t)}
	w.Clock = func(at time.Time) { w.set = append(w.set, time.Until(at)) }
	w.r = w.open(t)
	w.r.link = &peer{Conn: uplink.NewConn(w), link: w}
	return w
}

func (w *timed) Write(b []byte) (int, error) {
	w.packet, w.sent = bytes.Clone(b), w.sent+1
	return len(b), nil
}

func (w *timed) Read(b []byte) (int, error) { return copy(b, w.packet), nil }

func (w *timed) hear(m uplink.Message) {
	w.t.Helper()
	if err := w.r.fromCloud(w.t.Context(), m); err != nil {
		w.t.Fatal(err)
	}
}

// up begins a session, and returns what is asked then.
func (w *timed) up() record.Nonce {
	w.t.Helper()
	time.Sleep(timeAgain)
	w.hear(uplink.Message{Op: "state", Up: true})
	m, err := uplink.NewConn(w).Recv()
	if err != nil || m.Op != "time" {
		w.t.Fatalf("%+v, %v", m, err)
	}
	return record.Nonce(m.Record)
}

func (w *timed) tell(m record.Time) { w.t.Helper(); w.hear(uplink.Message{Op: "clock", Time: &m}) }

// signed is a true answer but for what is wrong with it.
func (w *timed) signed(key ed25519.PrivateKey, register string, n record.Nonce, ahead time.Duration) record.Time {
	return record.SignTime(key, record.ID{Store: "0001", Register: register}, n, time.Now().Add(ahead))
}

// The clock is set by what the receiver has signed for this very question, and
// by nothing that an uplink makes up, holds back or plays again.
func TestTimeIsSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTimed(t)
		_, stranger, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		for what, lie := range map[string]func(record.Nonce) record.Time{
			"a stranger's":        func(n record.Nonce) record.Time { return w.signed(stranger, "01", n, year) },
			"the register's own":  func(n record.Nonce) record.Time { return w.signed(w.Key, "01", n, year) },
			"another question's":  func(record.Nonce) record.Time { return w.signed(w.receiver, "01", record.Nonce{1}, year) },
			"no question's":       func(record.Nonce) record.Time { return w.signed(w.receiver, "01", record.Nonce{}, year) },
			"of another register": func(n record.Nonce) record.Time { return w.signed(w.receiver, "02", n, year) },
			"altered": func(n record.Nonce) record.Time {
				m := w.signed(w.receiver, "01", n, 0)
				m.At += year.Milliseconds()
				return m
			},
			"too late": func(n record.Nonce) record.Time {
				m := w.signed(w.receiver, "01", n, 0)
				time.Sleep(timeWithin + 1)
				return m
			},
		} {
			n := w.up()
			w.tell(lie(n))
			w.tell(w.signed(w.receiver, "01", n, year)) // each question has one answer
			if len(w.set) != 0 {
				t.Fatalf("%s was taken: %v", what, w.set)
			}
		}
		n := w.up()
		time.Sleep(300 * time.Millisecond)
		good := w.signed(w.receiver, "01", n, 0)
		time.Sleep(100 * time.Millisecond)
		w.tell(good)
		w.tell(good)
		if len(w.set) != 1 || w.set[0].Abs() > 201*time.Millisecond {
			t.Fatalf("%v", w.set)
		}
		if again := w.up(); again == n {
			t.Error("a nonce comes twice")
		}
		w.tell(good)
		if len(w.set) != 1 {
			t.Error("an old answer was taken again")
		}
		if err := w.r.ledger.close(); err != nil {
			t.Fatal(err)
		}
	})
}

// It is asked once a session and once an hour of it, and now and then while there is no answer, however
// often an uplink says that it came.
func TestTimeIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTimed(t)
		n := w.up()
		sent := w.sent
		for range 1000 {
			w.hear(uplink.Message{Op: "state", Up: true})
		}
		if w.sent != sent {
			t.Errorf("%d questions at once", w.sent-sent)
		}
		time.Sleep(timeAgain)
		w.r.askTime()
		if w.sent != sent+1 {
			t.Error("it does not ask again")
		}
		w.tell(w.signed(w.receiver, "01", n, 0)) // to the question before
		if len(w.set) != 0 {
			t.Error("an answer to an old question was taken")
		}
		w.tell(w.signed(w.receiver, "01", w.up(), 0))
		sent = w.sent
		time.Sleep(timeEvery - 1)
		w.r.askTime()
		if len(w.set) != 1 || w.sent != sent {
			t.Errorf("set %v, asked %d times after that", w.set, w.sent-sent)
		}
		time.Sleep(time.Nanosecond)
		w.r.askTime()
		if w.sent != sent+1 {
			t.Error("a long session drifts")
		}
		if err := w.r.ledger.close(); err != nil {
			t.Fatal(err)
		}
	})
}
