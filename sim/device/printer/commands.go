package printer

import (
	"time"

	"regi/sim/device/printer/internal/font"
)

// command is one row of the table.
type command struct {
	// args is how many bytes always follow the code.
	args int
	// run carries it out, and reads what follows args. nil: known, its bytes
	// are read, nothing is done.
	run func(it *interpreter, a []byte) error
}

// selectPeripheral is ESC = n, the only command that a deselected printer obeys.
const selectPeripheral = "\x1b="

// commands is every command known, by its first two bytes; GS ( and GS 8 go on
// to functions of their own.
//
//nolint:gochecknoglobals // a constant table
var commands = map[string]command{
	// Real time: obeyed when received, skipped here.
	"\x10\x04": {1, afterRealtime(eot)},
	"\x10\x05": {args: 1},
	"\x10\x14": {1, afterRealtime(dc4)},

	"\x1b@":          {0, func(it *interpreter, _ []byte) error { it.initialise(); return nil }},
	selectPeripheral: {1, set(func(it *interpreter, n byte) { it.deselected = n&1 == 0 })},

	// Characters.
	"\x1b!": {1, set(printMode)},
	"\x1b-": {1, set(func(it *interpreter, n byte) { it.underline, it.thickness = line2(n, it.underline, it.thickness) })},
	"\x1bE": {1, set(func(it *interpreter, n byte) { it.emphasised = n&1 == 1 })},
	"\x1bG": {1, set(func(it *interpreter, n byte) { it.struck = n&1 == 1 })},
	"\x1bM": {1, set(func(it *interpreter, n byte) { it.fontB = n&1 == 1 })}, // 0, 1, 48, 49
	"\x1bR": {1, set(func(it *interpreter, n byte) {
		if int(n) < len(national) {
			it.country = n
		}
	})},
	"\x1bt": {1, set(func(it *interpreter, n byte) {
		if codeTables[n] != nil || n == tableKatakana {
			it.table = n
		}
	})},
	"\x1b{": {1, set(func(it *interpreter, n byte) {
		if it.line.begins() {
			it.upsideDown = n&1 == 1
		}
	})},
	"\x1d!": {1, set(characterSize)},
	"\x1dB": {1, set(func(it *interpreter, n byte) { it.reverse = n&1 == 1 })},
	"\x1db": {args: 1}, // smoothing
	"\x1bV": {args: 1}, // 90°
	"\x1br": {args: 1}, // colour
	"\x1b%": {1, set(func(it *interpreter, n byte) { it.ownCharacters = n&1 == 1 })},
	"\x1b&": {3, defineCharacters},
	"\x1b?": {1, set(func(it *interpreter, n byte) { delete(it.own, ownCode{it.fontB, n}) })},

	// Kanji.
	"\x1c&": {0, func(it *interpreter, _ []byte) error { it.kanjiMode = true; return nil }},
	"\x1c.": {0, func(it *interpreter, _ []byte) error { it.kanjiMode = false; return nil }},
	"\x1cC": {1, set(func(it *interpreter, n byte) {
		if n &= 0x0F; n <= 2 { // 2, Shift_JIS-2004, has the same arithmetic
			it.kanjiCode = min(n, codeShiftJIS)
		}
	})},
	"\x1c!": {1, set(kanjiPrintMode)},
	"\x1c-": {1, set(func(it *interpreter, n byte) {
		it.kanjiUnderline, it.kanjiThickness = line2(n, it.kanjiUnderline, it.kanjiThickness)
	})},
	"\x1cS": {2, func(it *interpreter, a []byte) error {
		it.kanjiBefore, it.kanjiAfter = it.across(a[0]), it.across(a[1])
		return nil
	}},
	"\x1cW": {1, set(func(it *interpreter, n byte) { it.kx, it.ky = 1+int(n&1), 1+int(n&1) })},
	"\x1c2": {2 + font.FullWidth*font.Height/8, defineKanji},
	"\x1c?": {2, forgetKanji},

	// Positions.
	"\x1b ":  {1, set(func(it *interpreter, n byte) { it.spacing = it.across(n) })},
	"\x1b2":  {0, func(it *interpreter, _ []byte) error { it.lineDots = it.p.model.LineDots; return nil }},
	"\x1b3":  {1, set(func(it *interpreter, n byte) { it.lineDots = it.down(n) })},
	"\x1b$":  {2, absolute},
	"\x1b\\": {2, relative},
	"\x1bD":  {0, setTabs},
	"\x1ba": {1, set(func(it *interpreter, n byte) {
		if n &= 0x0F; n <= alignRight && it.line.begins() {
			it.align = int(n)
		}
	})},
	"\x1dL": {2, margin},
	"\x1dW": {2, areaWidth},
	"\x1dP": {2, motionUnits},

	// Paper.
	"\x1bJ": {1, feedUnits},
	"\x1bd": {1, feedLines},
	"\x1bK": {args: 1}, // paper does not go back
	"\x1be": {args: 1},
	"\x1dV": {1, cutPaper},
	"\x1bi": {0, func(it *interpreter, _ []byte) error { return it.cut(partialCut) }}, // one point left
	"\x1bm": {0, func(it *interpreter, _ []byte) error { return it.cut(partialCut) }}, // three points left
	"\x1bc": {args: 2},                                                                // paper sensors, panel buttons
	"\x1bp": {3, drawer},
	"\x1b(": {3, lengthOnly}, // buzzer
	"\x1bB": {args: 2},       // buzzer of clones

	// Graphics.
	"\x1b*": {3, bitImage},
	"\x1dv": {1, raster},
	"\x1d8": {1, graphics32},
	"\x1d*": {2, defineDownload},
	"\x1d/": {1, printDownload},
	"\x1cp": {2, printOldNV},
	"\x1cq": {1, defineOldNV},
	"\x1cg": {1, nvMemory},
	"\x1dg": {4, nil}, // maintenance counter: 0 or 2, m, nL, nH
	"\x1bU": {args: 1},
	"\x1b<": {args: 0},
	"\x1d(": {3, extended},
	"\x1c(": {3, lengthOnly}, // kanji font, UTF-8
	"\x1dk": {1, barcode},
	"\x1dh": {1, set(func(it *interpreter, n byte) { it.bars.height = max(1, int(n)) })},
	"\x1dw": {1, set(func(it *interpreter, n byte) {
		if n >= 1 && n <= barMost {
			it.bars.module = int(n)
		}
	})},
	"\x1dH": {1, set(func(it *interpreter, n byte) {
		if n &= 0x0F; n <= 3 {
			it.bars.text = n
		}
	})},
	"\x1df": {1, set(func(it *interpreter, n byte) { it.bars.fontB = n&1 == 1 })}, // 0, 1, 48, 49
	"\x1dC": {1, counter},
	"\x1dc": {args: 0},
	"\x1d:": {0, defineMacro},
	"\x1d^": {3, runMacro},
	"\x1dT": {args: 1},
	"\x1dz": {args: 3},

	// Page mode.
	"\x1bL":  {0, pageMode},
	"\x1bS":  {0, func(it *interpreter, _ []byte) error { it.page = nil; return nil }},
	"\x1bT":  {1, set(direction)},
	"\x1bW":  {8, pageArea},
	"\x1d$":  {2, vertical(false)},
	"\x1d\\": {2, vertical(true)},
	"\x1b\f": {0, func(it *interpreter, _ []byte) error { return it.printPage() }},

	// Status.
	"\x1da": {1, set(func(it *interpreter, n byte) { it.p.subscribe(n) })},
	"\x1dr": {1, set(transmitStatus)},
	"\x1dI": {1, set(func(it *interpreter, n byte) { it.p.identify(n) })},
	"\x1bv": {0, func(it *interpreter, _ []byte) error { it.p.m.Send(it.p.rollStatus()); return nil }},
	"\x1bu": {1, set(func(it *interpreter, _ byte) { transmitStatus(it, 2) })},
}

