// Package catalog holds the shop's goods and their prices: one versioned
// snapshot, looked up by GTIN-14.
package catalog

import (
	"cmp"
	"errors"
	"fmt"
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
	// ErrInvalid: the snapshot cannot be used; the message says why.
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
	// Price is in minor units, with or without tax as the shop's setting says: of
	// a piece, or of one Unit.
	Price int64 `json:"price"`
	// Unit is "" for goods sold by the piece, UnitCount, UnitLabel or a measure
	// ("kg", "100g" ...): then the label of each piece says how much it is.
	Unit string `json:"unit,omitempty"`
	Rate string `json:"rate"` // a name of the shop's tax settings
	// Version is the snapshot that this price is from.
	Version string `json:"version,omitempty"`
}

// Catalog is one snapshot. It does not change, so any goroutine may read it.
type Catalog struct {
	version string
	items   map[string]*Item // by GTIN-14
	labels  Labels

	refused map[string]bool // by GTIN-14, as far as they have one
	reasons []Refused
	count   int              // of refusals
	places  map[string]place // of items, until With
}

// Parse reads a snapshot:
//
//	{"version":"1","items":[{"gtin":"4901234567894","name":"…","kana":"…","price":110,"rate":"standard"}]}
//
// An item may have a "unit"; one whose price is on its label has no "price".
// Rates are the names that goods may be taxed by; without any, RateStandard and
// RateReduced.
//
// An item with an unknown field, a wrong check digit or anything over its limit
// is refused, and so are all rows of an article that is listed twice: nobody
// knows which price is right. The others are sold; see Refused. What is no
// snapshot, or has no item that can be sold, is an error.
func Parse(data []byte, rates ...string) (*Catalog, error) {
	if len(rates) == 0 {
		rates = []string{RateStandard, RateReduced}
	}
	if len(data) > BytesMax {
		return nil, fmt.Errorf("catalog: %d bytes, at most %d: %w", len(data), BytesMax, ErrTooLarge)
	}
	version, rows, err := read(data)
	if err != nil {
		return nil, err
	}
	if !isVersion(version) {
		return nil, fmt.Errorf("catalog: version %.*q: want 1 to %d letters, digits or .-_: %w", VersionMax, version, VersionMax, ErrInvalid)
	}
	c := &Catalog{version: version, items: make(map[string]*Item, len(rows)), refused: map[string]bool{}, places: make(map[string]place, len(rows))}
	for _, r := range rows {
		if err := c.add(r, rates); err != nil {
			c.refuse(r.place, r.GTIN, err)
		}
	}
	if err := c.sells(); err != nil {
		return nil, err
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

func (c *Catalog) add(r row, rates []string) error {
	gtin, err := gs1.GTIN14(r.GTIN, "")
	if err != nil {
		return cmp.Or(r.err, err)
	}
	if at, listed := c.places[gtin]; listed {
		if c.items[gtin] != nil {
			delete(c.items, gtin)
			c.refuse(at, gtin, fmt.Errorf("this article is listed twice, also as item %d", r.item))
		}
		return errors.New("this article is listed twice")
	}
	c.places[gtin] = r.place
	if r.err != nil {
		return r.err
	}
	if err := checkName(r.Name); err != nil {
		return err
	}
	if err := checkKana(r.Kana); err != nil {
		return err
	}
	price, err := r.price()
	if err != nil {
		return err
	}
	if !slices.Contains(rates, r.Rate) {
		return fmt.Errorf("rate %.*q: want one of %s", RateNameMax, r.Rate, strings.Join(rates, ", "))
	}
	kana := r.Kana
	if kana == "" {
		kana = r.GTIN // better than an empty line in front of the customer
	}
	c.items[gtin] = &Item{GTIN: gtin, Name: r.Name, Kana: kana, Price: price, Rate: r.Rate, Unit: r.Unit, Version: c.version}
	return nil
}

func (r row) price() (int64, error) {
	switch {
	case !IsUnit(r.Unit):
		return 0, fmt.Errorf("unit %.8q: leave it out for goods sold by the piece, or use one of %s", r.Unit, strings.Join(Units(), ", "))
	case r.Unit == UnitLabel && r.Price != nil:
		return 0, fmt.Errorf("price: it is on the label of goods with the unit %q: leave one of both out", UnitLabel)
	case r.Unit == UnitLabel:
		return 0, nil
	case r.Price == nil || *r.Price < 0 || *r.Price > PriceMax:
		return 0, fmt.Errorf("price: want 0 to %d", PriceMax)
	}
	return *r.Price, nil
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
