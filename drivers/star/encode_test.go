package star

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"regi/drivers"
	"regi/drivers/barcode"
	"regi/drivers/glyph"
	"regi/drivers/printerport"
	"regi/drivers/printjob"
)

type failer interface{ Fatalf(string, ...any) }

// command is how long one of ours is that b begins with, and what it may be.
func command(b []byte) int {
	for _, c := range []struct {
		head string
		more int
		last string // what its parameters may be, all alike; "" is anything
	}{
		{"\x1b@", 0, ""},
		{"\x1b\x1ea", 1, "\x00"},
		{"\x1b\x1eF", 1, "\x00"},
		{"\x1b ", 1, "0"},
		{"\x1bs", 2, "0"},
		{"\x1bz", 1, "1"},
		{"\x12", 0, ""},
		{"\x1b$", 1, "01"},
		{"\x1bR", 1, "08"},
		{"\x1b\x1dt", 1, "\x02\x20\x04\x05\x0a"},
		{"\x1b\x07", 2, "\x0a"},
		{"\x1b\x1d\x03\x02", 2, "\x00"},
		{"\x1b\x1d\x03\x01", 2, ""},
		{"\x17", 0, ""},
		{"\x1b\x1da", 1, "012"},
		{"\x1bE", 0, ""},
		{"\x1bF", 0, ""},
		{"\x1bi", 2, "01"},
		{"\x1bd", 1, "3"},
		{"\x1b0", 0, ""},
		{"\x1bJ", 1, "\x08"},
		{"\x1br\xec", 73, ""},
		{"\x1b\x1dyS0", 1, "\x02"},
		{"\x1b\x1dyS1", 1, "\x01"},
		{"\x1b\x1dyS2", 1, "\x01\x02\x03\x04\x05\x06\x07\x08"},
		{"\x1b\x1dyP", 0, ""},
		{"\x1b\x1dxS0", 3, ""},
		{"\x1b\x1dxS1", 1, "\x02"},
		{"\x1b\x1dxS2", 1, "\x02\x03\x04"},
		{"\x1b\x1dxS3", 1, "\x03"},
		{"\x1b\x1dxP", 0, ""},
	} {
		n := len(c.head) + c.more
		if len(b) >= n && string(b[:len(c.head)]) == c.head && (c.last == "" || strings.Trim(string(b[len(c.head):n]), c.last) == "") {
			return n
		}
	}
	return payload(b)
}

// payload is how long a command with data is that b begins with.
func payload(b []byte) int {
	word := func(at int) int { return int(b[at]) + int(b[at+1])<<8 }
	switch {
	case bytes.HasPrefix(b, []byte("\x1bb")):
		return bytes.IndexByte(b, rs) + 1
	case bytes.HasPrefix(b, []byte("\x1bk")) && len(b) > 4:
		return 4 + 24*word(2)
	case bytes.HasPrefix(b, []byte("\x1b\x1dS\x01")) && len(b) > 9:
		return 9 + word(4)*word(6)
	case bytes.HasPrefix(b, []byte("\x1b\x1dxD")) && len(b) > 6:
		return 6 + word(4)
	case bytes.HasPrefix(b, []byte("\x1b\x1dyD1\x00")) && len(b) > 8:
		return 8 + word(6)
	}
	return 0
}

// check holds for every document: nothing but text and commands of ours, and no
// real-time command even in data.
func check(t failer, doc drivers.Document) {
	for _, m := range models {
		out, err := encode(m, doc, 1)
		if err != nil {
			if !errors.Is(err, drivers.ErrTooLong) && !errors.Is(err, drivers.ErrControl) && !errors.Is(err, drivers.ErrUnsupported) && !errors.Is(err, barcode.ErrData) && !errors.Is(err, barcode.ErrCheckDigit) {
				t.Fatalf("%v", err)
			}
			for _, item := range doc.Items { // all or nothing
				if len(doc.Items) > 1 {
					check(t, drivers.Document{Items: []drivers.Item{item}})
				}
			}
			continue
		}
		if bytes.Contains(out.Bytes, []byte("\x1b\x06")) {
			t.Fatalf("a real-time command")
		}
		lines := 0
		for b := out.Bytes; len(b) > 0; {
			n := 1
			if b[0] == lf {
				lines++
			} else if b[0] < ' ' || b[0] == 0x7F {
				if n = command(b); n <= 0 || n > len(b) {
					t.Fatalf("no command of ours: % x", b[:min(len(b), 12)])
				}
			}
			b = b[n:]
		}
		texts := 0
		for _, item := range doc.Items {
			if _, ok := item.(drivers.TextLine); ok {
				texts++
			}
		}
		if lines < texts {
			t.Fatalf("%d lines became %d", texts, lines)
		}
		blocks(t, out)
	}
}

