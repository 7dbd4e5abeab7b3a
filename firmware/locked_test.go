package main

import (
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"regi/firmware/console"
	"regi/firmware/record"
)

// estate is a register's files, and its owner.
type estate struct {
	t     *testing.T
	path  string
	owner ed25519.PrivateKey
}

func newEstate(t *testing.T) *estate {
	t.Helper()
	public, owner, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	e := &estate{t: t, path: filepath.Join(t.TempDir(), "register.toml"), owner: owner}
	text := complete + "[console]\nowner = \"owner.pub\"\n"
	for path, data := range map[string][]byte{e.path: []byte(text), filepath.Join(filepath.Dir(e.path), "owner.pub"): record.MarshalSignPublic(public)} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// asked is a challenge that the register showed some time ago.
func asked(ago time.Duration) console.Challenge {
	return console.Challenge{ID: record.ID{Store: "0001", Register: "01"}, Nonce: [8]byte{byte(time.Now().UnixNano())}, Time: time.Now().Add(-ago).Truncate(time.Second)}
}

func configGrant() console.Grant {
	return console.Grant{Role: console.Technician, Minutes: 30, Name: "Suzuki", Scope: []string{"config"}}
}

// lay lays a change ready, as a register that was taken over could.
func (e *estate) lay(section, key, value, grant string, c console.Challenge) {
	e.t.Helper()
	config, err := LoadConfig(e.path)
	if err != nil {
		e.t.Fatal(err)
	}
	if err := os.MkdirAll(consoleFolder(config), 0o700); err != nil {
		e.t.Fatal(err)
	}
	text, err := os.ReadFile(e.path)
	if err != nil {
		e.t.Fatal(err)
	}
	stage := readTrial(config)
	stage.State, stage.Who, stage.Config = trialStaged, "x", string(setKey(text, section, key, value))
	stage.Grant, stage.Challenge = grant, c.String()
	if err := stage.save(); err != nil {
		e.t.Fatal(err)
	}
}

func (e *estate) sign(g console.Grant, owner ed25519.PrivateKey, c console.Challenge) string {
	e.t.Helper()
	text, err := g.Sign(owner, c)
	if err != nil {
		e.t.Fatal(err)
	}
	return text
}

// holds says whether the file has the setting now.
func (e *estate) holds(line string) bool {
	e.t.Helper()
	text, err := os.ReadFile(e.path)
	if err != nil {
		e.t.Fatal(err)
	}
	return slices.Contains(strings.Split(string(text), "\n"), line)
}

// TestGranted: the next start takes a change of a locked setting with the
// owner's grant, once, and says in whose name; what such a grant rests on is
// never changed by it.
func TestGranted(t *testing.T) {
	for _, s := range []struct {
		section, key, value string
		may                 bool
	}{
		{"network", "address", `"192.0.2.7/24"`, true},
		{"usb", "allow", `["0951:1666"]`, true},
		{"card", "suite", `"cbc"`, true},
		{"console", "baud", "9600", true},
		{"issuer", "name", `"Other"`, true},
		{"register", "supervisor", `"471147"`, true},
		{"console", "owner", `"mine.pub"`, false},
		{"cloud", "url", `"tls://evil.example:4222"`, false},
		{"register", "id", `"02"`, false},
		{"register", "state", `"other"`, false},
		{"catalog", "file", `"device.key"`, false},
	} {
		e, c := newEstate(t), asked(time.Minute)
		line := s.key + " = " + s.value
		e.lay(s.section, s.key, s.value, e.sign(configGrant(), e.owner, c), c)
		got := start(t, e.path)
		if want := map[bool]string{true: trialTrying, false: trialUndone}[s.may]; got.State != want || e.holds(line) != s.may {
			t.Errorf("%s.%s: %+v", s.section, s.key, got)
		}
		if s.may && (got.Answer != grantID(c) || got.Grant != "" || got.Challenge != "") {
			t.Errorf("%s.%s: %+v", s.section, s.key, got)
		}
	}
}

// TestGrantRefused: no other signature, role, scope or time will do, nor the same
// grant again.
func TestGrantRefused(t *testing.T) {
	_, stranger, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	other := configGrant()
	other.Scope = []string{"check", "config set"}
	every := configGrant()
	every.Scope = nil
	officer := configGrant()
	officer.Role = console.KeyOfficer
	for name, c := range map[string]struct {
		grant  console.Grant
		owner  ed25519.PrivateKey
		ago    time.Duration
		change func(grant string, c *console.Challenge) string
	}{
		"a stranger's":      {grant: configGrant(), owner: stranger},
		"another scope":     {grant: other},
		"no scope":          {grant: every},
		"an officer's":      {grant: officer},
		"ended":             {grant: configGrant(), ago: 32 * time.Minute},
		"of a time to come": {grant: configGrant(), ago: -2 * time.Minute},
		"said to be later": {grant: configGrant(), ago: 2 * time.Hour, change: func(g string, c *console.Challenge) string {
			c.Time = time.Now().Truncate(time.Second)
			return g
		}},
		"another challenge": {grant: configGrant(), change: func(g string, c *console.Challenge) string {
			c.Nonce[0]++
			return g
		}},
		"none": {grant: configGrant(), change: func(string, *console.Challenge) string { return "" }},
	} {
		t.Run(name, func(t *testing.T) {
			e, shown := newEstate(t), asked(c.ago)
			owner := c.owner
			if owner == nil {
				owner = e.owner
			}
			text := e.sign(c.grant, owner, shown)
			if c.change != nil {
				text = c.change(text, &shown)
			}
			e.lay("network", "address", `"192.0.2.7/24"`, text, shown)
			if got := start(t, e.path); got.State != trialUndone || got.Why == "" || e.holds(`address = "192.0.2.7/24"`) {
				t.Errorf("%+v", got)
			}
		})
	}
	e, shown := newEstate(t), asked(0)
	text := e.sign(configGrant(), e.owner, shown)
	e.lay("network", "address", `"192.0.2.7/24"`, text, shown)
	if got := start(t, e.path); got.State != trialTrying {
		t.Fatalf("%+v", got)
	}
	e.lay("network", "address", `"192.0.2.8/24"`, text, shown)
	if got := start(t, e.path); got.State != trialUndone || !strings.Contains(got.Why, errAnswered.Error()) || e.holds(`address = "192.0.2.8/24"`) {
		t.Errorf("the same grant again: %+v", got)
	}
}

// The same at the console: without a grant that names config the settings are
// locked, and one who comes later does not apply what another has noted.
func TestGrantedAtTheConsole(t *testing.T) {
	e := newEstate(t)
	c, err := LoadConfig(e.path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(e.path)
	if err != nil {
		t.Fatal(err)
	}
	by := console.Warrant{Grant: "x", Challenge: "y"}
	tech := &technician{config: c, text: text, path: e.path}
	if err := tech.Set("network.address", "192.0.2.7/24", console.Warrant{}); !errors.Is(err, errLocked) || !strings.Contains(err.Error(), "names config") {
		t.Errorf("without: %v", err)
	}
	if err := tech.Set("console.owner", "mine.pub", by); !errors.Is(err, errLocked) {
		t.Errorf("the owner: %v", err)
	}
	if err := tech.Set("network.address", "192.0.2.7/24", by); err != nil {
		t.Errorf("with: %v", err)
	}
	if err := tech.Apply(t.Context(), "x", console.Warrant{}); !errors.Is(err, errLocked) {
		t.Errorf("applied by another: %v", err)
	}
	tech.Discard()
	c.Console.Owner = ""
	if err := tech.Set("network.address", "192.0.2.7/24", by); !errors.Is(err, errLocked) {
		t.Errorf("without an owner: %v", err)
	}
}
