package till

import (
	"slices"
	"strings"
	"testing"

	"regi/firmware/gs1"
)

// sheet is what is on paper until the next Z.
func (k *counter) sheet() map[string]string {
	codes := map[string]string{}
	for _, key := range k.till.Sheet() {
		codes[key.Name] = key.Code
	}
	return codes
}

// press scans keys of the sheet in hand.
func (k *counter) press(sheet map[string]string, names ...string) {
	k.t.Helper()
	for _, name := range names {
		if sheet[name] == "" {
			k.t.Fatalf("no %s on the sheet", name)
		}
		k.on(Scanned{Label: sheet[name]})
	}
}

// TestSheetSells: a register with a scanner and a sheet sells.
func TestSheetSells(t *testing.T) {
	k := open(t, codes(shop()))
	sheet := k.sheet()
	k.scan(note)
	k.press(sheet, "2", "QTY")
	k.scan(rice)
	k.press(sheet, "VOID")
	k.wantPhase(Selling)
	k.scan(rice)
	k.press(sheet, "SUBTOTAL", "1", "0", "00", "CASH")
	k.wantPhase(Idle)
	if total := k.last().Total; total != 218 {
		t.Errorf("total %d", total)
	}
	k.wantShown("ｺﾞｳｹｲ            218", "ｵﾂﾘ              782")
}

// TestSheetOfYesterday: a Z ends the life of a sheet, and nothing is done by one
// whose life has ended or that this register has not printed.
func TestSheetOfYesterday(t *testing.T) {
	k := open(t, codes(shop()))
	old := k.sheet()
	k.keys("Z", "1", "OPEN")
	k.scan(note)
	for name, code := range old {
		before := k.till.State()
		before.Hand, before.Time = Hand{}, start
		k.on(Scanned{Label: code})
		k.wantCode("K29")
		after := k.till.State()
		after.Hand, after.Time = Hand{}, start
		if string(encode(t, before)) != string(encode(t, after)) || len(k.effects) != 1 {
			t.Errorf("%s of an old sheet did something: %v", name, k.effects)
		}
	}
	other := shop()
	other.Register = "02"
	foreign := open(t, codes(other)).sheet()
	good := k.sheet()["CASH"]
	for _, label := range []string{
		foreign["CASH"], "~K:", "~K:CASH", "~K:CASH:", "~K:CASH:00000000", good[:len(good)-1], good + "0",
		"~K:CARD" + good[len("~K:CASH"):], "~K:nonsense:12345678", "~K::" + good[len(good)-8:], "~K:" + strings.Repeat("9", 45),
	} {
		k.on(Scanned{Label: label})
		k.wantCode("K28")
		k.wantEffects("Beep")
		k.wantPhase(Selling)
	}
	k.on(Scanned{Label: good, Problem: ProblemSymbology})
	k.wantCode("K28")
	k.press(k.sheet(), "CASH")
	k.wantPhase(Idle)
}

// TestSheetSupervisor: what a supervisor does is not done by paper alone.
func TestSheetSupervisor(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*counter)
		key    string
	}{
		"X":                      {func(*counter) {}, "X"},
		"Z":                      {func(*counter) {}, "Z"},
		"NOSALE":                 {func(*counter) {}, "NOSALE"},
		"REFUND":                 {func(*counter) {}, "REFUND"},
		"OPEN":                   {func(k *counter) { k.keys("Z", "1") }, "OPEN"},
		"DISCOUNT":               {func(k *counter) { k.scan(note); k.keys("1", "0") }, "DISCOUNT"},
		"the last line":          {func(k *counter) { k.scan(note) }, "VOID"},
		"the sale":               {func(k *counter) { k.scan(note, rice); k.keys("SUBTOTAL", "VOID") }, "VOID"},
		"a part payment":         {func(k *counter) { k.scan(note); k.keys("1", "0", "CASH") }, "VOID"},
		"training":               {func(k *counter) { k.keys("9") }, "ENTER"},
		"training, once allowed": {func(k *counter) { k.keys("9", "ENTER") }, "ENTER"},
	} {
		t.Run(name, func(t *testing.T) {
			k := open(t, codes(shop()))
			c.before(k)
			k.records = nil
			phase := k.till.State().Phase()
			k.press(k.sheet(), c.key)
			k.wantCode("K30")
			k.wantEffects("Beep")
			k.wantKinds("")
			k.wantPhase(phase)
		})
	}
}

