package guest_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"regi/board/image/rom"
	"regi/sim/guest"
)

// Lines of the simulated chip, by their names.
const (
	kickLine, senseLine, tamperLine = "KICK", "SENSE", "TAMPER"
	rowLine, colLine                = "ROW", "COL"
)

// probed is a board whose kernel is looked at from within.
type probed struct {
	*shop
	answers *bufio.Scanner
	line    net.Conn
}

// TestOwnKernel shows what our own kernel has that kernel.rpi has not: it is
// locked down, loads nothing, and its simulated GPIO lines are a drawer's, a
// case's and a keypad's to the unchanged register.
func TestOwnKernel(t *testing.T) {
	campaign(t, "long", "our own kernel is built by hand")
	s := openOwn(t)
	s.rewire()
	p := s.probe()
	p.facts()
	p.lines()
	p.drawer()
	p.memory()
	// A line that was never closed is a case that was opened without power.
	p.Await("tamper record", func() bool { return p.count("security.event") > 0 })
	p.noAlarm()
	p.must(p.guest.PowerKey())
	p.must(p.guest.Wait(patience))
}

// rewire gives the register a drawer, a case and a keypad on GPIO.
func (s *shop) rewire() {
	s.Helper()
	path := filepath.Join(s.Dir, "data", "register.toml")
	b, err := os.ReadFile(path)
	s.must(err)
	text := regexp.MustCompile(`(?m)^via .*\npin .*\n`).ReplaceAllString(string(b), fmt.Sprintf("via = \"gpio\"\nkick = %q\nsense = %q\n", kickLine, senseLine))
	text = regexp.MustCompile(`(?m)^reader .*\n`).ReplaceAllString(text, fmt.Sprintf("reader = \"msr\"\ntamper = %q\n", tamperLine))
	text += fmt.Sprintf("\n[keypad.matrix]\nrows = [%q]\ncols = [%q]\nkeys = [[\"CLEAR\"]]\n", rowLine, colLine)
	s.must(os.WriteFile(path, []byte(text), 0o600))
	s.must(guest.WriteData(s.Context(), s.disk, filepath.Dir(path), 0))
}

// probe switches the board on with the probe before the register: a second
// initramfs behind the first, which is as it is shipped.
func (s *shop) probe() *probed {
	s.Helper()
	binary := filepath.Join(s.Dir, "probe")
	c := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "./probe")
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64")
	said, err := c.CombinedOutput()
	if err != nil {
		s.Fatalf("%v: %s", err, said)
	}
	code, err := os.ReadFile(binary)
	s.must(err)
	f, err := os.Open(s.disk)
	s.must(err)
	defer f.Close()
	boot, err := rom.Select(readOnly{f})
	s.must(err)
	both := filepath.Join(s.Dir, "initramfs")
	s.must(os.WriteFile(both, slices.Concat(boot.Initramfs, cpio(s.T, code)), 0o600))
	socket := filepath.Join(s.Dir, "probe.socket")
	begun := time.Now()
	s.guest, err = guest.Start(context.Background(), guest.Options{
		Image: s.image, Disk: s.disk, Dev: filepath.Join(s.Dir, "dev"), Cloud: s.cloud, Forward: s.forward, Dir: s.Dir, Log: s.Log,
		More: []string{
			"-initrd", both,
			"-append", boot.CommandLine + " rdinit=/probe probe.gpio=" + strings.Join([]string{kickLine, senseLine, tamperLine, rowLine, colLine}, ","),
			"-chardev", "socket,id=probe,path=" + socket + ",server=on,wait=off", "-device", "pci-serial,chardev=probe,addr=8",
		},
	})
	s.must(err)
	// Its lines are pulled up: what stands open until somebody closes it.
	s.slowly("word of the drawer", s.showing("ﾄﾞﾛｱ"))
	s.Logf("power to a display that speaks, with the probe: %.1f s", time.Since(begun).Seconds())
	p := &probed{shop: s}
	p.line, err = net.Dial("unix", socket)
	s.must(err)
	s.Cleanup(func() { p.line.Close() })
	p.answers = bufio.NewScanner(p.line)
	return p
}

// readOnly is a disk that is only looked at: nobody asked for a trial.
type readOnly struct{ *os.File }

func (readOnly) WriteAt(b []byte, _ int64) (int, error) { return len(b), nil }

