package starprinter

import (
	"context"
	"image"
	"image/color"
	"image/png"
	"io"
	"strings"
	"time"

	"regi/sim/device/printer"
	"regi/sim/device/printer/glyphs"
)

// The mechanism: 80 mm paper, 8 dots a millimetre.
const (
	Dots     = 576
	perMM    = 8
	lineDots = 4 * perMM // ESC z 1
	slimDots = 3 * perMM // ESC 0

	halfWidth  = glyphs.HalfWidth
	cutterDots = 80 // the way from the head to the cutter

	alignCentre, alignRight = 1, 2
	frameDots               = 240 // stands for a bar code
)

// Limits of what is kept.
const (
	RowsMax    = 6000
	LinesMax   = 2000
	EntriesMax = 4000
	itemsMax   = 256 // a line
)

// Entry is one thing that the printer did.
type Entry struct {
	Kind      string `json:"kind"` // text, code, picture, cut or pulse
	Text      string `json:"text,omitempty"`
	Symbology string `json:"symbology,omitempty"`
	// Width and Height in dots; of a pulse, its milliseconds and pin.
	Width  int `json:"width,omitempty"`
	Height int `json:"height,omitempty"`
}

// paper is what came out.
type paper struct {
	rows    [][]byte // nil is blank, of Dots/8 bytes
	cuts    []int    // rows after which it was cut
	lines   []string
	entries []Entry
}

func (s *paper) note(e Entry) {
	s.entries = append(s.entries, e)
	if over := len(s.entries) - EntriesMax; over > 0 {
		s.entries = s.entries[over:]
	}
}

func (s *paper) text() string {
	if len(s.lines) == 0 {
		return ""
	}
	return strings.Join(s.lines, "\n") + "\n"
}

func (s *paper) trim() {
	if over := len(s.rows) - RowsMax; over > 0 {
		s.rows = append([][]byte(nil), s.rows[over:]...)
		var cuts []int
		for _, c := range s.cuts {
			if c > over {
				cuts = append(cuts, c-over)
			}
		}
		s.cuts = cuts
	}
	if over := len(s.lines) - LinesMax; over > 0 {
		s.lines = append([]string(nil), s.lines[over:]...)
	}
}

// newest is a copy; the rows themselves never change.
func (s *paper) newest() paper {
	return paper{rows: append([][]byte(nil), s.rows...), cuts: append([]int(nil), s.cuts...)}
}

// png draws the paper, with a grey gap at each cut.
func (s *paper) png(w io.Writer) error {
	const margin, gap = 24, 16
	palette := color.Palette{color.Gray{Y: 0xFF}, color.Gray{Y: 0}, color.Gray{Y: 0xA8}}
	img := image.NewPaletted(image.Rect(0, 0, Dots+2*margin, len(s.rows)+len(s.cuts)*gap+2*margin), palette)
	y, cuts := margin, s.cuts
	for i, row := range s.rows {
		for len(cuts) > 0 && cuts[0] == i {
			for n := range gap * img.Stride {
				img.Pix[y*img.Stride+n] = 2
			}
			y, cuts = y+gap, cuts[1:]
		}
		for x := range 8 * len(row) {
			if row[x/8]&(0x80>>(x%8)) != 0 {
				img.Pix[y*img.Stride+margin+x] = 1
			}
		}
		y++
	}
	return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, img)
}

// dots is a rectangle of dots, eight a byte.
type dots struct {
	w, h int
	bits []byte // (w+7)/8 a row
}

func newDots(w, h int) *dots { return &dots{w: w, h: h, bits: make([]byte, (w+7)/8*h)} }

// rows makes dots of the rows of a picture; what is missing is blank.
func rows(data []byte, stride, h int) *dots {
	d := newDots(8*stride, h)
	copy(d.bits, data)
	return d
}

func (d *dots) row(y int) []byte { n := (d.w + 7) / 8; return d.bits[y*n : (y+1)*n] }

func (d *dots) at(x, y int) bool { return d.row(y)[x/8]&(0x80>>(x%8)) != 0 }

func (d *dots) fill(x, y, w, h int) {
	for yy := max(0, y); yy < min(d.h, y+h); yy++ {
		for xx := max(0, x); xx < min(d.w, x+w); xx++ {
			d.row(yy)[xx/8] |= 0x80 >> (xx % 8)
		}
	}
}

