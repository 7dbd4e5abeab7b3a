package escpos

import (
	"slices"
	"strings"
	"testing"

	"regi/drivers"
	"regi/drivers/printerport"
	"regi/drivers/printjob"
)

// FuzzAnswers: no bytes from the printer answer more than was asked.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte{0x12, 0x16, 0x00, xoff, 0x10, 0x00, xon, 0x00, 0x00, 0x37, 0x22, 0, 0xFF}, byte(2), byte(3))
	f.Fuzz(func(t *testing.T, said []byte, asked, fences byte) {
		a := answers{want: "\x37\x72", plainly: fences%2 == 1, Ledger: printjob.Ledger{Tally: printerport.Tally{Asked: int(asked)}, Owes: slices.Repeat([]string{printjob.Unnamed, processID(7)}, int(fences))}}
		for i, b := range said {
			if i%7 == 6 {
				a.pausedLine()
			}
			a.feed(b)
		}
		if a.Asked < 0 || len(a.status)+a.Asked != int(asked) || a.Owed()+a.Passed != 2*int(fences) || len(a.part) >= autoBytes || len(a.block) > blockMax {
			t.Errorf("%+v", a)
		}
		if a.Extra+len(a.status)+a.Passed+len(a.byte)+a.rung > len(said) || a.Noise > 2*len(said) || len(a.found) > blockMax || a.rung > len(said)/autoBytes {
			t.Errorf("more answers than bytes: %+v", a)
		}
	})
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	type want struct {
		status                      string
		asked, extra, passed, noise int
		xoff                        bool
	}
	id := processID(1 << 40)
	for _, test := range []struct {
		name, said string
		want       want
	}{
		{"status", "\x12\x16", want{status: "\x12\x16"}},
		{"fences", "\x00\x0f", want{asked: 2, passed: 2}},
		{"printed", "\x00\x00\x37\x22" + id + "\x00", want{asked: 2, passed: 3}},
		{"printed, with all that may come inside", "\x00\x00\x37\x13\x22" + id[:1] + "\x11\x12" + id[1:] + "\x7e\x00", want{status: "\x12\x7e", passed: 3}},
		{"another was printed", "\x00\x00\x37\x22" + processID(1) + "\x00", want{asked: 2, passed: 2}},
		{"printed too early", "\x37\x22" + id + "\x00", want{asked: 2}},
		{"no ID", "\x00\x00\x37\x23" + id + "\x00\x37\x22" + id + "a\x00\x37\x22" + id[1:] + "\x00\x00", want{asked: 2, passed: 2, noise: 1}},
		{"unasked", "\x12\x12\x12\x00\x00\x00", want{status: "\x12\x12", extra: 1, passed: 2, noise: 1}},
		{"flow", "\x13\x11\x13", want{asked: 2, xoff: true}},
		{"automatic status, XOFF and an answer inside", "\x14\x00\x13\x0f\x12\x00", want{asked: 1, status: "\x12", xoff: true}},
		{"other block data", "\x5fTM-T88V\x00", want{asked: 2}},
		{"block without end", "\x5f" + strings.Repeat("\x32", blockMax) + "\x12", want{asked: 1, status: "\x12"}},
		{"printed, behind a broken byte", "\x00\x00\x37\x37\x22" + id + "\x00", want{asked: 2, passed: 3}},
		{"printed, behind another", "\x00\x00\x10\x37\x22" + id + "\x00", want{asked: 2, passed: 3, noise: 1}},
		{"automatic status cut short", "\x10\x00\xff\x00", want{asked: 2, passed: 1, noise: 2}},
		{"automatic status in another", "\x10\x00\x10\x00\x00\x00\x00", want{asked: 2, passed: 1, noise: 1}},
		{"noise", "\xff\x80\x90", want{asked: 2, noise: 3}},
	} {
		a := answers{Ledger: printjob.Ledger{Tally: printerport.Tally{Asked: 2}, Owes: []string{printjob.Unnamed, printjob.Unnamed, id}}}
		for _, b := range []byte(test.said) {
			a.feed(b)
		}
		got := want{string(a.status), a.Asked, a.Extra, a.Passed, a.Noise, a.Xoff}
		if got != test.want || len(a.part) != 0 || len(a.block) != 0 {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}

// TestAutomatic: each bit of an automatic status, and the bell that rings for a
// change only.
func TestAutomatic(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]drivers.PrinterStatus{
		"\x10\x00\x00\x0f": {},
		"\x14\x00\x00\x0f": {DrawerPin3: true},
		"\x38\x00\x00\x00": {Offline: true, CoverOpen: true},
		"\x18\x04\x00\x00": {Offline: true, Mechanical: true},
		"\x18\x08\x00\x00": {Offline: true, Cutter: true},
		"\x18\x20\x00\x00": {Offline: true, Unrecoverable: true},
		"\x18\x40\x00\x00": {Offline: true, HeadHot: true},
		"\x10\x00\x03\x00": {PaperNearEnd: true},
		"\x18\x00\x0f\x00": {Offline: true, PaperNearEnd: true, PaperOut: true},
		"\x18\x03\x00\x60": {Offline: true},
	} {
		var a answers
		for range 3 {
			for _, b := range []byte(said) {
				a.feed(b)
			}
		}
		if a.auto == nil || *a.auto != want || a.rung != 1 || a.Noise != 0 {
			t.Errorf("% x: %+v", said, a)
		}
		if _, halted := a.Halted(); halted != (want.Err() != nil) {
			t.Errorf("% x: stopped %v", said, halted)
		}
	}
}

// TestLost: the answer to a later fence tells that those before it were lost.
func TestLost(t *testing.T) {
	t.Parallel()
	one, two := processID(1), processID(2)
	a := answers{Ledger: printjob.Ledger{Owes: []string{one, two}}}
	for _, b := range []byte(processHead + two + "\x00") {
		a.feed(b)
	}
	if !a.Lost || a.Passed != 0 || a.Owed() != 2 {
		t.Errorf("%+v", a)
	}
}

// TestBlock: block data that was asked for, in which characters look like
// answers to DLE EOT.
func TestBlock(t *testing.T) {
	t.Parallel()
	a := answers{Ledger: printjob.Ledger{Tally: printerport.Tally{Asked: 1}}, want: "\x37\x72"}
	for _, b := range []byte("\x5fother\x00\x37\x72@1236\x12\x00") {
		a.feed(b)
	}
	if a.found != "\x37\x72@1236" || string(a.status) != "\x12" || a.Extra != 0 || a.Noise != 0 {
		t.Errorf("%+v", a)
	}
}
