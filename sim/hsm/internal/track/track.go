// Package track reads the card number out of a swipe as a reader sends it: the
// tracks of ISO/IEC 7811-6 and 7813 between their sentinels, one after another.
package track

import (
	"bytes"
	"errors"
)

// Limits, in characters.
const (
	// SwipeMax bounds a swipe: three full tracks with their LRCs are 229.
	SwipeMax = 512
	// numberMin and numberMax bound a card number (ISO/IEC 7812-1).
	numberMin, numberMax = 13, 19
	dateSize             = 4
	serviceSize          = 3
)

// Errors of Number. They quote nothing.
var (
	ErrSwipe    = errors.New("track: not the tracks of a card")
	ErrNumber   = errors.New("track: no card number")
	ErrDisagree = errors.New("track: tracks 1 and 2 are of different cards")
)

// layout is what a kind of track fixes. Of a character, the data bits are its
// distance from base (ISO/IEC 7811-6 tables 2 and 5); the start sentinel counts
// with its own bits, as track 3 has that of track 2 on the stripe but is sent
// with another.
type layout struct {
	start, base, top, startBits, separator byte
	charsMax                               int // from start to end sentinel
}

// layouts are the tracks in the order in which a reader sends them.
//
//nolint:gochecknoglobals // a constant table
var layouts = [...]layout{
	{start: '%', base: 0x20, top: 0x5F, startBits: 0x05, separator: '^', charsMax: 79},
	{start: ';', base: 0x30, top: 0x3F, startBits: 0x0B, separator: '=', charsMax: 40},
	{start: '+', base: 0x30, top: 0x3F, startBits: 0x0B, separator: '=', charsMax: 107},
}

const endSentinel = '?'

// tracks are the characters between the sentinels, by layout; nil if the track
// is missing or could not be read.
type tracks [len(layouts)][]byte

// Number returns the card number in a swipe; it lies within the swipe's bytes.
// A swipe is whole: it begins with a start sentinel and ends with an end
// sentinel.
func Number(swipe []byte) ([]byte, error) {
	var t tracks
	if len(swipe) > SwipeMax || !split(swipe, 0, &t) {
		return nil, ErrSwipe
	}
	one, two := numberOn1(t[0]), numberOn2(t[1])
	switch {
	case one == nil && two == nil:
		return nil, ErrNumber
	case two == nil:
		return one, nil
	case one != nil && !bytes.Equal(one, two):
		return nil, ErrDisagree
	}
	return two, nil
}

// split takes tracks from the front of swipe; kinds before from have been
// there. Not every reader sends an LRC after a track, and an LRC may look like
// a start sentinel, so both readings are tried.
func split(swipe []byte, from int, t *tracks) bool {
	for i := from; i < len(layouts) && len(swipe) > 0; i++ {
		l := &layouts[i]
		if swipe[0] != l.start {
			continue
		}
		end := bytes.IndexByte(swipe, endSentinel)
		if end < 0 || end+1 > l.charsMax || !l.holds(swipe[1:end]) {
			return false
		}
		data, rest := swipe[1:end], swipe[end+1:]
		failed := string(data) == "E" // the reader's mark for a track it could not read
		lrc := !failed && len(rest) > 1 && rest[0] == l.lrc(data)
		if failed {
			data = nil
		}
		if len(rest) == 0 || split(rest, i+1, t) || lrc && split(rest[1:], i+1, t) {
			t[i] = data
			return true
		}
		return false
	}
	return false
}

// holds reports whether data can stand between the sentinels of this track.
func (l *layout) holds(data []byte) bool {
	if string(data) == "E" {
		return true
	}
	for _, c := range data {
		if c < l.base || c > l.top || c == '%' || c == ';' || c == '+' {
			return false
		}
	}
	return len(data) > 0
}

// lrc is the character that makes the data bits of the track even, start and
// end sentinel included.
func (l *layout) lrc(data []byte) byte {
	sum := l.startBits ^ (endSentinel - l.base)
	for _, c := range data {
		sum ^= c - l.base
	}
	return l.base + sum
}

// Cut returns track t, 0 to 2, through its end sentinel, if nothing but its LRC
// follows.
func Cut(t int, text []byte) ([]byte, bool) {
	end := bytes.IndexByte(text, endSentinel)
	if end < 1 {
		return nil, false
	}
	rest := text[end+1:]
	if len(rest) > 1 || len(rest) == 1 && rest[0] != layouts[t].lrc(text[1:end]) {
		return nil, false
	}
	return text[:end+1], true
}

// numberOn1 reads "B", number, "^", name, "^", date, service code, anything.
// What comes after the number need not be there.
func numberOn1(data []byte) []byte {
	if len(data) == 0 || data[0] != 'B' {
		return nil
	}
	number, rest, found := bytes.Cut(data[1:], []byte{layouts[0].separator})
	if !found || !isNumber(number) {
		return nil
	}
	if _, after, named := bytes.Cut(rest, []byte{layouts[0].separator}); named && !isDated(after, layouts[0].separator) {
		return nil
	}
	return number
}

// numberOn2 reads number, "=", date, service code, anything.
func numberOn2(data []byte) []byte {
	number, rest, found := bytes.Cut(data, []byte{layouts[1].separator})
	if !found || !isNumber(number) || !isDated(rest, layouts[1].separator) {
		return nil
	}
	return number
}

// isDated reports whether data begins with a date and a service code, each of
// which may be a separator instead, or ends before one of them.
func isDated(data []byte, separator byte) bool {
	for _, size := range [...]int{dateSize, serviceSize} {
		switch {
		case len(data) == 0:
			return true
		case data[0] == separator:
			data = data[1:]
		case len(data) < size || !areDigits(data[:size]):
			return false
		default:
			data = data[size:]
		}
	}
	return true
}

func isNumber(b []byte) bool {
	return len(b) >= numberMin && len(b) <= numberMax && areDigits(b)
}

func areDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// Luhn reports whether the check digit of a number fits (ISO/IEC 7812-1 annex
// B): every second digit from the right is doubled and its digits are added.
func Luhn(number []byte) bool {
	sum := 0
	for i, c := range number {
		d := int(c - '0')
		if (len(number)-i)%2 == 0 {
			d = d*2/10 + d*2%10
		}
		sum += d
	}
	return len(number) > 0 && sum%10 == 0
}
