package catalog

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"regi/firmware/gs1"
)

// Errors of Read, beside those of package gs1: what the operator is to do.
var (
	// ErrUnknown: a number of goods that the shop does not have.
	ErrUnknown = errors.New("not in the catalogue")
	// ErrNoArticle: it says many things, but no number of goods.
	ErrNoArticle = errors.New("no number of goods")
	// ErrUpperRow, ErrLowerRow: of a book; that row is needed beside it.
	ErrUpperRow = errors.New("the upper row of the book is needed")
	ErrLowerRow = errors.New("the lower row of the book is needed")
	// ErrAddOn: the price is in the small symbol beside it, which was not read;
	// or that is all that was read.
	ErrAddOn = errors.New("number and add-on are needed together")
	// ErrMoney: a price in another currency, or in parts of the smallest coin.
	ErrMoney = errors.New("not a price in the shop's currency")
)

// Reading is what one label says.
type Reading struct {
	GTIN string // 14 digits, the key of the goods; "" if it holds none
	Item *Item  // nil if the catalogue does not have it
	Said Said
}

// Said is what a label says of one piece beside its number. Zeros: nothing.
type Said struct {
	// Price of this piece in minor units. Untaxed: it is without tax, whatever
	// the shop's prices are.
	Price   int64 `json:"price,omitempty"`
	Untaxed bool  `json:"untaxed,omitempty"`
	// Amount is how much it holds, in millionths of the measure Code (UN/ECE
	// Recommendation 20, "KGM"), UnitPrice the price of one of the measure.
	Amount    int64  `json:"amount,omitempty"`
	Code      string `json:"code,omitempty"`
	UnitPrice int64  `json:"unit_price,omitempty"`
	// Count is how many pieces are in it.
	Count int64 `json:"count,omitempty"`
	// Expiry is the last day or minute that it may be sold in, in the shop's
	// time: "2006-01-02" or "2006-01-02T15:04".
	Expiry string `json:"expiry,omitempty"`
	Lot    string `json:"lot,omitempty"`
	Serial string `json:"serial,omitempty"`
}

// Limits of Said.
const (
	TextMax   = 20 // bytes of Lot and Serial, as their Application Identifiers have it
	CodeMax   = 4
	ExpiryMax = len(minutes)
	AmountMax = 999_999 * MeasureOne
	CountMax  = 99_999_999
)

// Read finds the goods behind a label: data without its symbology identifier
// aim ("]E0", or "" from a scanner that sends none). now tells the century of a
// date. With ErrUnknown and the errors of a book's row the number is known, and
// the Item of a row if the catalogue has it.
//
// A book or magazine that the catalogue does not list is sold for the price in
// its code: see BookItem.
func (c *Catalog) Read(now time.Time, aim, data string) (Reading, error) {
	var s gs1.Scan
	if err := s.Parse(aim, data, gs1.Options{}); err != nil {
		return Reading{}, fmt.Errorf("catalog: %w", err)
	}
	if err := s.Associations(); err != nil {
		return Reading{}, fmt.Errorf("catalog: %w", err)
	}
	number, ok := s.GTIN()
	if !ok {
		number, ok = contents(&s.Message)
	}
	switch {
	case !ok && s.Symbology == gs1.AddOn:
		return Reading{}, fmt.Errorf("catalog: an add-on: %w", ErrAddOn)
	case !ok:
		return Reading{}, fmt.Errorf("catalog: %w", ErrNoArticle)
	case c.japanese() && number.BookRow() != gs1.NoRow:
		return c.bookRow(number)
	case number.IsInStore():
		return c.inStore(number)
	}
	r := Reading{GTIN: number.String()}
	var err error
	switch r.Item, err = c.find(r.GTIN); {
	case errors.Is(err, ErrUnknown):
		return c.magazine(r, number, s.AddOn)
	case err != nil:
		return r, err
	}
	if err := c.elements(&r, s.Elements(), now); err != nil {
		return Reading{GTIN: r.GTIN}, err
	}
	return r, nil
}

func (c *Catalog) japanese() bool { return currencies[c.labels.Currency] == currencies[yen] }

// contents is the number of the goods in a case, where the label also says how
// many (AI 02 and 37).
func contents(m *gs1.Message) (gs1.GTIN, bool) {
	number, has := m.Value("02")
	if _, counted := m.Value("37"); !has || !counted {
		return gs1.GTIN{}, false
	}
	return gs1.GTIN([]byte(number)), true
}

