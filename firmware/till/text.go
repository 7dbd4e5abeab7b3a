package till

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"regi/firmware/catalog"
	"regi/firmware/record"
	"regi/firmware/sale"
)

// Limits of what comes from outside, in bytes.
const (
	textMax     = 200
	labelMax    = 48
	nameMax     = 16
	approvalMax = 16
	idMax       = 96
)

// bounded cuts an event's free texts to what a record and a console may hold.
func bounded(e Event) Event {
	switch e := e.(type) {
	case Key:
		e.Name, e.Source = clip(e.Name, nameMax), clip(e.Source, nameMax)
		if e.Source == sourceSheet { // which only a scan is
			e.Source = ""
		}
		return e
	case KeyFault:
		e.Fault, e.Key = clip(e.Fault, nameMax), clip(e.Key, nameMax)
		return e
	case Scanned:
		e.Label, e.GTIN, e.Problem = clip(e.Label, labelMax), clip(e.GTIN, nameMax), clip(e.Problem, nameMax)
		said := &e.Said
		said.Code, said.Expiry = clip(said.Code, catalog.CodeMax), clip(said.Expiry, catalog.ExpiryMax)
		said.Lot, said.Serial = clip(said.Lot, catalog.TextMax), clip(said.Serial, catalog.TextMax)
		return e
	case CardFailed:
		e.Reason = clip(e.Reason, textMax)
		return e
	case Authorized:
		e.Reply = record.AuthReply{
			ID: clip(e.Reply.ID, idMax), Result: clip(e.Reply.Result, 2*nameMax),
			Approval: clip(e.Reply.Approval, approvalMax), Reason: clip(e.Reply.Reason, textMax),
		}
		return e
	case DrawerFailed:
		e.Reason = clip(e.Reason, textMax)
		return e
	case PrintFailed:
		e.Cause = clip(e.Cause, textMax)
		return e
	case PrintPaused:
		e.Cause = clip(e.Cause, textMax)
		return e
	case Device:
		e.Name, e.Detail = clip(e.Name, nameMax), clip(e.Detail, textMax)
		return e
	case Tampered:
		e.Line = clip(e.Line, nameMax)
		return e
	case Cloud:
		e.Detail = clip(e.Detail, textMax)
		return e
	}
	return e
}

// clip makes s printable and at most n bytes long.
func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n]
		for len(s) > 0 && !utf8.ValidString(s[max(0, len(s)-utf8.UTFMax):]) {
			s = s[:len(s)-1] // a character cut in two
		}
	}
	s = strings.ToValidUTF8(s, "?")
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || c == '\u2028' || c == '\u2029' {
			return ' '
		}
		return c
	}, s)
}

// columnsMax is the display's width.
const columnsMax = 20

// display keeps what a display can show, in at most n columns: ASCII and
// half-width katakana, one column each.
func display(s string, n int) string {
	var b strings.Builder
	for _, c := range s {
		if n--; n < 0 {
			break
		}
		if (c < ' ' || c > '~') && (c < '｡' || c > 'ﾟ') {
			c = ' '
		}
		b.WriteRune(c)
	}
	return b.String()
}

// split puts left and right at the ends of one display line; the right stays
// whole.
func split(left, right string) string {
	right = display(right, columnsMax)
	room := columnsMax - utf8.RuneCountInString(right)
	left = display(left, max(0, room-1))
	return left + strings.Repeat(" ", room-utf8.RuneCountInString(left)) + right
}

// amount writes money as the shop's country does.
func (t *Till) amount(m sale.Money) string { return t.country.Numerals.Money(m) }
