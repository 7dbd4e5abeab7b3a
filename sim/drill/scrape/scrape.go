// Package scrape finds card numbers and keys in the memory of other processes
// and in files: as a RAM scraper does, by their form, and as no scraper can, by
// a list of what was issued.
package scrape

import (
	"encoding/binary"
)

// windowDigits is how many digits of a number in a row are a find. First six
// and last four may be shown, so each window has at least two hidden digits.
const windowDigits = 8

// Limits of what counts as a card number by its form (ISO/IEC 7812-1).
const (
	digitsMin, digitsMax = 13, 19
	patternsMax          = 10_000 // distinct ones that are remembered
)

// keyBytes is an AES-128 key, and the first round key of its schedule.
const keyBytes = 16

// overlapBytes is more than the longest thing that is looked for: nineteen
// digits of two bytes and the framing about them.
const overlapBytes = 64

// DecoySets is how many sets of decoys there may be.
const DecoySets = 16

// Card is a number that is looked for.
type Card struct {
	Number string // 16 digits
	Issued bool   // false: a decoy, which nobody ever swiped
	Set    int    // of a decoy, below DecoySets
}

// numberDigits is the length of every number that is looked for: two windows.
const numberDigits = 2 * windowDigits

// Wanted is what is looked for.
type Wanted struct {
	cards   []Card
	windows map[uint32]place // by the eight digits as packed BCD
	filter  filter
	keys    map[[keyBytes]byte]int
	heads   filter // the first four bytes of the keys
}

// place is where a window stands.
type place struct {
	card   int32
	offset int8 // in digits
}

// New returns what is to be found of some cards. A window of several counts for
// the last of them: they come in no order.
func New(cards []Card) *Wanted {
	w := &Wanted{cards: cards, windows: map[uint32]place{}, keys: map[[keyBytes]byte]int{}}
	for i, c := range cards {
		if len(c.Number) != numberDigits {
			panic("scrape: internal error: number of another length")
		}
		for at := range numberDigits - windowDigits + 1 {
			v := packed(c.Number[at : at+windowDigits])
			w.windows[v] = place{int32(i), int8(at)}
			w.filter.add(v)
		}
	}
	return w
}

// AddKey adds a key that must be gone, as it lies in memory and as a key
// schedule of little-endian words holds it.
func (w *Wanted) AddKey(key [keyBytes]byte) {
	var swapped [keyBytes]byte
	for i := 0; i < keyBytes; i += 4 {
		binary.LittleEndian.PutUint32(swapped[i:], binary.BigEndian.Uint32(key[i:]))
	}
	n := w.Keys()
	for _, k := range [...][keyBytes]byte{key, swapped} {
		w.keys[k] = n
		w.heads.add(binary.LittleEndian.Uint32(k[:]))
	}
}

// Keys is how many keys are looked for.
func (w *Wanted) Keys() int { return len(w.keys) / 2 }

func packed(digits string) (v uint32) {
	for i := range len(digits) {
		v = v<<4 | uint32(digits[i]-'0')
	}
	return v
}

// filter says in one look that a value is none of many.
type filter [filterBits / 64]uint64

// filterLog is for a few hundred thousand windows, and a megabyte.
const filterLog = 23

const filterBits = 1 << filterLog

func (f *filter) add(v uint32) {
	h := spread(v)
	f[h/64] |= 1 << (h % 64)
}

func (f *filter) maybe(v uint32) bool {
	h := spread(v)
	return f[h/64]&(1<<(h%64)) != 0
}

func spread(v uint32) uint32 { return v * 2654435761 >> (32 - filterLog) }

// Found is what was found, each thing once however often it was met.
type Found struct {
	Numbers   map[int32]bool           // cards whose whole number was there
	Fragments map[uint32]place         // windows
	Keys      map[int]bool             //
	Patterns  map[[digitsMax]byte]bool // 13 to 19 digits with a good check digit, whoever's
	Framed    map[[digitsMax]byte]bool // digits between the sentinel and the separator of a track
}

