// Package card is the simulated magnetic stripe reader on a serial line: a
// swipe is its tracks one after the other, and a carriage return.
package card

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Limits of a swipe.
const (
	// TrackMax is far over what a stripe holds (79, 40 and 107 characters,
	// ISO/IEC 7811-6), so that a reader gone mad can be played too.
	TrackMax = 512
	// readWithin is how long the register may take to read a swipe.
	readWithin = 2 * time.Second
)

// end is the line end after the last track.
const end = '\r'

// errBlank: a reader sends nothing for a card without any track.
var errBlank = errors.New("card: no track given")

// Tracks are the bytes that the reader sends, each with its sentinels
// ("%…?", ";…?", "+…?") and, where the reader sends one, its LRC. An empty one
// is not on the card; "%E?" is one that could not be read. They go out as they
// are, so that a garbled swipe can be played.
type Tracks struct {
	Track1 string `json:"track1"`
	Track2 string `json:"track2"`
	Track3 string `json:"track3"`
}

// Format keeps card numbers out of logs and errors, whatever the verb.
func (Tracks) Format(f fmt.State, _ rune) {
	io.WriteString(f, "[card]") //nolint:errcheck,gosec // fmt has no use for it
}

// Wire is the cable to the register.
type Wire interface {
	// Write sends all of b in one piece; those of several goroutines do not mix.
	io.Writer
	// WaitRead waits until the register has read every byte written.
	WaitRead(context.Context) error
}

// Reader is one card reader. Its methods are safe from any goroutine.
type Reader struct{ wire Wire }

// New returns the reader at the end of a wire.
func New(w Wire) *Reader { return &Reader{wire: w} }

// Swipe sends the tracks in one write and waits until the register has read
// them, at most 2 s. No error holds a byte of them.
func (r *Reader) Swipe(ctx context.Context, t Tracks) error {
	size := 1
	for i, track := range []string{t.Track1, t.Track2, t.Track3} {
		if len(track) > TrackMax {
			return fmt.Errorf("card: track %d has %d bytes, at most %d", i+1, len(track), TrackMax)
		}
		size += len(track)
	}
	if size == 1 {
		return errBlank
	}
	// Full size at once: an append that moves would leave a copy behind.
	swipe := make([]byte, 0, size)
	defer func() { clear(swipe[:cap(swipe)]) }()
	swipe = append(swipe, t.Track1...)
	swipe = append(swipe, t.Track2...)
	swipe = append(swipe, t.Track3...)
	return r.send(ctx, append(swipe, end))
}

func (r *Reader) send(ctx context.Context, swipe []byte) error {
	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	if n, err := r.wire.Write(swipe); err != nil {
		return fmt.Errorf("card: %d of %d bytes sent: %w", n, len(swipe), err)
	}
	if err := r.wire.WaitRead(ctx); err != nil {
		return fmt.Errorf("card: the register did not read the swipe: %w", err)
	}
	// Nothing is unread on a cable that was pulled meanwhile, either.
	if _, err := r.wire.Write(nil); err != nil {
		return fmt.Errorf("card: the swipe may be lost: %w", err)
	}
	return nil
}
