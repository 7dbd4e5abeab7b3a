package starprinter

// commandMax bounds one command; the data of a longer one is forgotten. A
// picture of 576 × 2,400 dots has 172,800 bytes.
const commandMax = 256 << 10

// lexer cuts what is received into commands and characters.
type lexer struct {
	held []byte // the command that is arriving
	need int    // its length as far as it is known
	lost int    // bytes of it beyond commandMax
	soh  int    // bytes of ESC ACK SOH that came in a row
}

// request watches for ESC ACK SOH among all bytes.
func (l *lexer) request(b byte) bool {
	const wanted = "\x1b\x06\x01"
	if b != wanted[l.soh] {
		l.soh = 0
		if b == wanted[0] {
			l.soh = 1
		}
		return false
	}
	l.soh = (l.soh + 1) % len(wanted)
	return l.soh == 0
}

// feed takes a byte and returns a command that it completes.
func (l *lexer) feed(b byte) []byte {
	if len(l.held) < commandMax {
		l.held = append(l.held, b)
	} else {
		l.lost++
	}
	if n := len(l.held) + l.lost; n < l.need {
		return nil
	}
	if l.need = length(l.held); len(l.held)+l.lost < l.need {
		return nil
	}
	c := l.held
	*l = lexer{soh: l.soh}
	return c
}

// open: as long as it is, and longer until a certain byte comes.
func open(c []byte, end byte, least int) int {
	if n := len(c); n >= least && c[n-1] == end {
		return n
	}
	return len(c) + 1
}

func word(b []byte) int { return int(b[0]) | int(b[1])<<8 }

// counted is a head and the data that it announces.
func counted(c []byte, head int, data func() int) int {
	if len(c) < head {
		return head
	}
	return head + data()
}

// operands of ESC and a byte; what is not here has none.
//
//nolint:gochecknoglobals // a constant table
var operands = map[byte]int{
	'$': 1, 'R': 1, '/': 1, ' ': 1, '%': 1, 'i': 2, 'W': 1, 'h': 1, '-': 1, '_': 1, 'z': 1, 'A': 1, 'a': 1,
	'J': 1, 'I': 1, 'l': 1, 'Q': 1, 'N': 1, 'C': 1, 's': 2, 't': 2, 'd': 1, 'r': 74, 'x': 1, 0x06: 1, 0x07: 2, 0x0C: 1,
	0x16: 2,
}

// grouped are the operands of ESC GS and ESC RS and a byte.
//
//nolint:gochecknoglobals // a constant table
var grouped = map[string]int{
	"\x1dt": 1, "\x1da": 1, "\x1dA": 2, "\x1dR": 2, "\x1d\x03": 3, "\x1d\x07": 3, "\x1d\x19": 3, "\x1d)": 3,
	"\x1ea": 1, "\x1eE": 1, "\x1eF": 1, "\x1eA": 1, "\x1eR": 1, "\x1eC": 1, "\x1ed": 1, "\x1er": 1, "\x1ei": 1, "\x1eL": 1,
}

// length is how long the command is that c begins, at least.
func length(c []byte) int {
	switch {
	case c[0] != 0x1B:
		return 1
	case len(c) == 1:
		return 2
	}
	switch c[1] {
	case 'b': // to RS
		return open(c, 0x1E, 7)
	case 'D', 'B': // tabs, to NUL
		return open(c, 0, 3)
	case 'K', 'L':
		return counted(c, 4, func() int { return word(c[2:]) })
	case 'k':
		return counted(c, 4, func() int { return 24 * word(c[2:]) })
	case '*': // raster mode by ASCII words, to NUL or a word without an operand
		return rasterWord(c)
	case 0x1C:
		return logo(c)
	case 0x1D, 0x1E:
		return group(c)
	}
	return 2 + operands[c[1]]
}

func rasterWord(c []byte) int {
	if len(c) < 4 {
		return 4
	}
	switch c[3] {
	case 'R', 'A', 'B', 'C':
		return 4
	}
	return open(c, 0, 5)
}

// logo is ESC FS p n m and ESC FS q n [x y d…]….
func logo(c []byte) int {
	switch {
	case len(c) < 4:
		return 4
	case c[2] != 'q':
		return 5
	}
	n := 4
	for range c[3] {
		if len(c) < n+4 {
			return n + 4
		}
		n += 4 + 8*word(c[n:])*word(c[n+2:])
	}
	return n
}

func group(c []byte) int {
	if len(c) < 3 {
		return 3
	}
	if n, ok := grouped[string(c[1:3])]; ok {
		return 3 + n
	}
	if c[1] != 0x1D {
		return 3
	}
	switch c[2] {
	case 'S':
		return counted(c, 9, func() int { return word(c[4:]) * word(c[6:]) })
	case 'x', 'y':
		return code(c)
	}
	return 3
}

// code is ESC GS x … (PDF417) and ESC GS y … (QR).
func code(c []byte) int {
	if len(c) < 4 {
		return 4
	}
	switch c[3] {
	case 'S':
		return counted(c, 5, func() int {
			if c[2] == 'x' && c[4] == '0' {
				return 3
			}
			return 1
		})
	case 'D':
		if c[2] == 'x' {
			return counted(c, 6, func() int { return word(c[4:]) })
		}
		return qrData(c)
	}
	return 4
}

func qrData(c []byte) int {
	if len(c) < 6 {
		return 6
	}
	if c[4] != '2' {
		return counted(c, 8, func() int { return word(c[6:]) })
	}
	n := 6
	for range c[5] {
		if len(c) < n+3 {
			return n + 3
		}
		n += 3 + word(c[n+1:])
	}
	return n
}
