package printer

import (
	"cmp"
	"slices"

	"regi/sim/device/printer/internal/font"
)

// page is page mode: what is printed collects on a sheet until FF.
//
// Things stand with their lower edge at the vertical position, which begins one
// character below the upper edge of the area, so that the first line is in it.
type page struct {
	sheet *dots
	area  area
	turn  byte // ESC T
	x, y  int  // the print position in the area, as its direction sees it
	rows  int  // of the sheet that areas with something in them reach to
	lines []pageLine
	other []Record // codes and pictures, Row counted from the top of the sheet
}

// area is ESC W, in dots.
type area struct{ x, y, w, h int }

// pageLine is text on one line, in the order it came.
type pageLine struct {
	turn  byte
	y     int // the print position
	area  area
	row   int // on the sheet
	items []item
}

// ESC T: where the area begins, and so which way its lines run.
const (
	leftToRight = iota
	bottomToTop
	rightToLeft
	topToBottom
)

// pageMode is ESC L, at the beginning of a line.
func pageMode(it *interpreter, _ []byte) error {
	if it.page != nil || !it.line.begins() || it.p.model.PageDots == 0 {
		return nil
	}
	m := it.p.model
	it.page = &page{sheet: newDots(m.Dots, m.PageDots), area: area{0, 0, m.Dots, m.PageDots}}
	it.page.home()
	return nil
}

// home is the beginning of the area.
func (p *page) home() { p.x, p.y = 0, font.Height }

// extent is the area's width and height as its lines see them.
func (p *page) extent() (w, h int) {
	if p.turn == bottomToTop || p.turn == topToBottom {
		return p.area.h, p.area.w
	}
	return p.area.w, p.area.h
}

// direction is ESC T n.
func direction(it *interpreter, n byte) {
	if n &= 0x0F; n <= topToBottom && it.page != nil {
		it.page.turn = n
		it.page.home()
	}
}

// pageArea is ESC W x y dx dy, two bytes each.
func pageArea(it *interpreter, b []byte) error {
	if it.page == nil {
		return nil
	}
	x, y := it.acrossWide(word(b)), it.downWide(word(b[2:]))
	s := it.page.sheet
	w, h := min(it.acrossWide(word(b[4:])), s.w-x), min(it.downWide(word(b[6:])), s.h-y)
	if w > 0 && h > 0 {
		it.page.area = area{x, y, w, h}
		it.page.home()
	}
	return nil
}

// along and beside turn motion units into dots along a line of the page, and
// from line to line.
func (it *interpreter) along(n int) int {
	if it.page.turn%2 == 1 {
		return it.downWide(n)
	}
	return it.acrossWide(n)
}

func (it *interpreter) beside(n int) int {
	if it.page.turn%2 == 1 {
		return it.acrossWide(n)
	}
	return it.downWide(n)
}

// vertical is GS $ and, relative, GS \: the vertical position in page mode.
func vertical(relative bool) func(*interpreter, []byte) error {
	return func(it *interpreter, a []byte) error {
		if it.page == nil {
			return nil
		}
		y := it.beside(word(a))
		if relative {
			y = it.page.y + it.beside(signed(a))
		}
		if _, h := it.page.extent(); y >= 0 && y <= h {
			it.page.y = y
		}
		return nil
	}
}

// move sets the position on the line. Outside of the area it is ignored.
func (p *page) move(x int) {
	if w, _ := p.extent(); x >= 0 && x <= w {
		p.x = x
	}
}

func (p *page) tab(tabs []int) {
	for _, x := range tabs {
		if x > p.x {
			p.move(x)
			return
		}
	}
}

// feed goes to the next line.
func (p *page) feed(dots int) { p.x, p.y = 0, p.y+dots }

// put draws an item at the print position, on the next line if this one is
// full. What is outside of the area is lost.
func (p *page) put(i item, lineDots int) {
	if w, _ := p.extent(); p.x > 0 && p.x+i.w > w {
		p.feed(lineDots)
	}
	i.x = p.x
	row := p.draw(i.d, p.x, p.y-i.d.h)
	p.x += i.w
	p.rows = max(p.rows, p.area.y+p.area.h)
	if i.record != nil {
		r := *i.record
		r.Row = row
		p.other = append(p.other, r)
		return
	}
	i.style.Turned = i.style.Turned || p.turn != leftToRight
	if n := len(p.lines) - 1; n < 0 || p.lines[n].turn != p.turn || p.lines[n].y != p.y || p.lines[n].area != p.area {
		if n+1 >= LinesMax {
			return
		}
		p.lines = append(p.lines, pageLine{turn: p.turn, y: p.y, area: p.area, row: row})
	}
	l := &p.lines[len(p.lines)-1]
	if l.row = min(l.row, row); len(l.items) < itemsMax {
		l.items = append(l.items, i)
	}
}

