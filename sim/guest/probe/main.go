// Command probe looks at a guest's kernel from within. It is the first process of
// a test's board, for a moment: it makes simulated GPIO lines, leaves a process
// behind that answers on a serial line of its own, and becomes the unchanged
// register's first process.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// agent is the name of the process that stays.
	agent = "probe-agent"
	// line is the second 16550 of the board: the first is the card reader's.
	line = "/dev/ttyS1"
	// linesWord, on the kernel's command line, names the GPIO lines to be made.
	linesWord = "probe.gpio="
	// chip is the simulated one; configuration is where one is made.
	chip          = "probe"
	configuration = "/config/gpio-sim/" + chip
)

func main() {
	var err error
	if os.Args[0] == agent {
		err = serve(os.NewFile(3, line))
	} else {
		err = begin()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
	}
	select {} // PID 1 may not end
}

// begin is the first process, until it is the register's.
func begin() error {
	for _, m := range [][2]string{{"devtmpfs", "/dev"}, {"proc", "/proc"}, {"sysfs", "/sys"}, {"configfs", "/config"}} {
		if err := errors.Join(os.MkdirAll(m[1], 0o700), unix.Mount(m[0], m[1], m[0], 0, "")); err != nil {
			return fmt.Errorf("mount %s: %w", m[1], err)
		}
	}
	words, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return err
	}
	for w := range strings.FieldsSeq(string(words)) {
		if names, found := strings.CutPrefix(w, linesWord); found {
			if err := makeLines(strings.Split(names, ",")); err != nil {
				return fmt.Errorf("gpio-sim: %w", err)
			}
		}
	}
	f, err := os.OpenFile(line, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	if err := raw(int(f.Fd())); err != nil {
		return err
	}
	if _, err := syscall.ForkExec("/proc/self/exe", []string{agent}, &syscall.ProcAttr{Files: []uintptr{0, 1, 2, f.Fd()}, Sys: &syscall.SysProcAttr{Setsid: true}}); err != nil { //nolint:gosec // this binary
		return err
	}
	// The register mounts for itself, and as it likes.
	for _, place := range []string{"/config", "/sys", "/proc", "/dev"} {
		if err := unix.Unmount(place, unix.MNT_DETACH); err != nil {
			return fmt.Errorf("unmount %s: %w", place, err)
		}
	}
	return unix.Exec("/init", []string{"/init"}, os.Environ())
}

// makeLines makes a chip with lines of these names (Documentation/admin-guide/gpio/gpio-sim.rst).
func makeLines(names []string) error {
	bank := configuration + "/bank0"
	if err := errors.Join(os.MkdirAll(bank, 0o700), put(bank+"/num_lines", strconv.Itoa(len(names)))); err != nil {
		return err
	}
	for i, name := range names {
		dir := fmt.Sprintf("%s/line%d", bank, i)
		if err := errors.Join(os.Mkdir(dir, 0o700), put(dir+"/name", name)); err != nil {
			return err
		}
	}
	return put(configuration+"/live", "1")
}

func put(path, value string) error { return os.WriteFile(path, []byte(value), 0) }

func raw(fd int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200
	return unix.IoctlSetTermios(fd, unix.TCSETS, t)
}

// serve answers questions, one a line; an answer ends with a line that is ".".
func serve(f *os.File) error {
	in := bufio.NewScanner(f)
	for in.Scan() {
		words := strings.Fields(in.Text())
		if len(words) == 0 {
			continue
		}
		var answer []string
		var err error
		switch {
		case words[0] == "facts":
			answer = facts()
		case words[0] == "memory":
			answer, err = memory()
		case words[0] == "lines":
			answer, err = lines()
		case words[0] == "pull" && len(words) == 3:
			err = pull(words[1], words[2])
		case words[0] == "watch" && len(words) == 2:
			answer, err = watch(words[1])
		default:
			err = fmt.Errorf("%q is no question", in.Text())
		}
		if err != nil {
			answer = append(answer, "error: "+err.Error())
		}
		if _, err := io.WriteString(f, strings.Join(append(answer, "."), "\n")+"\n"); err != nil {
			return err
		}
	}
	return in.Err()
}

// facts are what root may not do here, as an errno each, and what the kernel says.
func facts() (all []string) {
	say := func(name string, what any) { all = append(all, fmt.Sprintf("%s: %v", name, what)) }
	for _, path := range []string{"/sys/kernel/security/lockdown", "/sys/kernel/security/lsm", "/proc/sys/kernel/osrelease"} {
		text, err := os.ReadFile(path) //nolint:gosec // of the kernel
		if err != nil {
			say(path, err)
			continue
		}
		say(path, strings.TrimSpace(string(text)))
	}
	for _, path := range []string{"/proc/modules", "/proc/kcore", "/proc/sysrq-trigger", "/proc/kallsyms", "/dev/mem", "/dev/kmem", "/dev/port", "/sys/kernel/tracing/trace", "/sys/module/kernel/parameters"} {
		_, err := os.Stat(path)
		say(path, name(err))
	}
	call := func(what string, number uintptr) {
		_, _, errno := unix.Syscall(number, 0, 0, 0)
		say(what, name(errno))
	}
	call("finit_module", unix.SYS_FINIT_MODULE)
	call("init_module", unix.SYS_INIT_MODULE)
	call("kexec_load", unix.SYS_KEXEC_LOAD)
	call("bpf", unix.SYS_BPF)
	call("perf_event_open", unix.SYS_PERF_EVENT_OPEN)
	call("io_uring_setup", unix.SYS_IO_URING_SETUP)
	call("userfaultfd", unix.SYS_USERFAULTFD)
	for _, kind := range []string{"debugfs", "tracefs", "binfmt_misc"} {
		say(kind, name(unix.Mount(kind, "/mnt", kind, 0, "")))
	}
	// What lockdown itself refuses to root: to look less, and to speak to PCI
	// devices past their drivers.
	say("lockdown none", name(put("/sys/kernel/security/lockdown", "none")))
	say("pci config", name(writePCI()))
	_, err := os.Stat("/dev/mapper/control")
	say("device-mapper", name(err))
	return all
}

