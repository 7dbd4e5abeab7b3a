package role_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"regi/firmware/role"
	"regi/firmware/seccomp"
)

const (
	patience = 30 * time.Second
	// parentRole is a process that starts a child and waits to be killed.
	parentRole = "role-test-parent"
	// spawningRole is one that has a spawner.
	spawningRole = "role-test-spawning"
	packetMax    = 8192
)

func TestMain(m *testing.M) {
	switch os.Args[0] {
	case role.Capture, role.Uplink:
		os.Exit(childMain())
	case role.Spawn:
		if role.SpawnMain(openTestLine) != nil {
			os.Exit(1)
		}
		os.Exit(0)
	case parentRole:
		os.Exit(parentMain())
	case spawningRole:
		os.Exit(spawningMain())
	case registerRole:
		os.Exit(registerMain())
	case uplinkRole:
		os.Exit(uplinkMain())
	case spawnRole:
		os.Exit(spawnMain())
	}
	os.Exit(m.Run())
}

// report is what a child finds itself born with.
type report struct {
	Args, Env       []string
	Descriptors     []string
	Before, After   int // no_new_privs, before and after Born
	Directory, Said string
}

// childMain does what its parent says, until the link ends.
func childMain() int {
	var r report
	for fd := range 256 { // before this process opens anything itself
		to, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
		if err != nil || strings.HasPrefix(to, "/sys/fs/cgroup/") { // the Go runtime opens its CPU limit at once
			continue
		}
		kind, _, _ := strings.Cut(to, ":")
		r.Descriptors = append(r.Descriptors, fmt.Sprint(fd, " ", kind))
	}
	link, err := role.Link(role.LinkFD)
	if err != nil {
		return 100
	}
	for {
		b := make([]byte, packetMax)
		n, err := link.Read(b)
		if err != nil {
			return 0
		}
		word, value, _ := strings.Cut(string(b[:n]), " ")
		switch word {
		case "exit":
			code, _ := strconv.Atoi(value) //nolint:errcheck // 0 then, and the test fails
			return code
		case "say": // so many packets, then the end
			count, _ := strconv.Atoi(value) //nolint:errcheck // 0 then, and the test fails
			for i := range count {
				fmt.Fprint(link, i) //nolint:errcheck // the test misses it
			}
			return 7
		case "violate":
			err := seccomp.Enter(seccomp.Rules(seccomp.Kill, unix.SYS_GETPRIORITY), seccomp.Allow)
			if err != nil {
				return 103
			}
			unix.Getpriority(unix.PRIO_PROCESS, 0) //nolint:errcheck,gosec // it does not return
		case "key":
			key, err := role.Link(role.KeyFD)
			if err != nil {
				return 101
			}
			key.WriteString("K") //nolint:errcheck,gosec // the test misses it
		case "report":
			r.fill()
			text, err := json.Marshal(r)
			if err != nil {
				return 102
			}
			link.Write(text) //nolint:errcheck,gosec // the test misses it
		}
	}
}

func (r *report) fill() {
	r.Args, r.Env = os.Args, os.Environ()
	r.Before, _ = unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) //nolint:errcheck // 0 then
	if err := role.Born(); err != nil {
		r.Said = err.Error()
	}
	r.After, _ = unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) //nolint:errcheck // 0 then
}

func parentMain() int {
	c, err := role.Start(role.Uplink, nil, nil, nil)
	if err != nil {
		return 1
	}
	fmt.Fprintln(os.Stdout, c.PID()) //nolint:errcheck // the test misses it
	return c.Wait(context.Background())
}

func start(t *testing.T, name string, extra *os.File, env []string, stderr io.Writer) *role.Child {
	t.Helper()
	c, err := role.Start(name, extra, env, stderr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		over, cancel := context.WithCancel(context.Background())
		cancel()
		c.Wait(over)
	})
	return c
}