// NewFound returns a list of nothing.
func NewFound() *Found {
	return &Found{
		Numbers: map[int32]bool{}, Fragments: map[uint32]place{}, Keys: map[int]bool{},
		Patterns: map[[digitsMax]byte]bool{}, Framed: map[[digitsMax]byte]bool{},
	}
}

// Count is a Found in numbers, issued cards apart from decoys.
type Count struct {
	Numbers, DecoyNumbers     int
	Fragments, DecoyFragments int
	Decoys                    [DecoySets]int // DecoyFragments by their sets
	// Cards and DecoyCards have at least one fragment.
	Cards, DecoyCards      int
	Keys, Patterns, Framed int
}

// Add adds the counts of another search.
func (n *Count) Add(m Count) {
	n.Numbers, n.DecoyNumbers = n.Numbers+m.Numbers, n.DecoyNumbers+m.DecoyNumbers
	n.Fragments, n.DecoyFragments = n.Fragments+m.Fragments, n.DecoyFragments+m.DecoyFragments
	for i := range n.Decoys {
		n.Decoys[i] += m.Decoys[i]
	}
	n.Cards, n.DecoyCards = n.Cards+m.Cards, n.DecoyCards+m.DecoyCards
	n.Keys, n.Patterns, n.Framed = n.Keys+m.Keys, n.Patterns+m.Patterns, n.Framed+m.Framed
}

// Count counts what was found.
func (w *Wanted) Count(f *Found) (n Count) {
	for card := range f.Numbers {
		if w.cards[card].Issued {
			n.Numbers++
		} else {
			n.DecoyNumbers++
		}
	}
	touched := map[int32]bool{}
	for _, p := range f.Fragments {
		issued := w.cards[p.card].Issued
		switch first := !touched[p.card]; {
		case issued && first:
			n.Cards++
		case first:
			n.DecoyCards++
		}
		touched[p.card] = true
		if issued {
			n.Fragments++
		} else {
			n.DecoyFragments++
			n.Decoys[w.cards[p.card].Set]++
		}
	}
	n.Keys, n.Patterns, n.Framed = len(f.Keys), len(f.Patterns), len(f.Framed)
	return n
}

// Search looks through b once for each form that a number can have.
func (w *Wanted) Search(b []byte, f *Found) {
	w.text(b, f, 1)
	w.text(b, f, 2) // UTF-16, either byte order
	w.nibbles(b, f)
	if len(w.keys) > 0 {
		w.searchKeys(b, f)
	}
}

func isDigit(c byte) bool { return c-'0' < 10 }

// text finds runs of digits that stand stride bytes apart, zeros between.
func (w *Wanted) text(b []byte, f *Found, stride int) {
	var digits [2 * digitsMax]byte // of a longer run, the rest is matched as well
	for i := 0; i < len(b); i++ {
		if b[i] == 0 && i+8 <= len(b) && binary.NativeEndian.Uint64(b[i:]) == 0 {
			i += 7
			continue
		}
		if !isDigit(b[i]) || stride == 2 && (i+2 >= len(b) || b[i+1] != 0 || !isDigit(b[i+2])) {
			continue
		}
		begin, n, v := i, 0, uint32(0)
		for {
			if n < len(digits) {
				digits[n] = b[i]
			}
			v = v<<4 | uint32(b[i]-'0')
			if n++; n >= windowDigits && w.filter.maybe(v) {
				w.window(f, v, func(k int) byte { return textDigit(b, i+stride*(k+1), stride) })
			}
			if next := i + stride; next >= len(b) || !isDigit(b[next]) || stride == 2 && b[i+1] != 0 {
				break
			}
			i += stride
		}
		if n >= digitsMin-1 && n <= digitsMax {
			form(b, f, digits[:n], begin, i, stride)
		}
	}
}

