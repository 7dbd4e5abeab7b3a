package uplink_test

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"regi/firmware/record"
	"regi/firmware/uplink"
)

func TestRecordsArriveOnceInOrder(t *testing.T) {
	t.Parallel()
	o, c := enrolled(t)
	c.add(t, 50)
	p := start(t, o, c, o.config())
	p.awaitAcked(50)
	c.add(t, 1)
	p.awaitAcked(51)
	o.expectLedger(t, c)
	o.expectNoAlarm(t)
	if n := streamed(t, o.admin(t)); n != 51 {
		t.Errorf("the stream holds %d messages for 51 records", n)
	}
}

func TestLinkCutAgainAndAgain(t *testing.T) {
	t.Parallel()
	o, c := enrolled(t)
	c.add(t, 500)
	p := start(t, o, c, o.config())
	for seq := uint64(50); seq < 500; seq += 100 {
		p.awaitAcked(seq)
		o.link(t, "down")
		p.awaitDown("refused")
		o.link(t, "up")
	}
	p.awaitAcked(500)
	o.expectLedger(t, c)
	o.expectNoAlarm(t)
	if n := streamed(t, o.admin(t)); n != 500 {
		t.Errorf("the stream holds %d messages for 500 records", n)
	}
}

func (o *office) link(t *testing.T, state string) {
	t.Helper()
	if err := o.SetLink(state); err != nil {
		t.Fatal(err)
	}
}

// TestAnswersLost loses what the cloud says, so that records are stored and the
// register does not hear of it.
func TestAnswersLost(t *testing.T) {
	t.Parallel()
	o, c := enrolled(t)
	v := newValve(t, o)
	config := o.config()
	config.URL = "tls://" + v.address()
	p := start(t, o, c, config)
	for round := range uint64(5) {
		p.awaitUp()
		v.swallow.Store(true)
		c.add(t, 1)
		o.awaitHead(t, round+1) // stored and committed, unheard
		v.cut()
		v.swallow.Store(false)
		p.awaitAcked(round + 1)
	}
	o.expectLedger(t, c)
	o.expectNoAlarm(t)
	if n := streamed(t, o.admin(t)); n != 5 {
		t.Errorf("the stream holds %d messages for 5 records: one was sent twice", n)
	}
}

func (o *office) awaitHead(t *testing.T, seq uint64) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		rs, err := o.Ledger(t.Context(), seq, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(rs) == 1 {
			return
		}
	}
	t.Fatalf("record %d never reached the ledger", seq)
}

// valve is a line that can lose everything the cloud says.
type valve struct {
	listener net.Listener
	target   string
	swallow  atomic.Bool
	mu       sync.Mutex
	conns    []net.Conn
}

func newValve(t *testing.T, o *office) *valve {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	v := &valve{listener: l, target: strings.TrimPrefix(o.ServerURL(), "tls://")}
	t.Cleanup(func() { l.Close(); v.cut() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := (&net.Dialer{}).DialContext(t.Context(), "tcp4", v.target)
			if err != nil {
				near.Close()
				continue
			}
			v.mu.Lock()
			v.conns = append(v.conns, near, far)
			v.mu.Unlock()
			go v.pump(far, near, nil)
			go v.pump(near, far, &v.swallow)
		}
	}()
	return v
}

func (v *valve) address() string { return v.listener.Addr().String() }

func (v *valve) pump(to, from net.Conn, lose *atomic.Bool) {
	defer to.Close()
	b := make([]byte, 4096)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		if lose != nil && lose.Load() {
			continue
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

func (v *valve) cut() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range v.conns {
		c.Close()
	}
	v.conns = nil
}

func TestRestartInTheMiddle(t *testing.T) {
	t.Parallel()
	o, c := enrolled(t)
	c.add(t, 200)
	for _, seq := range []uint64{20, 60, 100, 200} {
		p := start(t, o, c, o.config())
		p.awaitAcked(seq)
		p.stop()
	}
	o.expectLedger(t, c)
	o.expectNoAlarm(t)
}

func TestStreamLosesItsTail(t *testing.T) {
	t.Parallel()
	o, c := enrolled(t)
	c.add(t, 20)
	p := start(t, o, c, o.config())
	p.awaitAcked(20)
	c.keeps(15)
	js := o.admin(t)
	for at := uint64(18); at <= 20; at++ {
		if err := js.DeleteMsg("LEDGER", at); err != nil {
			t.Fatal(err)
		}
	}
	c.add(t, 2) // refused with 10071: the subject's last is 17 now
	p.awaitAcked(22)
	o.expectLedger(t, c)
	if n := streamed(t, js); n != 22 {
		t.Errorf("the stream holds %d of 22 records after the register sent its end again", n)
	}
}

func TestStreamEmptied(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		after uint64 // which the register still has
		sent  uint64 // of 21
	}{"all acknowledged are deleted": {20, 1}, "some are left": {12, 9}, "all are left": {0, 21}} {
		t.Run(name, func(t *testing.T) {
			o, c := enrolled(t)
			c.add(t, 20)
			p := start(t, o, c, o.config())
			p.awaitAcked(20)
			js := o.admin(t)
			if err := js.PurgeStream("LEDGER"); err != nil {
				t.Fatal(err)
			}
			c.keeps(test.after)
			c.add(t, 1)
			p.awaitAcked(21)
			o.expectLedger(t, c)
			if n := streamed(t, js); n != test.sent {
				t.Errorf("the stream holds %d records, want %d", n, test.sent)
			}
		})
	}
}

