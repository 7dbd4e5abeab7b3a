package escpos_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"

	"regi/board/port" //nolint:depguard // tests may cross: the real port on a real tty
	"regi/drivers"
	"regi/drivers/drawer"
	"regi/drivers/driverstest"
	"regi/drivers/escpos"
)

func openAs(model string) func(drivers.Port) (drivers.POSPrinter, error) {
	return func(p drivers.Port) (drivers.POSPrinter, error) { return escpos.New(p, model) }
}

func openPort(path string) (drivers.Port, error) {
	return port.Open(port.Options{Path: path, Baud: 115200})
}

func TestPrinter(t *testing.T) {
	t.Parallel()
	for _, model := range []string{"tm-t88v", "generic-80"} {
		t.Run(model, func(t *testing.T) {
			driverstest.Printer(t, driverstest.Simulated(), openAs(model))
		})
	}
	t.Run("pty", func(t *testing.T) {
		t.Parallel()
		driverstest.Printer(t, driverstest.Kernel(openPort), openAs("tm-t88v"))
	})
}

func TestDrawer(t *testing.T) {
	t.Parallel()
	open := func(model string, pin int) func(p drivers.Port) (drivers.POSPrinter, drivers.CashDrawer, error) {
		return func(p drivers.Port) (drivers.POSPrinter, drivers.CashDrawer, error) {
			printer, err := escpos.New(p, model)
			if err != nil {
				return nil, nil, err
			}
			return printer, drawer.ViaPrinter(printer, pin), nil
		}
	}
	t.Run("real-time kick", func(t *testing.T) {
		driverstest.Drawer(t, driverstest.Simulated(), 2, open("tm-m30", 2))
	})
	t.Run("pin 5", func(t *testing.T) {
		driverstest.Drawer(t, driverstest.Simulated(), 5, open("tm-t20iii", 5))
	})
	t.Run("kick in its turn", func(t *testing.T) {
		driverstest.Drawer(t, driverstest.Simulated(), 5, open("generic-58", 5))
	})
	t.Run("pty", func(t *testing.T) {
		t.Parallel()
		driverstest.Drawer(t, driverstest.Kernel(openPort), 2, open("tm-t88v", 2))
	})
}

func TestModels(t *testing.T) {
	near, _ := driverstest.Pipe(t)
	for model, columns := range map[string]int{"tm-t88v": 42, "tm-t20iii": 48, "tm-m30": 48, "generic-80": 48, "generic-58": 32} {
		p, err := escpos.New(near, model)
		if err != nil || p.Columns() != columns {
			t.Errorf("%s: %v, %v", model, p, err)
		}
		_, err = escpos.New(near, "tm-x")
		if !errors.Is(err, drivers.ErrUnsupported) || !strings.Contains(err.Error(), model) {
			t.Errorf("unknown model: %v does not list %s", err, model)
		}
	}
}

// printed is what a document looks like on a model's paper.
func printed(t *testing.T, model string, doc drivers.Document) []string {
	t.Helper()
	var got []string
	driverstest.Simulated().Run(t, func(t *testing.T) {
		near, far := driverstest.Simulated().Connect(t)
		device := driverstest.NewReceiptPrinter(t, far)
		p, err := escpos.New(near, model)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Print(t.Context(), doc, nil); err != nil {
			t.Fatal(err)
		}
		if problems := device.Problems(); len(problems) > 0 {
			t.Errorf("nonsense: %q", problems)
		}
		got = device.Lines()
	})
	return got
}

func TestText(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"ABC abc 123 ~|{}^[]@#$`", "ABC abc 123 ~|{}^[]@#$`"},
		{`C:\a`, `C:\a`},
		{"¥1,080 ￥", "¥1,080 ￥"},
		{"ｺｰﾋｰ｡ﾟ", "ｺｰﾋｰ｡ﾟ"},
		{"珈琲ｺｰﾋｰ珈琲", "珈琲ｺｰﾋｰ珈琲"},
		{"ソ表能十", "ソ表能十"}, // second byte 5Ch
		{"髙﨑①㈱№Ⅳⅳ", "髙﨑①㈱№Ⅳⅳ"},
		{"〜‖−—¢£¬", "～∥－―¢£¬"},
		{"\u212B\u203E", "\u00C5\uFFE3"},
		{"麵😀é€", "〓〓é€"},
		{"a\u200bb\ufeffc\ufe0f", "abc"},
		{"葛\U000E0100城", "葛城"},
		{"a\tb\x00c\x7fd\u0085e\u00a0f", "a b c d e f"},
		{"\xff\xfe", "〓〓"},
		{"　全角", "　全角"},
	} {
		doc := drivers.Document{Items: drivers.Texts(drivers.TextLine{Text: test.text})}
		if got := printed(t, "tm-t88v", doc); len(got) != 1 || got[0] != test.want {
			t.Errorf("%q printed as %q, want %q", test.text, got, test.want)
		}
	}
}

