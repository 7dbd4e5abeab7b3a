package scanner_test

import (
	"testing"
	"testing/synctest"

	"regi/drivers/scanner"
	far "regi/sim/device/scanner" //nolint:depguard // tests may cross
)

// TestAddOn: a number with an add-on is one label under ]E3, however the scanner
// says what it read.
func TestAddOn(t *testing.T) {
	codes := []string{
		"491001234126700590", "977037859500212", // EAN-13: a magazine, a serial
		"01234567890512345", "01234567890512", // UPC-A
		"0425261412345", "0425261412", // UPC-E
	}
	for _, c := range []struct{ framing, ids string }{{"cr", ""}, {"cr", "honeywell"}, {"stx-etx", "datalogic"}, {"ssi", ""}} {
		synctest.Test(t, func(t *testing.T) {
			s, remote, _ := pair(t, scanner.Options{Framing: c.framing, IDs: c.ids}, far.Settings{IDs: c.ids})
			sent := make(chan error, 1)
			go func() {
				for _, code := range codes {
					if err := remote.Scan(t.Context(), code, "]E3"); err != nil {
						t.Error(err)
					}
				}
				sent <- nil
			}()
			for _, code := range codes {
				scan, err := s.Read(t.Context())
				if err != nil || scan.Label != code || scan.AIM != "]E3" {
					t.Errorf("%s, %q ids: %q %q, %v; want ]E3 %q", c.framing, c.ids, scan.AIM, scan.Label, err, code)
				}
			}
			<-sent
		})
	}
}
