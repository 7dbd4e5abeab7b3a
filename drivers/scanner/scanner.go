// Package scanner reads a serial barcode scanner that ends each scan with a
// suffix.
//
// A scan is the bytes up to the suffix (carriage return, line feed or both, as
// the scanner is set), at most [FrameMax] of them. A scan that holds a control
// character other than GS (1Dh, the separator of GS1 element strings) is
// dropped whole, and so is one that is not UTF-8: a scanner that sends ISO
// 8859-1 or Shift_JIS must be set to UTF-8, because half-understood text would
// be a wrong article. Scans without a character are skipped.
//
// The symbology identifier of ISO/IEC 15424, if the scanner sends one, is "]",
// a letter for the symbology and a letter or digit for its modifier. A scanner
// that sends none cannot be told from one whose symbol begins with such three
// characters: switch identifiers on.
package scanner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"regi/drivers"
)

// FrameMax is how many bytes a scan may have without its suffix. The largest
// symbol of ISO/IEC 18004 (QR Code 40-L) holds 2,953 bytes.
const FrameMax = 4096

// Idle is the pause after which a scan without its suffix is given up. It is
// the way out of a broken scan only, never the end of a good one: far above the
// pause between two characters at 1,200 bit/s (9 ms) or that of a USB adapter
// (16 ms), and below the time a hand needs for a second scan.
const Idle = 200 * time.Millisecond

// quietMax is in how many parts of Idle nothing must arrive: what waits in the
// kernel because this process was held up is still read in the second.
const quietMax = 2

// bufferBytes holds the longest scan, and what came with its end.
const bufferBytes = FrameMax + 1024

// emptyReadsMax bounds how often in a row a port may return nothing.
const emptyReadsMax = 100

// gs separates GS1 element strings (GS1 General Specifications, FNC1).
const gs = 0x1d

// aimBytes is the length of "]cm".
const aimBytes = 3

// framings lists the known suffixes.
//
//nolint:gochecknoglobals // a constant table
var framings = []struct{ name, suffix string }{{"cr", "\r"}, {"lf", "\n"}, {"crlf", "\r\n"}}

// Options say how the scanner is set.
type Options struct {
	// Framing is the suffix: "cr" (as delivered, also for ""), "lf" or "crlf".
	Framing string
}

// Scanner is one scanner. It is not safe for use by several goroutines.
type Scanner struct {
	port   drivers.Port
	suffix []byte
	buf    []byte
	begin  int  // buf[begin:end] was received and not yet delivered
	end    int  //
	long   bool // what is received belongs to a scan over FrameMax
}

var _ drivers.Scanner = (*Scanner)(nil)

// New returns the scanner behind a port.
func New(port drivers.Port, o Options) (*Scanner, error) {
	if o.Framing == "" {
		o.Framing = framings[0].name
	}
	names := make([]string, 0, len(framings))
	for _, f := range framings {
		if f.name == o.Framing {
			return &Scanner{port: port, suffix: []byte(f.suffix), buf: make([]byte, bufferBytes)}, nil
		}
		names = append(names, f.name)
	}
	return nil, fmt.Errorf("scanner: framing %q is unknown (known: %s)", o.Framing, strings.Join(names, ", "))
}

// Read returns the next scan. After an error of the scan (drivers.ErrFrame,
// drivers.ErrTooLong, drivers.ErrControl) the next call returns the next one;
// other errors are those of the port (drivers.ErrUnplugged) or of ctx. What was
// received when ctx ends is kept for the next call.
func (s *Scanner) Read(ctx context.Context) (drivers.Scan, error) {
	if ctx.Err() != nil {
		return drivers.Scan{}, fmt.Errorf("scanner: %w", context.Cause(ctx))
	}
	if frame, err := s.buffered(); frame != nil || err != nil {
		return parse(frame, err)
	}
	stop := context.AfterFunc(ctx, func() {
		s.port.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck,gosec // a closed port has ended the read by itself
	})
	defer stop()
	for quiet, empty := 0, 0; ; {
		n, err := s.fill(ctx)
		switch {
		case n > 0: // an error comes again
			quiet, empty = 0, 0
			if frame, err := s.buffered(); frame != nil || err != nil {
				return parse(frame, err)
			}
		case ctx.Err() != nil:
			return drivers.Scan{}, fmt.Errorf("scanner: %w", context.Cause(ctx))
		case errors.Is(err, os.ErrDeadlineExceeded):
			if quiet++; quiet >= quietMax && s.begun() {
				return drivers.Scan{}, s.giveUp()
			}
		case err != nil:
			return drivers.Scan{}, fmt.Errorf("scanner: read: %w", err)
		default:
			if empty++; empty >= emptyReadsMax {
				return drivers.Scan{}, fmt.Errorf("scanner: read: %w", io.ErrNoProgress)
			}
		}
	}
}

