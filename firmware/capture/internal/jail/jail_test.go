package jail_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"regi/firmware/capture/internal/jail"
	"regi/firmware/capture/internal/link"
	"regi/firmware/landlock"

	"golang.org/x/sys/unix"
)

// actEnv names what a process that is this test again does in the jail.
const actEnv = "JAIL_TEST_ACT"

func TestMain(m *testing.M) {
	if name := os.Getenv(actEnv); name != "" {
		os.Exit(prisoner(name))
	}
	os.Exit(m.Run())
}

// Exit codes of a prisoner.
const (
	exitDone   = 0 // the act was possible
	exitFailed = 9 // it failed, and the process lives
)

func prisoner(name string) int {
	f, err := os.CreateTemp("", "jail-") //nolint:usetesting // this process is no test
	if err == nil {
		err = os.Remove(f.Name())
	}
	if err != nil {
		return 8
	}
	work.file = f
	var controls []string
	for _, c := range jail.Enter() {
		controls = append(controls, fmt.Sprint(c.Name, "=", c.State))
	}
	fmt.Println(strings.Join(controls, ";"))
	act, ok := forbidden[name]
	if !ok {
		act = allowed[name]
	}
	if err := act(); err != nil {
		fmt.Println(err)
		return exitFailed
	}
	return exitDone
}

// work is what was opened before.
var work struct{ file *os.File }

func call(nr uintptr, args ...uintptr) error {
	var a [6]uintptr
	copy(a[:], args)
	if _, _, errno := unix.Syscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5]); errno != 0 {
		return errno
	}
	return nil
}

// forbidden are acts of somebody who has taken over the process. Each has to
// end it.
var forbidden = map[string]func() error{
	"open":              func() error { _, err := unix.Open("/dev/null", unix.O_RDONLY, 0); return err },
	"open itself":       func() error { _, err := os.Open("/proc/self/mem"); return err },
	"openat2":           func() error { _, err := unix.Openat2(unix.AT_FDCWD, "/", &unix.OpenHow{}); return err },
	"create":            func() error { return os.WriteFile("/tmp/x", nil, 0o600) },
	"remove":            func() error { return unix.Unlink("/tmp/no-such-file") },
	"stat":              func() error { _, err := os.Stat("/"); return err },
	"pipe":              func() error { return unix.Pipe2(make([]int, 2), 0) },
	"socket":            func() error { _, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0); return err },
	"unix socket":       func() error { _, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0); return err },
	"socket pair":       func() error { _, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0); return err },
	"pass a descriptor": func() error { return unix.Sendmsg(1, nil, unix.UnixRights(1), nil, 0) },
	"execve":            func() error { return unix.Exec("/bin/true", nil, nil) },
	"execveat":          func() error { return call(unix.SYS_EXECVEAT) },
	"fork":              func() error { return call(unix.SYS_CLONE, uintptr(unix.SIGCHLD)) },
	"start a process":   func() error { return exec.Command("/bin/true").Run() }, //nolint:noctx // it must not get that far
	"namespace":         func() error { return unix.Unshare(unix.CLONE_NEWUSER) },
	"thread in namespace": func() error {
		return call(unix.SYS_CLONE, unix.CLONE_VM|unix.CLONE_SIGHAND|unix.CLONE_THREAD|unix.CLONE_NEWNET)
	},
	"memfd_create":      func() error { _, err := unix.MemfdCreate("x", 0); return err },
	"memfd_secret":      func() error { return call(447) },
	"ptrace":            func() error { return unix.PtraceAttach(os.Getppid()) },
	"process_vm_readv":  func() error { return call(unix.SYS_PROCESS_VM_READV, uintptr(os.Getpid())) },
	"process_vm_writev": func() error { return call(unix.SYS_PROCESS_VM_WRITEV, uintptr(os.Getpid())) },
	"pidfd_open":        func() error { return call(unix.SYS_PIDFD_OPEN, 1) },
	"code mapping":      func() error { return mapping(unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON, -1) },
	"file mapping":      func() error { return mapping(unix.PROT_READ, unix.MAP_SHARED, int(work.file.Fd())) },
	"memory to code": func() error {
		b, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
		if err != nil {
			return err
		}
		return unix.Mprotect(b, unix.PROT_READ|unix.PROT_EXEC)
	},
	"kill the parent":     func() error { return unix.Kill(os.Getppid(), unix.SIGCONT) },
	"kill by thread":      func() error { return unix.Tgkill(1, 1, unix.SIGCONT) },
	"queue a signal":      func() error { return call(unix.SYS_RT_SIGQUEUEINFO, 1, uintptr(unix.SIGCONT)) },
	"dumpable again":      func() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0) },
	"let itself be read":  func() error { return unix.Prctl(unix.PR_SET_PTRACER, ^uintptr(0), 0, 0, 0) },
	"core limit again":    func() error { return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: 1, Max: 1}) },
	"root again":          func() error { return syscall.Setuid(0) },
	"type into a console": func() error { return unix.IoctlSetInt(0, unix.TIOCSTI, 0) },
	"own the descriptor":  func() error { _, err := unix.FcntlInt(0, unix.F_SETOWN, os.Getpid()); return err },
	"io_uring":            func() error { return call(unix.SYS_IO_URING_SETUP, 1) },
	"perf":                func() error { return call(unix.SYS_PERF_EVENT_OPEN) },
	"bpf":                 func() error { return call(unix.SYS_BPF) },
	"userfaultfd":         func() error { return call(unix.SYS_USERFAULTFD) },
	"another filter":      func() error { return call(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER) },
	"no such call":        func() error { return call(4000) },
	"shared memory":       func() error { _, err := unix.SysvShmGet(1, 4096, 0o600|unix.IPC_CREAT); return err },
	"send to a file":      func() error { return call(unix.SYS_SENDFILE, 1, 0) },
	"splice":              func() error { return call(unix.SYS_SPLICE) },
}