// cpio is an archive with the one program, in the kernel's format ("newc").
func cpio(t *testing.T, program []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	put := func(name string, mode int, data []byte) {
		head := fmt.Sprintf("070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\x00", 0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0, name)
		for _, part := range [][]byte{[]byte(head), data} {
			z.Write(part)
			z.Write(make([]byte, (4-len(part)%4)%4))
		}
	}
	put("mnt", 0o40755, nil)
	put("probe", 0o100755, program)
	put("TRAILER!!!", 0, nil)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// ask has the probe answer.
func (p *probed) ask(question string) (answer []string) {
	p.Helper()
	p.must(p.line.SetDeadline(time.Now().Add(3 * patience)))
	_, err := p.line.Write([]byte(question + "\n"))
	p.must(err)
	for p.answers.Scan() {
		line := p.answers.Text()
		if line == "." {
			return answer
		}
		if strings.HasPrefix(line, "error: ") {
			p.Fatalf("%s: %s", question, line)
		}
		answer = append(answer, line)
	}
	p.Fatalf("%s: no answer: %v", question, p.answers.Err())
	return nil
}

// facts are what root may not do in this kernel.
func (p *probed) facts() {
	p.Helper()
	said := map[string]string{}
	for _, line := range p.ask("facts") {
		name, what, _ := strings.Cut(line, ": ")
		said[name] = what
	}
	for name, want := range map[string]string{
		"/sys/kernel/security/lockdown": "none integrity [confidentiality]", "lockdown none": "EPERM", "pci config": "EPERM",
		"finit_module": "ENOSYS", "init_module": "ENOSYS", "kexec_load": "ENOSYS", "bpf": "ENOSYS", "perf_event_open": "ENOSYS",
		"io_uring_setup": "ENOSYS", "userfaultfd": "ENOSYS", "/proc/modules": "ENOENT", "/proc/kcore": "ENOENT", "/dev/mem": "ENOENT",
		"/dev/kmem": "ENOENT", "/dev/port": "ENOENT", "/proc/sysrq-trigger": "ENOENT", "/proc/kallsyms": "ENOENT",
		"debugfs": "ENODEV", "tracefs": "ENODEV", "binfmt_misc": "ENODEV", "device-mapper": "ok",
	} {
		if said[name] != want {
			p.Errorf("%s: %q, not %q", name, said[name], want)
		}
	}
	lsm := said["/sys/kernel/security/lsm"]
	for _, want := range []string{"landlock", "lockdown", "yama"} {
		if !strings.Contains(lsm, want) {
			p.Errorf("%s is not in %q", want, lsm)
		}
	}
	p.Logf("Linux %s, lockdown %s, %s; %d ways into the kernel are not there", said["/proc/sys/kernel/osrelease"], said["/sys/kernel/security/lockdown"], lsm, len(said)-4)
}

// lines are found by their names, and taken by the register.
func (p *probed) lines() {
	p.Helper()
	p.slowly("lines of the register", func() bool {
		taken := 0
		for _, line := range p.ask("lines") {
			name, by, _ := strings.Cut(line, " ")
			if slices.Contains([]string{kickLine, senseLine, tamperLine, rowLine, colLine}, name) && by != "" {
				taken++
			}
		}
		return taken == 5
	})
}

// Limits of a pulse of the coil, in milliseconds, as they are seen from a guest
// that is kept waiting itself.
const pulseMax = 510

// drawer sells for cash with the drawer's lines in the probe's hands.
func (p *probed) drawer() {
	p.Helper()
	p.ask("pull " + senseLine + " down")
	p.openShift()
	p.scan()
	pulse := make(chan string, 1)
	go func() { pulse <- strings.Join(p.ask("watch "+kickLine), "") }()
	p.keys("CASH")
	p.shows("ｵﾂﾘ")
	ms, err := strconv.Atoi(<-pulse)
	p.must(err)
	p.Logf("the coil's line was high for %d ms", ms)
	if ms < 1 || ms > pulseMax {
		p.Errorf("a pulse of %d ms", ms)
	}
	p.ask("pull " + senseLine + " up")
	p.slowly("drawer that was opened", func() bool { return p.count("drawer.opened") > 0 })
	p.ask("pull " + senseLine + " down")
	p.slowly("drawer that was closed", func() bool { return p.count("drawer.closed") > 0 })
	p.slowly("sale in the cloud", func() bool { return p.count("sale.commit") == 1 })
}

// residentMax bounds what all roles hold, in KiB.
const residentMax = 30 << 10

func (p *probed) memory() {
	p.Helper()
	total := 0
	all := p.ask("memory")
	for _, line := range all {
		words := strings.Fields(line)
		pss, err := strconv.Atoi(words[len(words)-1])
		p.must(err)
		total += pss
	}
	p.Logf("resident over all roles: %.1f MB (PSS: what they share is counted once):\n%s", float64(total)/1024, strings.Join(all, "\n"))
	if total > residentMax || len(all) < 4 {
		p.Errorf("%d KiB over %d processes, at most %d", total, len(all), residentMax)
	}
}
