package printer_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"regi/sim/device/printer"
)

// tape is a wire that brings fixed bytes, ends, and keeps what is answered.
type tape struct {
	*bytes.Reader
	answers bytes.Buffer
}

func (w *tape) Write(b []byte) (int, error)     { return w.answers.Write(b) }
func (w *tape) SetReadDeadline(time.Time) error { return nil }

// play prints a stream to its end.
func play(t testing.TB, o printer.Options, stream string) (*printer.Printer, string) {
	t.Helper()
	w := &tape{Reader: bytes.NewReader([]byte(stream))}
	p := printer.New(w, o)
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p, w.answers.String()
}

func model(t testing.TB, name string) printer.Model {
	t.Helper()
	m, err := printer.ModelNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// sjis is 日本酒 in Shift_JIS; jis the same in JIS.
const (
	sjis = "\x93\xfa\x96\x7b\x8e\xf0"
	jis  = "\x46\x7c\x4b\x5c\x3c\x72"
	cut  = printer.CutMark
)

func TestText(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"ascii", "Hello\nworld\r\n", "Hello\nworld\n"},
		{"without a line feed nothing is printed", "Hello", ""},
		{"kanji in Shift_JIS", "\x1cC1" + sjis + "\n", "日本酒\n"},
		{"kanji in Shift_JIS, FS . changes nothing", "\x1cC\x01\x1c." + sjis + "\n", "日本酒\n"},
		{"kanji in JIS", "\x1c&" + jis + "\x1c.A" + "\n", "日本酒A\n"},
		{"JIS without FS & is single bytes", "Fb\n", "Fb\n"},
		{"NEC and IBM extensions", "\x1cC1\x87\x40\x87\x8a\xfb\xfc\n", "①㈱髙\n"},
		{"no such kanji", "\x1cC1\x84\xc0\xf0\x40\n", "〓〓\n"},
		{"a lead byte without a trail byte", "\x1cC1\x93\nA\n", "\nA\n"},
		{"half-width katakana by code table", "\x1bt\x01\xca\xdd\xb6\xb8\n", "ﾊﾝｶｸ\n"},
		{"half-width katakana next to kanji", "\x1bt\x01\x1cC1\xb1" + sjis + "\xb2\n", "ｱ日本酒ｲ\n"},
		{"yen under ESC R 8", "\x1bR\x08\\1,080\x1bR\x00\\\n", "¥1,080\\\n"},
		{"code tables", "\x1bt\x00\x82\x1bt\x10\x80\x1bt\x12\xa5\n", "é€ą\n"},
		{"an unknown code table is ignored", "\x1bt\x00\x1bt\xc8\x82\n", "é\n"},
		{"FS C, ESC t and ESC R end with ESC @", "\x1cC1\x1bR\x08\x1b@\\\x82\n", "\\é\n"},
		{"double width is not spaced out", "\x1d!\x11AB C\n", "AB C\n"},
		{"normal text after double width stands in its column", "\x1d!\x10\x1cC1" + sjis + "\x1d!\x00 1\n", "日本酒       1\n"},
		{"centred", "\x1ba\x01ABCD\n", strings.Repeat(" ", 19) + "ABCD\n"},
		{"right", "\x1ba2ABCD\n", strings.Repeat(" ", 39) + "ABCD\n"}, // 512-48 = 464 dots = 38.7 columns
		{"alignment in mid-line is ignored", "A\x1ba\x02B\n", "AB\n"},
		{"tabs every 8", "A\tB\tC\n", "A       B       C\n"},
		{"tabs set", "\x1bD\x05\x0a\x00A\tB\tC\tD\n", "A    B    CD\n"},
		{"a falling tab ends the list", "\x1bD\x05\x60AA\tB\n", "AA   B\n"},
		{"absolute position", "A\x1b$\x78\x00B\n", "A         B\n"},
		{"relative position", "A\x1b\\\x0c\x00B\x1b\\\xd0\xffC\n", "A BC\n"}, // 48 dots back is outside: ignored
		{"right column printed first", "\x1b$\x78\x00B\x1b$\x00\x00A\n", "A         B\n"},
		{"left margin", "\x1dL\x18\x00A\n", "  A\n"},
		{"area and wrap", "\x1dW\x30\x00ABCDEF\n", "ABCD\nEF\n"},
		{"wrap at 42", strings.Repeat("x", 43) + "\n", strings.Repeat("x", 42) + "\nx\n"},
		{"a kanji does not break in two", "\x1cC1" + strings.Repeat("x", 41) + sjis[:2] + "\n", strings.Repeat("x", 41) + "\n日\n"},
		{"ESC d", "A\x1bd\x03B\n", "A\n\n\nB\n"},
		{"ESC J prints", "A\x1bJ\x10B\n", "A\nB\n"},
		{"not selected", "A\x1b=\x00BC\n\x1b@\x1b=\x01D\n", "AD\n"},
		{"user-defined kanji", "\x1cC1\x1c2\xec\x40" + strings.Repeat("\xff", 72) + "\xec\x40\n", "〓\n"},
		{"spaces keep columns", "A" + strings.Repeat(" ", 10) + "B\n", "A          B\n"},
		{"trailing spaces", "A    \n", "A\n"},
		{"font B fits 56", "\x1bM\x01" + strings.Repeat("x", 57) + "\n", strings.Repeat("x", 56) + "\nx\n"},
		{"cut after a feed", "A\n\x1dVB\x00B\n", "A\n" + cut + "\nB\n"},
		{"a full cut after a feed", "A\n\x1dVA\x00B\n", "A\n" + cut + "\nB\n"},
		{"a cut at the head goes through the lines before", "1\n2\n3\n4\n5\n\x1dV\x00", "1\n2\n" + cut + "\n3\n4\n5\n"},
		{"ESC i", strings.Repeat("A\n", 5) + "\x1bi", "A\nA\n" + cut + "\nA\nA\nA\n"},
		{"ESC m", strings.Repeat("A\n", 5) + "\x1bm", "A\nA\n" + cut + "\nA\nA\nA\n"},
		{"a cut in mid-line is ignored", "A\n\n\n\n\n\nB\x1dV1C\n", "A\n\n\n\n\n\nBC\n"},
		{"nothing to cut", "\x1dV1\x1bi", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, _ := play(t, printer.Options{}, c.in)
			if got := p.Text(); got != c.want {
				t.Errorf("%q prints\n%q, want\n%q", c.in, got, c.want)
			}
		})
	}
}

