package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"
)

// socketName is where the pins of a test's drawer are soldered to, in the
// working folder of the register under test.
const socketName = "pins.sock"

// solderPins gives this process the GPIO lines KICK and SENSE, if the test has
// some: each level of KICK goes to the test, and what the test sends is that of
// SENSE.
func solderPins() {
	conn, err := net.Dial("unixpacket", socketName) //nolint:noctx // at once, or not at all
	if err != nil {
		return
	}
	sense := &testPin{name: "SENSE", number: 2, edges: make(chan bool, 64)}
	go func() {
		var b [1]byte
		for {
			if n, err := conn.Read(b[:]); n == 0 || err != nil {
				return
			}
			sense.mu.Lock()
			sense.high = b[0] == '1'
			sense.mu.Unlock()
			sense.edges <- sense.high
		}
	}()
	for _, pin := range []*testPin{{name: "KICK", number: 1, conn: conn}, sense} {
		if err := gpioreg.Register(pin); err != nil {
			panic(err)
		}
	}
}

type testPin struct {
	gpio.PinIO // nil: whatever else is called is a crash
	name       string
	number     int
	conn       net.Conn
	edges      chan bool

	mu   sync.Mutex
	high bool
}

func (p *testPin) Name() string                  { return p.name }
func (p *testPin) String() string                { return p.name }
func (p *testPin) Number() int                   { return p.number }
func (p *testPin) In(gpio.Pull, gpio.Edge) error { return nil }

func (p *testPin) Read() gpio.Level {
	p.mu.Lock()
	defer p.mu.Unlock()
	return gpio.Level(p.high)
}

func (p *testPin) WaitForEdge(d time.Duration) bool {
	select {
	case <-p.edges:
		return true
	case <-time.After(d):
		return false
	}
}

// Out tells the level and the machine's clock: whoever hears of it later.
func (p *testPin) Out(l gpio.Level) error {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return err
	}
	_, err := fmt.Fprintf(p.conn, "%d %d", map[gpio.Level]int{gpio.Low: 0, gpio.High: 1}[l], now.Nano())
	return err
}

// bank is the chip of the test's pins. A line whose process ends stays as it
// is, as on most chips.
type bank struct {
	t      *testing.T
	levels chan level

	mu   sync.Mutex
	conn *net.UnixConn // of whoever has the lines now
}

type level struct {
	high bool
	at   time.Duration
}

func newBank(t *testing.T, dir string) *bank {
	t.Helper()
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: filepath.Join(dir, socketName), Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	b := &bank{t: t, levels: make(chan level, 256)}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.AcceptUnix()
			if err != nil {
				return
			}
			b.mu.Lock()
			b.conn = conn
			b.mu.Unlock()
			go b.follow(conn)
		}
	}()
	return b
}

func (b *bank) follow(conn *net.UnixConn) {
	var buf [32]byte
	for {
		n, err := conn.Read(buf[:])
		if n == 0 || err != nil {
			return
		}
		var high, at int64
		if _, err := fmt.Sscan(string(buf[:n]), &high, &at); err != nil {
			b.t.Error(err)
		}
		b.levels <- level{high == 1, time.Duration(at)}
	}
}

// next waits for a level of the kick line.
func (b *bank) next(high bool) time.Duration {
	b.t.Helper()
	for within := time.After(patience); ; {
		select {
		case l := <-b.levels:
			if l.high == high {
				return l.at
			}
		case <-within:
			b.t.Fatalf("the kick line does not become %v", high)
		}
	}
}

// owner is the process that has the lines.
func (b *bank) owner() int {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	raw, err := b.conn.SyscallConn()
	if err != nil {
		b.t.Fatal(err)
	}
	pid := 0
	err = raw.Control(func(fd uintptr) {
		cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		if err != nil {
			b.t.Error(err)
			return
		}
		pid = int(cred.Pid)
	})
	if err != nil || pid == 0 {
		b.t.Fatal(err)
	}
	return pid
}

