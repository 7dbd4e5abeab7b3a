package driverstest

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"

	"regi/drivers"
)

// StarPrinter is [Printer] for a driver of Star's printers.
func StarPrinter(t *testing.T, w Wires, open func(drivers.Port) (drivers.POSPrinter, error)) {
	printerSuite{w, star{}, open}.run(t)
}

// StarDrawer is [Drawer] for one on a Star printer.
func StarDrawer(t *testing.T, w Wires, pin int, open func(drivers.Port) (drivers.POSPrinter, drivers.CashDrawer, error)) {
	drawerSuite{w, star{}, pin, open}.run(t)
}

// NewStarPrinter is [NewReceiptPrinter] for a printer that speaks StarPRNT and
// Star Line Mode.
func NewStarPrinter(t *testing.T, wire io.ReadWriteCloser) *ReceiptPrinter {
	t.Helper()
	return newReceiptPrinter(t, wire, star{})
}

// star is Star's language, a small reading of it.
type star struct{}

// starState is what power, not ESC @, resets.
type starState struct {
	pulse10ms byte // ESC BEL
	ended     byte // the print end counter
	etb       byte // the ETB counter
}

// starFixed are the parameters of commands of a fixed length.
//
//nolint:gochecknoglobals // a constant table
var starFixed = map[string]int{
	"\x1b@": 0, "\x1b$": 1, "\x1bR": 1, "\x1bz": 1, "\x1b ": 1, "\x1bs": 2, "\x1bE": 0, "\x1bF": 0, "\x1bi": 2,
	"\x1bd": 1, "\x1bJ": 1, "\x1b0": 0, "\x1b\x07": 2, "\x1b\x06": 1, "\x1br": 74,
	"\x1b\x1da": 1, "\x1b\x1dt": 1, "\x1b\x1d\x03": 3, "\x1b\x1ea": 1, "\x1b\x1eF": 1, "\x1b\x1eE": 1,
	"\x1b\x1dyS": 2, "\x1b\x1dyP": 0, "\x1b\x1dxS": 2, "\x1b\x1dxS0": 3, "\x1b\x1dxP": 0,
}

func (star) length(c []byte) (n int, known bool) {
	if c[0] != 0x1B {
		return 1, c[0] >= ' ' && c[0] != 0x7F || bytes.IndexByte([]byte("\x00\x0a\x07\x18\x1a\x19\x1c\x17\x12\x1e"), c[0]) >= 0
	}
	for n := min(len(c), 5); n > 1; n-- {
		if more, ok := starFixed[string(c[:n])]; ok {
			return n + more, true
		}
	}
	switch n := len(c); {
	case n == 1 || n == 2 && (c[1] == 0x1D || c[1] == 0x1E):
		return n + 1, true
	case c[n-1] == 0 && n <= 3: // hardware skips what it does not know: NULs mend a cut command
		return n, true
	case c[1] == 'b': // to RS
		if c[n-1] == 0x1E && n > 6 {
			return n, true
		}
		return n + 1, true
	case c[1] == 'k':
		return withData(c, 4, func() int { return 24 * (int(c[2]) + int(c[3])<<8) })
	case c[1] == 0x1D && c[2] == 'S':
		return withData(c, 9, func() int { return (int(c[4]) + int(c[5])<<8) * (int(c[6]) + int(c[7])<<8) })
	case c[1] == 0x1D && (c[2] == 'x' || c[2] == 'y'):
		return codeLength(c)
	}
	return len(c), false
}

// withData is the length of a command with head bytes, which tell how many
// follow.
func withData(c []byte, head int, data func() int) (int, bool) {
	if len(c) < head {
		return head, true
	}
	return head + data(), true
}

// codeLength is that of ESC GS x D and ESC GS y D.
func codeLength(c []byte) (int, bool) {
	switch {
	case len(c) < 5:
		return len(c) + 1, true
	case c[3] != 'D':
		return len(c), c[3] == 0 || c[3] == 'S'
	case c[2] == 'x':
		return withData(c, 6, func() int { return int(c[4]) + int(c[5])<<8 })
	case c[4] == '1':
		return withData(c, 8, func() int { return int(c[6]) + int(c[7])<<8 })
	case c[4] != '2':
		return len(c), c[4] == 0
	case len(c) < 6:
		return 6, true
	}
	n := 6 // a blocks of m nL nH and data
	for range c[5] {
		if len(c) < n+3 {
			return n + 3, true
		}
		n += 3 + int(c[n+1]) + int(c[n+2])<<8
	}
	return n, true
}

func (s star) realTime(d *ReceiptPrinter, c []byte) bool {
	switch string(c) {
	case "\x1b\x06\x01":
		d.answer(s.status(d)...)
		return true
	case "\x1c":
		if !d.faults.Unrecoverable {
			d.kick(PrinterKick{Pin: 2, On: s.pulse(d), RealTime: true})
		}
		return true
	}
	return false
}

