package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

// complete is the whole of a small shop's file. Line 2 is the store.
const complete = `[register]
store = "0001"
id = "01"
state = "state"

[scanner]
port = "/dev/serial/by-path/scanner"

[printer]
port = "/dev/serial/by-path/printer"

[cloud]
url = "tls://cloud.example:4222"
ca = "ca.pem"
creds = "/etc/regi/register.creds"

[catalog]
file = "prices/catalog.json"
`

// configFile writes text to a file of its own.
func configFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "register.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustLoad(t *testing.T, text string) (c *Config, dir string) {
	t.Helper()
	path := configFile(t, text)
	c, err := LoadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	return c, filepath.Dir(path)
}

// with is the complete file with a section's line added or replaced.
func with(section, line string) string {
	key, _, _ := strings.Cut(line, " ")
	var out []string
	inside, done := false, false
	for old := range strings.Lines(complete) {
		old = strings.TrimSuffix(old, "\n")
		switch {
		case old == section:
			inside, done = true, true
			out = append(out, old, line)
			continue
		case strings.HasPrefix(old, "["):
			inside = false
		case inside && strings.HasPrefix(old, key+" "):
			continue
		}
		out = append(out, old)
	}
	if !done {
		out = append(out, section, line)
	}
	return strings.Join(out, "\n") + "\n"
}

func TestConfigDefaults(t *testing.T) {
	c, _ := mustLoad(t, complete)
	for _, d := range []struct {
		key       string
		got, want any
	}{
		{"register.board", c.Register.Board, "generic"},
		{"register.locale", c.Register.Locale, "ja-JP"},
		{"register.currency", c.Register.Currency, "JPY"},
		{"register.profile", c.Register.Profile, "retail"},
		{"scanner.baud", c.Scanner.Baud, 9600},
		{"scanner.framing", c.Scanner.Framing, "cr"},
		{"scanner.opener", c.Scanner.Opener, ""},
		{"scanner.repeat_ms", c.Scanner.RepeatMS, 0},
		{"scanner.ids", c.Scanner.IDs, "aim"},
		{"scanner2.port", c.Scanner2.Port, ""}, // one scanner
		{"scanner2.framing", c.Scanner2.Framing, "cr"},
		{"printer.baud", c.Printer.Baud, 38400},
		{"printer.model", c.Printer.Model, "tm-t88v"},
		{"drawer.via", c.Drawer.Via, "printer"},
		{"drawer.pin", c.Drawer.Pin, 2},
		{"drawer.kick", c.Drawer.Kick, ""},
		{"drawer.sense_open", c.Drawer.SenseOpen, "high"},
		{"drawer.left_open_seconds", c.Drawer.LeftOpen, 30},
		{"card.baud", c.Card.Baud, 9600},
		{"card.reader", c.Card.Reader, "msr"},
		{"card.port", c.Card.Port, ""}, // no such device in this shop
		{"keypad.baud", c.Keypad.Baud, 9600},
		{"display.baud", c.Display.Baud, 9600},
		{"display.model", c.Display.Model, "cd5220"},
		{"console.baud", c.Console.Baud, 115200},
		{"tax.rounding", c.Tax.Rounding, "floor"},
		{"tax.prices", c.Tax.Prices, "inclusive"},
	} {
		if d.got != d.want {
			t.Errorf("%s = %v, want %v", d.key, d.got, d.want)
		}
	}
}

