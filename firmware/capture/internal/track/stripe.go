package track

// The bits of a head without a decoder are kept as they come, each track in a
// region of its own, most significant bit of a byte first, from the track's
// first one on: after the XOR nobody here can say which characters they are.
// What is in the clear meanwhile is at most one character of each view.
const (
	// StripeBytes is the size of the three regions: 640, 320 and 640 bits. A
	// full track with its LRC is 560, 205 and 540.
	StripeBytes = 200
	// quietBits: so many zeros after the last character end a track; what the
	// head says after that is the end of the stripe, and no longer taken.
	quietBits = 8
	// bitsMax is the longest character.
	bitsMax = 7
)

// lanes says where a track's region begins and ends, in bits, and how long its
// characters are, parity included (ISO/IEC 7811-6).
//
//nolint:gochecknoglobals // the table of ISO/IEC 7811-6, never written
var lanes = [Count + 1]struct {
	from, to int
	bits     uint8
}{1: {0, 640, 7}, 2: {640, 960, 5}, 3: {960, 1600, 5}}

// Stripe reads a swipe from the single bits of up to three tracks, in either
// direction, and keeps no character of them but those that may be shown. It
// holds no pointer; the zero Stripe waits for the first bit.
//
// A card that is pulled the other way gives the LRC first, its bits reversed,
// then the end sentinel; how many zeros the LRC begins with is not known. So
// each track is read in several views at a time: forward, and backward with
// every possible beginning. Parity, sentinels and LRC leave one of them, or
// none: the swipe is then no good read.
type Stripe struct {
	lane [Count + 1]lane // index 0 is unused
}

type lane struct {
	taken  int // bits in the region
	fault  Fault
	closed bool
	best   uint8             // 1 + the view that read it; 0: none
	views  [1 + bitsMax]view // forward; backward with 0, 1, ... zeros before the first one
}

type viewState uint8

const (
	opening viewState = iota // no sentinel yet
	within                   // between the sentinels
	closing                  // forward: the LRC is next
	done                     // all characters were read and fit
	dead
)

// view is one way to read a track.
type view struct {
	number number
	last   tail
	state  viewState
	fault  Fault // of a dead one
	char   byte  // the bits of this character so far
	have   uint8 // how many
	chars  uint8 // characters so far, the LRC not counted
	sum    byte
	quiet  uint8 // zeros since the last character
	// backward
	separated, spoiled, coded bool
}

// Reset wipes the stripe for the next swipe.
func (s *Stripe) Reset() { *s = Stripe{} }

// Bit takes the next bit of track t, which must be 1 to 3. It returns the
// bit's place in the regions, and whether the bit is to be kept there.
func (s *Stripe) Bit(t uint8, one bool) (place int, keep bool) {
	l, k := &s.lane[t], &lanes[t]
	if l.closed || l.fault != None || l.taken == 0 && !one {
		return 0, false
	}
	if k.from+l.taken == k.to {
		l.fault = TooLong
		return 0, false
	}
	if l.taken == 0 {
		for zeros := range k.bits {
			l.views[1+zeros].have = zeros
		}
		for i := 1 + k.bits; i <= bitsMax; i++ {
			l.views[i].state = dead
		}
	}
	place = k.from + l.taken
	l.taken++
	for i := range l.views[:1+k.bits] {
		if v := &l.views[i]; v.bit(t, i > 0, one) {
			l.closed = true
		}
	}
	return place, true
}

// Lose says that bits of track t were lost: it cannot be read any more, unless
// it was read to its end. Before the first bit it means that no beginning was
// found.
func (s *Stripe) Lose(t uint8) {
	l := &s.lane[t]
	switch {
	case l.closed || l.fault != None:
	case l.taken == 0:
		l.fault = NoStart
	default:
		l.fault = Lost
	}
}

