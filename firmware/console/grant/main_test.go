package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regi/firmware/console"
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
	c := console.Challenge{ID: record.ID{Store: "0001", Register: "01"}, Nonce: [8]byte{1}, Time: time.Unix(1_800_000_000, 0)}
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
	for name, args := range map[string][]string{
		"no command":          {},
		"another command":     {"x", "--key", key},
		"no key":              {"sign"},
		"no such key":         {"sign", "--key", key + "x", "--challenge", c.String(), "--name", "x"},
		"mistyped challenge":  {"sign", "--key", key, "--challenge", "A" + c.String()[1:] + "Q", "--name", "x"},
		"no name":             {"sign", "--key", key, "--challenge", c.String()},
		"no such role":        {"sign", "--key", key, "--challenge", c.String(), "--name", "x", "--role", "root"},
		"too long":            {"sign", "--key", key, "--challenge", c.String(), "--name", "x", "--minutes", "481"},
		"a file that is none": {"credentials", "--key", key, "--challenge", c.String(), "--ca", dir + "/none"},
	} {
		if out, err := run(args...); err == nil {
			t.Errorf("%s: %s", name, out)
		}
	}
}
