package escpos

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"regi/drivers"
	"regi/drivers/barcode"
	"regi/drivers/glyph"
	"regi/drivers/raster"
	"regi/sim/device/printer" //nolint:depguard // tests may cross: another reading of ESC/POS is the judge
)

// tape is a wire that brings a document.
type tape struct {
	*bytes.Reader
	answers bytes.Buffer
}

func (w *tape) Write(b []byte) (int, error)     { return w.answers.Write(b) }
func (w *tape) SetReadDeadline(time.Time) error { return nil }

// simModel is the simulator's printer that is like a model.
func simModel(t testing.TB, name string) printer.Model {
	t.Helper()
	m, err := printer.ModelNamed(map[string]string{
		"tm-t88v": "tm-t88v", "tm-t20iii": "80mm", "tm-m30": "80mm", "generic-80": "80mm", "generic-58": "58mm", "clone-58": "58mm",
	}[strings.TrimSuffix(name, NoKanji)])
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// onPaper prints a document on the simulated printer of a model, logos first.
func onPaper(t testing.TB, model string, doc drivers.Document) *printer.Printer {
	t.Helper()
	m, err := modelByName(model)
	if err != nil {
		t.Fatal(err)
	}
	out, err := encode(m, doc, 1)
	if err != nil {
		t.Fatal(err)
	}
	var wire []byte
	for _, l := range out.logos {
		wire = append(wire, l.store()...)
	}
	p := printer.New(&tape{Reader: bytes.NewReader(append(wire, out.Bytes...))}, printer.Options{Model: simModel(t, model)})
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

// picture is the paper, also as a file where REGI_PAPER names a folder to look
// at.
func picture(t testing.TB, p *printer.Printer, name string) image.Image {
	t.Helper()
	var b bytes.Buffer
	if err := p.PNG(&b); err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("REGI_PAPER"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".png"), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func lines(p *printer.Printer) []string {
	return strings.Split(strings.TrimRight(p.Text(), "\n"), "\n")
}

// names are the models that print kanji.
func names() []string {
	return slices.DeleteFunc(Models(), func(name string) bool { return strings.HasSuffix(name, NoKanji) })
}

func TestAlphabetsOnEveryModel(t *testing.T) {
	t.Parallel()
	doc := drivers.Document{Items: drivers.Texts(
		drivers.TextLine{Text: "珈琲 ｺｰﾋｰ é € £12.50 ñ ß"},
		drivers.TextLine{Text: "Crème brûlée 3,50 €"},
		drivers.TextLine{Text: "Příliš žluťoučký kůň"},
		drivers.TextLine{Text: "Хлеб ржаной"},
		drivers.TextLine{Text: "«¿Qué?» © ™ ½"},
		drivers.TextLine{Text: "Nguyễn"},
		drivers.TextLine{Text: "e\u0301té"},
	)}
	for _, model := range names() {
		got := lines(onPaper(t, model, doc))
		for i, item := range doc.Items {
			want := strings.NewReplacer("ễ", "e", "e\u0301", "é").Replace(item.(drivers.TextLine).Text)
			if got[i] != want {
				t.Errorf("%s: %q, want %q", model, got[i], want)
			}
		}
	}
	greek := drivers.TextLine{Text: "Ελληνικός καφές 2,00 €"}
	if got := lines(onPaper(t, "tm-t88v", drivers.Document{Items: drivers.Texts(greek)})); got[0] != greek.Text {
		t.Errorf("%q", got)
	}
}

// TestFewSwitches: a table is chosen for what comes, not for one letter.
func TestFewSwitches(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"Crème brûlée à la carte": 1, "žluťoučký Süß é": 1, "ｱｲｳ ｴｵ": 0, "ｱé ｲé": 3, "дом é": 2} {
		m, _ := modelByName("tm-t88v")
		out, err := encode(m, drivers.Document{Items: drivers.Texts(drivers.TextLine{Text: text})}, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := bytes.Count(out.Bytes[len(setUp):], []byte("\x1bt")); got != want {
			t.Errorf("%q: %d switches, want %d", text, got, want)
		}
	}
}

// TestUnmapped: a character that no table has is drawn, in its place.
func TestUnmapped(t *testing.T) {
	t.Parallel()
	doc := drivers.Document{Items: drivers.Texts(
		drivers.TextLine{Text: "麵屋 𠮟 ♡ 😀 한 髙①㈱"},
		drivers.TextLine{Text: "麵", Wide: true, Tall: true},
	)}
	for _, model := range names() {
		p := onPaper(t, model, doc)
		img := picture(t, p, "unmapped-"+model)
		if strings.ContainsAny(p.Text(), "?") {
			t.Errorf("%s: %q", model, p.Text())
		}
		ink := ink(img, img.Bounds())
		if ink < 1500 {
			t.Errorf("%s: %d dots", model, ink)
		}
	}
}

// ink counts the black dots within a rectangle.
func ink(img image.Image, r image.Rectangle) int {
	n := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if v, _, _, _ := img.At(img.Bounds().Min.X+x, img.Bounds().Min.Y+y).RGBA(); v < 0x8000 {
				n++
			}
		}
	}
	return n
}

// TestSlots: more characters than the printer has room for are drawn as well.
func TestSlots(t *testing.T) {
	t.Parallel()
	var doc drivers.Document
	for c := rune(0x20000); len(doc.Items) < 4; c += 32 {
		var text strings.Builder
		for i := range rune(32) {
			text.WriteRune(c + i)
		}
		doc.Items = append(doc.Items, drivers.TextLine{Text: text.String()})
	}
	m, _ := modelByName("tm-t20iii")
	out, err := encode(m, doc, 1)
	if err != nil {
		t.Fatal(err)
	}
	defined, inline := bytes.Count(out.Bytes, []byte("\x1c2\xec")), bytes.Count(out.Bytes, []byte("\x1b*\x21\x18\x00"))
	if defined != glyph.SlotsMax || defined+inline != 128 {
		t.Errorf("%d defined, %d drawn", defined, inline)
	}
}

func TestKinsoku(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text string
		want []string
	}{
		{strings.Repeat("あ", 16) + "。い", []string{strings.Repeat("あ", 15), "あ。い"}},
		{strings.Repeat("あ", 15) + "（い）", []string{strings.Repeat("あ", 15), "（い）"}},
		{strings.Repeat("あ", 15) + "」」い", []string{strings.Repeat("あ", 15) + "」", "」い"}[:0]},
		{"Fish and chips with mushy peas and tea", []string{"Fish and chips with mushy peas ", "and tea"}},
		{strings.Repeat("x", 40), []string{strings.Repeat("x", 32), strings.Repeat("x", 8)}},
		{strings.Repeat("あ", 16) + " い", []string{strings.Repeat("あ", 16), "い"}},
	} {
		got := lines(onPaper(t, "generic-58", drivers.Document{Items: drivers.Texts(drivers.TextLine{Text: test.text})}))
		for i := range got {
			got[i] = strings.TrimRight(got[i], " ")
			if i > 0 && strings.HasPrefix(got[i], "」") || strings.HasPrefix(got[i], "。") {
				t.Errorf("%q begins with a closing mark", got[i])
			}
		}
		for i := range test.want {
			test.want[i] = strings.TrimRight(test.want[i], " ")
		}
		if len(test.want) > 0 && !slices.Equal(got, test.want) {
			t.Errorf("%q became %q, want %q", test.text, got, test.want)
		}
	}
}

