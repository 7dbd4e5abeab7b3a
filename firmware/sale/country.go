package sale

import (
	"slices"
	"strconv"
	"strings"
)

// Scheme is how a country registers who sells.
type Scheme uint8

// Schemes.
const (
	Japanese Scheme = iota // 登録番号: T and 13 digits
	European               // VAT identification number: DE123456789
	American               // none on a receipt
)

// Numerals is how amounts are written.
type Numerals struct {
	Group, Point string
	Exponent     int // decimals of the currency: JPY 0, EUR and USD 2
}

// Named is a tax rate by the word that goods are listed under.
type Named struct {
	Name string
	Rate Rate
}

// Country is what a shop's place decides, unless its settings say otherwise.
type Country struct {
	Locale   string
	Currency string // ISO 4217
	Scheme   Scheme
	Numerals Numerals
	Zone     string  // of its clocks, "" where the settings must say it
	Rates    []Named // none where the settings must say them
	// Included: prices on the shelf include the tax.
	Included bool
	Rounding Rounding
}

//nolint:gochecknoglobals // a constant table
var (
	yen   = Numerals{Group: ",", Point: ".", Exponent: 0}
	point = Numerals{Group: ",", Point: ".", Exponent: 2}
	comma = Numerals{Group: ".", Point: ",", Exponent: 2}

	japanRates = []Named{{"standard", Standard}, {"reduced", Reduced}, {"exempt", 0}}
)

// countries are those that receipts can be laid out for.
//
//nolint:gochecknoglobals // a constant table
var countries = []Country{
	{"ja-JP", "JPY", Japanese, yen, "Asia/Tokyo", japanRates, true, Floor},
	{"en", "JPY", Japanese, yen, "Asia/Tokyo", japanRates, true, Floor}, // a shop in Japan whose display is in English
	{"de-DE", "EUR", European, comma, "Europe/Berlin", []Named{{"standard", 19 * Percent}, {"reduced", 7 * Percent}, {"exempt", 0}}, true, HalfUp},
	{"en-IE", "EUR", European, point, "Europe/Dublin", []Named{{"standard", 23 * Percent}, {"reduced", 13_500}, {"second-reduced", 9 * Percent}, {"exempt", 0}}, true, HalfUp},
	{"en-US", "USD", American, point, "", []Named{{"exempt", 0}}, false, HalfUp},
}

// Locales are the names CountryOf knows.
func Locales() []string {
	names := make([]string, len(countries))
	for i, c := range countries {
		names[i] = c.Locale
	}
	return names
}

// CountryOf is the country of a locale; of one it does not know, Japan.
func CountryOf(locale string) Country {
	if at := slices.IndexFunc(countries, func(c Country) bool { return c.Locale == locale }); at >= 0 {
		return countries[at]
	}
	return countries[0]
}

// Money writes an amount with its decimals: -1,234.50.
func (n Numerals) Money(m Money) string {
	sign, s := "", strconv.FormatInt(int64(m), 10)
	if m < 0 {
		sign, s = "-", s[1:]
	}
	decimals := ""
	if n.Exponent > 0 {
		if short := n.Exponent + 1 - len(s); short > 0 {
			s = strings.Repeat("0", short) + s
		}
		s, decimals = s[:len(s)-n.Exponent], n.Point+s[len(s)-n.Exponent:]
	}
	return sign + n.grouped(s) + decimals
}

// Count writes a whole number: 1,234.
func (n Numerals) Count(i int64) string {
	if i < 0 {
		return "-" + n.grouped(strconv.FormatInt(i, 10)[1:])
	}
	return n.grouped(strconv.FormatInt(i, 10))
}

// Rate writes percent: 8.875, 13,5.
func (n Numerals) Rate(r Rate) string { return strings.Replace(r.String(), ".", n.Point, 1) }

func (n Numerals) grouped(s string) string {
	const size = 3
	for i := len(s) - size; i > 0; i -= size {
		s = s[:i] + n.Group + s[i:]
	}
	return s
}
