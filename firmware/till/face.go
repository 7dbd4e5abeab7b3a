package till

import (
	"strings"
	"unicode/utf8"
)

// show draws both faces of the register: the operator's as given, and the
// customer's, who sees the sale of a register with which nothing is wrong.
func (t *Till) show(s Show) {
	s.Customer = t.customer()
	if open := t.state.Sale; open != nil {
		s.Long, s.Tail = open.Long, open.Tail
	}
	if phase := t.state.Phase(); (phase == Idle || phase == Closed) && !t.state.Hand.Thanks {
		s.Clock = t.zone
	}
	t.do(s)
}

// customer is what the customer sees.
func (t *Till) customer() [2]string {
	calm := *t
	calm.state.Flags, calm.state.Doubts, calm.state.Drawer, calm.state.Hand.Quantity = Flags{}, nil, Drawer{}, 0
	upper, lower := calm.view()
	if t.state.Phase() == Closed {
		lower = "" // how it is opened is for the operator
	}
	return [2]string{upper, lower}
}

// longMax is how much of a long name is kept: what the catalogue takes.
const longMax = 2 * columnsMax

// itemLine is the display's line of an item: the name as far as it fits, and
// what follows it; the name is kept whole if it does not.
func (s *Sale) itemLine(name, rest string) {
	s.Upper, s.Long, s.Tail = split(name, rest), "", ""
	name, rest = strings.TrimRight(name, " "), display(rest, columnsMax)
	if room := columnsMax - utf8.RuneCountInString(rest) - 1; utf8.RuneCountInString(name) > room && room > 0 {
		s.Long, s.Tail = name, rest
	}
}