func tell(t *testing.T, c *role.Child, what string) {
	t.Helper()
	if _, err := c.Link.WriteString(what); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, link *os.File) string {
	t.Helper()
	if err := link.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, packetMax)
	n, err := link.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func ask(t *testing.T, c *role.Child) (r report) {
	t.Helper()
	tell(t, c, "report")
	if err := json.Unmarshal([]byte(hear(t, c.Link)), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// gone reports whether no process has this id any more.
func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("gave up waiting for %s", what)
		}
	}
}

func TestOf(t *testing.T) {
	for argv0, want := range map[string]string{
		role.Capture: role.Capture, role.Uplink: role.Uplink, role.Spawn: role.Spawn, "": "", "regi": "", "/usr/bin/regi-capture": "", "regi-hsm": "",
	} {
		if got := role.Of(argv0); got != want {
			t.Errorf("%q: %q", argv0, got)
		}
	}
}

// A child is born with its link, what it was given, and nothing else: not a
// descriptor that this process was born with, not an environment.
func TestBornWith(t *testing.T) {
	t.Setenv("REGI_TEST_SECRET", "1")
	// As a descriptor that came from this process's own parent: it survives exec.
	inherited, err := unix.Open(os.DevNull, unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	high, err := unix.FcntlInt(uintptr(inherited), unix.F_DUPFD, 200)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(inherited) //nolint:errcheck // only for its number
	defer unix.Close(high)      //nolint:errcheck // only for its number
	near, far := pair(t)
	plain := []string{"0 /dev/null", "1 /dev/null", "2 /dev/null", "3 socket"}
	for _, c := range []struct {
		name        string
		extra       *os.File
		env         []string
		descriptors []string
	}{
		{role.Uplink, nil, nil, plain},
		{role.Uplink, nil, []string{}, plain},
		{role.Capture, far, []string{"GODEBUG=asyncpreemptoff=1", "GOTRACEBACK=none"}, append(slices.Clone(plain), "4 socket")},
	} {
		child := start(t, c.name, c.extra, c.env, nil)
		r := ask(t, child)
		if !slices.Equal(r.Descriptors, c.descriptors) {
			t.Errorf("%s: descriptors %q, want %q", c.name, r.Descriptors, c.descriptors)
		}
		if !slices.Equal(r.Env, c.env) {
			t.Errorf("%s: environment %q, want %q", c.name, r.Env, c.env)
		}
		if !slices.Equal(r.Args, []string{c.name}) {
			t.Errorf("%s: arguments %q", c.name, r.Args)
		}
		if c.extra != nil {
			tell(t, child, "key")
			if k := hear(t, near); k != "K" {
				t.Errorf("%q came from descriptor 4", k)
			}
		}
		if r.After != 1 || r.Said != "" {
			t.Errorf("%s: no_new_privs %d, then %d: %s", c.name, r.Before, r.After, r.Said)
		}
	}
}

func pair(t *testing.T) (near, far *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	near, far = os.NewFile(uintptr(fds[0]), "near"), os.NewFile(uintptr(fds[1]), "far")
	t.Cleanup(func() {
		if err := errors.Join(near.Close(), far.Close()); err != nil {
			t.Error(err)
		}
	})
	return near, far
}

// The link keeps the borders of packets, in both directions.
func TestLinkKeepsPackets(t *testing.T) {
	c := start(t, role.Uplink, nil, nil, nil)
	for range 3 {
		tell(t, c, "report")
	}
	for range 3 {
		if text := hear(t, c.Link); !json.Valid([]byte(text)) {
			t.Errorf("%q", text)
		}
	}
}

func TestLinkRefused(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // only read
	for what, fd := range map[string]int{"a file": int(f.Fd()), "nothing": 999} {
		if link, err := role.Link(fd); err == nil {
			t.Errorf("%s: %v", what, link)
		}
	}
}

func TestStderr(t *testing.T) {
	var log bytes.Buffer
	c := start(t, role.Uplink, nil, []string{"GOTRACEBACK=single"}, &log)
	ask(t, c) // it is up, and handles signals
	if err := syscall.Kill(c.PID(), syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	if code := c.Wait(t.Context()); code != 2 || !strings.Contains(log.String(), "SIGQUIT") {
		t.Errorf("code %d, log %q", code, log.String())
	}
}

func TestExitCodes(t *testing.T) {
	for _, want := range []int{0, 1, 10, 255} {
		c := start(t, role.Capture, nil, nil, nil)
		tell(t, c, "exit "+strconv.Itoa(want))
		if code := c.Wait(t.Context()); code != want {
			t.Errorf("code %d, want %d", code, want)
		}
	}
	c := start(t, role.Capture, nil, nil, nil)
	if err := syscall.Kill(c.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if code := c.Wait(t.Context()); code != -1 {
		t.Errorf("code %d of a killed child", code)
	}
	// The end of the link is the end of a child.
	c = start(t, role.Capture, nil, nil, nil)
	if err := c.Link.Close(); err != nil {
		t.Fatal(err)
	}
	if code := c.Wait(t.Context()); code != 0 {
		t.Errorf("code %d without a link", code)
	}
}

func TestWaitEndsWithContext(t *testing.T) {
	c := start(t, role.Uplink, nil, nil, nil)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if code := c.Wait(ctx); code != -1 || !gone(c.PID()) {
		t.Errorf("code %d, gone: %v", code, gone(c.PID()))
	}
	if _, err := c.Link.Write([]byte("x")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the link is open: %v", err)
	}
}

// A child dies with its parent, however that ends.
func TestDiesWithItsParent(t *testing.T) {
	parent := exec.CommandContext(t.Context(), "/proc/self/exe")
	parent.Args = []string{parentRole}
	out, err := parent.StdoutPipe()
	if err == nil {
		err = parent.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscanln(out, &pid); err != nil {
		t.Fatal(err)
	}
	line := func() string {
		b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
		if err != nil {
			return ""
		}
		return string(b)
	}
	if line() != role.Uplink+"\x00" {
		t.Errorf("%q runs", line())
	}
	// Stopped, it cannot notice by itself that its link is gone.
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Error(err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Error(err)
	}
	parent.Wait() //nolint:errcheck,gosec // it was killed
	await(t, "the child's end", func() bool { return line() == "" })
}

// The death signal is sent when the thread that forked ends; a child lives on
// when the goroutine that started it does not.
func TestOutlivesTheThread(t *testing.T) {
	started := make(chan *role.Child)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		c, err := role.Start(role.Uplink, nil, nil, nil)
		if err != nil {
			t.Error(err)
		}
		started <- c
	}()
	c := <-started
	for range 20 {
		ask(t, c)
		time.Sleep(time.Millisecond)
	}
	tell(t, c, "exit 9")
	if code := c.Wait(t.Context()); code != 9 {
		t.Errorf("code %d", code)
	}
}

// keeper is a Keep under test; each child says its life on a channel.
type keeper struct {
	served chan *role.Child
	ended  chan int
	done   chan struct{}
	cancel context.CancelFunc
}

func keep(t *testing.T, serve func(context.Context, *role.Child)) *keeper {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	k := &keeper{served: make(chan *role.Child, 16), ended: make(chan int, 16), done: make(chan struct{}), cancel: cancel}
	begin := func() (*role.Child, error) { return role.Start(role.Capture, nil, nil, nil) }
	go func() {
		defer close(k.done)
		role.Keep(ctx, begin, func(ctx context.Context, c *role.Child) {
			k.served <- c
			serve(ctx, c)
		}, func(code int, err error) {
			if err != nil {
				t.Error(err)
			}
			k.ended <- code
		})
	}()
	t.Cleanup(k.stop)
	return k
}

func (k *keeper) stop() {
	k.cancel()
	<-k.done
}

func next[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatal("nothing happens")
	}
	return v
}

// drain reads the link until it ends.
func drain(_ context.Context, c *role.Child) {
	io.Copy(io.Discard, c.Link) //nolint:errcheck,gosec // its end is all that counts
}

func TestKeepRestarts(t *testing.T) {
	k := keep(t, drain)
	first := next(t, k.served)
	killed := time.Now()
	if err := syscall.Kill(first.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if code := next(t, k.ended); code != -1 {
		t.Errorf("code %d of a killed child", code)
	}
	second := next(t, k.served)
	if pause := time.Since(killed); second.PID() == first.PID() || pause < 90*time.Millisecond {
		t.Errorf("process %d after %d, %v later", second.PID(), first.PID(), pause)
	}
	tell(t, second, "exit 12")
	if code := next(t, k.ended); code != 12 {
		t.Errorf("code %d, want 12", code)
	}
	third := next(t, k.served)
	if k.stop(); !gone(third.PID()) {
		t.Error("a child runs on after the context")
	}
	if len(k.ended) != 0 {
		t.Error("the end of the context was told as a failure")
	}
}

// A child that nobody serves any more is killed.
func TestKeepKillsUnserved(t *testing.T) {
	k := keep(t, func(context.Context, *role.Child) {})
	c := next(t, k.served)
	if code := next(t, k.ended); code != -1 || !gone(c.PID()) {
		t.Errorf("code %d, gone: %v", code, gone(c.PID()))
	}
}

// What a child said before it ended is heard, although it is dead by then.
func TestKeepHearsLastWords(t *testing.T) {
	const words = 50
	heard := make(chan int, 1)
	k := keep(t, func(_ context.Context, c *role.Child) {
		tell(t, c, "say "+strconv.Itoa(words))
		for end := time.Now().Add(patience); !gone(c.PID()) && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(10 * time.Millisecond) // for who waits for it to act
		n, b := 0, make([]byte, packetMax)
		for ; n <= words; n++ {
			if _, err := c.Link.Read(b); err != nil {
				break
			}
		}
		select {
		case heard <- n:
		default: // of the next child
		}
	})
	if n := next(t, heard); n != words {
		t.Errorf("%d of %d packets", n, words)
	}
	if code := next(t, k.ended); code != 7 {
		t.Errorf("code %d", code)
	}
}

// A child that started but could not be told what to do does not run on.
func TestKeepKillsHalfStarted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	failed := errors.New("no words for it")
	pid := 0
	role.Keep(ctx, func() (*role.Child, error) {
		c, err := role.Start(role.Capture, nil, nil, nil)
		if err != nil {
			t.Error(err)
		}
		pid = c.PID()
		return c, failed
	}, func(context.Context, *role.Child) {
		t.Error("served")
	}, func(code int, err error) {
		if code != -1 || !errors.Is(err, failed) {
			t.Errorf("code %d, %v", code, err)
		}
		cancel()
	})
	if pid == 0 || !gone(pid) {
		t.Errorf("process %d runs on", pid)
	}
}

// The pauses double to their limit; after a steady life they start again.
func TestBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		failed := errors.New("not today")
		var pauses []time.Duration
		var last time.Time
		starts := 0
		role.Keep(ctx, func() (*role.Child, error) {
			if starts++; starts > 1 {
				pauses = append(pauses, time.Since(last))
			}
			if starts == 9 {
				time.Sleep(11 * time.Second)
			}
			return nil, failed
		}, nil, func(code int, err error) {
			if code != -1 || !errors.Is(err, failed) {
				t.Errorf("code %d, %v", code, err)
			}
			if last = time.Now(); starts == 12 {
				cancel()
			}
		})
		const ms = time.Millisecond
		want := []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 2000 * ms, 2000 * ms, 2000 * ms, 100 * ms, 200 * ms, 400 * ms}
		if !slices.Equal(pauses, want) {
			t.Errorf("%v, want %v", pauses, want)
		}
	})
}

// Keep does not outlive its context in a pause, nor start under a dead one.
func TestKeepEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		starts, began := 0, time.Now()
		begin := func() (*role.Child, error) { starts++; return nil, errors.New("no") }
		role.Keep(ctx, begin, nil, func(int, error) {})
		if took := time.Since(began); took != 50*time.Millisecond || starts != 1 {
			t.Errorf("%v, %d starts", took, starts)
		}
		role.Keep(ctx, begin, nil, func(int, error) {})
		if starts != 1 {
			t.Error("started after the end")
		}
	})
}
