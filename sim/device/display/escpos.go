package display

import "time"

// epson is a display in ESC/POS display mode. The reading is of Epson's manual of
// the DM-D series, chapter "Commands"; the glass and its cursor are as those of
// the other display, which was made after this one.
type epson struct {
	machine
	args  int  // bytes that the command still wants
	shown bool // the cursor
}

// epsonArgs is how many bytes follow the two of a command. What is not here has
// none: an unknown command is its two bytes.
//
//nolint:gochecknoglobals // a constant table
var epsonArgs = map[[2]byte]int{
	{esc, 'R'}: 1, {esc, 't'}: 1, {esc, 'W'}: 2, {esc, '%'}: 1, {esc, '?'}: 1, {esc, '='}: 1, {esc, '&'}: 3,
	{us, '$'}: 2, {us, 'C'}: 1, {us, 'X'}: 1, {us, 'E'}: 1, {us, 'T'}: 2, {us, 'r'}: 1, {us, 'v'}: 1, {us, '#'}: 2,
	{us, '^'}: 2, {us, '.'}: 1, {us, ','}: 1, {us, ';'}: 1, {us, '('}: 3,
}

// windowBytes are the corners of a window that is defined (ESC W n 1 or '1').
const windowBytes = 4

func (e *epson) reset() {
	e.machine.reset()
	e.table, e.shown, e.args = 'A', true, 0
}

// feed takes one byte. Any sequence of bytes is allowed.
func (e *epson) feed(_ time.Time, c byte) {
	switch {
	case e.skip > 0:
		e.skip--
	case len(e.cmd) == 0 && (c == esc || c == us):
		e.cmd = append(e.cmd, c)
	case len(e.cmd) == 0:
		e.plain(c)
	case len(e.cmd) == 1 && (c == esc || c == us):
		e.cmd[0] = c // the one before was cut short
	case len(e.cmd) == 1:
		e.cmd = append(e.cmd, c)
		e.args = epsonArgs[[2]byte{e.cmd[0], c}]
		e.obey()
	default:
		e.cmd = append(e.cmd, c)
		e.args--
		e.obey()
	}
}

func (e *epson) plain(c byte) {
	switch {
	case !e.selected:
	case c >= ' ':
		e.put(e.character(c))
	case c == clr:
		e.clear()
	case c == can:
		e.blank(e.y)
		e.x = 0
	default:
		e.move(c)
	}
}

// obey carries out a command once it is whole.
func (e *epson) obey() {
	if e.args > 0 {
		return
	}
	cmd := e.cmd
	e.cmd = e.cmd[:0]
	switch {
	case cmd[0] == esc && cmd[1] == '=':
		e.selected = cmd[2]&2 != 0
	case cmd[0] == esc && cmd[1] == 'W' && cmd[3]&1 == 1:
		e.skip = windowBytes // windows are not simulated: no text is lost by that
	case !e.selected:
	case cmd[0] == esc:
		e.escape(cmd[1:])
	default:
		e.unit(cmd[1:])
	}
}

func (e *epson) escape(cmd []byte) {
	switch cmd[0] {
	case '@':
		e.reset()
	case 'R':
		e.selectTable('R', cmd[1])
	case 't': // 0 is code page 437, 1 katakana
		e.table = 'A'
		if cmd[1] == 1 {
			e.table = 'J'
		}
	}
}

func (e *epson) unit(cmd []byte) {
	switch cmd[0] {
	case 1, 2, 3:
		e.mode = mode(cmd[0] - 1)
	case lf:
		e.up()
	case cr:
		e.x = columns - 1
	case 'B':
		e.x, e.y = columns-1, rows-1
	case 'C':
		e.shown = cmd[1]&1 == 1
	case 'X':
		if n := int(cmd[1]); n >= 1 && n <= 4 {
			e.brightness = n
		}
	case '$':
		if x, y := int(cmd[1])-1, int(cmd[2])-1; x >= 0 && x < columns && y >= 0 && y < rows {
			e.x, e.y = x, y
		}
	}
}