// End closes the swipe. It returns None for a good read, or what is wrong and
// on which track (0: the swipe).
func (s *Stripe) End() (Fault, uint8) {
	for t := uint8(1); t <= Count; t++ {
		if l := &s.lane[t]; l.taken > 0 && l.fault == None {
			l.best, l.fault = l.pick()
		}
	}
	one, two := s.has(1), s.has(2)
	switch {
	case s.mixed():
		return Disagree, 0
	case one && two:
		if a, b := s.read(1), s.read(2); !a.number.sameAs(&b.number) || a.last.digits != b.last.digits {
			return Disagree, 0
		}
	case one, two:
	case s.lane[2].fault != None:
		return s.lane[2].fault, 2
	case s.lane[1].fault != None:
		return s.lane[1].fault, 1
	case s.lane[3].fault != None:
		return s.lane[3].fault, 3
	case !s.Good(1) && !s.Good(2) && !s.Good(3):
		return NoStart, 0
	default:
		return NoNumber, 0
	}
	return None, 0
}

// FaultOf is what is wrong with track t, valid after End; None for one that is
// good or was not there.
func (s *Stripe) FaultOf(t uint8) Fault { return s.lane[t].fault }

// pick returns the one view that read the track (plus one), or why there is
// none: what stopped the view that came furthest.
func (l *lane) pick() (best uint8, why Fault) {
	why = NoStart
	furthest := uint8(0)
	for i := range l.views {
		v := &l.views[i]
		if v.state == done {
			if best != 0 {
				return 0, Unreadable // two ways to read it
			}
			best = uint8(i) + 1
		}
		if v.state == opening || v.chars <= furthest {
			continue
		}
		furthest = v.chars
		switch {
		case v.state == dead:
			why = v.fault
		case v.state == closing:
			why = LRC
		case i > 0: // its start comes last
			why = NoStart
		default:
			why = NoEnd
		}
	}
	if best != 0 {
		return best, None
	}
	return 0, why
}

// read is the view that read a good track.
func (s *Stripe) read(t uint8) *view { return &s.lane[t].views[s.lane[t].best-1] }

// mixed reports whether the tracks were read in different directions.
func (s *Stripe) mixed() bool {
	forward, backward := false, false
	for i := range s.lane {
		forward = forward || s.lane[i].best == 1
		backward = backward || s.lane[i].best > 1
	}
	return forward && backward
}

func (s *Stripe) has(t uint8) bool { return s.Good(t) && s.read(t).number.complete }

// chosen is the view whose number counts: track 2 where it was read well.
func (s *Stripe) chosen() *view {
	if s.has(2) {
		return s.read(2)
	}
	return s.read(1)
}

// First is the first six digits of the card number, valid after a good End. It
// points into the stripe.
func (s *Stripe) First() []byte { return s.chosen().number.first[:] }

// Last is the last four digits. It points into the stripe.
func (s *Stripe) Last() []byte { return s.chosen().last.digits[:] }

// Luhn reports whether the number's check digit fits.
func (s *Stripe) Luhn() bool { return s.chosen().number.luhn() }

// Service is the service code, or nothing: of a card pulled backward it is not
// known, as it comes before anything that says where the number is.
func (s *Stripe) Service() []byte {
	if n := &s.chosen().number; n.served {
		return n.service[:]
	}
	return nil
}

// Good reports whether track t was present and read well.
func (s *Stripe) Good(t uint8) bool { return s.lane[t].best > 0 }

// bit takes the next bit. It reports whether the track is over.
func (v *view) bit(t uint8, backward, one bool) bool {
	switch v.state {
	case dead:
		return false
	case done:
		if one {
			v.die(Extra)
			return false
		}
		v.quiet++
		return v.quiet >= quietBits
	case opening, within, closing:
	}
	b := byte(0)
	if one {
		b = 1
	}
	if backward { // parity first, then the highest data bit
		v.char = v.char<<1 | b
	} else {
		v.char |= b << v.have
	}
	if v.have++; v.have < lanes[t].bits {
		return false
	}
	c := v.char
	v.char, v.have = 0, 0
	high := byte(1) << (lanes[t].bits - 1) // the parity bit
	if odd(c) {
		v.step(t, backward, c&^high)
	} else {
		v.die(v.unless(Unreadable))
	}
	return false
}

