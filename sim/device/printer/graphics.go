package printer

import "regi/sim/device/printer/internal/font"

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
	if !it.line.begins() {
		return it.skip(x * y)
	}
	sx, sy := 1+m&1, 1+m>>1
	offset := it.left + it.aligned(x*8*sx)
	for done := 0; done < y; {
		n := min(stripDots/sy, y-done)
		src := newDots(min(x*8, it.p.model.Dots), n)
		for row := range n {
			if err := it.readRow(src.row(row), x); err != nil {
				return err
			}
		}
		if err := it.printStrip(src, offset, sx, sy); err != nil {
			return err
		}
		done += n
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

// printStrip prints a strip of a picture, enlarged.
func (it *interpreter) printStrip(src *dots, offset, sx, sy int) error {
	strip := newDots(it.p.model.Dots, src.h*sy)
	if sx == 1 && sy == 1 {
		strip.draw(src, offset, 0)
		return it.enqueue(job{strip: strip, feed: strip.h})
	}
	for y := range src.h {
		for x := range src.w {
			if src.at(x, y) {
				strip.fill(offset+x*sx, y*sy, sx, sy)
			}
		}
	}
	return it.enqueue(job{strip: strip, feed: strip.h})
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

// graphics is GS ( L and GS 8 L: n bytes m fn ….
func (it *interpreter) graphics(n int) error {
	if n < 2 {
		return it.skip(n)
	}
	f, err := it.take(2)
	if err != nil {
		return err
	}
	switch n -= 2; {
	case f[0] != '0':
	case f[1] == 112 && n >= 8: // store a raster picture
		return it.storeGraphic(n)
	case n == 0 && (f[1] == 2 || f[1] == 50): // print it
		return it.printGraphic()
	}
	return it.skip(n)
}

// storeGraphic is fn 112: a bx by c xL xH yL yH and the rows.
func (it *interpreter) storeGraphic(n int) error {
	h, err := it.take(8)
	if err != nil {
		return err
	}
	n -= len(h)
	bx, by, x, y := int(h[1]), int(h[2]), word(h[4:]), word(h[6:])
	valid := h[0] == '0' && (bx == 1 || bx == 2) && (by == 1 || by == 2) && n > 0 && n == (x+7)/8*y
	if !valid || n > graphicBytesMax || y*by > graphicRowsMax {
		return it.skip(n)
	}
	src := newDots(x, y)
	for row := range y {
		if err := it.readRow(src.row(row), src.stride); err != nil {
			return err
		}
	}
	d := newDots(min(x*bx, it.p.model.Dots), y*by)
	for yy := range y {
		for xx := range x {
			if src.at(xx, yy) {
				d.fill(xx*bx, yy*by, bx, by)
			}
		}
	}
	it.graphic = d
	return nil
}

// printGraphic is fn 50, at the beginning of a line.
func (it *interpreter) printGraphic() error {
	g := it.graphic
	if g == nil || !it.line.begins() {
		return nil
	}
	it.graphic = nil
	for y := 0; y < g.h; y += stripDots {
		n := min(stripDots, g.h-y)
		part := &dots{w: g.w, h: n, stride: g.stride, bits: g.bits[y*g.stride : (y+n)*g.stride]}
		if err := it.printStrip(part, it.left+it.aligned(g.w), 1, 1); err != nil {
			return err
		}
	}
	return nil
}

// nvImages is FS q n: n pictures, each xL xH yL yH and x × y × 8 bytes.
func nvImages(it *interpreter, a []byte) error {
	for range a[0] {
		h, err := it.take(4)
		if err != nil {
			return err
		}
		if err := it.skip(word(h) * word(h[2:]) * 8); err != nil {
			return err
		}
	}
	return nil
}

// nvMemory is FS g 1 m a1…a4 nL nH and n bytes, FS g 2 m a1…a4 nL nH.
func nvMemory(it *interpreter, a []byte) error {
	h, err := it.take(7)
	if err != nil || a[0] != 1 && a[0] != '1' {
		return err
	}
	return it.skip(word(h[5:]))
}

// defineKanji is FS 2 c1 c2 d1…d72, columns of three bytes.
func defineKanji(it *interpreter, a []byte) error {
	lead, trail := a[0], a[1]
	if it.kanjiCode == codeJIS {
		if lead != 0x77 || trail < 0x21 || trail > 0x7E {
			return nil
		}
		lead, trail = shiftJIS(int(lead)-0x20, int(trail)-0x20)
	}
	if lead != 0xEC || !isTrail(trail) || trail > 0x9E {
		return nil
	}
	var g font.Glyph
	for i, b := range a[2:] {
		for bit := range 8 {
			if b<<bit&0x80 != 0 {
				g[i%3*8+bit] |= 1 << (31 - i/3)
			}
		}
	}
	if it.kanji == nil {
		it.kanji = map[[2]byte]font.Glyph{}
	}
	it.kanji[[2]byte{lead, trail}] = g // at most 94 codes
	return nil
}

// defineCharacters is ESC & y c1 c2: for each character x, then y × x bytes.
func defineCharacters(it *interpreter, a []byte) error {
	for range int(a[2]) - int(a[1]) + 1 {
		x, err := it.next()
		if err != nil {
			return err
		}
		if err := it.skip(int(x) * int(a[0])); err != nil {
			return err
		}
	}
	return nil
}
