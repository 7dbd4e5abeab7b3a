package linedisplay

import (
	"unicode"

	"golang.org/x/text/width"
)

// Codes of JIS X 0201 that differ from ASCII or have no ASCII twin.
const (
	yen     = 0x5c
	tilde   = 0x7e // some displays show it as ‾, as JIS X 0201 has it
	voiced  = 0xde // ﾞ
	semi    = 0xdf // ﾟ
	kanaMin = 0xa1 // ｡
)

// replacement stands for a character that the display does not have.
const replacement = '?'

// appendLine appends s as exactly 20 bytes. A character whose two bytes do not
// both fit is left out.
func appendLine(b []byte, s string) []byte {
	full := len(b) + Columns
	for _, r := range s {
		code, mark := encode(r)
		if len(b) == full || mark != 0 && len(b)+1 == full {
			break
		}
		if b = append(b, code); mark != 0 {
			b = append(b, mark)
		}
	}
	for len(b) < full {
		b = append(b, ' ')
	}
	return b
}

// encode returns the JIS X 0201 code of a character, and that of its voiced or
// semi-voiced mark or 0:
//
//	ASCII but \              itself; the Japanese set has ¥ in its place
//	¥                        5Ch
//	‾, 〜                    7Eh
//	half-width katakana      A1h-DFh
//	full-width forms of all  as the above: Ａ, ￥, カ, 。, the ideographic space
//	ガ, パ, ヴ, ...          two codes: ｶﾞ, ﾊﾟ, ｳﾞ
//	hiragana                 as katakana
//	control characters       a space
//	any other                "?"
//
// No code is below 20h or within 7Fh to A0h, so that text is never a command.
func encode(r rune) (code, mark byte) {
	if r >= 'ぁ' && r <= 'ゔ' {
		r += 'ァ' - 'ぁ'
	}
	r, mark = split(r)
	if n := width.LookupRune(r).Narrow(); n != 0 {
		r = n
	}
	switch {
	case r == '¥':
		return yen, mark
	case r == '〜', r == '‾', r == '\u00af': // what U+FFE3 narrows to
		return tilde, mark
	case r == '\\':
		return replacement, 0
	case r >= ' ' && r <= '~':
		return byte(r), mark
	case r >= '｡' && r <= 'ﾟ':
		return byte(r - '｡' + kanaMin), mark
	case unicode.IsControl(r):
		return ' ', 0
	}
	return replacement, 0
}

// split takes the mark off a voiced (ガ) or semi-voiced (パ) katakana, which
// Unicode has right after the plain one. A combining mark becomes its own
// character.
func split(r rune) (plain rune, mark byte) {
	switch {
	case r >= 'ガ' && r <= 'ヂ' && (r-'ガ')%2 == 0, r >= 'ヅ' && r <= 'ド' && (r-'ヅ')%2 == 0:
		return r - 1, voiced
	case r >= 'ハ' && r <= 'ポ' && (r-'ハ')%3 == 1:
		return r - 1, voiced
	case r >= 'ハ' && r <= 'ポ' && (r-'ハ')%3 == 2:
		return r - 2, semi
	case r == 'ヴ':
		return 'ウ', voiced
	case r == '\u3099', r == '゛':
		return 'ﾞ', 0
	case r == '\u309a', r == '゜':
		return 'ﾟ', 0
	}
	return r, 0
}
