package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regi/drivers/keypad"
	"regi/sim/device/printer" //nolint:depguard // the simulated printer is the judge
	tty "regi/sim/wire"       //nolint:depguard // as above
)

const hands = `
[display]
port = "/dev/serial/by-path/display"
model = "escpos"
brightness = 2
[customer]
port = "/dev/serial/by-path/customer"
[keypad]
port = "/dev/serial/by-path/keypad"
sheet = "after-z"
table = { "a" = "CASH", "1B" = "CLEAR", "x" = "" }
matrix = { rows = ["GPIO5", "GPIO6"], cols = ["GPIO12", "GPIO13", "GPIO16"], keys = [["1", "2", "CLEAR/VOID"], ["0", "", "CASH"]] }
hid = { id = "046A:0011", path = "usb-0000:01:00.0-1.2", keys = { "30" = "CASH" } }
`

func TestHandsConfig(t *testing.T) {
	c, _ := mustLoad(t, complete+hands)
	table, err := keypad.ParseTable(c.Keypad.Table)
	if err != nil || table['a'] != "CASH" || table[0x1b] != "CLEAR" || table['x'] != "" || table['v'] != "VOID" {
		t.Errorf("%v, %v", table, err)
	}
	layout, err := keypad.ParseLayout(c.Keypad.Matrix.Keys)
	if err != nil || len(layout) != 2 || layout[0][2].Long != "VOID" || layout[1][1].Name != "" {
		t.Errorf("%v, %v", layout, err)
	}
	if c.Display.Model != "escpos" || c.Display.Brightness != 2 || c.Customer.Model != "cd5220" || c.Customer.Baud != 9600 {
		t.Errorf("%+v, %+v", c.Display, c.Customer)
	}
	c, _ = mustLoad(t, complete)
	if c.Keypad.Sheet != "on" || c.Keypad.HID.ID != "" || c.hasMatrix() {
		t.Errorf("%+v", c.Keypad)
	}
}

func TestHandsMistakes(t *testing.T) {
	const five = `"A", "B", "C", "D"`
	for name, m := range map[string]struct {
		from, to string
		says     []string
	}{
		"sheet":                {`"after-z"`, `"always"`, []string{"keypad.sheet", `"always"`, "after-z"}},
		"table key":            {`"a" = "CASH"`, `"abc" = "CASH"`, []string{"keypad.table", `"abc"`, "hexadecimal"}},
		"table name":           {`"a" = "CASH"`, `"a" = "MONEY"`, []string{"keypad.table", `"MONEY"`, "SUBTOTAL"}},
		"hid code":             {`"30"`, `"KEY_A"`, []string{"keypad.hid.keys", `"KEY_A"`, "767"}},
		"hid without a socket": {`path = "usb-0000:01:00.0-1.2", `, ``, []string{"keypad.hid", "path", "usb-0000:01:00.0-1.2"}},
		"hid without a maker":  {`id = "046A:0011", `, ``, []string{"keypad.hid", "046a:0011"}},
		"any keyboard":         {`046A:0011`, `*`, []string{"keypad.hid", `"*"`}},
		"matrix of no shape":   {`["0", "", "CASH"]`, `["0", "CASH"]`, []string{"keypad.matrix", "2 rows and 3 cols"}},
		"default matrix":       {`, keys = [["1", "2", "CLEAR/VOID"], ["0", "", "CASH"]]`, ``, []string{"keypad.matrix", "4 rows of keys"}},
		"matrix key":           {`"CLEAR/VOID"`, `"CLEAR/"`, []string{"keypad.matrix.keys", "CLEAR/VOID"}},
		"line twice":           {`"GPIO13"`, `"GPIO12"`, []string{"keypad.matrix", `"GPIO12"`, "of its own"}},
		"no line":              {`"GPIO13"`, `""`, []string{"keypad.matrix", "gpioinfo"}},
		"too many rows":        {`rows = ["GPIO5", "GPIO6"]`, `rows = [` + five + `, "E"]`, []string{"keypad.matrix", "5 rows"}},
		"the drawer's line":    {"[keypad]", "[drawer]\nvia = \"gpio\"\nkick = \"GPIO17\"\nsense = \"GPIO12\"\n[keypad]", []string{"drawer.sense", "keypad.matrix", `"GPIO12"`}},
		"brightness":           {"brightness = 2", "brightness = 5", []string{"display.brightness = 5", "1 to 4"}},
		"model":                {`"escpos"`, `"vt100"`, []string{"display.model", `"vt100"`, "cd5220, escpos"}},
		"only the customer's":  {"port = \"/dev/serial/by-path/display\"\n", "", []string{"customer.port", "[display]"}},
	} {
		text := strings.Replace(hands, m.from, m.to, 1)
		if text == hands {
			t.Fatalf("%s: no mistake is in the file", name)
		}
		_, err := LoadConfig(configFile(t, complete+text))
		for _, part := range m.says {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v does not say %q", name, err, part)
			}
		}
	}
}

// TestSheetCommand prints the sheet on a printer that understands it, and says
// what to do while a register runs.
func TestSheetCommand(t *testing.T) {
	o := newOffice(t)
	line, err := tty.Open(filepath.Join(t.TempDir(), "printer"))
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	model, err := printer.ModelNamed("tm-t88v")
	if err != nil {
		t.Fatal(err)
	}
	far := printer.New(line, printer.Options{Model: model})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	ended := make(chan error, 1)
	go func() { ended <- far.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	config, err := os.ReadFile(o.config)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := sheet(ctx, []string{"--config", o.config}, &out); err == nil || !strings.Contains(err.Error(), "printer.port") {
		t.Errorf("without a printer: %v", err)
	}
	config = append(config, "[printer]\nport = \""+line.String()+"\"\nbaud = 115200\n"...)
	if err := os.WriteFile(o.config, config, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sheet(ctx, []string{"--config", o.config}, &out); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"キーシート", "0001/01", "現金  CASH", "小計  SUBTOTAL"} {
		if text := far.Text(); !strings.Contains(text, part) {
			t.Errorf("the paper has no %q:\n%s", part, text)
		}
	}
	if cuts := far.State().Cuts; cuts != 1 || !strings.Contains(out.String(), "next Z") {
		t.Errorf("%d cuts, %q", cuts, out.String())
	}
	if got := strings.Join(o.events(), "\n"); !strings.Contains(got, "command-sheet") {
		t.Errorf("on record: %s", got)
	}
	taken, err := openPort(Serial{Port: line.String(), Baud: 115200})
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if err := sheet(ctx, []string{"--config", o.config}, &out); err == nil || !strings.Contains(err.Error(), "5 ENTER") {
		t.Errorf("beside a register: %v", err)
	}
	for _, args := range [][]string{nil, {"--config", o.config, "more"}, {"--config", "/no/such/file"}} {
		if err := sheet(ctx, args, &out); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
}
