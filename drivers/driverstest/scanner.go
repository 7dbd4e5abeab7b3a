package driverstest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"regi/drivers"
)

// scanMax is how many bytes drivers.Scan allows.
const scanMax = 4096

// ScannerDriver is a scanner under test.
type ScannerDriver struct {
	New func(drivers.Port) drivers.Scanner
	// Frame is what the scanner sends for data; for "" it is what frames it.
	Frame func(data string) []byte
	// Idle is the pause after which a frame is broken.
	Idle time.Duration
	// GiveUp is after how long it is reported, if a broken one is asked for again
	// first; 0 is Idle.
	GiveUp time.Duration
	// Replies is set if the driver answers frames.
	Replies bool
}

// Scanner is the conformance suite of drivers.Scanner.
func Scanner(t *testing.T, w Wires, d ScannerDriver) {
	if d.GiveUp == 0 {
		d.GiveUp = d.Idle
	}
	s := scannerSuite{w, d, !w.Real || d.GiveUp < time.Second}
	w.each(t, slices.Concat([]suiteTest{
		{"frames", s.frames},
		{"two frames in one read", s.together},
		{"one frame in many reads", s.apart},
		{"empty frames", s.empty},
		{"pauses", s.pauses},
		{"broken frame", s.broken},
		{"long frame without an end", s.longBroken},
		{"longest frame", s.longest},
		{"too long", s.tooLong},
		{"control characters", s.control},
		{"not UTF-8", s.notUTF8},
		{"ctx ends within a frame", s.keeps},
	}, w.ends(func(near drivers.Port) blocking {
		scanner := d.New(near)
		return func(ctx context.Context) error {
			_, err := scanner.Read(ctx)
			return err
		}
	})))
}

type scannerSuite struct {
	w Wires
	d ScannerDriver
	// waits is set if there is time to see frames given up.
	waits bool
}

// connect is a scanner and its far end, which takes what the driver answers.
func (s scannerSuite) connect(t *testing.T) (drivers.Scanner, io.ReadWriteCloser) {
	t.Helper()
	near, far := s.w.Connect(t)
	if s.d.Replies {
		drained := make(chan struct{})
		go func() {
			defer close(drained)
			io.Copy(io.Discard, far) //nolint:errcheck,gosec // ends with the test
		}()
		t.Cleanup(func() {
			closeAll(t, far)
			<-drained
		})
	}
	return s.d.New(near), far
}

// expect reads the next scan, which holds data and no symbology identifier.
func (s scannerSuite) expect(t *testing.T, scanner drivers.Scanner, data string) {
	t.Helper()
	s.expectScan(t, scanner, drivers.Scan{Data: data, Label: data})
}

func (s scannerSuite) expectScan(t *testing.T, scanner drivers.Scanner, want drivers.Scan) {
	t.Helper()
	got, err := s.read(t, scanner)
	got.Type = 0 // not every driver knows it
	if err != nil || got != want {
		t.Errorf("read %+v, %v; want %+v", got, err, want)
	}
}

// refuse reads an error of one frame.
func (s scannerSuite) refuse(t *testing.T, scanner drivers.Scanner, want error) {
	t.Helper()
	got, err := s.read(t, scanner)
	if !errors.Is(err, want) || got != (drivers.Scan{}) {
		t.Errorf("read %d bytes, %v; want none and %q", len(got.Data), err, want)
	}
}

func (s scannerSuite) read(t *testing.T, scanner drivers.Scanner) (drivers.Scan, error) {
	t.Helper()
	var scan drivers.Scan
	err := bounded(t, t.Context(), func(ctx context.Context) (err error) {
		scan, err = scanner.Read(ctx)
		return err
	})
	return scan, err
}

