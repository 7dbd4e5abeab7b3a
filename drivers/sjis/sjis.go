// Package sjis is Shift_JIS as Japanese receipt printers take it: which bytes
// print a character, and how wide they are.
//
// Sources: JIS X 0201, JIS X 0208 and Microsoft's code page 932.
package sjis

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/transform"
)

// Code is what is sent for a character: one byte below 100h, or two.
type Code uint16

// Codes of a meaning of their own.
const (
	None      Code = 0 // prints nothing and takes no place
	Backslash Code = 1 // 5Ch is ¥ in the Japanese set: another must be chosen
	Space     Code = ' '
	Yen       Code = 0x5C
	Geta      Code = 0x81AC // 〓: what the table lacks
)

// Columns is the width in half-width characters: one a byte, and one of
// Backslash.
func (c Code) Columns() int {
	switch {
	case c == None:
		return 0
	case c > 0xFF:
		return 2
	}
	return 1
}

// Append appends the code's bytes. None and Backslash have none.
func (c Code) Append(b []byte) []byte {
	switch {
	case c > 0xFF:
		return append(b, byte(c>>8), byte(c&0xFF))
	case c >= Space:
		return append(b, byte(c&0xFF))
	}
	return b
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

// Table looks codes up. It is not safe for use by several goroutines.
type Table struct {
	sjis     transform.Transformer
	src, dst [8]byte // here, not on the stack, from which an interface drives them
}

// NewTable returns a table.
func NewTable() *Table { return &Table{sjis: japanese.ShiftJIS.NewEncoder()} }

// Code is that of c: never a control byte, never a '?' for what it lacks.
func (t *Table) Code(c rune) Code {
	switch {
	case c == '\\':
		return Backslash
	case c >= ' ' && c <= '~':
		return Code(c)
	case c == '¥':
		return Yen
	case c >= '｡' && c <= 'ﾟ': // JIS X 0201 katakana
		return Code(c-'｡') + 0xA1
	case c < ' ', unicode.IsControl(c), c != '\u3000' && unicode.IsSpace(c):
		return Space
	case unicode.Is(unicode.Cf, c), unicode.Is(unicode.Variation_Selector, c):
		return None
	}
	if other, ok := alike[c]; ok {
		c = other
	}
	return t.kanji(c)
}

// kanji looks up a two-byte code.
func (t *Table) kanji(c rune) Code {
	if c <= '~' {
		return Code(c) //nolint:gosec // an ASCII look-alike
	}
	n, _, err := t.sjis.Transform(t.dst[:], utf8.AppendRune(t.src[:0], c), true)
	if err != nil || n != 2 {
		return Geta
	}
	code := Code(t.dst[0])<<8 | Code(t.dst[1])
	if t.dst[0] >= 0xFA {
		code = withinE0(code)
	}
	return code
}

// The IBM extensions stand at FA40–FC4B; some printers know first bytes to EF
// only. There NEC's selection has them again: 360 kanji in the same order from
// ED40 on, small roman numerals and four signs from EEEF on. The rest of IBM's
// rows are signs that the encoder takes from elsewhere.
const (
	ibmRoman, necRoman = 0xFA40, 0xEEEF
	ibmSigns, necSigns = 0xFA54, 0xEEF9
	ibmKanji, necKanji = 0xFA5C, 0xED40
	ibmEnd             = 0xFC4B
)

func withinE0(code Code) Code {
	switch {
	case code >= ibmKanji && code <= ibmEnd:
		return fromOrdinal(necKanji, ordinal(code)-ordinal(ibmKanji))
	case code >= ibmRoman && code < ibmRoman+10:
		return fromOrdinal(necRoman, ordinal(code)-ordinal(ibmRoman))
	case code >= ibmSigns && code < ibmSigns+4:
		return fromOrdinal(necSigns, ordinal(code)-ordinal(ibmSigns))
	}
	return Geta
}

// trails is the number of second bytes: 40–7E and 80–FC.
const trails = 188

func ordinal(code Code) int {
	trail := int(code&0xFF) - 0x40
	if code&0xFF > 0x7F {
		trail--
	}
	return int(code>>8)*trails + trail
}

func fromOrdinal(base Code, offset int) Code {
	n := ordinal(base) + offset
	trail := n%trails + 0x40
	if trail >= 0x7F {
		trail++
	}
	return Code(n/trails)<<8 | Code(trail) //nolint:gosec // two bytes by construction
}
