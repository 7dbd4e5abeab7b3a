package console

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// escapeMax is where a control sequence is given up that does not end.
const escapeMax = 16

// screen is a terminal that scrolls: lines, and a cursor in the last one. Of
// ECMA-48 it knows what a line editor needs: CR, BS, CSI n C, CSI n D, CSI K.
// A character is one cell, however wide.
type screen struct {
	lines  []string
	cells  []rune // the line under way
	column int
	bytes  []byte // a character begun
	escape []byte // a sequence begun
}

func (s *screen) feed(x byte) {
	switch {
	case len(s.escape) > 0:
		s.sequence(x)
	case x >= utf8.RuneSelf || len(s.bytes) > 0:
		s.part(x)
	default:
		s.control(x)
	}
}

func (s *screen) control(x byte) {
	switch x {
	case '\n':
		s.end()
	case '\r':
		s.column = 0
	case '\b':
		s.column = max(0, s.column-1)
	case '\a': // it beeps
	case 0x1B:
		s.escape = append(s.escape[:0], x)
	default:
		s.put(rune(x))
	}
}

// part collects a character; what is none is shown as one.
func (s *screen) part(x byte) {
	if x < utf8.RuneSelf || utf8.RuneStart(x) && len(s.bytes) > 0 {
		s.flush()
		s.feed(x)
		return
	}
	s.bytes = append(s.bytes, x)
	if utf8.FullRune(s.bytes) {
		s.flush()
	}
}

// flush puts what was collected, a cell for each byte that is no character.
func (s *screen) flush() {
	b := s.bytes
	s.bytes = nil
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		s.put(r)
		b = b[n:]
	}
}

func (s *screen) put(r rune) {
	if r == utf8.RuneError || !unicode.IsGraphic(r) {
		r = '.'
	}
	for len(s.cells) < s.column {
		s.cells = append(s.cells, ' ')
	}
	if s.column < len(s.cells) {
		s.cells[s.column] = r
	} else {
		s.cells = append(s.cells, r)
	}
	s.column++
	if len(string(s.cells)) > lineMax-utf8.UTFMax {
		s.end()
		s.column = 0
	}
}

// sequence takes the rest of a control sequence; others than those above do
// nothing.
func (s *screen) sequence(x byte) {
	s.escape = append(s.escape, x)
	if len(s.escape) == 2 && x != '[' || len(s.escape) == escapeMax {
		s.escape = s.escape[:0]
		return
	}
	const finalMin, finalMax = 0x40, 0x7E
	if len(s.escape) == 2 || x < finalMin || x > finalMax {
		return
	}
	n, err := strconv.Atoi(string(s.escape[2 : len(s.escape)-1]))
	s.escape = s.escape[:0]
	n = min(max(n, 1), lineMax)
	switch {
	case x == 'C':
		s.column = min(s.column+n, lineMax)
	case x == 'D':
		s.column = max(0, s.column-n)
	case x == 'K' && err != nil: // to the end of the line
		s.cells = s.cells[:min(s.column, len(s.cells))]
	}
}

// end ends the line.
func (s *screen) end() {
	s.lines = append(s.lines, string(s.cells))
	s.lines = slices.Delete(s.lines, 0, max(0, len(s.lines)-linesMax))
	s.cells, s.column = s.cells[:0], 0
}

// text lists the lines, and the one under way if there is something in it.
func (s *screen) text() []string {
	lines := slices.Clone(s.lines)
	last := string(s.cells) + strings.Repeat(".", len(s.bytes))
	if last != "" {
		lines = append(lines, last)
	}
	return lines[max(0, len(lines)-linesMax):]
}
