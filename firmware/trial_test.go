package main

import (
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"regi/firmware/console"
	"regi/firmware/record"
)

const oldURL = "tls://cloud.example:4222"

// cloudOf is what an owner sends of a cloud.
func cloudOf(t *testing.T) console.Credentials {
	t.Helper()
	seal, err := hpke.MLKEM768X25519().GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	signer, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, signer, key)
	if err != nil {
		t.Fatal(err)
	}
	return console.Credentials{
		URL: "tls://new.example:4222", CA: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), Creds: "creds",
		SealTo: string(record.MarshalSealPublic(seal.PublicKey())), SignedBy: string(record.MarshalSignPublic(signer)),
	}
}

// tried is a register's files with an enrolment laid ready.
func tried(t *testing.T) (c *Config, path string, stage *trial, to console.Credentials) {
	t.Helper()
	public, owner, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path = filepath.Join(dir, "register.toml")
	text := strings.Replace(complete, "/etc/regi/register.creds", "register.creds", 1) + "[console]\nowner = \"owner.pub\"\n"
	for name, text := range map[string]string{"register.toml": text, "ca.pem": "old authority", "owner.pub": string(record.MarshalSignPublic(public))} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if c, err = LoadConfig(path); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(consoleFolder(c), 0o700); err != nil {
		t.Fatal(err)
	}
	stage = readTrial(c)
	shown := console.Challenge{ID: record.ID{Store: "0001", Register: "01"}, Nonce: [8]byte{7}, Time: time.Unix(1_800_000_000, 0)}
	to = cloudOf(t)
	stage.State, stage.Who, stage.Challenge = trialStaged, "x", shown.String()
	if stage.Packet, err = to.Sign(owner, shown); err != nil {
		t.Fatal(err)
	}
	return c, path, stage, to
}

// holds checks what the next start would run with.
func holds(t *testing.T, path, url, ca string) {
	t.Helper()
	c, err := LoadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(c.Cloud.CA)
	if err != nil || c.Cloud.URL != url || string(text) != ca {
		t.Errorf("%s and %q, want %s and %q (%v)", c.Cloud.URL, text, url, ca, err)
	}
}

func start(t *testing.T, path string) *trial {
	t.Helper()
	c, err := LoadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	_, trial, err := settle(c, path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return trial
}

// A change is taken once, kept if it passes, and otherwise what was before is
// back, each file as it was or not there.
func TestTrial(t *testing.T) {
	_, path, stage, to := tried(t)
	if got := start(t, path); got.State != "" {
		t.Fatalf("nothing is laid ready: %+v", got)
	}
	if err := stage.save(); err != nil {
		t.Fatal(err)
	}
	got := start(t, path)
	if got.State != trialTrying || got.Packet != nil {
		t.Fatalf("%+v", got)
	}
	holds(t, path, to.URL, to.CA)
	got.State = trialPassed
	if err := got.save(); err != nil {
		t.Fatal(err)
	}
	if got = start(t, path); got.State != "" {
		t.Fatalf("%+v", got)
	}
	holds(t, path, to.URL, to.CA)
	if got = start(t, path); got.State != "" {
		t.Fatalf("%+v", got)
	}
	if err := stage.save(); err != nil { // as a register could that was taken over
		t.Fatal(err)
	}
	if got = start(t, path); got.State != trialUndone || !strings.Contains(got.Why, errAnswered.Error()) {
		t.Errorf("the owner's answer is taken twice: %+v", got)
	}
}

func TestTrialUndone(t *testing.T) {
	for name, end := range map[string]func(*trial) error{
		"failed": func(g *trial) error { g.State = trialFailed; return g.save() },
		"cut":    func(*trial) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			c, path, stage, _ := tried(t)
			if err := stage.save(); err != nil {
				t.Fatal(err)
			}
			if err := end(start(t, path)); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the record of it may be cut off, too
				if got := start(t, path); got.State != trialUndone || got.Who != "x" {
					t.Fatalf("%+v", got)
				}
				holds(t, path, oldURL, "old authority")
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), "enrolled-seal_to")); err == nil {
				t.Error("a file is left that was not there before")
			}
			if _, err := os.Stat(c.Cloud.CA); err != nil {
				t.Error(err)
			}
		})
	}
}

