// Package glyphs lends the character generator of the simulated printer to
// simulated printers of other makes.
package glyphs

import "regi/sim/device/printer/internal/font"

// Size of a glyph in dots.
const (
	Height    = font.Height
	HalfWidth = font.HalfWidth
	FullWidth = font.FullWidth
)

// Glyph is one character: the leftmost dot of a row is bit 31.
type Glyph = font.Glyph

// Kanji is the glyph of a row and cell of JIS X 0208, both 1 to 94.
func Kanji(row, cell int) (Glyph, bool) { return font.Kanji(row, cell) }

// Extension is the glyph of a kanji that code page 932 has and JIS X 0208 lacks.
func Extension(r rune) (Glyph, bool) { return font.Extension(r) }

// Half is the 12-dot glyph of a character.
func Half(r rune) (Glyph, bool) { return font.Half(r) }

// Box stands for a character without a glyph, w dots wide.
func Box(w int) Glyph { return font.Box(w) }