func TestStreamDeleted(t *testing.T) {
	t.Parallel()
	o, c := enrolled(t)
	c.add(t, 3)
	p := start(t, o, c, o.config())
	p.awaitAcked(3)
	js := o.admin(t)
	info, err := js.StreamInfo("LEDGER")
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream("LEDGER"); err != nil {
		t.Fatal(err)
	}
	c.add(t, 1)
	p.awaitDown("the cloud has no ledger stream")
	if _, err := js.AddStream(&info.Config); err != nil {
		t.Fatal(err)
	}
	p.awaitAcked(4)
	o.expectLedger(t, c)
}

func TestReceiverAsksForWhatTheStreamLost(t *testing.T) {
	t.Parallel()
	o, c := enrolled(t)
	c.add(t, 6)
	nc := o.user(t, o.Files().Creds, nats.CustomInboxPrefix(shop().Subject("inbox")))
	for _, i := range []int{0, 1, 4, 5} {
		publish(t, nc, bareMessage(&c.records[i]))
	}
	o.awaitHead(t, 2)
	p := start(t, o, c, o.config()) // the stream's head is record 6: nothing new to send
	p.awaitAcked(6)
	o.expectLedger(t, c)
	o.expectNoAlarm(t) // the gap is closed
}

func publish(t testing.TB, nc *nats.Conn, m *nats.Msg) {
	t.Helper()
	answer, err := nc.RequestMsg(m, patience)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(answer.Data), "error") {
		t.Fatal(string(answer.Data))
	}
}

func TestEnrolledLate(t *testing.T) {
	t.Parallel()
	o := openOffice(t, t.TempDir())
	c := newChain(t, o, shop())
	c.add(t, 10)
	p := start(t, o, c, o.config())
	js := o.admin(t)
	for deadline := time.Now().Add(patience); streamed(t, js) < 10 && time.Now().Before(deadline); {
		time.Sleep(2 * time.Millisecond)
	}
	if err := o.Enroll(shop(), c.public); err != nil {
		t.Fatal(err)
	}
	p.awaitAcked(10)
	o.expectLedger(t, c)
	o.expectNoAlarm(t)
}

func TestAckLearntAfterReconnect(t *testing.T) {
	t.Parallel()
	o, c := enrolled(t)
	c.add(t, 3)
	nc := o.user(t, o.Files().Creds, nats.CustomInboxPrefix(shop().Subject("inbox")))
	for i := range c.records {
		publish(t, nc, bareMessage(&c.records[i]))
	}
	o.awaitHead(t, 3)
	p := start(t, o, c, o.config()) // signed for before it was there
	p.awaitAcked(3)
	if n := streamed(t, o.admin(t)); n != 3 {
		t.Errorf("the stream holds %d messages: records it has were sent again", n)
	}
}

func TestCloudRestarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := openOffice(t, dir)
	c := newChain(t, o, shop())
	if err := o.Enroll(shop(), c.public); err != nil {
		t.Fatal(err)
	}
	c.add(t, 100)
	p := start(t, o, c, o.config())
	for seq := uint64(20); seq <= 60; seq += 20 {
		p.awaitAcked(seq)
		was := port(t, o)
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
		if o = openOffice(t, dir); port(t, o) != was {
			p.stop() // somebody took the port in the meantime
			p = start(t, o, c, o.config())
		}
	}
	p.awaitAcked(100)
	o.expectLedger(t, c)
	o.expectNoAlarm(t)
	p.await("the time", func() bool { return p.clocks > 0 })
}

