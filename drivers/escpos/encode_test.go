package escpos

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"regi/drivers"
	"regi/drivers/glyph"
	"regi/drivers/printjob"
	"regi/drivers/raster"
)

// ours are all commands that a document may hold, by their first two bytes, with
// the values their parameters may have; or none, if payload knows its length.
func ours() map[string][]string {
	var ids []string
	for n := range int64(2000) {
		ids = append(ids, processID(n))
	}
	pages := []string{"\x01", "\x0f", "\x10", "\x11", "\x12", "\x13", "-", ".", "/", "0", "3"}
	return map[string][]string{
		"\x1b@": {""}, "\x1cC": {"\x00", "\x01"}, "\x1bR": {"\x00", "\x08"}, "\x1bt": pages,
		"\x1c&": {""}, "\x1c.": {""}, "\x1ba": {"\x00", "\x01", "\x02"}, "\x1bE": {"\x00", "\x01"},
		"\x1d!": {"\x00", "\x01", "\x10", "\x11"}, "\x1c!": {"\x00", "\x04", "\x08", "\x0c"},
		"\x1dr": {"\x01"}, "\x1dV": {"B\x00"}, "\x1bd": {"\x05"}, "\x1d(H": ids,
		"\x1b2": {""}, "\x1b3": {"\x18"}, "\x1bL": {""}, "\x1bT": {"\x00"}, "\x1dP": {"\x00\x00", "\xb4\xb4", "\xcb\xcb"},
		"\x1df": {"\x00"}, "\x1dH": {"\x00", "\x02"}, "\x1dw": {"\x02", "\x03", "\x04", "\x05", "\x06"},
	}
}

// payload is how long a command with free parameters is, 0 for no such command.
func payload(b []byte) int {
	at := func(i int) int {
		if i < len(b) {
			return int(b[i])
		}
		return 1 << 20
	}
	switch string(b[:min(2, len(b))]) {
	case "\x1bJ", "\x1dh":
		return 3
	case "\x1b$", "\x1d$":
		return 4
	case "\x1bW":
		return 10
	case "\x1c2":
		return 4 + 72
	case "\x1b*":
		return 5 + 3*(at(3)+at(4)<<8)
	case "\x1dv":
		return 8 + (at(4)+at(5)<<8)*(at(6)+at(7)<<8)
	case "\x1dk":
		return 4 + at(3)
	case "\x1d(":
		if c := at(2); c == 'k' || c == 'L' {
			return 5 + at(3) + at(4)<<8
		}
	}
	return 0
}

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// text takes the commands away and fails on what is no text then.
func text(t failer, b []byte) (rest []byte) {
	t.Helper()
	commands := ours()
	page := false
	for len(b) > 0 {
		if b[0] >= ' ' && b[0] != 0x7F || b[0] == lf || b[0] == '\f' && page {
			rest, b = append(rest, b[0]), b[1:]
			continue
		}
		n := payload(b)
		for length := 2; length <= min(3, len(b)) && n == 0; length++ {
			for _, parameters := range commands[string(b[:length])] {
				if parameters = strings.TrimPrefix(parameters, ""); bytes.HasPrefix(b[length:], []byte(parameters)) {
					n = length + len(parameters)
				}
				if string(b[:length]) == "\x1d(H" && bytes.HasPrefix(b[3:], []byte("\x06\x00\x30\x30"+parameters)) {
					n = 11
				}
			}
		}
		if n == 0 || n > len(b) {
			t.Fatalf("no command of ours: % x", b[:min(len(b), 8)])
		}
		page = page || b[1] == 'L'
		b = b[n:]
	}
	return rest
}

// check holds for every document: what is in it becomes no command.
func check(t failer, doc drivers.Document) {
	t.Helper()
	for _, m := range models {
		checkOn(t, m, doc)
	}
}

func checkOn(t failer, m Model, doc drivers.Document) {
	t.Helper()
	out, err := encode(m, doc, 1)
	if err != nil {
		if len(out.Bytes) > 0 {
			t.Fatalf("bytes with an error")
		}
		for _, item := range doc.Items { // all or nothing
			if len(doc.Items) > 1 {
				checkOn(t, m, drivers.Document{Items: []drivers.Item{item}})
			}
		}
		return
	}
	for i := range out.Bytes[1:] {
		if realTimeAt(out.Bytes, i) {
			t.Fatalf("%s: real-time command % x at %d", m.Name, out.Bytes[i:i+2], i)
		}
	}
	for _, l := range out.logos {
		if b := l.store(); meaning(b) {
			t.Fatalf("%s: real-time command in a logo", m.Name)
		}
	}
	rest := text(t, out.Bytes)
	least := 0
	for _, item := range doc.Items {
		if _, ok := item.(drivers.TextLine); ok {
			least++
		}
	}
	if n := bytes.Count(rest, []byte{lf}); n < least {
		t.Fatalf("%d lines became %d", least, n)
	}
	units(t, m, doc, out)
}

