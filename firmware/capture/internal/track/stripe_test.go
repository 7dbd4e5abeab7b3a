package track_test

import (
	"math/bits"
	"strings"
	"testing"
	"unsafe"

	"regi/firmware/capture/internal/track"

	"pgregory.net/rapid"
)

// The encoding side, as ISO/IEC 7811-6 has it.

var wired = map[byte]struct {
	track, bits uint8
	base, start byte
}{'%': {1, 7, 0x20, 0x05}, ';': {2, 5, 0x30, 0x0B}, '+': {3, 5, 0x30, 0x0B}}

// wire is the bits of a track, given with its sentinels: "0" and "1".
func wire(text string) string {
	k := wired[text[0]]
	var s strings.Builder
	sum := byte(0)
	put := func(c byte) {
		sum ^= c
		for i := range k.bits - 1 {
			s.WriteByte('0' + c>>i&1)
		}
		s.WriteByte('1' - byte(bits.OnesCount8(c)&1))
	}
	put(k.start)
	for i := range len(text) - 1 {
		put(text[1+i] - k.base)
	}
	put(sum)
	return s.String()
}

func reverse(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

const silence = "0000000000000000"

// pull gives the stripe one track's bits and returns its region.
func pull(s *track.Stripe, t uint8, bits string) (kept [track.StripeBytes]byte) {
	for i := range len(bits) {
		if place, keep := s.Bit(t, bits[i] == '1'); keep {
			kept[place/8] |= (bits[i] - '0') << (7 - place%8)
		}
	}
	return kept
}

const plain3 = "+011234567890=724724000000000000030300000040400099010=?"

func TestStripeBothWays(t *testing.T) {
	for name, c := range map[string]struct {
		in                           []string
		tracks, first, last, service string
		luhn                         bool
	}{
		"both":         {[]string{one, two}, "12", "411111", "1111", "101", true},
		"three":        {[]string{one, two, plain3}, "123", "411111", "1111", "101", true},
		"track 1":      {[]string{one}, "1", "411111", "1111", "101", true},
		"track 2":      {[]string{two}, "2", "411111", "1111", "101", true},
		"15 digits":    {[]string{";378282246310005=2812201?"}, "2", "378282", "0005", "201", true},
		"19 digits":    {[]string{";6304000000000000000=2812201?"}, "2", "630400", "0000", "201", true},
		"13 digits":    {[]string{";4222222222222=2812201?"}, "2", "422222", "2222", "201", true},
		"check digit":  {[]string{";4111111111111112=2812101?"}, "2", "411111", "1112", "101", false},
		"no date":      {[]string{";4000000000000002==2012345?"}, "2", "400000", "0002", "201", true},
		"nothing else": {[]string{";4000000000000002=?"}, "2", "400000", "0002", "", true},
		"empty name":   {[]string{"%B4000000000000002^^2812201?"}, "1", "400000", "0002", "201", true},
	} {
		for _, way := range []string{"forward", "backward"} {
			var s track.Stripe
			for _, text := range c.in {
				bits := silence + wire(text) + silence
				if way == "backward" {
					bits = reverse(bits)
				}
				pull(&s, wired[text[0]].track, bits)
			}
			f, where := s.End()
			if f != track.None {
				t.Errorf("%s %s: %s", name, way, f.On(where))
				continue
			}
			var tracks []byte
			for n := uint8(1); n <= track.Count; n++ {
				if s.Good(n) {
					tracks = append(tracks, '0'+n)
				}
			}
			service := c.service
			if way == "backward" {
				service = ""
			}
			if string(tracks) != c.tracks || string(s.First()) != c.first || string(s.Last()) != c.last || string(s.Service()) != service || s.Luhn() != c.luhn {
				t.Errorf("%s %s: %s %s %s %s %v", name, way, tracks, s.First(), s.Last(), s.Service(), s.Luhn())
			}
			if s.Reset(); s != (track.Stripe{}) {
				t.Error("reset leaves something")
			}
		}
	}
}

func TestStripeFaults(t *testing.T) {
	flip := func(s string, at int) string { return s[:at] + string(rune(s[at]^1)) + s[at+1:] }
	w := wire(two)
	for name, c := range map[string]struct{ one, two, want string }{
		"nothing":            {"", "", "no start sentinel"},
		"zeros":              {"", silence, "no start sentinel"},
		"one bit wrong":      {"", flip(w, 30), "track 2: parity/LRC"},
		"two in a character": {"", flip(flip(w, 30), 31), "track 2: LRC does not fit"},
		"cut":                {"", w[:60], "track 2: no end sentinel"},
		"LRC cut":            {"", w[:len(w)-5], "track 2: LRC does not fit"},
		"noise after":        {"", w + "1", "track 2: extra bytes after the end sentinel"},
		"start missing":      {"", w[5:], "track 2: no start sentinel"},
		"empty":              {"", wire(";?"), "track 2: empty"},
		"twice start":        {"", wire(";4111;"), "track 2: wrong character"},
		"no number":          {"", wire(";12=34?"), "no card number"},
		"too long":           {"", wire(";" + strings.Repeat("1", 39) + "?"), "track 2: too long"},
		"endless":            {"", w[:len(w)-15] + strings.Repeat("00001", 100), "track 2: too long"},
		"track 1 bad alone":  {flip(wire(one), 100), "", "track 1: parity/LRC"},
		"backward cut":       {"", reverse(w)[:100], "track 2: no start sentinel"},
		"other card":         {wire(strings.Replace(one, "B411111111", "B411111211", 1)), w, "tracks 1 and 2 are of different cards"},
		"both directions":    {wire(one), reverse(w), "tracks 1 and 2 are of different cards"},
	} {
		var s track.Stripe
		pull(&s, 1, silence+c.one)
		pull(&s, 2, silence+c.two)
		if f, where := s.End(); f.On(where) != c.want {
			t.Errorf("%s: %q, want %q", name, f.On(where), c.want)
		}
	}
}

func TestStripeLost(t *testing.T) {
	var s track.Stripe
	pull(&s, 2, wire(two)[:40])
	s.Lose(2)
	pull(&s, 2, wire(two)[40:]+silence)
	if f, where := s.End(); f.On(where) != "track 2: bits lost" || s.FaultOf(2) != track.Lost {
		t.Error(f.On(where))
	}
	s.Reset()
	pull(&s, 2, wire(two)+silence)
	s.Lose(2) // the end of the stripe
	if f, where := s.End(); f != track.None {
		t.Error(f.On(where))
	}
}

// The region holds the bits as they came, and nothing of a bad track's rest.
func TestStripeRegions(t *testing.T) {
	var s track.Stripe
	for i, text := range []string{one, two, plain3} {
		bits := wire(text)
		kept := pull(&s, uint8(i+1), silence+bits+silence)
		from := []int{0, 80, 120, track.StripeBytes}[i]
		for at := range 8 * track.StripeBytes {
			got := kept[at/8] >> (7 - at%8) & 1
			want := byte(0)
			if n := at - 8*from; n >= 0 && n < len(bits) {
				want = bits[n] - '0'
			}
			if got != want {
				t.Fatalf("track %d, bit %d", i+1, at)
			}
		}
	}
}

// At no time do more than six digits of a number stand in a row.
func TestStripeNoDigitRun(t *testing.T) {
	for _, bits := range []string{wire(two), reverse(wire(two))} {
		var s track.Stripe
		memory := unsafe.Slice((*byte)(unsafe.Pointer(&s)), unsafe.Sizeof(s)) //nolint:gosec // to look at it as a scraper does
		for i := range len(bits) {
			s.Bit(2, bits[i] == '1')
			run := 0
			for _, b := range memory {
				if run++; b < '0' || b > '9' {
					run = 0
				}
				if run > 6 {
					t.Fatal("more than six digits in a row")
				}
			}
		}
	}
}

// Up to three wrong bits, one too many or one too few never make another number:
// parity and LRC see that. Two slips that make up for each other may; it is the
// head's driver that sees them, by their time.
func TestStripeNeverAnotherNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching(`[0-9]{13,19}`).Draw(t, "number")
		text := ";" + number + "=" + rapid.StringMatching(`[0-9]{7,16}`).Draw(t, "rest") + "?"
		bits := wire(text)
		if rapid.Bool().Draw(t, "backward") {
			bits = reverse(bits)
		}
		at := rapid.IntRange(0, len(bits)-1)
		switch slip := at.Draw(t, "slip"); rapid.IntRange(0, 2).Draw(t, "what") {
		case 0:
			bits = bits[:slip] + bits[slip+1:]
		case 1:
			bits = bits[:slip] + string(rune('0'+rapid.IntRange(0, 1).Draw(t, "bit"))) + bits[slip:]
		case 2:
			for range rapid.IntRange(0, 3).Draw(t, "flips") {
				i := at.Draw(t, "at")
				bits = bits[:i] + string(rune(bits[i]^1)) + bits[i+1:]
			}
		}
		var s track.Stripe
		pull(&s, 2, bits+silence)
		if f, where := s.End(); f != track.None {
			if !f.Known() || where > 2 {
				t.Fatalf("%s", f.On(where))
			}
			return
		}
		if string(s.First()) != number[:6] || string(s.Last()) != number[len(number)-4:] || s.Luhn() != (luhn(number, 0) == 0) {
			t.Fatalf("%s read as %s...%s", text, s.First(), s.Last())
		}
	})
}

// FuzzStripe: any bits of any tracks end in a fault or in digits.
func FuzzStripe(f *testing.F) {
	pack := func(bits string, t byte) []byte {
		b := make([]byte, len(bits))
		for i := range b {
			b[i] = t<<1 | bits[i] - '0'
		}
		return b
	}
	f.Add(pack(wire(two), 2))
	f.Add(append(pack(reverse(wire(one)), 1), pack(reverse(wire(two)), 2)...))
	f.Fuzz(func(t *testing.T, in []byte) {
		var s track.Stripe
		for _, b := range in {
			n := b >> 1 & 3
			if n == 0 {
				s.Lose(b>>3%3 + 1)
			} else if place, keep := s.Bit(n, b&1 == 1); keep && (place < 0 || place >= 8*track.StripeBytes) {
				t.Fatal(place)
			}
		}
		if fault, where := s.End(); fault != track.None {
			if !fault.Known() || where > track.Count {
				t.Fatal(fault, where)
			}
			return
		}
		for _, digits := range [][]byte{s.First(), s.Last()} {
			for _, d := range digits {
				if d < '0' || d > '9' {
					t.Fatalf("%q", d)
				}
			}
		}
	})
}
