package escpos_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"regi/drivers"
	"regi/drivers/driverstest"
	"regi/drivers/escpos"
)

// headed is a receipt with a logo above it.
func headed(n int) (drivers.Document, []string) {
	doc, lines := numbered(n)
	logo := drivers.Picture{Gray: bytes.Repeat([]byte{0, 255}, 32*16), Width: 64, Keep: true}
	doc.Items = append([]drivers.Item{logo}, doc.Items...)
	return doc, append([]string{driverstest.PictureMark}, lines...)
}

// TestLogoOnce: the logo costs its bytes once a printer, also across restarts
// of the register and of the printer.
func TestLogoOnce(t *testing.T) {
	driverstest.Simulated().Run(t, func(t *testing.T) {
		near, far := driverstest.Simulated().Connect(t)
		d := driverstest.NewReceiptPrinter(t, far)
		doc, want := headed(3)
		for range 3 {
			p, err := escpos.New(near, "tm-t88v")
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				before := len(d.Lines())
				if err := p.Print(t.Context(), doc, nil); err != nil {
					t.Fatal(err)
				}
				if got := d.Lines()[before:]; !slices.Equal(got, append(want, "✂")) {
					t.Errorf("on the paper: %q", got)
				}
			}
		}
		if d.Kept() != 1 || bytes.Count(d.Received(), []byte("\x1d8L")) != 1 {
			t.Errorf("%d pictures kept, sent %d times", d.Kept(), bytes.Count(d.Received(), []byte("\x1d8L")))
		}
		if problems := d.Problems(); len(problems) > 0 {
			t.Errorf("nonsense: %q", problems)
		}
	})
}

// TestLogoNotKept: one that keeps no pictures is sent their dots.
func TestLogoNotKept(t *testing.T) {
	device(t, "tm-t88v", func(t *testing.T, p *escpos.Printer, d *driverstest.ReceiptPrinter) {
		d.Set(func(f *driverstest.PrinterFaults) { f.NoMemory = true })
		doc, want := headed(3)
		if err := p.Print(t.Context(), doc, nil); err != nil {
			t.Fatal(err)
		}
		if got := d.Lines(); !slices.Equal(got, append(want, "✂")) {
			t.Errorf("on the paper: %q", got)
		}
	})
}

// TestLogoWithoutPaper: a printer that has stopped is not asked what it keeps
// until it goes on.
func TestLogoWithoutPaper(t *testing.T) {
	device(t, "tm-t88v", func(t *testing.T, p *escpos.Printer, d *driverstest.ReceiptPrinter) {
		d.PaperFor(0)
		doc, want := headed(3)
		printed := make(chan error, 1)
		go func() { printed <- p.Print(t.Context(), doc, nil) }()
		time.Sleep(time.Hour)
		d.PaperFor(-1)
		if err := <-printed; err != nil || d.Kept() != 1 {
			t.Fatal(err, d.Kept())
		}
		if got := d.Lines(); !slices.Equal(got, append(want, "✂")) {
			t.Errorf("on the paper: %q", got)
		}
	})
}
