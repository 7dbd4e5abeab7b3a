package register

import (
	"testing"

	"regi/firmware/till"
)

// BenchmarkScan is what stands between a scan and its line on the display: the
// till, the seal and the signature, and one synced write.
func BenchmarkScan(b *testing.B) {
	s := newShop(b)
	s.StateDir = b.TempDir() // a real disk, not memory
	r := s.open(b)
	for n := 0; b.Loop(); n++ {
		events := []till.Event{s.scan("4901234567894")}
		switch n % 200 {
		case 0:
			events = append(keys("1", "OPEN"), events...)
		case 199:
			events = append(events, keys("SUBTOTAL", "VOID", "VOID")...)
		}
		for _, e := range events {
			if err := r.handle(b.Context(), e); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := r.ledger.close(); err != nil {
		b.Fatal(err)
	}
}
