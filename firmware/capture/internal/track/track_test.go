package track_test

import (
	"strings"
	"testing"
	"unsafe"

	"regi/firmware/capture/internal/track"

	"pgregory.net/rapid"
)

const (
	one   = "%B4111111111111111^TEST/CARD^28121010000000000?"
	two   = ";4111111111111111=28121010000000000?"
	three = "+011234567890=724724000000000000030300XX040400099010=?"
)

// feed gives the machine a whole swipe, and returns what it kept of it.
func feed(m *track.Machine, s string) (kept []byte) {
	for i := range len(s) {
		if m.Byte(s[i]) {
			kept = append(kept, s[i])
		}
	}
	return kept
}

func goodTracks(m *track.Machine) string {
	var s []byte
	for t := uint8(1); t <= track.Count; t++ {
		if m.Good(t) {
			s = append(s, '0'+t)
		}
	}
	return string(s)
}

func TestGoodReads(t *testing.T) {
	track3 := strings.ReplaceAll(three, "X", "0")
	for name, c := range map[string]struct {
		in, tracks, first, last, code string
		luhn                          bool
	}{
		"both":              {one + two, "12", "411111", "1111", "101", true},
		"all three":         {one + two + track3, "123", "411111", "1111", "101", true},
		"track 1 only":      {one, "1", "411111", "1111", "101", true},
		"track 2 only":      {two, "2", "411111", "1111", "101", true},
		"1 unreadable":      {"%E?" + two, "2", "411111", "1111", "101", true},
		"2 unreadable":      {one + ";E?", "1", "411111", "1111", "101", true},
		"3 unreadable":      {one + two + "+E?", "12", "411111", "1111", "101", true},
		"check digit":       {";4111111111111112=2812101?", "2", "411111", "1112", "101", false},
		"15 digits":         {";378282246310005=2812201?", "2", "378282", "0005", "201", true},
		"19 digits":         {";6304000000000000000=2812201?", "2", "630400", "0000", "201", true},
		"no date":           {";4000000000000002==2012345?", "2", "400000", "0002", "201", true},
		"no date, no code":  {";4000000000000002===1234?", "2", "400000", "0002", "", true},
		"no service code":   {";4000000000000002=2812=123?", "2", "400000", "0002", "", true},
		"nothing after":     {";4000000000000002=?", "2", "400000", "0002", "", true},
		"name with hyphen":  {"%B4000000000000002^O'NEIL-X/A.B ^2812201?", "1", "400000", "0002", "201", true},
		"1 is no bank card": {"%A0000000000000000^X?" + two, "12", "411111", "1111", "101", true},
	} {
		t.Run(name, func(t *testing.T) {
			var m track.Machine
			kept := feed(&m, c.in)
			if f, where := m.End(false); f != track.None {
				t.Fatal(f.On(where))
			}
			if string(kept) != c.in || m.Len() != len(c.in) {
				t.Errorf("kept %d, length %d of %d", len(kept), m.Len(), len(c.in))
			}
			if got := goodTracks(&m); got != c.tracks {
				t.Errorf("tracks %s, want %s", got, c.tracks)
			}
			if string(m.First()) != c.first || string(m.Last()) != c.last || string(m.Service()) != c.code || m.Luhn() != c.luhn {
				t.Errorf("%s %s %s %v", m.First(), m.Last(), m.Service(), m.Luhn())
			}
			m.Reset()
			if m != (track.Machine{}) {
				t.Error("reset leaves something")
			}
		})
	}
}

