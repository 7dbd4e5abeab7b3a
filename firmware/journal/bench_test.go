package journal_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"regi/firmware/journal"
)

// recordBytes is a sealed line of a sale, with its aux.
const recordBytes = 1700

// bare is a zero-filled file that is written 4 KiB at a time, O_DSYNC: what a
// disk needs for one synced write, and the least an append can take.
type bare struct {
	f  *os.File
	b  []byte
	at int64
}

const bareBytes = 4 << 20

// newBare makes the file as a segment is made, block by block, and drops its
// cache: a file written at once and kept in memory is 13 % slower to overwrite,
// and would flatter the journal.
func newBare(b *testing.B, dir string) *bare {
	b.Helper()
	path := filepath.Join(dir, "bare")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the test's own
	if err != nil {
		b.Fatal(err)
	}
	block := make([]byte, journal.SlotSize)
	for at := int64(0); at < bareBytes; at += journal.SlotSize {
		if _, err := f.WriteAt(block, at); err != nil {
			b.Fatal(err)
		}
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		b.Fatal(err)
	}
	if f, err = os.OpenFile(path, os.O_RDWR|unix.O_DSYNC, 0); err != nil { //nolint:gosec // the test's own
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = f.Close() })
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		b.Fatal(err)
	}
	return &bare{f: f, b: block}
}

func (w *bare) write(b *testing.B) {
	b.Helper()
	w.b[w.at%journal.SlotSize]++
	if _, err := w.f.WriteAt(w.b, w.at); err != nil {
		b.Fatal(err)
	}
	w.at = (w.at + journal.SlotSize) % bareBytes
}

// line is a journal that is appended to, one record after another, and trimmed
// and prepared when nobody waits.
type line struct {
	j    *journal.Journal
	next journal.Entry
}

func newLine(b *testing.B, dir string) *line {
	b.Helper()
	j := mustOpen(b, filepath.Join(dir, "journal"), journal.Options{})
	return &line{j: j, next: entry(1, [32]byte{}, make([]byte, recordBytes), make([]byte, 300))}
}

func (l *line) append(b *testing.B) {
	b.Helper()
	if err := l.j.Append(context.Background(), l.next); err != nil {
		b.Fatal(err)
	}
	l.next.Seq, l.next.Prev = l.next.Seq+1, l.next.Hash
	l.next.Hash[l.next.Seq%32]++
}

// idle is what happens between sales.
func (l *line) idle(b *testing.B) {
	b.Helper()
	if l.next.Seq%256 != 0 {
		return
	}
	if err := l.j.Prepare(); err != nil {
		b.Fatal(err)
	}
	if err := l.j.Trim(l.j.Head()); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkAppend makes one record durable.
func BenchmarkAppend(b *testing.B) {
	l := newLine(b, b.TempDir())
	b.SetBytes(recordBytes)
	for b.Loop() {
		l.append(b)
		if l.next.Seq%256 == 0 {
			b.StopTimer()
			l.idle(b)
			b.StartTimer()
		}
	}
}

// BenchmarkBareDSync is a bare O_DSYNC write of 4 KiB in the same directory.
func BenchmarkBareDSync(b *testing.B) {
	w := newBare(b, b.TempDir())
	for b.Loop() {
		w.write(b)
	}
}

// BenchmarkAppendRatio does one of each in turn; ratio is the median append
// over the median bare write (at most 1.2).
func BenchmarkAppendRatio(b *testing.B) {
	dir := b.TempDir()
	w, l := newBare(b, dir), newLine(b, dir)
	var plain, ours []time.Duration
	timed := func(do func(*testing.B)) time.Duration {
		start := time.Now()
		do(b)
		return time.Since(start)
	}
	for n := 0; b.Loop(); n++ {
		if n%2 == 0 { // neither is always the one after the other
			plain = append(plain, timed(w.write))
			ours = append(ours, timed(l.append))
		} else {
			ours = append(ours, timed(l.append))
			plain = append(plain, timed(w.write))
		}
		l.idle(b)
	}
	slices.Sort(plain)
	slices.Sort(ours)
	half, most := len(ours)/2, len(ours)*99/100
	b.ReportMetric(float64(ours[half])/float64(plain[half]), "ratio")
	b.ReportMetric(float64(ours[half].Microseconds()), "append-p50-us")
	b.ReportMetric(float64(ours[most].Microseconds()), "append-p99-us")
	b.ReportMetric(float64(plain[half].Microseconds()), "bare-p50-us")
}

// BenchmarkRecover10000 opens a journal of 10,000 unsent records (at most 1 s).
func BenchmarkRecover10000(b *testing.B) {
	const records = 10_000
	dir := b.TempDir()
	c, r := chain{}, source(70)
	j := mustOpen(b, dir, journal.Options{})
	for range records / 100 {
		mustAppend(b, j, &c, r, slices.Repeat([]size{{recordBytes, 300}}, 100)...)
	}
	if err := j.Crash(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		j, err := journal.Open(dir, journal.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if j.Depth() != records {
			b.Fatalf("%d records", j.Depth())
		}
		if err := j.Crash(); err != nil {
			b.Fatal(err)
		}
	}
	if mean := b.Elapsed() / time.Duration(b.N); mean > time.Second {
		b.Errorf("recovery takes %v, at most 1 s", mean)
	}
}
