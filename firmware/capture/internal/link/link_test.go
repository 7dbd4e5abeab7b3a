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
	case p.Passed != nil:
		return link.AppendPassed(nil, p.Passed)
	}
	return link.AppendRead(nil, p.Read)
}

func digits(n int) *rapid.Generator[[]byte] {
	return rapid.SliceOfN(rapid.ByteRange('0', '9'), n, n)
}

func packets() *rapid.Generator[link.Packet] {
	return rapid.Custom(func(t *rapid.T) link.Packet {
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			s := &link.Status{
				Reason:    link.Reason(rapid.ByteRange(0, byte(link.Refusals-1)).Draw(t, "reason")),
				Suite:     rapid.SampledFrom([]link.Suite{link.CTR, link.CBC}).Draw(t, "suite"),
				SecretMem: rapid.Bool().Draw(t, "mem"), SecretDo: rapid.Bool().Draw(t, "do"),
			}
			for range rapid.IntRange(0, 16).Draw(t, "controls") {
				s.Controls = append(s.Controls, link.Control{Name: rapid.StringMatching(`[a-z-]{1,32}`).Draw(t, "name"), State: link.State(rapid.ByteRange(0, 2).Draw(t, "state"))})
			}
			return link.Packet{Status: s}
		case 1:
			if rapid.Bool().Draw(t, "refused") {
				return link.Packet{Failed: &link.Failed{Refused: link.Reason(rapid.ByteRange(1, byte(link.Refusals-1)).Draw(t, "reason"))}}
			}
			return link.Packet{Failed: &link.Failed{Track: rapid.ByteRange(0, 3).Draw(t, "track"), Fault: rapid.ByteRange(1, 255).Draw(t, "fault")}}
		}
		if rapid.Bool().Draw(t, "passed") {
			return link.Packet{Passed: passed(t)}
		}
		suite, ct := link.CTR, rapid.IntRange(1, 528).Draw(t, "ciphertext")
		if rapid.Bool().Draw(t, "cbc") {
			suite, ct = link.CBC, (ct+15)&^15
		}
		bytesOf := func(min, max int) []byte { return rapid.SliceOfN(rapid.Byte(), min, max).Draw(t, "bytes") }
		return link.Packet{Read: &link.Read{
			Bits:  suite == link.CTR && rapid.Bool().Draw(t, "bits"),
			Suite: suite, KSN: bytesOf(12, 12), First: digits(6).Draw(t, "first"), Brand: rapid.StringMatching(`[a-z]{1,16}`).Draw(t, "brand"),
			Service: digits(rapid.SampledFrom([]int{0, 3}).Draw(t, "service")).Draw(t, "code"),
			Tracks:  rapid.SampledFrom([]uint8{1, 2, 3, 5, 6, 7}).Draw(t, "tracks"), Luhn: rapid.Bool().Draw(t, "luhn"),
			Cipher: bytesOf(ct, ct), MAC: bytesOf(16, 16), Last: digits(4).Draw(t, "last"),
		}}
	})
}

func passed(t *rapid.T) *link.Passed {
	p := &link.Passed{
		Suite: rapid.ByteRange(1, 3).Draw(t, "suite"), KSN: rapid.SliceOfN(rapid.Byte(), 10, 10).Draw(t, "ksn"),
		First: digits(6).Draw(t, "first"), Brand: rapid.StringMatching(`[a-z]{1,16}`).Draw(t, "brand"),
		Service: digits(rapid.SampledFrom([]int{0, 3}).Draw(t, "service")).Draw(t, "code"),
		Tracks:  rapid.SampledFrom([]uint8{1, 2, 3, 5, 6, 7}).Draw(t, "tracks"), Last: digits(4).Draw(t, "last"),
	}
	for i := range p.Cipher {
		if p.Tracks&(1<<i) != 0 {
			n := 8 * rapid.IntRange(1, 14).Draw(t, "blocks")
			p.Cipher[i] = rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "ct")
		}
	}
	return p
}

