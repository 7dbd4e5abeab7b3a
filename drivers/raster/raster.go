// Package raster makes the dots of what a receipt printer is sent as dots:
// pictures, and bar codes that it cannot draw by itself.
package raster

import (
	"fmt"

	"regi/drivers"
)

// Dots is a picture of black and white: rows of Stride bytes, the leftmost dot
// in the highest bit, black is 1.
type Dots struct {
	Width, Height, Stride int
	Bits                  []byte
}

func newDots(width, height int) Dots {
	stride := (width + 7) / 8
	return Dots{width, height, stride, make([]byte, stride*height)}
}

func (d *Dots) set(x, y int) { d.Bits[y*d.Stride+x/8] |= 0x80 >> (x % 8) }

// Black says whether a dot is.
func (d *Dots) Black(x, y int) bool { return d.Bits[y*d.Stride+x/8]<<(x%8)&0x80 != 0 }

// Rows are the bytes of rows from top to below bottom.
func (d *Dots) Rows(top, bottom int) []byte { return d.Bits[top*d.Stride : bottom*d.Stride] }

// Picture makes dots of one, no wider than the paper. Its error wraps
// drivers.ErrTooLong or ErrUnsupported: nothing is printed of a picture that is
// over its limits.
func Picture(p drivers.Picture, across int) (Dots, error) {
	if p.Width <= 0 || len(p.Gray) == 0 || len(p.Gray)%p.Width != 0 {
		return Dots{}, fmt.Errorf("a picture of %d bytes in rows of %d: %w", len(p.Gray), p.Width, drivers.ErrUnsupported)
	}
	from := p.Width
	rows := len(p.Gray) / from
	if from > drivers.PictureSideMax || rows > drivers.PictureSideMax {
		return Dots{}, fmt.Errorf("a picture of %d×%d, at most %d each way: %w", from, rows, drivers.PictureSideMax, drivers.ErrTooLong)
	}
	width, height := from, rows
	if width > across {
		width, height = across, max(1, (rows*across+from/2)/from)
	}
	if (width+7)/8*height > drivers.PictureBytesMax {
		return Dots{}, fmt.Errorf("a picture of %d×%d dots, at most %d bytes: %w", width, height, drivers.PictureBytesMax, drivers.ErrTooLong)
	}
	d := newDots(width, height)
	d.dither(func(y int, into []int) {
		if width == from {
			for x, v := range p.Gray[y*from : (y+1)*from] {
				into[x] = int(v)
			}
			return
		}
		shrink(p, y*rows/height, max((y+1)*rows/height, y*rows/height+1), into)
	})
	return d, nil
}

const (
	white     = 0xFF
	threshold = 0x80
)

// shrink makes a row of dots of rows from top to bottom: the mean of what each
// covers.
func shrink(p drivers.Picture, top, bottom int, into []int) {
	for x := range into {
		left, right := x*p.Width/len(into), (x+1)*p.Width/len(into)
		sum := 0
		for y := top; y < bottom; y++ {
			for _, v := range p.Gray[y*p.Width+left : y*p.Width+right] {
				sum += int(v)
			}
		}
		into[x] = sum / ((right - left) * (bottom - top))
	}
}

// dither hands the error of each dot on to its neighbours (Floyd and Steinberg,
// 1976): black and white stay as they are.
func (d *Dots) dither(fill func(y int, into []int)) {
	// One more on either side spares the edges a condition.
	now, below := make([]int, d.Width+2), make([]int, d.Width+2)
	row := make([]int, d.Width)
	for y := range d.Height {
		fill(y, row)
		bits := d.Rows(y, y+1)
		for x, v := range row {
			e := v + now[x+1]/16
			if e < threshold {
				bits[x/8] |= 0x80 >> (x % 8)
			} else {
				e -= white
			}
			if e != 0 {
				now[x+2] += 7 * e
				below[x] += 3 * e
				below[x+1] += 5 * e
				below[x+2] += e
			}
		}
		now, below = below, now
		clear(below)
	}
}
