package receipt

import (
	"errors"
	"fmt"
	"strings"

	"regi/drivers"
	"regi/firmware/sale"
)

// reducedLegend explains the mark.
const reducedLegend = reducedMark + "は軽減税率対象"

// rule is one thing the law wants on the paper. It says which words must be
// found there; a word that is empty was not known to the receipt at all.
type rule struct {
	what, law string
	words     func(*sale.Receipt) []string
}

// japan is what a qualified simplified invoice must hold (消費税法第57条の4第2項).
//
//nolint:gochecknoglobals // a constant table
var japan = []rule{
	{"issuer's name", "第1号", func(r *sale.Receipt) []string { return []string{r.Issuer.Name} }},
	{"registration number", "第1号", registration},
	{"date of the sale", "第2号", saleDate},
	{"goods", "第3号", descriptions},
	{"mark of the reduced rate", "第3号", marks},
	{"total per rate", "第4号", taxables},
	{"tax per rate", "第5号", taxAmounts},
}

// demand checks the finished lines, so that no block can be forgotten.
func demand(rules []rule, r *sale.Receipt, lines []drivers.TextLine) error {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(squeeze(line.Text))
	}
	text := b.String()
	for _, rule := range rules {
		for _, word := range rule.words(r) {
			if word = squeeze(clean(word)); word == "" || !strings.Contains(text, word) {
				return fmt.Errorf("receipt: %s is missing (消費税法第57条の4第2項%s): %w", rule.what, rule.law, ErrIncomplete)
			}
		}
	}
	return nil
}

// squeeze drops blanks: a wrapped word is still the word.
func squeeze(s string) string {
	return strings.Map(func(c rune) rune {
		if c == ' ' || c == '\u3000' {
			return -1
		}
		return c
	}, s)
}

// registration is empty, and so refused, unless it is T and 13 digits. Whether
// the check digit is a company's is only a warning.
func registration(r *sale.Receipt) []string {
	err := sale.CheckRegistrationNumber(r.Issuer.RegistrationNumber)
	if err != nil && !errors.Is(err, sale.ErrCorporateDigit) {
		return []string{""}
	}
	return []string{"登録番号 " + r.Issuer.RegistrationNumber}
}

func saleDate(r *sale.Receipt) []string {
	if r.EndDateTime.IsZero() {
		return []string{""}
	}
	return []string{date(r)}
}

func descriptions(r *sale.Receipt) []string {
	var words []string
	for _, line := range r.LineItem {
		if !line.Voided {
			words = append(words, line.Description)
		}
	}
	if words == nil {
		return []string{""}
	}
	return words
}

func marks(r *sale.Receipt) []string {
	var words []string
	for _, line := range r.LineItem {
		if line.TaxRate == sale.Reduced && !line.Voided {
			words = append(words, yen(line.ExtendedAmount)+reducedMark)
		}
	}
	if words == nil {
		return nil
	}
	return append(words, reducedLegend)
}

func taxables(r *sale.Receipt) []string {
	if len(r.Tax) == 0 {
		return []string{""}
	}
	words := make([]string, 0, len(r.Tax))
	for _, t := range r.Tax {
		words = append(words, taxableLabel(t)+yen(t.TaxableAmount))
	}
	return words
}

func taxAmounts(r *sale.Receipt) []string {
	words := make([]string, 0, len(r.Tax))
	for _, t := range r.Tax {
		words = append(words, taxLabel(t)+yen(t.Amount))
	}
	return words
}

// addsUp recomputes every sum of the receipt; only the rounding of the tax is
// the issuer's choice.
func addsUp(r *sale.Receipt) error {
	sums := map[sale.Rate]sale.Money{}
	for _, line := range r.LineItem {
		amount, err := sale.Extend(line.RegularSalesUnitPrice, line.Quantity)
		if err != nil || amount != line.ExtendedAmount {
			return fmt.Errorf("receipt: line %d: %w", line.SequenceNumber, ErrSum)
		}
		if !line.Voided {
			sums[line.TaxRate] += amount
		}
	}
	var subtotal, total sale.Money
	for _, t := range r.Tax {
		low, err := sale.Tax(t.TaxableAmount, t.Percent, t.Included, sale.Floor)
		if err != nil || sums[t.Percent] != t.TaxableAmount || t.Amount < low || t.Amount > low+1 {
			return fmt.Errorf("receipt: tax of %d %%: %w", t.Percent, ErrSum)
		}
		delete(sums, t.Percent)
		subtotal += t.TaxableAmount
		total += t.TaxableAmount
		if !t.Included {
			total += t.Amount
		}
	}
	if len(sums) != 0 || subtotal != r.Subtotal || total != r.Total || r.Due() != 0 {
		return fmt.Errorf("receipt: total or tenders: %w", ErrSum)
	}
	for _, t := range r.Tender {
		if t.Amount < 0 || t.ChangeDue < 0 || t.Tendered != t.Amount+t.ChangeDue || t.TenderType != sale.Cash && t.ChangeDue != 0 {
			return fmt.Errorf("receipt: tender: %w", ErrSum)
		}
	}
	return nil
}

// stampFrom is the amount from which a receipt bears a revenue stamp
// (印紙税法別表第一第17号の1文書).
const stampFrom sale.Money = 50_000

// needsStamp looks at the part that was not paid by card, without the tax that
// the receipt shows separately. Paid in parts, the tax is shared alike.
func needsStamp(r *sale.Receipt) bool {
	part := r.Total - r.Paid(sale.CreditDebit)
	if r.Total <= 0 || part <= 0 {
		return false
	}
	var tax sale.Money
	for _, t := range r.Tax {
		tax += t.Amount
	}
	return part-tax*part/r.Total >= stampFrom
}

// stamp is the box to put it in.
func stamp(p *paper, r *sale.Receipt, _ bool) {
	if !needsStamp(r) {
		return
	}
	p.space()
	for _, line := range []string{"┌────┐", "│　収入　│", "│　印紙　│", "└────┘"} {
		p.add(drivers.TextLine{Text: line, Align: drivers.Right})
	}
}
