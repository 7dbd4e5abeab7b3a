package main_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.bug.st/serial"

	"regi/firmware/record"
	"regi/sim/cloud"
	"regi/sim/device/printer"
	"regi/sim/wire"
)

// rig is a real register on bare wires: the benchmark is the far end of each,
// so that nothing but the register and the kernel is measured.
type rig struct {
	b     *testing.B
	dir   string
	wires map[string]*wire.TTY
	cmd   *exec.Cmd
	frame []byte
	open  atomic.Bool // the drawer
	// paper gets the time of a job's first byte of text; one is kept.
	paper chan time.Time
}

const rigConfig = `
[register]
store = "0001"
id = "01"
state = "state"
locale = "en"
[scanner]
port = "DEV/scanner"
[printer]
port = "DEV/printer"
[card]
port = "DEV/card"
[keypad]
port = "DEV/keypad"
[display]
port = "DEV/display"
[cloud]
url = "URL"
ca = "CAFILE"
creds = "CREDS"
seal_to = "SEALTO"
signed_by = "SIGNEDBY"
[issuer]
name = "Bench"
registration_number = "T1180301018771"
[catalog]
file = "catalog.json"
`

func newRig(b *testing.B) *rig {
	b.Helper()
	r := &rig{b: b, dir: b.TempDir(), wires: map[string]*wire.TTY{}, paper: make(chan time.Time, 1)}
	for _, name := range []string{"scanner", "printer", "card", "keypad", "display"} {
		w, err := wire.Open(filepath.Join(r.dir, "dev", name))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { w.Close() })
		r.wires[name] = w
	}
	office, err := cloud.Open(filepath.Join(r.dir, "cloud"), record.ID{Store: "0001", Register: "01"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { office.Close() })
	f := office.Files()
	config := strings.NewReplacer("DEV", filepath.Join(r.dir, "dev"), "URL", office.URL(), "CAFILE", f.CA, "CREDS", f.Creds,
		"SEALTO", f.SealTo, "SIGNEDBY", f.SignedBy).Replace(rigConfig)
	prices := `{"version":"bench","items":[{"gtin":"` + notebook + `","name":"ノート","kana":"NOTE","price":220,"rate":"standard"}]}`
	for name, text := range map[string]string{"register.toml": config, "catalog.json": prices} {
		if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	r.start()
	data, err := os.ReadFile(filepath.Join(r.dir, "state", "device.pub"))
	if err != nil {
		b.Fatal(err)
	}
	key, err := record.ParseSignPublic(data)
	if err != nil {
		b.Fatal(err)
	}
	if err := office.Enroll(record.ID{Store: "0001", Register: "01"}, key); err != nil {
		b.Fatal(err)
	}
	return r
}

// start runs the register and opens the shift.
func (r *rig) start() {
	r.b.Helper()
	r.cmd = exec.Command(binaries.Regi, "run", "--config", filepath.Join(r.dir, "register.toml"))
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := r.cmd.Start(); err != nil {
		r.b.Fatal(err)
	}
	r.b.Cleanup(func() { r.cmd.Process.Signal(syscall.SIGTERM); r.cmd.Wait() })
	paper := printer.New(tapped{r.wires["printer"], r.paper}, printer.Options{DrawerOpen: r.open.Load, DrawerKick: func(int, time.Duration, time.Duration) { r.open.Store(true) }})
	ctx, cancel := context.WithCancel(context.Background())
	r.b.Cleanup(cancel)
	go paper.Run(ctx)
	r.await("CLOSED")
	for !r.shows(time.Second, "7") { // keys from before the keypad was opened are gone
		r.press("c7")
	}
	r.press("c1o")
	for !r.shows(time.Second, "WELCOME") { // a notice stands before it
		r.press("c")
	}
}

// tapped is the printer's wire; it notes when text comes.
type tapped struct {
	*wire.TTY
	paper chan time.Time
}

func (t tapped) Read(b []byte) (int, error) {
	n, err := t.TTY.Read(b)
	if bytes.IndexByte(b[:n], '\n') >= 0 { // only text has line feeds
		select {
		case t.paper <- time.Now():
		default:
		}
	}
	return n, err
}

// drained forgets what the paper has shown so far.
func (r *rig) drained() {
	select {
	case <-r.paper:
	default:
	}
}

func (r *rig) press(keys string) {
	r.b.Helper()
	if _, err := r.wires["keypad"].Write([]byte(keys)); err != nil {
		r.b.Fatal(err)
	}
}

// next reads the display's next frame: ESC Q A line CR ESC Q B line CR.
func (r *rig) next() (string, error) {
	b := make([]byte, 512)
	for {
		if i := bytes.Index(r.frame, []byte("\x1bQA")); i >= 0 {
			if lines := bytes.SplitN(r.frame[i+3:], []byte("\r"), 3); len(lines) == 3 {
				frame := string(lines[0]) + "|" + strings.TrimPrefix(string(lines[1]), "\x1bQB")
				r.frame = slices.Clone(lines[2])
				return frame, nil
			}
		}
		n, err := r.wires["display"].Read(b)
		if err != nil {
			return "", err
		}
		r.frame = append(r.frame, b[:n]...)
	}
}

// shows reads frames until one shows one of the parts, which it does within a
// time.
func (r *rig) shows(within time.Duration, parts ...string) bool {
	r.b.Helper()
	if err := r.wires["display"].SetReadDeadline(time.Now().Add(within)); err != nil {
		r.b.Fatal(err)
	}
	for {
		frame, err := r.next()
		if slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(frame, p) }) {
			return true
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			r.b.Fatal(err)
		}
		if err != nil {
			return false
		}
	}
}

