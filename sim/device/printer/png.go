package printer

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
)

// The look of the picture, in dots.
const (
	marginDots = 24 // white paper left and right
	edgeDots   = 16 // and above and below
	gapDots    = 24 // between the two sides of a cut
	toothDots  = 8  // of the torn edge
	bridgeDots = 12 // what a partial cut leaves
)

// The colours of the picture.
const (
	white = iota
	black
	table // what lies under the paper
)

// png draws the paper, with a gap at each cut.
func (s *sheet) png(w io.Writer, width int) error {
	cuts := map[int]cut{}
	for _, c := range s.cuts {
		if c.row > s.first && c.row <= s.first+len(s.rows) {
			cuts[c.row] = c.kind
		}
	}
	height := 2*edgeDots + len(s.rows) + len(cuts)*gapDots
	palette := color.Palette{color.Gray{Y: 0xFF}, color.Gray{Y: 0}, color.Gray{Y: 0xA8}}
	img := image.NewPaletted(image.Rect(0, 0, width+2*marginDots, height), palette)
	y := edgeDots
	for i := range len(s.rows) + 1 {
		if kind, ok := cuts[s.first+i]; ok {
			drawCut(img, y, kind)
			y += gapDots
		}
		if i == len(s.rows) {
			break
		}
		for x := range min(width, 8*len(s.rows[i])) {
			if s.rows[i][x/8]&(0x80>>(x%8)) != 0 {
				img.Pix[y*img.Stride+marginDots+x] = black
			}
		}
		y++
	}
	e := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := e.Encode(w, img); err != nil {
		return fmt.Errorf("printer: picture: %w", err)
	}
	return nil
}

// drawCut draws the gap between a serrated lower edge and a serrated upper one;
// a partial cut leaves a bridge in the middle.
func drawCut(img *image.Paletted, top int, kind cut) {
	w := img.Rect.Dx()
	for x := range w {
		if kind == partialCut && x >= (w-bridgeDots)/2 && x < (w+bridgeDots)/2 {
			continue
		}
		tooth := x % toothDots
		tooth = min(tooth, toothDots-tooth) // 0…4…1
		for y := tooth; y < gapDots-toothDots/2+tooth; y++ {
			img.Pix[(top+y)*img.Stride+x] = table
		}
	}
}
