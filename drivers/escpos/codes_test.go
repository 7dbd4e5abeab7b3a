package escpos

import (
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"regi/drivers"
)

// gradient is a logo with black, white and grey: a ring on a fade.
func gradient(width, height int) drivers.Picture {
	p := drivers.Picture{Width: width, Gray: make([]byte, width*height), Align: drivers.Center, Keep: true}
	for y := range height {
		for x := range width {
			v := 255 - 200*x/width
			dx, dy := x-width/2, y-height/2
			if r := dx*dx + dy*dy; r < height*height/5 && r > height*height/12 {
				v = 0
			}
			p.Gray[y*width+x] = byte(v)
		}
	}
	return p
}

// showcase is a document with everything on it.
func showcase() drivers.Document {
	text := func(s string) drivers.TextLine { return drivers.TextLine{Text: s} }
	return drivers.Document{Cut: true, Items: []drivers.Item{
		gradient(240, 96),
		drivers.TextLine{Text: "喫茶れじ 麵処", Align: drivers.Center, Bold: true, Tall: true, Wide: true},
		text("ブレンド珈琲                ¥1,080※"),
		text("Crème brûlée                3,50 €"),
		drivers.Barcode{Symbology: drivers.EAN13, Data: "4901234567894", Align: drivers.Center, Text: true},
		text(""),
		drivers.Barcode{Symbology: drivers.QRCode, Data: "https://example.com/r?n=0001-01-000123", Align: drivers.Center},
		text("収入印紙"),
		drivers.Page{
			Lines: 6,
			Placed: []drivers.Placed{
				{Column: 0, Line: 0, Item: text("┌────────┐")},
				{Column: 0, Line: 1, Item: text("│  収入印紙  │")},
				{Column: 0, Line: 2, Item: text("└────────┘")},
				{Column: 22, Line: 0, Item: drivers.Barcode{Symbology: drivers.DataMatrix, Data: "REGI 0001", Module: 4}},
				{Column: 0, Line: 4, Item: drivers.TextLine{Text: "担当 髙﨑", Tall: true}},
			},
			Else: []drivers.TextLine{text("［収入印紙］")},
		},
		text("ありがとうございました"),
	}}
}

// readers are other people's, and what they are told.
func readers() map[string][]string {
	return map[string][]string{"zbarimg": {"--quiet", "--raw", "-Supca.enable"}, "ZXingReader": {"-bytes"}}
}

// read lets each reader that is installed read the codes on papers.
func read(t *testing.T, papers ...image.Image) map[string]string {
	t.Helper()
	dir := t.TempDir()
	var paths []string
	for i, img := range papers {
		white := image.NewGray(img.Bounds().Inset(-20))
		draw.Draw(white, white.Rect, image.White, image.Point{}, draw.Src)
		draw.Draw(white, img.Bounds(), img, img.Bounds().Min, draw.Src)
		path := filepath.Join(dir, strconv.Itoa(i)+".png")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := png.Encode(f, white); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	got := map[string]string{}
	for name, args := range readers() {
		program, err := exec.LookPath(name)
		if err != nil {
			t.Logf("%s is not installed: the paper is NOT read by it", name)
			continue
		}
		out, _ := exec.Command(program, append(args, paths...)...).Output() // fails if one has nothing
		got[name] = string(out)
	}
	return got
}

// kinds are models that differ in what is drawn for them.
func kinds() []string { return []string{"tm-t88v", "generic-80", "clone-58"} }

func TestShowcase(t *testing.T) {
	t.Parallel()
	for _, model := range kinds() {
		p := onPaper(t, model, showcase())
		for name, got := range read(t, picture(t, p, "showcase-"+model)) {
			if name == "ZXingReader" {
				continue // finds one code on a paper
			}
			for _, want := range []string{"4901234567894", "https://example.com/r?n=0001-01-000123"} {
				if !strings.Contains(got, want) {
					t.Errorf("%s on %s reads %q, not %q", name, model, got, want)
				}
			}
		}
	}
}

// TestCodesOnEveryModel: what a model prints itself and what is drawn for it are
// read alike.
func TestCodesOnEveryModel(t *testing.T) {
	t.Parallel()
	for _, model := range kinds() {
		var papers []image.Image
		var codes []wanted
		for i, code := range all() {
			if !code.everywhere && !strings.HasPrefix(model, "tm-") {
				continue
			}
			code.Align = drivers.Center
			doc := drivers.Document{Items: []drivers.Item{drivers.TextLine{Text: "Regi"}, code.Barcode, drivers.TextLine{}}}
			codes = append(codes, code)
			papers = append(papers, picture(t, onPaper(t, model, doc), fmt.Sprintf("code-%s-%02d", model, i)))
		}
		for name, got := range read(t, papers...) {
			for _, code := range codes {
				if (name != "zbarimg" || code.zbar) && !strings.Contains(got, code.want) {
					t.Errorf("%s: %s does not read %q in %q", model, name, code.want, got)
				}
			}
		}
	}
}

type wanted struct {
	drivers.Barcode

	want             string
	everywhere, zbar bool // on every model; zbarimg knows it
}

func all() []wanted {
	return []wanted{
		{drivers.Barcode{Symbology: drivers.UPCA, Data: "03600029145"}, "036000291452", true, true},
		{drivers.Barcode{Symbology: drivers.UPCE, Data: "425261"}, "04252614", true, false},
		{drivers.Barcode{Symbology: drivers.EAN13, Data: "490123456789", Text: true}, "4901234567894", true, true},
		{drivers.Barcode{Symbology: drivers.EAN8, Data: "4912345"}, "49123456", true, true},
		{drivers.Barcode{Symbology: drivers.Code39, Data: "REGI-01", Text: true}, "REGI-01", true, true},
		{drivers.Barcode{Symbology: drivers.ITF, Data: "1490123456789"}, "14901234567891", true, true},
		{drivers.Barcode{Symbology: drivers.Codabar, Data: "A97531B"}, "97531", true, true},
		{drivers.Barcode{Symbology: drivers.Code128, Data: "Regi 1604160412 {x"}, "Regi 1604160412 {x", true, true},
		{drivers.Barcode{Symbology: drivers.GS1128, Data: "(01)04901234567894(10)A1(21)7"}, "010490123456789410A1", true, true},
		{drivers.Barcode{Symbology: drivers.QRCode, Data: "領収書 0001-01-000777"}, "領収書 0001-01-000777", true, false},
		{drivers.Barcode{Symbology: drivers.QRCode, Data: "a\x10\x14\x01\x00\x01bcd"}, "bcd", true, false},
		{drivers.Barcode{Symbology: drivers.DataMatrix, Data: "REGI 0001-01-000123"}, "REGI 0001-01-000123", true, false},
		{drivers.Barcode{Symbology: drivers.PDF417, Data: "0001-01-20261125-000123"}, "0001-01-20261125-000123", false, false},
		{drivers.Barcode{Symbology: drivers.PDF417, Data: "a"}, "a", false, false},
		{drivers.Barcode{Symbology: drivers.PDF417, Data: strings.Repeat("REGI 0001-01-000123 ", 10)}, "REGI 0001-01-000123 REGI", false, false},
		{drivers.Barcode{Symbology: drivers.DataBar, Data: "0490123456789"}, "04901234567894", false, true},
	}
}
