package scanner

import (
	"bytes"
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"

	"regi/drivers"
)

// suffix is a framing in which each scan ends with the same bytes.
type suffix struct {
	end  []byte
	long bool // what is received belongs to a scan over FrameMax
}

func (f *suffix) cut(received []byte) piece {
	n := bytes.Index(received, f.end)
	if n < 0 {
		return f.dropLong(received)
	}
	p := piece{used: n + len(f.end)}
	switch {
	case f.long || n > FrameMax:
		f.long = false
		p.err = errTooLong()
	case n > 0:
		p.frame = received[:n:n]
	}
	return p
}

// dropLong drops the bytes of a scan that is over FrameMax whatever comes, but
// for what may be the beginning of its suffix.
func (f *suffix) dropLong(received []byte) piece {
	if len(received) >= FrameMax+len(f.end) {
		f.long = true
	}
	if f.long {
		return piece{used: max(0, len(received)-len(f.end)+1)}
	}
	return piece{}
}

func (f *suffix) patience(rest int) time.Duration {
	if rest > 0 || f.long {
		return Idle
	}
	return 0
}

func (f *suffix) expire([]byte) piece {
	defer f.reset()
	if f.long {
		return piece{err: errTooLong()}
	}
	return piece{err: fmt.Errorf("scanner: no suffix within %v: %w", Idle, drivers.ErrFrame)}
}

func (f *suffix) reset() { f.long = false }

func errTooLong() error {
	return fmt.Errorf("scanner: over %d bytes: %w", FrameMax, drivers.ErrTooLong)
}

// gs separates GS1 element strings (GS1 General Specifications, FNC1).
const gs = 0x1d

// checkText refuses control characters and what is not UTF-8.
func checkText(frame []byte) error {
	text := true
	for rest := frame; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		if unicode.IsControl(r) && r != gs {
			return fmt.Errorf("scanner: %w", drivers.ErrControl)
		}
		text = text && (r != utf8.RuneError || n > 1)
		rest = rest[n:]
	}
	if !text {
		return fmt.Errorf("scanner: not UTF-8: %w", drivers.ErrFrame)
	}
	return nil
}
