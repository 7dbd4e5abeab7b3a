package sale

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Units is an amount of a measure (kilograms, metres) in millionths.
type Units int64

// One is one kilogram, metre ...; UnitsMax is over anything on a label.
const (
	One      Units = 1_000_000
	UnitsMax       = 999_999 * One
)

// Measure is how much of a good is in one piece of a line. The zero value is
// that of goods sold by the piece.
type Measure struct {
	Units             Units  `json:"Units"`
	UnitOfMeasureCode string `json:"UnitOfMeasureCode"` // UN/ECE Recommendation 20: "KGM"
	// UnitPrice is of PerUnits; both are 0 where the label said what it costs.
	UnitPrice Money `json:"UnitPrice,omitempty"`
	PerUnits  Units `json:"PerUnits,omitempty"`
}

// Measured is what amount costs at a price per so many units, rounded as the
// shop rounds. price and amount are not negative, per is positive.
func Measured(price Money, amount, per Units, r Rounding) (Money, error) {
	if price < 0 || price > PriceMax || amount < 0 || amount > UnitsMax || per < 1 || per > UnitsMax {
		return 0, fmt.Errorf("sale: measure: %w", ErrLimit)
	}
	high, low := bits.Mul64(uint64(price), uint64(amount))
	if high >= uint64(per) {
		return 0, fmt.Errorf("sale: measure: %w", ErrLimit)
	}
	whole, rest := bits.Div64(high, low, uint64(per))
	if r == Ceil && rest > 0 || r == HalfUp && 2*rest >= uint64(per) {
		whole++
	}
	if whole > uint64(PriceMax) {
		return 0, fmt.Errorf("sale: measure: %w", ErrLimit)
	}
	return Money(whole), nil
}

// ErrUnits is a text that is no amount of a measure.
var ErrUnits = errors.New("an amount has at most six digits and six decimals")

// String is the amount without needless zeros: "0.326".
func (u Units) String() string {
	s := strconv.FormatInt(int64(u/One), 10)
	if part := u % One; part != 0 {
		s += "." + strings.TrimRight(fmt.Sprintf("%06d", part), "0")
	}
	return s
}

// MarshalJSON writes it as a number.
func (u Units) MarshalJSON() ([]byte, error) {
	if u < 0 || u > UnitsMax {
		return nil, fmt.Errorf("sale: units: %w", ErrUnits)
	}
	return []byte(u.String()), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (u *Units) UnmarshalJSON(b []byte) error {
	const digits, decimals = 6, 6
	left, right, _ := strings.Cut(string(b), ".")
	if left == "" || len(left) > digits || len(right) > decimals || strings.Trim(left+right, "0123456789") != "" {
		return fmt.Errorf("sale: units %.16q: %w", b, ErrUnits)
	}
	n, err := strconv.ParseInt(left+right+strings.Repeat("0", decimals-len(right)), 10, 64)
	if err != nil || Units(n) > UnitsMax {
		return fmt.Errorf("sale: units %.16q: %w", b, ErrUnits)
	}
	*u = Units(n)
	return nil
}
