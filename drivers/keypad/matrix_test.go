package keypad_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regi/drivers"
	"regi/drivers/keypad"
	contacts "regi/sim/device/keypad" //nolint:depguard // the simulated contacts are the judge
)

// pad is a keypad of contacts and a task that reads it.
type pad struct {
	*contacts.Matrix
	heard chan string
}

// newPad must be called in a bubble.
func newPad(t *testing.T, bounce time.Duration, layout keypad.Layout) *pad {
	t.Helper()
	m, err := contacts.NewMatrix(len(layout), len(layout[0]), bounce)
	if err != nil {
		t.Fatal(err)
	}
	k, err := keypad.NewMatrix(m, layout)
	if err != nil {
		t.Fatal(err)
	}
	p := &pad{m, make(chan string, 10_000)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			e, err := k.Read(ctx)
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				p.heard <- word(err)
			case e.Source != drivers.KeyMatrix:
				p.heard <- "source " + string(e.Source)
			case e.Long:
				p.heard <- e.Name + "(long)"
			default:
				p.heard <- e.Name
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-ended })
	time.Sleep(20 * time.Millisecond)
	return p
}

func word(err error) string {
	for name, is := range map[string]error{
		"stuck": drivers.ErrKeyStuck, "together": drivers.ErrKeysTogether, "bounces": drivers.ErrKeyBounces, "unknown": drivers.ErrKeyUnknown,
	} {
		if errors.Is(err, is) {
			return name
		}
	}
	return err.Error()
}

// at is the place of a key of the default layout.
func at(name string) (row, column int) {
	for y, labels := range keypad.DefaultLayout() {
		for x, l := range labels {
			if l.Name == name {
				return y, x
			}
		}
	}
	panic("no key " + name)
}

func (p *pad) down(name string) { y, x := at(name); p.Press(y, x) }
func (p *pad) up(name string)   { y, x := at(name); p.Release(y, x) }

func (p *pad) said() string {
	synctest.Wait()
	said := []string{}
	for len(p.heard) > 0 {
		said = append(said, <-p.heard)
	}
	return strings.Join(said, " ")
}

// play is steps like "+7 50 -7 50": press, wait for milliseconds, let go.
func (p *pad) play(t *testing.T, script string) {
	t.Helper()
	for _, step := range strings.Fields(script) {
		switch step[0] {
		case '+':
			p.down(step[1:])
		case '-':
			p.up(step[1:])
		default:
			pause, err := time.ParseDuration(step + "ms")
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(pause)
		}
	}
}

// TestMatrix: what an operator does, and what the register hears, with contacts
// that bounce for 4 ms.
func TestMatrix(t *testing.T) {
	for name, c := range map[string]struct{ play, want string }{
		"a press":              {"+7 50 -7 50", "7"},
		"two presses":          {"+7 60 -7 60 +7 60 -7 60", "7 7"},
		"held":                 {"+7 2000 -7 50", "7"},
		"too short to be one":  {"+7 3 -7 50", ""},
		"rolling over":         {"+7 30 +8 30 -7 30 -8 30 +9 30 -9 30", "7 8 9"},
		"a key with a second":  {"+CLEAR 100 -CLEAR 50", "CLEAR"},
		"its second":           {"+CLEAR 700 -CLEAR 50", "VOID(long)"},
		"first pressed, first": {"+QTY 30 +5 30 -5 30 -QTY 30", "QTY 5"},
		"both with a second":   {"+QTY 30 +CLEAR 30 -QTY 30 -CLEAR 30", "QTY CLEAR"},
		"two at once":          {"+1 +2 100 -1 -2 100 +3 50 -3 50", "together 3"},
		"one of two stays":     {"+1 +2 100 -1 100 +3 50 -3 50 -2 50 +2 50 -2 50", "together 3 2"},
		"a rectangle":          {"+1 50 +2 50 +4 50 -4 50 -2 50 -1 50 +5 50 -5 50", "1 2 together 5"},
		"three in a row":       {"+1 50 +2 50 +3 50 -1 -2 -3 50", "1 2 3"},
		"stuck":                {"+4 10500 +5 50 -5 50 30000 +6 50 -6 50 -4 50 +4 50 -4 50", "4 stuck 5 6 4"},
		"stuck with a second":  {"+CLEAR 11000 -CLEAR 100 +CLEAR 50 -CLEAR 50", "VOID(long) stuck CLEAR"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPad(t, 4*time.Millisecond, keypad.DefaultLayout())
				p.play(t, c.play)
				if got := p.said(); got != c.want {
					t.Errorf("heard %q, want %q", got, c.want)
				}
			})
		})
	}
}

// TestMatrixBounce: however long a contact bounces, no press counts twice; a
// worn contact is told of.
func TestMatrixBounce(t *testing.T) {
	for bounce := 0; bounce < 400; bounce += 1 + bounce/20 {
		synctest.Test(t, func(t *testing.T) {
			p := newPad(t, time.Duration(bounce)*time.Millisecond, keypad.DefaultLayout())
			p.play(t, "+7 600 -7 600")
			got := p.said()
			if n := strings.Count(got, "7"); n > 1 || n == 0 && !strings.Contains(got, "bounces") {
				t.Errorf("%d ms: heard %q", bounce, got)
			}
			if bounce <= 5 && got != "7" {
				t.Errorf("%d ms: heard %q", bounce, got)
			}
		})
	}
}

// slow are lines on which a ghost comes later than the key that causes it: its way
// is through three contacts.
type slow struct {
	began  time.Time
	pulled uint8
}

