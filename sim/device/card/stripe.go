package card

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"time"
)

// Measures of a card and its stripe, in millimetres (ISO/IEC 7810 ID-1 and
// 7811-6: the first bit of data is 7.44 mm from the edge).
const (
	cardLength = 85.6
	firstBit   = 7.44
	edgeBlank  = 0.5 // where the zeros begin and end
	inch       = 25.4
)

// recorded is how a track stands on the stripe: its bits an inch, bits a
// character with parity, what the reader adds to the data bits, and the data
// bits of its start sentinel.
type recorded struct {
	perInch   float64
	bits      int
	base      byte
	start     byte
	charsMost int
}

//nolint:gochecknoglobals // the table of ISO/IEC 7811-6
var stripe = [3]recorded{
	{perInch: 210, bits: 7, base: 0x20, start: 0x05, charsMost: 79},
	{perInch: 75, bits: 5, base: 0x30, start: 0x0B, charsMost: 40},
	{perInch: 210, bits: 5, base: 0x30, start: 0x0B, charsMost: 107},
}

var errTrack = errors.New("card: text that does not fit on a stripe")

// Wires of a head, as Edge.Wire: CLS, then RDT of tracks 1 to 3 at 1 to 3, then
// RCL at 4 to 6.
const (
	WireCLS = 0
	WireRDT = 1
	WireRCL = 4
)

// Edge is a change of level on one wire of a head.
type Edge struct {
	Wire int
	High bool
	At   time.Duration
}

// Pass is one way of pulling a card through a head without a decoder.
type Pass struct {
	// From and To are the speeds at the card's two ends, in cm/s; between them
	// the acceleration is constant.
	From, To float64
	Backward bool
	Strobed  bool
	// Jitter is how far a flux change may be off, as a part of a bit.
	Jitter float64
	// Missing flux changes (or strobes) and Spikes are strewn over the data of
	// all tracks.
	Missing, Spikes int
	// Enter and Leave cut the pass short: millimetres of the card that are not
	// pulled past the head at its beginning and end.
	Enter, Leave float64
	// Seed decides where the faults are.
	Seed uint64
}

// head is a pass being played.
type head struct {
	Pass
	dice *rand.Rand
	out  []Edge
}

// Edges is what a head says of a card that is pulled through it, CLS included.
// A track is given with its sentinels and without an LRC.
func (t Tracks) Edges(p Pass) ([]Edge, error) {
	h := &head{Pass: p, dice: rand.New(rand.NewPCG(p.Seed, 1))} //nolint:gosec // a test must be repeatable
	end := h.when(cardLength-p.Leave) + time.Millisecond
	h.out = []Edge{{WireCLS, false, 0}, {WireCLS, true, end}}
	for i, text := range []string{t.Track1, t.Track2, t.Track3} {
		if text == "" {
			continue
		}
		data, err := stripe[i].encode(text)
		if err != nil {
			return nil, err
		}
		if p.Strobed {
			h.strobe(i, data)
		} else {
			h.flux(i, data)
		}
	}
	slices.SortStableFunc(h.out, func(a, b Edge) int { return cmp.Compare(a.At, b.At) })
	return h.out, nil
}

// encode is the bits of a track from start sentinel to LRC.
func (r *recorded) encode(text string) ([]bool, error) {
	if len(text) < 2 || len(text) > r.charsMost {
		return nil, errTrack
	}
	var out []bool
	sum := byte(0)
	put := func(c byte) {
		sum ^= c
		for b := range r.bits - 1 {
			out = append(out, c>>b&1 == 1)
		}
		out = append(out, bits.OnesCount8(c)%2 == 0)
	}
	put(r.start)
	for i := 1; i < len(text); i++ {
		c := text[i] - r.base
		if int(c) >= 1<<(r.bits-1) {
			return nil, errTrack
		}
		put(c)
	}
	put(sum)
	return out, nil
}

