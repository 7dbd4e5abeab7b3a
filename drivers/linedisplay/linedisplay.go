// Package linedisplay drives a pole display of two lines of 20 columns in the
// CD5220 command set.
//
// Source: Partner Tech, CD5220 Customer Display User's Manual, section 6.1
// "PTC standard mode command list", table 6-1. Other makers' displays list the
// same bytes under the name CD5220. What is used of it:
//
//	CLR              0C            clear the screen, end the string mode
//	ESC @            1B 40         initialize
//	ESC f n          1B 66 n       international set; n = "J": Japan (5Ch is ¥)
//	ESC c n          1B 63 n       codes 80h-FFh; n = "J": JIS (JIS X 0201 katakana)
//	ESC Q A … CR     1B 51 41 … 0D 20 characters for the upper line
//	ESC Q B … CR     1B 51 42 … 0D 20 characters for the lower line
//
// ESC Q begins the string mode, in which the manual allows no command but
// ESC Q and CLR (CAN aside); therefore everything else is sent once, before it.
package linedisplay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"regi/drivers"
)

// Columns is the width of a line.
const Columns = 20

// WriteTimeout bounds a Show: its 58 bytes take 0.5 s at 1,200 bit/s.
const WriteTimeout = time.Second

// The commands of a Show, in the order they are sent in.
const (
	// begin ends what an interrupted Show, of this process or one that was
	// killed, left half-sent (in any other state CR moves the cursor), then
	// brings the display into a known state.
	begin = "\r\x0c\x1b@\x1bfJ\x1bcJ"
	upper = "\x1bQA"
	lower = "\x1bQB"
	end   = "\r"
)

// showBytesMax is the longest Show.
const showBytesMax = len(begin) + len(upper) + len(lower) + 2*Columns + 2*len(end)

// LineDisplay is one display. It is not safe for use by several goroutines.
type LineDisplay struct {
	port  drivers.Port
	begun bool // the display knows its character sets and is between commands
}

var _ drivers.LineDisplay = (*LineDisplay)(nil)

// New returns the display behind a port.
func New(port drivers.Port) *LineDisplay {
	return &LineDisplay{port: port}
}

// Show replaces both lines. Text is UTF-8; see the table at the end of text.go
// for what becomes of characters the display does not have. Each line is cut or
// padded to 20 columns. A display that does not take the bytes within
// WriteTimeout is an error that wraps drivers.ErrTimeout; other errors are those
// of the port (drivers.ErrUnplugged) or of ctx. The display does not answer:
// success means that the port took the bytes.
func (d *LineDisplay) Show(ctx context.Context, upperText, lowerText string) error {
	b := make([]byte, 0, showBytesMax)
	if !d.begun {
		b = append(b, begin...)
	}
	b = append(b, upper...)
	b = appendLine(b, upperText)
	b = append(b, end...)
	b = append(b, lower...)
	b = appendLine(b, lowerText)
	b = append(b, end...)
	err := d.write(ctx, b)
	d.begun = err == nil
	return err
}

func (d *LineDisplay) write(ctx context.Context, b []byte) error {
	if err := d.port.SetWriteDeadline(time.Now().Add(WriteTimeout)); err != nil {
		return fmt.Errorf("linedisplay: deadline: %w", err)
	}
	told := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		d.port.SetWriteDeadline(time.Unix(1, 0)) //nolint:errcheck,gosec // a closed port has ended the write by itself
		close(told)
	})
	defer func() {
		if !stop() {
			<-told // or it would end the next call
		}
	}()
	if ctx.Err() != nil {
		return fmt.Errorf("linedisplay: %w", context.Cause(ctx))
	}
	n, err := d.port.Write(b)
	switch {
	case err == nil && n < len(b):
		return fmt.Errorf("linedisplay: write: %w", io.ErrShortWrite)
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("linedisplay: %w", context.Cause(ctx))
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("linedisplay: not taken within %v: %w", WriteTimeout, drivers.ErrTimeout)
	}
	return fmt.Errorf("linedisplay: write: %w", err)
}
