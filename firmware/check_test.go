package main

import (
	"errors"
	"testing"

	"regi/drivers"
)

// TestModelErr: a printer that does less than its configured model is found
// before selling, not by receipts whose outcome is unknown.
func TestModelErr(t *testing.T) {
	for name, x := range map[string]struct {
		reads, prints, tells bool
		want                 error
	}{
		"as configured":             {true, true, true, nil},
		"more than it is asked for": {true, true, false, nil},
		"a generic one":             {true, false, false, nil},
		"a clone under a name":      {true, false, true, errModel},
		"says nothing":              {false, false, false, drivers.ErrUnsupported},
	} {
		if err := modelErr(x.reads, x.prints, x.tells, "x"); !errors.Is(err, x.want) || (err == nil) != (x.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, x.want)
		}
	}
}

// TestPrinterAdvice: each state of the printer has its next step.
func TestPrinterAdvice(t *testing.T) {
	seen := map[string]error{advice(errors.New("something else")): nil}
	for _, err := range []error{
		drivers.ErrPaperOut, drivers.ErrCoverOpen, drivers.ErrCutter, drivers.ErrHeadHot, drivers.ErrMechanical, drivers.ErrUnrecoverable, drivers.ErrTimeout, errModel,
	} {
		if other, twice := seen[advice(err)]; twice {
			t.Errorf("%v and %v have one advice: %s", err, other, advice(err))
		}
		seen[advice(err)] = err
	}
}
