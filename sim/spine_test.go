package main_test

import (
	"bytes"
	"context"
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

// Published test numbers; no real card exists for them.
const (
	panGood     = "4111111111111111"
	panDeclined = "4000000000000002"
	panNoAnswer = "4000000000000119"
)

const (
	notebook = "4901234567894" // standard rate
	riceBall = "4912345678904" // reduced rate
	pencil   = "4908881000019" // standard rate, 105 yen
)

// patience is how long a condition may take before a test gives up; the
// machine is shared, the product's own times are in the benchmarks.
const patience = 60 * time.Second

var binaries = struct{ sim, regi string }{}

// atOnce is how many counters run at once, on however few processors.
const atOnce = 4

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "regi-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binaries.sim, binaries.regi = filepath.Join(dir, "sim"), filepath.Join(dir, "regi")
	for path, pkg := range map[string]string{binaries.sim: ".", binaries.regi: "../firmware"} {
		build := exec.Command("go", "build", "-o", path, pkg) // as go test builds: from the same cache
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

// logbook keeps what the simulator printed.
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

// start runs a counter and waits until a cashier could sell.
func start(t *testing.T) *counter {
	t.Helper()
	c := startAt(t, t.TempDir())
	c.await("open shift", func() bool { return c.till() == "IDLE" })
	return c
}

var address = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

func startAt(t *testing.T, dir string, args ...string) *counter {
	t.Helper()
	c := &counter{t: t, dir: dir, logs: &logbook{}}
	args = append([]string{"--dir", dir, "--http", "127.0.0.1:0", "--regi", binaries.regi}, args...)
	c.cmd = exec.Command(binaries.sim, args...)
	c.cmd.Stdout, c.cmd.Stderr = c.logs, c.logs
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.stop)
	c.await("address", func() bool {
		c.url = address.FindString(c.logs.String())
		return c.url != ""
	})
	return c
}

func (c *counter) stop() {
	if c.cmd.ProcessState != nil {
		return
	}
	c.cmd.Process.Signal(syscall.SIGTERM)
	ended := make(chan struct{})
	go func() { c.cmd.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(patience):
		c.cmd.Process.Kill()
		c.t.Errorf("the simulator did not end within %v of SIGTERM", patience)
		<-ended
	}
	if c.t.Failed() {
		c.t.Logf("log:\n%s", c.logs)
	}
}

// await polls a condition; its name is what was missing.
func (c *counter) await(what string, ok func() bool) {
	c.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	state, display, paper := "", "", ""
	if c.url != "" {
		state, display, paper = string(c.get("/api/state")), c.display(), c.paper()
	}
	c.t.Fatalf("gave up waiting for %s\nstate %s\ndisplay %q\npaper\n%s", what, state, display, paper)
}

func (c *counter) post(path string, body any) {
	c.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := http.Post(c.url+path, "application/json", bytes.NewReader(b))
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	if said, _ := io.ReadAll(resp.Body); resp.StatusCode >= 300 {
		c.t.Fatalf("POST %s: %s: %s", path, resp.Status, said)
	}
}

func (c *counter) get(path string) []byte {
	c.t.Helper()
	resp, err := http.Get(c.url + path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		c.t.Fatalf("GET %s: %s: %v", path, resp.Status, err)
	}
	return b
}

// awaitDevice waits until a device is up: nothing is sent to one that is not.
func (c *counter) awaitDevice(name string) {
	c.t.Helper()
	c.await("the "+name, func() bool { return c.state().Devices[name] == "up" })
}

func (c *counter) scan(data string) {
	c.t.Helper()
	c.awaitDevice("scanner")
	c.post("/api/scan", map[string]string{"data": data})
}

func (c *counter) keys(keys ...string) {
	c.t.Helper()
	c.awaitDevice("keypad")
	c.post("/api/keys", map[string]any{"keys": keys})
}
func (c *counter) paper() string { return string(c.get("/api/paper.txt")) }
func (c *counter) printer(key, value string) {
	c.t.Helper()
	c.post("/api/printer", map[string]string{key: value})
}

func (c *counter) cloud(link string) {
	c.t.Helper()
	c.post("/api/cloud", map[string]string{"link": link})
}

func (c *counter) power(action string) {
	c.t.Helper()
	c.post("/api/power", map[string]string{"action": action})
}

func (c *counter) kill(role string) {
	c.t.Helper()
	c.post("/api/kill", map[string]string{"role": role})
}

func (c *counter) device(name, action string) {
	c.t.Helper()
	c.post("/api/device", map[string]string{"name": name, "action": action})
}

func (c *counter) swipe(pan string) {
	c.t.Helper()
	c.awaitDevice("card")
	c.post("/api/swipe", map[string]string{
		"track1": "%B" + pan + "^TEST/CARD^30121010000000000000?", "track2": ";" + pan + "=30121010000000000000?",
	})
}

type state struct {
	Displays struct {
		Operator [2]string `json:"operator"`
	} `json:"displays"`
	Drawer struct {
		State string `json:"state"`
	} `json:"drawer"`
	Till         string `json:"till"`
	Outbox       int    `json:"outbox"`
	Acknowledged uint64 `json:"acknowledged"`
	Cloud        struct {
		Session bool `json:"session"`
	} `json:"cloud"`
	Devices map[string]string `json:"devices"`
	Roles   map[string]int    `json:"roles"`
}

func (c *counter) state() (s state) {
	c.t.Helper()
	if err := json.Unmarshal(c.get("/api/state"), &s); err != nil {
		c.t.Fatal(err)
	}
	return s
}

func (c *counter) till() string    { return c.state().Till }
func (c *counter) drawer() string  { return c.state().Drawer.State }
func (c *counter) display() string { d := c.state().Displays.Operator; return d[0] + "\n" + d[1] }

type entry struct {
	Seq  uint64          `json:"seq"`
	Kind string          `json:"kind"`
	Body json.RawMessage `json:"body"`
}

func (c *counter) ledger() (es []entry) {
	c.t.Helper()
	if err := json.Unmarshal(c.get("/api/ledger?from=0"), &es); err != nil {
		c.t.Fatal(err)
	}
	return es
}

// ofKind lists the bodies of one kind of record, as the cloud opened them.
func (c *counter) ofKind(kind string) (bodies []string) {
	c.t.Helper()
	for _, e := range c.ledger() {
		if e.Kind == kind {
			bodies = append(bodies, string(e.Body))
		}
	}
	return bodies
}

func (c *counter) awaitKind(kind string, n int) []string {
	c.t.Helper()
	c.await(fmt.Sprintf("%d %s in the cloud", n, kind), func() bool { return len(c.ofKind(kind)) >= n })
	got := c.ofKind(kind)
	if len(got) != n {
		c.t.Fatalf("%d records of kind %s in the cloud, want %d", len(got), kind, n)
	}
	return got
}

// settled waits until everything is acknowledged, then checks that the
// cloud's list is the whole chain, once and in order.
func (c *counter) settled() {
	c.t.Helper()
	c.await("empty outbox", func() bool { s := c.state(); return s.Cloud.Session && s.Outbox == 0 })
	for i, e := range c.ledger() {
		if e.Seq != uint64(i)+1 {
			c.t.Fatalf("record %d of the cloud's list has sequence %d", i+1, e.Seq)
		}
	}
}

// sellCash sells one notebook for the exact amount.
func (c *counter) sellCash() {
	c.t.Helper()
	before := len(c.soldLocally())
	c.scan(notebook)
	c.await("line", func() bool { return c.till() == "SALE" })
	c.keys("CASH")
	c.await("receipt", func() bool { return len(c.soldLocally()) == before+1 })
	c.closeDrawer()
}

var totalLine = regexp.MustCompile(`(?m)^.*合\s*計.*$`)

func (c *counter) soldLocally() []string { return totalLine.FindAllString(c.paper(), -1) }

func (c *counter) closeDrawer() {
	c.t.Helper()
	c.await("open drawer", func() bool { return c.drawer() == "open" })
	c.post("/api/drawer", map[string]string{"state": "closed"})
	c.await("idle till", func() bool { return c.till() == "IDLE" })
}

// noCardNumber searches everything the counter wrote: files, logs, paper,
// displays, the cloud's list and the page.
func (c *counter) noCardNumber(pans ...string) {
	c.t.Helper()
	places := map[string][]byte{
		"log": []byte(c.logs.String()), "paper": []byte(c.paper()), "state": c.get("/api/state"), "ledger": c.get("/api/ledger?from=0"),
	}
	err := filepath.WalkDir(c.dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		places[p], err = os.ReadFile(p)
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	for where, b := range places {
		for _, pan := range pans {
			if bytes.Contains(b, []byte(pan)) || bytes.Contains(b, []byte(pan[:10])) {
				c.t.Errorf("%s holds the card number", where)
			}
		}
	}
	c.t.Logf("searched %d places", len(places))
}

// processes maps each role to its process id.
func (c *counter) processes() map[string]int {
	c.t.Helper()
	found := map[string]int{}
	entries, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		c.t.Fatal(err)
	}
	for _, p := range entries {
		b, err := os.ReadFile(p)
		if err != nil {
			continue // it just ended
		}
		args := strings.Split(strings.TrimRight(string(b), "\x00"), "\x00")
		var pid int
		fmt.Sscanf(p, "/proc/%d/", &pid)
		if args[0] == binaries.regi && strings.Contains(string(b), c.dir) {
			found["register"] = pid
		}
	}
	for _, role := range []string{"regi-capture", "regi-uplink"} {
		for _, p := range entries {
			b, _ := os.ReadFile(p)
			if !strings.HasPrefix(string(b), role) {
				continue
			}
			var pid, parent int
			fmt.Sscanf(p, "/proc/%d/", &pid)
			status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			if _, rest, ok := strings.Cut(string(status), "PPid:"); ok {
				fmt.Sscan(rest, &parent)
			}
			if parent == found["register"] {
				found[strings.TrimPrefix(role, "regi-")] = pid
			}
		}
	}
	return found
}

func run(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	return string(out), err
}
