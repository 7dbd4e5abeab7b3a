package main_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"regi/sim/counter/stand"
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
const patience = stand.Patience

var binaries stand.Commands

func TestMain(m *testing.M) { os.Exit(stand.Main(m, &binaries)) }

// counter is one running simulator with its register.
type counter struct {
	*stand.Counter
	t *testing.T
}

// start runs a counter and waits until a cashier could sell.
func start(t *testing.T) *counter {
	t.Helper()
	c := startAt(t, t.TempDir())
	c.Await("open shift", func() bool { return c.till() == "IDLE" })
	return c
}

func startAt(t *testing.T, dir string, args ...string) *counter {
	t.Helper()
	return &counter{binaries.Start(t, dir, args...), t}
}

// awaitDevice waits until a device is up: nothing is sent to one that is not.
func (c *counter) awaitDevice(name string) {
	c.t.Helper()
	c.Await("the "+name, func() bool { return c.state().Devices[name] == "up" })
}

func (c *counter) scan(data string) {
	c.t.Helper()
	c.awaitDevice("scanner")
	c.Post("/api/scan", map[string]string{"data": data})
}

func (c *counter) keys(keys ...string) {
	c.t.Helper()
	c.awaitDevice("keypad")
	c.Post("/api/keys", map[string]any{"keys": keys})
}

func (c *counter) printer(key, value string) {
	c.t.Helper()
	c.Post("/api/printer", map[string]string{key: value})
}

func (c *counter) cloud(link string) {
	c.t.Helper()
	c.Post("/api/cloud", map[string]string{"link": link})
}

func (c *counter) power(action string) {
	c.t.Helper()
	c.Post("/api/power", map[string]string{"action": action})
}

func (c *counter) kill(role string) {
	c.t.Helper()
	c.Post("/api/kill", map[string]string{"role": role})
}

func (c *counter) device(name, action string) {
	c.t.Helper()
	c.Post("/api/device", map[string]string{"name": name, "action": action})
}

func (c *counter) swipe(pan string) {
	c.t.Helper()
	c.awaitDevice("card")
	c.Post("/api/swipe", map[string]string{
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
	c.Read("/api/state", &s)
	return s
}

func (c *counter) till() string    { return c.state().Till }
func (c *counter) drawer() string  { return c.state().Drawer.State }
func (c *counter) display() string { d := c.state().Displays.Operator; return d[0] + "\n" + d[1] }

// ofKind lists the bodies of one kind of record, as the cloud opened them.
func (c *counter) ofKind(kind string) (bodies []string) {
	c.t.Helper()
	for _, e := range c.Ledger(0) {
		if e.Kind == kind {
			bodies = append(bodies, string(e.Body))
		}
	}
	return bodies
}

func (c *counter) awaitKind(kind string, n int) []string {
	c.t.Helper()
	c.Await(fmt.Sprintf("%d %s in the cloud", n, kind), func() bool { return len(c.ofKind(kind)) >= n })
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
	c.Await("empty outbox", func() bool { s := c.state(); return s.Cloud.Session && s.Outbox == 0 })
	for i, e := range c.Ledger(0) {
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
	c.Await("line", func() bool { return c.till() == "SALE" })
	c.keys("CASH")
	c.Await("receipt", func() bool { return len(c.soldLocally()) == before+1 })
	c.closeDrawer()
}

var totalLine = regexp.MustCompile(`(?m)^.*合\s*計.*$`)

func (c *counter) soldLocally() []string { return totalLine.FindAllString(c.Paper(), -1) }

func (c *counter) closeDrawer() {
	c.t.Helper()
	c.Await("open drawer", func() bool { return c.drawer() == "open" })
	c.Post("/api/drawer", map[string]string{"state": "closed"})
	c.Await("idle till", func() bool { return c.till() == "IDLE" })
}

// noCardNumber searches everything the counter wrote: files, logs, paper,
// displays, the cloud's list and the page.
func (c *counter) noCardNumber(pans ...string) {
	c.t.Helper()
	places := map[string][]byte{
		"log": []byte(c.Log.String()), "paper": []byte(c.Paper()), "state": c.Get("/api/state"), "ledger": c.Get("/api/ledger?from=0"),
	}
	err := filepath.WalkDir(c.Dir, func(p string, d os.DirEntry, err error) error {
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
		if args[0] == binaries.Regi && strings.Contains(string(b), c.Dir) {
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
