package register

import (
	"context"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"regi/drivers"
	"regi/firmware/till"
)

// columns is the width of a display.
const columns = 20

// Times of a display.
const (
	// A name that is too long stands, moves on by a character at a time, stands
	// at its end and begins again. A Show takes 60 ms at 9,600 bit/s.
	scrollBegins = 2 * time.Second
	scrollEvery  = 400 * time.Millisecond
	scrollEnds   = 1500 * time.Millisecond
	// clockAfter is when an idle display shows the time.
	clockAfter = 30 * time.Second
)

// clockLayout is date and time, as wide as a line.
const clockLayout = "2006-01-02     15:04"

// face is whose display it is.
type face uint8

const (
	operator face = iota // who sees everything; also where there is one display
	customer
	faces
)

// screen is the newest text of the displays.
type screen struct {
	mu      sync.Mutex
	text    till.Show
	since   time.Time
	changed [faces]chan struct{}
}

func newScreen() *screen {
	s := &screen{}
	for i := range s.changed {
		s.changed[i] = make(chan struct{}, 1)
	}
	return s
}

func (s *screen) show(t till.Show) {
	s.mu.Lock()
	s.text, s.since = t, time.Now()
	s.mu.Unlock()
	for _, changed := range s.changed {
		ring(changed) // if it has one already, a change is waiting to be drawn
	}
}

// newest is what was to be shown last.
func (s *screen) newest() till.Show {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text
}

// forCustomer is what the customer sees, for a message of the shell's own.
func (s *screen) forCustomer() [2]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Customer
}

// now is what a face shows at a moment, and when it shows something else by
// itself; 0: never.
func (s *screen) now(f face, at time.Time) (lines [2]string, next time.Duration) {
	s.mu.Lock()
	text, since := s.text, s.since
	s.mu.Unlock()
	lines = [2]string{text.Upper, text.Lower}
	if f == customer {
		lines = text.Customer
	}
	shown := at.Sub(since)
	if text.Long != "" && lines[0] == itemLine(text.Long, text.Tail, 0) {
		lines[0], next = scrolled(text.Long, text.Tail, shown)
	}
	if text.Clock == nil || strings.TrimSpace(lines[1]) != "" {
		return lines, next
	}
	if shown < clockAfter {
		return lines, clockAfter - shown
	}
	local := at.In(text.Clock)
	lines[1] = local.Format(clockLayout)
	return lines, local.Truncate(time.Minute).Add(time.Minute).Sub(local)
}

// scrolled is the line of an item whose name does not fit, some time after it
// came, and how long it stays so.
func scrolled(name, tail string, shown time.Duration) (line string, stays time.Duration) {
	steps := utf8.RuneCountInString(name) - (columns - utf8.RuneCountInString(tail) - 1)
	if steps <= 0 {
		return itemLine(name, tail, 0), 0
	}
	round := scrollBegins + time.Duration(steps-1)*scrollEvery + scrollEnds
	shown %= round
	if shown < scrollBegins {
		return itemLine(name, tail, 0), scrollBegins - shown
	}
	moved := int((shown - scrollBegins) / scrollEvery)
	if moved >= steps-1 {
		return itemLine(name, tail, steps), round - shown
	}
	return itemLine(name, tail, moved+1), scrollBegins + time.Duration(moved+1)*scrollEvery - shown
}

// itemLine is the line with the name's first characters left out.
func itemLine(name, tail string, skip int) string {
	runes := []rune(name)
	room := columns - utf8.RuneCountInString(tail) - 1
	runes = runes[min(skip, len(runes)):]
	runes = runes[:max(0, min(len(runes), room))]
	pad := max(0, columns-len(runes)-utf8.RuneCountInString(tail))
	return string(runes) + strings.Repeat(" ", pad) + tail
}

// ServeDisplay draws the newest text until the line fails.
func (r *Register) ServeDisplay(ctx context.Context, d drivers.LineDisplay) error {
	return r.screen.serve(ctx, d, operator)
}

// ServeCustomer draws what the customer sees, until the line fails.
func (r *Register) ServeCustomer(ctx context.Context, d drivers.LineDisplay) error {
	return r.screen.serve(ctx, d, customer)
}

func (s *screen) serve(ctx context.Context, d drivers.LineDisplay, f face) error {
	for {
		select {
		case <-s.changed[f]: // of what is drawn now
		default:
		}
		lines, next := s.now(f, time.Now())
		if err := d.Show(ctx, lines[0], lines[1]); err != nil {
			return err
		}
		var timer <-chan time.Time
		if next > 0 {
			timer = time.After(next)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.changed[f]:
		case <-timer:
		}
	}
}

// tape puts on paper what a display would show, where there is none. A printer
// that is behind is for receipts.
func (r *Register) tape(s till.Show) {
	lines := [2]string{s.Upper, s.Lower}
	if !r.config.Tape || !s.Paper || lines == r.taped || len(r.jobs) >= tapeMax {
		return
	}
	r.taped = lines
	r.print(till.Print{Lines: lines[:]})
}

// tapeMax is how many jobs may wait before lines are left out.
const tapeMax = jobsMax / 4

// printLines prints lines of the tape. What does not come out is nothing that
// anybody waits for. Its error is one of the line.
func (r *Register) printLines(ctx, line context.Context, p drivers.POSPrinter, job till.Print) error {
	doc := drivers.Document{BeginBy: time.Now().Add(tapeWithin)}
	for _, text := range job.Lines {
		if text = strings.TrimRight(text, " "); text != "" {
			doc.Items = append(doc.Items, drivers.TextLine{Text: text})
		}
	}
	err := p.Print(line, doc, func(cause error) {
		e := till.PrintPaused{Job: job.Job}
		if cause != nil {
			e.Cause = reason(cause)
		}
		r.post(ctx, e)
	})
	if line.Err() != nil || isLine(err) {
		return err
	}
	return nil
}

// tapeWithin is when a line of the tape is old.
const tapeWithin = 10 * time.Second