// when is the time at which the head has passed x millimetres of the card:
// the square of the speed grows evenly with the way.
func (h *head) when(x float64) time.Duration {
	from, to := h.From*10, h.To*10 // mm/s
	speed := func(x float64) float64 { return math.Sqrt(from*from + (to*to-from*from)*x/cardLength) }
	start, v := speed(h.Enter), speed(x)
	seconds := 2 * (x - h.Enter) / (start + v)
	return time.Millisecond + time.Duration(seconds*float64(time.Second))
}

// cell is one bit of a track and where it begins.
type cell struct {
	at   float64
	one  bool
	data bool
}

// cells are all bits of a track in the order in which the head meets them.
func (h *head) cells(r *recorded, data []bool) []cell {
	width := inch / r.perInch
	var out []cell
	n := len(data)
	for i := -int((firstBit - edgeBlank) / width); ; i++ {
		at := firstBit + float64(i)*width
		if at+width > cardLength-edgeBlank {
			break
		}
		inData := i >= 0 && i < n
		out = append(out, cell{at: at, one: inData && data[i], data: inData})
	}
	if h.Backward {
		slices.Reverse(out)
		for i := range out {
			out[i].at = cardLength - out[i].at - width
		}
	}
	return out
}

// flux plays a track of a head without strobes: RDT changes at each border of
// a bit, and in the middle of a one (ISO/IEC 7811-6, two-frequency encoding).
func (h *head) flux(track int, data []bool) {
	width := inch / stripe[track].perInch
	var at []float64
	var choice []int // of those that may go missing
	for _, c := range h.cells(&stripe[track], data) {
		for half := range 2 {
			if half == 1 && !c.one {
				continue
			}
			if c.data {
				choice = append(choice, len(at))
			}
			at = append(at, c.at+float64(half)*width/2+h.shake()*width)
		}
	}
	gone := h.pick(choice)
	var times []time.Duration
	for i, x := range at {
		if x >= h.Enter && x <= cardLength-h.Leave && !gone[i] {
			times = append(times, h.when(x))
		}
	}
	h.toggle(WireRDT+track, times)
}

// strobe plays a track of a head with strobes: RDT is set at the beginning of
// a bit, inverted, and RCL falls in the middle of it.
func (h *head) strobe(track int, data []bool) {
	width := inch / stripe[track].perInch
	cells := h.cells(&stripe[track], data)
	var choice []int
	for i, c := range cells {
		if c.data {
			choice = append(choice, i)
		}
	}
	gone := h.pick(choice)
	var strobes []time.Duration
	for i, c := range cells {
		if c.at < h.Enter || c.at+width > cardLength-h.Leave {
			continue
		}
		h.out = append(h.out, Edge{WireRDT + track, !c.one, h.when(c.at)})
		middle := c.at + width/2 + h.shake()*width
		if !gone[i] {
			strobes = append(strobes, h.when(middle), h.when(middle+width/5))
		}
	}
	h.toggle(WireRCL+track, strobes)
}

// toggle plays a wire that changes at some times, and at the spikes.
func (h *head) toggle(wire int, times []time.Duration) {
	times = append(times, h.spikes(times)...)
	slices.Sort(times)
	for i, t := range times {
		h.out = append(h.out, Edge{wire, i%2 == 1, t})
	}
}

func (h *head) shake() float64 { return h.Jitter * (2*h.dice.Float64() - 1) }

// pick chooses what goes missing.
func (h *head) pick(from []int) map[int]bool {
	gone := map[int]bool{}
	for range h.Missing {
		gone[from[h.dice.IntN(len(from))]] = true
	}
	return gone
}

// spikes are pairs of edges a few microseconds apart.
func (h *head) spikes(among []time.Duration) (out []time.Duration) {
	if len(among) < 2 {
		return nil
	}
	first, last := among[0], among[len(among)-1]
	for range h.Spikes {
		at := first + time.Duration(h.dice.Int64N(int64(last-first)))
		out = append(out, at, at+time.Duration(1+h.dice.IntN(8))*time.Microsecond)
	}
	return out
}

// Format keeps the times of a card's bits out of logs, whatever the verb.
func (Edge) Format(f fmt.State, _ rune) {
	io.WriteString(f, "[edge]") //nolint:errcheck,gosec // fmt has no use for it
}
