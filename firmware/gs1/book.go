package gs1

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Books and serials (General Specifications 2.1; ISO 2108, ISO 3297; GS1 Japan:
// two-row JAN of books, eighteen digits of magazines).

// ErrBook says that a number is no ISBN, ISSN or magazine.
var ErrBook = errors.New("not the number of a book or serial")

// ISBN reads an ISBN of ten or thirteen digits, or an SBN of nine, with or
// without hyphens and spaces.
func ISBN(s string) (GTIN, error) {
	d := undashed(s)
	if len(d) == 9 {
		d = "0" + d
	}
	switch {
	case len(d) == 10 && elevens(d):
		return bookland("978" + d[:9]), nil
	case len(d) == 13 && (strings.HasPrefix(d, "978") || strings.HasPrefix(d, "979") && d[3] != '0'): // 9790 is music
		return NormalizeGTIN(d)
	}
	return GTIN{}, fmt.Errorf("gs1: ISBN: %w", ErrBook)
}

// ISSN reads an ISSN of eight digits or the thirteen of its EAN-13; variant is
// the two digits that stand behind it there ("00" for none).
func ISSN(s string) (g GTIN, variant string, err error) {
	d := undashed(s)
	switch {
	case len(d) == 8 && elevens(d):
		return bookland("977" + d[:7] + "00"), "00", nil
	case len(d) == 13 && strings.HasPrefix(d, "977"):
		g, err = NormalizeGTIN(d)
		return g, d[10:12], err
	}
	return GTIN{}, "", fmt.Errorf("gs1: ISSN: %w", ErrBook)
}

// bookland completes twelve digits.
func bookland(digits string) (g GTIN) {
	g.pad(digits + "0")
	g[13] = g.checkDigit()
	return g
}

// undashed takes hyphens and spaces out; a longer text than any number stays.
func undashed(s string) string {
	const longest = 17 // thirteen digits and four hyphens
	if len(s) > longest {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "-", ""), " ", "")
}

// elevens checks the digit of ISBN-10 and ISSN: weights from the right, modulo
// 11, X for ten.
func elevens(d string) bool {
	sum := 0
	for i := range len(d) {
		weight := len(d) - i
		switch last := i == len(d)-1; {
		case digit(d[i]):
			sum += weight * int(d[i]-'0')
		case last && (d[i] == 'X' || d[i] == 'x'):
			sum += 10
		default:
			return false
		}
	}
	return sum%11 == 0
}

// Book is what the two rows on a Japanese book say.
type Book struct {
	GTIN  GTIN   // the upper row: the ISBN
	CCode string // four digits: readership, form, subject
	Price int64  // yen, without tax
}

// Row is which row of a book a number is.
type Row uint8

// Rows.
const (
	NoRow    Row = iota
	UpperRow     // 978, 979: the ISBN
	LowerRow     // 192, 191: C-code and price; it is no number of goods
)

// BookRow tells the rows of Japanese books from other numbers. The lower row
// belongs to 978 as 192, to 979 as 191.
func (g GTIN) BookRow() Row {
	switch string(g[:4]) {
	case "0978", "0979":
		return UpperRow
	case "0192", "0191":
		return LowerRow
	}
	return NoRow
}

// BookRows pairs two rows that are scanned in either order within a window. It
// knows no clock: the caller says when. The zero value waits for no time; it
// holds one row at most.
type BookRows struct {
	Window time.Duration

	row   GTIN
	since time.Time
}

// Paired is what became of a row.
type Paired struct {
	Book  *Book // both rows: sell it
	Waits bool  // the row is kept until the window ends
	Alone GTIN  // a row whose other one did not come: see Lapsed; zero: none
}

// Add takes a number that was scanned at a time. For one that is no row of a
// book nothing is returned, and a row that waits goes on waiting.
func (b *BookRows) Add(now time.Time, g GTIN) Paired {
	kind := g.BookRow()
	if kind == NoRow {
		return Paired{}
	}
	lapsed, _ := b.Lapsed(now)
	if lapsed != (GTIN{}) || b.row == (GTIN{}) || !fits(b.row, g) {
		p := Paired{Waits: true, Alone: lapsed}
		if b.row != (GTIN{}) && b.row != g { // the same row twice is one row
			p.Alone = b.row
		}
		b.row, b.since = g, now
		return p
	}
	upper, lower := b.row, g
	if kind == UpperRow {
		upper, lower = g, b.row
	}
	b.row = GTIN{}
	return Paired{Book: &Book{GTIN: upper, CCode: string(lower[4:8]), Price: int64(number(string(lower[8:13])))}}
}

// Lapsed takes out a row whose window has ended. An upper row may be sold as
// the catalogue has it; a lower row must not be sold.
func (b *BookRows) Lapsed(now time.Time) (GTIN, bool) {
	if b.row == (GTIN{}) || now.Sub(b.since) <= b.Window {
		return GTIN{}, false
	}
	row := b.row
	b.row = GTIN{}
	return row, true
}

// Until says when the row that waits lapses.
func (b *BookRows) Until() (time.Time, bool) {
	return b.since.Add(b.Window), b.row != GTIN{}
}

// fits: one is the upper row and the other its lower one.
func fits(a, b GTIN) bool {
	if a.BookRow() == LowerRow {
		a, b = b, a
	}
	switch string(a[:4]) + string(b[:4]) {
	case "09780192", "09790191", "09790192":
		return true
	}
	return false
}

// Magazine is what the eighteen digits on a Japanese magazine say.
type Magazine struct {
	GTIN  GTIN   // of this issue
	Code  string // five digits
	Issue int    // the month, or the week of a weekly
	Year  int    // its last digit
	Price int64  // yen, without tax
}

// ReadMagazine reads the EAN-13 of prefix 491 and its add-on of five digits.
func ReadMagazine(g GTIN, addOn string) (Magazine, error) {
	s := g.String()
	if !strings.HasPrefix(s, "0491") || len(addOn) != addOnFive || !allDigits(addOn) {
		return Magazine{}, fmt.Errorf("gs1: magazine: %w", ErrBook)
	}
	return Magazine{
		GTIN:  g,
		Code:  s[5:10],
		Issue: number(s[10:12]),
		Year:  number(s[12:13]),
		Price: int64(number(addOn)),
	}, nil
}
