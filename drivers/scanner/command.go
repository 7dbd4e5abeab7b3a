package scanner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"regi/drivers"
)

const (
	// writeWithin bounds a command to a scanner that takes nothing.
	writeWithin = 500 * time.Millisecond
	// answerWithin is a little under the 10 s after which a Honeywell scanner
	// gives up: a later answer would be taken for one to the next scan.
	answerWithin = 9 * time.Second
	// gatherWithin is how long what has arrived may take to be read.
	gatherWithin = 5 * time.Millisecond
	// queueMax bounds the scans that wait for Read.
	queueMax = 64
)

// dialect are the commands of one maker; those it does not have are empty.
type dialect struct {
	enable, disable  string
	trigger, release string // begin and end to scan, as by the trigger
	beep             string // for the operator's attention
	// sold and refused answer a scan.
	sold, refused string
	// bounded is set if an answer must come in time.
	bounded bool
}

// hostACK is Honeywell's acknowledgement (Xenon/Granit user's guide, "Host ACK
// responses"): ESC 7 is the beep of a good scan, ESC 8 the razz of an article
// that is not on file; a comma ends each.
const (
	hostACK  = "\x1b7,"
	hostRazz = "\x1b8,"
)

// dialectOf finds the commands of a scanner.
func dialectOf(o Options) (dialect, error) {
	honeywell := dialect{
		trigger: "\x16T\r", release: "\x16U\r", // same guide, "Serial trigger commands": 16 54 0D, 16 55 0D
		beep: "\x16\x07\r", refused: "\x16\x07\r",
	}
	if o.Commands != "" && (o.Framing == "honeywell" || o.Framing == "ssi") {
		return dialect{}, fmt.Errorf("scanner: commands %q: framing %q has its own", o.Commands, o.Framing)
	}
	switch {
	case o.Framing == "honeywell":
		honeywell.sold, honeywell.refused, honeywell.bounded = hostACK, hostRazz, true
		return honeywell, nil
	case o.Framing == "ssi":
		low := string(ssiPacket(ssiBeep, 0, ssiThreeLow))
		return dialect{
			enable: string(ssiPacket(ssiEnable, 0)), disable: string(ssiPacket(ssiDisable, 0)),
			trigger: string(ssiPacket(ssiStart, 0)), release: string(ssiPacket(ssiStop, 0)), beep: low, refused: low,
		}, nil
	case o.Commands == "":
		return dialect{}, nil
	case o.Commands == "honeywell":
		return honeywell, nil
	case o.Commands == "cipherlab":
		return dialect{enable: "E", disable: "D", beep: "#@////\r", refused: "#@////\r"}, nil
	}
	return dialect{}, fmt.Errorf("scanner: commands %q are unknown (known: honeywell, cipherlab)", o.Commands)
}

// WantsAnswer reports whether the scanner does anything with an Answer.
func (s *Scanner) WantsAnswer() bool { return s.dialect.sold != "" || s.dialect.refused != "" }

// Answer tells the scanner what became of the last scan or bad read: sold is
// whether a line is on the sale. A Honeywell scanner scans nothing until it was
// told; others beep at a refusal if they can. An answer that comes too late is
// not sent. drivers.ErrTimeout says that the scanner did not take it.
func (s *Scanner) Answer(ctx context.Context, sold bool) error {
	s.sold = sold
	command := s.dialect.refused
	if sold {
		command = s.dialect.sold
	}
	if command == "" || s.dialect.bounded && time.Since(s.arrived) > answerWithin {
		return nil
	}
	if s.packets != nil { // nobody waits for a beep's acknowledgement
		s.packets.order, s.packets.sends, s.packets.fate = []byte(command), 1, nil
	}
	return s.send(ctx, []byte(command))
}

// Enable lets the scanner scan. What it sent while it was disabled is dropped.
func (s *Scanner) Enable(ctx context.Context) error {
	if err := s.gather(); err != nil {
		return err
	}
	s.drop()
	if s.dialect.enable != "" {
		if err := s.order(ctx, s.dialect.enable); err != nil {
			return err
		}
	}
	s.disabled = false
	return nil
}

// Disable keeps the scanner from scanning, by a command if it has one. Scans
// that arrived before are delivered still, at most 64 of them.
func (s *Scanner) Disable(ctx context.Context) error {
	if !s.disabled {
		if err := s.gather(); err != nil {
			return err
		}
		s.enqueue(ctx)
	}
	s.begin, s.end, s.disabled = 0, 0, true
	s.framing.reset()
	if s.dialect.disable == "" {
		return nil
	}
	return s.order(ctx, s.dialect.disable)
}

// shut disables after a scan: what comes later was scanned by nobody's wish.
func (s *Scanner) shut(ctx context.Context) {
	s.drop()
	s.disabled = true
	if s.dialect.disable != "" {
		s.order(ctx, s.dialect.disable) //nolint:errcheck,gosec // the scan counts; a line that is gone ends the next call
	}
}

