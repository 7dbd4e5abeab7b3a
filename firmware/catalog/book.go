package catalog

import (
	"errors"
	"fmt"
	"strings"

	"regi/firmware/gs1"
)

// bookRow reads one row of a Japanese book. The upper one is sold as the
// catalogue has it; else the lower one, which is never sold alone, says what it
// costs.
func (c *Catalog) bookRow(number gs1.GTIN) (Reading, error) {
	r := Reading{GTIN: number.String()}
	if number.BookRow() == gs1.LowerRow {
		return r, fmt.Errorf("catalog: %w", ErrUpperRow)
	}
	var err error
	switch r.Item, err = c.find(r.GTIN); {
	case errors.Is(err, ErrUnknown):
		return r, fmt.Errorf("catalog: %w", ErrLowerRow)
	case err != nil:
		return r, err
	}
	return r, nil
}

// BookItem is a book whose two rows were read: as the catalogue has it, or by
// its C-code and for the price in its lower row.
func (c *Catalog) BookItem(b *gs1.Book) (*Item, Said) {
	if item, ok := c.Lookup(b.GTIN.String()); ok {
		return item, Said{}
	}
	return &Item{
		GTIN: b.GTIN.String(), Name: "書籍 C" + b.CCode, Kana: "ｼｮｾｷ C" + b.CCode, Rate: RateStandard, Unit: UnitLabel,
	}, Said{Price: b.Price, Untaxed: true}
}

// magazine reads one that the catalogue does not list by its add-on; other goods
// that it does not list are unknown.
func (c *Catalog) magazine(r Reading, number gs1.GTIN, addOn string) (Reading, error) {
	if !c.japanese() || !strings.HasPrefix(r.GTIN, "0491") {
		return r, fmt.Errorf("catalog: %w", ErrUnknown)
	}
	m, err := gs1.ReadMagazine(number, addOn)
	if err != nil {
		return r, fmt.Errorf("catalog: %w: %w", ErrAddOn, err)
	}
	issue := fmt.Sprintf("%s-%02d", m.Code, m.Issue)
	r.Item = &Item{GTIN: r.GTIN, Name: "雑誌 " + issue, Kana: "ｻﾞｯｼ " + issue, Rate: RateStandard, Unit: UnitLabel}
	r.Said = Said{Price: m.Price, Untaxed: true}
	return r, nil
}
