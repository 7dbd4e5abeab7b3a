package link_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"regi/firmware/capture/internal/link"

	"pgregory.net/rapid"
)

func encode(p link.Packet) []byte {
	switch {
	case p.Status != nil:
		return link.AppendStatus(nil, p.Status)
	case p.Failed != nil:
		return link.AppendFailed(nil, *p.Failed)
	}
	return link.AppendRead(nil, p.Read)
}

func digits(n int) *rapid.Generator[[]byte] {
	return rapid.SliceOfN(rapid.ByteRange('0', '9'), n, n)
}

func packets() *rapid.Generator[link.Packet] {
	return rapid.Custom(func(t *rapid.T) link.Packet {
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			s := &link.Status{
				Reason:    link.Reason(rapid.ByteRange(0, 4).Draw(t, "reason")),
				SecretMem: rapid.Bool().Draw(t, "mem"), SecretDo: rapid.Bool().Draw(t, "do"),
			}
			for range rapid.IntRange(0, 16).Draw(t, "controls") {
				s.Controls = append(s.Controls, link.Control{Name: rapid.StringMatching(`[a-z-]{1,32}`).Draw(t, "name"), On: rapid.Bool().Draw(t, "on")})
			}
			return link.Packet{Status: s}
		case 1:
			if rapid.Bool().Draw(t, "refused") {
				return link.Packet{Failed: &link.Failed{Refused: link.Reason(rapid.ByteRange(1, 4).Draw(t, "reason"))}}
			}
			return link.Packet{Failed: &link.Failed{Track: rapid.ByteRange(0, 3).Draw(t, "track"), Fault: rapid.ByteRange(1, 255).Draw(t, "fault")}}
		}
		bytesOf := func(min, max int) []byte { return rapid.SliceOfN(rapid.Byte(), min, max).Draw(t, "bytes") }
		return link.Packet{Read: &link.Read{
			KSN: bytesOf(12, 12), First: digits(6).Draw(t, "first"), Brand: rapid.StringMatching(`[a-z]{1,16}`).Draw(t, "brand"),
			Service: digits(rapid.SampledFrom([]int{0, 3}).Draw(t, "service")).Draw(t, "code"),
			Tracks:  rapid.SampledFrom([]uint8{1, 2, 3, 5, 6, 7}).Draw(t, "tracks"), Luhn: rapid.Bool().Draw(t, "luhn"),
			Cipher: bytesOf(1, 512), MAC: bytesOf(16, 16), Last: digits(4).Draw(t, "last"),
		}}
	})
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := packets().Draw(t, "packet")
		b := encode(p)
		got, err := link.Decode(b)
		if err != nil {
			t.Fatalf("% x: %v", b, err)
		}
		if again := encode(got); !bytes.Equal(again, b) {
			t.Fatalf("% x became % x", b, again)
		}
		if p.Status != nil && !reflect.DeepEqual(got, p) {
			t.Fatalf("%+v became %+v", p.Status, got.Status)
		}
		// No part of a packet is a packet, nor is more than one.
		cut := rapid.IntRange(0, len(b)-1).Draw(t, "cut")
		if _, err := link.Decode(b[:cut]); !errors.Is(err, link.ErrPacket) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if _, err := link.Decode(append(b, 0)); !errors.Is(err, link.ErrPacket) {
			t.Fatalf("one byte more: %v", err)
		}
	})
}

// The first six and the last four digits do not touch in a packet.
func TestEndsStandApart(t *testing.T) {
	b := link.AppendRead(nil, &link.Read{
		KSN: make([]byte, 12), First: []byte("411111"), Brand: "visa", Tracks: 2,
		Cipher: make([]byte, 1), MAC: make([]byte, 16), Last: []byte("1111"),
	})
	first, last := bytes.Index(b, []byte("411111")), bytes.LastIndex(b, []byte("1111"))
	if first < 0 || last-first-6 < 16 {
		t.Errorf("at %d and %d", first, last)
	}
}

func TestRefused(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing":              nil,
		"version":              {2, 'F', 0, 1, 0},
		"kind":                 {1, 'X'},
		"no fault":             {1, 'F', 0, 0, 0},
		"fault and refusal":    {1, 'F', 0, 1, 1},
		"track 4":              {1, 'F', 4, 1, 0},
		"refusal on a track":   {1, 'F', 2, 0, 1},
		"reason":               {1, 'S', 5, 0, 0, 0},
		"truth of two":         {1, 'S', 0, 2, 0, 0},
		"controls":             {1, 'S', 0, 0, 0, 17},
		"empty name":           {1, 'S', 0, 0, 0, 1, 1, 0},
		"digits in a name":     {1, 'S', 0, 0, 0, 1, 1, 2, '4', '1'},
		"longer than a packet": make([]byte, link.PacketMax+1),
	} {
		if _, err := link.Decode(b); !errors.Is(err, link.ErrPacket) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzLink(f *testing.F) {
	f.Add(link.AppendFailed(nil, link.Failed{Track: 2, Fault: 1}))
	f.Add(link.AppendStatus(nil, &link.Status{Controls: []link.Control{{Name: "no-dump", On: true}}}))
	f.Add(link.AppendRead(nil, &link.Read{
		KSN: make([]byte, 12), First: []byte("411111"), Brand: "visa", Service: []byte("101"), Tracks: 3,
		Luhn: true, Cipher: []byte("x"), MAC: make([]byte, 16), Last: []byte("1111"),
	}))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := link.Decode(b)
		if err != nil {
			if !errors.Is(err, link.ErrPacket) {
				t.Fatal(err)
			}
			return
		}
		if again := encode(p); !bytes.Equal(again, b) {
			t.Fatalf("% x became % x", b, again)
		}
	})
}
