// Package receipt lays a sale out for paper, by one table for each country: the
// receipt, Japan's addressed receipt (領収書), the order slip, and the X and Z
// reports. What lacks something its country demands is refused.
package receipt

import (
	"errors"
	"fmt"

	"regi/drivers"
	"regi/firmware/sale"
)

// Paper widths in half-width columns.
const (
	ColumnsMin = 32 // 58 mm paper
	ColumnsMax = 64
)

// Errors of Layouts.
var (
	// ErrColumns: the paper is narrower or wider than these layouts can be.
	ErrColumns = errors.New("paper width not supported")
	// ErrIncomplete: the receipt lacks what the law demands, or holds what it
	// forbids; the message names it and the law.
	ErrIncomplete = errors.New("not a receipt by law")
	// ErrSum: the receipt does not add up.
	ErrSum = errors.New("receipt does not add up")
	// ErrForm: this country has no such document, or not of this sale.
	ErrForm = errors.New("no such document")
)

// Layouts lays out what one shop prints.
type Layouts struct {
	layout *layout
	logo   *drivers.Picture
}

// New is a shop's layouts; logo stands at the head of its receipts, nil for
// none.
func New(locale string, logo *drivers.Picture) *Layouts {
	return &Layouts{layout: layoutOf(locale), logo: logo}
}

// Paper is what a document is laid out for.
type Paper struct {
	Columns int
	Reprint bool // it is marked as a copy
	// Code identifies the sale when goods come back; "" for none.
	Code string
	// Plain leaves out what a printer of text only cannot print.
	Plain bool
}

// Receipt is what the customer gets of a sale, a return or a training sale.
func (l *Layouts) Receipt(r *sale.Receipt, on Paper) (drivers.Document, error) {
	blocks, rules := l.layout.receipt, l.layout.demands
	if r.TrainingModeFlag {
		rules = nil // it is no document of anything
	}
	return l.document(r, on, blocks, rules)
}

// Addressed is the receipt that a customer in Japan asks for by name (領収書).
func (l *Layouts) Addressed(r *sale.Receipt, on Paper) (drivers.Document, error) {
	if l.layout.addressed == nil || r.Original != nil || r.TrainingModeFlag {
		return drivers.Document{}, fmt.Errorf("receipt: addressed: %w", ErrForm)
	}
	return l.document(r, on, l.layout.addressed, l.layout.addressedDemands)
}

// Order is what the kitchen or the stock room gets of an open sale: its lines,
// without prices.
func (l *Layouts) Order(r *sale.Receipt, on Paper) (drivers.Document, error) {
	p, err := l.paper(on)
	if err != nil {
		return drivers.Document{}, err
	}
	p.sale = r
	return p.document(l.layout.order)
}

// Continuation is the head of a second piece of paper, after a roll ended in
// the middle of a receipt: it says of what it is the rest, and who issued it.
func (l *Layouts) Continuation(r *sale.Receipt, columns int) ([]drivers.Item, error) {
	p, err := l.paper(Paper{Columns: columns})
	if err != nil {
		return nil, err
	}
	p.sale = r
	for _, block := range l.layout.continuation {
		block(p)
	}
	return p.items, nil
}

func (l *Layouts) paper(on Paper) (*paper, error) {
	if on.Columns < ColumnsMin || on.Columns > ColumnsMax {
		return nil, fmt.Errorf("receipt: %d columns: %w", on.Columns, ErrColumns)
	}
	return &paper{layout: l.layout, script: script(l.layout.country.Scheme != sale.Japanese), logo: l.logo, Paper: on}, nil
}

// document lays out, and checks the finished paper rather than the intention.
func (l *Layouts) document(r *sale.Receipt, on Paper, blocks []block, rules []rule) (drivers.Document, error) {
	p, err := l.paper(on)
	if err != nil {
		return drivers.Document{}, err
	}
	if err := addsUp(r); err != nil {
		return drivers.Document{}, err
	}
	p.sale = r
	doc, err := p.document(blocks)
	if err != nil {
		return drivers.Document{}, err
	}
	return doc, demand(rules, p)
}

// document runs the blocks from top to bottom.
func (p *paper) document(blocks []block) (drivers.Document, error) {
	for _, block := range blocks {
		block(p)
	}
	if len(p.items) > drivers.DocumentItemsMax {
		return drivers.Document{}, fmt.Errorf("receipt: %d lines, at most %d: %w", len(p.items), drivers.DocumentItemsMax, sale.ErrLimit)
	}
	return drivers.Document{Items: p.items, Cut: true, Latin: bool(p.script)}, nil
}

// addsUp recomputes every sum of the receipt; only the rounding of the tax is
// the issuer's choice.
func addsUp(r *sale.Receipt) error {
	again := *r
	for _, line := range r.LineItem {
		amount, err := sale.Extend(line.RegularSalesUnitPrice, line.Quantity)
		if err != nil || amount != line.ExtendedAmount {
			return fmt.Errorf("receipt: line %d: %w", line.SequenceNumber, ErrSum)
		}
	}
	included := len(r.Tax) == 0 || r.Tax[0].Included
	if err := again.Sum(included, sale.Floor); err != nil {
		return fmt.Errorf("receipt: %w: %w", ErrSum, err)
	}
	if len(again.Tax) != len(r.Tax) || again.Subtotal != r.Subtotal {
		return fmt.Errorf("receipt: subtotal: %w", ErrSum)
	}
	total := r.Subtotal - r.DiscountAmount
	for i, t := range r.Tax {
		want := again.Tax[i]
		more := t.Amount - want.Amount
		if t.TaxableAmount < 0 {
			more = -more
		}
		if t.Percent != want.Percent || t.TaxableAmount != want.TaxableAmount || t.DiscountAmount != want.DiscountAmount || t.Included != included || more < 0 || more > 1 {
			return fmt.Errorf("receipt: tax of %s %%: %w", t.Percent, ErrSum)
		}
		if !t.Included {
			total += t.Amount
		}
	}
	if total != r.Total || r.Due() != 0 {
		return fmt.Errorf("receipt: total or tenders: %w", ErrSum)
	}
	return tendersAddUp(r)
}

func tendersAddUp(r *sale.Receipt) error {
	for _, t := range r.Tender {
		backwards := t.Amount < 0 && (r.Original == nil || t.TenderType != sale.Cash)
		if backwards || t.ChangeDue < 0 || t.Tendered != t.Amount+t.ChangeDue || t.TenderType != sale.Cash && t.ChangeDue != 0 {
			return fmt.Errorf("receipt: tender: %w", ErrSum)
		}
	}
	return nil
}
