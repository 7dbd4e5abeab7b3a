package capture

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"regi/drivers"
	"regi/drivers/encreader"
	"regi/drivers/msr/ttl"
	"regi/firmware/capture/internal/jail"
	"regi/firmware/capture/internal/link"
	"regi/firmware/capture/internal/track"
	"regi/firmware/capture/launch"
	"regi/sim/device/card" //nolint:depguard // tests may cross: the simulator's own reading of ISO/IEC 7811 is the judge

	"pgregory.net/rapid"
)

// lines are the lines of a simulated head: what was played is there at once.
type lines struct {
	mu       sync.Mutex
	wake     *sync.Cond
	edges    []ttl.Edge
	deadline time.Time
	gone     bool
}

func newLines() *lines {
	l := &lines{}
	l.wake = sync.NewCond(&l.mu)
	return l
}

func (l *lines) SetReadDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deadline = t
	if !t.IsZero() {
		time.AfterFunc(time.Until(t), l.wake.Broadcast)
	}
	l.wake.Broadcast()
	return nil
}

func (l *lines) Next() (ttl.Edge, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.edges) == 0 {
		switch {
		case l.gone:
			return ttl.Edge{}, fmt.Errorf("lines: %w", drivers.ErrUnplugged)
		case !l.deadline.IsZero() && !time.Now().Before(l.deadline):
			return ttl.Edge{}, os.ErrDeadlineExceeded
		}
		l.wake.Wait()
	}
	e := l.edges[0]
	l.edges = l.edges[1:]
	return e, nil
}

func (l *lines) play(t rapid.TB, c card.Tracks, p card.Pass) {
	t.Helper()
	edges, err := c.Edges(p)
	if err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range edges {
		l.edges = append(l.edges, ttl.Edge{Line: ttl.Line(e.Wire), High: e.High, At: e.At})
	}
	l.wake.Broadcast()
}

// startHead runs Main with a head.
func startHead(t *testing.T, strobed bool) (*counter, *lines) {
	t.Helper()
	l := newLines()
	link, far := packets(t)
	nearKey, farKey := packets(t)
	ctx, cancel := context.WithCancel(t.Context())
	c := &counter{t: t, link: far, cancel: cancel, ended: make(chan error, 1)}
	go keyPacket(testKey)(t, farKey)
	go func() {
		c.ended <- Main(ctx, Options{Head: l, Strobed: strobed, Link: link, Key: nearKey, CBC: true, enter: jail.Harden})
	}()
	t.Cleanup(cancel)
	return c, l
}

// unpack makes a head's sealed plaintext "0" and "1" again, a track a string,
// in the direction in which the card was pulled.
func unpack(plain string) (tracks [3]string) {
	for i, from := range []int{0, 80, 120} {
		size := []int{80, 40, 80}[i]
		var s strings.Builder
		for n := range 8 * size {
			s.WriteByte('0' + plain[from+n/8]>>(7-n%8)&1)
		}
		tracks[i] = strings.TrimRight(s.String(), "0")
	}
	return tracks
}

func TestSealedBits(t *testing.T) {
	for _, strobed := range []bool{false, true} {
		c, l := startHead(t, strobed)
		if s := c.event().Status; s == nil || !s.Ready || s.Suite != "AES128-DUKPT-CTR-CMAC" {
			t.Fatalf("%+v", s)
		}
		var sealed [2][3]string
		for i, backward := range []bool{false, true} {
			l.play(t, card.Tracks{Track1: one, Track2: two}, card.Pass{From: 30, To: 60, Strobed: strobed, Backward: backward})
			r := c.event().Read
			if r == nil {
				t.Fatal("no read")
			}
			if r.Source != "msr-ttl" || r.BIN != "411111" || r.Last4 != "1111" || r.Brand != "visa" || r.Tracks != "12" || !r.Luhn || len(r.CT) != track.StripeBytes {
				t.Errorf("%+v", r)
			}
			sealed[i] = unpack(hostOpen(t, []byte(testIK), r))
		}
		for n := range 2 {
			b := []byte(sealed[1][n])
			for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
				b[i], b[j] = b[j], b[i]
			}
			// The one that comes first in one direction ends the other.
			if forward := sealed[0][n]; !strings.HasPrefix(forward, strings.TrimLeft(string(b), "0")) || len(forward) < 150 {
				t.Errorf("track %d:\n%s\n%s", n+1, forward, b)
			}
		}
		// Bad reads burn their keys, a card without a stripe as well.
		l.play(t, card.Tracks{Track2: two}, card.Pass{From: 30, To: 30, Strobed: strobed, Leave: 50})
		if e := c.event(); e.Failed == "" || !strings.HasPrefix(e.Failed, "track 2: ") {
			t.Errorf("%+v", e)
		}
		l.play(t, card.Tracks{}, card.Pass{From: 30, To: 30, Strobed: strobed})
		if e := c.event(); e.Failed != "no start sentinel" {
			t.Errorf("%+v", e)
		}
		l.play(t, card.Tracks{Track2: two}, card.Pass{From: 30, To: 30, Strobed: strobed})
		if r := c.event().Read; r == nil || r.KSN[16:] != "00000005" {
			t.Errorf("%+v", r)
		}
		l.mu.Lock()
		l.gone = true
		l.wake.Broadcast()
		l.mu.Unlock()
		if s := c.event().Status; s == nil || s.Reason != "reader unplugged" {
			t.Errorf("%+v", s)
		}
		if err := c.end(); !errors.Is(err, drivers.ErrUnplugged) {
			t.Error(err)
		}
	}
}

