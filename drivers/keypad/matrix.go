package keypad

import (
	"context"
	"fmt"
	"math/bits"
	"strings"
	"time"

	"regi/drivers"
)

// Times of a matrix.
const (
	// ScanEvery is how often it is looked at; two equal samples are believed.
	ScanEvery = 5 * time.Millisecond
	// confirmAfter is when a sample that differs is taken again: a key is known 9
	// ms after its contact has settled at the latest.
	confirmAfter = 4 * time.Millisecond
	// LongAfter is when a key is held.
	LongAfter = 600 * time.Millisecond
	// StuckAfter is when a key is held for too long.
	StuckAfter = 10 * time.Second
	// bouncesFor is how long a contact may take to settle; a good one takes 5 ms.
	bouncesFor = 200 * time.Millisecond
	// againAfter is how soon nobody presses a key again: it is a worn contact.
	againAfter = 40 * time.Millisecond
	// bouncesMax is how often in a row that goes without a word.
	bouncesMax = 3
)

// SideMax bounds the rows and the columns of a matrix.
const SideMax = 8

// Lines are the lines of a matrix of contacts: rows that can be pulled low, and
// columns that are high unless a contact pulls them low by its row.
type Lines interface {
	// Rows and Columns are how many there are, at most SideMax each.
	Rows() int
	Columns() int
	// Pull pulls the rows of the set low and lets the others float: two keys in
	// one column would otherwise connect a high row to a low one.
	Pull(rows uint8) error
	// Low is the set of columns that are low.
	Low() (uint8, error)
}

// Layout is what the contacts stand for, by row and column.
type Layout [][]Label

// Label is one key. One with a Long name counts when it is let go of or held,
// any other when it is pressed.
type Label struct{ Name, Long string }

// DefaultLayout returns that of a keypad of 4 × 4, made anew:
//
//	7  8        9      CLEAR     held: VOID
//	4  5        6      QTY       held: ENTER
//	1  2        3      SUBTOTAL  held: CARD
//	0  00       FN     CASH
//	   held:    held:
//	   OPEN     Z
func DefaultLayout() Layout {
	return Layout{
		{{Name: "7"}, {Name: "8"}, {Name: "9"}, {"CLEAR", "VOID"}},
		{{Name: "4"}, {Name: "5"}, {Name: "6"}, {"QTY", "ENTER"}},
		{{Name: "1"}, {Name: "2"}, {Name: "3"}, {"SUBTOTAL", "CARD"}},
		{{Name: "0"}, {"00", "OPEN"}, {"FN", "Z"}, {Name: "CASH"}},
	}
}

// ParseLayout reads a layout: rows of "NAME", "NAME/LONG" or "" for no key. None
// is the default one.
func ParseLayout(rows [][]string) (Layout, error) {
	if len(rows) == 0 {
		return DefaultLayout(), nil
	}
	if len(rows) > SideMax {
		return nil, fmt.Errorf("keypad: %d rows, at most %d", len(rows), SideMax)
	}
	layout := make(Layout, len(rows))
	for y, row := range rows {
		if len(row) > SideMax {
			return nil, fmt.Errorf("keypad: %d columns, at most %d", len(row), SideMax)
		}
		for _, text := range row {
			name, long, found := strings.Cut(text, "/")
			for _, n := range []string{name, long} {
				if n != "" && !IsName(n) || n == "" && found {
					return nil, fmt.Errorf("keypad: %.24q is no key: use one of %s, or two like \"CLEAR/VOID\"", text, strings.Join(names, " "))
				}
			}
			layout[y] = append(layout[y], Label{name, long})
		}
	}
	return layout, nil
}

// sample is the contacts that are closed: a set of columns for each row.
type sample [SideMax]uint8

func (s sample) has(y, x int) bool { return s[y]&(1<<x) != 0 }

