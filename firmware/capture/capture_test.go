package capture

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"regi/drivers"
	"regi/firmware/capture/internal/jail"
	"regi/firmware/capture/launch"

	"golang.org/x/sys/unix"
)

// wire is a port over one end of a net.Pipe.
type wire struct{ net.Conn }

func (w wire) Drain(context.Context) error       { return nil }
func (w wire) Lines() (drivers.Lines, error)     { return 0, drivers.ErrUnsupported }
func (w wire) SetLines(_, _ drivers.Lines) error { return drivers.ErrUnsupported }

// SetReadDeadline leaves it to Read to say that the far end is gone.
func (w wire) SetReadDeadline(t time.Time) error {
	if err := w.Conn.SetReadDeadline(t); !errors.Is(err, io.ErrClosedPipe) {
		return err
	}
	return nil
}

// packets returns a pair of sockets that keep the borders of packets.
func packets(t *testing.T) (near, far *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	near, far = os.NewFile(uintptr(fds[0]), "near"), os.NewFile(uintptr(fds[1]), "far")
	t.Cleanup(func() {
		near.Close() //nolint:errcheck,gosec // the test is over
		far.Close()  //nolint:errcheck,gosec // the test is over
	})
	return near, far
}

// counter is a capture process under test, with its reader and its parent.
type counter struct {
	t      *testing.T
	reader net.Conn
	link   *os.File
	cancel context.CancelFunc
	ended  chan error
}

// keyPacket answers the question for the key.
func keyPacket(key string) func(*testing.T, *os.File) {
	return func(t *testing.T, far *os.File) {
		ask := make([]byte, 8)
		if n, err := far.Read(ask); err != nil || string(ask[:n]) != "K" {
			t.Errorf("asked for the key with %q, %v", ask[:n], err)
		}
		if _, err := io.WriteString(far, key); err != nil {
			t.Error(err)
		}
	}
}

// start runs Main; answer plays the key's side (nil: no key at all).
func start(t *testing.T, answer func(*testing.T, *os.File), changes ...func(*Options)) *counter {
	t.Helper()
	near, far := net.Pipe()
	link, farLink := packets(t)
	ctx, cancel := context.WithCancel(t.Context())
	c := &counter{t: t, reader: far, link: farLink, cancel: cancel, ended: make(chan error, 1)}
	var key io.ReadWriter
	if answer != nil {
		nearKey, farKey := packets(t)
		key = nearKey
		go answer(t, farKey)
	}
	o := Options{Port: wire{near}, Link: link, Key: key, enter: jail.Harden}
	for _, change := range changes {
		change(&o)
	}
	go func() { c.ended <- Main(ctx, o) }()
	t.Cleanup(func() {
		cancel()
		near.Close() //nolint:errcheck,gosec // the test is over
		far.Close()  //nolint:errcheck,gosec // the test is over
	})
	return c
}

func (c *counter) event() launch.Event {
	c.t.Helper()
	if err := c.link.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		c.t.Fatal(err)
	}
	b := make([]byte, launch.PacketMax+1)
	n, err := c.link.Read(b)
	if err != nil {
		c.t.Fatal(err)
	}
	e, err := launch.Decode(b[:n])
	if err != nil {
		c.t.Fatalf("% x: %v", b[:n], err)
	}
	return e
}

func (c *counter) swipe(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c.reader, s); err != nil {
		c.t.Fatal(err)
	}
}

// end waits until Main has returned.
func (c *counter) end() error {
	c.t.Helper()
	select {
	case err := <-c.ended:
		return err
	case <-time.After(30 * time.Second):
		c.t.Fatal("Main does not return")
		return nil
	}
}

func (c *counter) ready() {
	c.t.Helper()
	if e := c.event(); e.Status == nil || !e.Status.Ready {
		c.t.Fatalf("%+v", e.Status)
	}
}

