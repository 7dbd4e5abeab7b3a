package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"regi/sim/drill/reach"
)

// writable is where a program could be dropped.
//
//nolint:gochecknoglobals // a constant table
var writable = []string{"/", "/etc", "/dev", "/dev/shm", "/run", "/tmp", "/data", "/data/state", "/data/update", "/sys", "/proc/self"}

// program is the smallest that there is to run: an AArch64 ELF file that exits
// with 0.
func program() []byte {
	const base = 0x10000
	code := []byte{0x00, 0x00, 0x80, 0xD2, 0xA8, 0x0B, 0x80, 0xD2, 0x01, 0x00, 0x00, 0xD4} // mov x0, 0; mov x8, 93; svc 0
	b := []byte{0x7F, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 183, 0, 1, 0, 0, 0}
	word := func(n int, v uint64) {
		for range n {
			b = append(b, byte(v))
			v >>= 8
		}
	}
	const head, entry = 64, 56
	size := uint64(head + entry + len(code))
	word(8, base+head+entry) // where it begins
	word(8, head)            // the table of segments
	word(8, 0)
	word(4, 0)
	for _, v := range []uint64{head, entry, 1, 0, 0, 0} {
		word(2, v)
	}
	word(4, 1) // loaded
	word(4, 5) // to be read and run
	for _, v := range []uint64{0, base, base, size, size, 0x1000} {
		word(8, v)
	}
	return append(b, code...)
}

// runStrange tries to run what is not the register.
func runStrange() (found []reach.Attempt) {
	for _, dir := range writable {
		found = append(found,
			reach.Attempt{Name: "program in " + dir, Errno: errnoOf(drop(dir, program()))},
			reach.Attempt{Name: "script in " + dir, Errno: errnoOf(drop(dir, []byte("#!"+heart+"\n")))},
			reach.Attempt{Name: "library in " + dir, Errno: errnoOf(mapped(dir))})
	}
	for name, flags := range map[string]int{"memory": 0, "memory, to be run": unix.MFD_EXEC, "sealed memory": unix.MFD_NOEXEC_SEAL} {
		found = append(found, reach.Attempt{Name: "program in " + name, Errno: errnoOf(fromMemory(flags))})
	}
	for _, shell := range []string{"/bin/sh", "/bin/busybox", "/lib/ld-linux-aarch64.so.1"} {
		found = append(found, reach.Attempt{Name: shell, Errno: errnoOf(start(shell))})
	}
	for _, path := range programs() {
		found = append(found, reach.Attempt{Name: "there is " + path})
	}
	return found
}

const strange = ".strange"

// drop writes a program and starts it.
func drop(dir string, data []byte) error {
	name := filepath.Join(dir, strange)
	if err := os.WriteFile(name, data, 0o755); err != nil { //nolint:gosec // to be run
		return err
	}
	defer os.Remove(name) //nolint:errcheck // of a test's board
	return start(name)
}

func start(name string) error {
	pid, err := syscall.ForkExec(name, []string{name}, nil) //nolint:gosec // that is what is tried
	if err != nil {
		return err
	}
	var status syscall.WaitStatus
	_, err = syscall.Wait4(pid, &status, 0, nil)
	return err
}

// mapped maps a dropped file to be run, as a library is.
func mapped(dir string) error {
	name := filepath.Join(dir, strange)
	if err := os.WriteFile(name, program(), 0o755); err != nil { //nolint:gosec // to be run
		return err
	}
	defer os.Remove(name)   //nolint:errcheck // of a test's board
	f, err := os.Open(name) //nolint:gosec // just written
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	_, err = unix.Mmap(int(f.Fd()), 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE)
	return err
}

func fromMemory(flags int) error {
	fd, err := unix.MemfdCreate("strange", flags)
	if err != nil {
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // only memory
	if _, err := unix.Write(fd, program()); err != nil {
		return err
	}
	name := "/proc/self/fd/" + strconv.Itoa(fd)
	return start(name)
}

// programs are all files on the board that may be run.
func programs() (list []string) {
	filepath.WalkDir("/", func(path string, d fs.DirEntry, err error) error { //nolint:errcheck,gosec // what cannot be seen cannot be run
		switch {
		case err != nil && d != nil && d.IsDir(), path == "/proc", path == "/sys":
			return fs.SkipDir
		case err != nil || !d.Type().IsRegular():
			return nil
		}
		info, err := d.Info()
		if err == nil && info.Mode()&0o111 != 0 && !strings.HasPrefix(path, "/data/") {
			list = append(list, path)
		}
		return nil
	})
	return list
}

// runBy has a thread of the register start another program, and make memory to
// run one from.
func runBy(t *reach.Thread) (found []reach.Attempt, err error) {
	name := []byte(path + "\x00")
	if err := t.Write(0, name); err != nil {
		return nil, err
	}
	at := int64(t.Scratch) //nolint:gosec // an address
	n, err := t.Call(unix.SYS_EXECVE, at, 0, 0)
	found = append(found, reach.Attempt{Name: "execve", Errno: reach.Errno(n)})
	if err != nil {
		return found, err
	}
	n, err = t.Call(unix.SYS_MEMFD_CREATE, at, 0)
	found = append(found, reach.Attempt{Name: "memfd_create", Errno: reach.Errno(n)})
	if err == nil && n >= 0 {
		err = errors.New("memory to run a program from")
	}
	return found, err
}
