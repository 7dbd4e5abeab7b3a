package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"regi/drivers"
	"regi/firmware/console"
	"regi/firmware/journal"
	"regi/firmware/record"
	"regi/firmware/register"
	"regi/sim/device/card"
	"regi/sim/device/display"
	"regi/sim/device/drawer"
	"regi/sim/device/printer"
	"regi/sim/device/scanner"
	simwire "regi/sim/wire"
)

// patience bounds every wait for something that must happen.
const patience = 60 * time.Second

// counter is a running register with devices, and a technician at its service
// line.
type counter struct {
	*office
	*sitting // of the service line
	owner    ed25519.PrivateKey
	dev      string
	cmd      *exec.Cmd
	log      bytes.Buffer
	scanner  *scanner.Scanner
	card     *card.Reader
	paper    *printer.Printer
	drawer   *drawer.Drawer
	wires    map[string]*simwire.TTY
}

func newCounter(t *testing.T) *counter {
	c := &counter{office: newOffice(t), dev: filepath.Join(t.TempDir(), "dev"), wires: map[string]*simwire.TTY{}}
	var err error
	for _, name := range []string{"scanner", "printer", "card", "display"} {
		if c.wires[name], err = simwire.Open(filepath.Join(c.dev, name)); err != nil {
			t.Skipf("no pseudo-terminal: %v", err)
		}
		t.Cleanup(func() { c.wires[name].Close() })
	}
	c.drawer = drawer.New(func() { c.paper.Refresh() })
	c.paper = printer.New(c.wires["printer"], printer.Options{DrawerKick: func(pin int, on, _ time.Duration) { c.drawer.Pulse(pin, on) }, DrawerOpen: c.drawer.Open})
	c.scanner, c.card = scanner.New(c.wires["scanner"]), card.New(c.wires["card"])
	go c.paper.Run(t.Context())
	go display.New(c.wires["display"], nil).Run(t.Context())
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	c.sitting = newSitting(t, master, slave)
	text, err := os.ReadFile(c.config)
	if err != nil {
		t.Fatal(err)
	}
	text = fmt.Appendf(text, "[console]\nport=%q\n", slave.Name())
	for name := range c.wires {
		text = fmt.Appendf(text, "[%s]\nport=%q\n", name, filepath.Join(c.dev, name))
	}
	if err := os.WriteFile(c.config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

// own gives the register an owner before its start.
func (c *counter) own() {
	c.office.t.Helper()
	public, owner, err := ed25519.GenerateKey(nil)
	if err != nil {
		c.office.t.Fatal(err)
	}
	c.owner = owner
	text, err := os.ReadFile(c.config)
	if err != nil {
		c.office.t.Fatal(err)
	}
	text = setKey(text, "console", "owner", quote("owner.pub"))
	for path, data := range map[string][]byte{c.config: text, filepath.Join(filepath.Dir(c.config), "owner.pub"): record.MarshalSignPublic(public)} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			c.office.t.Fatal(err)
		}
	}
}

// grant logs in by the owner's answer to the challenge that is shown.
func (c *counter) grant(g console.Grant) {
	c.office.t.Helper()
	c.type_("grant\r")
	c.until("The owner's answer: ")
	all := challenge.FindAll(c.shown, -1)
	asked, err := console.ParseChallenge(string(all[len(all)-1]))
	if err != nil {
		c.office.t.Fatal(err)
	}
	text, err := g.Sign(c.owner, asked)
	if err != nil {
		c.office.t.Fatal(err)
	}
	c.type_(text + "\r")
	c.until("is logged in")
}

// newSitting reads what a terminal shows.
func newSitting(t *testing.T, master, slave *os.File) *sitting {
	s := &sitting{t: t, master: master, slave: slave, reads: make(chan []byte, 64)}
	go func() { // ends with the terminal
		defer close(s.reads)
		for {
			b := make([]byte, 4096)
			n, err := master.Read(b)
			if err != nil {
				return
			}
			s.reads <- b[:n]
		}
	}()
	t.Cleanup(func() { master.Close(); slave.Close() })
	return s
}

// start runs the register, as "regi run" does, and ends it with the test.
func (c *counter) start() {
	c.office.t.Helper()
	c.cmd = exec.Command("/proc/self/exe")
	c.cmd.Args = []string{"regi", "run", "--config", c.config}
	c.cmd.Stderr = &c.log
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.cmd.Start(); err != nil {
		c.office.t.Fatal(err)
	}
	cmd := c.cmd
	c.office.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if c.office.t.Failed() {
			c.office.t.Logf("log:\n%s\nterminal:\n%s", c.log.String(), c.shown)
		}
	})
	c.until("regi> ")
}

