package till

import (
	"cmp"
	"strconv"
	"strings"
	"unicode/utf8"

	"regi/firmware/sale"
)

// fail tells the operator that what was just done had no effect, and why.
func (t *Till) fail(m message, detail string) {
	t.state.Hand.Digits, t.state.Hand.Confirm, t.state.Hand.Percent = "", "", false
	t.do(Beep{})
	t.say(m, detail)
}

// say shows a message until the next event draws something else. After a sale
// it leaves the change, which the customer waits for, in the lower line.
func (t *Till) say(m message, detail string) {
	lines := m.ja
	if t.english {
		lines = m.en
	}
	lower := display(lines[1], columnsMax)
	if t.state.Hand.Thanks || lines[1] == "" {
		_, lower = t.view() // what is due, or the change
	}
	t.show(Show{Upper: split(lines[0], m.code), Lower: lower, Paper: true})
	t.notice(m, detail)
	t.state.Hand.Message = m.code
}

// tell is for what happens beside the sale: a display between sales shows it,
// a busy one only its flag.
func (t *Till) tell(m message, detail string) {
	if phase := t.state.Phase(); m.ja[0] != "" && (phase == Idle || phase == Closed) {
		t.say(m, detail)
		return
	}
	t.notice(m, detail)
	t.refreshFlags()
}

// warn is for what the operator must see now, unless a card is in hand.
func (t *Till) warn(m message, detail string) {
	t.do(Beep{})
	if phase := t.state.Phase(); phase == AwaitCard || phase == Authorizing {
		t.notice(m, detail)
		return
	}
	t.say(m, detail)
}

func (t *Till) notice(m message, detail string) {
	text := m.textJA + " / " + m.textEN
	if detail != "" {
		text += " [" + detail + "]"
	}
	t.do(Notice{Code: m.code, Text: text})
}

// refreshFlags redraws a view whose flag may have changed, but leaves a message
// that the operator has not answered.
func (t *Till) refreshFlags() {
	if t.state.Hand.Message == "" {
		t.refresh()
	}
}

// refresh draws what the state says.
func (t *Till) refresh() {
	t.state.Hand.Message = ""
	upper, lower := t.view()
	keyed := t.keyedView()
	if keyed != "" {
		lower = split("", keyed)
	}
	s := &t.state
	t.show(Show{Upper: upper, Lower: lower, Paper: keyed == "" && s.Hand.Quantity == 0 && (s.Sale != nil || s.Hand.Thanks)})
}

// keyedView is the number being keyed; nobody reads a supervisor's.
func (t *Till) keyedView() string {
	hand := t.state.Hand
	switch {
	case hand.Ask != "":
		return strings.Repeat("*", len(hand.Digits))
	case hand.Percent:
		return hand.Digits + "%"
	}
	return hand.Digits
}

func (t *Till) view() (upper, lower string) {
	s := &t.state
	switch s.Phase() {
	case Closed:
		if d, ok := t.question(); ok {
			return t.ask(d)
		}
		return t.words("ｷｭｳｼﾁｭｳ", "CLOSED"), t.words("ﾊﾞﾝｺﾞｳ OPEN ﾃﾞ ｶｲｼ", "CASHIER NO. + OPEN")
	case Idle:
		return t.idleView()
	case Tendering:
		r := &s.Sale.Receipt
		switch {
		case r.Total < 0:
			return t.total(r.Total), t.words("CASH ﾃﾞ ﾍﾝｷﾝ", "CASH GIVES IT BACK")
		case len(r.Tender) > 0:
			return t.total(r.Total), split(t.words("ﾉｺﾘ", "DUE"), t.amount(r.Due()))
		}
		return t.total(r.Total), t.words("ｵｼﾊﾗｲ ｦ ﾄﾞｳｿﾞ", "CASH OR CARD?")
	case AwaitCard:
		return split(t.words("ｶｰﾄﾞ", "CARD"), t.amount(s.Sale.Receipt.Due())), t.words("ｶｰﾄﾞｦ ﾄｵｼﾃｸﾀﾞｻｲ", "PLEASE SWIPE")
	case Authorizing:
		return split(t.words("ｶｰﾄﾞ", "CARD"), t.amount(sale.Money(s.Sale.Pending.Amount))), t.words("ｶｸﾆﾝﾁｭｳ ｵﾏﾁｸﾀﾞｻｲ", "ONE MOMENT PLEASE")
	}
	if q := s.Hand.Quantity; q != 0 {
		return t.quantity(q), t.total(s.Sale.Receipt.Total)
	}
	return s.Sale.Upper, t.total(s.Sale.Receipt.Total)
}

