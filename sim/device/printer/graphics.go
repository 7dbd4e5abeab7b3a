package printer

import (
	"crypto/sha256"
	"encoding/hex"

	"regi/sim/device/printer/internal/font"
)

// stripDots is the height of the strips in which a picture goes to the paper.
const stripDots = 24

// Limits of a picture stored by GS ( L. A larger one is read and dropped.
const (
	graphicBytesMax = 256 << 10
	graphicRowsMax  = 2400
)

// raster is GS v 0 m xL xH yL yH: x bytes a row, y rows, printed as they come. In
// mid-line it is read and dropped.
func raster(it *interpreter, a []byte) error {
	if a[0] != '0' {
		return nil
	}
	h, err := it.take(5)
	if err != nil {
		return err
	}
	m, x, y := int(h[0]&0x0F), word(h[1:]), word(h[3:])
	if x == 0 || m > 3 || h[0] != h[0]&0x03 && h[0] != '0'+h[0]&0x03 {
		return nil
	}
	if it.page == nil && !it.line.begins() {
		return it.skip(x * y)
	}
	sx, sy := 1+m&1, 1+m>>1
	it.swallow = it.p.model.SwallowsLF
	if it.page != nil {
		if y*sy > graphicRowsMax {
			return it.skip(x * y)
		}
		d, err := it.readPicture(x*8, y, false)
		if err != nil {
			return err
		}
		d = d.enlarge(sx, sy)
		return it.block(d, Record{Kind: KindPicture, Picture: newPicture(d, "")})
	}
	return it.printRaster(x, y, sx, sy)
}

// printRaster prints a picture as its bytes come, in strips.
func (it *interpreter) printRaster(x, y, sx, sy int) error {
	offset := it.left + it.aligned(x*8*sx)
	all := sha256.New()
	for done := 0; done < y; {
		n := min(stripDots/sy, y-done)
		src := newDots(min(x*8, it.p.model.Dots), n)
		for row := range n {
			if err := it.readRow(src.row(row), x); err != nil {
				return err
			}
		}
		src = src.enlarge(sx, sy)
		all.Write(src.bits)
		strip := newDots(it.p.model.Dots, src.h)
		strip.draw(src, offset, 0)
		j := job{strip: strip, feed: strip.h}
		if done += n; done == y {
			j.records = []Record{{Kind: KindPicture, Row: strip.h - y*sy, Picture: &Picture{
				Width: src.w, Height: y * sy, SHA256: hex.EncodeToString(all.Sum(nil)),
			}}}
		}
		if err := it.enqueue(j); err != nil {
			return err
		}
	}
	return nil
}

// readRow reads x bytes and keeps as many as fit.
func (it *interpreter) readRow(row []byte, x int) error {
	n := min(len(row), x)
	for i := range n {
		b, err := it.next()
		if err != nil {
			return err
		}
		row[i] = b
	}
	return it.skip(x - n)
}

// bitImage is ESC * m nL nH: n columns of 8 or 24 dots on the line.
func bitImage(it *interpreter, a []byte) error {
	perColumn, sx, sy := 1, 1, 3
	switch a[0] {
	case 0:
		sx = 2
	case 1:
	case 32:
		perColumn, sx, sy = 3, 2, 1
	case 33:
		perColumn, sy = 3, 1
	default:
		return nil
	}
	n := word(a[1:])
	keep := min(n, it.p.model.Dots/sx)
	data, err := it.take(keep * perColumn)
	if err != nil {
		return err
	}
	if err := it.skip((n - keep) * perColumn); err != nil {
		return err
	}
	d := newDots(keep*sx, font.Height)
	for i, b := range data {
		for bit := range 8 {
			if b<<bit&0x80 != 0 {
				d.fill(i/perColumn*sx, (i%perColumn*8+bit)*sy, sx, sy)
			}
		}
	}
	return it.put(item{d: d})
}

// graphics32 is GS 8 L p1 p2 p3 p4: GS ( L for larger pictures.
func graphics32(it *interpreter, a []byte) error {
	p, err := it.take(4)
	if err != nil {
		return err
	}
	n := word(p) | word(p[2:])<<16
	if a[0] != 'L' {
		return it.skip(n)
	}
	return it.graphics(n)
}
