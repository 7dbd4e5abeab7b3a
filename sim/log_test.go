package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// TestKeepLog: on a terminal the log is in a file that the printed text names;
// elsewhere it goes where it is read.
func TestKeepLog(t *testing.T) {
	master, terminal, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	defer master.Close()
	defer terminal.Close()
	o := options{dir: filepath.Join(t.TempDir(), "new")}
	keep, err := o.keepLog(terminal)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.log.Write([]byte("line\n")); err != nil {
		t.Fatal(err)
	}
	keep.Close()
	path := filepath.Join(o.dir, "log")
	if text, err := os.ReadFile(path); err != nil || string(text) != "line\n" {
		t.Errorf("%q, %v", text, err)
	}
	var said bytes.Buffer
	if announce(&said, "http://x", o); !strings.Contains(said.String(), path) {
		t.Errorf("the log is not named:\n%s", &said)
	}

	_, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	o = options{dir: t.TempDir()}
	if _, err := o.keepLog(pipe); err != nil || o.log != pipe || o.logged != "" {
		t.Errorf("a pipe: %+v, %v", o, err)
	}
}
