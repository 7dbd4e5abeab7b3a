package scanner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

// suspended is how long a scanner that waits for the host's acknowledgement
// scans nothing (Honeywell, Xenon/Granit user's guide, "Host ACK").
const suspended = 10 * time.Second

// commandMax bounds what is kept of a command that does not end.
const commandMax = 512

// await sends a code and waits for the register's word on it.
func (s *Scanner) await(ctx context.Context, c Code) (Outcome, error) {
	var o Outcome
	s.forget()
	if err := s.transmit(ctx, s.frame(c), &o); err != nil {
		return o, err
	}
	var err error
	o.Answer, err = s.answer(ctx, suspended)
	switch {
	case err != nil:
		return o, err
	case o.Answer == NoAnswer:
		s.heard("error tone: no answer from the register")
	}
	return o, nil
}

// Run hears the register's commands until ctx ends or the wire is closed.
func (s *Scanner) Run(ctx context.Context) error {
	deadline, ok := s.wire.(interface{ SetReadDeadline(time.Time) error })
	if ok {
		stop := context.AfterFunc(ctx, func() {
			deadline.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck,gosec // a closed wire has ended the read by itself
		})
		defer stop()
	}
	var kept []byte
	b := make([]byte, commandMax)
	for {
		n, err := s.wire.Read(b)
		switch {
		case ctx.Err() != nil, errors.Is(err, fs.ErrClosed), errors.Is(err, os.ErrDeadlineExceeded),
			errors.Is(err, io.EOF), errors.Is(err, io.ErrClosedPipe):
			return nil
		case err != nil:
			return fmt.Errorf("scanner: %w", err)
		}
		kept = s.hear(append(kept, b[:n]...))
		if len(kept) > commandMax {
			kept = nil
		}
	}
}

// hear carries out the whole commands in b and returns the rest.
func (s *Scanner) hear(b []byte) []byte {
	hear := s.hearCommand
	if s.set.Framing == "ssi" {
		hear = s.hearPacket
	}
	for len(b) > 0 {
		n := hear(b)
		if n == 0 {
			break
		}
		b = b[n:]
	}
	return bytes.Clone(b)
}

// escapes are the answers and sounds of the same guide, "Host ACK responses".
//
//nolint:gochecknoglobals // a constant table
var escapes = map[byte]string{
	'a': "two beeps", 'b': "razz", '1': "green LED", '2': "green LED", '3': "green LED",
	'4': "low beep", '5': "medium beep", '6': "high beep", '7': "good scan beep", '8': "razz: refused",
}

// hearCommand takes one command of Honeywell's or CipherLab's off b, and says how
// long it was; 0 is not a whole one yet.
func (s *Scanner) hearCommand(b []byte) int {
	switch b[0] {
	case 0x1b: // ESC c , (the comma may be missing in old models)
		if len(b) < 2 {
			return 0
		}
		s.escape(b[1])
		if len(b) > 2 && b[2] == ',' {
			return 3
		}
		return 2
	case ',':
		return 1
	case 0x16: // SYN c CR
		if len(b) < 3 {
			return 0
		}
		s.serial(string(b[1:3]))
		return 3
	case 'D', 'E':
		s.setOff(b[0] == 'D')
		return 1
	case '#':
		n := bytes.IndexByte(b, '\r')
		if n < 0 {
			return 0
		}
		if strings.HasPrefix(string(b), "#@////") {
			s.heard("beep")
		}
		return n + 1
	}
	return 1
}

// escape is an answer, or a sound.
func (s *Scanner) escape(command byte) {
	what, ok := escapes[command]
	if !ok {
		return
	}
	s.heard(what)
	switch command {
	case '7':
		s.said(Good)
	case '8':
		s.said(Refused)
	}
}

// serial is a trigger or a beep: SYN T CR, SYN U CR, SYN BEL CR.
func (s *Scanner) serial(command string) {
	switch command {
	case "T\r":
		s.setTrigger(true)
	case "U\r":
		s.setTrigger(false)
	case "\a\r":
		s.heard("beep")
	}
}
