// Package glyph is the characters of a Japanese receipt printer: which bytes
// print them, where a line of them may break, and the dots of those that the
// printer lacks.
//
// Sources: JIS X 0201, JIS X 0208, JIS X 0213, JIS X 4051 (line breaking) and
// Microsoft's code page 932.
package glyph

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// Kind is how a character gets on paper.
type Kind uint8

// Kinds.
const (
	Nothing   Kind = iota // prints nothing and takes no place
	Plain                 // one byte in every code table
	Backslash             // 5Ch is ¥ here: the national set must be switched
	OnPage                // one byte of one code table or more
	Kanji                 // two bytes of Shift_JIS
	Drawn                 // in none: its dots are sent
)

// Char is a character for the printer; Code is its byte, or two of Shift_JIS.
type Char struct {
	Kind Kind
	Code uint16
	Rune rune
	// asked is what Rune was before it was taken for one alike, plus 1: zero is
	// an empty place.
	asked rune
}

// Columns is the width in half-width characters.
func (c Char) Columns() int {
	switch c.Kind {
	case Nothing:
		return 0
	case Kanji, Drawn:
		return 2
	case Plain, Backslash, OnPage:
	}
	return 1
}

// alike are characters that Shift_JIS has under another code point, as
// Unicode's and Microsoft's tables differ, and those that composing (NFC)
// makes of them.
//
//nolint:gochecknoglobals // a constant table
var alike = map[rune]rune{
	'\u301C': '\uFF5E', // wave dash
	'\u2016': '\u2225', // double vertical line
	'\u2212': '\uFF0D', // minus
	'\u2014': '\u2015', // em dash
	'\u203E': '\uFFE3', // overline: 7Eh is ~ on these printers
	'\u00B7': '\u30FB', // middle dot
	'\u212B': '\u00C5', // angstrom
	'\u3099': '\u309B', // dakuten that could not be composed
	'\u309A': '\u309C', // handakuten
	'\u2013': '-',
	'\u2011': '\u2010',
}

// Page is a code table of 80h to FFh, chosen by its number in the printer's
// language. Without a Table it is the katakana of JIS X 0201.
type Page struct {
	Number byte
	Table  *charmap.Charmap
}

// Byte is that of c in the table, 0 if it is not there.
func (p Page) Byte(c rune) byte {
	if p.Table == nil {
		if c >= '｡' && c <= 'ﾟ' {
			return byte(c - '｡' + 0xA1)
		}
		return 0
	}
	b, ok := p.Table.EncodeRune(c)
	if !ok || b < 0x80 {
		return 0
	}
	return b
}

// Leads says whether a byte is the first of a kanji under Shift_JIS.
func Leads(b byte) bool { return b >= 0x80 && b <= 0xA0 || b >= 0xE0 }

// Set is the characters of one printer. It is not safe for use by several
// goroutines.
type Set struct {
	// Latin: signs of Europe's type are narrow: see drivers.Document.
	Latin bool
	// NoKanji: the printer has none, they are drawn.
	NoKanji bool

	pages    []Page // the favourite first
	sjis     transform.Transformer
	src, dst [8]byte // here, not on the stack, from which an interface drives them
	// known are characters that were looked up, by the low bits of their number:
	// a receipt has few.
	known [knownSize]Char
	text  []Char // of Layout
}

const knownSize = 512

// NewSet returns the set of a printer with these pages, the favourite first.
func NewSet(pages ...Page) *Set {
	return &Set{pages: pages, sjis: japanese.ShiftJIS.NewEncoder()}
}

// lookAhead bounds how far the choice of a page looks.
const lookAhead = 64

// Choose is the page that serves the longest run of the characters to come:
// that makes the fewest switches. Kanji and ASCII need none.
func (s *Set) Choose(text []Char) Page {
	best, longest := s.pages[0], 0
	for _, page := range s.pages {
		run := 0
		for run < min(lookAhead, len(text)) && (text[run].Kind != OnPage || page.Byte(text[run].Rune) != 0) {
			run++
		}
		if run > longest {
			best, longest = page, run
		}
	}
	return best
}

// Append appends the characters of text, letters and their marks in one.
func (s *Set) Append(to []Char, text string) []Char {
	for _, c := range compose(text) {
		to = append(to, s.Char(c))
	}
	return to
}

// Char never gives a control byte, and no '?' for what the printer lacks.
func (s *Set) Char(c rune) Char {
	switch {
	case c == '\\':
		return Char{Kind: Backslash, Code: '\\', Rune: c}
	case c >= ' ' && c <= '~':
		return Char{Kind: Plain, Code: uint16(c), Rune: c}
	case c == '¥':
		return Char{Kind: Plain, Code: '\\', Rune: c}
	}
	known := &s.known[c%knownSize]
	if known.asked != c+1 {
		*known = s.look(c)
		known.asked = c + 1
	}
	return *known
}

