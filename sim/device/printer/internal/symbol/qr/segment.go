package qr

import (
	"strings"
	"unicode/utf8"

	"regi/sim/device/printer/internal/symbol"
)

// mode is how characters become bits.
type mode int

const (
	numeric mode = iota
	alphanumeric
	bytewise
	kanji
	modes
)

const alphanumericSet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// indicators are the four bits in front of a segment.
//
//nolint:gochecknoglobals // a constant table
var indicators = [modes]int{1, 2, 4, 8}

// segment is characters in one mode.
type segment struct {
	mode mode
	data []byte
}

// count is how many characters the segment says it has.
func (s segment) count() int {
	if s.mode == kanji {
		return len(s.data) / 2
	}
	return len(s.data)
}

// bits writes the characters.
func (s segment) bits(b *symbol.Bits) {
	switch s.mode {
	case numeric:
		for d := s.data; len(d) > 0; d = d[min(3, len(d)):] {
			v, n := 0, min(3, len(d))
			for _, c := range d[:n] {
				v = v*10 + int(c-'0')
			}
			b.Add(v, 3*n+1)
		}
	case alphanumeric:
		d := s.data
		for ; len(d) > 1; d = d[2:] {
			b.Add(strings.IndexByte(alphanumericSet, d[0])*45+strings.IndexByte(alphanumericSet, d[1]), 11)
		}
		if len(d) > 0 {
			b.Add(strings.IndexByte(alphanumericSet, d[0]), 6)
		}
	case kanji:
		for d := s.data; len(d) > 1; d = d[2:] {
			v := (int(d[0])<<8 | int(d[1])) - 0x8140
			if d[0] >= 0xE0 {
				v -= 0xC140 - 0x8140
			}
			b.Add(v>>8*0xC0+v&0xFF, 13)
		}
	case bytewise, modes:
		for _, c := range s.data {
			b.Add(int(c), 8)
		}
	}
}

// sixths is what a character costs in sixths of a bit, so that every mode's is
// a whole number.
//
//nolint:gochecknoglobals // a constant table
var sixths = [modes]int{20, 33, 48, 78}

// split finds the segments with the fewest bits. heads are the bits of indicator
// and count of each mode, 0 where the symbol has not the mode.
//
// Kanji mode is Shift_JIS. Text in UTF-8 has pairs that look like it, and would
// be read as something else: it stays in bytes.
func split(data []byte, heads [modes]int) []segment {
	noKanji := utf8.Valid(data)
	const never = 1 << 30
	type step struct {
		cost int
		from mode
	}
	best := make([][modes]step, len(data)+1)
	for i := range best {
		for m := range modes {
			best[i][m] = step{cost: never, from: -1}
		}
	}
	for i := range data {
		for to := range modes {
			n := fits(data[i:], to)
			if heads[to] == 0 || n == 0 || to == kanji && noKanji {
				continue
			}
			for from := range modes {
				cost := best[i][from].cost
				if from != to {
					cost = (cost + 5) / 6 * 6 // a new segment begins at a whole bit
				}
				switch {
				case i == 0:
					cost = heads[to] * 6
				case from != to:
					cost += heads[to] * 6
				}
				if cost += sixths[to]; cost < best[i+n][to].cost {
					best[i+n][to] = step{cost, from}
				}
				if i == 0 {
					break
				}
			}
		}
	}
	m := mode(0)
	for to := range modes {
		if best[len(data)][to].cost < best[len(data)][m].cost {
			m = to
		}
	}
	if best[len(data)][m].cost >= never {
		return nil
	}
	var out []segment
	for end := len(data); end > 0; {
		from, n := best[end][m].from, 1
		if m == kanji {
			n = 2
		}
		if len(out) > 0 && out[0].mode == m {
			out[0].data = data[end-n : end+len(out[0].data)]
		} else {
			out = append([]segment{{m, data[end-n : end]}}, out...)
		}
		end -= n
		m = from
	}
	return out
}

// fits is how many bytes the next character takes in a mode, 0 if it cannot.
func fits(d []byte, m mode) int {
	switch m {
	case numeric:
		if d[0] < '0' || d[0] > '9' {
			return 0
		}
	case alphanumeric:
		if strings.IndexByte(alphanumericSet, d[0]) < 0 {
			return 0
		}
	case kanji:
		if len(d) < 2 || d[1] < 0x40 || d[1] > 0xFC || d[1] == 0x7F {
			return 0
		}
		if v := int(d[0])<<8 | int(d[1]); v < 0x8140 || v > 0x9FFC && v < 0xE040 || v > 0xEBBF {
			return 0
		}
		return 2
	case bytewise, modes:
	}
	return 1
}
