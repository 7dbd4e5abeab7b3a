package sjis_test

import (
	"testing"

	"golang.org/x/text/encoding/japanese"
	"pgregory.net/rapid"

	"regi/drivers/sjis"
)

// TestEveryCode decodes what each character of Unicode's planes 0 and 2 is sent
// as, by another table than the one it was looked up in where there is one.
func TestEveryCode(t *testing.T) {
	t.Parallel()
	table, kanji := sjis.NewTable(), 0
	for c := rune(0x80); c < 0x30000; c++ {
		code := table.Code(c)
		b := code.Append(nil)
		if len(b) != code.Columns() {
			t.Fatalf("%U: %d bytes, %d columns", c, len(b), code.Columns())
		}
		if len(b) < 2 || code == sjis.Geta {
			continue
		}
		if b[0] < 0x81 || b[0] > 0xEF || b[0] >= 0xA0 && b[0] < 0xE0 || b[1] < 0x40 || b[1] == 0x7F || b[1] > 0xFC {
			t.Fatalf("%U: % x is no code of a printer's", c, b)
		}
		got, err := japanese.ShiftJIS.NewDecoder().Bytes(b)
		if err != nil || table.Code([]rune(string(got))[0]) != code {
			t.Errorf("%U: % x is %q, %v", c, b, got, err)
		}
		kanji++
	}
	if kanji < 7200 {
		t.Errorf("only %d characters of two bytes", kanji)
	}
}

func TestCode(t *testing.T) {
	t.Parallel()
	table := sjis.NewTable()
	for c, want := range map[rune]sjis.Code{
		'A': 'A', '~': '~', '\\': sjis.Backslash, '¥': sjis.Yen, 'ｱ': 0xB1, 'ﾟ': 0xDF, '\t': ' ', 0x7F: ' ', '\u00A0': ' ',
		'\u3000': 0x8140, '亜': 0x889F, 'ソ': 0x835C, '①': 0x8740, '髙': 0xEEE0, 'ⅰ': 0xEEEF, '￤': 0xEEFA,
		'〜': 0x8160, '麵': sjis.Geta, '😀': sjis.Geta, 0xFFFD: sjis.Geta, 0xFE0F: sjis.None, 0xE0100: sjis.None, 0x200B: sjis.None,
	} {
		if got := table.Code(c); got != want {
			t.Errorf("%U: %04x, want %04x", c, got, want)
		}
	}
}

// TestNoControl: whatever a string holds, its codes hold no control byte.
func TestNoControl(t *testing.T) {
	t.Parallel()
	table := sjis.NewTable()
	rapid.Check(t, func(t *rapid.T) {
		for _, c := range string(rapid.SliceOf(rapid.Byte()).Draw(t, "text")) {
			for _, b := range table.Code(c).Append(nil) {
				if b < ' ' || b == 0x7F {
					t.Fatalf("%U: control byte %02x", c, b)
				}
			}
		}
	})
}
