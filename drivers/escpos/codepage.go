package escpos

import (
	"golang.org/x/text/encoding/charmap"

	"regi/drivers/glyph"
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

// katakana is there from the beginning of a document.
func katakana() glyph.Page { return glyph.Page{Number: pageKatakana} }

func newSet(m Model, latin bool) *glyph.Set {
	pages := make([]glyph.Page, 1, 1+len(m.Pages))
	pages[0] = katakana()
	for _, n := range m.Pages {
		if table := pageTable(n); table != nil {
			pages = append(pages, glyph.Page{Number: n, Table: table})
		}
	}
	s := glyph.NewSet(pages...)
	s.Latin, s.NoKanji = latin, !m.Kanji.Has()
	return s
}
