package star_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regi/drivers"
	"regi/drivers/driverstest"
	"regi/drivers/star"
)

// device starts a printer of a model and its far end in a bubble.
func device(t *testing.T, model string, test func(t *testing.T, p *star.Printer, d *driverstest.ReceiptPrinter)) {
	t.Helper()
	driverstest.Simulated().Run(t, func(t *testing.T) {
		near, far := driverstest.Simulated().Connect(t)
		d := driverstest.NewStarPrinter(t, far)
		p, err := star.New(near, model)
		if err != nil {
			t.Fatal(err)
		}
		test(t, p, d)
		if problems := d.Problems(); len(problems) > 0 {
			t.Errorf("nonsense: %q", problems)
		}
	})
}

// printed is what lines look like on the paper.
func printed(t *testing.T, lines ...drivers.TextLine) (got []string) {
	t.Helper()
	device(t, "star-mc-print3", func(t *testing.T, p *star.Printer, d *driverstest.ReceiptPrinter) {
		if err := p.Print(t.Context(), drivers.Document{Items: drivers.Texts(lines...)}, nil); err != nil {
			t.Fatal(err)
		}
		got = d.Lines()
	})
	return got
}

func TestText(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"ABC abc 123 ~|{}^[]@#$`", "ABC abc 123 ~|{}^[]@#$`"},
		{`C:\a`, `C:\a`},
		{"¥1,080 ￥ ｺｰﾋｰ｡ﾟ珈琲ｺｰﾋｰ", "¥1,080 ￥ ｺｰﾋｰ｡ﾟ珈琲ｺｰﾋｰ"},
		{"ソ表能十", "ソ表能十"}, // second byte 5Ch
		{"髙﨑①㈱№Ⅳⅳ〜−", "髙﨑①㈱№Ⅳⅳ～－"},
		{"麵😀é€", "〓〓é€"}, // the dots of the first two were sent
		{"Crème brûlée à 3,50 € ｱ珈é琲", "Crème brûlée à 3,50 € ｱ珈é琲"},
		{"a\u200bb\tc\x00d\x1ce\x1b\x07", "ab c d e  "},
		{"　全角", "　全角"},
	} {
		want := strings.TrimRight(test.want, " ")
		if got := printed(t, drivers.TextLine{Text: test.text}); len(got) != 1 || strings.TrimRight(got[0], " ") != want {
			t.Errorf("%q printed as %q, want %q", test.text, got, want)
		}
	}
	long := strings.Repeat("あ", 30) + strings.Repeat("x", 60)
	for _, style := range []drivers.TextLine{{Text: long}, {Text: long, Wide: true}} {
		columns := 48
		if style.Wide {
			columns = 24
		}
		got := printed(t, style, drivers.TextLine{Text: "end"})
		if strings.Join(got, "") != long+"end" {
			t.Errorf("wide %v: %q", style.Wide, got)
		}
		for _, l := range got {
			if n := len([]rune(l)) + strings.Count(l, "あ"); n > columns {
				t.Errorf("%d columns: %q", n, l)
			}
		}
	}
}

func TestModels(t *testing.T) {
	near, _ := driverstest.Pipe(t)
	for _, model := range star.Models() {
		p, err := star.New(near, model)
		if err != nil || p.Columns() != 48 {
			t.Errorf("%s: %v, %v", model, p, err)
		}
		_, err = star.New(near, "star-x")
		if !errors.Is(err, drivers.ErrUnsupported) || !strings.Contains(err.Error(), model) {
			t.Errorf("unknown model: %v does not list %s", err, model)
		}
	}
}

// TestKickWithoutPaper: at once, or refused; never when the paper is changed.
func TestKickWithoutPaper(t *testing.T) {
	for _, test := range []struct {
		model string
		pin   int
		want  error
	}{{"star-mc-print3", 2, nil}, {"star-mc-print3", 5, drivers.ErrPaperOut}, {"star-line", 2, drivers.ErrPaperOut}} {
		device(t, test.model, func(t *testing.T, p *star.Printer, d *driverstest.ReceiptPrinter) {
			d.PaperFor(3)
			waits, printed := make(chan error, 10), make(chan error)
			go func() {
				doc := drivers.Document{Items: slices.Repeat(drivers.Texts(drivers.TextLine{Text: "a"}), 40)}
				printed <- p.Print(t.Context(), doc, func(cause error) { waits <- cause })
			}()
			if cause := <-waits; !errors.Is(cause, drivers.ErrPaperOut) {
				t.Fatal(cause)
			}
			if err := p.Kick(t.Context(), test.pin); !errors.Is(err, test.want) {
				t.Errorf("%s, pin %d: %v, want %v", test.model, test.pin, err, test.want)
			}
			synctest.Wait()
			kicks := len(d.Kicks())
			if (kicks == 1) != (test.want == nil) {
				t.Errorf("%s, pin %d: %d kicks", test.model, test.pin, kicks)
			}
			d.PaperFor(-1)
			if err := <-printed; err != nil {
				t.Fatal(err)
			}
			if len(d.Kicks()) != kicks {
				t.Error("the drawer opened when the paper was changed")
			}
		})
	}
}

// TestLateKick: what could not be sent in time does not open the drawer later.
func TestLateKick(t *testing.T) {
	device(t, "star-mc-print3", func(t *testing.T, p *star.Printer, d *driverstest.ReceiptPrinter) {
		d.Reads(60) // to the middle of the first line
		printed := make(chan error)
		go func() {
			printed <- p.Print(t.Context(), drivers.Document{Items: drivers.Texts(drivers.TextLine{Text: strings.Repeat("a", 48)})}, nil)
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
	device(t, "star-mc-print3", func(t *testing.T, p *star.Printer, d *driverstest.ReceiptPrinter) {
		for _, ask := range []struct {
			pin  int
			want error
		}{{3, drivers.ErrUnsupported}, {2, nil}, {5, drivers.ErrDuty}} {
			if err := p.Kick(t.Context(), ask.pin); !errors.Is(err, ask.want) {
				t.Errorf("pin %d: %v, want %v", ask.pin, err, ask.want)
			}
		}
		time.Sleep(5 * star.KickOn)
		if err := p.Kick(t.Context(), 5); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if kicks := d.Kicks(); len(kicks) != 2 || kicks[1].Pin != 5 {
			t.Errorf("%v", kicks)
		}
	})
}
