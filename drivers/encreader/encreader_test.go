package encreader_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regi/drivers"
	"regi/drivers/driverstest"
	"regi/drivers/encreader"
	"regi/sim/device/card" //nolint:depguard // tests may cross: the simulator's own reading of the manuals is the judge
	"regi/sim/dukpt"       //nolint:depguard // see above

	"pgregory.net/rapid"
)

const (
	text1 = "%B4111111111111111^TEST/CARD^30121010000000000000?"
	text2 = ";4111111111111111=30121010000000000000?"
	text3 = "+014111111111111111=?"
)

var (
	testKSN = dukpt.KSN{0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0, 0}
	makes   = []card.Make{card.IDTech, card.IDTechAES, card.MagTek}
	suites  = map[card.Make]string{card.IDTech: "IDTECH-TDES-DUKPT-CBC", card.IDTechAES: "IDTECH-AES-DUKPT-CBC", card.MagTek: "MAGTEK-TDES-DUKPT-CBC"}
)

func formatOf(m card.Make) encreader.Format {
	if m == card.MagTek {
		return encreader.MagTek
	}
	return encreader.IDTech
}

func frame(t testing.TB, m card.Make, c card.Tracks) []byte {
	t.Helper()
	b, err := card.NewSealing(nil, m, testKSN, dukpt.Key{1, 2, 3}).Frame(c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParse(t *testing.T) {
	for _, m := range makes {
		for _, c := range []struct {
			tracks    card.Tracks
			good, bad uint8
		}{
			{card.Tracks{Track1: text1, Track2: text2, Track3: text3}, 0b111, 0},
			{card.Tracks{Track2: text2}, 0b010, 0},
			{card.Tracks{Track1: text1, Track2: ";E?"}, 0b001, 0b010},
			{card.Tracks{Track1: "%E?", Track2: ";E?"}, 0, 0b011},
			{card.Tracks{}, 0, 0},
		} {
			e, err := formatOf(m).Parse(frame(t, m, c.tracks))
			if err != nil || e.Good != c.good || e.Bad != c.bad {
				t.Errorf("%s: %v, tracks %03b and %03b, want %03b and %03b", m, err, e.Good, e.Bad, c.good, c.bad)
				continue
			}
			if c.good == 0 {
				if e.KSN != nil || e.First != nil || e.CT[1] != nil || e.Suite != "" {
					t.Errorf("%s: something of a bad read", m)
				}
				continue
			}
			if e.Suite != suites[m] || string(e.First) != "411111" || string(e.Last) != "1111" || e.Entry != "swipe" || !bytes.Equal(e.KSN, append(testKSN[:9:9], 1)) {
				t.Errorf("%s: %s %s %s % x", m, e.Suite, e.First, e.Last, e.KSN)
			}
			for n := range e.CT {
				if (len(e.CT[n]) > 0) != (c.good&(1<<n) != 0) || len(e.CT[n])%8 != 0 || len(e.CT[n]) > encreader.TrackMax {
					t.Errorf("%s: track %d of %d bytes", m, n+1, len(e.CT[n]))
				}
			}
		}
	}
}

// seal makes the frame's two sums right again.
func seal(b []byte) {
	var x, sum byte
	for _, c := range b[3 : len(b)-3] {
		x ^= c
		sum += c
	}
	b[len(b)-3], b[len(b)-2] = x, sum
}

func TestIDTechRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func([]byte) []byte
		want   error
	}{
		"LRC":              {func(b []byte) []byte { b[len(b)-3] ^= 1; return b }, drivers.ErrFrame},
		"checksum":         {func(b []byte) []byte { b[len(b)-2] ^= 1; return b }, drivers.ErrFrame},
		"ETX":              {func(b []byte) []byte { b[len(b)-1] = 4; return b }, drivers.ErrFrame},
		"STX":              {func(b []byte) []byte { b[0] = 1; return b }, drivers.ErrFrame},
		"a byte less":      {func(b []byte) []byte { return b[:len(b)-1] }, drivers.ErrFrame},
		"a byte more":      {func(b []byte) []byte { return append(b, 0) }, drivers.ErrFrame},
		"too long":         {func(b []byte) []byte { b[2] = 9; return b }, drivers.ErrTooLong},
		"nothing":          {func([]byte) []byte { return nil }, drivers.ErrFrame},
		"old format":       {func(b []byte) []byte { b[3] = 0; seal(b); return b }, drivers.ErrFrame},
		"AAMVA":            {func(b []byte) []byte { b[3] = 0x81; seal(b); return b }, encreader.ErrKind},
		"raw":              {func(b []byte) []byte { b[3] = 0x84; seal(b); return b }, encreader.ErrKind},
		"unknown cipher":   {func(b []byte) []byte { b[8] |= 0x20; seal(b); return b }, drivers.ErrFrame},
		"not encrypted":    {func(b []byte) []byte { b[9] &^= 2; seal(b); return b }, encreader.ErrClear},
		"no KSN":           {func(b []byte) []byte { b[9] &^= 0x80; seal(b); return b }, drivers.ErrFrame},
		"session, not all": {func(b []byte) []byte { b[9] |= 0x40; seal(b); return b }, drivers.ErrFrame},
		"longer track":     {func(b []byte) []byte { b[6]++; seal(b); return b }, drivers.ErrFrame},
		"track over all":   {func(b []byte) []byte { b[6] = 200; seal(b); return b }, drivers.ErrFrame},
		"bits of track 3":  {func(b []byte) []byte { b[8] |= 4; seal(b); return b }, drivers.ErrFrame},
		"seven digits":     {func(b []byte) []byte { b[10+7] = '1'; seal(b); return b }, encreader.ErrShows},
		"five digits":      {func(b []byte) []byte { b[10+6] = '*'; seal(b); return b }, encreader.ErrShows},
		"no last digits":   {func(b []byte) []byte { b[10+16] = '*'; seal(b); return b }, encreader.ErrShows},
		"more after it":    {func(b []byte) []byte { copy(b[10+20:], "11111111"); seal(b); return b }, encreader.ErrShows},
		"no number":        {func(b []byte) []byte { copy(b[10+1:], "*=************"); seal(b); return b }, encreader.ErrKind},
	} {
		if _, err := encreader.IDTech.Parse(c.change(frame(t, card.IDTech, card.Tracks{Track2: text2}))); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMagTekRefused(t *testing.T) {
	at2 := 508 + 112
	for name, c := range map[string]struct {
		change func([]byte) []byte
		want   error
	}{
		"a byte less":      {func(b []byte) []byte { return b[:len(b)-1] }, drivers.ErrFrame},
		"a byte more":      {func(b []byte) []byte { return append(b, 0) }, drivers.ErrFrame},
		"status":           {func(b []byte) []byte { b[1] = 2; return b }, drivers.ErrFrame},
		"bad, with bytes":  {func(b []byte) []byte { b[1] = 1; return b }, drivers.ErrFrame},
		"not encrypted":    {func(b []byte) []byte { b[4] = byte(len(text2)); return b }, encreader.ErrClear},
		"masked only":      {func(b []byte) []byte { b[4] = 0; return b }, encreader.ErrClear},
		"no keys":          {func(b []byte) []byte { clear(b[495:505]); return b }, encreader.ErrClear},
		"too long":         {func(b []byte) []byte { b[4] = 120; return b }, drivers.ErrFrame},
		"AAMVA":            {func(b []byte) []byte { b[6] = 1; return b }, encreader.ErrKind},
		"masked with zero": {func(b []byte) []byte { copy(b[at2+7:], "000000"); return b }, encreader.ErrShows},
		"other card on 1":  {func(b []byte) []byte { b[at2+1] = '5'; return b }, drivers.ErrFrame},
	} {
		if _, err := encreader.MagTek.Parse(c.change(frame(t, card.MagTek, card.Tracks{Track1: text1, Track2: text2}))); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRead(t *testing.T) {
	for _, m := range makes {
		synctest.Test(t, func(t *testing.T) {
			near, far := driverstest.Pipe(t)
			r := encreader.New(near, formatOf(m), encreader.Options{})
			b := make([]byte, encreader.FrameMax)
			good := frame(t, m, card.Tracks{Track1: text1, Track2: text2})
			write := func(p []byte) {
				go io.Copy(far, bytes.NewReader(p)) //nolint:errcheck // the reader sees it
			}
			for range 2 {
				write(good)
				if n, err := r.Read(t.Context(), b); err != nil || !bytes.Equal(b[:n], good) {
					t.Fatalf("%s: %d, %v", m, n, err)
				}
			}
			// Half a frame is given up after a pause, and the next one is whole.
			write(good[:100])
			if _, err := r.Read(t.Context(), b); !errors.Is(err, drivers.ErrFrame) || !bytes.Equal(b, make([]byte, len(b))) {
				t.Errorf("%s: half a frame: %v", m, err)
			}
			if m != card.MagTek {
				write([]byte(strings.Repeat("noise", 30)))
				if _, err := r.Read(t.Context(), b); !errors.Is(err, drivers.ErrFrame) {
					t.Errorf("%s: noise: %v", m, err)
				}
			}
			write(good)
			if n, err := r.Read(t.Context(), b); err != nil || !bytes.Equal(b[:n], good) {
				t.Errorf("%s: afterwards: %v", m, err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Hour, cancel)
			if _, err := r.Read(ctx, b); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", m, err)
			}
			far.Close() //nolint:errcheck,gosec // unplugged
			if _, err := r.Read(t.Context(), b); !errors.Is(err, drivers.ErrUnplugged) {
				t.Errorf("%s: %v", m, err)
			}
			if _, err := r.Read(t.Context(), b[1:]); err == nil {
				t.Error("a room of another size")
			}
		})
	}
}

// Any change of a frame is refused or changes nothing that matters.
func TestChangedFrames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		good, err := card.NewSealing(nil, card.IDTech, testKSN, dukpt.Key{9}).Frame(card.Tracks{Track1: text1, Track2: text2})
		if err != nil {
			t.Fatal(err)
		}
		at := rapid.IntRange(0, len(good)-1).Draw(t, "at")
		good[at] ^= rapid.ByteRange(1, 255).Draw(t, "by")
		if _, err := encreader.IDTech.Parse(good); err == nil {
			t.Fatalf("byte %d", at)
		}
	})
}

// What is read from any frame shows six digits and four, and no more.
func FuzzParse(f *testing.F) {
	for _, m := range makes {
		f.Add(frame(f, m, card.Tracks{Track1: text1, Track2: text2, Track3: text3}), m == card.MagTek)
		f.Add(frame(f, m, card.Tracks{Track2: ";E?"}), m == card.MagTek)
	}
	digits := regexp.MustCompile(`^[0-9]*$`)
	f.Fuzz(func(t *testing.T, b []byte, magtek bool) {
		format := encreader.IDTech
		if magtek {
			format = encreader.MagTek
		} else if len(b) > 6 {
			seal(b)
		}
		e, err := format.Parse(b)
		if err != nil || e.Good == 0 {
			if err != nil && strings.ContainsAny(err.Error(), "*") {
				t.Fatal(err)
			}
			return
		}
		if len(e.First) != 6 || len(e.Last) != 4 || len(e.Service)%3 != 0 || len(e.Service) > 3 || len(e.KSN) != 10 || e.Good&e.Bad != 0 || e.Good > 7 || e.Suite == "" {
			t.Fatalf("%d %d %d %d %b %b", len(e.First), len(e.Last), len(e.Service), len(e.KSN), e.Good, e.Bad)
		}
		for _, s := range [][]byte{e.First, e.Last, e.Service} {
			if !digits.Match(s) {
				t.Fatalf("%q", s)
			}
		}
		for n, ct := range e.CT {
			if len(ct)%8 != 0 || len(ct) > encreader.TrackMax || len(ct) > 0 != (e.Good&(1<<n) != 0) {
				t.Fatal(len(ct))
			}
		}
	})
}
