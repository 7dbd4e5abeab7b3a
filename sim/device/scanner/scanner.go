// Package scanner is the simulated barcode scanner. It sends what it reads in
// every framing that a shop's scanner can be set to, and waits for the host's
// acknowledgement where the protocol has one. Its cable may be bad.
package scanner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// Limits of a scan.
const (
	// DataMax is far over any code (a QR code holds 7,089 digits), so that a
	// scanner gone mad can be played too.
	DataMax = 64 << 10
	// AIMMax leaves room for wrong identifiers; a right one is "]cm"
	// (ISO/IEC 15424).
	AIMMax = 8
	// readWithin is how long the register may take to read a scan.
	readWithin = 2 * time.Second
)

// Wire is the cable to the register.
type Wire interface {
	// Write sends all of b in one piece; those of several goroutines do not mix.
	// Read is what the register sends; it is used by Run only.
	io.ReadWriter
	// WaitRead waits until the register has read every byte written.
	WaitRead(context.Context) error
}

// Settings are what the programming sheet of a scanner sets.
type Settings struct {
	// Framing is one of Framings, "cr" also for "".
	Framing string
	// Prefix is sent before each code.
	Prefix string
	// IDs is the maker whose code id is sent before the data: "honeywell" or
	// "datalogic"; "" sends the symbology identifier of the code, if it has one.
	IDs string
	// PacketMax is the longest SSI packet without its checksum, 255 also for 0.
	PacketMax int
	// Pieces is in how many writes a message goes out, 1 also for 0.
	Pieces int
	// Noise is how bad the cable is.
	Noise Noise
	// Heard tells what the scanner beeps and takes from the register, for people;
	// nil: nobody listens. It is called from any goroutine.
	Heard func(string)
}

// Framings are the known ones.
func Framings() []string {
	return []string{"cr", "lf", "crlf", "tab", "stx-etx", "honeywell", "ssi"}
}

// Code is what is before the window.
type Code struct {
	Data string // any bytes up to DataMax; control bytes go out as they are
	AIM  string // its symbology identifier, or ""
}

// Outcome is what came of one scan.
type Outcome struct {
	// Sent is how often its message, or the last packet of it, went out.
	Sent int
	// Disturbed is how many transmissions the cable disturbed, Whole whether one
	// of the data came through undisturbed.
	Disturbed int
	Whole     bool
	Answer    Answer
}

// Answer is what the register said to a scan.
type Answer string

// Answers. Without a protocol that has any it is None.
const (
	None     Answer = ""
	Good     Answer = "good"
	Refused  Answer = "refused"
	NoAnswer Answer = "no answer"
)

// ErrDisabled says that the register has switched the scanner off.
var ErrDisabled = errors.New("the scanner is disabled")

// Scanner is one scanner. Its methods are safe from any goroutine.
type Scanner struct {
	wire Wire
	set  Settings
	says chan Answer // what Run heard, of the framings that wait for it

	window  sync.Mutex // one code at a time
	noise   noise      // below window
	state   sync.Mutex
	off     bool
	trigger bool
}

// New returns the scanner at the end of a wire, with suffix CR.
func New(w Wire) *Scanner {
	return &Scanner{wire: w, set: Settings{Framing: "cr"}, says: make(chan Answer, saysMax)}
}

// saysMax bounds the answers that nobody has asked for yet.
const saysMax = 16

// NewSet returns a scanner with settings.
func NewSet(w Wire, set Settings) (*Scanner, error) {
	s := New(w)
	if set.Framing == "" {
		set.Framing = "cr"
	}
	switch {
	case !slices.Contains(Framings(), set.Framing):
		return nil, fmt.Errorf("scanner: framing %q: use one of %s", set.Framing, strings.Join(Framings(), ", "))
	case set.IDs != "" && codeIDs[set.IDs] == nil:
		return nil, fmt.Errorf("scanner: code ids %q: use honeywell or datalogic", set.IDs)
	case set.PacketMax < 0 || set.PacketMax > packetMax || set.PacketMax > 0 && set.PacketMax < packetMin:
		return nil, fmt.Errorf("scanner: packets of %d bytes: %d to %d", set.PacketMax, packetMin, packetMax)
	case set.Noise.Share < 0 || set.Noise.Share > 1:
		return nil, fmt.Errorf("scanner: noise of %v: 0 to 1", set.Noise.Share)
	}
	if set.PacketMax == 0 {
		set.PacketMax = packetMax
	}
	s.set, s.noise = set, newNoise(set)
	return s, nil
}