// Matrix is a keypad of contacts. It is not safe for use by several goroutines.
// It sees only what happens while Read is called.
type Matrix struct {
	lines  Lines
	layout Layout

	begun    bool                        // what was down at the beginning is known
	raw      sample                      // the last one
	unstable time.Time                   // since when samples differ; zero: they do not
	told     bool                        // that they do
	down     sample                      // as believed
	since    [SideMax][SideMax]time.Time // when it was pressed
	until    [SideMax][SideMax]time.Time // when it was let go of
	bounces  int                         // presses that were none, in a row
	// dead keys count no more until they are let go of: held, stuck, or pressed
	// together with others.
	dead  sample
	stuck sample
	queue []result
}

type result struct {
	event drivers.KeyEvent
	err   error
}

var _ drivers.Keypad = (*Matrix)(nil)

// NewMatrix returns the keypad on the lines; the layout must be theirs.
func NewMatrix(lines Lines, layout Layout) (*Matrix, error) {
	rows, columns := lines.Rows(), lines.Columns()
	if rows < 1 || rows > SideMax || columns < 1 || columns > SideMax || len(layout) != rows {
		return nil, fmt.Errorf("keypad: a matrix of %d × %d lines with %d rows of keys: %w", rows, columns, len(layout), drivers.ErrUnsupported)
	}
	for y := range layout {
		if len(layout[y]) != columns {
			return nil, fmt.Errorf("keypad: row %d has %d keys for %d columns: %w", y+1, len(layout[y]), columns, drivers.ErrUnsupported)
		}
	}
	return &Matrix{lines: lines, layout: layout}, nil
}