func TestConfigValues(t *testing.T) {
	for _, k := range []struct {
		section, line string
		of            func(*Config) any
		want          any
	}{
		{"[register]", `locale = "en"`, func(c *Config) any { return c.Register.Locale }, "en"},
		{"[register]", `id = "A-1"`, func(c *Config) any { return c.Register.ID }, "A-1"},
		{"[scanner]", `framing = "crlf"`, func(c *Config) any { return c.Scanner.Framing }, "crlf"},
		{"[scanner]", `framing = "honeywell"`, func(c *Config) any { return c.Scanner.options().Framing }, "honeywell"},
		{"[scanner]", `prefix = "\u0002"`, func(c *Config) any { return c.Scanner.options().Prefix }, "\x02"},
		{"[scanner]", `check_digit = "missing"`, func(c *Config) any { return c.Scanner.options().AddCheckDigit }, true},
		{"[scanner]", `commands = "cipherlab"`, func(c *Config) any { return c.Scanner.options().Commands }, "cipherlab"},
		{"[scanner]", `repeat_ms = 300`, func(c *Config) any { return c.Scanner.options().Repeat }, 300 * time.Millisecond},
		{"[scanner]", `baud = 115200`, func(c *Config) any { return c.Scanner.Baud }, 115200},
		{"[scanner]", `opener = "tarm"`, func(c *Config) any { return c.Scanner.Opener }, "tarm"},
		{"[drawer]", `pin = 5`, func(c *Config) any { return c.Drawer.Pin }, 5},
		{"[drawer]", `left_open_seconds = 0`, func(c *Config) any { return leftOpen(c) < 0 }, true},
		{"[drawer]", "via = \"gpio\"\nkick = \"GPIO5\"\nsense = \"GPIO6\"\nsense_open = \"low\"", func(c *Config) any { return c.Drawer.Kick + c.Drawer.Sense + c.Drawer.SenseOpen }, "GPIO5GPIO6low"},
		{"[card]", `reader = "none"`, func(c *Config) any { return c.Card.Reader }, "none"},
		{"[keypad]", `port = "/dev/k"`, func(c *Config) any { return c.Keypad.Port }, "/dev/k"},
		{"[display]", `port = "/dev/d"`, func(c *Config) any { return c.Display.Port }, "/dev/d"},
		{"[console]", `port = "/dev/c"`, func(c *Config) any { return c.Console.Port }, "/dev/c"},
		{"[tax]", `rounding = "half-up"`, func(c *Config) any { return c.Tax.Rounding }, "half-up"},
		{"[tax]", `prices = "exclusive"`, func(c *Config) any { return c.Tax.Prices }, "exclusive"},
		{"[issuer]", `name = "八百屋"`, func(c *Config) any { return c.Issuer.Name }, "八百屋"},
	} {
		c, _ := mustLoad(t, with(k.section, k.line))
		if got := k.of(c); got != k.want {
			t.Errorf("%s %s: got %v", k.section, k.line, got)
		}
	}
}

// TestConfigPaths: relative ones start at the file, absolute ones and ports
// stay as they are, and what is absent stays absent.
func TestConfigPaths(t *testing.T) {
	c, dir := mustLoad(t, with("[cloud]", `seal_to = "../keys/ledger.pub"`))
	for _, p := range []struct{ key, got, want string }{
		{"register.state", c.Register.State, filepath.Join(dir, "state")},
		{"cloud.ca", c.Cloud.CA, filepath.Join(dir, "ca.pem")},
		{"cloud.creds", c.Cloud.Creds, "/etc/regi/register.creds"},
		{"cloud.seal_to", c.Cloud.SealTo, filepath.Join(filepath.Dir(dir), "keys", "ledger.pub")},
		{"cloud.signed_by", c.Cloud.SignedBy, ""},
		{"cloud.customer_key", c.Cloud.CustomerKey, ""},
		{"catalog.file", c.Catalog.File, filepath.Join(dir, "prices", "catalog.json")},
		{"scanner.port", c.Scanner.Port, "/dev/serial/by-path/scanner"},
	} {
		if p.got != p.want {
			t.Errorf("%s = %q, want %q", p.key, p.got, p.want)
		}
	}
}

// TestConfigBoard: the board fills what the file leaves out, nothing else.
func TestConfigBoard(t *testing.T) {
	c, _ := mustLoad(t, with("[register]", `board = "rpi4"`))
	if c.Scanner.Port != "/dev/serial/by-path/scanner" {
		t.Errorf("scanner.port = %q: the file's own is gone", c.Scanner.Port)
	}
	if c.Card.Port == "" && c.Console.Port == "" && c.Keypad.Port == "" && c.Display.Port == "" {
		t.Error("the board gave no port at all")
	}
}