// blocks checks them: in order, none too large for two of them and a question to
// be in the smallest buffer, all there.
func blocks(t failer, out printjob.Stream) {
	const half = 4096/2 - 3
	from := 0
	for _, b := range out.Units {
		if n := b.End - from; n <= 0 || n > half {
			t.Fatalf("block of %d bytes", n)
		}
		from = b.End
	}
	if from != len(out.Bytes) {
		t.Fatalf("the document ends without its fence")
	}
}

// nasty are the bytes of Star's commands, and what is like them.
func nasty() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{
		"\x1b\x06\x01", "\x1b\x06\x18", "\x1b", "\x06", "\x1c", "\x07", "\x19", "\x1a", "\x05", "\x04", "\x1bb12", "\x1e", "\x17",
		"ソ", "¥", `\`, "ｱ", "\U000E0100", "\x7f", "麵", "％", "%", "é", "ő", "Ж", "€", "e\u0301", "（", "」",
	})
}

func text() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		part := rapid.OneOf(nasty(), rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
		return strings.Join(rapid.SliceOfN(part, 0, 6).Draw(t, "text"), "")
	})
}

func item() *rapid.Generator[drivers.Item] {
	valid := rapid.SampledFrom([]string{
		"490123456789", "4912345", "03600029145", "425261", "1425261", "(01)04901234567894(10)A(21)1604", "A1604A", "ab16041605cd", "a\x1b\x06\x01",
	})
	align := func(t *rapid.T) drivers.Align { return drivers.Align(rapid.ByteMax(3).Draw(t, "align")) }
	return rapid.Custom(func(t *rapid.T) drivers.Item {
		switch rapid.IntRange(0, 5).Draw(t, "kind") {
		case 0:
			return drivers.Barcode{
				Symbology: drivers.Symbology(rapid.ByteMax(15).Draw(t, "symbology")), Data: rapid.OneOf(text(), valid).Draw(t, "data"), Align: align(t),
				Module: rapid.IntRange(-1, 9).Draw(t, "module"), Height: rapid.IntRange(-1, 99).Draw(t, "height"), Text: rapid.Bool().Draw(t, "hri"),
			}
		case 1:
			w := 8*rapid.IntRange(0, 80).Draw(t, "bytes wide") + rapid.IntRange(0, 1).Draw(t, "odd")*rapid.IntRange(1, 7).Draw(t, "more")
			w = max(w, 1)
			// Two shades are not dithered: the dots are these, ESC ACK among them.
			grey := make([]byte, 0, 40*w)
			for _, b := range rapid.SliceOfN(rapid.SampledFrom([]byte{0x1B, 0x06, 0x01, 0x18, 0x00}), 0, 40*w/8).Draw(t, "dots") {
				for bit := range 8 {
					grey = append(grey, 255*(1-b>>(7-bit)&1))
				}
			}
			return drivers.Picture{Width: w, Gray: grey[:len(grey)/w*w], Align: align(t)}
		}
		return drivers.TextLine{
			Text: text().Draw(t, "text"), Align: align(t), Bold: rapid.Bool().Draw(t, "bold"),
			Wide: rapid.Bool().Draw(t, "wide"), Tall: rapid.Bool().Draw(t, "tall"),
		}
	})
}

func TestNoCommandFromData(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		check(t, drivers.Document{Items: rapid.SliceOfN(item(), 0, 8).Draw(t, "items"), Cut: rapid.Bool().Draw(t, "cut")})
	})
}

// TestPicturesHoldNoCommand: whatever carries the dots.
func TestPicturesHoldNoCommand(t *testing.T) {
	t.Parallel()
	var gray []byte
	for _, b := range bytes.Repeat([]byte{0x1B, 0x06, 0x01, 0x1B, 0x06, 0x18}, 12*30) {
		for bit := range 8 {
			gray = append(gray, 255*(1-b>>(7-bit)&1))
		}
	}
	for _, align := range []drivers.Align{drivers.Left, drivers.Center, drivers.Right} {
		check(t, drivers.Document{Items: []drivers.Item{drivers.Picture{Width: 576, Gray: gray, Align: align}, drivers.Picture{Width: 48, Gray: gray, Align: align}}})
	}
}

func FuzzEncode(f *testing.F) {
	f.Add("珈琲 ¥1,080", byte(0))
	f.Add("\x1b\x06\x01\x1c", byte(11))
	f.Fuzz(func(t *testing.T, text string, style byte) {
		if len(text) > glyph.TextMax {
			return
		}
		line := drivers.TextLine{Text: text, Align: drivers.Align(style >> 4), Bold: style&1 != 0, Wide: style&2 != 0, Tall: style&4 != 0}
		check(t, drivers.Document{Items: drivers.Texts(line, drivers.TextLine{Text: text}), Cut: style&8 != 0})
		check(t, drivers.Document{Items: []drivers.Item{drivers.Barcode{Symbology: drivers.Symbology(style % 15), Data: text, Align: line.Align}}})
	})
}

func TestRefused(t *testing.T) {
	t.Parallel()
	code := func(s drivers.Symbology, data string) drivers.Item { return drivers.Barcode{Symbology: s, Data: data} }
	for _, test := range []struct {
		item drivers.Item
		want error
	}{
		{code(drivers.EAN13, "4901234567893"), barcode.ErrCheckDigit},
		{code(drivers.EAN13, "49012345678"), barcode.ErrData},
		{code(drivers.EAN8, "49x23456"), barcode.ErrData},
		{code(drivers.Code39, "abc"), barcode.ErrData},
		{code(drivers.ITF, "123"), barcode.ErrData},
		{code(drivers.Codabar, "12a4"), barcode.ErrData},
		{code(drivers.Code128, "a\x1b"), nil}, // drawn
		{code(drivers.Code128, "é"), barcode.ErrData},
		{code(drivers.Code128, strings.Repeat("x", 60)), drivers.ErrTooLong},
		{code(drivers.EAN13, ""), barcode.ErrData},
		{code(drivers.QRCode, strings.Repeat("x", drivers.BarcodeBytesMax+1)), drivers.ErrTooLong},
		{code(drivers.PDF417, "\x1b\x06\x01"), drivers.ErrControl},
		{code(drivers.PDF417, strings.Repeat("x", 1024)), nil},
		{code(drivers.QRCode, strings.Repeat("x", drivers.BarcodeBytesMax)), nil},
		{code(drivers.QRCode, strings.Repeat("\x1b\x06", 30)), nil},
		{code(drivers.QRCode, strings.Repeat("\x1b\x06", 300)), nil}, // drawn
		{code(drivers.DataMatrix, "x"), nil},
		{code(drivers.GS1128, "(01)04901234567894(10)A1"), nil},
		{code(drivers.DataBar, "0490123456789"), drivers.ErrUnsupported},
		{drivers.Barcode{Symbology: drivers.EAN8, Data: "4912345", Module: -1}, drivers.ErrUnsupported},
		{code(0, "x"), drivers.ErrUnsupported},
		{drivers.TextLine{Text: strings.Repeat("x", glyph.TextMax+1)}, drivers.ErrTooLong},
		{drivers.Picture{Gray: make([]byte, 20000), Width: 20000}, drivers.ErrTooLong},
		{drivers.Picture{Gray: make([]byte, 7), Width: 2}, drivers.ErrUnsupported},
		{drivers.Picture{}, drivers.ErrUnsupported},
		{nil, drivers.ErrUnsupported},
	} {
		_, err := encode(models[0], drivers.Document{Items: []drivers.Item{test.item}}, 1)
		if !errors.Is(err, test.want) {
			t.Errorf("%.60v: %v, want %v", test.item, err, test.want)
		}
	}
}

// TestCodeData is what is sent for a code's data.
func TestCodeData(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		symbology  drivers.Symbology
		data, want string
	}{
		{drivers.EAN13, "490123456789", "\x1bb3" + "\x31\x32\x4f" + "4901234567894\x1e"},
		{drivers.EAN8, "49123456", "\x1bb2\x31\x32\x4f49123456\x1e"},
		{drivers.UPCA, "03600029145", "\x1bb1\x31\x32\x4f036000291452\x1e"},
		{drivers.UPCE, "425261", "\x1bb0\x31\x32\x4f042100005264\x1e"}, // 0 425261 4 (GS1, example)
		{drivers.Code39, "A-1", "\x1bb4\x31\x35\x4fA-1\x1e"},
		{drivers.ITF, "1234", "\x1bb5\x31\x38\x4f1234\x1e"},
		{drivers.Codabar, "a12b", "\x1bb8\x31\x35\x4fA12B\x1e"},
		{drivers.Code128, "50%", "\x1bb6\x31\x32\x4f50%0\x1e"},
	} {
		out, err := encode(models[0], drivers.Document{Items: []drivers.Item{drivers.Barcode{Symbology: test.symbology, Data: test.data}}}, 1)
		if err != nil || !bytes.Contains(out.Bytes, []byte(test.want)) {
			t.Errorf("%d: %q, %v, want %q in it", test.symbology, out.Bytes[min(len(setUp), len(out.Bytes)):], err, test.want)
		}
	}
}

func TestFenceID(t *testing.T) {
	t.Parallel()
	n := 0
	for b := range 256 {
		if isID(byte(b)) {
			n++
		}
	}
	if n != idDigits {
		t.Errorf("%d digits, not %d", n, idDigits)
	}
	seen := map[string]bool{}
	for n := range int64(idDigits * idDigits) {
		seen[fenceID(n)] = true
	}
	if len(seen) != idDigits*idDigits {
		t.Errorf("%d IDs", len(seen))
	}
}

// TestMend: a piece that is cut short after any byte is ended by its mending,
// and never does what it would have done to a drawer.
func TestMend(t *testing.T) {
	t.Parallel()
	out, err := encode(models[0], drivers.Document{Items: []drivers.Item{
		drivers.Barcode{Symbology: drivers.Code128, Data: "abc"}, drivers.Barcode{Symbology: drivers.QRCode, Data: "abc"},
	}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	from := 0
	for _, b := range out.Units {
		unit := out.Bytes[from:b.End]
		for n := range unit {
			mend := mend(len(unit) - n)
			if len(mend) < len(unit)-n || bytes.ContainsAny(mend, "\x1c\x07\x1a\x19") {
				t.Errorf("% x is mended by % x", unit[:n], mend)
			}
			if mend[len(mend)-1] != rs {
				t.Errorf("a bar code is not ended: % x", mend)
			}
		}
		from = b.End
	}
}

// FuzzAnswers: no bytes from the printer answer more than was asked.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte("\x23\x06\x00\x13\x00\x00\x00\x00\x00\x00\x1b\x1d\x03\x01"+fenceID(7)+"\x01\x00\xff"), byte(1), byte(3), false)
	f.Add([]byte("\x23\x06\x00\x00\x00\x00\x00\x04\x00\x23\x06\x00\x00\x00\x00\x00\x00\x00"), byte(0), byte(3), true)
	f.Fuzz(func(t *testing.T, said []byte, asked, fences byte, counts bool) {
		owe := fenceID(7)
		if counts {
			owe = printjob.Unnamed
		}
		asked %= 2
		a := answers{Ledger: printjob.Ledger{Tally: printerport.Tally{Asked: int(asked)}, Owes: slices.Repeat([]string{owe}, int(fences))}}
		for _, b := range said {
			a.feed(b)
		}
		if a.Asked < 0 || a.Owed()+a.Passed != int(fences) || len(a.frame) > frameMost || len(a.reply) >= replyLength {
			t.Errorf("%+v", a)
		}
		if a.Noise > len(said) || !counts && frameLeast*(a.Extra+int(asked)-a.Asked)+replyLength*a.Passed > len(said) {
			t.Errorf("more answers than bytes: %+v", a)
		}
	})
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	type want struct {
		asked, extra, passed, noise int
		paperOut, jumped, xoff      bool
	}
	const out = "\x23\x06\x08\x00\x00\x08\x00\x00\x00"
	id := fenceID(1 << 14)
	reply := "\x1b\x1d\x03\x01" + id + "\x01\x00"
	for _, test := range []struct {
		name, said string
		want       want
	}{
		{"status", out, want{paperOut: true}},
		{"status of seven bytes", "\x0f\x02\x08\x00\x00\x08\x00", want{paperOut: true}},
		{"status that is longer by its second byte", "\x0b\x82\x08\x00\x00\x08\x00", want{paperOut: true}},
		{"XOFF inside", out[:3] + "\x13" + out[3:], want{paperOut: true, xoff: true}},
		{"unasked", out + out, want{extra: 1, paperOut: true}},
		{"cut short", out[:4] + out, want{noise: 4, paperOut: true}},
		{"too short to be one", "\x05\x02" + out, want{noise: 2, paperOut: true}},
		{"of no version", "\x23\x00" + out, want{noise: 2, paperOut: true}},
		{"printed", reply, want{asked: 1, passed: 1}},
		{"another was printed", "\x1b\x1d\x03\x01" + fenceID(1) + "\x01\x00", want{asked: 1}},
		{"printed, a status inside", reply[:5] + out + reply[5:], want{passed: 1, paperOut: true}},
		{"printed inside a status", out[:2] + reply + out[2:], want{passed: 1, paperOut: true}},
		{"printed, XON inside", reply[:6] + "\x11" + reply[6:], want{asked: 1, passed: 1}},
		{"printed, cut short and again", reply[:5] + reply, want{asked: 1, passed: 1, noise: 5}},
		{"noise", "\xff\x00\x90", want{asked: 1, noise: 3}},
	} {
		a := answers{Ledger: printjob.Ledger{Tally: printerport.Tally{Asked: 1}, Owes: []string{id}}}
		for _, b := range []byte(test.said) {
			a.feed(b)
		}
		got := want{a.Asked, a.Extra, a.Passed, a.Noise, a.status.PaperOut, a.Lost, a.Xoff}
		if got != test.want || len(a.frame) != 0 || len(a.reply) != 0 {
			t.Errorf("%s: %+v, want %+v (%+v)", test.name, got, test.want, a)
		}
	}
}

// TestCounted: the counter passes what is owed, over its end, and no more.
func TestCounted(t *testing.T) {
	t.Parallel()
	a := answers{etb: 30, Ledger: printjob.Ledger{Owes: []string{printjob.Unnamed, printjob.Unnamed, printjob.Unnamed}}}
	for _, step := range []struct {
		etb, passed int
		jumped      bool
	}{{30, 0, false}, {31, 1, false}, {1, 3, false}, {9, 3, false}} {
		a.count(step.etb)
		if a.Passed != step.passed || a.Lost != step.jumped {
			t.Errorf("%d: %d passed, jumped %v", step.etb, a.Passed, a.Lost)
		}
	}
	a.Owes = []string{printjob.Unnamed, printjob.Unnamed}
	if a.count(0); !a.Lost || a.Owed() != 2 {
		t.Errorf("the printer lost count: %+v", a)
	}
	for n := range etbs {
		if got := etbCount(byte(n&0x07<<1 | n&0x18<<2)); got != n {
			t.Errorf("%d is read as %d", n, got)
		}
	}
}

// TestLatinSigns: in a document of Europe's signs are bytes of a code table.
func TestLatinSigns(t *testing.T) {
	t.Parallel()
	const text, table = "‘a’ “b” – — … ° ×", "\x91a\x92 \x93b\x94 \x96 \x97 \x85 \xb0 \xd7"
	for _, name := range Models() {
		m, err := modelByName(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, latin := range []bool{true, false} {
			out, err := encode(m, drivers.Document{Latin: latin, Items: drivers.Texts(drivers.TextLine{Text: text})}, 1)
			if err != nil {
				t.Fatal(err)
			}
			if got := bytes.Contains(out.Bytes, []byte(table)); got != latin {
				t.Errorf("%s, Latin %t: %q", name, latin, out.Bytes)
			}
		}
	}
}
