package printer

import (
	"strings"
	"unicode/utf8"

	"regi/sim/device/printer/internal/font"
)

// ESC a n.
const (
	alignCentre = 1
	alignRight  = 2
)

// line is the print buffer: what stands on the line that is not printed yet.
type line struct {
	items []item
	x     int // the print position, from the left margin
}

// item is a character or a strip of a picture.
type item struct {
	x, w int // from the left margin, in dots
	d    *dots
	text string
	wide bool // wider than its columns: text must not be spaced out

	style  Style
	record *Record // of a code or a picture in page mode
}

// begins: nothing stands on the line.
func (l *line) begins() bool { return len(l.items) == 0 && l.x == 0 }

// character prints b, alone or with its second byte.
func (it *interpreter) character(b byte) error {
	switch {
	case it.kanjiCode == codeShiftJIS && isLead(b):
		trail, err := it.next()
		if err != nil {
			return err
		}
		if !isTrail(trail) {
			it.pushed = int(trail) // no character: the lead byte is lost
			return nil
		}
		return it.putKanji(b, trail)
	case it.kanjiCode == codeJIS && it.kanjiMode && b >= 0x21 && b <= 0x7E:
		second, err := it.next()
		if err != nil {
			return err
		}
		if second < 0x21 || second > 0x7E {
			it.pushed = int(second)
			return nil
		}
		lead, trail := shiftJIS(int(b)-0x20, int(second)-0x20)
		return it.putKanji(lead, trail)
	}
	own, ok := it.own[ownCode{it.fontB, b}]
	return it.putSingle(single(it.table, it.country, b), own, ok && it.ownCharacters)
}

// putSingle prints a character of font A or B, or a user-defined one.
func (it *interpreter) putSingle(r rune, own font.Glyph, isOwn bool) error {
	g, ok := font.Half(r)
	if !ok {
		g = font.Box(font.HalfWidth)
	}
	if r < 0x20 || r >= 0x7F && r < 0xA0 {
		r = '□'
	}
	l := look{
		w: font.HalfWidth, h: font.Height, after: it.spacing, sx: it.sx, sy: it.sy,
		bold: it.emphasised || it.struck, reverse: it.reverse, underline: it.underline,
	}
	if it.fontB {
		g, l.w, l.h = shrink(g), fontBWidth, fontBHeight
	}
	text := string(r)
	if isOwn {
		g, text = own, geta
	}
	return it.put(item{d: l.cell(g), text: text, wide: it.sx > 1, style: it.style(l, it.fontB)})
}

// style is how a character looks, for the dump.
func (it *interpreter) style(l look, fontB bool) Style {
	s := Style{FontB: fontB, Bold: l.bold, Reverse: l.reverse, Underline: l.underline, Turned: it.upsideDown}
	if l.sx > 1 {
		s.Wide = l.sx
	}
	if l.sy > 1 {
		s.Tall = l.sy
	}
	return s
}

// putKanji prints a character given in Shift_JIS.
func (it *interpreter) putKanji(lead, trail byte) error {
	g, ok := it.kanji[[2]byte{lead, trail}]
	if !ok {
		g, ok = font.Kanji(rowCell(lead, trail))
	}
	text := kanjiText(lead, trail)
	if r, size := utf8.DecodeRuneInString(text); !ok && size == len(text) {
		g, ok = font.Extension(r)
	}
	if !ok {
		g = font.Box(font.FullWidth)
	}
	l := look{
		w: font.FullWidth, h: font.Height, before: it.kanjiBefore, after: it.kanjiAfter, sx: it.kx, sy: it.ky,
		bold: it.emphasised || it.struck, reverse: it.reverse, underline: it.kanjiUnderline,
	}
	return it.put(item{d: l.cell(g), text: text, wide: it.kx > 1, style: it.style(l, false)})
}

// put places an item at the print position, on the next line if this one is full.
func (it *interpreter) put(i item) error {
	i.w = i.d.w
	if it.page != nil {
		it.page.put(i, it.lineDots)
		return nil
	}
	if it.line.x > 0 && it.line.x+i.w > it.area() {
		if err := it.printLine(it.lineDots); err != nil {
			return err
		}
	}
	i.x = it.line.x
	it.line.x += i.w
	if len(it.line.items) < itemsMax {
		it.line.items = append(it.line.items, i)
	}
	return nil
}

// itemsMax bounds a line on which ESC \ goes back again and again; a full line
// of the smallest characters has 64.
const itemsMax = 256

// area is the width that may be printed on.
func (it *interpreter) area() int {
	return max(font.FullWidth, min(it.width, it.p.model.Dots-it.left))
}

// printLine prints the print buffer and feeds, at least what it printed.
func (it *interpreter) printLine(feed int) error {
	if it.page != nil {
		it.page.feed(feed)
		return nil
	}
	items := it.line.items
	it.line = line{}
	if len(items) == 0 {
		return it.enqueue(job{feed: feed, lines: 1, records: []Record{{Kind: KindText}}})
	}
	extent, height := 0, 0
	for _, i := range items {
		extent, height = max(extent, i.x+i.w), max(height, i.d.h)
	}
	offset := it.left + it.aligned(extent)
	strip := newDots(it.p.model.Dots, height)
	for _, i := range items {
		strip.draw(i.d, offset+i.x, height-i.d.h) // on one base line
	}
	if it.upsideDown {
		strip = strip.turn()
	}
	return it.enqueue(job{strip: strip, feed: max(feed, height), lines: 1, records: []Record{textRecord(items, offset, 0)}})
}

// aligned is where something of this width begins.
func (it *interpreter) aligned(w int) int {
	switch free := max(0, it.area()-w); it.align {
	case alignCentre:
		return free / 2
	case alignRight:
		return free
	}
	return 0
}

// enqueue hands a job to the mechanism, and waits while it is too far behind.
func (it *interpreter) enqueue(j job) error {
	p := it.p
	for len(p.jobs) >= aheadMax && it.epoch == p.m.Epoch {
		if err := it.pause(); err != nil {
			return err
		}
	}
	if it.epoch != p.m.Epoch {
		return errLost
	}
	p.jobs = append(p.jobs, j)
	p.m.Wake()
	return nil
}

// columns is the text of a line, given from left to right. A character that follows the one before it
// follows it in the text too, however wide they are; after a gap, and at a space
// of normal width, the text goes to the column where the dots are.
func columns(items []item, offset int) string {
	var b strings.Builder
	col, end := 0, 0
	for n, i := range items {
		if i.text == "" {
			continue
		}
		gap := n == 0 || i.x-end >= font.HalfWidth/2
		if at := (offset + i.x + font.HalfWidth/2) / font.HalfWidth; gap || i.text == " " && !i.wide {
			if col > 0 && gap {
				at = max(at, col+1) // narrow characters have used the columns up
			}
			b.WriteString(strings.Repeat(" ", max(0, at-col)))
			col = max(col, at)
		}
		b.WriteString(i.text)
		col += textColumns(i.text)
		end = i.x + i.w
	}
	return strings.TrimRight(b.String(), " ")
}

func textColumns(s string) int {
	for _, r := range s {
		if r < 0x80 || r == '¥' || r == '‾' || r >= '｡' && r <= 'ﾟ' {
			return 1
		}
	}
	return 2
}