func TestPassedRefused(t *testing.T) {
	for name, change := range map[string]func(*link.Passed){
		"no suite":           func(p *link.Passed) { p.Suite = 0 },
		"another suite":      func(p *link.Passed) { p.Suite = 4 },
		"short KSN":          func(p *link.Passed) { p.KSN = p.KSN[1:] },
		"letters shown":      func(p *link.Passed) { p.First = []byte("41111A") },
		"seven digits shown": func(p *link.Passed) { p.First = []byte("4111111") },
		"half a block":       func(p *link.Passed) { p.Cipher[1] = p.Cipher[1][:12] },
		"too long":           func(p *link.Passed) { p.Cipher[1] = make([]byte, 120) },
		"read, but not here": func(p *link.Passed) { p.Cipher[1] = nil },
		"here, but not read": func(p *link.Passed) { p.Cipher[2] = make([]byte, 8) },
		"no number":          func(p *link.Passed) { p.Tracks, p.Cipher = 4, [3][]byte{2: make([]byte, 8)} },
	} {
		p := &link.Passed{
			Suite: 1, KSN: make([]byte, 10), First: []byte("411111"), Brand: "visa", Tracks: 2,
			Cipher: [3][]byte{1: make([]byte, 40)}, Last: []byte("1111"),
		}
		if _, err := link.Decode(link.AppendPassed(nil, p)); err != nil {
			t.Fatal(err)
		}
		change(p)
		if _, err := link.Decode(link.AppendPassed(nil, p)); !errors.Is(err, link.ErrPacket) {
			t.Errorf("%s: %v", name, err)
		}
	}
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
	cbc := link.AppendRead(nil, &link.Read{
		Suite: link.CBC, KSN: make([]byte, 12), First: []byte("411111"), Brand: "visa", Tracks: 2,
		Cipher: make([]byte, 15), MAC: make([]byte, 16), Last: []byte("1111"),
	})
	for name, b := range map[string][]byte{
		"nothing":              nil,
		"version":              {1, 'F', 0, 1, 0},
		"kind":                 {2, 'X'},
		"no fault":             {2, 'F', 0, 0, 0},
		"fault and refusal":    {2, 'F', 0, 1, 1},
		"track 4":              {2, 'F', 4, 1, 0},
		"refusal on a track":   {2, 'F', 2, 0, 1},
		"reason":               {2, 'S', byte(link.Refusals), 0, 0, 0, 0},
		"suite":                {2, 'S', 0, 2, 0, 0, 0},
		"truth of two":         {2, 'S', 0, 0, 2, 0, 0},
		"controls":             {2, 'S', 0, 0, 0, 0, 17},
		"state of four":        {1, 'S', 0, 0, 0, 1, 3, 1, 'a'},
		"empty name":           {2, 'S', 0, 0, 0, 0, 1, 1, 0},
		"digits in a name":     {2, 'S', 0, 0, 0, 0, 1, 1, 2, '4', '1'},
		"a part of a block":    cbc,
		"longer than a packet": make([]byte, link.PacketMax+1),
	} {
		if _, err := link.Decode(b); !errors.Is(err, link.ErrPacket) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzLink(f *testing.F) {
	f.Add(link.AppendFailed(nil, link.Failed{Track: 2, Fault: 1}))
	f.Add(link.AppendStatus(nil, &link.Status{Controls: []link.Control{{Name: "no-dump", State: link.On}, {Name: "landlock", State: link.Absent}}}))
	f.Add(link.AppendRead(nil, &link.Read{
		KSN: make([]byte, 12), First: []byte("411111"), Brand: "visa", Service: []byte("101"), Tracks: 3,
		Luhn: true, Cipher: []byte("x"), MAC: make([]byte, 16), Last: []byte("1111"),
	}))
	f.Add(link.AppendPassed(nil, &link.Passed{
		Suite: 2, KSN: make([]byte, 10), First: []byte("411111"), Brand: "visa", Tracks: 2, Cipher: [3][]byte{1: make([]byte, 48)}, Last: []byte("1111"),
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
