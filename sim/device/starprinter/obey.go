package starprinter

import (
	"bytes"
	"context"
	"fmt"
	"time"
)

// The drawer: what drives a coil before anybody says for how long.
const (
	defaultPulse = 200 * time.Millisecond
	pulseUnit    = 10 * time.Millisecond
	pulseMost    = 127 * pulseUnit
)

// settings are what ESC @ puts back.
type settings struct {
	sjis, jis, japan         bool
	page                     int // ESC GS t
	bold, reverse, underline bool
	upsideDown               bool
	wide, high               int // times
	space, before, after     int // dots beside a character, and a kanji
	align                    int
	lineDots                 int
	left                     int // margin, dots
	qrCell                   byte
	qr, pdf417               []byte // data that waits to be printed
}

// initial is how the memory switches of a printer for Japan stand.
func initial() settings {
	return settings{page: katakana, wide: 1, high: 1, lineDots: lineDots, qrCell: 3}
}

// atOnce obeys what does not wait for its turn.
func (p *Printer) atOnce(c []byte) bool {
	switch {
	case len(c) == 1 && c[0] == 0x1C: // FS: drawer 1, real time
		p.kick(2, p.on, p.off)
		return true
	case len(c) == 1 && (c[0] == 0x05 || c[0] == 0x04): // ENQ, EOT: one byte of status
		return true
	case len(c) == 3 && c[1] == 0x06: // ESC ACK …
		return true
	}
	return false
}

// kick passes a pulse on.
func (p *Printer) kick(pin int, on, off time.Duration) {
	p.paper.note(Entry{Kind: "pulse", Width: int(on.Milliseconds()), Height: pin})
	if p.opt.DrawerKick != nil {
		p.m.Later(func() { p.opt.DrawerKick(pin, on, off) })
	}
}

// obey carries out one command.
func (p *Printer) obey(ctx context.Context, c []byte) error {
	if c[0] != 0x1B {
		return p.byte(ctx, c[0])
	}
	switch c[1] {
	case 0x1D:
		return p.group(ctx, c)
	case 0x1E:
		p.register(c)
		return nil
	case '@':
		if len(p.line.items) > 0 {
			if err := p.printLine(ctx); err != nil {
				return err
			}
		}
		p.settings = initial()
	case 'd':
		return p.cut(ctx, c[2])
	case 'b':
		return p.barcode(ctx, c)
	case 'r':
		p.download(c)
	case 'k':
		p.put(item{d: rows(c[4:], word(c[2:]), 24)})
	case 'a':
		return p.feed(ctx, int(c[2])*p.lineDots)
	case 'J', 'I':
		return p.feed(ctx, int(c[2])*2) // a quarter of a millimetre
	case 0x07:
		if c[2] > 0 && c[3] > 0 {
			p.on = min(time.Duration(c[2])*pulseUnit, pulseMost)
			p.off = min(time.Duration(c[3])*pulseUnit, pulseMost)
		}
	default:
		p.style(c)
	}
	return nil
}

// digit is a small number, as a byte or in ASCII.
func digit(b byte) int {
	if b >= '0' {
		b -= '0'
	}
	return int(b)
}

// style are the commands of two or three bytes that change a setting.
func (p *Printer) style(c []byte) {
	n := 0
	if len(c) > 2 {
		n = digit(c[2])
	}
	const timesMax = 5
	switch c[1] {
	case 'E':
		p.bold = true
	case 'F':
		p.bold = false
	case '4':
		p.reverse = true
	case '5':
		p.reverse = false
	case '-':
		p.underline = n == 1
	case 'i':
		if w := digit(c[3]); n <= timesMax && w <= timesMax {
			p.high, p.wide = n+1, w+1
		}
	case 'h':
		p.high = min(n, timesMax) + 1
	case 'W':
		p.wide = min(n, timesMax) + 1
	case '$':
		p.sjis = n == 1
	case 'p', 'q':
		p.jis = c[1] == 'p'
	case 'R':
		p.japan = n == 8
	case ' ':
		p.space = n
	case 's':
		p.before, p.after = n, digit(c[3])
	case 'z':
		p.lineDots = map[int]int{0: slimDots, 1: lineDots}[n&1]
	case '0':
		p.lineDots = slimDots
	case 'l':
		p.left = int(c[2]) * halfWidth
	}
}

// byte is a command of one byte, or a character.
func (p *Printer) byte(ctx context.Context, b byte) error {
	if b >= ' ' {
		return p.character(ctx, b)
	}
	switch b {
	case '\n', '\f':
		return p.printLine(ctx)
	case 0x07:
		return p.pulse(ctx, 2, p.on, p.off)
	case 0x19, 0x1A: // EM, SUB
		return p.pulse(ctx, 5, defaultPulse, defaultPulse)
	case 0x0E:
		p.wide = 2
	case 0x14:
		p.wide = 1
	case 0x0F, 0x12:
		p.upsideDown = b == 0x0F
	case 0x18: // CAN: forget the line, and the ETB counter
		p.line, p.settings, p.etb, p.etbDone = line{}, initial(), 0, false
	case 0x17: // ETB
		if err := p.motorStops(ctx); err != nil {
			return err
		}
		p.etb, p.etbDone = (p.etb+1)%32, true
		if p.auto {
			p.tell()
		}
	}
	return nil
}

