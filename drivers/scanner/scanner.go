// Package scanner reads a serial barcode scanner, in the framing that it is set
// to: a suffix, STX and ETX, or the packets of Zebra's Simple Serial Interface.
//
// A scan is at most [FrameMax] bytes without its framing. A scan that holds a
// control character other than GS (1Dh, the separator of GS1 element strings) is
// dropped whole, and so is one that is not UTF-8: a scanner that sends ISO
// 8859-1 or Shift_JIS must be set to UTF-8, because half-understood text would
// be a wrong article. Scans without a character are skipped.
//
// The symbology identifier of ISO/IEC 15424, if the scanner sends one, is "]",
// a letter for the symbology and a letter or digit for its modifier. A scanner
// that sends none cannot be told from one whose symbol begins with such three
// characters: switch identifiers on.
//
// In the words of UnifiedPOS (Scanner, version 1.15): a [Scanner.Read] under way
// is DataEventEnabled, which its return clears; a scan it returns is a DataEvent
// and an error of a scan an ErrorEvent; what comes between two calls is queued;
// [Scanner.Enable] and [Scanner.Disable] are DeviceEnabled, [Options].AutoDisable
// is AutoDisable, [Scanner.Clear] is ClearInput. Scan.Data is ScanData, Label is
// ScanDataLabel, Type is ScanDataType.
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

	"regi/drivers"
)

// FrameMax is how many bytes a scan may have without its framing. The largest
// symbol of ISO/IEC 18004 (QR Code 40-L) holds 2,953 bytes.
const FrameMax = 4096

// Idle is the pause after which a scan without its end is given up. It is the
// way out of a broken scan only, never the end of a good one: far above the
// pause between two characters at 1,200 bit/s (9 ms) or that of a USB adapter
// (16 ms), and below the time a hand needs for a second scan.
const Idle = 200 * time.Millisecond

// Limits of Options.
const (
	PrefixMax = 8 // bytes
	RepeatMax = 5 * time.Second
)

// quietMax is in how many parts of a pause nothing must arrive: what waits in
// the kernel because this process was held up is still read in the second.
const quietMax = 2

// bufferBytes holds the longest scan, and what came with its end.
const bufferBytes = FrameMax + 1024

// emptyReadsMax bounds how often in a row a port may return nothing.
const emptyReadsMax = 100

// ErrDisabled says that nothing is read from a scanner that is disabled.
var ErrDisabled = errors.New("scanner is disabled")

// Options say how the scanner is set.
type Options struct {
	// Framing is "cr" (as delivered, also for ""), "lf", "crlf" or "tab" for a
	// suffix, "stx-etx", "honeywell" for the suffix CR of a scanner that waits
	// for the host's acknowledgement, or "ssi".
	Framing string
	// Prefix is what the scanner sends before each scan, at most PrefixMax bytes;
	// a scan without it is a bad one.
	Prefix string
	// IDs is what tells the kind of code: "aim" (also for "") for symbology
	// identifiers where there are any, or the code ids of a maker, without which
	// a scan is a bad one: "honeywell", "datalogic".
	IDs string
	// AddCheckDigit says that the scanner leaves out the check digit of EAN-13,
	// EAN-8 and UPC-A: to 12, 7 or 11 digits it is added. Where a code id says
	// what the code is, a missing one is added in any case.
	AddCheckDigit bool
	// Commands are the maker's, for a framing that is not its own: "" (none),
	// "honeywell" or "cipherlab".
	Commands string
	// Repeat is how long after a scan an equal one is the same read of the same
	// code: the scanner stuttered. It counts from the last of them, and starts
	// over with Trigger. 0: every scan counts; at most RepeatMax.
	Repeat time.Duration
	// AutoDisable disables the scanner with each scan until Enable.
	AutoDisable bool
}

// Scanner is one scanner. It is not safe for use by several goroutines.
type Scanner struct {
	port    drivers.Port
	options Options
	ids     func(label string) (symbol, string, bool) // nil: symbology identifiers
	framing framing
	packets *ssi // framing, if it is SSI
	dialect dialect

	buf   []byte
	begin int // buf[begin:end] was received and not yet cut
	end   int

	queue    []result // cut, and not yet delivered
	disabled bool
	arrived  time.Time // when the last scan did
	sold     bool      // the last answer
	same     string    // the last scan's data
	seen     time.Time // when it came last; zero: it does not count
}