func (s scannerSuite) frames(t *testing.T) {
	scanner, far := s.connect(t)
	for _, want := range []drivers.Scan{
		{Data: "4901234567894", Label: "4901234567894"},
		{Data: " 0 ", Label: " 0 "}, // spaces are data
		{Data: "]E04901234567894", AIM: "]E0", Label: "4901234567894"},
		{Data: "]e00104901234567894", AIM: "]e0", Label: "0104901234567894"},
		{Data: "]d20104901234567894\x1d10AB", AIM: "]d2", Label: "0104901234567894\x1d10AB"},
		{Data: "]Xax", AIM: "]Xa", Label: "x"},
		{Data: "]E0", AIM: "]E0"}, // nothing but an identifier is for the caller to judge
		// No identifier: not well-formed.
		{Data: "]E", Label: "]E"},
		{Data: "]", Label: "]"},
		{Data: "]00x", Label: "]00x"},
		{Data: "]E-x", Label: "]E-x"},
		{Data: "[E0x", Label: "[E0x"},
		{Data: "x]E0", Label: "x]E0"},
		{Data: "](レ", Label: "](レ"},
		{Data: "カ\x1dé€", Label: "カ\x1dé€"},
	} {
		send(t, far, s.d.Frame(want.Data))
		s.expectScan(t, scanner, want)
	}
}

func (s scannerSuite) together(t *testing.T) {
	scanner, far := s.connect(t)
	send(t, far, slices.Concat(s.d.Frame("1"), s.d.Frame("22"), s.d.Frame("]E0333"), s.d.Frame("4")[:1]))
	s.expect(t, scanner, "1")
	s.expect(t, scanner, "22")
	s.expectScan(t, scanner, drivers.Scan{Data: "]E0333", AIM: "]E0", Label: "333"})
	send(t, far, s.d.Frame("4")[1:])
	s.expect(t, scanner, "4")
}

func (s scannerSuite) apart(t *testing.T) {
	scanner, far := s.connect(t)
	all := slices.Concat(s.d.Frame("4901234567894"), s.d.Frame("]E04912345678904"))
	go func() {
		for i := range all {
			if _, err := far.Write(all[i : i+1]); err != nil {
				t.Error(err)
			}
		}
	}()
	s.expect(t, scanner, "4901234567894")
	s.expectScan(t, scanner, drivers.Scan{Data: "]E04912345678904", AIM: "]E0", Label: "4912345678904"})
}

func (s scannerSuite) empty(t *testing.T) {
	scanner, far := s.connect(t)
	send(t, far, slices.Concat(s.d.Frame(""), s.d.Frame(""), s.d.Frame("1"), s.d.Frame(""), s.d.Frame("2")))
	s.expect(t, scanner, "1")
	s.expect(t, scanner, "2")
}

// pauses: there is no limit before the first byte, and none for a frame in all.
func (s scannerSuite) pauses(t *testing.T) {
	scanner, far := s.connect(t)
	before, between := time.Hour, s.d.Idle-time.Millisecond
	if s.w.Real {
		before, between = 2*s.d.Idle, s.d.Idle/4
	}
	go func() {
		pause := before
		for _, b := range bytes.SplitAfter(s.d.Frame("490123"), nil) {
			time.Sleep(pause)
			if _, err := far.Write(b); err != nil {
				t.Error(err)
			}
			pause = between
		}
	}()
	began := time.Now()
	// Not bounded: patience is shorter than an hour, which passes at once.
	got, err := scanner.Read(t.Context())
	if err != nil || got.Data != "490123" {
		t.Errorf("read %q, %v", got, err)
	}
	if took := time.Since(began); took < before {
		t.Errorf("read after %v, sent after %v", took, before)
	}
}

// broken: a frame without its end is given up after Idle, whole, and the next
// one is good.
func (s scannerSuite) broken(t *testing.T) {
	if !s.waits {
		return
	}
	scanner, far := s.connect(t)
	for range 2 {
		whole := s.d.Frame("4901234567894")
		send(t, far, whole[:len(whole)/2])
		began := time.Now()
		s.refuse(t, scanner, drivers.ErrFrame)
		if took := time.Since(began); took < s.d.GiveUp || !s.w.Real && took != s.d.GiveUp {
			t.Errorf("given up after %v, want %v", took, s.d.GiveUp)
		}
		send(t, far, s.d.Frame("4912345678904"))
		s.expect(t, scanner, "4912345678904")
	}
}

