package main

import (
	"context"
	"errors"
	"fmt"
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
func printerModels() []string {
	return append(slices.Concat(escpos.Models(), star.Models()), escpos.Auto)
}

// newPrinter returns the printer of a named model behind a port. Where the model
// is to be found out, so is the make, by a question that is nothing to others.
func newPrinter(ctx context.Context, p drivers.Port, model string) (receiptPrinter, error) {
	of := slices.Contains(star.Models(), model)
	if model == escpos.Auto {
		var err error
		if of, err = star.Answers(ctx, p); err != nil {
			return nil, err
		}
	}
	if of {
		return star.New(p, model)
	}
	return escpos.New(p, model)
}

// errModel: the printer does not do what its model does.
var errModel = errors.New("the printer is not of the configured model")

// otherMake is errModel if what does not answer as a printer of the model's make
// does so as one of another.
func otherMake(ctx context.Context, p drivers.Port, model string) error {
	if !slices.Contains(star.Models(), model) {
		if is, err := star.Answers(ctx, p); err != nil || !is {
			return err
		}
		return fmt.Errorf("%w: it is of Star's make, write down printer.model = %q and check again", errModel, escpos.Auto)
	}
	other, err := escpos.New(p, escpos.Auto)
	if err == nil {
		_, err = other.Status(ctx)
	}
	if err != nil {
		return nil //nolint:nilerr // it is not of that make either
	}
	return fmt.Errorf("%w: it speaks ESC/POS, write down printer.model = %q and check again", errModel, escpos.Auto)
}

// probe says what a printer does, and what to write down; its error is for one
// that is not what its model says.
func probe(ctx context.Context, printer receiptPrinter) (said, advice string, err error) {
	switch p := printer.(type) {
	case *escpos.Printer:
		found, err := p.Probe(ctx)
		if err != nil {
			return "", "", err
		}
		tells := p.Model().PrintComplete
		return found.String(), found.Advice(), modelErr(found.ReadFence, found.PrintFence, tells, found.Advice())
	case *star.Printer:
		found, err := p.Probe(ctx)
		if err != nil {
			return "", "", err
		}
		tells := p.Model().PrintEnd
		return found.String(), found.Advice(), modelErr(found.Counts, found.PrintEnd, tells, found.Advice())
	}
	return "", "", fmt.Errorf("a %T: %w", printer, drivers.ErrUnsupported)
}

// modelErr compares what was configured, a printer that tells what is on paper
// or not, with what was found: one that says what it has read or counted, or
// what it has printed.
func modelErr(reads, prints, tells bool, advice string) error {
	switch {
	case !reads && !prints:
		return fmt.Errorf("%w: it never says what it has printed; no receipt could be known to be on paper", drivers.ErrUnsupported)
	case tells && !prints:
		return fmt.Errorf("%w: write down printer.model = %s", errModel, advice)
	}
	return nil
}
