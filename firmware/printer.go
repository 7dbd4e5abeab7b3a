package main

import (
	"context"
	"slices"

	"regi/drivers"
	"regi/drivers/drawer"
	"regi/drivers/escpos"
	"regi/drivers/star"
)

// receiptPrinter is a printer of any make: it also sets itself up, and has the
// drawer on its connector.
type receiptPrinter interface {
	drivers.POSPrinter
	drawer.Kicker
	Init(context.Context) error
}

// printerModels are the names of all makes.
func printerModels() []string { return slices.Concat(escpos.Models(), star.Models()) }

// newPrinter returns the printer of a named model behind a port.
func newPrinter(p drivers.Port, model string) (receiptPrinter, error) {
	if slices.Contains(star.Models(), model) {
		return star.New(p, model)
	}
	return escpos.New(p, model)
}
