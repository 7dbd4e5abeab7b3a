package glyph_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"pgregory.net/rapid"

	"regi/drivers/glyph"
)

// set is that of a printer with the alphabets of Europe.
func set() *glyph.Set {
	return glyph.NewSet(
		glyph.Page{Number: 2}, glyph.Page{Number: 32, Table: charmap.Windows1252}, glyph.Page{Number: 10, Table: charmap.CodePage866},
	)
}

func code(c glyph.Char) []byte { return []byte{byte(c.Code >> 8), byte(c.Code & 0xFF)} }

// TestEveryKanji decodes what each character of Unicode's planes 0 and 2 is sent
// as, by the table's other direction.
func TestEveryKanji(t *testing.T) {
	t.Parallel()
	chars, n := set(), 0
	for c := rune(0x80); c < 0x30000; c++ {
		char := chars.Char(c)
		if char.Kind != glyph.Kanji {
			continue
		}
		b := code(char)
		if b[0] < 0x81 || b[0] > 0xEF || b[0] >= 0xA0 && b[0] < 0xE0 || b[1] < 0x40 || b[1] == 0x7F || b[1] > 0xFC {
			t.Fatalf("%U: % x is no code of a printer's", c, b)
		}
		got, err := japanese.ShiftJIS.NewDecoder().Bytes(b)
		if err != nil {
			t.Fatalf("%U: % x: %v", c, b, err)
		}
		if again := chars.Char([]rune(string(got))[0]); again.Kind == glyph.Kanji && again.Code != char.Code {
			t.Errorf("%U: % x is %q, which is %04x", c, b, got, again.Code)
		}
		n++
	}
	if n < 7200 {
		t.Errorf("only %d characters of two bytes", n)
	}
}

func TestChar(t *testing.T) {
	t.Parallel()
	chars := set()
	for c, want := range map[rune]glyph.Char{
		'A': {Kind: glyph.Plain, Code: 'A'}, '~': {Kind: glyph.Plain, Code: '~'}, '\\': {Kind: glyph.Backslash, Code: '\\'},
		'¥': {Kind: glyph.Plain, Code: '\\'}, '\t': {Kind: glyph.Plain, Code: ' '}, 0x7F: {Kind: glyph.Plain, Code: ' '},
		'\u00A0': {Kind: glyph.Plain, Code: ' '}, '\u3000': {Kind: glyph.Kanji, Code: 0x8140}, '亜': {Kind: glyph.Kanji, Code: 0x889F},
		'ソ': {Kind: glyph.Kanji, Code: 0x835C}, '①': {Kind: glyph.Kanji, Code: 0x8740}, '髙': {Kind: glyph.Kanji, Code: 0xEEE0},
		'ⅰ': {Kind: glyph.Kanji, Code: 0xEEEF}, '￤': {Kind: glyph.Kanji, Code: 0xEEFA}, '〜': {Kind: glyph.Kanji, Code: 0x8160},
		'ｱ': {Kind: glyph.OnPage}, 'é': {Kind: glyph.OnPage}, 'Ж': {Kind: glyph.OnPage}, 'ő': {Kind: glyph.Plain, Code: 'o'},
		'麵': {Kind: glyph.Drawn}, '😀': {Kind: glyph.Drawn}, 0xFFFD: {Kind: glyph.Drawn},
		0xFE0F: {Kind: glyph.Nothing}, 0xE0100: {Kind: glyph.Nothing}, 0x200B: {Kind: glyph.Nothing},
	} {
		if got := chars.Char(c); got.Kind != want.Kind || got.Code != want.Code {
			t.Errorf("%U: %+v, want %+v", c, got, want)
		}
	}
}

// TestColumns: a line is as wide as the contract says.
func TestColumns(t *testing.T) {
	t.Parallel()
	const signs = "¡¢£¤¦©«¬®¯²³¸¹»¼½¾¿€‚„‹›•™"
	chars := glyph.NewSet(glyph.Page{})
	latin := set()
	for c := rune(' '); c < 0x20000; c++ {
		char := chars.Char(c)
		if char.Kind == glyph.Nothing || char.Kind == glyph.Plain {
			continue
		}
		want := 2
		if c == '\\' || c >= '｡' && c <= 'ﾟ' {
			want = 1
		}
		if got := char.Columns(); got != want {
			t.Errorf("%q takes %d columns", c, got)
		}
		if strings.ContainsRune(signs, c) && latin.Char(c).Columns() != 1 {
			t.Errorf("%q takes two columns on a page that has it", c)
		}
	}
}

// TestNoControl: whatever a string holds, its codes hold no control byte.
func TestNoControl(t *testing.T) {
	t.Parallel()
	chars := set()
	rapid.Check(t, func(t *rapid.T) { noControl(t, chars, string(rapid.SliceOf(rapid.Byte()).Draw(t, "text"))) })
}

type failer interface{ Fatalf(string, ...any) }

func noControl(t failer, chars *glyph.Set, text string) {
	for _, c := range chars.Append(nil, text) {
		b := []byte{}
		switch c.Kind {
		case glyph.Plain, glyph.Backslash:
			b = []byte{byte(c.Code & 0xFF)}
		case glyph.Kanji:
			b = code(c)
		case glyph.OnPage:
			b = []byte{chars.Choose([]glyph.Char{c}).Byte(c.Rune)}
		case glyph.Nothing, glyph.Drawn:
		}
		for _, b := range b {
			if b < ' ' || b == 0x7F {
				t.Fatalf("%+v: control byte %02x", c, b)
			}
		}
	}
}

// FuzzLines: the lines of a text are no wider than the paper, and lose no more
// than blanks.
func FuzzLines(f *testing.F) {
	f.Add("（珈琲）。ab cd 、", uint8(8))
	f.Fuzz(func(t *testing.T, text string, columns uint8) {
		width := max(2, int(columns))
		chars := set()
		noControl(t, chars, text)
		var want, got []glyph.Char
		want = chars.Append(want, text)
		lines := 0
		for line := range glyph.Lines(want, width) {
			used := 0
			for _, c := range line {
				used += c.Columns()
			}
			if used > width {
				t.Errorf("%d columns of %d", used, width)
			}
			got = append(got, line...)
			lines++
		}
		if lines == 0 || lines > 1+len(want) {
			t.Errorf("%d lines of %d characters", lines, len(want))
		}
		blank := func(c glyph.Char) bool { return c.Kind == glyph.Plain && c.Code == ' ' }
		if !slices.Equal(slices.DeleteFunc(got, blank), slices.DeleteFunc(want, blank)) {
			t.Error("a character is lost")
		}
	})
}

// TestSlots: each character has a code of its own, within the printer's room.
func TestSlots(t *testing.T) {
	t.Parallel()
	slots, codes := glyph.Slots{}, map[uint16]bool{}
	var text strings.Builder
	for c := range rune(200) {
		text.WriteRune(0x20000 + c)
	}
	chars := set()
	for range 2 {
		slots.Define(chars, text.String()+"亜A", func(code uint16, g glyph.Drawing) {
			if hi, lo := code>>8, code&0xFF; hi != 0xEC || lo < 0x40 || lo == 0x7F || lo > 0x9E || codes[code] {
				t.Errorf("code %04x", code)
			}
			codes[code] = true
			if g == (glyph.Drawing{}) {
				t.Error("nothing is drawn")
			}
		})
	}
	if len(codes) != glyph.SlotsMax || len(slots) != glyph.SlotsMax {
		t.Errorf("%d codes, %d characters", len(codes), len(slots))
	}
}
