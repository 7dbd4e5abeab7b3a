package uplink_test

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"regi/firmware/uplink"
)

func (p *parent) question(m uplink.Message) uplink.Message {
	p.t.Helper()
	if err := p.conn.Send(m); err != nil {
		p.t.Fatal(err)
	}
	select {
	case m := <-p.updates:
		return m
	case <-time.After(patience):
		p.t.Fatalf("no answer to %s", m.Op)
		return uplink.Message{}
	}
}

// fetched asks for an update as a register does.
func (p *parent) fetched(board string) (version string, data []byte) {
	p.t.Helper()
	offer := p.question(uplink.Message{Op: "update", Detail: board})
	for n := uint64(1); uint64(len(data)) < offer.Seq; n++ {
		m := p.question(uplink.Message{Op: "fetch", Seq: n})
		if m.Op != "chunk" || m.Seq != n || len(m.Record) == 0 {
			p.t.Fatalf("chunk %d: %+v", n, m)
		}
		data = append(data, m.Record...)
	}
	return offer.Detail, data
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	o, c := enrolled(t)
	p := start(t, o, c, o.config())
	p.awaitUp()
	if v, data := p.fetched("rpi4"); v != "" || len(data) != 0 {
		t.Errorf("nothing is there, and %q came", v)
	}
	offer := func(board, version string, size int) []byte {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(rand.Uint32())
		}
		if err := o.OfferUpdate(t.Context(), shop().Store, board, version, data); err != nil {
			t.Fatal(err)
		}
		return data
	}
	first, foreign := offer("rpi4", "v2", 500_000), offer("rpi3", "v9", 40_000)
	c.add(t, 20) // sales go on
	if v, data := p.fetched("rpi4"); v != "v2" || !bytes.Equal(data, first) {
		t.Errorf("%q: %d bytes of %d", v, len(data), len(first))
	}
	p.awaitAcked(20)
	if v, data := p.fetched("rpi3"); v != "v9" || !bytes.Equal(data, foreign) {
		t.Errorf("%q: %d bytes", v, len(data))
	}
	second := offer("rpi4", "v3", 16<<10)
	if v, data := p.fetched("rpi4"); v != "v3" || !bytes.Equal(data, second) {
		t.Errorf("%q: %d bytes", v, len(data))
	}
	for _, n := range []uint64{1, 3, 9} { // behind the end, again, out of order
		if m := p.question(uplink.Message{Op: "fetch", Seq: n}); len(m.Record) != 0 || m.Detail == "" {
			t.Errorf("chunk %d came: %d bytes", n, len(m.Record))
		}
	}
	// One that is replaced while it is fetched ends with words.
	offer("rpi4", "v4", 100_000)
	p.question(uplink.Message{Op: "update", Detail: "rpi4"})
	p.question(uplink.Message{Op: "fetch", Seq: 1})
	offer("rpi4", "v5", 1000)
	if m := p.question(uplink.Message{Op: "fetch", Seq: 2}); len(m.Record) != 0 || m.Detail == "" {
		t.Errorf("%+v", m)
	}
	o.link(t, "down")
	p.awaitDown("")
	if m := p.question(uplink.Message{Op: "update", Detail: "rpi4"}); m.Detail != "" {
		t.Errorf("without a connection: %+v", m)
	}
	o.expectNoAlarm(t)
}
