package scanner_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regi/drivers"
	"regi/drivers/driverstest"
	"regi/drivers/scanner"
	far "regi/sim/device/scanner" //nolint:depguard // tests may cross: another reading of the protocols is the judge
)

// The vectors of the interface: CMD_ACK, CMD_NAK (resend), START_SESSION,
// SCAN_ENABLE, SCAN_DISABLE from the host.
const (
	ackPacket     = "04d00400ff28"
	nakPacket     = "05d1040001ff25"
	startPacket   = "04e40400ff14"
	enablePacket  = "04e90400ff0f"
	disablePacket = "04ea0400ff0e"
)

// line is a driver and the bare far end of its line, in simulated time.
type line struct {
	t *testing.T
	*scanner.Scanner
	far  net.Conn
	said chan string // what the driver wrote, in hex, a write a piece
}

// onLine runs a test with a line; o is how the scanner is set.
func onLine(t *testing.T, o scanner.Options, test func(l line)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		near, conn := driverstest.Pipe(t)
		s, err := scanner.New(near, o)
		if err != nil {
			t.Fatal(err)
		}
		l := line{t: t, Scanner: s, far: conn, said: make(chan string, 64)}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			b := make([]byte, 512)
			for {
				n, err := conn.Read(b)
				if err != nil {
					return
				}
				l.said <- hex.EncodeToString(b[:n])
			}
		}()
		t.Cleanup(func() {
			conn.Close()
			<-ended
		})
		test(l)
	})
}

// send lets the scanner send, at the pace at which the driver reads.
func (l line) send(b ...byte) {
	go func() {
		if _, err := l.far.Write(b); err != nil && !errors.Is(err, io.ErrClosedPipe) {
			l.t.Error(err)
		}
	}()
}

// reads is what the next Read gives: a label, or the error.
func (l line) reads(want string, kind error) {
	l.t.Helper()
	scan, err := l.Read(l.t.Context())
	if scan.Label != want || !errors.Is(err, kind) {
		l.t.Errorf("read %q, %v; want %q, %v", scan.Label, err, want, kind)
	}
}

// nothing: within d, Read gives nothing.
func (l line) nothing(d time.Duration) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), d)
	defer cancel()
	if scan, err := l.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
		l.t.Errorf("read %q, %v; want nothing", scan.Label, err)
	}
}

// wrote checks all that the driver has written since the last call.
func (l line) wrote(want ...string) {
	l.t.Helper()
	synctest.Wait()
	var got []string
	for len(l.said) > 0 {
		got = append(got, <-l.said)
	}
	if !slices.Equal(got, want) {
		l.t.Errorf("wrote %v, want %v", got, want)
	}
}

// again is a packet with the retransmit bit.
func again(p []byte) []byte {
	b := slices.Clone(p[1 : len(p)-2])
	b[2] |= 1
	return packet(b...)
}

// broken is a packet with byte i changed.
func broken(p []byte, i int) []byte {
	p = slices.Clone(p)
	p[i] ^= 0x40
	return p
}

// What the cases of SSI send, and where a byte of it can be broken.
var (
	one, two = packets(0x0b, "4901234567894"), packets(0x0b, "4912345678904")
	sourceAt = 2
	dataAt   = 8
)

