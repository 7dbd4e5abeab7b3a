package track_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"regi/sim/hsm/internal/track"
)

// Published test numbers only.
const (
	visa   = "4111111111111111"
	amex   = "378282246310005"
	longer = "6304000000000000000" // 19 digits
	one    = "%B" + visa + "^TEST/CARD^28121010000000000?"
	two    = ";" + visa + "=28121010000000000?"
	three  = "+01" + visa + "=0000?"
)

func lrc(base byte, start byte, data string) string {
	sum := start ^ ('?' - base)
	for i := 1; i < len(data)-1; i++ {
		sum ^= data[i] - base
	}
	return string([]byte{base + sum})
}

const (
	oneLRC = "I"
	twoLRC = "5"
)

// ISO/IEC 7811-6's check worked by hand: ";1=?" has LRC 8.
func TestLRCByHand(t *testing.T) {
	if got := lrc(0x30, 0x0B, ";1=?"); got != "8" {
		t.Fatalf("%q: the test's own sum is wrong", got)
	}
	if a, b := lrc(0x20, 0x05, one), lrc(0x30, 0x0B, two); a != oneLRC || b != twoLRC {
		t.Fatalf("%q and %q", a, b)
	}
}

func TestNumber(t *testing.T) {
	for _, c := range []struct{ swipe, number string }{
		{one, visa},
		{two, visa},
		{one + two, visa},
		{one + two + three, visa},
		{one + oneLRC + two + twoLRC + three, visa},
		{one + two + twoLRC + three, visa},
		{"%E?" + two, visa},
		{one + ";E?", visa},
		{one + ";E?+E?", visa},
		{";" + amex + "=2812?", amex},
		{";" + amex + "=?", amex},
		{";" + amex + "==101?", amex},
		{";" + amex + "=2812=00?", amex},
		{";" + longer + "=28121010000000000?", longer},
		{"%B" + visa + "^?", visa},
		{"%B" + visa + "^A^?", visa},
		{"%B" + visa + "^A^^^?", visa},
		{"%BX^?" + two, visa}, // track 1 is another application's
	} {
		swipe := []byte(c.swipe)
		got, err := track.Number(swipe)
		if err != nil || string(got) != c.number {
			t.Errorf("%q: %d digits, %v", c.swipe, len(got), err)
		}
		clear(swipe)
		if len(bytes.Trim(got, "\x00")) != 0 {
			t.Errorf("%q: the number was copied", c.swipe)
		}
	}
}

func TestRefused(t *testing.T) {
	for swipe, want := range map[string]error{
		"":                          track.ErrSwipe,
		visa:                        track.ErrSwipe,
		" " + two:                   track.ErrSwipe,
		two + " ":                   track.ErrSwipe,
		two + "\r":                  track.ErrSwipe,
		two[:len(two)-1]:            track.ErrSwipe,
		two[1:]:                     track.ErrSwipe,
		two + one:                   track.ErrSwipe, // out of order
		two + two:                   track.ErrSwipe,
		two + twoLRC:                track.ErrSwipe, // a sealed swipe ends before it
		one + "!" + two:             track.ErrSwipe,
		one + oneLRC + " " + two:    track.ErrSwipe,
		"??":                        track.ErrSwipe,
		";?":                        track.ErrSwipe,
		"%?" + two:                  track.ErrSwipe,
		";" + visa + "=28A2?":       track.ErrSwipe,
		";" + visa + "\x00=2812?":   track.ErrSwipe,
		";" + visa + "%=2812?":      track.ErrSwipe,
		"%b" + visa + "^A^?":        track.ErrSwipe,
		strings.Repeat("?", 600):    track.ErrSwipe,
		"%E?;E?":                    track.ErrNumber,
		three:                       track.ErrNumber,
		";" + visa + "?":            track.ErrNumber, // no separator
		";" + visa[:12] + "=2812?":  track.ErrNumber, // too short to hide its middle
		";" + longer + "0=2812?":    track.ErrNumber,
		";" + visa + "=28?":         track.ErrNumber,
		";" + visa + "=281210?":     track.ErrNumber,
		";" + visa + "=28=2?":       track.ErrNumber,
		"%A" + visa + "^X^2812?":    track.ErrNumber,
		"%B" + visa + "X^2812?":     track.ErrNumber,
		"%B" + visa + "^X^28?":      track.ErrNumber,
		one + ";" + amex + "=2812?": track.ErrDisagree,
		";" + visa + "=2812" + strings.Repeat("0", 18) + "?":           track.ErrSwipe, // 41 characters
		"%B" + visa + "^" + strings.Repeat("A", 59) + "^2?":            track.ErrSwipe, // 80 characters and more
		one + two + "+" + strings.Repeat("0", 106) + "?":               track.ErrSwipe,
		one + two + "+" + strings.Repeat("0", track.SwipeMax) + "?":    track.ErrSwipe,
		"%B" + visa + "^TEST/CARD^" + strings.Repeat("?", 3) + two[1:]: track.ErrSwipe,
	} {
		if got, err := track.Number([]byte(swipe)); !errors.Is(err, want) || got != nil {
			t.Errorf("%q: %d digits, %v", swipe, len(got), err)
		}
	}
}

