package role_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"regi/firmware/landlock"
	"regi/firmware/role"
)

// registerRole is a process confined as a register is, taken over by somebody
// who tries what a thief would. uplinkRole and spawnRole: the same for an uplink and a spawner.
const (
	registerRole = "role-test-register"
	uplinkRole   = "role-test-uplink"
	spawnRole    = "role-test-spawn"
)

// thief is what such a process is given and says. Acts are in order; each is
// "done" or an errno's name.
type thief struct {
	Dir      string // with the folders "mine" and "other"
	Port     int    // that may be connected to
	Foreign  int    // another one
	Victim   int    // a process of no domain
	Acts     map[string]string
	Controls map[string]string
}

func (th *thief) try(what string, act func() error) {
	said := "done"
	if err := act(); err != nil {
		said = err.Error()
		if errno, ok := errors.AsType[syscall.Errno](err); ok {
			said = unix.ErrnoName(errno)
		}
	}
	th.Acts[what] = said
}

func (th *thief) confined(controls []role.Control) {
	th.Acts, th.Controls = map[string]string{}, map[string]string{}
	for _, c := range controls {
		switch {
		case c.Absent():
			th.Controls[c.Name] = "absent"
		case c.Err != nil:
			th.Controls[c.Name] = c.Err.Error()
		default:
			th.Controls[c.Name] = "on"
		}
	}
}

func registerMain() int {
	th, err := orders()
	if err != nil {
		return 1
	}
	spawn, err := role.NewSpawner(os.Stderr, role.Spawning{})
	if err != nil {
		return 2
	}
	th.confined(role.Confine(role.Limits{Paths: th.paths()}))
	for _, when := range []string{"first ", "second "} { // a child that is started again is as safe
		c, err := spawn.Start(role.Capture, nil)
		if err != nil {
			return 3
		}
		th.spy(when+"capture: ", c.PID())
		c.Link.WriteString("exit 7") //nolint:errcheck,gosec // the code shows it
		if code := c.Wait(context.Background()); code != 7 {
			return 4
		}
	}
	c, err := spawn.Start(role.Capture, nil)
	if err != nil {
		return 5
	}
	th.try("kill the capture process itself", func() error { return unix.Kill(c.PID(), unix.SIGKILL) })
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if code := c.Wait(over); code != -1 || !gone(c.PID()) { // by the spawner
		return 6
	}
	th.spy("spawner: ", spawn.PID())
	th.spy("stranger: ", th.Victim)
	th.files()
	th.programs()
	th.network()
	return th.report()
}

// spawnMain is a spawner that was taken over once it had started the capture
// process.
func spawnMain() int {
	runtime.LockOSThread()
	th, err := orders()
	if err != nil {
		return 1
	}
	if role.Born() != nil {
		return 2
	}
	th.confined(role.EnterSpawner(th.paths()))
	ours, theirs, err := role.Pair()
	if err != nil {
		return 3
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return 4
	}
	pid, err := syscall.ForkExec("/proc/self/exe", []string{role.Capture}, &syscall.ProcAttr{
		Env: []string{}, Files: []uintptr{null.Fd(), null.Fd(), null.Fd(), theirs.Fd()},
	})
	if err != nil {
		return 5
	}
	ours.WriteString("report") //nolint:errcheck,gosec // with which it is born; no answer, no report
	if _, err := ours.Read(make([]byte, packetMax)); err != nil {
		return 6
	}
	th.spy("capture: ", pid)
	th.spy("stranger: ", th.Victim)
	th.files()
	th.try("run", func() error { return unix.Exec("/bin/true", []string{"true"}, nil) })
	return th.report()
}

func (th *thief) paths() []landlock.Path {
	return []landlock.Path{
		{Path: filepath.Join(th.Dir, "mine"), Access: landlock.Read | landlock.Write}, {Path: "/dev", Access: landlock.Device},
	}
}

func uplinkMain() int {
	th, err := orders()
	if err != nil {
		return 1
	}
	th.confined(role.Confine(role.Limits{
		Paths:   []landlock.Path{{Path: "/etc/hosts", Access: landlock.Read}},
		Connect: []uint16{uint16(th.Port)}, UID: role.UplinkUID,
	}))
	th.spy("stranger: ", th.Victim)
	th.files()
	th.programs()
	th.network()
	th.try("user", func() error {
		if os.Geteuid() != role.UplinkUID || os.Getegid() != role.UplinkUID {
			return fmt.Errorf("%d:%d", os.Geteuid(), os.Getegid())
		}
		return nil
	})
	th.try("root again", func() error { return syscall.Setuid(0) })
	return th.report()
}

