package receipt

import (
	"errors"
	"fmt"
	"strings"

	"regi/drivers"
	"regi/firmware/sale"
)

// rule is one thing the law wants on the paper, or, with never, off it. It says
// which words are looked for there; a word that is empty was not known to the
// sale at all.
type rule struct {
	what, law string
	words     func(*paper) []string
	never     bool
}

// The countries' rules.
//
//nolint:gochecknoglobals // constant tables
var (
	// qualifiedInvoice: 適格簡易請求書 (消費税法第57条の4第2項), of a return
	// 適格返還請求書 (第3項).
	qualifiedInvoice = []rule{
		{what: "issuer's name", law: "消費税法第57条の4第2項第1号", words: issuerName},
		{what: "registration number", law: "消費税法第57条の4第2項第1号", words: registration},
		{what: "date of the sale", law: "消費税法第57条の4第2項第2号", words: saleDate},
		{what: "goods", law: "消費税法第57条の4第2項第3号", words: descriptions},
		{what: "mark of the reduced rate", law: "消費税法第57条の4第2項第3号", words: reducedMarks},
		{what: "total per rate", law: "消費税法第57条の4第2項第4号", words: taxables},
		{what: "tax per rate", law: "消費税法第57条の4第2項第5号", words: taxAmounts},
		{what: "total", law: "消費税法第57条の4第2項第4号", words: totals},
		{what: "original sale", law: "消費税法第57条の4第3項第2号", words: originals},
		{what: "card number", law: "PCI DSS 3.4", words: cardNumbers, never: true},
	}
	// addressedReceipt: 領収書, with the same figures.
	addressedReceipt = []rule{
		{what: "addressee", law: "所得税法施行規則第102条", words: func(*paper) []string { return []string{honorific, "但し"} }},
		{what: "issuer's name", law: "消費税法第57条の4第2項第1号", words: issuerName},
		{what: "registration number", law: "消費税法第57条の4第2項第1号", words: registration},
		{what: "date of the sale", law: "消費税法第57条の4第2項第2号", words: saleDate},
		{what: "total per rate", law: "消費税法第57条の4第2項第4号", words: taxables},
		{what: "tax per rate", law: "消費税法第57条の4第2項第5号", words: taxAmounts},
		{what: "amount received", law: "所得税法施行規則第102条", words: func(p *paper) []string { return []string{p.totalAmount() + "-"} }},
		{what: "payment by card", law: "印紙税法別表第一第17号", words: cardWord},
		{what: "card number", law: "PCI DSS 3.4", words: cardNumbers, never: true},
	}
	// simplifiedInvoice: Directive 2006/112/EC article 226b.
	simplifiedInvoice = []rule{
		{what: "date of issue", law: "2006/112/EC art. 226b(a)", words: saleDate},
		{what: "supplier", law: "2006/112/EC art. 226b(b)", words: issuerName},
		{what: "VAT number", law: "2006/112/EC art. 226b(b)", words: registration},
		{what: "goods", law: "2006/112/EC art. 226b(c)", words: descriptions},
		{what: "VAT per rate", law: "2006/112/EC art. 226b(d)", words: rowAmounts},
		{what: "total", law: "2006/112/EC art. 226b(d)", words: totals},
		{what: "initial invoice", law: "2006/112/EC art. 226b(e)", words: originals},
		{what: "card number", law: "PCI DSS 3.4", words: cardNumbers, never: true},
	}
	// salesSlip: what states want of a receipt with sales tax, and FACTA.
	salesSlip = []rule{
		{what: "seller", law: "sales tax stated separately", words: issuerName},
		{what: "date of the sale", law: "sales tax stated separately", words: saleDate},
		{what: "goods", law: "sales tax stated separately", words: descriptions},
		{what: "tax", law: "sales tax stated separately", words: taxAmounts},
		{what: "total", law: "sales tax stated separately", words: totals},
		{what: "original sale", law: "return policy", words: originals},
		{what: "card number", law: "15 U.S.C. § 1681c(g)", words: cardNumbers, never: true},
	}
)

