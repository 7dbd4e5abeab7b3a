// Package linedisplay drives a pole display of two lines of 20 columns, in the
// CD5220 command set or in ESC/POS display mode: see cd5220.go and escpos.go.
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

// WriteTimeout bounds a Show: its 60 bytes take 0.5 s at 1,200 bit/s.
const WriteTimeout = time.Second

// BrightnessMax is the brightest; 1 is the darkest.
const BrightnessMax = 4

// Options are how a display is used; the zero value is a CD5220 as it is.
type Options struct {
	// Model is one of Models; "": "cd5220".
	Model string
	// Brightness is 1 to BrightnessMax; 0 leaves it.
	Brightness int
}

// dialect is how a kind of display is spoken to.
type dialect struct {
	// begin brings the display from any state into a known one, whatever an
	// interrupted Show, of this process or one that was killed, left half-sent.
	begin string
	// brightness is sent after begin, followed by the step.
	brightness string
	// Before and after each of the two lines.
	upper, lower, end string
}

// Models lists the kinds of display.
func Models() []string { return []string{"cd5220", "escpos"} }

func dialectOf(model string) (dialect, bool) {
	switch model {
	case "", "cd5220":
		return cd5220(), true
	case "escpos":
		return escpos(), true
	}
	return dialect{}, false
}

// LineDisplay is one display. It is not safe for use by several goroutines.
type LineDisplay struct {
	port  drivers.Port
	says  dialect
	begin string
	begun bool // the display knows its character sets and is between commands
}

var _ drivers.LineDisplay = (*LineDisplay)(nil)

// New returns the display behind a port. Its error wraps
// drivers.ErrUnsupported.
func New(port drivers.Port, o Options) (*LineDisplay, error) {
	says, known := dialectOf(o.Model)
	if !known || o.Brightness < 0 || o.Brightness > BrightnessMax {
		return nil, fmt.Errorf("linedisplay: model %.16q, brightness %d: %w", o.Model, o.Brightness, drivers.ErrUnsupported)
	}
	d := &LineDisplay{port: port, says: says, begin: says.begin}
	if o.Brightness > 0 {
		d.begin += says.brightness + string(rune(o.Brightness))
	}
	return d, nil
}

// showBytesMax bounds a Show: both lines and what stands around them.
const showBytesMax = 2*Columns + 32

// Show replaces both lines. Text is UTF-8; see the table at the end of text.go
// for what becomes of characters the display does not have. Each line is cut or
// padded to 20 columns. A display that does not take the bytes within
// WriteTimeout is an error that wraps drivers.ErrTimeout; other errors are those
// of the port (drivers.ErrUnplugged) or of ctx. The display does not answer:
// success means that the port took the bytes.
func (d *LineDisplay) Show(ctx context.Context, upperText, lowerText string) error {
	b := make([]byte, 0, showBytesMax)
	if !d.begun {
		b = append(b, d.begin...)
	}
	b = append(b, d.says.upper...)
	b = appendLine(b, upperText)
	b = append(b, d.says.end...)
	b = append(b, d.says.lower...)
	b = appendLine(b, lowerText)
	b = append(b, d.says.end...)
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
