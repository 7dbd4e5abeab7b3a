package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"regi/firmware/console"
	"regi/firmware/permit"
	"regi/firmware/record"
)

func run(args ...string) (string, error) {
	var out bytes.Buffer
	err := command(args, &out)
	return out.String(), err
}

// TestOwner makes a key, never a second one in its place, and answers a
// challenge with it.
func TestOwner(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "owner.key")
	out, err := run("key", "--key", key)
	if err != nil || !strings.Contains(out, "owner.pub") {
		t.Fatalf("%s, %v", out, err)
	}
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := run("key", "--key", key); err == nil {
		t.Error("the owner's key was replaced")
	}
	c := console.Challenge{ID: record.ID{Store: "0001", Register: "01"}, Nonce: [8]byte{1}, Time: time.Unix(1_700_000_000, 0)}
	ahead := c
	ahead.Time = time.Now().Add(aheadMax + time.Minute)
	out, err = run("sign", "--key", key, "--challenge", c.String(), "--name", "佐藤", "--scope", "check, print test", "--minutes", "5")
	if err != nil || !strings.Contains(out, "Register 0001/01") || !strings.Contains(out, "check, print test") {
		t.Errorf("%s, %v", out, err)
	}
	for _, f := range []string{"ca", "creds", "seal", "signed"} {
		if err := os.WriteFile(filepath.Join(dir, f), []byte(f), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files := []string{"credentials", "--key", key, "--challenge", c.String(), "--url", "tls://x:4222", "--ca", filepath.Join(dir, "ca"), "--creds", filepath.Join(dir, "creds"), "--seal-to", filepath.Join(dir, "seal"), "--signed-by", filepath.Join(dir, "signed")}
	if out, err = run(files...); err != nil || !strings.HasSuffix(out, "\n\n") {
		t.Errorf("%s, %v", out, err)
	}
	asked := permit.Challenged("0001/01")
	load := []string{"permit", "--key", key, "--challenge", asked.String(), "--ikid", "F0E1D2C3B4A59687", "--kcv", "1a2b3c", "--block", "D0144 "}
	out, err = run(load...)
	if err != nil || !strings.Contains(out, "Register 0001/01") || !strings.Contains(out, "1A2B3C") {
		t.Errorf("%s, %v", out, err)
	}
	public, err := os.ReadFile(filepath.Join(dir, "owner.pub"))
	if err != nil {
		t.Fatal(err)
	}
	owner, err := record.ParseSignPublic(public)
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Split(strings.TrimSpace(out), "\n")
	p, id, err := permit.Open(said[len(said)-1], owner, asked)
	if err != nil || p.Mark != permit.MarkOf([]byte("D0144")) || p.Minutes != 60 || !strings.Contains(out, id) {
		t.Errorf("%+v %s, %v", p, id, err)
	}
	for name, args := range map[string][]string{
		"no command":              {},
		"another command":         {"x", "--key", key},
		"no key":                  {"sign"},
		"a word too many":         {"sign", "--key", key, "--challenge", c.String(), "--name", "x", "y"},
		"no such key":             {"sign", "--key", key + "x", "--challenge", c.String(), "--name", "x"},
		"mistyped challenge":      {"sign", "--key", key, "--challenge", "A" + c.String()[1:] + "Q", "--name", "x"},
		"no name":                 {"sign", "--key", key, "--challenge", c.String()},
		"a time to come":          {"sign", "--key", key, "--challenge", ahead.String(), "--name", "x"},
		"no such role":            {"sign", "--key", key, "--challenge", c.String(), "--name", "x", "--role", "root"},
		"too long":                {"sign", "--key", key, "--challenge", c.String(), "--name", "x", "--minutes", "481"},
		"a challenge for a grant": append(slices.Clone(load), "--challenge", c.String()),
		"no block":                append(slices.Clone(load), "--block", ""),
		"half a check value":      append(slices.Clone(load), "--kcv", "1A2B"),
		"a permit of a week":      append(slices.Clone(load), "--minutes", "10080"),
		"a file that is none":     {"credentials", "--key", key, "--challenge", c.String(), "--ca", dir + "/none"},
	} {
		if out, err := run(args...); err == nil {
			t.Errorf("%s: %s", name, out)
		}
	}
}

// TestScope: nothing is signed for a command that there is not.
func TestScope(t *testing.T) {
	key := filepath.Join(t.TempDir(), "owner.key")
	c := console.Challenge{ID: record.ID{Store: "0001", Register: "01"}, Time: time.Now()}
	var out bytes.Buffer
	if err := makeKey(options{key: key}, &out); err != nil {
		t.Fatal(err)
	}
	for scope, good := range map[string]bool{"check, print": true, "check, prnt test": false, "print tests": false, "Config": false} {
		err := sign(options{key: key, challenge: c.String(), name: "Sato", role: "technician", scope: scope, minutes: 5}, &out)
		if (err == nil) != good {
			t.Errorf("%s: %v", scope, err)
		}
	}
}
