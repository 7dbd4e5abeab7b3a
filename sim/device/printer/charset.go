package printer

import (
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
)

// ESC R n: the characters that stand at these codes.
const nationalCodes = "#$@[\\]^`{|}~"

//nolint:gochecknoglobals // a constant table
var national = [...]string{
	"#$@[\\]^`{|}~", // 0 U.S.A.
	"#$à°ç§^`éùè¨",  // 1 France
	"#$§ÄÖÜ^`äöüß",  // 2 Germany
	"£$@[\\]^`{|}~", // 3 U.K.
	"#$@ÆØÅ^`æøå~",  // 4 Denmark I
	"#¤ÉÄÖÅÜéäöåü",  // 5 Sweden
	"#$@°\\é^ùàòèì", // 6 Italy
	"₧$@¡Ñ¿^`¨ñ}~",  // 7 Spain I
	"#$@[¥]^`{|}~",  // 8 Japan
	"#¤ÉÆØÅÜéæøåü",  // 9 Norway
	"#$ÉÆØÅÜéæøåü",  // 10 Denmark II
	"#$á¡Ñ¿é`íñóú",  // 11 Spain II
	"#$á¡Ñ¿éüíñóú",  // 12 Latin America
	"#$@[₩]^`{|}~",  // 13 Korea
	"#$ŽŠĐĆČžšđćč",  // 14 Slovenia, Croatia
	"#¥@[\\]^`{|}~", // 15 China
}

// tableKatakana is ESC t 1.
const tableKatakana = 1

// ESC t n.
//
//nolint:gochecknoglobals // a constant table
var codeTables = map[byte]*charmap.Charmap{
	0: charmap.CodePage437, 2: charmap.CodePage850, 3: charmap.CodePage860, 4: charmap.CodePage863,
	5: charmap.CodePage865, 15: charmap.ISO8859_7, 16: charmap.Windows1252, 17: charmap.CodePage866,
	18: charmap.CodePage852, 19: charmap.CodePage858, 34: charmap.CodePage855, 36: charmap.CodePage862,
	39: charmap.ISO8859_2, 40: charmap.ISO8859_15, 45: charmap.Windows1250, 46: charmap.Windows1251,
	47: charmap.Windows1253, 48: charmap.Windows1254, 49: charmap.Windows1255, 50: charmap.Windows1256,
	51: charmap.Windows1257, 52: charmap.Windows1258,
}

// katakana is the upper half of ESC t 1, from 80h.
//
//nolint:gochecknoglobals // a constant table
var katakana = []rune("▁▂▃▄▅▆▇█▏▎▍▌▋▊▉┼" + "┴┬┤├▔─│▕┌┐└┘╭╮╰╯" +
	" ｡｢｣､･ｦｧｨｩｪｫｬｭｮｯ" + "ｰｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿ" + "ﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏ" + "ﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝﾞﾟ" +
	"═╞╪╡◢◣◥◤♠♥♦♣●○╱╲" + "╳円年月日時分秒〒市区町村人▒ ")

// single is the character of a byte.
func single(table, country, b byte) rune {
	switch {
	case b >= 0x80 && table == tableKatakana:
		return katakana[b-0x80]
	case b >= 0x80:
		return codeTables[table].DecodeByte(b)
	}
	for i := range len(nationalCodes) {
		if nationalCodes[i] == b {
			return []rune(national[country])[i]
		}
	}
	return rune(b)
}

// Shift_JIS: a lead byte holds two rows of 94 cells, its trail byte one of 188.
func isLead(b byte) bool  { return b >= 0x81 && b <= 0x9F || b >= 0xE0 && b <= 0xFC }
func isTrail(b byte) bool { return b >= 0x40 && b <= 0xFC && b != 0x7F }

// rowCell is the place of a Shift_JIS character, rows and cells from 1. Rows
// above 94 are outside JIS X 0208.
func rowCell(lead, trail byte) (row, cell int) {
	pair := int(lead) - 0x81
	if lead >= 0xE0 {
		pair -= 0xE0 - 0xA0 // A0–DF are half-width katakana, not lead bytes
	}
	n := int(trail) - 0x40
	if trail > 0x7F {
		n-- // 7F is no trail byte
	}
	return 2*pair + n/94 + 1, n%94 + 1
}

// shiftJIS is rowCell backwards, for rows 1 to 94.
func shiftJIS(row, cell int) (lead, trail byte) {
	pair := (row - 1) / 2
	l, n := pair+0x81, (row-1)%2*94+cell-1
	if l > 0x9F {
		l += 0xE0 - 0xA0
	}
	t := n + 0x40
	if t >= 0x7F {
		t++
	}
	return byte(l & 0xFF), byte(t & 0xFF)
}

// geta marks a character that text has no code for.
const geta = "〓"

// kanjiText is the character of two bytes of Shift_JIS, as Windows reads them.
func kanjiText(lead, trail byte) string {
	b, err := japanese.ShiftJIS.NewDecoder().Bytes([]byte{lead, trail})
	if err != nil || len(b) == 0 {
		return geta
	}
	r := []rune(string(b))
	if len(r) != 1 || r[0] == '\uFFFD' || r[0] >= 0xE000 && r[0] <= 0xF8FF {
		return geta
	}
	return string(r)
}