// Without a key no bit of a card is kept anywhere, and the swipe is refused.
func TestHeadWithoutKey(t *testing.T) {
	near, far := packets(t)
	p := &process{v: &vault{}, link: near}
	p.refuse(link.NoKey)
	l := newLines()
	p.head = ttl.New(l, ttl.Options{})
	l.play(t, card.Tracks{Track2: two}, card.Pass{From: 40, To: 40})
	for {
		if err := p.head.Read(t.Context(), &p.v.bit); err != nil {
			break
		}
		if p.takeBit(); p.v.stream != [link.CipherMax]byte{} || p.v.stripe != (track.Stripe{}) {
			t.Fatal("a bit is kept in the clear")
		}
	}
	if err := p.concludeHead(); err != nil {
		t.Fatal(err)
	}
	if e := (&counter{t: t, link: far}).event(); e.Failed != "no key" {
		t.Errorf("%+v", e)
	}
}

// seen is what the head's driver and the tracks' machine make of passes.
type seen struct {
	fault, tracks, first, last string
	luhn                       bool
}

func look(t rapid.TB, strobed bool, l *lines) seen {
	t.Helper()
	r := ttl.New(l, ttl.Options{Strobed: strobed})
	var s track.Stripe
	for {
		var b ttl.Bit
		err := r.Read(context.Background(), &b)
		if errors.Is(err, ttl.ErrEnd) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if b.Lost() {
			s.Lose(b.Track())
		} else {
			s.Bit(b.Track(), b.One())
		}
	}
	fault, where := s.End()
	if fault != track.None {
		return seen{fault: fault.On(where)}
	}
	out := seen{first: string(s.First()), last: string(s.Last()), luhn: s.Luhn()}
	for n := uint8(1); n <= track.Count; n++ {
		if s.Good(n) {
			out.tracks += string(rune('0' + n))
		}
	}
	return out
}

func swipeHead(t rapid.TB, c card.Tracks, p card.Pass) seen {
	t.Helper()
	l := newLines()
	l.play(t, c, p)
	return look(t, p.Strobed, l)
}

const plain3 = "+011234567890=724724000000000000030300000040400099010=?"

// Any speed from 10 to 150 cm/s, even or not, in both directions, is read.
func TestHeadSpeeds(t *testing.T) {
	all := card.Tracks{Track1: one, Track2: two, Track3: plain3}
	for _, strobed := range []bool{false, true} {
		for _, backward := range []bool{false, true} {
			for _, v := range [][2]float64{{10, 10}, {20, 20}, {50, 50}, {100, 100}, {150, 150}, {10, 40}, {40, 10}, {30, 100}, {100, 30}, {60, 150}, {150, 60}, {15, 150}, {150, 15}} {
				for seed := range uint64(2) {
					p := card.Pass{From: v[0], To: v[1], Strobed: strobed, Backward: backward, Jitter: 0.06, Seed: seed}
					if got := swipeHead(t, all, p); got != (seen{tracks: "123", first: "411111", last: "1111", luhn: true}) {
						t.Errorf("%+v: %+v", p, got)
					}
				}
			}
		}
	}
}