// inStore reads a number of the shop's own.
func (c *Catalog) inStore(number gs1.GTIN) (Reading, error) {
	in, ruled, err := c.labels.InStore.Read(number)
	if err != nil {
		return Reading{}, fmt.Errorf("catalog: %w", err)
	}
	if !ruled {
		in.Key, in.Price, in.Weight, in.Count = number, -1, -1, -1
	}
	r := Reading{GTIN: in.Key.String()}
	if r.Item, err = c.find(r.GTIN); err != nil {
		return r, err
	}
	r.Said.Price, r.Said.Count = max(0, in.Price), max(0, in.Count)
	if in.Weight > 0 {
		r.Said.Amount, r.Said.Code = in.Weight*gram, kilogram
	}
	return r, r.Said.check()
}

// check holds what a label says against the limits.
func (s *Said) check() error {
	switch {
	case s.Price < 0 || s.Price > PriceMax || s.UnitPrice < 0 || s.UnitPrice > PriceMax:
		return fmt.Errorf("catalog: a price over %d: %w", PriceMax, ErrMoney)
	case s.Amount < 0 || s.Amount > AmountMax || s.Count < 0 || s.Count > CountMax:
		return fmt.Errorf("catalog: an amount over any label's: %w", gs1.ErrValue)
	}
	return nil
}

// elements takes what bears on a sale from the elements beside the number.
func (c *Catalog) elements(r *Reading, elements []gs1.Element, now time.Time) error {
	for _, e := range elements {
		var err error
		switch e.AI {
		case "10":
			r.Said.Lot = strings.Clone(e.Value)
		case "21":
			r.Said.Serial = strings.Clone(e.Value)
		case "30", "37":
			r.Said.Count = digits(e.Value)
		case "15", "16", "17", "7003":
			err = r.Said.expires(e.Value, now)
		case "8005":
			r.Said.UnitPrice = digits(e.Value)
		default:
			err = c.decimal(r, e)
		}
		if err != nil {
			return err
		}
	}
	return r.Said.check()
}

// Layouts of Said.Expiry.
const (
	days    = time.DateOnly
	minutes = "2006-01-02T15:04"
)

// expires keeps the earliest of several dates (use by, best before, sell by).
func (s *Said) expires(value string, now time.Time) error {
	const dayDigits, minuteDigits = 6, 10
	day, err := gs1.Date(value[:min(dayDigits, len(value))], now)
	if err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	until := day.Format(days)
	if len(value) == minuteDigits {
		until += "T" + value[6:8] + ":" + value[8:]
	}
	if s.Expiry == "" || lastMinute(until) < lastMinute(s.Expiry) {
		s.Expiry = until
	}
	return nil
}

// lastMinute is the last one of a day.
func lastMinute(until string) string {
	if len(until) == len(days) {
		return until + "T23:59"
	}
	return until
}

// decimal takes a measure or a price; of several measures that of the item.
func (c *Catalog) decimal(r *Reading, e gs1.Element) error {
	value, decimals, currency, ok := e.Decimal()
	if !ok {
		return nil
	}
	if e.AI[:2] != "39" {
		code := codeOf(e.AI)
		if want, _, _ := r.Item.Measure(); r.Said.Code != "" && code != want {
			return nil
		}
		r.Said.Code = code
		r.Said.Amount, ok = rescale(value, decimals, measureDecimals)
		if !ok {
			return fmt.Errorf("catalog: AI (%s): %w", e.AI, gs1.ErrValue)
		}
		return nil
	}
	shop := currencies[c.labels.Currency]
	amount, whole := rescale(value, decimals, shop.exponent)
	if !whole || currency != "" && currency != shop.number {
		return fmt.Errorf("catalog: AI (%s): %w", e.AI, ErrMoney)
	}
	switch e.AI[2] {
	case '2', '3':
		r.Said.Price = amount
	case '5':
		r.Said.UnitPrice = amount
	default: // what a coupon or an invoice is for
		return fmt.Errorf("catalog: AI (%s) is no price of goods: %w", e.AI, ErrNoArticle)
	}
	return nil
}

// measureDecimals are those of MeasureOne.
const measureDecimals = 6

// rescale writes a number of some decimals with others, if that is exact. No
// Application Identifier has more than 15 digits, and none more than 9 decimals.
func rescale(value int64, from, to int) (int64, bool) {
	const longest = 1 << 59
	for ; from < to; from++ {
		if value > longest {
			return 0, false
		}
		value *= 10
	}
	for ; from > to; from-- {
		if value%10 != 0 {
			return 0, false
		}
		value /= 10
	}
	return value, true
}

// digits is the number that an element of at most 8 digits is.
func digits(s string) (n int64) {
	for i := range len(s) {
		n = 10*n + int64(s[i]-'0')
	}
	return n
}