// TestRefused: what cannot be right on paper is refused, before a byte is sent.
func TestRefused(t *testing.T) {
	t.Parallel()
	big := drivers.Picture{Width: 20_000, Gray: make([]byte, 20_000*512)}
	for _, test := range []struct {
		name, model string
		item        drivers.Item
		want        error
	}{
		{"a picture of 10 MB", "tm-t88v", big, drivers.ErrTooLong},
		{"a picture of no rows", "tm-t88v", drivers.Picture{Width: 3}, drivers.ErrUnsupported},
		{"a picture with half a row", "tm-t88v", drivers.Picture{Width: 3, Gray: make([]byte, 4)}, drivers.ErrUnsupported},
		{"a tall picture", "tm-t20iii", drivers.Picture{Width: 576, Gray: make([]byte, 576*4096)}, drivers.ErrTooLong},
		{"a wrong check digit", "tm-t88v", drivers.Barcode{Symbology: drivers.EAN13, Data: "4901234567890"}, barcode.ErrCheckDigit},
		{"letters in EAN", "tm-t88v", drivers.Barcode{Symbology: drivers.EAN13, Data: "x"}, barcode.ErrData},
		{"a code that is too wide", "generic-58", drivers.Barcode{Symbology: drivers.Code39, Data: strings.Repeat("A", 40)}, drivers.ErrTooLong},
		{"modules that are too wide", "generic-58", drivers.Barcode{Symbology: drivers.EAN13, Data: "4901234567894", Module: 6}, drivers.ErrTooLong},
		{"a QR code that is too wide", "generic-58", drivers.Barcode{Symbology: drivers.QRCode, Data: strings.Repeat("a", 900), Module: 5}, drivers.ErrTooLong},
		{"PDF417 on a clone", "generic-58", drivers.Barcode{Symbology: drivers.PDF417, Data: "a"}, drivers.ErrUnsupported},
		{"DataBar on a clone", "clone-58", drivers.Barcode{Symbology: drivers.DataBar, Data: "0490123456789"}, drivers.ErrUnsupported},
		{"a command in PDF417", "tm-t88v", drivers.Barcode{Symbology: drivers.PDF417, Data: "\x10\x14\x01\x00\x01"}, drivers.ErrControl},
		{"no such symbology", "tm-t88v", drivers.Barcode{Symbology: 99, Data: "1"}, drivers.ErrUnsupported},
		{"a negative size", "tm-t88v", drivers.Barcode{Symbology: drivers.EAN8, Data: "4912345", Module: -1}, drivers.ErrUnsupported},
		{"off the page", "tm-t88v", drivers.Page{Lines: 2, Placed: []drivers.Placed{{Column: 40, Item: drivers.TextLine{Text: "abc"}}}}, drivers.ErrTooLong},
		{"below the page", "tm-t88v", drivers.Page{Lines: 2, Placed: []drivers.Placed{{Line: 2, Item: drivers.TextLine{Text: "abc"}}}}, drivers.ErrTooLong},
		{"a page on a page", "tm-t88v", drivers.Page{Lines: 2, Placed: []drivers.Placed{{Item: drivers.Page{}}}}, drivers.ErrUnsupported},
		{"nothing", "tm-t88v", nil, drivers.ErrUnsupported},
	} {
		m, err := modelByName(test.model)
		if err != nil {
			t.Fatal(err)
		}
		out, err := encode(m, drivers.Document{Items: []drivers.Item{drivers.TextLine{Text: "a"}, test.item}}, 1)
		if !errors.Is(err, test.want) || len(out.Bytes) > 0 {
			t.Errorf("%s: %v, %d bytes", test.name, err, len(out.Bytes))
		}
	}
}

