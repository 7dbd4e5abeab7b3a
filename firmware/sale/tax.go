package sale

import (
	"cmp"
	"fmt"
	"slices"
)

// Rounding is how the issuer makes whole minor units of a tax: in Japan its own
// choice, but once per rate and receipt (消費税法施行令70の10), never per line.
type Rounding uint8

// Roundings, by the size of the amount: a refund is rounded like its sale.
const (
	Floor Rounding = iota
	HalfUp
	Ceil
)

// ParseRounding reads the setting "floor", "half-up" or "ceil".
func ParseRounding(s string) (Rounding, error) {
	switch s {
	case "floor":
		return Floor, nil
	case "half-up":
		return HalfUp, nil
	case "ceil":
		return Ceil, nil
	}
	return Floor, fmt.Errorf("sale: rounding %.16q: want floor, half-up or ceil", s)
}

// Tax is the tax on amount, the sum of one rate's lines. Tax-in it is part of
// the amount: amount·rate/(100 % + rate). Tax-out it comes on top: amount·rate.
// The amount's size is at most TotalsMax, the rate from 0 to RateMax.
func Tax(amount Money, rate Rate, included bool, r Rounding) (Money, error) {
	if rate < 0 || rate > RateMax || amount < -TotalsMax || amount > TotalsMax {
		return 0, fmt.Errorf("sale: tax: %w", ErrLimit)
	}
	divisor := Money(RateMax)
	if included {
		divisor += Money(rate)
	}
	if amount < 0 {
		return -scale(-amount, Money(rate), divisor, r), nil
	}
	return scale(amount, Money(rate), divisor, r), nil
}

// scale is a·n/d for a ≥ 0 and 0 ≤ n ≤ d ≤ 2·RateMax. The whole parts of a/d
// are taken first, so that no product leaves an int64.
func scale(a, n, d Money, r Rounding) Money {
	part := a % d * n
	q, rest := a/d*n+part/d, part%d
	switch {
	case r == Ceil && rest > 0, r == HalfUp && 2*rest >= d:
		q++
	}
	return q
}

// Sum fills in what follows from the lines and the discount on them all: Tax,
// Subtotal and Total. With an error the receipt is left as it was.
func (r *Receipt) Sum(included bool, round Rounding) error {
	taxes, subtotal, err := r.byRate()
	if err != nil {
		return err
	}
	if r.DiscountAmount < 0 || r.DiscountAmount > max(0, subtotal) {
		return fmt.Errorf("sale: a discount of more than the goods: %w", ErrLimit)
	}
	weights := make([]Money, len(taxes))
	for i, t := range taxes {
		weights[i] = t.TaxableAmount
	}
	total := subtotal - r.DiscountAmount
	for i, part := range Apportion(r.DiscountAmount, weights) {
		t := &taxes[i]
		t.DiscountAmount, t.Included = part, included
		t.TaxableAmount -= part
		if t.Amount, err = Tax(t.TaxableAmount, t.Percent, included, round); err != nil {
			return err
		}
		if !included {
			total += t.Amount
		}
	}
	if total < -AmountMax || total > AmountMax {
		return fmt.Errorf("sale: total: %w", ErrLimit)
	}
	r.Tax, r.Subtotal, r.Total = taxes, subtotal, total
	return nil
}

// byRate adds up the lines that stand, the highest rate first.
func (r *Receipt) byRate() (taxes []TaxSummary, subtotal Money, err error) {
	if len(r.LineItem) > LinesMax {
		return nil, 0, fmt.Errorf("sale: %d lines: %w", len(r.LineItem), ErrLimit)
	}
	taxes = make([]TaxSummary, 0, 2)
	for _, line := range r.LineItem {
		if line.TaxRate < 0 || line.TaxRate > RateMax {
			return nil, 0, fmt.Errorf("sale: a tax rate of %s %%: %w", line.TaxRate, ErrLimit)
		}
		if err := line.check(); err != nil {
			return nil, 0, err
		}
		if line.Voided {
			continue
		}
		at := slices.IndexFunc(taxes, func(t TaxSummary) bool { return t.Percent == line.TaxRate })
		if at < 0 {
			if len(taxes) == RatesMax {
				return nil, 0, fmt.Errorf("sale: %d tax rates: %w", RatesMax+1, ErrLimit)
			}
			at, taxes = len(taxes), append(taxes, TaxSummary{Percent: line.TaxRate})
		}
		taxes[at].TaxableAmount += line.Net()
		subtotal += line.Net()
	}
	slices.SortFunc(taxes, func(a, b TaxSummary) int { return cmp.Compare(b.Percent, a.Percent) })
	return taxes, subtotal, nil
}

// check refuses a line whose parts are over their limits or do not belong
// together: a discount has the sign of its line and is no more than it.
func (l *Line) check() error {
	gross, off := l.ExtendedAmount, l.DiscountAmount
	if gross < 0 {
		gross, off = -gross, -off
	}
	if gross < 0 || gross > AmountMax || off < 0 || off > gross {
		return fmt.Errorf("sale: line amount: %w", ErrLimit)
	}
	return nil
}

// Apportion divides amount over the weights pro rata, by largest remainder: the
// parts add up to it, and none is more than its weight where 0 ≤ amount ≤ their
// sum. All are within ±LinesMax·AmountMax and AmountMax. Without any weight
// nothing is divided; negative ones weigh nothing.
func Apportion(amount Money, weights []Money) []Money {
	parts, rests := make([]Money, len(weights)), make([]Money, len(weights))
	var sum, given Money
	for _, w := range weights {
		sum += max(0, w)
	}
	if sum == 0 {
		return parts
	}
	for i, w := range weights {
		// Below 2^63: AmountMax·LinesMax·AmountMax is 4·10^18.
		product := amount * max(0, w)
		parts[i], rests[i] = product/sum, product%sum
		given += parts[i]
	}
	for ; given < amount; given++ {
		largest := 0
		for i := range rests {
			if rests[i] > rests[largest] {
				largest = i
			}
		}
		parts[largest]++
		rests[largest] = -1
	}
	return parts
}
