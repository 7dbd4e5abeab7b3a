package display

import "time"

// lengths is how many bytes follow the letter of an ESC command. What is not
// here has none: an unknown command is its two bytes. ESC Q ends with CR.
//
//nolint:gochecknoglobals // a constant table
var lengths = map[byte]int{
	'[': 1, 'l': 2, 'W': 4, '*': 1, '&': 3, '?': 1, '%': 1, '_': 1, 'f': 1, 'R': 1, 'c': 1, '=': 1, 's': 1, 'd': 1, '#': 1, 'Q': 1,
}

// command takes one more byte of a command and obeys it when it is whole.
func (m *machine) command(now time.Time, c byte) {
	if len(m.cmd) >= 3 && m.cmd[0] == esc && m.cmd[1] == 'Q' {
		m.str(now, c)
		return
	}
	if len(m.cmd) == 1 && c == esc {
		m.cmd[0] = esc // ESC ESC, US ESC: the second one begins a command
		return
	}
	m.cmd = append(m.cmd, c)
	introducer, op, args := m.cmd[0], m.cmd[1], m.cmd[2:]
	switch {
	case introducer == us:
		if op == 'E' && len(args) == 0 { // blink: n follows
			return
		}
		m.cmd = m.cmd[:0]
		m.unitSeparator(op)
	case len(args) < lengths[op]:
	case op == 'Q' && args[0] >= 'A' && args[0] <= 'D':
		// Its text follows.
	default:
		m.cmd = m.cmd[:0]
		m.obey(op, args)
	}
}

// str takes one more byte of ESC Q A, B (write a line), C or D (scroll a text).
func (m *machine) str(now time.Time, c byte) {
	switch {
	case c >= ' ':
		if len(m.cmd) < 3+marqueeMax { // the glass takes no more
			m.cmd = append(m.cmd, c)
		}
		return
	case c != cr:
		// A control byte is no text: the register died within the string.
		m.cmd = m.cmd[:0]
		m.feed(now, c)
		return
	}
	which, text := m.cmd[2], m.cmd[3:]
	m.cmd = m.cmd[:0]
	if !m.selected {
		return
	}
	m.endMarquee()
	runes := make([]rune, 0, marqueeMax) // never nil: an empty text scrolls, too
	for _, c := range text {
		runes = append(runes, m.character(c))
	}
	if m.text = which == 'A' || which == 'B'; m.text {
		copy(m.glass[which-'A'][:], runes)
		return
	}
	m.marquee, m.since = runes, now
}

// obey carries out a whole ESC command other than a string.
func (m *machine) obey(op byte, args []byte) {
	switch op { // these count in every state
	case '=': // 1 or '1' printer, 2 or '2' display, 3 or '3' both
		m.selected = args[0]&2 != 0
		return
	case 'b': // a demo message for the EEPROM follows
		m.skip = demoBytes
		return
	case '&': // ESC & s n m: characters n to m follow, s is 1
		if args[0]&0x0F == 1 && args[1] > ' ' && args[1] <= args[2] {
			m.glyphs = int(args[2]-args[1]) + 1
		}
		return
	}
	if !m.selected {
		return
	}
	if op == '@' {
		m.reset()
		return
	}
	m.endMarquee()
	if m.text {
		return
	}
	switch op {
	case dc1:
		m.mode = overwrite
	case dc2:
		m.mode = vertical
	case dc3:
		m.mode = horizontal
	case '[':
		m.cursor(args[0])
	case 'l': // ESC l x y, from 1
		if x, y := int(args[0])-1, int(args[1])-1; x >= 0 && x < columns && y >= 0 && y < rows {
			m.x, m.y = x, y
		}
	case 'W':
		m.setWindow(args)
	case '*': // 1 to 4, or '1' to '4'
		if n := int(args[0] & 0x0F); n >= 1 && n <= 4 {
			m.brightness = n
		}
	case 'f', 'R', 'c':
		m.selectTable(op, args[0])
	}
}

// unitSeparator carries out the US commands, which later copies added.
func (m *machine) unitSeparator(op byte) {
	if !m.selected {
		return
	}
	m.endMarquee()
	if m.text {
		return
	}
	switch op {
	case 1:
		m.mode = overwrite
	case 2:
		m.mode = vertical
	case 3:
		m.mode = horizontal
	case lf:
		m.cursor('A')
	case cr:
		m.cursor('R')
	case 'B':
		m.cursor('K')
	}
}

// cursor is ESC [.
func (m *machine) cursor(to byte) {
	switch to {
	case 'A':
		m.up()
	case 'B':
		m.down()
	case 'C':
		m.right()
	case 'D':
		m.left()
	case 'H':
		m.x, m.y = 0, 0
	case 'L':
		m.x = 0
	case 'R':
		m.x = columns - 1
	case 'K':
		m.x, m.y = columns-1, rows-1
	}
}

// setWindow is ESC W s x1 x2 y; a window that is none is ignored.
func (m *machine) setWindow(args []byte) {
	x1, x2, y := int(args[1])-1, int(args[2])-1, int(args[3])-1
	switch {
	case y < 0 || y >= rows:
	case args[0]&1 == 0:
		m.window[y] = window{0, columns - 1}
	case x1 >= 0 && x1 <= x2 && x2 < columns:
		m.window[y] = window{x1, x2}
		m.x, m.y = x1, y
	}
}