func odd(c byte) bool {
	c ^= c >> 4
	c ^= c >> 2
	c ^= c >> 1
	return c&1 == 1
}

// unless is a fault that may be named only once a sentinel was found.
func (v *view) unless(f Fault) Fault {
	if v.state == opening {
		return NoStart
	}
	return f
}

func (v *view) die(f Fault) {
	v.number, v.last = number{}, tail{}
	v.state, v.fault = dead, f
}

// step takes a character's data bits, whose parity was right.
func (v *view) step(t uint8, backward bool, c byte) {
	if backward {
		v.stepBack(t, c)
		return
	}
	k := &kinds[t]
	v.sum ^= c
	switch v.state {
	case opening:
		if c != k.start {
			v.die(NoStart)
			return
		}
		v.state, v.chars = within, 1
	case within:
		v.data(t, k, c, endSentinel-k.base)
		if v.state == within && c == endSentinel-k.base {
			v.state = closing
		}
	case closing:
		if v.sum != 0 {
			v.die(LRC)
			return
		}
		v.state = done
	case done, dead:
	}
}

// stepBack is step for a card that is pulled the other way.
func (v *view) stepBack(t uint8, c byte) {
	k := &kinds[t]
	v.sum ^= c
	switch {
	case v.state == opening && v.chars == 0: // the LRC; it counts for nothing
		v.chars = 1
	case v.state == opening:
		if c != endSentinel-k.base {
			v.die(NoStart)
			v.chars = 0
			return
		}
		v.state = within
	default:
		v.data(t, k, c, k.start)
		if v.state != within || c != k.start {
			return
		}
		if v.sum != 0 {
			v.die(LRC)
			return
		}
		v.finish(t)
		v.state = done
	}
}

// data takes a character between the sentinels; stop is the one that ends them.
func (v *view) data(t uint8, k *kind, c, stop byte) {
	v.chars++
	char := k.base + c
	switch {
	case int(v.chars) > k.charsMax:
		v.die(TooLong)
	case c == stop:
		if v.chars == 2 {
			v.die(Empty)
		}
	case startOf(char) != 0, char == endSentinel, c == k.start:
		v.die(Character)
	case t > 2:
	case stop == k.start:
		v.digitBack(t, k, char)
	default:
		v.number.take(t, char, &v.last)
	}
}

// digitBack takes a character of a number that comes last digit first. Which
// digits are the number's is known at a separator; one before it starts anew.
func (v *view) digitBack(t uint8, k *kind, c byte) {
	n := &v.number
	switch {
	case c == k.separator:
		*n, v.last = number{}, tail{}
		v.separated, v.spoiled, v.coded = true, false, false
	case !v.separated || v.spoiled:
	case t == 1 && c == 'B' && !v.coded:
		v.coded = true
	case !isDigit(c) || v.coded || n.count == digitsMax:
		*n, v.last = number{}, tail{}
		v.spoiled = true
	default:
		if l := &v.last.digits; int(n.count) < len(l) {
			l[len(l)-1-int(n.count)] = c
		}
		f := &n.first
		f[0], f[1], f[2], f[3], f[4], f[5] = c, f[0], f[1], f[2], f[3], f[4]
		n.sum(c)
		n.count++
	}
}

// finish looks at the number once the start sentinel was read.
func (v *view) finish(t uint8) {
	n := &v.number
	n.complete = v.separated && !v.spoiled && n.count >= digitsMin && v.coded == (t == 1)
	if !n.complete {
		*n, v.last = number{}, tail{}
		return
	}
	if n.count%2 == 0 { // the sums were counted from the other end
		n.even, n.odd = n.odd, n.even
	}
}