// pulse is a kick in its turn; nothing is printed meanwhile.
func (p *Printer) pulse(ctx context.Context, pin int, on, off time.Duration) error {
	if err := p.motorStops(ctx); err != nil {
		return err
	}
	p.kick(pin, on, off)
	p.m.Wake()
	return nil
}

// motorStops prints what stands in the line.
func (p *Printer) motorStops(ctx context.Context) error {
	if len(p.line.items) == 0 {
		return nil
	}
	return p.printLine(ctx)
}

// register are the commands of ESC RS.
func (p *Printer) register(c []byte) {
	switch c[2] {
	case 'a':
		p.auto = digit(c[3]) != 0
		p.reported = p.condition()
	case 'E':
		p.etb, p.etbDone = 0, false
	}
}

// group are the commands of ESC GS.
func (p *Printer) group(ctx context.Context, c []byte) error {
	switch c[2] {
	case 't':
		p.page = int(c[3])
	case 'a':
		if n := digit(c[3]); n <= alignRight {
			p.align = n
		}
	case 'A':
		p.line.x = word(c[3:])
	case 'R':
		p.line.x += word(c[3:])
	case 0x03:
		return p.printEnd(ctx, c)
	case 'S':
		if c[3] == 1 && word(c[4:]) > 0 {
			return p.picture(ctx, rows(c[9:], word(c[4:]), word(c[6:])))
		}
	case 'x', 'y':
		return p.matrix(ctx, c)
	}
	return nil
}

// printEnd is ESC GS ETX s n1 n2.
func (p *Printer) printEnd(ctx context.Context, c []byte) error {
	switch c[3] {
	case 2:
		p.printed = 0
	case 1:
		if err := p.motorStops(ctx); err != nil {
			return err
		}
		p.printed++
		fallthrough
	case 0:
		p.m.Send(append(bytes.Clone(c), p.printed, 0)...)
	}
	return nil
}

// kinds of ESC b n1.
//
//nolint:gochecknoglobals // a constant table
var kinds = [...]string{"UPC-E", "UPC-A", "EAN-8", "EAN-13", "Code 39", "ITF", "Code 128", "Code 93", "Codabar"}

// barcode is ESC b n1 n2 n3 n4 d… RS: what is out of its range prints nothing.
func (p *Printer) barcode(ctx context.Context, c []byte) error {
	kind, hri, mode, height, data := digit(c[2]), digit(c[3]), digit(c[4]), int(c[5]), string(c[6:len(c)-1])
	if kind >= len(kinds) || hri < 1 || hri > 4 || mode < 1 || mode > 9 || height == 0 || !prints(kinds[kind], data) {
		return nil
	}
	p.paper.note(Entry{Kind: "code", Symbology: kinds[kind], Text: data, Height: height})
	label := fmt.Sprintf("[%s %s]", kinds[kind], data)
	if err := p.frame(ctx, label, frameDots, height); err != nil {
		return err
	}
	if hri == 2 || hri == 4 {
		return p.label(ctx, data)
	}
	return nil
}

// prints tells whether a printer makes bars of the data.
func prints(kind, data string) bool {
	digits := map[string][2]int{"UPC-E": {11, 12}, "UPC-A": {11, 12}, "EAN-8": {7, 8}, "EAN-13": {12, 13}, "ITF": {2, 99}}
	for _, c := range []byte(data) {
		if _, only := digits[kind]; only && (c < '0' || c > '9') || c < ' ' || c > '~' {
			return false
		}
	}
	n, only := digits[kind]
	return len(data) > 0 && (!only || len(data) >= n[0] && len(data) <= n[1])
}

// matrix is ESC GS x … and ESC GS y ….
func (p *Printer) matrix(ctx context.Context, c []byte) error {
	name, data := "QR", &p.qr
	if c[2] == 'x' {
		name, data = "PDF417", &p.pdf417
	}
	switch c[3] {
	case 'S':
		if name == "QR" && c[4] == '2' {
			p.qrCell = c[5]
		}
	case 'D':
		*data = matrixData(c)
	case 'P':
		if len(*data) == 0 {
			return nil
		}
		p.paper.note(Entry{Kind: "code", Symbology: name, Text: string(*data), Width: int(p.qrCell)})
		side := 29 * int(p.qrCell)
		return p.frame(ctx, "["+name+"]", side, side)
	}
	return nil
}

// matrixData is the data of ESC GS x D, ESC GS y D 1 and ESC GS y D 2.
func matrixData(c []byte) []byte {
	switch {
	case c[2] == 'x':
		return bytes.Clone(c[6:])
	case c[4] != '2':
		return bytes.Clone(c[8:])
	}
	var all []byte
	for n := 6; n+3 <= len(c); {
		size := word(c[n+1:])
		all = append(all, c[n+3:n+3+size]...)
		n += 3 + size
	}
	return all
}