// mistakes are what people write, and what the message must say: where it is
// and what would be right.
var mistakes = []struct { //nolint:gochecknoglobals // a constant table
	name, text string
	says       []string
}{
	{"unknown key", with("[register]", `stroe = "1"`), []string{"line 2:", `unknown key "register.stroe"`, "correct or remove"}},
	{"unknown section", complete + "\n[scaner]\nbaud = 1200\n", []string{"line 20:", `"scaner`, "correct or remove"}},
	{
		"two unknown keys", strings.Replace(with("[register]", `stroe = "1"`), "[cloud]", "[cloud]\nurll = 1", 1),
		[]string{"line 2:", `"register.stroe"`, "line 14:", `"cloud.urll"`},
	},
	{"key of another section", with("[keypad]", `framing = "cr"`), []string{"line 20:", `unknown key "keypad.framing"`}},
	{"text for a number", with("[scanner]", `baud = "9600"`), []string{"line 7 column 8: scanner.baud must be a whole number"}},
	{"number for text", with("[register]", `id = 1`), []string{"line 2 column 6: register.id must be text in \"quotes\""}},
	{"fraction for a number", with("[scanner]", `baud = 9600.5`), []string{"line 7 column 8:"}},
	{"number out of range", with("[scanner]", `baud = 99999999999999999999`), []string{"line 7 column 8:"}},
	{"list for text", with("[register]", `id = ["01"]`), []string{"line 2 column 6:"}},
	{"no quotes", with("[register]", `id = one`), []string{"line 2 column 6:"}},
	{"no end quote", with("[register]", `id = "01`), []string{"line 2 column"}},
	{"no value", with("[register]", `id =`), []string{"line 2 column"}},
	{"key twice", strings.Replace(complete, `id = "01"`, "id = \"01\"\nid = \"02\"", 1), []string{"line 4 column"}},
	{"not TOML", "{\"register\": {}}", []string{"line 1 column 1:"}},
	{"not UTF-8", strings.Replace(complete, "0001", "\xff", 1), []string{"line 2 column"}},

	{"empty file", "", []string{"register.store", "register.id", "1 to 16 letters, digits or hyphens"}},
	{"no store", strings.Replace(complete, `store = "0001"`, "", 1), []string{"register.store", "needed"}},
	{"store with a dot", with("[register]", `store = "00.01"`), []string{"register.store", "letters, digits or hyphens"}},
	{"store with a wildcard", with("[register]", `store = "*"`), []string{"register.store"}},
	{"id too long", with("[register]", `id = "12345678901234567"`), []string{"register.id", "1 to 16"}},
	{"id with a line end", with("[register]", `id = "01\n"`), []string{"register.id"}},
	{"no state", strings.Replace(complete, `state = "state"`, "", 1), []string{"register.state", "folder"}},
	{"unknown board", with("[register]", `board = "rpi2"`), []string{"register.board", `"rpi2"`, "generic", "rpi4"}},
	{"unknown locale", with("[register]", `locale = "fr"`), []string{"register.locale", `"fr"`, "ja-JP", "en"}},
	{"unknown currency", with("[register]", `currency = "EUR"`), []string{"register.currency", `"EUR"`, "JPY"}},
	{"unknown profile", with("[register]", `profile = "salon"`), []string{"register.profile", `"salon"`, "retail"}},
	{"unknown drawer", with("[drawer]", `via = "usb"`), []string{"drawer.via", `"usb"`, "printer", "gpio"}},
	{"drawer without lines", with("[drawer]", `via = "gpio"`), []string{"drawer.kick", "GPIO17"}},
	{"drawer without a switch", with("[drawer]", "via = \"gpio\"\nkick = \"GPIO17\""), []string{"drawer.sense", "GPIO17"}},
	{"drawer on one line", with("[drawer]", "via = \"gpio\"\nkick = \"GPIO17\"\nsense = \"GPIO17\""), []string{"drawer.kick", "drawer.sense", "GPIO17"}},
	{"drawer on the case's line", with("[card]", "tamper = \"GPIO22\"\n[drawer]\nvia = \"gpio\"\nkick = \"GPIO22\"\nsense = \"GPIO27\""), []string{"card.tamper", "drawer.kick", "GPIO22"}},
	{"lines of another drawer", with("[drawer]", `kick = "GPIO17"`), []string{"drawer.kick", "gpio"}},
	{"unknown level", with("[drawer]", `sense_open = "up"`), []string{"drawer.sense_open", "high", "low"}},
	{"open for too short", with("[drawer]", `left_open_seconds = 1`), []string{"drawer.left_open_seconds = 1", "600", "never"}},
	{"unknown framing", with("[scanner]", `framing = "usb"`), []string{"scanner.framing", `"usb"`, "cr, lf, crlf, tab, stx-etx, honeywell, ssi"}},
	{"unknown code ids", with("[scanner]", `ids = "symbol"`), []string{"scanner.ids", "aim, honeywell, datalogic"}},
	{"long prefix", with("[scanner]", `prefix = "123456789"`), []string{"scanner", "prefix of 9 bytes", "8"}},
	{"long repeat", with("[scanner]", `repeat_ms = 5001`), []string{"scanner.repeat_ms = 5001", "0", "5000 milliseconds"}},
	{"negative repeat", with("[scanner]", `repeat_ms = -1`), []string{"scanner.repeat_ms = -1"}},
	{"commands of another make", with("[scanner]", "framing = \"ssi\"\ncommands = \"cipherlab\""), []string{"scanner", "ssi", "has its own"}},
	{"second scanner's framing", complete + "\n[scanner2]\nframing = \"usb\"\n", []string{"scanner2.framing", `"usb"`}},
	{
		"two scanners on one port", complete + "\n[scanner2]\nport = \"/dev/serial/by-path/scanner\"\n",
		[]string{"scanner2.port", "scanner.port", "each device needs its own"},
	},
	{"wrong pin", with("[drawer]", `pin = 3`), []string{"drawer.pin = 3", "pin 2", "pin 5"}},
	{"unknown reader", with("[card]", `reader = "nfc"`), []string{"card.reader", `"nfc"`, "msr, msr-ttl, idtech, magtek, none"}},
	{"head on a tty", with("[card]", "reader = \"msr-ttl\"\nport = \"/dev/ttyS1\""), []string{"card.port", "cls=GPIO22 rdt2=GPIO23 rcl2=GPIO24"}},
	{"head with CBC", with("[card]", "reader = \"msr-ttl\"\nsuite = \"cbc\"\nport = \"rdt2=GPIO23\""), []string{"card.suite", `"ctr"`}},
	{"unknown display", with("[display]", `model = "vfd"`), []string{"display.model", `"vfd"`, "cd5220"}},
	{"printer of another maker", with("[printer]", `model = "tm-t90"`), []string{"printer.model", "tm-t88v"}},
	{"unknown rounding", with("[tax]", `rounding = "bank"`), []string{"tax.rounding", `"bank"`, "floor, half-up, ceil"}},
	{"unknown prices", with("[tax]", `prices = "net"`), []string{"tax.prices", `"net"`, "inclusive, exclusive"}},
	{"cloud in the clear", with("[cloud]", `url = "nats://cloud.example:4222"`), []string{"cloud.url", "nats://", "tls://host:port"}},
	{"no cloud", strings.Replace(complete, `url = "tls://cloud.example:4222"`, "", 1), []string{"cloud.url", "tls://host:port"}},
	{"baud off", with("[scanner]", `baud = 9601`), []string{"scanner.baud = 9601", "9600", "115200"}},
	{"baud zero", with("[printer]", `baud = 0`), []string{"printer.baud = 0", "38400"}},
	{"baud negative", with("[console]", `baud = -9600`), []string{"console.baud = -9600", "9600"}},
	{"unknown opener", with("[keypad]", `opener = "os"`), []string{"keypad.opener", `"os"`, "bugst", "tarm"}},
	{
		"two devices on one port", with("[keypad]", `port = "/dev/serial/by-path/scanner"`),
		[]string{"keypad.port", "scanner.port", "/dev/serial/by-path/scanner", "each device needs its own"},
	},
}

