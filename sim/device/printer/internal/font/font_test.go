package font_test

import (
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/encoding/japanese"

	"regi/sim/device/printer/internal/font"
)

// picture shows every second row of a glyph, which is enough to recognise it.
func picture(g font.Glyph, w int) string {
	var b strings.Builder
	for y := 0; y < font.Height; y += 2 {
		var row strings.Builder
		for x := range w {
			if g[y]<<x>>31 == 1 || y+1 < font.Height && g[y+1]<<x>>31 == 1 {
				row.WriteByte('#')
			} else {
				row.WriteByte(' ')
			}
		}
		b.WriteString(strings.TrimRight(row.String(), " ") + "\n")
	}
	return b.String()
}

func TestGlyphsExist(t *testing.T) {
	for _, r := range "AZaz09!~\\|¥éÄß｡ｱﾝﾟ─│┌╬█▒■α円年" {
		if g, ok := font.Half(r); !ok || g == (font.Glyph{}) {
			t.Errorf("no 12-dot glyph for %q", r)
		}
	}
	for _, r := range "\x00\x1b🙂" {
		if _, ok := font.Half(r); ok {
			t.Errorf("a 12-dot glyph for %q", r)
		}
	}
	for _, rc := range [][2]int{{0, 1}, {95, 1}, {16, 0}, {16, 95}} {
		if _, ok := font.Kanji(rc[0], rc[1]); ok {
			t.Errorf("a glyph at %v", rc)
		}
	}
	n := 0
	for row := 1; row <= 94; row++ {
		if row == 13 {
			continue // see TestComposed
		}
		for cell := 1; cell <= 94; cell++ {
			if _, ok := font.Kanji(row, cell); ok {
				n++
			}
		}
	}
	if n != 6877 {
		t.Errorf("%d kanji glyphs, JIS X 0208-1983 has 6877", n)
	}
}

// TestKanjiIsTheRightOne: 一 (row 16, cell 76) is one horizontal stroke, 十
// (row 29, cell 29) is as wide as high, 口 (row 24, cell 93) is hollow.
func TestKanjiIsTheRightOne(t *testing.T) {
	one, _ := font.Kanji(16, 76)
	inked := 0
	for _, row := range one {
		if row != 0 {
			inked++
		}
	}
	if inked > 5 {
		t.Errorf("一 has ink in %d rows:\n%s", inked, picture(one, font.FullWidth))
	}
	ten, _ := font.Kanji(29, 29)
	if p := picture(ten, font.FullWidth); !strings.Contains(p, strings.Repeat("#", 18)) {
		t.Errorf("十 has no long stroke:\n%s", p)
	}
	mouth, _ := font.Kanji(24, 93)
	if mouth[11]<<11>>31 != 0 || mouth[11] == 0 {
		t.Errorf("口 is not hollow:\n%s", picture(mouth, font.FullWidth))
	}
}

func TestRulesJoin(t *testing.T) {
	g, _ := font.Half('─')
	v, _ := font.Half('│')
	if g[11]>>20 != 0xFFF {
		t.Errorf("─ does not reach both edges: %032b", g[11])
	}
	if v[0] == 0 || v[0] != v[font.Height-1] {
		t.Errorf("│ does not reach both edges")
	}
	c, _ := font.Half('┌')
	if c[11]>>31 != 0 || c[11]<<11>>31 != 1 || c[0] != 0 || c[23] == 0 {
		t.Errorf("┌ is\n%s", picture(c, font.HalfWidth))
	}
}

// TestComposed: the signs of row 13 are there, no two alike, in a ring where they
// have one.
func TestComposed(t *testing.T) {
	seen := map[font.Glyph]int{}
	for _, cell := range []int{1, 2, 9, 10, 19, 20, 21, 24, 28, 30, 32, 33, 36, 48, 50, 54, 63, 66, 68, 69, 74, 75, 76, 77} {
		g, ok := font.Kanji(13, cell)
		if other, twice := seen[g]; !ok || twice {
			t.Errorf("cell %d: %t, as %d:\n%s", cell, ok, other, picture(g, font.FullWidth))
		}
		seen[g] = cell
		edges := g[11]>>30 != 0 && g[11]<<22>>30 != 0
		if ringed := cell <= 20 || cell == 69; ringed && (g[0] == 0 || g[23] == 0 || g[0]>>27 != 0 || !edges) {
			t.Errorf("cell %d has no ring:\n%s", cell, picture(g, font.FullWidth))
		}
		t.Logf("cell %d:\n%s", cell, picture(g, font.FullWidth))
	}
	for _, cell := range []int{31, 94} {
		if _, ok := font.Kanji(13, cell); ok {
			t.Errorf("a glyph for the empty cell %d", cell)
		}
	}
}

// TestExtension: the kanji that code page 932 has beyond JIS X 0208 are on
// paper, each other than a box and than the others; 昻 is in neither font.
func TestExtension(t *testing.T) {
	t.Parallel()
	seen := map[font.Glyph]rune{font.Box(font.FullWidth): '□', {}: ' '}
	var lacking []rune
	for lead := 0xFA; lead <= 0xFC; lead++ {
		for trail := 0x40; trail <= 0xFC; trail++ {
			b, err := japanese.ShiftJIS.NewDecoder().Bytes([]byte{byte(lead), byte(trail)})
			r := []rune(string(b))
			if err != nil || len(r) != 1 || !unicode.Is(unicode.Han, r[0]) {
				continue
			}
			g, ok := font.Extension(r[0])
			if !ok {
				lacking = append(lacking, r...)
				continue
			}
			if other, twice := seen[g]; twice {
				t.Errorf("%c looks like %c", r[0], other)
			}
			seen[g] = r[0]
		}
	}
	if string(lacking) != "昻" || len(seen) != 359+2 {
		t.Errorf("%d kanji, without %q", len(seen)-2, string(lacking))
	}
}