func (b *bank) sense(high bool) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, err := fmt.Fprintf(b.conn, "%d", map[bool]int{false: 0, true: 1}[high]); err != nil {
		b.t.Error(err)
	}
}

// stand is a real register with a drawer on GPIO, and its keypad.
type stand struct {
	*bank
	cmd    *exec.Cmd
	said   *output
	keypad *os.File
}

// output is what a process says, while it says it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) has(text string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Contains(o.text.String(), text)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// gpioOffice is a shop whose drawer is on GPIO.
func gpioOffice(t *testing.T, more string) (o *office, dir string) {
	t.Helper()
	o = newOffice(t)
	f, err := os.OpenFile(o.config, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString("[drawer]\nvia=\"gpio\"\nkick=\"KICK\"\nsense=\"SENSE\"\n" + more)
	}
	if err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	return o, filepath.Dir(o.config)
}

func newStand(t *testing.T) *stand {
	t.Helper()
	near, far, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = near.Close(); _ = far.Close() })
	o, dir := gpioOffice(t, "left_open_seconds=2\n[keypad]\nport=\""+far.Name()+"\"\n")
	s := &stand{bank: newBank(t, dir), said: &output{}, keypad: near}
	s.cmd = exec.CommandContext(t.Context(), "/proc/self/exe")
	s.cmd.Args = []string{"regi", "run", "--config", o.config}
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = dir, s.said, s.said
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.cmd.Wait() }() // killed, mostly
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		<-ended
		if t.Failed() {
			t.Log(s.said)
		}
	})
	s.next(false) // the first that is done with the line
	s.await(`"keypad":"up"`)
	s.press("1o")
	s.await("I01")
	return s
}

// press sends the keypad's bytes.
func (s *stand) press(keys string) {
	s.t.Helper()
	if _, err := s.keypad.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// await waits for what the register logs.
func (s *stand) await(text string) {
	s.t.Helper()
	for until := time.Now().Add(patience); !s.said.has(text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			s.t.Fatalf("%q is not said", text)
		}
	}
}

// mayBeRealtime says whether a process of this test may have real-time priority.
func mayBeRealtime() bool {
	may := make(chan bool)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this
		attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1}
		may <- unix.SchedSetAttr(0, &attr, 0) == nil
	}()
	return <-may
}

// TestRealtime: the process that ends the pulses goes before all others.
func TestRealtime(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	attr, err := unix.SchedGetAttr(s.owner(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := attr.Policy == unix.SCHED_FIFO; got != mayBeRealtime() {
		t.Errorf("real time: %v", got)
	}
}

// worksAgain kicks the drawer once more, after the register has missed it.
func (s *stand) worksAgain(most time.Duration) {
	s.t.Helper()
	s.await(`drawer: unplugged`)
	s.await(`"V02"`)
	s.press("n")
	on := s.next(true)
	if took := s.next(false) - on; took > most {
		s.t.Errorf("the next one: on for %v", took)
	}
}

const coilMax = 510 * time.Millisecond

// TestCrashInAPulse ends one process in the middle of a pulse: the coil goes off
// in time, and the next opening works.
func TestCrashInAPulse(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		hit    func(*stand)
		most   time.Duration
		drawer bool // goes on
	}{
		"register killed":       {func(s *stand) { _ = s.cmd.Process.Kill() }, 250 * time.Millisecond, false},
		"register terminated":   {func(s *stand) { _ = s.cmd.Process.Signal(unix.SIGTERM) }, 250 * time.Millisecond, false},
		"everybody terminated":  {func(s *stand) { _ = s.cmd.Process.Signal(unix.SIGTERM); _ = unix.Kill(s.owner(), unix.SIGTERM) }, 250 * time.Millisecond, false},
		"drawer process killed": {func(s *stand) { _ = unix.Kill(s.owner(), unix.SIGKILL) }, coilMax, true},
		"drawer process hangs":  {func(s *stand) { _ = unix.Kill(s.owner(), unix.SIGSTOP) }, coilMax, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			took := time.Hour
			for tries := 0; took > x.most && tries < 5; tries++ { // a busy machine may be late, but not always
				s := newStand(t)
				s.press("n")
				on := s.next(true)
				time.Sleep(20 * time.Millisecond) // in the middle
				x.hit(s)
				took = s.next(false) - on
				t.Logf("on for %v", took)
				if x.drawer {
					s.worksAgain(x.most)
				}
			}
			if took > x.most {
				t.Errorf("on for %v, at most %v", took, x.most)
			}
		})
	}
}

