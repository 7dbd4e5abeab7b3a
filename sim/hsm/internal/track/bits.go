package track

import (
	"errors"
	"math/bits"
)

// Regions of the bits of a head, in bytes: 640, 320 and 640 bits of tracks 1 to
// 3 as the head gave them, most significant bit of a byte first, from a track's
// first one on, then zeros. A region of zeros is a track that was not there.
//
//nolint:gochecknoglobals // a constant table
var regions = [len(layouts)]int{80, 40, 80}

// BitsSize is the size of the regions together, in bytes.
const BitsSize = 200

// quiet is how many zeros must follow a track.
const quiet = 8

// ErrBits says that the bits are no tracks.
var ErrBits = errors.New("track: bits that are no tracks")

// FromBits appends the characters of the tracks as a serial reader would send
// them, "%E?" for one that cannot be read. The card may have been pulled in
// either direction: where the bits are no track, they are read backward.
func FromBits(swipe, plain []byte) ([]byte, error) {
	if len(plain) != BitsSize {
		return nil, ErrBits
	}
	for i := range layouts {
		region := plain[:regions[i]]
		plain = plain[regions[i]:]
		if !hasOnes(region) {
			continue
		}
		from := len(swipe)
		swipe = layouts[i].characters(swipe, region, false)
		if len(swipe) == from {
			swipe = layouts[i].characters(swipe, region, true)
		}
		if len(swipe) == from {
			swipe = append(swipe, layouts[i].start, 'E', endSentinel)
		}
	}
	return swipe, nil
}

func hasOnes(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return true
		}
	}
	return false
}

// characters appends the characters of a region, sentinels included, or
// nothing if it is no track when read in this direction.
func (l *layout) characters(swipe, region []byte, backward bool) []byte {
	n := 8 * len(region)
	bit := func(i int) byte {
		if backward {
			i = n - 1 - i
		}
		if i < 0 || i >= n {
			return 0
		}
		return region[i/8] >> (7 - i%8) & 1
	}
	at := 0
	for bit(at) == 0 {
		at++
	}
	size := bits.Len8(l.top-l.base) + 1 // data bits, lowest first, and odd parity
	next := func() (byte, bool) {
		var c byte
		for i := range size {
			c |= bit(at+i) << i
		}
		at += size
		return c &^ (1 << (size - 1)), bits.OnesCount8(c)%2 == 1
	}
	from := len(swipe)
	sum := byte(0)
	for read := 1; ; read++ {
		c, ok := next()
		sum ^= c
		switch {
		case !ok || read > l.charsMax || read == 1 && c != l.startBits:
			return swipe[:from]
		case read == 1:
			swipe = append(swipe, l.start)
			continue
		}
		swipe = append(swipe, l.base+c)
		if l.base+c == endSentinel {
			break
		}
	}
	if lrc, ok := next(); !ok || lrc != sum {
		return swipe[:from]
	}
	for i := range quiet {
		if bit(at+i) != 0 {
			return swipe[:from]
		}
	}
	return swipe
}