func TestSealedReads(t *testing.T) {
	c := start(t, keyPacket(testKey))
	status := c.event().Status
	if status == nil || !status.Ready || status.Reason != "" || status.Suite != "AES128-DUKPT-CTR-CMAC" {
		t.Fatalf("%+v", status)
	}
	t.Logf("secret memory %v, secret.Do %v, controls %+v", status.SecretMem, status.SecretDo, status.Controls)
	for _, want := range []string{"no-dump", "no-core", "locked-memory"} {
		on := false
		for _, control := range status.Controls {
			on = on || control.Name == want && control.State == launch.On
		}
		if !on {
			t.Errorf("%s is not in force", want)
		}
	}
	amex := ";378282246310005=28122010000000000?"
	for i, s := range []struct {
		sent, sealed                    string
		bin, last4, brand, code, tracks string
		luhn                            bool
	}{
		{one + two, one + two, "411111", "1111", "visa", "101", "12", true},
		{"%E?" + two, "%E?" + two, "411111", "1111", "visa", "101", "2", true},
		{amex + "0", amex, "378282", "0005", "amex", "201", "2", true},
		{";4000000000000003=2812?", ";4000000000000003=2812?", "400000", "0003", "visa", "", "2", false},
	} {
		c.swipe(s.sent + "\r\n")
		r := c.event().Read
		if r == nil {
			t.Fatalf("swipe %d: no read", i)
		}
		if got := hostOpen(t, []byte(testIK), r); got != s.sealed {
			t.Errorf("opened %q, want %q", got, s.sealed)
		}
		if r.BIN != s.bin || r.Last4 != s.last4 || r.Brand != s.brand || r.ServiceCode != s.code || r.Tracks != s.tracks || r.Luhn != s.luhn {
			t.Errorf("%+v", r)
		}
		if want := "0001020304050607" + "0000000" + string(rune('1'+i)); r.KSN != want {
			t.Errorf("KSN %s, want %s", r.KSN, want)
		}
	}
	c.cancel()
	if err := c.end(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A bad read is told in the operator's words and uses its key up.
func TestBadReads(t *testing.T) {
	c := start(t, keyPacket(testKey))
	c.ready()
	bad := []struct{ sent, want string }{
		{";E?\r", "track 2: parity/LRC"},
		{two[:20] + "\r", "track 2: no end sentinel"},
		{two + ">\r", "track 2: LRC does not fit"},
		{strings.TrimPrefix(two, ";") + "\r", "no start sentinel"},
		{"%B" + strings.Repeat("1", 90) + "?\r", "track 1: too long"},
		{strings.Repeat("1", 2*swipeMax-1) + "\r", "no start sentinel"},
		{"+1?\r", "no card number"},
	}
	for _, b := range bad {
		go io.WriteString(c.reader, b.sent) //nolint:errcheck // the event shows it
		if e := c.event(); e.Failed != b.want {
			t.Errorf("%q, want %q", e.Failed, b.want)
		}
		if len(b.sent) > swipeMax { // it comes as two
			if e := c.event(); e.Failed != b.want {
				t.Errorf("%q, want %q", e.Failed, b.want)
			}
		}
	}
	c.swipe(two + "\r")
	if r := c.event().Read; r == nil || r.KSN[16:] != "00000009" || hostOpen(t, []byte(testIK), r) != two {
		t.Errorf("after %d bad reads: %+v", len(bad)+1, r)
	}
}

func TestSwipeCutShort(t *testing.T) {
	c := start(t, keyPacket(testKey))
	c.ready()
	c.swipe(two[:17])
	if e := c.event(); e.Failed != "track 2: no end sentinel" { // of itself, after a gap
		t.Errorf("%+v", e)
	}
	c.swipe(two)
	if e := c.event(); e.Failed != "swipe stopped half-way" {
		t.Errorf("%+v", e)
	}
}

func TestNoKey(t *testing.T) {
	for name, answer := range map[string]func(*testing.T, *os.File){
		"no channel":  nil,
		"short":       keyPacket(testKey[:23]),
		"long":        keyPacket(testKey + "\x00"),
		"closed":      func(_ *testing.T, f *os.File) { f.Close() }, //nolint:errcheck,gosec // that is the test
		"no key left": keyPacket("-"),
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t, answer)
			if s := c.event().Status; s == nil || s.Ready || s.Reason != "no key" {
				t.Fatalf("%+v", s)
			}
			c.swipe(one + two + "\r")
			if e := c.event(); e.Failed != "no key" {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestUnplugged(t *testing.T) {
	c := start(t, keyPacket(testKey))
	c.ready()
	if err := c.reader.Close(); err != nil {
		t.Fatal(err)
	}
	if s := c.event().Status; s == nil || s.Ready || s.Reason != "reader unplugged" {
		t.Errorf("%+v", s)
	}
	if err := c.end(); !errors.Is(err, drivers.ErrUnplugged) {
		t.Error(err)
	}
}

func TestUnpluggedInASwipe(t *testing.T) {
	c := start(t, keyPacket(testKey))
	c.ready()
	c.swipe(two[:10])
	if err := c.reader.Close(); err != nil {
		t.Fatal(err)
	}
	if e := c.event(); e.Failed != "track 2: no end sentinel" {
		t.Errorf("%+v", e)
	}
	if s := c.event().Status; s == nil || s.Reason != "reader unplugged" {
		t.Errorf("%+v", s)
	}
	if err := c.end(); !errors.Is(err, drivers.ErrUnplugged) {
		t.Error(err)
	}
}

func TestLinkLost(t *testing.T) {
	for name, lose := range map[string]func(*counter) error{
		"closed":         func(c *counter) error { return c.link.Close() },
		"a foreign word": func(c *counter) error { _, err := c.link.Write([]byte("hello")); return err },
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t, keyPacket(testKey))
			c.ready()
			if err := lose(c); err != nil {
				t.Fatal(err)
			}
			if err := c.end(); !errors.Is(err, errLink) {
				t.Error(err)
			}
		})
	}
}

// panicking is a port that breaks with card data in its hands.
type panicking struct{ tape }

func (p *panicking) Read([]byte) (int, error) { panic(two) }

// faulting is a port that runs into memory that is not there.
type faulting struct{ tape }

func (p *faulting) Read([]byte) (int, error) {
	var nowhere *[1 << 20]byte
	return int(nowhere[1<<19]), nil
}

// A fault says a fixed word and nothing else.
func TestFault(t *testing.T) {
	for _, port := range []drivers.Port{&panicking{}, &faulting{}} {
		near, far := packets(t)
		err := Main(t.Context(), Options{Port: port, Link: near, enter: jail.Harden})
		if !errors.Is(err, errFault) || err.Error() != errFault.Error() {
			t.Errorf("%v", err)
		}
		c := &counter{t: t, link: far}
		if s := c.event().Status; s == nil || s.Reason != "no key" {
			t.Errorf("%+v", s)
		}
		if s := c.event().Status; s == nil || s.Ready || s.Reason != "internal fault" {
			t.Errorf("%+v", s)
		}
	}
}
