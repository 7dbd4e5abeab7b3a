package escpos

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/transform"
)

// Codes of Shift_JIS; one of a single byte is below 0x100.
const (
	space     uint16 = ' '
	yen       uint16 = 0x5C
	geta      uint16 = 0x81AC // 〓: what the printer's table lacks
	none      uint16 = 0      // prints nothing and takes no place
	backslash uint16 = 1      // 5Ch is ¥ here: the national set must be switched
)

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
	'\u00A2': '\uFFE0', // cent
	'\u00A3': '\uFFE1', // pound
	'\u00AC': '\uFFE2', // not
	'\u00A6': '\uFFE4', // broken bar
	'\u203E': '\uFFE3', // overline: 7Eh is ~ on these printers
	'\u00C5': '\u212B', // angstrom
	'\u00B5': '\u03BC', // micro
	'\u00B7': '\u30FB', // middle dot
	'\u3099': '\u309B', // dakuten that could not be composed
	'\u309A': '\u309C', // handakuten
	'\u2013': '-',
	'\u2011': '\u2010',
}

// charset turns characters into the printer's codes.
type charset struct {
	sjis     transform.Transformer
	src, dst [8]byte // here, not on the stack, from which an interface drives them
}

func newCharset() *charset { return &charset{sjis: japanese.ShiftJIS.NewEncoder()} }

// code is the Shift_JIS code of c: never a control byte, never a '?' for what
// it lacks.
func (s *charset) code(c rune) uint16 {
	switch {
	case c == '\\':
		return backslash
	case c >= ' ' && c <= '~':
		return uint16(c)
	case c == '¥':
		return yen
	case c >= '｡' && c <= 'ﾟ': // JIS X 0201 katakana
		return uint16(c-'｡') + 0xA1
	case c < ' ', unicode.IsControl(c), c != '\u3000' && unicode.IsSpace(c):
		return space
	case unicode.Is(unicode.Cf, c), unicode.Is(unicode.Variation_Selector, c):
		return none
	}
	if other, ok := alike[c]; ok {
		c = other
	}
	return s.kanji(c)
}

// kanji looks up a two-byte code.
func (s *charset) kanji(c rune) uint16 {
	if c <= '~' {
		return uint16(c) //nolint:gosec // an ASCII look-alike
	}
	n, _, err := s.sjis.Transform(s.dst[:], utf8.AppendRune(s.src[:0], c), true)
	if err != nil || n != 2 {
		return geta
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
	return geta
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

// columns is the width in half-width characters: one a byte.
func columns(code uint16) int {
	switch {
	case code == none:
		return 0
	case code > 0xFF:
		return 2
	}
	return 1
}
