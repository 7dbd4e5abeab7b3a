package ttl

import "time"

// Limits of what can be a bit, by its length: 10 cm/s on track 2 is 3.39 ms,
// 150 cm/s on tracks 1 and 3 is 81 µs.
const (
	cellMin = 40 * time.Microsecond
	cellMax = 8 * time.Millisecond
	// spikeMax: before the speed is known, two edges so close are a spike.
	spikeMax = 15 * time.Microsecond
)

// Zeros that lead in, of equal length, before anything counts: more than can
// stand in a row within data ("0" after "1" is 8 of them on 5-bit tracks, "!"
// and a blank are 12 on track 1), so that half a swipe is not taken for a
// whole one. A stripe has about 22 of them on track 2, 60 on the others.
const (
	zerosWide   = 10
	zerosNarrow = 14
)

type found uint8

const (
	nothing found = iota
	zero
	one
	lost
)

// lane is the state of one track: times of the last edges, no bit of the card
// but the one under way.
type lane struct {
	zeros   int
	high    bool // RDT, of a strobed head
	level   level
	bit     bool          // RDT when RCL fell
	waiting bool          // an edge that may be the front of a spike
	edge    time.Duration // when it was
	started bool
	changes int           // so far, at most changesMin
	last    time.Duration // the flux change or strobe before it
	run     int           // equal lengths in a row; synchronous from zeros on
	cell    time.Duration // length of a bit
	half    time.Duration // first half of a one; 0: none
	data    bool          // a one was delivered
	over    bool          // bits were lost
}

type level uint8

const (
	unknown level = iota
	low
	up
)

// flux takes a flux change. An edge is believed when the next has come and was
// not right behind it: the two would be a spike.
func (l *lane) flux(at time.Duration, high bool) found {
	now := low
	if high {
		now = up
	}
	torn := l.level == now // an edge between the two was not delivered
	l.level = now
	if torn {
		l.waiting = false
		return l.lose()
	}
	if !l.waiting {
		l.waiting, l.edge = true, at
		return nothing
	}
	before := l.edge
	if at-before < l.spike() {
		l.waiting = false
		return nothing
	}
	l.edge = at
	return l.change(before)
}

func (l *lane) spike() time.Duration {
	if l.run < l.zeros {
		return spikeMax
	}
	return l.cell / 8
}

// flush takes the last flux change, which no other follows. Of a track that
// changed all the time without a beginning it says that all was lost.
func (l *lane) flush(strobed bool) found {
	f := nothing
	if l.waiting && !strobed {
		l.waiting = false
		f = l.change(l.edge)
	}
	if f != one && !l.data && !l.over && l.changes >= changesMin {
		l.over = true
		return lost
	}
	return f
}

// changesMin is how many changes are more than noise.
const changesMin = 32

// change takes a flux change that is none of a spike.
func (l *lane) change(at time.Duration) found {
	length, first := at-l.last, !l.started
	l.last, l.started, l.changes = at, true, min(l.changes+1, changesMin)
	switch {
	case l.over || first:
		return nothing
	case l.run < l.zeros:
		l.settle(length)
		return nothing
	case l.half > 0:
		whole := l.half + length
		if !within(length, l.cell, 2, 6) || !l.fits(whole) {
			return l.lose()
		}
		l.half = 0
		l.adapt(whole)
		l.data = true
		return one
	case within(length, l.cell, 2, 6):
		l.half = length
		return nothing
	case l.fits(length):
		l.adapt(length)
		return zero
	}
	return l.lose()
}

// strobe takes an edge of RCL. RDT counts as it was when RCL fell, and only
// once RCL has been low for longer than a spike.
func (l *lane) strobe(at time.Duration, high bool) found {
	if !high {
		torn := l.waiting // it rose in between, and nobody said so
		l.waiting, l.edge, l.bit = true, at, !l.high
		if torn {
			return l.lose()
		}
		return nothing
	}
	if !l.waiting || at-l.edge < l.strobeSpike() {
		l.waiting = false
		return nothing
	}
	l.waiting = false
	return l.struck(l.edge, l.bit)
}

// struck takes a strobe that is no spike.
func (l *lane) struck(at time.Duration, bit bool) found {
	length, first := at-l.last, !l.started
	if !first && l.data && 4*length < l.cell {
		return nothing // the second half of one that a spike has cut
	}
	l.last, l.started, l.changes = at, true, min(l.changes+1, changesMin)
	switch {
	case l.over:
		return nothing
	case first:
	case !l.data: // the head's own beginning is not even
		l.cell = length
	case !l.fits(length):
		return l.lose()
	default:
		l.adapt(length)
	}
	if !bit {
		return zero
	}
	l.data = true
	return one
}

func (l *lane) strobeSpike() time.Duration {
	if l.cell == 0 {
		return spikeMax
	}
	return l.cell / 8
}

// settle looks for zeros of one length.
func (l *lane) settle(length time.Duration) {
	switch {
	case length < cellMin || length > cellMax:
		l.run = 0
	case l.run > 0 && within(length, l.cell, 6, 10):
		l.adapt(length)
		l.run++
	default:
		l.cell, l.run = length, 1
	}
}

// fits reports whether a bit can have become so long since the last one.
func (l *lane) fits(length time.Duration) bool { return within(length, l.cell, 6, 11) }

// within reports whether a length is from low to high eighths of a cell.
func within(length, cell time.Duration, low, high int64) bool {
	return 8*length >= cell*time.Duration(low) && 8*length < cell*time.Duration(high)
}

// adapt follows the speed: by a quarter each bit, as hands are not even.
func (l *lane) adapt(length time.Duration) { l.cell += (length - l.cell) / 4 }

// lose gives the track up, or what was before its first one: that was noise.
func (l *lane) lose() found {
	l.run, l.half = 0, 0
	if !l.data || l.over {
		return nothing
	}
	l.over = true
	return lost
}
