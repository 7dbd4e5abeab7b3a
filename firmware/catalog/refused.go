package catalog

import (
	"errors"
	"fmt"

	"regi/firmware/gs1"
)

// RefusedMax bounds the refusals that are kept with their reasons.
const RefusedMax = 1000

// ErrRefused is of goods that the catalogue lists, but so that they cannot be sold.
var ErrRefused = errors.New("refused in the catalogue")

// Refused is an item that is not sold.
type Refused struct {
	Item, Line int    // of the file, from 1
	GTIN       string // as it is written
	Why        error
}

func (r Refused) String() string {
	return fmt.Sprintf("item %d, line %d (gtin %.16q): %v", r.Item, r.Line, r.GTIN, r.Why)
}

// Refused are the items that are not sold, the first RefusedMax of count.
func (c *Catalog) Refused() (items []Refused, count int) { return c.reasons, c.count }

func (c *Catalog) refuse(at place, number string, why error) {
	if gtin, err := gs1.GTIN14(number, ""); err == nil {
		c.refused[gtin] = true
	}
	if c.count++; len(c.reasons) < RefusedMax {
		c.reasons = append(c.reasons, Refused{Item: at.item, Line: at.line, GTIN: number, Why: why})
	}
}

// sells is an error where every item is refused: then it is not the items that
// are wrong.
func (c *Catalog) sells() error {
	if len(c.items) == 0 && c.count > 0 {
		return fmt.Errorf("catalog: no item can be sold: %v: %w", c.reasons[0], ErrInvalid)
	}
	return nil
}

// find is Lookup with the reason why there is none.
func (c *Catalog) find(gtin14 string) (*Item, error) {
	if item, ok := c.items[gtin14]; ok {
		return item, nil
	}
	if c.refused[gtin14] {
		return nil, fmt.Errorf("catalog: %w", ErrRefused)
	}
	return nil, fmt.Errorf("catalog: %w", ErrUnknown)
}