// Scan sends one code and waits until the register has read it, at most 2 s, and
// has answered if it must.
//
// The error says whether the cable is out or the register did not read; in the
// latter case the bytes wait on the wire, as they would in its UART.
func (s *Scanner) Scan(ctx context.Context, data, aim string) error {
	_, err := s.Read(ctx, Code{Data: data, AIM: aim})
	return err
}

// Read is Scan, and says what came of it. A refusal is no error.
func (s *Scanner) Read(ctx context.Context, c Code) (Outcome, error) {
	if len(c.Data) > DataMax || len(c.AIM) > AIMMax {
		return Outcome{}, fmt.Errorf("scanner: %d bytes of data, %d of identifier: at most %d and %d", len(c.Data), len(c.AIM), DataMax, AIMMax)
	}
	s.window.Lock()
	defer s.window.Unlock()
	if s.disabled() {
		return Outcome{}, fmt.Errorf("scanner: %w", ErrDisabled)
	}
	switch s.set.Framing {
	case "ssi":
		return s.converse(ctx, c)
	case "honeywell":
		return s.await(ctx, c)
	}
	var o Outcome
	err := s.transmit(ctx, s.frame(c), &o)
	return o, err
}

// Together sends several codes in one write, as a driver that was held up finds
// them. It is for framings without answers, and undisturbed.
func (s *Scanner) Together(ctx context.Context, codes ...Code) error {
	s.window.Lock()
	defer s.window.Unlock()
	frames := make([][]byte, len(codes))
	for i, c := range codes {
		frames[i] = s.frame(c)
	}
	return s.send(ctx, slices.Concat(frames...))
}

// Begin sends the first n bytes of a code's frame and stops, as a scanner does
// whose cable is pulled.
func (s *Scanner) Begin(ctx context.Context, c Code, n int) error {
	s.window.Lock()
	defer s.window.Unlock()
	frame := s.frame(c)
	if s.set.Framing == "ssi" {
		frame = s.packets(c)[0]
	}
	return s.send(ctx, frame[:min(n, len(frame))])
}

// frame is a code on the wire, in all framings but SSI.
func (s *Scanner) frame(c Code) []byte {
	text := s.set.Prefix + s.labelled(c)
	switch s.set.Framing {
	case "lf":
		return []byte(text + "\n")
	case "crlf":
		return []byte(text + "\r\n")
	case "tab":
		return []byte(text + "\t")
	case "stx-etx":
		return []byte("\x02" + text + "\x03")
	}
	return []byte(text + "\r")
}

// transmit sends one message over the cable as it is, and gives the register
// time to notice what was disturbed.
func (s *Scanner) transmit(ctx context.Context, message []byte, o *Outcome) error {
	sent, whole, quiet := s.noise.disturb(message)
	o.Sent++
	if !quiet {
		o.Disturbed++
	}
	o.Whole = o.Whole || whole
	if err := s.send(ctx, sent); err != nil || quiet {
		return err
	}
	return pause(ctx, rest)
}

// send writes b, in pieces, and waits until the register has read it.
func (s *Scanner) send(ctx context.Context, b []byte) error {
	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	for piece := range slices.Chunk(b, max(1, len(b)/max(1, s.set.Pieces))) {
		if n, err := s.wire.Write(piece); err != nil {
			return fmt.Errorf("scanner: %d of %d bytes sent: %w", n, len(piece), err)
		}
	}
	if err := s.wire.WaitRead(ctx); err != nil {
		return fmt.Errorf("scanner: the register did not read the code: %w", err)
	}
	// Nothing is unread on a cable that was pulled meanwhile, either.
	if _, err := s.wire.Write(nil); err != nil {
		return fmt.Errorf("scanner: the code may be lost: %w", err)
	}
	return nil
}

// heard tells people what the scanner does.
func (s *Scanner) heard(what string) {
	if s.set.Heard != nil {
		s.set.Heard(what)
	}
}

func (s *Scanner) disabled() bool {
	s.state.Lock()
	defer s.state.Unlock()
	return s.off
}

// Triggered reports whether the register has pulled the trigger.
func (s *Scanner) Triggered() bool {
	s.state.Lock()
	defer s.state.Unlock()
	return s.trigger
}

func (s *Scanner) setOff(off bool) {
	s.state.Lock()
	s.off = off
	s.state.Unlock()
	s.heard(map[bool]string{true: "disabled", false: "enabled"}[off])
}

func (s *Scanner) setTrigger(on bool) {
	s.state.Lock()
	s.trigger = on
	s.state.Unlock()
	s.heard(map[bool]string{true: "trigger pulled", false: "trigger released"}[on])
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("scanner: %w", ctx.Err())
	case <-timer.C:
		return nil
	}
}
