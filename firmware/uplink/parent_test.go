package uplink_test

import (
	"context"
	"crypto/ed25519"
	"crypto/hpke"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/sys/unix"

	"regi/firmware/record"
	"regi/firmware/uplink"
	"regi/sim/cloud"
)

// patience bounds a wait for something that must come; the machine is shared.
const patience = 30 * time.Second

// shop is the id of the register under test.
func shop() record.ID { return record.ID{Store: "0001", Register: "01"} }

// other is another register of the same office.
func other() record.ID { return record.ID{Store: "0001", Register: "02"} }

// office is a cloud and the register it knows.
type office struct {
	*cloud.Cloud
	dir      string
	signedBy ed25519.PublicKey
	sealTo   hpke.PublicKey
}

func openOffice(t testing.TB, dir string) *office {
	t.Helper()
	c, err := cloud.OpenWith(dir, shop(), cloud.Options{Others: []record.ID{other()}})
	if err != nil {
		t.Fatal(err)
	}
	o := &office{Cloud: c, dir: dir}
	t.Cleanup(func() { o.Close() })
	if o.signedBy, err = record.ParseSignPublic(read(t, c.Files().SignedBy)); err != nil {
		t.Fatal(err)
	}
	if o.sealTo, err = record.ParseSealPublic(read(t, c.Files().SealTo)); err != nil {
		t.Fatal(err)
	}
	return o
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (o *office) config() *uplink.Config {
	return &uplink.Config{ID: shop(), URL: o.URL(), CA: o.Files().CA, Creds: o.Files().Creds}
}

// user connects to the server with a seed of the office's folder.
func (o *office) user(t testing.TB, creds string, options ...nats.Option) *nats.Conn {
	t.Helper()
	key, err := nats.NkeyOptionFromSeed(creds)
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(o.ServerURL(), append(options, key, nats.RootCAs(o.Files().CA))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func (o *office) admin(t testing.TB) nats.JetStreamContext {
	t.Helper()
	js, err := o.user(t, filepath.Join(o.dir, "admin.creds")).JetStream()
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// chain is a journal in memory: what the parent sends from.
type chain struct {
	mu      sync.Mutex
	sealer  *record.Sealer
	public  ed25519.PublicKey
	records []record.Sealed
	trimmed uint64 // records through it are deleted
	hoards  bool   // nothing more is deleted
	most    int    // records beyond do not exist yet, 0: all do
	changed chan struct{}
}

func newChain(t testing.TB, o *office, id record.ID) *chain {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &chain{sealer: record.NewSealer(id, private, o.sealTo), public: public, changed: make(chan struct{})}
}

// fork is another chain of the same key that shares the first n records.
func (c *chain) fork(n int) *chain {
	return &chain{sealer: c.sealer, public: c.public, records: append([]record.Sealed(nil), c.records[:n]...), changed: make(chan struct{})}
}

func (c *chain) add(t testing.TB, n int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for range n {
		var prev record.Hash
		seq := uint64(len(c.records) + 1)
		if seq > 1 {
			prev = c.records[seq-2].Hash()
		}
		s, err := c.sealer.Seal(record.SaleCommit, seq, time.UnixMilli(1_700_000_000_000+int64(seq)), prev, map[string]uint64{"n": seq})
		if err != nil {
			t.Fatal(err)
		}
		c.records = append(c.records, s)
	}
	close(c.changed)
	c.changed = make(chan struct{})
}

// limit lets the first n records exist, and no more.
func (c *chain) limit(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.most = n
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *chain) head() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return uint64(len(c.records))
}

// get answers a want as the register does; ok is false for a record to come.
func (c *chain) get(seq uint64) (r record.Sealed, ok bool, changed chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	seq = max(seq, c.trimmed+1)
	end := len(c.records)
	if c.most > 0 {
		end = min(end, c.most)
	}
	if seq > uint64(end) {
		return r, false, c.changed
	}
	return c.records[seq-1], true, c.changed
}

// keeps says that all records after this one are still there, and will be.
func (c *chain) keeps(after uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hoards, c.trimmed = true, after
}

// acked deletes through the newest acknowledgement of this very chain.
func (c *chain) acked(a record.Ack) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a.Seq > uint64(len(c.records)) || c.records[a.Seq-1].Hash() != a.Hash {
		return false
	}
	if !c.hoards {
		c.trimmed = max(c.trimmed, a.Seq)
	}
	return true
}

// parent plays the register's side of one uplink process.
type parent struct {
	t       testing.TB
	chain   *chain
	key     ed25519.PublicKey
	conn    *uplink.Conn
	link    *os.File
	main    chan error
	replies chan record.AuthReply
	updates chan uplink.Message

	mu      sync.Mutex
	up      bool
	details []string
	acks    uint64 // newest verified
	foreign int    // acknowledgements of another chain
	clocks  int
	moved   chan struct{}
}

func pair(t testing.TB) (ours, theirs *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fds[0]), "parent"), os.NewFile(uintptr(fds[1]), "uplink")
}

// start runs an uplink over a chain until stop or the end of the test.
func start(t testing.TB, o *office, c *chain, config *uplink.Config) *parent {
	t.Helper()
	ours, theirs := pair(t)
	p := &parent{
		t: t, chain: c, key: o.signedBy, conn: uplink.NewConn(ours), link: ours, main: make(chan error, 1),
		replies: make(chan record.AuthReply, 8), updates: make(chan uplink.Message, 1), moved: make(chan struct{}),
	}
	go func() { p.main <- uplink.Main(context.Background(), theirs, nil); theirs.Close() }()
	if err := p.conn.Send(uplink.Message{Op: "config", Config: config}); err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() { defer close(served); p.serve() }()
	t.Cleanup(func() { p.stop(); <-served })
	return p
}

