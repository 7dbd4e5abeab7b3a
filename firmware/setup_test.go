package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"regi/firmware/console"
	"regi/firmware/record"
	simstand "regi/sim/counter/stand"
)

// bare is a flashed board's data folder, and a technician at its console.
type bare struct {
	cmd *exec.Cmd // the newest
	*sitting
	t    *testing.T
	path string
	log  simstand.Log // of several processes
}

func newBare(t *testing.T) *bare {
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	return &bare{sitting: newSitting(t, master, slave), t: t, path: filepath.Join(t.TempDir(), "register.toml")}
}

// start runs the program as the board does, and returns what waits for its end.
func (b *bare) start(args ...string) (wait func()) {
	b.t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = append([]string{"regi"}, args...)
	cmd.Stderr = &b.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.cmd = cmd
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	b.t.Cleanup(func() {
		cmd.Process.Kill()
		if b.t.Failed() {
			b.t.Logf("log:\n%s\nterminal:\n%s", b.log.String(), b.shown)
		}
	})
	return func() {
		b.t.Helper()
		select {
		case <-ended:
		case <-time.After(patience):
			b.t.Fatal("it does not end")
		}
	}
}

func (b *bare) setup() (wait func()) {
	b.t.Helper()
	wait = b.start("setup", "--config", b.path, "--console", b.slave.Name())
	b.until("\nRegi ")
	b.until("regi> ")
	return wait
}

func (b *bare) say(text string) {
	b.t.Helper()
	if _, err := b.master.WriteString(text); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bare) login(again bool) {
	b.t.Helper()
	b.say("lang en\rlogin\r")
	if again {
		b.until("PIN (not shown)")
		b.say("824671\r")
	} else {
		b.until("New PIN")
		b.say("824671\r")
		b.until("Once more")
		b.say("824671\r")
	}
	b.until("is logged in")
	b.until("> ")
}

// whole is a configuration as a shop would paste it.
const whole = "# 店\n[register]\nstore = \"0001\"\nid = \"01\"\nstate = \"state\"\n\n[cloud]\nurl = \"tls://first.example:4222\"\n[tax]\nrounding = \"floor\"\nprices = \"inclusive\"\n[catalog]\nfile = \"catalog.json\"\n[issuer]\nname = \"レジ商店\"\n"

const firstGoods = `{"version":"1","items":[{"gtin":"4901234567894","name":"x","kana":"x","price":110,"rate":"standard"}]}`

// TestFirstStart sets a register up that has nothing, from the first PIN to its
// first start, over a real terminal; what was done is in its journal then.
func TestFirstStart(t *testing.T) {
	t.Parallel()
	b := newBare(t)
	wait := b.setup()
	b.tooEarly()
	b.pasteAll()
	wait()
	if _, err := os.Stat(b.path); err == nil {
		t.Error("a confined process has written the configuration")
	}

	wait = b.setup()
	if text, err := os.ReadFile(b.path); err != nil || string(text) != whole {
		t.Fatalf("configuration: %q, %v", text, err)
	}
	b.enrol()
	wait()

	wait = b.setup() // it takes them
	c, err := LoadConfig(b.path)
	if err != nil {
		t.Fatal(err)
	}
	if c.Cloud.URL != "tls://new.example:4222" {
		t.Errorf("cloud.url = %q", c.Cloud.URL)
	}
	if err := cannotSell(b.path); err != nil {
		t.Errorf("it cannot sell: %v", err)
	}
	if _, err := os.Stat(preparedFile(c)); err == nil {
		t.Error("what was taken is still there")
	}
	b.say("\x04")
	if err := b.cmd.Process.Kill(); err != nil { // or two would have one journal
		t.Fatal(err)
	}
	wait()
	before, err := os.ReadFile(pendingFile(c))
	if err != nil || !strings.Contains(string(before), `"Command":"enroll"`) || strings.Contains(string(before), "824671") {
		t.Errorf("what was done before: %s, %v", before, err)
	}
	b.start("run", "--config", b.path)
	for until := time.Now().Add(patience); !gone(pendingFile(c)); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("what was done before is not journalled")
		}
	}
}

