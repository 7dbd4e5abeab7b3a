package power_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"regi/sim/counter/stand"
	"regi/sim/device/power"
)

// supply turns on a fake register of a manner.
func supply(t *testing.T, o power.Options) (*power.Power, *stand.Log) {
	t.Helper()
	log := &stand.Log{}
	o.Log = log
	p := power.New(o)
	t.Cleanup(p.Close)
	if err := p.On(); err != nil {
		t.Fatal(err)
	}
	return p, log
}

// patience bounds every wait for something that must happen.
const patience = 30 * time.Second

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for begin := time.Now(); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Since(begin) > patience {
			t.Fatalf("gave up waiting for %s", what)
		}
	}
}

// ready waits until all three processes run and the register has spoken.
func ready(t *testing.T, p *power.Power) power.RegisterState {
	t.Helper()
	until(t, "three roles and a state", func() bool { s := p.State(); return len(s.Roles) == 3 && s.Till == "IDLE" })
	return p.State()
}

func TestStateIsTheRegistersOwnWords(t *testing.T) {
	t.Parallel()
	o := options("steady")
	changes := make(chan struct{}, 100)
	o.Changed = func() { changes <- struct{}{} }
	p, log := supply(t, o)
	s := ready(t, p)
	if !s.On || s.PID == 0 || s.Roles["register"] != s.PID || s.Outbox != 3 || s.Acked != 4 || s.Head != 7 || !s.Cloud {
		t.Errorf("state %+v", s)
	}
	want := map[string]string{"scanner": "up", "printer": "paper out", "card": "up", "keypad": "up", "display": "", "customer": "", "console": ""}
	if !maps.Equal(s.Devices, want) {
		t.Errorf("devices %v, want %v", s.Devices, want)
	}
	if len(changes) < 2 { // the start, the state line
		t.Errorf("%d changes were told", len(changes))
	}
	until(t, "log", func() bool { return log.String() == idle })
}

// TestCutLeavesNothing: the children of "orphans" do not die with their parent,
// and those of "strays" have even left its process group.
func TestCutLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, manner := range []string{"steady", "orphans", "strays", "stubborn"} {
		p, _ := supply(t, options(manner))
		for range 3 {
			before := ready(t, p)
			if err := p.On(); err != nil { // a second On is none
				t.Fatal(err)
			}
			p.Cut()
			for role, pid := range before.Roles {
				if alive(pid) {
					t.Fatalf("%s: %s outlives the cut", manner, role)
				}
			}
			s := p.State()
			if s.On || s.PID != 0 || len(s.Roles) != 0 || s.Till != power.TillOff || s.Outbox != 0 || s.Head != 0 || s.Cloud || len(s.Devices) != 0 {
				t.Fatalf("%s: state after the cut %+v", manner, s)
			}
			if s.LastExit != "signal: killed" || s.Restarts != 0 {
				t.Fatalf("%s: %d restarts, last exit %q", manner, s.Restarts, s.LastExit)
			}
			p.Cut() // of no power
			if err := p.On(); err != nil {
				t.Fatal(err)
			}
			if s := p.State(); s.PID == before.PID {
				t.Fatalf("%s: the same process runs on", manner)
			}
		}
		p.Cut()
	}
}

func TestDeadRegisterStartsAgain(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	p, log := supply(t, options("dies"))
	var s power.RegisterState
	until(t, "its death", func() bool { s = p.State(); return s.Till == power.TillDown })
	if !s.On || s.PID != 0 || s.LastExit != "exit status 3" || len(s.Devices) != 0 || s.Head != 0 {
		t.Errorf("state of a dead register %+v", s)
	}
	until(t, "a restart", func() bool { return p.State().Restarts >= 1 })
	if took := time.Since(begin); took < time.Second {
		t.Errorf("restarted after %v", took)
	}
	until(t, "second life", func() bool { return strings.Count(log.String(), `"msg":"state"`) >= 2 })
	p.Cut()
	if s := p.State(); s.Till != power.TillOff || s.On {
		t.Errorf("state after a cut between two lives %+v", s)
	}
}

func TestKill(t *testing.T) {
	t.Parallel()
	p, _ := supply(t, options("orphans"))
	before := ready(t, p)
	if err := p.Kill("capture"); err != nil {
		t.Fatal(err)
	}
	until(t, "its end", func() bool { return !alive(before.Roles["capture"]) })
	if !alive(before.Roles["uplink"]) || !alive(before.PID) {
		t.Fatal("others died with the capture process")
	}
	if err := p.Kill("capture"); err == nil {
		t.Error("a process that is gone was killed again")
	}
	if err := p.Kill("cashier"); err == nil || !strings.Contains(err.Error(), "uplink") {
		t.Errorf("kill of no role: %v", err)
	}
	if err := p.Kill("register"); err != nil {
		t.Fatal(err)
	}
	until(t, "a restart", func() bool { return p.State().Restarts == 1 })
	if alive(before.Roles["uplink"]) {
		t.Error("the uplink outlived its register")
	}
	if after := ready(t, p); after.PID == before.PID || after.LastExit != "signal: killed" {
		t.Errorf("after the kill %+v", after)
	}
	p.Cut()
	if err := p.Kill("register"); err == nil {
		t.Error("a register without power was killed")
	}
}

