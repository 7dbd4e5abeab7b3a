// Package track reads the tracks of a magnetic stripe (ISO/IEC 7811-6 and
// 7813) from one character at a time and keeps no character of them but those
// that may be shown.
package track

// Limits, in characters.
const (
	// BytesMax bounds one swipe: three full tracks and their LRCs are 229.
	BytesMax = 512
	// Count is the number of tracks.
	Count = 3
	// digitsMin and digitsMax bound a card number (ISO/IEC 7812-1); a shorter
	// one would be given away by its first six and last four digits.
	digitsMin, digitsMax = 13, 19
	dateDigits           = 4
	serviceDigits        = 3
)

// kind is what a track number fixes. Base is what the reader adds to the data
// bits to make a character, top the last character; start is the data bits of
// the start sentinel (track 3 has that of track 2 on the stripe; the reader
// sends "+" for it, so that the two can be told apart).
type kind struct {
	start, base, top, separator byte
	charsMax                    int // from start to end sentinel
}

//nolint:gochecknoglobals // the table of ISO/IEC 7811-6, never written
var kinds = [Count + 1]kind{
	1: {start: 0x05, base: 0x20, top: 0x5F, separator: '^', charsMax: 79},
	2: {start: 0x0B, base: 0x30, top: 0x3F, separator: '=', charsMax: 40},
	3: {start: 0x0B, base: 0x30, top: 0x3F, separator: '=', charsMax: 107},
}

const (
	endSentinel = '?'
	errorMark   = 'E' // %E? ;E? +E?: the reader could not read this track
)

func startOf(c byte) uint8 {
	switch c {
	case '%':
		return 1
	case ';':
		return 2
	case '+':
		return 3
	}
	return 0
}

type state uint8

const (
	before  state = iota // no start sentinel yet
	inside               // between the sentinels of a track
	ended                // right after an end sentinel: an LRC may follow
	between              // after the LRC: only a start sentinel may follow
)

// Machine is the state of one swipe. It holds no pointer and may lie outside
// the heap; the zero Machine waits for the first character. What it keeps of
// the card numbers is their first six digits and, well away from them, the
// last four.
type Machine struct {
	number [Count]number // of tracks 1 and 2; index 0 is unused
	length int           // characters from the first start sentinel on
	end    int           // the same, through the last end sentinel
	chars  int           // characters of this track
	state  state
	track  uint8
	sum    byte // LRC so far, data bits
	good   uint8
	bad    uint8
	// perhaps is set while it is open whether the last character was the LRC
	// of the track before or the start sentinel of this one.
	perhaps bool
	prior   uint8 // the track before, while perhaps is set
	marked  bool  // the first character of this track was "E"
	fault   Fault
	where   uint8
	_       [64]byte
	last    [Count]tail
}

// Reset wipes the machine for the next swipe.
func (m *Machine) Reset() { *m = Machine{} }

// Byte takes the next character. It reports whether the character belongs to
// the swipe: from the first start sentinel on, while there is room.
func (m *Machine) Byte(c byte) bool {
	if m.length >= BytesMax {
		m.fail(0, TooLong)
		return false
	}
	if m.fault == None {
		m.step(c)
	}
	if m.state == before {
		return false
	}
	m.length++
	return true
}

// Len is the number of characters from the first start sentinel to the last
// end sentinel.
func (m *Machine) Len() int { return m.end }

// End closes the swipe; stopped says that the line end never came. It returns
// None for a good read, or what is wrong and on which track (0: the swipe).
func (m *Machine) End(stopped bool) (Fault, uint8) {
	if m.fault == None && m.state == inside && m.perhaps && m.chars == 1 {
		m.state = between // it was the LRC of the last track
	}
	switch {
	case m.fault != None:
	case m.state == before:
		m.fail(0, NoStart)
	case m.state == inside:
		m.fail(m.track, NoEnd)
	case stopped:
		m.fail(0, Stopped)
	default:
		m.judge()
	}
	return m.fault, m.where
}

// judge looks for a card number on the tracks that were read well.
func (m *Machine) judge() {
	one, two := m.has(1), m.has(2)
	switch {
	case one && two:
		if m.number[1].sameAs(&m.number[2]) && m.last[1].digits == m.last[2].digits {
			return
		}
		m.fail(0, Disagree)
	case one, two:
	case m.bad&(1<<2) != 0:
		m.fail(2, Unreadable)
	case m.bad&(1<<1) != 0:
		m.fail(1, Unreadable)
	default:
		m.fail(0, NoNumber)
	}
}

func (m *Machine) has(t uint8) bool { return m.good&(1<<t) != 0 && m.number[t].complete }

func (m *Machine) fail(t uint8, f Fault) {
	if m.fault == None {
		m.fault, m.where = f, t
	}
}

func (m *Machine) step(c byte) {
	switch m.state {
	case before:
		if startOf(c) == 0 {
			m.fail(0, NoStart)
			return
		}
		m.begin(c)
	case inside:
		m.character(c)
	case ended:
		m.afterEnd(c)
	case between:
		if startOf(c) == 0 {
			m.fail(m.track, Extra)
			return
		}
		m.begin(c)
	}
}

func (m *Machine) begin(c byte) {
	t := startOf(c)
	if t <= m.track {
		m.fail(t, Order)
		return
	}
	m.state, m.track, m.chars, m.marked = inside, t, 1, false
	m.sum = kinds[t].start
}

// afterEnd takes the character after an end sentinel: the LRC, which not every
// reader sends, or a start sentinel, which may look like it.
func (m *Machine) afterEnd(c byte) {
	k := &kinds[m.track]
	isLRC, next := c == k.base+m.sum, startOf(c)
	switch {
	case next > m.track:
		m.prior, m.perhaps = m.track, isLRC
		m.begin(c)
	case isLRC:
		m.state = between
	case next != 0:
		m.fail(next, Order)
	case c >= k.base && c <= k.top:
		m.fail(m.track, LRC)
	default:
		m.fail(m.track, Extra)
	}
}

func (m *Machine) character(c byte) {
	next := startOf(c)
	if m.perhaps {
		m.perhaps = false
		if next != 0 { // two in a row: the first was the LRC
			m.track = m.prior
			m.begin(c)
			return
		}
	}
	k := &kinds[m.track]
	m.chars++
	switch {
	case m.chars > k.charsMax:
		m.fail(m.track, TooLong)
	case next != 0:
		m.fail(m.track, NoEnd)
	case c == endSentinel:
		m.finish()
	case c == errorMark && m.chars == 2 && m.track != 1:
		m.marked = true // only the end sentinel may follow
	case c < k.base || c > k.top, m.marked && m.track != 1:
		m.fail(m.track, Character)
	default:
		m.marked = c == errorMark && m.chars == 2
		m.sum ^= c - k.base
		m.digit(c)
	}
}

func (m *Machine) finish() {
	switch {
	case m.marked: // no LRC follows an error track
		m.state, m.bad = between, m.bad|1<<m.track
	case m.chars == 2:
		m.fail(m.track, Empty)
		return
	default:
		m.state, m.good = ended, m.good|1<<m.track
		m.sum ^= endSentinel - kinds[m.track].base
	}
	m.end = m.length + 1 // this character is not counted yet
}
