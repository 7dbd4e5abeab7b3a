package escpos

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// kind is how a character gets on paper.
type kind uint8

const (
	nothing   kind = iota // prints nothing and takes no place
	plain7                // one byte in every code table
	backslash             // 5Ch is ¥ here: the national set must be switched
	onPage                // one byte of one code table or more
	kanji                 // two bytes of Shift_JIS
	drawn                 // in none: its dots are sent
)

// char is the character r for the printer; code is its byte, or two of
// Shift_JIS.
type char struct {
	kind kind
	code uint16
	r    rune
	// asked is what r was before it was taken for one alike, plus 1: zero is an
	// empty place.
	asked rune
}

// columns is the width in half-width characters.
func (c char) columns() int {
	switch c.kind {
	case nothing:
		return 0
	case kanji, drawn:
		return 2
	case plain7, backslash, onPage:
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

// charset turns characters into the printer's codes.
type charset struct {
	candidates []byte // pages of ESC t, the favourite first
	sjis       transform.Transformer
	src, dst   [8]byte // here, not on the stack, from which an interface drives them
	// known are characters that were looked up, by the low bits of their number:
	// a receipt has few.
	known [knownSize]char
}

const knownSize = 512

func newCharset(m Model) *charset {
	return &charset{
		candidates: append([]byte{pageKatakana}, m.Pages...),
		sjis:       japanese.ShiftJIS.NewEncoder(),
	}
}

func (s *charset) kind(c rune) kind { return s.char(c).kind }

// char never gives a control byte, and no '?' for what the printer lacks.
func (s *charset) char(c rune) char {
	switch {
	case c == '\\':
		return char{kind: backslash, code: '\\', r: c}
	case c >= ' ' && c <= '~':
		return char{kind: plain7, code: uint16(c), r: c}
	case c == '¥':
		return char{kind: plain7, code: '\\', r: c}
	}
	known := &s.known[c%knownSize]
	if known.asked != c+1 {
		*known = s.look(c)
		known.asked = c + 1
	}
	return *known
}

func (s *charset) look(c rune) char {
	switch {
	case c < ' ', unicode.IsControl(c), c != '\u3000' && unicode.IsSpace(c):
		return char{kind: plain7, code: ' ', r: ' '}
	case unicode.Is(unicode.Cf, c), unicode.Is(unicode.Variation_Selector, c):
		return char{kind: nothing}
	}
	if other, ok := alike[c]; ok {
		c = other
	}
	switch {
	case c <= '~':
		return char{kind: plain7, code: uint16(c), r: c}
	case narrow(c) && s.onSomePage(c):
		return char{kind: onPage, r: c}
	}
	if code := s.kanji(c); code != 0 {
		return char{kind: kanji, code: code, r: c}
	}
	if base := letter(c); base != c && narrow(c) {
		return s.look(base)
	}
	if mark(c) {
		return char{kind: nothing}
	}
	return char{kind: drawn, r: c}
}

// narrowSigns are in the code tables of every model, and take one column, as
// the letters of Europe do.
const narrowSigns = "¡¢£¤¦©«¬®¯²³¸¹»¼½¾¿€‚„‹›•™"

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

func (s *charset) onSomePage(c rune) bool {
	for _, page := range s.candidates {
		if inPage(page, c) != 0 {
			return true
		}
	}
	return false
}

// kanji looks up a two-byte code; 0 is none.
func (s *charset) kanji(c rune) uint16 {
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
