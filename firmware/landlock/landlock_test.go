package landlock_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"regi/firmware/landlock"

	"golang.org/x/sys/unix"
)

// orderEnv makes this test another process, which enters a domain and acts.
const orderEnv = "LANDLOCK_TEST_ORDER"

// order is what that process does.
type order struct {
	Domain *landlock.Domain // nil: none
	Acts   [][2]string      // what, and on what
}

func TestMain(m *testing.M) {
	if text := os.Getenv(orderEnv); text != "" {
		os.Exit(obey(text))
	}
	os.Exit(m.Run())
}

func obey(text string) int {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		fmt.Println(err)
		return 1
	}
	older := older()
	if o.Domain != nil {
		if err := landlock.Enter(*o.Domain); err != nil {
			fmt.Println(err)
			return 2
		}
	}
	for _, a := range o.Acts {
		if a[0] == "read on older threads" {
			fmt.Println(said(older(a[1])))
			continue
		}
		fmt.Println(said(act(a[0], a[1])))
	}
	return 0
}

// older starts threads that read a file when they are asked to.
func older() func(path string) error {
	const threads = 8
	ask, answer := make(chan string), make(chan error)
	for range threads {
		go func() {
			runtime.LockOSThread()
			answer <- open(<-ask, os.O_RDONLY)
		}()
	}
	return func(path string) error {
		for range threads {
			ask <- path
		}
		worst := error(unix.EACCES)
		for range threads {
			if err := <-answer; err == nil {
				worst = nil
			}
		}
		return worst
	}
}

// said is an error in one word.
func said(err error) string {
	var errno syscall.Errno
	switch {
	case err == nil:
		return "done"
	case errors.As(err, &errno):
		return unix.ErrnoName(errno)
	}
	return err.Error()
}

