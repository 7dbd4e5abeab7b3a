package till

import (
	"crypto/subtle"
	"fmt"
	"strconv"
	"strings"
	"time"

	"regi/firmware/record"
)

// supervisorWait is the security event of a number after which none is taken for
// a while.
const supervisorWait = "supervisor-wait"

// supervisorWaits are how long no number is taken after so many wrong ones, and
// after more of them as long as after the last: a number of four digits is safe
// from whoever has a night.
//
//nolint:gochecknoglobals // a constant table
var supervisorWaits = []time.Duration{0, 0, 0, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute}

// Wrong are the supervisor's numbers that were wrong since the last right one.
type Wrong struct {
	Count int `json:"count"`
	// Last is when the last was, by the clock, not by ledger time: that stands
	// still while a clock that was ahead is led back.
	Last time.Time `json:"last"`
}

func (w Wrong) wait() time.Duration { return supervisorWaits[min(w.Count, len(supervisorWaits)-1)] }

// mustWait refuses to ask for a number while none is taken. A clock that was set
// back starts the wait over.
func (t *Till) mustWait() bool {
	w := &t.state.Wrong
	if t.clock.Before(w.Last) {
		w.Last = t.clock
	}
	left := w.wait() - t.clock.Sub(w.Last)
	if left <= 0 {
		return false
	}
	t.state.Hand.Expired = nil
	t.failWaiting(msgSupervisorWait, left)
	return true
}

// failWaiting is fail, with how long the operator must wait.
func (t *Till) failWaiting(m message, left time.Duration) {
	n, ja, en := int64((left+time.Second-1)/time.Second), "ﾋﾞｮｳ", "S"
	if left > time.Minute {
		n, ja, en = int64((left+time.Minute-1)/time.Minute), "ﾌﾝ", "MIN"
	}
	number := strconv.FormatInt(n, 10)
	m.ja[1], m.en[1] = "ｱﾄ "+number+ja+" ﾏﾂ", "WAIT "+number+" "+en
	t.fail(m, left.Round(time.Second).String())
}

// askSupervisor waits for the supervisor's number.
func (t *Till) askSupervisor(function string) {
	if t.mustWait() {
		return
	}
	hand := &t.state.Hand
	*hand = Hand{Ask: function, Expired: hand.Expired, Quantity: hand.Quantity}
	t.say(msgSupervisor, "")
}

// keySupervisor takes the number, which is never shown nor recorded.
func (t *Till) keySupervisor(name string) {
	hand := &t.state.Hand
	switch {
	case name == "00" || len(name) == 1 && strings.Contains("0123456789", name):
		t.keyDigits(name)
		return
	case name != "ENTER":
		t.fail(msgSupervisor, "")
		return
	}
	function, asked := hand.Ask, *hand
	granted := subtle.ConstantTimeCompare([]byte(hand.Digits), []byte(t.config.Supervisor)) == 1
	*hand = Hand{Tender: asked.Sheet && asked.Tender}
	operator := ""
	if t.state.Shift != nil { // it may be the one that OPEN is asked for
		operator = t.state.Shift.OperatorID
	}
	t.record(record.Override, OverrideBody{OperatorID: operator, Function: function, Granted: granted})
	if !granted {
		t.wrongNumber()
		return
	}
	t.state.Wrong = Wrong{}
	switch {
	case asked.Sheet:
		t.sheetGranted(asked)
	case function == askTraining:
		t.train(true)
	case function == askExpired:
		t.sellExpired(asked.Expired, asked.Quantity)
	default:
		t.awaitReceipt()
	}
}

// wrongNumber counts it: who makes more than two has forgotten it, or guesses.
func (t *Till) wrongNumber() {
	w := &t.state.Wrong
	w.Count, w.Last = w.Count+1, t.clock
	wait := w.wait()
	if wait == 0 {
		t.fail(msgNotSupervisor, "")
		return
	}
	t.record(record.SecurityEvent, SecurityBody{Event: supervisorWait, Detail: fmt.Sprintf("%d wrong numbers: none is taken for %v", w.Count, wait)})
	t.failWaiting(msgNotSupervisor, wait)
}
