package port_test

import (
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"regi/board/port"
)

// frame is what a scanner sends for one EAN-13.
const frame = "4901234567894\r"

// reader delivers when each frame's last byte was read.
func reader(r io.Reader) <-chan time.Time {
	read := make(chan time.Time)
	go func() {
		defer close(read)
		buf := make([]byte, 64)
		for {
			n, err := r.Read(buf)
			if err != nil {
				return
			}
			if buf[n-1] == '\r' {
				read <- time.Now()
			}
		}
	}()
	return read
}

// BenchmarkRead measures from the write at the far end to the return of Read,
// for the guard and for go.bug.st/serial alone, one after the other in each
// round. ratio-p50 is to stay at 1.1 or below.
func BenchmarkRead(b *testing.B) {
	far, path := newPTY(b)
	guard := openPort(b, port.Options{Path: path})
	bareFar, barePath := newPTY(b)
	bare := bareBugst(b, barePath)
	if err := far.SetDeadline(time.Time{}); err != nil {
		b.Fatal(err)
	}
	if err := bareFar.SetDeadline(time.Time{}); err != nil {
		b.Fatal(err)
	}
	within(b, guard, time.Hour)
	sides := []struct {
		far  *os.File
		read <-chan time.Time
		took []time.Duration
	}{{far, reader(guard), nil}, {bareFar, reader(bare), nil}}

	b.ReportAllocs()
	for b.Loop() {
		for i := range sides {
			s := &sides[i]
			start := time.Now()
			if _, err := s.far.WriteString(frame); err != nil {
				b.Fatal(err)
			}
			s.took = append(s.took, (<-s.read).Sub(start))
		}
	}
	p50 := make([]float64, len(sides))
	for i, s := range sides {
		slices.Sort(s.took)
		p50[i] = float64(s.took[len(s.took)/2])
	}
	b.ReportMetric(p50[0], "guard-p50-ns")
	b.ReportMetric(p50[1], "bare-p50-ns")
	b.ReportMetric(p50[0]/p50[1], "ratio-p50")
	b.ReportMetric(float64(sides[0].took[len(sides[0].took)*99/100]), "guard-p99-ns")
	b.ReportMetric(float64(sides[1].took[len(sides[1].took)*99/100]), "bare-p99-ns")
}
