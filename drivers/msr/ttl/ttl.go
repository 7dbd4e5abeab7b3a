// Package ttl reads a magnetic head that delivers levels instead of characters
// (a "TTL" reader on GPIO), one bit a call, into memory that the caller guards.
//
// Lines of such a head, all of them low when active: CLS says that a card is in
// the slot; each track has RDT, its data, and with a strobed head RCL, on whose
// falling edge RDT is a bit, inverted. A head without strobes gives the flux
// changes themselves on RDT (F2F, Aiken biphase): one at each border of a bit,
// and one in the middle of a one. Spacing of the bits by ISO/IEC 7811-6: tracks
// 1 and 3 have 210 bits an inch, track 2 has 75.
//
// The driver knows times, not characters: it never holds more than the bit
// under way, and does not know in which direction the card was pulled. What the
// times do not say for certain it calls lost and never guesses.
//
// It needs each edge with its time (the kernel's, not that of the call). It has
// been run against simulated stripes only.
package ttl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"regi/drivers"
)

// GapDefault is far over the longest bit (3.4 ms on track 2 at 10 cm/s) and
// below the pause before a second swipe.
const GapDefault = 100 * time.Millisecond

// Tracks is how many tracks a head can have.
const Tracks = 3

// ErrEnd is the end of a swipe: the card has left, or stands still.
var ErrEnd = errors.New("ttl: end of swipe")

var errLine = errors.New("ttl: internal error: edge of a line that there is not")

// Line is one line of the head.
type Line uint8

// The lines.
const (
	CardPresent Line = iota // CLS
	Data1                   // RDT of track 1
	Data2
	Data3
	Strobe1 // RCL of track 1
	Strobe2
	Strobe3
	lines
)

// Edge is a change of a line's level.
type Edge struct {
	Line Line
	High bool          // the level after it
	At   time.Duration // on any clock that does not jump
}

// Edges delivers the edges of all lines in their order. Next returns
// os.ErrDeadlineExceeded at the deadline, drivers.ErrClosed and
// drivers.ErrUnplugged.
type Edges interface {
	SetReadDeadline(time.Time) error
	Next() (Edge, error)
}

// Bit is what the head says of one track.
type Bit byte

const (
	oneBit Bit = 1 << iota
	lostBit
	trackShift = iota
)

// Track is 1 to 3.
func (b Bit) Track() uint8 { return uint8(b >> trackShift) }

// One reports whether it is a one; else it is a zero.
func (b Bit) One() bool { return b&oneBit != 0 }

// Lost reports that it is no bit: some were lost, and none of this track follow
// before the end of the swipe.
func (b Bit) Lost() bool { return b&lostBit != 0 }

// Options of a reader. The zero value is a head without strobes.
type Options struct {
	// Strobed: the head has RCL lines.
	Strobed bool
	// Gap is the time without an edge that ends a swipe; zero is GapDefault.
	Gap time.Duration
}

// Reader is one head. It is not safe for use by several goroutines.
type Reader struct {
	edges   Edges
	gap     time.Duration
	strobed bool
	card    bool // CLS says so
	inside  bool // something of a swipe was seen, its end was not
	ending  uint8
	lane    [Tracks]lane
}

// New returns the reader behind the lines of a head.
func New(edges Edges, o Options) *Reader {
	if o.Gap <= 0 {
		o.Gap = GapDefault
	}
	r := &Reader{edges: edges, gap: o.Gap, strobed: o.Strobed}
	r.reset()
	return r
}

// Read puts the next bit of the swipe into b. It waits for the first one as
// long as ctx lasts. It returns ErrEnd after the last, also if a card came and
// went without any, and the errors of the lines. With an error, b is zero.
func (r *Reader) Read(ctx context.Context, b *Bit) error {
	*b = 0
	for {
		if r.ending > 0 {
			return r.end(b)
		}
		edge, err := r.next(ctx)
		switch {
		case r.inside && errors.Is(err, os.ErrDeadlineExceeded),
			r.inside && errors.Is(err, drivers.ErrUnplugged): // the next call says that
			r.ending = 1
			continue
		case err != nil:
			r.reset()
			return fmt.Errorf("ttl: %w", err)
		case edge.Line >= lines:
			r.reset()
			return errLine
		}
		if r.take(edge, b) {
			return nil
		}
	}
}

// take works an edge in; it reports whether that made a bit.
func (r *Reader) take(e Edge, b *Bit) bool {
	switch {
	case e.Line == CardPresent:
		r.card = !e.High
		if e.High && r.inside {
			r.ending = 1
		}
		r.inside = r.inside || r.card
		return false
	case e.Line <= Data3:
		n := uint8(e.Line - Data1)
		if r.strobed {
			r.lane[n].high = e.High
			return false
		}
		return r.say(n, r.lane[n].flux(e.At, e.High), b)
	case !r.strobed:
		return false
	}
	n := uint8(e.Line - Strobe1)
	return r.say(n, r.lane[n].strobe(e.At, e.High), b)
}

// say turns what a lane has found into a bit of its track.
func (r *Reader) say(n uint8, f found, b *Bit) bool {
	if f == nothing {
		return false
	}
	r.inside = true
	*b = Bit(n+1) << trackShift
	switch f {
	case one:
		*b |= oneBit
	case lost:
		*b |= lostBit
	case zero, nothing:
	}
	return true
}

// end delivers what the last edges of the lanes were, then the end.
func (r *Reader) end(b *Bit) error {
	for ; r.ending <= Tracks; r.ending++ {
		if n := r.ending - 1; r.say(n, r.lane[n].flush(r.strobed), b) {
			r.ending++
			return nil
		}
	}
	r.reset()
	return ErrEnd
}

func (r *Reader) reset() {
	r.inside, r.ending = false, 0
	for n := range r.lane {
		r.lane[n] = lane{zeros: zerosWide, high: r.lane[n].high, level: r.lane[n].level}
	}
	r.lane[0].zeros = zerosNarrow
}

// next waits for an edge, without a limit of time between two swipes.
func (r *Reader) next(ctx context.Context) (Edge, error) {
	if ctx.Err() != nil {
		return Edge{}, context.Cause(ctx)
	}
	if r.inside {
		if err := r.edges.SetReadDeadline(time.Now().Add(r.gap)); err != nil {
			return Edge{}, err
		}
		return r.edges.Next()
	}
	if err := r.edges.SetReadDeadline(time.Time{}); err != nil {
		return Edge{}, err
	}
	stop := context.AfterFunc(ctx, func() {
		r.edges.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck,gosec // closed lines have ended the wait by themselves
	})
	defer stop()
	e, err := r.edges.Next()
	if ctx.Err() != nil {
		return Edge{}, context.Cause(ctx)
	}
	return e, err
}
