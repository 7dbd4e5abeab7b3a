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
		{&next.Sales, r.Total, true},
		{&next.Cash, r.Paid(Cash), paidBy(r, Cash)},
		{&next.CreditDebit, r.Paid(CreditDebit), paidBy(r, CreditDebit)},
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
	next.ItemCount += r.Items()
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

// addTaxes merges by rate and by in or out: at most two rates twice.
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
			s.TaxableAmount, s.Amount = taxable, tax
			continue next
		}
		sums = append(sums, add)
	}
	return sums, nil
}
