package receipt

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"regi/drivers"
	"regi/drivers/driverstest"
	"regi/drivers/escpos"
	"regi/firmware/sale"
	"regi/sim/device/printer"
)

// press is the driver of a model with the simulator's printer behind it.
func press(t *testing.T, model, sheet string) (drivers.POSPrinter, *printer.Printer) {
	t.Helper()
	m, err := printer.ModelNamed(sheet)
	if err != nil {
		t.Fatal(err)
	}
	near, far := driverstest.Pipe(t)
	sim := printer.New(far, printer.Options{Model: m})
	ctx, cancel := context.WithCancel(context.Background()) //nolint:usetesting // ends in Cleanup, after t's context
	ended := make(chan error, 1)
	go func() { ended <- sim.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	p, err := escpos.New(near, model)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p, sim
}

// awning is a logo: a shop front, with a grey that must be dithered.
func awning(t testing.TB) *drivers.Picture {
	t.Helper()
	const w, h = 240, 88
	img := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			shade := uint8(0xFF)
			stripe := x / 24 % 2
			scallop := (x%24-12)*(x%24-12)/9 + 40
			switch {
			case y < 8:
				shade = 0
			case y < 60-scallop/3 && stripe == 0:
				shade = 0
			case y < 60-scallop/3:
				shade = 0xB0
			case y > 82:
				shade = 0
			case x > 40 && x < 100 && y > 58, x > 140 && x < 200 && y > 58 && y < 78:
				shade = 0x60
			}
			img.SetGray(x, y, color.Gray{Y: shade})
		}
	}
	logo, err := ParseLogo(pngOf(t, img))
	if err != nil {
		t.Fatal(err)
	}
	return logo
}

// What was laid out is what stands on the paper of another reading of ESC/POS,
// for every country and each width.
func TestOnPaper(t *testing.T) {
	t.Parallel()
	logo := awning(t)
	camera := cash(sold(t, false, good{"カメラ", 50_000, 1, sale.Standard}, good{"お茶", 100, 1, sale.Reduced}), 60_000)
	hard := cash(sold(t, true, good{"麵と餃子😀 ①㈱髙島 ～特選～", 980, 2, sale.Reduced}, good{strings.Repeat("長い名前", 16), 110, 1, sale.Standard}, good{"サービス品", 0, 1, sale.Reduced}), 5_000)
	practice := cash(mixed(t), 30_000)
	practice.TrainingModeFlag = true
	for name, layout := range map[string]func(on Paper) (drivers.Document, error){
		"ja": func(on Paper) (drivers.Document, error) {
			return New("ja-JP", logo).Receipt(card(cash(mixed(t), 5_000)), on)
		},
		"return":    func(on Paper) (drivers.Document, error) { on.Code = ""; return jp.Receipt(given(returned(t)), on) },
		"addressed": func(on Paper) (drivers.Document, error) { return jp.Addressed(camera, on) },
		"training":  func(on Paper) (drivers.Document, error) { on.Code = ""; return jp.Receipt(practice, on) },
		"hard":      func(on Paper) (drivers.Document, error) { return jp.Receipt(hard, on) },
		"order":     func(on Paper) (drivers.Document, error) { return jp.Order(mixed(t), on) },
		"z":         func(on Paper) (drivers.Document, error) { return jp.Report(report(), on) },
		"de":        func(on Paper) (drivers.Document, error) { return New("de-DE", nil).Receipt(cash(bakery(t), 6_000), on) },
		"ie":        func(on Paper) (drivers.Document, error) { return New("en-IE", nil).Receipt(card(pharmacy(t)), on) },
		"us":        func(on Paper) (drivers.Document, error) { return New("en-US", nil).Receipt(card(drugstore(t)), on) },
	} {
		for model, sheet := range map[string]string{"tm-t88v": "tm-t88v", "generic-80": "80mm", "generic-58": "58mm"} {
			t.Run(name+" "+model, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p, sim := press(t, model, sheet)
					doc, err := layout(Paper{Columns: p.Columns(), Code: code})
					if err != nil {
						t.Fatal(err)
					}
					if err := p.Print(t.Context(), doc, func(error) {}); err != nil {
						t.Fatal(err)
					}
					onPaper := squeeze(strings.ReplaceAll(sim.Text(), "\n", ""))
					for _, item := range doc.Items { // what an area holds, the page mode may draw in any order
						line, ok := item.(drivers.TextLine)
						if ok && !strings.Contains(onPaper, squeeze(line.Text)) && name != "hard" {
							t.Errorf("%q is not on the paper:\n%s", line.Text, sim.Text())
						}
					}
					look(t, sim, name, model)
				})
			})
		}
	}
}

// look leaves the pictures to look at: all in the folder that REGI_PAPER names,
// some in testdata with -update.
func look(t *testing.T, sim *printer.Printer, name, model string) {
	t.Helper()
	var b bytes.Buffer
	if err := sim.PNG(&b); err != nil {
		t.Fatal(err)
	}
	files := map[string]bool{}
	if dir := os.Getenv("REGI_PAPER"); dir != "" {
		files[filepath.Join(dir, name+"-"+model+".png")] = true
	}
	if *update && model == "tm-t88v" {
		files[filepath.Join("testdata", "paper", name+".png")] = true
	}
	for file := range files {
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
