package register

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"regi/drivers"
	"regi/firmware/till"
)

// watchedPanel is a display with the time at which it showed what.
type watchedPanel struct {
	began time.Time
	shown []string
}

func (p *watchedPanel) Show(_ context.Context, upper, lower string) error {
	p.shown = append(p.shown, fmt.Sprintf("%.1f %s|%s", time.Since(p.began).Seconds(), upper, lower))
	return nil
}

// watch shows a text for a time and returns what both faces showed.
func watch(t *testing.T, text till.Show, d time.Duration) (operator, customer []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &Register{screen: newScreen()}
		r.screen.show(text)
		ctx, cancel := context.WithTimeout(t.Context(), d)
		defer cancel()
		o, c := &watchedPanel{began: time.Now()}, &watchedPanel{began: time.Now()}
		ended := make(chan error, 2)
		go func() { ended <- r.ServeDisplay(ctx, o) }()
		go func() { ended <- r.ServeCustomer(ctx, c) }()
		for range 2 {
			if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		}
		operator, customer = o.shown, c.shown
	})
	return operator, customer
}

// TestScroll: a name that does not fit stands, moves to its end, stands and
// begins again, on both faces; quantity and price stay where they are.
func TestScroll(t *testing.T) {
	upper := "ABCDEFGHIJKLMN 1x110"
	text := till.Show{Upper: upper, Lower: "TOTAL", Customer: [2]string{upper, "total"}, Long: "ABCDEFGHIJKLMNOPQ", Tail: "1x110"}
	want := []string{
		"0.0 ABCDEFGHIJKLMN 1x110", "2.0 BCDEFGHIJKLMNO 1x110", "2.4 CDEFGHIJKLMNOP 1x110", "2.8 DEFGHIJKLMNOPQ 1x110",
		"4.3 ABCDEFGHIJKLMN 1x110", "6.3 BCDEFGHIJKLMNO 1x110",
	}
	operator, customer := watch(t, text, 6500*time.Millisecond)
	for i := range want {
		if i >= len(operator) || operator[i] != want[i]+"|TOTAL" || customer[i] != want[i]+"|total" {
			t.Fatalf("step %d\n%s\n%s", i, strings.Join(operator, "\n"), strings.Join(customer, "\n"))
		}
	}
	// A message is no item: it stands.
	text.Upper = "UNKNOWN CODE     S01"
	operator, customer = watch(t, text, 6500*time.Millisecond)
	if len(operator) != 1 || len(customer) != len(want) {
		t.Errorf("%d times, %d times", len(operator), len(customer))
	}
}

// TestClock: an idle display shows the time after a while, and only where the
// line is empty.
func TestClock(t *testing.T) {
	text := till.Show{Upper: "WELCOME", Lower: "OFFLINE: CASH ONLY", Customer: [2]string{"WELCOME", ""}, Clock: time.FixedZone("JST", 9*60*60)}
	operator, customer := watch(t, text, 150*time.Second) // a bubble begins at 2000-01-01 00:00 UTC
	if len(operator) != 1 {
		t.Errorf("operator: %q", operator)
	}
	want := []string{"0.0 WELCOME|", "30.0 WELCOME|2000-01-01     09:00", "60.0 WELCOME|2000-01-01     09:01", "120.0 WELCOME|2000-01-01     09:02"}
	if fmt.Sprint(customer) != fmt.Sprint(want) {
		t.Errorf("customer: %q", customer)
	}
}

// FuzzScroll: at any moment the line has 20 columns and ends with its tail.
func FuzzScroll(f *testing.F) {
	f.Add("ｼﾝｼｭﾝ ﾄｸｾﾝ ﾂﾐﾚｲｼﾞﾙ ﾚﾄﾙﾄ", "1x110", int64(3000))
	f.Fuzz(func(t *testing.T, name, tail string, ms int64) {
		if !utf8.ValidString(name) || !utf8.ValidString(tail) || utf8.RuneCountInString(tail) > 18 || ms < 0 || ms > 1<<40 || len(name) > 200 {
			return
		}
		line, stays := scrolled(name, tail, time.Duration(ms)*time.Millisecond)
		if utf8.RuneCountInString(line) != columns || !strings.HasSuffix(line, tail) || stays < 0 {
			t.Errorf("%q for %v", line, stays)
		}
	})
}

// paperPrinter keeps what it prints.
type paperPrinter struct {
	drivers.POSPrinter
	docs []drivers.Document
	err  error
}

