package track_test

import (
	"regexp"
	"strings"
)

// model is another reading of the same rules: it has the whole swipe before it
// and tries each way to take it apart, with and without an LRC at each place.
type model struct {
	good   bool
	tracks string
	number string
	code   string
	length int // through the last end sentinel
}

type piece struct {
	track  int
	marked bool
	data   string // between the sentinels
	end    int
}

//nolint:gochecknoglobals // a table
var starts = map[byte]int{'%': 1, ';': 2, '+': 3}

// legal are the characters of each track that are no sentinel of any.
//
//nolint:gochecknoglobals // a table
var legal = map[int]*regexp.Regexp{
	1: regexp.MustCompile(`^[ -$&-*,-:<->@-_]+$`),
	2: regexp.MustCompile(`^[0-:<->]+$`),
	3: regexp.MustCompile(`^[0-:<->]+$`),
}

//nolint:gochecknoglobals // a table
var most = map[int]int{1: 79, 2: 40, 3: 107}

func lrc(p piece) byte {
	base, sum := byte('0'), byte(0x0B)
	if p.track == 1 {
		base, sum = ' ', 0x05
	}
	for i := range len(p.data) {
		sum ^= p.data[i] - base
	}
	return base + (sum ^ ('?' - base))
}

// parse takes s apart from position at on, after tracks up to last.
func parse(s string, at, last int) ([]piece, bool) {
	if at == len(s) {
		return nil, last > 0
	}
	t := starts[s[at]]
	if t <= last {
		return nil, false
	}
	n := strings.IndexByte(s[at:], '?')
	if n < 0 || n+1 > most[t] {
		return nil, false
	}
	p := piece{track: t, data: s[at+1 : at+n], end: at + n + 1}
	p.marked = p.data == "E"
	if !p.marked && !legal[t].MatchString(p.data) {
		return nil, false
	}
	if rest, ok := parse(s, p.end, t); ok {
		return append([]piece{p}, rest...), true
	}
	if !p.marked && p.end < len(s) && s[p.end] == lrc(p) {
		if rest, ok := parse(s, p.end+1, t); ok {
			return append([]piece{p}, rest...), true
		}
	}
	return nil, false
}

//nolint:gochecknoglobals // a table
var numbers = map[int]*regexp.Regexp{
	1: regexp.MustCompile(`^B(\d{13,19})\^(?:[^^]*\^(?:\d{4}|\^)(\d{3})?)?`),
	2: regexp.MustCompile(`^(\d{13,19})=(?:(?:\d{4}|=)(\d{3})?)?`),
}

func read(s string) (m model) {
	pieces, ok := parse(s, 0, 0)
	if !ok || len(s) > 512 {
		return m
	}
	found := map[int]string{}
	for _, p := range pieces {
		m.length = p.end
		if p.marked {
			continue
		}
		m.tracks += "0123"[p.track : p.track+1]
		if p.track == 3 {
			continue
		}
		if g := numbers[p.track].FindStringSubmatch(p.data); g != nil {
			found[p.track], m.number, m.code = g[1], g[1], g[2]
		}
	}
	one, two := found[1], found[2]
	// The machine keeps no number, so it can tell two apart by their ends,
	// length and check sums only; so does the model.
	m.good = (one != "" || two != "") && (one == "" || two == "" || alike(one, two))
	return m
}

func alike(a, b string) bool {
	return len(a) == len(b) && a[:6] == b[:6] && a[len(a)-4:] == b[len(b)-4:] &&
		luhn(a, 0) == luhn(b, 0) && luhn(a, 1) == luhn(b, 1)
}

// luhn is the sum that doubles every second digit, counted from the right.
func luhn(s string, first int) (sum int) {
	for i := range len(s) {
		d := int(s[len(s)-1-i] - '0')
		if i%2 != first {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum % 10
}
