package star

import (
	"fmt"
	"strings"

	"regi/drivers"
)

// sliceRows is how much of a picture is sent in one piece: the height of ESC k.
const sliceRows = 24

// realTimeHead begins the real-time commands that may stand in data: ESC ACK.
const realTimeHead = "\x1b\x06"

// apart cuts data within each real-time command.
func apart(data string) []string {
	var parts []string
	for {
		i := strings.Index(data, realTimeHead)
		if i < 0 {
			return append(parts, data)
		}
		parts, data = append(parts, data[:i+1]), data[i+1:]
	}
}

// scrub changes a dot wherever dots would be a real-time command.
func scrub(dots []byte) {
	for i := 1; i < len(dots); i++ {
		if dots[i-1] == esc && dots[i] == ack {
			dots[i] ^= 1
		}
	}
}

// picture prints dots, centred by blanks of our own: whether alignment moves
// pictures too differs.
func (e *encoder) picture(p drivers.Picture) error {
	b, err := dither(p, e.model.Dots)
	if err != nil {
		return err
	}
	e.style(drivers.TextLine{})
	left := 0
	if p.Align == drivers.Center {
		left = (e.model.Dots/8 - b.stride) / 2
	}
	if p.Align == drivers.Right {
		left = e.model.Dots/8 - b.stride
	}
	if !e.model.Raster {
		e.put("\x1b0") // ESC 0: 3 mm a line, the height of a slice
	}
	for y := 0; y < b.height; y += sliceRows {
		e.slice(b, y, left)
	}
	e.put("\x1bz1\x1bJ\x08") // ESC z 1: 4 mm again; ESC J 8: feed 2 mm
	e.end("")
	return nil
}

// slice is ESC GS S 1 xL xH yL yH 0, or ESC k n1 0 and a line feed.
func (e *encoder) slice(b bitmap, y, left int) {
	rows := min(sliceRows, b.height-y)
	width := left + b.inked(y, rows)
	if e.model.Raster {
		e.put("\x1b\x1dS\x01")
		e.command(byte(width&0xFF), 0, byte(rows&0xFF), 0, 0)
	} else {
		e.command(esc, 'k', byte(width&0xFF), 0)
	}
	begin := len(e.out.bytes)
	for row := range rows {
		e.out.bytes = append(e.out.bytes, make([]byte, left)...)
		e.out.bytes = append(e.out.bytes, b.row(y + row)[:width-left]...)
	}
	if !e.model.Raster {
		e.out.bytes = append(e.out.bytes, make([]byte, (sliceRows-rows)*width)...)
	}
	scrub(e.out.bytes[begin:])
	if !e.model.Raster {
		e.command(lf)
	}
	e.printed("", pictureBlockBytes)
}

// bitmap is dots, eight a byte, the leftmost in bit 7.
type bitmap struct {
	stride, height int
	bits           []byte
}

func (b bitmap) row(y int) []byte { return b.bits[y*b.stride : (y+1)*b.stride] }

// inked is how many bytes of the rows are not blank at their right; at least 1.
func (b bitmap) inked(y, rows int) int {
	width := 1
	for row := range rows {
		for x, dots := range b.row(y + row) {
			if dots != 0 {
				width = max(width, x+1)
			}
		}
	}
	return width
}

// The shades of dither, and where black begins.
const (
	white     = 255
	threshold = 128
)

// dither makes dots of a picture, at most wide of them across (Floyd and
// Steinberg, 1976).
func dither(p drivers.Picture, wide int) (bitmap, error) {
	if p.Width < 1 || len(p.Gray) == 0 || len(p.Gray)%p.Width != 0 {
		return bitmap{}, fmt.Errorf("a picture of %d bytes in rows of %d: %w", len(p.Gray), p.Width, drivers.ErrUnsupported)
	}
	height := len(p.Gray) / p.Width
	if p.Width > drivers.PictureSideMax || height > drivers.PictureSideMax {
		return bitmap{}, fmt.Errorf("a picture of %d × %d, at most %d: %w", p.Width, height, drivers.PictureSideMax, drivers.ErrTooLong)
	}
	w, h := min(p.Width, wide), height
	if w < p.Width {
		h = max(1, height*w/p.Width)
	}
	b := bitmap{stride: (w + 7) / 8, height: h}
	if b.stride*h > drivers.PictureBytesMax {
		return bitmap{}, fmt.Errorf("a picture of %d bytes, at most %d: %w", b.stride*h, drivers.PictureBytesMax, drivers.ErrTooLong)
	}
	b.bits = make([]byte, b.stride*h)
	now, next := make([]int, w+2), make([]int, w+2) // errors in sixteenths, a column of margin
	for y := range h {
		for x := range w {
			shade := grey(p, x, y, w, h) + now[x+1]/16
			lost := shade
			if shade < threshold {
				b.bits[y*b.stride+x/8] |= 0x80 >> (x % 8)
			} else {
				lost = shade - white
			}
			now[x+2] += 7 * lost
			next[x] += 3 * lost
			next[x+1] += 5 * lost
			next[x+2] += lost
		}
		now, next = next, now
		clear(next)
	}
	return b, nil
}

// grey is the mean shade of the part of the picture that a dot of w × h stands
// for.
func grey(p drivers.Picture, x, y, w, h int) int {
	x0, x1 := x*p.Width/w, (x+1)*p.Width/w
	height := len(p.Gray) / p.Width
	y0, y1 := y*height/h, (y+1)*height/h
	sum, n := 0, 0
	for yy := y0; yy < max(y1, y0+1); yy++ {
		for _, shade := range p.Gray[yy*p.Width:][x0:max(x1, x0+1)] {
			sum += int(shade)
			n++
		}
	}
	return sum / n
}