func (s scannerSuite) longest(t *testing.T) {
	scanner, far := s.connect(t)
	for _, data := range []string{strings.Repeat("9", scanMax), strings.Repeat("レ", scanMax/3)} {
		send(t, far, s.d.Frame(data))
		s.expect(t, scanner, data)
	}
}

// tooLong: one error a frame, however long, and the next one is good.
func (s scannerSuite) tooLong(t *testing.T) {
	scanner, far := s.connect(t)
	for _, n := range []int{scanMax + 1, scanMax + 2, 2 * scanMax, 2*scanMax + 1, 10_000, 100_000} {
		long := s.d.Frame(strings.Repeat("9", n))
		send(t, far, slices.Concat(s.d.Frame("before"), long, long, s.d.Frame("after")))
		s.expect(t, scanner, "before")
		s.refuse(t, scanner, drivers.ErrTooLong)
		s.refuse(t, scanner, drivers.ErrTooLong)
		s.expect(t, scanner, "after")
	}
	// The end of a long frame may come in pieces.
	long := s.d.Frame(strings.Repeat("9", 2*scanMax))
	go func() {
		for _, b := range [][]byte{long[:scanMax+10], long[scanMax+10 : len(long)-1], long[len(long)-1:], s.d.Frame("after")} {
			if _, err := far.Write(b); err != nil {
				t.Error(err)
			}
		}
	}()
	s.refuse(t, scanner, drivers.ErrTooLong)
	s.expect(t, scanner, "after")
}

// longBroken: a long frame without an end is one error too.
func (s scannerSuite) longBroken(t *testing.T) {
	if !s.waits {
		return
	}
	scanner, far := s.connect(t)
	long := s.d.Frame(strings.Repeat("9", 2*scanMax))
	send(t, far, long[:len(long)-1])
	s.refuse(t, scanner, drivers.ErrTooLong)
	send(t, far, s.d.Frame("after"))
	s.expect(t, scanner, "after")
}

func (s scannerSuite) control(t *testing.T) {
	scanner, far := s.connect(t)
	framing := s.d.Frame("")
	for r := range rune(0xa0) {
		// Neither printable, nor GS, nor a byte of the framing itself.
		if r >= ' ' && r <= '~' || r == 0x1d || r < ' ' && bytes.ContainsRune(framing, r) {
			continue
		}
		for _, data := range []string{string(r), "1" + string(r), string(r) + "1", "4901234" + string(r) + "567894", "\xff" + string(r)} {
			send(t, far, slices.Concat(s.d.Frame(data), s.d.Frame("after")))
			s.refuse(t, scanner, drivers.ErrControl)
			s.expect(t, scanner, "after")
		}
	}
}

func (s scannerSuite) notUTF8(t *testing.T) {
	scanner, far := s.connect(t)
	for _, data := range []string{"\xff", "caf\xe9", "\xb1\xb2", "\x83\x8c\x83W", "\xc0\xaf", "\xed\xa0\x80", "レ"[:2], "]E0\x80"} {
		send(t, far, slices.Concat(s.d.Frame(data), s.d.Frame("after")))
		s.refuse(t, scanner, drivers.ErrFrame)
		s.expect(t, scanner, "after")
	}
	send(t, far, s.d.Frame("\ufffd"))
	s.expect(t, scanner, "\ufffd") // well-formed, if strange
}

// keeps: what was received when ctx ends is there for the next call.
func (s scannerSuite) keeps(t *testing.T) {
	scanner, far := s.connect(t)
	whole := s.d.Frame("4901234567894")
	send(t, far, whole[:5])
	ctx, cancel := context.WithTimeout(t.Context(), s.d.Idle/2)
	defer cancel()
	if scan, err := scanner.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("read %q, %v; want context.DeadlineExceeded", scan, err)
	}
	send(t, far, slices.Concat(whole[5:], s.d.Frame("next")))
	s.expect(t, scanner, "4901234567894")
	// A whole frame too: it is not handed to a caller that is no longer there.
	if scan, err := scanner.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("read %q, %v; want context.DeadlineExceeded", scan, err)
	}
	s.expect(t, scanner, "next")
}
