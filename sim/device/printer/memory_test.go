package printer_test

import (
	"bytes"
	"strings"
	"testing"

	"regi/sim/device/printer"
)

// define is GS ( L fn 67 or 83: a picture of 16 × 2.
func define(fn byte, key string) string {
	return "\x1d(L\x0f\x000" + string(fn) + "0" + key + "\x01\x10\x00\x02\x001\x81\x80\x7e\x7e"
}

func show(fn byte, key string, x, y byte) string {
	return "\x1d(L\x06\x000" + string(fn) + key + string([]byte{x, y})
}

const stamp = "#......##.......\n.######..######.\n"

func TestPictureMemory(t *testing.T) {
	columns := "\x1d(L\x1b\x000D0C1\x01\x10\x00\x02\x001" + columns8(stamp)
	for _, c := range []struct {
		name, in string
		n, m     int
	}{
		{"NV", define(67, "G1") + show(69, "G1", 1, 1), 1, 1},
		{"NV, 2 × 2", define(67, "G1") + show(69, "G1", 2, 2), 2, 2},
		{"NV through ESC @", define(67, "G1") + "\x1b@" + show(69, "G1", 1, 2), 1, 2},
		{"NV by columns", columns + show(69, "C1", 1, 1), 1, 1},
		{"GS 8 L", "\x1d8L\x0f\x00\x00\x000C0G1\x01\x10\x00\x02\x001\x81\x80\x7e\x7e" + show(69, "G1", 1, 1), 1, 1},
		{"download", define(83, "D1") + show(85, "D1", 2, 1), 2, 1},
		{"redefined", strings.Replace(define(67, "G1"), "\x7e\x7e", "\x00\x00", 1) + define(67, "G1") + show(69, "G1", 1, 1), 1, 1},
	} {
		p, _ := play(t, printer.Options{}, c.in)
		if got, want := patch(picture(t, p), 0, 16*c.n, 2*c.m), enlarge(stamp, c.n, c.m); got != want {
			t.Errorf("%s:\n%s, want\n%s", c.name, got, want)
		}
	}
	old := "\x1cq\x01\x02\x00\x01\x00" + columns8(stamp) // FS q: 16 × 8
	for name, in := range map[string]string{"FS p": old + "\x1cp\x01\x00", "GS /": "\x1d*\x02\x01" + columns8(stamp) + "\x1d/\x00"} {
		p, _ := play(t, printer.Options{}, in)
		if got := patch(picture(t, p), 0, 16, 2); got != stamp {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}

func TestPictureMemoryAnswers(t *testing.T) {
	const keys, clear = "\x1d(L\x04\x000@KC", "\x1d(L\x05\x000ACLR"
	for _, c := range []struct{ name, in, want string }{
		{"capacity", "\x1d(L\x02\x0000", "\x370262144\x00"},
		{"room", define(67, "G1") + "\x1d(L\x02\x0003", "\x371262124\x00"},
		{"no keys", keys, "\x37\x72\x40\x00"},
		{"keys in order", define(67, "ZZ") + define(67, "G1") + keys, "\x37\x72\x40G1ZZ\x00"},
		{"deleted", define(67, "G1") + define(67, "G2") + "\x1d(L\x04\x000BG1" + keys, "\x37\x72\x40G2\x00"},
		{"cleared", define(67, "G1") + clear + keys, "\x37\x72\x40\x00"},
		{"download keys", define(83, "D1") + "\x1d(L\x04\x000PKC" + keys, "\x37\x72\x40D1\x00\x37\x72\x40\x00"},
		{"ESC @ clears the download", define(83, "D1") + "\x1b@\x1d(L\x04\x000PKC", "\x37\x72\x40\x00"},
		{"a key must be printable", define(67, "\x01\x02") + keys, "\x37\x72\x40\x00"},
	} {
		p, answers := play(t, printer.Options{}, c.in)
		if answers != c.want {
			t.Errorf("%s: answers %q, want %q", c.name, answers, c.want)
		}
		if p.Text() != "" {
			t.Errorf("%s prints %q", c.name, p.Text())
		}
	}
	p, _ := play(t, printer.Options{}, show(69, "XX", 1, 1))
	if got := printed(p); len(got) != 1 || got[0] != "refused no such picture" {
		t.Errorf("a picture that is not there: %q", got)
	}
	// 512 × 2400 dots are 150 KB: one fits, two do not.
	big := func(key string) string {
		return "\x1d8L\x0b\x58\x02\x000C0" + key + "\x01\x00\x02\x60\x091" + strings.Repeat("\xff", 64*2400)
	}
	p, answers := play(t, printer.Options{}, big("B1")+big("B2")+keys+"end\n")
	if answers != "\x37\x72\x40B1\x00" || p.Text() != "end\n" {
		t.Errorf("too much for the memory: answers %q, text %q", answers, p.Text())
	}
	if got := printed(p); len(got) != 2 || got[1] != "refused the memory is full" {
		t.Errorf("too much for the memory: %q", got)
	}
}

// TestPictureMemorySurvivesPower: with a wire that ends, the printer can be run
// twice.
func TestPictureMemorySurvivesPower(t *testing.T) {
	w := &tape{Reader: bytes.NewReader([]byte(define(67, "G1") + define(83, "D1")))}
	p := printer.New(w, printer.Options{})
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, power := range []string{"off", "on"} {
		if err := p.Set(printer.Change{Power: power}); err != nil {
			t.Fatal(err)
		}
	}
	if got := p.State().NVBytes; got != 4+16 {
		t.Errorf("%d bytes of NV memory are used", got)
	}
}