// A power cut at any moment of a take leaves a register that starts, with all
// of the old or all of the new.
func TestTrialPowerCut(t *testing.T) {
	for cut := range 4 {
		_, path, stage, to := tried(t)
		if err := stage.save(); err != nil {
			t.Fatal(err)
		}
		c, err := LoadConfig(path)
		if err != nil {
			t.Fatal(err)
		}
		got := readTrial(c)
		paths := map[string]string{"0": beforeFile(c), "1": "", "2": path, "3": filepath.Join(filepath.Dir(path), "enrolled-seal_to")}
		// The cut one cannot be written: its temporary name is a folder.
		blocked := paths[string(rune('0'+cut))] + ".new"
		if cut == 1 { // what is in this one's way is taken out of it
			blocked, got.path = filepath.Join(t.TempDir(), "empty"), "/nowhere/trial.json"
		}
		if err := os.Mkdir(blocked, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := got.take(c, path); err == nil {
			t.Fatalf("cut %d: taken", cut)
		}
		if err := os.Remove(blocked); err != nil {
			t.Fatal(err)
		}
		switch got := start(t, path); got.State {
		case trialTrying:
			holds(t, path, to.URL, to.CA)
		case trialUndone:
			holds(t, path, oldURL, "old authority")
		default:
			t.Errorf("cut %d: %+v", cut, got)
		}
	}
}

// What is laid ready but is no configuration, or garbled, is not taken.
func TestTrialRefused(t *testing.T) {
	_, path, stage, _ := tried(t)
	if err := os.WriteFile(stage.path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := start(t, path); got.State != "" {
		t.Errorf("%+v", got)
	}
	for name, change := range map[string]func(s *trial, text string){
		"no configuration": func(s *trial, _ string) { s.Packet, s.Config = nil, "[register]\nnonsense = 1\n" },
		"another register": func(s *trial, text string) { s.Packet, s.Config = nil, strings.Replace(text, `"01"`, `"02"`, 1) },
		"another owner": func(s *trial, text string) {
			s.Packet, s.Config = nil, strings.Replace(text, "owner.pub", "mine.pub", 1)
		},
		"another cloud": func(s *trial, _ string) {
			s.Packet, s.Config = nil, strings.Replace(complete, "cloud.example", "evil.example", 1)
		},
		"nobody's": func(s *trial, _ string) { s.Packet[len(s.Packet)/2] ^= 1 },
		"another challenge": func(s *trial, _ string) {
			s.Challenge = console.Challenge{ID: record.ID{Store: "0001", Register: "01"}}.String()
		},
	} {
		c, path, stage, _ := tried(t)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		change(stage, string(text))
		if err := stage.save(); err != nil {
			t.Fatal(err)
		}
		if _, got, err := settle(c, path, slog.New(slog.DiscardHandler)); err != nil || got.State != trialUndone || got.Why == "" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		holds(t, path, oldURL, "old authority")
	}
}

// Who the register is, whom it trusts and what of the board it gets is changed
// by nothing that the register itself could have laid ready, nor at the console.
func TestTrialLocked(t *testing.T) {
	for _, s := range []struct{ section, key, value string }{
		{"register", "supervisor", `"4711"`},
		{"register", "state", `"/data"`},
		{"usb", "allow", `["0951:1666"]`},
		{"network", "gateway", `"192.0.2.1"`},
		{"network", "servers", `["192.0.2.53"]`},
		{"card", "port", `"/dev/ttyS1"`},
		{"card", "suite", `"cbc"`},
		{"card", "keyblock_b", "true"},
		{"card", "reader", `"none"`},
		{"console", "port", `"/dev/ttyS1"`},
		{"console", "baud", "9600"},
		{"cloud", "customer_key", `"mine.pub"`},
		{"issuer", "name", `"Mine"`},
		{"issuer", "logo", `"/data/device.key"`},
		{"catalog", "file", `"/data/device.key"`},
	} {
		c, path, stage, _ := tried(t)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		stage.Packet, stage.Config = nil, string(setKey(text, s.section, s.key, s.value))
		if err := stage.save(); err != nil {
			t.Fatal(err)
		}
		if got := start(t, path); got.State != trialUndone || !strings.Contains(got.Why, errLocked.Error()) {
			t.Errorf("%s.%s: %+v", s.section, s.key, got)
		}
		tech := &technician{config: c, text: text, path: path}
		if err := tech.Set(s.section+"."+s.key, s.value, console.Warrant{}); !errors.Is(err, errLocked) {
			t.Errorf("%s.%s at the console: %v", s.section, s.key, err)
		}
	}
	_, path, stage, _ := tried(t)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, "[keypad.hid]\nid = \"0951:1666\"\npath = \"usb-0000:01:00.0-1.2\"\n"...)
	stage.Packet, stage.Config = nil, string(text)
	if err := stage.save(); err != nil {
		t.Fatal(err)
	}
	if got := start(t, path); got.State != trialUndone || !strings.Contains(got.Why, errLocked.Error()) {
		t.Errorf("%+v", got)
	}
}

// forgeries are what a register that was taken over may leave in a change's place.
func forgeries() map[string]func(t *testing.T, c *Config, at string) {
	forged := func(state string) func(*testing.T, *Config, string) {
		return func(t *testing.T, _ *Config, at string) {
			text, err := json.Marshal(map[string]any{"state": state, "who": strings.Repeat("\u3042\x1b", 500), "keys": slices.Repeat([]string{strings.Repeat("k", 500)}, 300), "why": strings.Repeat("y", 500)})
			if err == nil {
				err = os.WriteFile(at, text, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return map[string]func(t *testing.T, c *Config, at string){
		"trying": forged(trialTrying),
		"failed": forged(trialFailed),
		"staged": forged(trialStaged),
		"passed": forged(trialPassed),
		"undone": forged(trialUndone),
		"damaged before": func(t *testing.T, c *Config, at string) {
			forged(trialFailed)(t, c, at)
			if err := os.WriteFile(beforeFile(c), []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"a folder": func(t *testing.T, _ *Config, at string) {
			if err := os.MkdirAll(filepath.Join(at, "x"), 0o700); err != nil {
				t.Fatal(err)
			}
		},
		"a pipe": func(t *testing.T, _ *Config, at string) {
			if err := unix.Mkfifo(at, 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"a link": func(t *testing.T, _ *Config, at string) {
			if err := os.Symlink("/dev/zero", at); err != nil {
				t.Fatal(err)
			}
		},
		"a link to a file": func(t *testing.T, _ *Config, at string) {
			forged(trialUndone)(t, nil, at+".elsewhere")
			if err := os.Symlink(at+".elsewhere", at); err != nil {
				t.Fatal(err)
			}
		},
		"endless": func(t *testing.T, _ *Config, at string) {
			forged(trialFailed)(t, nil, at)
			if err := os.Truncate(at, 1<<40); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// Whoever has taken over the register writes its console's folder. Nothing there
// keeps the register from starting, or brings back what was long before.
func TestTrialForged(t *testing.T) {
	for name, forge := range forgeries() {
		t.Run(name, func(t *testing.T) {
			c, path, stage, _ := tried(t)
			if err := os.MkdirAll(filepath.Join(stage.path+".new", "x"), 0o700); err != nil {
				t.Fatal(err)
			}
			forge(t, c, stage.path)
			got := start(t, path)
			if strings.HasPrefix(name, "a ") && got.State != "" {
				t.Errorf("what is no file was read: %.200v", got)
			}
			if got.State == trialTrying || len(got.Who) > trialTextMax || len(got.Why) > trialTextMax || len(got.Keys) > trialNamesMax || strings.Contains(got.Who, "\x1b") {
				t.Errorf("%.200v", got)
			}
			for _, key := range got.Keys {
				if len(key) > trialTextMax {
					t.Errorf("a key of %d bytes", len(key))
				}
			}
			holds(t, path, oldURL, "old authority")
			if _, err := os.Stat(beforeFile(c)); err == nil {
				t.Error("what was before is left")
			}
			stage.State = trialStaged
			if err := stage.save(); err != nil {
				t.Errorf("no further change can be laid ready: %v", err)
			}
		})
	}
}

// The console's own file is written whatever is in its way, and only a file is
// read.
func TestConsoleFileForged(t *testing.T) {
	m := memoryFile(filepath.Join(t.TempDir(), "console.json"))
	for range 2 {
		for _, at := range []string{string(m), string(m) + ".new"} {
			if err := os.RemoveAll(at); err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(filepath.Join(at, "x"), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := m.Load(); err == nil {
			t.Error("a folder was read")
		}
		if err := m.Save([]byte("text")); err != nil {
			t.Error(err)
		}
		if data, err := m.Load(); err != nil || string(data) != "text" {
			t.Errorf("%q, %v", data, err)
		}
	}
}

func TestSetKey(t *testing.T) {
	for name, c := range map[string]struct{ text, section, key, value, want string }{
		"replaced":       {"[a]\nx = 1 # one\ny = 2\n", "a", "x", "3", "[a]\nx = 3 # one\ny = 2\n"},
		"no comment":     {"[a]\nx = \"#\\\"#\" # of \"x\"\n", "a", "x", `"t"`, "[a]\nx = \"t\" # of \"x\"\n"},
		"literal":        {"[a]\nx = '\\'  #c\n", "a", "x", "3", "[a]\nx = 3 #c\n"},
		"new key":        {"[a]\ny = 2\n\n[b]\nx = 1\n", "a", "x", "3", "[a]\nx = 3\ny = 2\n\n[b]\nx = 1\n"},
		"new section":    {"[a]\ny = 2\n", "b", "x", `"t"`, "[a]\ny = 2\n\n[b]\nx = \"t\"\n"},
		"of another":     {"[a]\nx = 1\n[b]\nx = 2\n", "b", "x", "3", "[a]\nx = 1\n[b]\nx = 3\n"},
		"longer name":    {"[a]\nxx = 1\n", "a", "x", "3", "[a]\nx = 3\nxx = 1\n"},
		"blanks":         {"[ a ]\n  x=1\n", "a", "x", "3", "[ a ]\nx = 3\n"},
		"comment header": {"# [a]\n[b] # b\nx = 1\n", "b", "x", "3", "# [a]\n[b] # b\nx = 3\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := string(setKey([]byte(c.text), c.section, c.key, c.value)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// FuzzSet: whatever a technician types for a setting, the file that comes of it
// is a configuration with that value, or the change is refused.
func FuzzSet(f *testing.F) {
	for _, seed := range [][2]string{{"baud", "19200"}, {"framing", "lf"}, {"port", `/dev/x"y\z`}, {"opener", "\"bugst\"\n[cloud]\nurl='x'"}, {"baud", "1 # x"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		path := "/nowhere/register.toml"
		c, err := parseConfig([]byte(complete), path)
		if err != nil {
			t.Fatal(err)
		}
		tech := &technician{config: c, text: []byte(complete), path: path}
		if tech.Set("scanner."+key, value, console.Warrant{}) != nil {
			if len(tech.Changed()) > 0 {
				t.Error("a refused change is noted")
			}
			return
		}
		after, err := parseConfig(tech.changed, path)
		if err != nil {
			t.Fatalf("%q = %q: %v\n%s", key, value, err, tech.changed)
		}
		var other []string
		was := (&technician{config: c}).List()
		for i, setting := range (&technician{config: after}).List() {
			if setting != was[i] && setting.Key != "scanner."+key {
				other = append(other, setting.Key)
			}
		}
		if len(other) > 0 {
			t.Errorf("%q = %q changed %q:\n%s", key, value, other, tech.changed)
		}
	})
}
