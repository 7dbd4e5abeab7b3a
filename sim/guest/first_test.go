package guest_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"regi/sim/guest"
)

// TestFirstStart takes a freshly flashed board, whose data partition is empty,
// and does all that a technician does at its console, over QEMU's serial line:
// PIN, configuration, prices, the ceremony of the card key, enrolment. Then it
// sells for cash and by card.
func TestFirstStart(t *testing.T) {
	t.Parallel()
	s := bench(t)
	b, err := os.ReadFile(filepath.Join(s.Dir, "register.toml"))
	s.must(err)
	s.cloud = cloudPort(t, b)
	begun := time.Now()
	s.start()
	d := &desk{shop: s}
	d.until("never set up")
	t.Logf("power to the console of a board that was never set up: %.1f s", time.Since(begun).Seconds())
	d.until("regi> ")
	s.Await("word on the display", s.showing("ｷﾞｼﾞｭﾂｼｬｦ"))
	d.pin("technician", "824671", true)
	d.paste("config paste", d.config(string(b)))
	prices, err := os.ReadFile(filepath.Join(s.Dir, "catalog.json"))
	s.must(err)
	var rows bytes.Buffer
	s.must(json.Indent(&rows, prices, "", " "))
	d.paste("catalog paste", rows.String())
	d.say("slot\r")
	d.until("may run here")
	d.yes("config apply")
	d.until("Regi 0001/01")
	d.until("regi> ")
	// Nobody owns it yet: the first key officer's PIN is set as the technician's.
	d.pin("key-officer", "915283", true)
	d.loadKey()
	d.pin("technician", "824671", false)
	d.enrol()
	s.Await("register in the cloud", func() bool { return s.count("fw.boot") > 0 })
	t.Logf("power to a register that its cloud knows: %.1f s", time.Since(begun).Seconds())
	s.openShift()
	s.sell()
	s.scan()
	s.keys("CARD")
	s.shows("ｶｰﾄﾞｦ")
	number := withCheck("931415926535897")
	s.Post("/api/swipe", map[string]string{
		"track1": "%B" + number + "^CANARY/CARD^28121010000000000?", "track2": ";" + number + "=28121010000000000?",
	})
	s.shows("ｱﾘｶﾞﾄｳ")
	s.Await("both sales in the cloud", func() bool { return s.count("sale.commit") == 2 })
	// What was done before there was a journal is in it.
	if s.count("console.command") < 5 || s.count("security.event") == 0 {
		t.Errorf("the ledger: %q", s.kinds())
	}
	s.noAlarm()
	var state struct {
		Cloud struct{ Version, Slot string } `json:"cloud"`
	}
	s.Read("/api/state", &state)
	if state.Cloud.Slot != "a" || state.Cloud.Version == "" {
		t.Errorf("the cloud knows version %q in slot %q", state.Cloud.Version, state.Cloud.Slot)
	}
}

// desk is the technician's, with the console as the simulator shows it.
type desk struct {
	*shop
	marks int
	mark  string // what is above it on the screen was seen before
}

