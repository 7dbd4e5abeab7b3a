package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"regi/sim/cloud"
	"regi/sim/device/printer"
	"regi/sim/device/scanner"
)

// registerTOML is the configuration of the simulated counter, complete, so that
// it also serves as the example to start from.
const registerTOML = `# A complete configuration of a register, written by the simulator.
# Change it and start the simulator again with the same --dir: only cloud.url is
# rewritten then. Ports may be any tty.

[register]
store    = "0001"
id       = "01"
board    = "generic"
state    = "state"
locale   = "ja-JP"       # ja-JP | en (Japan, display in English) | de-DE | en-IE | en-US
currency = "JPY"         # JPY | EUR | USD, as the locale has it
profile  = "retail"
# zone       = "Asia/Tokyo"  # needed for en-US
# supervisor = "4711"        # 4 to 8 digits: asked for before returns and training
# refund_max = 10000         # of one return, in the smallest unit

[scanner]
port     = "{dev}/scanner"
baud     = 9600
framing  = "cr"          # cr | lf | crlf | tab | stx-etx | honeywell (waits for an answer) | ssi

[printer]
port     = "{dev}/printer"
baud     = 38400
model    = "tm-t88v"     # tm-t88v (42 columns) | tm-t20iii, tm-m30, generic-80 (48) | generic-58 (32) | star-mc-print3, star-tsp143iv, star-tsp654ii, star-line (48)

[drawer]
via      = "printer"
pin      = 2

[card]
port     = "{dev}/card"
baud     = 9600
reader   = "msr"         # msr | idtech | magtek (readers that encrypt by themselves) | none

[keypad]
port     = "{dev}/keypad"

[display]
port     = "{dev}/display"
model    = "cd5220"      # cd5220 | escpos

# [customer]             # a display of the customer's own; without it [display] is for both
# port   = "{dev}/customer"
# model  = "escpos"

[console]
port     = "{dev}/console"
baud     = 115200
# owner  = "cloud/owner.pub"  # who signs grants and credentials (POST /api/enroll does)

[cloud]
url       = "{url}"
ca        = "{ca}"
creds     = "{creds}"
seal_to   = "{seal_to}"
signed_by = "{signed_by}"

[issuer]
name    = "レジ商店 青山本店"
address = "東京都港区南青山一丁目2番3号"
tel     = "03-0000-0000"
registration_number = "T1180301018771"
# corporation = true       # refuse a number whose check digit is not a company's
# logo = "logo.png"        # at the head of receipts: PNG, 384 dots wide, at most 400 high

[tax]
rounding = "floor"       # floor | half-up | ceil
prices   = "inclusive"   # inclusive | exclusive
# [tax.rates]              # percent by the names that goods are listed under
# standard = "10"
# reduced  = "8"

[catalog]
file = "catalog.json"

# What the digits of the shop's own numbers mean (13 or 8 digits): i item, p
# price, w weight in grams, n count, v check digit of a price or weight of four or
# five digits, x passed over, c the check digit. scale = 10: the price is in tens.
[[instore]]
prefix = "02"            # or a range: "21-24"
layout = "iiiiivppppc"

[[instore]]
prefix = "23"
layout = "iiiiiwwwwwc"
`

var urlLine = regexp.MustCompile(`(?m)^url(\s*)=.*$`)

// writeConfig makes register.toml and catalog.json in dir, or keeps what is
// there but for the cloud's address, which is another one after each start.
func writeConfig(dir, dev string, c *cloud.Cloud) (path string, err error) {
	path = filepath.Join(dir, "register.toml")
	f := c.Files()
	config, err := os.ReadFile(path) //nolint:gosec // the user's own folder
	switch {
	case errors.Is(err, fs.ErrNotExist):
		config = []byte(strings.NewReplacer(
			"{dev}", dev, "{url}", c.URL(), "{ca}", f.CA, "{creds}", f.Creds, "{seal_to}", f.SealTo, "{signed_by}", f.SignedBy,
		).Replace(registerTOML))
	case err != nil:
		return "", fmt.Errorf("config: %w", err)
	default:
		config = urlLine.ReplaceAllFunc(config, func([]byte) []byte { return []byte(`url       = "` + c.URL() + `"`) })
	}
	if err := os.WriteFile(path, config, 0o600); err != nil {
		return "", fmt.Errorf("config: %w", err)
	}
	prices := filepath.Join(dir, "catalog.json")
	if _, err := os.Stat(prices); err == nil {
		return path, nil
	}
	snapshot, err := catalogJSON()
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(prices, snapshot, 0o600); err != nil {
		return "", fmt.Errorf("catalogue: %w", err)
	}
	return path, nil
}

// fitted is what the configuration says of the devices that come in several
// kinds.
type fitted struct {
	Scanner struct {
		Framing string `toml:"framing"`
		Prefix  string `toml:"prefix"`
		IDs     string `toml:"ids"`
	} `toml:"scanner"`
	Printer struct {
		Model string `toml:"model"`
	} `toml:"printer"`
	Card struct {
		Reader string `toml:"reader"`
	} `toml:"card"`
	Display  fittedDisplay `toml:"display"`
	Customer fittedDisplay `toml:"customer"`
}

// fittedDisplay is a display of the configuration.
type fittedDisplay struct {
	Port  string `toml:"port"`
	Model string `toml:"model"`
}

// kind is the model, with the register's default.
func (d fittedDisplay) kind() string { return cmp.Or(d.Model, "cd5220") }

func readFitted(config string) (f fitted, err error) {
	data, err := os.ReadFile(config) //nolint:gosec // written here
	if err != nil {
		return f, err
	}
	if err := toml.Unmarshal(data, &f); err != nil {
		return f, fmt.Errorf("%s: %w", config, err)
	}
	return f, nil
}

// printerModel is the simulated printer that the configuration asks for: the
// wire is the same, the paper's width is not.
func printerModel(f fitted) (printer.Model, error) {
	switch f.Printer.Model {
	case "tm-t20iii", "tm-m30", "generic-80":
		return printer.ModelNamed("80mm")
	case "generic-58":
		return printer.ModelNamed("58mm")
	}
	return printer.ModelNamed("tm-t88v")
}

// scannerSettings are those of the simulated scanner that the configuration asks
// for.
func scannerSettings(f fitted) scanner.Settings {
	set := scanner.Settings{Framing: f.Scanner.Framing, Prefix: f.Scanner.Prefix, IDs: f.Scanner.IDs}
	if set.IDs == "aim" {
		set.IDs = "" // as the code says
	}
	return set
}