func (s *Set) look(c rune) Char {
	switch {
	case c < ' ', unicode.IsControl(c), c != '\u3000' && unicode.IsSpace(c):
		return Char{Kind: Plain, Code: ' ', Rune: ' '}
	case unicode.Is(unicode.Cf, c), unicode.Is(unicode.Variation_Selector, c):
		return Char{Kind: Nothing}
	}
	if s.Latin && strings.ContainsRune(latinSigns, c) && s.onSomePage(c) {
		return Char{Kind: OnPage, Rune: c}
	}
	if other, ok := alike[c]; ok {
		c = other
	}
	switch {
	case c <= '~':
		return Char{Kind: Plain, Code: uint16(c), Rune: c}
	case narrow(c) && s.onSomePage(c):
		return Char{Kind: OnPage, Rune: c}
	}
	if code := s.kanji(c); code != 0 && !s.NoKanji {
		return Char{Kind: Kanji, Code: code, Rune: c}
	}
	if base := letter(c); base != c && narrow(c) {
		return s.look(base)
	}
	if mark(c) {
		return Char{Kind: Nothing}
	}
	return Char{Kind: Drawn, Rune: c}
}

// narrowSigns are in the code tables of every model, and take one column, as
// the letters of Europe do.
const narrowSigns = "¡¢£¤¦©«¬®¯²³¸¹»¼½¾¿€‚„‹›•™"

// latinSigns are in Windows' table of Western Europe, which the printers have.
const latinSigns = "§¨°±´¶·×÷–—‘’“”†‡…˜‰"

// narrow characters take one column even if Shift_JIS has them in two: what a
// receipt in euros or pounds is set with.
func narrow(c rune) bool {
	switch {
	case c >= '｡' && c <= 'ﾟ':
		return true
	case c < 0x530, c >= 0x1E00 && c < 0x2000: // Latin, Greek, Cyrillic
		return unicode.IsLetter(c) || strings.ContainsRune(narrowSigns, c)
	}
	return c < 0x2200 && strings.ContainsRune(narrowSigns, c)
}

// compose joins letters and marks that come one by one. Only then: composing
// makes other kanji of some.
func compose(s string) string {
	for _, c := range s {
		if mark(c) {
			return norm.NFC.String(s)
		}
	}
	return s
}

func mark(c rune) bool { return c >= 0x300 && c < 0x370 || c == 0x3099 || c == 0x309A }

// letter is c without the marks that no printer has (ễ is e): a name that is
// read as it was is better than a box in it. Others stay.
func letter(c rune) rune {
	if !unicode.In(c, unicode.Latin, unicode.Greek, unicode.Cyrillic) {
		return c
	}
	var b [utf8.UTFMax]byte
	base, _ := utf8.DecodeRune(norm.NFKD.AppendString(nil, string(utf8.AppendRune(b[:0], c))))
	return base
}

func (s *Set) onSomePage(c rune) bool {
	for _, page := range s.pages {
		if page.Byte(c) != 0 {
			return true
		}
	}
	return false
}

// kanji looks up a two-byte code; 0 is none.
func (s *Set) kanji(c rune) uint16 {
	n, _, err := s.sjis.Transform(s.dst[:], utf8.AppendRune(s.src[:0], c), true)
	if err != nil || n != 2 {
		return 0
	}
	code := uint16(s.dst[0])<<8 | uint16(s.dst[1])
	if s.dst[0] >= 0xFA {
		code = withinE0(code)
	}
	return code
}

// The IBM extensions stand at FA40–FC4B; FS C 1 knows first bytes to EF only.
// There NEC's selection has them again: 360 kanji in the same order from ED40
// on, small roman numerals and four signs from EEEF on. The rest of IBM's rows
// are signs that the encoder takes from elsewhere.
const (
	ibmRoman, necRoman = 0xFA40, 0xEEEF
	ibmSigns, necSigns = 0xFA54, 0xEEF9
	ibmKanji, necKanji = 0xFA5C, 0xED40
	ibmEnd             = 0xFC4B
)

func withinE0(code uint16) uint16 {
	switch {
	case code >= ibmKanji && code <= ibmEnd:
		return fromOrdinal(necKanji, ordinal(code)-ordinal(ibmKanji))
	case code >= ibmRoman && code < ibmRoman+10:
		return fromOrdinal(necRoman, ordinal(code)-ordinal(ibmRoman))
	case code >= ibmSigns && code < ibmSigns+4:
		return fromOrdinal(necSigns, ordinal(code)-ordinal(ibmSigns))
	}
	return 0
}

// trails is the number of second bytes: 40–7E and 80–FC.
const trails = 188

func ordinal(code uint16) int {
	trail := int(code&0xFF) - 0x40
	if code&0xFF > 0x7F {
		trail--
	}
	return int(code>>8)*trails + trail
}

func fromOrdinal(base uint16, offset int) uint16 {
	n := ordinal(base) + offset
	trail := n%trails + 0x40
	if trail >= 0x7F {
		trail++
	}
	return uint16(n/trails)<<8 | uint16(trail) //nolint:gosec // two bytes by construction
}
