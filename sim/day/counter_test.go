package day_test

import (
	"bytes"
	"net/http"
	"os"
	"strings"
	"testing"

	"regi/sim/counter/stand"
)

var binaries stand.Commands

func TestMain(m *testing.M) { os.Exit(stand.Main(m, &binaries)) }

// patience is how long anything may take on a busy machine.
const patience = stand.Patience

// counter is one running simulator with its register.
type counter struct {
	*stand.Counter
	t *testing.T
}

// open starts a counter in a folder and waits until a cashier could sell.
func open(t *testing.T, dir string) *counter {
	t.Helper()
	c := &counter{binaries.Start(t, dir), t}
	c.Await("an open shift", func() bool { s := c.state(); return s.Till == "IDLE" && s.allUp() })
	return c
}

// post makes a call. It reports whether the counter agreed to it (a cable may
// be out, a process starting) and, of bytes, whether the register read them.
func (c *counter) post(path string, body any) bool {
	c.t.Helper()
	status, said, err := c.Try(path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	if status == http.StatusConflict {
		return false
	}
	if status >= http.StatusMultipleChoices {
		c.t.Fatalf("POST %s: %d: %s", path, status, said)
	}
	return !bytes.Contains(said, []byte(`"read":false`))
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
	c.Read("/api/state", &s)
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

func (c *counter) count(text string) int { return strings.Count(c.Log.String(), text) }