// await is shows, of what must come; of several, the first.
func (r *rig) await(parts ...string) {
	r.b.Helper()
	if !r.shows(patience, parts...) {
		r.b.Fatalf("the display never shows any of %q", parts)
	}
}

// forget drops what the display was told before: a long name is told again as it
// scrolls.
func (r *rig) forget() {
	r.b.Helper()
	r.frame = nil
	b := make([]byte, 256)
	for {
		if err := r.wires["display"].SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
			r.b.Fatal(err)
		}
		if n, err := r.wires["display"].Read(b); n == 0 || err != nil {
			return
		}
	}
}

// voidSale takes the open sale back, so that no benchmark meets its limits.
func (r *rig) voidSale() {
	r.press("svv")
	r.await("WELCOME")
}

// report prints the quantiles of some times, in microseconds.
func report(b *testing.B, name string, times []time.Duration) (p50 time.Duration) {
	b.Helper()
	slices.Sort(times)
	p50 = times[len(times)/2]
	b.ReportMetric(float64(p50)/1e3, name+"-p50-µs")
	b.ReportMetric(float64(times[len(times)*99/100])/1e3, name+"-p99-µs")
	return p50
}

// wireTime is how long 13 digits and CR take at 9600 baud, 8N1.
const wireTime = 14_580 * time.Microsecond

// BenchmarkScanToDisplay is the time from a scan's last byte to the line on the
// display, its record durable, beside a bare go.bug.st/serial program that does
// nothing but copy a frame from one line to the other.
func BenchmarkScanToDisplay(b *testing.B) {
	r := newRig(b)
	bare := newBare(b)
	var ours, theirs []time.Duration
	for n := 0; b.Loop(); n++ {
		if n%200 == 199 {
			r.voidSale()
		}
		time.Sleep(wireTime) // a scan cannot come sooner
		r.forget()
		start := time.Now()
		if _, err := r.wires["scanner"].Write([]byte(notebook + "\r")); err != nil {
			b.Fatal(err)
		}
		r.await("NOTE")
		ours = append(ours, time.Since(start))
		theirs = append(theirs, bare())
	}
	p50 := report(b, "regi", ours)
	b.ReportMetric(float64(p50)/float64(report(b, "bare", theirs)), "ratio")
}

