package printer

import "regi/sim/device/printer/internal/font"

// ownCode is where a user-defined character stands: a font and a byte.
type ownCode struct {
	fontB bool
	code  byte
}

// ownColumn is the bytes of a column of a user-defined character.
const ownColumn = 3

// defineCharacters is ESC & y c1 c2: for each character x, then x columns of y
// bytes. They belong to the font that is selected.
func defineCharacters(it *interpreter, a []byte) error {
	y, first, last := int(a[0]), int(a[1]), int(a[2])
	width := font.HalfWidth
	if it.fontB {
		width = fontBWidth
	}
	for c := first; c <= last; c++ {
		x, err := it.next()
		if err != nil {
			return err
		}
		if y != ownColumn || first < 0x20 || last > 0x7E || int(x) > width {
			if err := it.skip(int(x) * y); err != nil {
				return err
			}
			continue
		}
		b, err := it.take(int(x) * y)
		if err != nil {
			return err
		}
		if it.own == nil {
			it.own = map[ownCode]font.Glyph{}
		}
		it.own[ownCode{it.fontB, byte(c & 0x7F)}] = fromColumns(b)
	}
	return nil
}

// fromColumns is a glyph from columns of three bytes.
func fromColumns(b []byte) font.Glyph {
	var g font.Glyph
	for i, v := range b {
		for bit := range 8 {
			if v<<bit&0x80 != 0 {
				g[i%ownColumn*8+bit] |= 1 << (31 - i/ownColumn)
			}
		}
	}
	return g
}

// defineKanji is FS 2 c1 c2 d1…d72, columns of three bytes.
func defineKanji(it *interpreter, a []byte) error {
	lead, trail, ok := it.ownKanji(a)
	if !ok {
		return nil
	}
	if it.kanji == nil {
		it.kanji = map[[2]byte]font.Glyph{}
	}
	it.kanji[[2]byte{lead, trail}] = fromColumns(a[2:]) // at most 94 codes
	return nil
}

// forgetKanji is FS ? c1 c2.
func forgetKanji(it *interpreter, a []byte) error {
	if lead, trail, ok := it.ownKanji(a); ok {
		delete(it.kanji, [2]byte{lead, trail})
	}
	return nil
}

// ownKanji is the code of a user-defined kanji in Shift_JIS: EC40 to EC9E, or
// 7721 to 777E in JIS.
func (it *interpreter) ownKanji(a []byte) (lead, trail byte, ok bool) {
	lead, trail = a[0], a[1]
	if it.kanjiCode == codeJIS {
		if lead != 0x77 || trail < 0x21 || trail > 0x7E {
			return 0, 0, false
		}
		lead, trail = shiftJIS(int(lead)-0x20, int(trail)-0x20)
	}
	return lead, trail, lead == 0xEC && isTrail(trail) && trail <= 0x9E
}
