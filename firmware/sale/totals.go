package sale

// Add counts a committed receipt. With an error (a sum over TotalsMax) the
// totals are left as they were.
func (t *Totals) Add(r *Receipt) error {
	next := *t
	next.Tax = nil
	for _, sum := range []struct {
		tally  *Tally
		amount Money
		counts bool
	}{
		{&next.Sales, r.Total, r.Original == nil},
		{&next.Returns, -r.Total, r.Original != nil},
		{&next.Cash, r.Paid(Cash), paidBy(r, Cash)},
		{&next.CreditDebit, r.Paid(CreditDebit), paidBy(r, CreditDebit)},
		{&next.Discounts, discounts(r), discounts(r) > 0},
	} {
		if !sum.counts {
			continue
		}
		if err := sum.tally.Add(sum.amount); err != nil {
			return err
		}
	}
	taxes, err := addTaxes(t.Tax, r.Tax)
	if err != nil {
		return err
	}
	next.Tax = taxes
	if r.Original == nil {
		next.ItemCount += r.Items()
	}
	*t = next
	return nil
}

// Add counts one case of amount.
func (t *Tally) Add(amount Money) error {
	sum, err := Add(t.Amount, amount)
	if err != nil {
		return err
	}
	t.Count, t.Amount = t.Count+1, sum
	return nil
}

func paidBy(r *Receipt, tenderType string) bool {
	for _, t := range r.Tender {
		if t.TenderType == tenderType {
			return true
		}
	}
	return false
}

// discounts is what was taken off a sale and its lines.
func discounts(r *Receipt) Money {
	sum := r.DiscountAmount
	for _, line := range r.LineItem {
		if !line.Voided && line.DiscountAmount > 0 {
			sum += line.DiscountAmount
		}
	}
	return sum
}

// totalRatesMax bounds the tax table of a shift. Beyond it, which takes as many
// changes of the settings in one shift, a rate's sums are not kept.
const totalRatesMax = 2 * RatesMax

// addTaxes merges by rate and by in or out.
func addTaxes(a, b []TaxSummary) ([]TaxSummary, error) {
	sums := append([]TaxSummary(nil), a...)
next:
	for _, add := range b {
		for i := range sums {
			s := &sums[i]
			if s.Percent != add.Percent || s.Included != add.Included {
				continue
			}
			taxable, err := Add(s.TaxableAmount, add.TaxableAmount)
			if err != nil {
				return nil, err
			}
			tax, err := Add(s.Amount, add.Amount)
			if err != nil {
				return nil, err
			}
			off, err := Add(s.DiscountAmount, add.DiscountAmount)
			if err != nil {
				return nil, err
			}
			s.TaxableAmount, s.DiscountAmount, s.Amount = taxable, off, tax
			continue next
		}
		if len(sums) < totalRatesMax {
			sums = append(sums, add)
		}
	}
	return sums, nil
}
