package receipt

import (
	"strings"

	"regi/drivers"
	"regi/firmware/sale"
)

const (
	addressedWord = "領収書"
	honorific     = "様"
	purposeWord   = "但し お品代として"
	receivedWord  = "上記正に領収いたしました"
)

func addressedTitle(p *paper) { p.banner(addressedWord) }

func addressedWhen(p *paper) {
	p.pair(p.moment(), p.number())
	p.space()
}

// addressee is a line to write a name on.
func addressee(p *paper) {
	p.space()
	p.line(drivers.TextLine{Text: strings.Repeat("_", p.Columns-len(noMark)-p.width(honorific)) + "  " + honorific})
	p.space()
}

// addressedAmount begins and ends with signs that no digit can be added to.
func addressedAmount(p *paper) {
	p.banner("¥" + p.layout.country.Numerals.Money(p.sale.Total) + "-")
	p.space()
}

// The box for a revenue stamp, and its height.
//
//nolint:gochecknoglobals // a constant table
var box = [...]string{"┌────┐", "│　収入　│", "│　印紙　│", "└────┘"}

const (
	boxColumns = 12
	// boxRules are what it is drawn with as text.
	boxRules = "┌─┐│└┘　"
)

// outline is the box as dots, of one piece: letters as high as a line leave a
// gap between lines. A column is 12 dots wide on all models, a line 30 high.
func outline() drivers.Picture {
	const across, down, rule, white = 12 * boxColumns, 30*len(box) - 6, 2, 0xFF
	gray := make([]byte, across*down)
	for i := range gray {
		x, y := i%across, i/across
		if x >= rule && x < across-rule && y >= rule && y < down-rule {
			gray[i] = white
		}
	}
	return drivers.Picture{Gray: gray, Width: across}
}

// purpose is what was paid for; beside it, where the law asks for a stamp, is
// the box to put it in.
func purpose(p *paper) {
	if !needsStamp(p.sale) {
		p.text(purposeWord, drivers.Left)
		p.text(receivedWord, drivers.Left)
		p.space()
		return
	}
	left := [len(box)]string{purposeWord}
	for i, text := range p.wrap(receivedWord, p.Columns-boxColumns-1) {
		left[i+1] = text
	}
	page := drivers.Page{Lines: len(box)}
	edge := p.Columns - boxColumns
	page.Placed = append(page.Placed, drivers.Placed{Column: edge, Item: outline()})
	for i, right := range box {
		gap := strings.Repeat(" ", p.Columns-boxColumns-p.width(left[i]))
		page.Else = append(page.Else, drivers.TextLine{Text: left[i] + gap + right})
		if left[i] != "" {
			page.Placed = append(page.Placed, drivers.Placed{Line: i, Item: drivers.TextLine{Text: left[i]}})
		}
		if word := strings.Trim(right, boxRules); word != "" {
			at := drivers.Placed{Column: edge + (boxColumns-p.width(word))/2, Line: i, Item: drivers.TextLine{Text: word}}
			page.Placed = append(page.Placed, at)
		}
	}
	p.page(page)
	p.space()
}

// page prints an area, as lines where the paper is plain.
func (p *paper) page(page drivers.Page) {
	if !p.Plain {
		p.add(page)
		return
	}
	for _, line := range page.Else {
		p.line(line)
	}
}

// stampFrom is the amount from which a receipt bears a revenue stamp
// (印紙税法別表第一第17号の1文書).
const stampFrom sale.Money = 50_000

// needsStamp looks at the part that was not paid by card, without the tax that
// the receipt shows separately. Paid in parts, the tax is shared alike.
func needsStamp(r *sale.Receipt) bool {
	part := r.Total - r.Paid(sale.CreditDebit)
	if r.Total <= 0 || part <= 0 || r.TrainingModeFlag {
		return false
	}
	var tax sale.Money
	for _, t := range r.Tax {
		tax += t.Amount
	}
	return part-tax*part/r.Total >= stampFrom
}

// stampBox is the box on a receipt, at its right edge.
func stampBox(p *paper) {
	if !needsStamp(p.sale) {
		return
	}
	p.space()
	for _, line := range box {
		p.line(drivers.TextLine{Text: line, Align: drivers.Right})
	}
}
