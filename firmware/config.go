package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/pelletier/go-toml/v2"

	"regi/board"
	"regi/board/port"
	"regi/drivers/scanner"
	"regi/firmware/sale"
)

// configBytesMax bounds the file; a full one is under 4 KiB.
const configBytesMax = 64 << 10

// Config is the register's configuration file (TOML). Unknown keys are errors.
type Config struct {
	Register struct {
		Store    string `toml:"store"`
		ID       string `toml:"id"`
		Board    string `toml:"board"`
		State    string `toml:"state"`
		Locale   string `toml:"locale"`
		Currency string `toml:"currency"`
		Zone     string `toml:"zone"` // "Europe/Berlin"; "" is the locale's
		Profile  string `toml:"profile"`
		// Supervisor is the number that allows returns and training.
		Supervisor string `toml:"supervisor"`
		RefundMax  int64  `toml:"refund_max"` // minor units; 0 is no limit
	} `toml:"register"`
	Scanner  Scanner `toml:"scanner"`
	Scanner2 Scanner `toml:"scanner2"` // a second one; the same sale
	Printer  struct {
		Serial
		Model string `toml:"model"`
	} `toml:"printer"`
	Drawer struct {
		Via       string `toml:"via"`               // "printer" or "gpio"
		Pin       int    `toml:"pin"`               // of the printer's connector
		Kick      string `toml:"kick"`              // the GPIO line of the coil
		Sense     string `toml:"sense"`             // and of the switch
		SenseOpen string `toml:"sense_open"`        // its level when the drawer is open: "high" or "low"
		LeftOpen  int    `toml:"left_open_seconds"` // then it is an alarm; 0: never, for one without a switch
	} `toml:"drawer"`
	Card struct {
		Serial
		Reader    string `toml:"reader"`
		Suite     string `toml:"suite"`      // "ctr" or "cbc"
		KeyblockB bool   `toml:"keyblock_b"` // key blocks of version B are taken, too
		Tamper    string `toml:"tamper"`     // the GPIO line of the case's switch
	} `toml:"card"`
	Keypad   Keypad  `toml:"keypad"`
	Display  Display `toml:"display"`
	Customer Display `toml:"customer"` // the customer's own; none: [display] is for both
	Console  struct {
		Serial
		Owner string `toml:"owner"` // the file with the public key of who signs grants and credentials
	} `toml:"console"`
	Cloud struct {
		URL         string `toml:"url"`
		CA          string `toml:"ca"`
		Creds       string `toml:"creds"`
		SealTo      string `toml:"seal_to"`
		CustomerKey string `toml:"customer_key"`
		SignedBy    string `toml:"signed_by"`
	} `toml:"cloud"`
	Issuer struct {
		Name               string `toml:"name"`
		Address            string `toml:"address"`
		Tel                string `toml:"tel"`
		RegistrationNumber string `toml:"registration_number"`
		Corporation        bool   `toml:"corporation"` // its number must be a company's
		Logo               string `toml:"logo"`        // a PNG file
	} `toml:"issuer"`
	Tax struct {
		Rounding string `toml:"rounding"`
		Prices   string `toml:"prices"`
		// Rates are the percent of each name that goods may be taxed by.
		Rates map[string]string `toml:"rates"`
	} `toml:"tax"`
	Catalog struct {
		File string `toml:"file"`
	} `toml:"catalog"`
	InStore []InStore `toml:"instore"`
	// Network and USB are for a flashed board, whose first process this is.
	Network struct {
		Address string   `toml:"address"` // "dhcp" (default) or "192.0.2.7/24"
		Gateway string   `toml:"gateway"`
		Servers []string `toml:"servers"` // of names
	} `toml:"network"`
	USB struct {
		Allow []string `toml:"allow"` // "VVVV:PPPP", besides serial lines
	} `toml:"usb"`
}

// InStore says what the digits of some of the shop's own numbers mean.
type InStore struct {
	Prefix string `toml:"prefix"` // "02", or "21-24"
	Layout string `toml:"layout"` // of the digits behind it: "iiiiivppppc"
	Scale  int64  `toml:"scale"`  // of a price, weight or count; 0 is 1
}

// Serial is one line of the counter; an empty Port means the shop has none.
type Serial struct {
	Port   string `toml:"port"`
	Baud   int    `toml:"baud"`
	Opener string `toml:"opener"` // "bugst" (default) or "tarm"
	Flow   string `toml:"flow"`   // "none" (default), "xonxoff" or "rtscts"
}