// tooEarly asks for what a register that knows nothing cannot do, and sets what
// is not enough.
func (b *bare) tooEarly() {
	b.t.Helper()
	b.login(false)
	b.say("enroll\r") // too early: nobody knows yet who it is
	b.until("first the configuration")
	b.say("scan test\r")
	b.until("no such command")
	b.say("config set printer.baud 7\rconfig set printer.baud x\r")
	b.until("Noted")
	b.until("whole number")
	b.say("config apply\r")
	b.until("yes to go on")
	b.say("yes\r")
	b.until("are needed: 1 to 16")
}

// pasteAll pastes what a shop has.
func (b *bare) pasteAll() {
	b.t.Helper()
	b.say("config paste\r")
	b.until("-----END-----")
	b.say(strings.ReplaceAll(whole, "\n", "\r") + "-----END-----\r")
	b.until("Noted")
	b.say("catalog paste\r")
	b.until("-----END-----")
	b.say(firstGoods + "\r-----END-----\r")
	b.until("Noted")
	b.say("config apply\r")
	b.until("yes to go on")
	b.say("yes\r")
}

// enrol names an owner and takes what that one signs.
func (b *bare) enrol() {
	b.t.Helper()
	public, owner, err := ed25519.GenerateKey(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	b.login(true)
	b.say("enroll\r")
	b.until("owner.pub")
	b.say(strings.ReplaceAll(string(record.MarshalSignPublic(public)), "\n", "\r") + "\r")
	b.until(console.Fingerprint(public))
	b.until("yes to go on")
	b.say("yes\r")
	b.until("  code")
	b.until("Paste the credentials")
	to, err := console.ParseChallenge(string(challenge.Find(b.shown)))
	if err != nil {
		b.t.Fatal(err)
	}
	if to.ID != (record.ID{Store: "0001", Register: "01"}) {
		b.t.Errorf("the code is for %s", to.ID)
	}
	packet, err := cloudOf(b.t).Sign(owner, to)
	if err != nil {
		b.t.Fatal(err)
	}
	for text := base64.StdEncoding.EncodeToString(packet); len(text) > 0; {
		n := min(76, len(text))
		b.say(text[:n] + "\r")
		text = text[n:]
	}
	b.say("\r")
	b.until("yes to go on")
	b.say("yes\r")
}

// lies is a folder in which something was laid ready.
func lies(t *testing.T, text string, p prepared) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "register.toml")
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"register.toml": []byte(text), "state/console/setup.json": data} {
		name = filepath.Join(filepath.Dir(path), name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// TestPreparedRefused: whoever writes the file that is laid ready cannot make a
// register another one's, nor leave it with half a configuration.
func TestPreparedRefused(t *testing.T) {
	public, stranger, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	why := errors.New("reason")
	owned := strings.Replace(whole, "[cloud]", "[console]\nowner = \"owner.pub\"\n[cloud]", 1)
	other := strings.ReplaceAll(owned, "first.example", "thief.example")
	to, err := console.ParseChallenge(console.Challenge{ID: record.ID{Store: "0001", Register: "01"}}.String())
	if err != nil {
		t.Fatal(err)
	}
	packet, err := cloudOf(t).Sign(stranger, to)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text string
		p    prepared
	}{
		"another cloud":      {owned, prepared{Config: other}},
		"no owner any more":  {owned, prepared{Config: whole}},
		"no configuration":   {whole, prepared{Config: "[register]\nstore = \"1\"\n"}},
		"an unknown key":     {whole, prepared{Config: whole + "\n[x]\ny = 1\n"}},
		"a stranger's cloud": {owned, prepared{Owner: record.MarshalSignPublic(public), Packet: packet, Challenge: to.String()}},
		"no owner":           {whole, prepared{Packet: packet, Challenge: to.String()}},
		"no challenge":       {whole, prepared{Owner: record.MarshalSignPublic(public), Packet: packet}},
	} {
		t.Run(name, func(t *testing.T) {
			path := lies(t, c.text, c.p)
			if _, err := takePrepared(path, why, nil); !errors.Is(err, why) || err.Error() == why.Error() {
				t.Errorf("it was taken, or silently dropped: %v", err)
			}
			text, err := os.ReadFile(path)
			if err != nil || !strings.HasPrefix(string(text), c.text[:40]) || bytes.Contains(text, []byte("thief")) || bytes.Contains(text, []byte("new.example")) {
				t.Errorf("the configuration is now %q, %v", text, err)
			}
			if !gone(filepath.Join(filepath.Dir(path), "state/console/setup.json")) {
				t.Error("it is tried again and again")
			}
		})
	}
}

// TestPending: notes outlive a torn line, and a full file refuses.
func TestPending(t *testing.T) {
	t.Parallel()
	p := &pending{path: filepath.Join(t.TempDir(), "before.jsonl")}
	body := map[string]string{"Command": "config apply"}
	for range 2 {
		if err := p.note(t.Context(), record.ConsoleCommand, body); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(p.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.path, data[:len(data)-9], 0o600); err != nil { // cut in the second
		t.Fatal(err)
	}
	if err := p.note(t.Context(), record.ConsoleClose, body); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	keep := func(_ context.Context, kind record.Kind, body any) error {
		if m, ok := body.(map[string]any); !ok || m["NotedAt"] == nil || m["Command"] != "config apply" {
			t.Errorf("body %v", body)
		}
		kinds = append(kinds, kind.String())
		return nil
	}
	if err := p.journal(t.Context(), keep); err != nil || strings.Join(kinds, " ") != "console.command console.close" || !gone(p.path) {
		t.Errorf("%q, %v", kinds, err)
	}
	err = nil
	for range 2000 {
		if err = p.note(t.Context(), record.ConsoleCommand, body); err != nil {
			break
		}
	}
	if !errors.Is(err, console.ErrNoRoom) {
		t.Errorf("a full file: %v", err)
	}
}

// TestInTheWay: a register that was taken over leaves something else in the
// place of a file of its console. It holds up no later start.
func TestInTheWay(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.WriteFile(elsewhere, []byte("[]"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, lay := range map[string]func(path string) error{
		"a pipe":   func(path string) error { return unix.Mkfifo(path, 0o600) },
		"a link":   func(path string) error { return os.Symlink(elsewhere, path) },
		"a folder": func(path string) error { return os.MkdirAll(filepath.Join(path, "full"), 0o700) },
		"too much": func(path string) error { return os.WriteFile(path, make([]byte, trialMax+1), 0o600) },
	} {
		dir := filepath.Join(folder, "state", name, "state", "console")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		notes, ready, names := filepath.Join(dir, "before.jsonl"), filepath.Join(dir, "setup.json"), filepath.Join(dir, "worked.json")
		for _, path := range []string{notes, ready, names} {
			if err := lay(path); err != nil {
				t.Fatal(err)
			}
		}
		over := make(chan struct{})
		go func() {
			defer close(over)
			none := func(context.Context, record.Kind, any) error { t.Errorf("%s: a note", name); return nil }
			p := &pending{path: notes}
			if err := p.note(t.Context(), record.ConsoleCommand, struct{}{}); err == nil {
				t.Errorf("%s: it took a note", name)
			}
			if err := p.journal(t.Context(), none); err == nil || !gone(notes) {
				t.Errorf("%s: notes: %v", name, err)
			}
			why := errors.New("reason")
			if _, err := takePrepared(filepath.Join(filepath.Dir(filepath.Dir(dir)), "register.toml"), why, nil); !errors.Is(err, why) || !gone(ready) {
				t.Errorf("%s: %v", name, err)
			}
			if n := readWorked(names); n != nil {
				t.Errorf("%s: %q", name, n)
			}
		}()
		select {
		case <-over:
		case <-time.After(5 * time.Second):
			t.Errorf("%s: it waits for ever", name)
		}
	}
	if text, err := os.ReadFile(elsewhere); err != nil || string(text) != "[]" {
		t.Errorf("elsewhere is %q, %v", text, err)
	}
}

// TestPendingPoison: a note that no journal takes is lost alone, and does not
// come back at each start.
func TestPendingPoison(t *testing.T) {
	t.Parallel()
	p := &pending{path: filepath.Join(t.TempDir(), "before.jsonl")}
	for _, command := range []string{"poison", strings.Repeat("<", 10<<10), "good"} { // the second is 60 KiB as JSON
		if err := p.note(t.Context(), record.ConsoleCommand, map[string]string{"Command": command}); err != nil {
			t.Fatal(err)
		}
	}
	poison, journalled := errors.New("no journal takes it"), 0
	err := p.journal(t.Context(), func(_ context.Context, _ record.Kind, body any) error {
		if m, ok := body.(map[string]any); !ok || m["Command"] == "poison" {
			return poison
		}
		journalled++
		return nil
	})
	if !errors.Is(err, poison) || !errors.Is(err, errLongNote) || journalled != 1 || !gone(p.path) {
		t.Errorf("%d, %v", journalled, err)
	}
}

// FuzzPrepared: whatever lies there, it is refused or makes a configuration.
func FuzzPrepared(f *testing.F) {
	for _, p := range []prepared{{Config: whole}, {Config: "x"}, {Packet: []byte("{}"), Challenge: "x"}} {
		data, err := json.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	why := errors.New("reason")
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "register.toml")
		file := filepath.Join(filepath.Dir(path), "state/console/setup.json")
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := takePrepared(path, why, nil)
		if (err == nil) != (c != nil) || !gone(file) {
			t.Fatalf("%v, %v", c, err)
		}
	})
}

// TestBoardConsole: the line of a board's table, or the one the kernel speaks on.
func TestBoardConsole(t *testing.T) {
	active := filepath.Join(t.TempDir(), "active")
	if err := os.WriteFile(active, []byte("tty0 ttyX7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"generic": "/dev/ttyX7", "no such board": "/dev/ttyX7"} {
		if got := boardConsole(name, active); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := boardConsole("generic", active+"x"); got != "/dev/ttyS0" {
		t.Errorf("no kernel: %s", got)
	}
}

// TestReplace: a register that sells takes another whole file, but no other
// identity.
func TestReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "register.toml")
	c, err := parseConfig([]byte(whole), path)
	if err != nil {
		t.Fatal(err)
	}
	tech := &technician{config: c, path: path, text: []byte(whole)}
	for name, text := range map[string]string{
		"another cloud": strings.Replace(whole, "first.example", "thief.example", 1),
		"another store": strings.Replace(whole, "0001", "0002", 1),
		"an owner":      whole + "[console]\nowner = \"owner.pub\"\n",
		"half of it":    whole[:60],
		"an old key":    whole + "[scanner]\nspeed = 1\n",
	} {
		if err := tech.Replace(text, console.Warrant{}); err == nil || len(tech.Changed()) > 0 {
			t.Errorf("%s: %v, %q", name, err, tech.Changed())
		}
	}
	good := whole + "[scanner]\nbaud = 19200\n"
	if err := tech.Replace(good, console.Warrant{}); err != nil || string(tech.changed) != good || len(tech.Changed()) != 1 || tech.Changed()[0] != (console.Setting{Key: "scanner.baud", Value: "19200"}) {
		t.Errorf("%v, %q", err, tech.Changed())
	}
	if err := tech.Replace(whole, console.Warrant{}); err != nil || len(tech.Changed()) != 0 {
		t.Errorf("the same again: %v, %q", err, tech.Changed())
	}
}
