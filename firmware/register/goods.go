package register

import (
	"errors"
	"slices"
	"time"

	"regi/firmware/catalog"
	"regi/firmware/gs1"
	"regi/firmware/till"
)

// problems of a label, the first that fits: an unknown number of goods is the
// last resort of package till.
//
//nolint:gochecknoglobals // a constant table
var problems = []struct {
	err     error
	problem string
}{
	{catalog.ErrUnknown, till.ProblemUnknownCode},
	{catalog.ErrRefused, till.ProblemRefused},
	{catalog.ErrUpperRow, till.ProblemUpperRow},
	{catalog.ErrLowerRow, till.ProblemLowerRow},
	{catalog.ErrAddOn, till.ProblemAddOn},
	{catalog.ErrMoney, till.ProblemMoney},
	{catalog.ErrNoArticle, till.ProblemNoArticle},
	{gs1.ErrTooLong, till.ProblemTooLong},
	{gs1.ErrCheckDigit, till.ProblemCheckDigit},
	{gs1.ErrCarrier, till.ProblemCarrier},
	{gs1.ErrUnknownAI, till.ProblemUnknownAI},
	{gs1.ErrNotGTIN, till.ProblemNoArticle},
	{gs1.ErrLink, till.ProblemNoArticle},
}

// labelProblem is what the till calls an error of a label.
func labelProblem(err error) string {
	if err == nil {
		return ""
	}
	for _, p := range problems {
		if errors.Is(err, p.err) {
			return p.problem
		}
	}
	return till.ProblemMalformed
}

// bookWindow is how long the first row of a book waits for the other: a hand
// needs two seconds, one that has to turn the book a few more.
const bookWindow = 10 * time.Second

// books pairs the rows of books, which are scanned in either order and on any
// scanner. It belongs to the loop.
type books struct {
	rows gs1.BookRows
	sold bool // the row that waits is an upper one that the till has taken
}

func newBooks() books { return books{rows: gs1.BookRows{Window: bookWindow}} }

// pair makes one scan of a book's second row and the first one. A key between
// them ends the wait: what it belongs to is over, or was dropped.
func (b *books) pair(now time.Time, e till.Event, prices *catalog.Catalog) till.Event {
	if _, pressed := e.(till.Key); pressed {
		*b = newBooks()
		return e
	}
	scan, ok := e.(till.Scanned)
	row, is := rowOf(scan)
	if !ok || !is {
		return e
	}
	paired := b.rows.Add(now, row)
	sold := b.sold
	b.sold = paired.Book == nil && scan.Problem == "" // an upper row that the catalogue has is sold by itself
	switch {
	case paired.Book == nil:
	case sold:
		scan.Item, scan.Problem = nil, till.ProblemBookDone
	default:
		scan.GTIN, scan.Problem, scan.Book = paired.Book.GTIN.String(), "", true
		scan.Item, scan.Said = prices.BookItem(paired.Book)
	}
	return scan
}

// handled forgets a row that the till did not take: it is scanned again.
func (b *books) handled(e till.Event, effects []till.Effect) {
	scan, _ := e.(till.Scanned)
	if _, is := rowOf(scan); is && slices.Contains(effects, till.Effect(till.Beep{})) {
		*b = newBooks()
	}
}

// rowOf is the row of a book that was read, if the shop sells them by rows.
func rowOf(scan till.Scanned) (row gs1.GTIN, is bool) {
	switch scan.Problem {
	case "", till.ProblemUpperRow, till.ProblemLowerRow:
	default:
		return row, false
	}
	if len(scan.GTIN) != len(row) {
		return row, false
	}
	row = gs1.GTIN([]byte(scan.GTIN))
	return row, row.BookRow() != gs1.NoRow
}
