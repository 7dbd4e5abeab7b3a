package printer

import (
	"regi/sim/device/printer/internal/font"
	"regi/sim/device/printer/internal/symbol"
	"regi/sim/device/printer/internal/symbol/databar"
	"regi/sim/device/printer/internal/symbol/linear"
)

// bars are the settings of bar codes: GS h, GS w, GS H, GS f.
type bars struct {
	height, module int
	text           byte // 0 none, 1 above, 2 below, 3 both
	fontB          bool
}

// At first, and after ESC @.
const (
	barHeight = 162
	barModule = 3
	barMost   = 6
	// hriGap is between the bars and the text beside them.
	hriGap = 4
)

// thickDots is a thick element when a narrow one has 1 to 6 dots (GS w).
//
//nolint:gochecknoglobals // a constant table
var thickDots = [barMost + 1]int{0, 3, 5, 8, 10, 13, 16}

// barCode is one kind of GS k.
type barCode struct {
	name   string
	encode func([]byte) (symbol.Bars, error)
}

// barCodes by m of form B; m 0 to 6 of form A are the first seven.
//
//nolint:gochecknoglobals // a constant table
var barCodes = [...]barCode{
	{"upc-a", linear.UPCA},
	{"upc-e", linear.UPCE},
	{"ean-13", linear.EAN13},
	{"ean-8", linear.EAN8},
	{"code39", linear.Code39},
	{"itf", linear.ITF},
	{"codabar", linear.Codabar},
	{"code93", linear.Code93},
	{"code128", linear.Code128},
	{"gs1-128", linear.GS1128},
	{"databar-omni", databar.Omnidirectional},
	{"databar-truncated", databar.Omnidirectional},
	{"databar-limited", databar.Limited},
	{"databar-expanded", databar.Expanded},
	{"code128", linear.Code128Auto},
}

// firstB is m of the first code in form B, lastA of the last in form A.
const (
	lastA  = 6
	firstB = 65
)

// barcode is GS k m: data up to NUL, or n and n bytes.
func barcode(it *interpreter, a []byte) error {
	m := int(a[0])
	switch {
	case m <= lastA:
		data, err := it.untilNUL()
		if err != nil {
			return err
		}
		return it.printBars(barCodes[m], data)
	case m >= firstB && m < firstB+len(barCodes):
		n, err := it.next()
		if err != nil {
			return err
		}
		data, err := it.take(int(n))
		if err != nil {
			return err
		}
		return it.printBars(barCodes[m-firstB], data)
	}
	return nil
}

// textMax is the longest data that ends with NUL.
const textMax = 255

func (it *interpreter) untilNUL() ([]byte, error) {
	var data []byte
	for range textMax {
		b, err := it.next()
		if err != nil || b == 0 {
			return data, err
		}
		data = append(data, b)
	}
	return data, nil
}

// printBars prints a bar code, or nothing if the data is wrong or too long.
func (it *interpreter) printBars(kind barCode, data []byte) error {
	r := Record{Kind: KindCode, Code: newCode(kind.name, data)}
	b, err := kind.encode(data)
	if err != nil {
		return it.refuse(r, err.Error())
	}
	r.Code.Text, r.Code.Module = b.Text, it.bars.module
	d := it.bars.draw(b)
	return it.block(d, r)
}

// draw is bars with their text.
func (s bars) draw(b symbol.Bars) *dots {
	thick := thickDots[s.module]
	var hri *dots
	if s.text != 0 && b.Text != "" {
		hri = s.hri(b.Text)
	}
	w, h, top := b.Dots(s.module, thick), s.height, 0
	if hri != nil {
		w = max(w, hri.w)
		h += (hri.h + hriGap) * (int(s.text&1) + int(s.text>>1))
		top = (hri.h + hriGap) * int(s.text&1)
	}
	d := newDots(w, h)
	x := (w - b.Dots(s.module, thick)) / 2
	for i, e := range b.Widths {
		n := symbol.Wide(e, s.module, thick)
		if (i%2 == 0) != b.Light {
			d.fill(x, top, n, s.height)
		}
		x += n
	}
	if hri != nil {
		if s.text&1 != 0 {
			d.draw(hri, (w-hri.w)/2, 0)
		}
		if s.text&2 != 0 {
			d.draw(hri, (w-hri.w)/2, h-hri.h)
		}
	}
	return d
}

// hri is the text beside the bars.
func (s bars) hri(text string) *dots {
	l := look{w: font.HalfWidth, h: font.Height, sx: 1, sy: 1}
	if s.fontB {
		l.w, l.h = fontBWidth, fontBHeight
	}
	d := newDots(l.w*len(text), l.h)
	for i := range len(text) {
		g, ok := font.Half(rune(text[i]))
		if !ok {
			g = font.Box(font.HalfWidth)
		}
		if s.fontB {
			g = shrink(g)
		}
		d.draw(l.cell(g), i*l.w, 0)
	}
	return d
}

// block prints something on lines of its own: a code, a picture. In page mode
// it stands on the page at the print position; wider than the area, or in
// mid-line, it is not printed.
func (it *interpreter) block(d *dots, r Record) error {
	if r.Code != nil {
		r.Code.Width, r.Code.Height = d.w, d.h
		if it.p.model.NoCodes {
			return it.refuse(r, "this printer has no codes")
		}
		if it.page == nil && d.w > it.area() {
			return it.refuse(r, "wider than the printing area")
		}
	}
	if it.page != nil {
		it.page.put(item{d: d, w: d.w, record: &r}, it.lineDots)
		return nil
	}
	if !it.line.begins() {
		return it.refuse(r, "not at the beginning of a line")
	}
	offset := it.left + it.aligned(d.w)
	for y := 0; y < d.h; y += stripDots {
		n := min(stripDots, d.h-y)
		strip := newDots(it.p.model.Dots, n)
		strip.draw(&dots{w: d.w, h: n, stride: d.stride, bits: d.bits[y*d.stride : (y+n)*d.stride]}, offset, 0)
		j := job{strip: strip, feed: n}
		if y+n == d.h {
			r.Row = -y
			j.records = []Record{r}
		}
		if err := it.enqueue(j); err != nil {
			return err
		}
	}
	return nil
}

// refuse records what is not printed.
func (it *interpreter) refuse(r Record, why string) error {
	r.Kind, r.Why = KindRefused, why
	return it.enqueue(job{records: []Record{r}})
}
