package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// askedByName is a program that a test, or what it tests, asks by its name.
var askedByName = regexp.MustCompile(`(?:LookPath|Command|CommandContext|tool)\((?:ctx, |t\.Context\(\), )?"([A-Za-z0-9._-]+)"`)

// everywhere are programs that a machine with a clone, Go and coreutils has.
var everywhere = []string{"go", "git", "env", "cp", "sha256sum"}

// programs of the whole tree.
func programs(t *testing.T) (names []string) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != ".." {
			return filepath.SkipDir
		}
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range askedByName.FindAllSubmatch(text, -1) {
			names = append(names, string(m[1]))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(n string) bool { return slices.Contains(everywhere, n) })
}

// barePath is a folder for PATH of nothing but what a script itself needs.
func barePath(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"bash", "awk", "cat", "dirname", "env", "id", "mkdir"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// script runs one of .ci with its own PATH.
func script(t *testing.T, path string, env []string, name string, args ...string) (said string, err error) {
	t.Helper()
	c := exec.CommandContext(t.Context(), filepath.Join(path, "bash"), append([]string{filepath.Join("../.ci", name)}, args...)...)
	c.Env = append(env, "PATH="+path, "TMPDIR="+t.TempDir())
	out, err := c.CombinedOutput()
	return string(out), err
}

// On a machine that has nothing, and where nothing may be installed, each program
// that is asked anywhere is named by a script of CI: none is missed silently.
func TestMissingIsNamed(t *testing.T) {
	t.Parallel()
	path := barePath(t)
	var said strings.Builder
	for _, name := range []string{"chromium", "imagetools", "judges"} {
		out, err := script(t, path, nil, name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		said.WriteString(out)
	}
	all := programs(t)
	if len(all) < 8 || !slices.Contains(all, "python3") {
		t.Fatalf("only %q are asked: the search does not find them", all)
	}
	for _, name := range all {
		there := false
		for _, dir := range []string{"/usr/sbin", "/sbin"} { // where the scripts look as well
			_, err := os.Stat(filepath.Join(dir, name))
			there = there || err == nil
		}
		if !there && !regexp.MustCompile(`\b`+regexp.QuoteMeta(name)+`\b`).MatchString(said.String()) {
			t.Errorf("%s is asked, and no script of .ci says that it is missing:\n%s", name, said.String())
		}
	}
}

// What a test says of what it did not do stands at the end, and go test's verdict
// is kept.
func TestSkipsAreTold(t *testing.T) {
	t.Parallel()
	path := barePath(t)
	const events = `{"Action":"run","Package":"regi/a","Test":"TestSkip"}
{"Action":"output","Package":"regi/a","Test":"TestSkip","Output":"=== RUN   TestSkip\n"}
{"Action":"output","Package":"regi/a","Test":"TestSkip","Output":"    a_test.go:7: no \"x\" \u003chere\u003e\n","OutputType":"frame"}
{"Action":"output","Package":"regi/a","Test":"TestSkip","Output":"--- SKIP: TestSkip (0.00s)\n"}
{"Action":"skip","Package":"regi/a","Test":"TestSkip"}
{"Action":"output","Package":"regi/a","Test":"TestLog","Output":"    a_test.go:8: a seed of no interest\n"}
{"Action":"output","Package":"regi/a","Test":"TestLog","Output":"    a_test.go:9: zbarimg did NOT read it\n"}
{"Action":"pass","Package":"regi/a","Test":"TestLog"}
{"Action":"output","Package":"regi/a","Test":"TestFails","Output":"    a_test.go:10: 1, want 2\n"}
{"Action":"fail","Package":"regi/a","Test":"TestFails"}
{"Action":"output","Package":"regi/a","Test":"TestCut","Output":"panic: at once\n"}
{"Action":"output","Package":"regi/a","Output":"FAIL\tregi/a\t0.1s\n"}
{"Action":"fail","Package":"regi/a"}
{"ImportPath":"regi/b","Action":"build-output","Output":"b.go:1: no such thing\n"}
`
	const want = `    a_test.go:10: 1, want 2
FAIL	regi/a	0.1s
panic: at once
b.go:1: no such thing

NOT run, or not in full: 2
  regi/a TestSkip: no "x" <here>
  regi/a TestLog: zbarimg did NOT read it
`
	for _, code := range []string{"0", "1"} {
		file := filepath.Join(path, "events")
		fake := filepath.Join(path, "go"+code)
		text := "#!" + filepath.Join(path, "bash") + "\ncat " + file + "\nexit " + code + "\n"
		for name, b := range map[string]string{file: events, fake: text} {
			if err := os.WriteFile(name, []byte(b), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		out, err := script(t, path, []string{"GO=" + fake}, "tests", "./...")
		if !bytes.Equal([]byte(out), []byte(want)) || (err == nil) != (code == "0") {
			t.Errorf("exit code %s: %v\n%s\nwant\n%s", code, err, out, want)
		}
	}
}
