package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"regi/firmware/boot"
)

// first plays a board's first process at the other end of a register's link.
type first struct {
	mu    sync.Mutex
	asked []boot.Ask
	state boot.State
	steps []boot.SlotState // what becomes of an update
}

func (f *first) serve(link *os.File) {
	packet := make([]byte, 4096)
	for {
		n, err := link.Read(packet)
		if err != nil {
			return
		}
		var a boot.Ask
		if json.Unmarshal(packet[:n], &a) != nil {
			return
		}
		f.mu.Lock()
		if a.Op != boot.OpState {
			f.asked = append(f.asked, a)
		}
		if a.Op == boot.OpState && f.has(boot.OpInstall) && len(f.steps) > 0 {
			f.state.Slot, f.steps = f.steps[0], f.steps[1:]
		}
		answer, err := json.Marshal(f.state)
		f.mu.Unlock()
		if a.Op == boot.OpState && err == nil {
			_, err = link.Write(answer)
		}
		if err != nil {
			return
		}
	}
}

// has is called with mu held.
func (f *first) has(op string) bool {
	for _, a := range f.asked {
		if a.Op == op {
			return true
		}
	}
	return false
}

func (f *first) heard(t *testing.T, op string) boot.Ask {
	t.Helper()
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		f.mu.Lock()
		for _, a := range f.asked {
			if a.Op == op {
				f.mu.Unlock()
				return a
			}
		}
		f.mu.Unlock()
	}
	t.Fatalf("%q was never asked", op)
	return boot.Ask{}
}

// onBoard starts the program as a board's first process does.
func (b *bare) onBoard(f *first, what string) {
	b.t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "link"), os.NewFile(uintptr(fds[1]), "link")
	b.t.Cleanup(func() { ours.Close() })
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{"regi", what, "--config", b.path}
	cmd.Env = append(os.Environ(), boot.LinkEnv)
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.Stderr = &b.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	theirs.Close()
	go f.serve(ours)
	b.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if b.t.Failed() {
			b.t.Logf("log:\n%s\nterminal:\n%s", b.log.String(), b.shown)
		}
	})
	b.until("\nRegi ")
}

// wrongConfig was right once, and names the line of the console.
func (b *bare) wrongConfig(more string) {
	b.t.Helper()
	text := "[register]\nstore = \"0001\"\nid = \"01\"\nstate = \"state\"\n[console]\nport = \"" + b.slave.Name() + "\"\n" + more
	if err := os.WriteFile(b.path, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// TestWrongConfigOnBoard: a board whose configuration is wrong is a console that
// says what is wrong, is alive, and can be repaired with an update from a stick.
func TestWrongConfigOnBoard(t *testing.T) {
	b := newBare(t)
	b.wrongConfig("[cloud]\nurl = \"http://x\"\n[tax]\nrounding = \"floor\"\nprices = \"inclusive\"\n")
	f := &first{
		state: boot.State{Slot: boot.SlotState{Board: "generic", Version: "v1", Slot: "a", Epoch: 1, Floor: 1}},
		steps: []boot.SlotState{
			{Board: "generic", Version: "v1", Slot: "a", Busy: true, Update: "checking"},
			{Board: "generic", Version: "v1", Slot: "a", Busy: true, Update: "writing, 40 %"},
			{Board: "generic", Version: "v1", Slot: "a", Ready: true, Update: "v2 (epoch 1) is written: try it"},
		},
	}
	b.onBoard(f, "run")
	b.until("only tls://host:port is spoken")
	f.heard(t, boot.OpAlive)
	f.heard(t, boot.OpQuiet)
	b.login(false)
	b.say("slot\r")
	b.until("version    v1")
	b.say("update cloud\r")
	b.until("yes to go on")
	b.say("yes\r")
	b.until("the cloud is not known yet")
	b.say("update usb\r")
	b.until("yes to go on")
	b.say("yes\r")
	b.until("writing, 40 %")
	b.until("is written")
	b.until("starts it now")
	if !f.heard(t, boot.OpInstall).Stick {
		t.Error("the update is not taken from the stick")
	}
	f.heard(t, boot.OpTry)
	b.say("reboot\r")
	b.until("yes to go on")
	b.say("yes\r")
	f.heard(t, boot.OpReboot)
}

// TestBelowFloorOnBoard: what the first process starts for a version that may
// not run says so.
func TestBelowFloorOnBoard(t *testing.T) {
	b := newBare(t)
	b.wrongConfig("")
	f := &first{state: boot.State{Slot: boot.SlotState{Board: "generic", Version: "v1", Slot: "a", Epoch: 1, Floor: 2, Fault: "this version may not run here any more: take the newest version"}}}
	b.onBoard(f, "setup")
	b.until("may not run here any more")
	f.heard(t, boot.OpAlive)
}

// TestNoDataOnBoard: without a place for its files a board is a console that
// says so, and takes nothing that it would lose.
func TestNoDataOnBoard(t *testing.T) {
	// Nobody, not even root, can make a folder there.
	s := &setup{path: "/proc/no-data/register.toml", why: errNever, link: &boot.Link{}}
	s.text = []byte("[register]\nstate = \"state\"\n")
	s.begin()
	memory := t.TempDir()
	if err := s.folder(memory); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(s.why.Error(), "nothing that is done here is kept") || !strings.HasPrefix(s.config.Register.State, memory) {
		t.Errorf("%v, state in %s", s.why, s.config.Register.State)
	}
	s.Discard()
	if !strings.HasPrefix(s.config.Register.State, memory) {
		t.Errorf("after a change that is forgotten: state in %s", s.config.Register.State)
	}
	if err := s.lay(&prepared{Config: "x"}); !errors.Is(err, errLost) {
		t.Errorf("laid ready: %v", err)
	}
	if err := (&setup{config: s.config}).folder(memory); err != nil {
		t.Errorf("a folder that can be written: %v", err)
	}
}
