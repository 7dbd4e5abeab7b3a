package till

import "testing"

// What a commit costs in the till, with what is kept of it.
func BenchmarkHandleCash(b *testing.B) {
	till := New(codes(shop()), State{})
	till.Handle(start, Key{Name: "OPEN"})
	now := start
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		for range 10 {
			till.Handle(now, Scanned{GTIN: note.GTIN, Label: note.GTIN, Item: &note})
		}
		b.StartTimer()
		till.Handle(now, Key{Name: "CASH"})
		b.StopTimer()
		till.Handle(now, Printed{Job: till.state.Counters.Job})
		b.StartTimer()
	}
}
