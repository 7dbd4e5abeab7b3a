package role_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"regi/firmware/landlock"
	"regi/firmware/role"
)

// looking is what the children of these tests need to see what they were born
// with.
//
//nolint:gochecknoglobals // a constant
var looking = []landlock.Path{{Path: "/proc", Access: landlock.Read}}

func spawner(t *testing.T) *role.Spawner {
	t.Helper()
	s, err := role.NewSpawner(os.Stderr, role.Spawning{Paths: looking, Keyed: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func spawned(t *testing.T, s *role.Spawner, name string, extra *os.File) *role.Child {
	t.Helper()
	c, err := s.Start(name, extra)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(c) })
	return c
}

func kill(c *role.Child) int {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	return c.Wait(over)
}

// parentOf is the parent of a living process, 0 for any other.
func parentOf(pid int) (parent int) {
	b, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status")) //nolint:errcheck // 0 then
	if _, rest, ok := strings.Cut(string(b), "PPid:"); ok {
		fmt.Sscan(rest, &parent)
	}
	return parent
}

// What the spawner starts is this process's child, born with its link, what it
// was given, the environment of its role, and nothing else.
func TestSpawned(t *testing.T) {
	t.Setenv("REGI_TEST_SECRET", "1")
	s := spawner(t)
	near, far := pair(t)
	hardened := []string{"GODEBUG=asyncpreemptoff=1", "GOTRACEBACK=none"}
	for _, c := range []struct {
		name        string
		extra       *os.File
		env         []string
		descriptors []string
	}{
		{role.Capture, nil, hardened, []string{"0 /dev/null", "1 /dev/null", "2 /dev/null", "3 socket"}},
		{role.Capture, far, hardened, []string{"0 /dev/null", "1 /dev/null", "2 /dev/null", "3 socket", "4 socket"}},
		{role.Uplink, nil, []string{}, []string{"0 /dev/null", "1 /dev/null", "2 " + stderr(t), "3 socket"}},
	} {
		child := spawned(t, s, c.name, c.extra)
		r := ask(t, child)
		if !slices.Equal(r.Descriptors, c.descriptors) {
			t.Errorf("%s: descriptors %q, want %q", c.name, r.Descriptors, c.descriptors)
		}
		if !slices.Equal(r.Env, c.env) || !slices.Equal(r.Args, []string{c.name}) {
			t.Errorf("%s: environment %q, arguments %q", c.name, r.Env, r.Args)
		}
		if parent := parentOf(child.PID()); parent != os.Getpid() {
			t.Errorf("%s: parent %d, want %d", c.name, parent, os.Getpid())
		}
		if c.extra != nil {
			tell(t, child, "key")
			if k := hear(t, near); k != "K" {
				t.Errorf("%q came from descriptor 4", k)
			}
		}
	}
	if _, err := s.Start("regi-other", nil); !errors.Is(err, unix.EINVAL) {
		t.Errorf("a role that is none: %v", err)
	}
}

// A role is told what the spawner was told for it, and no other role is.
func TestSpawnedIsTold(t *testing.T) {
	s, err := role.NewSpawner(os.Stderr, role.Spawning{Paths: looking, Told: map[string]string{role.Capture: `{"a":1}`}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	want := []string{"GODEBUG=asyncpreemptoff=1", "GOTRACEBACK=none", role.TellEnv(`{"a":1}`)}
	for range 2 { // the table is as it was
		if r := ask(t, spawned(t, s, role.Capture, nil)); !slices.Equal(r.Env, want) {
			t.Errorf("environment %q, want %q", r.Env, want)
		}
	}
	if r := ask(t, spawned(t, s, role.Uplink, nil)); len(r.Env) > 0 {
		t.Errorf("the uplink: %q", r.Env)
	}
}

// stderr is what this process's standard error is, as report names it.
func stderr(t *testing.T) string {
	t.Helper()
	to, err := os.Readlink("/proc/self/fd/2")
	if err != nil {
		t.Fatal(err)
	}
	kind, _, _ := strings.Cut(to, ":")
	return kind
}

func TestSpawnedEnds(t *testing.T) {
	s := spawner(t)
	c := spawned(t, s, role.Capture, nil)
	tell(t, c, "exit 12")
	if code := c.Wait(t.Context()); code != 12 {
		t.Errorf("code %d, want 12", code)
	}
	for range 12 { // more than may live at once: those that ended do not count
		c = spawned(t, s, role.Uplink, nil)
		ask(t, c)
		if err := syscall.Kill(c.PID(), syscall.SIGSTOP); err != nil { // it ends by itself no more
			t.Fatal(err)
		}
		if code := kill(c); code != -1 || !gone(c.PID()) {
			t.Errorf("code %d, gone: %v", code, gone(c.PID()))
		}
		kill(c) // once more does no harm
	}
	c = spawned(t, s, role.Capture, nil)
	tell(t, c, "violate")
	if code := c.Wait(t.Context()); code != role.Violation {
		t.Errorf("code %d of a forbidden system call", code)
	}
}

func TestSpawnerIsBounded(t *testing.T) {
	s := spawner(t)
	for range 8 {
		spawned(t, s, role.Uplink, nil)
	}
	if _, err := s.Start(role.Uplink, nil); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("a ninth child: %v", err)
	}
}

// The end of the spawner is told, and is the end of its children and of starting.
func TestSpawnerEnds(t *testing.T) {
	s := spawner(t)
	c := spawned(t, s, role.Uplink, nil)
	ask(t, c)
	if err := syscall.Kill(s.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(t.Context()); err == nil {
		t.Error("its end is no error")
	}
	if _, err := s.Start(role.Uplink, nil); err == nil {
		t.Error("started without it")
	}
	orphan, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	if code := c.Wait(orphan); code != -1 || !gone(c.PID()) { // by its death signal
		t.Errorf("code %d", code)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := spawner(t).Wait(over); err != nil {
		t.Errorf("the end of the context: %v", err)
	}
}

// A terminal's interrupt does not end it, and is not ignored by its children.
func TestSpawnerSurvivesInterrupt(t *testing.T) {
	s := spawner(t)
	spawned(t, s, role.Uplink, nil) // it is up
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if err := syscall.Kill(s.PID(), sig); err != nil {
			t.Fatal(err)
		}
	}
	c := spawned(t, s, role.Uplink, nil)
	ask(t, c)
	if err := syscall.Kill(c.PID(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := c.Wait(t.Context()); code == 0 {
		t.Errorf("code %d", code)
	}
}

// Nothing outlives the register: neither what the spawner started nor itself.
func TestAllDieWithTheRegister(t *testing.T) {
	parent := exec.CommandContext(t.Context(), "/proc/self/exe")
	parent.Args = []string{spawningRole}
	out, err := parent.StdoutPipe()
	if err == nil {
		err = parent.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	if err := json.NewDecoder(out).Decode(&pids); err != nil || len(pids) != 3 {
		t.Fatalf("%v, %v", pids, err)
	}
	for _, pid := range pids {
		if parentOf(pid) != parent.Process.Pid {
			t.Errorf("process %d has the parent %d", pid, parentOf(pid))
		}
		// Stopped, none can notice by itself that its link is gone.
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Error(err)
		}
	}
	if err := parent.Process.Kill(); err != nil {
		t.Error(err)
	}
	parent.Wait() //nolint:errcheck,gosec // it was killed
	for _, pid := range pids {
		await(t, "a child's end", func() bool {
			b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
			return err != nil || len(b) == 0 // gone, or a zombie that nobody waits for
		})
	}
}

// spawningMain is a parent that waits to be killed.
func spawningMain() int {
	s, err := role.NewSpawner(os.Stderr, role.Spawning{Paths: looking, Keyed: true})
	if err != nil {
		return 1
	}
	pids := []int{s.PID()}
	for _, name := range []string{role.Capture, role.Uplink} {
		c, err := s.Start(name, nil)
		if err != nil {
			return 2
		}
		if _, err := c.Link.WriteString("report"); err != nil { // it was born, and says so
			return 3
		}
		if _, err := c.Link.Read(make([]byte, packetMax)); err != nil {
			return 4
		}
		pids = append(pids, c.PID())
	}
	if err := json.NewEncoder(os.Stdout).Encode(pids); err != nil {
		return 5
	}
	select {}
}

// openTestLine opens a file by its name.
func openTestLine(line json.RawMessage) (*os.File, error) {
	var path string
	if err := json.Unmarshal(line, &path); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_RDWR, 0)
}

// What a register asks for by name comes as a descriptor; what is not among the
// lines, or cannot be opened, is an error with its reason. A card process gets a
// source of keys only where there was one from the start.
func TestLines(t *testing.T) {
	text := func(path string) json.RawMessage { return json.RawMessage(strconv.Quote(path)) }
	s, err := role.NewSpawner(os.Stderr, role.Spawning{
		Paths: []landlock.Path{{Path: "/dev", Access: landlock.Device}},
		Lines: map[string]json.RawMessage{"null": text(os.DevNull), "gone": text("/dev/none"), "secret": text("/etc/passwd")},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	for range 3 {
		f, err := s.Open("null")
		if err != nil {
			t.Fatal(err)
		}
		if to, _ := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", f.Fd())); to != os.DevNull {
			t.Errorf("it is %q", to)
		}
		f.Close()
	}
	for line, want := range map[string]error{"gone": os.ErrNotExist, "card": os.ErrNotExist, "secret": os.ErrPermission} {
		if line == "secret" && (os.Geteuid() != 0 || slices.ContainsFunc(s.Controls, func(c role.Control) bool { return c.Name == "landlock" && c.Err != nil })) {
			continue // not root, or a binary with a C library: no domain refuses it
		}
		if f, err := s.Open(line); !errors.Is(err, want) {
			t.Errorf("%s: %v, %v", line, f, err)
		}
	}
	_, far := pair(t)
	if _, err := s.Start(role.Capture, far); !errors.Is(err, unix.EPERM) {
		t.Errorf("a card process with a source of keys: %v", err)
	}
	spawned(t, s, role.Capture, nil)
}

// TestLateAnswer: a line that the spawner opens after the register has given it
// up does not come as another one: the printer's for the scanner's.
func TestLateAnswer(t *testing.T) {
	ours, far, err := role.Pair()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	defer far.Close()
	s := role.Impatient(ours, 50*time.Millisecond, "printer", "scanner")
	if f, err := s.Open("printer"); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%v, %v", f, err)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	raw, err := far.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		unix.Sendmsg(int(fd), make([]byte, 8), unix.UnixRights(int(null.Fd())), nil, unix.MSG_NOSIGNAL) //nolint:errcheck // a link that has ended is right
	}); err != nil {
		t.Fatal(err)
	}
	if f, err := s.Open("scanner"); err == nil {
		f.Close()
		t.Error("the printer's line came as the scanner's")
	}
}
