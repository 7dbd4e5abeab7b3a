package star

import (
	"fmt"
	"strings"

	"regi/drivers"
	"regi/drivers/raster"
)

// sliceRows is how much of a picture is sent in one piece: the height of ESC k.
const sliceRows = 24

// realTimeHead begins the real-time commands that may stand in data: ESC ACK.
const realTimeHead = "\x1b\x06"

// meaning says whether data that cannot be changed holds a real-time command.
func meaning(data string) bool { return strings.Contains(data, realTimeHead) }

// scrub changes a dot wherever dots would be a real-time command.
func scrub(dots []byte) {
	for i := 1; i < len(dots); i++ {
		if dots[i-1] == esc && dots[i] == ack {
			dots[i] ^= 1
		}
	}
}

func (e *encoder) picture(p drivers.Picture) error {
	d, err := raster.Picture(p, e.model.Dots)
	if err != nil {
		return err
	}
	return e.dots(d, p.Align)
}

// dots prints them, centred by blanks of our own: whether alignment moves
// pictures too differs.
func (e *encoder) dots(d raster.Dots, align drivers.Align) error {
	if !e.model.Raster && !e.model.Strips {
		return fmt.Errorf("dots on model %s: %w", e.model.Name, drivers.ErrUnsupported)
	}
	e.style(drivers.TextLine{})
	left := 0
	switch align {
	case drivers.Center:
		left = (e.model.Dots/8 - d.Stride) / 2
	case drivers.Right:
		left = e.model.Dots/8 - d.Stride
	case drivers.Left:
	}
	if !e.model.Raster {
		e.put("\x1b0") // ESC 0: 3 mm a line, the height of a slice
	}
	for y := 0; y < d.Height; y += sliceRows {
		e.slice(d, y, left)
	}
	e.put("\x1bz1\x1bJ\x08") // ESC z 1: 4 mm again; ESC J 8: feed 2 mm
	return nil
}

// slice is ESC GS S 1 xL xH yL yH 0, or ESC k n1 0 and a line feed.
func (e *encoder) slice(d raster.Dots, y, left int) {
	rows := min(sliceRows, d.Height-y)
	width := left + inked(d, y, rows)
	const head = 10 // and a line feed
	e.room(head + sliceRows*width)
	if e.model.Raster {
		e.put("\x1b\x1dS\x01")
		e.command(byte(width&0xFF), 0, byte(rows&0xFF), 0, 0)
	} else {
		e.command(esc, 'k', byte(width&0xFF), 0)
	}
	begin := len(e.out.Bytes)
	for row := y; row < y+rows; row++ {
		e.out.Bytes = append(e.out.Bytes, make([]byte, left)...)
		e.out.Bytes = append(e.out.Bytes, d.Rows(row, row+1)[:width-left]...)
	}
	if !e.model.Raster {
		e.out.Bytes = append(e.out.Bytes, make([]byte, (sliceRows-rows)*width)...)
	}
	scrub(e.out.Bytes[begin:])
	if !e.model.Raster {
		e.command(lf)
	}
	e.printed(blockMost)
}

// inked is how many bytes of the rows are not blank at their right; at least 1.
func inked(d raster.Dots, y, rows int) int {
	width := 1
	for row := y; row < y+rows; row++ {
		for x, dots := range d.Rows(row, row+1) {
			if dots != 0 {
				width = max(width, x+1)
			}
		}
	}
	return width
}