func cloudPort(t *testing.T, config []byte) int {
	t.Helper()
	found := regexp.MustCompile(`tls://127\.0\.0\.1:(\d+)`).FindSubmatch(config)
	if found == nil {
		t.Fatal("the simulator's configuration has no cloud")
	}
	port, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// config is the simulator's, as a shop would paste it on a board.
func (d *desk) config(text string) string {
	text = regexp.MustCompile(`tls://127\.0\.0\.1:\d+`).ReplaceAllString(text, "tls://"+guest.CloudAddress+":4222")
	text = strings.ReplaceAll(text, `"generic"`, `"qemu-virt"`)
	text = regexp.MustCompile(`(?m)^(ca|creds|seal_to|signed_by)\s*=.*\n`).ReplaceAllString(text, "")
	text = regexp.MustCompile(`(?m)^(port\s*=\s*)".*/dev/console"`).ReplaceAllString(text, `$1"/dev/ttyAMA0"`)
	return regexp.MustCompile(`(?m)^port\s*=\s*".*/dev/(scanner|printer|card|keypad|display)".*\n`).ReplaceAllString(text, "")
}

func (d *desk) say(text string) {
	d.Helper()
	const once = 1024 // what a line of the kernel holds that nobody reads yet
	for len(text) > 0 {
		n := min(len(text), once)
		for n < len(text) && text[n]&0xC0 == 0x80 {
			n-- // within a character
		}
		d.Post("/api/console", map[string]string{"text": text[:n]})
		text = text[n:]
	}
}

// until waits for a text that comes after the one before.
func (d *desk) until(text string) string {
	d.Helper()
	var all string
	d.slowly("\""+text+"\" on the console", func() bool {
		var state struct {
			Console []string `json:"console"`
		}
		d.Read("/api/state", &state)
		all = strings.Join(state.Console, "\n")
		if i := strings.LastIndex(all, d.mark); d.mark != "" && i >= 0 {
			all = all[i+len(d.mark):]
		}
		return strings.Contains(all, text)
	})
	return all
}

// fresh puts a mark on the screen: what was there before does not count.
func (d *desk) fresh() {
	d.Helper()
	d.marks++
	d.mark = ""
	mark := "mark" + strconv.Itoa(d.marks)
	d.say("\x15" + mark + "\r")
	d.until(mark)
	d.mark = mark
}

func (d *desk) pin(role, pin string, first bool) {
	d.Helper()
	d.fresh()
	d.say("lang en\r")
	d.until("English it is")
	d.say("login " + role + "\r")
	if first {
		d.until("New PIN")
		d.say(pin + "\r")
		d.until("Once more")
	} else {
		d.until("PIN (not shown)")
	}
	d.say(pin + "\r")
	d.until(role + " is logged in")
}

func (d *desk) paste(command, text string) {
	d.Helper()
	d.fresh()
	d.say(command + "\r")
	d.until("-----END-----")
	d.say(strings.ReplaceAll(text, "\n", "\r") + "\r-----END-----\r")
	d.until("Noted")
}

func (d *desk) yes(command string) {
	d.Helper()
	d.fresh()
	d.say(command + "\r")
	d.until("Type yes")
	d.say("yes\r")
	d.until("Logged out")
}

func (d *desk) loadKey() {
	d.Helper()
	steps := d.ceremony()
	d.fresh()
	d.say("keys inject\r")
	for _, step := range steps {
		d.until(step.prompt)
		d.mark = d.lastLine()
		d.say(step.answer + "\r")
	}
	d.mark = ""
	d.until("The card key is loaded")
}

// lastLine is what stands lowest on the screen.
func (d *desk) lastLine() string {
	var state struct {
		Console []string `json:"console"`
	}
	d.Read("/api/state", &state)
	return state.Console[len(state.Console)-1]
}

func (d *desk) enrol() {
	d.Helper()
	owner, err := os.ReadFile(filepath.Join(d.Dir, "cloud", "owner.pub"))
	d.must(err)
	d.fresh()
	d.say("enroll\r")
	d.until("owner.pub")
	d.say(strings.ReplaceAll(string(owner), "\n", "\r") + "\r")
	d.until("Type yes")
	d.say("yes\r")
	shown := d.until("Paste the credentials")
	request := regexp.MustCompile(`(?s)-----BEGIN CERTIFICATE REQUEST-----.*-----END CERTIFICATE REQUEST-----`).FindString(shown)
	code := regexp.MustCompile(`[A-Z2-7]{4}(-[A-Z2-7]{1,4}){5,}`).FindString(shown)
	said := d.Post("/api/enroll", map[string]string{"request": request, "code": code, "url": "tls://" + guest.CloudAddress + ":4222"})
	var answer struct{ Credentials string }
	d.must(json.Unmarshal(said, &answer))
	if answer.Credentials == "" {
		d.Fatalf("enroll: %s", said)
	}
	d.pasteCredentials(answer.Credentials)
}

// pasteCredentials pastes the credentials and takes them.
func (d *desk) pasteCredentials(text string) {
	d.Helper()
	d.mark = "Paste the credentials"
	d.say(strings.ReplaceAll(text, "\n", "\r") + "\r")
	d.until("Type yes")
	d.say("yes\r")
	d.until("Logged out")
}