// units are short, and say what they complete.
func units(t failer, m Model, doc drivers.Document, out stream) {
	t.Helper()
	from, items := 0, 0
	for i, u := range out.Units {
		if n := u.End - from; n > drivers.BarcodeBytesMax+glyph.TextMax {
			t.Fatalf("unit of %d bytes", n)
		}
		if u.Items != printjob.MidItem {
			if u.Items < items || u.Blank && i < len(out.Units)-1 && u.Items > 0 {
				t.Fatalf("unit %d: %+v after %d items", i, u, items)
			}
			items = u.Items
		}
		if from = u.End; i == len(out.Units)-1 && (from != len(out.Bytes) || len(u.Fences) != map[bool]int{false: lastFences, true: 1}[m.PrintComplete]) {
			t.Fatalf("the document ends without its fences")
		}
	}
	if items != len(doc.Items) {
		t.Fatalf("%d items of %d", items, len(doc.Items))
	}
}

// documents are full of what must not get through.
func documents() *rapid.Generator[drivers.Document] {
	nasty := rapid.SampledFrom([]string{
		"\x10\x04\x01", "\x10\x05\x02", "\x10\x14\x01\x00\x01", "\x1bp\x00\x32\xfa", "\x1d", "\x1c&", "ソ", "¥", `\`,
		"ｱ", "\U000E0100", "\x10", "\x04", "\x7f", "麵", "😀", "é", "ő", "Ж", "ω", "€", "e\u0301", "（", "」", "16041605",
	})
	anything := rapid.Map(rapid.SliceOfN(rapid.OneOf(nasty, rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })), 0, 6),
		func(s []string) string { return strings.Join(s, "") })
	line := rapid.Custom(func(t *rapid.T) drivers.TextLine {
		return drivers.TextLine{
			Text: anything.Draw(t, "text"), Align: drivers.Align(rapid.Byte().Draw(t, "align")), Bold: rapid.Bool().Draw(t, "bold"),
			Wide: rapid.Bool().Draw(t, "wide"), Tall: rapid.Bool().Draw(t, "tall"),
		}
	})
	code := rapid.Custom(func(t *rapid.T) drivers.Barcode {
		return drivers.Barcode{
			Symbology: drivers.Symbology(rapid.IntRange(int(drivers.UPCA), int(drivers.DataMatrix)).Draw(t, "symbology")),
			Data: rapid.OneOf(anything, rapid.SampledFrom([]string{
				"490123456789", "4912345", "03600029145", "425261", "(01)04901234567894(10)A(21)16041605", "A1604A", "ab16041605cd",
			})).Draw(t, "data"),
			Align: drivers.Align(rapid.IntRange(0, 2).Draw(t, "align")), Module: rapid.IntRange(0, 7).Draw(t, "module"),
			Height: rapid.IntRange(0, 40).Draw(t, "height"), Text: rapid.Bool().Draw(t, "text below"),
		}
	})
	picture := rapid.Custom(func(t *rapid.T) drivers.Picture {
		width := rapid.IntRange(1, 600).Draw(t, "width")
		return drivers.Picture{
			Width: width, Gray: noise(rapid.Uint64().Draw(t, "seed"), width*rapid.IntRange(1, 60).Draw(t, "height")),
			Align: drivers.Align(rapid.IntRange(0, 2).Draw(t, "align")), Keep: rapid.Bool().Draw(t, "keep"),
		}
	})
	single := rapid.OneOf(
		rapid.Map(line, func(l drivers.TextLine) drivers.Item { return l }),
		rapid.Map(code, func(b drivers.Barcode) drivers.Item { return b }),
		rapid.Map(picture, func(p drivers.Picture) drivers.Item { return p }),
	)
	page := rapid.Custom(func(t *rapid.T) drivers.Item {
		p := drivers.Page{Lines: rapid.IntRange(1, 40).Draw(t, "page"), Else: []drivers.TextLine{{Text: anything.Draw(t, "else")}}}
		for _, item := range rapid.SliceOfN(single, 0, 3).Draw(t, "placed") {
			p.Placed = append(p.Placed, drivers.Placed{Column: rapid.IntRange(0, 20).Draw(t, "column"), Line: rapid.IntRange(0, 30).Draw(t, "line"), Item: item})
		}
		return p
	})
	return rapid.Custom(func(t *rapid.T) drivers.Document {
		return drivers.Document{Items: rapid.SliceOfN(rapid.OneOf(single, single, page), 0, 8).Draw(t, "items"), Cut: rapid.Bool().Draw(t, "cut"), Latin: rapid.Bool().Draw(t, "latin")}
	})
}

// noise is a picture that holds about one real-time command in ten rows.
func noise(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestNoCommandFromContent(t *testing.T) {
	t.Parallel()
	documents := documents()
	rapid.Check(t, func(t *rapid.T) { check(t, documents.Draw(t, "document")) })
}

// TestPicturesHoldNoCommand is the case that was measured: of 200 pictures with
// a dither 82 held one.
func TestPicturesHoldNoCommand(t *testing.T) {
	t.Parallel()
	held := 0
	for seed := range uint64(200) {
		p := drivers.Picture{Width: 384, Gray: noise(seed, 384*128)}
		for i, v := range p.Gray {
			p.Gray[i] = v/2 + byte(i%384/3)
		}
		d, err := raster.Picture(p, 384)
		if err != nil {
			t.Fatal(err)
		}
		if meaning(d.Bits) {
			held++
		}
		for _, m := range []Model{models[0], models[len(models)-1]} { // in rows, in columns
			checkOn(t, m, drivers.Document{Items: []drivers.Item{p}})
		}
	}
	if held < 50 {
		t.Errorf("only %d pictures would hold a command: the test proves little", held)
	}
}

func FuzzEncode(f *testing.F) {
	f.Add("珈琲 ¥1,080", byte(0), byte(0))
	f.Add("\x10\x14\x01\x00\x01", byte(7), byte(11))
	f.Add("4901234567894", byte(7), byte(3))
	f.Add("(01)04901234567894(10)A", byte(7), byte(9))
	f.Fuzz(func(t *testing.T, text string, style, symbology byte) {
		if len(text) > glyph.TextMax {
			return
		}
		line := drivers.TextLine{Text: text, Align: drivers.Align(style >> 4), Bold: style&1 != 0, Wide: style&2 != 0, Tall: style&4 != 0}
		items := drivers.Texts(line, drivers.TextLine{Text: text})
		items = append(items, drivers.Page{Lines: 20, Placed: []drivers.Placed{{Column: 1, Line: 2, Item: line}}})
		if len(text) > 0 {
			items = append(items, drivers.Picture{Gray: []byte(text), Width: len(text)})
		}
		check(t, drivers.Document{Items: items, Cut: style&8 != 0, Latin: style&16 != 0})
		check(t, drivers.Document{Items: []drivers.Item{drivers.Barcode{Symbology: drivers.Symbology(symbology), Data: text, Text: true}}})
	})
}

// TestLatinSigns: in a document of Europe's signs are bytes of Windows' table, of
// one column; in a Japanese one they are kanji.
func TestLatinSigns(t *testing.T) {
	t.Parallel()
	const text, table = "‘a’ “b” – — … ° × ± ÷ § µ ·", "\x91a\x92 \x93b\x94 \x96 \x97 \x85 \xb0 \xd7 \xb1 \xf7 \xa7 \xb5 \xb7"
	for _, name := range Models() {
		m, err := modelByName(name)
		if err != nil {
			t.Fatal(err)
		}
		out, err := encode(m, drivers.Document{Latin: true, Items: drivers.Texts(drivers.TextLine{Text: text})}, 0)
		if err != nil {
			t.Fatal(err)
		}
		plain := bytes.ReplaceAll(bytes.ReplaceAll(out.Bytes, []byte(systemJIS), nil), []byte(systemShiftJIS), nil)
		if !bytes.Contains(plain, []byte(table)) || bytes.Contains(out.Bytes, []byte(kanjiOn)) || !bytes.Contains(out.Bytes, []byte("\x1bt\x10")) {
			t.Errorf("%s: %q", name, out.Bytes)
		}
		if out, err = encode(m, drivers.Document{Items: drivers.Texts(drivers.TextLine{Text: text})}, 0); err != nil || bytes.Contains(out.Bytes, []byte(table)) {
			t.Errorf("%s: %v, %q", name, err, out.Bytes)
		}
	}
}

// TestNoKanji: a printer without kanji is sent no FS and no byte of Shift_JIS:
// they would be on the paper as letters. Kanji are drawn, as wide as ever.
func TestNoKanji(t *testing.T) {
	t.Parallel()
	for _, name := range Models() {
		m, err := modelByName(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"Käse “alt” ß ｺｰﾋｰ ÿ à", "Tee ×2"} {
			out, err := encode(m, drivers.Document{Latin: true, Items: drivers.Texts(drivers.TextLine{Text: text, Wide: true, Tall: true})}, 0)
			if err != nil {
				t.Fatal(err)
			}
			if got := bytes.IndexByte(out.Bytes, fs) >= 0; got != m.Kanji.Has() {
				t.Errorf("%s: FS is %t in %q", name, got, out.Bytes)
			}
		}
		if m.Kanji.Has() {
			continue
		}
		doc := drivers.Document{Items: drivers.Texts(drivers.TextLine{Text: "茶 1"})}
		out, err := encode(m, doc, 0)
		if want := append(inline(glyph.Draw('茶'), false), " 1\n"...); err != nil || !bytes.Contains(out.Bytes, want) {
			t.Errorf("%s: %v, %q", name, err, out.Bytes)
		}
	}
}
