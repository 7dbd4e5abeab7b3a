package star_test

import (
	"errors"
	"image"
	"image/draw"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regi/drivers"
	"regi/drivers/driverstest"
	"regi/drivers/star"
	"regi/sim/device/starprinter" //nolint:depguard // tests may cross
)

// onPaper prints items on the simulator's printer and returns the paper.
func onPaper(t *testing.T, model string, items ...drivers.Item) (img *image.Gray, text string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		near, far := driverstest.Pipe(t)
		sim := simulate(t, far, starprinter.Options{})
		p, err := star.New(near, model)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Print(t.Context(), drivers.Document{Items: items}, nil); err != nil {
			t.Fatal(err)
		}
		text = sim.Text()
		img = paper(t, sim.PNG)
	})
	return img, text
}

// paper is a picture with a white margin, as a reader wants it.
func paper(t *testing.T, encode func(io.Writer) error) *image.Gray {
	t.Helper()
	r, w := io.Pipe()
	go func() { w.CloseWithError(encode(w)) }() //nolint:errcheck // returns nil
	src, err := png.Decode(r)
	if err != nil {
		t.Fatal(err)
	}
	img := image.NewGray(src.Bounds().Inset(-20))
	draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(img, src.Bounds(), src, src.Bounds().Min, draw.Src)
	return img
}

// read lets each reader that is installed read the codes of a paper.
func read(t *testing.T, img image.Image) map[string]string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "paper.png")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for name, args := range map[string][]string{"zbarimg": {"--quiet", "--raw"}, "ZXingReader": {"-bytes"}} {
		program, err := exec.LookPath(name)
		if err != nil {
			t.Logf("%s is not installed: the paper is NOT read by it", name)
			continue
		}
		out, _ := exec.Command(program, append(args, path)...).Output() // fails if there is none
		got[name] = string(out)
	}
	return got
}

// TestDrawnCodes: what the printer has no command for, or may not be sent, is
// drawn and can be read.
func TestDrawnCodes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		drivers.Barcode

		want string
		zbar bool // it knows it
	}{
		{"GS1-128", drivers.Barcode{Symbology: drivers.GS1128, Data: "(01)04901234567894(10)A1(21)7"}, "010490123456789410A1", true},
		{"Data Matrix", drivers.Barcode{Symbology: drivers.DataMatrix, Data: "REGI 0001-01-000123", Align: drivers.Center}, "REGI 0001-01-000123", false},
		{"QR with a command", drivers.Barcode{Symbology: drivers.QRCode, Data: "a\x1b\x06\x01bcd", Align: drivers.Right}, "bcd", false},
		{"UPC-E of system 1", drivers.Barcode{Symbology: drivers.UPCE, Data: "1425261"}, "1425261", false},
		{"Code 128 with a control", drivers.Barcode{Symbology: drivers.Code128, Data: "AB\tCD 16041604"}, "CD 16041604", true},
	} {
		for _, model := range []string{"star-mc-print3", "star-line"} { // in one piece, in strips
			t.Run(test.name+"/"+model, func(t *testing.T) {
				t.Parallel()
				img, _ := onPaper(t, model, drivers.TextLine{Text: "Regi"}, test.Barcode, drivers.TextLine{})
				for reader, got := range read(t, img) {
					if (test.zbar || reader != "zbarimg") && !strings.Contains(got, test.want) {
						t.Errorf("%s does not read %q in %q", reader, test.want, got)
					}
				}
			})
		}
	}
}

func ink(img *image.Gray) (n int) {
	for _, v := range img.Pix {
		if v < 0x80 {
			n++
		}
	}
	return n
}

// TestUnmapped: a character that no table has is drawn, in its place; where the
// printer has no room for it there is a 〓, never a question mark.
func TestUnmapped(t *testing.T) {
	t.Parallel()
	line := drivers.TextLine{Text: "麵屋 𠮟 ♡ 😀 한"}
	drawn, text := onPaper(t, "star-tsp143iv", line)
	geta, plain := onPaper(t, "star-line", line)
	if text != plain || text != "〓屋 〓 〓 〓 〓\n" {
		t.Errorf("%q, %q", text, plain)
	}
	if a, b := ink(drawn), ink(geta); a == b || a < 300 {
		t.Errorf("%d dots drawn, %d of 〓", a, b)
	}
	if blank, _ := onPaper(t, "star-tsp143iv", drivers.TextLine{Text: "屋"}); ink(blank) >= ink(drawn) {
		t.Error("nothing is drawn")
	}
}

// TestKinsoku: a line does not begin with a full stop, nor end with a bracket.
func TestKinsoku(t *testing.T) {
	t.Parallel()
	for _, text := range []string{strings.Repeat("あ", 24) + "。い", strings.Repeat("あ", 23) + "（い）"} {
		_, got := onPaper(t, "star-mc-print3", drivers.TextLine{Text: text})
		for l := range strings.Lines(got) {
			if strings.HasPrefix(l, "。") || strings.HasSuffix(strings.TrimSpace(l), "（") {
				t.Errorf("%q", got)
			}
		}
	}
}

// TestCutFirst cuts off what an earlier document left, where it is asked to.
func TestCutFirst(t *testing.T) {
	for _, first := range []bool{false, true} {
		device(t, "star-mc-print3", func(t *testing.T, p *star.Printer, d *driverstest.ReceiptPrinter) {
			doc := drivers.Document{Items: drivers.Texts(drivers.TextLine{Text: "a"}), CutFirst: first}
			if err := p.Print(t.Context(), doc, nil); err != nil {
				t.Fatal(err)
			}
			want := "a"
			if first {
				want = "✂a"
			}
			if got := strings.Join(d.Lines(), ""); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

// TestBeginBy: a document that has waited for too long is not begun.
func TestBeginBy(t *testing.T) {
	for _, after := range []time.Duration{5 * time.Minute, time.Hour} {
		device(t, "star-mc-print3", func(t *testing.T, p *star.Printer, d *driverstest.ReceiptPrinter) {
			d.PaperFor(0)
			time.AfterFunc(after, func() { d.PaperFor(-1) })
			doc := drivers.Document{Items: drivers.Texts(drivers.TextLine{Text: "a"}), BeginBy: time.Now().Add(10 * time.Minute)}
			err := p.Print(t.Context(), doc, nil)
			if after < 10*time.Minute && err != nil {
				t.Errorf("paper after %v: %v", after, err)
			}
			if late := errors.Is(err, drivers.ErrLate); late != (after > 10*time.Minute) || late && len(d.Lines()) > 0 {
				t.Errorf("paper after %v: %v, %q", after, err, d.Lines())
			}
		})
	}
}