func mapping(prot, flags, fd int) error {
	_, err := unix.Mmap(fd, 0, os.Getpagesize(), prot, flags)
	return err
}

// allowed are what the process and Go's runtime need.
var allowed = map[string]func() error{
	"wait": func() error { // until its input ends, with threads and timers
		in := bufio.NewReader(os.Stdin)
		_, err := in.ReadString('\n')
		return err
	},
	"key file": func() error {
		if _, err := work.file.WriteAt([]byte("mark"), 4096); err != nil {
			return err
		}
		b := make([]byte, 4)
		if _, err := work.file.ReadAt(b, 4096); err != nil || string(b) != "mark" {
			return fmt.Errorf("%q: %w", b, err)
		}
		return errors.Join(unix.Fdatasync(int(work.file.Fd())), work.file.Sync(), work.file.Close())
	},
	"threads": threads,
	"memory":  memory,
	"random":  func() error { _, err := rand.Read(make([]byte, 1<<16)); return err },
	"clone3 is not there": func() error {
		if err := call(unix.SYS_CLONE3); !errors.Is(err, unix.ENOSYS) {
			return fmt.Errorf("clone3: %w", err)
		}
		return nil
	},
	"panic": func() (err error) {
		defer func() { recover() }()
		panic("jail")
	},
	"fault": func() (err error) {
		defer func() { recover() }()
		var nowhere *int
		return errors.New(strconv.Itoa(*nowhere))
	},
}

// threads has far more threads than before wait, end and be signalled.
func threads() error {
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			runtime.LockOSThread() // never unlocked: it ends with the goroutine
			wait := unix.NsecToTimespec(int64(20 * time.Millisecond))
			unix.Nanosleep(&wait, nil) //nolint:errcheck,gosec // only to hold the thread
		})
	}
	for range 40 {
		all.Go(func() { time.Sleep(10 * time.Millisecond) })
	}
	for range 20 {
		runtime.GC() // with asynchronous preemption: a signal to each thread
	}
	all.Wait()
	return nil
}

// memory grows the heap and gives it back.
func memory() error {
	for range 5 {
		var held [][]byte
		for range 64 {
			held = append(held, bytes.Repeat([]byte{1}, 1<<20))
		}
		runtime.KeepAlive(held)
		held = nil
		runtime.GC()
	}
	return nil
}

func prison(t *testing.T, act string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = []string{actEnv + "=" + act, "GORACE=atexit_sleep_ms=0"}
	return cmd
}

// Each forbidden act ends the process at once, by SIGSYS.
func TestForbidden(t *testing.T) {
	t.Parallel()
	for act := range forbidden {
		t.Run(act, func(t *testing.T) {
			t.Parallel()
			out, err := prison(t, act).CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) {
				t.Fatalf("%v: %s", err, out)
			}
			status, _ := exit.Sys().(syscall.WaitStatus)
			if cgo && status.ExitStatus() == exitFailed && bytes.Contains(out, []byte("permission denied")) {
				return // a C library opens files, and takes no for an answer
			}
			if !status.Signaled() || status.Signal() != unix.SIGSYS || status.CoreDump() {
				t.Errorf("ended with %v: %s", exit, out)
			}
		})
	}
}