// ssiCases are conversations, each on a fresh line.
var ssiCases = map[string]func(line){
	"a packet is acknowledged": func(l line) {
		l.send(one...)
		l.reads("4901234567894", nil)
		l.wrote(ackPacket)
	},
	"a broken one is asked for again": func(l line) {
		l.send(broken(one, dataAt)...)
		l.nothing(time.Second)
		l.wrote(nakPacket)
		l.send(again(one)...)
		l.reads("4901234567894", nil)
		l.wrote(ackPacket)
	},
	"three broken ones are one bad read": func(l line) {
		for _, p := range [][]byte{one, again(one)} {
			l.send(broken(p, dataAt)...)
			l.nothing(time.Second)
		}
		l.send(broken(again(one), dataAt)...)
		l.reads("", drivers.ErrFrame)
		l.wrote(nakPacket, nakPacket)
		l.send(two...)
		l.reads("4912345678904", nil)
	},
	"one that never comes again is a bad read": func(l line) {
		l.send(broken(one, dataAt)...)
		began := time.Now()
		l.reads("", drivers.ErrFrame)
		if took := time.Since(began); took != scanner.Idle+ssiWait {
			l.t.Errorf("reported after %v", took)
		}
		l.send(two...)
		l.reads("4912345678904", nil)
	},
	"another message instead": func(l line) {
		l.send(broken(one, dataAt)...)
		l.nothing(time.Second)
		l.send(two...)
		l.reads("", drivers.ErrFrame)
		l.reads("4912345678904", nil)
		l.wrote(nakPacket, ackPacket)
	},
	"a lost acknowledgement": func(l line) {
		l.send(one...)
		l.reads("4901234567894", nil)
		l.send(again(one)...)
		l.nothing(time.Second)
		l.wrote(ackPacket, ackPacket)
		l.send(two...)
		l.reads("4912345678904", nil)
	},
	"a lost acknowledgement, and what is sent again is broken": func(l line) {
		l.send(one...)
		l.reads("4901234567894", nil)
		l.send(broken(again(one), dataAt)...)
		l.nothing(time.Second)
		l.send(again(one)...)
		l.nothing(10 * time.Second)
		l.wrote(ackPacket, nakPacket, ackPacket)
	},
	"the same article twice, the second broken at first": func(l line) {
		l.send(one...)
		l.reads("4901234567894", nil)
		l.send(broken(one, dataAt)...)
		l.nothing(time.Second)
		l.send(again(one)...)
		l.reads("4901234567894", nil)
	},
	"perhaps the same article twice": func(l line) {
		l.send(one...)
		l.reads("4901234567894", nil)
		l.send(broken(one, sourceAt)...) // first or again: nobody knows
		l.nothing(time.Second)
		l.send(again(one)...)
		l.reads("", drivers.ErrFrame)
		l.wrote(ackPacket, nakPacket, ackPacket)
	},
	"the same article twice": func(l line) {
		l.send(one...)
		l.reads("4901234567894", nil)
		l.send(one...)
		l.reads("4901234567894", nil)
	},
	"noise, then quiet": func(l line) {
		l.send(0xff, 0x00, 0x80, 0x13)
		l.nothing(time.Second)
		l.wrote(nakPacket)
		l.send(one...)
		l.reads("", drivers.ErrFrame) // what the noise was
		l.reads("4901234567894", nil)
	},
	"a code full of packets": func(l line) {
		// Within a broken packet nothing is looked for: it would be what the
		// maker of the code wants.
		evil := append(packet(append([]byte{0xf3, 0, 0, 0x1c, 'x'}, one...)...), 0)
		l.send(broken(evil, 5)...)
		l.nothing(time.Second)
		l.wrote(nakPacket)
	},
	"a message of three packets": func(l line) {
		long := strings.Repeat("0123456789", 60)
		l.send(packets(0x1c, long)...)
		l.reads(long, nil)
		l.wrote(ackPacket, ackPacket, ackPacket)
	},
	"the second of three is sent again": func(l line) {
		long := strings.Repeat("0123456789", 25) + strings.Repeat("abcdefghij", 25) + "end"
		all := packets(0x1c, long)
		p := [][]byte{all[:257], all[257:514], all[514:]}
		l.send(slices.Concat(p[0], p[1], again(p[1]), p[2])...)
		l.reads(long, nil)
		l.wrote(ackPacket, ackPacket, ackPacket, ackPacket)
	},
	"the second of three may be the first": func(l line) {
		all := packets(0x1c, strings.Repeat("0123456789", 50)+"end") // the first two are equal
		l.send(all[:257]...)
		l.nothing(time.Second)
		l.send(broken(all[257:514], sourceAt)...)
		l.nothing(time.Second)
		l.send(slices.Concat(again(all[257:514]), all[514:])...)
		l.reads("", drivers.ErrFrame)
		l.send(one...)
		l.reads("4901234567894", nil)
	},
	"the end of a message does not come": func(l line) {
		all := packets(0x1c, strings.Repeat("0123456789", 60))
		l.send(all[:257]...)
		l.reads("", drivers.ErrFrame)
		l.send(one...)
		l.reads("4901234567894", nil)
	},
	"another message within a message": func(l line) {
		all := packets(0x1c, strings.Repeat("0123456789", 60))
		l.send(slices.Concat(all[:257], one)...)
		l.reads("", drivers.ErrFrame)
		l.reads("4901234567894", nil)
	},
	"the whole second half was lost, and is like the first": func(l line) {
		long := strings.Repeat("0123456789", 50)
		all := packets(0x1c, long)
		l.send(slices.Concat(all[:257], again(all[257:]))...)
		l.reads(long, nil)
	},
	"a lost acknowledgement, and a broken status": func(l line) {
		l.send(one...)
		l.reads("4901234567894", nil)
		resent := again(one)
		resent[3] = 0 // looks like a first time
		l.send(resent...)
		l.nothing(time.Second)
		l.send(again(one)...)
		l.reads("", drivers.ErrFrame)
	},
	"events, unknown commands and empty messages": func(l line) {
		l.send(slices.Concat(packet(0xf6, 0, 0, 1), packet(0x77, 0, 0), packet(0xf3, 0, 0), packet(0xf3, 0, 0, 0x0b), one)...)
		l.reads("4901234567894", nil)
		l.wrote(ackPacket, "05d1040002ff24", ackPacket, ackPacket, ackPacket)
	},
}

