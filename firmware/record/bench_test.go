package record_test

import (
	"testing"
	"time"

	"regi/firmware/record"
)

// BenchmarkSeal is one record of a sale of a few lines, from its fields to the
// bytes that the journal writes.
func BenchmarkSeal(b *testing.B) {
	l := newLedger(b)
	body := map[string]any{"TransactionID": "0001-01-20261125-1", "Total": 1080, "Lines": make([]struct {
		Code  string
		Price int64
	}, 5)}
	prev := record.Hash{1}
	b.ReportAllocs()
	for b.Loop() {
		s, err := l.sealer.Seal(record.SaleCommit, 2, time.UnixMilli(1), prev, body)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.MarshalBinary(); err != nil {
			b.Fatal(err)
		}
		prev = s.Hash()
	}
}

// BenchmarkOpen is the receiver's side: decode, verify, open.
func BenchmarkOpen(b *testing.B) {
	l := newLedger(b)
	data := binary(b, l.seal(b, 1, record.Hash{}, map[string]int{"Total": 1080}))
	for b.Loop() {
		var s record.Sealed
		if err := s.UnmarshalBinary(data); err != nil {
			b.Fatal(err)
		}
		if err := record.Verify(s, l.public); err != nil {
			b.Fatal(err)
		}
		if _, err := l.opener.Open(s); err != nil {
			b.Fatal(err)
		}
	}
}
