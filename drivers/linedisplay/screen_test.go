package linedisplay_test

import (
	"fmt"
	"strings"
)

// screen is a CD5220 display, read from the manual a second time: it keeps the
// rules of the string mode and knows only what the driver may send.
type screen struct {
	lines      [2][20]byte
	pending    []byte // a command not complete yet
	stringMode bool
	japan, jis bool
	err        error
}

func newScreen() *screen {
	s := &screen{}
	s.clear()
	return s
}

func (s *screen) clear() {
	for i := range s.lines {
		copy(s.lines[i][:], strings.Repeat(" ", 20))
	}
	s.stringMode = false
}

func (s *screen) Write(b []byte) (int, error) {
	for _, c := range b {
		s.pending = append(s.pending, c)
		if s.take(s.pending) {
			s.pending = s.pending[:0]
		}
	}
	return len(b), nil
}

func (s *screen) fail(format string, args ...any) bool {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
	return true
}

// take carries out a command, and reports false if it is not complete.
func (s *screen) take(c []byte) bool {
	last := c[len(c)-1]
	switch {
	case len(c) > 3 && c[1] == 'Q':
		return s.takeLine(c[2], c[3:])
	case last == '\r':
		return true // moves the cursor, or ends a command that makes no sense
	case len(c) == 1 && last == 0x0c:
		s.clear()
		return true
	case len(c) == 1 && last == 0x1b:
		return false
	case len(c) == 1:
		return s.fail("byte %02Xh outside of a command", last)
	}
	return s.takeEscape(c)
}

func (s *screen) takeEscape(c []byte) bool {
	switch {
	case c[1] == 'Q' && len(c) == 2:
		s.stringMode = true
		return false
	case c[1] == 'Q' && (c[2] == 'A' || c[2] == 'B'):
		return false
	case s.stringMode:
		return s.fail("% X within the string mode", c)
	case c[1] == '@':
		s.clear()
		s.japan, s.jis = false, false
		return true
	case len(c) == 2 && (c[1] == 'f' || c[1] == 'c'):
		return false
	case c[1] == 'f' && strings.ContainsRune("AGIJUFSWDELR", rune(c[2])):
		s.japan = c[2] == 'J'
		return true
	case c[1] == 'c' && strings.ContainsRune("AJRL", rune(c[2])):
		s.jis = c[2] == 'J'
		return true
	}
	return s.fail("% X is no command", c)
}

func (s *screen) takeLine(which byte, text []byte) bool {
	last := text[len(text)-1]
	switch {
	case last == '\r':
		line := s.lines[which-'A'][:]
		copy(line[copy(line, text[:len(text)-1]):], strings.Repeat(" ", 20))
		return true
	case last < ' ' || last > '~' && last < 0xa1 || last > 0xdf:
		return s.fail("byte %02Xh in a line", last)
	case last > '~' && !s.jis:
		return s.fail("katakana before ESC c J")
	case len(text) > 20:
		return s.fail("a line of over 20 characters")
	}
	return false
}

func (s *screen) Lines() (shown [2]string) {
	for i, line := range s.lines {
		for _, c := range line {
			r := rune(c)
			switch {
			case c == '\\' && s.japan:
				r = '¥'
			case c >= 0xa1:
				r = '｡' + rune(c) - 0xa1
			}
			shown[i] += string(r)
		}
	}
	return shown
}

func (s *screen) Err() error { return s.err }
