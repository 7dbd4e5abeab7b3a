package console

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// typeInto feeds a line and returns what the editor took.
func typeInto(e *editor, keys string) (taken []string) {
	for i := range len(keys) {
		if e.feed(keys[i]) == entered {
			taken = append(taken, e.taken)
			e.begin("regi> ", false)
		}
	}
	e.draw()
	return taken
}

func newEditor() *editor {
	e := &editor{complete: func(before string) []string {
		var offers []string
		for _, w := range []string{"print", "printer", "scan"} {
			if strings.HasPrefix(w, before) {
				offers = append(offers, w)
			}
		}
		return offers
	}}
	e.begin("regi> ", false)
	return e
}

func TestEditing(t *testing.T) {
	for name, c := range map[string]struct{ keys, want string }{
		"plain":             {"status\r", "status"},
		"CR LF is one end":  {"a\r\nb\r\n", "a|b"},
		"LF":                {"a\nb\n", "a|b"},
		"rubout":            {"statsu\x7f\x7fus\r", "status"},
		"backspace":         {"x\by\r", "y"},
		"Ctrl-U":            {"wrong\x15right\r", "right"},
		"Ctrl-U in a line":  {"abc\x1b[D\x15\r", "c"},
		"Ctrl-W":            {"print this  \x17that\r", "print that"},
		"Ctrl-K":            {"abc\x01\x0b\r", ""},
		"arrows":            {"ac\x1b[Db\x1b[C!\r", "abc!"},
		"home, end, delete": {"xbc\x1b[H\x1b[3~a\x1b[Fd\r", "abcd"},
		"keys of others":    {"xbc\x1bOH\x04a\x05d\r", "abcd"},
		"Japanese":          {"日本語\x7f\r", "日本"},
		"half a character":  {"a\xe6\x97b\r", "ab"},
		"no character":      {"a\xff\xfe\r", "a"},
		"NUL of a break":    {"st\x00at\x00\x00us\r", "status"},
		"control bytes":     {"a\x07\x0f\x11\x13\x1a\x1c\x7fb\r", "b"},
		"unknown sequence":  {"a\x1b[200~b\x1b]c\x1b[999999999999999999mdef\r", "abcdef"},
		"combining":         {"e\u0301\u200d\u202e\r", "e"},
		"history":           {"one\rtwo\r\x1b[A\x1b[A\r\x10\r", "one|two|one|one"},
		"history and draft": {"one\rnew\x1b[A\x1b[B!\r", "one|new!"},
		"completion":        {"sc\t\r", "scan "},
		"common part":       {"p\t\t\t\r", "print"},
		"nothing to offer":  {"x\t\r", "x"},
		"Ctrl-C":            {"abc\x03d\r", "d"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEditor()
			if got := strings.Join(typeInto(e, c.keys), "|"); got != c.want {
				t.Errorf("%q gave %q, want %q", c.keys, got, c.want)
			}
		})
	}
}

// A secret is neither echoed, nor called back, nor kept.
func TestSecret(t *testing.T) {
	e := newEditor()
	typeInto(e, "before\r")
	e.out.Reset()
	e.begin("PIN: ", true)
	for _, b := range []byte("824671\x1b[A\t") {
		e.feed(b)
	}
	if o := e.feed('\r'); o != entered || e.taken != "824671" {
		t.Fatalf("%v %q", o, e.taken)
	}
	if strings.ContainsAny(e.out.String(), "824671") || slices.Contains(e.history, "824671") {
		t.Errorf("shown %q, history %q", e.out.String(), e.history)
	}
}

func TestLineLimit(t *testing.T) {
	e := newEditor()
	got := typeInto(e, strings.Repeat("x", 2*LineMax)+"あ\r")
	if len(got) != 1 || len(got[0]) != LineMax || !strings.Contains(e.out.String(), "\a") {
		t.Errorf("%d bytes", len(got[0]))
	}
}

// vt is what a terminal makes of the output: it knows CR, LF, BEL, CSI K and
// CSI n C, and fails on anything else that is no printed character.
func vt(t *testing.T, out string) (last string, widest int) {
	t.Helper()
	var line []rune // a wide character is followed by a 0
	at := 0
	for out != "" {
		r, n := utf8.DecodeRuneInString(out)
		switch {
		case r == '\r':
			at = 0
		case r == '\n':
			line, at = line[:0], 0
		case r == '\a':
		case strings.HasPrefix(out, "\x1b[K"):
			line, n = line[:min(at, len(line))], 3
		case strings.HasPrefix(out, "\x1b["):
			end := strings.IndexByte(out, 'C')
			for _, d := range out[2:max(end, 2)] {
				at = at*10 + int(d-'0') // the column before is always 0
			}
			n = end + 1
		case r == utf8.RuneError || !unicode.IsPrint(r):
			t.Fatalf("the terminal is sent %q", out[:n])
		default:
			for len(line) < at+runeWidth(r) {
				line = append(line, ' ')
			}
			line[at] = r
			if runeWidth(r) == 2 {
				line[at+1] = 0
			}
			at += runeWidth(r)
		}
		widest = max(widest, at)
		out = out[n:]
	}
	return strings.ReplaceAll(string(line), "\x00", ""), widest
}

// FuzzEditor: whatever comes, nothing is taken without Enter, a line is text
// and bounded, no control byte of the input reaches the terminal, and what the
// terminal shows is the line.
func FuzzEditor(f *testing.F) {
	for _, seed := range []string{"status\r", "日本語\x1b[D\x7fx\r", "p\t\tq\x1b[A\r", strings.Repeat("あx", 100) + "\x01\x1b[C\x04", "\x00\x1b[\x1b[31m\x9b\xff\r\n\r"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, keys []byte) {
		e := newEditor()
		ends := 0
		for _, b := range keys {
			o := e.feed(b)
			if o == entered {
				ends++
				if b != '\r' && b != '\n' {
					t.Fatalf("taken without Enter, at %#x", b)
				}
				if len(e.taken) > LineMax || !utf8.ValidString(e.taken) || strings.ContainsFunc(e.taken, func(r rune) bool { return !unicode.IsPrint(r) }) {
					t.Fatalf("taken %q", e.taken)
				}
			}
			if o != pending { // whoever reads begins another
				e.begin("regi> ", false)
			}
			if len(string(e.line)) != e.bytes || e.at > len(e.line) {
				t.Fatalf("%d bytes counted of %q, cursor %d", e.bytes, string(e.line), e.at)
			}
		}
		e.draw()
		shown, widest := vt(t, e.out.String())
		if widest > columns {
			t.Errorf("%d columns wide", widest)
		}
		want := "regi> " + string(e.line)
		if textWidth([]rune(want)) <= columns && e.first == 0 && shown != want {
			t.Errorf("the terminal shows %q, the line is %q", shown, want)
		}
	})
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []string
	}{
		{"", []string{""}},
		{"short", []string{"short"}},
		{strings.Repeat("word ", 20), []string{strings.TrimSpace(strings.Repeat("word ", 15)), "      word word word word word "}},
		{strings.Repeat("x", 100), []string{strings.Repeat("x", 79), "      " + strings.Repeat("x", 21)}},
		{strings.Repeat("あ", 50), []string{strings.Repeat("あ", 39), "      " + strings.Repeat("あ", 11)}},
	} {
		if got := wrap(c.in); !slices.Equal(got, c.want) {
			t.Errorf("%q:\n got %q\nwant %q", c.in, got, c.want)
		}
	}
}
