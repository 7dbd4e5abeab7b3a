package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"
	_ "time/tzdata" // a board has no zone files

	"regi/firmware/catalog"
	"regi/firmware/receipt"
	"regi/firmware/register"
	"regi/firmware/sale"
)

// Limits of what the configuration says of a shop.
const (
	supervisorMin, supervisorMax = 4, 8 // digits
	codeKeyBytes                 = 32
)

// applyCountry fills in what the file leaves to the shop's country.
func (c *Config) applyCountry() {
	country := sale.CountryOf(c.Register.Locale)
	prices := "exclusive"
	if country.Included {
		prices = "inclusive"
	}
	rounding := "half-up"
	if country.Rounding == sale.Floor {
		rounding = "floor"
	}
	for _, d := range []struct {
		setting  *string
		standard string
	}{
		{&c.Register.Currency, country.Currency},
		{&c.Register.Zone, country.Zone},
		{&c.Tax.Prices, prices},
		{&c.Tax.Rounding, rounding},
	} {
		if *d.setting == "" {
			*d.setting = d.standard
		}
	}
}

func (c *Config) issuer() sale.Issuer {
	return sale.Issuer{Name: c.Issuer.Name, Address: c.Issuer.Address, Tel: c.Issuer.Tel, RegistrationNumber: c.Issuer.RegistrationNumber}
}

// checkShop checks the settings that a receipt depends on. Whether the issuer
// may print receipts is left to "regi check" and to the start of a shift.
func (c *Config) checkShop() error {
	if c.Register.Zone == "" {
		return errors.New(`register.zone is needed: the shop's time zone, as "America/New_York"`)
	}
	if _, err := time.LoadLocation(c.Register.Zone); err != nil {
		return fmt.Errorf(`register.zone = %q is no time zone: write it as "Europe/Berlin"`, c.Register.Zone)
	}
	if s := c.Register.Supervisor; s != "" && !regexp.MustCompile(`^[1-9][0-9]*$`).MatchString(s) || len(s) > supervisorMax || s != "" && len(s) < supervisorMin {
		return fmt.Errorf("register.supervisor: %d to %d digits, the first not 0", supervisorMin, supervisorMax)
	}
	if m := sale.Money(c.Register.RefundMax); m < 0 || m > sale.AmountMax {
		return fmt.Errorf("register.refund_max = %d: 0 for no limit, at most %d", m, sale.AmountMax)
	}
	if c.Issuer.Corporation && sale.CountryOf(c.Register.Locale).Scheme == sale.Japanese {
		if err := sale.CheckRegistrationNumber(c.Issuer.RegistrationNumber); err != nil {
			return fmt.Errorf("issuer.registration_number: %w: correct it, or leave out issuer.corporation", err)
		}
	}
	if _, err := c.inStore(); err != nil {
		return err
	}
	_, err := c.rates()
	return err
}

// zone is the shop's; UTC where the settings do not say it yet.
func (c *Config) zone() *time.Location {
	zone, err := time.LoadLocation(c.Register.Zone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// rates are the shop's tax rates by name, in the order of the names.
func (c *Config) rates() ([]sale.Named, error) {
	rates := slices.Clone(sale.CountryOf(c.Register.Locale).Rates)
	name := regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	for _, key := range slices.Sorted(maps.Keys(c.Tax.Rates)) {
		if len(key) > catalog.RateNameMax || !name.MatchString(key) {
			return nil, fmt.Errorf("tax.rates.%.*q: a name has 1 to %d small letters, digits or hyphens", catalog.RateNameMax, key, catalog.RateNameMax)
		}
		rate, err := sale.ParseRate(c.Tax.Rates[key])
		if err != nil {
			return nil, fmt.Errorf(`tax.rates.%s: %w, as "8.875"`, key, err)
		}
		named := sale.Named{Name: key, Rate: rate}
		if at := slices.IndexFunc(rates, func(n sale.Named) bool { return n.Name == key }); at >= 0 {
			rates[at] = named
			continue
		}
		rates = append(rates, named)
	}
	if !slices.ContainsFunc(rates, func(n sale.Named) bool { return n.Name == catalog.RateStandard }) {
		return nil, errors.New(`tax.rates.standard is needed: the sales tax of the shop's place in percent, as "8.875"`)
	}
	if len(rates) > sale.RatesMax {
		return nil, fmt.Errorf("tax.rates: %d rates, at most %d", len(rates), sale.RatesMax)
	}
	return rates, nil
}

// shopConfig adds what a receipt needs: rates, the clock's zone, the logo, and
// the key of its codes.
func shopConfig(c *Config, rc *register.Config) (err error) {
	if rc.Till.Rates, err = c.rates(); err != nil {
		return err
	}
	if rc.Till.Zone, err = time.LoadLocation(c.Register.Zone); err != nil {
		return fmt.Errorf("register.zone: %w", err)
	}
	if rc.Till.CodeKey, err = codeKey(filepath.Join(c.Register.State, "receipt.key")); err != nil {
		return err
	}
	if c.Issuer.Logo == "" {
		return nil
	}
	info, err := os.Stat(c.Issuer.Logo)
	if err != nil {
		return fmt.Errorf("issuer.logo: %w", err)
	}
	if info.Size() > receipt.LogoBytesMax { // before a byte of it is read
		return fmt.Errorf("issuer.logo %s: %w of %d KiB: at most %d, save it smaller, black on white", c.Issuer.Logo, receipt.ErrLogo, info.Size()>>10, receipt.LogoBytesMax>>10)
	}
	file, err := os.ReadFile(c.Issuer.Logo)
	if err != nil {
		return fmt.Errorf("issuer.logo: %w", err)
	}
	if rc.Logo, err = receipt.ParseLogo(file); err != nil {
		return fmt.Errorf("issuer.logo %s: %w", c.Issuer.Logo, err)
	}
	return nil
}

// codeKey reads the key of the codes on receipts, or makes it on the first
// start. Who has it can make receipts that this register takes back: it never
// leaves the board.
func codeKey(path string) ([]byte, error) {
	key, err := readBounded(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		key = make([]byte, codeKeyBytes)
		if _, err = rand.Read(key); err == nil {
			err = writeDurably(path, key)
		}
		if err != nil {
			return nil, fmt.Errorf("receipt key: %w", err)
		}
	case err != nil:
		return nil, fmt.Errorf("receipt key: %w", err)
	case len(key) != codeKeyBytes:
		return nil, fmt.Errorf("receipt key %s: %d bytes, want %d: remove it, and older receipts cannot be taken back", path, len(key), codeKeyBytes)
	}
	return key, nil
}