// textDigit is the digit at i, or what is none.
func textDigit(b []byte, i, stride int) byte {
	if i >= len(b) || stride == 2 && b[i-1] != 0 {
		return 0xFF
	}
	return b[i] - '0'
}

// form notes what looks like a card number from its own digits and from the
// bytes about it.
func form(b []byte, f *Found, digits []byte, begin, end, stride int) {
	var key [digitsMax]byte
	copy(key[:], digits)
	before, after := byte(0), byte(0)
	if begin >= stride {
		before = b[begin-stride]
	}
	if end+stride < len(b) {
		after = b[end+stride]
	}
	format := before == 'B' && begin >= 2*stride && b[begin-2*stride] == '%'
	if (before == ';' && after == '=' || format && after == '^') && len(f.Framed) < patternsMax {
		f.Framed[key] = true
	}
	if len(digits) >= digitsMin && luhn(digits) && len(f.Patterns) < patternsMax {
		f.Patterns[key] = true
	}
}

func luhn(digits []byte) bool {
	sum := 0
	for i, c := range digits {
		d := int(c - '0')
		if (len(digits)-i)%2 == 0 {
			d = 2*d%10 + 2*d/10
		}
		sum += d
	}
	return sum%10 == 0
}

// nibbles finds packed BCD, at any half byte.
func (w *Wanted) nibbles(b []byte, f *Found) {
	const step = 4 // windows that begin in the first four of eight bytes
	for i := 0; i+2*step <= len(b); i += step {
		w.nibblesAt(b, i, binary.BigEndian.Uint64(b[i:]), f)
	}
	rest := 0
	if len(b) >= 2*step {
		rest = (len(b)-2*step)/step*step + step
	}
	var end [2 * step]byte // zeros behind the last byte
	copy(end[:], b[rest:])
	w.nibblesAt(b, rest, binary.BigEndian.Uint64(end[:]), f)
}

func (w *Wanted) nibblesAt(b []byte, i int, y uint64, f *Found) {
	const all = windowDigits
	if y == 0 {
		return
	}
	bad := y & (y<<1 | y<<2) & 0x8888_8888_8888_8888 // the top bit of each nibble over nine
	if bad&(1<<35) != 0 {
		return // the last nibble of the first window is in each of them
	}
	for k := range all {
		shift := 32 - 4*k
		if uint32(bad>>shift) != 0 { //nolint:gosec // the window's part of it
			continue
		}
		if v := uint32(y >> shift); w.filter.maybe(v) { //nolint:gosec // as above
			w.window(f, v, func(n int) byte { return nibble(b, 2*i+k+all+n) })
		}
	}
}

func nibble(b []byte, n int) byte {
	if n/2 >= len(b) {
		return 0xFF
	}
	return b[n/2] >> (4 * (1 - n%2)) & 0x0F
}

// window notes a window, and the whole number if the rest follows.
func (w *Wanted) window(f *Found, v uint32, next func(k int) byte) {
	p, ok := w.windows[v]
	if !ok {
		return
	}
	f.Fragments[v] = p
	if p.offset != 0 {
		return
	}
	number := w.cards[p.card].Number
	for k := range numberDigits - windowDigits {
		if next(k) != number[windowDigits+k]-'0' {
			return
		}
	}
	f.Numbers[p.card] = true
}

// searchKeys finds keys at any byte.
func (w *Wanted) searchKeys(b []byte, f *Found) {
	for i := 0; i+keyBytes <= len(b); i++ {
		v := binary.LittleEndian.Uint64(b[i:])
		if v == 0 {
			i += 3 // a key may begin with a few zeros, not with eight
			continue
		}
		if !w.heads.maybe(uint32(v)) { //nolint:gosec // the first four bytes
			continue
		}
		if n, ok := w.keys[[keyBytes]byte(b[i:])]; ok {
			f.Keys[n] = true
		}
	}
}