// Scanner is a barcode scanner, as its programming sheet has set it.
type Scanner struct {
	Serial
	Framing    string `toml:"framing"`     // "cr", "lf", "crlf", "tab", "stx-etx", "honeywell" (waits for an answer), "ssi"
	Prefix     string `toml:"prefix"`      // sent before each scan, at most 8 bytes
	IDs        string `toml:"ids"`         // "aim", or the code ids of "honeywell" or "datalogic"
	CheckDigit string `toml:"check_digit"` // "sent" or "missing"
	Commands   string `toml:"commands"`    // "none", "honeywell", "cipherlab": beeps at a refusal
	// RepeatMS is how many milliseconds after a scan an equal one is the same, 0
	// to 5000. 0, the default, counts every scan: scanners leave out what they see
	// twice by themselves (0.5 to 0.75 s as delivered), and two equal articles in
	// quick succession are two. For one that stutters, 300.
	RepeatMS int `toml:"repeat_ms"`
}

// options are what the driver is given.
func (s Scanner) options() scanner.Options {
	o := scanner.Options{
		Framing: s.Framing, Prefix: s.Prefix, IDs: s.IDs, AddCheckDigit: s.CheckDigit == "missing",
		Commands: s.Commands, Repeat: time.Duration(s.RepeatMS) * time.Millisecond,
	}
	if o.Commands == "none" {
		o.Commands = ""
	}
	return o
}

// LoadConfig reads and checks the file. Relative paths in it start at its
// folder. Every error names the line or the key, and what would be right.
func LoadConfig(path string) (*Config, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(io.LimitReader(f, configBytesMax+1))
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	if len(text) > configBytesMax {
		return nil, fmt.Errorf("config: %s is over %d bytes: is it the right file?", path, configBytesMax)
	}
	return parseConfig(text, path)
}

// parseConfig checks a file's text as LoadConfig does, for a file that is or
// may be at path.
func parseConfig(text []byte, path string) (*Config, error) {
	c := defaults()
	if err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(c); err != nil {
		return nil, explain(path, err)
	}
	if err := c.applyBoard(); err != nil {
		return nil, fmt.Errorf("config: %s: %w", path, err)
	}
	c.applyCountry()
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("config: %s: %w", path, err)
	}
	c.resolve(filepath.Dir(path))
	if err := c.checkPorts(); err != nil {
		return nil, fmt.Errorf("config: %s: %w", path, err)
	}
	return c, nil
}

func defaults() *Config {
	c := &Config{}
	c.Register.Board, c.Register.Locale, c.Register.Profile = "generic", "ja-JP", "retail"
	c.Scanner = Scanner{Serial: Serial{Baud: 9600}, Framing: "cr", IDs: "aim", CheckDigit: "sent", Commands: "none"}
	c.Scanner2 = c.Scanner
	c.Printer.Baud, c.Printer.Model = 38400, "tm-t88v"
	c.Drawer.Via, c.Drawer.Pin, c.Drawer.SenseOpen, c.Drawer.LeftOpen = "printer", 2, "high", 30
	c.Card.Baud, c.Card.Reader = 9600, "msr"
	c.Card.Suite = "ctr"
	c.Keypad.Baud, c.Display.Baud, c.Console.Baud = 9600, 9600, 115200
	c.Display.Model, c.Keypad.Sheet = "cd5220", sheetOn
	c.Customer = c.Display
	c.Network.Address = "dhcp"
	return c
}

// explain turns the library's errors into one line a shop can act on.
func explain(path string, err error) error {
	if unknown, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		keys := make([]string, 0, len(unknown.Errors))
		for i := range unknown.Errors {
			row, _ := unknown.Errors[i].Position()
			keys = append(keys, fmt.Sprintf("line %d: unknown key %q", row, strings.Join(unknown.Errors[i].Key(), ".")))
		}
		return fmt.Errorf("config: %s: %s: correct or remove it", path, strings.Join(keys, "; "))
	}
	if bad, ok := errors.AsType[*toml.DecodeError](err); ok {
		row, column := bad.Position()
		return fmt.Errorf("config: %s: line %d column %d: %s", path, row, column, reasonOf(bad))
	}
	return fmt.Errorf("config: %s: %s", path, visible(err.Error()))
}

// reasonOf says what the file should hold instead of naming a type of this
// program.
func reasonOf(bad *toml.DecodeError) string {
	text := visible(strings.TrimPrefix(bad.Error(), "toml: "))
	for kind, want := range map[string]string{"int": "a whole number", "string": "text in \"quotes\"", "bool": "true or false"} {
		if strings.HasPrefix(text, "cannot decode") && (strings.HasSuffix(text, " of type "+kind) || strings.HasSuffix(text, " into "+kind)) {
			return fmt.Sprintf("%s must be %s", visible(strings.Join(bad.Key(), ".")), want)
		}
	}
	return text
}

