package sale

import "fmt"

// Rate is a tax rate in percent.
type Rate int

// Japan's rates since October 2019 (消費税法).
const (
	Standard Rate = 10
	Reduced  Rate = 8
)

// Rounding is how the issuer makes whole yen of a tax: its own choice, but once
// per rate and receipt (消費税法施行令70の10), never per line.
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
// the amount: amount·rate/(100+rate). Tax-out it comes on top: amount·rate/100.
// The amount's size is at most TotalsMax, the rate from 0 to 100.
func Tax(amount Money, rate Rate, included bool, r Rounding) (Money, error) {
	if rate < 0 || rate > 100 || amount < -TotalsMax || amount > TotalsMax {
		return 0, fmt.Errorf("sale: tax: %w", ErrLimit)
	}
	divisor := Money(100)
	if included {
		divisor += Money(rate)
	}
	if amount < 0 {
		return -divide(-amount*Money(rate), divisor, r), nil
	}
	return divide(amount*Money(rate), divisor, r), nil
}

// divide needs n ≥ 0 and d > 0.
func divide(n, d Money, r Rounding) Money {
	q, rest := n/d, n%d
	switch {
	case r == Ceil && rest > 0, r == HalfUp && 2*rest >= d:
		q++
	}
	return q
}

// rates in the order of the receipt's table.
//
//nolint:gochecknoglobals // a constant table
var rates = [...]Rate{Standard, Reduced}

// Sum fills in what follows from the lines: Tax, Subtotal and Total. With an
// error the receipt is left as it was.
func (r *Receipt) Sum(included bool, round Rounding) error {
	if len(r.LineItem) > LinesMax {
		return fmt.Errorf("sale: %d lines: %w", len(r.LineItem), ErrLimit)
	}
	var sums [len(rates)]Money
	var used [len(rates)]bool
	for _, line := range r.LineItem {
		at, err := rateIndex(line.TaxRate)
		if err != nil {
			return err
		}
		if line.ExtendedAmount < 0 || line.ExtendedAmount > AmountMax {
			return fmt.Errorf("sale: line amount: %w", ErrLimit)
		}
		if !line.Voided {
			used[at] = true
			sums[at] += line.ExtendedAmount
		}
	}
	taxes := make([]TaxSummary, 0, len(rates))
	var subtotal, total Money
	for i, rate := range rates {
		if !used[i] {
			continue
		}
		tax, err := Tax(sums[i], rate, included, round)
		if err != nil {
			return err
		}
		taxes = append(taxes, TaxSummary{Percent: rate, TaxableAmount: sums[i], Amount: tax, Included: included})
		subtotal += sums[i]
		total += sums[i]
		if !included {
			total += tax
		}
	}
	if total > AmountMax {
		return fmt.Errorf("sale: total: %w", ErrLimit)
	}
	r.Tax, r.Subtotal, r.Total = taxes, subtotal, total
	return nil
}

func rateIndex(rate Rate) (int, error) {
	for i, known := range rates {
		if rate == known {
			return i, nil
		}
	}
	return 0, fmt.Errorf("sale: a tax rate of %d %%: %w", rate, ErrLimit)
}