// Read returns the next key; see the errors of drivers.Keypad. A key that was
// pressed before the first Read counts when it is pressed again.
func (m *Matrix) Read(ctx context.Context) (drivers.KeyEvent, error) {
	for {
		if len(m.queue) > 0 {
			r := m.queue[0]
			m.queue = m.queue[1:]
			return r.event, r.err
		}
		if ctx.Err() != nil {
			return drivers.KeyEvent{}, fmt.Errorf("keypad: %w", context.Cause(ctx))
		}
		s, err := m.scan()
		if err != nil {
			return drivers.KeyEvent{}, fmt.Errorf("keypad: matrix: %w", err)
		}
		m.look(time.Now(), s)
		if len(m.queue) > 0 {
			continue
		}
		wait := ScanEvery
		if s != m.down {
			wait = confirmAfter
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// scan takes a sample. With all rows pulled at once an idle keypad costs one
// look, not one a row.
func (m *Matrix) scan() (s sample, err error) {
	rows := m.lines.Rows()
	if err := m.lines.Pull(uint8(1<<rows - 1)); err != nil {
		return s, err
	}
	any, err := m.lines.Low()
	if err != nil || any == 0 {
		return s, err
	}
	for y := range rows {
		if err := m.lines.Pull(1 << y); err != nil {
			return s, err
		}
		if s[y], err = m.lines.Low(); err != nil {
			return s, err
		}
	}
	return s, nil
}

// look takes one sample into account.
func (m *Matrix) look(now time.Time, s sample) {
	if s != m.raw {
		m.raw = s
		if m.unstable.IsZero() {
			m.unstable = now
		}
		if now.Sub(m.unstable) >= bouncesFor && !m.told {
			m.told = true
			m.fail(drivers.ErrKeyBounces, "")
		}
		return
	}
	bounced := m.told || !m.begun
	m.unstable, m.told, m.begun = time.Time{}, false, true
	if s != m.down {
		m.change(now, s, bounced)
	}
	m.hold(now)
}

// change is from one believed sample to another. With unsure nobody can say
// how often the contacts were closed: what is down does not count.
func (m *Matrix) change(now time.Time, s sample, unsure bool) {
	fresh, count := m.release(now, s, unsure)
	m.down = s
	for y := range fresh {
		for set := fresh[y]; set != 0; set &= set - 1 {
			m.since[y][bits.TrailingZeros8(set)] = now
		}
	}
	switch {
	case count == 0:
	case unsure:
		m.kill(fresh)
	case count > 1 || ghosts(s):
		m.kill(fresh)
		m.fail(drivers.ErrKeysTogether, "")
	default:
		m.one(now, fresh)
	}
}

// release takes the keys that are up again out of the account, and returns those
// that are newly down.
func (m *Matrix) release(now time.Time, s sample, unsure bool) (fresh sample, count int) {
	for y := range s {
		fresh[y] = s[y] &^ m.down[y]
		count += bits.OnesCount8(fresh[y])
		for set := m.down[y] &^ s[y]; set != 0; set &= set - 1 {
			x := bits.TrailingZeros8(set)
			m.until[y][x] = now
			if l := m.layout[y][x]; l.Long != "" && !m.dead.has(y, x) && !unsure {
				m.press(l.Name, false)
			}
		}
		m.dead[y] &= s[y]
		m.stuck[y] &= s[y]
	}
	return fresh, count
}

// one is a single key that is newly down.
func (m *Matrix) one(now time.Time, fresh sample) {
	m.settle()
	for y := range fresh {
		if fresh[y] == 0 {
			continue
		}
		x := bits.TrailingZeros8(fresh[y])
		if now.Sub(m.until[y][x]) < againAfter {
			m.kill(fresh)
			if m.bounces++; m.bounces == bouncesMax {
				m.fail(drivers.ErrKeyBounces, m.layout[y][x].Name)
			}
			return
		}
		m.bounces = 0
		switch l := m.layout[y][x]; {
		case l.Name == "":
			m.fail(drivers.ErrKeyUnknown, fmt.Sprintf("row %d col %d", y+1, x+1))
		case l.Long == "":
			m.press(l.Name, false)
		}
	}
}

// settle lets keys count that are down and could still have become long: another
// one was pressed, and what was pressed first comes first.
func (m *Matrix) settle() {
	for y := range m.down {
		for set := m.down[y] &^ m.dead[y]; set != 0; set &= set - 1 {
			x := bits.TrailingZeros8(set)
			if l := m.layout[y][x]; l.Long != "" && m.since[y][x].Before(m.latest()) {
				m.dead[y] |= 1 << x
				m.press(l.Name, false)
			}
		}
	}
}

// latest is when a key was last pressed of those that are down.
func (m *Matrix) latest() (t time.Time) {
	for y := range m.down {
		for set := m.down[y]; set != 0; set &= set - 1 {
			if at := m.since[y][bits.TrailingZeros8(set)]; at.After(t) {
				t = at
			}
		}
	}
	return t
}

// hold looks at how long keys are down.
func (m *Matrix) hold(now time.Time) {
	for y := range m.down {
		for set := m.down[y] &^ m.stuck[y]; set != 0; set &= set - 1 {
			x := bits.TrailingZeros8(set)
			l, held := m.layout[y][x], now.Sub(m.since[y][x])
			switch dead := m.dead.has(y, x); {
			case !dead && l.Long != "" && held >= LongAfter:
				m.dead[y] |= 1 << x
				m.press(l.Long, true)
			case held >= StuckAfter:
				m.dead[y] |= 1 << x
				m.stuck[y] |= 1 << x
				m.fail(drivers.ErrKeyStuck, l.Name)
			}
		}
	}
}

// kill makes keys count no more until they are let go of.
func (m *Matrix) kill(s sample) {
	for y := range s {
		m.dead[y] |= s[y]
	}
}

// ghosts says whether one of the contacts may only seem to be closed: of four
// that are the corners of a rectangle three are enough to close it.
func ghosts(s sample) bool {
	for y, row := range s {
		for _, other := range s[y+1:] {
			if bits.OnesCount8(row&other) > 1 {
				return true
			}
		}
	}
	return false
}

func (m *Matrix) press(name string, long bool) {
	m.queue = append(m.queue, result{event: drivers.KeyEvent{Name: name, Source: drivers.KeyMatrix, Long: long}})
}

func (m *Matrix) fail(err error, what string) {
	if what != "" {
		err = &drivers.KeyError{Key: what, Err: err}
	}
	m.queue = append(m.queue, result{err: fmt.Errorf("keypad: %w", err)})
}