func TestColumns(t *testing.T) {
	for _, c := range []struct {
		model string
		cols  int
	}{{"tm-t88v", 42}, {"80mm", 48}, {"58mm", 32}} {
		left := "\x1cC1\x1bt\x01\x1bR\x08" + sjis + "\xca\xdd"
		in := left + strings.Repeat(" ", c.cols-8-6) + "\\1,080\n" + strings.Repeat("9", c.cols) + "\n"
		p, _ := play(t, printer.Options{Model: model(t, c.model)}, in)
		want := "日本酒ﾊﾝ" + strings.Repeat(" ", c.cols-8-6) + "¥1,080\n" + strings.Repeat("9", c.cols) + "\n"
		if got := p.Text(); got != want {
			t.Errorf("%s: \n%s, want\n%s", c.model, got, want)
		}
	}
	if _, err := printer.ModelNamed("typewriter"); err == nil {
		t.Error("a typewriter is a model")
	}
}

// TestLengths: what is not drawn must be skipped to the byte. Each command is
// followed by text, which must be all that is printed.
func TestLengths(t *testing.T) {
	junk := "\x1b@\x1dA\x0a\x0cZ" // would do harm if it was read as commands
	data := func(n int) string { return strings.Repeat(junk, n/len(junk)+1)[:n] }
	for name, in := range map[string]string{
		"GS k form A":         "\x1dk\x024912345678904\x00",
		"GS k form B":         "\x1dkC\x0c" + data(12),
		"GS k form B, 255":    "\x1dkI\xff" + data(255),
		"GS ( k QR":           "\x1d(k\x04\x001A2\x00\x1d(k\x03\x001C\x06\x1d(k\x13\x001P0" + data(16) + "\x1d(k\x03\x001Q0",
		"GS ( k long":         "\x1d(k\x03\x011P0" + data(256),
		"GS ( E":              "\x1d(E\x03\x00" + data(3),
		"GS ( K":              "\x1d(K\x02\x00" + data(2),
		"GS ( L NV":           "\x1d(L\x0d\x000C0" + data(10),
		"GS 8 L NV":           "\x1d8L\x02\x01\x00\x000C" + data(256),
		"GS ( L stored":       "\x1d(L\x0b\x000p0\x01\x011\x08\x00\x01\x00\xff",
		"GS ( L wrong size":   "\x1d(L\x0c\x000p0\x01\x011\x08\x00\x01\x00" + data(2),
		"GS ( L one byte":     "\x1d(L\x01\x00" + data(1),
		"GS ( H other":        "\x1d(H\x03\x00" + data(3),
		"FS q":                "\x1cq\x02\x01\x00\x01\x00" + data(8) + "\x02\x00\x03\x00" + data(48),
		"FS p":                "\x1cp\x01\x00",
		"FS g 1":              "\x1cg1\x00\x00\x00\x00\x00\x05\x00" + data(5),
		"FS g 2":              "\x1cg2\x00\x00\x00\x00\x00\x05\x00",
		"FS ( A":              "\x1c(A\x02\x000\x00",
		"FS ( C":              "\x1c(C\x02\x000\x01",
		"ESC ( A":             "\x1b(A\x05\x00" + data(5),
		"ESC &":               "\x1b&\x03\x20\x21\x02" + data(6) + "\x01" + data(3),
		"ESC & empty":         "\x1b&\x03\x20\x1f",
		"GS *":                "\x1d*\x01\x02" + data(16) + "\x1d/\x00",
		"GS C 0, 1, 2":        "\x1dC0\x06\x00\x1dC1" + data(6) + "\x1dC2\x01\x00",
		"GS C ;":              "\x1dC;1;10;1;1;1;",
		"GS g":                "\x1dg0\x00\x14\x00\x1dg2\x00\x14\x00",
		"page mode":           "\x1bL\x1bW" + data(8) + "\x1bT\x00\x1d$\x01\x00\x1d\\\x01\x00\x1bS",
		"macro":               "\x1d:\x1d^\x01\x01\x01",
		"sensors":             "\x1bc3\x03\x1bc4\x00\x1bc5\x01",
		"bar code settings":   "\x1dh\x50\x1dw\x02\x1dH\x02\x1df\x00",
		"others":              "\x1bU\x01\x1b<\x1br\x00\x1bV\x00\x1bK\x01\x1be\x01\x1bB\x01\x01\x1b%\x00\x1b?\x20\x1dT\x00\x1dz0\x01\x01\x1db\x01\x1dP\x00\x00",
		"real time":           "\x10\x04\x01\x10\x04\x07\x01\x10\x05\x00\x10\x14\x03\x01\x01\x01\x01\x01\x10\x14\x07\x01",
		"unknown":             "\x1b\x7f\x1d\x7f\x1c\x7f\x1b\x1b@",
		"raster in mid-line":  " \x1dv0\x00\x02\x00\x03\x00" + data(6),
		"ESC * of no mode":    "\x1b*\x05\x01\x00",
		"NUL and other codes": "\x00\x01\x02\x18\x0d",
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := play(t, printer.Options{}, in+"end\n")
			if got := strings.TrimSpace(p.Text()); got != "end" {
				t.Errorf("%q leaves %q", in, got)
			}
		})
	}
}