func TestConfigMistakes(t *testing.T) {
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			path := configFile(t, m.text)
			c, err := LoadConfig(path)
			if err == nil || c != nil {
				t.Fatalf("taken: %+v", c)
			}
			for _, part := range append(m.says, "config: ", path) {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q is more than one line", err)
			}
		})
	}
}

// TestConfigMistakesAreMistakes: without it, each of the files above is good,
// so that no test passes for another reason than its own.
func TestConfigMistakesAreMistakes(t *testing.T) {
	if _, err := LoadConfig(configFile(t, complete)); err != nil {
		t.Fatal(err)
	}
	for _, m := range mistakes {
		if m.text == complete {
			t.Errorf("%s: no mistake is in the file", m.name)
		}
	}
}

func TestConfigFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := LoadConfig(filepath.Join(dir, "none.toml")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "none.toml") {
		t.Errorf("missing: %v", err)
	}
	if _, err := LoadConfig(dir); err == nil {
		t.Error("a folder was taken")
	}
	// Exactly the limit is good, one byte more is not.
	full := complete + "#" + strings.Repeat("x", configBytesMax-len(complete)-2) + "\n"
	mustLoad(t, full)
	_, err := LoadConfig(configFile(t, full+"\n"))
	if err == nil || !strings.Contains(err.Error(), "65536 bytes") {
		t.Errorf("too long: %v", err)
	}
}

// FuzzConfig: no file makes it panic; one that it takes keeps every rule, and
// an error says which file it was.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(complete))
	f.Add([]byte("\"\\u001b[2J\" = 1\n\"\\u001b[2J\" = 2\n"))
	for _, m := range mistakes {
		f.Add([]byte(m.text))
	}
	path := filepath.Join(f.TempDir(), "register.toml")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := LoadConfig(path)
		if err != nil {
			if c != nil || !strings.HasPrefix(err.Error(), "config: "+path+": ") {
				t.Errorf("%+v with %q", c, err)
			}
			if strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Errorf("control characters for a terminal: %q", err)
			}
			return
		}
		seen := []string{""}
		for name, s := range c.serials() {
			if s.Baud < 1200 || s.Baud > 115200 || s.Port != "" && slices.Contains(seen, s.Port) {
				t.Errorf("%s: %+v", name, *s)
			}
			seen = append(seen, s.Port)
		}
		for _, p := range []string{c.Register.State, c.Cloud.CA, c.Cloud.Creds, c.Cloud.SealTo, c.Cloud.SignedBy, c.Catalog.File} {
			if p != "" && !filepath.IsAbs(p) {
				t.Errorf("relative path %q", p)
			}
		}
		if again, err := LoadConfig(path); err != nil || !reflect.DeepEqual(again, c) {
			t.Errorf("read again: %+v, %v", again, err)
		}
	})
}
