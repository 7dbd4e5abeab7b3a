package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hpke"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"regi/firmware/capture/ceremony"
	"regi/firmware/capture/launch"
	"regi/firmware/journal"
	"regi/firmware/landlock"
	"regi/firmware/record"
	"regi/firmware/register"
	"regi/firmware/role"
)

// TestMain is the real program when a test starts it again as one.
func TestMain(m *testing.M) {
	if os.Args[0] == "regi" || role.Of(os.Args[0]) != "" {
		if os.Args[0] == role.Drawer {
			solderPins()
		}
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// office is the state folder and the configuration of a shop, with the key that
// opens its records.
type office struct {
	t      *testing.T
	config string
	state  string
	opener *record.Opener
}

func newOffice(t *testing.T) *office {
	t.Helper()
	dir := t.TempDir()
	seal, err := hpke.MLKEM768X25519().GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	signer, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, config: filepath.Join(dir, "register.toml"), state: filepath.Join(dir, "state"), opener: record.NewOpener(seal)}
	for name, data := range map[string][]byte{
		"ledger.pub":    record.MarshalSealPublic(seal.PublicKey()),
		"receiver.pub":  record.MarshalSignPublic(signer),
		"catalog.json":  []byte(`{"version":"1","items":[{"gtin":"4901234567894","name":"x","kana":"x","price":110,"rate":"standard"}]}`),
		"register.toml": []byte("[register]\nstore=\"0001\"\nid=\"01\"\nstate=\"state\"\n[cloud]\nurl=\"tls://x:4222\"\nseal_to=\"ledger.pub\"\nsigned_by=\"receiver.pub\"\n[catalog]\nfile=\"catalog.json\"\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

// charter is what the configuration has the key's processes told.
func (o *office) charter() string {
	o.t.Helper()
	c, err := LoadConfig(o.config)
	if err != nil {
		o.t.Fatal(err)
	}
	told, err := c.charter()
	if err != nil {
		o.t.Fatal(err)
	}
	return told
}

// regi runs the program in a pipe.
func (o *office) regi(args ...string) (string, error) {
	cmd := exec.CommandContext(o.t.Context(), "/proc/self/exe")
	cmd.Args = append([]string{"regi", "keys", "--config", o.config}, args...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// events are the bodies of all security events in the journal.
func (o *office) events() (bodies []string) {
	o.t.Helper()
	j, err := journal.Open(filepath.Join(o.state, "journal"), journal.Options{})
	if err != nil {
		o.t.Fatal(err)
	}
	defer j.Close()
	head, _ := j.Head()
	for seq := uint64(1); seq <= head; seq++ {
		e, err := j.Read(seq)
		if err != nil {
			o.t.Fatal(err)
		}
		var sealed record.Sealed
		if err := sealed.UnmarshalBinary(e.Payload); err != nil {
			o.t.Fatal(err)
		}
		if sealed.Kind != record.SecurityEvent {
			continue
		}
		plain, err := o.opener.Open(sealed)
		if err != nil {
			o.t.Fatal(err)
		}
		bodies = append(bodies, string(plain))
	}
	return bodies
}

// sitting is "regi keys inject" on a terminal.
type sitting struct {
	t      *testing.T
	master *os.File
	slave  *os.File
	cmd    *exec.Cmd
	reads  chan []byte
	shown  []byte
	at     int // what was waited for ends here
}

func (o *office) sit() *sitting {
	o.t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		o.t.Skipf("no pseudo-terminal: %v", err)
	}
	cmd := exec.CommandContext(o.t.Context(), "/proc/self/exe")
	cmd.Args = []string{"regi", "keys", "--config", o.config, "inject"}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		o.t.Fatal(err)
	}
	s := newSitting(o.t, master, slave)
	s.cmd = cmd
	o.t.Cleanup(func() { cmd.Process.Kill() })
	return s
}

// answer waits for a prompt and types a line.
func (s *sitting) answer(prompt, line string) {
	s.t.Helper()
	s.until(prompt)
	if _, err := io.WriteString(s.master, line); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sitting) until(text string) {
	s.t.Helper()
	late := time.After(patience)
	for {
		if i := bytes.Index(s.shown[s.at:], []byte(text)); i >= 0 {
			s.at += i + len(text)
			return
		}
		select {
		case b, ok := <-s.reads:
			if !ok {
				s.t.Fatalf("waiting for %q: the terminal is closed\n%s", text, s.shown)
			}
			s.shown = append(s.shown, b...)
		case <-late:
			s.t.Fatalf("waiting for %q\n%s", text, s.shown)
		}
	}
}

// Values made by a key host from made-up keys: the components, and a block that
// holds an AES-128 key.
const (
	partOne  = "A7A7A7A7A7A7A7A7A7A7A7A7A7A7A7A7"
	partTwo  = "7365636F6E6420636F6D706F6E656E74"
	wrongKCV = "000000"
)

// TestInjectOnATerminal is the whole ceremony with the real processes on a real
// terminal: nothing secret is echoed, the terminal is left as it was, the record
// is in the journal and the key in the file.
func TestInjectOnATerminal(t *testing.T) {
	o := newOffice(t)
	h := newKeyHost(t, partOne, partTwo)
	s := o.sit()
	before, err := unix.IoctlGetTermios(int(s.slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	s.answer("Officer 1, your name: ", "Sato Hanako\r")
	s.answer("component (not shown): ", partOne+"\r")
	s.answer("Its check value: ", wrongKCV+"\r")
	s.answer("component (not shown): ", partOne+"\r")
	s.answer("Its check value: ", h.kcv[0]+"\r")
	s.answer("Officer 2, your name: ", "鈴木\r")
	s.answer("component (not shown): ", partTwo+"\r")
	s.answer("Its check value: ", h.kcv[1]+"\r")
	s.answer("Key block (not shown): ", h.block+"\r")
	if out, err := o.regi("inject"); err == nil || !strings.Contains(out, "terminal") {
		t.Errorf("in a pipe: %s, %v", out, err)
	}
	if out, err := o.regi("wipe"); err == nil || !strings.Contains(out, "running") {
		t.Errorf("beside a ceremony: %s, %v", out, err)
	}
	s.answer("Type yes to load it: ", "yes\r")
	s.until("Loaded.")
	if err := s.cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, s.shown)
	}
	after, err := unix.IoctlGetTermios(int(s.slave.Fd()), unix.TCGETS)
	if err != nil || *after != *before {
		t.Errorf("the terminal is left as %+v, was %+v", after, before)
	}
	shown := strings.ToUpper(string(s.shown))
	for _, secret := range []string{partOne, partTwo, h.block[16+20+12:], h.key} {
		if strings.Contains(shown, secret[:8]) || strings.Contains(shown, secret[len(secret)-8:]) {
			t.Errorf("a secret is on the screen:\n%s", s.shown)
		}
	}
	want := fmt.Sprintf(`{"Event":"card-key-loaded","IKID":%q,"KCV":%q,"Officers":["Sato Hanako","鈴木"]}`, h.ikid, h.keyKCV)
	if got := o.events(); len(got) != 1 || got[0] != want {
		t.Errorf("journal\n got %s\nwant %s", got, want)
	}
	if out, err := o.regi("status"); err != nil || !strings.Contains(out, h.ikid) || !strings.Contains(out, h.keyKCV) {
		t.Errorf("%s, %v", out, err)
	}
	if out, err := o.regi("wipe"); err != nil || !strings.Contains(out, "zeroised") {
		t.Errorf("%s, %v", out, err)
	}
	if out, err := o.regi("status"); err != nil || !strings.Contains(out, "zeroised") {
		t.Errorf("%s, %v", out, err)
	}
}

// Stopped with Ctrl-C, and killed, a ceremony leaves no key, no record, and the
// terminal as it was.
func TestInjectStopped(t *testing.T) {
	for name, stop := range map[string]func(*sitting){
		"ctrl-c": func(s *sitting) { s.answer("component (not shown): ", "A7A7\x03") },
		"terminated": func(s *sitting) {
			s.until("component (not shown): ")
			s.cmd.Process.Signal(syscall.SIGTERM)
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			s := o.sit()
			before, err := unix.IoctlGetTermios(int(s.slave.Fd()), unix.TCGETS)
			if err != nil {
				t.Fatal(err)
			}
			s.answer("Officer 1, your name: ", "Sato\r")
			stop(s)
			if err := s.cmd.Wait(); err == nil {
				t.Error("it says that it went well")
			}
			if after, err := unix.IoctlGetTermios(int(s.slave.Fd()), unix.TCGETS); err != nil || *after != *before {
				t.Errorf("the terminal is left as %+v, %v", after, err)
			}
			if out, err := o.regi("status"); err != nil || !strings.Contains(out, "no card key") {
				t.Errorf("%s, %v", out, err)
			}
			if got := o.events(); len(got) != 0 {
				t.Errorf("journal: %s", got)
			}
		})
	}
}

// A running register owns the journal: no ceremony beside it.
func TestInjectBesideARegister(t *testing.T) {
	o := newOffice(t)
	c, err := LoadConfig(o.config)
	if err != nil {
		t.Fatal(err)
	}
	rc, err := registerConfig(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	n, err := register.OpenNotes(rc)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	s := o.sit()
	s.until(ceremony.ErrRunning.Error())
	if err := s.cmd.Wait(); err == nil {
		t.Error("it says that it went well")
	}
}

func TestKeysUsage(t *testing.T) {
	o := newOffice(t)
	for _, args := range [][]string{{}, {"look"}, {"status", "wipe"}} {
		if out, err := o.regi(args...); err == nil || !strings.Contains(out, "inject") {
			t.Errorf("%q: %s, %v", args, out, err)
		}
	}
}

// TestTamper wipes a key through the card process, through one that does not
// obey, and where there is none.
func TestTamper(t *testing.T) {
	for name, c := range map[string]struct {
		process func(*testing.T, *keyKeeper, *bool)
		file    string // what the file says after it
	}{
		"none": {func(*testing.T, *keyKeeper, *bool) {}, "zeroised"},
		"obeys": {func(t *testing.T, k *keyKeeper, wiped *bool) {
			ours, theirs := socketPair(t)
			k.begin(ours)
			b := make([]byte, 8)
			go func() {
				if n, err := theirs.Read(b); err == nil && string(b[:n]) == "W" {
					*wiped = true
				}
			}()
			k.state = func() string { return launch.Zeroised() }
		}, "no card key"}, // it was not the real one
		"gone": {func(t *testing.T, k *keyKeeper, _ *bool) {
			ours, theirs := socketPair(t)
			theirs.Close()
			k.begin(ours)
		}, "zeroised"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			if err := os.MkdirAll(o.state, 0o700); err != nil {
				t.Fatal(err)
			}
			spawn, err := role.NewSpawner(os.Stderr, role.Spawning{
				Paths: []landlock.Path{{Path: o.state, Access: landlock.Read | landlock.Write}}, Told: map[string]string{role.Keys: o.charter()},
			})
			if err != nil {
				t.Fatal(err)
			}
			wiped := false
			k := &keyKeeper{spawn: spawn, state: func() string { return "up" }}
			c.process(t, k, &wiped)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			k.wipe(ctx)
			if k.start() != nil || ctx.Err() != nil {
				t.Fatal("not wiped")
			}
			if out, err := o.regi("status"); err != nil || !strings.Contains(out, c.file) {
				t.Errorf("%s, %v", out, err)
			}
		})
	}
}

func socketPair(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs = os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	return ours, theirs
}

// A tamper line that is not there is said; none is no error.
func TestNoTamperLine(t *testing.T) {
	c := defaults()
	if line, err := openTamper(c); line != nil || err != nil {
		t.Errorf("%v, %v", line, err)
	}
	c.Card.Tamper = "NO-SUCH-LINE"
	if _, err := openTamper(c); err == nil || !strings.Contains(err.Error(), "card.tamper") {
		t.Errorf("%v", err)
	}
}

// FuzzKeysWord: whatever the hardened process says is heard or refused.
func FuzzKeysWord(f *testing.F) {
	f.Add([]byte(`{"Load":{"IKID":"00","KCV":"00","Officers":["a","b"]}}`))
	f.Add([]byte(`{"Err":"x"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := hearKeys(bytes.NewReader(b))
		if err == nil && w.Err != "" {
			t.Error("an error passed for a word")
		}
		if _, jsonErr := json.Marshal(w); jsonErr != nil {
			t.Error(errors.Join(err, jsonErr))
		}
	})
}