func (t *Till) idleView() (upper, lower string) {
	s := &t.state
	switch hand := s.Hand; {
	case !hand.Thanks:
	case hand.ThanksTotal < 0:
		return t.total(hand.ThanksTotal), split(t.words("ﾍﾝｷﾝ", "GIVE BACK"), t.amount(-hand.ThanksTotal))
	case hand.ThanksCard:
		return t.total(hand.ThanksTotal), t.words("ｱﾘｶﾞﾄｳｺﾞｻﾞｲﾏｼﾀ", "THANK YOU")
	default:
		return t.total(hand.ThanksTotal), split(t.words("ｵﾂﾘ", "CHANGE"), t.amount(hand.ThanksChange))
	}
	if d, ok := t.question(); ok {
		return t.ask(d)
	}
	waits := printerStates[s.Flags.printer()]
	switch {
	case waits.code != "":
		lower = t.words(waits.ja[1], waits.en[1])
	case s.Drawer.LeftOpen:
		lower = t.words("ﾄﾞﾛｱｦ ｼﾒﾙ", "CLOSE THE DRAWER")
	case s.Flags.paperWaits():
		lower = t.words("ﾖｳｼ･ｶﾊﾞｰｦ ｶｸﾆﾝ", "CHECK PAPER, COVER")
	case s.Flags.Down["printer"] != "":
		lower = t.words("ﾌﾟﾘﾝﾀｦ ｶｸﾆﾝ", "CHECK THE PRINTER")
	case s.Flags.Offline:
		lower = t.words("ｵﾌﾗｲﾝ ｹﾞﾝｷﾝﾉﾐ", "OFFLINE: CASH ONLY")
	}
	if q := s.Hand.Quantity; q != 0 {
		return t.quantity(q), lower
	}
	if s.Training {
		return t.words("** ﾚﾝｼｭｳ ﾁｭｳ **", "** TRAINING **"), lower
	}
	return t.words("ｲﾗｯｼｬｲﾏｾ", "WELCOME"), lower
}

// ask is a question that stands until it is answered.
func (t *Till) ask(d Doubt) (upper, lower string) {
	m := d.question()
	return split(t.words(m.ja[0], m.en[0]), d.number()), t.words(m.ja[1], m.en[1])
}

func (t *Till) quantity(q int64) string {
	return split(t.words("ｽｳﾘｮｳ", "QUANTITY"), strconv.FormatInt(q, 10)+" x")
}

// total is the line of the running total. The flag stands in its middle, so
// that it is seen without hiding any of the amount: 5 + 5 + 10 columns, or one
// more for the flag where the amount leaves it.
func (t *Till) total(m sale.Money) string {
	what, amount := t.words("ｺﾞｳｹｲ", "TOTAL"), t.amount(m)
	if f := t.flag(); f != "" {
		what += " " + f
	}
	what = display(what, columnsMax-utf8.RuneCountInString(amount))
	return what + strings.Repeat(" ", columnsMax-utf8.RuneCountInString(what+amount)) + amount
}

// flag is the mark of what is wrong beside the sale: what stops work first.
func (t *Till) flag() string {
	f := t.state.Flags
	switch {
	case f.printer() == paperOut, f.printer() == coverOpen:
		return t.words("!ﾖｳｼ", "!PAP")
	case f.printer() != "":
		return "!PRN"
	}
	for _, d := range deviceMarks {
		if f.Down[d.device] != "" {
			return t.words(d.ja, d.en)
		}
	}
	switch {
	case len(t.state.Doubts) > 0:
		return t.words("?ｲﾝｼ", "?PRN")
	case f.Offline:
		return "!OFF"
	case f.Down["card"] != "":
		return t.words("!ｶｰﾄﾞ", "!CRD")
	case t.state.Training:
		return t.words("!ﾚﾝ", "!TRN")
	}
	return ""
}

// deviceMarks are the marks of devices without which a sale goes on, for now.
//
//nolint:gochecknoglobals // a constant table
var deviceMarks = []struct{ device, ja, en string }{
	{"scanner", "!ｽｷｬﾅ", "!SCN"},
	{"scanner2", "!ｽｷｬﾅ", "!SCN"},
	{"keypad", "!ｷｰ", "!KEY"},
	{"matrix", "!ｷｰ", "!KEY"},
	{"keyboard", "!ｷｰ", "!KEY"},
	{"drawer", "!ﾄﾞﾛｱ", "!DRW"},
}

func (t *Till) words(ja, en string) string {
	if t.english {
		return en
	}
	return ja
}

// printer is why it does not print, "" if it does.
func (f Flags) printer() string { return cmp.Or(f.Paper, f.Down["printer"]) }

// paperWaits says that the printer works, but waits for the operator.
func (f Flags) paperWaits() bool {
	switch f.Down["printer"] {
	case paperOut, coverOpen, cutterError:
		return true
	}
	return f.Paper != ""
}
