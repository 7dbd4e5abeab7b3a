package main

import (
	"bytes"
	"image"
	"image/png"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regi/firmware/receipt"
	"regi/firmware/register"
	"regi/firmware/sale"
)

// A country brings what the file does not say.
func TestShopOfACountry(t *testing.T) {
	for _, c := range []struct {
		lines                            string
		currency, zone, prices, rounding string
		rates                            []sale.Named
	}{
		{`locale = "de-DE"`, "EUR", "Europe/Berlin", "inclusive", "half-up", []sale.Named{{Name: "standard", Rate: 19_000}, {Name: "reduced", Rate: 7_000}, {Name: "exempt"}}},
		{`locale = "en-IE"`, "EUR", "Europe/Dublin", "inclusive", "half-up", []sale.Named{{Name: "standard", Rate: 23_000}, {Name: "reduced", Rate: 13_500}, {Name: "second-reduced", Rate: 9_000}, {Name: "exempt"}}},
		{
			"locale = \"en-US\"\nzone = \"America/New_York\"\n[tax.rates]\nstandard = \"8.875\"\nfood = \"3\"", "USD", "America/New_York", "exclusive", "half-up",
			[]sale.Named{{Name: "exempt"}, {Name: "food", Rate: 3_000}, {Name: "standard", Rate: 8_875}},
		},
		{"currency = \"JPY\"\n[tax.rates]\nreduced = \"0\"", "JPY", "Asia/Tokyo", "inclusive", "floor", []sale.Named{{Name: "standard", Rate: 10_000}, {Name: "reduced", Rate: 0}, {Name: "exempt"}}},
	} {
		lines, tables, _ := strings.Cut(c.lines, "\n[")
		text := with("[register]", lines)
		if tables != "" {
			text += "[" + tables + "\n"
		}
		config, _ := mustLoad(t, text)
		rates, err := config.rates()
		if err != nil {
			t.Fatal(err)
		}
		same := len(rates) == len(c.rates)
		for i := range c.rates {
			same = same && rates[i] == c.rates[i]
		}
		if config.Register.Currency != c.currency || config.Register.Zone != c.zone || config.Tax.Prices != c.prices || config.Tax.Rounding != c.rounding || !same {
			t.Errorf("%s: %+v %+v %+v", c.lines, config.Register, config.Tax, rates)
		}
	}
}

func TestShopMistakes(t *testing.T) {
	rates := func(lines string) string { return complete + "[tax.rates]\n" + lines + "\n" }
	for name, c := range map[string]struct {
		text string
		says []string
	}{
		"a shop in the United States without a zone": {with("[register]", `locale = "en-US"`), []string{"register.zone", "America/New_York"}},
		"without a rate":                {with("[register]", "locale = \"en-US\"\nzone = \"America/New_York\""), []string{"tax.rates.standard", "8.875"}},
		"no zone of this world":         {with("[register]", `zone = "Mars/Olympus"`), []string{"register.zone", "Europe/Berlin"}},
		"the zone of the machine":       {with("[register]", `zone = "../etc/passwd"`), []string{"register.zone"}},
		"yen in Germany":                {with("[register]", "locale = \"de-DE\"\ncurrency = \"JPY\""), []string{"register.currency", "EUR"}},
		"a word for a supervisor":       {with("[register]", `supervisor = "boss"`), []string{"register.supervisor", "4 to 8 digits"}},
		"a short supervisor":            {with("[register]", `supervisor = "123"`), []string{"register.supervisor"}},
		"a long supervisor":             {with("[register]", `supervisor = "123456789"`), []string{"register.supervisor"}},
		"a refund below none":           {with("[register]", `refund_max = -1`), []string{"register.refund_max"}},
		"a rate of words":               {rates(`standard = "ten"`), []string{"tax.rates.standard", "8.875"}},
		"a rate over all":               {rates(`standard = "101"`), []string{"tax.rates.standard"}},
		"a number":                      {rates(`standard = 10`), []string{"text in \"quotes\""}},
		"a name with a blank":           {rates(`"very low" = "1"`), []string{"tax.rates", "small letters"}},
		"seven rates":                   {rates("a = \"1\"\nb = \"2\"\nc = \"3\"\nd = \"4\""), []string{"7 rates", "at most 6"}},
		"a company with a wrong number": {with("[issuer]", "registration_number = \"T1234567890123\"\ncorporation = true"), []string{"issuer.registration_number", "corporation"}},
	} {
		_, err := LoadConfig(configFile(t, c.text))
		if err == nil {
			t.Errorf("%s: taken", name)
			continue
		}
		for _, part := range c.says {
			if !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %q does not say %q", name, err, part)
			}
		}
	}
	for _, good := range []string{
		with("[register]", "supervisor = \"4711\"\nrefund_max = 10000"),
		with("[issuer]", "registration_number = \"T1180301018771\"\ncorporation = true"),
		with("[issuer]", `registration_number = "T1234567890123"`), // perhaps a sole trader's
	} {
		mustLoad(t, good)
	}
}

// The key of the codes is made once, is for nobody else to read, and a damaged
// one is not taken for a key.
func TestCodeKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "receipt.key")
	one, err := codeKey(path)
	if err != nil {
		t.Fatal(err)
	}
	two, err := codeKey(path)
	if err != nil || !bytes.Equal(one, two) || len(one) != codeKeyBytes {
		t.Errorf("%d bytes, then %d, %v", len(one), len(two), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != fs.FileMode(0o600) {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(path, one[:8], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := codeKey(path); err == nil || !strings.Contains(err.Error(), "remove it") {
		t.Error(err)
	}
}

func TestLogoSetting(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var good bytes.Buffer
	if err := png.Encode(&good, image.NewGray(image.Rect(0, 0, 384, 120))); err != nil {
		t.Fatal(err)
	}
	c := &Config{}
	c.Register.Locale, c.Register.Zone, c.Register.State = "ja-JP", "Asia/Tokyo", dir
	for path, says := range map[string]string{
		write("good.png", good.Bytes()):                          "",
		write("large.png", make([]byte, receipt.LogoBytesMax+1)): "1024 KiB",
		write("text.png", []byte("no picture")):                  "PNG",
		filepath.Join(dir, "absent.png"):                         "issuer.logo",
	} {
		c.Issuer.Logo = path
		var rc register.Config
		rc.Log = slog.New(slog.DiscardHandler)
		err := shopConfig(c, &rc)
		switch {
		case says == "" && (err != nil || rc.Logo == nil || rc.Logo.Width != 384):
			t.Errorf("%s: %v", path, err)
		case says != "" && (err == nil || !strings.Contains(err.Error(), says)):
			t.Errorf("%s: %v, want %q", path, err, says)
		}
	}
}