func orders() (*thief, error) {
	th := &thief{}
	return th, json.Unmarshal([]byte(os.Getenv("ROLE_TEST_THIEF")), th)
}

func (th *thief) report() int {
	text, err := json.Marshal(th)
	if err != nil {
		return 9
	}
	os.Stdout.Write(text) //nolint:errcheck,gosec // the test misses it
	return 0
}

// spy tries to look into a process.
func (th *thief) spy(whose string, pid int) {
	th.try(whose+"memory", func() error {
		f, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
		if err == nil {
			f.Close()
		}
		return err
	})
	th.try(whose+"mappings", func() error { _, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid)); return err })
	th.try(whose+"process_vm_readv", func() error {
		b := make([]byte, 1)
		local := []unix.Iovec{{Base: &b[0]}}
		local[0].SetLen(1)
		_, err := unix.ProcessVMReadv(pid, local, []unix.RemoteIovec{{Base: uintptr(unsafe.Pointer(&b[0])), Len: 1}}, 0)
		return err
	})
	th.try(whose+"ptrace", func() error { return unix.PtraceAttach(pid) })
	th.try(whose+"signal", func() error { return unix.Kill(pid, unix.SIGCONT) })
}

func (th *thief) files() {
	read := func(path string) func() error {
		return func() error { _, err := os.ReadFile(path); return err }
	}
	th.try("create mine", func() error { return os.WriteFile(filepath.Join(th.Dir, "mine", "new"), nil, 0o600) })
	th.try("read other", read(filepath.Join(th.Dir, "other", "secret")))
	th.try("create other", func() error { return os.WriteFile(filepath.Join(th.Dir, "other", "new"), nil, 0o600) })
	th.try("read passwords", read("/etc/shadow"))
	th.try("read physical memory", read("/dev/mem"))
	th.try("read kernel memory", read("/proc/kcore"))
	th.try("null device", func() error { return os.WriteFile(os.DevNull, []byte("x"), 0) })
	th.try("memory to run", func() error { _, err := unix.MemfdCreate("x", 0); return err })
	th.try("mount", func() error { return unix.Mount("none", "/mnt", "tmpfs", 0, "") })
	th.try("namespace", func() error { return unix.Unshare(unix.CLONE_NEWUSER) })
	th.try("bpf", func() error { _, _, errno := unix.Syscall(unix.SYS_BPF, 0, 0, 0); return nonzero(errno) })
	th.try("perf", func() error { _, _, errno := unix.Syscall(unix.SYS_PERF_EVENT_OPEN, 0, 0, 0); return nonzero(errno) })
	th.try("io_uring", func() error { _, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, 0, 0); return nonzero(errno) })
}

// programs tries to start others.
func (th *thief) programs() {
	th.try("run", func() error { return unix.Exec("/bin/true", []string{"true"}, nil) })
	th.try("fork", func() error {
		_, _, errno := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
		return nonzero(errno)
	})
}

func nonzero(errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}

func (th *thief) network() {
	dial := func(port int) func() error {
		return func() error {
			c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
			if err == nil {
				c.Close()
			}
			return err
		}
	}
	socket := func(family, kind, protocol int) func() error {
		return func() error { _, err := unix.Socket(family, kind, protocol); return err }
	}
	th.try("connect", dial(th.Port))
	th.try("connect elsewhere", dial(th.Foreign))
	th.try("listen", func() error {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err == nil {
			l.Close()
		}
		return err
	})
	th.try("multipath", socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP))
	th.try("sctp", socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_SCTP))
	th.try("raw", socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP))
	th.try("netlink", socket(unix.AF_NETLINK, unix.SOCK_RAW, 0))
	th.try("packet", socket(unix.AF_PACKET, unix.SOCK_RAW, 0))
	th.try("udp", socket(unix.AF_INET, unix.SOCK_DGRAM, 0))
}