// TestFork runs two registers on one key: the second one must stop at the first
// record that the first one wrote otherwise.
func TestFork(t *testing.T) {
	t.Parallel()
	o, c := enrolled(t)
	c.add(t, 5)
	p := start(t, o, c, o.config())
	p.awaitAcked(5)
	clone := c.fork(5)
	q := start(t, o, clone, o.config())
	q.awaitUp()
	c.add(t, 1)
	p.awaitAcked(6)
	clone.add(t, 1)
	q.awaitDown("fork")
	c.add(t, 1) // the genuine one goes on
	p.awaitAcked(7)
	o.expectLedger(t, c)
	if n := streamed(t, o.admin(t)); n != 7 {
		t.Errorf("the stream holds %d messages: the fork wrote too", n)
	}
}

// TestForkSeenAtConnect: the stream's head is not what our next record follows.
func TestForkSeenAtConnect(t *testing.T) {
	t.Parallel()
	o, c := enrolled(t)
	c.add(t, 5)
	clone := c.fork(4)
	clone.add(t, 3)
	p := start(t, o, c, o.config())
	p.awaitAcked(5)
	p.stop()
	q := start(t, o, clone, o.config())
	q.awaitDown("fork")
	o.expectLedger(t, c)
	if n := streamed(t, o.admin(t)); n != 5 {
		t.Errorf("the stream holds %d messages: the fork wrote too", n)
	}
}

func TestForeignMessageIsAFork(t *testing.T) {
	t.Parallel()
	o, c := enrolled(t)
	c.add(t, 1)
	if _, err := o.admin(t).Publish(shop().Subject("ledger"), []byte("no record")); err != nil {
		t.Fatal(err)
	}
	start(t, o, c, o.config()).awaitDown("fork")
}

func TestNoSession(t *testing.T) {
	t.Parallel()
	o, c := enrolled(t)
	foreign := openOffice(t, t.TempDir())
	stranger, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := stranger.Seed()
	if err != nil {
		t.Fatal(err)
	}
	unknown := filepath.Join(t.TempDir(), "unknown.creds")
	if err := os.WriteFile(unknown, seed, 0o600); err != nil {
		t.Fatal(err)
	}
	https := httptest.NewTLSServer(http.NotFoundHandler())
	defer https.Close()
	for _, test := range []struct {
		name, word string
		change     func(*uplink.Config)
	}{
		{"foreign CA", "certificate refused: not signed", func(c *uplink.Config) { c.CA = foreign.Files().CA }},
		{"unknown credentials", "authorization refused", func(c *uplink.Config) { c.Creds = unknown }},
		{"another register's credentials", "permission denied", func(c *uplink.Config) { c.Creds = o.Creds(other()) }},
		{"nobody there", "refused", func(c *uplink.Config) { c.URL = "tls://127.0.0.1:1" }},
		{"no TLS in the URL", "cloud.url", func(c *uplink.Config) { c.URL = "nats://127.0.0.1:4222" }},
		{"two servers in the URL", "cloud.url", func(c *uplink.Config) { c.URL += ",tls://127.0.0.1:4222" }},
		{"no CA file", "cloud.ca", func(c *uplink.Config) { c.CA = filepath.Join(t.TempDir(), "none") }},
		{"CA without a certificate", "cloud.ca", func(c *uplink.Config) { c.CA = unknown }},
		{"credentials without a seed", "cloud.creds", func(c *uplink.Config) { c.Creds = o.Files().CA }},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := o.config()
			test.change(config)
			start(t, o, c, config).awaitDown(test.word)
		})
	}
}