func TestCloseInOrder(t *testing.T) {
	t.Parallel()
	p, _ := supply(t, options("steady"))
	s := ready(t, p)
	p.Close()
	if got := p.State(); got.LastExit != "exit status 0" || got.On {
		t.Errorf("state after close %+v", got)
	}
	for role, pid := range s.Roles {
		if alive(pid) {
			t.Errorf("%s outlives the supply", role)
		}
	}
	if err := p.On(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("on after close: %v", err)
	}
}

func TestCloseByForce(t *testing.T) {
	t.Parallel()
	p, _ := supply(t, options("stubborn"))
	s := ready(t, p)
	begin := time.Now()
	p.Close()
	if took := time.Since(begin); took < 4*time.Second || took > lifetime {
		t.Errorf("close of a stubborn register took %v", took)
	}
	for role, pid := range s.Roles {
		if alive(pid) {
			t.Errorf("%s outlives the supply", role)
		}
	}
}

func TestBinaryThatIsMissing(t *testing.T) {
	t.Parallel()
	p := power.New(power.Options{Path: "/nonexistent/regi"})
	t.Cleanup(p.Close)
	if err := p.On(); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("on: %v", err)
	}
	if s := p.State(); s.On || s.Till != power.TillOff {
		t.Errorf("state %+v", s)
	}
}

func TestCardKeyIsInheritedEachTime(t *testing.T) {
	t.Parallel()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "hsm"), os.NewFile(uintptr(fds[1]), "key") //nolint:gosec // descriptors
	defer ours.Close()                                                                     //nolint:errcheck // test's end
	defer theirs.Close()                                                                   //nolint:errcheck // test's end
	go func() {
		b := make([]byte, 8)
		for {
			n, err := ours.Read(b)
			if err != nil || string(b[:n]) != "K" {
				return
			}
			ours.Write(make([]byte, 24)) //nolint:errcheck,gosec // the log tells
		}
	}()
	o := options("key")
	o.Env = []string{"REGI_CARD_KEY_FD=9"} // an old one must not get through
	o.CardKey = theirs
	p, log := supply(t, o)
	for life := 1; life <= 2; life++ {
		until(t, fmt.Sprintf("key number %d", life), func() bool {
			return strings.Count(log.String(), "key of 24 bytes, <nil>") == life
		})
		p.Cut()
		if life == 2 {
			break
		}
		if err := p.On(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNoCardKey: a number in the simulator's own environment is not the register's.
func TestNoCardKey(t *testing.T) {
	t.Parallel()
	o := options("key")
	o.Env = []string{"REGI_CARD_KEY_FD=3"}
	p, log := supply(t, o)
	until(t, "what the register was given", func() bool { return strings.Contains(log.String(), `REGI_CARD_KEY_FD is ""`) })
	p.Cut()
}

func TestLongLineIsCutAndTheNextIsRead(t *testing.T) {
	t.Parallel()
	p, log := supply(t, options("noisy"))
	ready(t, p)
	until(t, "log", func() bool { return strings.HasSuffix(log.String(), idle) })
	long, _, _ := strings.Cut(log.String(), "\n")
	if want := strings.Repeat("x", 64<<10) + "…"; long != want {
		t.Errorf("the long line has %d bytes in the log, want %d", len(long), len(want))
	}
}

func TestAwait(t *testing.T) {
	t.Parallel()
	p, _ := supply(t, options("steady"))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := p.Await(ctx, "scanner"); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := p.Await(short, "printer"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a printer without paper: %v", err)
	}
}

// TestNothingSurvivesTheSimulator kills the process that holds the supply.
func TestNothingSurvivesTheSimulator(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	sim := exec.CommandContext(t.Context(), self, "fake-simulator")
	out, err := sim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := sim.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "on"; {
		pid, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatal(lines.Text())
		}
		pids = append(pids, pid)
	}
	if len(pids) != 3 {
		t.Fatalf("processes %v, want 3", pids)
	}
	for _, pid := range pids {
		if !alive(pid) {
			t.Fatalf("process %d did not live", pid)
		}
	}
	if err := sim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	sim.Wait() //nolint:errcheck,gosec // killed
	for _, pid := range pids {
		until(t, "the end of the register's processes", func() bool { return !alive(pid) })
	}
}

// TestSwitchFromAllSides turns the power from many hands under the race
// detector; at the end the switch must still work.
func TestSwitchFromAllSides(t *testing.T) {
	t.Parallel()
	p, _ := supply(t, options("steady"))
	var hands sync.WaitGroup
	for i := range 8 {
		hands.Go(func() {
			for range 3 {
				switch i % 4 {
				case 0:
					p.Cut()
				case 1:
					if err := p.On(); err != nil {
						t.Error(err)
					}
				case 2:
					p.Kill("register") //nolint:errcheck,gosec // it may be off
				default:
					p.State()
				}
			}
		})
	}
	hands.Wait()
	p.Cut()
	if err := p.On(); err != nil {
		t.Fatal(err)
	}
	ready(t, p)
}