// TestBadNames are printed, or refused.
func TestBadNames(t *testing.T) {
	t.Parallel()
	var sale drivers.Document
	for range 500 {
		sale.Items = append(sale.Items, drivers.TextLine{Text: "ブレンド珈琲                       ¥1,080※"})
	}
	for name, doc := range map[string]drivers.Document{
		"300 characters":  {Items: drivers.Texts(drivers.TextLine{Text: strings.Repeat("麵", 300)}, drivers.TextLine{Text: strings.Repeat("x", 300)})},
		"500 lines":       sale,
		"control bytes":   {Items: drivers.Texts(drivers.TextLine{Text: "a\x1bp\x00\x32\xfa\x10\x14\x01\x00\x01b"})},
		"emoji, sequence": {Items: drivers.Texts(drivers.TextLine{Text: "👨‍👩‍👧 ☕️ a"})},
	} {
		for _, model := range kinds() {
			p := onPaper(t, model, doc)
			if got := p.State().Lines; got < len(doc.Items) {
				t.Errorf("%s on %s: %d lines", name, model, got)
			}
		}
	}
}

// TestShadesAndSizes: black and white pass as they are, grey has its share of
// black, and a wide picture is as wide as the paper.
func TestShadesAndSizes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		width, height int
		grey          byte
		black         int // of 100
	}{{64, 64, 0, 100}, {64, 64, 0xFF, 0}, {64, 64, 0x80, 50}, {1200, 300, 0xC0, 25}, {385, 90, 0x40, 75}} {
		p := drivers.Picture{Width: test.width, Gray: bytes.Repeat([]byte{test.grey}, test.width*test.height)}
		d, err := raster.Picture(p, 384)
		if err != nil || d.Width != min(384, test.width) || d.Height != max(1, (test.height*d.Width+test.width/2)/test.width) {
			t.Fatalf("%+v: %d×%d, %v", test, d.Width, d.Height, err)
		}
		n := 0
		for y := range d.Height {
			for x := range d.Width {
				if d.Black(x, y) {
					n++
				}
			}
		}
		if got := 100 * n / (d.Width * d.Height); got < test.black-3 || got > test.black+3 {
			t.Errorf("%+v: %d %% black", test, got)
		}
	}
}

// TestPicturesOnEveryModel: every row of a picture is on paper once, whatever
// command carries it.
func TestPicturesOnEveryModel(t *testing.T) {
	t.Parallel()
	const width, height = 200, 100
	p := drivers.Picture{Width: width, Gray: bytes.Repeat([]byte{0xFF}, width*height)}
	for y := range height {
		for x := range width {
			if x < 2 || y < 2 || x >= width-2 || y >= height-2 || x*height/width == y {
				p.Gray[y*width+x] = 0
			}
		}
	}
	want := 0
	for _, v := range p.Gray {
		if v == 0 {
			want++
		}
	}
	for _, model := range names() {
		paper := onPaper(t, model, drivers.Document{Items: []drivers.Item{p}})
		img := picture(t, paper, "picture-"+model)
		if got := ink(img, image.Rect(0, 0, img.Bounds().Dx(), img.Bounds().Dy())); got != want {
			t.Errorf("%s: %d dots, want %d", model, got, want)
		}
	}
}
