package starprinter

import (
	"context"
	"strings"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"

	"regi/sim/device/printer/glyphs"
)

// line is what stands on the line that is not printed yet.
type line struct {
	items []item
	x     int
	lead  byte // the first byte of a kanji
}

// item is a character or a picture.
type item struct {
	x       int
	d       *dots
	text    string
	columns int
}

// blocks are 80h–9Fh of the katakana page.
const blocks = "▁▂▃▄▅▆▇█▏▎▍▌▋▊▉┼┴┬┤├▔─│▕┌┐└┘╭╮╰╯"

// character prints b, alone or with its second byte.
func (p *Printer) character(ctx context.Context, b byte) error {
	lead := p.line.lead
	switch {
	case lead != 0:
		p.line.lead = 0
		if b == 0x7F || b > 0xFC {
			return nil // both are ignored
		}
		if p.jis && !p.sjis {
			lead, b = fromJIS(lead, b)
		}
		return p.add(ctx, p.twoBytes(lead, b))
	case p.sjis && (b >= 0x80 && b <= 0x9F || b >= 0xE0), p.jis && !p.sjis:
		p.line.lead = b
		return nil
	}
	r := rune(b)
	switch {
	case b == '\\' && p.japan:
		r = '¥'
	case b >= 0x7F:
		r = p.high8(b)
	}
	g, ok := glyphs.Half(r)
	if !ok {
		g = glyphs.Box(halfWidth)
	}
	return p.add(ctx, item{d: p.cell(g, halfWidth), text: string(r), columns: 1})
}

// katakana is the code page of JIS X 0201.
const katakana = 2

// high8 is a character of the upper half of the code page; □ where none is.
func (p *Printer) high8(b byte) rune {
	pages := map[int]*charmap.Charmap{
		4: charmap.CodePage858, 5: charmap.CodePage852, 10: charmap.CodePage866, 32: charmap.Windows1252,
		33: charmap.Windows1250, 34: charmap.Windows1251,
	}
	switch page := pages[p.page]; {
	case page != nil && b >= 0x80:
		if r := page.DecodeByte(b); r >= 0xA0 {
			return r
		}
	case p.page == katakana && b >= 0x80 && b <= 0x9F:
		return []rune(blocks)[b-0x80]
	case p.page == katakana && b >= 0xA1 && b <= 0xDF:
		return '｡' + rune(b-0xA1)
	}
	return '□'
}

// download is ESC r c1 c2 d1…d72 (Line Mode 3.3.15): a character of 24 rows of
// three bytes, under a code of the user's area.
func (p *Printer) download(c []byte) {
	if c[2] != downloadLead || c[3] < 0x40 || c[3] == 0x7F || c[3] > 0x9E {
		return
	}
	var g glyphs.Glyph
	for y := range min(len(g), (len(c)-4)/3) {
		row := c[4+3*y:]
		g[y] = uint32(row[0])<<24 | uint32(row[1])<<16 | uint32(row[2])<<8
	}
	p.downloads[c[3]] = g
}

const downloadLead = 0xEC

// twoBytes is a kanji by its Shift_JIS code.
func (p *Printer) twoBytes(lead, trail byte) item {
	g, ok := glyphs.Kanji(rowCell(lead, trail))
	if lead == downloadLead {
		g, ok = p.downloads[trail], true // a blank where none was sent
	}
	text := "〓"
	if b, err := japanese.ShiftJIS.NewDecoder().Bytes([]byte{lead, trail}); err == nil {
		if r := []rune(string(b)); len(r) == 1 && r[0] != '\uFFFD' {
			text = string(b)
			if !ok {
				g, ok = glyphs.Extension(r[0])
			}
		}
	}
	if !ok {
		g = glyphs.Box(glyphs.FullWidth)
	}
	d := p.cell(g, glyphs.FullWidth)
	if p.before+p.after > 0 {
		padded := newDots(d.w+(p.before+p.after)*p.wide, d.h)
		padded.draw(d, p.before*p.wide, 0)
		d = padded
	}
	return item{d: d, text: text, columns: 2}
}

// rowCell is the place of a Shift_JIS character in JIS X 0208.
func rowCell(lead, trail byte) (row, cell int) {
	l, t := int(lead), int(trail)
	if l >= 0xE0 {
		l -= 0x40
	}
	if t >= 0x80 {
		t--
	}
	l, t = l-0x81, t-0x40
	return 2*l + t/94 + 1, t%94 + 1
}

// fromJIS is the Shift_JIS of a JIS code (ESC p).
func fromJIS(hi, lo byte) (lead, trail byte) {
	row, cell := int(hi)-0x21, int(lo)-0x21
	l, t := row/2+0x81, row%2*94+cell+0x40
	if l > 0x9F {
		l += 0x40
	}
	if t >= 0x7F {
		t++
	}
	return byte(l & 0xFF), byte(t & 0xFF)
}

// cell draws a glyph in the current style.
func (p *Printer) cell(g glyphs.Glyph, w int) *dots {
	d := newDots((w+p.space)*p.wide, glyphs.Height*p.high)
	strike := 0
	if p.bold {
		strike = 1
	}
	for y, row := range g {
		for x := range w {
			if row<<x>>31 == 1 {
				d.fill(x*p.wide, y*p.high, p.wide+strike, p.high)
			}
		}
	}
	if p.underline {
		d.fill(0, d.h-2, d.w, 2)
	}
	if p.reverse {
		for i := range d.bits {
			d.bits[i] ^= 0xFF
		}
	}
	return d
}

// add puts an item on the line, on the next one if this is full.
func (p *Printer) add(ctx context.Context, i item) error {
	if p.line.x > 0 && p.left+p.line.x+i.d.w > Dots {
		if err := p.printLine(ctx); err != nil {
			return err
		}
	}
	p.put(i)
	return nil
}

func (p *Printer) put(i item) {
	i.x = p.line.x
	p.line.x += i.d.w
	if len(p.line.items) < itemsMax {
		p.line.items = append(p.line.items, i)
	}
}

// printLine prints the line and feeds, twice as far under letters twice as high.
func (p *Printer) printLine(ctx context.Context) error {
	l := p.line
	p.line = line{}
	width, height, high := 0, 0, 1
	for _, i := range l.items {
		width, height = max(width, i.x+i.d.w), max(height, i.d.h)
		if i.text != "" {
			high = max(high, i.d.h/glyphs.Height)
		}
	}
	strip, offset := newDots(Dots, height), p.aligned(width)
	for _, i := range l.items {
		strip.draw(i.d, offset+i.x, height-i.d.h) // on one base line
	}
	text := l.text(offset)
	if len(l.items) > 0 && text == "" {
		p.paper.note(Entry{Kind: "picture", Width: width, Height: height})
		return p.advance(ctx, strip, max(height, p.lineDots), nil)
	}
	if err := p.advance(ctx, strip, max(height, p.lineDots*high), &text); err != nil {
		return err
	}
	p.paper.note(Entry{Kind: "text", Text: text, Height: height})
	return nil
}

// text is the line as text: a space a column before its first character.
func (l *line) text(offset int) string {
	var b strings.Builder
	for n, i := range l.items {
		if n == 0 && i.text != "" {
			b.WriteString(strings.Repeat(" ", offset/halfWidth))
		}
		b.WriteString(i.text)
	}
	return strings.TrimRight(b.String(), " ")
}
