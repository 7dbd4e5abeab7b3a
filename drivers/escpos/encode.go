package escpos

import (
	"fmt"
	"strings"

	"regi/drivers"
)

// setUp makes a printer ours, whatever it was before.
const setUp = "\x1b@" + // ESC @: initialize; drops a half line of an older document
	"\x1cC\x01" + // FS C 1: kanji code system Shift_JIS
	"\x1c." + // FS .: kanji mode off
	"\x1bR\x08" + // ESC R 8: international set Japan (5Ch is ¥)
	"\x1bt\x01" // ESC t 1: code table katakana

const (
	kanjiOn  = "\x1c&" // FS &
	kanjiOff = "\x1c." // FS .
	// rawBackslash borrows the USA set (ESC R 0) for one character.
	rawBackslash = "\x1bR\x00\\\x1bR\x08"
	// fence is GS r 1: transmit paper sensor status. It is answered in its turn.
	fence = "\x1dr\x01"
	// printFence is GS ( H fn 48: answer with the four bytes that follow when all
	// before them is printed.
	printFence = "\x1d(H\x06\x00\x30\x30"
	// cut is GS V 66 0: feed to the cutting position and cut partially.
	cut = "\x1dVB\x00"
	// tear is ESC d 5: five lines bring the last one past the tear bar.
	tear = "\x1bd\x05"
)

// Limits of a block: what the printer may hold unprinted is two of them.
const (
	blockBytes = 256
	blockLines = 8
	// lastFences end a document without GS ( H: a broken byte looks like the
	// answer to one fence (a line break arrives as NUL), and must not end it
	// before its time.
	lastFences = 2
)

// textMax bounds the text of one line, in bytes. It is wrapped, not cut.
const textMax = 4096

// GS ! n and FS ! n: size of ANK and of kanji.
const (
	ankWide, ankTall     = 0x10, 0x01
	kanjiWide, kanjiTall = 0x04, 0x08
)

// unit is what is sent in one piece: a command or a printed line. With fences
// it ends a block.
type unit struct {
	end    int // in stream.bytes
	fences []string
	// items is how many items of the document stand wholly before its end, or
	// midItem where the last one has only begun.
	items int
	// blank: it marks no paper, so that it may be sent twice.
	blank bool
}

// midItem: a document cannot be taken up again there.
const midItem = -1

// stream is a document as the printer takes it.
type stream struct {
	bytes []byte
	units []unit
	next  int64 // the first process ID that was not used
}

// encode lays doc out for a model, with process IDs from next on. Errors wrap
// drivers.ErrTooLong.
func encode(m Model, doc drivers.Document, next int64) (stream, error) {
	if len(doc.Items) > drivers.DocumentItemsMax {
		return stream{}, fmt.Errorf("%d lines, at most %d: %w", len(doc.Items), drivers.DocumentItemsMax, drivers.ErrTooLong)
	}
	e := encoder{model: m, chars: newCharset()}
	e.out.bytes = append(make([]byte, 0, 64*(len(doc.Items)+1)), setUp...)
	e.out.next = next
	e.out.units = make([]unit, 0, len(doc.Items)+2)
	e.end(0)
	e.out.units[0].blank = true
	for i, item := range doc.Items {
		l, ok := item.(drivers.TextLine)
		if !ok {
			return stream{}, fmt.Errorf("item %d is a %T: %w", i+1, item, drivers.ErrUnsupported)
		}
		if len(l.Text) > textMax {
			return stream{}, fmt.Errorf("line %d has %d bytes, at most %d: %w", i+1, len(l.Text), textMax, drivers.ErrTooLong)
		}
		e.items = midItem
		e.text(l)
		e.items = i + 1
		e.out.units[len(e.out.units)-1].items = i + 1
	}
	e.tail(doc.Cut)
	return e.out, nil
}

type encoder struct {
	model Model
	chars *charset
	out   stream

	// The printer's state, to send changes only.
	kanji, bold bool
	wide, tall  bool
	align       drivers.Align

	column     int // of the next character, in half-width columns
	lines      int // in this block
	items      int // see unit
	blockBegin int
}

