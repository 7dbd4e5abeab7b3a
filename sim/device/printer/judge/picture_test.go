package judge_test

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"os"
	"testing"
)

// Where paper begins in the printer's picture, and the cells in which pictures
// are compared: a column and a line.
const (
	left, top    = 24, 16
	cellW, cellH = 12, 30
	// compared rows: up to the bars, below which the two differ by the gap above
	// the digits.
	compared = 540
)

// darkness is the share of dark dots in each cell.
func darkness(img image.Image, x0, y0, w int) []float64 {
	var out []float64
	for y := y0; y+cellH <= y0+compared; y += cellH {
		for x := x0; x+cellW <= x0+w; x += cellW {
			dark := 0
			for yy := range cellH {
				for xx := range cellW {
					if r, _, _, _ := img.At(x+xx, y+yy).RGBA(); r < 0x8000 {
						dark++
					}
				}
			}
			out = append(out, float64(dark)/(cellW*cellH))
		}
	}
	return out
}

// alike is the correlation of two lists.
func alike(a, b []float64) float64 {
	var sa, sb, saa, sbb, sab float64
	for i := range a {
		sa, sb, saa, sbb, sab = sa+a[i], sb+b[i], saa+a[i]*a[i], sbb+b[i]*b[i], sab+a[i]*b[i]
	}
	n := float64(len(a))
	return (n*sab - sa*sb) / math.Sqrt((n*saa-sa*sa)*(n*sbb-sb*sb))
}

// TestPicture: receiptio's bytes for Epson printers look on our paper as the
// picture that receiptio itself makes of the receipt: dark where that is dark,
// cell by cell, with other fonts, and everything in its place.
func TestPicture(t *testing.T) {
	stream, err := os.ReadFile("../testdata/escpos/receiptio-ja-epson.bin")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("../testdata/escpos/receiptio-ja.png")
	if err != nil {
		t.Fatal(err)
	}
	want, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	var ours bytes.Buffer
	if err := play(t, string(stream)).PNG(&ours); err != nil {
		t.Fatal(err)
	}
	got, err := png.Decode(&ours)
	if err != nil {
		t.Fatal(err)
	}
	const w = 576
	theirs := darkness(want, 0, 0, w)
	placed := alike(darkness(got, left, top, w), theirs)
	off := alike(darkness(got, left, top+cellH, w), theirs)
	beside := alike(darkness(got, left+4*cellW, top, w-4*cellW), darkness(want, 0, 0, w-4*cellW))
	if placed < 0.9 || off > placed-0.15 || beside > placed-0.15 {
		t.Errorf("the pictures agree by %.2f, a line apart by %.2f, four columns apart by %.2f", placed, off, beside)
	}
}