// What the process needs is possible, and every control is in force that the
// kernel offers.
func TestAllowed(t *testing.T) {
	t.Parallel()
	for act := range allowed {
		if act == "wait" {
			continue
		}
		t.Run(act, func(t *testing.T) {
			t.Parallel()
			cmd := prison(t, act)
			cmd.Env = append(cmd.Env, "GODEBUG=asyncpreemptoff=0")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

// A crash in the jail is a crash, not a violation: its exit code says so.
func TestCrash(t *testing.T) {
	t.Parallel()
	cmd, _ := waiting(t)
	if err := cmd.Process.Signal(unix.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() //nolint:errcheck,gosec // the code is looked at
	if code := cmd.ProcessState.ExitCode(); code != 2 {
		t.Errorf("ended with %v", cmd.ProcessState)
	}
}

// waiting starts a prisoner that waits, and returns how it reported each control.
func waiting(t *testing.T) (*exec.Cmd, string) {
	t.Helper()
	cmd := prison(t, "wait")
	cmd.Env = append(cmd.Env, "GODEBUG=asyncpreemptoff=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()         //nolint:errcheck,gosec // the test is over
		cmd.Process.Kill() //nolint:errcheck,gosec // it may have ended
		cmd.Wait()         //nolint:errcheck,gosec // killed
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return cmd, strings.TrimSpace(line)
}

func TestControls(t *testing.T) {
	t.Parallel()
	cmd, line := waiting(t)
	want := []string{"no-dump=on", "no-core=on", "no-crash-output=on", "no-preempt-signal=on"}
	if os.Geteuid() == 0 {
		want = append(want, "own-uid=on")
	}
	for _, c := range []struct {
		name  string
		since int
	}{{"landlock", 1}, {"landlock-tcp", 4}, {"landlock-signals", 6}} {
		state := link.On
		switch {
		case landlock.ABI() < c.since:
			state = link.Absent
		case library() && landlock.ABI() < 8: // no call restricts the threads of a C library
			state = link.Off
		}
		want = append(want, fmt.Sprint(c.name, "=", state))
	}
	want = append(want, "seccomp=on", "no-new-privileges=on")
	if got := strings.Split(line, ";"); !slices.Equal(got, want) {
		t.Errorf("controls %q\nwant %q", got, want)
	}
	// All threads are in it, not only the one that asked.
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", cmd.Process.Pid))
	if err != nil || len(tasks) < 2 {
		t.Fatalf("%d threads, %v", len(tasks), err)
	}
	lines := []string{"NoNewPrivs:\t1\n", "Seccomp:\t2\n"}
	if os.Geteuid() == 0 {
		id := fmt.Sprintf("\t%d\t%[1]d\t%[1]d\t%[1]d\n", jail.UID)
		lines = append(lines, "Uid:"+id, "Gid:"+id, "Groups:\t \n", "CapPrm:\t0000000000000000\n", "CapEff:\t0000000000000000\n")
	}
	for _, path := range tasks {
		status, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range lines {
			if !strings.Contains(string(status), want) {
				t.Errorf("%s lacks %q:\n%s", path, want, status)
			}
		}
	}
}

// library says whether there is a C library in this test, as under the race
// detector.
func library() bool {
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_GETPID, 0, 0, 0)
	return errno == unix.ENOTSUP
}

// What only the parent can give is not claimed without it.
func TestHarden(t *testing.T) {
	for _, c := range []struct {
		debug string
		want  link.State
	}{{"", link.Off}, {"madvdontneed=1,asyncpreemptoff=1", link.On}} {
		t.Setenv("GODEBUG", c.debug)
		for _, control := range jail.Harden() {
			if control.Name == "no-preempt-signal" && control.State != c.want {
				t.Errorf("GODEBUG %q: %v", c.debug, control.State)
			}
		}
	}
	var core unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &core); err != nil || core != (unix.Rlimit{}) {
		t.Errorf("core limit %+v, %v", core, err)
	}
	if n, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || n != 0 {
		t.Errorf("dumpable %d, %v", n, err)
	}
}

// A prisoner cannot be read by another one of its own user.
func TestNotReadable(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to be another user")
	}
	cmd, _ := waiting(t)
	spy := exec.CommandContext(t.Context(), "/bin/cat", fmt.Sprintf("/proc/%d/maps", cmd.Process.Pid))
	spy.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: jail.UID, Gid: jail.UID}}
	if out, err := spy.CombinedOutput(); err == nil || !strings.Contains(string(out), "ermission denied") {
		t.Errorf("%v: %s", err, out)
	}
	// The control: this process, which is root, can.
	if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", cmd.Process.Pid)); err != nil || len(b) == 0 {
		t.Errorf("the control: %d bytes, %v", len(b), err)
	}
}