// end ends the register in order.
func (c *counter) end() {
	c.cmd.Process.Signal(syscall.SIGTERM)
	c.cmd.Wait()
}

// type_ types a line.
func (c *counter) type_(line string) {
	c.office.t.Helper()
	if _, err := io.WriteString(c.master, line); err != nil {
		c.office.t.Fatal(err)
	}
}

func (c *counter) login(role, pin string) {
	c.office.t.Helper()
	c.type_("login " + role + "\r")
	c.answer("New PIN", pin+"\r")
	c.answer("Once more", pin+"\r")
	c.until("is logged in")
	c.until("> ")
}

// up waits until the register has its devices.
func (c *counter) up() {
	c.office.t.Helper()
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		up := true
		for _, w := range c.wires {
			up = up && w.Opened()
		}
		if up {
			return
		}
	}
	c.office.t.Fatal("the devices do not come up")
}

// records are all records of a register that has ended, as the console's tests
// write them.
func (c *counter) records() (all []string) {
	c.office.t.Helper()
	j, err := journal.Open(filepath.Join(c.state, "journal"), journal.Options{})
	if err != nil {
		c.office.t.Fatal(err)
	}
	defer j.Close()
	head, _ := j.Head()
	for seq := uint64(1); seq <= head; seq++ {
		e, err := j.Read(seq)
		if err != nil {
			c.office.t.Fatal(err)
		}
		var sealed record.Sealed
		if err := sealed.UnmarshalBinary(e.Payload); err != nil {
			c.office.t.Fatal(err)
		}
		plain, err := c.opener.Open(sealed)
		if err != nil {
			c.office.t.Fatal(err)
		}
		var body map[string]any
		json.Unmarshal(plain, &body)
		line := []string{sealed.Kind.String()}
		for _, key := range []string{"Role", "Who", "By", "Command", "Result", "Event", "Why", "IKID", "Permit", "Answer"} {
			if v, ok := body[key]; ok && v != "console-login-refused" {
				line = append(line, fmt.Sprint(v))
			}
		}
		all = append(all, strings.Join(line, " "))
	}
	return all
}

