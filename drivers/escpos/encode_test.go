package escpos

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"regi/drivers"
)

// ours are all commands that a document may hold, by their first two bytes,
// with the values their parameters may have.
func ours() map[string][]string {
	var ids []string
	for n := range int64(200) {
		ids = append(ids, "H\x06\x00\x30\x30"+processID(n))
	}
	return map[string][]string{
		"\x1b@": {""}, "\x1cC": {"\x01"}, "\x1bR": {"\x00", "\x08"}, "\x1bt": {"\x01"}, "\x1da": {"\x00"},
		"\x1c&": {""}, "\x1c.": {""}, "\x1ba": {"\x00", "\x01", "\x02"}, "\x1bE": {"\x00", "\x01"},
		"\x1d!": {"\x00", "\x01", "\x10", "\x11"}, "\x1c!": {"\x00", "\x04", "\x08", "\x0c"},
		"\x1dr": {"\x01"}, "\x1dV": {"B\x00"}, "\x1bd": {"\x05"}, "\x1bJ": {" "}, "\x1d(": ids,
	}
}

// text takes the commands away and fails on what is no text then.
func text(t interface{ Fatalf(string, ...any) }, b []byte) (rest []byte) {
	commands := ours()
	for len(b) > 0 {
		if b[0] >= ' ' && b[0] != 0x7F || b[0] == lf {
			rest, b = append(rest, b[0]), b[1:]
			continue
		}
		n := 0
		if len(b) > 1 {
			for _, parameters := range commands[string(b[:2])] {
				if bytes.HasPrefix(b[2:], []byte(parameters)) {
					n = 2 + len(parameters)
				}
			}
		}
		if n == 0 {
			t.Fatalf("no command of ours: % x", b[:min(len(b), 8)])
		}
		b = b[n:]
	}
	return rest
}

// check holds for every document: text becomes no command.
func check(t interface{ Fatalf(string, ...any) }, doc drivers.Document) {
	for _, m := range models {
		out, err := encode(m, doc, 1)
		if err != nil {
			t.Fatalf("%v", err)
		}
		for _, command := range []string{"\x10\x04", "\x10\x05", "\x10\x14"} {
			if bytes.Contains(out.bytes, []byte(command)) {
				t.Fatalf("real-time command % x", command)
			}
		}
		rest := text(t, out.bytes)
		if n := bytes.Count(rest, []byte{lf}); n < len(doc.Items) {
			t.Fatalf("%d lines became %d", len(doc.Items), n)
		}
		from := 0
		for i, u := range out.units {
			if n := u.end - from; n > blockBytes+textMax {
				t.Fatalf("unit of %d bytes", n)
			}
			if from = u.end; i == len(out.units)-1 && (from != len(out.bytes) || len(u.fences) != map[bool]int{false: lastFences, true: 1}[m.PrintComplete]) {
				t.Fatalf("the document ends without its fences")
			}
		}
	}
}

func TestNoCommandFromText(t *testing.T) {
	t.Parallel()
	nasty := rapid.SampledFrom([]string{"\x10\x04\x01", "\x10\x14\x01\x00\x01", "\x1bp\x00\x32\xfa", "\x1d", "\x1c&", "ソ", "¥", `\`, "ｱ", "\U000E0100", "\x10", "\x04", "\x7f", "麵"})
	line := rapid.Custom(func(t *rapid.T) drivers.TextLine {
		return drivers.TextLine{
			Text:  strings.Join(rapid.SliceOfN(rapid.OneOf(nasty, rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })), 0, 6).Draw(t, "text"), ""),
			Align: drivers.Align(rapid.Byte().Draw(t, "align")), Bold: rapid.Bool().Draw(t, "bold"),
			Wide: rapid.Bool().Draw(t, "wide"), Tall: rapid.Bool().Draw(t, "tall"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		check(t, drivers.Document{Items: drivers.Texts(rapid.SliceOfN(line, 0, 12).Draw(t, "lines")...), Cut: rapid.Bool().Draw(t, "cut")})
	})
}

func FuzzEncode(f *testing.F) {
	f.Add("珈琲 ¥1,080", byte(0))
	f.Add("\x10\x14\x01\x00\x01", byte(7))
	f.Fuzz(func(t *testing.T, text string, style byte) {
		if len(text) > textMax {
			return
		}
		line := drivers.TextLine{Text: text, Align: drivers.Align(style >> 4), Bold: style&1 != 0, Wide: style&2 != 0, Tall: style&4 != 0}
		check(t, drivers.Document{Items: drivers.Texts(line, drivers.TextLine{Text: text}), Cut: style&8 != 0})
	})
}
