package ttl_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regi/drivers"
	"regi/drivers/msr/ttl"
	"regi/sim/device/card" //nolint:depguard // tests may cross: the simulator's own reading of ISO/IEC 7811 is the judge
)

// wires are the lines of a simulated head.
type wires struct {
	edges    chan ttl.Edge
	gone     chan struct{}
	deadline atomic.Pointer[time.Time]
	changed  chan struct{}
}

func newWires() *wires {
	return &wires{edges: make(chan ttl.Edge, 8192), gone: make(chan struct{}), changed: make(chan struct{}, 1)}
}

func (w *wires) SetReadDeadline(t time.Time) error {
	w.deadline.Store(&t)
	select {
	case w.changed <- struct{}{}:
	default:
	}
	return nil
}

func (w *wires) Next() (ttl.Edge, error) {
	for {
		var late <-chan time.Time
		if d := w.deadline.Load(); d != nil && !d.IsZero() {
			late = time.After(time.Until(*d))
		}
		select {
		case e := <-w.edges:
			return e, nil
		default:
		}
		select {
		case e := <-w.edges:
			return e, nil
		case <-w.changed:
		case <-late:
			return ttl.Edge{}, os.ErrDeadlineExceeded
		case <-w.gone:
			return ttl.Edge{}, fmt.Errorf("gpio: %w", drivers.ErrUnplugged)
		}
	}
}

// play lets the head deliver the edges of a card.
func (w *wires) play(t *testing.T, c card.Tracks, p card.Pass) {
	t.Helper()
	edges, err := c.Edges(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range edges {
		w.edges <- ttl.Edge{Line: ttl.Line(e.Wire), High: e.High, At: e.At}
	}
}

// swipe reads the bits of one swipe: "0", "1", and "x" where some were lost.
func swipe(t *testing.T, r *ttl.Reader) (tracks [4]string, err error) {
	t.Helper()
	for {
		var b ttl.Bit
		if err := r.Read(t.Context(), &b); err != nil {
			if b != 0 {
				t.Error("a bit with an error")
			}
			return tracks, err
		}
		s := "0"
		switch {
		case b.Lost():
			s = "x"
		case b.One():
			s = "1"
		}
		tracks[b.Track()] += s
	}
}

const (
	text1 = "%B4111111111111111^TEST/CARD^30121010000000000000?"
	text2 = ";4111111111111111=30121010000000000000?"
	text3 = "+014111111111111111=?"
)

// bits2 is ";4111111111111111=30121010000000000000?" and its LRC as bits.
var bits2 = ones("11010 00100 " + strings.Repeat("10000 ", 15) + "10110 11001 00001 10000 01000 10000 00001 10000 00001" + strings.Repeat(" 00001", 12) + " 11111 ")

func ones(s string) string { return strings.ReplaceAll(s, " ", "") }

func TestBits(t *testing.T) {
	for _, strobed := range []bool{false, true} {
		for _, backward := range []bool{false, true} {
			w := newWires()
			r := ttl.New(w, ttl.Options{Strobed: strobed})
			w.play(t, card.Tracks{Track1: text1, Track2: text2, Track3: text3}, card.Pass{From: 30, To: 50, Strobed: strobed, Backward: backward})
			tracks, err := swipe(t, r)
			if !errors.Is(err, ttl.ErrEnd) {
				t.Error(err)
			}
			got := tracks[2]
			if backward {
				b := []byte(got)
				for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
					b[i], b[j] = b[j], b[i]
				}
				got = string(b)
			}
			if got = strings.TrimLeft(got, "0"); !strings.HasPrefix(got, bits2) {
				t.Errorf("strobed %v, backward %v:\n%s\n%s", strobed, backward, got, bits2)
			}
			for n := 1; n <= 3; n++ {
				if strings.Contains(tracks[n], "x") {
					t.Errorf("strobed %v, backward %v: track %d lost", strobed, backward, n)
				}
			}
		}
	}
}

func TestEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWires()
		r := ttl.New(w, ttl.Options{})
		// CLS stays low: the swipe ends by itself.
		edges, err := card.Tracks{Track2: text2}.Edges(card.Pass{From: 30, To: 30})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range edges[:len(edges)-1] {
			w.edges <- ttl.Edge{Line: ttl.Line(e.Wire), High: e.High, At: e.At}
		}
		began := time.Now()
		if tracks, err := swipe(t, r); !errors.Is(err, ttl.ErrEnd) || !strings.Contains(tracks[2], bits2) {
			t.Error(err)
		}
		if took := time.Since(began); took != ttl.GapDefault {
			t.Error(took)
		}
		// A card that says nothing is a swipe, too.
		w.edges <- ttl.Edge{Line: ttl.CardPresent, At: time.Hour}
		w.edges <- ttl.Edge{Line: ttl.CardPresent, High: true, At: time.Hour + time.Second}
		if tracks, err := swipe(t, r); !errors.Is(err, ttl.ErrEnd) || tracks != [4]string{} {
			t.Error(tracks, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Hour, cancel)
		var b ttl.Bit
		if err := r.Read(ctx, &b); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if err := r.Read(ctx, &b); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		close(w.gone)
		if err := r.Read(t.Context(), &b); !errors.Is(err, drivers.ErrUnplugged) {
			t.Error(err)
		}
	})
}

