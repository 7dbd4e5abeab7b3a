package main

import (
	"testing"

	"regi/drivers/driverstest"
	"regi/drivers/star"
)

// TestPrinterModels: what the configuration may name can be opened, by the
// driver of its make.
func TestPrinterModels(t *testing.T) {
	near, _ := driverstest.Pipe(t)
	stars := 0
	for _, model := range printerModels() {
		p, err := newPrinter(near, model)
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
	if _, err := newPrinter(near, "star-x"); err == nil {
		t.Error("an unknown model is taken")
	}
}
