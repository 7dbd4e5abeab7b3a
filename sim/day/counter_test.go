package day_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var binaries = struct{ sim, regi string }{}

// atOnce is how many counters run at once, on however few processors.
const atOnce = 4

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "regi-day-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binaries.sim, binaries.regi = filepath.Join(dir, "sim"), filepath.Join(dir, "regi")
	for path, pkg := range map[string]string{binaries.sim: "regi/sim", binaries.regi: "regi/firmware"} {
		build := exec.Command("go", "build", "-o", path, pkg)
		build.Env = append(os.Environ(), "GOEXPERIMENT=runtimesecret", "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", pkg, err, out)
			os.Exit(1)
		}
	}
	// A connection that is kept, dialled for a request that another one took, is
	// closed by the server before its first: each request has its own.
	http.DefaultTransport.(*http.Transport).DisableKeepAlives = true //nolint:forcetypeassert // the library's own
	// Counters wait for wires and timers more than they work.
	flag.Parse()
	if runtime.GOMAXPROCS(0) < atOnce {
		flag.Set("test.parallel", strconv.Itoa(atOnce))
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// counter is one running simulator with its register.
type counter struct {
	t    *testing.T
	url  string
	dir  string
	cmd  *exec.Cmd
	logs *logbook
}

// logbook keeps what the simulator and its processes printed.
type logbook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

var address = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// open starts a counter in a folder and waits until a cashier could sell.
func open(t *testing.T, dir string) *counter {
	t.Helper()
	c := &counter{t: t, dir: dir, logs: &logbook{}}
	c.cmd = exec.Command(binaries.sim, "--dir", dir, "--http", "127.0.0.1:0", "--regi", binaries.regi)
	c.cmd.Stdout, c.cmd.Stderr = c.logs, c.logs
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	c.await("an address", patience, func() bool {
		c.url = address.FindString(c.logs.String())
		return c.url != ""
	})
	c.await("an open shift", patience, func() bool { s := c.state(); return s.Till == "IDLE" && s.allUp() })
	return c
}

// close ends the simulator in order; a second close does nothing.
func (c *counter) close() {
	if c.cmd.ProcessState != nil {
		return
	}
	c.cmd.Process.Signal(syscall.SIGTERM)
	late := time.AfterFunc(patience, func() {
		c.t.Error("the simulator did not end after SIGTERM")
		c.cmd.Process.Kill()
	})
	c.cmd.Wait()
	late.Stop()
}

// patience is how long anything may take on a busy machine.
const patience = time.Minute

// await polls a condition; its name is what was missing.
func (c *counter) await(what string, within time.Duration, ok func() bool) {
	c.t.Helper()
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(15 * time.Millisecond) {
		if ok() {
			return
		}
	}
	said := ""
	if c.url != "" {
		said = string(c.get("/api/state"))
	}
	c.t.Fatalf("gave up waiting for %s\nstate %s", what, said)
}

// post makes a call. It reports whether the counter agreed to it (a cable may
// be out, a process starting) and, of bytes, whether the register read them.
func (c *counter) post(path string, body any) bool {
	c.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := http.Post(c.url+path, "application/json", bytes.NewReader(b))
	if err != nil {
		c.t.Fatalf("the simulator is gone: %v", err)
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(resp.Body)
	if resp.StatusCode == http.StatusConflict {
		return false
	}
	if resp.StatusCode >= 300 {
		c.t.Fatalf("POST %s: %s: %s", path, resp.Status, said)
	}
	return !bytes.Contains(said, []byte(`"read":false`))
}

func (c *counter) get(path string) []byte {
	c.t.Helper()
	resp, err := http.Get(c.url + path)
	if err != nil {
		c.t.Fatalf("the simulator is gone: %v", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		c.t.Fatalf("GET %s: %s: %v", path, resp.Status, err)
	}
	return b
}

// state is what the tests look at of /api/state.
type state struct {
	Drawer struct {
		State      string `json:"state"`
		Violations int    `json:"violations"`
		Pulses     int    `json:"pulses"`
	} `json:"drawer"`
	Printer struct {
		Lines    int  `json:"lines"`
		Buffered int  `json:"buffered"`
		Offline  bool `json:"offline"`
	} `json:"printer"`
	Till   string `json:"till"`
	Outbox uint64 `json:"outbox"`
	Head   uint64 `json:"head"`
	Cloud  struct {
		Session bool     `json:"session"`
		Alarms  []string `json:"alarms"`
	} `json:"cloud"`
	Devices   map[string]string `json:"devices"`
	Unplugged []string          `json:"unplugged"`
	Roles     map[string]int    `json:"roles"`
}

func (c *counter) state() (s state) {
	c.t.Helper()
	if err := json.Unmarshal(c.get("/api/state"), &s); err != nil {
		c.t.Fatal(err)
	}
	return s
}

// ready says that a register is there and knows its phase.
func (s *state) ready() bool { return s.Till != "OFF" && s.Till != "BOOT" && s.Till != "DOWN" }

// allUp says that every device a sale needs is there.
func (s *state) allUp() bool {
	for _, device := range []string{"scanner", "printer", "card", "keypad", "display"} {
		if s.Devices[device] != "up" {
			return false
		}
	}
	return true
}

func (c *counter) paper() string { return string(c.get("/api/paper.txt")) }

// entry is one record as the cloud's receiver opened it.
type entry struct {
	Seq  uint64          `json:"seq"`
	Kind string          `json:"kind"`
	Prev string          `json:"prev"`
	Hash string          `json:"hash"`
	Body json.RawMessage `json:"body"`
}

// ledgerPage is the most records of one answer.
const ledgerPage = 1000

func (c *counter) ledger() (all []entry) {
	c.t.Helper()
	for {
		var page []entry
		if err := json.Unmarshal(c.get(fmt.Sprintf("/api/ledger?from=%d", len(all)+1)), &page); err != nil {
			c.t.Fatal(err)
		}
		all = append(all, page...)
		if len(page) < ledgerPage {
			return all
		}
	}
}

func (c *counter) count(text string) int { return strings.Count(c.logs.String(), text) }