func (p *paperPrinter) Columns() int { return 42 }

func (p *paperPrinter) Print(_ context.Context, doc drivers.Document, _ func(error)) error {
	p.docs = append(p.docs, doc)
	return p.err
}

// text is what is on the paper, a document a line.
func (p *paperPrinter) text() string {
	var b strings.Builder
	for _, doc := range p.docs {
		for _, i := range doc.Items {
			switch i := i.(type) {
			case drivers.TextLine:
				b.WriteString(i.Text + "/")
			case drivers.Barcode:
				b.WriteString(i.Data + "/")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// printAll prints what waits.
func printAll(t *testing.T, r *Register, p *paperPrinter) {
	t.Helper()
	for len(r.jobs) > 0 {
		if err := r.printJob(t.Context(), t.Context(), p, <-r.jobs); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTape: a register without a display prints what one would show of a sale
// and every message, not each digit.
func TestTape(t *testing.T) {
	s := newShop(t)
	s.Tape = true
	r := s.open(t)
	p := &paperPrinter{}
	advance(t, r, keys("1", "OPEN")...)
	advance(t, r, s.scan("4901234567894"))
	advance(t, r, keys("VOID")...)
	advance(t, r, s.scan("4912345678904"))
	advance(t, r, keys("NOSALE", "SUBTOTAL", "1", "0", "00")...)
	printAll(t, r, p)
	got := p.text()
	for _, want := range []string{"1x", "CASH OR CARD?", "K06"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not on\n%s", want, got)
		}
	}
	if lines := strings.Count(got, "\n"); lines > 6 || strings.Contains(got, "1000") {
		t.Errorf("%d documents:\n%s", lines, got)
	}
	for _, doc := range p.docs {
		if doc.Cut || len(doc.Items) > 2 {
			t.Errorf("%+v", doc)
		}
	}
	for range 50 { // a printer that is far behind
		advance(t, r, keys("CLEAR", "NOSALE")...)
	}
	if waiting := len(r.jobs); waiting == 0 || waiting > tapeMax {
		t.Errorf("%d lines wait before the receipt", waiting)
	}
	printAll(t, r, p)
	p.docs, p.err = nil, wrapped(drivers.ErrOffline)
	advance(t, r, keys("CLEAR", "NOSALE")...)
	printAll(t, r, p)
	if r.held != nil {
		t.Error("a line of the tape waits for the printer, and receipts with it")
	}
	if err := r.ledger.close(); err != nil {
		t.Fatal(err)
	}
}

// TestSheetPaper: the sheet that is printed while no register runs is that of
// the register, and presses its keys until the Z.
func TestSheetPaper(t *testing.T) {
	s := newShop(t)
	s.Till.CodeKey = []byte("a key of the test, 32 bytes long")
	r := s.open(t)
	if _, err := Sheet(s.Config, 42); err == nil {
		t.Error("a sheet was made beside a running register")
	}
	advance(t, r, keys("5", "ENTER")...)
	p := &paperPrinter{}
	printAll(t, r, p)
	own := p.text()
	if err := r.ledger.close(); err != nil {
		t.Fatal(err)
	}
	doc, err := Sheet(s.Config, 42)
	if err != nil {
		t.Fatal(err)
	}
	p.docs = []drivers.Document{doc}
	if got := p.text(); got != own || strings.Count(got, till.SheetPrefix) != 26 || !strings.Contains(got, "VOID") {
		t.Errorf("printed\n%s, the register's own\n%s", got, own)
	}
	r = s.open(t)
	code := own[strings.Index(own, "~K:1:"):]
	code, _, _ = strings.Cut(code, "/")
	e := identify(drivers.Scan{Data: code, Label: code, AIM: "]C0"}, s.Prices)
	advance(t, r, e)
	if digits := r.till.State().Hand.Digits; digits != "1" {
		t.Errorf("digits %q", digits)
	}
	if err := r.ledger.close(); err != nil {
		t.Fatal(err)
	}
	s.Till.SheetOff = true
	if _, err := Sheet(s.Config, 42); !errors.Is(err, ErrNoSheet) {
		t.Error(err)
	}
}

// shownBy is the newest text of a register's screen.
func shownBy(r *Register) till.Show {
	r.screen.mu.Lock()
	defer r.screen.mu.Unlock()
	return r.screen.text
}
