package gs1_test

import (
	"testing"

	"regi/firmware/gs1"
)

// The GS1 Barcode Syntax Engine, in C, on the machine these figures were first
// taken on; at most twice as long is to be reached, without an allocation.
const (
	engineEAN13      = 46.0   // ns
	engineThreeAIs   = 461.0  // ns
	engineDataMatrix = 722.0  // ns, four AIs
	engineLink       = 1818.0 // ns
)

// bench prints the ratio to the engine beside the time.
func bench(b *testing.B, engine float64, parse func() error) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		if err := parse(); err != nil {
			b.Fatal(err)
		}
	}
	ns := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
	b.ReportMetric(engine, "engine-ns")
	b.ReportMetric(ns/engine, "ratio")
}

func BenchmarkScanEAN13(b *testing.B) {
	var s gs1.Scan
	bench(b, engineEAN13, func() error { return s.Parse("]E0", "4901234567894", gs1.Options{}) })
}

func BenchmarkElementsThreeAIs(b *testing.B) {
	var m gs1.Message
	bench(b, engineThreeAIs, func() error {
		if err := m.ParseElements("^01049012345678941726123110ABC123", gs1.Options{}); err != nil {
			return err
		}
		return m.Associations()
	})
}

func BenchmarkScanDataMatrix(b *testing.B) {
	var s gs1.Scan
	bench(b, engineDataMatrix, func() error {
		if err := s.Parse("]d2", "01049012345678941726123110ABC123\x1d21SERIAL0001", gs1.Options{}); err != nil {
			return err
		}
		return s.Associations()
	})
}

func BenchmarkDigitalLink(b *testing.B) {
	var m gs1.Message
	bench(b, engineLink, func() error {
		if err := m.ParseDigitalLink("https://example.com/01/04901234567894/10/ABC123/21/SERIAL0001?17=261231&3103=000500", gs1.Options{}); err != nil {
			return err
		}
		return m.Associations()
	})
}

func BenchmarkBracketed(b *testing.B) {
	var m gs1.Message
	bench(b, engineThreeAIs, func() error {
		return m.ParseBracketed("(01)04901234567894(17)261231(10)ABC123", gs1.Options{})
	})
}

func BenchmarkGTIN14(b *testing.B) {
	for _, c := range []struct{ name, label, aim string }{
		{"EAN-13", "4901234567894", "]E0"},
		{"UPC-E", "04252614", "]E0"},
		{"DataBar", "0104901234567894", "]e0"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			odd := 0
			for range b.N { // b.Loop would keep each result alive, and so allocate it
				g, err := gs1.GTIN14(c.label, c.aim)
				if err != nil {
					b.Fatal(err)
				}
				odd += int(g[13] & 1)
			}
			if odd > b.N {
				b.Fatal("read more than was given")
			}
		})
	}
}

// TestAllocations: what is not kept is not allocated.
func TestAllocations(t *testing.T) {
	var s gs1.Scan
	var m gs1.Message
	for name, parse := range map[string]func() error{
		"scan":     func() error { return s.Parse("]E0", "4901234567894", gs1.Options{}) },
		"matrix":   func() error { return s.Parse("]d2", "01049012345678941726123110ABC123\x1d21SERIAL0001", gs1.Options{}) },
		"elements": func() error { return m.ParseElements("^01049012345678941726123110ABC123", gs1.Options{}) },
		"link": func() error {
			return m.ParseDigitalLink("https://example.com/01/04901234567894?17=261231", gs1.Options{})
		},
		"bracketed": func() error { return m.ParseBracketed("(01)04901234567894(17)261231(10)ABC123", gs1.Options{}) },
		"rules":     func() error { return m.Associations() },
		"function": func() error {
			_, err := gs1.ParseScan("]E0", "4901234567894", gs1.Options{})
			return err
		},
	} {
		if n := testing.AllocsPerRun(100, func() {
			if err := parse(); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
