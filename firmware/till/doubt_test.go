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

// TestTwoPiecesOfWhat: each form says how it can be had whole, and what cannot
// be printed again is not promised.
func TestTwoPiecesOfWhat(t *testing.T) {
	for what, x := range map[string]struct {
		keys []string
		job  uint64
		code string
	}{
		"a receipt":  {[]string{"1", "1", "0", "CASH"}, 1, "P11"},
		"a 領収書":      {[]string{"CASH", "1", "ENTER"}, 2, "P16"},
		"an X":       {[]string{"CASH", "X"}, 2, "P17"},
		"a Z":        {[]string{"CASH", "Z"}, 2, "P18"},
		"an order":   {[]string{"2", "ENTER"}, 1, "P18"},
		"a training": {[]string{"CLEAR", "SUBTOTAL", "VOID", "VOID", "9", "ENTER", "ENTER", "SCAN", "CASH"}, 1, "P18"},
		"a sheet":    {[]string{"CASH", "5", "ENTER"}, 2, "P19"},
	} {
		config := shop()
		config.CodeKey = make([]byte, 32)
		k := open(t, config)
		k.scan(note)
		for _, key := range x.keys {
			if key == "SCAN" {
				k.scan(note)
				continue
			}
			k.keys(key)
		}
		k.on(PrintPaused{Job: x.job, Cause: "paper out"})
		k.on(PrintPaused{Job: x.job})
		k.on(Printed{Job: x.job})
		if len(k.codes) == 0 || k.codes[len(k.codes)-1] != x.code {
			t.Errorf("%s: told %v, want %s", what, k.codes, x.code)
		}
	}
}

// TestCopyIsOfOnePiece: a copy that came out whole is not said to be in two.
func TestCopyIsOfOnePiece(t *testing.T) {
	k := sold(t)
	k.on(PrintPaused{Job: 1, Cause: "paper out"})
	k.on(PrintPaused{Job: 1})
	k.on(PrintFailed{Job: 1, Cause: "unplugged", Unknown: true})
	k.keys("FN")
	k.on(Printed{Job: 2})
	if len(k.codes) != 0 {
		t.Errorf("told %v", k.codes)
	}
}

// TestAddressedInTwo: a 領収書 in two pieces is had whole once more, marked.
func TestAddressedInTwo(t *testing.T) {
	k := sold(t)
	k.keys("1", "ENTER")
	k.on(PrintPaused{Job: 2, Cause: "paper out"})
	k.on(PrintPaused{Job: 2})
	k.on(Printed{Job: 2})
	k.keys("1", "ENTER")
	if p := k.print(); p.Form != FormAddressed || !p.Reprint {
		t.Errorf("%+v", p)
	}
	k.on(Printed{Job: 3})
	k.keys("1", "ENTER")
	k.wantCode("K20")
}

// TestQuestionComesBack: the trouble of a device stands over a question only
// while it lasts.
func TestQuestionComesBack(t *testing.T) {
	for what, trouble := range map[string][2]Event{
		"cable": {Device{Name: "printer", Detail: "unplugged"}, Device{Name: "printer", Up: true}},
		"paper": {Device{Name: "printer", Detail: paperOut}, Device{Name: "printer", Up: true}},
	} {
		k := sold(t)
		k.on(PrintFailed{Job: 1, Cause: "unplugged", Unknown: true})
		k.on(trouble[0])
		if k.shown.Upper == "ｲﾝｼﾞｦ ｶｸﾆﾝ       P03" {
			t.Errorf("%s: not shown", what)
		}
		k.on(Device{Name: "scanner", Detail: "unplugged"})
		k.on(Device{Name: "scanner", Up: true})
		if k.shown.Upper == "ｲﾝｼﾞｦ ｶｸﾆﾝ       P03" {
			t.Errorf("%s: asked before a printer that cannot print", what)
		}
		k.on(trouble[1])
		k.wantShown("ｲﾝｼﾞｦ ｶｸﾆﾝ       P03", "ｵﾂﾘ                0")
		k.kinds()
		k.keys("ENTER")
		k.wantKinds("print.done")
	}
}

// TestSaidOnce: a roll that ends in the middle of a receipt is one message,
// whoever tells it first.
func TestSaidOnce(t *testing.T) {
	for _, events := range [][]Event{
		{PrintPaused{Job: 1, Cause: paperOut}, Device{Name: "printer", Detail: paperOut}},
		{Device{Name: "printer", Detail: paperOut}, PrintPaused{Job: 1, Cause: paperOut}},
	} {
		k := sold(t)
		said := 0
		for _, e := range events {
			k.on(e)
			said += len(k.codes)
		}
		k.wantShown("ﾖｳｼ ｷﾞﾚ          P07", "ｵﾂﾘ                0")
		if said != 1 {
			t.Errorf("said %d times", said)
		}
	}
}

// TestScanUnderTrainingQuestion: no sale begins, training or real, before the
// question is answered.
func TestScanUnderTrainingQuestion(t *testing.T) {
	k := open(t, shop())
	k.keys("9", "ENTER")
	k.kinds()
	k.scan(note)
	k.wantCode("T02")
	k.wantEffects("Beep")
	k.wantPhase(Idle)
	k.wantKinds("")
	k.keys("ENTER")
	k.wantKinds("training.on")
	k.scan(note)
	if s := k.till.State(); s.Sale == nil || !s.Sale.Receipt.TrainingModeFlag {
		t.Errorf("%+v", s.Sale)
	}
	k = open(t, shop())
	k.keys("9", "ENTER", "CLEAR")
	k.scan(note)
	k.wantPhase(Selling)
}

// TestRefundInRefund: what to do in a return is said in its own words.
func TestRefundInRefund(t *testing.T) {
	config := shop()
	config.CodeKey = make([]byte, 32)
	k := open(t, config)
	k.scan(note)
	k.keys("CASH")
	label := k.codeOf()
	k.keys("CLEAR", "REFUND")
	k.code(label)
	k.keys("REFUND")
	k.wantCode("F11")
	k.wantPhase(Selling)
}

// TestFailedOther: FN is offered for receipts only.
func TestFailedOther(t *testing.T) {
	for code, key := range map[string]string{"P02": "SUBTOTAL", "P20": "X"} {
		k := sold(t)
		job := uint64(1)
		if key == "X" {
			k.keys("X")
			job = 2
		}
		k.on(PrintFailed{Job: job, Cause: "too long"})
		k.wantCode(code)
	}
}