func TestAuthorize(t *testing.T) {
	t.Parallel()
	o, c := enrolled(t)
	hsm := o.user(t, o.Files().HSMCreds)
	answers := map[string]string{
		"approve":   `{"id":"approve","result":"approved","approval":"123456"}`,
		"decline":   `{"id":"decline","result":"declined","reason":"残高不足"}`,
		"word":      `{"id":"word","result":"maybe"}`,
		"offline":   `{"id":"offline","result":"offline"}`,
		"other":     `{"id":"approve","result":"approved"}`,
		"field":     `{"id":"field","result":"approved","pan":"x"}`,
		"trailing":  `{"id":"trailing","result":"approved"} {}`,
		"control":   `{"id":"control","result":"declined","reason":"\u001b[2J"}`,
		"too long":  `{"id":"too long","result":"declined","reason":"` + strings.Repeat("x", 5000) + `"}`,
		"no JSON":   "\x00",
		"no answer": "",
	}
	p := start(t, o, c, o.config())
	p.awaitUp()
	if r := p.ask("alone"); r.Result != "offline" {
		t.Errorf("with nobody to answer: %+v, the question reached nobody", r)
	}
	var asked record.AuthRequest
	if _, err := hsm.Subscribe("regi.v1.*.*.authorize", func(m *nats.Msg) {
		if json.Unmarshal(m.Data, &asked) == nil && answers[asked.ID] != "" {
			m.Respond([]byte(answers[asked.ID]))
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := hsm.Flush(); err != nil {
		t.Fatal(err)
	}
	if r := p.ask("approve"); r.Result != record.Approved || r.Approval != "123456" || r.ID != "approve" {
		t.Errorf("approval came back as %+v", r)
	}
	if r := p.ask("decline"); r.Result != record.Declined || r.Reason != "残高不足" {
		t.Errorf("decline came back as %+v", r)
	}
	// What cannot be read may have been a charge.
	for _, id := range []string{"word", "offline", "other", "field", "trailing", "control", "too long", "no JSON"} {
		if r := p.ask(id); r.ID != id || r.Result != "no-answer" || r.Approval != "" {
			t.Errorf("%s came back as %+v", id, r)
		}
	}
	for tries := 1; ; tries++ { // a busy machine may be late, but not always
		began := time.Now()
		if r := p.ask("no answer"); r.Result != "no-answer" {
			t.Errorf("silence came back as %+v", r)
		}
		took := time.Since(began)
		if took < 5900*time.Millisecond || took > 7900*time.Millisecond && tries == 5 {
			t.Errorf("silence was waited for %v; the register itself gives up at 8 s", took)
		}
		if took <= 7900*time.Millisecond || tries == 5 {
			break
		}
	}
	o.link(t, "down")
	p.awaitDown("")
	if r := p.ask("approve"); r.Result != "offline" {
		t.Errorf("without a connection: %+v", r)
	}
}

func (p *parent) ask(id string) record.AuthReply {
	p.t.Helper()
	q := &record.AuthRequest{ID: id, Amount: 100, Currency: "JPY"}
	if err := p.conn.Send(uplink.Message{Op: "authorize", Auth: q}); err != nil {
		p.t.Fatal(err)
	}
	select {
	case r := <-p.replies:
		return r
	case <-time.After(patience):
		p.t.Fatalf("no reply to %q", id)
		return record.AuthReply{}
	}
}

// TestParentMisbehaves: a parent that breaks the protocol gets no service.
func TestParentMisbehaves(t *testing.T) {
	t.Parallel()
	o, c := enrolled(t)
	c.add(t, 1)
	good, err := c.records[0].MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	foreign := newChain(t, o, other())
	foreign.add(t, 1)
	others, err := foreign.records[0].MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	config := uplink.Message{Op: "config", Config: o.config()}
	for name, ms := range map[string][]uplink.Message{
		"no configuration":        {{Op: "want", Seq: 1}},
		"second configuration":    {config, config},
		"want":                    {config, {Op: "want", Seq: 1}},
		"wrong sequence":          {config, {Op: "record", Seq: 2, Record: good}},
		"another register's":      {config, {Op: "record", Seq: 1, Record: others}},
		"record that is none":     {config, {Op: "record", Seq: 1, Record: good[1:]}},
		"altered body":            {config, {Op: "record", Seq: 1, Record: append(good[:len(good)-1:len(good)-1], good[len(good)-1]^1)}},
		"state from the parent":   {config, {Op: "state", Up: true}},
		"time from the parent":    {config, {Op: "clock", Time: &record.Time{Register: shop(), Nonce: nonce(), At: 1, Sig: make([]byte, 64)}}},
		"reply from the parent":   {config, {Op: "reply", Reply: &record.AuthReply{ID: "x", Result: record.Approved}}},
		"acknowledges its parent": {config, {Op: "ack", Ack: &record.Ack{Register: shop(), Seq: 1, Hash: record.Hash{1}, Sig: make([]byte, 64)}}},
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := pair(t)
			defer ours.Close()
			ended := make(chan error, 1)
			go func() { ended <- uplink.Main(t.Context(), theirs, nil); theirs.Close() }()
			conn := uplink.NewConn(ours)
			for _, m := range ms {
				if err := conn.Send(m); err != nil {
					t.Fatal(err)
				}
			}
			select {
			case err := <-ended:
				if err == nil {
					t.Error("accepted")
				}
			case <-time.After(patience):
				t.Error("still served")
			}
		})
	}
}

// TestSlowLine starts a session and sells over 64 kbit/s with 200 ms each way.
func TestSlowLine(t *testing.T) {
	t.Parallel()
	o, c := enrolled(t)
	o.link(t, "slow")
	c.add(t, 2)
	p := start(t, o, c, o.config())
	p.awaitAcked(2)
	o.expectLedger(t, c)
	o.expectNoAlarm(t)
	if n := streamed(t, o.admin(t)); n != 2 {
		t.Errorf("the stream holds %d messages for 2 records", n)
	}
}