// TestSheetWithNumber: with the supervisor's number it is done, what was keyed
// before it included; a wrong number is on record.
func TestSheetWithNumber(t *testing.T) {
	c := codes(shop())
	c.Supervisor = "4711"
	k := &counter{t: t, till: New(c, State{}), now: start}
	sheet := k.sheet()
	k.press(sheet, "7", "OPEN")
	k.wantCode("K16")
	k.press(sheet, "4")
	k.wantShown(k.shown.Upper, "                   *")
	k.press(sheet, "7", "1", "2", "ENTER")
	k.wantCode("K17")
	k.wantPhase(Closed)
	k.press(sheet, "7", "OPEN", "4", "7", "1", "1", "ENTER")
	k.wantPhase(Idle)
	if operator := k.till.State().Shift.OperatorID; operator != "7" {
		t.Errorf("opened by %q", operator)
	}
	k.wantKinds("override override shift.open")
	k.scan(note, rice)
	k.press(sheet, "SUBTOTAL", "VOID", "VOID")
	k.wantCode("K16")
	k.keys("4", "7", "1", "1", "ENTER")
	k.wantPhase(Idle)
	k.wantKinds("sale.open line.add line.add override void")
	k.scan(note)
	k.press(sheet, "VOID")
	k.wantCode("K16")
	k.press(sheet, "CLEAR")
	k.wantPhase(Selling)
	k.press(sheet, "CASH")
	k.press(sheet, "1", "1", "0", "Z", "4", "7", "1", "1", "ENTER")
	k.wantPhase(Closed)
	if z := k.till.State().Counters.Z; z != 1 {
		t.Errorf("Z %d", z)
	}
}

// TestSheetPrints: 5 ENTER prints the sheet, also while closed; after a Z it
// comes by itself where that is set.
func TestSheetPrints(t *testing.T) {
	c := codes(shop())
	k := open(t, c)
	k.keys("5", "ENTER")
	k.wantEffects("Print")
	job, _ := k.effects[0].(Print)
	if job.Form != FormSheet || len(job.Sheet) != len(sheetKeys) || job.Receipt != nil || job.Report != nil {
		t.Errorf("%+v", job)
	}
	k.on(PrintFailed{Job: job.Job, Unknown: true})
	k.keys("FN")
	k.wantEffects("Print")
	k.scan(note)
	k.keys("5", "ENTER")
	k.wantCode("K21")
	k.keys("VOID", "Z", "5", "ENTER")
	k.wantEffects("Print")
	k.on(PowerResumed{})
	if !slices.ContainsFunc(k.effects, func(e Effect) bool { p, ok := e.(Print); return ok && len(p.Sheet) > 0 }) {
		t.Errorf("after a power cut: %v", k.effects)
	}
	c.SheetAfterZ = true
	k = open(t, c)
	k.keys("Z")
	k.wantEffects("Print Print")
	c.SheetOff = true
	k = open(t, c)
	k.keys("Z")
	k.wantEffects("Print")
	k.keys("5", "ENTER")
	k.wantCode("K31")
	k.on(Scanned{Label: open(t, codes(shop())).sheet()["1"]})
	k.wantCode("K28")
	if sheet := open(t, shop()).till.Sheet(); sheet != nil {
		t.Error("a sheet without a key: ", sheet)
	}
}

// TestSheetCodes: each key has a code of its own, no good has one like it, and
// all are short enough for 58 mm paper: Code 128 in 192 modules, of which start,
// check and stop take 35 and a symbol 11.
func TestSheetCodes(t *testing.T) {
	k := open(t, codes(shop()))
	seen := map[string]bool{}
	for _, key := range k.till.Sheet() {
		if seen[key.Code] {
			t.Errorf("%s is there twice", key.Code)
		}
		seen[key.Code] = true
		if _, err := gs1.GTIN14(key.Code, ""); err == nil {
			t.Errorf("%s is a good", key.Code)
		}
		letters, digits := len(key.Code)-8, 8
		if modules := 35 + 11*(letters+1+digits/2); modules > 192 {
			t.Errorf("%s takes %d modules", key.Code, modules)
		}
	}
	if len(seen) != 26 {
		t.Errorf("%d keys", len(seen))
	}
}

// FuzzSheet: no text but the codes of this register's sheets is a key, and what is
// none changes nothing.
func FuzzSheet(f *testing.F) {
	good := map[string]string{}
	k := open(&testing.T{}, codes(shop()))
	for _, key := range k.till.Sheet() {
		good[key.Code] = key.Name
		f.Add(key.Code)
	}
	f.Add("~K:CASH:00000000")
	f.Add("~K::")
	f.Fuzz(func(t *testing.T, label string) {
		name, old := k.till.readSheet(label)
		if name != good[label] || old {
			t.Errorf("%q is %q, old %v", label, name, old)
		}
		one := open(t, codes(shop()))
		before := one.till.State()
		one.on(Scanned{Label: SheetPrefix + label})
		after := one.till.State()
		before.Hand, after.Hand, before.Time, after.Time = Hand{}, Hand{}, start, start
		if good[clip(SheetPrefix+label, labelMax)] == "" && string(encode(t, before)) != string(encode(t, after)) {
			t.Errorf("%q did something", label)
		}
	})
}