// Clear drops what has arrived and was not read.
func (s *Scanner) Clear() error {
	err := s.gather()
	s.drop()
	return err
}

func (s *Scanner) drop() {
	s.begin, s.end, s.queue = 0, 0, nil
	s.framing.reset()
}

// Trigger begins to scan as by the scanner's trigger, and Release ends it. An
// equal code is a new read from here. drivers.ErrUnsupported: no such command.
func (s *Scanner) Trigger(ctx context.Context) error {
	s.seen = time.Time{}
	return s.command(ctx, s.dialect.trigger)
}

// Release see Trigger.
func (s *Scanner) Release(ctx context.Context) error { return s.command(ctx, s.dialect.release) }

// Beep sounds the scanner's beeper. drivers.ErrUnsupported: no such command.
func (s *Scanner) Beep(ctx context.Context) error { return s.command(ctx, s.dialect.beep) }

func (s *Scanner) command(ctx context.Context, command string) error {
	if command == "" {
		return fmt.Errorf("scanner: command: %w", drivers.ErrUnsupported)
	}
	return s.order(ctx, command)
}

// order sends a command and, where the protocol has an answer to it, waits for
// that, at most ssiSendsMax times. Scans that come meanwhile are queued.
func (s *Scanner) order(ctx context.Context, command string) error {
	if s.packets == nil {
		return s.send(ctx, []byte(command))
	}
	f := s.packets
	f.order, f.sends, f.fate = []byte(command), 1, nil
	defer func() { f.order = nil }()
	for next := f.order; ; next = f.resent() {
		if err := s.send(ctx, next); err != nil {
			return err
		}
		err := s.answered(ctx)
		if !errors.Is(err, drivers.ErrTimeout) || f.sends >= ssiSendsMax {
			return err
		}
		if err := s.wake(ctx); err != nil {
			return err
		}
	}
}

// answered waits for the scanner's word on a command.
func (s *Scanner) answered(ctx context.Context) error {
	f, until := s.packets, time.Now().Add(ssiReplyWithin)
	stop := context.AfterFunc(ctx, func() {
		s.port.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck,gosec // a closed port has ended the read by itself
	})
	defer stop()
	for {
		s.enqueue(ctx)
		switch {
		case f.order == nil:
			return f.fate
		case len(s.queue) >= queueMax:
			return fmt.Errorf("scanner: command: %d scans wait: %w", queueMax, drivers.ErrTimeout)
		}
		if err := s.port.SetReadDeadline(until); err != nil {
			return fmt.Errorf("scanner: command: %w", err)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("scanner: %w", context.Cause(ctx))
		}
		n, err := s.receive()
		switch {
		case n > 0:
		case ctx.Err() != nil:
			return fmt.Errorf("scanner: %w", context.Cause(ctx))
		case errors.Is(err, os.ErrDeadlineExceeded):
			return fmt.Errorf("scanner: command: %w", drivers.ErrTimeout)
		case err != nil:
			return fmt.Errorf("scanner: command: %w", err)
		case time.Now().After(until):
			return fmt.Errorf("scanner: command: %w", drivers.ErrTimeout)
		}
	}
}

// wake rouses a decoder in low power, which takes its first byte for that only.
func (s *Scanner) wake(ctx context.Context) error {
	if err := s.send(ctx, []byte{ssiWakeUp}); err != nil {
		return err
	}
	timer := time.NewTimer(ssiWakeWithin)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("scanner: %w", context.Cause(ctx))
	case <-timer.C:
		return nil
	}
}

// gather reads what has arrived, as far as there is room.
func (s *Scanner) gather() error {
	if err := s.port.SetReadDeadline(time.Now().Add(gatherWithin)); err != nil {
		return fmt.Errorf("scanner: %w", err)
	}
	for s.end-s.begin < len(s.buf) {
		n, err := s.receive()
		switch {
		case n > 0:
		case errors.Is(err, os.ErrDeadlineExceeded), err == nil:
			return nil
		default:
			return fmt.Errorf("scanner: %w", err)
		}
	}
	return nil
}

// enqueue cuts what was received into scans for later.
func (s *Scanner) enqueue(ctx context.Context) {
	for len(s.queue) < queueMax {
		p := s.buffered(ctx)
		if !p.done() {
			return
		}
		s.queue = append(s.queue, s.parse(p))
	}
}

// send writes a command.
func (s *Scanner) send(ctx context.Context, command []byte) error {
	if err := s.port.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return fmt.Errorf("scanner: write: %w", err)
	}
	stop := context.AfterFunc(ctx, func() {
		s.port.SetWriteDeadline(time.Unix(1, 0)) //nolint:errcheck,gosec // a closed port has ended the write by itself
	})
	defer stop()
	_, err := s.port.Write(command)
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("scanner: %w", context.Cause(ctx))
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("scanner: write: %w", drivers.ErrTimeout)
	case err != nil:
		return fmt.Errorf("scanner: write: %w", err)
	}
	return nil
}
