package display

import "time"

// The glass.
const (
	columns = 20
	rows    = 2
)

// Limits of a command.
const (
	// marqueeMax is the longest text of ESC Q D (table 6-1).
	marqueeMax = 40
	// demoBytes is ESC b's: two lines of C8h bytes each.
	demoBytes = 2 * 0xC8
	// glyphWidthMax is how many columns a character has (table 6-1, ESC &).
	glyphWidthMax = 5
	// marqueeStep is how long a scrolling text stands still.
	marqueeStep = time.Second
)

// Bytes of the protocol.
const (
	bs, ht, lf, hom, clr, cr = 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D
	dc1, dc2, dc3, can       = 0x11, 0x12, 0x13, 0x18
	esc, us                  = 0x1B, 0x1F
)

// mode is what happens at the end of a line.
type mode uint8

const (
	overwrite  mode = iota
	vertical        // the lower line moves up
	horizontal      // the line, or its window, moves left
)

// machine is the display's controller: a pure function of bytes and time.
type machine struct {
	glass  [rows][columns]rune
	x, y   int // of the cursor, from 0; x is at most columns
	mode   mode
	window [rows]window
	text   bool // string mode: only a few commands are obeyed

	marquee []rune // scrolls in the upper line; nil: none
	since   time.Time

	selected   bool // ESC =: this device listens
	national   int  // row of nationals
	table      byte // ESC c: 'A', 'J', 'R'
	brightness int

	cmd    []byte // the command being received
	skip   int    // bytes of a definition still to be passed over
	glyphs int    // characters of ESC & still to come: a width each, then its columns
}

// window is where horizontal scrolling takes place, both ends included.
type window struct{ from, to int }

// reset is ESC @.
func (m *machine) reset() {
	m.clear()
	m.mode, m.national, m.table, m.brightness = overwrite, 0, 'J', 4
	for y := range m.window {
		m.window[y] = window{0, columns - 1}
	}
}

// clear is CLR.
func (m *machine) clear() {
	for y := range m.glass {
		m.blank(y)
	}
	m.x, m.y, m.text, m.marquee = 0, 0, false, nil
}

func (m *machine) blank(y int) {
	for x := range m.glass[y] {
		m.glass[y][x] = ' '
	}
}

func (m *machine) bright() int { return m.brightness }

// feed takes one byte. Any sequence of bytes is allowed.
func (m *machine) feed(now time.Time, c byte) {
	switch {
	case m.skip > 0:
		m.skip--
	case m.glyphs > 0 && c <= glyphWidthMax: // a width; one byte a column follows
		m.glyphs--
		m.skip = int(c)
	case m.glyphs > 0: // no width: the definition was cut short
		m.glyphs = 0
		m.feed(now, c)
	case len(m.cmd) > 0:
		m.command(now, c)
	case c == esc || c == us:
		m.cmd = append(m.cmd, c)
	default:
		m.simple(c)
	}
}

// simple obeys one byte outside of a command.
func (m *machine) simple(c byte) {
	if !m.selected {
		return
	}
	m.endMarquee()
	switch {
	case c == clr:
		m.clear()
	case c == can:
		m.blank(m.y)
		m.x, m.text = 0, false
	case m.text:
	case c >= ' ':
		m.put(m.character(c))
	default:
		m.move(c)
	}
}

// endMarquee: a new command clears the upper line and brings the cursor to its
// left end (remark to ESC Q D).
func (m *machine) endMarquee() {
	if m.marquee == nil {
		return
	}
	m.marquee = nil
	m.blank(0)
	m.x, m.y = 0, 0
}

// put shows a character and moves the cursor on.
func (m *machine) put(c rune) {
	w := m.window[m.y]
	if m.mode == horizontal {
		if m.x > w.to {
			line := m.glass[m.y][w.from : w.to+1]
			copy(line, line[1:])
			m.x = w.to
		}
		m.glass[m.y][m.x] = c
		m.x++ // may be one past the end: the next character moves the line
		return
	}
	m.x = min(m.x, columns-1)
	m.glass[m.y][m.x] = c
	m.right()
}

// right is HT and ESC [ C.
func (m *machine) right() {
	m.x++
	if m.x < columns {
		return
	}
	if m.mode == horizontal {
		m.x = columns - 1
		return
	}
	m.x = 0
	m.down()
}

// left is BS and ESC [ D.
func (m *machine) left() {
	m.x = min(m.x, columns-1) - 1
	if m.x < 0 {
		m.x = columns - 1
		m.up()
	}
}

// down is LF and ESC [ B.
func (m *machine) down() {
	if m.y < rows-1 {
		m.y++
		return
	}
	if m.mode == vertical {
		m.glass[0] = m.glass[1]
		m.blank(1)
		return
	}
	m.y = 0
}

// up is US LF and ESC [ A; the lines are a ring.
func (m *machine) up() { m.y = (m.y + rows - 1) % rows }

// move obeys a control byte that moves the cursor; the others do nothing.
func (m *machine) move(c byte) {
	switch c {
	case bs:
		m.left()
	case ht:
		m.right()
	case lf:
		m.down()
	case cr:
		m.x = 0
	case hom:
		m.x, m.y = 0, 0
	}
}