// TestStreams: what other encoders send looks as they say.
func TestStreams(t *testing.T) {
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join("testdata", "escpos", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	// receiptio's text spaces wide characters out and writes rules as hyphens.
	want := strings.NewReplacer(
		"領      収      書", "領収書", "合  計", "合計  ",
		"¥ 4 , 9 3 0", "¥4,930", "-", "─",
	).Replace(read("receiptio-ja.txt"))
	p, answers := play(t, printer.Options{Model: model(t, "80mm")}, read("receiptio-ja-epson.bin"))
	got := p.Text()
	if !same(want, strings.ReplaceAll(got, cut, "")) {
		t.Errorf("receiptio:\n%s\nwant\n%s", got, want)
	}
	if strings.Count(got, cut) != 2 {
		t.Errorf("receiptio cuts %d times, want 2", strings.Count(got, cut))
	}
	if answers != "\x00" {
		t.Errorf("GS r 1 is answered %x", answers)
	}

	kicks := 0
	o := printer.Options{Model: model(t, "80mm"), DrawerKick: func(pin int, on, off time.Duration) {
		if pin != 2 || on != 100*time.Millisecond || off != 500*time.Millisecond {
			t.Errorf("pulse on pin %d, %v on, %v off", pin, on, off)
		}
		kicks++
	}}
	p, _ = play(t, o, read("rpe-esc-pos-latin.bin"))
	want = strings.Repeat(" ", 17) + "RECEIPT\n   Coffee 200g                          1,080\n" +
		"   Sake                                 3,300\n" + strings.Repeat("─", 48) + "\n"
	if got, _, _ := strings.Cut(p.Text(), cut); !same(got, want) {
		t.Errorf("receipt-printer-encoder:\n%s\nwant\n%s", got, want)
	}
	if kicks != 1 {
		t.Errorf("%d drawer pulses, want 1", kicks)
	}
}

// same compares line by line, blank lines and blanks at the ends apart.
func same(a, b string) bool {
	lines := func(s string) string {
		var out []string
		for l := range strings.Lines(s) {
			if l = strings.TrimRight(l, " \n"); l != "" {
				out = append(out, l)
			}
		}
		return strings.Join(out, "\n")
	}
	return lines(a) == lines(b)
}

// picture decodes the PNG. Paper begins at 24, 16.
func picture(t testing.TB, p *printer.Printer) image.Image {
	t.Helper()
	var b bytes.Buffer
	if err := p.PNG(&b); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// patch shows dots of the first rows of paper as # and . .
func patch(img image.Image, x, w, h int) string {
	var b strings.Builder
	for yy := range h {
		for xx := x; xx < x+w; xx++ {
			if r, _, _, _ := img.At(24+xx, 16+yy).RGBA(); r == 0 {
				b.WriteByte('#')
			} else {
				b.WriteByte('.')
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// enlarge makes each dot n × m.
func enlarge(s string, n, m int) string {
	var b strings.Builder
	for l := range strings.Lines(s) {
		var row strings.Builder
		for _, c := range strings.TrimSpace(l) {
			row.WriteString(strings.Repeat(string(c), n))
		}
		b.WriteString(strings.Repeat(row.String()+"\n", m))
	}
	return b.String()
}

func TestDots(t *testing.T) {
	show := func(stream string, w, h int) string {
		t.Helper()
		p, _ := play(t, printer.Options{}, stream+"\n")
		return patch(picture(t, p), 0, w, h)
	}
	plain, kanji := show("A", 12, 24), show("\x1cC1"+sjis, 24, 24)
	if !strings.Contains(plain, "#") || !strings.Contains(kanji, "##########") {
		t.Fatalf("A is\n%s日 is\n%s", plain, kanji)
	}
	same := func(name, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s is\n%s, want\n%s", name, got, want)
		}
	}
	same("GS ! 1×2", show("\x1d!\x01A", 12, 48), enlarge(plain, 1, 2))
	same("GS ! 3×4", show("\x1d!\x23A", 36, 96), enlarge(plain, 3, 4))
	same("ESC ! 2×2", show("\x1b!\x30A", 24, 48), enlarge(plain, 2, 2))
	same("ESC ! leaves kanji alone", show("\x1b!\x30\x1cC1"+sjis, 24, 24), kanji)
	same("FS ! 2×1", show("\x1c!\x04\x1cC1"+sjis, 48, 24), enlarge(kanji, 2, 1))
	same("FS ! leaves A alone", show("\x1c!\x0cA", 12, 24), plain)
	same("FS W", show("\x1cW\x01\x1cC1"+sjis, 48, 48), enlarge(kanji, 2, 2))
	same("GS ! enlarges kanji", show("\x1d!\x11\x1cC1"+sjis, 48, 48), enlarge(kanji, 2, 2))
	same("JIS is the same glyph", show("\x1c&"+jis, 24, 24), kanji)
	same("reverse", show("\x1dB\x01A", 12, 24), strings.NewReplacer("#", ".", ".", "#").Replace(plain))
	bold := show("\x1bE\x01A", 12, 24)
	if bold != show("\x1bG\x01A", 12, 24) || strings.Count(bold, "#") <= strings.Count(plain, "#") {
		t.Errorf("bold A is\n%s", bold)
	}
	under := show("\x1b-\x02A ", 24, 24)
	if !strings.HasSuffix(under, strings.Repeat(strings.Repeat("#", 24)+"\n", 2)) {
		t.Errorf("underlined A is\n%s", under)
	}
	if strings.HasSuffix(show("\x1b-\x02\x1cC1"+sjis, 24, 24), strings.Repeat("#", 24)+"\n") {
		t.Error("ESC - underlines kanji, which FS - does")
	}
	same("spacing", show("\x1b \x06AA", 30, 24), beside(plain, strings.Repeat("......\n", 24), plain))
	same("kanji spacing", show("\x1cS\x02\x04\x1cC1"+sjis, 30, 24), beside(strings.Repeat("..\n", 24), kanji, strings.Repeat("....\n", 24)))
	same("base line", show("A\x1d!\x01A", 24, 48), beside(strings.Repeat(strings.Repeat(".", 12)+"\n", 24)+plain, enlarge(plain, 1, 2)))
	same("user-defined kanji", show("\x1cC1\x1c2\xec\x40"+strings.Repeat("\xf0\x00\x01", 24)+"\xec\x40", 24, 24),
		strings.Repeat(strings.Repeat("#", 24)+"\n", 4)+strings.Repeat(strings.Repeat(".", 24)+"\n", 19)+strings.Repeat("#", 24)+"\n")
	same("a box where the font has no glyph", show("\x1cC1\xed\xb4", 24, 3), strings.Repeat(strings.Repeat(".", 24)+"\n", 2)+"."+strings.Repeat("#", 22)+".\n")

	p, _ := play(t, printer.Options{}, "\x1b{\x01A\n")
	turned := patch(picture(t, p), 500, 12, 24)
	same("upside down", turned, turn(plain))
}

// turn is a picture upside down.
func turn(s string) string {
	b := []byte(strings.TrimSpace(s))
	slices.Reverse(b)
	return string(b) + "\n"
}

// beside joins pictures of the same height.
func beside(parts ...string) string {
	rows := strings.Split(strings.TrimSpace(parts[0]), "\n")
	for _, p := range parts[1:] {
		for i, l := range strings.Split(strings.TrimSpace(p), "\n") {
			rows[i] += l
		}
	}
	return strings.Join(rows, "\n") + "\n"
}

func TestGraphics(t *testing.T) {
	const want = "#......##.......\n.######..######.\n"
	for _, c := range []struct {
		name, in string
		x, n, m  int
	}{
		{"GS v 0", "\x1dv0\x00\x02\x00\x02\x00\x81\x80\x7e\x7e", 0, 1, 1},
		{"GS v 0 quadruple", "\x1dv03\x02\x00\x02\x00\x81\x80\x7e\x7e", 0, 2, 2},
		{"GS v 0 right", "\x1ba\x02\x1dv0\x00\x02\x00\x02\x00\x81\x80\x7e\x7e", 512 - 16, 1, 1},
		{"GS ( L", "\x1d(L\x0e\x000p0\x01\x011\x10\x00\x02\x00\x81\x80\x7e\x7e\x1d(L\x02\x0002", 0, 1, 1},
		{"GS 8 L, 2×2, centred", "\x1ba\x01\x1d8L\x0e\x00\x00\x000p0\x02\x021\x10\x00\x02\x00\x81\x80\x7e\x7e\x1d(L\x02\x0002", 240, 2, 2},
		{"ESC * 33", "\x1b*!\x10\x00" + columns24(want) + "\n", 0, 1, 1},
		{"ESC * 32", "\x1b* \x10\x00" + columns24(want) + "\n", 0, 2, 1},
		{"ESC * 1", "\x1b*\x01\x10\x00" + columns8(want) + "\n", 0, 1, 3},
		{"ESC * 0", "\x1b*\x00\x10\x00" + columns8(want) + "\n", 0, 2, 3},
	} {
		p, _ := play(t, printer.Options{}, c.in)
		got := patch(picture(t, p), c.x, 16*c.n, 2*c.m)
		if want := enlarge(want, c.n, c.m); got != want {
			t.Errorf("%s is\n%s, want\n%s", c.name, got, want)
		}
	}
	// A picture wider and higher than a strip: nothing lost between the strips.
	p, _ := play(t, printer.Options{}, "\x1dv0\x00\x48\x00\x32\x00"+strings.Repeat("\xff", 72*50))
	if got := patch(picture(t, p), 0, 512, 50); got != strings.Repeat(strings.Repeat("#", 512)+"\n", 50) {
		t.Error("a black picture has holes")
	}
}

// columns24 and columns8 turn a picture into the bytes of ESC *.
func columns24(s string) string { return columnBytes(s, 3) }
func columns8(s string) string  { return columnBytes(s, 1) }

func columnBytes(s string, n int) string {
	rows := strings.Split(strings.TrimSpace(s), "\n")
	var b []byte
	for x := range rows[0] {
		col := make([]byte, n)
		for y := range rows {
			if rows[y][x] == '#' {
				col[0] |= 0x80 >> y
			}
		}
		b = append(b, col...)
	}
	return string(b)
}

// TestRasterInMidLine: it is read and dropped, as the manual has it.
func TestRasterInMidLine(t *testing.T) {
	p, _ := play(t, printer.Options{}, "A\x1dv0\x00\x02\x00\x30\x00"+strings.Repeat("\xff", 96)+"\n")
	if h := picture(t, p).Bounds().Dy(); h != 16+30+16 {
		t.Errorf("the picture is %d high, a line is 30", h-32)
	}
}

func TestCutOnThePicture(t *testing.T) {
	p, _ := play(t, printer.Options{}, "A\n\x1dVA\x00B\n")
	img := picture(t, p)
	// 30 dots of the line, 24 of the gap, 100 of paper that was under the cutter, 30 of the next line.
	if h := img.Bounds().Dy(); h != 16+30+24+100+30+16 {
		t.Errorf("the picture is %d high", h)
	}
	if r, _, _, _ := img.At(100, 16+30+12).RGBA(); r == 0xFFFF || r == 0 {
		t.Errorf("no gap at the cut: %x", r)
	}
	if w := img.Bounds().Dx(); w != 512+48 {
		t.Errorf("the picture is %d wide", w)
	}
}

func TestPaperIsBounded(t *testing.T) {
	var b strings.Builder
	for n := range 4000 {
		fmt.Fprintf(&b, "%d\n", n)
		if n%100 == 99 {
			b.WriteString("\x1dVB\x00")
		}
	}
	p, _ := play(t, printer.Options{}, b.String())
	lines := strings.Split(strings.TrimSpace(p.Text()), "\n")
	if len(lines) != printer.LinesMax || lines[len(lines)-2] != "3999" {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-2:])
	}
	if h := picture(t, p).Bounds().Dy(); h < printer.RowsMax || h > printer.RowsMax+2*16+40*24 {
		t.Errorf("the picture is %d high", h)
	}
	if n := p.State().Lines; n != 4000 {
		t.Errorf("%d lines printed", n)
	}
}
