package port

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"regi/drivers"
)

// A pseudo-terminal has no output queue and no modem lines, so these two are
// tested below the system call.

func TestWaitEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// 960 bytes at 9600 bit/s take 1 s.
		start := time.Now()
		queued := func() (int, error) {
			return max(0, 960-int(time.Since(start)*960/time.Second)), nil
		}
		if err := waitEmpty(t.Context(), 9600, queued); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < time.Second || took > time.Second+drainPauseMax {
			t.Errorf("took %v", took)
		}
	})
}

func TestWaitEmptyEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 70*time.Millisecond)
		defer cancel()
		start := time.Now()
		stuck := func() (int, error) { return 1, nil }
		if err := waitEmpty(ctx, 9600, stuck); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if took := time.Since(start); took != 70*time.Millisecond {
			t.Errorf("took %v", took)
		}
		gone := func() (int, error) { return 0, io.EOF }
		if err := waitEmpty(t.Context(), 9600, gone); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	})
}

func TestModemLines(t *testing.T) {
	all := 0
	for _, m := range modemBits() {
		if got := linesOf(m.bit); got != m.line {
			t.Errorf("linesOf(%#x) = %#x, want %#x", m.bit, got, m.line)
		}
		if got := bitsOf(m.line); got != m.bit {
			t.Errorf("bitsOf(%#x) = %#x, want %#x", m.line, got, m.bit)
		}
		all |= m.bit
	}
	if got := linesOf(all | unix.TIOCM_LE); got != 1<<6-1 {
		t.Errorf("linesOf(all) = %#x", got)
	}
	if got := bitsOf(drivers.LineRTS | drivers.LineDTR); got != unix.TIOCM_RTS|unix.TIOCM_DTR {
		t.Errorf("bitsOf(RTS|DTR) = %#x", got)
	}
}