func act(what, on string) error {
	pid, _ := strconv.Atoi(on) //nolint:errcheck // 0 where it is none
	switch what {
	case "read":
		return open(on, os.O_RDONLY)
	case "write":
		return open(on, os.O_WRONLY)
	case "empty":
		return os.Truncate(on, 0)
	case "create":
		return open(on, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	case "remove":
		return os.Remove(on)
	case "list":
		_, err := os.ReadDir(on)
		return err
	case "run":
		return exec.Command(on).Run() //nolint:noctx // a test's process
	case "tty":
		return ask(on)
	case "connect":
		return end(net.DialTimeout("tcp", on, time.Second))
	case "listen":
		var c net.ListenConfig
		c.SetMultipathTCP(false)
		return end(c.Listen(context.Background(), "tcp", on))
	case "listen by multipath":
		var c net.ListenConfig
		c.SetMultipathTCP(true)
		return end(c.Listen(context.Background(), "tcp", on))
	case "abstract":
		return end(net.Dial("unix", on)) //nolint:noctx // a test's process
	case "signal":
		return unix.Kill(pid, unix.SIGCONT)
	case "memory":
		return open(fmt.Sprintf("/proc/%d/mem", pid), os.O_RDONLY)
	case "process_vm_readv":
		return peek(pid)
	case "ptrace":
		return unix.PtraceAttach(pid)
	case "child": // of one's own domain, which before ABI 8 is this thread's
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		c := exec.Command("/bin/sleep", "60") //nolint:noctx // killed below
		if err := c.Start(); err != nil {
			return err
		}
		defer c.Process.Kill() //nolint:errcheck // it sleeps
		return open(fmt.Sprintf("/proc/%d/mem", c.Process.Pid), os.O_RDONLY)
	}
	return errors.New("no such act")
}

func open(path string, how int) error { return end(os.OpenFile(path, how, 0o600)) }

func end[C interface{ Close() error }](c C, err error) error {
	if err == nil {
		err = c.Close()
	}
	return err
}

func ask(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err
}

// peek reads a byte where every Go program has its code.
func peek(pid int) error {
	b := make([]byte, 1)
	local := []unix.Iovec{{Base: &b[0]}}
	local[0].SetLen(1)
	remote := []unix.RemoteIovec{{Base: uintptr(unsafe.Pointer(&b[0])), Len: 1}}
	_, err := unix.ProcessVMReadv(pid, local, remote, 0)
	if errors.Is(err, unix.EFAULT) {
		return nil // it was allowed to look, and there was nothing
	}
	return err
}

// needs skips a test where the kernel's Landlock, or Go's reach, does not do.
func needs(t *testing.T, abi int) {
	t.Helper()
	if landlock.ABI() < abi {
		t.Skipf("Landlock ABI %d is needed, this kernel has %d", abi, landlock.ABI())
	}
	if _, _, errno := syscall.AllThreadsSyscall(unix.SYS_GETPID, 0, 0, 0); errno == unix.ENOTSUP && landlock.ABI() < 8 {
		if err := landlock.Enter(landlock.Domain{}); !errors.Is(err, unix.ENOTSUP) {
			t.Errorf("with a C library: %v, want ENOTSUP", err)
		}
		t.Skip("in a binary with a C library (the race detector's) this kernel confines no process")
	}
}

type want struct{ what, on, within, without string }

// try does all acts in a domain, and without one as the control.
func try(t *testing.T, d landlock.Domain, acts []want) {
	t.Helper()
	for _, domain := range []*landlock.Domain{&d, nil} {
		o := order{Domain: domain}
		for _, a := range acts {
			o.Acts = append(o.Acts, [2]string{a.what, a.on})
		}
		text, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
		cmd.Env = []string{orderEnv + "=" + string(text)}
		out, err := cmd.CombinedOutput()
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if err != nil || len(lines) != len(acts) {
			t.Fatalf("%v: %s", err, out)
		}
		for i, a := range acts {
			expect := a.within
			if domain == nil {
				expect = a.without
			}
			if lines[i] != expect {
				t.Errorf("%s %s: %s, want %s (in a domain: %t)", a.what, a.on, lines[i], expect, domain != nil)
			}
		}
	}
}

func file(t *testing.T, path string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPaths(t *testing.T) {
	needs(t, 3)
	dir := t.TempDir()
	folder := func(name string) string {
		path := filepath.Join(dir, name)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	state, other, public := folder("state"), folder("other"), folder("public")
	d := landlock.Domain{Paths: []landlock.Path{
		{Path: state, Access: landlock.Read | landlock.Write},
		{Path: public, Access: landlock.Read},
		{Path: file(t, filepath.Join(other, "one")), Access: landlock.Read},
		{Path: filepath.Join(dir, "none"), Access: landlock.Read},
	}}
	secret := file(t, filepath.Join(other, "secret"))
	link := filepath.Join(state, "link")
	if err := os.Symlink(secret, link); err != nil {
		t.Fatal(err)
	}
	try(t, d, []want{
		{"read", file(t, filepath.Join(state, "a")), "done", "done"},
		{"empty", filepath.Join(state, "a"), "done", "done"},
		{"create", filepath.Join(state, "new"), "done", "EEXIST"},
		{"list", state, "done", "done"},
		{"read", file(t, filepath.Join(public, "a")), "done", "done"},
		{"write", filepath.Join(public, "a"), "EACCES", "done"},
		{"create", filepath.Join(public, "new"), "EACCES", "done"},
		{"read", filepath.Join(other, "one"), "done", "done"},
		{"empty", filepath.Join(other, "one"), "EACCES", "done"},
		{"read", secret, "EACCES", "done"},
		{"read", link, "EACCES", "done"},
		{"list", other, "EACCES", "done"},
		{"remove", file(t, filepath.Join(other, "b")), "EACCES", "done"},
		{"run", "/bin/true", "EACCES", "done"},
		{"read", "/proc/self/mem", "EACCES", "done"},
		{"read", "/dev/null", "EACCES", "done"},
	})
}

func TestDevices(t *testing.T) {
	needs(t, 5)
	tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	defer tty.Close()
	number, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(tty.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	slave := "/dev/pts/" + strconv.Itoa(number)
	try(t, landlock.Domain{Paths: []landlock.Path{{Path: "/dev", Access: landlock.Device}}}, []want{
		{"tty", slave, "done", "done"},
		{"list", "/dev", "EACCES", "done"},
		{"create", filepath.Join("/dev/shm", filepath.Base(t.TempDir())+strconv.Itoa(os.Getpid())), "EACCES", "done"},
		{"remove", filepath.Join("/dev/shm", filepath.Base(t.TempDir())+strconv.Itoa(os.Getpid())), "ENOENT", "ENOENT"},
	})
	try(t, landlock.Domain{Paths: []landlock.Path{{Path: "/dev", Access: landlock.Read}}}, []want{{"tty", slave, "EACCES", "done"}})
}

func TestNetwork(t *testing.T) {
	needs(t, 4)
	listen := func() (string, uint16) {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l.Addr().String(), l.Addr().(*net.TCPAddr).AddrPort().Port()
	}
	cloud, port := listen()
	other, _ := listen()
	try(t, landlock.Domain{Connect: []uint16{port}}, []want{
		{"connect", cloud, "done", "done"},
		{"connect", other, "EACCES", "done"},
		{"listen", "127.0.0.1:0", "EACCES", "done"},
		// Landlock knows TCP only. A role's seccomp filter is for the rest.
		{"listen by multipath", "127.0.0.1:0", multipath(), "done"},
	})
	try(t, landlock.Domain{}, []want{{"connect", cloud, "EACCES", "done"}})
}

// multipath is what becomes of multipath TCP in a domain: it is no TCP, but
// where the kernel has none, Go takes TCP instead.
func multipath() string {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP)
	if err != nil {
		return "EACCES"
	}
	unix.Close(fd)
	return "done"
}

// Even root in a domain looks into no process outside it, nor signals one.
func TestProcesses(t *testing.T) {
	needs(t, 6)
	if os.Geteuid() != 0 {
		t.Skip("needs root: others are refused anyway")
	}
	victim := exec.CommandContext(t.Context(), "/bin/sleep", "60")
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		victim.Process.Kill()
		victim.Wait()
	}()
	abstract := fmt.Sprintf("@landlock-test-%d", os.Getpid())
	l, err := net.Listen("unix", abstract)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	pid := strconv.Itoa(victim.Process.Pid)
	// Everything may be opened: it is not the paths that protect a process.
	d := landlock.Domain{Paths: []landlock.Path{{Path: "/", Access: landlock.Read | landlock.Write | landlock.Device}}}
	signal := "EPERM"
	if !landlock.Signals() {
		signal = "done"
	}
	try(t, d, []want{
		{"memory", pid, "EACCES", "done"},
		{"process_vm_readv", pid, "EPERM", "done"},
		{"ptrace", pid, "EPERM", "done"},
		{"signal", pid, signal, "done"},
		{"abstract", abstract, "EPERM", "done"},
	})
}

// A process looks into a child that was born in its domain: this is why the
// register does not start the capture process itself.
func TestChildIsOpen(t *testing.T) {
	needs(t, 1)
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	d := landlock.Domain{Paths: []landlock.Path{{Path: "/", Access: landlock.Read | landlock.Write | landlock.Device | landlock.Execute}}}
	try(t, d, []want{{"child", "", "done", "done"}})
}

// Every thread is in the domain, also those that were there before.
func TestThreads(t *testing.T) {
	needs(t, 1)
	try(t, landlock.Domain{}, []want{{"read on older threads", "/etc/passwd", "EACCES", "done"}})
}
