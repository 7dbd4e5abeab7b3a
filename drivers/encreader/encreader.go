// Package encreader takes the frames of card readers that encrypt in their own
// head: what they have sealed is passed on unopened, with the digits that may
// be shown.
//
// Formats:
//   - ID TECH enhanced encrypted output (SREDKey 2 integration manual p. 23 and
//     31, SecureMag user manual p. 36, 43 and 48): a frame between STX and ETX.
//   - MagTek MagneSafe V5 (manual 99875475 p. 98): a report of 856 bytes,
//     without anything that marks its beginning or end but the pause around it.
//
// Such a reader also sends the tracks in masked form. It must be set to show
// six digits and four and to mask with "*" (ID TECH: PrePAN 6, PostPAN 4,
// MaskChar; MagTek: property ISO Track Mask "0604*N"; both come with a four in
// place of the six). A frame that shows more, or less, is refused, and so is
// one that has a track in the clear. Hashes of tracks are not passed on: from a
// hash and ten digits, a number can be found by trying.
package encreader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"regi/drivers"
)

// Limits, in bytes.
const (
	// FrameMax is the longest frame.
	FrameMax = magtekBytes
	// TrackMax is the longest encrypted track: 107 characters in blocks of 16.
	TrackMax = 112
	// KSNBytes is the size of a key serial number.
	KSNBytes = 10
	// Tracks is how many a frame has.
	Tracks = 3

	firstDigits, lastDigits, serviceDigits = 6, 4, 3
	digitsMin, digitsMax                   = 13, 19 // of a card number (ISO/IEC 7812-1)
)

// GapDefault is far above the pause between two bytes of a frame.
const GapDefault = 300 * time.Millisecond

// emptyReadsMax bounds how often in a row a port may return nothing.
const emptyReadsMax = 100

// Errors of a frame, beside drivers.ErrFrame and drivers.ErrTooLong.
var (
	// ErrShows: the reader shows other than six digits and four.
	ErrShows = errors.New("reader must be set to show six and four digits")
	// ErrClear: a track came unencrypted.
	ErrClear = errors.New("reader does not encrypt")
	// ErrKind: not a payment card.
	ErrKind = errors.New("not a payment card")
)

// Format is a maker's format of frames.
type Format uint8

// The formats.
const (
	IDTech Format = iota
	MagTek
)

// Words for how a reader has sealed.
const (
	SuiteIDTechTDES = "IDTECH-TDES-DUKPT-CBC"
	SuiteIDTechAES  = "IDTECH-AES-DUKPT-CBC"
	SuiteMagTekTDES = "MAGTEK-TDES-DUKPT-CBC"
)

// Encrypted is a read. Its slices point into the frame.
type Encrypted struct {
	Suite string
	KSN   []byte // KSNBytes
	// First and Last are six and four digits, Service the service code where
	// the reader shows it, else empty.
	First, Last, Service []byte
	// Good and Bad are the tracks that were read well, and those that were
	// there and were not: bit t-1 is track t. Without a card number on a good
	// one, all but Bad is empty.
	Good, Bad uint8
	// CT is the ciphertext of each good track, in whole blocks: CBC, zero IV, padded with zeros.
	CT [Tracks][]byte
	// Entry is how the card was read: "swipe".
	Entry string
}

// Options of a reader. The zero value fits readers as they are delivered.
type Options struct {
	// Gap is the pause after which a frame that is not whole is given up; zero
	// is GapDefault.
	Gap time.Duration
}

// Reader is one reader. It is not safe for use by several goroutines.
type Reader struct {
	port   drivers.Port
	format Format
	gap    time.Duration
}

// New returns the reader behind a port, which must be in raw mode.
func New(port drivers.Port, format Format, o Options) *Reader {
	if o.Gap <= 0 {
		o.Gap = GapDefault
	}
	return &Reader{port: port, format: format, gap: o.Gap}
}

// Read puts the next whole frame into b, which has a length of FrameMax, and
// returns its length; it waits for the first byte as long as ctx lasts. An
// error that wraps drivers.ErrFrame or drivers.ErrTooLong is the frame's: it
// was read to the pause behind it; read again. Whether a frame is good is left
// to Parse. With an error, b is zero.
func (r *Reader) Read(ctx context.Context, b []byte) (int, error) {
	if len(b) != FrameMax {
		return 0, fmt.Errorf("encreader: internal error: room of %d bytes", len(b))
	}
	n, err := r.read(ctx, b)
	if err != nil {
		clear(b)
		return 0, fmt.Errorf("encreader: %w", err)
	}
	clear(b[n:])
	return n, nil
}

func (r *Reader) read(ctx context.Context, b []byte) (int, error) {
	if err := r.first(ctx, b[:1]); err != nil {
		return 0, err
	}
	have := 1
	for {
		want, err := r.format.size(b[:have])
		switch {
		case err != nil:
			return 0, r.skip(ctx, b, err)
		case have == want:
			return have, nil
		}
		n, err := r.more(ctx, b[have:want])
		have += n
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, fmt.Errorf("stopped after %d bytes: %w", have, drivers.ErrFrame)
		}
		if err != nil {
			return 0, err
		}
	}
}

// size is how long the frame is that begins with b, or as far as b says.
func (f Format) size(b []byte) (int, error) {
	if f == MagTek {
		return magtekBytes, nil
	}
	return idtechSize(b)
}

// skip drops what comes until a pause, or as much as a frame can be long, and
// returns why.
func (r *Reader) skip(ctx context.Context, b []byte, why error) error {
	for dropped := 0; dropped < FrameMax; {
		n, err := r.more(ctx, b)
		dropped += n
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return why
		}
		if err != nil {
			return err
		}
	}
	return why
}

// first waits for a byte without a limit of time.
func (r *Reader) first(ctx context.Context, b []byte) error {
	if err := r.port.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("deadline: %w", err)
	}
	stop := context.AfterFunc(ctx, func() {
		r.port.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck,gosec // a closed port has ended the read by itself
	})
	defer stop()
	_, err := r.some(b)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// more waits for bytes within a frame.
func (r *Reader) more(ctx context.Context, b []byte) (int, error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	if err := r.port.SetReadDeadline(time.Now().Add(r.gap)); err != nil {
		return 0, fmt.Errorf("deadline: %w", err)
	}
	return r.some(b)
}

// some reads at least one byte.
func (r *Reader) some(b []byte) (int, error) {
	for range emptyReadsMax {
		n, err := r.port.Read(b)
		switch {
		case n > 0:
			return n, nil // an error comes again
		case errors.Is(err, io.EOF):
			return 0, drivers.ErrUnplugged
		case err != nil:
			return 0, fmt.Errorf("read: %w", err)
		}
	}
	return 0, fmt.Errorf("read: %w", io.ErrNoProgress)
}

// Parse reads a frame. It takes nothing that its format does not say.
func (f Format) Parse(frame []byte) (Encrypted, error) {
	parse := parseIDTech
	if f == MagTek {
		parse = parseMagTek
	}
	e, err := parse(frame)
	if err != nil {
		return Encrypted{}, fmt.Errorf("encreader: %w", err)
	}
	return e, nil
}