var _ drivers.Scanner = (*Scanner)(nil)

// result is one scan or one bad read.
type result struct {
	scan drivers.Scan
	err  error
}

// framing finds the scans in what is received. It does no I/O.
type framing interface {
	// cut takes the next piece out of what was received. A zero piece means that
	// more must come first.
	cut(received []byte) piece
	// patience is the pause after which expire is called, 0 for never; rest is
	// how many bytes were received and not cut.
	patience(rest int) time.Duration
	// expire gives up the rest; with neither a reply nor an error, it waits on.
	expire(rest []byte) piece
	// reset forgets a scan that has begun.
	reset()
}

// piece is what cut found: a scan's bytes, which are good until the next read,
// or its error, or neither.
type piece struct {
	used   int // how many bytes it is made of
	frame  []byte
	symbol symbol // as the framing knows it
	err    error
	reply  []byte // what the scanner must be sent at once
}

func (p piece) done() bool { return p.frame != nil || p.err != nil }

// New returns the scanner behind a port.
func New(port drivers.Port, o Options) (*Scanner, error) {
	s := &Scanner{port: port, options: o, buf: make([]byte, bufferBytes)}
	var err error
	if s.framing, err = newFraming(o.Framing); err != nil {
		return nil, err
	}
	s.packets, _ = s.framing.(*ssi)
	if s.dialect, err = dialectOf(o); err != nil {
		return nil, err
	}
	if s.ids, err = idsOf(o.IDs); err != nil {
		return nil, err
	}
	if len(o.Prefix) > PrefixMax {
		return nil, fmt.Errorf("scanner: prefix of %d bytes: at most %d", len(o.Prefix), PrefixMax)
	}
	if o.Repeat < 0 || o.Repeat > RepeatMax {
		return nil, fmt.Errorf("scanner: repeat of %v: at most %v", o.Repeat, RepeatMax)
	}
	return s, nil
}

// framings lists the known ones and their suffixes.
//
//nolint:gochecknoglobals // a constant table
var framings = []struct{ name, suffix string }{
	{"cr", "\r"}, {"lf", "\n"}, {"crlf", "\r\n"}, {"tab", "\t"}, {"honeywell", "\r"}, {"stx-etx", ""}, {"ssi", ""},
}

func newFraming(name string) (framing, error) {
	switch name {
	case "":
		name = framings[0].name
	case "stx-etx":
		return &bracket{}, nil
	case "ssi":
		return &ssi{}, nil
	}
	names := make([]string, 0, len(framings))
	for _, f := range framings {
		if f.name == name {
			return &suffix{end: []byte(f.suffix)}, nil
		}
		names = append(names, f.name)
	}
	return nil, fmt.Errorf("scanner: framing %q is unknown (known: %s)", name, strings.Join(names, ", "))
}

// Read returns the next scan. After an error of the scan (drivers.ErrFrame,
// drivers.ErrTooLong, drivers.ErrControl) the next call returns the next one;
// other errors are those of the port (drivers.ErrUnplugged), of ctx or
// [ErrDisabled]. What was received when ctx ends is kept for the next call.
func (s *Scanner) Read(ctx context.Context) (drivers.Scan, error) {
	for {
		r, err := s.next(ctx)
		if err != nil {
			return drivers.Scan{}, err
		}
		if r.err != nil {
			return drivers.Scan{}, r.err
		}
		if s.repeated(r.scan) {
			// The scanner waits for an answer all the same.
			if err := s.Answer(ctx, s.sold); err != nil && !errors.Is(err, drivers.ErrTimeout) {
				return drivers.Scan{}, err
			}
			continue
		}
		if s.options.AutoDisable {
			s.shut(ctx)
		}
		return r.scan, nil
	}
}

// repeated reports whether a scan is the one before once more.
func (s *Scanner) repeated(scan drivers.Scan) bool {
	if s.options.Repeat == 0 {
		return false
	}
	again := scan.Data == s.same && !s.seen.IsZero() && s.arrived.Sub(s.seen) < s.options.Repeat
	s.same, s.seen = scan.Data, s.arrived
	return again
}

