package till

import (
	"strings"
	"testing"
	"time"
)

// sold is a counter after a cash sale whose paper is job 1.
func sold(t *testing.T) *counter {
	t.Helper()
	k := open(t, shop())
	k.scan(note)
	k.keys("CASH")
	k.kinds()
	return k
}

// TestPrintedOrNot: what nobody knows is asked, and stays asked until it is
// answered.
func TestPrintedOrNot(t *testing.T) {
	for key, want := range map[string]string{"ENTER": "print.done", "FN": "print.reprint print.start"} {
		k := sold(t)
		k.on(PrintFailed{Job: 1, Cause: "unplugged", Unknown: true})
		k.wantShown("ｲﾝｼﾞｦ ｶｸﾆﾝ       P03", "ｵﾂﾘ                0")
		k.wantKinds("print.fail")
		k.keys("CLEAR", "CLEAR")
		k.wantShown("ｲﾝｼﾞｦ ｶｸﾆﾝ        #1", "ｱﾘ=ENTER ﾅｼ=FN")
		k.scan(rice)
		k.wantShown("ｵﾆｷﾞﾘ ｻｹ       1x108", "ｺﾞｳｹｲ ?ｲﾝｼ       108")
		k.keys("ENTER")
		k.wantCode("K21") // not in the middle of a sale
		k.keys("CASH", "CLEAR")
		k.kinds()
		k.keys("CLEAR")
		k.wantShown("ｲﾝｼﾞｦ ｶｸﾆﾝ        #1", "ｱﾘ=ENTER ﾅｼ=FN")
		k.keys(key)
		if key == "FN" {
			if p, ok := k.effects[0].(Print); !ok || !p.Reprint || p.Receipt.SequenceNumber != 1 {
				t.Errorf("%+v", k.effects)
			}
		} else if body, ok := k.records[0].Body.(PrintBody); !ok || body.By != "operator" || body.Job != 1 {
			t.Errorf("%+v", k.records)
		}
		k.wantKinds(want)
		k.wantShown("ｲﾗｯｼｬｲﾏｾ", "")
		k.keys("ENTER")
		k.wantCode("K21")
	}
}

// TestAnswerAtOnce: the question is answered where it is asked, in a sale, too.
func TestAnswerAtOnce(t *testing.T) {
	k := sold(t)
	k.scan(rice)
	k.kinds()
	k.on(PrintFailed{Job: 1, Cause: "no answer in time", Unknown: true})
	k.wantShown("ｲﾝｼﾞｦ ｶｸﾆﾝ       P03", "ｱﾘ=ENTER ﾅｼ=FN")
	k.keys("ENTER")
	k.wantKinds("print.fail print.done")
	k.wantShown("ｵﾆｷﾞﾘ ｻｹ       1x108", "ｺﾞｳｹｲ            108")
}

// TestLateReceipt: one that waited too long comes out only if it is asked for.
func TestLateReceipt(t *testing.T) {
	for key, want := range map[string]string{"ENTER": "", "FN": "print.reprint print.start"} {
		k := sold(t)
		k.on(PrintFailed{Job: 1, Cause: "waited too long", Late: true})
		k.wantCode("P10")
		k.wantKinds("print.fail")
		k.keys("CLEAR", "CLEAR")
		k.wantShown("ﾌﾙｲ ﾚｼｰﾄ          #1", "ﾌﾖｳ=ENTER ｲﾝｼﾞ=FN")
		k.keys(key)
		k.wantKinds(want)
	}
}

// TestResumeLate: after a restart, what may have been printed is printed again,
// marked; what is old is asked about.
func TestResumeLate(t *testing.T) {
	for wait, want := range map[time.Duration]string{
		time.Minute:      "power.resume print.reprint print.start",
		11 * time.Minute: "power.resume",
	} {
		k := sold(t)
		k.now = k.now.Add(wait)
		k.on(PowerResumed{})
		k.wantKinds(want)
		if doubts := k.till.State().Doubts; (len(doubts) == 1) != (want == "power.resume") {
			t.Errorf("after %v: %+v", wait, doubts)
		}
	}
}

// TestDoubtsAreBounded: the oldest question is given up for newer papers.
func TestDoubtsAreBounded(t *testing.T) {
	k := open(t, shop())
	for i := range 3 * printsMax {
		k.scan(note)
		k.keys("CASH")
		k.on(PrintFailed{Job: uint64(i + 1), Cause: "unplugged", Unknown: true}) //nolint:gosec // small
	}
	s := k.till.State()
	if len(s.Doubts)+len(s.Prints) > printsMax || len(s.Doubts) == 0 || s.Doubts[len(s.Doubts)-1].Job.Receipt.SequenceNumber != 3*printsMax {
		t.Errorf("%d questions, %d jobs", len(s.Doubts), len(s.Prints))
	}
	k.scan(note)
	k.keys("CASH")
	k.wantEffects("Kick Print") // a question keeps no receipt from being printed
}

