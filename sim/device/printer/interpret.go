package printer

import (
	"context"
	"errors"
	"io"

	"regi/sim/device/printer/internal/font"
)

// errLost: the buffers were cleared under a command.
var errLost = errors.New("buffer lost")

// interpreter reads commands from the receive buffer and turns them into jobs.
// It runs with the printer locked, except while it waits.
type interpreter struct {
	p      *Printer
	pause  func() error // gives up the lock until something changes
	epoch  int          // of the bytes it reads
	pushed int          // a byte read too far; -1 is none

	settings
	line     line
	page     *page                  // nil in standard mode
	kanji    map[[2]byte]font.Glyph // FS 2
	own      map[ownCode]font.Glyph // ESC &
	graphic  *dots                  // GS ( L: stored, waits to be printed
	download memory
	macro    macro
	swallow  bool // the next LF, after a raster
}

// settings are what ESC @ puts back.
type settings struct {
	fontB, emphasised, struck, reverse bool
	upsideDown                         bool
	sx, sy                             int // times the size of single-byte characters
	kx, ky                             int // times the size of kanji
	underline, kanjiUnderline          int // dots
	thickness, kanjiThickness          int // of the underline that ESC ! and FS ! switch on
	spacing, kanjiBefore, kanjiAfter   int // dots
	lineDots                           int
	align                              int
	left, width                        int // printing area, dots
	tabs                               []int
	country, table                     byte
	kanjiCode                          byte
	kanjiMode                          bool
	xUnits, yUnits                     int // an inch
	deselected                         bool
	ownCharacters                      bool // ESC %
	bars                               bars
	matrices                           matrices
}

// FS C n.
const (
	codeJIS      = 0
	codeShiftJIS = 1
)

// tabEvery is the distance of the tabs at first, in characters.
const (
	tabEvery = 8
	tabsMax  = 32
)

// initialise is ESC @.
func (it *interpreter) initialise() {
	m := it.p.model
	it.settings = settings{
		sx: 1, sy: 1, kx: 1, ky: 1, thickness: 1, kanjiThickness: 1,
		lineDots: m.LineDots, width: m.Dots, xUnits: m.DPI, yUnits: m.VerticalUnits,
		bars: bars{height: barHeight, module: barModule},
	}
	for i := 1; i*tabEvery*font.HalfWidth < m.Dots; i++ {
		it.tabs = append(it.tabs, i*tabEvery*font.HalfWidth)
	}
	it.pushed = -1
	it.line, it.page, it.kanji, it.own, it.graphic = line{}, nil, nil, nil, nil
	it.download = memory{size: downloadBytes}
	it.p.asb = 0
}

// interpret carries out one command after the other.
func (p *Printer) interpret(context.Context) error {
	p.m.Lock()
	defer p.m.Unlock()
	for {
		switch err := p.commands.step(); {
		case err == nil:
		case errors.Is(err, errLost):
			p.commands.restart()
		case errors.Is(err, io.EOF):
			p.parsed = true
			p.m.Wake()
			return nil
		default:
			return err
		}
		p.m.Breathe()
	}
}

// restart goes on after the buffers were lost.
func (it *interpreter) restart() {
	it.epoch, it.pushed, it.line = it.p.m.Epoch, -1, line{}
	it.macro.playing, it.macro.runs, it.macro.recording = nil, 0, false
	if it.p.cold {
		it.p.cold = false
		it.macro = macro{}
		it.initialise()
	}
}

// next is the next byte of the buffer.
func (it *interpreter) next() (byte, error) {
	p := it.p
	for {
		switch {
		case it.epoch != p.m.Epoch:
			return 0, errLost
		case it.pushed >= 0:
			b := byte(it.pushed & 0xFF)
			it.pushed = -1
			return b, nil
		case len(it.macro.playing) > 0:
			b := it.macro.playing[0]
			it.macro.playing = it.macro.playing[1:]
			return b, nil
		case it.macro.runs > 0:
			if err := it.again(); err != nil {
				return 0, err
			}
			continue
		case len(p.in.buf) > 0 && p.m.Online():
			b := p.in.buf[0]
			it.macro.hear(b)
			p.in.buf = p.in.buf[1:]
			if len(p.in.buf)+1 == p.opt.BufferBytes || p.m.Held {
				p.flow()
				p.m.Wake()
			}
			return b, nil
		case len(p.in.buf) == 0 && p.in.ended:
			return 0, io.EOF
		}
		if err := it.pause(); err != nil {
			return 0, err
		}
	}
}

// take reads n bytes, at most 65,535.
func (it *interpreter) take(n int) ([]byte, error) {
	b := make([]byte, 0, n)
	for len(b) < n {
		c, err := it.next()
		if err != nil {
			return nil, err
		}
		b = append(b, c)
	}
	return b, nil
}

// skip reads n bytes and forgets them.
func (it *interpreter) skip(n int) error {
	for range n {
		if _, err := it.next(); err != nil {
			return err
		}
	}
	return nil
}

// step carries out one command, or prints one character.
func (it *interpreter) step() error {
	b, err := it.next()
	if err != nil {
		return err
	}
	swallow := it.swallow
	it.swallow = false
	switch {
	case it.deselected && b != esc:
		return nil
	case swallow && b == '\n':
		return nil
	case b == dle || b == esc || b == fs || b == gs:
		return it.command(b)
	case b >= 0x20:
		return it.character(b)
	}
	switch b {
	case '\n':
		return it.printLine(it.lineDots)
	case '\t':
		it.tab()
	case '\f':
		return it.formFeed()
	case 0x18: // CAN
		it.cancelArea()
	}
	return nil // CR, NUL and the rest do nothing
}

// formFeed prints the page and leaves page mode. In standard mode, without marks
// on the paper, there is no next page.
func (it *interpreter) formFeed() error {
	if it.page != nil {
		err := it.printPage()
		it.page = nil
		return err
	}
	if it.line.begins() {
		return nil
	}
	return it.printLine(it.lineDots)
}

// command looks up the command that begins with first. An unknown one is two
// bytes long.
func (it *interpreter) command(first byte) error {
	second, err := it.next()
	if err != nil {
		return err
	}
	code := string([]byte{first, second})
	cmd, known := commands[code]
	switch {
	case it.deselected && code != selectPeripheral:
		return nil
	case known:
		return it.run(cmd)
	case second < 0x20:
		it.pushed = int(second) // begins something itself
	}
	return nil
}

func (it *interpreter) run(cmd command) error {
	args, err := it.take(cmd.args)
	if err != nil {
		return err
	}
	if cmd.run == nil {
		return nil
	}
	return cmd.run(it, args)
}
