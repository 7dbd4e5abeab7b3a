package catalog

import (
	"fmt"
	"maps"
	"slices"

	"regi/firmware/gs1"
)

// Labels is what a shop must say for the labels on its goods to be understood.
type Labels struct {
	// Currency is ISO 4217; "" is "JPY", with which the codes on Japanese books
	// and magazines are read, too.
	Currency string
	// InStore says what the digits of the shop's own numbers mean.
	InStore gs1.InStoreRules
}

// money is a currency as labels write it.
type money struct {
	number   string // ISO 4217
	exponent int    // digits of the minor unit
}

//nolint:gochecknoglobals // a constant table
var currencies = map[string]money{"": {"392", 0}, yen: {"392", 0}, "EUR": {"978", 2}, "USD": {"840", 2}}

const yen = "JPY"

// With is the same snapshot, read with a shop's labels. An item that stands
// under an in-store rule must be listed by the number that the rule finds, with
// zeros for what differs from piece to piece, and by a unit that needs it; else it
// is refused.
func (c *Catalog) With(l Labels) (*Catalog, error) {
	if _, known := currencies[l.Currency]; !known {
		return nil, fmt.Errorf("catalog: labels in %.3q are not understood", l.Currency)
	}
	if err := l.InStore.Check(); err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	with := &Catalog{
		version: c.version, items: maps.Clone(c.items), labels: l,
		refused: maps.Clone(c.refused), reasons: slices.Clone(c.reasons), count: c.count,
	}
	for _, number := range slices.Sorted(maps.Keys(c.items)) {
		if err := c.items[number].fits(l.InStore); err != nil {
			delete(with.items, number)
			with.refuse(c.places[number], number, err)
		}
	}
	if err := with.sells(); err != nil {
		return nil, err
	}
	return with, nil
}

// fits says whether the rule that an item stands under can find and price it.
func (i *Item) fits(rules gs1.InStoreRules) error {
	g := gs1.GTIN([]byte(i.GTIN))
	in, ok, err := rules.Read(g)
	if !ok {
		return nil
	}
	switch {
	case err != nil:
		return err
	case in.Key != g:
		return fmt.Errorf("its in-store rule finds it as %s, with zeros for price, weight and count: list it so", in.Key)
	}
	_, _, measured := i.Measure()
	var right bool
	var want string
	switch {
	case in.Price >= 0:
		right, want = i.Unit == UnitLabel || measured, `"label", or a measure`
	case in.Weight >= 0:
		code, _, _ := i.Measure()
		right, want = code == kilogram, `"kg" or "100g"`
	case in.Count >= 0:
		right, want = i.Unit == UnitCount, `"count"`
	default:
		right, want = i.Unit == "", "none"
	}
	if !right {
		return fmt.Errorf("unit %q: its in-store rule asks for %s", i.Unit, want)
	}
	return nil
}

// kilogram is the measure of in-store weights, which are in grams.
const (
	kilogram = "KGM"
	gram     = MeasureOne / 1000
)
