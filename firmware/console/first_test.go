package console_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"regi/firmware/console"
)

// TestNotSetUp: a register that does not sell says why, before anything else,
// and has no commands for a counter.
func TestNotSetUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop()
		h := s.host()
		h.Setup = "the reason"
		var prices []byte
		h.Prices = func(text []byte) error {
			prices = bytes.Clone(text)
			return nil
		}
		at := sit(t, console.New(h))
		at.mu.Lock()
		if shown := at.shown.String(); !strings.Contains(shown, "the reason") {
			t.Errorf("shown: %q", shown)
		}
		at.mu.Unlock()
		at.login("")
		help := at.type_("help\r")
		for _, c := range []string{"check", "scan test", "ledger", "config discard"} {
			if strings.Contains(help, "  "+c+" ") {
				t.Errorf("it offers %s", c)
			}
		}
		for _, c := range []string{"config paste", "catalog paste", "enroll", "update", "slot", "reboot", "support", "net"} {
			if !strings.Contains(help, "  "+c+" ") {
				t.Errorf("it does not offer %s:\n%s", c, help)
			}
		}
		at.type_("catalog paste\r")
		at.type_("{\r  \"version\": \"1\"\r}\r")
		if shown := at.type_("-----END-----\r"); !strings.Contains(shown, "Noted") || string(prices) != "{\n  \"version\": \"1\"\n}\n" {
			t.Errorf("taken %q, shown %q", prices, shown)
		}
		at.leave()
	})
}

// TestPaste: a file is taken whole or not at all, nothing of it is a command,
// and nothing of it is shown.
func TestPaste(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop, at *seat) {
		if shown := at.type_("catalog paste\r"); !strings.Contains(shown, "no such command") {
			t.Errorf("a register with prices: %q", shown)
		}
		at.login("")
		paste := func(text string) string {
			at.type_("config paste\r")
			shown := at.type_(text)
			if strings.Contains(shown, "rebo") || strings.Contains(shown, "レジ") {
				t.Errorf("shown: %q", shown)
			}
			return shown + at.type_("-----END-----\r")
		}
		if shown := paste("-----BEGIN-----\r# レジ\r[register]\r\r"); !strings.Contains(shown, "Noted") || s.changed[0].Value != "# レジ\n[register]\n\n" {
			t.Errorf("%q, taken %q", shown, s.changed)
		}
		s.changed = nil
		for name, text := range map[string]string{
			"a line that is too long": "[register]\r# " + strings.Repeat("x", console.LineMax) + "\rreboot\r",
			"no configuration":        "reboot\rpower off\r",
			"too many lines":          "[register]\r" + strings.Repeat(strings.Repeat("x", 400)+"\r", console.ConfigMax/400+2) + "reboot\r",
		} {
			if shown := paste(text); strings.Contains(shown, "Noted") || s.changed != nil {
				t.Errorf("%s: %q, taken %d", name, shown, len(s.changed))
			}
		}
		if len(s.did) > 0 {
			t.Errorf("done: %q", s.did)
		}
		at.type_("config paste\r")
		at.type_("[register]\r\x03") // stopped
		if shown := at.type_("lang ja\r"); s.changed != nil || !strings.Contains(shown, "日本語") {
			t.Errorf("after it was stopped: %q, taken %v", shown, s.changed)
		}
	})
}

// TestFirstOwner: a register without one takes the owner's key from whoever
// stands there, after a yes, and only as long as it does not sell.
func TestFirstOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop()
		h := s.host()
		h.Owner = nil
		at := sit(t, console.New(h))
		at.login("")
		if shown := at.type_("enroll\r"); !strings.Contains(shown, "knows no owner") {
			t.Errorf("a register that sells: %q", shown)
		}
		at.leave()
		h.Setup = errors.New("no keys").Error()
		at = sit(t, console.New(h))
		at.login("")
		at.type_("enroll\r")
		if shown := at.type_("AAAA\r\r"); !strings.Contains(shown, "key") || strings.Contains(shown, "  code ") {
			t.Errorf("three bytes: %q", shown)
		}
		at.leave()
	})
}
