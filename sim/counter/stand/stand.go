// Package stand runs the whole simulator, with its register, for the tests that
// stand in front of it: it builds the commands, starts and stops them, makes the
// calls of the page and waits for what must come of them.
package stand

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"
)

// Patience is how long anything may take on a busy machine.
const Patience = time.Minute

// Commands are the paths of the programs that a counter is made of.
type Commands struct{ Sim, Regi string }

// Build builds the commands into a folder, as go test builds: from the same cache.
func Build(dir string) (Commands, error) {
	c := Commands{Sim: filepath.Join(dir, "sim"), Regi: filepath.Join(dir, "regi")}
	for path, pkg := range map[string]string{c.Sim: "regi/sim", c.Regi: "regi/firmware"} {
		build := exec.CommandContext(context.Background(), "go", "build", "-o", path, pkg) //nolint:gosec // words of ours
		build.Env = append(os.Environ(), "GOEXPERIMENT=runtimesecret", "CGO_ENABLED=0")
		if said, err := build.CombinedOutput(); err != nil {
			return c, fmt.Errorf("stand: build %s: %w\n%s", pkg, err, said)
		}
	}
	return c, nil
}

// Counter is one running simulator with its register.
type Counter struct {
	URL, Dir string
	Log      *Log // what the simulator and its processes printed
	t        testing.TB
	cmd      *exec.Cmd
}

// Start runs a counter in a folder and waits for its address. When the test
// ends, so does the counter; what it printed is shown if the test failed.
func (c Commands) Start(t testing.TB, dir string, args ...string) *Counter {
	t.Helper()
	s := &Counter{Dir: dir, Log: &Log{}, t: t}
	args = append([]string{"--dir", dir, "--http", "127.0.0.1:0", "--regi", c.Regi}, args...)
	s.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), c.Sim, args...) //nolint:gosec // built above
	s.cmd.Stdout, s.cmd.Stderr = s.Log, s.Log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Stop()
		if t.Failed() {
			t.Logf("log:\n%s", s.Log.tail())
		}
	})
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
	s.Await("the counter's address", func() bool {
		s.URL = address.FindString(s.Log.String())
		return s.URL != ""
	})
	return s
}

// PID is the simulator's process.
func (s *Counter) PID() int { return s.cmd.Process.Pid }

// Stopped says that the simulator was stopped.
func (s *Counter) Stopped() bool { return s.cmd.ProcessState != nil }

// Stop ends the simulator in order; a second stop does nothing.
func (s *Counter) Stop() {
	if s.Stopped() {
		return
	}
	s.cmd.Process.Signal(syscall.SIGTERM) //nolint:errcheck,gosec // it may have ended
	late := time.AfterFunc(Patience, func() {
		s.t.Errorf("the simulator did not end within %v of SIGTERM", Patience)
		s.cmd.Process.Kill() //nolint:errcheck,gosec // it may have ended
	})
	s.cmd.Wait() //nolint:errcheck,gosec // ended by a signal
	late.Stop()
}

// Await polls a condition; its name is what was missing.
func (s *Counter) Await(what string, ok func() bool) {
	s.t.Helper()
	s.AwaitWithin(Patience, what, ok)
}

// AwaitWithin is Await with a patience of its own.
func (s *Counter) AwaitWithin(patience time.Duration, what string, ok func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(15 * time.Millisecond) {
		if ok() {
			return
		}
	}
	s.t.Fatalf("gave up waiting for %s\n%s", what, s.Picture())
}