// fill reads what has arrived. It waits for the first byte of a scan as long
// as ctx lasts, for the others a part of Idle.
func (s *Scanner) fill(ctx context.Context) (int, error) {
	var deadline time.Time
	if s.begun() {
		deadline = time.Now().Add(Idle / quietMax)
	}
	if err := s.port.SetReadDeadline(deadline); err != nil {
		return 0, err
	}
	// Only now: the deadline of a ctx that ended before was just replaced.
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.end = copy(s.buf, s.buf[s.begin:s.end])
	s.begin = 0
	n, err := s.port.Read(s.buf[s.end:])
	s.end += n
	return n, err
}

// begun reports whether bytes of a scan were received but not its suffix.
func (s *Scanner) begun() bool { return s.end > s.begin || s.long }

// giveUp drops a scan whose suffix did not come.
func (s *Scanner) giveUp() error {
	long := s.long
	s.begin, s.end, s.long = 0, 0, false
	if long {
		return errTooLong()
	}
	return fmt.Errorf("scanner: no suffix within %v: %w", Idle, drivers.ErrFrame)
}

// buffered takes the next scan out of what was received: its bytes, which are
// good until the next read, or an error. It returns neither if there is none.
func (s *Scanner) buffered() ([]byte, error) {
	for {
		received := s.buf[s.begin:s.end]
		n := bytes.Index(received, s.suffix)
		if n < 0 {
			s.dropLong()
			return nil, nil
		}
		s.begin += n + len(s.suffix)
		switch {
		case s.long || n > FrameMax:
			s.long = false
			return nil, errTooLong()
		case n > 0:
			return received[:n:n], nil
		}
	}
}

// dropLong drops the bytes of a scan that is over FrameMax whatever comes, but
// for what may be the beginning of its suffix.
func (s *Scanner) dropLong() {
	if s.end-s.begin >= FrameMax+len(s.suffix) {
		s.long = true
	}
	if s.long {
		s.begin = max(s.begin, s.end-len(s.suffix)+1)
	}
}

func errTooLong() error {
	return fmt.Errorf("scanner: over %d bytes: %w", FrameMax, drivers.ErrTooLong)
}

// parse checks a scan and splits it. It names none of its bytes in an error.
func parse(frame []byte, err error) (drivers.Scan, error) {
	if err != nil {
		return drivers.Scan{}, err
	}
	text := true
	for rest := frame; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		if unicode.IsControl(r) && r != gs {
			return drivers.Scan{}, fmt.Errorf("scanner: %w", drivers.ErrControl)
		}
		text = text && (r != utf8.RuneError || n > 1)
		rest = rest[n:]
	}
	if !text {
		return drivers.Scan{}, fmt.Errorf("scanner: not UTF-8: %w", drivers.ErrFrame)
	}
	data := string(frame)
	scan := drivers.Scan{Data: data, Label: data}
	if hasAIM(data) {
		scan.AIM, scan.Label = data[:aimBytes], data[aimBytes:]
	}
	return scan, nil
}

// hasAIM reports whether data begins with a symbology identifier.
func hasAIM(data string) bool {
	return len(data) >= aimBytes && data[0] == ']' && letter(data[1]) &&
		(letter(data[2]) || '0' <= data[2] && data[2] <= '9')
}

func letter(c byte) bool { return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' }
