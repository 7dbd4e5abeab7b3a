// Package font holds the printer's character generator: 24-dot glyphs, 12 wide
// for single-byte characters and 24 wide for kanji.
//
// Where they come from, and under what terms: data/PROVENANCE.md. jiskan24 has
// the 6,877 characters of JIS X 0208-1983 and none of the NEC and IBM extensions,
// for which a real Japanese printer has glyphs. Those of row 13 (①, ㈱) are put
// together; the kanji among them (髙) are [Extension]'s, from another font.
package font

import (
	"bytes"
	"compress/gzip"
	_ "embed" // the glyphs
	"io"
	"sync"

	"golang.org/x/text/encoding/japanese"
)

// Size of a glyph in dots.
const (
	Height    = 24
	HalfWidth = 12
	FullWidth = 24
)

// Glyph is one character: the leftmost dot of a row is bit 31.
type Glyph [Height]uint32

// Kanji is the glyph of a row and cell of JIS X 0208, both 1 to 94.
func Kanji(row, cell int) (Glyph, bool) {
	if row < 1 || row > 94 || cell < 1 || cell > 94 {
		return Glyph{}, false
	}
	f := loaded()
	if g, ok := f.kanji[code(row+0x20, cell+0x20)]; ok {
		return g, true
	}
	return f.composed(row, cell)
}

// Extension is the glyph of a kanji that code page 932 has and JIS X 0208 lacks.
func Extension(r rune) (Glyph, bool) {
	g, ok := loaded().extension[r]
	return g, ok
}

// Half is the 12-dot glyph of a character: Latin-1, half-width katakana, box
// drawing and blocks; anything else JIS X 0208 has (Greek, 円) is squeezed from
// its 24-dot glyph.
func Half(r rune) (Glyph, bool) {
	f := loaded()
	switch {
	case r < 0x20:
		return Glyph{}, false
	case r == ' ' || r == '\u00a0':
		return Glyph{}, true
	case r <= 0xFF:
		g, ok := f.latin[code(0, int(r))]
		return g, ok
	case r >= '｡' && r <= 'ﾟ':
		g, ok := f.kana[code(0, int(r-'｡')+0xA1)]
		return g, ok
	}
	if g, ok := drawn(r); ok {
		return g, true
	}
	jis, err := japanese.EUCJP.NewEncoder().Bytes([]byte(string(r)))
	if err != nil || len(jis) != 2 || jis[0] < 0xA1 {
		return Glyph{}, false
	}
	g, ok := f.kanji[code(int(jis[0]&0x7F), int(jis[1]&0x7F))]
	return squeeze(g), ok
}

// Box stands for a character without a glyph, w dots wide.
func Box(w int) Glyph {
	var g Glyph
	for y := 2; y < Height-2; y++ {
		g[y] = span(1, 2) | span(w-2, w-1)
	}
	g[2], g[Height-3] = span(1, w-1), span(1, w-1)
	return g
}

// squeeze halves the width: a dot is black if one of its two is.
func squeeze(g Glyph) Glyph {
	for y, row := range g {
		var half uint32
		for x := range HalfWidth {
			if row<<(2*x)&(3<<30) != 0 {
				half |= 1 << (31 - x)
			}
		}
		g[y] = half
	}
	return g
}

// span is a row black from dot a up to and without dot b.
func span(a, b int) uint32 {
	return ^uint32(0) >> a &^ (^uint32(0) >> b)
}

func code(hi, lo int) uint16 {
	return uint16(hi&0xFF)<<8 | uint16(lo&0xFF)
}

type fonts struct {
	kanji, latin, kana map[uint16]Glyph
	extension          map[rune]Glyph
}

//go:embed data/jiskan24.pcf.gz
var jiskan24 []byte

//go:embed data/12x24.pcf.gz
var sony12x24 []byte

//go:embed data/12x24rk.pcf.gz
var sony12x24rk []byte

//go:embed data/ibm24.bin.gz
var ibm24 []byte

//nolint:gochecknoglobals // a constant table, unpacked once
var loaded = sync.OnceValue(func() *fonts {
	return &fonts{kanji: unpack(jiskan24), latin: unpack(sony12x24), kana: unpack(sony12x24rk), extension: records(inflate(ibm24))}
})

// fontMax bounds an unpacked font; the largest is 0.9 MB.
const fontMax = 4 << 20

func inflate(gz []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(gz))
	if err != nil {
		panic("font: internal error: " + err.Error())
	}
	data, err := io.ReadAll(io.LimitReader(r, fontMax))
	if err != nil {
		panic("font: internal error: " + err.Error())
	}
	return data
}

// records are a code point in two bytes and 24 rows of three each.
func records(b []byte) map[rune]Glyph {
	const row = FullWidth / 8
	glyphs := map[rune]Glyph{}
	for ; len(b) >= 2+Height*row; b = b[2+Height*row:] {
		var g Glyph
		for y := range g {
			dots := b[2+y*row:]
			g[y] = uint32(dots[0])<<24 | uint32(dots[1])<<16 | uint32(dots[2])<<8
		}
		glyphs[rune(b[0])<<8|rune(b[1])] = g
	}
	return glyphs
}

func unpack(gz []byte) map[uint16]Glyph {
	glyphs, err := readPCF(inflate(gz))
	if err != nil {
		panic("font: internal error: " + err.Error())
	}
	return glyphs
}