// TestStartSwitchesOff: a start switches off what a crash left on before all
// that can take long or fail.
func TestStartSwitchesOff(t *testing.T) {
	t.Parallel()
	o, dir := gpioOffice(t, "")
	if err := os.Remove(filepath.Join(dir, "catalog.json")); err != nil {
		t.Fatal(err)
	}
	b := newBank(t, dir)
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Args, cmd.Dir = []string{"regi", "run", "--config", o.config}, dir
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "catalog.file") {
		t.Fatalf("it did not fail: %v, %s", err, out)
	}
	b.next(false)
}

// TestDrawerOnGPIO plays a drawer to the real register: opened by a kick, forced,
// left open.
func TestDrawerOnGPIO(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.press("n")
	s.next(true)
	s.sense(true)
	s.next(false)
	s.await(`"outbox":6,`) // it was opened
	s.sense(false)
	s.await(`"outbox":7,`) // and shut
	if s.said.has("D01") || s.said.has("D02") {
		t.Error("not opened by its kick")
	}
	for tries := 0; tries < 10 && !s.said.has(`"D02"`); tries++ { // as a bounce on a busy machine
		s.sense(true) // and shut again before anybody looks
		time.Sleep(60 * time.Millisecond)
		s.sense(false)
		for until := time.Now().Add(3 * time.Second); !s.said.has(`"D02"`) && time.Now().Before(until); {
			time.Sleep(5 * time.Millisecond)
		}
	}
	s.await(`"D02"`)
	s.press("n")
	s.next(true)
	s.next(false)
	s.next(true)
	s.next(false)
	s.await(`"D01"`)
	s.sense(true) // with the key
	s.await(`"D03"`)
}

// TestCheckDrawer asks "regi check" about the drawer, and opens it only if told.
func TestCheckDrawer(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		args  []string
		plays func(*bank)
		none  bool // no such lines
		want  string
	}{
		"looks":        {nil, func(*bank) {}, false, "ok    drawer   on KICK and SENSE: the switch says closed"},
		"opens":        {[]string{"--open-drawer"}, func(b *bank) { b.next(true); b.sense(true) }, false, "ok    drawer   on KICK and SENSE: kicked, and the switch saw it open"},
		"does not":     {[]string{"--open-drawer"}, func(b *bank) { b.next(true); b.next(true) }, false, "FAIL  drawer   drawer: kicked: drawer did not open: open it with its key"},
		"has no lines": {nil, func(*bank) {}, true, "FAIL  drawer   drawer.kick or drawer.sense cannot be used: board: \"KICK\": no such GPIO line: compare drawer.kick"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, dir := gpioOffice(t, "")
			if !x.none {
				go x.plays(newBank(t, dir))
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			cmd := exec.CommandContext(ctx, "/proc/self/exe")
			cmd.Args, cmd.Dir = append([]string{"regi", "check", "--config", o.config}, x.args...), dir
			out, err := cmd.StdoutPipe()
			if err == nil {
				err = cmd.Start()
			}
			if err != nil {
				t.Fatal(err)
			}
			said := ""
			for lines := bufio.NewScanner(out); lines.Scan() && !strings.Contains(said, " drawer "); {
				said = lines.Text() // other checks fail here
			}
			cancel()
			_ = cmd.Wait()
			if !strings.HasPrefix(said, x.want) {
				t.Errorf("%s\nwant %s", said, x.want)
			}
		})
	}
}
