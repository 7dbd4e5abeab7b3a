package main_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestServiceLine: what is typed on the simulated service line is obeyed by the
// real register, also after its cable was out.
func TestServiceLine(t *testing.T) {
	t.Parallel()
	c := start(t)
	answers := func(typed, part string) {
		t.Helper()
		c.Post("/api/console", map[string]string{"text": typed + "\r"})
		c.Await(part, func() bool {
			var s struct {
				Console []string `json:"console"`
			}
			if err := json.Unmarshal(c.Get("/api/state"), &s); err != nil {
				t.Fatal(err)
			}
			return strings.Contains(strings.Join(s.Console, "\n"), part)
		})
	}
	answers("nonsense", "そのコマンドはありません")
	c.device("console", "unplug")
	c.Await("a pulled cable", func() bool { return c.state().Devices["console"] == "unplugged" })
	c.device("console", "plug")
	c.awaitDevice("console")
	answers("lang en", "regi> lang en")
	answers("nonsense", "There is no such command")
}
