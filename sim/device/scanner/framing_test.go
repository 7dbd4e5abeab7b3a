package scanner_test

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"regi/sim/device/scanner"
	"regi/sim/wire"
)

// host is the register's end of a simulated scanner, in simulated time.
type host struct {
	*scanner.Scanner
	net.Conn
	heard *sounds
}

// sounds is what a scanner was heard to do.
type sounds struct {
	mu  sync.Mutex
	all []string
}

func (s *sounds) add(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, what)
}

func (s *sounds) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.all
	s.all = nil
	return all
}

// cable is the scanner's end of a pipe: what was written was read.
type cable struct{ net.Conn }

func (c cable) Write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	return c.Conn.Write(b)
}

func (cable) WaitRead(context.Context) error { return nil }

func onHost(t *testing.T, set scanner.Settings, test func(t *testing.T, h host)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		near, farEnd := net.Pipe()
		heard := &sounds{}
		set.Heard = heard.add
		s, err := scanner.NewSet(cable{farEnd}, set)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- s.Run(t.Context()) }()
		test(t, host{s, near, heard})
		near.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// read starts one scan.
func (h host) scan(t *testing.T, c scanner.Code) <-chan scanner.Outcome {
	done := make(chan scanner.Outcome, 1)
	go func() {
		o, err := h.Read(t.Context(), c)
		if err != nil {
			t.Error(err)
		}
		done <- o
	}()
	return done
}

// Read is the scanner's, not the pipe's.
func (h host) Read(ctx context.Context, c scanner.Code) (scanner.Outcome, error) {
	return h.Scanner.Read(ctx, c)
}

// gets checks the next bytes that the register gets, in hex.
func (h host) gets(t *testing.T, want string) {
	t.Helper()
	b := make([]byte, len(want)/2)
	if _, err := io.ReadFull(h.Conn, b); err != nil || hex.EncodeToString(b) != want {
		t.Errorf("the register got %x, %v; want %s", b, err, want)
	}
}

func (h host) says(t *testing.T, b string) {
	t.Helper()
	raw, err := hex.DecodeString(b)
	if err == nil {
		_, err = h.Write(raw)
	}
	if err != nil {
		t.Error(err)
	}
}

func (h host) hears(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	if got := h.heard.take(); !slices.Equal(got, want) {
		t.Errorf("heard %q, want %q", got, want)
	}
}