// Short spikes do not matter.
func TestHeadSpikes(t *testing.T) {
	bad := 0
	const passes = 100
	for seed := range uint64(passes) {
		p := card.Pass{From: 20, To: 60, Spikes: 5, Seed: seed, Backward: seed%2 == 1, Strobed: seed%4 > 1}
		switch got := swipeHead(t, card.Tracks{Track1: one, Track2: two}, p); {
		case got.fault != "":
			bad++
			t.Logf("%+v: %s", p, got.fault)
		case got.first != "411111" || got.last != "1111":
			t.Errorf("%+v: %+v", p, got)
		}
	}
	if bad > passes/20 {
		t.Errorf("%d of %d passes with 5 spikes a track are not read", bad, passes)
	}
}

// Half a swipe, and one with gaps, is a bad read that names its track.
func TestHeadPartial(t *testing.T) {
	reasons := map[string]int{}
	for _, strobed := range []bool{false, true} {
		for _, backward := range []bool{false, true} {
			for cut := 12.0; cut < 70; cut += 4 {
				for _, p := range []card.Pass{{Enter: cut}, {Leave: 85 - cut}} {
					p.From, p.To, p.Strobed, p.Backward = 40, 40, strobed, backward
					got := swipeHead(t, card.Tracks{Track2: two}, p)
					// A swipe cut in the zeros behind the data may be whole.
					whole := got.first == "411111" && got.last == "1111" && got.tracks == "2"
					if got.fault == "" && !whole {
						t.Errorf("%+v: %+v", p, got)
					}
					if got.fault != "" && !strings.HasPrefix(got.fault, "track 2: ") {
						t.Errorf("%+v: %q", p, got.fault)
					}
					reasons[got.fault]++
				}
			}
		}
	}
	t.Log(reasons)
	if len(reasons) < 3 {
		t.Errorf("only %v", reasons)
	}
}

// Two swipes are two reads, and one that turns back half-way is none.
func TestHeadTwice(t *testing.T) {
	for _, strobed := range []bool{false, true} {
		l := newLines()
		r := ttl.New(l, ttl.Options{Strobed: strobed})
		good := card.Pass{From: 40, To: 50, Strobed: strobed}
		back := good
		back.Backward = true
		half, restBack := good, back
		half.Leave, restBack.Enter = 40, 45.6
		for i, passes := range [][2]card.Pass{{good, back}, {half, restBack}, {good, good}} {
			read := 0
			for _, p := range passes {
				l.play(t, card.Tracks{Track2: two}, p)
				var s track.Stripe
				var b ttl.Bit
				var err error
				for err = r.Read(t.Context(), &b); err == nil; err = r.Read(t.Context(), &b) {
					if b.Lost() {
						s.Lose(b.Track())
					} else {
						s.Bit(b.Track(), b.One())
					}
				}
				if !errors.Is(err, ttl.ErrEnd) {
					t.Fatal(err)
				}
				if f, _ := s.End(); f == track.None {
					read++
				}
			}
			if want := []int{2, 0, 2}[i]; read != want {
				t.Errorf("strobed %v, case %d: %d reads, want %d", strobed, i, read, want)
			}
		}
	}
}

func luhnRight(number string) bool {
	sum := 0
	for i := range len(number) {
		d := int(number[len(number)-1-i] - '0')
		if i%2 == 1 {
			d = d*2/10 + d*2%10
		}
		sum += d
	}
	return sum%10 == 0
}

