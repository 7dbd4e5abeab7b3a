package receipt

import (
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"regi/drivers"
	"regi/firmware/sale"
)

// clean leaves only what may stand on paper: no control, format or bidi
// character, and one code point per character where there is one (か + ゛ is
// two columns, not four). What no printer knows becomes the geta mark.
func clean(s string) string {
	s = norm.NFC.String(strings.ToValidUTF8(s, "〓"))
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\u3000' || unicode.IsPrint(c):
			return c
		case unicode.Is(unicode.Cf, c):
			return -1
		case unicode.IsControl(c), unicode.IsSpace(c):
			return ' '
		}
		return '〓'
	}, s)
}

// width is the number of columns on paper: one byte of Shift_JIS is one
// column (ASCII, ¥, ‾, half-width katakana), everything else takes two.
func width(s string) int {
	n := 0
	for _, c := range s {
		n += columns(c)
	}
	return n
}

func columns(c rune) int {
	if c < 0x80 || c == '¥' || c == '‾' || c >= '｡' && c <= 'ﾟ' {
		return 1
	}
	return 2
}

// wrap breaks s into lines of at most cols columns, anywhere: Japanese has no
// spaces to break at.
func wrap(s string, cols int) []string {
	var lines []string
	begin, n := 0, 0
	for i, c := range s {
		if n+columns(c) > cols {
			lines = append(lines, s[begin:i])
			begin, n = i, 0
		}
		n += columns(c)
	}
	return append(lines, s[begin:])
}

// yen writes an amount as paper does: ¥1,080.
func yen(m sale.Money) string {
	if m < 0 {
		return "-" + yen(-m)
	}
	return "¥" + number(int64(m))
}

// number writes n ≥ 0 with commas.
func number(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// paper collects lines of one width.
type paper struct {
	cols  int
	lines []drivers.TextLine
}

func (p *paper) add(l drivers.TextLine) { p.lines = append(p.lines, l) }

// text prints s, cleaned and wrapped.
func (p *paper) text(s string, align drivers.Align) {
	for _, line := range wrap(clean(s), p.cols) {
		p.add(drivers.TextLine{Text: line, Align: align})
	}
}

// heading is bold and centred.
func (p *paper) heading(s string) {
	for _, line := range wrap(clean(s), p.cols) {
		p.add(drivers.TextLine{Text: line, Align: drivers.Center, Bold: true})
	}
}

func (p *paper) rule() { p.add(drivers.TextLine{Text: strings.Repeat("-", p.cols)}) }

func (p *paper) space() { p.add(drivers.TextLine{}) }

// pair prints left and right at the ends of a line. The right side is never
// cut: where both do not fit, the left one wraps, and the right one stands at
// the end of its last line or on the next. An amount fits every paper; a text
// on the right that does not wraps as well.
func (p *paper) pair(left, right string) {
	right = clean(right)
	if width(right) > p.cols {
		p.text(left, drivers.Left)
		p.text(right, drivers.Right)
		return
	}
	lines := wrap(clean(left), p.cols)
	for _, line := range lines[:len(lines)-1] {
		p.add(drivers.TextLine{Text: line})
	}
	last := lines[len(lines)-1]
	if width(last)+1+width(right) > p.cols {
		p.add(drivers.TextLine{Text: last})
		last = ""
	}
	gap := max(0, p.cols-width(last)-width(right))
	p.add(drivers.TextLine{Text: last + strings.Repeat(" ", gap) + right})
}

// markColumns are kept free at the end of every amount, for the mark of the
// reduced rate, so that the digits stand below each other.
const markColumns = 2

// amount prints what and how much, with the mark's place left empty.
func (p *paper) amount(what string, m sale.Money) {
	p.pair(what, yen(m)+strings.Repeat(" ", markColumns))
}