// next returns the next scan or bad read, as a result; its error is the port's.
func (s *Scanner) next(ctx context.Context) (result, error) {
	if ctx.Err() != nil {
		return result{}, fmt.Errorf("scanner: %w", context.Cause(ctx))
	}
	if len(s.queue) > 0 {
		r := s.queue[0]
		s.queue = s.queue[1:]
		return r, nil
	}
	if s.disabled {
		return result{}, fmt.Errorf("scanner: read: %w", ErrDisabled)
	}
	if p := s.buffered(ctx); p.done() {
		return s.parse(p), nil
	}
	stop := context.AfterFunc(ctx, func() {
		s.port.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck,gosec // a closed port has ended the read by itself
	})
	defer stop()
	p, err := s.await(ctx)
	if err != nil {
		return result{}, err
	}
	return s.parse(p), nil
}

// await reads until a piece is whole or given up.
func (s *Scanner) await(ctx context.Context) (piece, error) {
	for quiet, empty := 0, 0; ; {
		n, err := s.fill(ctx)
		switch {
		case n > 0: // an error comes again
			quiet, empty = 0, 0
			if p := s.buffered(ctx); p.done() {
				return p, nil
			}
		case ctx.Err() != nil:
			return piece{}, fmt.Errorf("scanner: %w", context.Cause(ctx))
		case errors.Is(err, os.ErrDeadlineExceeded):
			if quiet++; quiet >= quietMax && s.patience() > 0 {
				quiet = 0
				if p := s.giveUp(ctx); p.done() {
					return p, nil
				}
			}
		case err != nil:
			return piece{}, fmt.Errorf("scanner: read: %w", err)
		default:
			if empty++; empty >= emptyReadsMax {
				return piece{}, fmt.Errorf("scanner: read: %w", io.ErrNoProgress)
			}
		}
	}
}

// fill reads what has arrived. It waits for the first byte of a scan as long
// as ctx lasts, for the others a part of the framing's patience.
func (s *Scanner) fill(ctx context.Context) (int, error) {
	var deadline time.Time
	if patience := s.patience(); patience > 0 {
		deadline = time.Now().Add(patience / quietMax)
	}
	if err := s.port.SetReadDeadline(deadline); err != nil {
		return 0, err
	}
	// Only now: the deadline of a ctx that ended before was just replaced.
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return s.receive()
}

func (s *Scanner) receive() (int, error) {
	s.end = copy(s.buf, s.buf[s.begin:s.end])
	s.begin = 0
	n, err := s.port.Read(s.buf[s.end:])
	s.end += n
	return n, err
}

func (s *Scanner) patience() time.Duration { return s.framing.patience(s.end - s.begin) }

// giveUp drops what was received of a scan whose end did not come.
func (s *Scanner) giveUp(ctx context.Context) piece {
	p := s.framing.expire(s.buf[s.begin:s.end])
	s.begin, s.end = 0, 0
	s.reply(ctx, p)
	return p
}

// buffered takes the next scan out of what was received.
func (s *Scanner) buffered(ctx context.Context) piece {
	for {
		p := s.framing.cut(s.buf[s.begin:s.end])
		s.begin += p.used
		s.reply(ctx, p)
		if p.done() || p.used == 0 {
			return p
		}
	}
}

// reply sends what the protocol wants at once. A reply that cannot be sent is
// no reason to drop the scan: a scanner that did not get it sends again, and a
// line that is gone ends the next read.
func (s *Scanner) reply(ctx context.Context, p piece) {
	if len(p.reply) > 0 {
		s.send(ctx, p.reply) //nolint:errcheck,gosec // as above
	}
}

// parse checks a scan and splits it. It names none of its bytes in an error.
func (s *Scanner) parse(p piece) result {
	s.arrived = time.Now()
	if p.err != nil {
		return result{err: p.err}
	}
	frame, ok := bytes.CutPrefix(p.frame, []byte(s.options.Prefix))
	if !ok || len(frame) == 0 {
		return result{err: fmt.Errorf("scanner: not the prefix and something after it: %w", drivers.ErrFrame)}
	}
	if err := checkText(frame); err != nil {
		return result{err: err}
	}
	scan, err := s.identify(string(frame), p.symbol)
	return result{scan, err}
}