func TestLongLines(t *testing.T) {
	long := strings.Repeat("あ", 20) + strings.Repeat("x", 100)
	for _, style := range []drivers.TextLine{{}, {Wide: true}, {Align: drivers.Right}} {
		style.Text = long
		got := printed(t, "generic-58", drivers.Document{Items: drivers.Texts(style, drivers.TextLine{Text: "end"})})
		if strings.Join(got, "") != long+"end" {
			t.Errorf("wide %v: %q", style.Wide, got)
		}
		columns := 32
		if style.Wide {
			columns = 16
		}
		for _, l := range got {
			if n := len([]rune(l)) + strings.Count(l, "あ"); n > columns {
				t.Errorf("%d columns: %q", n, l)
			}
		}
	}
	full := strings.Repeat("字", 21)
	if got := printed(t, "tm-t88v", drivers.Document{Items: drivers.Texts(drivers.TextLine{Text: full + "   "})}); !slices.Equal(got, []string{full}) {
		t.Errorf("a full line with blanks behind it: %q", got)
	}
}

func TestCut(t *testing.T) {
	for model, want := range map[string][]string{
		"tm-t88v":    {"a", "✂"},
		"generic-58": {"a", "", "", "", "", ""},
	} {
		if got := printed(t, model, drivers.Document{Items: drivers.Texts(drivers.TextLine{Text: "a"}), Cut: true}); !slices.Equal(got, want) {
			t.Errorf("%s: %q", model, got)
		}
	}
}

// TestEveryKanji prints the whole of code page 932 within FS C 1's range.
func TestEveryKanji(t *testing.T) {
	var doc drivers.Document
	var want []string
	seen := map[string]bool{}
	line := ""
	for lead := 0x81; lead <= 0xEF; lead++ {
		for trail := 0x40; trail <= 0xFC; trail++ {
			c, err := japanese.ShiftJIS.NewDecoder().Bytes([]byte{byte(lead), byte(trail)})
			if err != nil || utf8.RuneCount(c) != 1 || string(c) == "\uFFFD" || c[0] < 0x80 || seen[string(c)] ||
				lead >= 0xA0 && lead < 0xE0 || c[0] == 0xEE || // private use (first byte F0 and on)
				c[0] < 0xE1 || string(c) == "\u212B" { // letters of Europe are narrow
				continue
			}
			seen[string(c)] = true
			if line += string(c); utf8.RuneCountInString(line) == 16 {
				doc.Items, want, line = append(doc.Items, drivers.TextLine{Text: line}), append(want, line), ""
			}
		}
	}
	if len(seen) < 7050 {
		t.Fatalf("only %d kanji", len(seen))
	}
	for part := range slices.Chunk(doc.Items, drivers.DocumentItemsMax) {
		got := printed(t, "tm-t88v", drivers.Document{Items: part})
		for i, w := range want[:len(part)] {
			if got[i] != w {
				t.Errorf("printed %q, want %q", got[i], w)
			}
		}
		want = want[len(part):]
	}
}

// device starts a printer of a model and its far end in a bubble.
func device(t *testing.T, model string, test func(t *testing.T, p *escpos.Printer, d *driverstest.ReceiptPrinter)) {
	t.Helper()
	driverstest.Simulated().Run(t, func(t *testing.T) {
		near, far := driverstest.Simulated().Connect(t)
		d := driverstest.NewReceiptPrinter(t, far)
		p, err := escpos.New(near, model)
		if err != nil {
			t.Fatal(err)
		}
		test(t, p, d)
		if problems := d.Problems(); len(problems) > 0 {
			t.Errorf("nonsense: %q", problems)
		}
	})
}

func TestInit(t *testing.T) {
	for name, test := range map[string]struct {
		fault func(*driverstest.PrinterFaults)
		want  error
	}{
		"healthy":  {func(*driverstest.PrinterFaults) {}, nil},
		"no paper": {func(f *driverstest.PrinterFaults) { f.PaperOut = true }, nil},
		"silent":   {func(f *driverstest.PrinterFaults) { f.Mute = true }, drivers.ErrTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			device(t, "tm-t88v", func(t *testing.T, p *escpos.Printer, d *driverstest.ReceiptPrinter) {
				d.Set(test.fault)
				if err := p.Init(t.Context()); !errors.Is(err, test.want) {
					t.Fatalf("%v, want %v", err, test.want)
				}
				synctest.Wait()
				if setUp := strings.Contains(string(d.Received()), "\x1b@\x1cC\x01"); setUp != (test.want == nil) {
					t.Errorf("set up: %v", setUp)
				}
			})
		})
	}
}