// TestKeyFaults: the operator sees what the keypad says, and keys the number
// again.
func TestKeyFaults(t *testing.T) {
	k := open(t, shop())
	for fault, code := range map[string]string{
		FaultUnknown: "K23", FaultStuck: "K24", FaultTogether: "K25", FaultBounces: "K26", FaultLost: "K27", "new": "K23",
	} {
		k.keys("1", "2")
		k.on(KeyFault{Fault: fault, Key: "7"})
		k.wantCode(code)
		k.wantEffects("Beep")
		if k.till.State().Hand.Digits != "" {
			t.Errorf("%s leaves half a number", fault)
		}
	}
}

// TestFaces: the customer sees the sale, and nothing that is the operator's.
func TestFaces(t *testing.T) {
	k := &counter{t: t, till: New(shop(), State{}), now: start}
	want := func(upper, lower string) {
		t.Helper()
		if got := [2]string{k.shown.Customer[0], k.shown.Customer[1]}; got != [2]string{upper, lower} {
			t.Errorf("the customer sees %q, want %q", got, [2]string{upper, lower})
		}
	}
	k.keys("1")
	want("ｷｭｳｼﾁｭｳ", "")
	k.keys("OPEN")
	want("ｲﾗｯｼｬｲﾏｾ", "")
	k.on(Cloud{})
	k.on(Device{Name: "scanner", Detail: "unplugged"})
	k.on(DrawerLeftOpen{})
	want("ｲﾗｯｼｬｲﾏｾ", "")
	k.scan(note)
	want("ﾉｰﾄ A5         1x110", "ｺﾞｳｹｲ            110")
	k.wantShown("ﾉｰﾄ A5         1x110", "ｺﾞｳｹｲ !ｽｷｬﾅ      110")
	k.keys("2", "QTY", "5")
	want("ﾉｰﾄ A5         1x110", "ｺﾞｳｹｲ            110")
	k.on(Scanned{Label: "x", Problem: ProblemUnknownCode})
	k.wantCode("S01")
	want("ﾉｰﾄ A5         1x110", "ｺﾞｳｹｲ            110")
	k.keys("CLEAR", "SUBTOTAL")
	want("ｺﾞｳｹｲ            110", "ｵｼﾊﾗｲ ｦ ﾄﾞｳｿﾞ")
	k.keys("5", "0", "CASH")
	want("ｺﾞｳｹｲ            110", "ﾉｺﾘ               60")
	k.keys("1", "00", "CASH")
	want("ｺﾞｳｹｲ            110", "ｵﾂﾘ               40")
	k.keys("VOID")
	k.wantCode("K04")
	want("ｲﾗｯｼｬｲﾏｾ", "")
}

// TestMarks: a device that is away is a mark beside the amount, which stays
// whole; what stops work first is seen.
func TestMarks(t *testing.T) {
	k := open(t, shop())
	big := note
	big.Price = 9_999_999
	k.scan(note)
	k.on(Device{Name: "drawer", Detail: "unplugged"})
	k.wantShown("ﾉｰﾄ A5         1x110", "ｺﾞｳｹｲ !ﾄﾞﾛｱ      110")
	k.on(Device{Name: "keypad", Detail: "unplugged"})
	k.wantShown("ﾉｰﾄ A5         1x110", "ｺﾞｳｹｲ !ｷｰ        110")
	k.on(Device{Name: "scanner", Detail: "unplugged"})
	k.wantShown("ﾉｰﾄ A5         1x110", "ｺﾞｳｹｲ !ｽｷｬﾅ      110")
	k.keys("9", "QTY")
	k.scan(big)
	k.wantShown("ﾉｰﾄ A5   9x9,999,999", "ｺﾞｳｹｲ !ｽｷｬ90,000,101")
	k.on(Device{Name: "printer", Detail: "unplugged"})
	k.wantShown("ﾉｰﾄ A5   9x9,999,999", "ｺﾞｳｹｲ !PRN90,000,101")
	for _, name := range []string{"printer", "scanner", "keypad", "drawer"} {
		k.on(Device{Name: name, Up: true})
	}
	k.wantShown("ﾉｰﾄ A5   9x9,999,999", "ｺﾞｳｹｲ     90,000,101")
}

// TestLongName: the whole of it is there to be scrolled, and goes with its line.
func TestLongName(t *testing.T) {
	k := open(t, shop())
	long := note
	long.Kana = "ｼﾝｼｭﾝ ﾄｸｾﾝ ﾂﾐﾚｲｼﾞﾙ ﾚﾄﾙﾄ 350g"
	k.scan(long)
	if k.shown.Long != long.Kana || k.shown.Tail != "1x110" {
		t.Errorf("%q, %q", k.shown.Long, k.shown.Tail)
	}
	k.wantShown("ｼﾝｼｭﾝ ﾄｸｾﾝ ﾂﾐﾚ 1x110", "ｺﾞｳｹｲ            110")
	k.scan(note)
	if k.shown.Long != "" || k.shown.Tail != "" {
		t.Errorf("%q, %q", k.shown.Long, k.shown.Tail)
	}
}