// rob runs such a process as root and returns what it could do.
func rob(t *testing.T, as string) *thief {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: others are refused anyway")
	}
	if landlock.ABI() < 6 {
		t.Skipf("this kernel's Landlock, ABI %d, does not do all of it", landlock.ABI())
	}
	if _, _, errno := syscall.AllThreadsSyscall(unix.SYS_GETPID, 0, 0, 0); errno == unix.ENOTSUP && landlock.ABI() < 8 {
		t.Skip("a binary with a C library (the race detector's) cannot be confined by this kernel's Landlock")
	}
	dir := t.TempDir()
	for _, name := range []string{"mine", "other"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "other", "secret"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	victim := exec.CommandContext(t.Context(), "/bin/sleep", "60")
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		victim.Process.Kill()
		victim.Wait()
	}()
	th := &thief{Dir: dir, Port: listener(t), Foreign: listener(t), Victim: victim.Process.Pid}
	text, err := json.Marshal(th)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Args, cmd.Env = []string{as}, []string{"ROLE_TEST_THIEF=" + string(text)}
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s%s", err, out, errs.String())
	}
	if err := json.Unmarshal(out, th); err != nil {
		t.Fatal(err)
	}
	return th
}

func listener(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().(*net.TCPAddr).Port
}

func (th *thief) check(t *testing.T, controls []string, want map[string]string) {
	t.Helper()
	for _, name := range controls {
		if th.Controls[name] != "on" {
			t.Errorf("%s is %q", name, th.Controls[name])
		}
	}
	for what, said := range th.Acts {
		if said != want[what] {
			t.Errorf("%s: %s, want %s", what, said, want[what])
		}
		delete(want, what)
	}
	for what := range want {
		t.Errorf("%s was not tried", what)
	}
}

// all is what none of them can do as root.
func all() map[string]string {
	return map[string]string{
		"read other": "EACCES", "create other": "EACCES", "read passwords": "EACCES", "read kernel memory": unless("/proc/kcore", "EACCES"),
		"memory to run": "EPERM", "mount": "EPERM", "namespace": "EPERM", "bpf": "EPERM",
		"perf": "EPERM", "io_uring": "EPERM",
	}
}

// both are what neither register nor uplink can do as root.
func both(more map[string]string) map[string]string {
	want := all()
	maps.Copy(want, map[string]string{
		"run": "EPERM", "fork": "EPERM",
		"connect elsewhere": "EACCES", "listen": "EPERM", "multipath": "EPERM", "sctp": "EPERM", "raw": "EPERM",
		"netlink": "EPERM", "packet": "EPERM",
	})
	maps.Copy(want, more)
	return want
}

// unless is what becomes of reading a file that not every kernel has.
func unless(path, want string) string {
	if _, err := os.Stat(path); err != nil {
		return "ENOENT"
	}
	return want
}

func spied(want map[string]string, whose ...string) map[string]string {
	for _, w := range whose {
		for _, act := range []string{"process_vm_readv", "ptrace", "signal"} {
			want[w+act] = "EPERM"
		}
		for _, act := range []string{"memory", "mappings"} {
			want[w+act] = "EACCES"
		}
	}
	return want
}

// A register that was taken over, as root, does not see into the capture
// process, and has no other way out.
func TestRegisterIsConfined(t *testing.T) {
	t.Parallel()
	rob(t, registerRole).check(t, []string{"capabilities", "landlock", "landlock-tcp", "landlock-signals", "seccomp"}, spied(both(map[string]string{
		"create mine": "done", "null device": "done",
		"read physical memory": unless("/dev/mem", "EPERM"),                           // the node may be opened, but not without CAP_SYS_RAWIO
		"connect":              "EPERM", "connect elsewhere": "EPERM", "udp": "EPERM", // not even a socket
		"kill the capture process itself": "EPERM",
	}), "first capture: ", "second capture: ", "spawner: ", "stranger: "))
}

func TestUplinkIsConfined(t *testing.T) {
	t.Parallel()
	rob(t, uplinkRole).check(t, []string{"own-uid", "landlock", "landlock-tcp", "landlock-signals", "seccomp"}, spied(both(map[string]string{
		"create mine": "EACCES", "null device": "EACCES", "read physical memory": unless("/dev/mem", "EACCES"),
		"connect": "done", "udp": "done", "user": "done", "root again": "EPERM",
	}), "stranger: "))
}

// A spawner that was taken over, as root, can open the lines and the state
// folder, but neither the memory of the capture process that it has started nor
// anything else.
func TestSpawnerIsConfined(t *testing.T) {
	t.Parallel()
	want := all()
	maps.Copy(want, map[string]string{
		"create mine": "done", "null device": "done", "read physical memory": unless("/dev/mem", "EPERM"),
		"run": "EACCES",
	})
	spied(want, "capture: ", "stranger: ")
	want["capture: signal"] = "done"
	rob(t, spawnRole).check(t, []string{"capabilities", "landlock", "seccomp"}, want)
}