// visible shows control characters as "?": the file may be anything, and its
// words go to a terminal.
func visible(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return '?'
		}
		return c
	}, s)
}

// applyBoard fills the ports that the file leaves out with the board's.
func (c *Config) applyBoard() error {
	b, err := board.ByName(c.Register.Board)
	if err != nil {
		return fmt.Errorf("register.board: %w", err)
	}
	for name, serial := range c.serials() {
		if serial.Port == "" {
			serial.Port = b.Ports[name]
		}
	}
	if c.Drawer.Via == viaGPIO {
		c.Drawer.Kick = cmp.Or(c.Drawer.Kick, b.Pins[board.PinDrawerKick])
		c.Drawer.Sense = cmp.Or(c.Drawer.Sense, b.Pins[board.PinDrawerSense])
	}
	return nil
}

func (c *Config) serials() map[string]*Serial {
	return map[string]*Serial{
		"scanner": &c.Scanner.Serial, "scanner2": &c.Scanner2.Serial, "printer": &c.Printer.Serial, "card": &c.Card.Serial,
		"keypad": &c.Keypad.Serial, "display": &c.Display.Serial, "customer": &c.Customer.Serial, "console": &c.Console.Serial,
	}
}

func (c *Config) check() error {
	token := regexp.MustCompile(`^[0-9A-Za-z-]{1,16}$`) // also a NATS subject token
	if !token.MatchString(c.Register.Store) || !token.MatchString(c.Register.ID) {
		return errors.New("register.store and register.id are needed: 1 to 16 letters, digits or hyphens each")
	}
	if c.Register.State == "" {
		return errors.New("register.state is needed: the folder that holds the journal")
	}
	for _, rule := range []struct {
		key, value string
		allowed    []string
	}{
		{"register.locale", c.Register.Locale, sale.Locales()},
		{"register.currency", c.Register.Currency, []string{sale.CountryOf(c.Register.Locale).Currency}},
		{"register.profile", c.Register.Profile, []string{"retail"}},
		{"drawer.via", c.Drawer.Via, []string{viaPrinter, viaGPIO}},
		{"drawer.sense_open", c.Drawer.SenseOpen, []string{"high", senseLow}},
		{"card.reader", c.Card.Reader, []string{"msr", "msr-ttl", "idtech", "magtek", "none"}},
		{"card.suite", c.Card.Suite, []string{"ctr", "cbc"}},
		{"printer.model", c.Printer.Model, printerModels()},
		{"tax.rounding", c.Tax.Rounding, []string{"floor", "half-up", "ceil"}},
		{"tax.prices", c.Tax.Prices, []string{"inclusive", "exclusive"}},
	} {
		if !slices.Contains(rule.allowed, rule.value) {
			return fmt.Errorf("%s = %q is not known here: use one of %s", rule.key, rule.value, strings.Join(rule.allowed, ", "))
		}
	}
	if err := c.checkShop(); err != nil {
		return err
	}
	if err := c.checkDrawer(); err != nil {
		return err
	}
	if err := c.checkHands(); err != nil {
		return err
	}
	if !strings.HasPrefix(c.Cloud.URL, "tls://") {
		return fmt.Errorf("cloud.url = %q: only tls://host:port is spoken", c.Cloud.URL)
	}
	if err := c.checkHead(); err != nil {
		return err
	}
	if err := c.checkScanners(); err != nil {
		return err
	}
	if _, err := c.network(); err != nil {
		return err
	}
	return c.checkSerials()
}

// Words of [drawer].
const (
	viaPrinter = "printer"
	viaGPIO    = "gpio"
	senseLow   = "low"
)

// Limits of [drawer].
const (
	gpioNameMax              = 32 // of the kernel's name of a line
	leftOpenMin, leftOpenMax = 2, 600
)