// TestKickWithoutPaper: at once, or refused; never when the paper is changed.
func TestKickWithoutPaper(t *testing.T) {
	for model, want := range map[string]error{"tm-t88v": nil, "generic-80": drivers.ErrPaperOut} {
		t.Run(model, func(t *testing.T) {
			device(t, model, func(t *testing.T, p *escpos.Printer, d *driverstest.ReceiptPrinter) {
				d.PaperFor(3)
				printed := make(chan error)
				waits := make(chan error, 10)
				go func() {
					doc := drivers.Document{Items: slices.Repeat(drivers.Texts(drivers.TextLine{Text: "a"}), 40)}
					printed <- p.Print(t.Context(), doc, func(cause error) { waits <- cause })
				}()
				if cause := <-waits; !errors.Is(cause, drivers.ErrPaperOut) {
					t.Fatal(cause)
				}
				if err := p.Kick(t.Context(), 2); !errors.Is(err, want) {
					t.Errorf("kick: %v, want %v", err, want)
				}
				synctest.Wait()
				kicks := len(d.Kicks())
				if (kicks == 1) != (want == nil) {
					t.Errorf("%d kicks", kicks)
				}
				d.PaperFor(-1)
				if err := <-printed; err != nil {
					t.Fatal(err)
				}
				if len(d.Kicks()) != kicks {
					t.Error("the drawer opened when the paper was changed")
				}
			})
		})
	}
}

// TestReadIsNotPrinted: without GS ( H the last word is the paper sensor's.
func TestReadIsNotPrinted(t *testing.T) {
	for name, end := range map[string]func(*driverstest.ReceiptPrinter){
		"at once": func(d *driverstest.ReceiptPrinter) {
			d.Set(func(f *driverstest.PrinterFaults) { f.FencesLeft = 2 }) // all of this document's
		},
		"on the way": func(d *driverstest.ReceiptPrinter) {
			time.AfterFunc(300*time.Millisecond, func() { d.PaperFor(0) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			device(t, "generic-80", func(t *testing.T, p *escpos.Printer, d *driverstest.ReceiptPrinter) {
				end(d)
				told := 0
				err := p.Print(t.Context(), drivers.Document{Items: drivers.Texts(drivers.TextLine{Text: "a"})}, func(cause error) {
					told++
					if errors.Is(cause, drivers.ErrPaperOut) {
						d.PaperFor(-1)
					}
				})
				if err != nil || told != 2 {
					t.Errorf("%v, told %d times", err, told)
				}
			})
		})
	}
}

// TestLateKick: what could not be sent in time does not open the drawer later.
func TestLateKick(t *testing.T) {
	device(t, "tm-t88v", func(t *testing.T, p *escpos.Printer, d *driverstest.ReceiptPrinter) {
		d.Reads(40) // to the middle of the first line
		printed := make(chan error)
		go func() {
			printed <- p.Print(t.Context(), drivers.Document{Items: drivers.Texts(drivers.TextLine{Text: strings.Repeat("a", 42)})}, nil)
		}()
		time.Sleep(100 * time.Millisecond)
		began := time.Now()
		if err := p.Kick(t.Context(), 2); !errors.Is(err, drivers.ErrTimeout) || time.Since(began) > 2*time.Second {
			t.Errorf("kick: %v after %v", err, time.Since(began))
		}
		d.Reads(-1)
		if err := <-printed; err != nil {
			t.Error(err)
		}
		if kicks := d.Kicks(); len(kicks) > 0 {
			t.Errorf("%v", kicks)
		}
	})
}

// TestKickLimits asks for both coils and for none, past package drawer.
func TestKickLimits(t *testing.T) {
	device(t, "tm-t88v", func(t *testing.T, p *escpos.Printer, d *driverstest.ReceiptPrinter) {
		for _, ask := range []struct {
			pin  int
			want error
		}{{3, drivers.ErrUnsupported}, {2, nil}, {5, drivers.ErrDuty}, {2, drivers.ErrDuty}} {
			if err := p.Kick(t.Context(), ask.pin); !errors.Is(err, ask.want) {
				t.Errorf("pin %d: %v, want %v", ask.pin, err, ask.want)
			}
		}
		time.Sleep(5 * escpos.KickOn)
		if err := p.Kick(t.Context(), 5); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if kicks := d.Kicks(); len(kicks) != 2 || kicks[1].Pin != 5 {
			t.Errorf("%v", kicks)
		}
	})
}