func (s *slow) Rows() int             { return 4 }
func (s *slow) Columns() int          { return 4 }
func (s *slow) Pull(rows uint8) error { s.pulled = rows; return nil }

func (s *slow) Low() (low uint8, err error) {
	for i, c := range []struct{ row, column int }{{0, 0}, {0, 1}, {1, 0}, {1, 1}} { // one every 50 ms
		closed := time.Since(s.began) > time.Duration(i+1)*50*time.Millisecond
		if closed && s.pulled&(1<<c.row) != 0 {
			low |= 1 << c.column
		}
	}
	return low, nil
}

// TestMatrixLateGhost: the fourth corner of a rectangle is no key even if it
// comes alone.
func TestMatrixLateGhost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, err := keypad.NewMatrix(&slow{began: time.Now()}, keypad.DefaultLayout())
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"7", "8", "4", "together"} {
			e, err := k.Read(t.Context())
			got := e.Name
			if err != nil {
				got = word(err)
			}
			if got != want {
				t.Errorf("heard %q, want %q", got, want)
			}
		}
	})
}

// TestMatrixLatency: a key is heard within 9 ms, whenever it is pressed.
func TestMatrixLatency(t *testing.T) {
	worst := time.Duration(0)
	for offset := range 50 {
		synctest.Test(t, func(t *testing.T) {
			p := newPad(t, 0, keypad.DefaultLayout())
			time.Sleep(time.Duration(offset) * 100 * time.Microsecond)
			pressed := time.Now()
			p.down("7")
			if got := <-p.heard; got != "7" {
				t.Error(got)
			}
			worst = max(worst, time.Since(pressed))
		})
	}
	if worst > 9*time.Millisecond || worst < 4*time.Millisecond {
		t.Errorf("%v at worst", worst)
	}
}

// TestMatrixBegins: a key that is down when the register starts counts when it
// is pressed again.
func TestMatrixBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := contacts.NewMatrix(4, 4, 0)
		if err != nil {
			t.Fatal(err)
		}
		m.Press(3, 3)
		k, err := keypad.NewMatrix(m, keypad.DefaultLayout())
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(50*time.Millisecond, func() { m.Release(3, 3) })
		time.AfterFunc(150*time.Millisecond, func() { m.Press(3, 3) })
		began := time.Now()
		e, err := k.Read(t.Context())
		if e.Name != "CASH" || err != nil || time.Since(began) < 150*time.Millisecond {
			t.Errorf("%v, %v after %v", e, err, time.Since(began))
		}
		if took := time.Since(began); took > 170*time.Millisecond {
			t.Errorf("seen after %v", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := k.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

// broken are lines that fail.
type broken struct {
	*contacts.Matrix
	pull, low error
}

func (b broken) Pull(rows uint8) error { return errors.Join(b.pull, b.Matrix.Pull(rows)) }
func (b broken) Low() (uint8, error)   { return 1, b.low }

func TestMatrixLinesFail(t *testing.T) {
	m, err := contacts.NewMatrix(4, 4, 0)
	if err != nil {
		t.Fatal(err)
	}
	fault := errors.New("fault")
	for _, b := range []broken{{m, fault, nil}, {m, nil, fault}} {
		k, err := keypad.NewMatrix(b, keypad.DefaultLayout())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.Read(t.Context()); !errors.Is(err, fault) {
			t.Errorf("%v", err)
		}
	}
	for _, layout := range []keypad.Layout{nil, {{}}, keypad.DefaultLayout()[:3], {{}, {}, {}, {}}} {
		if _, err := keypad.NewMatrix(m, layout); !errors.Is(err, drivers.ErrUnsupported) {
			t.Errorf("layout %v: %v", layout, err)
		}
	}
}

// FuzzMatrix: of any movements of contacts that settle in time, each lone press
// counts once, in order.
func FuzzMatrix(f *testing.F) {
	f.Add([]byte{0x00, 0x12, 0x33, 0x21})
	f.Add([]byte{0xff, 0x80, 0x01})
	f.Fuzz(func(t *testing.T, moves []byte) {
		if len(moves) > 64 {
			moves = moves[:64]
		}
		synctest.Test(t, func(t *testing.T) {
			p := newPad(t, 4*time.Millisecond, keypad.DefaultLayout())
			want := []string{}
			for _, b := range moves {
				y, x := int(b&3), int(b>>2&3)
				l := keypad.DefaultLayout()[y][x]
				p.Press(y, x)
				if b>>4 == 0 && l.Long != "" {
					want = append(want, l.Long+"(long)")
					time.Sleep(700 * time.Millisecond)
				} else {
					want = append(want, l.Name)
					time.Sleep(time.Duration(20+b>>4) * time.Millisecond)
				}
				p.Release(y, x)
				time.Sleep(60 * time.Millisecond)
			}
			if got := p.said(); got != strings.Join(want, " ") {
				t.Errorf("heard %q, want %q", got, want)
			}
		})
	})
}

// FuzzParseLayout: what is taken is of keys that a register has.
func FuzzParseLayout(f *testing.F) {
	f.Add("7,8;CLEAR/VOID,")
	f.Add("7/;/7")
	f.Fuzz(func(t *testing.T, text string) {
		rows := [][]string{}
		for row := range strings.SplitSeq(text, ";") {
			rows = append(rows, strings.Split(row, ","))
		}
		layout, err := keypad.ParseLayout(rows)
		if err != nil {
			return
		}
		for _, row := range layout {
			for _, l := range row {
				if l.Name != "" && !keypad.IsName(l.Name) || l.Long != "" && (l.Name == "" || !keypad.IsName(l.Long)) {
					t.Errorf("%q gives %q", text, l)
				}
			}
		}
	})
}
