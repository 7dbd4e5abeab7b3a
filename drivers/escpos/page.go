package escpos

import (
	"fmt"

	"regi/drivers"
	"regi/drivers/barcode"
	"regi/drivers/glyph"
	"regi/drivers/raster"
)

// page prints one in page mode, or its Else lines.
func (e *encoder) area(p drivers.Page) error {
	height := p.Lines * e.model.LineDots
	if !e.model.Page.Has() || height > e.model.PageDots {
		for _, l := range p.Else {
			if err := e.line(l); err != nil {
				return err
			}
		}
		return nil
	}
	if p.Lines <= 0 {
		return fmt.Errorf("a page of %d lines: %w", p.Lines, drivers.ErrUnsupported)
	}
	if len(p.Placed) > drivers.DocumentItemsMax {
		return fmt.Errorf("%d items on a page, at most %d: %w", len(p.Placed), drivers.DocumentItemsMax, drivers.ErrTooLong)
	}
	e.justify(drivers.Left)
	e.command(esc, 'L') // page mode
	// GS P: motion units of a dot both ways.
	e.command(gs, 'P', byte(e.model.DPI), byte(e.model.DPI)) //nolint:gosec // 180 or 203
	// ESC W: the area, from its top left.
	e.command(esc, 'W', 0, 0, 0, 0)
	e.number(e.model.Dots)
	e.number(height)
	e.command(esc, 'T', 0) // from left to right
	e.inPage = true
	e.end(0)
	for i, placed := range p.Placed {
		if err := e.place(placed, height); err != nil {
			return fmt.Errorf("placed %d: %w", i+1, err)
		}
	}
	e.command('\f')          // print, and back to standard mode
	e.command(gs, 'P', 0, 0) // the printer's own units
	e.inPage = false
	e.printed(p.Lines)
	return nil
}

// number is nL nH. One that would be a real-time command is one dot more.
func (e *encoder) number(n int) {
	b := []byte{byte(n & 0xFF), byte(n >> 8)} //nolint:gosec // a length on paper
	if meaning(b) {
		b[0]++
	}
	e.out.Bytes = append(e.out.Bytes, b...)
}

// place puts one item on the page. A position is that of the lower left, of
// a letter as of a strip of dots.
func (e *encoder) place(p drivers.Placed, height int) error {
	x, y := p.Column*charDots, p.Line*e.model.LineDots
	if p.Column < 0 || p.Line < 0 || x >= e.model.Dots || y >= height {
		return fmt.Errorf("column %d, line %d: %w", p.Column, p.Line, errOffPage)
	}
	switch item := p.Item.(type) {
	case drivers.TextLine:
		return e.placeLine(item, x, y, height)
	default:
		d, err := e.image(item)
		if err != nil {
			return err
		}
		return e.placeDots(d, x, y, height)
	}
}

var errOffPage = fmt.Errorf("off the page: %w", drivers.ErrTooLong)

// position is ESC $ and GS $: absolute position, across and down.
func (e *encoder) position(x, y int) {
	e.command(esc, '$')
	e.number(x)
	e.command(gs, '$')
	e.number(y)
}

func (e *encoder) placeLine(l drivers.TextLine, x, y, height int) error {
	if len(l.Text) > glyph.TextMax {
		return fmt.Errorf("%d bytes of text: %w", len(l.Text), drivers.ErrTooLong)
	}
	e.style(l)
	across, down := charDots, glyph.Dots
	if l.Wide {
		across *= 2
	}
	if l.Tall {
		down *= 2
	}
	text := e.chars.Append(nil, l.Text)
	columns := 0
	for _, c := range text {
		columns += c.Columns()
	}
	room := e.model.Dots - x - columns*across
	if room < 0 || y+down > height {
		return errOffPage
	}
	switch l.Align {
	case drivers.Center:
		x += room / 2
	case drivers.Right:
		x += room
	case drivers.Left:
	}
	e.position(x, y+down)
	e.send(text)
	e.end(0)
	return nil
}

// placeDots draws a picture in strips, each at its place.
func (e *encoder) placeDots(d raster.Dots, x, y, height int) error {
	if x+d.Width > e.model.Dots || y+d.Height > height {
		return errOffPage
	}
	for top := 0; top < d.Height; top += glyph.Dots {
		e.position(x, y+top+glyph.Dots)
		e.strip(d, top)
	}
	return nil
}

// image is what of a page is drawn by the driver: then it is where it should be
// on every model.
func (e *encoder) image(item drivers.Item) (raster.Dots, error) {
	switch item := item.(type) {
	case drivers.Picture:
		return raster.Picture(item, e.model.Dots)
	case drivers.Barcode:
		code, err := barcode.New(item.Symbology, item.Data)
		if err != nil {
			return raster.Dots{}, err
		}
		return e.model.paper().Code(item, code)
	}
	return raster.Dots{}, fmt.Errorf("a %T on a page: %w", item, drivers.ErrUnsupported)
}
