package scanner_test

import (
	"bufio"
	"testing"
	"time"
)

// framesPerRound makes the clock's own cost small.
const framesPerRound = 100

// BenchmarkRead measures a frame, from a port that has it ready, for this
// driver and for a bare bufio.Scanner, one after the other in each round. The
// difference is for the most part the watch on the context, which a real read
// sets up before the scan begins.
func BenchmarkRead(b *testing.B) {
	source := endless{frame: []byte("]E04901234567894\r")}
	driver := newScanner(b, source, "cr")
	bare := bufio.NewScanner(source)
	bare.Split(scanCR)
	var took [2]time.Duration
	read := [2]func(){
		func() {
			if scan, err := driver.Read(b.Context()); err != nil || scan.Label != "4901234567894" {
				b.Fatal(scan, err)
			}
		},
		func() {
			if !bare.Scan() || bare.Text() != "]E04901234567894" {
				b.Fatal(bare.Text(), bare.Err())
			}
		},
	}
	b.ReportAllocs()
	rounds := 0
	for b.Loop() {
		for side := range read {
			start := time.Now()
			for range framesPerRound {
				read[side]()
			}
			took[side] += time.Since(start)
		}
		rounds++
	}
	frames := float64(rounds * framesPerRound)
	b.ReportMetric(float64(took[0])/frames, "ns/frame")
	b.ReportMetric(float64(took[1])/frames, "bare-ns/frame")
	b.ReportMetric(float64(took[0])/float64(took[1]), "ratio")
}
