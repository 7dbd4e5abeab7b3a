package boot

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/nftables/expr"
	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/sys/unix"
)

// descriptors of a device: its own, then a configuration with interfaces, each
// class and subclass.
func descriptors(interfaces ...[2]byte) []byte {
	b := []byte{18, typeDevice, 0, 2, 0, 0, 0, 64, 0x03, 0x04, 0x01, 0x60, 0, 6, 1, 2, 3, 1, 9, 2, 0, 0, byte(len(interfaces)), 1, 0, 0x80, 50}
	for i, c := range interfaces {
		b = append(b, 9, typeInterface, byte(i), 0, 1, c[0], c[1], 0, 0)
		b = append(b, 7, 5, 0x81, 2, 64, 0, 0) // an endpoint
	}
	return b
}

// hub is descriptors of a device that says it is one.
func hub(interfaces ...[2]byte) []byte {
	b := descriptors(interfaces...)
	b[deviceClassAt] = classHub
	return b
}

func TestUnwanted(t *testing.T) {
	t.Parallel()
	modem, data := [2]byte{classCommunications, subclassModem}, [2]byte{classData, 0}
	// A second configuration is nobody's but its own.
	second := append(descriptors(modem, data), descriptors(data)[deviceBytes:]...)
	for name, c := range map[string]struct {
		b    []byte
		id   string
		want string
	}{
		"hub":                 {hub([2]byte{classHub, 0}), "1d6b:0002", ""},
		"no hub":              {descriptors([2]byte{classHub, 0}), "0424:ec00", "class 09"},
		"hub and more":        {hub([2]byte{classHub, 0}, modem), "0424:ec00", "class 02"},
		"FTDI":                {descriptors([2]byte{classVendor, 0xFF}), "0403:6001", ""},
		"FTDI's other":        {descriptors([2]byte{classVendor, 0xFF}), "0403:d678", "class ff"},
		"serial line":         {descriptors(modem, data), "0c2e:0b8a", ""},
		"data alone":          {descriptors(data), "0424:ec00", "class 0a"},
		"second's data alone": {second, "0424:ec00", "class 0a"},
		"network":             {descriptors([2]byte{classCommunications, 0x06}, data), "0525:a4a2", "class 02, subclass 06"},
		"keyboard":            {descriptors([2]byte{0x03, 0x01}), "046d:c31c", "class 03"},
		"storage":             {descriptors([2]byte{0x08, 0x06}), "0781:5567", "class 08"},
		"scanner and keys":    {descriptors(modem, [2]byte{0x03, 0x01}), "0c2e:0b8a", "class 03"},
		"another's own":       {descriptors([2]byte{classVendor, 0xFF}), "1234:6001", "class ff"},
		"no interface":        {descriptors(), "0403:6001", "no interface"},
		"nothing":             {nil, "0403:6001", "no interface"},
		"device alone":        {descriptors()[:deviceBytes], "0403:6001", "no interface"},
		"cut short":           {hub([2]byte{classHub, 0})[:30], "0403:6001", "malformed"},
		"endless":             {append(descriptors(modem), 0, 0), "0403:6001", "malformed"},
		"short interface":     {append(descriptors(), 3, typeInterface, 0), "0403:6001", "malformed"},
		"no configuration":    {append(descriptors()[:deviceBytes], descriptors(modem)[deviceBytes+9:]...), "0403:6001", "malformed"},
		"no device":           {descriptors(modem)[deviceBytes:], "0403:6001", "malformed"},
	} {
		got := unwanted(c.b, c.id)
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func FuzzUnwanted(f *testing.F) {
	f.Add(hub([2]byte{classHub, 0}), "0403:6001")
	f.Add(descriptors([2]byte{classCommunications, subclassModem}, [2]byte{classData, 0}), "0c2e:0b8a")
	f.Fuzz(func(t *testing.T, b []byte, id string) {
		if unwanted(b, id) == "" && bytes.IndexByte(b, typeInterface) < 0 {
			t.Error("let in without an interface")
		}
	})
}

func plug(t *testing.T, sys, name string, files map[string]string) {
	t.Helper()
	dir := filepath.Join(sys, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for file, text := range files {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestUSB(t *testing.T) {
	t.Parallel()
	sys := t.TempDir()
	line := string(descriptors([2]byte{classVendor, 0xFF}))
	keys := string(descriptors([2]byte{0x03, 0x01}))
	plug(t, sys, "1-1", map[string]string{"authorized": "0\n", "idVendor": "0403\n", "idProduct": "6001\n", "descriptors": line})
	plug(t, sys, "1-2", map[string]string{"authorized": "0\n", "idVendor": "046d\n", "idProduct": "c31c\n", "descriptors": keys})
	plug(t, sys, "1-3", map[string]string{"authorized": "0\n", "idVendor": "05fe\n", "idProduct": "1010\n", "descriptors": keys})
	plug(t, sys, "1-1:1.0", map[string]string{"authorized": "0\n"})
	u := newUSB(newLog(), func() []string { return []string{"05fe:1010"} })
	u.sys = sys
	u.all()
	for name, want := range map[string]string{"1-1": "1", "1-2": "0", "1-3": "1", "1-1:1.0": "0"} {
		if got := word(filepath.Join(sys, name), "authorized"); got != want {
			t.Errorf("%s: authorized %s, want %s", name, got, want)
		}
	}
	if got := u.list(); len(got) != 1 || !strings.Contains(got[0], "046d:c31c") {
		t.Errorf("refused: %q", got)
	}
	// One that says that it is a line, and for which the kernel has another driver.
	plug(t, sys, "1-4", map[string]string{"authorized": "0\n", "idVendor": "0424\n", "idProduct": "ec00\n", "descriptors": string(descriptors([2]byte{classCommunications, subclassModem}, [2]byte{classData, 0}))})
	plug(t, sys, "1-4/1-4:1.0", nil)
	if err := os.Symlink("../../../../bus/usb/drivers/smsc95xx", filepath.Join(sys, "1-4/1-4:1.0/driver")); err != nil {
		t.Fatal(err)
	}
	u.all()
	if got := u.list(); len(got) != 2 || !strings.Contains(got[1]+got[0], "smsc95xx") || word(filepath.Join(sys, "1-4"), "authorized") != "0" {
		t.Errorf("refused: %q", got)
	}
	if err := errors.Join(os.RemoveAll(filepath.Join(sys, "1-4")), os.RemoveAll(filepath.Join(sys, "1-2"))); err != nil {
		t.Fatal(err)
	}
	u.all()
	if got := u.list(); len(got) != 0 {
		t.Errorf("unplugged, still %q", got)
	}
}

// partition is one with an ext4 file system of a label.
func partition(t *testing.T, sys, dev, name, label string, state uint16) {
	t.Helper()
	plug(t, sys, name, map[string]string{"partition": "4\n"})
	b := make([]byte, superAt+superBytes)
	binary.LittleEndian.PutUint16(b[superAt+magicAt:], magic)
	binary.LittleEndian.PutUint16(b[superAt+stateAt:], state)
	copy(b[superAt+labelAt:], label)
	if err := os.WriteFile(filepath.Join(dev, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFindData(t *testing.T) {
	t.Parallel()
	sys, dev := t.TempDir(), t.TempDir()
	if _, _, err := findData(sys, dev); err == nil {
		t.Error("found where there is nothing")
	}
	plug(t, sys, "mmcblk0", nil)
	plug(t, sys, "mmcblk0p1", map[string]string{"partition": "1\n"})
	if err := os.WriteFile(filepath.Join(dev, "mmcblk0p1"), []byte("no file system"), 0o600); err != nil {
		t.Fatal(err)
	}
	partition(t, sys, dev, "mmcblk0p2", "other", 1)
	partition(t, sys, dev, "mmcblk0p4", DataLabel, 1)
	if got, damaged, err := findData(sys, dev); got != filepath.Join(dev, "mmcblk0p4") || damaged || err != nil {
		t.Errorf("%s, %v, %v", got, damaged, err)
	}
	partition(t, sys, dev, "mmcblk0p4", DataLabel, 1|stateError)
	if _, damaged, err := findData(sys, dev); !damaged || err != nil {
		t.Errorf("damaged %v, %v", damaged, err)
	}
}

func TestIsPowerKey(t *testing.T) {
	t.Parallel()
	event := func(kind, code uint16, value uint32) []byte {
		b := make([]byte, inputBytes)
		binary.NativeEndian.PutUint16(b[inputType:], kind)
		binary.NativeEndian.PutUint16(b[inputCode:], code)
		binary.NativeEndian.PutUint32(b[inputValue:], value)
		return b
	}
	for _, c := range []struct {
		event []byte
		want  bool
	}{
		{event(eventKey, keyPower, 1), true},
		{event(eventKey, keyPower, 0), false}, // let go
		{event(eventKey, 30, 1), false},
		{event(0, keyPower, 1), false},
		{event(eventKey, keyPower, 1)[:23], false},
	} {
		if got := isPowerKey(c.event); got != c.want {
			t.Errorf("%x: %v", c.event, got)
		}
	}
}

func TestLeased(t *testing.T) {
	t.Parallel()
	ack := func(ip net.IP, mask net.IPMask, more ...dhcpv4.Modifier) *dhcpv4.DHCPv4 {
		d, err := dhcpv4.New(append([]dhcpv4.Modifier{dhcpv4.WithYourIP(ip), dhcpv4.WithNetmask(mask)}, more...)...)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	good := ack(net.IP{10, 0, 2, 15}, net.IPMask{255, 255, 255, 0}, dhcpv4.WithRouter(net.IP{10, 0, 2, 2}),
		dhcpv4.WithDNS(net.IP{10, 0, 2, 3}, net.IP{10, 0, 2, 4}, net.IP{10, 0, 2, 5}, net.IP{10, 0, 2, 6}), dhcpv4.WithLeaseTime(86400))
	prefix, gateway, servers, lasts, err := leased(good)
	if prefix != netip.MustParsePrefix("10.0.2.15/24") || gateway != netip.MustParseAddr("10.0.2.2") || len(servers) != serversMax || lasts != leaseAtMost || err != nil {
		t.Errorf("%v, %v, %v, %v, %v", prefix, gateway, servers, lasts, err)
	}
	for name, bad := range map[string]*dhcpv4.DHCPv4{
		"no address": ack(nil, net.IPMask{255, 255, 255, 0}),
		"loopback":   ack(net.IP{127, 0, 0, 1}, net.IPMask{255, 0, 0, 0}),
		"no mask":    ack(net.IP{10, 0, 2, 15}, nil),
		"odd mask":   ack(net.IP{10, 0, 2, 15}, net.IPMask{255, 0, 255, 0}),
	} {
		if _, _, _, _, err := leased(bad); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// What ends is buried, whoever's it was, and told to who started it.
func TestChildren(t *testing.T) {
	c := newChildren(newLog())
	for _, exit := range []string{"0", "7"} {
		pid, ended, err := c.start([]string{"boot-test-child", exit}, nil)
		if err != nil {
			t.Fatal(err)
		}
		select {
		case status := <-ended:
			if got := describe(status); got != "exit code "+exit {
				t.Errorf("%s: %s", exit, got)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("it does not end")
		}
		if err := unix.Kill(pid, 0); err == nil {
			t.Error("it was not buried")
		}
	}
	heard := func() bool {
		return slices.ContainsFunc(c.log.tail(10), func(l string) bool { return strings.HasSuffix(l, "child said 7?") })
	}
	for until := time.Now().Add(30 * time.Second); !heard() && time.Now().Before(until); { // its words may be read after its end
		time.Sleep(time.Millisecond)
	}
	if !heard() {
		t.Errorf("its words are not in the log: %q", c.log.tail(10))
	}
	if n := c.living(); n != 0 {
		t.Errorf("%d are still in the table", n)
	}
	if got := describe(syscall.WaitStatus(9)); got != "signal killed" {
		t.Error(got)
	}
}

func TestMain(m *testing.M) {
	if os.Args[0] == "boot-test-child" {
		os.Stderr.WriteString("child said " + os.Args[1] + "\x07\n") //nolint:errcheck // the test misses it
		if os.Args[1] == "7" {
			os.Exit(7)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestLog(t *testing.T) {
	t.Parallel()
	l := newLog()
	for range logLines + 10 {
		l.keep("x")
	}
	if n := len(l.tail(logLines * 2)); n > logLines || n < logLines*8/10 {
		t.Errorf("%d lines", n)
	}
	// A child that says too much loses its own lines, and nobody else's.
	for range 3 * burstLines {
		l.hear("flood")
	}
	if got := l.tail(60); len(got) != 60 || !strings.HasSuffix(got[0], " x") || !strings.HasSuffix(got[59], " flood") {
		t.Errorf("%q", got)
	}
	if n := len(l.children); n < burstLines || n > 2*burstLines {
		t.Errorf("%d lines of a flood", n)
	}
	// So does what others have this process do, over and over.
	l = newLog()
	l.say("boot")
	for range 2 * logLines {
		l.caused("again")
	}
	if n := len(l.own); n != 1+causedLines || !strings.HasSuffix(l.own[0].text, " boot") || len(l.children) < burstLines-1 {
		t.Errorf("%d own lines, %d others, the first %q", n, len(l.children), l.own[0].text)
	}
	l = newLog()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	write.WriteString("one\ntwo\x1b[2J\n" + strings.Repeat("a", 3*lineMax) + "\nend\n") //nolint:errcheck // the test misses it
	write.Close()
	l.drain(read)
	tail := l.tail(6)
	if len(tail[0]) > lineMax+32 || !strings.HasSuffix(tail[5], " end") || strings.ContainsRune(strings.Join(tail, ""), 0x1b) {
		t.Errorf("%q", tail)
	}
}

// A look at the firewall that fails is the board's fault until one does not; a
// change of it is told for the rest of the boot.
func TestFirewallStood(t *testing.T) {
	t.Parallel()
	m := &machine{log: newLog()}
	busy := errors.New("nftables: busy")
	for i, c := range []struct {
		changed    bool
		err        error
		want, torn string
	}{
		{false, nil, "", ""},
		{false, busy, "busy", ""},
		{false, busy, "busy", ""},
		{false, nil, "", ""},
		{true, nil, "raised again", "changed it 1 times"},
		{false, busy, "busy", "changed it 1 times"},
		{false, nil, "raised again", "changed it 1 times"},
		{true, busy, "busy", "changed it 2 times"},
		{false, nil, "raised again", "changed it 2 times"},
	} {
		m.stood(c.changed, c.err)
		got := m.report().Firewall
		none := c.want == "" && got != ""
		if none || !strings.Contains(got, c.want) || !strings.Contains(got, c.torn) || c.err != nil && strings.Contains(got, "raised") {
			t.Errorf("%d: %q", i, got)
		}
	}
	// Both are told: that it failed, and that it no longer does.
	log := strings.Join(m.log.tail(tailMax), "\n")
	if !strings.Contains(log, "firewall: nftables: busy") || !strings.Contains(log, "stand again") {
		t.Errorf("%s", log)
	}
	// One that comes and goes does not fill the log.
	for range 2 * logLines {
		m.stood(false, busy)
		m.stood(false, nil)
	}
	if n := len(m.log.own); n > 40 {
		t.Errorf("%d lines", n)
	}
}

// The socket between PID 1 and the register, both ends.
func TestLink(t *testing.T) {
	ours, theirs, err := pair()
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{log: newLog(), changed: make(chan struct{}, 1)}
	m.state.Watchdog = "none here"
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); m.serve(newLink(ours), cancel) }()
	l := newLink(theirs)
	if m.healthy() {
		t.Error("healthy before it was heard of")
	}
	for _, op := range []string{"nonsense", OpNetwork, OpNetwork, OpAlive, OpAlive} {
		if err := l.Tell(Ask{Op: op}); err != nil {
			t.Fatal(err)
		}
	}
	// An answer comes when all before it was done: it said once that it runs.
	if s, err := l.State(); err != nil || strings.Count(strings.Join(s.Log, "\n"), "register: it runs, ") != 1 {
		t.Errorf("%q, %v", s.Log, err)
	}
	// Lines that are longer in JSON, and more than a packet holds.
	for range 2 * tailMax {
		m.log.keep(clean(strings.Repeat("<\"\"\"\xff\"\"\"", lineMax)))
	}
	if s, err := l.State(); err != nil || len(s.Log) < tailMax*2/3 || len(s.Log) >= tailMax || !strings.HasSuffix(s.Log[len(s.Log)-2], `<"""?"""`) {
		t.Errorf("%d lines, %v", len(s.Log), err)
	}
	m.log.own = nil
	s, err := l.State()
	if err != nil || s.Watchdog != "none here" || len(s.Log) != 1 || !m.healthy() || len(m.changed) != 1 {
		t.Errorf("%+v, %v, healthy %v, changed %d", s, err, m.healthy(), len(m.changed))
	}
	if err := l.Tell(Ask{Op: OpPowerOff}); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	if !errors.Is(context.Cause(ctx), errPowerOff) {
		t.Error(context.Cause(ctx))
	}
	l.close()
	<-done
	if _, err := Register(); !errors.Is(err, ErrNoBoard) {
		t.Errorf("not started by PID 1: %v", err)
	}
}

// The clock is where the uplink's word can put it: once far, then hardly.
func TestClock(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		saved time.Duration // after the version was made; two hours pass since
		apart time.Duration
		words []time.Duration // after now
		sets  int
		saves bool
	}{
		"first word":          {time.Hour, day, []time.Duration{300 * day}, 1, true},
		"too far":             {time.Hour, day, []time.Duration{401 * day}, 0, false},
		"20 years":            {time.Hour, day, []time.Duration{20 * 365 * day}, 0, false},
		"before the version":  {time.Hour, day, []time.Duration{-2 * day}, 0, false},
		"too far, then right": {time.Hour, day, []time.Duration{20 * 365 * day, time.Minute}, 1, true},
		"right, then far":     {time.Hour, day, []time.Duration{0, day, -time.Hour}, 0, false},
		"small steps":         {time.Hour, 2 * time.Hour, []time.Duration{time.Minute, time.Minute, -4 * time.Minute, 6 * time.Minute}, 3, true},
		"many small steps":    {time.Hour, time.Second, []time.Duration{time.Minute, time.Minute, 2 * time.Minute, time.Minute}, 1, true},
		"saved cannot be":     {30 * 365 * day, day, []time.Duration{500 * day, 300 * day}, 1, true},
	} {
		path := filepath.Join(t.TempDir(), "clock")
		synctest.Test(t, func(t *testing.T) {
			built := time.Now()
			saved := binary.BigEndian.AppendUint64(nil, uint64(built.Add(c.saved).Unix()))
			if err := os.WriteFile(path, saved, 0o600); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Hour)
			k, sets := newClock(built, path, newLog()), 0
			k.set = func(time.Time) error { sets++; return nil }
			if k.begin(); k.report() != "" {
				t.Errorf("%s: %s", name, k.report())
			}
			for _, w := range c.words {
				k.hear(time.Now().Add(w))
				time.Sleep(c.apart)
			}
			again, err := readSmall(path)
			if sets != c.sets || err != nil || bytes.Equal(again, saved) == c.saves {
				t.Errorf("%s: set %d times, want %d; saved %x, %v", name, sets, c.sets, again, err)
			}
		})
	}
}

// A clock that had to be set to what is known is a fault until the cloud is heard.
func TestClockFault(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newClock(time.Now().Add(time.Hour), filepath.Join(t.TempDir(), "clock"), newLog())
		m := &machine{log: k.log, clock: k}
		k.set = func(time.Time) error { return nil }
		k.begin()
		if said := m.report().Clock; said == "" {
			t.Error("no fault")
		}
		k.hear(time.Now().AddDate(20, 0, 0)) // which cannot be
		if said := m.report().Clock; said == "" {
			t.Error("no fault after a time that cannot be")
		}
		k.hear(time.Now().Add(2 * time.Hour))
		if said := m.report().Clock; said != "" {
			t.Error(said)
		}
	})
}

// A file that the register might have left there stops no start.
func TestReadSmall(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	huge, err := os.Create(in("huge"))
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(huge.Truncate(1<<40), huge.Close(), os.WriteFile(in("good"), []byte("7\n"), 0o600), os.WriteFile(in("long"), make([]byte, smallMax+1), 0o600),
		os.Symlink("good", in("link")), unix.Mkfifo(in("pipe"), 0o600), os.Mkdir(in("folder"), 0o700))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"huge", "long", "link", "pipe", "folder", "none"} {
		if b, err := readSmall(in(name)); err == nil {
			t.Errorf("%s: %d bytes", name, len(b))
		}
	}
	if b, err := readSmall(in("good")); string(b) != "7\n" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}

// Whatever lies in the way of a file that is written is gone.
func TestWriteWhole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	other := filepath.Join(dir, "other")
	for name, lay := range map[string]func(path string) error{
		"nothing": func(string) error { return nil },
		"folder":  func(p string) error { return os.MkdirAll(filepath.Join(p, "full"), 0o700) },
		"pipe":    func(p string) error { return unix.Mkfifo(p, 0o600) },
		"link":    func(p string) error { return os.Symlink(other, p) },
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(lay(path), lay(path+".new")); err != nil {
			t.Fatal(err)
		}
		err := writeWhole(path, []byte("8"), 0o600)
		if b, errRead := readSmall(path); string(b) != "8" || err != nil || errRead != nil {
			t.Errorf("%s: %q, %v, %v", name, b, err, errRead)
		}
	}
	if _, err := os.Lstat(other); err == nil {
		t.Error("a link was followed")
	}
}

func TestDataFlags(t *testing.T) {
	t.Parallel()
	const want = unix.MS_NOSYMFOLLOW | unix.MS_NOEXEC | unix.MS_NOSUID | unix.MS_NODEV
	for _, damaged := range []bool{false, true} {
		if f := dataFlags(damaged); f&want != want || f&unix.MS_RDONLY != 0 != damaged {
			t.Errorf("damaged %v: %x", damaged, f)
		}
	}
}

// A register that asks without end has the network started over now and then.
func TestNetworkAtTimes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var counted atomic.Int64
		m := &machine{log: newLog(), changed: make(chan struct{}, 1)}
		m.Network = func() (Network, error) { counted.Add(1); return Network{}, errNoRelease }
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go m.network(ctx, &firewall{})
		for range 1000 { // 100 s
			m.do(nil, Ask{Op: OpNetwork}, nil)
			time.Sleep(100 * time.Millisecond)
		}
		begun := int(counted.Load())
		if most := int(100*time.Second/lookEvery + 100*time.Second/beginEvery + 2); begun > most || begun < most/2 {
			t.Errorf("begun %d times, at most %d", begun, most)
		}
	})
}

// A question for the cloud's name is let out by its mark alone: the register has
// the same user.
func TestQuestion(t *testing.T) {
	t.Parallel()
	marked := false
	for _, part := range question(netip.MustParseAddr("192.0.2.53")) {
		if m, ok := part[0].(*expr.Meta); ok && m.Key == expr.MetaKeyMARK {
			c, ok := part[1].(*expr.Cmp)
			marked = ok && c.Op == expr.CmpOpEq && binary.NativeEndian.Uint32(c.Data) == questionMark
		}
	}
	if !marked {
		t.Error("whoever has the user may ask")
	}
	d := net.Dialer{Control: markQuestion}
	conn, err := d.DialContext(t.Context(), "udp4", "127.0.0.1:53")
	if errors.Is(err, unix.EPERM) {
		return // so it is for the register
	}
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, err := conn.(*net.UDPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		if m, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK); m != questionMark || err != nil {
			t.Errorf("%x, %v", m, err)
		}
	}); err != nil {
		t.Error(err)
	}
}
