package escpos

import (
	"golang.org/x/text/encoding/charmap"
)

// The n of ESC t n: select character code table.
const (
	pageKatakana  = 1
	pageISO8859x7 = 15
	pageWPC1252   = 16
	pagePC866     = 17
	pagePC852     = 18
	pagePC858     = 19
	pageWPC1250   = 45
	pageWPC1251   = 46
	pageWPC1253   = 47
	pageWPC1254   = 48
	pageWPC1257   = 51
)

// pageTable is the character table of a page, nil for one that is not known.
func pageTable(page byte) *charmap.Charmap {
	switch page {
	case pageISO8859x7:
		return charmap.ISO8859_7
	case pageWPC1252:
		return charmap.Windows1252
	case pagePC866:
		return charmap.CodePage866
	case pagePC852:
		return charmap.CodePage852
	case pagePC858:
		return charmap.CodePage858
	case pageWPC1250:
		return charmap.Windows1250
	case pageWPC1251:
		return charmap.Windows1251
	case pageWPC1253:
		return charmap.Windows1253
	case pageWPC1254:
		return charmap.Windows1254
	case pageWPC1257:
		return charmap.Windows1257
	}
	return nil
}

// inPage is the byte of c in a page, 0 if it is not there.
func inPage(page byte, c rune) byte {
	if page == pageKatakana {
		if c >= '｡' && c <= 'ﾟ' { // JIS X 0201
			return byte(c - '｡' + 0xA1)
		}
		return 0
	}
	table := pageTable(page)
	if table == nil {
		return 0
	}
	b, ok := table.EncodeRune(c)
	if !ok || b < 0x80 {
		return 0
	}
	return b
}

// lookAhead bounds how far the choice of a page looks.
const lookAhead = 64

// choosePage is the page that serves the longest run of the characters to
// come: that makes the fewest switches. Kanji and ASCII need none.
func (s *charset) choosePage(text []char) byte {
	best, longest := byte(pageKatakana), 0
	for _, page := range s.candidates {
		run := 0
		for run < min(lookAhead, len(text)) && (text[run].kind != onPage || inPage(page, text[run].r) != 0) {
			run++
		}
		if run > longest {
			best, longest = page, run
		}
	}
	return best
}
