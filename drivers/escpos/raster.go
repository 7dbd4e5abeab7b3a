package escpos

import (
	"fmt"

	"regi/drivers"
)

// dots is a picture of black and white: rows of stride bytes, the leftmost dot
// in the highest bit, black is 1.
type dots struct {
	width, height, stride int
	bits                  []byte
}

func newDots(width, height int) dots {
	stride := (width + 7) / 8
	return dots{width, height, stride, make([]byte, stride*height)}
}

func (d *dots) set(x, y int) { d.bits[y*d.stride+x/8] |= 0x80 >> (x % 8) }

func (d *dots) black(x, y int) bool { return d.bits[y*d.stride+x/8]<<(x%8)&0x80 != 0 }

// rasterize makes dots of a picture, no wider than the paper. Its error wraps
// drivers.ErrTooLong or ErrUnsupported: nothing is printed of a picture that is
// over its limits.
func rasterize(p drivers.Picture, across int) (dots, error) {
	if p.Width <= 0 || len(p.Gray) == 0 || len(p.Gray)%p.Width != 0 {
		return dots{}, fmt.Errorf("a picture of %d bytes in rows of %d: %w", len(p.Gray), p.Width, drivers.ErrUnsupported)
	}
	from := p.Width
	rows := len(p.Gray) / from
	if from > drivers.PictureSideMax || rows > drivers.PictureSideMax {
		return dots{}, fmt.Errorf("a picture of %d×%d, at most %d each way: %w", from, rows, drivers.PictureSideMax, drivers.ErrTooLong)
	}
	width, height := from, rows
	if width > across {
		width, height = across, max(1, (rows*across+from/2)/from)
	}
	if (width+7)/8*height > drivers.PictureBytesMax {
		return dots{}, fmt.Errorf("a picture of %d×%d dots, at most %d bytes: %w", width, height, drivers.PictureBytesMax, drivers.ErrTooLong)
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
func (d *dots) dither(fill func(y int, into []int)) {
	// One more on either side spares the edges a condition.
	now, below := make([]int, d.width+2), make([]int, d.width+2)
	row := make([]int, d.width)
	for y := range d.height {
		fill(y, row)
		bits := d.bits[y*d.stride : (y+1)*d.stride]
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

// picture prints one, from the printer's memory where it keeps it.
func (e *encoder) picture(p drivers.Picture) error {
	d, err := rasterize(p, e.model.Dots)
	if err != nil {
		return err
	}
	e.justify(p.Align)
	if p.Keep && e.model.NV.Has() {
		l := newLogo(d)
		e.out.logos = append(e.out.logos, l)
		e.put(l.print())
		e.printed(linesOf(e.model, d.height))
		return nil
	}
	e.raster(d)
	return nil
}

func linesOf(m Model, height int) int { return (height + m.LineDots - 1) / m.LineDots }

// sliceBytes bounds the dots of one command: a tenth of the smallest receive
// buffer, and 0.5 s at 9,600 bit/s. A parser that lost its place in one is freed
// by as many NULs.
const sliceBytes = 512

// raster prints dots in slices.
func (e *encoder) raster(d dots) {
	if !e.model.Raster.Has() {
		e.strips(d)
		return
	}
	rows := max(1, sliceBytes/d.stride)
	for y := 0; y < d.height; y += rows {
		n := min(rows, d.height-y)
		// GS v 0 m xL xH yL yH: print raster bit image, normal size.
		e.command(gs, 'v', '0', 0, byte(d.stride), 0, byte(n), 0) //nolint:gosec // a stride is ≤ 72, and n ≤ 512/stride
		e.dots(d.bits[y*d.stride : (y+n)*d.stride])
		e.printed(linesOf(e.model, n))
	}
	if e.model.Raster == Unverified {
		// Some swallow the line feed after a picture: it is this one then.
		e.feed()
	}
}

// dots appends picture data without a real-time command in it.
func (e *encoder) dots(b []byte) {
	from := len(e.out.bytes)
	e.out.bytes = append(e.out.bytes, b...)
	scrub(e.out.bytes[from:])
}

// strips prints dots as bit images of 24 dots' height: ESC 3 24 takes away the
// gap between lines, ESC 2 brings it back.
func (e *encoder) strips(d dots) {
	e.command(esc, '3', glyphDots)
	for top := 0; top < d.height; top += glyphDots {
		e.strip(d, top)
		e.command(lf)
		e.printed(1)
	}
	e.command(esc, '2')
}

// stripColumns are as many as sliceBytes hold.
const stripColumns = sliceBytes / 3

// strip draws 24 rows of dots into the line that is laid out, which takes them
// as it takes letters.
func (e *encoder) strip(d dots, top int) {
	for left := 0; left < d.width; left += stripColumns {
		n := min(stripColumns, d.width-left)
		// ESC * m nL nH: m = 33, 24 dots, double density.
		e.command(esc, '*', 33, byte(n), 0) //nolint:gosec // n ≤ 170
		columns := make([]byte, 3*n)
		for x := range n {
			for y := range min(glyphDots, d.height-top) {
				if d.black(left+x, top+y) {
					columns[3*x+y/8] |= 0x80 >> (y % 8)
				}
			}
		}
		e.dots(columns)
		e.end(0)
	}
}
