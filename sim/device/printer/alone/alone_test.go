package alone_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"regi/sim/device/printer/alone"
)

// screen keeps what a program writes.
type screen struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// await waits until what is on the screen.
func (s *screen) await(t *testing.T, what string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !strings.Contains(s.String(), what); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%q does not come:\n%s", what, s)
		}
	}
}

// run starts it, and returns where to type.
func run(t *testing.T, args ...string) (out, notes *screen, in io.Writer) {
	t.Helper()
	read, in := io.Pipe()
	out, notes = new(screen), new(screen)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- alone.Run(ctx, args, read, out, notes) }()
	t.Cleanup(func() {
		cancel()
		read.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	notes.await(t, "lists the commands")
	return out, notes, in
}

func TestTCP(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "paper")
	out, notes, in := run(t, "--tcp", "127.0.0.1:0", "--model", "80mm", "--out", dir)
	address := regexp.MustCompile(`tcp (\S+);`).FindStringSubmatch(notes.String())[1]
	for range 2 { // the printer outlives a connection
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte("Hello\n\x1dk\x43\x0c490123456789\n\n\n\n\x1dV\x00\x10\x04\x02")); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 1)
		if _, err := io.ReadFull(c, b); err != nil || b[0] != 0x12 {
			t.Errorf("status %x %v", b, err)
		}
		c.Close()
	}
	out.await(t, "Hello")
	notes.await(t, "ean-13")
	io.WriteString(in, "paper out\nstate\nfrobnicate\nfault fire line 1\nhead hot\nhead ok\ncable out\ncable in\nfault paper line 3\ncutter jam\ndrawer open\ncover ajar\n")
	notes.await(t, `"paper":"out"`)
	notes.await(t, "not understood")
	notes.await(t, `no fault "fire"`)
	notes.await(t, `cover "ajar"`)
	shot := filepath.Join(dir, "shot.png")
	io.WriteString(in, "png "+shot+"\nsave "+dir+"\nhelp\n")
	notes.await(t, "near-end paper cover")
	for name, want := range map[string]string{"shot.png": "\x89PNG", "paper.png": "\x89PNG", "paper.txt": "Hello", "paper.jsonl": `"symbology":"ean-13"`} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s: %.40q %v", name, b, err)
		}
	}
}

func TestPTY(t *testing.T) {
	link := filepath.Join(t.TempDir(), "printer")
	out, notes, _ := run(t, "--pty", link, "--speed", "300", "--buffer", "64", "--xonxoff")
	f, err := os.OpenFile(link, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("on a tty\n\x1bp\x00\x32\x10"); err != nil {
		t.Fatal(err)
	}
	out.await(t, "on a tty\n")
	notes.await(t, "BREAKS")
}

func TestBadOptions(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{},
		{"--tcp", "127.0.0.1:0", "--pty", "x"},
		{"--tcp", "127.0.0.1:0", "more"},
		{"--tcp", "127.0.0.1:0", "--model", "typewriter"},
		{"--tcp", "127.0.0.1:0", "--speed", "-1"},
		{"--tcp", "0.0.0.0:0"},
		{"--tcp", "nowhere"},
		{"--pty", file},
	} {
		if err := alone.Run(t.Context(), args, strings.NewReader(""), io.Discard, io.Discard); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
	var help bytes.Buffer
	if err := alone.Run(t.Context(), []string{"--help"}, nil, io.Discard, &help); !errors.Is(err, flag.ErrHelp) || !strings.Contains(help.String(), "fault KIND") {
		t.Errorf("help: %v\n%s", err, help.String())
	}
}
