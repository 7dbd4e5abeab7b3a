package uplink_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"regi/firmware/record"
)

// BenchmarkAck is one record from the journal to the receiver's signature, with
// both synced writes of the cloud in between. Beside it, in the same run, is a
// bare request over the same line, answered by a client that does nothing.
func BenchmarkAck(b *testing.B) {
	o, c := enrolled(b)
	p := start(b, o, c, o.config())
	p.awaitUp()
	c.add(b, 8)
	p.awaitAcked(8) // statements prepared, files open
	took := make([]time.Duration, 0, b.N)
	for b.Loop() {
		began := time.Now()
		c.add(b, 1)
		p.awaitAcked(c.head())
		took = append(took, time.Since(began))
	}
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64(bareRequest(b, o).Microseconds()), "bare-request-p50-µs")
}

func bareRequest(b *testing.B, o *office) time.Duration {
	hsm := o.user(b, o.Files().HSMCreds)
	if _, err := hsm.Subscribe("regi.v1.*.*.authorize", func(m *nats.Msg) {
		if err := m.Respond(m.Data); err != nil {
			b.Error(err)
		}
	}); err != nil {
		b.Fatal(err)
	}
	if err := hsm.Flush(); err != nil {
		b.Fatal(err)
	}
	nc := bareClient(b, o, shop())
	took := make([]time.Duration, 0, 200)
	for range cap(took) {
		began := time.Now()
		if _, err := nc.Request(shop().Subject("authorize"), make([]byte, 1200), patience); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// bareClient is a nats.go client on the register's line, with its credentials.
func bareClient(b *testing.B, o *office, id record.ID) *nats.Conn {
	key, err := nats.NkeyOptionFromSeed(o.Creds(id))
	if err != nil {
		b.Fatal(err)
	}
	nc, err := nats.Connect(o.URL(), key, nats.RootCAs(o.Files().CA), nats.CustomInboxPrefix(id.Subject("inbox")))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(nc.Close)
	return nc
}

const backlog = 2000

// BenchmarkDrain empties a backlog through the uplink, and beside it, in the
// same run and into the same office, another register's through a loop that only
// publishes and waits.
func BenchmarkDrain(b *testing.B) {
	var ratios, rates []float64
	for b.Loop() {
		b.StopTimer()
		o, c := enrolled(b)
		c.add(b, backlog)
		bare := newChain(b, o, other())
		bare.add(b, backlog)
		if err := o.Enroll(other(), bare.public); err != nil {
			b.Fatal(err)
		}
		nc := bareClient(b, o, other())
		acks, err := nc.SubscribeSync(other().Subject("ack"))
		if err != nil {
			b.Fatal(err)
		}
		var ours, theirs time.Duration
		const rounds = 10 // in turns, so that the machine's moods hit both alike
		p := start(b, o, c, o.config())
		c.limit(8)
		p.awaitUp()
		p.awaitAcked(8)
		at := publishBare(b, nc, acks, bare.records[:8], 0)
		b.StartTimer()
		for i := range rounds {
			from, to := 8+i*(backlog-8)/rounds, 8+(i+1)*(backlog-8)/rounds
			began := time.Now()
			c.limit(to)
			p.awaitAcked(uint64(to))
			ours += time.Since(began)
			began = time.Now()
			at = publishBare(b, nc, acks, bare.records[from:to], at)
			theirs += time.Since(began)
		}
		b.StopTimer()
		ratios = append(ratios, float64(theirs)/float64(ours))
		rates = append(rates, (backlog-8)/ours.Seconds())
		p.awaitAcked(backlog)
		p.stop()
		nc.Close()
		o.Close()
		b.StartTimer()
	}
	slices.Sort(ratios)
	slices.Sort(rates)
	b.ReportMetric(100*ratios[len(ratios)/2], "%-of-bare")
	b.ReportMetric(rates[len(rates)/2], "records/s")
}

// publishBare is the least that a correct publisher could do: it ends, as the
// other side of the comparison does, when the receiver has signed for the last.
func publishBare(b *testing.B, nc *nats.Conn, acks *nats.Subscription, records []record.Sealed, at uint64) uint64 {
	js, err := nc.JetStream()
	if err != nil {
		b.Fatal(err)
	}
	for i := range records {
		m := bareMessage(&records[i])
		m.Header.Set(nats.ExpectedLastSubjSeqHdr, strconv.FormatUint(at, 10))
		ack, err := js.PublishMsg(m)
		if err != nil {
			b.Fatal(err)
		}
		at = ack.Sequence
	}
	for {
		m, err := acks.NextMsg(patience)
		if err != nil {
			b.Fatal(err)
		}
		if ack, err := record.ParseAck(m.Data); err == nil && ack.Seq == records[len(records)-1].Seq {
			return at
		}
	}
}

func bareMessage(r *record.Sealed) *nats.Msg {
	m := nats.NewMsg(r.ID.Subject("ledger"))
	m.Data = r.Body
	for name, value := range r.NATS() {
		m.Header.Set(name, value)
	}
	return m
}
