package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
	seen := map[string]error{advice("printer", errors.New("something else")): nil}
	for _, err := range []error{
		drivers.ErrPaperOut, drivers.ErrCoverOpen, drivers.ErrCutter, drivers.ErrHeadHot, drivers.ErrMechanical, drivers.ErrUnrecoverable, drivers.ErrTimeout, errModel,
	} {
		if other, twice := seen[advice("printer", err)]; twice {
			t.Errorf("%v and %v have one advice: %s", err, other, advice("printer", err))
		}
		seen[advice("printer", err)] = err
	}
}

// TestCheckCatalog: a check names each item that is not sold, which keeps nobody
// from selling the others.
func TestCheckCatalog(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	list := `{"version":"1","items":[{"gtin":"4901234567894","name":"x","price":110,"rate":"standard"},
 {"gtin":"4912345678904","name":"","price":110,"rate":"standard"},
 {"gtin":"4912345678905","name":"x","price":110,"rate":"standard"}]}`
	if err := os.WriteFile(filepath.Join(filepath.Dir(o.config), "catalog.json"), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Args = []string{"regi", "check", "--config", o.config}
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Error("no check failed")
	}
	for _, want := range []string{
		"FAIL  catalog  2 items are refused, the others are sold: correct these rows of the catalogue\n", "\n               item 2, line 2 (gtin \"4912345678904\"): name: it is empty\n",
		"\n               item 3, line 3 (gtin \"4912345678905\"): ", "-     jail     capture: none configured\n", "-     jail     drawer on GPIO: none configured\n",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// TestCheckMissingFile: a file that is missing has no cable.
func TestCheckMissingFile(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	if err := os.Remove(filepath.Join(filepath.Dir(o.config), "catalog.json")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Args = []string{"regi", "check", "--config", o.config}
	out, err := cmd.CombinedOutput()
	if want := "there is no such file"; err == nil || !strings.Contains(string(out), want) || !strings.Contains(string(out), "-     catalog  not read: see config") {
		t.Errorf("%v, no %q in\n%s", err, want, out)
	}
}