func (star) pulse(d *ReceiptPrinter) time.Duration {
	if n := d.state.star.pulse10ms; n > 0 {
		return time.Duration(n) * 10 * time.Millisecond
	}
	return 200 * time.Millisecond
}

func (star) cuts(c []byte) bool { return len(c) > 1 && string(c[:2]) == "\x1bd" }

func (s star) healthy() []byte { return []byte{0x23, 0x06, 0, 0, 0, 0, 0, 0, 0} }

func (s star) status(d *ReceiptPrinter) []byte {
	b := s.healthy()
	set := func(on bool, i int, bit byte) {
		if on {
			b[i] |= bit
		}
	}
	set(d.pin3, 2, 0x04)
	set(d.paused(), 2, 0x08)
	set(d.faults.Cover, 2, 0x20)
	set(d.faults.Mechanical, 3, 0x04)
	set(d.jammedNow(), 3, 0x08)
	set(d.faults.Unrecoverable, 3, 0x20)
	set(d.faults.HeadHot, 3, 0x40)
	set(d.faults.PaperOut || d.faults.NearEnd, 5, 0x04)
	set(d.faults.PaperOut, 5, 0x08)
	n := d.state.star.etb
	b[7] = n&0x07<<1 | n&0x18<<2
	return b
}

func (s star) obey(d *ReceiptPrinter, c []byte) bool {
	switch {
	case len(c) == 1 && c[0] >= ' ':
		s.character(d, c[0])
	case len(c) == 1 && c[0] == '\n':
		return s.feed(d)
	case len(c) == 1:
		switch c[0] {
		case 0x07:
			d.kick(PrinterKick{Pin: 2, On: s.pulse(d)})
		case 0x1A, 0x19:
			d.kick(PrinterKick{Pin: 5, On: 200 * time.Millisecond})
		case 0x18: // CAN
			d.line, d.lead = nil, 0
		case 0x17:
			d.state.star.etb = (d.state.star.etb + 1) % 32
			d.fencePassed()
		}
	case len(c) > 2 && c[1] == 0x1D:
		s.group(d, c)
	case string(c[:2]) == "\x1b@":
		if len(d.line) > 0 && !s.feed(d) { // prints what stands in the line
			return false
		}
		d.lead, d.state = 0, printState{initialized: true, star: d.state.star}
	case string(c[:2]) == "\x1bd":
		d.lines = append(d.lines, "✂")
	case string(c[:2]) == "\x1b\x07" && c[2] > 0 && c[3] > 0:
		d.state.star.pulse10ms = c[2]
	case string(c[:2]) == "\x1bR":
		d.state.japan = c[2] == '8'
	case string(c[:2]) == "\x1b$":
		d.state.sjis = c[2] == '1'
	case string(c[:3]) == "\x1b\x1ea" && c[3] != 0:
		d.problems = append(d.problems, "automatic status on")
	}
	return true
}

// group are the commands of ESC GS.
func (star) group(d *ReceiptPrinter, c []byte) {
	switch c[2] {
	case 't':
		d.state.katakana, d.state.latin = c[3] == 2, c[3] == 32
	case 0x03:
		switch c[3] {
		case 2:
			d.state.star.ended = 0
		case 0, 1:
			d.state.star.ended += c[3]
			d.answer(append(bytes.Clone(c), d.state.star.ended, 0)...)
			d.fencePassed()
		}
	}
}

func (star) feed(d *ReceiptPrinter) bool {
	if d.left == 0 {
		d.faults.PaperOut = true
		return false
	}
	d.left = max(d.left-1, -1)
	d.lines = append(d.lines, string(d.line))
	d.line = nil
	return true
}

// character adds one byte of text to the line.
func (star) character(d *ReceiptPrinter, b byte) {
	s := d.state
	switch {
	case d.lead != 0:
		c, err := japanese.ShiftJIS.NewDecoder().Bytes([]byte{d.lead, b})
		if d.lead == 0xEC { // downloaded
			c, err = []byte(drawnMark), nil
		}
		if err != nil || string(c) == "\uFFFD" {
			d.problems = append(d.problems, fmt.Sprintf("no kanji: %02x%02x", d.lead, b))
		}
		d.line, d.lead = append(d.line, c...), 0
	case !s.initialized:
		d.line = append(d.line, '.')
	case s.sjis && (b >= 0x81 && b <= 0x9F || b >= 0xE0 && b <= 0xFC):
		d.lead = b
	case b == '\\' && s.japan:
		d.line = append(d.line, "¥"...)
	case b <= '~':
		d.line = append(d.line, b)
	case b >= 0xA1 && b <= 0xDF && s.katakana:
		d.line = append(d.line, string(rune(b)-0xA1+'｡')...)
	case s.latin:
		d.line = append(d.line, string(charmap.Windows1252.DecodeByte(b))...)
	default:
		d.problems = append(d.problems, fmt.Sprintf("no character: %02x", b))
	}
}
