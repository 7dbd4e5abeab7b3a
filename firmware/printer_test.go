package main

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"regi/drivers"
	"regi/drivers/driverstest"
	"regi/drivers/escpos"
	"regi/drivers/star"
)

// TestPrinterModels: what the configuration may name can be opened, by the
// driver of its make.
func TestPrinterModels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, _ := driverstest.Pipe(t)
		stars := 0
		for _, model := range printerModels() {
			p, err := newPrinter(t.Context(), near, model)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := p.(*star.Printer); ok {
				stars++
			}
		}
		if stars != len(star.Models()) {
			t.Errorf("%d models of Star's, not %d", stars, len(star.Models()))
		}
		if _, err := newPrinter(t.Context(), near, "star-x"); err == nil {
			t.Error("an unknown model is taken")
		}
	})
}

// TestMakes: an unknown printer is given the driver of its make, and one of
// another make than the configuration says is named.
func TestMakes(t *testing.T) {
	makes := map[string]func(*testing.T, io.ReadWriteCloser) *driverstest.ReceiptPrinter{
		"star": driverstest.NewStarPrinter, "epson": driverstest.NewReceiptPrinter,
	}
	for _, test := range []struct {
		device, model string
		advice        string // "" is for errModel
	}{
		{"star", escpos.Auto, "star-mc-print3"},
		{"epson", escpos.Auto, "tm-t88v"},
		{"star", "star-line", "star-mc-print3"},
		{"epson", "tm-t88v", "tm-t88v"},
		{"star", "tm-t88v", ""},
		{"epson", "star-line", ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			near, far := driverstest.Pipe(t)
			d := makes[test.device](t, far)
			p, err := newPrinter(t.Context(), near, test.model)
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.Status(t.Context())
			if test.advice == "" {
				if !errors.Is(err, drivers.ErrTimeout) || !errors.Is(otherMake(t.Context(), near, test.model), errModel) {
					t.Errorf("%s at %s: %v", test.model, test.device, err)
				}
				return
			}
			said, advice, wrong := probe(t.Context(), p)
			if err != nil || wrong != nil || !strings.Contains(advice, test.advice) || said == "" {
				t.Errorf("%s at %s: %q, %q, %v, %v", test.model, test.device, said, advice, err, wrong)
			}
			if err := p.Init(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := p.Print(t.Context(), drivers.Document{Items: drivers.Texts(drivers.TextLine{Text: "領収証"})}, nil); err != nil {
				t.Fatal(err)
			}
			// The question to Star's printers, which is nothing to others.
			var unknown []string
			if test.device == "epson" && test.model == escpos.Auto {
				unknown = []string{"no command: 1b 06", "no command: 01"}
			}
			if got := strings.Join(d.Lines(), ""); got != "領収証" || len(d.Kicks()) > 0 || !slices.Equal(d.Problems(), unknown) {
				t.Errorf("%s at %s: %q is on the paper, %d kicks, %q", test.model, test.device, got, len(d.Kicks()), d.Problems())
			}
		})
	}
}