func (d *dots) draw(src *dots, x, y int) {
	for sy := range src.h {
		for sx := range src.w {
			if src.at(sx, sy) {
				d.fill(x+sx, y+sy, 1, 1)
			}
		}
	}
}

// advance moves the paper by feed dots under strip (nil is blank). A line that
// the printer stops in is printed again from its first dot.
func (p *Printer) advance(ctx context.Context, strip *dots, feed int, line *string) error {
	epoch := p.m.Epoch
	for {
		for !p.m.Online() && p.m.Epoch == epoch {
			if err := p.m.Wait(ctx); err != nil {
				return err
			}
		}
		if err := p.m.Rest(ctx, p.travel(feed)); err != nil {
			return err
		}
		if p.m.Epoch != epoch {
			return errLost
		}
		if p.m.Online() {
			break
		}
	}
	for y := range feed {
		var row []byte
		if strip != nil && y < strip.h {
			row = strip.row(y)
		}
		p.paper.rows = append(p.paper.rows, row)
	}
	if line != nil {
		p.paper.lines = append(p.paper.lines, *line)
		p.m.Count()
	}
	p.paper.trim()
	p.m.Touch()
	p.m.Breathe() // hooks see each line
	return nil
}

// travel is how long the paper moves.
func (p *Printer) travel(feed int) time.Duration {
	if p.opt.MillimetresPerSecond <= 0 {
		return 0
	}
	return time.Duration(feed) * time.Second / time.Duration(perMM*p.opt.MillimetresPerSecond)
}

func (p *Printer) feed(ctx context.Context, n int) error {
	if err := p.motorStops(ctx); err != nil {
		return err
	}
	return p.advance(ctx, nil, n, nil)
}

// cut is ESC d n. What the cutter has not reached stays on the roll.
func (p *Printer) cut(ctx context.Context, n byte) error {
	if err := p.motorStops(ctx); err != nil {
		return err
	}
	if digit(n) >= 2 { // to the cutting position first
		if err := p.advance(ctx, nil, cutterDots, nil); err != nil {
			return err
		}
	}
	for epoch := p.m.Epoch; p.m.Jammed; {
		p.m.Stuck = true
		p.m.Touch()
		if err := p.m.Wait(ctx); err != nil {
			return err
		}
		if p.m.Epoch != epoch {
			return errLost
		}
	}
	if at := len(p.paper.rows) - cutterDots; at > 0 {
		p.paper.cuts = append(p.paper.cuts, at)
	}
	p.paper.lines = append(p.paper.lines, printer.CutMark)
	p.paper.note(Entry{Kind: "cut"})
	p.m.Touch()
	return nil
}

// picture prints dots by themselves.
func (p *Printer) picture(ctx context.Context, d *dots) error {
	if err := p.motorStops(ctx); err != nil {
		return err
	}
	p.paper.note(Entry{Kind: "picture", Width: d.w, Height: d.h})
	strip := newDots(Dots, d.h)
	strip.draw(d, p.aligned(d.w), 0)
	return p.advance(ctx, strip, d.h, nil)
}

// frame stands for a code that is not drawn.
func (p *Printer) frame(ctx context.Context, label string, w, h int) error {
	if err := p.motorStops(ctx); err != nil {
		return err
	}
	d := newDots(Dots, h)
	x := p.aligned(w)
	d.fill(x, 0, w, 2)
	d.fill(x, h-2, w, 2)
	d.fill(x, 0, 2, h)
	d.fill(x+w-2, 0, 2, h)
	return p.advance(ctx, d, h, &label)
}

// label is the text below a bar code.
func (p *Printer) label(ctx context.Context, s string) error {
	for _, c := range s {
		g, _ := glyphs.Half(c)
		p.put(item{d: p.cell(g, halfWidth), text: string(c), columns: 1})
	}
	return p.printLine(ctx)
}

func (p *Printer) aligned(w int) int {
	free := max(0, Dots-w)
	switch p.align {
	case alignCentre:
		return free / 2
	case alignRight:
		return free
	}
	return min(p.left, free)
}
