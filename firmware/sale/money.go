// Package sale is the arithmetic of a sale: lines, tax, tenders and totals in
// integer minor units, and the receipt they add up to.
package sale

import (
	"errors"
	"fmt"
)

// Limits of one sale. Every product of two of them fits an int64.
const (
	LinesMax    = 400
	QuantityMax = 9_999
	// PriceMax is what eight digits can key.
	PriceMax Money = 99_999_999
	// AmountMax bounds a line, a tender and a total: ten columns with commas.
	AmountMax Money = 99_999_999
	// TotalsMax bounds a sum over many sales (a shift, the grand total).
	TotalsMax Money = 999_999_999_999_999
	// DescriptionMax is the longest name of goods, in bytes.
	DescriptionMax = 192
	// RatesMax is how many tax rates one receipt can have.
	RatesMax = 6
	// ReceiptBytesMax bounds the encoded receipt, so that it fits one record.
	ReceiptBytesMax = 57 << 10
)

// ErrLimit says that an amount, a quantity or a number of lines is over its limit.
var ErrLimit = errors.New("over the limit")

// Money is an amount in minor units of the currency: yen, cents.
type Money int64

// Extend is price times quantity; a negative quantity is goods that come back.
func Extend(price Money, quantity int64) (Money, error) {
	if quantity < 0 && quantity >= -QuantityMax {
		amount, err := Extend(price, -quantity)
		return -amount, err
	}
	if price < 0 || price > PriceMax {
		return 0, fmt.Errorf("sale: price: %w", ErrLimit)
	}
	if quantity < 1 || quantity > QuantityMax {
		return 0, fmt.Errorf("sale: quantity: %w", ErrLimit)
	}
	amount := price * Money(quantity)
	if amount > AmountMax {
		return 0, fmt.Errorf("sale: line amount: %w", ErrLimit)
	}
	return amount, nil
}

// Add is a + b for sums over many sales; it refuses to leave ±TotalsMax.
func Add(a, b Money) (Money, error) {
	if a < -TotalsMax || a > TotalsMax || b < -TotalsMax || b > TotalsMax {
		return 0, fmt.Errorf("sale: sum: %w", ErrLimit)
	}
	if sum := a + b; sum >= -TotalsMax && sum <= TotalsMax {
		return sum, nil
	}
	return 0, fmt.Errorf("sale: sum: %w", ErrLimit)
}
