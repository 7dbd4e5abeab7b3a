// Package catalog holds the shop's goods and their prices: one versioned
// snapshot, looked up by GTIN-14.
package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"regi/firmware/gs1"
)

// Limits of a snapshot.
const (
	BytesMax     = 32 << 20
	ItemsMax     = 200_000
	NameBytesMax = 192 // 64 kanji
	KanaMax      = 40  // columns; a display shows the first 20 or fewer
	PriceMax     = 99_999_999
	VersionMax   = 32
)

// RateNameMax bounds the name of a tax rate; which there are is the shop's.
const RateNameMax = 24

// Rates that most countries have.
const (
	RateStandard = "standard"
	RateReduced  = "reduced"
)

// Errors of Parse.
var (
	// ErrInvalid: the snapshot cannot be used; the message names the item.
	ErrInvalid = errors.New("invalid catalogue")
	// ErrTooLarge: it is over BytesMax or ItemsMax.
	ErrTooLarge = errors.New("catalogue too large")
)

// Item is one article as sold today.
type Item struct {
	GTIN string `json:"gtin"` // 14 digits
	Name string `json:"name"`
	// Kana is the name for a display: half-width katakana or ASCII.
	Kana string `json:"kana"`
	// Price is in minor units, with or without tax as the shop's setting says.
	Price int64  `json:"price"`
	Rate  string `json:"rate"` // a name of the shop's tax settings
	// Version is the snapshot that this price is from.
	Version string `json:"version,omitempty"`
}

// Catalog is one snapshot. It does not change, so any goroutine may read it.
type Catalog struct {
	version string
	items   map[string]*Item // by GTIN-14
}

// Parse reads a snapshot:
//
//	{"version":"1","items":[{"gtin":"4901234567894","name":"…","kana":"…","price":110,"rate":"standard"}]}
//
// It is taken whole or not at all: an unknown field, a wrong check digit, a
// second row for the same article or anything over its limit is an error that
// names the item. Rates are the names that goods may be taxed by; without any,
// RateStandard and RateReduced.
func Parse(data []byte, rates ...string) (*Catalog, error) {
	if len(rates) == 0 {
		rates = []string{RateStandard, RateReduced}
	}
	if len(data) > BytesMax {
		return nil, fmt.Errorf("catalog: %d bytes, at most %d: %w", len(data), BytesMax, ErrTooLarge)
	}
	var file struct {
		Version string `json:"version"`
		Items   []row  `json:"items"`
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return nil, fmt.Errorf("catalog: byte %d: %w: %w", d.InputOffset(), ErrInvalid, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("catalog: something follows the snapshot: %w", ErrInvalid)
	}
	if !isVersion(file.Version) {
		return nil, fmt.Errorf("catalog: version %.*q: want 1 to %d letters, digits or .-_: %w", VersionMax, file.Version, VersionMax, ErrInvalid)
	}
	if len(file.Items) > ItemsMax {
		return nil, fmt.Errorf("catalog: %d items, at most %d: %w", len(file.Items), ItemsMax, ErrTooLarge)
	}
	c := &Catalog{version: file.Version, items: make(map[string]*Item, len(file.Items))}
	for i, r := range file.Items {
		if err := c.add(r, rates); err != nil {
			return nil, fmt.Errorf("catalog: item %d (gtin %.16q): %w: %w", i+1, r.GTIN, ErrInvalid, err)
		}
	}
	return c, nil
}

// Lookup finds an article by its GTIN-14. The item belongs to the catalogue:
// it must not be changed.
func (c *Catalog) Lookup(gtin14 string) (*Item, bool) {
	item, ok := c.items[gtin14]
	return item, ok
}

// Version names the snapshot.
func (c *Catalog) Version() string { return c.version }

// Len is the number of articles.
func (c *Catalog) Len() int { return len(c.items) }

// row is an item as the file writes it.
type row struct {
	GTIN  string `json:"gtin"` // as printed on the goods
	Name  string `json:"name"`
	Kana  string `json:"kana"`
	Price *int64 `json:"price"` // nil: forgotten, which is not free of charge
	Rate  string `json:"rate"`
}

func (c *Catalog) add(r row, rates []string) error {
	gtin, err := gs1.GTIN14(r.GTIN, "")
	if err != nil {
		return err
	}
	if c.items[gtin] != nil {
		return errors.New("this article is listed twice")
	}
	if err := checkName(r.Name); err != nil {
		return err
	}
	if err := checkKana(r.Kana); err != nil {
		return err
	}
	if r.Price == nil || *r.Price < 0 || *r.Price > PriceMax {
		return fmt.Errorf("price: want 0 to %d", PriceMax)
	}
	if !slices.Contains(rates, r.Rate) {
		return fmt.Errorf("rate %.*q: want one of %s", RateNameMax, r.Rate, strings.Join(rates, ", "))
	}
	kana := r.Kana
	if kana == "" {
		kana = r.GTIN // better than an empty line in front of the customer
	}
	c.items[gtin] = &Item{GTIN: gtin, Name: r.Name, Kana: kana, Price: *r.Price, Rate: r.Rate, Version: c.version}
	return nil
}

func checkName(s string) error {
	switch {
	case strings.TrimSpace(s) == "":
		return errors.New("name: it is empty")
	case len(s) > NameBytesMax:
		return fmt.Errorf("name: %d bytes, at most %d", len(s), NameBytesMax)
	}
	for _, c := range s {
		if !unicode.IsPrint(c) && c != '\u3000' || c == utf8.RuneError {
			return fmt.Errorf("name: %U cannot be printed", c)
		}
	}
	return nil
}

func checkKana(s string) error {
	columns := 0
	for _, c := range s {
		if columns++; columns > KanaMax {
			return fmt.Errorf("kana: over %d columns", KanaMax)
		}
		if (c < ' ' || c > '~') && (c < '｡' || c > 'ﾟ') {
			return fmt.Errorf("kana: %U is neither ASCII nor half-width katakana", c)
		}
	}
	return nil
}

func isVersion(s string) bool {
	if s == "" || len(s) > VersionMax {
		return false
	}
	return !strings.ContainsFunc(s, func(c rune) bool {
		return c > unicode.MaxASCII || !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune(".-_", c)
	})
}
