package register

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"regi/drivers/driverstest"
	"regi/drivers/linedisplay"
	"regi/drivers/scanner"
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

// BenchmarkScanToShow is the software part between a scan's last byte and its
// line on the display: both drivers, the tasks, the loop, the till, the seal, the
// signature and the synced write on a real disk. The lines are in memory: neither
// a wire, nor another process, nor its wake-up is in it.
func BenchmarkScanToShow(b *testing.B) {
	s := newShop(b)
	s.StateDir = b.TempDir()
	r, err := New(s.Config)
	if err != nil {
		b.Fatal(err)
	}
	near, gun := driverstest.Pipe(b)
	reader, err := scanner.New(near, scanner.Options{})
	if err != nil {
		b.Fatal(err)
	}
	near, screen := driverstest.Pipe(b)
	display, err := linedisplay.New(near, linedisplay.Options{})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	b.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	go func() { ended <- r.Run(ctx) }()
	go r.ServeScanner(ctx, reader)
	go r.ServeDisplay(ctx, display)
	await := func(part string) {
		b.Helper()
		if err := screen.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			b.Fatal(err)
		}
		for buf := make([]byte, 512); ; {
			n, err := screen.Read(buf)
			if err != nil {
				b.Fatalf("%s: %v", part, err)
			}
			if strings.Contains(string(buf[:n]), part) {
				return
			}
		}
	}
	press := func(names ...string) {
		for _, e := range keys(names...) {
			r.post(ctx, e)
		}
	}
	await("CLOSED")
	press("1", "OPEN")
	await("WELCOME")
	var times []time.Duration
	for n := 0; b.Loop(); n++ {
		if n%200 == 199 {
			press("SUBTOTAL", "VOID", "VOID")
			await("WELCOME")
		}
		time.Sleep(15 * time.Millisecond) // 14 characters at 9,600 bit/s
		start := time.Now()
		if _, err := gun.Write([]byte("4901234567894\r")); err != nil {
			b.Fatal(err)
		}
		await("A5")
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-µs")
}