func TestBadReads(t *testing.T) {
	long2 := ";" + strings.Repeat("1", 16) + "=" + strings.Repeat("0", 22) + "?" // 41
	for name, c := range map[string]struct {
		in   string
		want string
	}{
		"track 2 unreadable":      {";E?", "track 2: parity/LRC"},
		"both unreadable":         {"%E?;E?", "track 2: parity/LRC"},
		"track 1 unreadable":      {"%E?", "track 1: parity/LRC"},
		"no number, 1 bad":        {"%E?;123=?", "track 1: parity/LRC"},
		"only 3 read":             {"+123?", "no card number"},
		"no start":                {"4111=?", "no start sentinel"},
		"noise first":             {"\x00" + two, "no start sentinel"},
		"no end":                  {";4111111111111111=28", "track 2: no end sentinel"},
		"start in the middle":     {"%B4111111111111111^A" + two, "track 1: no end sentinel"},
		"two swipes run on":       {";411111111" + two, "track 2: no end sentinel"},
		"empty":                   {"%?" + two, "track 1: empty"},
		"letter on 2":             {";4111A11111111111=?", "track 2: wrong character"},
		"E and more":              {";E1?", "track 2: wrong character"},
		"small letter on 1":       {"%Ba?", "track 1: wrong character"},
		"high bit":                {"%B4\xb1?", "track 1: wrong character"},
		"order":                   {two + one, "track 1: out of order"},
		"twice":                   {two + two, "track 2: out of order"},
		"too long 2":              {long2, "track 2: too long"},
		"LRC":                     {";1=?9", "track 2: LRC does not fit"},
		"extra":                   {";1=?\n", "track 2: extra bytes after the end sentinel"},
		"extra after LRC":         {";1=?88", "track 2: extra bytes after the end sentinel"},
		"number too short":        {";411111111111=2812101?", "no card number"},
		"number too long":         {";41111111111111111111=2812101?", "no card number"},
		"separator in the number": {";4111:111111111111=2812?", "no card number"},
		"other card on 1":         {strings.Replace(one, "1111^", "1129^", 1) + two, "tracks 1 and 2 are of different cards"},
		"middle differs":          {strings.Replace(one, "411111111", "411111211", 1) + two, "tracks 1 and 2 are of different cards"},
		"nothing":                 {"", "no start sentinel"},
	} {
		t.Run(name, func(t *testing.T) {
			var m track.Machine
			feed(&m, c.in)
			if f, where := m.End(false); f.On(where) != c.want || !f.Known() {
				t.Errorf("%q, want %q", f.On(where), c.want)
			}
		})
	}
}

func TestStopped(t *testing.T) {
	var m track.Machine
	feed(&m, two)
	if f, where := m.End(true); f.On(where) != "swipe stopped half-way" {
		t.Errorf("a swipe without line end: %s", f.On(where))
	}
	m.Reset()
	feed(&m, two[:9])
	if f, where := m.End(true); f.On(where) != "track 2: no end sentinel" {
		t.Errorf("half a track: %s", f.On(where))
	}
}

func TestOverlong(t *testing.T) {
	var m track.Machine
	kept := feed(&m, one+strings.Repeat("?", 5000))
	if len(kept) != track.BytesMax {
		t.Errorf("kept %d bytes", len(kept))
	}
	if f, _ := m.End(false); f == track.None {
		t.Error("taken for good")
	}
	m.Reset()
	// 512 bytes of which each is legal where it stands cannot be had from three
	// tracks; the limit is for the keystream all the same.
	if kept = feed(&m, strings.Repeat("\xff", 600)); len(kept) != 0 {
		t.Errorf("kept %d bytes without a start sentinel", len(kept))
	}
}

// The LRC of track 1 may look like the start sentinel of track 2 or 3. Only
// the character after it tells.
func TestLRCLooksLikeStart(t *testing.T) {
	for _, sentinel := range []byte{';', '+'} {
		found := 0
		for a := byte('A'); a <= 'Z'; a++ {
			for b := byte('0'); b <= '9'; b++ {
				p := piece{track: 1, data: "B4111111111111111^" + string(a) + string(b) + "^2812101"}
				if lrc(p) != sentinel {
					continue
				}
				found++
				track1 := "%" + p.data + "?"
				for in, tracks := range map[string]string{
					track1 + string(sentinel):                "1",
					track1 + two:                             "12",
					track1 + string(sentinel) + two:          "12",
					track1 + string(sentinel) + "+12?":       "13",
					track1 + "+12?":                          "13",
					track1 + string(sentinel) + two + "+12?": "123",
				} {
					var m track.Machine
					feed(&m, in)
					if f, where := m.End(false); f != track.None {
						t.Errorf("%s: %s", in, f.On(where))
					}
					if got := goodTracks(&m); got != tracks {
						t.Errorf("%s: tracks %s, want %s", in, got, tracks)
					}
					if want := strings.LastIndexByte(in, '?') + 1; m.Len() != want {
						t.Errorf("%s: length %d, want %d", in, m.Len(), want)
					}
				}
			}
		}
		if found == 0 {
			t.Errorf("no track 1 with LRC %c", sentinel)
		}
	}
}