func TestSSI(t *testing.T) {
	for name, test := range ssiCases {
		t.Run(name, func(t *testing.T) { onLine(t, scanner.Options{Framing: "ssi"}, test) })
	}
}

// TestSSICommands: each is acknowledged, or sent again, at most twice.
func TestSSICommands(t *testing.T) {
	ack, nak := packet(0xd0, 0, 0), packet(0xd1, 0, 0, 1)
	denied := packet(0xd1, 0, 0, 6)
	onLine(t, scanner.Options{Framing: "ssi"}, func(l line) {
		for _, c := range []struct {
			name   string
			call   func(context.Context) error
			packet string
		}{{"Enable", l.Enable, enablePacket}, {"Disable", l.Disable, disablePacket}, {"Enable", l.Enable, enablePacket}, {"Trigger", l.Trigger, startPacket}} {
			time.AfterFunc(100*time.Millisecond, func() { l.send(ack...) })
			if err := c.call(l.t.Context()); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			l.wrote(c.packet)
		}
		// The scanner did not understand it: once more, with the retransmit bit.
		time.AfterFunc(100*time.Millisecond, func() { l.send(nak...) })
		time.AfterFunc(200*time.Millisecond, func() { l.send(ack...) })
		if err := l.Trigger(l.t.Context()); err != nil {
			t.Error(err)
		}
		l.wrote(startPacket, "04e40401ff13")
		// It has no such command.
		time.AfterFunc(100*time.Millisecond, func() { l.send(denied...) })
		if err := l.Trigger(l.t.Context()); !errors.Is(err, drivers.ErrUnsupported) {
			t.Errorf("denied: %v", err)
		}
		l.wrote(startPacket)
		// It says nothing: it is woken, and asked three times in all. A scan that
		// comes meanwhile is kept.
		time.AfterFunc(100*time.Millisecond, func() { l.send(packets(0x0b, "4901234567894")...) })
		if err := l.Release(l.t.Context()); !errors.Is(err, drivers.ErrTimeout) {
			t.Errorf("silent: %v", err)
		}
		l.wrote("04e50400ff13", ackPacket, "00", "04e50401ff12", "00", "04e50401ff12")
		l.reads("4901234567894", nil)
		// A refused scan beeps; nobody waits for the beep.
		if err := l.Answer(l.t.Context(), true); err != nil {
			t.Error(err)
		}
		l.wrote()
		if err := l.Answer(l.t.Context(), false); err != nil {
			t.Error(err)
		}
		l.wrote("05e6040011ff00")
		l.send(slices.Concat(nak, nak, nak, packets(0x0b, "4912345678904"))...)
		l.reads("4912345678904", nil)
		l.wrote("05e6040111feff", "05e6040111feff", ackPacket)
		ctx, cancel := context.WithCancel(l.t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		if err := l.Trigger(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	})
}

// TestHostACK: a Honeywell scanner is answered each scan once, in time or never.
func TestHostACK(t *testing.T) {
	onLine(t, scanner.Options{Framing: "honeywell", Repeat: 300 * time.Millisecond}, func(l line) {
		answer := func(sold bool) {
			t.Helper()
			if err := l.Answer(l.t.Context(), sold); err != nil {
				t.Error(err)
			}
		}
		l.send([]byte("4901234567894\r")...)
		l.reads("4901234567894", nil)
		l.wrote() // not by itself
		answer(true)
		l.wrote("1b372c")
		l.send([]byte("49\x1b12\r")...)
		l.reads("", drivers.ErrControl)
		answer(false)
		l.wrote("1b382c")
		// A repeat gets the answer of the first, and is no second line.
		l.send([]byte("1\r")...)
		l.reads("1", nil)
		answer(true)
		l.wrote("1b372c")
		time.Sleep(100 * time.Millisecond)
		l.send([]byte("1\r")...)
		l.nothing(time.Second)
		l.wrote("1b372c")
		// An answer after the scanner has given up would be one to its next scan.
		l.send([]byte("2\r")...)
		l.reads("2", nil)
		time.Sleep(9*time.Second + time.Millisecond)
		answer(true)
		l.wrote()
		if err := l.Trigger(l.t.Context()); err != nil {
			t.Error(err)
		}
		l.wrote("16540d")
		if err := l.Release(l.t.Context()); err != nil {
			t.Error(err)
		}
		l.wrote("16550d")
	})
}

// TestCommands of the scanners whose framing has none.
func TestCommands(t *testing.T) {
	type call struct {
		name string
		call func(context.Context) error
		want string // "" is not supported
	}
	check := func(l line, calls ...call) {
		for _, c := range calls {
			err := c.call(l.t.Context())
			if c.want == "" && !errors.Is(err, drivers.ErrUnsupported) || c.want != "" && err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			if c.want == "" {
				l.wrote()
			} else {
				l.wrote(c.want)
			}
		}
	}
	refuse := func(l line) func(context.Context) error {
		return func(ctx context.Context) error { return l.Answer(ctx, false) }
	}
	onLine(t, scanner.Options{Commands: "cipherlab"}, func(l line) {
		if !l.WantsAnswer() {
			t.Error("wants no answer")
		}
		check(l, call{"disable", l.Disable, "44"}, call{"enable", l.Enable, "45"}, call{"beep", l.Beep, "23402f2f2f2f0d"},
			call{"refuse", refuse(l), "23402f2f2f2f0d"}, call{"trigger", l.Trigger, ""}, call{"release", l.Release, ""})
	})
	onLine(t, scanner.Options{Commands: "honeywell"}, func(l line) {
		check(l, call{"trigger", l.Trigger, "16540d"}, call{"release", l.Release, "16550d"}, call{"beep", l.Beep, "16070d"}, call{"refuse", refuse(l), "16070d"})
	})
	onLine(t, scanner.Options{}, func(l line) {
		if l.WantsAnswer() {
			t.Error("wants an answer")
		}
		check(l, call{"trigger", l.Trigger, ""}, call{"beep", l.Beep, ""})
		if err := errors.Join(l.Answer(l.t.Context(), true), l.Answer(l.t.Context(), false)); err != nil {
			t.Error(err)
		}
		l.wrote()
	})
}

// TestUnplugged: commands say so, and one to a scanner that takes nothing ends.
func TestUnplugged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, conn := driverstest.Pipe(t)
		s, err := scanner.New(near, scanner.Options{Framing: "honeywell"})
		if err != nil {
			t.Fatal(err)
		}
		go conn.Write([]byte("1\r"))
		if _, err := s.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Answer(t.Context(), true); !errors.Is(err, drivers.ErrTimeout) {
			t.Errorf("nobody takes it: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Millisecond, cancel)
		if err := s.Answer(ctx, true); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		conn.Close()
		for name, call := range map[string]func(context.Context) error{
			"Answer": func(ctx context.Context) error { return s.Answer(ctx, false) }, "Beep": s.Beep, "Enable": s.Enable, "Disable": s.Disable,
		} {
			if err := call(t.Context()); !errors.Is(err, drivers.ErrUnplugged) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestEnabled is what UnifiedPOS says of a scanner's input: scans queue while
// nobody reads, a disabled scanner has none, and what was queued before is not
// lost.
func TestEnabled(t *testing.T) {
	onLine(t, scanner.Options{}, func(l line) {
		l.send([]byte("1\r2\r3\r\x1b\r4\r5")...)
		l.reads("1", nil) // the others are queued
		if err := l.Disable(l.t.Context()); err != nil {
			t.Fatal(err)
		}
		l.reads("2", nil)
		l.reads("3", nil)
		l.reads("", drivers.ErrControl) // an ErrorEvent has its place in the queue
		l.reads("4", nil)
		l.reads("", scanner.ErrDisabled) // and 5 is no scan any more
		l.send([]byte("\r6\r")...)
		l.reads("", scanner.ErrDisabled)
		if err := l.Enable(l.t.Context()); err != nil {
			t.Fatal(err)
		}
		l.send([]byte("7\r8\r")...)
		l.reads("7", nil)
		if err := l.Clear(); err != nil {
			t.Fatal(err)
		}
		l.send([]byte("9\r")...)
		l.reads("9", nil)
	})
}

// TestAutoDisable: one scan, and no more until the next Enable; a bad read does
// not count.
func TestAutoDisable(t *testing.T) {
	onLine(t, scanner.Options{AutoDisable: true, Commands: "cipherlab"}, func(l line) {
		for range 3 {
			l.send([]byte("\x01\r1\r2\r")...)
			l.reads("", drivers.ErrControl)
			l.reads("1", nil)
			l.wrote("44")
			l.reads("", scanner.ErrDisabled)
			if err := l.Enable(l.t.Context()); err != nil {
				t.Fatal(err)
			}
			l.wrote("45")
		}
	})
}

// TestQueueIsBounded: no more than 64 scans wait.
func TestQueueIsBounded(t *testing.T) {
	onLine(t, scanner.Options{}, func(l line) {
		l.send(bytes.Repeat([]byte("1\r"), 2000)...)
		if err := l.Disable(l.t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 64 {
			l.reads("1", nil)
		}
		l.reads("", scanner.ErrDisabled)
	})
}

// TestRepeats: an equal code is the same read for a while, counted from the last
// one; another code or the trigger ends that.
func TestRepeats(t *testing.T) {
	onLine(t, scanner.Options{Commands: "honeywell", Repeat: 300 * time.Millisecond}, func(l line) {
		scan := func(code string) {
			l.send([]byte(code + "\r")...)
			l.reads(code, nil)
		}
		scan("1")
		for range 5 { // 200 ms each: together longer than Repeat
			l.send([]byte("1\r")...)
			l.nothing(200 * time.Millisecond)
		}
		time.Sleep(101 * time.Millisecond) // 301 since the last
		scan("1")
		scan("2")
		scan("1")
		if err := l.Trigger(l.t.Context()); err != nil {
			t.Fatal(err)
		}
		scan("1")
		l.send([]byte("\x01\r1\r")...) // a bad read between changes nothing
		l.reads("", drivers.ErrControl)
		l.nothing(time.Second)
	})
	onLine(t, scanner.Options{}, func(l line) { // off unless asked for
		l.send([]byte("1\r1\r")...)
		l.reads("1", nil)
		l.reads("1", nil)
	})
}

// TestConversation: the simulated scanner hears what the driver means.
func TestConversation(t *testing.T) {
	for _, c := range []struct {
		o     scanner.Options
		heard []string
	}{
		{scanner.Options{Framing: "ssi"}, []string{"acknowledged", "beep 11", "disabled", "enabled", "trigger pulled", "trigger released", "beep 11"}},
		{scanner.Options{Framing: "honeywell"}, []string{"razz: refused", "trigger pulled", "trigger released", "beep"}},
		{scanner.Options{Commands: "cipherlab"}, []string{"beep", "disabled", "enabled", "beep"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			heard := make(chan string, 32)
			s, remote, _ := pair(t, c.o, far.Settings{Heard: func(what string) { heard <- what }})
			read := make(chan far.Outcome, 1)
			go func() {
				o, err := remote.Read(t.Context(), far.Code{Data: "4901234567894"})
				if err != nil {
					t.Error(err)
				}
				read <- o
			}()
			if scan, err := s.Read(t.Context()); err != nil || scan.Label != "4901234567894" {
				t.Fatalf("%q, %v", scan.Label, err)
			}
			synctest.Wait()
			if err := s.Answer(t.Context(), false); err != nil {
				t.Error(err)
			}
			<-read
			for _, call := range []func(context.Context) error{s.Disable, s.Enable, s.Trigger, s.Release, s.Beep} {
				if err := call(t.Context()); err != nil && !errors.Is(err, drivers.ErrUnsupported) {
					t.Errorf("%s: %v", c.o.Framing, err)
				}
				synctest.Wait()
			}
			close(heard)
			var got []string
			for what := range heard {
				got = append(got, what)
			}
			if !slices.Equal(got, c.heard) {
				t.Errorf("heard %q, want %q", got, c.heard)
			}
		})
	}
}
