package till

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"regi/firmware/catalog"
)

// guarded is a shop where returns, training and goods past their date need a
// number.
func guarded(t *testing.T) *counter {
	t.Helper()
	c := codes(shop())
	c.Supervisor = "4711"
	return open(t, c)
}

// guess asks for a return and keys a number; it says whether that was asked for.
func (k *counter) guess(number string) bool {
	k.t.Helper()
	k.keys("REFUND")
	if k.till.State().Hand.Ask == "" {
		return false
	}
	k.digits(number, "ENTER")
	return true
}

// restart is a power cut: what is on disk goes on.
func (k *counter) restart() {
	k.t.Helper()
	var s State
	if err := json.Unmarshal(encode(k.t, k.till.State()), &s); err != nil {
		k.t.Fatal(err)
	}
	k.till = New(k.till.config, s)
	k.on(PowerResumed{})
}

// After the second wrong number none is taken for a while, however it is asked
// for, and whatever is switched off and on.
func TestSupervisorWait(t *testing.T) {
	k := guarded(t)
	k.kinds()
	k.guess("4712")
	k.guess("4713")
	k.wantShown("ﾊﾞﾝｺﾞｳ ﾁｶﾞｲ      K17", "ｾｷﾆﾝｼｬｦ ﾖﾌﾞ")
	k.wantKinds("override override")
	k.guess("4714")
	k.wantCode("K17")
	k.wantShown("ﾊﾞﾝｺﾞｳ ﾁｶﾞｲ      K17", "ｱﾄ 30ﾋﾞｮｳ ﾏﾂ")
	event, _ := k.records[len(k.records)-1].Body.(SecurityBody)
	if event.Event != "supervisor-wait" || !strings.Contains(event.Detail, "3 ") || strings.Contains(event.Detail, "4714") {
		t.Errorf("%+v", event)
	}
	k.wantKinds("override security.event")
	k.keys("REFUND")
	k.wantCode("K32")
	k.wantShown("ﾊﾞﾝｺﾞｳ ﾏﾁ        K32", "ｱﾄ 29ﾋﾞｮｳ ﾏﾂ")
	k.wantEffects("Beep")
	k.keys("9", "ENTER") // training
	k.wantCode("K32")
	k.press(k.sheet(), "NOSALE")
	k.wantCode("K32")
	k.on(labelled(rice, catalog.Said{Expiry: "2026-11-20"}))
	k.keys("ENTER")
	k.wantCode("K32")
	k.keys("9", "ENTER")
	k.wantCode("K32")
	k.restart()
	k.keys("REFUND")
	k.wantCode("K32")
	k.kinds()
	k.scan(note) // selling goes on
	k.keys("CASH")
	k.wantKinds("sale.open line.add tender.add sale.commit drawer.kick print.start")
	k.now = k.now.Add(30 * time.Second)
	if !k.guess("4711") {
		t.Fatal("not asked for after the wait")
	}
	k.wantCode("F01")
	k.keys("CLEAR")
	k.kinds()
	k.guess("1") // the right one has ended it
	k.wantKinds("override")
	if !k.guess("4711") {
		t.Error("a wait after one wrong number")
	}
}

// However fast somebody is, a day and a night give him a hundred numbers of
// ten thousand, and each is on record.
func TestSupervisorGuesses(t *testing.T) {
	k := guarded(t)
	k.kinds()
	tried := 0
	for until := k.now.Add(24 * time.Hour); k.now.Before(until); {
		if k.guess("0000") {
			tried++
		}
		k.keys("CLEAR")
		k.now = k.now.Add(5 * time.Second)
		if tried%10 == 9 {
			k.restart()
		}
	}
	kinds := k.kinds()
	if noted, waits := strings.Count(kinds, "override"), strings.Count(kinds, "security.event"); tried < 50 || tried > 110 || noted != tried || waits != tried-2 {
		t.Errorf("%d numbers tried, %d on record, %d waits", tried, noted, waits)
	}
}

// A clock that is set back starts the wait over, and no more than that; one that
// was a year ahead and is led back does not make a year of it.
func TestSupervisorClock(t *testing.T) {
	k := guarded(t)
	right := k.now
	k.now = k.now.AddDate(1, 0, 0)
	for range 3 {
		k.guess("1")
	}
	k.now = right
	if k.guess("1") {
		t.Error("the clock was set back, and the wait is over")
	}
	k.keys("CLEAR")
	k.now = k.now.Add(30 * time.Second)
	if !k.guess("4711") {
		t.Error("the clock was led back, and the wait does not end")
	}
}

// An operator who reads English is told as much.
func TestSupervisorEnglish(t *testing.T) {
	c := codes(shop())
	c.Supervisor, c.Locale, c.Currency = "4711", "en-US", "USD"
	k := open(t, c)
	for i := range 7 {
		k.guess("1")
		k.now = k.now.Add(time.Duration(i) * time.Minute)
	}
	k.wantShown("WRONG NUMBER     K17", "WAIT 15 MIN")
	k.keys("REFUND")
	k.wantShown("NUMBER LOCKED    K32", "WAIT 9 MIN")
}