func TestLuhn(t *testing.T) {
	for number, want := range map[string]bool{
		visa: true, amex: true, "4000000000000002": true, "4000000000009995": true, "4000000000000119": true,
		"79927398713": true, "4111111111111112": false, "378282246310050": false, "": false,
	} {
		if track.Luhn([]byte(number)) != want {
			t.Errorf("%d digits: want %v", len(number), want)
		}
	}
}

// Whatever was sealed, Number finds no more than a run of digits in it, and
// the sealed length is never exceeded.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{one, two, one + two + three, one + oneLRC + two + twoLRC + three, "%E?" + two, ";E?", "%%??", one + "%?" + two} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, swipe []byte) {
		before := bytes.Clone(swipe)
		number, err := track.Number(swipe)
		if !bytes.Equal(before, swipe) {
			t.Fatal("the swipe was written to")
		}
		if err != nil {
			if number != nil {
				t.Fatalf("%v and a number", err)
			}
			return
		}
		if len(number) < 13 || len(number) > 19 || strings.Trim(string(number), "0123456789") != "" || !bytes.Contains(swipe, number) {
			t.Fatal("no card number")
		}
		// Nothing may stand before the first or after the last sentinel.
		for _, more := range [][]byte{append([]byte("1"), swipe...), append(bytes.Clone(swipe), '1')} {
			if n, err := track.Number(more); err == nil {
				t.Fatalf("%d digits with a byte too many", len(n))
			}
		}
	})
}

func TestCut(t *testing.T) {
	for text, want := range map[string]string{
		";1=?8": ";1=?", ";1=?": ";1=?", ";1=?9": "", ";1=?88": "", ";1=": "", "": "", "?": "",
	} {
		if got, whole := track.Cut(1, []byte(text)); string(got) != want || whole != (want != "") {
			t.Errorf("%q: %q, %v", text, got, whole)
		}
	}
}

// FuzzFromBits: any bits become tracks between sentinels, in their order.
func FuzzFromBits(f *testing.F) {
	f.Add(make([]byte, track.BitsSize))
	f.Add(append(append(make([]byte, 80), 0xD2, 0x10, 0x84, 0x21), make([]byte, 116)...))
	f.Fuzz(func(t *testing.T, in []byte) {
		plain := make([]byte, track.BitsSize)
		copy(plain, in)
		swipe, err := track.FromBits(nil, plain)
		if err != nil || len(swipe) > 79+40+107 || len(swipe) > 0 && swipe[len(swipe)-1] != '?' {
			t.Fatalf("%q, %v", swipe, err)
		}
		if _, err := track.FromBits(nil, plain[1:]); err == nil {
			t.Fatal("fewer bits")
		}
		if n, err := track.Number(swipe); err == nil && (len(n) < 13 || len(n) > 19) {
			t.Fatal(len(n))
		}
	})
}
