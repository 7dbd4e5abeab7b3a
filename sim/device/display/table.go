package display

import (
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/encoding/charmap"
)

// replaced are the twelve places of ASCII that differ by country.
const replaced = `#$@[\]^` + "`{|}~"

// nationals are the characters at those places, by the number of ESC R.
//
//nolint:gochecknoglobals // a constant table
var nationals = [...][]rune{
	[]rune(replaced),            // 0 USA
	[]rune(`#$à°ç§^` + "`éùè¨"), // 1 France
	[]rune(`#$§ÄÖÜ^` + "`äöüß"), // 2 Germany
	[]rune(`£$@[\]^` + "`{|}~"), // 3 United Kingdom
	[]rune(`#$@ÆØÅ^` + "`æøå~"), // 4 Denmark I
	[]rune(`#¤ÉÄÖÅÜéäöåü`),      // 5 Sweden
	[]rune(`#$@°\é^ùàòèì`),      // 6 Italy
	[]rune(`₧$@¡Ñ¿^` + "`¨ñ}~"), // 7 Spain
	[]rune(`#$@[¥]^` + "`{|}~"), // 8 Japan
	[]rune(`#¤ÉÆØÅÜéæøåü`),      // 9 Norway
	[]rune(`#$ÉÆØÅÜéæøåü`),      // 10 Denmark II
}

// countries are the letters of ESC f, in the order of nationals.
const countries = "AFGUDWISJNE"

// selectTable is ESC f (country by letter), ESC R (by number) and ESC c (what
// the upper half is: 'A' Latin, 'J' JIS X 0201, 'R' Russian). An unknown
// choice is ignored.
func (m *machine) selectTable(op, n byte) {
	switch op {
	case 'f':
		if i := strings.IndexByte(countries, n); i >= 0 {
			m.national = i
		}
	case 'R':
		if int(n) < len(nationals) {
			m.national = int(n)
		}
	case 'c':
		if n == 'A' || n == 'J' || n == 'R' {
			m.table = n
		}
	}
}

// none is shown for a byte that has no character.
const none = '·'

// character is what a byte looks like.
func (m *machine) character(c byte) rune {
	switch {
	case c < 0x7F:
		if i := strings.IndexByte(replaced, c); i >= 0 {
			return nationals[m.national][i]
		}
		return rune(c)
	case c == 0x7F:
		return none
	case m.table == 'J':
		if c >= 0xA1 && c <= 0xDF { // half-width katakana
			return '\uFF61' + rune(c-0xA1)
		}
		return none
	}
	table := charmap.CodePage437
	if m.table == 'R' {
		table = charmap.CodePage866
	}
	if r := table.DecodeByte(c); unicode.IsGraphic(r) {
		return r
	}
	return none
}

// lines is what is seen on the glass at a time.
func (m *machine) lines(now time.Time) [rows]string {
	var text [rows]string
	for y, line := range m.glass {
		if y == 0 && m.marquee != nil {
			line = m.scrolled(now)
		}
		text[y] = string(line[:])
	}
	return text
}

// scrolled is the upper line of a text that scrolls by itself: it comes round
// again after a blank line.
func (m *machine) scrolled(now time.Time) [columns]rune {
	ring := len(m.marquee) + columns
	begin := int(max(0, now.Sub(m.since))/marqueeStep) % ring
	var line [columns]rune
	for x := range line {
		line[x] = ' '
		if i := (begin + x) % ring; i < len(m.marquee) {
			line[x] = m.marquee[i]
		}
	}
	return line
}
