package escpos

import (
	"regi/drivers"
	"regi/drivers/glyph"
	"regi/drivers/raster"
)

// picture prints one, from the printer's memory where it keeps it.
func (e *encoder) picture(p drivers.Picture) error {
	d, err := raster.Picture(p, e.model.Dots)
	if err != nil {
		return err
	}
	e.justify(p.Align)
	if p.Keep && e.model.NV.Has() {
		l := newLogo(d)
		e.out.logos = append(e.out.logos, l)
		e.put(l.print())
		e.printed(linesOf(e.model, d.Height))
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
func (e *encoder) raster(d raster.Dots) {
	if !e.model.Raster.Has() {
		e.strips(d)
		return
	}
	rows := max(1, sliceBytes/d.Stride)
	for y := 0; y < d.Height; y += rows {
		n := min(rows, d.Height-y)
		// GS v 0 m xL xH yL yH: print raster bit image, normal size.
		e.command(gs, 'v', '0', 0, byte(d.Stride), 0, byte(n), 0) //nolint:gosec // a stride is ≤ 72, and n ≤ 512/stride
		e.dots(d.Rows(y, y+n))
		e.printed(linesOf(e.model, n))
	}
	if e.model.Raster == Unverified {
		// Some swallow the line feed after a picture: it is this one then.
		e.feed()
	}
}

// dots appends picture data without a real-time command in it.
func (e *encoder) dots(b []byte) {
	from := len(e.out.Bytes)
	e.out.Bytes = append(e.out.Bytes, b...)
	scrub(e.out.Bytes[from:])
}

// strips prints dots as bit images of 24 dots' height: ESC 3 24 takes away the
// gap between lines, ESC 2 brings it back.
func (e *encoder) strips(d raster.Dots) {
	e.command(esc, '3', glyph.Dots)
	for top := 0; top < d.Height; top += glyph.Dots {
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
func (e *encoder) strip(d raster.Dots, top int) {
	for left := 0; left < d.Width; left += stripColumns {
		n := min(stripColumns, d.Width-left)
		// ESC * m nL nH: m = 33, 24 dots, double density.
		e.command(esc, '*', 33, byte(n), 0) //nolint:gosec // n ≤ 170
		columns := make([]byte, 3*n)
		for x := range n {
			for y := range min(glyph.Dots, d.Height-top) {
				if d.Black(left+x, top+y) {
					columns[3*x+y/8] |= 0x80 >> (y % 8)
				}
			}
		}
		e.dots(columns)
		e.end(0)
	}
}
