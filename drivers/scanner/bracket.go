package scanner

import (
	"bytes"
	"fmt"
	"time"

	"regi/drivers"
)

// The brackets of a scan (ISO/IEC 646).
const (
	stx = 0x02
	etx = 0x03
)

// bracket is the framing STX, scan, ETX. CR and LF may stand between two scans;
// a run of other bytes there is one bad read. An STX within a scan begins the
// next one: the end of the first was lost.
type bracket struct {
	long bool // what is received belongs to a scan over FrameMax
	junk bool // bytes outside of brackets came
}

func (f *bracket) cut(received []byte) piece {
	if !f.long && (f.junk || len(received) == 0 || received[0] != stx) {
		return f.between(received)
	}
	from := 1 // after its STX, which a long one has left behind
	if f.long {
		from = 0
	}
	n := bytes.IndexAny(received[from:], "\x02\x03")
	if n < 0 {
		f.long = f.long || len(received) > FrameMax+1
		if f.long {
			return piece{used: len(received)}
		}
		return piece{}
	}
	n += from
	long := f.long || n > FrameMax+1
	f.long = false
	p := piece{used: n + 1}
	if received[n] == stx {
		p.used = n
	}
	switch {
	case long:
		p.err = errTooLong()
	case received[n] == stx:
		p.err = fmt.Errorf("scanner: STX within a scan: %w", drivers.ErrFrame)
	case n > 1:
		p.frame = received[1:n:n]
	}
	return p
}

// between skips what is before an STX.
func (f *bracket) between(received []byte) piece {
	n := bytes.IndexByte(received, stx)
	skipped := received
	if n >= 0 {
		skipped = received[:n]
	}
	if len(bytes.Trim(skipped, "\r\n")) > 0 {
		f.junk = true
	}
	p := piece{used: len(skipped)}
	if n >= 0 && f.junk {
		f.junk = false
		p.err = errOutside()
	}
	return p
}

func (f *bracket) patience(rest int) time.Duration {
	if rest > 0 || f.long || f.junk {
		return Idle
	}
	return 0
}

func (f *bracket) expire([]byte) piece {
	defer f.reset()
	switch {
	case f.long:
		return piece{err: errTooLong()}
	case f.junk:
		return piece{err: errOutside()}
	}
	return piece{err: fmt.Errorf("scanner: no ETX within %v: %w", Idle, drivers.ErrFrame)}
}

func (f *bracket) reset() { f.long, f.junk = false, false }

func errOutside() error {
	return fmt.Errorf("scanner: bytes outside of STX and ETX: %w", drivers.ErrFrame)
}