// The worked check of ISO/IEC 7811-2: ;1=? has B^1^D^F = 8.
func TestWorkedLRC(t *testing.T) {
	if c := lrc(piece{track: 2, data: "1="}); c != '8' {
		t.Errorf("model: %c", c)
	}
	var m track.Machine
	feed(&m, ";1=?8")
	if f, _ := m.End(false); f != track.NoNumber {
		t.Error(f)
	}
}

// At no time do eight digits of a number stand in a row in the machine.
func TestNoDigitRun(t *testing.T) {
	var m track.Machine
	memory := unsafe.Slice((*byte)(unsafe.Pointer(&m)), unsafe.Sizeof(m)) //nolint:gosec // to look at it as a scraper does
	for _, c := range []byte(one + two) {
		m.Byte(c)
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

// judge compares the machine with the model.
func judge(t rapid.TB, in string) {
	t.Helper()
	var m track.Machine
	kept := feed(&m, in)
	f, where := m.End(false)
	want := read(in)
	if (f == track.None) != want.good {
		t.Errorf("%q: machine says %q, model %v", in, f.On(where), want.good)
		return
	}
	if m.Len() > len(kept) || len(kept) > track.BytesMax || !strings.HasSuffix(in, string(kept)) && len(in) <= track.BytesMax {
		t.Errorf("%q: kept %q, length %d", in, kept, m.Len())
	}
	if f != track.None {
		return
	}
	if m.Len() != want.length || goodTracks(&m) != want.tracks || string(m.Service()) != want.code ||
		string(m.First()) != want.number[:6] || string(m.Last()) != want.number[len(want.number)-4:] || m.Luhn() != (luhn(want.number, 0) == 0) {
		t.Errorf("%q: machine %d %s %s %s %s %v, model %+v", in, m.Len(), goodTracks(&m), m.First(), m.Last(), m.Service(), m.Luhn(), want)
	}
}

// Swipes drawn near the good ones, with a few characters changed.
func TestMachineAgreesWithModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching(`[0-9]{12,20}`).Draw(t, "number")
		date := rapid.SampledFrom([]string{"2812", "=", "", "28"}).Draw(t, "date")
		code := rapid.SampledFrom([]string{"101", "=", "", "1"}).Draw(t, "code")
		name := rapid.StringMatching(`[A-Z/ ]{0,6}`).Draw(t, "name")
		caret := strings.NewReplacer("=", "^")
		in := ""
		for _, p := range []piece{
			{track: 1, data: "B" + number + "^" + name + "^" + caret.Replace(date+code) + "0"},
			{track: 2, data: number + "=" + date + code + "0"},
			{track: 3, data: "01" + number},
		} {
			s := string("%;+"[p.track-1])
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
			case 1:
				in += s + "E?"
			case 2, 3:
				in += s + p.data + "?" + string(lrc(p))
			default:
				in += s + p.data + "?"
			}
		}
		for range rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "changes") {
			if len(in) == 0 {
				break
			}
			at := rapid.IntRange(0, len(in)-1).Draw(t, "at")
			c := rapid.SampledFrom([]string{"", "?", ";", "%", "+", "=", "^", "E", "5", "A", " ", "\n"}).Draw(t, "c")
			in = in[:at] + c + in[at+rapid.IntRange(0, 1).Draw(t, "cut"):]
		}
		judge(t, in)
	})
}

func FuzzTrack(f *testing.F) {
	for _, s := range []string{one, two, three, one + two, "%E?;E?+E?", ";1=?8", "", "%?", one + ";" + two} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) { judge(t, in) })
}