func TestLostIsSaidOnceAndNothingAfter(t *testing.T) {
	lost := 0
	for seed := range uint64(50) {
		w := newWires()
		r := ttl.New(w, ttl.Options{})
		w.play(t, card.Tracks{Track1: text1, Track2: text2}, card.Pass{From: 40, To: 40, Missing: 3, Seed: seed})
		tracks, err := swipe(t, r)
		if !errors.Is(err, ttl.ErrEnd) {
			t.Fatal(err)
		}
		for n := 1; n <= 2; n++ {
			if i := strings.IndexByte(tracks[n], 'x'); i >= 0 {
				lost++
				if i != len(tracks[n])-1 {
					t.Errorf("seed %d: %q", seed, tracks[n][i:])
				}
			}
		}
	}
	if lost < 60 {
		t.Errorf("%d of 100 tracks with missing flux changes were noticed here", lost)
	}
}

// What the times between flux changes mean, after 20 zeros and a one.
func TestTimes(t *testing.T) {
	const cell = 400 * time.Microsecond
	for name, c := range map[string]struct {
		times []int // in hundredths of a bit
		want  string
	}{
		"zeros":               {[]int{100, 100, 100}, "000"},
		"ones":                {[]int{50, 50, 50, 50}, "11"},
		"uneven one":          {[]int{35, 65, 100}, "10"},
		"slower":              {[]int{110, 120, 130, 140}, "0000"},
		"faster":              {[]int{90, 85, 80, 75}, "0000"},
		"spike":               {[]int{40, 3, 57, 100}, "00"},
		"spike in a one":      {[]int{50, 20, 3, 27, 100}, "10"},
		"border missing":      {[]int{200, 100}, "x"},
		"missing before one":  {[]int{150, 50, 100}, "x"},
		"missing after one":   {[]int{50, 150, 100}, "x"},
		"half a one":          {[]int{50, 100, 100}, "x"},
		"twice as fast, once": {[]int{20, 100}, "x"},
		"stops":               {[]int{100, 1000}, "0x"},
	} {
		w := &tape{}
		at, high := time.Second, false
		edge := func(after time.Duration) {
			at += after
			w.edges = append(w.edges, ttl.Edge{Line: ttl.Data2, High: high, At: at})
			high = !high
		}
		for range 21 {
			edge(cell)
		}
		edge(cell / 2)
		edge(cell / 2)
		for _, n := range c.times {
			edge(cell * time.Duration(n) / 100)
		}
		tracks, err := swipe(t, ttl.New(w, ttl.Options{}))
		if got := strings.TrimLeft(tracks[2], "0"); got != "1"+c.want || !errors.Is(err, ttl.ErrEnd) {
			t.Errorf("%s: %s, %v, want 1%s", name, got, err, c.want)
		}
	}
}

// tape is edges that are there already, and then no more lines.
type tape struct{ edges []ttl.Edge }

func (*tape) SetReadDeadline(time.Time) error { return nil }

func (p *tape) Next() (ttl.Edge, error) {
	if len(p.edges) == 0 {
		return ttl.Edge{}, drivers.ErrUnplugged
	}
	e := p.edges[0]
	p.edges = p.edges[1:]
	return e, nil
}

// FuzzEdges: any edges end in bits or an end; none of them hangs or panics.
func FuzzEdges(f *testing.F) {
	edges, err := card.Tracks{Track2: text2}.Edges(card.Pass{From: 30, To: 30})
	if err != nil {
		f.Fatal(err)
	}
	var seed []byte
	last := time.Duration(0)
	for _, e := range edges {
		high := byte(0)
		if e.High {
			high = 1
		}
		seed = append(seed, byte(e.Wire)<<1|high, byte(min(255, (e.At-last)/(10*time.Microsecond))))
		last = e.At
	}
	f.Add(seed, false)
	f.Add(seed, true)
	f.Fuzz(func(t *testing.T, in []byte, strobed bool) {
		w := &tape{}
		at := time.Duration(0)
		for ; len(in) >= 2; in = in[2:] {
			at += time.Duration(in[1]) * 10 * time.Microsecond
			w.edges = append(w.edges, ttl.Edge{Line: ttl.Line(in[0] >> 1), High: in[0]&1 == 1, At: at})
		}
		most := len(w.edges) + 10
		r := ttl.New(w, ttl.Options{Strobed: strobed})
		var over [4]bool
		for range 2 * most {
			var b ttl.Bit
			err := r.Read(t.Context(), &b)
			switch {
			case errors.Is(err, drivers.ErrUnplugged):
				return
			case err != nil:
				if b != 0 {
					t.Fatal("a bit with an error")
				}
				over = [4]bool{}
			case b.Track() < 1 || b.Track() > 3 || over[b.Track()]:
				t.Fatal("a bit of no track, or after the end of one")
			case b.Lost():
				over[b.Track()] = true
			}
		}
		t.Fatal("no end")
	})
}
