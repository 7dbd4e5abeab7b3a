package receipt

import (
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"regi/drivers"
	"regi/firmware/sale"
)

// clean leaves only what may stand on paper: no control, format or bidi
// character, and one code point per character where there is one (か + ゛ is
// two columns, not four). What is no character becomes the geta mark.
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

// script is how wide a language's signs are.
type script bool

// Scripts.
const (
	kanji script = false // signs that Shift_JIS has are as wide as a kanji
	latin script = true  // they are as wide as a letter: drivers.Document.Latin
)

// width is the number of columns on paper. A character that a printer turns out
// to print narrower leaves a gap, never an overflow.
func (sc script) width(s string) int {
	n := 0
	for _, c := range s {
		n += sc.columns(c)
	}
	return n
}

// narrow are the signs of one column.
const narrow = "¥¡¢£¤¦©«¬®¯²³¸¹»¼½¾¿€‚„‹›•™"

// latinSigns are the others that Europe's type has in one column.
const latinSigns = "§¨°±´¶·×÷–—‘’“”†‡…˜‰"

// columns is what drivers.TextLine says of a character.
func (sc script) columns(c rune) int {
	const letters, vietnamese, ancient = 0x530, 0x1E00, 0x1FFF
	switch {
	case c < 0x80, c >= '｡' && c <= 'ﾟ', (c < letters || c >= vietnamese && c <= ancient) && unicode.IsLetter(c), strings.ContainsRune(narrow, c):
		return 1
	case sc == latin && strings.ContainsRune(latinSigns, c):
		return 1
	}
	return 2
}

// notFirst may not begin a line (JIS X 4051).
const notFirst = "、。，．・：；？！゛゜ー々’”）〕］｝〉》」』】ぁぃぅぇぉっゃゅょァィゥェォッャュョ｡｣､･ｰﾞﾟ※"

// wrap breaks s into lines of at most cols columns: at a blank where words have
// them, else anywhere that a line may begin.
func (sc script) wrap(s string, cols int) []string {
	var lines []string
	begin, n := 0, 0
	for i, c := range s {
		if n+sc.columns(c) > cols {
			at := breakAt(s, begin, i, c)
			lines = append(lines, strings.TrimRight(s[begin:at], " "))
			begin = at
			if c == ' ' && at == i {
				begin++ // the blank between two lines is on neither
				n = 0
				continue
			}
			n = sc.width(s[begin:i])
		}
		n += sc.columns(c)
	}
	return append(lines, s[begin:])
}

// breakAt is where the line from begin ends, when c at over does not fit.
func breakAt(s string, begin, over int, c rune) int {
	line := s[begin:over]
	const word = 0x80 // below are the words that blanks stand between
	if blank := strings.LastIndexByte(line, ' '); blank > 0 && c < word && c != ' ' && line[len(line)-1] < word && blank >= len(line)/2 {
		return begin + blank + 1
	}
	if strings.ContainsRune(notFirst, c) {
		before := []rune(line)
		if len(before) > 1 {
			return over - len(string(before[len(before)-1:]))
		}
	}
	return over
}

// paper collects the items of one document.
type paper struct {
	Paper

	script

	layout *layout
	logo   *drivers.Picture
	sale   *sale.Receipt
	items  []drivers.Item
}

func (p *paper) add(i drivers.Item) { p.items = append(p.items, i) }

func (p *paper) line(l drivers.TextLine) { p.add(l) }

// text prints s, cleaned and wrapped.
func (p *paper) text(s string, align drivers.Align) {
	for _, line := range p.wrap(clean(s), p.Columns) {
		p.line(drivers.TextLine{Text: line, Align: align})
	}
}

// heading is bold and centred.
func (p *paper) heading(s string) {
	for _, line := range p.wrap(clean(s), p.Columns) {
		p.line(drivers.TextLine{Text: line, Align: drivers.Center, Bold: true})
	}
}

// banner is as large as fits, and centred.
func (p *paper) banner(s string) {
	s = clean(s)
	if 2*p.width(s) > p.Columns {
		p.heading(s)
		return
	}
	p.line(drivers.TextLine{Text: s, Align: drivers.Center, Bold: true, Wide: true, Tall: true})
}

func (p *paper) rule() { p.line(drivers.TextLine{Text: strings.Repeat("-", p.Columns)}) }

func (p *paper) space() { p.line(drivers.TextLine{}) }

// pair prints left and right at the ends of a line. The right side is never
// cut: where both do not fit, the left one wraps, and the right one stands at
// the end of its last line or on the next. An amount fits every paper; a text
// on the right that does not wraps as well.
func (p *paper) pair(left, right string) {
	right = clean(right)
	if p.width(right) > p.Columns {
		p.text(left, drivers.Left)
		p.text(right, drivers.Right)
		return
	}
	lines := p.wrap(clean(left), p.Columns)
	for _, line := range lines[:len(lines)-1] {
		p.line(drivers.TextLine{Text: line})
	}
	last := lines[len(lines)-1]
	if p.width(last)+1+p.width(right) > p.Columns {
		p.line(drivers.TextLine{Text: last})
		last = ""
	}
	gap := max(0, p.Columns-p.width(last)-p.width(right))
	p.line(drivers.TextLine{Text: last + strings.Repeat(" ", gap) + right})
}

// noMark keeps the place of a mark free, so that the digits stand below each
// other.
const noMark = "  "

// amount prints what and how much.
func (p *paper) amount(what string, m sale.Money) { p.pair(what, p.money(m)+noMark) }

// money writes an amount as the country does on paper: ¥1,080.
func (p *paper) money(m sale.Money) string {
	sign := ""
	if m < 0 {
		sign, m = "-", -m
	}
	return sign + p.layout.symbol + p.layout.country.Numerals.Money(m)
}

func (p *paper) count(n int64) string { return p.layout.country.Numerals.Count(n) }

// percent is "10%" or "13,5 %".
func (p *paper) percent(r sale.Rate) string {
	return p.layout.country.Numerals.Rate(r) + p.layout.words.percent
}

// pieces is a number of goods.
func (p *paper) pieces(n int64) string {
	if word := p.layout.words.piece; word != "" && (n == 1 || n == -1) {
		return p.count(n) + word
	}
	return p.count(n) + p.layout.words.pieces
}

// numericDate is the layout of a date between others, without words.
func (p *paper) numericDate() string {
	if p.layout.country.Scheme == sale.Japanese {
		return time.DateOnly
	}
	return p.layout.date
}

// isoDay is a day of a record, as the country writes it.
func (p *paper) isoDay(s string) string {
	day, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return s
	}
	return day.Format(p.numericDate())
}
