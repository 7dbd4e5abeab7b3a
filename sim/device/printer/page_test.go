package printer_test

import (
	"strings"
	"testing"

	"regi/sim/device/printer"
)

// area is ESC W on a model whose units are dots.
func area(x, y, w, h int) string {
	b := []byte("\x1bW")
	for _, v := range []int{x, y, w, h} {
		b = append(b, byte(v), byte(v>>8))
	}
	return string(b)
}

// rotate turns a picture a quarter to the left.
func rotate(s string) string {
	rows := strings.Split(strings.TrimSpace(s), "\n")
	var b strings.Builder
	for x := len(rows[0]) - 1; x >= 0; x-- {
		for y := range rows {
			b.WriteByte(rows[y][x])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// below cuts rows off the top.
func below(s string, rows int) string {
	return strings.Join(strings.SplitAfter(s, "\n")[rows:], "")
}

func TestPageDirections(t *testing.T) {
	o := printer.Options{Model: model(t, "80mm")}
	show := func(stream string, x, y, w, h int) string {
		t.Helper()
		p, _ := play(t, o, stream)
		return below(patch(picture(t, p), x, w, y+h), y)
	}
	a := show("A\n", 0, 0, 12, 24)
	for _, c := range []struct {
		name string
		turn string
		x, y int
		want string
	}{
		{"left to right", "\x00", 40, 50, a},
		{"bottom to top", "1", 40, 50 + 60 - 12, rotate(a)},
		{"right to left", "\x02", 40 + 100 - 12, 50 + 60 - 24, rotate(rotate(a))},
		{"top to bottom", "3", 40 + 100 - 24, 50, rotate(rotate(rotate(a)))},
	} {
		w, h := 12, 24
		if c.turn == "1" || c.turn == "3" {
			w, h = h, w
		}
		if got := show("\x1bL"+area(40, 50, 100, 60)+"\x1bT"+c.turn+"A\x0c", c.x, c.y, w, h); got != c.want {
			t.Errorf("%s:\n%s, want\n%s", c.name, got, c.want)
		}
	}
}

func TestPage(t *testing.T) {
	o := printer.Options{Model: model(t, "80mm")}
	in := func(stream string) string { return "\x1bL" + area(0, 0, 480, 200) + stream }
	for _, c := range []struct{ name, in, want string }{
		{"nothing before FF", in("A\nB\n"), ""},
		{"FF prints and ends it", in("A\nB") + "\x0cC\n", "A\nB\nC\n"},
		{"ESC FF prints and keeps it", in("A\x1b\x0cB\x0c"), "A\nAB\n"},
		{"CAN", in("A\x18B\x0c"), "B\n"},
		{"CAN leaves other areas", in("A") + area(0, 200, 480, 100) + "B\x18C\x0c", "A\nC\n"},
		{"ESC S forgets it", in("A\x1bSB\n"), "B\n"},
		{"ESC @ forgets it", in("A\x1b@B\n"), "B\n"},
		{"areas beside each other are one line", in("A") + area(240, 0, 240, 200) + "B\x0c", "A" + strings.Repeat(" ", 19) + "B\n"},
		{"ESC $", in("\x1b$\x78\x00B\x0c"), strings.Repeat(" ", 10) + "B\n"},
		{"ESC \\", in("A\x1b\\\x0c\x00B\x1b\\\xf4\xff\x1b\\\xf4\xff\x0c"), "A B\n"},
		{"GS $", in("\x1d$\x64\x00low\x1b$\x00\x00\x1d$\x18\x00high\x0c"), "high\nlow\n"},
		{"GS \\", in("a\x1d\\\x1e\x00b\x1d\\\xe2\xffc\x0c"), "a c\n b\n"},
		{"outside is ignored", in("\x1d$\xff\x7f\x1b$\xff\x7fA\x0c"), "A\n"},
		{"ESC d, ESC J", in("A\x1bd\x02B\x1bJ\x20C\x0c"), "A\nB\nC\n"},
		{"a full line goes on", "\x1bL" + area(0, 0, 48, 100) + "ABCDEF\x0c", "ABCD\nEF\n"},
		{"tabs", in("A\tB\x0c"), "A       B\n"},
		{"a cut is ignored", in("A\x1dV\x00\x1dVB\x00\x0c"), "A\n"},
		{"in mid-line ESC L is ignored", "A\x1bLB\n", "AB\n"},
		{"an area off the paper is ignored", "\x1bL" + area(600, 0, 10, 10) + area(0, 0, 480, 60) + "A\x0cB\n", "A\nB\n"},
	} {
		p, _ := play(t, o, c.in)
		if got := p.Text(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	p, _ := play(t, o, in("A\x0c"))
	if h := picture(t, p).Bounds().Dy() - 32; h != 200 {
		t.Errorf("the page is %d rows, its area 200", h)
	}
	p, _ = play(t, o, in(stored(49, "1")+"\x1b$\x64\x00\x1d$\x64\x00"+stored(54, "123456")+"\x0c"))
	got := p.Records(0)
	// Codes stand with their lower edge at the position: 24, and 100.
	if len(got) != 2 || got[0].Code.Symbology != "qr" || got[0].Row != 0 || got[1].Row != 100-30 {
		t.Errorf("records %+v", got)
	}
	p, _ = play(t, printer.Options{Model: model(t, "58mm-clone")}, "\x1bLA\x0c\nB\n")
	if got := p.Text(); got != "A\nB\n" && got != "A\n\nB\n" {
		t.Errorf("a printer without page mode prints %q", got)
	}
}

func TestMacro(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"carried out while defined, and again", "\x1d:A\n\x1d:\x1d^\x02\x00\x00B\n", "A\nA\nA\nB\n"},
		{"GS ^ while defining forgets it", "\x1d:A\n\x1d^\x01\x00\x00\x1d^\x01\x00\x00B\n", "A\nB\n"},
		{"called twice", "\x1d:A\n\x1d:\x1d^\x01\x00\x00\x1d^\x01\x00\x00", "A\nA\nA\n"},
		{"no macro", "\x1d^\x02\x00\x00B\n", "B\n"},
		{"survives ESC @", "\x1d:A\n\x1d:\x1b@\x1d^\x01\x00\x00", "A\nA\n"},
		{"does not call itself", "\x1d:A\n\x1d:\x1d:B\n\x1d:\x1d^\x01\x00\x00", "A\nB\nB\n"},
	} {
		p, _ := play(t, printer.Options{}, c.in)
		if got := p.Text(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestOwnCharacters(t *testing.T) {
	define := "\x1b&\x03AA\x0c" + strings.Repeat("\xf0\x00\x01", 12)
	want := strings.Repeat(strings.Repeat("#", 12)+"\n", 4) + strings.Repeat(strings.Repeat(".", 12)+"\n", 19) + strings.Repeat("#", 12) + "\n"
	show := func(stream string) string {
		p, _ := play(t, printer.Options{}, stream)
		return patch(picture(t, p), 0, 12, 24)
	}
	a := show("A\n")
	for _, c := range []struct{ name, in, want string }{
		{"defined and selected", define + "\x1b%\x01A\n", want},
		{"defined only", define + "A\n", a},
		{"not selected any more", define + "\x1b%\x01\x1b%\x00A\n", a},
		{"cancelled", define + "\x1b%\x01\x1b?AA\n", a},
		{"of font A, not B", define + "\x1b%\x01\x1bM\x01\x1bM\x00A\n", want},
		{"ESC @", define + "\x1b%\x01\x1b@\x1b%\x01A\n", a},
	} {
		if got := show(c.in); got != c.want {
			t.Errorf("%s:\n%s, want\n%s", c.name, got, c.want)
		}
	}
}