// set is a command of one byte that cannot fail.
func set(f func(*interpreter, byte)) func(*interpreter, []byte) error {
	return func(it *interpreter, a []byte) error { f(it, a[0]); return nil }
}

// afterRealtime reads the rest of DLE EOT and DLE DC4.
func afterRealtime(kind byte) func(*interpreter, []byte) error {
	return func(it *interpreter, a []byte) error {
		return it.skip(max(0, realtimeLen([]byte{dle, kind, a[0]})-3))
	}
}

// feedInches is the longest feed of one command.
const feedInches = 40

// across and down turn a number of motion units into dots.
func (it *interpreter) across(n byte) int {
	return min(it.acrossWide(int(n)), it.p.model.Dots)
}

func (it *interpreter) acrossWide(n int) int {
	return n * it.p.model.DPI / it.xUnits
}

func (it *interpreter) down(n byte) int {
	return min(it.downWide(int(n)), feedInches*it.p.model.DPI)
}

func (it *interpreter) downWide(n int) int {
	return n * it.p.model.DPI / it.yUnits
}

// line2 is ESC - n and FS - n: off, one dot or two; off keeps the thickness.
func line2(n byte, dots, thickness int) (int, int) {
	switch n &= 0x0F; n {
	case 0:
		return 0, thickness
	case 1, 2:
		return int(n), int(n)
	}
	return dots, thickness
}

