package scanner_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"regi/board/port" //nolint:depguard // over a real line
	"regi/drivers"
	"regi/drivers/driverstest"
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

// BenchmarkLine measures from the write at the far end to the scan, over a
// pseudo-terminal, for this driver on the guarded port and for a loop around
// go.bug.st/serial that looks for the end of the frame, one after the other in
// each round. With SSI the loop acknowledges, as the driver must. ratio-p50 is
// to stay at 1.1 or below.
func BenchmarkLine(b *testing.B) {
	for _, framing := range []string{"cr", "crlf", "stx-etx", "honeywell", "ssi"} {
		b.Run(framing, func(b *testing.B) { benchmarkLine(b, framing) })
	}
}

func benchmarkLine(b *testing.B, framing string) {
	frame := frameOf(framing)("4901234567894")
	near, driverFar := driverstest.PTY(b, func(path string) (drivers.Port, error) { return port.Open(port.Options{Path: path}) })
	driver := newScanner(b, near, framing)
	bareFar, bare := bareLine(b)
	ack := []byte{4, 0xd0, 4, 0, 0xff, 0x28}
	if framing == "ssi" { // or the ends fill up
		go io.Copy(io.Discard, driverFar) //nolint:errcheck // ends with the benchmark
		go io.Copy(io.Discard, bareFar)   //nolint:errcheck // ends with the benchmark
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	sides := []struct {
		far  io.Writer
		read <-chan time.Time
		took []time.Duration
	}{
		{driverFar, arrivals(ctx, func() error { _, err := driver.Read(ctx); return err }), nil},
		{bareFar, arrivals(ctx, bareReader(bare, frame, map[bool][]byte{true: ack}[framing == "ssi"])), nil},
	}
	for b.Loop() {
		for i := range sides {
			s := &sides[i]
			start := time.Now()
			if _, err := s.far.Write(frame); err != nil {
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
	b.ReportMetric(p50[0], "driver-p50-ns")
	b.ReportMetric(p50[1], "bare-p50-ns")
	b.ReportMetric(p50[0]/p50[1], "ratio-p50")
}

// bareReader reads until the frame's last byte, makes a text of it, and answers.
func bareReader(line io.ReadWriter, frame, answer []byte) func() error {
	buf, end := make([]byte, 256), 0
	return func() error {
		for {
			n, err := line.Read(buf[end:])
			if err != nil {
				return err
			}
			end += n
			if end < len(frame) || !bytes.HasSuffix(buf[:end], frame[len(frame)-1:]) {
				continue
			}
			if label := string(buf[:end]); len(label) != len(frame) {
				return fmt.Errorf("%d bytes", len(label))
			}
			end = 0
			if answer != nil {
				_, err = line.Write(answer)
			}
			return err
		}
	}
}

// arrivals delivers when each frame was read.
func arrivals(ctx context.Context, read func() error) <-chan time.Time {
	times := make(chan time.Time)
	go func() {
		for read() == nil {
			select {
			case times <- time.Now():
			case <-ctx.Done():
				return
			}
		}
	}()
	return times
}

// bareLine is a pseudo-terminal that go.bug.st/serial alone has opened.
func bareLine(b *testing.B) (far *os.File, near io.ReadWriter) {
	far, path := openMaster(b)
	line, err := openBare(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		far.Close()
		line.Close()
	})
	return far, line
}