// Whatever the hand and the head do, what comes out is this card's number or
// an error with a reason: never another number.
func TestHeadNeverAnotherNumber(t *testing.T) {
	read, missed := 0, map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching(`[0-9]{13,19}`).Draw(t, "number")
		c := card.Tracks{Track2: ";" + number + "=" + rapid.StringMatching(`[0-9]{7,16}`).Draw(t, "rest") + "?"}
		if rapid.Bool().Draw(t, "both") {
			c.Track1 = "%B" + number + "^" + rapid.StringMatching(`[A-Z/ .-]{2,20}`).Draw(t, "name") + "^" + rapid.StringMatching(`[0-9]{7,16}`).Draw(t, "rest1") + "?"
		}
		p := card.Pass{
			From: rapid.Float64Range(10, 150).Draw(t, "from"), To: rapid.Float64Range(10, 150).Draw(t, "to"),
			Backward: rapid.Bool().Draw(t, "backward"), Strobed: rapid.Bool().Draw(t, "strobed"),
			Jitter: rapid.Float64Range(0, 0.3).Draw(t, "jitter"), Missing: rapid.IntRange(0, 3).Draw(t, "missing"),
			Spikes: rapid.IntRange(0, 10).Draw(t, "spikes"), Enter: rapid.SampledFrom([]float64{0, 0, 0, 10, 40}).Draw(t, "enter"),
			Leave: rapid.SampledFrom([]float64{0, 0, 0, 10, 40}).Draw(t, "leave"), Seed: rapid.Uint64().Draw(t, "seed"),
		}
		got := swipeHead(t, c, p)
		if got.fault != "" {
			missed[got.fault]++
			return
		}
		read++
		if got.first != number[:6] || got.last != number[len(number)-4:] || got.luhn != luhnRight(number) {
			t.Fatalf("%s read as %s and %s", number, got.first, got.last)
		}
	})
	t.Log(read, "read", missed)
}

var (
	formats    = map[card.Make]encreader.Format{card.IDTech: encreader.IDTech, card.IDTechAES: encreader.IDTech, card.MagTek: encreader.MagTek}
	suiteWords = map[card.Make]string{card.IDTech: "IDTECH-TDES-DUKPT-CBC", card.IDTechAES: "IDTECH-AES-DUKPT-CBC", card.MagTek: "MAGTEK-TDES-DUKPT-CBC"}
)

// TestPassed runs Pass with a simulated encrypting reader's frames.
func TestPassed(t *testing.T) {
	for _, m := range []card.Make{card.IDTech, card.IDTechAES, card.MagTek} {
		format := formats[m]
		near, far := net.Pipe()
		port := wire{near}
		link, farLink := packets(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c := &counter{t: t, reader: far, link: farLink, cancel: cancel, ended: make(chan error, 1)}
		go func() { c.ended <- Pass(ctx, Options{Port: port, Link: link, enter: jail.Harden}, format) }()
		c.ready()
		reader := card.NewSealing(nil, m, [10]byte{0xFF, 1, 2, 3, 4, 5, 6, 0xE0}, [16]byte{1})
		send := func(tracks card.Tracks) {
			t.Helper()
			frame, err := reader.Frame(tracks)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := far.Write(frame); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 3 {
			send(card.Tracks{Track1: one, Track2: two})
			r := c.event().Read
			if r == nil || r.Source != "encrypting-reader" || r.Suite != suiteWords[m] || r.BIN != "411111" || r.Last4 != "1111" || r.Tracks != "12" || len(r.MAC) != 0 ||
				r.KSN != hex.EncodeToString([]byte{0xFF, 1, 2, 3, 4, 5, 6, 0xE0, 0, byte(i + 1)}) {
				t.Fatalf("%s: %+v", m, r)
			}
		}
		send(card.Tracks{Track1: one, Track2: ";E?"})
		if r := c.event().Read; r == nil || r.Tracks != "1" {
			t.Errorf("%s: %+v", m, r)
		}
		send(card.Tracks{Track1: "%E?", Track2: ";E?"})
		if e := c.event(); e.Failed != "track 2: parity/LRC" {
			t.Errorf("%s: %+v", m, e)
		}
		send(card.Tracks{})
		if e := c.event(); e.Failed != "no start sentinel" {
			t.Errorf("%s: %+v", m, e)
		}
		if _, err := io.WriteString(far, "\x02noise"); err != nil {
			t.Fatal(err)
		}
		if e := c.event(); e.Failed != "damaged frame from the card reader" {
			t.Errorf("%s: %+v", m, e)
		}
		if _, err := farLink.Write(launch.Wipe()); err != nil {
			t.Fatal(err)
		}
		if s := c.event().Status; s == nil || s.Ready || s.Reason != launch.Zeroised() {
			t.Errorf("%s: %+v", m, s)
		}
		send(card.Tracks{Track2: two})
		if e := c.event(); e.Failed != launch.Zeroised() {
			t.Errorf("%s: %+v", m, e)
		}
		if err := far.Close(); err != nil {
			t.Fatal(err)
		}
		if s := c.event().Status; s == nil || s.Reason != "reader unplugged" {
			t.Errorf("%s: %+v", m, s)
		}
		if err := c.end(); !errors.Is(err, drivers.ErrUnplugged) {
			t.Error(err)
		}
	}
}