// printMode is ESC ! n, for single-byte characters.
func printMode(it *interpreter, n byte) {
	it.fontB = n&(1<<0) != 0
	it.emphasised = n&(1<<3) != 0
	it.sy = 1 + int(n>>4&1)
	it.sx = 1 + int(n>>5&1)
	it.underline = int(n>>7) * it.thickness
}

// kanjiPrintMode is FS ! n, for kanji.
func kanjiPrintMode(it *interpreter, n byte) {
	it.kx = 1 + int(n>>2&1)
	it.ky = 1 + int(n>>3&1)
	it.kanjiUnderline = int(n>>7) * it.kanjiThickness
}

// characterSize is GS ! n, for both.
func characterSize(it *interpreter, n byte) {
	if n&0x88 != 0 {
		return
	}
	it.sx, it.sy = 1+int(n>>4), 1+int(n&7)
	it.kx, it.ky = it.sx, it.sy
}

// transmitStatus is GS r n.
func transmitStatus(it *interpreter, n byte) {
	switch n & 0x0F {
	case 1:
		it.p.m.Send(it.p.rollStatus())
	case 2:
		var b byte
		if it.p.lookPin3() {
			b = 1
		}
		it.p.m.Send(b)
	}
}

// drawer is ESC p m t1 t2: a pulse of t1 × 2 ms, in its turn.
func drawer(it *interpreter, a []byte) error {
	m := a[0] & 0x0F
	if m > 1 || a[0] != m && a[0] != m|'0' {
		return nil
	}
	on, off := time.Duration(a[1])*2*time.Millisecond, time.Duration(a[2])*2*time.Millisecond
	return it.enqueue(job{pulse: func() { it.p.kick(m, on, max(on, off), false) }})
}

// motionUnits is GS P x y; 0 is the model's own.
func motionUnits(it *interpreter, a []byte) error {
	it.xUnits, it.yUnits = int(a[0]), int(a[1])
	if a[0] == 0 {
		it.xUnits = it.p.model.DPI
	}
	if a[1] == 0 {
		it.yUnits = it.p.model.VerticalUnits
	}
	return nil
}

// lengthOnly is fn pL pH and so many bytes: known by its length.
func lengthOnly(it *interpreter, a []byte) error { return it.skip(word(a[1:])) }

// extended is GS ( fn pL pH.
func extended(it *interpreter, a []byte) error {
	n := word(a[1:])
	switch {
	case a[0] == 'L':
		return it.graphics(n)
	case a[0] == 'k':
		return it.matrixCode(n)
	case a[0] == 'H' && n == 6 && !it.p.model.NoProcessID:
		return it.processID()
	}
	return it.skip(n)
}

// processID is GS ( H fn 48: answer when everything before is on paper.
func (it *interpreter) processID() error {
	b, err := it.take(6)
	if err != nil || b[0] != '0' || b[1] != '0' {
		return err
	}
	return it.enqueue(job{answer: []byte{0x37, 0x22, b[2], b[3], b[4], b[5], 0}})
}

// counter is GS C 0, 1, 2 and ;.
func counter(it *interpreter, a []byte) error {
	switch a[0] {
	case 0, '0', 2, '2':
		return it.skip(2)
	case 1, '1':
		return it.skip(6)
	case ';': // five numbers, each ended by a semicolon
		for range 5 {
			for range textMax {
				b, err := it.next()
				if err != nil {
					return err
				}
				if b == ';' {
					break
				}
			}
		}
	}
	return nil
}

func word(b []byte) int { return int(b[0]) | int(b[1])<<8 }

// signed is a word with a sign.
func signed(b []byte) int {
	n := word(b)
	if n >= 0x8000 {
		n -= 0x10000
	}
	return n
}