// TestPrinterWords: each state of the printer has its message, and its next
// step stays on the display between sales.
func TestPrinterWords(t *testing.T) {
	for detail, want := range map[string][3]string{
		"paper out":           {"P07", "ﾖｳｼ ｷﾞﾚ          P07", "ﾛｰﾙｦ ｺｳｶﾝ"},
		"cover open":          {"P08", "ﾌﾟﾘﾝﾀ ｶﾊﾞｰ       P08", "ｶﾊﾞｰｦ ｼﾒﾙ"},
		"cutter error":        {"P09", "ｶｯﾀ ｴﾗｰ          P09", "ｶﾐｦ ﾄｯﾃ ENTER"},
		"print head too hot":  {"P12", "ﾍｯﾄﾞ ｶﾈﾂ         P12", "ｼﾞﾄﾞｳﾃﾞ ｻｲｶｲｼﾏｽ"},
		"mechanical error":    {"P13", "ﾌﾟﾘﾝﾀ ｷｺｳ ｴﾗｰ    P13", "ｶﾐｦ ﾐﾃ ENTER"},
		"unrecoverable error": {"P14", "ﾌﾟﾘﾝﾀ ｺｼｮｳ       P14", "ﾃﾞﾝｹﾞﾝｦ ｲﾚﾅｵｽ"},
		"printer offline":     {"P01", "ﾌﾟﾘﾝﾀ ﾃｲｼ        P01", "ﾖｳｼ･ｶﾊﾞｰｦ ｶｸﾆﾝ"},
		"no answer in time":   {"P15", "ﾌﾟﾘﾝﾀ ｵｳﾄｳﾅｼ     P15", "ﾃﾞﾝｹﾞﾝｦ ｶｸﾆﾝ"},
		"unplugged":           {"V01", "ﾌﾟﾘﾝﾀ ｾﾂﾀﾞﾝ      V01", "ｹｰﾌﾞﾙｦ ｶｸﾆﾝ"},
	} {
		k := open(t, shop())
		k.on(Device{Name: "printer", Detail: detail})
		k.wantCode(want[0])
		k.wantShown(want[1], want[2])
		k.on(Device{Name: "printer", Up: true})
		k.wantShown("ｲﾗｯｼｬｲﾏｾ", "")
	}
}

// TestRecoverKey: a printer is told to go on by a person's key, and only where
// somebody had to remove something.
func TestRecoverKey(t *testing.T) {
	for detail, want := range map[string]string{"cutter error": "Recover", "mechanical error": "Recover", "paper out": "Beep", "unrecoverable error": "Beep"} {
		for _, paused := range []bool{false, true} {
			k := sold(t)
			if paused {
				k.on(PrintPaused{Job: 1, Cause: detail})
			} else {
				k.on(Device{Name: "printer", Detail: detail})
			}
			k.keys("CLEAR", "ENTER")
			k.wantEffects(want)
		}
	}
}

// TestDeviceNames: the display says which device, in its own language.
func TestDeviceNames(t *testing.T) {
	english := shop()
	english.Locale = "en"
	for _, device := range devices {
		for _, config := range []Config{shop(), english} {
			k := open(t, config)
			k.on(Device{Name: device, Detail: "unplugged"})
			n := deviceNames[device]
			name := n.ja
			if config.Locale == "en" {
				name = n.en
			}
			if name == "" || !strings.HasPrefix(k.shown.Upper, name+" ") {
				t.Errorf("%s: %q", device, k.shown.Upper)
			}
		}
	}
}

// TestTwoPieces: after a change of the roll the operator is told what to do for
// a whole receipt.
func TestTwoPieces(t *testing.T) {
	k := sold(t)
	k.on(PrintPaused{Job: 1, Cause: "paper out"})
	k.on(PrintPaused{Job: 1})
	k.on(Printed{Job: 1})
	k.wantCode("P11")
	k.wantKinds("print.done")
}

// TestReprintAnswers: a copy asked for by FN settles the question about the same
// receipt.
func TestReprintAnswers(t *testing.T) {
	k := sold(t)
	k.on(PrintFailed{Job: 1, Cause: "unplugged", Unknown: true})
	k.keys("CLEAR", "FN")
	k.wantKinds("print.fail print.reprint print.start")
	if n := len(k.till.State().Doubts); n != 0 {
		t.Errorf("%d questions", n)
	}
}