// draw puts dots at x, y of the area and returns the first row of the sheet
// they are on.
func (p *page) draw(d *dots, x, y int) (first int) {
	a := p.area
	at := func(i, j int) (px, py int) {
		switch p.turn {
		case bottomToTop:
			return a.x + j, a.y + a.h - 1 - i
		case rightToLeft:
			return a.x + a.w - 1 - i, a.y + a.h - 1 - j
		case topToBottom:
			return a.x + a.w - 1 - j, a.y + i
		}
		return a.x + i, a.y + j
	}
	for j := range d.h {
		for i := range d.w {
			px, py := at(x+i, y+j)
			if d.at(i, j) && px >= a.x && px < a.x+a.w && py >= a.y && py < a.y+a.h {
				p.sheet.fill(px, py, 1, 1)
			}
		}
	}
	_, one := at(x, y)
	_, two := at(x+d.w-1, y+d.h-1)
	return max(0, min(one, two))
}

// cancelArea is CAN: what is in the area is deleted.
func (it *interpreter) cancelArea() {
	p := it.page
	if p == nil {
		return
	}
	a := p.area
	for y := a.y; y < a.y+a.h; y++ {
		for x := a.x; x < a.x+a.w; x++ {
			p.sheet.clear(x, y)
		}
	}
	p.lines = slices.DeleteFunc(p.lines, func(l pageLine) bool { return l.area == a })
	p.other = slices.DeleteFunc(p.other, func(r Record) bool { return r.Row >= a.y && r.Row < a.y+a.h })
	p.home()
}

// printPage is ESC FF: the sheet goes to the paper, and stays.
func (it *interpreter) printPage() error {
	p := it.page
	if p == nil || p.rows == 0 {
		return nil
	}
	lines := p.text()
	others := slices.Clone(p.other)
	slices.SortStableFunc(others, func(a, b Record) int { return cmp.Compare(a.Row, b.Row) })
	for y := 0; y < p.rows; y += stripDots {
		n := min(stripDots, p.rows-y)
		strip := newDots(p.sheet.w, n)
		copy(strip.bits, p.sheet.bits[y*p.sheet.stride:(y+n)*p.sheet.stride])
		j := job{strip: strip, feed: n}
		last := y+n == p.rows
		for len(lines) > 0 && (last || lines[0].Row < y+n) {
			lines[0].Row -= y
			j.records = append(j.records, lines[0])
			j.lines++
			lines = lines[1:]
		}
		for len(others) > 0 && (last || others[0].Row < y+n) {
			others[0].Row -= y
			j.records = append(j.records, others[0])
			others = others[1:]
		}
		if err := it.enqueue(j); err != nil {
			return err
		}
	}
	return nil
}

// text is the lines from top to bottom. Lines of normal direction in one row,
// in areas beside each other, are one line.
func (p *page) text() []Record {
	type joined struct {
		row, base int
		turn      byte
		items     []item
	}
	var all []joined
	for _, l := range p.lines {
		base := l.area.y + l.y
		items := slices.Clone(l.items)
		if l.turn == leftToRight {
			for i := range items {
				items[i].x += l.area.x
			}
			if k := slices.IndexFunc(all, func(j joined) bool { return j.turn == leftToRight && j.base == base }); k >= 0 {
				all[k].items = append(all[k].items, items...)
				all[k].row = min(all[k].row, l.row)
				continue
			}
		}
		all = append(all, joined{l.row, base, l.turn, items})
	}
	slices.SortStableFunc(all, func(a, b joined) int { return cmp.Compare(a.row, b.row) })
	out := make([]Record, 0, len(all))
	for _, j := range all {
		out = append(out, textRecord(j.items, 0, j.row))
	}
	return out
}

// textRecord is a line of text, at a row of its job.
func textRecord(items []item, offset, row int) Record {
	sorted := byPosition(items)
	return Record{Kind: KindText, Row: row, Text: columns(sorted, offset), Runs: runs(sorted, offset)}
}
