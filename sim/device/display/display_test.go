package display_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"regi/sim/device/display"
	"regi/sim/wire"
)

// feeder is a wire that holds what the register has written.
type feeder struct{ io.Reader }

func (feeder) SetReadDeadline(time.Time) error { return nil }

// after returns a display that has read some bytes.
func after(t *testing.T, r io.Reader) *display.Display {
	t.Helper()
	d := display.New(feeder{r}, nil)
	if err := d.Run(t.Context()); !errors.Is(err, io.EOF) {
		t.Fatalf("run: %v", err)
	}
	return d
}

const (
	esc = "\x1b"
	all = "ABCDEFGHIJKLMNOPQRST" // twenty characters
)

func TestCommands(t *testing.T) {
	for _, c := range []struct{ name, in, upper, lower string }{
		{"nothing", "", "", ""},
		{"plain text", "Regi", "Regi", ""},
		{"text runs on into the lower line", all + "lower", all, "lower"},
		{"and round to the upper one", all + all + "xy", "xy" + all[2:], all},
		{"initialise", "Regi" + esc + "@", "", ""},
		{"clear", "Regi\x0cab", "ab", ""},
		{"clear the cursor's line", all + "lower\x18ab", all, "ab"},

		// ESC Q: strings.
		{"string to the upper line", esc + "QAcoffee           120\r", "coffee           120", ""},
		{"string to the lower line", esc + "QBtotal\r", "", "total"},
		{"both", esc + "QAone\r" + esc + "QBtwo\r" + esc + "QAone more\r", "one more", "two"},
		{"a short string leaves the rest", esc + "QA" + all + "\r" + esc + "QAab\r", "ab" + all[2:], ""},
		{"a long string is cut", esc + "QA" + all + all + all + "\r", all, ""},
		{"after a string, text is ignored", esc + "QAone\rtext" + esc + "l\x01\x02text", "one", ""},
		{"and so are commands", esc + "QAone\r" + esc + "QBtwo\r" + esc + "l\x01\x02\x1fB\x18x", "x", "two"},
		{"until CLR", esc + "QAone\r\x0ctext", "text", ""},
		{"or CAN", esc + "QAone\r" + esc + "QBtwo\r\x18text", "text", "two"},
		{"or ESC @", esc + "QAone\r" + esc + "@text", "text", ""},
		{"an unfinished string is not shown", esc + "QAone", "", ""},
		{"a string that ESC cuts short", esc + "QAone" + esc + "QBtwo\r", "", "two"},
		{"a string that CLR cuts short", esc + "QAone\x0ctwo", "two", ""},
		{"no such string", esc + "QZab", "ab", ""},

		// The cursor.
		{"to a place", esc + "l\x05\x02ab" + esc + "l\x14\x01z", strings.Repeat(" ", 19) + "z", "    ab"},
		{"to no place", esc + "l\x00\x01a" + esc + "l\x15\x01b" + esc + "l\x01\x03c" + esc + "l\x01\x00d", "abcd", ""},
		{"carriage return and line feed", "ab\r\ncd\nef", "abef", "cd"},
		{"back space and tab", "abc\x08\x08X\x09Y", "aXcY", ""},
		{"back space at home goes to the end", "\x08z", "", strings.Repeat(" ", 19) + "z"},
		{"home", all + "ab\x0bxy", "xy" + all[2:], "ab"},
		{"ESC [", esc + "[Ka" + esc + "[Hb" + esc + "[Rc" + esc + "[A" + esc + "[Ld" + esc + "[Ce" + esc + "[D" + esc + "[D" + esc + "[Bf", "d e" + strings.Repeat(" ", 16) + "c", " f" + strings.Repeat(" ", 17) + "a"},
		{"US: up, right end, bottom", "a\x1f\x0ab\x1f\x0dc\x1fBd", "a", " b" + strings.Repeat(" ", 17) + "d"},

		// Modes.
		{"vertical scrolling", esc + "\x12" + all + all + "xy", all, "xy"},
		{"line feed scrolls", esc + "\x12one\r\ntwo\r\nthree", "two", "three"},
		{"horizontal scrolling", esc + "\x13" + all + "xy", all[2:] + "xy", ""},
		{"in a window", "[      ]" + esc + "\x13" + esc + "W\x01\x02\x07\x01" + "abcdefgh", "[cdefgh]", ""},
		{"without the window again", esc + "\x13" + esc + "W\x01\x02\x03\x01" + esc + "W\x00\x01\x01\x01\r" + all + "x", all[1:] + "x", ""},
		{"no such window", esc + "\x13" + esc + "W\x01\x09\x03\x01" + esc + "W\x01\x01\x15\x01" + esc + "W\x01\x01\x05\x03" + all + "x", all[1:] + "x", ""},
		{"overwriting again", esc + "\x13" + all + "x" + esc + "\x11y", all[1:] + "y", ""},
		{"US: modes", "\x1f\x02" + all + all + "xy\x1f\x01" + esc + "[Kz", all, "xy" + strings.Repeat(" ", 17) + "z"},

		// Which device listens, and what is passed over.
		{"for the printer", esc + "=\x01text\x0c" + esc + "QAone\r" + esc + "@" + esc + "=\x02ab", "ab", ""},
		{"for both, in digits", esc + "=1text" + esc + "=3ab", "ab", ""},
		{"switched off within strings", esc + "QAone\r" + esc + "=1" + esc + "QAtwo\r" + esc + "=2" + esc + "QBthree\r", "one", "three"},
		{"user's characters", esc + "&\x01AC\x05\x0c\x0c\x0c\x0c\x0c\x00\x02\x0c\x1bab", "ab", ""},
		{"no such characters", esc + "&\x02AAab" + esc + "&\x01CAcd", "abcd", ""},
		{"characters cut short", esc + "&\x01AC\x05\x0c\x0c\x0c\x0c\x0c" + esc + "@ab", "ab", ""},
		{"demo message", esc + "b" + strings.Repeat("\x0c", 400) + "ab", "ab", ""},
		{"cursor, blinking, self test", esc + "_\x00\x1fE\x14\x1f@" + esc + "s\x01" + esc + "d\x01" + esc + "%\x01" + esc + "?A" + esc + "#0ab", "ab", ""},
		{"unknown commands", esc + "~" + esc + "y\x1f~\x01\x02ab", "ab", ""},
		{"ESC ESC", esc + esc + esc + "QAone\r", "one", ""},
		{"US ESC", "\x1f" + esc + "QAone\r", "one", ""},

		// Characters.
		{"half-width katakana", "\xba\xb0\xcb\xb0 \xa1\xdf", "ｺｰﾋｰ ｡ﾟ", ""},
		{"no character", "a\x80\xa0\xe0\xff\x7fb", "a·····b", ""},
		{"yen", `\` + esc + "R\x08" + `\120` + esc + "R\x63" + `\`, `\¥120¥`, ""},
		{"countries", esc + "fG[" + esc + "fJ\\" + esc + "fU#" + esc + "f?#" + esc + "fA#", "Ä¥££#", ""},
		{"Latin and Russian", esc + "cA\x80\xe1" + esc + "cR\x80" + esc + "cJ\xb1" + esc + "c?\xb1", "Çß\u0410ｱｱ", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines := after(t, strings.NewReader(c.in)).Lines()
			if got := strings.TrimRight(lines[0], " "); got != c.upper {
				t.Errorf("upper %q, want %q", got, c.upper)
			}
			if got := strings.TrimRight(lines[1], " "); got != c.lower {
				t.Errorf("lower %q, want %q", got, c.lower)
			}
		})
	}
}

func TestScrollingText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := after(t, strings.NewReader("one\r\ntwo"+esc+"QDwelcome\r"))
		if got := d.Lines(); got[0] != "welcome             " || got[1] != "two                 " {
			t.Fatalf("at first %q", got)
		}
		time.Sleep(3 * time.Second)
		if got := d.Lines()[0]; got != "come                " {
			t.Errorf("after 3 s %q", got)
		}
		time.Sleep(5 * time.Second)
		if got := d.Lines()[0]; got != strings.Repeat(" ", 19)+"w" {
			t.Errorf("after 8 s %q", got)
		}
		time.Sleep(19 * time.Second)
		if got := d.Lines()[0]; got != "welcome             " {
			t.Errorf("after one round %q", got)
		}
	})
	// A new command clears the line and goes to its beginning; a text is at
	// most 40 characters.
	d := after(t, strings.NewReader("one\r\ntwo"+esc+"QD"+all+all+"\rab"))
	if got := d.Lines(); strings.TrimRight(got[0], " ") != "ab" || strings.TrimRight(got[1], " ") != "two" {
		t.Errorf("after the scrolling %q", got)
	}
}

func TestBrightness(t *testing.T) {
	for in, want := range map[string]int{"": 4, esc + "*\x02": 2, esc + "*1": 1, esc + "*\x07": 4, esc + "*\x02" + esc + "@": 4} {
		if got := after(t, strings.NewReader(in)).Brightness(); got != want {
			t.Errorf("after %q: %d, want %d", in, got, want)
		}
	}
}

// TestOverAWire: the register writes, is restarted, and the display lives on.
func TestOverAWire(t *testing.T) {
	link := filepath.Join(t.TempDir(), "display")
	tty, err := wire.Open(link)
	if err != nil {
		t.Fatal(err)
	}
	changes := make(chan struct{}, 100)
	d := display.New(tty, func() { changes <- struct{}{} })
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- d.Run(ctx) }()
	for _, text := range []string{"first life", "second life"} {
		register, err := os.OpenFile(link, os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := register.WriteString("\x0c" + text); err != nil {
			t.Fatal(err)
		}
		for strings.TrimSpace(d.Lines()[0]) != text {
			<-changes
		}
		if err := register.Close(); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-ran; err != nil {
		t.Errorf("run after the context: %v", err)
	}
	go func() { ran <- d.Run(t.Context()) }() // a second run works
	if err := tty.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ran; err != nil {
		t.Errorf("run after the wire: %v", err)
	}
}

func TestOnlyOtherTextIsAChange(t *testing.T) {
	changes := 0
	in := iotest.OneByteReader(strings.NewReader("ab" + esc + "@" + esc + "l\x01\x01" + esc + "_\x00" + esc + "QAa\r" + esc + "QAa\r"))
	if err := display.New(feeder{in}, func() { changes++ }).Run(t.Context()); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if changes != 4 { // a, b, initialised, the string
		t.Errorf("%d changes were told, want 4", changes)
	}
}

// FuzzDisplay: any bytes leave two lines of twenty printable characters, do not
// depend on how they arrive, and do not keep the display from coming back.
func FuzzDisplay(f *testing.F) {
	for _, seed := range []string{
		esc + "@" + esc + "QAone\r" + esc + "QBtwo\r", "text\r\n\x08\x09\x0b\x18", esc + "\x13" + esc + "W\x01\x02\x07\x01" + all, esc + "\x12" + all + all,
		esc + "&\x01AC\x05\x0c\x0c", esc + "QD" + all + "\r", esc + "=\x01", "\x1fE\x01\x1fB", esc + "b", esc + "cR\x80\xff" + esc + "R\x0a[", "\xa1\xdf",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		lines := after(t, bytes.NewReader(b)).Lines()
		for _, line := range lines {
			if utf8.RuneCountInString(line) != 20 || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsGraphic(r) }) {
				t.Fatalf("line %q", line)
			}
		}
		if split := after(t, iotest.OneByteReader(bytes.NewReader(b))).Lines(); split != lines {
			t.Fatalf("byte by byte %q, at once %q", split, lines)
		}
		// The longest thing that may be pending is a definition; then the
		// display can be had back.
		back := strings.Repeat("\x00", 2000) + "\r" + esc + "=\x02" + esc + "@" + esc + "QAback\r"
		got := after(t, io.MultiReader(bytes.NewReader(b), strings.NewReader(back))).Lines()
		if strings.TrimRight(got[0], " ") != "back" {
			t.Fatalf("does not come back: %q", got)
		}
	})
}

// epson returns an ESC/POS display that has received some bytes.
func epson(t *testing.T, in string) *display.Display {
	t.Helper()
	d, err := display.NewModel(nil, "escpos", nil)
	if err != nil {
		t.Fatal(err)
	}
	d.Feed([]byte(in))
	return d
}

func TestESCPOS(t *testing.T) {
	for _, c := range []struct{ name, in, upper, lower string }{
		{"text runs on, and round", all + all + "xy", "xy" + all[2:], all},
		{"cursor to a place", "\x1f$\x03\x02ab", "", "  ab"},
		{"no such place", "x\x1f$\x00\x01\x1f$\x15\x01\x1f$\x01\x03ab", "xab", ""},
		{"clear, home, cancel", "ab\x0ccd\x0bxy" + "\x1f$\x01\x02line\x18z", "xy", "z"},
		{"bottom, right end", "\x1f$\x03\x02b\x1f\x0dc\x1fBde", "e", "  b                d"},
		{"up", "\x1f$\x03\x02b\x1f\x0af", "   f", "  b"},
		{"vertical scroll", "\x1f\x02" + all + all + "new", all, "new"},
		{"back space and tab", "abc\x08\x08X\x09Z", "aXcZ", ""},
		{"another device is meant", "a" + esc + "=\x01bc\x0c" + esc + "@" + esc + "=\x02d", "ad", ""},
		{"initialise", "\x1f\x02abc" + esc + "@xy", "xy", ""},
		{"Japanese set and katakana", esc + "R\x08" + esc + "t\x01\\120 \xb6\xde\xd1", "¥120 ｶﾞﾑ", ""},
		{"as it comes", "\\ \x9d", "\\ ¥", ""},
		{"a window is passed over", esc + "W\x01\x01\x01\x01\x05\x01ab" + esc + "W\x01\x00cd", "abcd", ""},
		{"cut short by another", "\x1f\x1b@ab", "ab", ""},
		{"unknown", esc + "zab\x1fzcd", "abcd", ""},
	} {
		got := epson(t, c.in).Lines()
		if want := [2]string{pad(c.upper), pad(c.lower)}; got != want {
			t.Errorf("%s: %q, want %q", c.name, got, want)
		}
	}
	if d := epson(t, "\x1fX\x02\x1fX\x09"); d.Brightness() != 2 {
		t.Error("brightness ", d.Brightness())
	}
	if _, err := display.NewModel(nil, "vt100", nil); err == nil {
		t.Error("a display of an unknown model was made")
	}
}

func pad(s string) string { return s + strings.Repeat(" ", max(0, 20-utf8.RuneCountInString(s))) }

// FuzzESCPOS: any bytes; then a register that starts finds its way.
func FuzzESCPOS(f *testing.F) {
	f.Add([]byte("\x1f$\x01"))
	f.Add([]byte(esc + "W\x01\x01\x02"))
	f.Fuzz(func(t *testing.T, in []byte) {
		d := epson(t, string(in))
		for _, line := range d.Lines() {
			if utf8.RuneCountInString(line) != 20 {
				t.Fatalf("%q", line)
			}
		}
		d.Feed([]byte("\x0c\x0c\x0c\x0c\x0c\x0c\x0c" + esc + "=\x02" + esc + "@back"))
		if got := d.Lines()[0]; strings.TrimRight(got, " ") != "back" {
			t.Fatalf("does not come back: %q", got)
		}
	})
}