// name is an error as the kernel's name of it.
func name(err error) string {
	var errno syscall.Errno
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &errno) && errno == 0:
		return "ok"
	case errors.As(err, &errno):
		return unix.ErrnoName(errno)
	}
	return err.Error()
}

func writePCI() error {
	paths, err := filepath.Glob("/sys/bus/pci/devices/*/config")
	if err != nil || len(paths) == 0 {
		return errors.New("no PCI device")
	}
	f, err := os.OpenFile(paths[0], os.O_RDWR, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte{0}, 0x3C) // the interrupt's line: nobody reads it
	return errors.Join(err, f.Close())
}

// memory is what the processes of the register hold, in KiB.
func memory() (all []string, err error) {
	paths, err := filepath.Glob("/proc/[0-9]*/smaps_rollup")
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		dir := filepath.Dir(path)
		exe, err := os.Readlink(dir + "/exe")
		if err != nil || exe != "/init" {
			continue
		}
		command, err := os.ReadFile(dir + "/cmdline") //nolint:gosec // of the kernel
		if err != nil {
			continue
		}
		text, err := os.ReadFile(path) //nolint:gosec // of the kernel
		if err != nil {
			return nil, err
		}
		role, _, _ := strings.Cut(string(command), "\x00")
		all = append(all, fmt.Sprintf("%s %s %d %d", filepath.Base(dir), role, field(text, "Rss:"), field(text, "Pss:")))
	}
	slices.Sort(all)
	return all, nil
}

func field(text []byte, name string) int {
	_, rest, _ := strings.Cut(string(text), name)
	words := strings.Fields(rest)
	if len(words) == 0 {
		return -1
	}
	n, err := strconv.Atoi(words[0])
	if err != nil {
		return -1
	}
	return n
}

// Of linux/gpio.h: what a chip says of itself, and of a line.
const (
	getChipInfo = 0x8044B401
	getLineInfo = 0xC100B405
)

type chipInfo struct {
	name, label [32]byte
	lines       uint32
}

type lineInfo struct {
	name, consumer [32]byte
	offset, attrs  uint32
	flags          uint64
	attributes     [10][16]byte
	padding        [4]uint32
}

// lines are the names of all lines, with who holds them, as they are found
// through the kernel's GPIO devices.
func lines() (all []string, err error) {
	paths, err := filepath.Glob("/dev/gpiochip*")
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		f, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // of the kernel
		if err != nil {
			return nil, err
		}
		var c chipInfo
		if err := ioctl(f, getChipInfo, unsafe.Pointer(&c)); err != nil { //nolint:gosec // of that size
			return nil, errors.Join(err, f.Close())
		}
		for i := range c.lines {
			l := lineInfo{offset: i}
			if err := ioctl(f, getLineInfo, unsafe.Pointer(&l)); err != nil { //nolint:gosec // of that size
				return nil, errors.Join(err, f.Close())
			}
			if l.name[0] != 0 {
				all = append(all, unix.ByteSliceToString(l.name[:])+" "+unix.ByteSliceToString(l.consumer[:]))
			}
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func ioctl(f *os.File, request uintptr, arg unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), request, uintptr(arg)); errno != 0 {
		return errno
	}
	return nil
}

// attribute is the folder of a line in sysfs.
func attribute(name string) (string, error) {
	words, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return "", err
	}
	for w := range strings.FieldsSeq(string(words)) {
		if names, found := strings.CutPrefix(w, linesWord); found {
			i := slices.Index(strings.Split(names, ","), name)
			paths, err := filepath.Glob("/sys/devices/platform/gpio-sim.*/gpiochip*/sim_gpio" + strconv.Itoa(i))
			if err != nil || len(paths) != 1 {
				return "", fmt.Errorf("no line %s: %q", name, paths)
			}
			return paths[0], nil
		}
	}
	return "", errors.New("no lines were made")
}

// pull moves an input: "up" or "down".
func pull(name, to string) error {
	dir, err := attribute(name)
	if err != nil {
		return err
	}
	return put(dir+"/pull", "pull-"+to)
}

// watchWithin bounds the wait for a pulse.
const watchWithin = 60 * time.Second

// watch waits for a pulse of an output and says how long it was.
func watch(name string) ([]string, error) {
	dir, err := attribute(name)
	if err != nil {
		return nil, err
	}
	high := time.Time{}
	for until := time.Now().Add(watchWithin); time.Now().Before(until); time.Sleep(time.Millisecond) {
		text, err := os.ReadFile(dir + "/value") //nolint:gosec // of the kernel
		if err != nil {
			return nil, err
		}
		switch on := strings.TrimSpace(string(text)) == "1"; {
		case on && high.IsZero():
			high = time.Now()
		case !on && !high.IsZero():
			return []string{strconv.FormatInt(time.Since(high).Milliseconds(), 10)}, nil
		}
	}
	return nil, errors.New("no pulse")
}
