package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tried is a register's files with a change laid ready.
func tried(t *testing.T) (c *Config, path string, stage *trial) {
	t.Helper()
	dir := t.TempDir()
	path = filepath.Join(dir, "register.toml")
	for name, text := range map[string]string{"register.toml": complete, "ca.pem": "old authority"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := LoadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(consoleFolder(c), 0o700); err != nil {
		t.Fatal(err)
	}
	stage, err = readTrial(c)
	if err != nil {
		t.Fatal(err)
	}
	stage.State, stage.Who, stage.Keys = trialStaged, "x", []string{"scanner.baud"}
	stage.Files = map[string]string{
		fileConfig: strings.Replace(string(setKey([]byte(complete), "scanner", "baud", "19200")), "ca.pem", "new.pem", 1),
		fileCA:     "new authority",
	}
	return c, path, stage
}

// holds checks what the next start would run with.
func holds(t *testing.T, path string, baud int, ca string) {
	t.Helper()
	c, err := LoadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(c.Cloud.CA)
	if err != nil || c.Scanner.Baud != baud || string(text) != ca {
		t.Errorf("%d baud and %q, want %d and %q (%v)", c.Scanner.Baud, text, baud, ca, err)
	}
}

func start(t *testing.T, path string) *trial {
	t.Helper()
	c, err := LoadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	_, trial, err := settle(c, path)
	if err != nil {
		t.Fatal(err)
	}
	return trial
}

// A change is taken once, kept if it passes, and otherwise what was before is
// back, each file as it was or not there.
func TestTrial(t *testing.T) {
	_, path, stage := tried(t)
	if got := start(t, path); got.State != "" {
		t.Fatalf("nothing is laid ready: %+v", got)
	}
	if err := stage.save(); err != nil {
		t.Fatal(err)
	}
	got := start(t, path)
	if got.State != trialTrying || got.Files != nil {
		t.Fatalf("%+v", got)
	}
	holds(t, path, 19200, "new authority")
	got.State = trialPassed
	if err := got.save(); err != nil {
		t.Fatal(err)
	}
	if got = start(t, path); got.State != "" {
		t.Fatalf("%+v", got)
	}
	holds(t, path, 19200, "new authority")
	got = start(t, path)
	if got.State != "" {
		t.Fatalf("%+v", got)
	}
}

func TestTrialUndone(t *testing.T) {
	for name, end := range map[string]func(*trial) error{
		"failed": func(g *trial) error { g.State = trialFailed; return g.save() },
		"cut":    func(*trial) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			c, path, stage := tried(t)
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
				holds(t, path, 9600, "old authority")
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), "new.pem")); err == nil {
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
		_, path, stage := tried(t)
		if err := stage.save(); err != nil {
			t.Fatal(err)
		}
		c, err := LoadConfig(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := readTrial(c)
		if err != nil {
			t.Fatal(err)
		}
		paths := map[string]string{"0": beforeFile(c), "1": got.path, "2": path, "3": filepath.Join(filepath.Dir(path), "new.pem")}
		// The cut one cannot be written: its temporary name is a folder.
		blocked := paths[string(rune('0'+cut))] + ".new"
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
			holds(t, path, 19200, "new authority")
		case trialUndone:
			holds(t, path, 9600, "old authority")
		default:
			t.Errorf("cut %d: %+v", cut, got)
		}
	}
}

// What is laid ready but is no configuration, or garbled, is not taken.
func TestTrialRefused(t *testing.T) {
	c, path, stage := tried(t)
	if err := os.WriteFile(stage.path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := start(t, path); got.State != "" {
		t.Errorf("%+v", got)
	}
	stage.Files = map[string]string{fileConfig: "[register]\nnonsense = 1\n"}
	if err := stage.save(); err != nil {
		t.Fatal(err)
	}
	if _, got, err := settle(c, path); err != nil || got.State != trialUndone || !strings.Contains(got.Why, "nonsense") {
		t.Errorf("%+v, %v", got, err)
	}
	holds(t, path, 9600, "old authority")
}

func TestSetKey(t *testing.T) {
	for name, c := range map[string]struct{ text, section, key, value, want string }{
		"replaced":       {"[a]\nx = 1 # one\ny = 2\n", "a", "x", "3", "[a]\nx = 3\ny = 2\n"},
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
		if tech.Set("scanner."+key, value) != nil {
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
