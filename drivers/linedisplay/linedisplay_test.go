package linedisplay_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"regi/board/port" //nolint:depguard // the suite runs over a real line too
	"regi/drivers"
	"regi/drivers/driverstest"
	"regi/drivers/linedisplay"
	"regi/sim/device/display" //nolint:depguard // the simulated display is the judge
)

func openPort(path string) (drivers.Port, error) { return port.Open(port.Options{Path: path}) }

// newDisplay is New for options that are known to be right.
func newDisplay(p drivers.Port, o linedisplay.Options) *linedisplay.LineDisplay {
	d, err := linedisplay.New(p, o)
	if err != nil {
		panic(err)
	}
	return d
}

func TestConformance(t *testing.T) {
	d := driverstest.LineDisplayDriver{
		New:       func(p drivers.Port) drivers.LineDisplay { return newDisplay(p, linedisplay.Options{}) },
		NewScreen: func() driverstest.Screen { return newScreen() },
		HalfSent: []string{
			"", "\x1b", "\x1bf", "\x1bc", "\x1bQ", "\x1bQA", "\x1bQAabc", "\x1bQB01234567890123456789",
			"\x1bQAold\r", "\x1bQAold\r\x1bQB", "\r\x0c\x1b@\x1bfJ\x1bcJ\x1bQAold\r\x1bQBold\r",
		},
	}
	t.Run("pipe", func(t *testing.T) { driverstest.LineDisplay(t, driverstest.Simulated(), d) })
	t.Run("pty", func(t *testing.T) { driverstest.LineDisplay(t, driverstest.Kernel(openPort), d) })
}

// glass is the simulated ESC/POS display as a screen of the suite.
type glass struct{ *display.Display }

func (g glass) Write(b []byte) (int, error) { g.Feed(b); return len(b), nil }
func (g glass) Err() error                  { return nil }

func TestConformanceESCPOS(t *testing.T) {
	o := linedisplay.Options{Model: "escpos", Brightness: 3}
	d := driverstest.LineDisplayDriver{
		New: func(p drivers.Port) drivers.LineDisplay { return newDisplay(p, o) },
		NewScreen: func() driverstest.Screen {
			d, err := display.NewModel(nil, "escpos", nil)
			if err != nil {
				t.Error(err)
			}
			return glass{d}
		},
		HalfSent: []string{
			"", "\x1b", "\x1bR", "\x1bt", "\x1f", "\x1fC", "\x1fX", "\x1f$", "\x1f$\x01", "\x1f$\x01\x02abc", "\x1f\x02\x1f$", "\x1f\x02\x1f$\x01", "\x1f\x03\x1bR", "\x1f\x02\x1b", "\x1f\x02scrolls" + strings.Repeat("x", 40),
		},
	}
	t.Run("pipe", func(t *testing.T) { driverstest.LineDisplay(t, driverstest.Simulated(), d) })
	t.Run("pty", func(t *testing.T) { driverstest.LineDisplay(t, driverstest.Kernel(openPort), d) })
}

// TestModels: the register's display and the simulated one mean the same by a
// name, katakana and yen included; brightness is set if it is configured.
func TestModels(t *testing.T) {
	for _, model := range linedisplay.Models() {
		for _, brightness := range []int{0, 2} {
			far, err := display.NewModel(nil, model, nil)
			if err != nil {
				t.Fatal(err)
			}
			before := far.Brightness()
			w := &writes{}
			d := newDisplay(w, linedisplay.Options{Model: model, Brightness: brightness})
			for range 2 {
				if err := d.Show(t.Context(), "ﾐﾙｸ ガム", "¥1,980"); err != nil {
					t.Fatal(err)
				}
			}
			for _, b := range w.each {
				far.Feed(b)
			}
			if got := far.Lines(); strings.TrimRight(got[0], " ") != "ﾐﾙｸ ｶﾞﾑ" || strings.TrimRight(got[1], " ") != "¥1,980" {
				t.Errorf("%s shows %q", model, got)
			}
			if got := far.Brightness(); brightness != 0 && got != brightness || brightness == 0 && got != before {
				t.Errorf("%s: brightness %d after %d", model, got, brightness)
			}
		}
	}
	for _, o := range []linedisplay.Options{{Model: "vt100"}, {Brightness: 5}, {Brightness: -1}} {
		if _, err := linedisplay.New(nil, o); !errors.Is(err, drivers.ErrUnsupported) {
			t.Errorf("%v: %v", o, err)
		}
	}
}

// writes is a port that keeps each Write.
type writes struct {
	drivers.Port
	each [][]byte
	fail error
}

func (w *writes) SetWriteDeadline(time.Time) error { return nil }

func (w *writes) Write(b []byte) (int, error) {
	w.each = append(w.each, bytes.Clone(b))
	if w.fail != nil {
		return len(b) / 2, w.fail
	}
	return len(b), nil
}