// TestConsoleScripts plays the files of testdata/console at the real program on
// a real terminal: ">" types a line, ">>" a quoted string, "<" waits for a text,
// "!" must never be shown, "records" must be in the journal at the end, "scan"
// is a label, "paper" what the printer has of it, "cover" how its cover is, "unplug" and "plug" a cable, "break" a serial break, "long" a line over every limit.
func TestConsoleScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/console/*.txt")
	if err != nil || len(files) < 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			script, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			c := newCounter(t)
			c.start()
			c.up()
			var never, want []string
			lines := bufio.NewScanner(bytes.NewReader(script))
			for n := 1; lines.Scan(); n++ {
				word, rest, _ := strings.Cut(lines.Text(), " ")
				switch word {
				case "!":
					never = append(never, rest)
				case "records":
					want = append(want, rest)
				default:
					c.play(t, fmt.Sprintf("%s:%d", path, n), word, rest)
				}
			}
			c.end()
			for _, text := range never {
				if bytes.Contains(c.shown, []byte(text)) {
					t.Errorf("shown: %q", text)
				}
			}
			got := c.records()
			for _, r := range want {
				if !slices.Contains(got, r) {
					t.Errorf("no record %q in\n%s", r, strings.Join(got, "\n"))
				}
			}
		})
	}
}

func (c *counter) play(t *testing.T, at, word, rest string) {
	t.Helper()
	var err error
	switch word {
	case "", "#":
	case ">":
		c.type_(rest + "\r")
	case ">>":
		if rest, err = strconv.Unquote(rest); err == nil {
			c.type_(rest)
		}
	case "<":
		c.until(rest)
	case "scan":
		err = c.scanner.Scan(t.Context(), rest, "]E0")
	case "paper":
		err = c.paper.Set(printer.Change{Paper: rest})
	case "cover":
		err = c.paper.Set(printer.Change{Cover: rest})
	case "unplug":
		err = c.wires[rest].Unplug()
	case "plug":
		err = c.wires[rest].Plug()
	case "break":
		err = unix.IoctlSetInt(int(c.master.Fd()), unix.TCSBRK, 0)
	case "long":
		for range 20 {
			c.type_(strings.Repeat("x", 200))
		}
		c.type_("\r")
	default:
		err = fmt.Errorf("%q is no word of a script", word)
	}
	if err != nil {
		t.Fatalf("%s: %v", at, err)
	}
}

var challenge = regexp.MustCompile(`[A-Z2-7]{4}(-[A-Z2-7]{1,4}){5,}`)

// TestCeremonyAtTheConsole: a grant of the owner, the whole key ceremony over
// the service line of a running register, a card with the new key, a wipe; no
// component is echoed, and the line is the console's again.
func TestCeremonyAtTheConsole(t *testing.T) {
	t.Parallel()
	c, h := newCounter(t), newKeyHost(t, partOne, partTwo)
	c.own()
	c.start()
	c.up()
	c.type_("lang en\r")
	c.grant(console.Grant{Role: console.KeyOfficer, Minutes: 30, Name: "Sato", Scope: []string{"keys"}})
	c.type_("keys inject\r")
	id := c.permit(h, c.owner)
	c.officers(h, "Sato Hanako", "鈴木")
	c.answer("Key block (not shown): ", h.block+"\r")
	c.answer("Type yes to load it: ", "yes\r")
	c.until("The card key is loaded.")
	c.answer("regi(key-officer)> ", "keys status\r")
	c.until(h.ikid)
	c.answer("regi(key-officer)> ", "keys inject\r")
	c.answer("The owner's permit: ", "x\x03")
	c.until("no key was loaded")
	c.answer("regi(key-officer)> ", "logout\r")
	c.grant(console.Grant{Role: console.Technician, Minutes: 30, Name: "Suzuki"})
	cardUp := regexp.MustCompile(`(?m)^  card +\S+ +up\r$`)
	for until := time.Now().Add(patience); !cardUp.Match(c.shown); {
		if time.Now().After(until) {
			t.Fatal("the card reader does not come back")
		}
		c.type_("devices\r")
		c.until("  console ")
	}
	c.until("technician)> ")
	c.type_("card test\r")
	c.until("It is not charged.")
	if err := c.card.Swipe(t.Context(), card.Tracks{Track2: ";4111111111111111=30121011234512345678?"}); err != nil {
		t.Fatal(err)
	}
	c.until("•••• 1111, tracks 2")
	c.end()
	shown := strings.ToUpper(string(c.shown))
	for _, secret := range []string{partOne, partTwo, h.block[60:], "411111"} {
		if strings.Contains(shown, secret[:6]) || strings.Contains(shown, secret[len(secret)-6:]) {
			t.Errorf("on the screen: %s…", secret[:6])
		}
	}
	got := c.records()
	for _, want := range []string{"console.open key-officer Sato grant", "console.command key-officer Sato keys inject begun", "security.event card-key-loaded " + h.ikid + " " + id, "console.command key-officer Sato keys inject ok"} {
		if !slices.Contains(got, want) {
			t.Errorf("no record %q in\n%s", want, strings.Join(got, "\n"))
		}
	}
}

// TestConfigAtTheConsole: a change that works is kept; one that costs a device
// is undone by the register itself, at the latest at its next start.
func TestConfigAtTheConsole(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	c.start()
	c.up()
	before, err := os.ReadFile(c.config)
	if err != nil {
		t.Fatal(err)
	}
	c.type_("lang en\r")
	c.login("", "824671")
	apply := func(change string) {
		t.Helper()
		c.type_("config set " + change + "\rconfig apply\r")
		c.answer("Type yes to go on: ", "yes\r")
		if c.cmd.Wait(); c.cmd.ProcessState.Success() {
			t.Fatal("the register does not start again")
		}
		c.at = len(c.shown)
		c.start()
	}
	apply("scanner.baud 19200")
	c.until("設定変更を確定しました")
	kept, err := os.ReadFile(c.config)
	if err != nil || !strings.Contains(string(kept), "[scanner]\nbaud = 19200\n") || !strings.Contains(string(kept), string(before[:40])) {
		t.Fatalf("%v\n%s", err, kept)
	}
	c.type_("login\r")
	c.answer("PIN (not shown)", "824671\r")
	c.until("is logged in")
	apply("scanner.port /dev/none")
	c.until("スキャナがつながっていません")
	c.cmd.Process.Kill() // before the test of it is over: it has not passed
	c.cmd.Wait()
	c.at = len(c.shown)
	c.start()
	c.until("設定変更を元に戻しました")
	c.end()
	if again, err := os.ReadFile(c.config); err != nil || !bytes.Equal(again, kept) {
		t.Errorf("%v\n%s", err, again)
	}
	got := c.records()
	for _, want := range []string{"config.applied technician kept", "config.applied technician undone the register ended before the test was over"} {
		if !slices.Contains(got, want) {
			t.Errorf("no record %q in\n%s", want, strings.Join(got, "\n"))
		}
	}
}

// TestGrantForConfig: a technician with the owner's grant for config changes the
// board's address and who issues receipts; one with a PIN, or another grant, does
// not; and it is on record.
func TestGrantForConfig(t *testing.T) {
	c := newCounter(t)
	c.own()
	c.start()
	c.up()
	c.type_("lang en\r")
	c.grant(console.Grant{Role: console.Technician, Minutes: 30, Name: "Tanaka"})
	c.answer("technician)> ", "config set network.address 192.0.2.7/24\r")
	c.until("a grant of the owner that names config")
	c.answer("technician)> ", "logout\r")
	c.grant(console.Grant{Role: console.Technician, Minutes: 30, Name: "Suzuki", Scope: []string{"config"}})
	c.answer("technician)> ", "config set console.owner mine.pub\r")
	c.until("comes with enroll, or with the card")
	c.answer("technician)> ", "config set network.address 192.0.2.7/24\r")
	c.until("Noted")
	c.answer("technician)> ", "config set issuer.tel 03-0000-0000\r")
	c.until("Noted")
	c.answer("technician)> ", "config apply\r")
	c.answer("Type yes to go on: ", "yes\r")
	if c.cmd.Wait(); c.cmd.ProcessState.Success() {
		t.Fatal("the register does not start again")
	}
	c.at = len(c.shown)
	c.start()
	c.until("設定変更を確定しました")
	c.end()
	text, err := os.ReadFile(c.config)
	if err != nil || !strings.Contains(string(text), `address = "192.0.2.7/24"`) || !strings.Contains(string(text), `tel = "03-0000-0000"`) {
		t.Errorf("%s, %v", text, err)
	}
	got := c.records()
	for _, want := range []string{
		"console.command technician Tanaka config set network.address 192.0.2.7/24",
		"console.command technician Suzuki config set network.address 192.0.2.7/24 ok",
		"config.applied Suzuki kept ",
	} {
		if !slices.ContainsFunc(got, func(r string) bool { return strings.HasPrefix(r, want) && len(r) > len("config.applied Suzuki kept ") }) {
			t.Errorf("no record %q in\n%s", want, strings.Join(got, "\n"))
		}
	}
}

// Every fault that a driver may report has a next step in both languages.
func TestAdviceForDrivers(t *testing.T) {
	for _, err := range []error{
		drivers.ErrUnplugged, drivers.ErrBusy, drivers.ErrUnsupported, drivers.ErrTimeout, drivers.ErrPaperOut, drivers.ErrPaperNearEnd,
		drivers.ErrCoverOpen, drivers.ErrCutter, drivers.ErrOffline, drivers.ErrDuty, drivers.ErrDidNotOpen, errDrawerLines, errCeremony, errUnwiped,
	} {
		if !console.Advised(err.Error()) {
			t.Errorf("%q: no advice", err)
		}
	}
	for code, why := range exitReasons {
		if code != exitCapture && code != exitLink && code >= 0 && !console.Advised(why) {
			t.Errorf("%q: no advice", why)
		}
	}
}

// TestConsoleFileWithoutRoom: where no second file can be made, the first one is
// overwritten, as often as somebody logs in; none is made that was not there.
func TestConsoleFileWithoutRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("c", 255)) // no name of the file beside it fits
	m := memoryFile(path)
	if err := m.Save([]byte("{}")); err == nil {
		t.Error("a file without a place was saved")
	}
	if err := os.WriteFile(path, []byte(`{"failures":10}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`{"failures":1}`, `{"failures":0,"language":"ja"}`, `{"failures":2}`} {
		if err := m.Save([]byte(want)); err != nil {
			t.Fatal(err)
		}
		got, err := m.Load()
		if err != nil || strings.TrimRight(string(got), " ") != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	if err := errors.Join(os.Remove(path), os.Symlink("elsewhere", path)); err != nil {
		t.Fatal(err)
	}
	if err := m.Save([]byte("{}")); err == nil {
		t.Error("a link was followed")
	}
}

// TestEveryDevice: whatever can be plugged in is looked at by check, and must work
// again after a change of the configuration or the version.
func TestEveryDevice(t *testing.T) {
	c := &Config{}
	for _, serial := range c.serials() {
		serial.Port = "/dev/line"
	}
	c.Card.Reader, c.Drawer.Via, c.Drawer.Kick = "msr", viaGPIO, "GPIO17"
	c.Keypad.Matrix.Rows, c.Keypad.HID.Path = []string{"GPIO5"}, "usb-1"
	names := append(slices.Collect(maps.Keys(c.serials())), "drawer", "matrix", "keyboard")
	s := register.Summary{Devices: map[string]string{}}
	for _, name := range names {
		s.Devices[name] = "up"
		if c.place(name) == "" {
			t.Errorf("%s is nowhere", name)
		}
	}
	got := up(&s)
	if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(names))) {
		t.Errorf("%v, want %v", got, names)
	}
	for _, name := range names {
		if place := (&Config{}).place(name); place != "" {
			t.Errorf("%s is at %q", name, place)
		}
	}
}