// BenchmarkKeyToDisplay is the time from a key's byte on a serial keypad to its
// digit on the display, beside the same bare program.
func BenchmarkKeyToDisplay(b *testing.B) {
	r := newRig(b)
	bare := newBare(b)
	const keyTime = 1042 * time.Microsecond // a byte at 9600 baud, 8N1
	var ours, theirs []time.Duration
	for b.Loop() {
		time.Sleep(keyTime)
		start := time.Now()
		r.press("7")
		r.await("|" + strings.Repeat(" ", 19) + "7")
		ours = append(ours, time.Since(start))
		r.press("c")
		r.await("WELCOME             |" + strings.Repeat(" ", 20))
		theirs = append(theirs, bare())
	}
	p50 := report(b, "regi", ours)
	b.ReportMetric(float64(p50)/float64(report(b, "bare", theirs)), "ratio")
}

// newBare returns a measurement of the baseline.
func newBare(b *testing.B) func() time.Duration {
	b.Helper()
	dir := b.TempDir()
	in, err := wire.Open(filepath.Join(dir, "in"))
	if err != nil {
		b.Fatal(err)
	}
	out, err := wire.Open(filepath.Join(dir, "out"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { in.Close(); out.Close() })
	source, err := serial.Open(filepath.Join(dir, "in"), &serial.Mode{BaudRate: 9600})
	if err != nil {
		b.Fatal(err)
	}
	sink, err := serial.Open(filepath.Join(dir, "out"), &serial.Mode{BaudRate: 9600})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { source.Close(); sink.Close() })
	frame := []byte("\x1bQA" + strings.Repeat(" ", 20) + "\r\x1bQB" + strings.Repeat(" ", 20) + "\r")
	go func() {
		for buf := make([]byte, 64); ; {
			n, err := source.Read(buf)
			if err != nil || n == 0 {
				return
			}
			if buf[n-1] == '\r' {
				sink.Write(frame)
			}
		}
	}()
	got := make([]byte, len(frame))
	return func() time.Duration {
		start := time.Now()
		if _, err := in.Write([]byte(notebook + "\r")); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(out, got); err != nil {
			b.Fatal(err)
		}
		return time.Since(start)
	}
}

// BenchmarkCashToPaper is the time from the CASH key to the receipt's first
// byte: the commit, made durable, and the layout are in it.
func BenchmarkCashToPaper(b *testing.B) {
	r := newRig(b)
	var times []time.Duration
	for b.Loop() {
		if _, err := r.wires["scanner"].Write([]byte(notebook + "\r")); err != nil {
			b.Fatal(err)
		}
		r.await("NOTE")
		r.drained()
		start := time.Now()
		r.press("$")
		times = append(times, (<-r.paper).Sub(start))
		r.await("CHANGE", "D04") // sales come faster than a coil may be kicked
		r.open.Store(false)
	}
	report(b, "cash-to-paper", times)
}

// BenchmarkResident is the memory of each process after a short shift.
func BenchmarkResident(b *testing.B) {
	r := newRig(b)
	for b.Loop() {
		for range 50 {
			if _, err := r.wires["scanner"].Write([]byte(notebook + "\r")); err != nil {
				b.Fatal(err)
			}
			r.await("NOTE")
			r.press("$")
			r.await("CHANGE", "D04") // sales come faster than a coil may be kicked
			r.open.Store(false)
		}
	}
	total := 0.0
	for role, pid := range family(r.cmd.Process.Pid) {
		b.ReportMetric(memory(b, pid, "Rss:"), role+"-MB")
		total += memory(b, pid, "Pss:") // the one binary counts once
	}
	b.ReportMetric(total, "all-MB")
	info, err := os.Stat(binaries.Regi)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/1e6, "binary-MB")
	b.ReportMetric(0, "ns/op")
}

// family maps the roles of a register to their processes.
func family(pid int) map[string]int {
	found := map[string]int{"register": pid}
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, path := range threads {
		more, _ := os.ReadFile(path)
		children = append(children, more...)
	}
	for _, child := range strings.Fields(string(children)) {
		name, _ := os.ReadFile("/proc/" + child + "/cmdline")
		if role, ok := strings.CutPrefix(strings.TrimRight(string(name), "\x00"), "regi-"); ok {
			found[role], _ = strconv.Atoi(child)
		}
	}
	return found
}

// memory is a line of /proc/PID/smaps_rollup, in MB: Rss is all that a process
// has in memory, Pss its part of what several share.
func memory(b *testing.B, pid int, line string) float64 {
	b.Helper()
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(rollup), "\n"+line)
	kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kb / 1e3
}