// demand checks the finished paper, so that no block can be forgotten.
func demand(rules []rule, p *paper) error {
	text := p.squeezed()
	for _, rule := range rules {
		for _, word := range rule.words(p) {
			word = squeeze(clean(word))
			switch found := strings.Contains(text, word); {
			case rule.never && word != "" && found:
				return fmt.Errorf("receipt: %s is on it (%s): %w", rule.what, rule.law, ErrIncomplete)
			case !rule.never && (word == "" || !found):
				return fmt.Errorf("receipt: %s is missing (%s): %w", rule.what, rule.law, ErrIncomplete)
			}
		}
	}
	return nil
}

// squeezed is all text of the document without blanks.
func (p *paper) squeezed() string {
	var b strings.Builder
	for _, item := range p.items {
		switch item := item.(type) {
		case drivers.TextLine:
			b.WriteString(squeeze(item.Text))
		case drivers.Page:
			for _, line := range item.Else {
				b.WriteString(squeeze(line.Text))
			}
		}
	}
	return b.String()
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

func issuerName(p *paper) []string { return []string{p.sale.Issuer.Name} }

// registration is empty, and so refused, where the number is not of the
// country's form. Whether a check digit is a company's is only a warning.
func registration(p *paper) []string {
	err := p.sale.Issuer.Check(p.layout.country.Scheme)
	if errors.Is(err, sale.ErrRegistration) || errors.Is(err, sale.ErrVATNumber) {
		return []string{""}
	}
	return []string{p.layout.words.registration + p.sale.Issuer.RegistrationNumber}
}

func saleDate(p *paper) []string {
	if p.sale.EndDateTime.IsZero() {
		return []string{""}
	}
	return []string{p.day()}
}

func descriptions(p *paper) []string {
	var words []string
	for _, line := range p.sale.LineItem {
		if !line.Voided {
			words = append(words, line.Description)
		}
	}
	if words == nil {
		return []string{""}
	}
	return words
}

func reducedMarks(p *paper) []string {
	var words []string
	for _, line := range p.sale.LineItem {
		if line.TaxRate == sale.Reduced && !line.Voided {
			words = append(words, p.money(line.ExtendedAmount)+reducedMark)
		}
	}
	if words == nil {
		return nil
	}
	return append(words, reducedLegend)
}

func taxables(p *paper) []string {
	if len(p.sale.Tax) == 0 {
		return []string{""}
	}
	words := make([]string, 0, len(p.sale.Tax))
	for _, t := range p.sale.Tax {
		words = append(words, p.taxable(t)+p.money(t.TaxableAmount))
	}
	return words
}

func totals(p *paper) []string { return []string{p.layout.words.total + p.totalAmount()} }

func taxAmounts(p *paper) []string {
	words := make([]string, 0, len(p.sale.Tax))
	for _, t := range p.sale.Tax {
		if t.Percent > 0 {
			words = append(words, p.taxLabel(t)+p.money(t.Amount))
		}
	}
	return words
}

// rowAmounts are the rates and amounts of the table of VAT.
func rowAmounts(p *paper) []string {
	words := make([]string, 0, 2*len(p.sale.Tax))
	for _, t := range p.sale.Tax {
		row := p.taxRow(t)
		words = append(words, row[0], row[2])
	}
	if len(words) == 0 {
		return []string{""}
	}
	return words
}

func originals(p *paper) []string {
	if p.sale.Original == nil {
		return nil
	}
	number, day := p.originalText()
	return []string{number, day}
}

func cardWord(p *paper) []string {
	if p.sale.Paid(sale.CreditDebit) == 0 {
		return nil
	}
	return []string{p.layout.words.card}
}

// cardNumbers are the forms in which more than the last four digits of a card
// could get on the paper.
func cardNumbers(p *paper) []string {
	var words []string
	for _, t := range p.sale.Tender {
		if t.Card == nil || t.Card.BIN == "" {
			continue
		}
		words = append(words, t.Card.BIN+t.Card.Last4, t.Card.BIN+"*", p.layout.words.cardNumber+t.Card.BIN)
	}
	return words
}