func (c *Config) checkDrawer() error {
	d := &c.Drawer
	if d.Pin != 2 && d.Pin != 5 {
		return fmt.Errorf("drawer.pin = %d: the connector has a kick on pin 2 and on pin 5", d.Pin)
	}
	if d.LeftOpen != 0 && (d.LeftOpen < leftOpenMin || d.LeftOpen > leftOpenMax) {
		return fmt.Errorf("drawer.left_open_seconds = %d: %d to %d seconds until an open drawer is an alarm, or 0 for never", d.LeftOpen, leftOpenMin, leftOpenMax)
	}
	if d.Via != viaGPIO {
		if d.Kick != "" || d.Sense != "" {
			return errors.New("drawer.kick and drawer.sense are lines of via = \"gpio\": remove them, or set it")
		}
		return nil
	}
	users := map[string]string{}
	if c.Card.Tamper != "" {
		users[c.Card.Tamper] = "card.tamper"
	}
	if lines, err := board.ParseHead(c.Card.Port); err == nil && c.Card.Reader == "msr-ttl" {
		for _, name := range lines {
			users[name] = "card.port"
		}
	}
	for _, line := range []struct{ key, name string }{{"drawer.kick", d.Kick}, {"drawer.sense", d.Sense}} {
		if line.name == "" || len(line.name) > gpioNameMax {
			return fmt.Errorf("%s = %.40q: via = \"gpio\" needs the kernel's name of a line, like \"GPIO17\" (gpioinfo lists them)", line.key, line.name)
		}
		if other := users[line.name]; other != "" {
			return fmt.Errorf("%s and %s are both %q: each needs a line of its own", other, line.key, line.name)
		}
		users[line.name] = line.key
	}
	return nil
}

func (c *Config) checkScanners() error {
	for name, s := range map[string]Scanner{"scanner": c.Scanner, "scanner2": c.Scanner2} {
		for _, rule := range []struct {
			key, value string
			allowed    []string
		}{
			{"framing", s.Framing, []string{"cr", "lf", "crlf", "tab", "stx-etx", "honeywell", "ssi"}},
			{"ids", s.IDs, []string{"aim", "honeywell", "datalogic"}},
			{"check_digit", s.CheckDigit, []string{"sent", "missing"}},
			{"commands", s.Commands, []string{"none", "honeywell", "cipherlab"}},
		} {
			if !slices.Contains(rule.allowed, rule.value) {
				return fmt.Errorf("%s.%s = %q is not known here: use one of %s", name, rule.key, rule.value, strings.Join(rule.allowed, ", "))
			}
		}
		if most := int(scanner.RepeatMax / time.Millisecond); s.RepeatMS < 0 || s.RepeatMS > most {
			return fmt.Errorf("%s.repeat_ms = %d: use 0 (every scan counts) to %d milliseconds", name, s.RepeatMS, most)
		}
		if _, err := scanner.New(nil, s.options()); err != nil {
			return fmt.Errorf("%s: %s", name, visible(err.Error()))
		}
	}
	return nil
}

// checkHead checks the lines of a head without a decoder, which are its port.
func (c *Config) checkHead() error {
	if c.Card.Reader != "msr-ttl" || c.Card.Port == "" {
		return nil
	}
	if _, err := board.ParseHead(c.Card.Port); err != nil {
		return fmt.Errorf("card.port of reader \"msr-ttl\": %w", err)
	}
	if c.Card.Suite != "ctr" {
		return fmt.Errorf("card.suite = %q: reader \"msr-ttl\" needs \"ctr\": its bits are sealed one by one", c.Card.Suite)
	}
	return nil
}

func (c *Config) checkSerials() error {
	bauds := []int{1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200}
	users := map[string]string{}
	for name, serial := range c.serials() {
		if !slices.Contains(bauds, serial.Baud) {
			return fmt.Errorf("%s.baud = %d: use one of %v", name, serial.Baud, bauds)
		}
		if serial.Opener != "" && serial.Opener != "bugst" && serial.Opener != "tarm" {
			return fmt.Errorf("%s.opener = %q: use bugst or tarm", name, serial.Opener)
		}
		if serial.Flow != "" && !slices.Contains(port.FlowNames(), serial.Flow) {
			return fmt.Errorf("%s.flow = %q: use one of %s", name, serial.Flow, strings.Join(port.FlowNames(), ", "))
		}
		if err := port.CheckName(serial.Port); err != nil {
			return fmt.Errorf("%s.port: %w", name, err)
		}
		if other := users[serial.Port]; serial.Port != "" && other != "" {
			return fmt.Errorf("%s.port and %s.port are both %q: each device needs its own", name, other, serial.Port)
		}
		users[serial.Port] = name
	}
	return nil
}

// resolve makes the file's relative paths start at the file.
func (c *Config) resolve(dir string) {
	for _, p := range []*string{
		&c.Register.State, &c.Issuer.Logo, &c.Cloud.CA, &c.Cloud.Creds, &c.Cloud.SealTo, &c.Cloud.CustomerKey, &c.Cloud.SignedBy,
		&c.Catalog.File, &c.Console.Owner,
	} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
}