func (e *encoder) put(s string) { e.out.bytes = append(e.out.bytes, s...) }

func (e *encoder) command(b ...byte) { e.out.bytes = append(e.out.bytes, b...) }

// end ends a unit, and with fences a block.
func (e *encoder) end(fences int) {
	ids := make([]string, 0, fences)
	for range fences {
		id := readFence
		if e.model.PrintComplete {
			id = processID(e.out.next)
			e.out.next++
			e.put(printFence)
			e.put(id)
		} else {
			e.put(fence)
		}
		ids = append(ids, id)
	}
	e.out.units = append(e.out.units, unit{end: len(e.out.bytes), fences: ids, items: e.items})
	if fences > 0 {
		e.blockBegin, e.lines = len(e.out.bytes), 0
	}
}

// text prints one line, and more where it is too long: nothing is lost.
func (e *encoder) text(l drivers.TextLine) {
	e.style(l)
	text := l.Text
	if l.Align == drivers.Left {
		text = strings.TrimRight(text, " ") // blank paper costs wire time
	}
	scale := 1
	if l.Wide {
		scale = 2
	}
	for _, c := range text {
		code := e.chars.code(c)
		width := scale * columns(code)
		if e.column+width > e.model.Columns {
			e.feed()
		}
		e.column += width
		e.char(code)
	}
	e.feed()
}

func (e *encoder) char(code uint16) {
	switch {
	case code == none:
	case code == backslash:
		e.put(rawBackslash)
	case code > 0xFF:
		e.mode(true)
		e.command(byte(code>>8), byte(code&0xFF))
	default:
		if code > '~' { // in kanji mode some take a katakana for half a kanji
			e.mode(false)
		}
		e.command(byte(code & 0xFF))
	}
}

func (e *encoder) mode(kanji bool) {
	if e.kanji == kanji {
		return
	}
	e.kanji = kanji
	if kanji {
		e.put(kanjiOn)
	} else {
		e.put(kanjiOff)
	}
}

// tallGap is fed after a line of double height, whose letters would touch the
// next line: 2 or 4 mm, as the model counts.
const tallGap = 0x20

// feed prints what stands in the line: LF, and ESC J: print and feed paper.
func (e *encoder) feed() {
	e.command(lf)
	if e.tall {
		e.command(esc, 'J', tallGap)
	}
	e.column = 0
	e.lines++
	fences := 0
	if e.lines >= blockLines || len(e.out.bytes)-e.blockBegin >= blockBytes {
		fences = 1
	}
	e.end(fences)
}

// style sends what changed. It is called at the beginning of a line, where
// alone ESC a counts.
func (e *encoder) style(l drivers.TextLine) {
	align := l.Align
	if align > drivers.Right {
		align = drivers.Left
	}
	if align != e.align {
		e.align = align
		e.command(esc, 'a', byte(align)) // ESC a: justification
	}
	if l.Bold != e.bold {
		e.bold = l.Bold
		e.command(esc, 'E', flag(l.Bold, 1)) // ESC E: emphasized, kanji too
	}
	if l.Wide != e.wide || l.Tall != e.tall {
		e.wide, e.tall = l.Wide, l.Tall
		e.command(gs, '!', flag(l.Wide, ankWide)|flag(l.Tall, ankTall))
		e.command(fs, '!', flag(l.Wide, kanjiWide)|flag(l.Tall, kanjiTall))
	}
}

func flag(on bool, bit byte) byte {
	if on {
		return bit
	}
	return 0
}

// tail ends the document. What is printed is known before the cut, which may
// jam: a printer that was switched off to free its knife then only cuts again.
func (e *encoder) tail(cutPaper bool) {
	fences := lastFences
	if e.model.PrintComplete {
		fences = 1
		if cutPaper && e.lines > 0 {
			e.end(1)
		}
	}
	if cutPaper {
		e.put(cutting(e.model))
	}
	e.end(fences)
	e.out.units[len(e.out.units)-1].blank = true
}

// cutting is the command that ends a sheet.
func cutting(m Model) string {
	if m.Cutter {
		return cut
	}
	return tear
}