// TestWire: what leaves the scanner in each framing, byte by byte.
func TestWire(t *testing.T) {
	for _, c := range []struct {
		set  scanner.Settings
		code scanner.Code
		want string
	}{
		{scanner.Settings{}, scanner.Code{Data: "49"}, "34390d"},
		{scanner.Settings{Framing: "lf"}, scanner.Code{Data: "49"}, "34390a"},
		{scanner.Settings{Framing: "crlf"}, scanner.Code{Data: "49"}, "34390d0a"},
		{scanner.Settings{Framing: "tab", Prefix: "#"}, scanner.Code{Data: "49", AIM: "]E0"}, "235d4530343909"},
		{scanner.Settings{Framing: "stx-etx"}, scanner.Code{Data: "49"}, "02343903"},
		{scanner.Settings{IDs: "honeywell"}, scanner.Code{Data: "96385074", AIM: "]E4"}, "4439363338353037340d"},
		{scanner.Settings{IDs: "datalogic"}, scanner.Code{Data: "012345678905"}, "413031323334353637383930350d"},
		// DECODE_DATA of an EAN-8: length 13, F3, decoder, status 0, type 0A.
		{scanner.Settings{Framing: "ssi"}, scanner.Code{Data: "96385074", AIM: "]E4"}, "0df300000a3936333835303734fd4c"},
		// A code of no known type, in packets of 8 bytes, the first with "more".
		{scanner.Settings{Framing: "ssi", PacketMax: 8}, scanner.Code{Data: "abcd"}, "08f3000200616263fddd"},
	} {
		onHost(t, c.set, func(t *testing.T, h host) {
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() {
				_, err := h.Read(ctx, c.code)
				done <- err
			}()
			h.gets(t, c.want)
			cancel()
			if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
}

// TestDecoder is the decoder's side of SSI: it sends until it is acknowledged,
// three times in all, and obeys.
func TestDecoder(t *testing.T) {
	const (
		ack, nak = "04d00400ff28", "05d1040001ff25"
		packet   = "0df300000a3936333835303734fd4c"
		resent   = "0df300010a3936333835303734fd4b"
	)
	code := scanner.Code{Data: "96385074", AIM: "]E4"}
	onHost(t, scanner.Settings{Framing: "ssi"}, func(t *testing.T, h host) {
		done := h.scan(t, code)
		h.gets(t, packet)
		h.says(t, ack)
		if o := <-done; o.Answer != scanner.Good || o.Sent != 1 || !o.Whole {
			t.Errorf("%+v", o)
		}
		h.hears(t, "acknowledged")
		done = h.scan(t, code)
		h.gets(t, packet)
		h.says(t, nak)
		h.gets(t, resent)
		began := time.Now()
		h.gets(t, resent) // nobody answered
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("sent again after %v", took)
		}
		if o := <-done; o.Answer != scanner.NoAnswer || o.Sent != 3 {
			t.Errorf("%+v", o)
		}
		h.hears(t, "asked to send again", "transmit error: LO LO LO LO")
		h.says(t, "00") // WAKEUP
		h.says(t, "04ea0400ff0e")
		h.gets(t, "04d00000ff2c")
		h.hears(t, "disabled")
		if _, err := h.Read(t.Context(), code); !errors.Is(err, scanner.ErrDisabled) {
			t.Errorf("disabled, and scans: %v", err)
		}
		h.says(t, "04e904")
		h.says(t, "00ff0f") // a command in two pieces
		h.gets(t, "04d00000ff2c")
		h.says(t, "04e40400ff14")
		h.gets(t, "04d00000ff2c")
		if !h.Triggered() {
			t.Error("the trigger is not pulled")
		}
		h.says(t, "04e40400ff15") // a wrong checksum
		h.gets(t, "05d1000001ff29")
		h.says(t, "04770400ff81") // no such command
		h.gets(t, "05d1000002ff28")
		h.says(t, "04a30400ff55") // REQUEST_REVISION
		h.gets(t, hex.EncodeToString([]byte("\x11\xa4\x00\x00SIMULATED 1.0")))
		h.gets(t, "fbf4")
		h.hears(t, "enabled", "trigger pulled", "a broken command")
	})
}

// TestHostACK: a scanner that waits for its answer scans nothing for ten seconds,
// and says what it was told.
func TestHostACK(t *testing.T) {
	onHost(t, scanner.Settings{Framing: "honeywell"}, func(t *testing.T, h host) {
		for _, c := range []struct {
			says, hears string
			want        scanner.Answer
		}{
			{"1b372c", "good scan beep", scanner.Good},
			{"1b382c", "razz: refused", scanner.Refused},
			{"1b37", "good scan beep", scanner.Good},
		} {
			done := h.scan(t, scanner.Code{Data: "1"})
			h.gets(t, "310d")
			h.says(t, c.says)
			if o := <-done; o.Answer != c.want {
				t.Errorf("%s: %+v", c.says, o)
			}
			h.hears(t, c.hears)
		}
		began := time.Now()
		done := h.scan(t, scanner.Code{Data: "1"})
		h.gets(t, "310d")
		if o := <-done; o.Answer != scanner.NoAnswer || time.Since(began) != 10*time.Second {
			t.Errorf("%+v after %v", o, time.Since(began))
		}
		done = h.scan(t, scanner.Code{Data: "2"})
		h.gets(t, "320d")
		h.says(t, "1b372c")
		<-done
		h.says(t, "16540d16550d16070d1b612c")
		h.hears(t, "error tone: no answer from the register", "good scan beep", "trigger pulled", "trigger released", "beep", "two beeps")
	})
	onHost(t, scanner.Settings{}, func(t *testing.T, h host) {
		h.says(t, hex.EncodeToString([]byte("D#@////\rE?#@")))
		h.says(t, hex.EncodeToString([]byte("////\r")))
		h.hears(t, "disabled", "beep", "enabled", "beep")
	})
}

// TestNoiseIsReplayed: the same seed does the same, and leaves nothing alone.
func TestNoiseIsReplayed(t *testing.T) {
	play := func(seed uint64) (all string, disturbed int) {
		onHost(t, scanner.Settings{Framing: "cr", Noise: scanner.Noise{Share: 0.5, Seed: seed}}, func(t *testing.T, h host) {
			got := make(chan string, 1)
			go func() {
				b, _ := io.ReadAll(h.Conn)
				got <- hex.EncodeToString(b)
			}()
			for range 200 {
				o, err := h.Read(t.Context(), scanner.Code{Data: "4901234567894"})
				if err != nil {
					t.Error(err)
				}
				if o.Whole == (o.Disturbed > 0) {
					t.Errorf("%+v", o)
				}
				disturbed += o.Disturbed
			}
			h.Close()
			all = <-got
		})
		return all, disturbed
	}
	first, n := play(1)
	if n < 50 || n > 150 {
		t.Errorf("%d of 200 were disturbed", n)
	}
	if again, _ := play(1); again != first {
		t.Error("the same seed did something else")
	}
	if other, _ := play(2); other == first {
		t.Error("another seed did the same")
	}
}

func TestSettings(t *testing.T) {
	for name, set := range map[string]scanner.Settings{
		"framing": {Framing: "usb"}, "ids": {IDs: "symbol"}, "packets": {PacketMax: 256}, "short packets": {PacketMax: 5},
		"noise": {Noise: scanner.Noise{Share: 1.1}}, "less noise": {Noise: scanner.Noise{Share: -1}},
	} {
		if s, err := scanner.NewSet(cable{}, set); s != nil || err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
}

// TestBegin: a scanner whose cable is pulled in the middle.
func TestBegin(t *testing.T) {
	link := filepath.Join(t.TempDir(), "scanner")
	tty, err := wire.Open(link)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	register, err := os.OpenFile(link, os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer register.Close()
	for _, framing := range scanner.Framings() {
		s, err := scanner.NewSet(tty, scanner.Settings{Framing: framing})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- s.Begin(t.Context(), scanner.Code{Data: "4901234567894"}, 6) }()
		b := make([]byte, 64)
		if n, err := io.ReadFull(register, b[:6]); err != nil || strings.ContainsAny(string(b[:n]), "\r\n\t\x03") && framing != "ssi" {
			t.Errorf("%s: %q, %v", framing, b[:n], err)
		}
		if err := <-done; err != nil {
			t.Errorf("%s: %v", framing, err)
		}
	}
}
