package uplink_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"

	"regi/firmware/record"
	"regi/firmware/uplink"
)

// one is a wire that keeps one packet.
type one struct{ packet []byte }

func (o *one) Read(b []byte) (int, error)  { return copy(b, o.packet), nil }
func (o *one) Write(b []byte) (int, error) { o.packet = bytes.Clone(b); return len(b), nil }

func messages() []uplink.Message {
	return []uplink.Message{
		{Op: "config", Config: &uplink.Config{ID: record.ID{Store: "0001", Register: "01"}, URL: "tls://a:1", CA: "ca.pem", Creds: "c"}},
		{Op: "want", Seq: 1},
		{Op: "update", Detail: "rpi4"},
		{Op: "update", Detail: "v2", Seq: 22_000_000},
		{Op: "update"},
		{Op: "fetch", Seq: 1},
		{Op: "chunk", Seq: 1, Record: make([]byte, record.SealedMax)},
		{Op: "chunk", Seq: 1, Detail: "the cloud has no update"},
		{Op: "record", Seq: 7, Record: []byte{0, 1, 2}},
		{Op: "record", Seq: 1<<64 - 1, Record: make([]byte, record.SealedMax)},
		{Op: "ack", Ack: &record.Ack{Register: record.ID{Store: "0001", Register: "01"}, Seq: 3, Hash: record.Hash{1}, Sig: make([]byte, 64)}},
		{Op: "time", Record: make([]byte, 32)},
		{Op: "clock", Time: &record.Time{Register: record.ID{Store: "0001", Register: "01"}, Nonce: record.Nonce{1}, At: 1, Sig: make([]byte, 64)}},
		{Op: "authorize", Auth: &record.AuthRequest{ID: "a-1", Amount: 100, Currency: "JPY", Card: record.CardRead{Brand: "visa", CT: []byte{1}, MAC: []byte{2}}}},
		{Op: "reply", Reply: &record.AuthReply{ID: "a-1", Result: "no-answer", Reason: "残高 <&>"}},
		{Op: "state", Up: true},
		{Op: "state", Detail: "refused"},
		{Op: "state"},
	}
}

func TestMessagesComeBack(t *testing.T) {
	for _, m := range messages() {
		w := &one{}
		c := uplink.NewConn(w)
		if err := c.Send(m); err != nil {
			t.Fatalf("%s: %v", m.Op, err)
		}
		if len(w.packet) > uplink.PacketMax {
			t.Errorf("%s is a packet of %d bytes", m.Op, len(w.packet))
		}
		got, err := c.Recv()
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%s came back as %+v, %v", m.Op, got, err)
		}
	}
}

func packet(head, body string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(head))), head+body...)
}

func TestMalformedPackets(t *testing.T) {
	for name, p := range map[string][]byte{
		"empty":            {},
		"one byte":         {0},
		"head past end":    {0, 9, '{', '}'},
		"no op":            packet(`{}`, ""),
		"unknown op":       packet(`{"op":"exec"}`, ""),
		"unknown field":    packet(`{"op":"want","seq":1,"path":"/"}`, ""),
		"twice":            packet(`{"op":"want","seq":1,"seq":2}`, ""),
		"case":             packet(`{"OP":"want","seq":1}`, ""),
		"blank":            packet(`{"op":"want", "seq":1}`, ""),
		"two values":       packet(`{"op":"want","seq":1}{}`, ""),
		"want of nothing":  packet(`{"op":"want"}`, ""),
		"want and record":  packet(`{"op":"want","seq":1}`, "x"),
		"record of none":   packet(`{"op":"record","seq":1}`, ""),
		"record too long":  packet(`{"op":"record","seq":1}`, strings.Repeat("x", record.SealedMax+1)),
		"packet too long":  make([]byte, uplink.PacketMax+1),
		"negative":         packet(`{"op":"want","seq":-1}`, ""),
		"control in text":  packet(`{"op":"state","detail":"\u001b"}`, ""),
		"long text":        packet(`{"op":"state","detail":"`+strings.Repeat("x", 300)+`"}`, ""),
		"unknown result":   packet(`{"op":"reply","reply":{"id":"1","result":"perhaps"}}`, ""),
		"reply to nothing": packet(`{"op":"reply","reply":{"id":"","result":"approved"}}`, ""),
		"bad id":           packet(`{"op":"config","config":{"id":"a/../b","url":"u","ca":"","creds":""}}`, ""),
	} {
		if m, err := uplink.NewConn(&one{p}).Recv(); !errors.Is(err, uplink.ErrMessage) {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
}

func TestSendRefusesWhatRecvRefuses(t *testing.T) {
	for _, m := range []uplink.Message{
		{},
		{Op: "want"},
		{Op: "want", Seq: 1, Up: true},
		{Op: "time", Record: make([]byte, 31)},
		{Op: "time"},
		{Op: "clock", Seq: 1},
		{Op: "record", Seq: 1, Record: make([]byte, record.SealedMax+1)},
		{Op: "authorize", Auth: &record.AuthRequest{ID: "1", Amount: 0, Currency: "JPY"}},
		{Op: "authorize", Auth: &record.AuthRequest{ID: "1", Amount: 1, Currency: "JPY", Card: record.CardRead{CT: make([]byte, 9000)}}},
		{Op: "reply", Reply: &record.AuthReply{ID: strings.Repeat("1", 200), Result: "approved"}},
	} {
		w := &one{}
		if err := uplink.NewConn(w).Send(m); !errors.Is(err, uplink.ErrMessage) || w.packet != nil {
			t.Errorf("%s: sent, %v", m.Op, err)
		}
	}
}

// FuzzRecv: what is accepted is exactly what would be sent.
func FuzzRecv(f *testing.F) {
	for _, m := range messages() {
		w := &one{}
		if err := uplink.NewConn(w).Send(m); err != nil {
			f.Fatal(err)
		}
		if len(w.packet) < 4096 {
			f.Add(w.packet)
		}
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		m, err := uplink.NewConn(&one{p}).Recv()
		if err != nil {
			if !errors.Is(err, uplink.ErrMessage) {
				t.Fatal(err)
			}
			return
		}
		w := &one{}
		if err := uplink.NewConn(w).Send(m); err != nil || !bytes.Equal(w.packet, p) {
			t.Fatalf("accepted %q, would send %q, %v", p, w.packet, err)
		}
	})
}