// TestBytes: exactly these, in one Write a Show, the beginning once a port and
// again after an error.
func TestBytes(t *testing.T) {
	w := &writes{}
	d := newDisplay(w, linedisplay.Options{})
	show := func(want error) {
		t.Helper()
		if err := d.Show(t.Context(), "ﾐﾙｸ 200ml", "¥198"); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	show(nil)
	show(nil)
	w.fail = drivers.ErrUnplugged
	show(drivers.ErrUnplugged)
	w.fail = nil
	show(nil)
	show(nil)
	begin := "\x0d\x0c\x1b\x40\x1b\x66\x4a\x1b\x63\x4a"
	lines := "\x1b\x51\x41\xd0\xd9\xb8 200ml           \x0d" + "\x1b\x51\x42\x5c198                \x0d"
	want := []string{begin + lines, lines, lines, begin + lines, lines}
	if len(w.each) != len(want) {
		t.Fatalf("%d writes, want %d", len(w.each), len(want))
	}
	for i := range want {
		if string(w.each[i]) != want[i] {
			t.Errorf("write %d: %q, want %q", i, w.each[i], want[i])
		}
	}
}

func TestShortWrite(t *testing.T) {
	if err := newDisplay(short{}, linedisplay.Options{}).Show(t.Context(), "a", "b"); !errors.Is(err, io.ErrShortWrite) {
		t.Error(err)
	}
}

type short struct{ writes }

func (short) SetWriteDeadline(time.Time) error { return nil }
func (short) Write(b []byte) (int, error)      { return len(b) - 1, nil }

// shown is what a display makes of one text in both lines.
func shown(t interface{ Fatal(...any) }, text string) string {
	w, s := &writes{}, newScreen()
	if err := newDisplay(w, linedisplay.Options{}).Show(context.Background(), text, text); err != nil {
		t.Fatal(err)
	}
	if len(w.each) != 1 {
		t.Fatal("not one write: ", len(w.each))
	}
	if _, err := s.Write(w.each[0]); err != nil || s.Err() != nil || len(s.pending) > 0 {
		t.Fatal("not understood: ", err, s.Err(), len(s.pending))
	}
	lines := s.Lines()
	if lines[0] != lines[1] {
		t.Fatal("lines differ: ", lines)
	}
	return lines[0]
}

func TestCharacters(t *testing.T) {
	for text, want := range map[string]string{
		"0123 AZ az !?@[]{}|^": "0123 AZ az !?@[]{}|^",
		"\\ ＼":                 "? ?", // the Japanese set has ¥ there
		"¥1 ￥2 10~20":          "¥1 ¥2 10~20",
		"‾ ￣ ¯ ～ 〜":            "~ ~ ~ ~ ~",
		"ＡＢＣ　１２！":              "ABC 12!",
		"ｱｲｳｴｵﾞﾟ｡｢｣､･ｰｯ":         "ｱｲｳｴｵﾞﾟ｡｢｣､･ｰｯ",
		"アイウエオヲンッャァ。「」、・ー":       "ｱｲｳｴｵｦﾝｯｬｧ｡｢｣､･ｰ",
		"カガキギクグケゲコゴ":             "ｶｶﾞｷｷﾞｸｸﾞｹｹﾞｺｺﾞ",
		"サザシジスズセゼソゾ":             "ｻｻﾞｼｼﾞｽｽﾞｾｾﾞｿｿﾞ",
		"タダチヂッツヅテデトド":            "ﾀﾀﾞﾁﾁﾞｯﾂﾂﾞﾃﾃﾞﾄﾄﾞ",
		"ハバパヒビピフブプ":              "ﾊﾊﾞﾊﾟﾋﾋﾞﾋﾟﾌﾌﾞﾌﾟ",
		"ヘベペホボポナニマヴ":             "ﾍﾍﾞﾍﾟﾎﾎﾞﾎﾟﾅﾆﾏｳﾞ",
		"カ\u3099ハ\u309a゛゜":       "ｶﾞﾊﾟﾞﾟ",
		"ありがとうぱんゔっ":              "ｱﾘｶﾞﾄｳﾊﾟﾝｳﾞｯ",
		"合計ヶヰé€😀":                "???????",
		"a\x00\t\x1b\x7f\u009bb": "a     b",
		"\xff\xfe":               "??",
		// A voiced character that does not fit whole is left out.
		"0123456789012345678ガ":  "0123456789012345678",
		"012345678901234567ガ":   "012345678901234567ｶﾞ",
		"01234567890123456789é": "01234567890123456789",
	} {
		if got, want := shown(t, text), want+strings.Repeat(" ", 20-utf8.RuneCountInString(want)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestWholeUnicode: every character is one or two of the display's.
func TestWholeUnicode(t *testing.T) {
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if r >= 0x3400 && r < 0xf900 || r > 0x20000 && r%251 != 0 {
			continue // ideographs, private use: all alike
		}
		got := strings.TrimRight(shown(t, "x"+string(r)+"."), " ")
		n := utf8.RuneCountInString(got)
		if n < 3 || n > 4 || got[0] != 'x' || got[len(got)-1] != '.' {
			t.Fatalf("%U is shown as %q", r, got)
		}
	}
}

// FuzzShow: no text is anything but 20 characters a line; shown says the rest.
func FuzzShow(f *testing.F) {
	f.Add("ﾐﾙｸ")
	f.Add("\x1b@\r\x0c")
	f.Add("ガ\xff合計\u009b")
	f.Fuzz(func(t *testing.T, text string) { once(t, text) })
}

// once also checks that what was shown is shown again as it is.
func once(t interface{ Fatal(...any) }, text string) {
	first := shown(t, text)
	if n := utf8.RuneCountInString(first); n != linedisplay.Columns {
		t.Fatal("columns: ", n)
	}
	if again := shown(t, first); again != first {
		t.Fatal(first, " became ", again)
	}
}

func TestAnyText(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~ぁ-ヿ｡-ﾟ！-～\x00-\x1f\x7f-\x9f]{0,40}`))
	rapid.Check(t, func(r *rapid.T) { once(r, text.Draw(r, "text")) })
}

// sink is a port that takes everything.
type sink struct{ drivers.Port }

func (sink) SetWriteDeadline(time.Time) error { return nil }
func (sink) Write(b []byte) (int, error)      { return len(b), nil }

// BenchmarkShow measures both lines up to the port.
func BenchmarkShow(b *testing.B) {
	d := newDisplay(sink{}, linedisplay.Options{})
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Show(b.Context(), "ﾐﾙｸ ガム 200ml", "ｺﾞｳｹｲ         1,980"); err != nil {
			b.Fatal(err)
		}
	}
}