// stop closes the link; the process must then end by itself.
func (p *parent) stop() {
	if p.main == nil {
		return
	}
	p.link.Close()
	select {
	case err := <-p.main:
		if err != nil {
			p.t.Errorf("uplink ended with %v", err)
		}
	case <-time.After(patience):
		p.t.Error("uplink outlives its parent")
	}
	p.main = nil
}

func (p *parent) serve() {
	wants := make(chan uint64, 64)
	defer close(wants)
	go p.feed(wants)
	for {
		m, err := p.conn.Recv()
		if err != nil {
			return
		}
		switch m.Op {
		case "want":
			wants <- m.Seq
		case "ack":
			if err := m.Ack.Verify(p.key, shop()); err != nil {
				p.t.Errorf("acknowledgement of %d: %v", m.Ack.Seq, err)
			}
			mine := p.chain.acked(*m.Ack)
			p.note(func() {
				if !mine {
					p.foreign++
					return
				}
				p.acks = max(p.acks, m.Ack.Seq)
			})
		case "clock":
			at, err := m.Time.Verify(p.key, shop(), nonce())
			if off := time.Since(at).Abs(); err != nil || off > patience {
				p.t.Errorf("the clock is off by %v: %v", off, err)
			}
			p.note(func() { p.clocks++ })
		case "reply":
			p.replies <- *m.Reply
		case "update", "chunk":
			p.updates <- m
		case "state":
			p.note(func() { p.up, p.details = m.Up, append(p.details, m.Detail) })
			n := nonce()
			if m.Up && p.conn.Send(uplink.Message{Op: "time", Record: n[:]}) != nil {
				return
			}
		default:
			p.t.Errorf("uplink says %q", m.Op)
		}
	}
}

// nonce is what the parent asks for the time with.
func nonce() record.Nonce { return record.Nonce{7, 31: 7} }

// feed answers the newest want.
func (p *parent) feed(wants chan uint64) {
	var wanted uint64
	var changed chan struct{}
	for {
		select {
		case seq, open := <-wants:
			if !open {
				return
			}
			wanted = seq
		case <-changed:
		}
		changed = nil
		if wanted == 0 {
			continue
		}
		r, ok, more := p.chain.get(wanted)
		if !ok {
			changed = more
			continue
		}
		wanted = 0
		data, err := r.MarshalBinary()
		if err != nil {
			p.t.Error(err)
		}
		if p.conn.Send(uplink.Message{Op: "record", Seq: r.Seq, Record: data}) != nil {
			return
		}
	}
}

func (p *parent) note(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	close(p.moved)
	p.moved = make(chan struct{})
}

// await waits until what it is told of the uplink is true.
func (p *parent) await(what string, ok func() bool) {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		p.mu.Lock()
		yes, moved := ok(), p.moved
		p.mu.Unlock()
		if yes {
			return
		}
		select {
		case <-moved:
		case <-deadline:
			p.mu.Lock()
			defer p.mu.Unlock()
			p.t.Fatalf("gave up waiting for %s: up %v, states %q, acknowledged %d of %d", what, p.up, p.details, p.acks, p.chain.head())
		}
	}
}

func (p *parent) awaitAcked(seq uint64) {
	p.t.Helper()
	p.await("acknowledgement", func() bool { return p.acks >= seq })
}

func (p *parent) awaitUp() { p.t.Helper(); p.await("session", func() bool { return p.up }) }

// awaitDown waits for a state whose text begins with a word.
func (p *parent) awaitDown(word string) {
	p.t.Helper()
	p.await("state "+word, func() bool {
		if p.up || len(p.details) == 0 {
			return false
		}
		last := p.details[len(p.details)-1]
		return len(last) >= len(word) && last[:len(word)] == word
	})
}

// expectLedger checks that the database holds exactly the chain.
func (o *office) expectLedger(t testing.TB, c *chain) {
	t.Helper()
	rs, err := o.Ledger(t.Context(), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(rs) != len(c.records) {
		t.Fatalf("the ledger holds %d records of %d", len(rs), len(c.records))
	}
	for i, r := range rs {
		if r.Seq != uint64(i+1) || r.Hash != c.records[i].Hash() {
			t.Fatalf("record %d of the ledger is not the register's", i+1)
		}
	}
}

// expectNoAlarm checks that the receiver found nothing wrong.
func (o *office) expectNoAlarm(t testing.TB) {
	t.Helper()
	as, err := o.Alarms(t.Context())
	if err != nil || len(as) != 0 {
		t.Errorf("alarms %+v, %v", as, err)
	}
}

// enrolled opens an office, and a chain whose key it knows.
func enrolled(t testing.TB) (*office, *chain) {
	t.Helper()
	o := openOffice(t, t.TempDir())
	c := newChain(t, o, shop())
	if err := o.Enroll(shop(), c.public); err != nil {
		t.Fatal(err)
	}
	return o, c
}

// streamed is how many messages the stream holds.
func streamed(t testing.TB, js nats.JetStreamContext) uint64 {
	t.Helper()
	info, err := js.StreamInfo("LEDGER")
	if err != nil {
		t.Fatal(err)
	}
	return info.State.Msgs
}

func port(t testing.TB, o *office) string {
	t.Helper()
	u, err := url.Parse(o.URL())
	if err != nil {
		t.Fatal(err)
	}
	return u.Port()
}
